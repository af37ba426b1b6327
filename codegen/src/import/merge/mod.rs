//! Merges the facts of a page into the spec. Prose and decisions of the old spec are kept.

mod examples;
mod names;
mod proposal;
mod table;
mod wording;

use std::collections::{BTreeMap, BTreeSet};

use crate::import::facts::{Facts, Field, Model, only, words};
use crate::{
    model::comparison::{self, Owner},
    spec::{
        self,
        diagnostic::Report,
        json::{Member, Node, Value},
        keys,
    },
};
use examples::CheckedExamples;
use proposal::Pagination;
use table::{Table, at, has, records_omission, row_name, row_type};
use wording::Wording;

/// Returns the old spec with the facts of a page, or a new spec.
pub(crate) fn merge(facts: &Facts, old: Option<&Node>, report: &mut Report) -> Node {
    let merge = Merge::new(facts, old);
    merge.note_losses(report);
    merge.note_changed_words(report);
    let examples = merge.check_examples(report);
    merge.note_kept_contradictions(&examples, report);
    let mut spec = merge.tables_of_page(&examples);
    // Unknown keys are kept too: the generator reports them.
    let kept = old.into_iter().flat_map(Node::members);
    let kept = kept.filter(|old| !keys::ACTION.is_fact(&old.key) && old.key != "model_names");
    spec.extend(kept.cloned());
    spec.extend(merge.model_names());
    merge.propose(&mut spec, &examples, report);
    spec.extend(merge.example(examples));
    let words = merge.wording.traces(&facts.overview, old);
    spec.extend(words.map(|words| Member::new("words", words)));
    Node::new(Value::Object(spec))
}

/// Returns what a merged spec has no description of, each with its type and the page's words.
pub(crate) fn undescribed(facts: &Facts, spec: &Node) -> Vec<String> {
    let is_empty = |node: Option<&Node>| node.and_then(Node::as_str) == Some("");
    let action = is_empty(spec.get("summary"))
        .then(|| format!("the action: {}", words::quoted(&facts.overview)));
    let tables = tables(facts, Some(spec));
    let rows = tables.iter().flat_map(|table| {
        let rows = table
            .fields
            .iter()
            .filter(|field| is_empty(table.old_row(field).and_then(|row| row.get("description"))));
        rows.map(|field| {
            let (row, words) = (wording::row(table.owner, &field.name), &field.description);
            format!("{row} ({}): {}", field.summary(), words::quoted(words))
        })
    });
    action.into_iter().chain(rows).collect()
}

struct Merge<'a> {
    facts: &'a Facts,
    old: Option<&'a Node>,
    wording: Wording,
    /// The tables of the page.
    tables: Vec<Table<'a>>,
    /// The models that only the old spec has and the page refers to, itself or through another of
    /// them. A maintainer has written them.
    handwritten: Vec<&'a Member>,
    /// The models that only the old spec has and nothing refers to.
    gone: Vec<&'a Member>,
    /// A model of the page, and the model of the old spec that had another name.
    renamed: Option<(&'a Model, &'a Member)>,
}

impl<'a> Merge<'a> {
    fn new(facts: &'a Facts, old: Option<&'a Node>) -> Self {
        let old_models = old.and_then(|old| old.get("models")).map_or(&[][..], Node::members);
        let is_on_page = |old: &Member| facts.models.iter().any(|it| it.name == old.key);
        let others: Vec<&Member> = old_models.iter().filter(|old| !is_on_page(old)).collect();
        let used = used_models(facts, &others);
        let (handwritten, mut gone): (Vec<&Member>, Vec<&Member>) =
            others.into_iter().partition(|old| used.contains(&old.key));
        let mut tables = tables(facts, old);
        let is_new = |model: &&Model| old_models.iter().all(|old| old.key != model.name);
        let new = only(facts.models.iter().filter(is_new));
        let renamed = new.zip(only(gone.iter().copied()));
        let renamed = renamed.filter(|(new, gone)| is_renamed(new, gone, &tables));
        if let Some((new, old)) = renamed {
            gone.clear();
            let table = tables.iter_mut().find(|table| table.owner == Owner::Model(&new.name));
            table.into_iter().for_each(|table| table.old_rows = old.value.elements());
        }
        Self { facts, old, wording: Wording::of(facts, old), tables, handwritten, gone, renamed }
    }

    fn old(&self, key: &str) -> Option<&'a Node> {
        self.old?.get(key)
    }

    /// Whether the old spec has a row with the same facts.
    fn had(&self, field: &Field) -> bool {
        let required = Some(&Value::Boolean(field.required));
        let mut rows = self.tables.iter().filter_map(|table| table.old_row(field));
        rows.any(|row| {
            row_type(row).as_ref() == Some(&field.kind)
                && row.get("required").map(|old| &old.value) == required
        })
    }

    fn tables_of_page(&self, examples: &CheckedExamples) -> Vec<Member> {
        let mut keys = vec![Member::new("action", Node::string(&self.facts.action))];
        let mut models = Vec::new();
        for table in &self.tables {
            let fields = table.fields.iter();
            let rows = fields.map(|field| table.row(field, examples, self.wording)).collect();
            let rows = Node::new(Value::Array(rows));
            match table.owner {
                Owner::Request => keys.push(Member::new("parameters", rows)),
                Owner::Response => keys.push(Member::new("response", rows)),
                Owner::Model(name) => models.push(Member::new(name, rows)),
            }
        }
        models.extend(self.handwritten.iter().copied().cloned());
        if !models.is_empty() {
            keys.push(Member::new("models", Node::new(Value::Object(models))));
        }
        keys
    }

    /// Adds the keys that a spec needs and the page does not state, and lists those to confirm.
    fn propose(&self, spec: &mut Vec<Member>, examples: &CheckedExamples, report: &mut Report) {
        let mut proposed: Vec<Node> = self.old("proposed").map_or(&[][..], Node::elements).to_vec();
        let mut confirm = |key: &str| {
            if !proposed.iter().any(|old| old.as_str() == Some(key)) {
                proposed.push(Node::string(key));
            }
        };
        for (key, value) in [
            ("$schema", "../../schema/action.schema.json"),
            ("summary", ""),
            ("idempotency", proposal::idempotency(&self.facts.action)),
        ] {
            if !has(spec, key) {
                spec.push(Member::new(key, Node::string(value)));
                if key == "idempotency" {
                    confirm(key);
                }
            }
        }
        if !has(spec, "pagination") {
            match proposal::pagination(self.facts) {
                Pagination::Absent => {}
                Pagination::Proposed(parts) if self.old.is_none() => {
                    let names = parts.keys().map(|(key, field)| (key, Node::string(&field.name)));
                    spec.push(Member::new("pagination", Node::object(names)));
                    confirm("pagination");
                }
                // An old spec that had all parts and no pagination is a decision against it.
                Pagination::Proposed(parts) => {
                    if let Some((_, field)) = parts.keys().find(|(_, field)| !self.had(field)) {
                        let message = "the page now has all parts of a pagination: \
                                       add `pagination` to the spec if the action is paginated";
                        report.note(field.at, message);
                    }
                }
                Pagination::Undecided { field, reason } if !self.had(field) => {
                    let message = format!(
                        "no `pagination` is proposed: {reason}. If the action is paginated by an \
                         offset and a limit, add `pagination` to the spec"
                    );
                    report.note(field.at, message);
                }
                Pagination::Undecided { .. } => {}
            }
        }
        let is_undecided = |table: &Table<'_>| match table.owner {
            Owner::Model(name) => {
                examples.shorthand.contains(name) && table.decided_shorthand().is_none()
            }
            _ => false,
        };
        if self.tables.iter().any(is_undecided) {
            confirm("example_shorthand");
        }
        let mut rows = self.tables.iter().flat_map(|table| {
            table.fields.iter().map(|field| (field.description.as_str(), table.old_row(field)))
        });
        let is_action = self.wording.proposes_deprecation(&self.facts.overview, self.old);
        if is_action {
            spec.push(Member::new("deprecated", Node::string("")));
        }
        if is_action || rows.any(|(text, old)| self.wording.proposes_deprecation(text, old)) {
            confirm("deprecated");
        }
        if self.old.is_none()
            && let Some(name) = names::rust_name(&self.facts.action)
        {
            spec.push(Member::new("rust_name", Node::string(name)));
            confirm("rust_name");
        }
        self.tables.iter().flat_map(Table::proposals).for_each(confirm);
        if !proposed.is_empty() {
            spec.push(Member::new("proposed", Node::new(Value::Array(proposed))));
        }
    }

    /// Notes the changes of all words that the old spec has traces of.
    fn note_changed_words(&self, report: &mut Report) {
        let wording = self.wording;
        if self.old.is_some() && !wording.is_traced {
            let message = "the spec has no trace of the page's words yet: \
                           changed words are reported from the next import on";
            report.note(0, message);
        }
        wording.note_change(0, "the action", &self.facts.overview, self.old, report);
        for table in &self.tables {
            for field in table.fields {
                let old = table.old_row(field);
                let name = wording::row(table.owner, &field.name);
                wording.note_change(field.at, &name, &field.description, old, report);
                if let Some(old) = old.filter(|_| table.owner == Owner::Request) {
                    wording.note_default(field, old, report);
                }
            }
        }
    }

    /// Notes the decisions that are lost, and those of a renamed model.
    fn note_losses(&self, report: &mut Report) {
        if let Some((new, old)) = self.renamed {
            let (new_name, old_name) = (&new.name, &old.key);
            let message = format!(
                "`{new_name}` is the former `{old_name}`: it keeps its descriptions and decisions"
            );
            report.note(new.at, message);
        }
        let model_names = self.old("model_names");
        for Member { key, .. } in &self.gone {
            if model_names.is_some_and(|names| names.get(key).is_some()) {
                let message = format!("the model `{key}` is gone, and with it: its Rust name");
                report.note(0, message);
            }
        }
        let gone = self.gone.iter().map(|model| Table {
            at: 0,
            owner: Owner::Model(&model.key),
            fields: &[],
            old_rows: model.value.elements(),
        });
        let gone: Vec<Table<'_>> = gone.collect();
        for table in self.tables.iter().chain(&gone) {
            for row in table.old_rows {
                let name = row_name(row).unwrap_or_default();
                let keys = row.members().iter().map(|member| &member.key);
                let lost: Vec<String> = keys
                    .filter(|key| keys::FIELD.is_decision(key))
                    .map(|key| format!("`{key}`"))
                    .collect();
                if lost.is_empty() || table.fields.iter().any(|field| field.name == name) {
                    continue;
                }
                let row = wording::row(table.owner, name);
                let lost = lost.join(", ");
                report.note(table.at, format!("{row} is gone, and with it: {lost}"));
            }
        }
    }

    /// Returns the Rust names of the models, without those of gone models.
    fn model_names(&self) -> Option<Member> {
        let mut names = self.old("model_names")?.members().to_vec();
        names.retain(|name| !self.gone.iter().any(|model| model.key == name.key));
        for name in &mut names {
            if let Some((new, old)) = self.renamed
                && old.key == name.key
            {
                name.key.clone_from(&new.name);
            }
        }
        let names = Node::new(Value::Object(names));
        (!names.members().is_empty()).then(|| Member::new("model_names", names))
    }

    /// Checks the examples against the tables and the decisions of the old spec. An example that the
    /// page no longer has is the old one's, if that still fits.
    fn check_examples(&self, report: &mut Report) -> CheckedExamples {
        let (mut parameters, mut response, mut models) = (Vec::new(), Vec::new(), Vec::new());
        for table in &self.tables {
            let fields = table.documented();
            match table.owner {
                Owner::Request => parameters = fields,
                Owner::Response => response = fields,
                Owner::Model(name) => {
                    models.push(spec::Model { name: at(table.at, name.to_owned()), fields });
                }
            }
        }
        let tables = comparison::Tables::new(&parameters, &response, &models);
        let mut example = self.facts.example_response.clone();
        let (mut kept, mut shown) = (BTreeMap::new(), CheckedExamples::default());
        if let Some(example) = &mut example
            && let Some(old) = self.old("example").and_then(|old| old.get("response"))
        {
            let (as_shown, ignored) = (Some(&*example), &mut Report::default());
            shown = examples::check(self.facts, as_shown, BTreeMap::new(), &tables, ignored);
            let lost = self.recorded_types().filter(|(at, _)| !shown.types.contains_key(at));
            kept = examples::keep_types(example, old, &lost.collect(), &tables);
        }
        let mut checked = examples::check(self.facts, example.as_ref(), kept, &tables, report);
        // What the page itself shows counts too where a former value is in its place.
        checked.omitted.extend(shown.omitted);
        checked.shorthand.extend(shown.shorthand);
        for (at, ty) in shown.types {
            checked.types.entry(at).or_insert(ty);
        }
        for (key, owner, part) in [
            ("request", Owner::Request, &mut checked.request),
            ("response", Owner::Response, &mut checked.response),
        ] {
            let Some(old) = self.old("example").and_then(|old| old.get(key)) else { continue };
            if part.is_some() {
                continue;
            }
            *part = examples::still_fits(old, owner, &tables);
            let kept = match part {
                Some(_) => "the spec keeps its example",
                None => "the spec's example no longer fits the tables and is dropped",
            };
            let message = format!(
                "the page has no readable example {key}: {kept}, and its recorded contradictions stay"
            );
            report.note(0, message);
        }
        checked
    }

    /// Returns the types that the old spec records for the examples, by the rows of the page.
    fn recorded_types(&self) -> impl Iterator<Item = (usize, spec::Type)> {
        self.tables.iter().flat_map(|table| {
            let fields = table.fields.iter();
            fields.filter_map(|field| Some((field.at, table.recorded_type(field)?)))
        })
    }

    /// Notes the contradictions that the old spec records and the page's example does not show.
    fn note_kept_contradictions(&self, examples: &CheckedExamples, report: &mut Report) {
        if self.facts.example_response.is_none() {
            return;
        }
        for table in &self.tables {
            for field in table.fields {
                let Some(old) = table.old_row(field) else { continue };
                let name = wording::row(table.owner, &field.name);
                let at = field.at;
                let is_kept = table.owner != Owner::Request
                    && records_omission(old)
                    && field.required
                    && !examples.omitted.contains(&at);
                if is_kept {
                    let message = format!(
                        "the example does not omit {name}: `example_omits` stays until you remove it"
                    );
                    report.note(at, message);
                }
                let Some(ty) = table.recorded_type(field) else { continue };
                match examples.types.get(&at) {
                    Some(other) if *other != ty => {
                        let message = format!(
                            "`example_type` of {name} was `{ty}` and is now `{other}`, as the example shows"
                        );
                        report.note(at, message);
                    }
                    Some(_) if !examples.kept.contains(&at) => {}
                    _ => {
                        let message = format!(
                            "the example does not show {name} as `{ty}`: `example_type` stays until you remove it"
                        );
                        report.note(at, message);
                    }
                }
            }
        }
    }

    /// Returns the examples, with keys of the old ones that an import does not know.
    fn example(&self, examples: CheckedExamples) -> Option<Member> {
        let mut parts = Vec::new();
        for (key, part) in [("request", examples.request), ("response", examples.response)] {
            parts.extend(part.map(|part| Member::new(key, part)));
        }
        let old = self.old("example").into_iter().flat_map(Node::members);
        for old in old.filter(|old| !keys::EXAMPLE.is_fact(&old.key)) {
            parts.push(old.clone());
        }
        (!parts.is_empty()).then(|| Member::new("example", Node::new(Value::Object(parts))))
    }
}

fn tables<'a>(facts: &'a Facts, old: Option<&'a Node>) -> Vec<Table<'a>> {
    let old = |key| old.and_then(|old| old.get(key));
    let models = old("models");
    let table = |owner, at, fields, old: Option<&'a Node>| {
        let old_rows = old.map_or(&[][..], Node::elements);
        Table { at, owner, fields, old_rows }
    };
    let section = |owner, fields: &'a [Field], key| {
        table(owner, fields.first().map_or(0, |field| field.at), fields, old(key))
    };
    let models = facts.models.iter().map(|Model { at, name, fields }| {
        table(Owner::Model(name), *at, fields, models.and_then(|models| models.get(name)))
    });
    let parameters = section(Owner::Request, &facts.parameters, "parameters");
    let response = section(Owner::Response, &facts.response, "response");
    [parameters, response].into_iter().chain(models).collect()
}

/// Returns the models that the page refers to, itself or through models that it does not have.
fn used_models(facts: &Facts, others: &[&Member]) -> BTreeSet<String> {
    let used = facts.fields().filter_map(|field| field.kind.model());
    let mut used: BTreeSet<String> = used.map(str::to_owned).collect();
    let mut before = 0;
    while before < used.len() {
        before = used.len();
        for model in others {
            if used.contains(&model.key) {
                let rows = model.value.elements().iter();
                used.extend(rows.filter_map(|row| row_type(row)?.model().map(str::to_owned)));
            }
        }
    }
    used
}

/// Whether a new and a gone model have the same names of fields, or the same row refers to them.
fn is_renamed(new: &Model, gone: &Member, tables: &[Table<'_>]) -> bool {
    let before = gone.value.elements().iter().filter_map(row_name);
    let after = new.fields.iter().map(|field| field.name.as_str());
    let mut rows = tables.iter().flat_map(|table| {
        table.fields.iter().filter_map(|field| Some((field, row_type(table.old_row(field)?)?)))
    });
    before.collect::<BTreeSet<_>>() == after.collect()
        || rows.any(|(field, old)| {
            field.kind.model() == Some(&new.name) && old.model() == Some(&gone.key)
        })
}

/// Reports the keys and rows that a spec has twice, of which an import would drop one.
pub(crate) fn refuse_duplicates(node: &Node, report: &mut Report) {
    refuse_duplicate_names(node, report);
    for Member { key, value, .. } in node.members() {
        if key == "example" {
            refuse_duplicate_names(value, report);
        } else {
            refuse_duplicates(value, report);
        }
    }
    for element in node.elements() {
        refuse_duplicates(element, report);
    }
}

fn refuse_duplicate_names(node: &Node, report: &mut Report) {
    let keys = node.members().iter().map(|it| (it.at, it.key.as_str()));
    let rows = node.elements().iter();
    let rows = rows.filter_map(|row| Some((row.at, row_name(row)?)));
    let mut names = BTreeSet::new();
    for (at, name) in keys.chain(rows) {
        if !names.insert(name) {
            report.error(at, format!("`{name}` is repeated: remove one"));
        }
    }
}
