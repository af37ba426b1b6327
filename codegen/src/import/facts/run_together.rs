//! Rows whose cells are run together: `ImageSetarray[ImageSet]Image ListYes`.
//!
//! A row is a name, a type, a description and whether it is required. Every place where a type can
//! stand after a name is a reading of the row. Where there are several, the page's examples settle
//! it, then the wording of the readings; where that does not, the row stays open.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{import::facts::titles::cut_required, import::merge::proposal::one};
use crate::{
    spec::json::{Node, Value},
    spec::{Type, is_word},
};

/// What settled where the cells of a row end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Evidence {
    /// The page divides them.
    Apart,
    /// There is one reading.
    Grammar,
    /// One reading's name is in the page's example.
    Example,
    /// All readings but one are worded as no row is.
    Wording,
}

/// One way to read a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading<'a> {
    pub(crate) name: &'a str,
    pub(crate) ty: &'a str,
    pub(crate) description: &'a str,
}

/// The readings of a row, and whether it is required.
#[derive(Debug)]
pub(crate) struct Readings<'a> {
    pub(crate) all: Vec<Reading<'a>>,
    pub(crate) required: bool,
}

/// The values shown under each name.
pub(crate) type Names<'a> = BTreeMap<String, Vec<&'a Node>>;

/// The names of a page's models, and how long they are: no other length is worth a try.
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

/// What the page knows of one table.
#[derive(Debug, Default)]
pub(crate) struct Known<'a> {
    /// The model that the table describes.
    pub(crate) model: Option<&'a str>,
    /// Where the page shows what the table describes: once, or within several others.
    pub(crate) shown: Vec<Rc<Names<'a>>>,
    /// The names of the rows that are settled.
    pub(crate) taken: BTreeSet<String>,
}

/// Longer names are none; this bounds the work on a row that is not one.
const LONGEST: usize = 128;

/// English words that end in a type's name, as names have them: `SQLFingerprint` is no `SQLFingerpr` of
/// type `int`. Those in lower case are the ends of longer words.
const WORDS: &[&str] = &[
    "Constraint",
    "Hint",
    "Joint",
    "Maint",
    "Mint",
    "Paint",
    "Point",
    "Print",
    "Taint",
    "constraint",
    "point",
    "print",
];

impl<'a> Readings<'a> {
    /// Every reading of a row, the shortest name first; `None` where it does not say whether it is
    /// required.
    pub(crate) fn of(row: &'a str, models: &ModelNames<'_>) -> Option<Self> {
        let (row, required) = cut_required(row)?;
        let name_end = row
            .bytes()
            .take(LONGEST)
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
            .count();
        let mut all = Vec::new();
        for at in 1..=name_end {
            if !is_name(&row[..at]) {
                continue;
            }
            for length in types(&row[at..], models) {
                all.push(Reading {
                    name: &row[..at],
                    ty: &row[at..at + length],
                    description: &row[at + length..],
                });
            }
        }
        Some(Self { all, required })
    }

    /// The one reading that the evidence leaves.
    pub(crate) fn settle(&self, known: &Known<'_>) -> Option<(&Reading<'a>, Evidence)> {
        let is_shown = |reading: &&Reading<'_>| known.shows(reading.name);
        let is_sound = |reading: &&Reading<'_>| !reading.is_odd(known);
        // What may be a type that the page does not explain stands in no reading.
        let is_plain = |reading: &&Reading<'_>| is_shown(reading) || !reading.may_hide_a_type();
        if let [only] = self.all.as_slice() {
            return Some((only, Evidence::Grammar)).filter(|(only, _)| is_plain(only));
        }
        let sound = one(self.all.iter().filter(is_sound));
        let shown = one(self.all.iter().filter(is_shown)).or_else(|| {
            let fits = |reading: &&Reading<'_>| is_shown(reading) && reading.fits(known);
            one(self.all.iter().filter(fits))
        });
        match (shown, sound) {
            (Some(shown), _) if is_sound(&shown) => Some((shown, Evidence::Example)),
            // The example against the wording.
            (Some(_), _) => None,
            (None, Some(sound)) => {
                Some((sound, Evidence::Wording)).filter(|(sound, _)| is_plain(sound))
            }
            (None, None) => None,
        }
    }
}

impl<'a> Known<'a> {
    pub(crate) fn shows(&self, name: &str) -> bool {
        self.shown.iter().any(|names| names.contains_key(name))
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a Node> {
        let shown = self.shown.iter().filter_map(move |names| names.get(name));
        shown.flatten().copied()
    }
}

impl Reading<'_> {
    /// Whether no row is worded so.
    fn is_odd(&self, known: &Known<'_>) -> bool {
        self.cuts_word()
            || self.name_ends_in_type()
            || self.name_repeats_itself()
            || self.description_runs_on()
            // A model that holds itself outside of a list would have no end.
            || known.model == Some(self.ty)
            || known.taken.contains(self.name)
    }

    /// Whether the true type may be one that is not on the page, and part of the name or the description
    /// was taken for it: `Bucket` of type `BucketInfo`, `Period` of type `PeriodSet`, `App` of `internalId`.
    fn may_hide_a_type(&self) -> bool {
        self.cuts_word()
            || self.description_runs_on()
            || (Type::BASIC.contains(&self.ty)
                && (self.sentence_goes_on() || self.type_goes_on() || self.name_begins_again()))
    }

    /// `stringListNames`: a list of texts, in the words of some other language.
    fn type_goes_on(&self) -> bool {
        ["Array", "List", "Map", "Set"].iter().any(|word| {
            let rest = self.description.strip_prefix(word);
            rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        })
    }

    /// `object storage bucket`, `string of it`: the type is the first word of a sentence.
    fn sentence_goes_on(&self) -> bool {
        let words = self.description.strip_prefix(' ');
        words.is_some_and(|words| words.starts_with(|c: char| c.is_ascii_lowercase()))
    }

    /// `BucketBucketInfo`, `DataSetDataInfo`: the name's first word begins another word of it, perhaps
    /// that of its type. (`EIPEIP` before a type leaves the second nothing to be but a name.)
    fn name_begins_again(&self) -> bool {
        let last = self.name.rsplit('.').next().unwrap_or(self.name);
        let words = camel_words(last);
        let is_again = |word: &&str| word.len() > 1 && *word == words[0];
        words.iter().skip(1).any(is_again) && !self.name_repeats_itself()
    }

    /// `SQLFingerpr`, `int`: the cut goes through a word.
    fn cuts_word(&self) -> bool {
        if !Type::BASIC.contains(&self.ty) {
            return false;
        }
        let word = format!("{}{}", self.name, self.ty);
        WORDS.iter().any(|known| word.ends_with(known))
    }

    /// `Modestring`: names are written in camel case.
    fn name_ends_in_type(&self) -> bool {
        Type::BASIC
            .iter()
            .chain(&["bool"])
            .any(|ty| self.name.ends_with(ty))
            && !WORDS.iter().any(|word| self.name.ends_with(word))
    }

    /// `EIPEIP`
    fn name_repeats_itself(&self) -> bool {
        let last = self.name.rsplit('.').next().unwrap_or(self.name);
        let (first, second) = last.split_at(last.len() / 2);
        first == second
    }

    /// `sstringNode`, `int默认`, `array[TagSet]`: a description begins with a word, and not in the middle
    /// of one or with a type. (`tag列表` begins with a word: Chinese needs no space.)
    fn description_runs_on(&self) -> bool {
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

    /// Whether a value that is shown under the name has the type.
    fn fits(&self, known: &Known<'_>) -> bool {
        known.values(self.name).any(|node| has_kind(node, self.ty))
    }
}

/// The words of a name in camel case: `Data`, `Set`.
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

/// Whether a value is of the kind that a type is.
fn has_kind(node: &Node, ty: &str) -> bool {
    match (&node.value, ty) {
        (Value::Array(_), ty) => ty.starts_with("array["),
        (Value::String(_), ty) => ty == "string",
        (Value::Number(_), ty) => matches!(ty, "int" | "float"),
        (Value::Boolean(_), ty) => matches!(ty, "boolean" | "bool"),
        (Value::Object(_), ty) => ty == "object" || !is_basic(ty),
        (Value::Null, _) => false,
    }
}

fn is_basic(ty: &str) -> bool {
    Type::BASIC.contains(&ty) || ty == "bool" || ty.starts_with("array[")
}

/// The lengths of the types that a text begins with.
fn types(text: &str, models: &ModelNames<'_>) -> Vec<usize> {
    if text.starts_with("array[") {
        return array(text).into_iter().collect();
    }
    // Of `bool` and `boolean` the whole word: no description goes on with "ean".
    let basic = Type::BASIC
        .iter()
        .chain(&["bool"])
        .filter(|ty| text.starts_with(**ty))
        .map(|ty| ty.len())
        .max();
    let word = text
        .bytes()
        .take(LONGEST)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
        .count();
    let lengths = models.lengths.range(..=word).copied();
    let models = lengths.filter(|end| models.contains(&text[..*end]));
    basic.into_iter().chain(models).collect()
}

/// The length of `array[…]`: the brackets say where it ends.
fn array(text: &str) -> Option<usize> {
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

/// A name of parameters and fields: words of ASCII, perhaps divided by dots.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .split('.')
            .all(|part| is_word(part) && !part.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(
        row: &str,
        models: &[&str],
        known: &Known<'_>,
    ) -> Option<(String, String, Evidence)> {
        let models = models.iter().copied().collect();
        let readings = Readings::of(row, &models)?;
        let (reading, evidence) = readings.settle(known)?;
        Some((reading.name.to_owned(), reading.ty.to_owned(), evidence))
    }

    fn some(name: &str, ty: &str, evidence: Evidence) -> Option<(String, String, Evidence)> {
        Some((name.to_owned(), ty.to_owned(), evidence))
    }

    #[test]
    fn a_row_with_one_reading_is_settled_by_its_grammar() {
        for (row, name, ty) in [
            ("TotalCountintYes", "TotalCount", "int"),
            (
                "ImageSetarray[ImageSet]Image ListYes",
                "ImageSet",
                "array[ImageSet]",
            ),
            ("Enabledbooleanean it isNo", "Enabled", "boolean"),
            ("Disks.N.Sizeint磁盘大小No", "Disks.N.Size", "int"),
            (
                "Matrixarray[array[float]]No",
                "Matrix",
                "array[array[float]]",
            ),
            ("Add.Nstring默认为NoNo", "Add.N", "string"),
        ] {
            let expected = some(name, ty, Evidence::Grammar);
            assert_eq!(settled(row, &[], &Known::default()), expected, "{row}");
        }
    }

    #[test]
    fn the_wording_settles_what_only_one_reading_can_mean() {
        let own = |model| Known {
            model: Some(model),
            ..Known::default()
        };
        for (row, model, name, ty) in [
            ("TaintsstringNode taintsNo", "Rack", "Taints", "string"),
            (
                "SQLFingerprintMd5stringHash of itNo",
                "Rack",
                "SQLFingerprintMd5",
                "string",
            ),
            (
                "APINetworkMaskstringAPI调用Yes",
                "NetworkMask",
                "APINetworkMask",
                "string",
            ),
            ("ModestringKubeProxy模式No", "KubeProxy", "Mode", "string"),
            ("EIPEIPEIPNo", "Rack", "EIP", "EIP"),
        ] {
            let expected = some(name, ty, Evidence::Wording);
            assert_eq!(
                settled(row, &[model, "EIP"], &own(model)),
                expected,
                "{row}"
            );
        }
    }

    #[test]
    fn the_example_settles_what_wording_does_not_and_is_not_believed_against_it() {
        let node = |value| Node {
            at: 0,
            end: 0,
            value,
        };
        let object = node(Value::Object(Vec::new()));
        let shown = |name: &str| Known {
            shown: vec![Rc::new([(name.to_owned(), vec![&object])].into())],
            ..Known::default()
        };
        let row = "EIPShareInfoShareInfo独占No";
        let models = ["ShareInfo"];
        assert_eq!(settled(row, &models, &Known::default()), None);
        for name in ["EIP", "EIPShareInfo"] {
            let expected = some(name, "ShareInfo", Evidence::Example);
            assert_eq!(settled(row, &models, &shown(name)), expected);
        }
        // A page that shows `Ta` does not make `Taints` an `int`.
        assert_eq!(settled("TaintsstringNodeNo", &[], &shown("Ta")), None);
    }

    #[test]
    fn what_no_evidence_settles_stays_open() {
        for row in [
            "MaxPodsintint默认110No",
            "SizeNo",
            "SizeUnknownModelThe sizeNo",
            // A description may begin with a model's name, and with a word in lower case.
            "NodeShareInfoShareInfoshareinfo信息，见ShareInfoNo",
            // The one type that is known is part of a word.
            "FingerprintUnknownModelThe printNo",
            "Sizeint",
            "",
        ] {
            assert_eq!(
                settled(row, &["ShareInfo"], &Known::default()),
                None,
                "{row}"
            );
        }
    }

    #[test]
    fn a_name_that_is_taken_is_not_taken_again() {
        let known = Known {
            taken: ["EIP".to_owned()].into(),
            ..Known::default()
        };
        assert_eq!(
            settled("EIPShareInfoShareInfo独占No", &["ShareInfo"], &known),
            some("EIPShareInfo", "ShareInfo", Evidence::Wording)
        );
    }
}
