//! The signature of a call.
//!
//! It is the lower-case hex SHA-1 of all other parameters, sorted bytewise by name: each name is
//! followed by its value, without separators or escapes. The private key comes last.

use sha1::{Digest, Sha1};

use crate::wire::parameters::Parameters;

/// Complete parameters and their signature.
///
/// Not `Debug`: a signed call can be replayed for ever.
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

/// Returns the parameters that every call has, sorted by name.
pub(crate) fn common<'c>(
    action: &'c str,
    public_key: &'c str,
    security_token: Option<&'c str>,
) -> [(&'static str, Option<&'c str>); 3] {
    [("Action", Some(action)), ("PublicKey", Some(public_key)), ("SecurityToken", security_token)]
}

/// Completes parameters and signs them.
pub(crate) fn sign<'c>(mut parameters: Parameters<'c>, private_key: &str) -> Signed<'c> {
    parameters.finish();
    let signature = signature(parameters.text(), private_key);
    Signed { parameters, signature }
}

/// Returns the signature of the text that [`Parameters::text`] returns.
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
    fn published_vectors_match() {
        let vectors: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../../tests/data/signature.json")).unwrap();
        assert!(vectors.len() >= 12);
        for vector in &vectors {
            let mut parameters = Parameters::new(&[], &[]);
            // With the feature `preserve_order` of serde_json, objects are not sorted.
            let sorted: std::collections::BTreeMap<_, _> =
                vector["parameters"].as_object().unwrap().iter().collect();
            for (name, value) in sorted {
                // Generated names are static.
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
            assert_eq!(format!("{text}<private key>"), vector["string_to_sign"], "{name}");
            let signature = signature(text, vector["private_key"].as_str().unwrap());
            assert_eq!(signature.as_str(), vector["signature"], "{name}");
        }
    }

    #[test]
    fn the_security_token_is_signed() {
        // The published vector with a security token, built as a call builds it.
        let token_vector = "170c480ad176a247b324eb92a2cfe536aacfbd04";
        let text = |value: &str| value.to_owned();
        let common = common(
            "CreateUHostInstance",
            "ucloudsomeone@example.com1296235120854146120",
            Some("some_stoken"),
        );
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
        let signed = sign(parameters, "46f09bb9fab4f12dfc160dae12273d5332b5debe");
        assert_eq!(signed.signature.as_str(), token_vector);
    }
}
