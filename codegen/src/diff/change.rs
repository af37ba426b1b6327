//! Changes, their classes and the version that they require.

use std::fmt;

/// The changes between two specs: first those of the service, then action by action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// The changes; those of one action by class, breaking ones first.
    pub changes: Vec<Change>,
}

/// One change, and its effect on users of the generated crate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The documented name of the action; `None` for a change of the service itself.
    pub action: Option<String>,
    /// The changed item by its documented name: `` parameter `Disks.N.Size` ``.
    pub subject: String,
    /// The aspect that has changed: `gone`, `new`, `type`, `required`, `default`, …
    pub aspect: &'static str,
    /// The old value, if it is short enough to show.
    pub from: Option<String>,
    /// The new value.
    pub to: Option<String>,
    /// The effect on users.
    pub class: Class,
    /// Whether code compiles as before and behaves differently.
    pub is_silent: bool,
    /// The reason for the class, in a sentence or two for a Rust programmer.
    pub reason: String,
    /// The Rust item in the generated crate.
    pub item: String,
}

/// The effect of a change on users of the generated crate, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Existing code may no longer compile, or no longer get the same result.
    Breaking,
    /// Something is added, and everything that existed is unchanged.
    Additive,
    /// The documentation has changed, or what the service does behind the same items.
    Documentation,
}

/// The part of the version that changes require to be raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Bump {
    /// No change.
    None,
    /// The third number.
    Patch,
    /// The second number.
    Minor,
    /// The first number.
    Major,
}

impl Changes {
    /// Returns the worst class of the changes, or `None` if there are none.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        self.changes.iter().map(|change| change.class).min()
    }

    /// Returns the part of this version to raise, as [`Class::bump`] of the worst change.
    #[must_use]
    pub fn bump(&self, version: &str) -> Bump {
        self.class().map_or(Bump::None, |class| class.bump(version))
    }
}

impl Class {
    /// Returns the part of this version that a change of the class raises. Before 1.0, breaking
    /// changes raise the second number and all others the third.
    #[must_use]
    pub fn bump(self, version: &str) -> Bump {
        let is_zero = version.starts_with("0.");
        match self {
            Self::Breaking if is_zero => Bump::Minor,
            Self::Breaking => Bump::Major,
            Self::Additive if !is_zero => Bump::Minor,
            Self::Additive | Self::Documentation => Bump::Patch,
        }
    }
}

impl Bump {
    /// Returns the version that follows this one, or `None` if it does not have the form `1.2.3`.
    #[must_use]
    pub fn after(self, version: &str) -> Option<String> {
        let numbers: Vec<u64> =
            version.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [major, minor, patch] = numbers[..] else {
            return None;
        };
        let (major, minor, patch) = match self {
            Self::None => (major, minor, patch),
            Self::Patch => (major, minor, patch.checked_add(1)?),
            Self::Minor => (major, minor.checked_add(1)?, 0),
            Self::Major => (major.checked_add(1)?, 0, 0),
        };
        Some(format!("{major}.{minor}.{patch}"))
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}").to_lowercase())
    }
}

impl fmt::Display for Bump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}").to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(class: Class) -> Changes {
        let change = |class| Change {
            action: None,
            subject: String::new(),
            aspect: "new",
            from: None,
            to: None,
            class,
            is_silent: false,
            reason: String::new(),
            item: String::new(),
        };
        Changes { changes: vec![change(Class::Documentation), change(class)] }
    }

    #[test]
    fn before_1_0_breaking_changes_raise_the_second_number() {
        for (class, version, next) in [
            (Class::Breaking, "0.1.2", "0.2.0"),
            (Class::Additive, "0.1.2", "0.1.3"),
            (Class::Documentation, "0.1.2", "0.1.3"),
            (Class::Breaking, "1.1.2", "2.0.0"),
            (Class::Additive, "1.1.2", "1.2.0"),
            (Class::Documentation, "1.1.2", "1.1.3"),
        ] {
            let bump = changes(class).bump(version);
            assert_eq!(bump.after(version).as_deref(), Some(next), "{class} {version}");
        }
        let none = Changes::default().bump("0.1.2");
        assert_eq!(none.after("0.1.2").as_deref(), Some("0.1.2"));
        for odd in ["1.2", "1.2.3.4", "1.2.x", "", "18446744073709551615.0.0"] {
            assert_eq!(Bump::Major.after(odd), None, "{odd}");
        }
    }
}
