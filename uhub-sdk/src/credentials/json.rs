//! JSON objects with secrets: values are erased from memory when dropped.
//!
//! serde_json would decode strings with escapes through a buffer that it does not erase.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// An object with all of its members, including repeated ones.
pub(crate) struct SecretObject(Vec<(String, SecretValue)>);

/// A value, unchanged.
pub(crate) struct SecretValue {
    json: Zeroizing<String>,
    /// The address of the value in the text that was parsed.
    address: usize,
}

impl SecretObject {
    /// Parses an object. Returns `None` for any other JSON.
    pub(crate) fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// Returns the value of a key, unless it is `null`.
    pub(crate) fn get(&self, key: &str) -> Option<&SecretValue> {
        let (_, value) = self.0.iter().find(|(own, _)| own == key)?;
        Some(value).filter(|value| !value.is_null())
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &SecretValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Returns the first key that is repeated, with its first two values.
    pub(crate) fn repeated(&self) -> Option<(&str, [&SecretValue; 2])> {
        self.0.iter().enumerate().find_map(|(index, (key, second))| {
            let (_, first) = self.0[..index].iter().find(|(other, _)| other == key)?;
            Some((key.as_str(), [first, second]))
        })
    }
}

impl SecretValue {
    /// Returns a string without its escapes.
    pub(crate) fn text(&self) -> Option<Zeroizing<String>> {
        let mut rest = self.json.strip_prefix('"')?.strip_suffix('"')?;
        // Long enough for the whole text, so that no copy is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(rest.len()));
        while let Some((plain, escape)) = rest.find('\\').map(|at| rest.split_at(at)) {
            text.push_str(plain);
            let (escape, after) = escape.split_at_checked(escape_length(escape))?;
            text.push_str(&serde_json::from_str::<String>(&format!("\"{escape}\"")).ok()?);
            rest = after;
        }
        text.push_str(rest);
        Some(text)
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        self.json.parse().ok()
    }

    pub(crate) fn number(&self) -> Option<u64> {
        self.json.parse().ok()
    }

    pub(crate) fn object(&self) -> Option<SecretObject> {
        SecretObject::parse(&self.json)
    }

    /// Returns a string or a number as text.
    pub(crate) fn scalar(&self) -> Option<Zeroizing<String>> {
        self.text().or_else(|| self.number().map(|_| self.json.clone()))
    }

    fn is_null(&self) -> bool {
        self.json.as_str() == "null"
    }

    /// Returns whether the value is what tools write for a setting that is not set.
    pub(crate) fn is_unset(&self) -> bool {
        ["null", "false", "0", "[]", "{}"].contains(&self.json.as_str())
            || self.text().is_some_and(|text| text.trim().is_empty())
    }

    /// Returns the line of the value in the text that was parsed.
    pub(crate) fn line_in(&self, text: &str) -> usize {
        line_at(text, self.address)
    }
}

/// Returns the line of a part of a text, by the address of the part.
pub(crate) fn line_at(text: &str, address: usize) -> usize {
    let offset = address.saturating_sub(text.as_ptr().addr());
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Returns the length of the escape that a text begins with. A character beyond the basic plane is
/// two escapes, which have a meaning only together.
fn escape_length(text: &str) -> usize {
    let unit = text.strip_prefix("\\u").and_then(|unit| unit.get(..4));
    match unit.map(|unit| u16::from_str_radix(unit, 16)) {
        None => 2,
        Some(Ok(0xd800..0xdc00)) => 12,
        Some(_) => 6,
    }
}

impl<'de> Deserialize<'de> for SecretObject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = SecretObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretObject, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    let json = Zeroizing::new(value.get().to_owned());
                    members.push((key, SecretValue { json, address: value.get().as_ptr().addr() }));
                }
                Ok(SecretObject(members))
            }
        }

        from.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// serde_json is the judge of what a string says.
        #[test]
        fn a_string_is_read_as_written(text in ".*", escaped in proptest::bool::ANY) {
            let mut json = serde_json::to_string(&text).unwrap();
            if escaped {
                let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
                json = format!("\"{units}\"");
            }
            let object = SecretObject::parse(&format!("{{\"a\": {json}}}")).unwrap();
            let read = object.get("a").unwrap().text().unwrap();
            proptest::prop_assert_eq!(read.as_str(), text);
        }
    }

    #[test]
    fn values_are_of_one_type() {
        let json = "{\"text\": \"a\\/b\",\n \"yes\": true, \"n\": 7, \"none\": null,\n \"n\": 8, \"lone\": \"\\ud800\"}";
        let object = SecretObject::parse(json).unwrap();
        let get = |key| object.get(key).unwrap();
        assert_eq!(get("text").text().unwrap().as_str(), "a/b");
        assert_eq!(get("text").number(), None);
        assert_eq!(get("yes").boolean(), Some(true));
        assert_eq!((get("n").number(), get("n").text()), (Some(7), None));
        assert!(object.get("none").is_none() && object.get("other").is_none());
        assert_eq!(get("lone").text(), None);
        let (key, values) = object.repeated().unwrap();
        assert_eq!((key, values.map(|value| value.line_in(json))), ("n", [2, 3]));
        for json in ["[]", "7", "{} x", "{\"a\": }"] {
            assert!(SecretObject::parse(json).is_none(), "{json}");
        }
    }
}
