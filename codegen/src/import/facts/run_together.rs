//! Splits rows without delimiters: `ImageSetarray[ImageSet]Image ListYes`.
//!
//! Such a row is a name, a type, a description and Yes or No. It can be split wherever a type can
//! stand after a name. Of several splits, the example settles one, then the wording, if it rules
//! all others out. Otherwise the row stays open: a wrong fact is worse than a refused page.

use std::collections::{BTreeMap, BTreeSet};

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
    /// The beginning of the row that may hold its name and type.
    pub(crate) row: &'a str,
    pub(crate) all: Vec<Split<'a>>,
    pub(crate) required: bool,
}

/// How some pages write the type `array`.
const ARRAY: &str = "Array";

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
    /// The names of the rows that may be of each model's type, in all tables.
    pub(crate) rows_of_model: Option<&'a BTreeMap<&'a str, BTreeSet<&'a str>>>,
}

impl<'a> TableEvidence<'a> {
    pub(crate) fn shows(&self, name: &str) -> bool {
        self.examples.iter().any(|values| values.contains_key(name))
    }

    /// Whether every value of a name is shown with its type, and is text, a number or a boolean.
    pub(crate) fn shows_scalar(&self, name: &str) -> bool {
        let is_scalar = |node: &Node| {
            matches!(node.value, Value::String(_) | Value::Number(_) | Value::Boolean(_))
        };
        self.shows(name) && self.values(name).all(is_scalar)
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a Node> {
        let values = self.examples.iter().filter_map(move |values| values.get(name));
        values.flatten().copied()
    }
}

/// Words that end in `int`: `SQLFingerprint` is not `SQLFingerpr` of type `int`. Those in lower
/// case are ends of longer words.
const INT_WORDS: &str =
    "Constraint Hint Joint Maint Mint Paint Plaint Point Print Taint constraint plaint point print";

/// Beginnings of words that end in a type and may begin a description: `jsonstring`, `bigint`.
const TYPE_PREFIXES: &str =
    "base big bit hex json long medium multi query short small sql sub tiny to u url var xml";

/// What may follow a type that begins a description: `int类型`.
const TYPE_QUALIFIERS: &str = "类 型 值 数组 数据类 数字 数值 格式 列表 对象 字符 字段 整数 整型 \
    变量 的 或 和 与 及 为 转 形式 集合 默认 必填 可选";

/// Beginnings of words that begin with the letters of a type.
const TYPE_WORDS: [&str; 9] =
    ["arrays", "integ", "inter", "into", "intr", "floating", "objecti", "stringe", "strings"];

fn begins_with_type_word(text: &str) -> bool {
    TYPE_WORDS.iter().any(|word| text.starts_with(word))
}

/// Words that no type stands before: no description begins with "string the".
const DETERMINERS: [&str; 6] = ["a", "an", "the", "this", "whether", "your"];

/// Whether a text ends in a word that ends in `int`. `RAM` and `int` may not be `RA` and `Mint`.
fn ends_in_int_word(text: &str, is_sure: bool) -> bool {
    INT_WORDS.split(' ').filter_map(|word| Some((word, text.strip_suffix(word)?))).any(|it| {
        let (word, before) = it;
        let is_acronym = before.ends_with(|c: char| c.is_ascii_uppercase());
        !is_sure || word.len() > "Mint".len() || !is_acronym
    })
}

fn is_basic(ty: &str) -> bool {
    Type::BASIC.contains(&ty) || matches!(ty, "array" | "bool")
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
        if all.is_empty() {
            all.extend(capital_array(row));
        }
        Some(Self { row: &row[..word_length(row, b"_.-")], all, required })
    }

    /// Returns the one split that the evidence leaves.
    pub(crate) fn settle(&self, evidence: &TableEvidence<'_>) -> Option<(&Split<'a>, Evidence)> {
        self.only_split(evidence).filter(|(split, _)| !split.type_is_cut())
    }

    fn only_split(&self, evidence: &TableEvidence<'_>) -> Option<(&Split<'a>, Evidence)> {
        let may_be_shown = |split: &&Split<'_>| {
            let mut values = evidence.values(split.name);
            values.any(|value| may_have_type(value, split.ty))
        };
        let has_type = |split: &&Split<'_>| {
            let mut values = evidence.values(split.name);
            values.any(|value| has_kind(value, split.ty))
        };
        let is_plausible =
            |split: &&Split<'_>| !split.is_odd(evidence) && !self.is_within_name(split);
        // A type that the page does not explain is in no split.
        let is_certain = |split: &&Split<'_>| match split.ty {
            ARRAY => has_type(split),
            _ => may_be_shown(split) || !split.may_hide_a_type(evidence),
        };
        if let [split] = self.all.as_slice() {
            return is_certain(&split).then_some((split, Evidence::Grammar));
        }
        let shown = only(self.all.iter().filter(|split| evidence.shows(split.name)))
            .or_else(|| only(self.all.iter().filter(has_type)));
        if let Some(split) = shown {
            // An example against the wording settles nothing.
            let settles = may_be_shown(&split) && is_plausible(&split);
            return settles.then_some((split, Evidence::Example));
        }
        let plausible = self.all.iter().filter(is_plausible);
        let (glued, rest): (Vec<_>, Vec<_>) = plausible.partition(|it| it.name_ends_in_type());
        let [split] = rest.as_slice() else { return None };
        // Names are in camel case: `Modestring` is `Mode` of type `string`, and nothing else.
        let is_whole = |other: &&Split<'_>| other.name.strip_prefix(split.name) == Some(split.ty);
        (glued.iter().all(is_whole) && is_certain(split)).then_some((*split, Evidence::Wording))
    }

    /// Whether another split shows that the type is a part of the name: `Pla` of type `int` leaves
    /// `extstring` of `Plaintextstring`, and no description begins like that.
    fn is_within_name(&self, split: &Split<'_>) -> bool {
        split.ty == "int"
            && self.all.iter().any(|other| {
                let rest = other.name.strip_prefix(split.name);
                let rest = rest.and_then(|rest| rest.strip_prefix("int")).unwrap_or_default();
                let is_tail = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase());
                is_tail
                    && is_basic(other.ty.split('[').next().unwrap_or_default())
                    && !may_begin_description(rest, other.ty)
            })
    }
}

/// Whether letters and the type after them may be the first word of a description: `substring`,
/// `endpoint`.
fn may_begin_description(letters: &str, ty: &str) -> bool {
    let word = format!("{letters}{ty}");
    TYPE_PREFIXES.split(' ').any(|prefix| letters.ends_with(prefix))
        || INT_WORDS.split(' ').any(|int| word.ends_with(&int.to_ascii_lowercase()))
}

impl Split<'_> {
    /// Whether no row is worded like this.
    fn is_odd(&self, evidence: &TableEvidence<'_>) -> bool {
        self.cuts_word()
            || self.name_repeats_itself()
            || self.description_begins_within_word()
            // A model that holds itself outside a list is infinite.
            || evidence.model == Some(self.ty)
            || evidence.settled_names.contains(self.name)
    }

    /// Whether the true type may be missing from the page, so that a part of it was taken for
    /// another cell: `Bucket` of type `BucketInfo`, `Period` of type `PeriodSet`, `App` of type
    /// `internalId`.
    fn may_hide_a_type(&self, evidence: &TableEvidence<'_>) -> bool {
        // Only a type has brackets.
        !self.ty.ends_with(']')
            && (self.cuts_word()
                || self.description_begins_within_word()
                || self.type_is_a_word()
                || match is_basic(self.ty) {
                    true => {
                        self.type_continues()
                            || (self.name_restarts() && self.type_may_be_description())
                    }
                    false => {
                        // A model that no other row has is the type of this one.
                        let rows = evidence.rows_of_model.and_then(|rows| rows.get(self.ty));
                        let is_used_twice = rows.is_none_or(|rows| rows.len() > 1);
                        is_used_twice && self.description_begins_with_type()
                    }
                })
    }

    /// `OwnerThe name`, `Owner名称` after a model's name, which may be the end of the name.
    fn description_begins_with_type(&self) -> bool {
        let (word, rest) = self.description.split_at(word_length(self.description, b"_"));
        word.starts_with(|c: char| c.is_ascii_uppercase())
            && word != self.ty
            && (camel_words(word).len() > 1 || !rest.starts_with(|c: char| c.is_ascii()))
    }

    /// Whether the type may be the beginning of the description, so that the name holds the type:
    /// `int类型`, `object storage`. A capital letter begins the description itself.
    pub(crate) fn type_may_be_description(&self) -> bool {
        if !is_basic(self.ty) {
            return !self.ty.ends_with(']');
        }
        match self.description.chars().next() {
            Some('【') => false,
            Some(c) if c.is_ascii_lowercase() => {
                begins_with_type_word(&format!("{}{}", self.ty, self.description))
            }
            // `int64`
            Some('0'..='9') => {
                ["8", "16", "32", "64"].iter().any(|it| self.description.starts_with(it))
            }
            Some(c) if c.is_ascii() => !c.is_ascii_uppercase(),
            Some(_) => TYPE_QUALIFIERS.split(' ').any(|word| self.description.starts_with(word)),
            None => true,
        }
    }

    /// Whether the type is only the beginning of one that is none: `string[]`, `array<string>`,
    /// `string/int`.
    fn type_is_cut(&self) -> bool {
        let rest = self.description;
        let is_list = self.ty == "array"
            && (rest.starts_with(['<', '(', '{']) || rest.trim_start().starts_with("of "));
        let other = rest.strip_prefix(['/', '|', ',']).unwrap_or_default();
        is_list
            || rest.starts_with("[]")
            || Type::BASIC.iter().any(|ty| other.trim_start().starts_with(ty))
    }

    /// `stringListNames`: the type continues in the description. `stringListener` does not.
    fn type_continues(&self) -> bool {
        const ENDINGS: [&str; 10] =
            ["ener", "ening", "enT", "ing", "ed ", "s ", "ting", "up ", "ping", "ped "];
        ["Array", "List", "Map", "Set"].iter().any(|word| {
            let rest = self.description.strip_prefix(word);
            rest.is_some_and(|rest| {
                let is_word = ENDINGS.iter().any(|ending| rest.starts_with(ending));
                rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && !is_word
            })
        })
    }

    /// `object storage bucket`: the type is the first word of the description.
    fn type_is_a_word(&self) -> bool {
        let rest = self.description.strip_prefix(' ').unwrap_or_default();
        let word = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        word.starts_with(|c: char| c.is_ascii_lowercase()) && !DETERMINERS.contains(&word)
    }

    /// `BucketBucketInfo`, `DataSetDataInfo`: the name's first word begins another word in it,
    /// possibly that of its type. `EIPEIP` before a type can only be a name.
    fn name_restarts(&self) -> bool {
        let words = camel_words(self.last_name());
        let is_first = |word: &&str| word.len() > 1 && *word == words[0];
        words.iter().skip(1).any(is_first) && !self.name_repeats_itself()
    }

    /// `SQLFingerpr` of type `int`. `RAM` of type `int` ends in no `Mint`.
    fn cuts_word(&self) -> bool {
        let begins_with_capital = self.description.starts_with(|c: char| c.is_ascii_uppercase());
        Type::BASIC.contains(&self.ty)
            && ends_in_int_word(&format!("{}{}", self.name, self.ty), !begins_with_capital)
    }

    /// `Modestring`: names are in camel case.
    fn name_ends_in_type(&self) -> bool {
        let mut types = Type::BASIC.iter().chain(&["array", "bool"]);
        types.any(|ty| self.name.ends_with(ty)) && !ends_in_int_word(self.name, true)
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
    /// type. `tag列表` begins with a word: Chinese needs no space. So do `vCPU` and `uHost`.
    fn description_begins_within_word(&self) -> bool {
        let is_ascii = |c: &char| c.is_ascii_alphanumeric();
        let word: String = self.description.chars().take_while(is_ascii).collect();
        let capital = word.find(|c: char| c.is_ascii_uppercase());
        let is_cut = word.starts_with(|c: char| c.is_ascii_lowercase())
            && capital.is_some_and(|at| match &word[..at] {
                "i" | "u" | "v" => false,
                "e" => self.ty != "string",
                _ => true,
            });
        let begins_with_type = Type::BASIC.iter().chain(&["array", "bool"]).any(|ty| {
            let description = self.description.strip_prefix(ty);
            description.is_some_and(|description| match is_basic(self.ty) {
                _ if begins_with_type_word(self.description) => false,
                true => *ty != self.ty || description.starts_with(char::is_alphanumeric),
                false => !Split { name: self.name, ty, description }.type_may_be_description(),
            })
        });
        let begins_with_list =
            ["array[", "Array["].iter().any(|list| self.description.starts_with(list));
        is_cut || begins_with_type || begins_with_list
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

/// Whether a value may be of a type. Pages show numbers for text; a query shows no types.
fn may_have_type(value: &Node, ty: &str) -> bool {
    let is_scalar = matches!(ty, "string" | "int" | "float" | "boolean" | "bool");
    match value.value {
        Value::Null => true,
        Value::Array(_) | Value::Object(_) => has_kind(value, ty),
        Value::String(_) | Value::Number(_) | Value::Boolean(_) => is_scalar,
    }
}

fn has_kind(value: &Node, ty: &str) -> bool {
    let is_array = ty.starts_with("array") || ty == ARRAY;
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

/// Returns the split of a row before `Array`, which some pages write for `array`. A letter after it
/// would make it a part of a model's name.
fn capital_array(row: &str) -> Option<Split<'_>> {
    let (word, description) = row.split_at(word_length(row, b"_.-"));
    let name = word.strip_suffix(ARRAY).filter(|name| is_name(name))?;
    Some(Split { name, ty: &word[name.len()..], description })
}

fn type_lengths(text: &str, models: &ModelNames<'_>) -> Vec<usize> {
    if text.starts_with("array[") || text.starts_with("Array[") {
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
    while let Some(element) = inner.strip_prefix(['a', 'A']).and_then(|it| it.strip_prefix("rray["))
    {
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
            ("RAMint内存No", "RAM", "int"),
            ("CPUintvCPU核数No", "CPU", "int"),
            ("Idstringlistener的IDNo", "Id", "string"),
            ("NamestringListener nameNo", "Name", "string"),
            ("Keystring the key to deleteNo", "Key", "string"),
            ("Namesarray[string]string类型的名称No", "Names", "array[string]"),
            ("SetArray[Set]The setNo", "Set", "Array[Set]"),
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
            // No description begins with `extstring`, `imeint` or `extsarray`.
            ("Plaintextstring明文No", "Rack", "Plaintext", "string"),
            ("Plaintextstringplain textNo", "Rack", "Plaintext", "string"),
            ("Begintimeint开始时间No", "Rack", "Begintime", "int"),
            ("Plaintextsarray[string]明文No", "Rack", "Plaintexts", "array[string]"),
            ("Countintinteger valueNo", "Rack", "Count", "int"),
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
            // A description may begin with `jsonstring`, and a name may end in `string`.
            "Countintjsonstring类型No",
            "Connstringboolean（可选）No",
            "Connstringintjsonstring格式No",
            // The description may begin with the type, of which the name holds the end.
            "NodeShareInfoint默认110No",
            "NodeShareInfoOwner名称No",
            // Types that are none.
            "Namesstring[]The namesNo",
            "Plaintextsstring[]The textsNo",
            "Namesarray<string>The namesNo",
            "Namesarray of stringNo",
            "Valuestring/intThe valueNo",
            // The type is `Array` only if the example shows a list.
            "NamesArray名称No",
            // The only known type is part of a word.
            "FingerprintUnknownModelThe printNo",
            "Sizeint",
            "",
        ] {
            assert_eq!(settled(row, &["ShareInfo"], &TableEvidence::default()), None, "{row}");
        }
    }

    #[test]
    fn an_example_of_another_kind_settles_nothing() {
        let node = |value| Node::new(value);
        let (list, text) = (node(Value::Array(Vec::new())), node(Value::String("a".to_owned())));
        let read = |row: &str, name: &str, value| {
            let values = ExampleValues::from([(name.to_owned(), vec![value])]);
            let evidence = TableEvidence { examples: vec![&values], ..TableEvidence::default() };
            settled(row, &["ShareInfo"], &evidence)
        };
        assert_eq!(read("EIPShareInfoShareInfo独占No", "EIP", &text), None);
        assert_eq!(read("EIPShareInfoOwner独占No", "EIP", &text), None);
        let expected = some("Names", "Array", Evidence::Grammar);
        assert_eq!(read("NamesArray名称No", "Names", &list), expected);
        assert_eq!(read("NamesArray名称No", "Names", &text), None);
        assert_eq!(read("NamesArrayInfo名称No", "Names", &list), None);
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
