//! From a page's facts to a spec: the facts are the page's, words and decisions are kept.

use super::{
    contradiction::{Decided, Key, Owner, Shown, compare},
    findings::Findings,
    page::{Facts, Field, Model},
    proposal,
};
use crate::{
    json::{Member, Node, Value},
    spec::Type,
};

/// What a field's facts are; every other key is a person's.
const FACTS: &[&str] = &[
    "name",
    "type",
    "required",
    "shown_as",
    "shown_absent",
    "shown_alone",
];

/// The spec that a page makes of the one there is.
pub(super) fn merge(facts: &Facts, old: Option<&Node>, findings: &mut Findings) -> Node {
    let merge = Merge { facts, old };
    let decided = merge.decided();
    let shown = compare(facts, &decided, findings);

    let mut proposed = Vec::new();
    let mut spec = vec![
        member(
            "$schema",
            merge
                .kept("$schema")
                .unwrap_or_else(|| string("../../schema/action.schema.json")),
        ),
        member("action", string(&facts.action)),
        member(
            "summary",
            merge.kept("summary").unwrap_or_else(|| string("")),
        ),
    ];
    spec.extend(
        merge
            .kept("details")
            .map(|details| member("details", details)),
    );
    let repeat = merge.kept("repeat").unwrap_or_else(|| {
        proposed.push("repeat");
        string(proposal::repeat(&facts.action))
    });
    spec.push(member("repeat", repeat));
    let list = |owner: Owner, fields: &[Field], old: Option<&Node>| {
        let fields = fields
            .iter()
            .map(|field| merge.field(&owner, field, old, &decided, &shown));
        node(Value::Array(fields.collect()))
    };
    spec.push(member(
        "parameters",
        list(Owner::Request, &facts.parameters, merge.old("parameters")),
    ));
    spec.push(member(
        "response",
        list(Owner::Response, &facts.response, merge.old("response")),
    ));
    let models: Vec<Member> = facts
        .models
        .iter()
        .map(|model| {
            let old = merge
                .old("models")
                .and_then(|models| get(models, &model.name));
            let owner = Owner::Model(model.name.clone());
            member(&model.name, list(owner, &model.fields, old))
        })
        .chain(merge.models_of_a_persons())
        .collect();
    if !models.is_empty() {
        spec.push(member("models", node(Value::Object(models))));
    }
    let is_new_text =
        |model: &&Model| shown.alone.contains(&model.name) && merge.alone(model).is_none();
    if facts.models.iter().any(|model| is_new_text(&model)) {
        proposed.push("shown_alone");
    }
    match merge.kept("pagination") {
        Some(pagination) => spec.push(member("pagination", pagination)),
        None if old.is_some() => {}
        None => {
            if let Some(parts) = proposal::pagination(facts) {
                let parts = parts.map(|(part, name)| member(part, string(name)));
                spec.push(member("pagination", node(Value::Object(parts.into()))));
                proposed.push("pagination");
            }
        }
    }
    spec.extend(
        merge
            .example(shown)
            .map(|example| member("example", example)),
    );
    spec.extend(
        merge
            .proposed(&proposed)
            .map(|proposed| member("proposed", proposed)),
    );
    // What is not known here is for the generator to refuse, not for us to lose.
    let others = old.into_iter().flat_map(members).filter(|old| {
        const KNOWN: &[&str] = &["example", "models", "pagination", "proposed"];
        !KNOWN.contains(&old.key.as_str()) && !spec.iter().any(|member| member.key == old.key)
    });
    let others: Vec<Member> = others.cloned().collect();
    spec.extend(others);
    node(Value::Object(spec))
}

struct Merge<'a> {
    facts: &'a Facts,
    old: Option<&'a Node>,
}

impl<'a> Merge<'a> {
    fn old(&self, key: &str) -> Option<&'a Node> {
        get(self.old?, key)
    }

    fn kept(&self, key: &str) -> Option<Node> {
        self.old(key).cloned()
    }

    /// The decisions that the page's examples are read by.
    fn decided(&self) -> Decided {
        let mut decided = Decided::default();
        let mut note = |owner: Owner, fields: Option<&Node>| {
            for field in fields.into_iter().flat_map(elements) {
                let is_boolean = get(field, "format").and_then(text) == Some("boolean");
                if let Some(name) = get(field, "name").and_then(text).filter(|_| is_boolean) {
                    decided.booleans.insert((owner.clone(), name.to_owned()));
                }
            }
        };
        note(Owner::Request, self.old("parameters"));
        note(Owner::Response, self.old("response"));
        for model in self.old("models").into_iter().flat_map(members) {
            note(Owner::Model(model.key.clone()), Some(&model.value));
        }
        for model in &self.facts.models {
            let proposed = || proposal::identity(model).map(|field| field.name.clone());
            if let Some(alone) = self.alone(model).or_else(proposed) {
                decided.alone.insert(model.name.clone(), alone);
            }
        }
        decided
    }

    /// The field of a model that a person lets stand for the whole.
    fn alone(&self, model: &Model) -> Option<String> {
        let old = self
            .old("models")
            .and_then(|models| get(models, &model.name))?;
        let alone = elements(old)
            .iter()
            .find(|field| get(field, "shown_alone").is_some())?;
        let name = text(get(alone, "name")?)?;
        let is_there = model.fields.iter().any(|field| field.name == name);
        is_there.then(|| name.to_owned())
    }

    fn field(
        &self,
        owner: &Owner,
        field: &Field,
        old: Option<&Node>,
        decided: &Decided,
        shown: &Shown,
    ) -> Node {
        let old = old.into_iter().flat_map(elements).find(|old| {
            let name = get(old, "name").and_then(text);
            name == Some(&field.name)
        });
        let key: Key = (owner.clone(), field.name.clone());
        let yes = || node(Value::Boolean(true));
        let mut members_ = vec![
            member("name", string(&field.name)),
            member("type", string(&field.ty)),
            member("required", node(Value::Boolean(field.required))),
        ];
        let default = match owner {
            Owner::Request if !field.required => proposal::default(&field.description, &field.kind)
                .map(|default| value(default, &field.kind)),
            _ => None,
        };
        members_.extend(default.map(|default| member("default", default)));
        members_.extend(
            shown
                .types
                .get(&key)
                .map(|ty| member("shown_as", string(&ty.to_string()))),
        );
        if shown.absent.contains(&key) {
            members_.push(member("shown_absent", yes()));
        }
        if let Owner::Model(model) = owner
            && shown.alone.contains(model)
            && decided.alone.get(model) == Some(&field.name)
        {
            members_.push(member("shown_alone", yes()));
        }
        let others = old.into_iter().flat_map(members).filter(|old| {
            let is_required_now = old.key == "default" && field.required;
            !FACTS.contains(&old.key.as_str())
                && !is_required_now
                && !members_.iter().any(|member| member.key == old.key)
        });
        let others: Vec<Member> = others.cloned().collect();
        members_.extend(others);
        if !members_.iter().any(|member| member.key == "description") {
            members_.push(member("description", string("")));
        }
        node(Value::Object(members_))
    }

    /// Models that the page refers to and lacks: a person has written them.
    fn models_of_a_persons(&self) -> Vec<Member> {
        let is_referred = |name: &str| {
            let mut fields = self.facts.fields();
            fields.any(|field| super::page::model_of(&field.kind) == Some(name))
        };
        let is_on_page = |name: &str| self.facts.models.iter().any(|model| model.name == name);
        let old = self.old("models").into_iter().flat_map(members);
        old.filter(|old| is_referred(&old.key) && !is_on_page(&old.key))
            .cloned()
            .collect()
    }

    /// What the page shows; what it does not show stays as it was.
    fn example(&self, shown: Shown) -> Option<Node> {
        let old = |key| get(self.old("example")?, key).cloned();
        let request = shown.request.or_else(|| old("request"));
        let response = shown.response.or_else(|| old("response"));
        let parts: Vec<Member> = [("request", request), ("response", response)]
            .into_iter()
            .filter_map(|(key, part)| Some(member(key, part?)))
            .collect();
        (!parts.is_empty()).then(|| node(Value::Object(parts)))
    }

    /// What waits for a person: what is proposed now, and what nobody has confirmed.
    fn proposed(&self, new: &[&str]) -> Option<Node> {
        let mut all: Vec<Node> = self.old("proposed").map_or(&[][..], elements).to_vec();
        for name in new {
            if !all.iter().any(|old| text(old) == Some(name)) {
                all.push(string(name));
            }
        }
        (!all.is_empty()).then(|| node(Value::Array(all)))
    }
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

fn members(node: &Node) -> &[Member] {
    super::page::members(node)
}

fn elements(node: &Node) -> &[Node] {
    match &node.value {
        Value::Array(elements) => elements,
        _ => &[],
    }
}

pub(super) fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let member = members(node).iter().find(|member| member.key == key)?;
    Some(&member.value)
}

pub(super) fn text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
