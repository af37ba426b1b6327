//! Parameters: what a request becomes before it is signed.

use std::{borrow::Cow, fmt};

/// The parameters of one call, sorted bytewise by name.
///
/// Names are the documentation's and known beforehand, so they are handed over sorted, and are
/// neither copied nor sorted again; only those with an index in them (`Disks.10.Type`) need it.
pub struct Parameters<'a> {
    list: Vec<Parameter<'a>>,
    is_sorted: bool,
    /// Where a group of parameters is being added: `Disks.0`.
    prefix: String,
    client_defaults: &'a [(&'static str, String)],
}

pub(crate) struct Parameter<'a> {
    pub(crate) name: Cow<'static, str>,
    pub(crate) value: Value<'a>,
}

/// A value as JSON knows it; [`Value::with_text`] is what is signed and sent elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Int(i64),
    Float(f64),
    Boolean(bool),
}

impl Value<'_> {
    /// The value as text: booleans as `true` and `false`, floats with neither exponent nor `.0`.
    pub(crate) fn with_text<T>(self, read: impl FnOnce(&str) -> T) -> T {
        match self {
            Self::Text(text) => read(text),
            Self::Int(int) => read(itoa::Buffer::new().format(int)),
            Self::Float(float) => read(&float.to_string()),
            Self::Boolean(boolean) => read(if boolean { "true" } else { "false" }),
        }
    }
}

impl<'a> Parameters<'a> {
    pub(crate) fn new(client_defaults: &'a [(&'static str, String)]) -> Self {
        // Most actions have fewer parameters than this, the common ones among them.
        Self {
            list: Vec::with_capacity(12),
            is_sorted: true,
            prefix: String::new(),
            client_defaults,
        }
    }

    /// Adds a parameter; one that is not set is left out. An empty text is set.
    pub(crate) fn add(&mut self, name: &'static str, value: &'a impl ToParameters) {
        let name = if self.prefix.is_empty() {
            Cow::Borrowed(name)
        } else {
            Cow::Owned(format!("{}.{name}", self.prefix))
        };
        value.add_to(name, self);
    }

    /// Adds a parameter that the client has a value of its own for, where the call has none.
    pub(crate) fn add_or_client_default(&mut self, name: &'static str, value: &'a Option<String>) {
        let own = || {
            self.client_defaults
                .iter()
                .find(|(default, _)| *default == name)
                .map(|(_, value)| value.as_str())
        };
        if let Some(text) = value.as_deref().or_else(own) {
            self.push(Cow::Borrowed(name), Value::Text(text));
        }
    }

    fn push(&mut self, name: Cow<'static, str>, value: Value<'a>) {
        self.is_sorted &= self.list.last().is_none_or(|last| last.name <= name);
        self.list.push(Parameter { name, value });
    }

    /// Puts a parameter that every call has where it belongs.
    pub(crate) fn insert(&mut self, name: &'static str, value: &'a str) {
        self.sort();
        let at = self
            .list
            .partition_point(|parameter| *parameter.name < *name);
        self.list.insert(
            at,
            Parameter {
                name: Cow::Borrowed(name),
                value: Value::Text(value),
            },
        );
    }

    fn sort(&mut self) {
        if !self.is_sorted {
            self.list.sort_by(|a, b| a.name.cmp(&b.name));
            self.is_sorted = true;
        }
    }

    pub(crate) fn into_sorted(mut self) -> Vec<Parameter<'a>> {
        self.sort();
        self.list
    }
}

/// Names alone: a value may be a password.
impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.list.iter().map(|parameter| &parameter.name))
            .finish()
    }
}

/// What can be the value of a parameter, or of several.
pub(crate) trait ToParameters {
    fn add_to<'a>(&'a self, name: Cow<'static, str>, to: &mut Parameters<'a>);
}

/// A struct of parameters that stand under one name: `Disks.0.Type`, `Disks.0.Size`.
#[allow(dead_code, reason = "not every service has such parameters")]
pub(crate) trait Group {
    fn add_to<'a>(&'a self, to: &mut Parameters<'a>);
}

/// The values of a list parameter as a request keeps them.
#[allow(dead_code, reason = "not every service has such parameters")]
pub(crate) fn list<T>(values: impl IntoIterator<Item = impl Into<T>>) -> Vec<T> {
    values.into_iter().map(Into::into).collect()
}

impl ToParameters for String {
    fn add_to<'a>(&'a self, name: Cow<'static, str>, to: &mut Parameters<'a>) {
        to.push(name, Value::Text(self));
    }
}

impl ToParameters for i64 {
    fn add_to<'a>(&'a self, name: Cow<'static, str>, to: &mut Parameters<'a>) {
        to.push(name, Value::Int(*self));
    }
}

impl ToParameters for f64 {
    fn add_to<'a>(&'a self, name: Cow<'static, str>, to: &mut Parameters<'a>) {
        to.push(name, Value::Float(*self));
    }
}

impl ToParameters for bool {
    fn add_to<'a>(&'a self, name: Cow<'static, str>, to: &mut Parameters<'a>) {
        to.push(name, Value::Boolean(*self));
    }
}

impl<T: ToParameters> ToParameters for Option<T> {
    fn add_to<'a>(&'a self, name: Cow<'static, str>, to: &mut Parameters<'a>) {
        if let Some(value) = self {
            value.add_to(name, to);
        }
    }
}

impl<T: ToParameters> ToParameters for Vec<T> {
    fn add_to<'a>(&'a self, name: Cow<'static, str>, to: &mut Parameters<'a>) {
        for (index, value) in self.iter().enumerate() {
            value.add_to(Cow::Owned(format!("{name}.{index}")), to);
        }
    }
}

impl<G: Group> ToParameters for G {
    fn add_to<'a>(&'a self, name: Cow<'static, str>, to: &mut Parameters<'a>) {
        let outer = std::mem::replace(&mut to.prefix, name.into_owned());
        Group::add_to(self, to);
        to.prefix = outer;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_neither_exponent_nor_empty_fraction() {
        for (float, text) in [
            (35.0, "35"),
            (65.722, "65.722"),
            (1e21, "1000000000000000000000"),
            (1e-7, "0.0000001"),
            (-0.5, "-0.5"),
        ] {
            assert_eq!(Value::Float(float).with_text(str::to_owned), text);
        }
        assert_eq!(
            Value::Int(i64::MIN).with_text(str::to_owned),
            "-9223372036854775808"
        );
    }

    struct Disk {
        size: i64,
        hours: Vec<String>,
    }

    impl Group for Disk {
        fn add_to<'a>(&'a self, to: &mut Parameters<'a>) {
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
        let last = Some("z".to_owned());
        let mut parameters = Parameters::new(&[]);
        parameters.add("Disks", &disks);
        parameters.add("Name", &last);
        parameters.insert("Action", "X");
        let names: Vec<String> = parameters
            .into_sorted()
            .iter()
            .map(|parameter| parameter.name.to_string())
            .collect();
        assert_eq!(names.len(), 2 + 3 * 11);
        assert!(names.is_sorted());
        assert_eq!(
            names[..3],
            ["Action", "Disks.0.Backup.0", "Disks.0.Backup.1"]
        );
        let tenth = names
            .iter()
            .position(|name| name == "Disks.10.Size")
            .unwrap();
        let second = names
            .iter()
            .position(|name| name == "Disks.2.Size")
            .unwrap();
        assert!(tenth < second);
    }

    #[test]
    fn the_clients_own_value_fills_a_gap_and_an_empty_text_is_no_gap() {
        let defaults = [("ProjectId", "org-1".to_owned())];
        for (given, expected) in [
            (None, "org-1"),
            (Some("org-2".to_owned()), "org-2"),
            (Some(String::new()), ""),
        ] {
            let mut parameters = Parameters::new(&defaults);
            parameters.add_or_client_default("ProjectId", &given);
            parameters.add_or_client_default("Region", &None);
            let sent = parameters.into_sorted();
            assert_eq!(sent.len(), 1);
            assert_eq!(sent[0].value, Value::Text(expected));
        }
    }
}
