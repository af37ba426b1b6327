//! Two surfaces side by side: which items are gone, new or changed.

use std::collections::BTreeMap;

use super::{
    change::Change,
    hint::Candidates,
    rules::{condition, effect},
    surface::{Item, JSON, Kind, PROSE, Pair, SECONDARY},
};

/// Collects the changes from one surface to another.
#[derive(Debug, Default)]
pub(super) struct Comparison<'a> {
    pub(super) changes: Vec<Change>,
    action: Option<&'a str>,
}

/// Sibling items by their names.
struct Siblings<'a> {
    by_name: BTreeMap<(Kind, &'a str), &'a Item>,
    by_rust: BTreeMap<(Kind, &'a str), &'a Item>,
}

impl<'a> Siblings<'a> {
    fn new(items: &'a [Item]) -> Self {
        let by_name = items.iter().map(|item| ((item.kind, &item.name[..]), item));
        let by_rust = items.iter().map(|item| ((item.kind, item.value("Rust name")), item));
        Self { by_name: by_name.collect(), by_rust: by_rust.collect() }
    }

    /// Each item with its counterpart: the one with the same documented name, else one under a new
    /// documented name with the same Rust name.
    fn pair(items: &'a [Item], siblings: &Self, others: &Self) -> Vec<Pair<'a>> {
        let renamed = |item: &Item| {
            let same_rust = *others.by_rust.get(&(item.kind, item.value("Rust name")))?;
            let is_new = !siblings.by_name.contains_key(&(item.kind, &same_rust.name));
            (item.is_known_by_rust_name() && is_new).then_some(same_rust)
        };
        let counterpart = |item: &Item| {
            let same = others.by_name.get(&(item.kind, &item.name[..]));
            same.copied().or_else(|| renamed(item))
        };
        items.iter().map(|item| (item, counterpart(item))).collect()
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn compare(&mut self, old: &'a Item, new: &'a Item) {
        if old.kind == Kind::Action {
            self.action = Some(&old.name);
        }
        let mut is_explained = false;
        for from in &old.facts {
            let Some(to) = new.facts.iter().find(|to| to.aspect == from.aspect) else {
                continue;
            };
            is_explained &= SECONDARY.contains(&from.aspect);
            if !is_explained && !from.keys.iter().any(|key| to.keys.contains(key)) {
                self.report(old, from.aspect, Some([&from.keys[0], &to.keys[0]]));
                is_explained = true;
            }
        }

        let (before, after) = (Siblings::new(&old.items), Siblings::new(&new.items));
        let old_items = Siblings::pair(&old.items, &before, &after);
        let new_items = Siblings::pair(&new.items, &after, &before);
        let candidates = Candidates::new(&old_items, &new_items);
        for (item, counterpart) in &old_items {
            if let Some(counterpart) = counterpart {
                self.compare(item, counterpart);
            } else if let Some(change) = self.report(item, "gone", None) {
                change.reason += &candidates.hint(item);
            }
        }
        for (item, _) in new_items.iter().filter(|(_, old)| old.is_none()) {
            self.report(item, "new", None);
        }
        match old.kind {
            Kind::Action => self.action = None,
            Kind::Service | Kind::SharedVariant => {}
            _ => {
                let is_positional =
                    [old, new].iter().all(|item| item.value("constructor") == "arguments");
                self.compare_order(old, &new_items, is_positional);
            }
        }
    }

    /// Reports what no item shows by itself: that the same code passes its arguments under other
    /// names, and that the items are in another order.
    fn compare_order(&mut self, old: &'a Item, new_items: &[Pair<'a>], is_positional: bool) {
        let name = |item: &'a Item| &item.name[..];
        let old_name = |(item, origin): &Pair<'a>| name(origin.unwrap_or(item));
        // The fields of a struct have names, and no order that code depends on.
        let is_argument = |item: &Item| item.is_argument() && is_positional;
        let arguments = old.items.iter().filter(|item| is_argument(item));
        let new_arguments = new_items.iter().filter(|(item, _)| is_argument(item));
        let before: Vec<&str> = arguments.clone().map(name).collect();
        let after: Vec<&str> = new_arguments.clone().map(old_name).collect();
        let mut types = arguments.zip(new_arguments.clone());
        let compiles = before.len() == after.len()
            && types.all(|(old, (new, _))| accepts(new.value("type"), old.value("type")));
        if is_reordered(&before, &after) || (compiles && before != after) {
            let aspect = match compiles {
                true => "arguments",
                false => "argument order",
            };
            let after: Vec<&str> = new_arguments.map(|(item, _)| name(item)).collect();
            let [from, to] = [before, after].map(|names| format!("new({})", names.join(", ")));
            if let Some(change) = self.report(old, aspect, Some([&from, &to])) {
                change.item += "::new";
            }
            return;
        }
        let before: Vec<&str> = old.items.iter().map(name).collect();
        let after: Vec<&str> = new_items.iter().map(old_name).collect();
        if is_reordered(&before, &after) {
            self.report(old, "order", None);
        }
    }

    fn report(
        &mut self,
        item: &Item,
        aspect: &'static str,
        values: Option<[&str; 2]>,
    ) -> Option<&mut Change> {
        let [from, to] = values.unwrap_or([condition(item); 2]);
        let (class, is_silent, reason) = effect(item.kind, aspect, from, to);
        let shown = values.filter(|_| !PROSE.contains(&aspect));
        let action = match item.kind {
            Kind::Action => Some(&item.name[..]),
            _ => self.action,
        };
        let change = Change {
            action: action.map(str::to_owned),
            subject: item.subject.clone(),
            aspect,
            from: shown.map(|[from, _]| from.to_owned()),
            to: shown.map(|[_, to]| to.to_owned()),
            class,
            is_silent,
            reason: reason.to_owned(),
            item: item.path.clone(),
        };
        // A parameter and a field can have the same enum, whose changes are reported once.
        let latest = self.changes.iter().rev();
        let mut of_action = latest.take_while(|it| it.action == change.action);
        if of_action.any(|it| *it == change) {
            return None;
        }
        self.changes.push(change);
        self.changes.last_mut()
    }
}

fn is_reordered(before: &[&str], after: &[&str]) -> bool {
    let kept = before.iter().filter(|name| after.contains(name));
    !after.iter().filter(|name| before.contains(name)).eq(kept)
}

/// Whether a parameter accepts arguments of another one's type.
fn accepts(ty: &str, argument: &str) -> bool {
    let mut scalars = ["String", "i64", "f64", "bool"].into_iter();
    ty == argument || scalars.any(|scalar| ty.replace(JSON, scalar) == argument)
}
