//! Strings with a few documented values.

#[allow(unused_macros, reason = "not every service has such strings")]
/// Implements what an enum of documented values needs, one that keeps an unknown value in `Other`.
macro_rules! choice {
    ($name:ident {
        $($variant:ident = $value:literal;)*
    }) => {
        impl $name {
            /// The value as the documentation spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Other(value) => value,
                }
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Other(String::new())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from).map(|value| Self::from(value.as_str()))
            }
        }

        impl $crate::wire::decode::FromWire for $name {
            fn from_wire<'de, D: ::serde::Deserializer<'de>>(
                from: D,
                place: $crate::wire::decode::FieldContext<'_>,
            ) -> Result<Self, D::Error> {
                String::from_wire(from, place).map(|value| Self::from(value.as_str()))
            }
        }

        impl $crate::wire::parameters::ToParameters for $name {
            fn add_to(&self, name: &str, to: &mut $crate::wire::parameters::Parameters<'_>) {
                to.add_text(name, self.as_str());
            }
        }
    };
}
#[allow(unused_imports, reason = "as above")]
pub(crate) use choice;
