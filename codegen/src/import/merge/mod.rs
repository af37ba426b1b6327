//! From a page's facts to a spec: the facts are the page's, words and decisions are kept.

pub(crate) mod contradiction;
pub(crate) mod proposal;

use std::collections::BTreeSet;

use crate::{
    import::facts::page::{Facts, Field, Model, members, model_of},
    import::findings::Findings,
    import::merge::contradiction::{Decided, Key, Owner, Shown, compare},
};
use crate::{
    spec::Type,
    spec::diagnostic::Report,
    spec::json::{Member, Node, Value},
};

/// The keys of an action that are the page's, or ours to keep up with it. Every other is a person's.
const ACTION: &[&str] = &[
    "action",
    "parameters",
    "response",
    "models",
    "example",
    "proposed",
];
/// The keys of a field that are the page's. A default is, where the page says it.
const FIELD: &[&str] = &[
    "name",
    "type",
    "required",
    "example_type",
    "example_omits",
    "example_shorthand",
];

/// The spec that a page makes of the one there is.
pub(crate) fn merge(facts: &Facts, old: Option<&Node>, findings: &mut Findings) -> Node {
    let mut merge = Merge {
        facts,
        old,
        renamed: None,
    };
    merge.renamed = merge.renamed();
    merge.note_losses(findings);
    let decided = merge.decided();
    let shown = compare(facts, &decided, findings);

    let list = |owner: &Owner, fields: &[Field], old: Option<&Node>| {
        let fields = fields.iter();
        let fields = fields.map(|field| merge.field(owner, field, old, &decided, &shown));
        node(Value::Array(fields.collect()))
    };
    let mut spec = vec![
        member("action", string(&facts.action)),
        member(
            "parameters",
            list(&Owner::Request, &facts.parameters, merge.old("parameters")),
        ),
        member(
            "response",
            list(&Owner::Response, &facts.response, merge.old("response")),
        ),
    ];
    let of_page = facts.models.iter().map(|model| {
        let owner = Owner::Model(model.name.clone());
        member(
            &model.name,
            list(&owner, &model.fields, merge.old_model(&model.name)),
        )
    });
    let by_hand = merge.models_by_hand().into_iter().cloned();
    let models: Vec<Member> = of_page.chain(by_hand).collect();
    if !models.is_empty() {
        spec.push(member("models", node(Value::Object(models))));
    }

    // What is not known here is carried over too: it is for the generator to refuse.
    let ours = old.into_iter().flat_map(members);
    spec.extend(
        ours.filter(|old| !ACTION.contains(&old.key.as_str()))
            .cloned(),
    );
    let mut proposed = Vec::new();
    if !has(&spec, "$schema") {
        spec.push(member("$schema", string("../../schema/action.schema.json")));
    }
    if !has(&spec, "summary") {
        spec.push(member("summary", string("")));
    }
    if !has(&spec, "idempotency") {
        spec.push(member(
            "idempotency",
            string(proposal::idempotency(&facts.action)),
        ));
        proposed.push("idempotency");
    }
    match (old, proposal::pagination(facts)) {
        (None, Some(parts)) => {
            let parts = parts.map(|(part, field)| member(part, string(&field.name)));
            spec.push(member("pagination", node(Value::Object(parts.into()))));
            proposed.push("pagination");
        }
        // A spec without pagination has been decided to have none, if it could have had one.
        (Some(_), Some(parts)) if !has(&spec, "pagination") => {
            if let Some((_, field)) = parts.iter().find(|(_, field)| !merge.was_there(field)) {
                let what = "the page now has all that a pagination needs: add `pagination` to the spec if its calls page";
                findings.note(field.at, what);
            }
        }
        _ => {}
    }
    let is_text = |model: &&Model| shown.alone.contains(&model.name);
    if facts
        .models
        .iter()
        .filter(is_text)
        .any(|model| merge.alone(model).is_none())
    {
        proposed.push("example_shorthand");
    }
    spec.extend(merge.example(shown));
    spec.extend(merge.proposed(&proposed));
    node(Value::Object(spec))
}

struct Merge<'a> {
    facts: &'a Facts,
    old: Option<&'a Node>,
    /// The model that has another name on the page, and the one that it was.
    renamed: Option<(&'a Model, &'a Member)>,
}

impl<'a> Merge<'a> {
    fn old(&self, key: &str) -> Option<&'a Node> {
        get(self.old?, key)
    }

    fn old_model(&self, name: &str) -> Option<&'a Node> {
        match self.renamed {
            Some((new, old)) if new.name == name => Some(&old.value),
            _ => get(self.old("models")?, name),
        }
    }

    fn old_models(&self) -> &'a [Member] {
        self.old("models").map_or(&[], members)
    }

    /// The models that the spec has and the page neither has nor refers to.
    fn gone(&self) -> impl Iterator<Item = &'a Member> {
        let by_hand = self.models_by_hand();
        let is_renamed = |name: &str| self.renamed.is_some_and(|(_, old)| old.key == name);
        self.old_models().iter().filter(move |old| {
            let is_there = self.is_on_page(&old.key) || by_hand.contains(old);
            !is_there && !is_renamed(&old.key)
        })
    }

    /// The only new model with the only one that is gone, where they have fields of the same names or
    /// the same row refers to them.
    fn renamed(&self) -> Option<(&'a Model, &'a Member)> {
        let is_new = |model: &&Model| self.old_model(&model.name).is_none();
        let new = proposal::one(self.facts.models.iter().filter(is_new))?;
        let gone = proposal::one(self.gone())?;
        let before = elements(&gone.value).iter().filter_map(row_name);
        let after = new.fields.iter().map(|field| field.name.as_str());
        let is_alike = before.collect::<BTreeSet<_>>() == after.collect();
        let is_referred_alike = self.tables().any(|(_, _, fields, rows)| {
            let referring = |field: &&Field| model_of(&field.kind) == Some(&new.name);
            fields.iter().filter(referring).any(|field| {
                let row = rows.iter().find(|row| row_name(row) == Some(&field.name));
                row.and_then(row_type).as_ref().and_then(model_of) == Some(&gone.key)
            })
        });
        (is_alike || is_referred_alike).then_some((new, gone))
    }

    /// Where each table of the page stands, whose it is, its rows, and those of the spec there is.
    fn tables(&self) -> impl Iterator<Item = (usize, Owner, &'a [Field], &'a [Node])> {
        let facts = self.facts;
        let rows = |old: Option<&'a Node>| old.map_or(&[][..], elements);
        let table = |owner, fields: &'a [Field], key| {
            let at = fields.first().map_or(0, |field| field.at);
            (at, owner, fields, rows(self.old(key)))
        };
        let models = facts.models.iter().map(move |model| {
            let owner = Owner::Model(model.name.clone());
            let rows = rows(self.old_model(&model.name));
            (model.at, owner, &model.fields[..], rows)
        });
        [
            table(Owner::Request, &facts.parameters, "parameters"),
            table(Owner::Response, &facts.response, "response"),
        ]
        .into_iter()
        .chain(models)
    }

    /// Whether the spec has a row that says the same.
    fn was_there(&self, field: &Field) -> bool {
        let rows = self.tables().flat_map(|(.., rows)| rows);
        let mut same = rows.filter(|row| row_name(row) == Some(&field.name));
        same.any(|row| {
            let required = get(row, "required").map(|node| &node.value);
            row_type(row).as_ref() == Some(&field.kind)
                && required == Some(&Value::Boolean(field.required))
        })
    }

    /// Notes the decisions that go with what is gone, and those that get another owner.
    fn note_losses(&self, findings: &mut Findings) {
        if let Some((new, old)) = self.renamed {
            findings.note(
                new.at,
                format!(
                    "`{}` is taken for `{}` under another name: it keeps its words and decisions",
                    new.name, old.key
                ),
            );
        }
        let gone = self.gone().map(|model| {
            let owner = Owner::Model(model.key.clone());
            (0, owner, &[][..], elements(&model.value))
        });
        for (at, owner, fields, rows) in self.tables().chain(gone) {
            for row in rows {
                let name = row_name(row).unwrap_or_default();
                let is_fact =
                    |key: &str| FIELD.contains(&key) || ["default", "description"].contains(&key);
                let keys = members(row).iter().map(|member| member.key.as_str());
                let lost: Vec<String> = keys
                    .filter(|key| !is_fact(key))
                    .map(|key| format!("`{key}`"))
                    .collect();
                if lost.is_empty() || fields.iter().any(|field| field.name == name) {
                    continue;
                }
                let what = match &owner {
                    Owner::Request => format!("the parameter `{name}`"),
                    Owner::Response => format!("the response field `{name}`"),
                    Owner::Model(model) => format!("`{model}.{name}`"),
                };
                let lost = lost.join(", ");
                findings.note(at, format!("{what} is gone, and with it: {lost}"));
            }
        }
    }

    /// The decisions that the page's examples are read by.
    fn decided(&self) -> Decided {
        let mut decided = Decided::default();
        let mut note = |owner: Owner, fields: Option<&Node>| {
            for field in fields.into_iter().flat_map(elements) {
                let is_boolean = get(field, "format").and_then(text) == Some("boolean");
                if let Some(name) = row_name(field).filter(|_| is_boolean) {
                    decided.booleans.insert((owner.clone(), name.to_owned()));
                }
            }
        };
        note(Owner::Request, self.old("parameters"));
        note(Owner::Response, self.old("response"));
        for model in &self.facts.models {
            note(
                Owner::Model(model.name.clone()),
                self.old_model(&model.name),
            );
            let proposed = || proposal::identity(model).map(|field| field.name.clone());
            if let Some(alone) = self.alone(model).or_else(proposed) {
                decided.alone.insert(model.name.clone(), alone);
            }
        }
        decided
    }

    /// The field of a model that a person lets stand for the whole.
    fn alone(&self, model: &Model) -> Option<String> {
        let fields = elements(self.old_model(&model.name)?);
        let alone = fields
            .iter()
            .find(|field| get(field, "example_shorthand").is_some())?;
        let name = row_name(alone)?;
        let is_there = model.fields.iter().any(|field| field.name == name);
        is_there.then(|| name.to_owned())
    }

    /// A row of the page, with what a person has said of it.
    fn field(
        &self,
        owner: &Owner,
        field: &Field,
        old: Option<&Node>,
        decided: &Decided,
        shown: &Shown,
    ) -> Node {
        let key: Key = (owner.clone(), field.name.clone());
        let yes = || node(Value::Boolean(true));
        let mut row = vec![
            member("name", string(&field.name)),
            member("type", string(&field.ty)),
            member("required", node(Value::Boolean(field.required))),
        ];
        if *owner == Owner::Request && !field.required {
            let default = proposal::default(&field.description, &field.kind);
            row.extend(default.map(|default| member("default", value(default, &field.kind))));
        }
        let example_type = shown.types.get(&key);
        row.extend(example_type.map(|ty| member("example_type", string(&ty.to_string()))));
        if shown.absent.contains(&key) {
            row.push(member("example_omits", yes()));
        }
        if let Owner::Model(model) = owner
            && shown.alone.contains(model)
            && decided.alone.get(model) == Some(&field.name)
        {
            row.push(member("example_shorthand", yes()));
        }
        let is_same = |old: &&Node| row_name(old) == Some(&field.name);
        let old = old.into_iter().flat_map(elements).find(is_same);
        for old in old.into_iter().flat_map(members) {
            let is_outdated = FIELD.contains(&old.key.as_str())
                || (old.key == "default" && field.required)
                || has(&row, &old.key);
            if !is_outdated {
                row.push(old.clone());
            }
        }
        if !has(&row, "description") {
            row.push(member("description", string("")));
        }
        node(Value::Object(row))
    }

    fn is_on_page(&self, model: &str) -> bool {
        self.facts.models.iter().any(|other| other.name == model)
    }

    /// Models that the page lacks and refers to, itself or through another of them: a person has
    /// written them.
    fn models_by_hand(&self) -> Vec<&'a Member> {
        let old = self.old_models().iter();
        let mut by_hand: Vec<&Member> = old.filter(|old| !self.is_on_page(&old.key)).collect();
        let fields = self.facts.fields();
        let referred = fields.filter_map(|field| model_of(&field.kind));
        let mut referred: BTreeSet<String> = referred.map(str::to_owned).collect();
        loop {
            let before = referred.len();
            let kept = by_hand.iter().filter(|old| referred.contains(&old.key));
            let rows = kept.flat_map(|model| elements(&model.value));
            let types: Vec<Type> = rows.filter_map(row_type).collect();
            referred.extend(types.iter().filter_map(model_of).map(str::to_owned));
            if referred.len() == before {
                break;
            }
        }
        by_hand.retain(|old| referred.contains(&old.key));
        by_hand
    }

    /// What the page shows; what it does not show stays as it was.
    fn example(&self, shown: Shown) -> Option<Member> {
        let old = |key| get(self.old("example")?, key).cloned();
        let request = shown.request.or_else(|| old("request"));
        let response = shown.response.or_else(|| old("response"));
        let parts = [("request", request), ("response", response)].into_iter();
        let parts = parts.filter_map(|(key, part)| Some(member(key, part?)));
        let others = self.old("example").into_iter().flat_map(members);
        let others = others.filter(|other| !["request", "response"].contains(&&other.key[..]));
        let parts: Vec<Member> = parts.chain(others.cloned()).collect();
        (!parts.is_empty()).then(|| member("example", node(Value::Object(parts))))
    }

    /// What waits for a person: what is proposed now, and what nobody has confirmed.
    fn proposed(&self, new: &[&str]) -> Option<Member> {
        let mut all: Vec<Node> = self.old("proposed").map_or(&[][..], elements).to_vec();
        for name in new {
            if !all.iter().any(|old| text(old) == Some(name)) {
                all.push(string(name));
            }
        }
        (!all.is_empty()).then(|| member("proposed", node(Value::Array(all))))
    }
}

/// Reports what stands twice in a spec: an import would keep one of them.
pub(crate) fn check(spec: &Node, report: &mut Report<'_>) {
    let models = get(spec, "models").map_or(&[][..], members);
    let example = get(spec, "example").map_or(&[][..], members);
    let tables = ["parameters", "response"].map(|key| get(spec, key));
    let tables = tables.into_iter().flatten();
    let tables = tables.chain(models.iter().map(|model| &model.value));
    let tables: Vec<&[Node]> = tables.map(elements).collect();

    let rows = tables.iter().copied().flatten();
    let objects = [members(spec), models, example].into_iter();
    let objects = objects.chain(rows.map(members));
    let keys = objects.map(|members| members.iter().map(|it| (it.at, &it.key[..])).collect());
    let names = tables.iter().map(|rows| {
        let rows = rows.iter();
        rows.filter_map(|row| Some((row.at, row_name(row)?)))
            .collect()
    });
    let mut twice: Vec<(usize, &str)> = Vec::new();
    for all in keys.chain(names) {
        let all: Vec<(usize, &str)> = all;
        let mut seen = BTreeSet::new();
        twice.extend(all.into_iter().filter(|(_, name)| !seen.insert(*name)));
    }
    twice.sort_unstable();
    for (at, name) in twice {
        report.error(
            at,
            format!("`{name}` stands here twice: keep one, for an import would drop the other"),
        );
    }
}

fn has(members: &[Member], key: &str) -> bool {
    members.iter().any(|member| member.key == key)
}

fn row_name(row: &Node) -> Option<&str> {
    text(get(row, "name")?)
}

/// The type of a spec's row, where it is one.
fn row_type(row: &Node) -> Option<Type> {
    Type::parse(text(get(row, "type")?)?).ok()
}

fn value(default: &str, ty: &Type) -> Node {
    node(match ty {
        Type::Int | Type::Float => Value::Number(default.to_owned()),
        Type::Boolean => Value::Boolean(default == "true"),
        _ => Value::String(default.to_owned()),
    })
}

fn node(value: Value) -> Node {
    Node {
        at: 0,
        end: 0,
        value,
    }
}

fn string(text: &str) -> Node {
    node(Value::String(text.to_owned()))
}

fn member(key: &str, value: Node) -> Member {
    Member {
        at: 0,
        key: key.to_owned(),
        value,
    }
}

fn elements(node: &Node) -> &[Node] {
    match &node.value {
        Value::Array(elements) => elements,
        _ => &[],
    }
}

pub(crate) fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let member = members(node).iter().find(|member| member.key == key)?;
    Some(&member.value)
}

pub(crate) fn text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
