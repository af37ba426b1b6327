//! The signature of a call.
//!
//! It is the SHA-1, as lower-case hex, of every parameter but itself, sorted bytewise by name: the
//! name, then the value as text, nothing between and nothing escaped; then the private key.

use sha1::{Digest, Sha1};

use crate::{
    Credentials,
    parameters::{Parameter, Parameters, Value},
};

/// The parameters of a call with all that every call has, and their signature.
///
/// It has no `Debug`: a signed call can be replayed for ever.
pub(crate) struct Signed<'a> {
    pub(crate) parameters: Vec<Parameter<'a>>,
    pub(crate) signature: Signature,
}

/// A signature, in hex.
#[derive(Clone, Copy)]
pub(crate) struct Signature([u8; 40]);

impl Signature {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Adds what every call has, and signs it.
pub(crate) fn sign<'a>(
    action: &'a str,
    mut parameters: Parameters<'a>,
    credentials: &'a Credentials,
) -> Signed<'a> {
    parameters.insert("Action", action);
    parameters.insert("PublicKey", &credentials.public_key);
    if let Some(token) = &credentials.security_token {
        parameters.insert("SecurityToken", token);
    }
    let parameters = parameters.into_sorted();
    let signature = signature(
        parameters.iter().map(|p| (p.name.as_ref(), p.value)),
        &credentials.private_key,
    );
    Signed {
        parameters,
        signature,
    }
}

/// The signature of parameters that are sorted by name.
pub(crate) fn signature<'a>(
    sorted: impl Iterator<Item = (&'a str, Value<'a>)>,
    private_key: &str,
) -> Signature {
    let mut hash = Sha1::new();
    for (name, value) in sorted {
        hash.update(name);
        value.with_text(|text| hash.update(text));
    }
    hash.update(private_key);
    let mut hex = [0; 40];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(hash.finalize()) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    Signature(hex)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_vector_is_signed_as_published() {
        let vectors: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../tests/data/signature.json")).unwrap();
        assert!(vectors.len() >= 12);
        for vector in &vectors {
            let sorted: BTreeMap<&str, Value<'_>> = vector["parameters"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| {
                    let value = match value {
                        serde_json::Value::String(text) => Value::Text(text),
                        serde_json::Value::Bool(boolean) => Value::Boolean(*boolean),
                        serde_json::Value::Number(number) if number.is_i64() => {
                            Value::Int(number.as_i64().unwrap())
                        }
                        number => Value::Float(number.as_f64().unwrap()),
                    };
                    (name.as_str(), value)
                })
                .collect();
            let name = &vector["name"];
            let text: String = sorted
                .iter()
                .map(|(name, value)| value.with_text(|value| format!("{name}{value}")))
                .collect();
            assert_eq!(
                format!("{text}<private key>"),
                vector["string_to_sign"],
                "{name}"
            );
            let signature = signature(sorted.into_iter(), vector["private_key"].as_str().unwrap());
            assert_eq!(signature.as_str(), vector["signature"], "{name}");
        }
    }

    #[test]
    fn a_call_is_signed_with_all_that_it_has() {
        // The vector with a security token, from the parts that a call is made of.
        let token_vector = "170c480ad176a247b324eb92a2cfe536aacfbd04";
        let credentials = Credentials::new(
            "ucloudsomeone@example.com1296235120854146120",
            "46f09bb9fab4f12dfc160dae12273d5332b5debe",
        )
        .with_security_token("some_stoken");
        let texts = [
            ("ChargeType", "Month"),
            ("ImageId", "f43736e1-65a5-4bea-ad2e-8a46e18883c2"),
            ("LoginMode", "Password"),
            ("Name", "Host01"),
            ("Password", "VUNsb3VkLmNu"),
            ("Region", "cn-bj2"),
            ("Zone", "cn-bj2-04"),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        let numbers = [
            ("CPU", 2),
            ("DiskSpace", 10),
            ("Memory", 2048),
            ("Quantity", 1),
        ];
        let mut parameters = Parameters::new(&[]);
        for (name, value) in &texts {
            parameters.add(name, value);
        }
        for (name, value) in &numbers {
            parameters.add(name, value);
        }
        let signed = sign("CreateUHostInstance", parameters, &credentials);
        assert_eq!(signed.signature.as_str(), token_vector);
    }
}
