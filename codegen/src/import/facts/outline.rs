//! A page's parts: which table, model and code stands under which heading.

use std::collections::BTreeMap;

use crate::spec::is_word;
use crate::{
    import::facts::form::{Block, Cells, Code, Kind, Row},
    import::facts::run_together::is_name,
    import::facts::titles::{self, COLUMNS, Column, Section},
    import::findings::Findings,
};

/// A page's parts.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    title: Option<(usize, String)>,
    /// Where each known heading stands.
    pub(crate) headings: BTreeMap<Section, usize>,
    pub(crate) tables: BTreeMap<Section, Table>,
    pub(crate) models: Vec<ModelTable>,
    code: BTreeMap<Section, Code>,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Option<Column>>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct ModelTable {
    pub(crate) at: usize,
    pub(crate) name: String,
    pub(crate) table: Table,
}

impl Outline {
    pub(crate) fn of(blocks: Vec<Block>, findings: &mut Findings) -> Self {
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
                    _ => {
                        stray_row(at, &text, section, findings);
                        unused(other.replace((at, text)), section, findings);
                    }
                },
                Kind::Table { header, rows } => {
                    outline.table(section, other.take(), header, rows, findings);
                }
                Kind::Words(words) => stray_row(at, &words, section, findings),
                Kind::Code(code) => {
                    stray_row(at, &code.text, section, findings);
                    let Some(section) = section else { continue };
                    if section >= Section::RequestExample && outline.code.contains_key(&section) {
                        let what = format!(
                            "another block of code under `{}`: passed over",
                            section.title()
                        );
                        findings.note(at, what);
                    }
                    outline.code.entry(section).or_insert(code);
                }
            }
        }
        unused(other, section, findings);
        outline
    }

    /// The code under a heading.
    pub(crate) fn shown(&self, section: Section, findings: &mut Findings) -> Option<&Code> {
        let code = self.code.get(&section);
        if let (None, Some(at)) = (code, self.headings.get(&section)) {
            findings.note(*at, format!("there is no `{}`", section.title()));
        }
        code
    }

    /// How many rows the page has, headings of models among them.
    pub(crate) fn rows(&self) -> usize {
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
        let is_twice = |column: &&Column| {
            let cells = columns.iter().filter(|found| **found == Some(**column));
            cells.count() > 1
        };
        if let Some(column) = COLUMNS.iter().find(is_twice) {
            let title = column.title();
            findings.error(header.at, format!("this table has two columns `{title}`"));
            return;
        }
        let table = Table { columns, rows };
        match (section, heading) {
            (_, Some((at, name))) if is_definition => {
                if !is_word(&name) || !is_name(&name) {
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
    pub(crate) fn action(&self, findings: &mut Findings) -> Option<String> {
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

/// A row, or the header of a table, that an empty line or another word has cut off from its table, or
/// that no front-end knows for one.
fn stray_row(at: usize, words: &str, section: Option<Section>, findings: &mut Findings) {
    let is_definition =
        section.is_some_and(|section| (Section::Definition..=Section::Models).contains(&section));
    if is_definition && let Some(row) = words.lines().map(str::trim).find(|line| is_row(line)) {
        let short: String = row.chars().take(60).collect();
        if titles::begins_header(row) {
            findings.error(
                at,
                format!("this header of a table is not understood: {short:?}"),
            );
            return;
        }
        findings.error(
            at,
            format!(
                "a row outside a table: {short:?}: take out the empty line or the words before it"
            ),
        );
    }
}

/// Whether a line of words may be one of a table, in any shape.
fn is_row(line: &str) -> bool {
    line.contains('\t')
        || line.starts_with('|')
        || line.matches('|').count() + 1 >= COLUMNS.len()
        || line.contains("<td")
        || titles::cut_required(line).is_some()
        || titles::begins_header(line)
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
