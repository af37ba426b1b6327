//! Text that is hidden in `Debug` and erased from memory.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::wire::{
    decode::{FieldContext, FromWire},
    parameters::{Parameters, ToParameters},
};

/// A secret of a request or response, such as a password.
///
/// `Debug` does not show it, and errors of the call that sends it do not either. It is erased from
/// memory when it is dropped. That does not cover your own copies, the buffers of the HTTP library
/// and the body of a response.
///
/// Serializing a request or response writes the secret: treat the result as a secret too.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// Creates a secret. The text is moved, so no copy of a `String` is left.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }

    /// Returns the secret.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl From<String> for SecretString {
    fn from(secret: String) -> Self {
        Self::new(secret)
    }
}

impl From<&str> for SecretString {
    fn from(secret: &str) -> Self {
        Self::new(secret)
    }
}

impl Serialize for SecretString {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.expose().serialize(to)
    }
}

impl<'de> Deserialize<'de> for SecretString {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

impl ToParameters for SecretString {
    fn add_to(&self, name: &str, to: &mut Parameters<'_>) {
        to.add_secret(name, self.expose());
    }
}

impl FromWire for SecretString {
    fn from_wire<'de, D: Deserializer<'de>>(
        from: D,
        field: FieldContext<'_>,
    ) -> Result<Self, D::Error> {
        String::from_wire(from, field).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_serialization_shows_a_secret() {
        let secret = SecretString::from("hunter2-hunter2");
        assert_eq!(
            format!("{:?} {:#?}", secret, Some(&secret)),
            "[hidden] Some(\n    [hidden],\n)"
        );
        let json = serde_json::to_string(&secret).unwrap();
        assert_eq!(json, "\"hunter2-hunter2\"");
        assert_eq!(serde_json::from_str::<SecretString>(&json).unwrap(), secret);
    }

    #[test]
    fn a_secret_parameter_is_sent_and_known_as_a_secret() {
        let mut parameters = Parameters::new(&[], &[]);
        parameters
            .add("Passwords", &vec![SecretString::from("first"), SecretString::from("second")]);
        parameters.finish();
        assert_eq!(parameters.text(), "Passwords.0firstPasswords.1second");
        let secrets: Vec<&str> = parameters.secrets.iter().map(|secret| secret.as_str()).collect();
        assert_eq!(secrets, ["first", "second"]);
        let mut parameters = Parameters::new(&[], &[]);
        parameters.add("Password", &SecretString::default());
        assert!(parameters.refusal.unwrap().contains("`Password` is empty"));
    }
}
