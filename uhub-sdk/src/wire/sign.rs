//! The signature of a call.
//!
//! It is the SHA-1, as lower-case hex, of every parameter but itself, sorted bytewise by name: the
//! name, then the value as text, nothing between and nothing escaped; then the private key.

use sha1::{Digest, Sha1};

use crate::{credentials::key_pair::Credentials, wire::parameters::Parameters};

/// Parameters that are complete, and their signature.
///
/// It has no `Debug`: a signed call can be replayed for ever.
pub(crate) struct Signed<'c> {
    pub(crate) parameters: Parameters<'c>,
    pub(crate) signature: Signature,
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A signature, in hex.
#[derive(Clone, Copy)]
pub(crate) struct Signature([u8; 40]);

impl Signature {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// What every call has, sorted by name: the parameters begin with it.
pub(crate) fn common<'c>(
    action: &'c str,
    credentials: &'c Credentials,
) -> [(&'static str, Option<&'c str>); 3] {
    let token = credentials
        .security_token
        .as_ref()
        .map(|token| token.as_str());
    [
        ("Action", Some(action)),
        ("PublicKey", Some(&credentials.public_key)),
        ("SecurityToken", token),
    ]
}

/// Completes parameters and signs them.
pub(crate) fn sign<'c>(mut parameters: Parameters<'c>, credentials: &Credentials) -> Signed<'c> {
    parameters.finish();
    let signature = signature(parameters.text(), &credentials.private_key);
    Signed {
        parameters,
        signature,
    }
}

/// The signature of a text.
pub(crate) fn signature(text: &str, private_key: &str) -> Signature {
    let mut hash = Sha1::new();
    hash.update(text);
    hash.update(private_key);
    let mut hex = [0; 40];
    for (pair, byte) in hex.as_chunks_mut::<2>().0.iter_mut().zip(hash.finalize()) {
        *pair = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
    }
    Signature(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_is_signed_as_published() {
        let vectors: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../../tests/data/signature.json")).unwrap();
        assert!(vectors.len() >= 12);
        for vector in &vectors {
            let mut parameters = Parameters::new(&[], &[]);
            for (name, value) in vector["parameters"].as_object().unwrap() {
                // Names that live as long as generated ones do.
                let name: &'static str = name.clone().leak();
                match value {
                    serde_json::Value::String(text) => parameters.add(name, text),
                    serde_json::Value::Bool(boolean) => parameters.add(name, boolean),
                    number if number.is_i64() => parameters.add(name, &number.as_i64()),
                    number => parameters.add(name, &number.as_f64()),
                }
            }
            parameters.finish();
            let name = &vector["name"];
            let text = parameters.text();
            assert_eq!(
                format!("{text}<private key>"),
                vector["string_to_sign"],
                "{name}"
            );
            let signature = signature(text, vector["private_key"].as_str().unwrap());
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
        let text = |value: &str| value.to_owned();
        let common = common("CreateUHostInstance", &credentials);
        let mut parameters = Parameters::new(&common, &[]);
        parameters.add("CPU", &2);
        parameters.add("ChargeType", &text("Month"));
        parameters.add("DiskSpace", &10);
        parameters.add("ImageId", &text("f43736e1-65a5-4bea-ad2e-8a46e18883c2"));
        parameters.add("LoginMode", &text("Password"));
        parameters.add("Memory", &2048);
        parameters.add("Name", &text("Host01"));
        parameters.add("Password", &text("VUNsb3VkLmNu"));
        parameters.add("Quantity", &1);
        parameters.add("Region", &text("cn-bj2"));
        parameters.add("Zone", &text("cn-bj2-04"));
        let signed = sign(parameters, &credentials);
        assert_eq!(signed.signature.as_str(), token_vector);
    }
}
