//! Parameters: what a request becomes before it is signed.

use std::fmt;

use serde_json::Value;

/// The parameters of one call, sorted bytewise by name.
///
/// They are kept as the one text that is signed: each name followed by its value, nothing between.
/// Names are the documentation's and known beforehand, so they are handed over sorted; only lists and
/// groups (`Disks.10.Type`) have to be sorted again.
pub struct Parameters<'c> {
    text: String,
    parts: Vec<Part>,
    is_sorted: bool,
    /// Where a group of parameters is being added: `Disks.0`.
    prefix: String,
    client_defaults: &'c [(&'static str, String)],
    /// What every call has and this one has not yet, sorted: each is added when its turn comes.
    common: &'c [(&'static str, Option<&'c str>)],
    /// Why the call cannot be sent: the first parameter that has no form on the wire.
    pub(crate) refusal: Option<String>,
}

/// Where a parameter stands in the text.
#[derive(Debug, Clone, Copy)]
struct Part {
    start: usize,
    name_end: usize,
    end: usize,
    /// JSON has other types too.
    is_text: bool,
}

/// A parameter that is ready to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Parameter<'p> {
    pub(crate) name: &'p str,
    /// Booleans are `true` and `false`, floats have neither exponent nor `.0`.
    pub(crate) value: &'p str,
    pub(crate) is_text: bool,
}

impl<'c> Parameters<'c> {
    /// Parameters to be, among what every call has, sorted, and with what the client has of its own.
    pub(crate) fn new(
        common: &'c [(&'static str, Option<&'c str>)],
        client_defaults: &'c [(&'static str, String)],
    ) -> Self {
        // Most calls have less of both than this.
        Self {
            text: String::with_capacity(256),
            parts: Vec::with_capacity(12),
            is_sorted: true,
            prefix: String::new(),
            common,
            client_defaults,
            refusal: None,
        }
    }

    /// Adds a parameter, behind those before it in the alphabet; one that is not set is left out.
    ///
    /// An empty text is refused: the service takes it for one that is not set, and does another thing.
    #[inline]
    pub(crate) fn add(&mut self, name: &'static str, value: &impl ToParameters) {
        if self.prefix.is_empty() {
            value.add_to(name, self);
        } else {
            value.add_to(&format!("{}.{name}", self.prefix), self);
        }
    }

    /// Adds a text that may be empty.
    #[allow(dead_code, reason = "not every service has such parameters")]
    pub(crate) fn add_even_empty(&mut self, name: &'static str, value: &Option<String>) {
        match value {
            Some(value) if self.prefix.is_empty() => self.push(name, value, true),
            Some(value) => self.push(&format!("{}.{name}", self.prefix), value, true),
            None => {}
        }
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

    /// Adds a text under a name that need not be a literal.
    #[inline]
    pub(crate) fn add_text(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            self.refuse(|| {
                format!("the parameter `{name}` is empty: the service would take it for one that is not there.")
            });
        }
        self.push(name, text, true);
    }

    /// Adds a value under any name. What is empty is refused, as an empty text is elsewhere.
    pub(crate) fn add_json(&mut self, name: &str, value: &Value) {
        self.is_sorted = false;
        match value {
            Value::Null => self.refuse(|| format!("the parameter `{name}` is null: leave it out.")),
            Value::Bool(boolean) => {
                self.append(name, if *boolean { "true" } else { "false" }, false);
            }
            Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
                Some(float) => self.append(name, &float.to_string(), false),
                None => self.append(name, &number.to_string(), false),
            },
            Value::String(text) => self.add_text(name, text),
            Value::Array(values) => {
                if values.is_empty() {
                    self.add_text(name, "");
                }
                for (index, value) in values.iter().enumerate() {
                    self.add_json(&format!("{name}.{index}"), value);
                }
            }
            Value::Object(fields) => {
                if fields.is_empty() {
                    self.add_text(name, "");
                }
                for (field, value) in fields {
                    self.add_json(&format!("{name}.{field}"), value);
                }
            }
        }
    }

    /// Adds an empty text under any name.
    pub(crate) fn add_empty(&mut self, name: &str) {
        self.is_sorted = false;
        self.append(name, "", true);
    }

    /// Adds what the client has of its own and the call does not say, and refuses what is there twice.
    pub(crate) fn complete(&mut self) {
        for (name, value) in self.client_defaults {
            if !self.iter().any(|parameter| parameter.name == *name) {
                self.append(name, value, true);
            }
        }
        self.is_sorted = false;
        self.finish();
        let mut names = self.iter().map(|parameter| parameter.name);
        let odd = names
            .find(|name| name.is_empty() || *name == "Signature")
            .map(|name| format!("a parameter cannot be named {name:?}."));
        drop(names);
        if let Some(why) = odd {
            self.refuse(|| why);
        }
    }

    /// Warnings why the call cannot be sent, unless something is noted already.
    fn refuse(&mut self, why: impl FnOnce() -> String) {
        self.refusal.get_or_insert_with(why);
    }

    /// Adds a parameter that the client has a value of its own for, where the call has none.
    #[inline]
    #[allow(dead_code, reason = "not every service has such parameters")]
    pub(crate) fn add_or_client_default(&mut self, name: &'static str, value: &Option<String>) {
        let own = || {
            self.client_defaults
                .iter()
                .find(|(default, _)| *default == name)
                .map(|(_, value)| value.as_str())
        };
        if let Some(text) = value.as_deref().or_else(own) {
            self.add_text(name, text);
        }
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
        self.parts.push(Part {
            start,
            name_end,
            end,
            is_text,
        });
    }

    /// Adds what every call has and this one has not yet, and sees that all is sorted.
    pub(crate) fn finish(&mut self) {
        for (name, value) in std::mem::take(&mut self.common) {
            if let Some(value) = value {
                self.append(name, value, true);
            }
        }
        if !self.is_sorted {
            self.sort();
        }
        debug_assert!(
            self.iter().map(|parameter| parameter.name).is_sorted(),
            "{self:?}"
        );
    }

    fn sort(&mut self) {
        let mut order = std::mem::take(&mut self.parts);
        let unsorted = std::mem::take(&mut self.text);
        let name = |part: &Part| &unsorted[part.start..part.name_end];
        order.sort_by(|a, b| name(a).cmp(name(b)));
        // Names that a caller gives, or the keys of his JSON, can be anything.
        if let Some(pair) = order
            .windows(2)
            .find(|pair| name(&pair[0]) == name(&pair[1]))
        {
            self.refuse(|| {
                let name = name(&pair[0]);
                format!("the parameter `{name}` is there twice, and some every call has.")
            });
        }
        self.is_sorted = true;
        for Part {
            start,
            name_end,
            end,
            is_text,
        } in order
        {
            self.append(
                &unsorted[start..name_end],
                &unsorted[name_end..end],
                is_text,
            );
        }
    }

    /// The text that is signed: every name followed by its value.
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

/// Names alone: a value may be a password.
impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|parameter| parameter.name))
            .finish()
    }
}

/// What can be the value of a parameter, or of several.
pub(crate) trait ToParameters {
    fn add_to(&self, name: &str, to: &mut Parameters<'_>);
}

/// A struct of parameters that stand under one name: `Disks.0.Type`, `Disks.0.Size`.
#[allow(dead_code, reason = "not every service has such parameters")]
pub(crate) trait Group {
    fn add_to(&self, to: &mut Parameters<'_>);
}

/// What holds itself does so in a box.
impl<G: Group> Group for Box<G> {
    fn add_to(&self, to: &mut Parameters<'_>) {
        G::add_to(self, to);
    }
}

/// The values of a list parameter as a request keeps them.
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
        if !self.is_finite() {
            to.refuse(|| format!("the parameter `{name}` is no number that can be sent."));
        }
        to.push(name, &self.to_string(), false);
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
    fn numbers_and_booleans_are_written_as_they_are_signed() {
        let mut parameters = Parameters::new(&[], &[]);
        parameters.add("Float", &vec![35.0, 65.722, 1e21, 1e-7, -0.5]);
        parameters.add("Int", &i64::MIN);
        parameters.add("Yes", &true);
        parameters.add("Zip", &None::<bool>);
        let values: Vec<String> = sent(&parameters)
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        let floats = [
            "35",
            "65.722",
            "1000000000000000000000",
            "0.0000001",
            "-0.5",
        ];
        assert_eq!(values[..5], floats);
        assert_eq!(values[5..], ["-9223372036854775808", "true"]);
        assert_eq!(parameters.refusal, None);
        parameters.add("Weight", &f64::NAN);
        assert!(
            parameters
                .refusal
                .unwrap()
                .contains("`Weight` is no number")
        );
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
    fn lists_and_groups_are_flat_and_sorted_bytewise() {
        let disks: Vec<Disk> = (0..11)
            .map(|size| Disk {
                size,
                hours: vec!["1".to_owned(); 2],
            })
            .collect();
        let common = [("Action", Some("X")), ("Never", None), ("Zone", Some("Y"))];
        let mut parameters = Parameters::new(&common, &[]);
        parameters.add("Disks", &disks);
        parameters.add("Name", &Some("z".to_owned()));
        parameters.finish();
        let sent = sent(&parameters);
        assert_eq!(sent.len(), 3 + 3 * 11);
        assert!(sent.is_sorted());
        let names: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names[..3],
            ["Action", "Disks.0.Backup.0", "Disks.0.Backup.1"]
        );
        let place = |name: &str| names.iter().position(|found| *found == name).unwrap();
        assert!(place("Disks.10.Size") < place("Disks.2.Size"));
        assert_eq!(sent[place("Disks.10.Size")].1, "10");
        let text: String = sent
            .iter()
            .map(|(name, value)| format!("{name}{value}"))
            .collect();
        assert_eq!(parameters.text(), text);
    }

    struct Node {
        label: Option<String>,
        meta: Option<Value>,
        next: Option<Box<Node>>,
    }

    impl Group for Node {
        fn add_to(&self, to: &mut Parameters<'_>) {
            to.add_even_empty("Label", &self.label);
            to.add("Meta", &self.meta);
            to.add("Next", &self.next);
        }
    }

    #[test]
    fn a_group_may_hold_json_and_itself() {
        let node = |meta, next| Node {
            label: Some(String::new()),
            meta,
            next,
        };
        let inner = node(
            Some(serde_json::json!({"b": [1, {"c": true}], "a": 0.5})),
            None,
        );
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
    fn json_that_says_a_name_twice_is_refused() {
        let mut parameters = Parameters::new(&[], &[]);
        parameters.add("Meta", &serde_json::json!({"a.b": 1, "a": {"b": 2}}));
        parameters.finish();
        let refusal = parameters.refusal.unwrap();
        assert!(refusal.contains("`Meta.a.b` is there twice"), "{refusal}");
    }

    proptest::proptest! {
        /// In whatever order they come, they leave sorted, each with its own value.
        #[test]
        fn any_order_leaves_sorted(names in shuffled(), common in 0..20_usize) {
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
    fn the_clients_own_value_fills_a_gap() {
        let defaults = [("ProjectId", "org-1".to_owned())];
        for (given, expected) in [(None, "org-1"), (Some("org-2".to_owned()), "org-2")] {
            let mut parameters = Parameters::new(&[], &defaults);
            parameters.add_or_client_default("ProjectId", &given);
            parameters.add_or_client_default("Region", &None);
            assert_eq!(
                sent(&parameters),
                [("ProjectId".to_owned(), expected.to_owned())]
            );
            assert_eq!(parameters.refusal, None);
        }
    }

    #[test]
    fn an_empty_text_is_refused_wherever_it_is_not_meant() {
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
                    .is_some_and(|why| why.contains("`Name") && why.contains("is empty")),
                "{refused:?}"
            );
        }
        assert_eq!(
            refusal(&|to| to.add_even_empty("Name", &Some(empty()))),
            None
        );
        assert_eq!(refusal(&|to| to.add("Name", &None::<String>)), None);
    }
}
