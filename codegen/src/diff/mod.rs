//! What a changed spec means to those who have written code against the generated crate.
//!
//! Two [models](crate::model) are compared, not two texts: what counts is which Rust items come of
//! them. Every change says which item it concerns and whether code that compiled still compiles; one
//! that does compile and then does another thing is said to be silent.

mod action;
mod hint;
mod request;
mod response;
mod service;
mod show;

use std::fmt;

pub(crate) use service::diff;

/// What has changed between two specs, the service's own changes first, then action by action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// Each change, of one action the breaking ones first.
    pub changes: Vec<Change>,
}

/// One change, and what it means to users of the generated crate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The documented name of the action; none where the service itself has changed.
    pub action: Option<String>,
    /// What has changed, by its documented name: `` parameter `Disks.N.Size` ``.
    pub place: String,
    /// What of it has changed: `gone`, `new`, `type`, `required`, `default`, …
    pub what: &'static str,
    /// What it was, where that can be said in a few words.
    pub from: Option<String>,
    /// What it is now.
    pub to: Option<String>,
    /// What it does to users.
    pub class: Class,
    /// Code still compiles, and what it does, or what the service does for it, is another thing.
    pub is_silent: bool,
    /// Why it is of that class, in a sentence or two for a Rust programmer.
    pub reason: String,
    /// The Rust item concerned, in the generated crate.
    pub item: String,
}

/// What a change does to users of the generated crate; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Code that users have written may no longer compile, or no longer get what it got.
    Breaking,
    /// There is more than there was, and all that was is there.
    Additive,
    /// The words have changed, or what the service does behind the same items.
    Documentation,
}

/// The next version that changes call for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Bump {
    /// Nothing has changed.
    None,
    /// The last number.
    Patch,
    /// The one in the middle.
    Minor,
    /// The first number.
    Major,
}

impl Changes {
    /// What the worst of them does; nothing where there is none.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        self.changes.iter().map(|change| change.class).min()
    }

    /// The version that they call for after this one: before 1.0 what breaks raises the middle number,
    /// and what adds the last.
    #[must_use]
    pub fn bump(&self, version: &str) -> Bump {
        let is_zero = version.starts_with("0.");
        match self.class() {
            None => Bump::None,
            Some(Class::Breaking) if is_zero => Bump::Minor,
            Some(Class::Breaking) => Bump::Major,
            Some(Class::Additive) if !is_zero => Bump::Minor,
            Some(Class::Additive | Class::Documentation) => Bump::Patch,
        }
    }
}

impl Bump {
    /// The next version; nothing where the one before is no `1.2.3`.
    #[must_use]
    pub fn after(self, version: &str) -> Option<String> {
        let numbers: Vec<u64> = version
            .split('.')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
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
        f.pad(match self {
            Self::Breaking => "breaking",
            Self::Additive => "additive",
            Self::Documentation => "documentation",
        })
    }
}

impl fmt::Display for Bump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

/// Collects the changes of one action, or of the service.
#[derive(Debug, Default)]
struct Log {
    action: Option<String>,
    changes: Vec<Change>,
}

impl Log {
    fn note(
        &mut self,
        class: Class,
        place: impl Into<String>,
        what: &'static str,
        item: impl Into<String>,
        reason: impl Into<String>,
    ) -> Noted<'_> {
        let index = self.changes.len();
        self.changes.push(Change {
            action: self.action.clone(),
            place: place.into(),
            what,
            from: None,
            to: None,
            class,
            is_silent: false,
            reason: reason.into(),
            item: item.into(),
        });
        Noted(&mut self.changes[index])
    }

    /// Notes words that differ.
    fn words(&mut self, place: &str, what: &'static str, item: &str, are_same: bool) {
        if !are_same {
            let reason = "The documentation says it in other words; the code is the same.";
            self.note(Class::Documentation, place, what, item, reason);
        }
    }
}

/// A change that has been noted, to say more of it.
struct Noted<'l>(&'l mut Change);

impl Noted<'_> {
    fn between(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.0.from = Some(from.into());
        self.0.to = Some(to.into());
        self
    }

    /// Code compiles on, and does another thing.
    fn silently(self) -> Self {
        self.0.is_silent = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(class: Class) -> Changes {
        let mut log = Log::default();
        log.note(Class::Documentation, "a", "text", "b", "c");
        log.note(class, "a", "new", "b", "c");
        Changes {
            changes: log.changes,
        }
    }

    #[test]
    fn before_1_0_a_break_raises_the_middle_number() {
        for (class, version, next) in [
            (Class::Breaking, "0.1.2", "0.2.0"),
            (Class::Additive, "0.1.2", "0.1.3"),
            (Class::Documentation, "0.1.2", "0.1.3"),
            (Class::Breaking, "1.1.2", "2.0.0"),
            (Class::Additive, "1.1.2", "1.2.0"),
            (Class::Documentation, "1.1.2", "1.1.3"),
        ] {
            let bump = changes(class).bump(version);
            assert_eq!(
                bump.after(version).as_deref(),
                Some(next),
                "{class} {version}"
            );
        }
        let none = Changes::default().bump("0.1.2");
        assert_eq!(none.after("0.1.2").as_deref(), Some("0.1.2"));
        for odd in ["1.2", "1.2.3.4", "1.2.x", "", "18446744073709551615.0.0"] {
            assert_eq!(Bump::Major.after(odd), None, "{odd}");
        }
    }
}
