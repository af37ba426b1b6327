//! From a table's rows to fields, with all that the page knows to read them by.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    import::facts::form::{Cells, Row, squeeze},
    import::facts::outline::{Outline, Table},
    import::facts::page::{COMMON_PARAMETERS, COMMON_RESPONSE, Field, documented, members},
    import::facts::run_together::{Evidence, Known, ModelNames, Names, Reading, Readings, is_name},
    import::facts::shown::{Argument, Given},
    import::facts::titles::{self, COLUMNS, Column, Section},
    import::findings::Findings,
};
use crate::{
    spec::Type,
    spec::json::{Node, Value},
};

/// A table of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Request,
    Response,
    Model(usize),
}

/// The tables, and what the page knows that helps to read them.
pub(crate) struct Rows<'a> {
    outline: &'a Outline,
    models: ModelNames<'a>,
    /// The readings of each row whose cells run together, by its place.
    readings: BTreeMap<usize, Readings<'a>>,
    arguments: &'a [Argument],
    /// Everything shown under each name, in the request or the response.
    shown: BTreeMap<&'a str, Vec<&'a Node>>,
    answer: Option<&'a Node>,
    /// The names under which a model may be shown.
    holders: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// What is shown within each of them.
    within: BTreeMap<&'a str, Rc<Names<'a>>>,
    pub(crate) settled: BTreeMap<Evidence, usize>,
}

/// A value of a query: text, which says nothing of its type.
const TEXT: &Node = &Node {
    at: 0,
    end: 0,
    value: Value::Null,
};
/// What settles a row whose cells run together.
const REMEDY: &str = "write tabs between its cells";
/// More values of one name say nothing new.
const MOST_SHOWN: usize = 1000;

impl<'a> Rows<'a> {
    pub(crate) fn of(
        outline: &'a Outline,
        arguments: &'a [Argument],
        answer: Option<&'a Node>,
    ) -> Self {
        let models = outline.models.iter().map(|model| model.name.as_str());
        let mut rows = Self {
            outline,
            models: models.collect(),
            arguments,
            shown: BTreeMap::new(),
            answer,
            readings: BTreeMap::new(),
            holders: BTreeMap::new(),
            within: BTreeMap::new(),
            settled: BTreeMap::new(),
        };
        let given = arguments
            .iter()
            .filter_map(|argument| match &argument.value {
                Given::Json(node) => {
                    rows.shown.entry(&argument.name).or_default().push(node);
                    Some(node)
                }
                Given::Text(_) => None,
            });
        for node in given.collect::<Vec<_>>().into_iter().chain(answer) {
            rows.index(node);
        }
        rows.read_together();
        rows
    }

    fn index(&mut self, node: &'a Node) {
        match &node.value {
            Value::Array(elements) => elements.iter().for_each(|node| self.index(node)),
            Value::Object(members) => {
                for member in members {
                    let shown = self.shown.entry(&member.key).or_default();
                    if shown.len() < MOST_SHOWN {
                        shown.push(&member.value);
                    }
                    self.index(&member.value);
                }
            }
            _ => {}
        }
    }

    fn read_together(&mut self) {
        let outline = self.outline;
        let tables = outline
            .tables
            .values()
            .chain(outline.models.iter().map(|model| &model.table));
        for row in tables.flat_map(|table| &table.rows) {
            if let Cells::Together(text) = &row.cells
                && let Some(readings) = Readings::of(text, &self.models)
            {
                for reading in &readings.all {
                    let ty = reading.ty.trim_start_matches("array[");
                    let model = ty.trim_end_matches(']');
                    if self.models.contains(model) {
                        self.holders.entry(model).or_default().insert(reading.name);
                    }
                }
                self.readings.insert(row.at, readings);
            }
        }
        for holder in self.holders.values().flatten() {
            if let Some(shown) = self.shown.get(holder)
                && !self.within.contains_key(holder)
            {
                let mut objects = Vec::new();
                for node in shown {
                    collect_objects(node, &mut objects);
                }
                let mut names = Names::new();
                for member in objects.into_iter().flat_map(members) {
                    let values = names.entry(member.key.clone()).or_default();
                    values.push(&member.value);
                }
                self.within.insert(holder, Rc::new(names));
            }
        }
    }

    /// What the page knows of a table that has rows to settle.
    fn known(&self, place: &Place, table: &Table) -> Known<'a> {
        let mut known = Known::default();
        let rows = table.rows.iter();
        for readings in rows.filter_map(|row| self.readings.get(&row.at)) {
            if let [only] = readings.all.as_slice() {
                known.taken.insert(only.name.to_owned());
            }
        }
        let mut names = Names::new();
        let mut show = |name: String, node| names.entry(name).or_default().push(node);
        match place {
            Place::Request => {
                for argument in self.arguments {
                    let node = match &argument.value {
                        Given::Json(node) => node,
                        Given::Text(_) => TEXT,
                    };
                    show(documented(&argument.name), node);
                }
            }
            Place::Response => {
                for member in self.answer.into_iter().flat_map(members) {
                    show(member.key.clone(), &member.value);
                }
            }
            Place::Model(index) => {
                let name = self.outline.models[*index].name.as_str();
                known.model = Some(name);
                let holders = self.holders.get(name).into_iter().flatten();
                let within = holders.filter_map(|holder| self.within.get(holder));
                known.shown.extend(within.cloned());
            }
        }
        known.shown.push(Rc::new(names));
        known
    }

    pub(crate) fn table(&mut self, place: &Place, findings: &mut Findings) -> Vec<Field> {
        let table = match place {
            Place::Request => self.outline.tables.get(&Section::Request),
            Place::Response => self.outline.tables.get(&Section::Response),
            Place::Model(index) => Some(&self.outline.models[*index].table),
        };
        let Some(table) = table else {
            return Vec::new();
        };
        let common: &[&str] = match place {
            Place::Request => &COMMON_PARAMETERS,
            Place::Response => &COMMON_RESPONSE,
            Place::Model(_) => &[],
        };
        let is_together = |row: &Row| matches!(row.cells, Cells::Together(_));
        let known = if table.rows.iter().any(is_together) {
            self.known(place, table)
        } else {
            Known::default()
        };
        let mut fields: Vec<Field> = Vec::new();
        let mut run_together = Vec::new();
        let mut first: BTreeMap<String, usize> = BTreeMap::new();
        for row in &table.rows {
            let read = match &row.cells {
                Cells::Apart(cells) => apart(row.at, cells, &table.columns, findings),
                Cells::Together(_) if table.columns != COLUMNS.map(Some) => {
                    let what = "nothing divides this row's cells, and its table has other columns than most";
                    findings.error(row.at, what);
                    None
                }
                Cells::Together(text) => self.together(row.at, text, &known, findings),
            };
            let Some((field, evidence)) = read else {
                continue;
            };
            *self.settled.entry(evidence).or_default() += 1;
            if evidence != Evidence::Apart {
                run_together.push((row.at, field.name.clone()));
            }
            if common.contains(&field.name.as_str()) {
                continue;
            }
            match first.get(&field.name).map(|index| &fields[*index]) {
                Some(other) if other.agrees(&field) => {
                    findings.note(field.at, format!("`{}` stands here again", field.name));
                }
                Some(_) => findings.error(
                    field.at,
                    format!("`{}` stands here again, and says otherwise", field.name),
                ),
                None => {
                    first.insert(field.name.clone(), fields.len());
                    fields.push(field);
                }
            }
        }
        // `BucketInfo` of a page that shows a `Bucket` without a row: of type `Info`, perhaps.
        for (at, name) in run_together {
            let is_part = |part: &&str| {
                let rest = &name[part.len()..];
                // No model is called `Id`.
                let may_be_type = !rest.starts_with('.') && rest != "Id";
                let is_documented = first.contains_key(*part) || common.contains(part);
                may_be_type && !is_documented && known.shows(part)
            };
            let mut parts = (1..name.len()).map(|end| &name[..end]);
            if !known.shows(&name)
                && let Some(part) = parts.find(is_part)
            {
                findings.error(
                    at,
                    format!("is this `{name}`, or `{part}`, which the example shows and no row documents? {REMEDY}"),
                );
            }
        }
        fields
    }

    fn together(
        &self,
        at: usize,
        text: &str,
        known: &Known<'_>,
        findings: &mut Findings,
    ) -> Option<(Field, Evidence)> {
        let short: String = text.chars().take(60).collect();
        let Some(readings) = self.readings.get(&at) else {
            findings.error(at, format!("this row does not end in Yes or No: {short:?}"));
            return None;
        };
        if let Some((reading, evidence)) = readings.settle(known) {
            let Reading {
                name,
                ty,
                description,
            } = *reading;
            // `one of Yes or No`: the last word is no cell of its own, and that cell is empty.
            let description = description.trim();
            if is_cut_at_or(description) {
                findings.error(
                    at,
                    format!("the last word of {short:?} is part of its description, and nothing says whether `{name}` is required: {REMEDY}"),
                );
                return None;
            }
            let kind = parse_type(at, ty, findings)?;
            let field = Field {
                at,
                name: name.to_owned(),
                ty: ty.to_owned(),
                kind,
                required: readings.required,
                description: description.to_owned(),
            };
            return Some((field, evidence));
        }
        let all: Vec<String> = readings
            .all
            .iter()
            .map(|reading| format!("`{}` of type `{}`", reading.name, reading.ty))
            .collect();
        let message = match all.as_slice() {
            [] => format!("no name and type is found at the beginning of {short:?}: {REMEDY}"),
            [only] => format!(
                "{short:?} could be {only}, but is not worded so, and the page shows no such name: {REMEDY}"
            ),
            several => format!(
                "{short:?} could be {}, and nothing on the page settles it: {REMEDY}",
                several.join(" or ")
            ),
        };
        findings.error(at, message);
        None
    }
}

/// Whether a text ends in the middle of `Yes or No`. (A path may be `/`.)
fn is_cut_at_or(text: &str) -> bool {
    let is_slash = text
        .strip_suffix('/')
        .is_some_and(|text| text.ends_with(char::is_alphanumeric));
    is_slash || [" or", "、", "或"].iter().any(|end| text.ends_with(end))
}

/// The objects that a value is or lists.
fn collect_objects<'a>(node: &'a Node, found: &mut Vec<&'a Node>) {
    match &node.value {
        Value::Array(elements) => elements
            .iter()
            .for_each(|node| collect_objects(node, found)),
        Value::Object(_) if found.len() < MOST_SHOWN => found.push(node),
        _ => {}
    }
}

/// A row whose cells the page divides.
fn apart(
    at: usize,
    cells: &[String],
    columns: &[Option<Column>],
    findings: &mut Findings,
) -> Option<(Field, Evidence)> {
    if cells.len() != columns.len() {
        findings.error(
            at,
            format!(
                "this row has {} cells where its table has {} columns",
                cells.len(),
                columns.len()
            ),
        );
        return None;
    }
    let cell = |column| {
        let index = columns.iter().position(|found| *found == Some(column));
        index.map_or("", |index| cells[index].trim())
    };
    let name = cell(Column::Name);
    if !is_name(name) {
        let short: String = name.chars().take(60).collect();
        findings.error(at, format!("{short:?} is no name of a parameter or field"));
        return None;
    }
    let ty = beside_brackets(cell(Column::Type));
    let kind = parse_type(at, &ty, findings);
    let required = titles::required(cell(Column::Required));
    if required.is_none() {
        findings.error(at, format!("the row of `{name}` says neither Yes nor No"));
    }
    let field = Field {
        at,
        name: name.to_owned(),
        ty,
        kind: kind?,
        required: required?,
        description: cell(Column::Description).to_owned(),
    };
    Some((field, Evidence::Apart))
}

/// A type without the spaces beside its brackets: one within a word would make one word of two.
fn beside_brackets(ty: &str) -> String {
    let mut ty = squeeze(ty);
    for bracket in ["[", "]"] {
        let words: Vec<&str> = ty.split(bracket).map(str::trim).collect();
        ty = words.join(bracket);
    }
    ty
}

fn parse_type(at: usize, ty: &str, findings: &mut Findings) -> Option<Type> {
    match Type::parse(ty) {
        Ok(kind) => Some(kind),
        Err(message) => {
            let message: String = message.chars().take(200).collect();
            findings.error(at, message);
            None
        }
    }
}
