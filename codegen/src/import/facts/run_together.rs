//! Splits rows without delimiters: `ImageSetarray[ImageSet]Image ListYes`.
//!
//! Such a row is a name, a type, a description and Yes or No. It can be split wherever a type can
//! stand after a name. Of several splits, the example settles one, then the wording. Otherwise the
//! row stays open.

use std::collections::BTreeSet;

use crate::import::{
    facts::{Evidence, MAX_NAME, example_index::ExampleValues, is_name, only},
    read::titles::cut_required,
};
use crate::spec::{
    Type, is_word,
    json::{Node, Value},
};

/// One way to split a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split<'a> {
    pub(crate) name: &'a str,
    pub(crate) ty: &'a str,
    pub(crate) description: &'a str,
}

/// All ways to split a row.
#[derive(Debug)]
pub(crate) struct Splits<'a> {
    pub(crate) all: Vec<Split<'a>>,
    pub(crate) required: bool,
}

/// The names of a page's models. Their lengths limit the lookups for each row.
#[derive(Debug, Default)]
pub(crate) struct ModelNames<'a> {
    names: BTreeSet<&'a str>,
    lengths: BTreeSet<usize>,
}

impl<'a> FromIterator<&'a str> for ModelNames<'a> {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let names = names.into_iter().filter(|name| !name.is_empty());
        let names: BTreeSet<&str> = names.collect();
        let lengths = names.iter().map(|name| name.len()).collect();
        Self { names, lengths }
    }
}

impl ModelNames<'_> {
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// The evidence for the rows of one table.
#[derive(Debug, Default)]
pub(crate) struct TableEvidence<'a> {
    /// The model that the table describes.
    pub(crate) model: Option<&'a str>,
    /// The examples of what the table describes.
    pub(crate) examples: Vec<&'a ExampleValues<'a>>,
    /// The names of the rows that can be split in one way.
    pub(crate) settled_names: BTreeSet<&'a str>,
}

impl<'a> TableEvidence<'a> {
    pub(crate) fn shows(&self, name: &str) -> bool {
        self.examples.iter().any(|values| values.contains_key(name))
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a Node> {
        let values = self.examples.iter().filter_map(move |values| values.get(name));
        values.flatten().copied()
    }
}

/// Words that end in `int`: `SQLFingerprint` is not `SQLFingerpr` of type `int`. Those in lower
/// case are ends of longer words.
const INT_WORDS: &str =
    "Constraint Hint Joint Maint Mint Paint Point Print Taint constraint point print";

fn ends_in_int_word(text: &str) -> bool {
    INT_WORDS.split(' ').any(|word| text.ends_with(word))
}

impl<'a> Splits<'a> {
    /// Returns every split of a row, the shortest name first. Returns `None` for a row that does
    /// not end in Yes or No.
    pub(crate) fn of(row: &'a str, models: &ModelNames<'_>) -> Option<Self> {
        let (row, required) = cut_required(row)?;
        let mut all = Vec::new();
        for end in 1..=word_length(row, b"_.-") {
            let (name, rest) = row.split_at(end);
            if is_name(name) {
                all.extend(type_lengths(rest, models).into_iter().map(|length| Split {
                    name,
                    ty: &rest[..length],
                    description: &rest[length..],
                }));
            }
        }
        Some(Self { all, required })
    }

    /// Returns the one split that the evidence leaves.
    pub(crate) fn settle(&self, evidence: &TableEvidence<'_>) -> Option<(&Split<'a>, Evidence)> {
        let is_shown = |split: &&Split<'_>| evidence.shows(split.name);
        let is_plausible = |split: &&Split<'_>| !split.is_odd(evidence);
        // A type that the page does not explain is in no split.
        let is_certain = |split: &&Split<'_>| is_shown(split) || !split.may_hide_a_type();
        if let [split] = self.all.as_slice() {
            return is_certain(&split).then_some((split, Evidence::Grammar));
        }
        let shown = only(self.all.iter().filter(is_shown)).or_else(|| {
            let has_type = |split: &&Split<'_>| {
                let mut values = evidence.values(split.name);
                values.any(|value| has_kind(value, split.ty))
            };
            only(self.all.iter().filter(has_type))
        });
        if let Some(split) = shown {
            // An example against the wording settles nothing.
            return is_plausible(&split).then_some((split, Evidence::Example));
        }
        let split = only(self.all.iter().filter(is_plausible))?;
        is_certain(&split).then_some((split, Evidence::Wording))
    }
}

impl Split<'_> {
    /// Whether no row is worded like this.
    fn is_odd(&self, evidence: &TableEvidence<'_>) -> bool {
        self.cuts_word()
            || self.name_ends_in_type()
            || self.name_repeats_itself()
            || self.description_begins_within_word()
            // A model that holds itself outside a list is infinite.
            || evidence.model == Some(self.ty)
            || evidence.settled_names.contains(self.name)
    }

    /// Whether the true type may be missing from the page, so that a part of it was taken for
    /// another cell: `Bucket` of type `BucketInfo`, `Period` of type `PeriodSet`, `App` of type
    /// `internalId`.
    fn may_hide_a_type(&self) -> bool {
        let is_basic = Type::BASIC.contains(&self.ty) || self.ty == "array";
        self.cuts_word()
            || self.description_begins_within_word()
            || (is_basic
                && (self.type_is_a_word() || self.type_continues() || self.name_restarts()))
    }

    /// `stringListNames`: the type continues in the description.
    fn type_continues(&self) -> bool {
        ["Array", "List", "Map", "Set"].iter().any(|word| {
            let rest = self.description.strip_prefix(word);
            rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        })
    }

    /// `object storage bucket`: the type is the first word of the description.
    fn type_is_a_word(&self) -> bool {
        let rest = self.description.strip_prefix(' ');
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
    }

    /// `BucketBucketInfo`, `DataSetDataInfo`: the name's first word begins another word in it,
    /// possibly that of its type. `EIPEIP` before a type can only be a name.
    fn name_restarts(&self) -> bool {
        let words = camel_words(self.last_name());
        let is_first = |word: &&str| word.len() > 1 && *word == words[0];
        words.iter().skip(1).any(is_first) && !self.name_repeats_itself()
    }

    /// `SQLFingerpr` of type `int`
    fn cuts_word(&self) -> bool {
        Type::BASIC.contains(&self.ty) && ends_in_int_word(&format!("{}{}", self.name, self.ty))
    }

    /// `Modestring`: names are in camel case.
    fn name_ends_in_type(&self) -> bool {
        let mut types = Type::BASIC.iter().chain(&["array", "bool"]);
        types.any(|ty| self.name.ends_with(ty)) && !ends_in_int_word(self.name)
    }

    /// `EIPEIP`
    fn name_repeats_itself(&self) -> bool {
        let (first, second) = self.last_name().split_at(self.last_name().len() / 2);
        first == second
    }

    fn last_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    /// `sstringNode`, `int默认`, `array[TagSet]`: the description begins within a word or with a
    /// type. `tag列表` begins with a word: Chinese needs no space.
    fn description_begins_within_word(&self) -> bool {
        let is_ascii = |c: &char| c.is_ascii_alphanumeric();
        let word: String = self.description.chars().take_while(is_ascii).collect();
        let is_cut = word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.contains(|c: char| c.is_ascii_uppercase());
        let begins_with_type = Type::BASIC.iter().any(|ty| {
            let rest = self.description.strip_prefix(ty);
            rest.is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
        });
        is_cut || begins_with_type || self.description.starts_with("array[")
    }
}

/// Returns the words of a name in camel case: `Data`, `Set`.
fn camel_words(name: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    for (at, pair) in name.as_bytes().windows(2).enumerate() {
        if !pair[0].is_ascii_uppercase() && pair[1].is_ascii_uppercase() {
            words.push(&name[start..=at]);
            start = at + 1;
        }
    }
    words.push(&name[start..]);
    words
}

fn has_kind(value: &Node, ty: &str) -> bool {
    let is_array = ty.starts_with("array");
    match value.value {
        Value::Array(_) => is_array,
        Value::String(_) => ty == "string",
        Value::Number(_) => matches!(ty, "int" | "float"),
        Value::Boolean(_) => matches!(ty, "boolean" | "bool"),
        Value::Object(_) => {
            let is_basic = Type::BASIC.contains(&ty) || ty == "bool" || is_array;
            ty == "object" || !is_basic
        }
        Value::Null => false,
    }
}

/// Returns the length of the ASCII word at the beginning of a text, at most that of a name.
fn word_length(text: &str, signs: &[u8]) -> usize {
    let bytes = text.bytes().take(MAX_NAME);
    bytes.take_while(|byte| byte.is_ascii_alphanumeric() || signs.contains(byte)).count()
}

fn type_lengths(text: &str, models: &ModelNames<'_>) -> Vec<usize> {
    if text.starts_with("array[") {
        return array_length(text).into_iter().collect();
    }
    // Of `bool` and `boolean`, the longer one: no description begins with "ean".
    let basic = Type::BASIC.iter().chain(&["array", "bool"]);
    let basic = basic.filter(|ty| text.starts_with(**ty)).map(|ty| ty.len());
    let lengths = models.lengths.range(..=word_length(text, b"_-")).copied();
    let models = lengths.filter(|end| models.contains(&text[..*end]));
    basic.max().into_iter().chain(models).collect()
}

/// Returns the length of `array[…]`, which ends at its closing bracket.
fn array_length(text: &str) -> Option<usize> {
    let mut inner = text;
    let mut depth = 0;
    while let Some(element) = inner.strip_prefix("array[") {
        inner = element;
        depth += 1;
    }
    let element = inner.split(']').next().filter(|element| is_word(element))?;
    let close = &inner[element.len()..];
    let closed = close.bytes().take_while(|byte| *byte == b']').count();
    (closed >= depth).then(|| text.len() - close.len() + depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(
        row: &str,
        models: &[&str],
        evidence: &TableEvidence<'_>,
    ) -> Option<(String, String, Evidence)> {
        let models = models.iter().copied().collect();
        let splits = Splits::of(row, &models)?;
        let (split, evidence) = splits.settle(evidence)?;
        Some((split.name.to_owned(), split.ty.to_owned(), evidence))
    }

    fn some(name: &str, ty: &str, evidence: Evidence) -> Option<(String, String, Evidence)> {
        Some((name.to_owned(), ty.to_owned(), evidence))
    }

    #[test]
    fn a_row_with_one_split_is_settled_by_its_grammar() {
        for (row, name, ty) in [
            ("TotalCountintYes", "TotalCount", "int"),
            ("ImageSetarray[ImageSet]Image ListYes", "ImageSet", "array[ImageSet]"),
            ("Enabledbooleanean it isNo", "Enabled", "boolean"),
            ("Disks.N.Sizeint磁盘大小No", "Disks.N.Size", "int"),
            ("Matrixarray[array[float]]No", "Matrix", "array[array[float]]"),
            ("Add.Nstring默认为NoNo", "Add.N", "string"),
        ] {
            let expected = some(name, ty, Evidence::Grammar);
            assert_eq!(settled(row, &[], &TableEvidence::default()), expected, "{row}");
        }
    }

    #[test]
    fn the_wording_settles_a_row_with_one_plausible_split() {
        let own = |model| TableEvidence { model: Some(model), ..TableEvidence::default() };
        for (row, model, name, ty) in [
            ("TaintsstringNode taintsNo", "Rack", "Taints", "string"),
            ("SQLFingerprintMd5stringHash of itNo", "Rack", "SQLFingerprintMd5", "string"),
            ("APINetworkMaskstringAPI调用Yes", "NetworkMask", "APINetworkMask", "string"),
            ("ModestringKubeProxy模式No", "KubeProxy", "Mode", "string"),
            ("EIPEIPEIPNo", "Rack", "EIP", "EIP"),
        ] {
            let expected = some(name, ty, Evidence::Wording);
            assert_eq!(settled(row, &[model, "EIP"], &own(model)), expected, "{row}");
        }
    }

    #[test]
    fn the_example_settles_a_row_unless_it_contradicts_the_wording() {
        let object = Node::new(Value::Object(Vec::new()));
        let values = |name: &str| ExampleValues::from([(name.to_owned(), vec![&object])]);
        let row = "EIPShareInfoShareInfo独占No";
        let models = ["ShareInfo"];
        assert_eq!(settled(row, &models, &TableEvidence::default()), None);
        for name in ["EIP", "EIPShareInfo"] {
            let expected = some(name, "ShareInfo", Evidence::Example);
            let values = values(name);
            let evidence = TableEvidence { examples: vec![&values], ..TableEvidence::default() };
            assert_eq!(settled(row, &models, &evidence), expected);
        }
        // A page that shows `Ta` does not make `Taints` an `int`.
        let values = values("Ta");
        let evidence = TableEvidence { examples: vec![&values], ..TableEvidence::default() };
        assert_eq!(settled("TaintsstringNodeNo", &[], &evidence), None);
    }

    #[test]
    fn a_row_without_evidence_stays_open() {
        for row in [
            "MaxPodsintint默认110No",
            "SizeNo",
            "SizeUnknownModelThe sizeNo",
            // A description may begin with a model's name, and with a word in lower case.
            "NodeShareInfoShareInfoshareinfo信息，见ShareInfoNo",
            // The only known type is part of a word.
            "FingerprintUnknownModelThe printNo",
            "Sizeint",
            "",
        ] {
            assert_eq!(settled(row, &["ShareInfo"], &TableEvidence::default()), None, "{row}");
        }
    }

    #[test]
    fn a_settled_name_is_not_used_again() {
        let evidence = TableEvidence { settled_names: ["EIP"].into(), ..TableEvidence::default() };
        assert_eq!(
            settled("EIPShareInfoShareInfo独占No", &["ShareInfo"], &evidence),
            some("EIPShareInfo", "ShareInfo", Evidence::Wording)
        );
    }
}
