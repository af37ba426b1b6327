//! What all actions share, and which actions there are.

use std::collections::BTreeMap;

use super::{Changes, Class, Log, action, hint};
use crate::model::{Action, Outcome, ReturnCode, Service};

/// What has changed from one model to the other.
pub(crate) fn diff(old: &Service, new: &Service) -> Changes {
    let mut log = Log::default();
    service(old, new, &mut log);
    return_codes(old, new, &mut log);
    let mut changes = log.changes;

    let (before, after) = (calls(old), calls(new));
    let gone = || before.iter().filter(|(key, _)| !after.contains_key(*key));
    let added = || after.iter().filter(|(key, _)| !before.contains_key(*key));
    // By what they take and answer: how many are gone, and the names of the new ones.
    let mut alike: BTreeMap<_, (usize, Vec<&str>)> = BTreeMap::new();
    for (_, action) in gone() {
        alike.entry(action::shape(action)).or_default().0 += 1;
    }
    for (_, action) in added() {
        if let Some((_, new)) = alike.get_mut(&action::shape(action)) {
            new.push(&action.wire);
        }
    }
    for (key, old_action) in &before {
        let name = action::name(old_action);
        let mut log = Log {
            action: Some(name.clone()),
            changes: Vec::new(),
        };
        if let Some(new_action) = after.get(key) {
            action::compare(old_action, new_action, &mut log);
        } else {
            let hint = alike
                .get(&action::shape(old_action))
                .map_or_else(String::new, |(gone, new)| hint::renamed(&name, *gone, new));
            let reason = format!("Its module and the client's method are gone.{hint}");
            let item = format!("actions::{}", old_action.rust);
            log.note(Class::Breaking, "action", "gone", item, reason);
        }
        changes.extend(log.changes);
    }
    for (_, action) in added() {
        let mut log = Log {
            action: Some(action::name(action)),
            changes: Vec::new(),
        };
        let reason = "A module of its own and a method of the client.";
        let item = format!("Client::{}", action.rust);
        log.note(Class::Additive, "action", "new", item, reason);
        changes.extend(log.changes);
    }
    changes.sort_by(|a, b| (&a.action, a.class).cmp(&(&b.action, b.class)));
    Changes { changes }
}

/// The calls of a service by their action, and by whether they are the one that leaves a parameter out.
fn calls(service: &Service) -> BTreeMap<(&str, bool), &Action> {
    let key = |action: &Action| {
        action
            .variant
            .as_ref()
            .is_some_and(|variant| !variant.is_with)
    };
    let actions = service.actions.iter();
    actions
        .map(|action| ((action.wire.as_str(), key(action)), action))
        .collect()
}

fn service(old: &Service, new: &Service, log: &mut Log) {
    if old.name != new.name {
        let reason = "Examples in the documentation name the crate after it.";
        log.note(Class::Documentation, "service", "name", "crate", reason)
            .between(&old.name, &new.name);
    }
    let endpoint = "service::ENDPOINT";
    log.words("endpoint", "text", endpoint, old.summary == new.summary);
    if old.endpoint != new.endpoint {
        let reason = "A client that was told no endpoint sends its calls elsewhere.";
        log.note(Class::Breaking, "endpoint", "value", endpoint, reason)
            .between(&old.endpoint, &new.endpoint)
            .silently();
    }
    let lists = [
        (
            "common parameter",
            &old.common_parameters,
            &new.common_parameters,
        ),
        (
            "common response field",
            &old.common_response,
            &new.common_response,
        ),
    ];
    for (kind, old, new) in lists {
        for (what, name) in gone_and_new(old, new) {
            let reason = "What all actions have is the core's, which is written by hand: look whether it has to follow.";
            let place = format!("{kind} `{name}`");
            log.note(Class::Documentation, place, what, "the core", reason);
        }
    }
    for (what, name) in gone_and_new(&old.client_parameters, &new.client_parameters) {
        let reason = match what {
            "gone" => "A client's own value is no longer sent where a call has none.",
            _ => "A client that has a value of its own for it sends that where a call has none.",
        };
        let place = format!("client parameter `{name}`");
        log.note(Class::Breaking, place, what, "Client", reason)
            .silently();
    }
}

fn gone_and_new<'a>(
    old: &'a [String],
    new: &'a [String],
) -> impl Iterator<Item = (&'static str, &'a String)> {
    let gone = old.iter().filter(|name| !new.contains(name));
    let added = new.iter().filter(|name| !old.contains(name));
    gone.map(|name| ("gone", name))
        .chain(added.map(|name| ("new", name)))
}

fn return_codes(old: &Service, new: &Service, log: &mut Log) {
    let constant = |code: &ReturnCode| format!("RetCode::{}", code.rust);
    let find = |codes: &[ReturnCode], code: i64| codes.iter().position(|it| it.code == code);
    for code in &old.return_codes {
        let place = format!("return code {}", code.code);
        let Some(index) = find(&new.return_codes, code.code) else {
            let reason = "The constant is gone, and the code is an unknown one: whether its call was carried out is unknown too.";
            log.note(Class::Breaking, place, "gone", constant(code), reason);
            continue;
        };
        let now = &new.return_codes[index];
        if code.rust != now.rust {
            let reason = "The constant has another name.";
            log.note(Class::Breaking, &place, "Rust name", constant(code), reason)
                .between(&code.rust, &now.rust);
        }
        let item = constant(now);
        if code.outcome != now.outcome {
            let reason = "What an error says of its execution, and whether it may be repeated, is another thing.";
            log.note(Class::Documentation, &place, "outcome", &item, reason)
                .between(outcome(code.outcome), outcome(now.outcome))
                .silently();
        }
        log.words(&place, "meaning", &item, code.meaning == now.meaning);
        log.words(&place, "remedy", &item, code.remedy == now.remedy);
    }
    for code in &new.return_codes {
        if find(&old.return_codes, code.code).is_none() {
            let reason = "The constant is new, and an error with this code says more of its execution than before.";
            let place = format!("return code {}", code.code);
            log.note(Class::Additive, place, "new", constant(code), reason);
        }
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Rejected => "rejected",
        Outcome::Throttled => "throttled",
        Outcome::Unknown => "unknown",
    }
}
