//! From a page's blocks to its facts: the one reader of what a page says, whatever its shape.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Shape,
    findings::Findings,
    form::{Block, Cells, Code, Kind, Row},
    shown::{self, Argument, Given},
    titles::{self, COLUMNS, Column, Section},
    together::{Evidence, Known, Reading, Readings, is_name},
};
use crate::{
    json::{Node, Value},
    spec::{Type, is_word},
};

/// What a page says of its action.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) action: String,
    pub(super) parameters: Vec<Field>,
    pub(super) response: Vec<Field>,
    pub(super) models: Vec<Model>,
    /// The request shown, if there is one.
    pub(super) arguments: Option<Vec<Argument>>,
    /// The response shown, if there is one.
    pub(super) answer: Option<Node>,
    /// How many rows each kind of evidence settled.
    pub(super) settled: BTreeMap<Evidence, usize>,
}

/// A row of a table.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) at: usize,
    pub(super) name: String,
    /// As the page spells it.
    pub(super) ty: String,
    pub(super) kind: Type,
    pub(super) required: bool,
    pub(super) description: String,
}

impl Field {
    /// Whether two rows say the same.
    fn agrees(&self, other: &Self) -> bool {
        (&self.name, &self.kind, self.required) == (&other.name, &other.kind, other.required)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) at: usize,
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
}

/// What every action has, and no action's spec repeats.
pub(super) const COMMON_PARAMETERS: [&str; 3] = ["Action", "PublicKey", "Signature"];
pub(super) const COMMON_RESPONSE: [&str; 3] = ["RetCode", "Action", "Message"];

/// The longest page has hundreds. What is compared row by row would take long for one that is no page.
const MOST_ROWS: usize = 10_000;

/// Reads a page's blocks; what is missing or contradicts itself is an error.
pub(super) fn read(
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

/// A page's parts.
#[derive(Debug, Default)]
struct Outline {
    title: Option<(usize, String)>,
    /// Where each known heading stands.
    headings: BTreeMap<Section, usize>,
    tables: BTreeMap<Section, Table>,
    models: Vec<ModelTable>,
    code: BTreeMap<Section, Code>,
}

#[derive(Debug)]
struct Table {
    columns: Vec<Option<Column>>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct ModelTable {
    at: usize,
    name: String,
    table: Table,
}

impl Outline {
    fn of(blocks: Vec<Block>, findings: &mut Findings) -> Self {
        let mut outline = Self::default();
        let mut section = None;
        // A heading that is not one of the page's parts may be a model's.
        let mut other: Option<(usize, String)> = None;
        for Block { at, kind } in blocks {
            match kind {
                Kind::Heading(text) => match Section::of(&text) {
                    // Among the models, one may be called `Usage`.
                    Some(found)
                        if found > Section::Definition || section <= Some(Section::Common) =>
                    {
                        outline.heading(found, at, findings);
                        unused(other.take(), section, findings);
                        section = Some(found);
                    }
                    _ if section.is_none() => {
                        if let Some(action) = titles::action(&text)
                            && outline.title.is_none()
                        {
                            outline.title = Some((at, action.to_owned()));
                        }
                    }
                    _ => unused(other.replace((at, text)), section, findings),
                },
                Kind::Table { header, rows } => {
                    outline.table(section, other.take(), header, rows, findings);
                }
                Kind::Code(code) => {
                    if let Some(section) = section {
                        outline.code.entry(section).or_insert(code);
                    }
                }
            }
        }
        unused(other, section, findings);
        outline
    }

    /// The code under a heading.
    fn shown(&self, section: Section, findings: &mut Findings) -> Option<&Code> {
        let code = self.code.get(&section);
        if let (None, Some(at)) = (code, self.headings.get(&section)) {
            findings.note(*at, format!("there is no `{}`", section.title()));
        }
        code
    }

    /// How many rows the page has, headings of models among them.
    fn rows(&self) -> usize {
        let models = self.models.iter().map(|model| &model.table);
        let tables = self.tables.values().chain(models);
        self.models.len() + tables.map(|table| table.rows.len()).sum::<usize>()
    }

    fn heading(&mut self, section: Section, at: usize, findings: &mut Findings) {
        // A request and its response may each have models.
        let may_repeat = matches!(
            section,
            Section::Models | Section::Overview | Section::Usage
        );
        if self.headings.insert(section, at).is_some() && !may_repeat {
            findings.error(
                at,
                format!(
                    "a second heading `{}`: are these two pages in one?",
                    section.title()
                ),
            );
        }
    }

    fn table(
        &mut self,
        section: Option<Section>,
        heading: Option<(usize, String)>,
        header: Row,
        rows: Vec<Row>,
        findings: &mut Findings,
    ) {
        let columns: Vec<Option<Column>> = match &header.cells {
            Cells::Apart(cells) => cells.iter().map(|cell| Column::of(cell)).collect(),
            Cells::Together(_) => COLUMNS.into_iter().map(Some).collect(),
        };
        let is_definition = matches!(
            section,
            Some(Section::Request | Section::Response | Section::Models | Section::Common)
        );
        let missing = COLUMNS
            .iter()
            .find(|column| !columns.contains(&Some(**column)));
        if let Some(missing) = missing {
            // Other tables, say of error codes, are none of ours.
            if is_definition || columns.contains(&Some(Column::Type)) {
                let title = missing.title();
                findings.error(header.at, format!("this table has no column `{title}`"));
            }
            return;
        }
        let table = Table { columns, rows };
        match (section, heading) {
            (_, Some((at, name))) if is_definition => {
                if !is_word(&name) {
                    findings.error(
                        at,
                        format!("this heading stands over a table of fields and is no model's name: {name:?}"),
                    );
                }
                self.models.push(ModelTable { at, name, table });
            }
            (Some(section @ (Section::Common | Section::Request | Section::Response)), None) => {
                if self.tables.insert(section, table).is_some() {
                    findings.error(
                        header.at,
                        format!("a second table under `{}`", section.title()),
                    );
                }
            }
            _ => findings.error(
                header.at,
                "a table of fields under no heading that says whose they are",
            ),
        }
    }

    /// The action's name, on which the title and the table of common parameters agree.
    fn action(&self, findings: &mut Findings) -> Option<String> {
        let Some((at, title)) = &self.title else {
            findings.error(
                0,
                "the page has no title that ends in its action's name: `Lists images - GetRepoImage`",
            );
            return None;
        };
        let common = self.tables.get(&Section::Common);
        for row in common.iter().flat_map(|table| &table.rows) {
            let words = match &row.cells {
                Cells::Apart(cells) => cells.join(" "),
                Cells::Together(row) => match titles::cut_required(row) {
                    Some((row, _)) => row.to_owned(),
                    None => row.clone(),
                },
            };
            if let Some(other) = named(&words)
                && other != title
            {
                findings.error(
                    *at,
                    format!("the title names `{title}`, the common parameters `{other}`: which of the two is it?"),
                );
            }
        }
        Some(title.clone())
    }
}

/// A heading among the models that no table follows.
fn unused(heading: Option<(usize, String)>, section: Option<Section>, findings: &mut Findings) {
    if let Some((at, name)) = heading
        && section == Some(Section::Models)
        && is_word(&name)
    {
        findings.error(at, format!("the model `{name}` has no table"));
    }
}

/// The action that the row of `Action` names: "the current API is GetRepoImage".
fn named(row: &str) -> Option<&str> {
    let words = row.trim_start();
    if !words.starts_with("Action") {
        return None;
    }
    let (_, name) = ["API is", "API 为"]
        .iter()
        .find_map(|words| row.split_once(words))?;
    let name = name.trim_start_matches([' ', '`']);
    let end = name
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(name.len());
    (end > 0).then(|| &name[..end])
}

/// A table of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Request,
    Response,
    Model(usize),
}

/// The tables, and what the page knows that helps to read them.
struct Rows<'a> {
    outline: &'a Outline,
    models: BTreeSet<&'a str>,
    arguments: &'a [Argument],
    /// Everything shown under each name, in the request or the response.
    shown: BTreeMap<&'a str, Vec<&'a Node>>,
    answer: Option<&'a Node>,
    /// The names under which a model may be shown.
    holders: BTreeMap<&'a str, BTreeSet<&'a str>>,
    settled: BTreeMap<Evidence, usize>,
}

/// What a query shows is text, whatever its type.
const TEXT: &Node = &Node {
    at: 0,
    end: 0,
    value: Value::Null,
};
/// More values of one name say nothing new.
const MOST_SHOWN: usize = 1000;

impl<'a> Rows<'a> {
    fn of(outline: &'a Outline, arguments: &'a [Argument], answer: Option<&'a Node>) -> Self {
        let models = outline.models.iter().map(|model| model.name.as_str());
        let mut rows = Self {
            outline,
            models: models.collect(),
            arguments,
            shown: BTreeMap::new(),
            answer,
            holders: BTreeMap::new(),
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
        rows.find_holders();
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

    fn find_holders(&mut self) {
        let outline = self.outline;
        let tables = outline
            .tables
            .values()
            .chain(outline.models.iter().map(|model| &model.table));
        for row in tables.flat_map(|table| &table.rows) {
            if let Cells::Together(text) = &row.cells
                && let Some(readings) = Readings::of(text, &self.models)
            {
                for Reading { name, ty, .. } in readings.all {
                    let model = ty.trim_start_matches("array[").trim_end_matches(']');
                    if self.models.contains(model) {
                        self.holders.entry(model).or_default().insert(name);
                    }
                }
            }
        }
    }

    /// What the page knows of a table that has rows to settle.
    fn known(&self, place: &Place, table: &Table) -> Known<'a> {
        let mut known = Known::default();
        let rows = table.rows.iter().filter_map(|row| match &row.cells {
            Cells::Together(text) => Readings::of(text, &self.models),
            Cells::Apart(_) => None,
        });
        for readings in rows {
            if let [only] = readings.all.as_slice() {
                known.taken.insert(only.name.to_owned());
            }
        }
        let mut show = |name: String, node| known.shown.entry(name).or_default().push(node);
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
                let shown = holders
                    .filter_map(|holder| self.shown.get(holder))
                    .flatten();
                let mut objects = Vec::new();
                for node in shown.take(MOST_SHOWN) {
                    collect_objects(node, &mut objects);
                }
                for member in objects.into_iter().flat_map(members) {
                    known
                        .shown
                        .entry(member.key.clone())
                        .or_default()
                        .push(&member.value);
                }
            }
        }
        known
    }

    fn table(&mut self, place: &Place, findings: &mut Findings) -> Vec<Field> {
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
        let mut first: BTreeMap<String, usize> = BTreeMap::new();
        for row in &table.rows {
            let read = match &row.cells {
                Cells::Apart(cells) => apart(row.at, cells, &table.columns, findings),
                Cells::Together(text) => self.together(row.at, text, &known, findings),
            };
            let Some((field, evidence)) = read else {
                continue;
            };
            *self.settled.entry(evidence).or_default() += 1;
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
        fields
    }

    fn together(
        &self,
        at: usize,
        text: &str,
        known: &Known<'_>,
        findings: &mut Findings,
    ) -> Option<(Field, Evidence)> {
        const REMEDY: &str = "write tabs between its cells";
        let short: String = text.chars().take(60).collect();
        let Some(readings) = Readings::of(text, &self.models) else {
            findings.error(at, format!("this row does not end in Yes or No: {short:?}"));
            return None;
        };
        if let Some((reading, evidence)) = readings.settle(known) {
            let Reading {
                name,
                ty,
                description,
            } = *reading;
            let kind = parse_type(at, ty, findings)?;
            let field = Field {
                at,
                name: name.to_owned(),
                ty: ty.to_owned(),
                kind,
                required: readings.required,
                description: description.trim().to_owned(),
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
                "{short:?} could be {only}, but that cuts a word, and the page shows no such name: {REMEDY}"
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

/// The members of an object.
pub(super) fn members(node: &Node) -> &[crate::json::Member] {
    match &node.value {
        Value::Object(members) => members,
        _ => &[],
    }
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

/// The documented name of an argument: `Disks.0.Type` is an element of `Disks.N.Type`.
pub(super) fn documented(name: &str) -> String {
    let parts: Vec<&str> = name
        .split('.')
        .map(|part| match part.parse::<u32>() {
            Ok(_) => "N",
            Err(_) => part,
        })
        .collect();
    parts.join(".")
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
    let ty: String = cell(Column::Type).split_whitespace().collect();
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
                if !seen.contains_key(model) {
                    // Of very many, the nearest would take long to find.
                    let known = seen.keys().take(100).map(String::as_str);
                    let known = known.chain(Type::BASIC);
                    findings.note(
                        field.at,
                        format!(
                            "`{}` refers to a model `{model}` that is not there{}",
                            field.name,
                            crate::diagnostic::suggest(model, known)
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

    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
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

/// The model that a type is or lists.
pub(super) fn model_of(ty: &Type) -> Option<&str> {
    match ty {
        Type::Array(element) => model_of(element),
        Type::Model(name) => Some(name),
        _ => None,
    }
}
