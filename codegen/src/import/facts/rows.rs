//! Reads the rows of the tables.

use std::collections::{BTreeMap, BTreeSet};

use crate::import::{
    facts::{
        Argument, COMMON_PARAMETERS, COMMON_RESPONSE, Evidence, Field, defaults,
        example_index::ExampleIndex,
        excerpt, is_name, only,
        outline::{Outline, Table},
        run_together::{ModelNames, Splits, TableEvidence},
    },
    read::{
        block::{Cells, Row, squeeze},
        titles::{self, COLUMNS, Column},
    },
};
use crate::{
    model::comparison::Owner,
    spec::{Type, diagnostic::Report, is_word, json::Node},
};

/// The tables of a page, and the evidence for their rows.
pub(crate) struct Tables<'a> {
    /// The splits of each row without delimiters, by its offset.
    splits: BTreeMap<usize, Splits<'a>>,
    examples: ExampleIndex<'a>,
    /// The names of the rows that may be of each model's type.
    rows_of_model: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

const REMEDY: &str = "write tabs between its cells";

impl<'a> Tables<'a> {
    pub(crate) fn of(
        outline: &'a Outline,
        arguments: Option<&'a [Argument]>,
        response: Option<&'a Node>,
    ) -> Self {
        let models = outline.models.iter().map(|model| model.name.as_str());
        let models: ModelNames<'_> = models.collect();
        let mut splits = BTreeMap::new();
        let mut rows_of_model: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in outline.all_tables().flat_map(|table| &table.rows) {
            if let Cells::RunTogether(text) = &row.cells
                && let Some(found) = Splits::of(text, &models)
            {
                for split in &found.all {
                    let element = split.ty.rsplit('[').next().unwrap_or_default();
                    let element = element.trim_end_matches(']');
                    if models.contains(element) {
                        rows_of_model.entry(element).or_default().insert(split.name);
                    }
                }
                splits.insert(row.at, found);
            }
        }
        let examples = ExampleIndex::of(arguments.unwrap_or_default(), response);
        Self { splits, examples, rows_of_model }
    }

    /// Reads a table, without the rows that every action has.
    pub(crate) fn read(&self, owner: Owner<'a>, table: &Table, report: &mut Report) -> Vec<Field> {
        let common: &[&str] = match owner {
            Owner::Request => &COMMON_PARAMETERS,
            Owner::Response => &COMMON_RESPONSE,
            Owner::Model(_) => &[],
        };
        let evidence = self.evidence(owner, table);
        let rows = table.rows.iter();
        let rows = rows.filter_map(|row| self.row(row, table, &evidence, report));
        let mut fields: Vec<Field> = rows.collect();
        for field in fields.iter_mut().filter(|field| owner == Owner::Request && !field.required) {
            field.default = defaults::default(&field.description, &field.kind);
        }
        self.refuse_hidden_types(&fields, common, &evidence, report);
        fields.retain(|field| !common.contains(&field.name.as_str()));
        let key = |field: &Field| (field.at, field.name.clone());
        remove_repetitions(&mut fields, key, Field::agrees, |it| Some(it.summary()), report);
        fields
    }

    fn evidence(&self, owner: Owner<'a>, table: &Table) -> TableEvidence<'_> {
        let splits = table.rows.iter().filter_map(|row| self.splits.get(&row.at));
        let settled_names = splits.filter_map(|splits| Some(only(splits.all.iter())?.name));
        let settled_names = settled_names.collect();
        let (model, examples) = match owner {
            Owner::Request => (None, vec![&self.examples.request]),
            Owner::Response => (None, self.examples.fields.get("").into_iter().collect()),
            Owner::Model(model) => {
                let rows = self.rows_of_model.get(model).into_iter().flatten();
                let examples = rows.filter_map(|name| self.examples.fields.get(name));
                (Some(model), examples.collect())
            }
        };
        TableEvidence { model, examples, settled_names, rows_of_model: Some(&self.rows_of_model) }
    }

    fn row(
        &self,
        row: &Row,
        table: &Table,
        evidence: &TableEvidence<'_>,
        report: &mut Report,
    ) -> Option<Field> {
        let read = match &row.cells {
            Cells::Delimited(cells) => delimited(row.at, cells, &table.columns),
            Cells::RunTogether(_) if table.columns != COLUMNS.map(Some) => {
                Err(format!("this row needs delimiters, as its table has other columns: {REMEDY}"))
            }
            Cells::RunTogether(text) => self.run_together(row.at, text, evidence),
        };
        read.map_err(|message| report.error(row.at, message)).ok()
    }

    /// Reads a row without delimiters, or returns the error.
    fn run_together(
        &self,
        at: usize,
        text: &str,
        evidence: &TableEvidence<'_>,
    ) -> Result<Field, String> {
        let short = excerpt(text);
        let splits = self.splits.get(&at);
        let splits =
            splits.ok_or_else(|| format!("this row does not end in Yes or No: {short:?}"))?;
        let Some((split, evidence)) = splits.settle(evidence) else {
            let all = splits.all.iter();
            let all: Vec<String> =
                all.map(|split| format!("`{}` of type `{}`", split.name, split.ty)).collect();
            let problem = match all.as_slice() {
                [] => "does not begin with a name and a type".to_owned(),
                [only] => format!(
                    "could be {only}, but is not worded like it, and no example shows that name"
                ),
                several => format!(
                    "could be {}, and the page has no evidence for one",
                    several.join(" or ")
                ),
            };
            return Err(format!("{short:?} {problem}: {REMEDY}"));
        };
        let (name, description) = (split.name, split.description.trim());
        // After "one of Yes or No", the last cell is missing.
        if ends_in_or(description) {
            return Err(format!(
                "the last word of {short:?} is part of its description, so whether `{name}` is required is missing: {REMEDY}"
            ));
        }
        Ok(Field {
            at,
            name: name.to_owned(),
            kind: parse_type(split.ty)?,
            ty: spelled(split.ty),
            required: splits.required,
            default: None,
            description: description.to_owned(),
            evidence,
        })
    }

    /// Reports a row whose name may hold its type, which the page does not explain: `BucketInfo`
    /// where the example shows a `Bucket` and no row documents one. The description would then
    /// begin with the type that was read.
    fn refuse_hidden_types(
        &self,
        fields: &[Field],
        common: &[&str],
        evidence: &TableEvidence<'_>,
        report: &mut Report,
    ) {
        let names = fields.iter().map(|field| field.name.as_str());
        let documented: BTreeSet<&str> = names.chain(common.iter().copied()).collect();
        for Field { at, name, ty, .. } in fields {
            let Some(splits) = self.splits.get(at) else { continue };
            let is_undocumented = |part: &str| !documented.contains(part) && evidence.shows(part);
            let mut longer =
                (name.len() + 1..=splits.row.len()).filter_map(|end| splits.row.get(..end));
            if let Some(other) = longer.find(|part| is_undocumented(part)) {
                report.error(*at, both(name, other));
            }
            let mut all = splits.all.iter();
            let split = all.find(|it| it.name == name && spelled(it.ty) == *ty);
            let Some(split) = split.filter(|split| split.type_may_be_description()) else {
                continue;
            };
            let mut parts = (1..name.len()).map(|end| name.split_at(end));
            let hidden = parts.find(|(part, rest)| {
                may_be_model(rest)
                    && is_undocumented(part)
                    // A number is of no model, and no description is `int`.
                    && !(split.description.is_empty() && evidence.shows_scalar(part))
            });
            if let Some((part, _)) = hidden.filter(|_| !evidence.shows(name)) {
                report.error(*at, both(name, part));
            }
        }
    }
}

fn both(name: &str, part: &str) -> String {
    format!(
        "this may be `{name}` or `{part}`, which the example shows and no row documents: {REMEDY}"
    )
}

/// Removes repeated elements. One that disagrees with the first is an error.
pub(crate) fn remove_repetitions<T: Clone>(
    elements: &mut Vec<T>,
    key: impl Fn(&T) -> (usize, String),
    agree: impl Fn(&T, &T) -> bool,
    summary: impl Fn(&T) -> Option<String>,
    report: &mut Report,
) {
    let mut first: BTreeMap<String, T> = BTreeMap::new();
    elements.retain(|element| {
        let (at, name) = key(element);
        match first.get(&name) {
            None => {
                first.insert(name, element.clone());
                return true;
            }
            Some(other) if agree(other, element) => {
                report.note(at, format!("`{name}` is repeated"));
            }
            Some(other) => {
                let both = summary(other).zip(summary(element));
                let both = both.map(|(one, other)| format!(": `{one}` and `{other}`"));
                let both = both.unwrap_or_default();
                report.error(at, format!("`{name}` is repeated with other facts{both}"));
            }
        }
        false
    });
}

/// Whether the end of a name may be the name of a model: not `Id`, nor the `s.N` of `UHostIds.N`.
fn may_be_model(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase()) && is_word(text) && text.len() > "Id".len()
}

/// Whether a text ends within `Yes or No`. A slash alone may be a path.
fn ends_in_or(text: &str) -> bool {
    let before_slash = text.strip_suffix('/');
    before_slash.is_some_and(|text| text.ends_with(char::is_alphanumeric))
        || [" or", "、", "或"].iter().any(|end| text.ends_with(end))
}

/// Reads a row with delimiters, or returns the error.
fn delimited(at: usize, cells: &[String], columns: &[Option<Column>]) -> Result<Field, String> {
    let (found, expected) = (cells.len(), columns.len());
    if found != expected {
        return Err(format!("this row has {found} cells, its table {expected} columns"));
    }
    let cell = |column| {
        let index = columns.iter().position(|found| *found == Some(column));
        index.map_or("", |index| cells[index].trim())
    };
    let name = cell(Column::Name);
    if !is_name(name) {
        return Err(format!("{:?} is not a parameter's or field's name", excerpt(name)));
    }
    let ty = without_spaces_at_brackets(cell(Column::Type));
    let required = titles::required(cell(Column::Required));
    Ok(Field {
        at,
        name: name.to_owned(),
        kind: parse_type(&ty)?,
        ty: spelled(&ty),
        required: required.ok_or_else(|| format!("the row of `{name}` has neither Yes nor No"))?,
        default: None,
        description: cell(Column::Description).to_owned(),
        evidence: Evidence::Delimited,
    })
}

/// Removes the spaces at the brackets of a type. Other spaces make a type invalid.
fn without_spaces_at_brackets(ty: &str) -> String {
    let mut ty = squeeze(ty);
    for bracket in ["[", "]"] {
        let parts: Vec<&str> = ty.split(bracket).map(str::trim).collect();
        ty = parts.join(bracket);
    }
    ty
}

/// Returns a type as the spec spells it. Old pages write `array`, some in other letters, for a list
/// of any JSON values.
fn spelled(ty: &str) -> String {
    const ARRAY: &str = "array";
    let is_array = |text: &str| text.eq_ignore_ascii_case(ARRAY);
    let parts = ty.split_inclusive('[').map(|part| match part.trim_end_matches(['[', ']']) {
        array if is_array(array) => part.replacen(array, ARRAY, 1),
        _ => part.to_owned(),
    });
    let ty: String = parts.collect();
    let element = ty.trim_start_matches("array[").trim_end_matches(']');
    match ty.rfind(ARRAY).map(|at| ty.split_at(at + ARRAY.len())) {
        Some((before, after)) if element == ARRAY => format!("{before}[object]{after}"),
        _ => ty,
    }
}

fn parse_type(ty: &str) -> Result<Type, String> {
    Type::parse(&spelled(ty)).map_err(|message| message.chars().take(200).collect())
}
