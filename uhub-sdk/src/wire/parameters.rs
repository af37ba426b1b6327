//! The parameters of a call, before it is signed.

use std::fmt;

use serde_json::Value;
use zeroize::Zeroizing;

/// The parameters of one call, sorted bytewise by name.
///
/// They are stored as the text that is signed: each name followed by its value, without separators.
/// Generated code adds them in sorted order. Only lists and groups (`Disks.10.Type`) need sorting.
pub struct Parameters<'c> {
    text: String,
    parts: Vec<Part>,
    is_sorted: bool,
    /// The group that parameters are being added to, such as `Disks.0`.
    prefix: String,
    client_defaults: &'c [(&'static str, String)],
    /// The parameters of every call that have not been added yet, sorted.
    common: &'c [(&'static str, Option<&'c str>)],
    /// The values that must not be shown.
    pub(crate) secrets: Vec<Zeroizing<String>>,
    /// Why the call cannot be sent: the first invalid parameter.
    pub(crate) refusal: Option<String>,
}

/// The position of a parameter in the text.
#[derive(Debug, Clone, Copy)]
struct Part {
    start: usize,
    name_end: usize,
    end: usize,
    /// Whether it is a string in JSON.
    is_text: bool,
}

/// A parameter as it is sent.
#[derive(Clone, Copy)]
pub(crate) struct Parameter<'p> {
    pub(crate) name: &'p str,
    /// Booleans are `true` and `false`; floats have no exponent and no `.0`.
    pub(crate) value: &'p str,
    pub(crate) is_text: bool,
}

impl<'c> Parameters<'c> {
    /// Creates a list with the parameters of every call (`common`, sorted by name) and the client's
    /// default values.
    pub(crate) fn new(
        common: &'c [(&'static str, Option<&'c str>)],
        client_defaults: &'c [(&'static str, String)],
    ) -> Self {
        // Enough for most calls.
        Self {
            text: String::with_capacity(256),
            parts: Vec::with_capacity(12),
            is_sorted: true,
            prefix: String::new(),
            common,
            client_defaults,
            secrets: Vec::new(),
            refusal: None,
        }
    }

    /// Adds a parameter if it is set. Call it in the order of the names.
    ///
    /// An empty string makes the call invalid: the service treats it as absent.
    #[inline]
    pub(crate) fn add(&mut self, name: &'static str, value: &impl ToParameters) {
        if self.prefix.is_empty() {
            value.add_to(name, self);
        } else {
            value.add_to(&self.in_group(name), self);
        }
    }

    /// Adds a string that may be empty.
    #[allow(dead_code, reason = "not every service has such parameters")]
    pub(crate) fn add_allow_empty(&mut self, name: &'static str, value: &Option<String>) {
        match value {
            Some(value) if self.prefix.is_empty() => self.push(name, value, true),
            Some(value) => self.push(&self.in_group(name), value, true),
            None => {}
        }
    }

    fn in_group(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    /// Adds a boolean that is documented as a string.
    #[allow(dead_code, reason = "not every service has such parameters")]
    pub(crate) fn add_as_text(&mut self, name: &'static str, value: &impl ToParameters) {
        let before = self.parts.len();
        self.add(name, value);
        for part in &mut self.parts[before..] {
            part.is_text = true;
        }
    }

    /// Adds a string that must not be empty.
    #[inline]
    pub(crate) fn add_text(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            self.refuse(|| {
                format!("the parameter `{name}` is empty: the service would treat it as absent.")
            });
        }
        self.push(name, text, true);
    }

    /// Adds a string that must not be empty, nor shown.
    pub(crate) fn add_secret(&mut self, name: &str, text: &str) {
        self.secrets.push(Zeroizing::new(text.to_owned()));
        self.add_text(name, text);
    }

    /// Adds a JSON value under any name. Empty arrays and objects are invalid, like empty strings.
    pub(crate) fn add_json(&mut self, name: &str, value: &Value) {
        self.is_sorted = false;
        match value {
            // JSON has no numbers that are not finite.
            Value::Null => self.refuse(|| {
                format!("the parameter `{name}` is null, or a number that is not finite: omit it.")
            }),
            Value::Bool(boolean) => self.append(name, &boolean.to_string(), false),
            Value::Number(number) if number.is_f64() => {
                self.add_float(name, number.as_f64().unwrap_or(f64::NAN));
            }
            Value::Number(number) => match number.to_string().as_str() {
                // With the feature `arbitrary_precision` of serde_json.
                "-0" => self.append(name, "0", false),
                int => self.append(name, int, false),
            },
            Value::String(text) => self.add_text(name, text),
            Value::Array(values) if values.is_empty() => self.add_text(name, ""),
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.add_json(&format!("{name}.{index}"), value);
                }
            }
            Value::Object(fields) if fields.is_empty() => self.add_text(name, ""),
            Value::Object(fields) => {
                for (field, value) in fields {
                    self.add_json(&format!("{name}.{field}"), value);
                }
            }
        }
    }

    /// Adds a float that must be finite.
    fn add_float(&mut self, name: &str, float: f64) {
        if !float.is_finite() {
            self.refuse(|| format!("the parameter `{name}` must be a finite number."));
        }
        // A reader of JSON may take `-0` for the integer 0, and compute another signature.
        let float = if float == 0.0 { 0.0 } else { float };
        self.push(name, &float.to_string(), false);
    }

    /// Adds an empty string under any name.
    pub(crate) fn add_empty(&mut self, name: &str) {
        self.is_sorted = false;
        self.append(name, "", true);
    }

    /// Adds the client's default values that the call does not set, and checks the names. For calls
    /// without generated code.
    pub(crate) fn complete(&mut self) {
        for (name, value) in self.client_defaults {
            if !self.iter().any(|parameter| parameter.name == *name) {
                self.check_client_default(name, value);
                self.append(name, value, true);
            }
        }
        self.is_sorted = false;
        self.finish();
        // A field of an object is part of a name.
        let is_invalid = |name: &&str| {
            *name == "Signature"
                || name.split('.').any(str::is_empty)
                || name.contains(|c: char| c.is_control() || c.is_whitespace())
        };
        let invalid = self
            .iter()
            .map(|parameter| parameter.name)
            .find(is_invalid)
            .map(|name| format!("{name:?} cannot name a parameter: rename it."));
        if let Some(reason) = invalid {
            self.refuse(|| reason);
        }
    }

    /// Records why the call cannot be sent. The first reason is kept.
    fn refuse(&mut self, reason: impl FnOnce() -> String) {
        self.refusal.get_or_insert_with(reason);
    }

    /// Adds a parameter, or the client's default value if it is not set.
    #[inline]
    #[allow(dead_code, reason = "not every service has such parameters")]
    pub(crate) fn add_or_client_default(&mut self, name: &'static str, value: &Option<String>) {
        if let Some(text) = value {
            self.add_text(name, text);
            return;
        }
        let defaults = self.client_defaults;
        if let Some((_, value)) = defaults.iter().find(|(default, _)| *default == name) {
            self.check_client_default(name, value);
            self.push(name, value, true);
        }
    }

    /// Checks a default value, which the client may have got after it was built.
    fn check_client_default(&mut self, name: &str, value: &str) {
        let problem = if value.is_empty() {
            "is empty: the service would treat it as absent"
        } else if value.contains(|c: char| c.is_whitespace() || c.is_control()) {
            "contains whitespace or control characters"
        } else {
            return;
        };
        self.refuse(|| format!("the parameter `{name}`, as set for the client, {problem}."));
    }

    #[inline]
    fn push(&mut self, name: &str, value: &str, is_text: bool) {
        while let Some(((common, value), rest)) = self.common.split_first()
            && *common < name
        {
            self.common = rest;
            if let Some(value) = value {
                self.append(common, value, true);
            }
        }
        self.append(name, value, is_text);
    }

    #[inline]
    fn append(&mut self, name: &str, value: &str, is_text: bool) {
        let start = self.text.len();
        self.text.push_str(name);
        let name_end = self.text.len();
        self.text.push_str(value);
        let end = self.text.len();
        self.parts.push(Part { start, name_end, end, is_text });
    }

    /// Adds the remaining common parameters and sorts all of them if necessary.
    pub(crate) fn finish(&mut self) {
        for (name, value) in std::mem::take(&mut self.common) {
            if let Some(value) = value {
                self.append(name, value, true);
            }
        }
        if !self.is_sorted {
            self.sort();
        }
        debug_assert!(self.iter().map(|parameter| parameter.name).is_sorted(), "{self:?}");
    }

    fn sort(&mut self) {
        let mut order = std::mem::take(&mut self.parts);
        let unsorted = std::mem::take(&mut self.text);
        let name = |part: &Part| &unsorted[part.start..part.name_end];
        order.sort_by(|a, b| name(a).cmp(name(b)));
        // Duplicates are possible in untyped calls and in JSON values.
        if let Some(pair) = order.windows(2).find(|pair| name(&pair[0]) == name(&pair[1])) {
            self.refuse(|| {
                let name = name(&pair[0]);
                format!("the parameter `{name}` is set twice: remove one of the two.")
            });
        }
        self.is_sorted = true;
        for Part { start, name_end, end, is_text } in order {
            self.append(&unsorted[start..name_end], &unsorted[name_end..end], is_text);
        }
    }

    /// Returns the text that is signed: each name followed by its value.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.parts.iter().map(|part| Parameter {
            name: &self.text[part.start..part.name_end],
            value: &self.text[part.name_end..part.end],
            is_text: part.is_text,
        })
    }
}

/// Shows only the names: a value may be a password.
impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|parameter| parameter.name)).finish()
    }
}

/// A value of one or several parameters.
pub(crate) trait ToParameters {
    fn add_to(&self, name: &str, to: &mut Parameters<'_>);
}

/// A struct whose fields are parameters under one name: `Disks.0.Type`, `Disks.0.Size`.
#[allow(dead_code, reason = "not every service has such parameters")]
pub(crate) trait Group {
    fn add_to(&self, to: &mut Parameters<'_>);
}

/// Recursive groups are boxed.
impl<G: Group> Group for Box<G> {
    fn add_to(&self, to: &mut Parameters<'_>) {
        G::add_to(self, to);
    }
}

/// Collects the values of a list parameter.
#[allow(dead_code, reason = "not every service has such parameters")]
pub(crate) fn list<T>(values: impl IntoIterator<Item = impl Into<T>>) -> Vec<T> {
    values.into_iter().map(Into::into).collect()
}

impl ToParameters for String {
    #[inline]
    fn add_to(&self, name: &str, to: &mut Parameters<'_>) {
        to.add_text(name, self);
    }
}

impl ToParameters for i64 {
    #[inline]
    fn add_to(&self, name: &str, to: &mut Parameters<'_>) {
        to.push(name, itoa::Buffer::new().format(*self), false);
    }
}

impl ToParameters for f64 {
    fn add_to(&self, name: &str, to: &mut Parameters<'_>) {
        to.add_float(name, *self);
    }
}

impl ToParameters for bool {
    fn add_to(&self, name: &str, to: &mut Parameters<'_>) {
        to.push(name, if *self { "true" } else { "false" }, false);
    }
}

impl<T: ToParameters> ToParameters for Option<T> {
    #[inline]
    fn add_to(&self, name: &str, to: &mut Parameters<'_>) {
        if let Some(value) = self {
            value.add_to(name, to);
        }
    }
}

impl ToParameters for Value {
    fn add_to(&self, name: &str, to: &mut Parameters<'_>) {
        to.add_json(name, self);
    }
}

impl<T: ToParameters> ToParameters for Vec<T> {
    fn add_to(&self, name: &str, to: &mut Parameters<'_>) {
        // `.10` comes before `.2`.
        to.is_sorted = false;
        for (index, value) in self.iter().enumerate() {
            value.add_to(&format!("{name}.{index}"), to);
        }
    }
}

impl<G: Group> ToParameters for G {
    fn add_to(&self, name: &str, to: &mut Parameters<'_>) {
        // `Disks.Type` comes before `Disks`, and after `Disks-`.
        to.is_sorted = false;
        let outer = std::mem::replace(&mut to.prefix, name.to_owned());
        Group::add_to(self, to);
        to.prefix = outer;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(parameters: &Parameters<'_>) -> Vec<(String, String)> {
        parameters
            .iter()
            .map(|parameter| (parameter.name.to_owned(), parameter.value.to_owned()))
            .collect()
    }

    #[test]
    fn numbers_and_booleans_are_formatted_for_signing() {
        let mut parameters = Parameters::new(&[], &[]);
        parameters.add("Float", &vec![35.0, 65.722, 1e21, 1e-7, -0.5, -0.0]);
        parameters.add("Int", &i64::MIN);
        parameters.add("Yes", &true);
        parameters.add("Zip", &None::<bool>);
        let values: Vec<String> = sent(&parameters).into_iter().map(|(_, value)| value).collect();
        let floats = ["35", "65.722", "1000000000000000000000", "0.0000001", "-0.5", "0"];
        assert_eq!(values[..6], floats);
        assert_eq!(values[6..], ["-9223372036854775808", "true"]);
        assert_eq!(parameters.refusal, None);
        parameters.add("Weight", &f64::NAN);
        assert!(parameters.refusal.unwrap().contains("`Weight` must be a finite number"));
    }

    struct Disk {
        size: i64,
        hours: Vec<String>,
    }

    impl Group for Disk {
        fn add_to(&self, to: &mut Parameters<'_>) {
            to.add("Backup", &self.hours);
            to.add("Size", &self.size);
        }
    }

    #[test]
    fn lists_and_groups_are_flattened_and_sorted_bytewise() {
        let disks: Vec<Disk> =
            (0..11).map(|size| Disk { size, hours: vec!["1".to_owned(); 2] }).collect();
        let common = [("Action", Some("X")), ("Never", None), ("Zone", Some("Y"))];
        let mut parameters = Parameters::new(&common, &[]);
        parameters.add("Disks", &disks);
        parameters.add("Name", &Some("z".to_owned()));
        parameters.finish();
        let sent = sent(&parameters);
        assert_eq!(sent.len(), 3 + 3 * 11);
        assert!(sent.is_sorted());
        let names: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[..3], ["Action", "Disks.0.Backup.0", "Disks.0.Backup.1"]);
        let index_of = |name: &str| names.iter().position(|found| *found == name).unwrap();
        assert!(index_of("Disks.10.Size") < index_of("Disks.2.Size"));
        assert_eq!(sent[index_of("Disks.10.Size")].1, "10");
        let text: String = sent.iter().map(|(name, value)| format!("{name}{value}")).collect();
        assert_eq!(parameters.text(), text);
    }

    struct Node {
        label: Option<String>,
        meta: Option<Value>,
        next: Option<Box<Node>>,
    }

    impl Group for Node {
        fn add_to(&self, to: &mut Parameters<'_>) {
            to.add_allow_empty("Label", &self.label);
            to.add("Meta", &self.meta);
            to.add("Next", &self.next);
        }
    }

    #[test]
    fn a_group_may_contain_json_and_itself() {
        let node = |meta, next| Node { label: Some(String::new()), meta, next };
        let inner = node(Some(serde_json::json!({"b": [1, {"c": true}], "a": 0.5})), None);
        let mut parameters = Parameters::new(&[], &[]);
        parameters.add("List", &vec![node(None, Some(Box::new(inner)))]);
        parameters.finish();
        let expected = [
            ("List.0.Label", ""),
            ("List.0.Next.Label", ""),
            ("List.0.Next.Meta.a", "0.5"),
            ("List.0.Next.Meta.b.0", "1"),
            ("List.0.Next.Meta.b.1.c", "true"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(sent(&parameters), expected);
        assert_eq!(parameters.refusal, None);
    }

    #[test]
    fn json_with_a_duplicate_name_is_refused() {
        let mut parameters = Parameters::new(&[], &[]);
        parameters.add("Meta", &serde_json::json!({"a.b": 1, "a": {"b": 2}}));
        parameters.finish();
        let refusal = parameters.refusal.unwrap();
        assert!(refusal.contains("`Meta.a.b` is set twice"), "{refusal}");
    }

    proptest::proptest! {
        /// Parameters are sorted, each with its own value, in whatever order they are added.
        #[test]
        fn any_order_is_sorted(names in shuffled(), common in 0..20_usize) {
            let mut common: Vec<&'static str> = names.iter().take(common).map(|name| &*name.clone().leak()).collect();
            common.sort_unstable();
            let values: Vec<String> = common.iter().map(|name| format!("<{name}>")).collect();
            let common: Vec<_> = common.iter().zip(&values).map(|(name, value)| (*name, Some(value.as_str()))).collect();
            let mut parameters = Parameters::new(&common, &[]);
            for name in &names[common.len()..] {
                parameters.push(name, &format!("<{name}>"), true);
            }
            parameters.is_sorted = false;
            parameters.finish();
            let mut expected: Vec<_> = names.iter().map(|name| (name.clone(), format!("<{name}>"))).collect();
            expected.sort();
            proptest::prop_assert_eq!(sent(&parameters), expected);
        }
    }

    fn shuffled() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::btree_set("[A-Za-z0-9.]{1,6}", 1..20)
            .prop_map(|names| names.into_iter().collect::<Vec<_>>())
            .prop_shuffle()
    }

    #[test]
    fn the_clients_default_value_is_used_if_none_is_set() {
        let defaults = [("ProjectId", "org-1".to_owned())];
        for (value, expected) in [(None, "org-1"), (Some("org-2".to_owned()), "org-2")] {
            let mut parameters = Parameters::new(&[], &defaults);
            parameters.add_or_client_default("ProjectId", &value);
            parameters.add_or_client_default("Region", &None);
            assert_eq!(sent(&parameters), [("ProjectId".to_owned(), expected.to_owned())]);
            assert_eq!(parameters.refusal, None);
        }
    }

    #[test]
    fn an_invalid_default_value_of_the_client_is_refused() {
        for (value, expected) in
            [("", "is empty"), (" ", "whitespace"), ("org-1\n", "whitespace"), ("a\0", "control")]
        {
            let defaults = [("ProjectId", value.to_owned())];
            for is_typed in [true, false] {
                let mut parameters = Parameters::new(&[], &defaults);
                if is_typed {
                    parameters.add_or_client_default("ProjectId", &None);
                } else {
                    parameters.complete();
                }
                let refusal = parameters.refusal.unwrap();
                assert!(refusal.contains("`ProjectId`") && refusal.contains(expected), "{refusal}");
            }
            let mut own = Parameters::new(&[], &defaults);
            own.add_or_client_default("ProjectId", &Some("org-2".to_owned()));
            assert_eq!(own.refusal, None);
        }
    }

    #[test]
    fn an_untyped_name_has_no_empty_part_and_no_whitespace() {
        for (value, is_valid) in [
            (serde_json::json!({"a": {"b-c": 1}}), true),
            (serde_json::json!({"": 1}), false),
            (serde_json::json!({"a.": 1}), false),
            (serde_json::json!({"a\n": 1}), false),
            (serde_json::json!([{"a b": 1}]), false),
        ] {
            let mut parameters = Parameters::new(&[], &[]);
            parameters.add_json("Meta", &value);
            parameters.complete();
            assert_eq!(parameters.refusal.is_none(), is_valid, "{value}: {:?}", parameters.refusal);
        }
    }

    #[test]
    fn an_empty_string_is_refused_unless_allowed() {
        let empty = String::new;
        let refusal = |add: &dyn Fn(&mut Parameters<'_>)| {
            let mut parameters = Parameters::new(&[], &[]);
            add(&mut parameters);
            parameters.refusal
        };
        for refused in [
            refusal(&|to| to.add("Name", &empty())),
            refusal(&|to| to.add("Name", &Some(empty()))),
            refusal(&|to| to.add("Name", &vec!["a".to_owned(), empty()])),
            refusal(&|to| to.add_or_client_default("Name", &Some(empty()))),
        ] {
            assert!(
                refused
                    .as_ref()
                    .is_some_and(|reason| reason.contains("`Name") && reason.contains("is empty")),
                "{refused:?}"
            );
        }
        assert_eq!(refusal(&|to| to.add_allow_empty("Name", &Some(empty()))), None);
        assert_eq!(refusal(&|to| to.add("Name", &None::<String>)), None);
    }
}
