//! From a page's blocks to its facts: the one reader of what a page says, whatever its shape.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    import::Shape,
    import::facts::form::Block,
    import::facts::outline::Outline,
    import::facts::rows::{Place, Rows},
    import::facts::run_together::Evidence,
    import::facts::shown::{self, Argument, Given},
    import::facts::titles::Section,
    import::findings::Findings,
};
use crate::{
    spec::Type,
    spec::diagnostic::suggest,
    spec::json::{Member, Node, Value},
};

/// What a page says of its action.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) action: String,
    pub(crate) parameters: Vec<Field>,
    pub(crate) response: Vec<Field>,
    pub(crate) models: Vec<Model>,
    /// The request shown, if there is one.
    pub(crate) arguments: Option<Vec<Argument>>,
    /// The response shown, if there is one.
    pub(crate) answer: Option<Node>,
    /// How many rows each kind of evidence settled.
    pub(crate) settled: BTreeMap<Evidence, usize>,
}

/// A row of a table.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) at: usize,
    pub(crate) name: String,
    /// As the page spells it.
    pub(crate) ty: String,
    pub(crate) kind: Type,
    pub(crate) required: bool,
    pub(crate) description: String,
}

impl Field {
    /// Whether two rows say the same.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        (&self.name, &self.kind, self.required) == (&other.name, &other.kind, other.required)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) at: usize,
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
}

/// What every action has, and no action's spec repeats.
pub(crate) const COMMON_PARAMETERS: [&str; 3] = ["Action", "PublicKey", "Signature"];
pub(crate) const COMMON_RESPONSE: [&str; 3] = ["RetCode", "Action", "Message"];

/// The longest page has hundreds. What is compared row by row would take long for one that is no page.
const MOST_ROWS: usize = 10_000;

/// Reads a page's blocks; what is missing or contradicts itself is an error.
pub(crate) fn read(
    blocks: Vec<Block>,
    shape: Shape,
    end: usize,
    findings: &mut Findings,
) -> Option<Facts> {
    let outline = Outline::of(blocks, findings);
    let action = outline.action(findings);
    for section in [Section::Request, Section::Response] {
        if !outline.tables.contains_key(&section) {
            let at = outline.headings.get(&section).copied().unwrap_or_default();
            findings.error(
                at,
                format!(
                    "read as {shape}, the page has no table under a heading `{}`: is it cut off, or of another shape (--format)?",
                    section.title()
                ),
            );
        }
    }
    for section in [Section::RequestExample, Section::ResponseExample] {
        if !outline.headings.contains_key(&section) {
            findings.error(
                end,
                format!(
                    "the page ends without a heading `{}`: is it cut off?",
                    section.title()
                ),
            );
        }
    }
    let arguments = outline
        .shown(Section::RequestExample, findings)
        .and_then(|code| shown::request(code, findings));
    let answer = outline
        .shown(Section::ResponseExample, findings)
        .and_then(|code| shown::response(code, findings));
    let length = outline.rows().max(arguments.as_ref().map_or(0, Vec::len));
    if length > MOST_ROWS {
        findings.error(
            0,
            format!("{length} rows or arguments: a page has no more than {MOST_ROWS}"),
        );
        return None;
    }

    let mut rows = Rows::of(
        &outline,
        arguments.as_deref().unwrap_or_default(),
        answer.as_ref(),
    );
    let mut facts = Facts {
        action: action.unwrap_or_default(),
        parameters: rows.table(&Place::Request, findings),
        response: rows.table(&Place::Response, findings),
        models: outline
            .models
            .iter()
            .enumerate()
            .map(|(index, model)| Model {
                at: model.at,
                name: model.name.clone(),
                fields: rows.table(&Place::Model(index), findings),
            })
            .collect(),
        settled: std::mem::take(&mut rows.settled),
        arguments: None,
        answer: None,
    };
    drop(rows);
    (facts.arguments, facts.answer) = (arguments, answer);
    facts.check(findings);
    findings.is_clean().then_some(facts)
}

impl Facts {
    /// The page against itself, as far as its tables go.
    fn check(&mut self, findings: &mut Findings) {
        let mut seen: BTreeMap<String, Model> = BTreeMap::new();
        self.models.retain(|model| {
            let Some(first) = seen.get(&model.name) else {
                seen.insert(model.name.clone(), model.clone());
                return true;
            };
            let is_same = first.fields.len() == model.fields.len()
                && first
                    .fields
                    .iter()
                    .zip(&model.fields)
                    .all(|(one, other)| one.agrees(other));
            if is_same {
                findings.note(
                    model.at,
                    format!("the model `{}` stands here again", model.name),
                );
            } else {
                findings.error(
                    model.at,
                    format!(
                        "the model `{}` stands here again, and says otherwise",
                        model.name
                    ),
                );
            }
            false
        });
        let mut referred = BTreeSet::new();
        for field in self.fields() {
            if let Some(model) = model_of(&field.kind) {
                referred.insert(model.to_owned());
                if !seen.contains_key(model) && is_misspelt(model) {
                    findings.error(
                        field.at,
                        format!("`{model}`, the type of `{}`, is neither a type nor a model of the page{}", field.name, suggest(model, Type::BASIC)),
                    );
                } else if !seen.contains_key(model) {
                    // Of very many, the nearest would take long to find.
                    let known = seen.keys().take(100).map(String::as_str);
                    let known = known.chain(Type::BASIC);
                    findings.note(
                        field.at,
                        format!(
                            "`{}` refers to a model `{model}` that is not there{}",
                            field.name,
                            suggest(model, known)
                        ),
                    );
                }
            }
        }
        for model in &self.models {
            if !referred.contains(&model.name) {
                findings.note(
                    model.at,
                    format!("nothing refers to the model `{}`", model.name),
                );
            }
        }
        self.check_action(findings);
    }

    /// The examples name the action too.
    fn check_action(&self, findings: &mut Findings) {
        let request = self
            .arguments
            .iter()
            .flatten()
            .filter(|argument| argument.name == "Action");
        let request = request.map(|argument| match &argument.value {
            Given::Text(text) => (argument.at, text.clone()),
            Given::Json(node) => (argument.at, string(node)),
        });
        let answer = self.answer.iter().flat_map(members);
        let answer = answer
            .filter(|member| member.key == "Action")
            .map(|member| {
                let name = string(&member.value);
                let name = name.strip_suffix("Response").unwrap_or(&name).to_owned();
                (member.at, name)
            });
        for (at, name) in request.chain(answer) {
            if name != self.action {
                let name: String = name.chars().take(60).collect();
                findings.note(
                    at,
                    format!("the example is of `{name}`, the page of `{}`", self.action),
                );
            }
        }
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        let models = self.models.iter().flat_map(|model| &model.fields);
        self.parameters.iter().chain(&self.response).chain(models)
    }
}

fn string(node: &Node) -> String {
    match &node.value {
        Value::String(text) => text.clone(),
        _ => String::new(),
    }
}

/// Whether a model that is not there is more likely another spelling of a type: `Int`, `list`.
fn is_misspelt(model: &str) -> bool {
    let known = Type::BASIC.iter().chain(&["array", "bool"]);
    model.starts_with(|c: char| c.is_ascii_lowercase())
        || known.into_iter().any(|ty| ty.eq_ignore_ascii_case(model))
}

/// The model that a type is or lists.
pub(crate) fn model_of(ty: &Type) -> Option<&str> {
    match ty {
        Type::Array(element) => model_of(element),
        Type::Model(name) => Some(name),
        _ => None,
    }
}

/// The members of an object.
pub(crate) fn members(node: &Node) -> &[Member] {
    match &node.value {
        Value::Object(members) => members,
        _ => &[],
    }
}

/// The documented name of an argument: `Disks.0.Type` is an element of `Disks.N.Type`.
pub(crate) fn documented(name: &str) -> String {
    let parts: Vec<&str> = name
        .split('.')
        .map(|part| match part.parse::<u32>() {
            Ok(_) => "N",
            Err(_) => part,
        })
        .collect();
    parts.join(".")
}
