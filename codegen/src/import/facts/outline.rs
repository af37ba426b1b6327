//! Assigns tables, models and code to the headings of a page.

use std::collections::BTreeMap;

use crate::import::{
    facts::{excerpt, is_name},
    read::{
        block::{Block, BlockKind, Cells, Code, Row},
        titles::{self, COLUMNS, Column, Naming, Section},
    },
};
use crate::spec::{diagnostic::Report, is_word};

/// The parts of a page.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// The headings before the sections.
    titles: Vec<Heading>,
    /// The words of the title and of the overview.
    pub(crate) overview: Vec<String>,
    /// The offset of each section's heading.
    pub(crate) headings: BTreeMap<Section, usize>,
    pub(crate) tables: BTreeMap<Section, Table>,
    pub(crate) models: Vec<ModelTable>,
    code: BTreeMap<Section, Code>,
}

#[derive(Debug)]
struct Heading {
    at: usize,
    text: String,
}

#[derive(Debug)]
pub(crate) struct Table {
    /// `None` is a column without a use.
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
    pub(crate) fn of(blocks: Vec<Block>, report: &mut Report) -> Self {
        let mut outline = Self::default();
        let mut section = None;
        // A heading that begins no section may name a model.
        let mut model: Option<Heading> = None;
        for Block { at, kind } in blocks {
            match kind {
                BlockKind::Heading(text) => match Section::of(&text) {
                    // A model may be called `Usage`.
                    Some(new) if new > Section::Definition || section <= Some(Section::Common) => {
                        outline.add_section(new, at, report);
                        refuse_missing_table(model.take(), section, report);
                        section = Some(new);
                    }
                    _ if section.is_none() => {
                        outline.titles.push(Heading { at, text });
                    }
                    _ => {
                        refuse_stray_row(at, &text, section, report);
                        let before = model.replace(Heading { at, text });
                        refuse_missing_table(before, section, report);
                    }
                },
                BlockKind::Table { header, rows } => {
                    outline.add_table(section, model.take(), &header, rows, report);
                }
                BlockKind::Text(text) => {
                    refuse_stray_row(at, &text, section, report);
                    match section {
                        Some(Section::Overview) => outline.overview.push(text),
                        Some(section @ (Section::Request | Section::Response))
                            if model.is_none() && says_none(&text) =>
                        {
                            let columns = COLUMNS.map(Some).to_vec();
                            outline
                                .tables
                                .entry(section)
                                .or_insert(Table { columns, rows: vec![] });
                        }
                        _ => {}
                    }
                }
                BlockKind::Code(code) => {
                    refuse_stray_row(at, &code.text, section, report);
                    let Some(section) = section else { continue };
                    if section >= Section::RequestExample && outline.code.contains_key(&section) {
                        let title = section.title();
                        report.note(at, format!("another block of code under `{title}`: ignored"));
                    }
                    outline.code.entry(section).or_insert(code);
                }
            }
        }
        refuse_missing_table(model, section, report);
        outline
    }

    /// Returns the code of an example's section.
    pub(crate) fn code(&self, section: Section, report: &mut Report) -> Option<&Code> {
        let heading = *self.headings.get(&section)?;
        let title = section.title();
        let code = self.code.get(&section);
        match code {
            None => report.note(heading, format!("the section `{title}` has no code")),
            Some(code) if code.is_cut => {
                let message = format!("the page ends within its `{title}`: is it cut off?");
                report.error(code.page_offset(0), message);
            }
            _ => {}
        }
        code.filter(|code| !code.is_cut)
    }

    pub(crate) fn all_tables(&self) -> impl Iterator<Item = &Table> {
        let models = self.models.iter().map(|model| &model.table);
        self.tables.values().chain(models)
    }

    fn add_section(&mut self, section: Section, at: usize, report: &mut Report) {
        // The request and the response may have models of their own.
        let may_repeat = matches!(section, Section::Models | Section::Overview | Section::Usage);
        if self.headings.insert(section, at).is_some() && !may_repeat {
            let title = section.title();
            let message = format!("a second heading `{title}`: put two pages into two files");
            report.error(at, message);
        }
    }

    fn add_table(
        &mut self,
        section: Option<Section>,
        model: Option<Heading>,
        header: &Row,
        rows: Vec<Row>,
        report: &mut Report,
    ) {
        let columns: Vec<Option<Column>> = match &header.cells {
            Cells::Delimited(cells) => cells.iter().map(|cell| Column::of(cell)).collect(),
            Cells::RunTogether(_) => COLUMNS.into_iter().map(Some).collect(),
        };
        let has_fields = matches!(
            section,
            Some(Section::Request | Section::Response | Section::Models | Section::Common)
        );
        for column in COLUMNS {
            let cells = columns.iter().filter(|cell| **cell == Some(column));
            let number = match cells.count() {
                0 => "no column",
                1 => continue,
                _ => "several columns",
            };
            // Other tables, such as those of error codes, are ignored.
            if has_fields || columns.contains(&Some(Column::Type)) {
                let title = column.title();
                report.error(header.at, format!("this table has {number} `{title}`"));
            }
            return;
        }
        let table = Table { columns, rows };
        match (section, model) {
            (_, Some(Heading { at, text: name })) if has_fields => {
                if !is_word(&name) || !is_name(&name) || name.eq_ignore_ascii_case("array") {
                    let message = format!(
                        "the heading of a table of fields must be a model's name, not {name:?}"
                    );
                    report.error(at, message);
                }
                self.models.push(ModelTable { at, name, table });
            }
            (Some(section @ (Section::Common | Section::Request | Section::Response)), None) => {
                if self.tables.insert(section, table).is_some() {
                    let title = section.title();
                    report.error(header.at, format!("a second table under `{title}`"));
                }
            }
            _ => {
                let message = "a table of fields needs the heading of its section or model";
                report.error(header.at, message);
            }
        }
    }

    /// Returns the action's name. The title and the table of common parameters must agree on it;
    /// one of them may not name it.
    pub(crate) fn action(&mut self, report: &mut Report) -> Option<String> {
        let common = self.tables.get(&Section::Common);
        let mut rows = common.into_iter().flat_map(|table| {
            table.rows.iter().filter_map(|row| Some((row.at, documented_action(row, table)?)))
        });
        let common = rows.next();
        if let Some(((_, one), (at, other))) = common
            .as_ref()
            .zip(rows.find(|(_, other)| Some(other) != common.as_ref().map(|it| &it.1)))
        {
            report.error(at, format!("the common parameters name `{one}` and `{other}`"));
        }
        let named = self.titles.iter().filter_map(|heading| {
            let (naming, action) = titles::action(&heading.text)?;
            Some((naming, action, heading))
        });
        let named: Vec<(Naming, &str, &Heading)> = named.collect();
        let surest = named.iter().map(|(naming, ..)| *naming).max();
        let title = named.iter().find(|(naming, ..)| Some(*naming) == surest);
        let heading = match (title, &common) {
            // A line of the site's list of pages is not a title if another one fits.
            (Some((naming, ..)), Some((_, common))) if *naming < Naming::AfterDash => {
                named.iter().find(|(_, action, _)| action == common).or(title)
            }
            _ => title,
        };
        let action = match (heading, &common) {
            (None, None) => {
                let message = "the page needs a title that ends in its action's name: \
                               `Lists images - GetRepoImage`";
                report.error(0, message);
                return None;
            }
            (Some((_, title, Heading { at, .. })), common) => {
                if let Some((_, common)) = common.as_ref().filter(|(_, common)| common != title) {
                    let message =
                        format!("the title names `{title}`, the common parameters name `{common}`");
                    report.error(*at, message);
                }
                (*title).to_owned()
            }
            (None, Some((at, common))) => {
                let message =
                    format!("no title names an action; the common parameters name `{common}`");
                report.note(*at, message);
                common.clone()
            }
        };
        let title = heading.map(|(.., heading)| *heading).or(self.titles.first());
        let title = title.map(|title| title.text.clone());
        self.overview.splice(0..0, title);
        Some(action)
    }
}

/// Whether a text stands for a table without rows.
fn says_none(text: &str) -> bool {
    const WORDS: [&str; 5] = ["None", "N/A", "No parameters", "无", "暂无"];
    let text = text.trim().trim_end_matches(['.', '。']);
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Reports a row or header that an empty line or other text has cut off from its table, or that no
/// reader recognised.
fn refuse_stray_row(at: usize, text: &str, section: Option<Section>, report: &mut Report) {
    let may_have_rows =
        section.is_some_and(|section| (Section::Definition..=Section::Models).contains(&section));
    if !may_have_rows {
        return;
    }
    if let Some(row) = text.lines().map(str::trim).find(|line| is_row(line)) {
        let short = excerpt(row);
        let message = if titles::begins_header(row) {
            format!("the header of this table is not understood: {short:?}")
        } else {
            format!("a row outside a table: {short:?}: remove the empty line or text before it")
        };
        report.error(at, message);
    }
}

/// Whether a line of text may be a row, in any shape.
fn is_row(line: &str) -> bool {
    line.contains('\t')
        || line.starts_with('|')
        || line.matches('|').count() + 1 >= COLUMNS.len()
        || line.contains("<td")
        || titles::cut_required(line).is_some()
        || titles::begins_header(line)
}

fn refuse_missing_table(heading: Option<Heading>, section: Option<Section>, report: &mut Report) {
    if let Some(Heading { at, text: name }) = heading
        && section == Some(Section::Models)
        && is_word(&name)
    {
        report.error(at, format!("the model `{name}` has no table"));
    }
}

/// Returns the action that the row of `Action` names: "the current API is GetRepoImage".
fn documented_action(row: &Row, table: &Table) -> Option<String> {
    let text = match &row.cells {
        Cells::Delimited(cells) => {
            let cell = |column| {
                let index = table.columns.iter().position(|it| *it == Some(column))?;
                cells.get(index)
            };
            let name = cell(Column::Name)?;
            (name.trim() == "Action").then(|| cell(Column::Description))??
        }
        Cells::RunTogether(row) => {
            let row = titles::cut_required(row).map_or(&row[..], |cut| cut.0);
            row.trim_start().strip_prefix("Action")?.trim_start().strip_prefix("string")?
        }
    };
    // The name ends the row, or follows one of the usual phrases.
    let words = text.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let last = words.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let before = words.strip_suffix(last)?.trim_end_matches([' ', '`', '"', '\'', '“', '‘']);
    let is_marked = ["is", "为", "是", ":", "："].iter().any(|mark| before.ends_with(mark));
    let phrases = ["API is", "API 为", "API为"];
    let after = phrases.iter().find_map(|phrase| text.split_once(phrase));
    let name = match after {
        Some((_, after)) => {
            let after = after.trim_start_matches([' ', '`']);
            after.split(|c: char| !c.is_ascii_alphanumeric()).next()?
        }
        None if is_marked => last,
        None => return None,
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_uppercase()) && is_name(name);
    is_name.then(|| name.to_owned())
}
