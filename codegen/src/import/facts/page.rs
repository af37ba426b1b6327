//! Reads the facts of a page and checks that the page is complete and agrees with itself.

use std::collections::BTreeSet;

use crate::import::{
    facts::{
        ArgumentValue, Facts, Field, Model, example, excerpt,
        outline::{ModelTable, Outline},
        rows::{Tables, remove_repetitions},
    },
    read::{Shape, block::Block, titles::Section},
};
use crate::{
    model::comparison::Owner,
    spec::{
        Type,
        diagnostic::{Report, suggest},
        json::Node,
    },
};

/// The most rows and arguments. Real pages have hundreds; the limit bounds the work on other files.
const MAX_ROWS: usize = 10_000;

/// Reads the blocks of a page. Returns `None` after an error.
pub(crate) fn read(
    blocks: Vec<Block>,
    shape: Shape,
    end: usize,
    report: &mut Report,
) -> Option<Facts> {
    let mut outline = Outline::of(blocks, report);
    let action = outline.action(report);
    for section in [Section::Request, Section::Response] {
        if !outline.tables.contains_key(&section) {
            let at = outline.headings.get(&section).copied().unwrap_or_default();
            let title = section.title();
            let message = format!(
                "read as {shape}, the page has no table under a heading `{title}`: is it cut off, or of a different shape (--format)?"
            );
            report.error(at, message);
        }
    }
    for section in [Section::RequestExample, Section::ResponseExample] {
        if !outline.headings.contains_key(&section) {
            let title = section.title();
            let message = format!("the page ends without a heading `{title}`: is it cut off?");
            report.error(end, message);
        }
    }
    let arguments = outline
        .code(Section::RequestExample, report)
        .and_then(|code| example::request(code, report));
    let response = outline
        .code(Section::ResponseExample, report)
        .and_then(|code| example::response(code, report));
    let rows: usize = outline.all_tables().map(|table| table.rows.len()).sum();
    let rows = rows + outline.models.len();
    let length = rows.max(arguments.as_ref().map_or(0, Vec::len));
    if length > MAX_ROWS {
        let message = format!("the page has {length} rows or arguments; the limit is {MAX_ROWS}");
        report.error(0, message);
        return None;
    }

    let tables = Tables::of(&outline, arguments.as_deref(), response.as_ref());
    let mut read = |owner, section| {
        let table = outline.tables.get(&section);
        table.map_or(Vec::new(), |table| tables.read(owner, table, report))
    };
    let parameters = read(Owner::Request, Section::Request);
    let response_fields = read(Owner::Response, Section::Response);
    let models = outline.models.iter().map(|ModelTable { at, name, table }| {
        let fields = tables.read(Owner::Model(name), table, report);
        Model { at: *at, name: name.clone(), fields }
    });
    let mut models: Vec<Model> = models.collect();
    let key = |model: &Model| (model.at, model.name.clone());
    remove_repetitions(&mut models, key, have_same_fields, |_| None, report);
    let facts = Facts {
        action: action.unwrap_or_default(),
        overview: outline.overview.join(" "),
        parameters,
        response: response_fields,
        models,
        arguments,
        example_response: response.and_then(|response| example::success(response, report)),
    };
    facts.check_references(report);
    facts.check_action(report);
    (!report.has_errors()).then_some(facts)
}

fn have_same_fields(one: &Model, other: &Model) -> bool {
    let mut pairs = one.fields.iter().zip(&other.fields);
    one.fields.len() == other.fields.len() && pairs.all(|(one, other)| one.agrees(other))
}

impl Facts {
    /// Checks that every model is documented and used.
    fn check_references(&self, report: &mut Report) {
        let models: BTreeSet<&str> = self.models.iter().map(|it| it.name.as_str()).collect();
        let mut used = BTreeSet::new();
        for Field { at, name, kind, .. } in self.fields() {
            let Some(model) = kind.model() else { continue };
            used.insert(model);
            if models.contains(model) {
                continue;
            }
            if is_misspelt_type(model) {
                let hint = suggest(model, Type::BASIC);
                let message = format!("unknown type `{model}` of `{name}`{hint}");
                report.error(*at, message);
            } else {
                // The limit bounds the search.
                let models = models.iter().copied().take(100);
                let hint = suggest(model, models.chain(Type::BASIC));
                let message = format!("the model `{model}` of `{name}` is not documented{hint}");
                report.note(*at, message);
            }
        }
        for Model { at, name, .. } in &self.models {
            if !used.contains(name.as_str()) {
                report.note(*at, format!("the model `{name}` is not used"));
            }
        }
    }

    /// Checks that the examples are of this action.
    fn check_action(&self, report: &mut Report) {
        let arguments = self.arguments.iter().flatten();
        let request = arguments.filter(|it| it.name == "Action").map(|argument| {
            let name = match &argument.value {
                ArgumentValue::Text(text) => text,
                ArgumentValue::Json(node) => node.as_str().unwrap_or_default(),
            };
            (argument.at, name)
        });
        let members = self.example_response.iter().flat_map(Node::members);
        let response = members.filter(|it| it.key == "Action").map(|member| {
            let name = member.value.as_str().unwrap_or_default();
            (member.at, name.strip_suffix("Response").unwrap_or(name))
        });
        for (at, name) in request.chain(response).filter(|(_, name)| *name != self.action) {
            let (name, action) = (excerpt(name), &self.action);
            report.note(at, format!("the example is of `{name}`, the page of `{action}`"));
        }
    }
}

/// Whether the name of an undocumented model is more likely a misspelt type: `Int`, `list`.
fn is_misspelt_type(model: &str) -> bool {
    let mut types = Type::BASIC.iter().chain(&["array", "bool"]);
    model.starts_with(|c: char| c.is_ascii_lowercase())
        || types.any(|ty| ty.eq_ignore_ascii_case(model))
}
