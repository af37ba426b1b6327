//! Changes as text for people, as Markdown for a changelog and as JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Bump, Change, Changes, Class};

const CLASSES: [(Class, &str); 3] = [
    (Class::Breaking, "Breaking"),
    (Class::Additive, "Added"),
    (Class::Documentation, "Documentation and behaviour"),
];

impl Changes {
    /// Each change with its reason and its Rust item, then how many there are and the version they call
    /// for after this one.
    #[must_use]
    pub fn to_text(&self, version: &str) -> String {
        let mut text = String::new();
        let mut last = None;
        for change in &self.changes {
            if last != Some(&change.action) {
                let _ = writeln!(text, "{}", change.action.as_deref().unwrap_or("service"));
                last = Some(&change.action);
            }
            let silent = if change.is_silent { " (silent)" } else { "" };
            let _ = writeln!(text, "  {:<13} {}{silent}", change.class, change.headline());
            for line in [&change.reason, &change.item] {
                let _ = writeln!(text, "{:16}{line}", "");
            }
        }
        text + &self.summary(version)
    }

    /// `2 breaking, 1 additive, 0 documentation: minor, 0.1.0 → 0.2.0`.
    #[must_use]
    pub fn summary(&self, version: &str) -> String {
        let bump = self.bump(version);
        let counts = CLASSES.map(|(class, _)| format!("{} {class}", self.count(class)));
        match bump.after(version) {
            _ if bump == Bump::None => "nothing has changed".to_owned(),
            Some(next) => format!("{}: {bump}, {version} → {next}", counts.join(", ")),
            None => format!("{}: {bump}", counts.join(", ")),
        }
    }

    /// The sections of a changelog.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        for (class, title) in CLASSES {
            if self.count(class) == 0 {
                continue;
            }
            let blank = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{blank}### {title}\n");
            for change in self.changes.iter().filter(|change| change.class == class) {
                let action = change.action.as_deref().unwrap_or("service");
                let (headline, reason) = (change.headline(), &change.reason);
                let _ = writeln!(
                    text,
                    "- `{action}`: {headline}. {reason} (`{}`)",
                    change.item
                );
            }
        }
        text
    }

    /// For programs: the changes, how many of each class, and the version they call for after this one.
    #[must_use]
    pub fn to_json(&self, version: &str) -> String {
        let changes: Vec<Value> = self.changes.iter().map(Change::to_json).collect();
        let bump = self.bump(version);
        let counts: serde_json::Map<String, Value> = CLASSES
            .into_iter()
            .map(|(class, _)| (class.to_string(), self.count(class).into()))
            .collect();
        let json = json!({
            "changes": changes,
            "counts": counts,
            "bump": bump.to_string(),
            "version": { "from": version, "to": bump.after(version) },
        });
        format!("{json:#}")
    }

    fn count(&self, class: Class) -> usize {
        self.changes
            .iter()
            .filter(|change| change.class == class)
            .count()
    }
}

impl Change {
    /// `` parameter `Limit`: required, optional → required ``.
    fn headline(&self) -> String {
        let Self {
            place,
            what,
            from,
            to,
            ..
        } = self;
        match (from, to, *what) {
            (Some(from), Some(to), what) => format!("{place}: {what}, {from} → {to}"),
            (_, _, "gone" | "new") => format!("{place} is {what}"),
            _ => format!("{place}: {what}"),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "action": self.action,
            "place": self.place,
            "what": self.what,
            "from": self.from,
            "to": self.to,
            "class": self.class.to_string(),
            "silent": self.is_silent,
            "reason": self.reason,
            "item": self.item,
        })
    }
}
