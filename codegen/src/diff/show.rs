//! Changes as text for people, as Markdown for a changelog and as JSON for programs.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::change::{Bump, Change, Changes, Class};

const SECTIONS: [(Class, &str); 3] = [
    (Class::Breaking, "Breaking"),
    (Class::Additive, "Added"),
    (Class::Documentation, "Documentation and behaviour"),
];

impl Changes {
    /// Returns each change with its reason and its Rust item, followed by the
    /// [summary](Self::summary).
    #[must_use]
    pub fn to_text(&self, version: &str) -> String {
        let mut text = String::new();
        let mut last = None;
        for change in &self.changes {
            if last.replace(&change.action) != Some(&change.action) {
                let _ = writeln!(text, "{}", change.owner());
            }
            let silent = if change.is_silent { " (silent)" } else { "" };
            let _ = writeln!(text, "  {:<13} {}{silent}", change.class, change.headline());
            for line in [&change.reason, &change.item] {
                let _ = writeln!(text, "{:16}{line}", "");
            }
        }
        text + &self.summary(version)
    }

    /// Returns the number of changes of each class and the next version that they require:
    /// `2 breaking, 1 additive, 0 documentation: minor, 0.1.0 → 0.2.0`.
    #[must_use]
    pub fn summary(&self, version: &str) -> String {
        let bump = self.bump(version);
        if bump == Bump::None {
            return "no changes".to_owned();
        }
        let counts = SECTIONS.map(|(class, _)| format!("{} {class}", self.of(class).count()));
        let next = bump.after(version);
        let next = next.map_or_else(String::new, |next| format!(", {version} → {next}"));
        format!("{}: {bump}{next}", counts.join(", "))
    }

    /// Returns the sections of a changelog.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut sections = Vec::new();
        for (class, title) in SECTIONS {
            let changes: String = self.of(class).map(Change::to_markdown).collect();
            if !changes.is_empty() {
                sections.push(format!("### {title}\n\n{changes}"));
            }
        }
        sections.join("\n")
    }

    /// Returns the changes, the number of each class and the next version that they require.
    #[must_use]
    pub fn to_json(&self, version: &str) -> String {
        let changes: Vec<Value> = self.changes.iter().map(Change::to_json).collect();
        let count = |(class, _): (Class, _)| (class.to_string(), self.of(class).count().into());
        let counts: Map<String, Value> = SECTIONS.into_iter().map(count).collect();
        let bump = self.bump(version);
        let json = json!({
            "changes": changes,
            "counts": counts,
            "bump": bump.to_string(),
            "version": { "from": version, "to": bump.after(version) },
        });
        format!("{json:#}")
    }

    fn of(&self, class: Class) -> impl Iterator<Item = &Change> {
        let changes = self.changes.iter();
        changes.filter(move |change| change.class == class)
    }
}

impl Change {
    fn owner(&self) -> &str {
        self.action.as_deref().unwrap_or("service")
    }

    /// `` parameter `Limit`: required, optional → required ``.
    fn headline(&self) -> String {
        let (subject, aspect) = (&self.subject, self.aspect);
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!("{subject}: {aspect}, {from} → {to}"),
            _ if matches!(aspect, "gone" | "new") => format!("{subject} is {aspect}"),
            _ => format!("{subject}: {aspect}"),
        }
    }

    fn to_markdown(&self) -> String {
        let (owner, headline) = (self.owner(), self.headline());
        format!("- `{owner}`: {headline}. {} (`{}`)\n", self.reason, self.item)
    }

    fn to_json(&self) -> Value {
        json!({
            "action": self.action,
            "subject": self.subject,
            "aspect": self.aspect,
            "from": self.from,
            "to": self.to,
            "class": self.class.to_string(),
            "silent": self.is_silent,
            "reason": self.reason,
            "item": self.item,
        })
    }
}
