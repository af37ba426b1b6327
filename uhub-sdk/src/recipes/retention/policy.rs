//! The policy as its author writes it, and its check.

use std::{
    collections::HashSet,
    error::Error as StdError,
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

use glob::{MatchOptions, Pattern};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::wire::timestamp::Timestamp;

/// Which tags to keep: a list of rules. For each image, the first rule that matches it decides; an
/// image without a rule is not touched.
///
/// A policy is plain data. It is written in Rust or read from JSON, YAML or another format of serde.
/// Reading it reports every mistake of every rule. In YAML, quote globs: `*` has a meaning there.
///
/// # Examples
///
/// ```
/// use uhub_sdk::recipes::retention::{Keep, Policy, Rule};
///
/// let from_json: Policy = serde_json::from_str(
///     r#"{
///         "rules": [{
///             "name": "services",
///             "images": ["services/*"],
///             "keep": { "newest": 10, "newer_than": "30d", "tags": ["release-*"] }
///         }]
///     }"#,
/// )?;
///
/// let keep = Keep::new().newest(10).newer_than_days(30).tag("release-*");
/// let built = Policy::new([Rule::new("services").image("services/*").keep(keep)]);
/// assert_eq!(from_json, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Policy {
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// The offset from UTC of times without one, such as `+08:00`. `None`, the default, keeps every
    /// tag whose age a rule needs and whose time has no offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed_offset: Option<String>,
    /// Whether to delete a tag that has the digest of a tag that is kept, or has no digest. `false`,
    /// the default, keeps it: the service's documentation does not say whether deleting one tag
    /// deletes the image that both stand for.
    #[serde(skip_serializing_if = "is_false")]
    pub delete_shared_digests: bool,
}

/// Which tags of some images to keep.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rule {
    /// The name, shown in plans. It is unique within the policy.
    pub name: String,
    /// [Globs](super#globs) of the images that the rule is about, as `repository/image`.
    pub images: Vec<String>,
    /// [Globs](super#globs) of the tags that may be deleted. All other tags are kept and not counted
    /// by [`keep`](Self::keep). Defaults to all tags.
    #[serde(default = "all", skip_serializing_if = "is_all")]
    pub only: Vec<String>,
    /// What to keep. A tag is kept if one of the clauses holds for it.
    #[serde(default)]
    pub keep: Keep,
    /// Whether the rule may delete every tag of an image. Without it, [`Keep::newest`] must be at
    /// least 1: any other clause can match no tag at all.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keep_nothing: bool,
}

/// The clauses of a [`Rule`]. A tag is kept if one of them holds for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Keep {
    /// Keeps the tags that were updated last, this many. Of tags with the same time, those with the
    /// last names are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<usize>,
    /// Keeps the tags that were updated within this time before the plan is made. In JSON, a text
    /// such as `30d` or `12h`. A `month` has 30.44 days and a `year` 365.25; `m` is rejected, since it
    /// could be a minute or a month.
    #[serde(skip_serializing_if = "Option::is_none", with = "duration")]
    pub newer_than: Option<Duration>,
    /// Keeps the tags that match one of these [globs](super#globs).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Keeps the tags with the highest semantic versions, this many versions: `1.2.3` or `v1.2.3`.
    /// `1.2` and `20240131` are not semantic versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highest_versions: Option<usize>,
    /// Keeps the tags with the highest pre-releases, this many versions: `1.2.3-rc.1`. They do not
    /// count as [`highest_versions`](Self::highest_versions). `1.2.3-alpine` is a pre-release, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highest_pre_releases: Option<usize>,
    /// Keeps the tag `latest`. Defaults to `true`.
    #[serde(skip_serializing_if = "is_true")]
    pub latest: bool,
}

impl Policy {
    /// Creates a policy from rules.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self { rules: rules.into_iter().collect(), ..Self::default() }
    }

    /// Sets [`assumed_offset`](field@Self::assumed_offset).
    #[must_use]
    pub fn assumed_offset(mut self, offset: impl Into<String>) -> Self {
        self.assumed_offset = Some(offset.into());
        self
    }

    /// Sets [`delete_shared_digests`](field@Self::delete_shared_digests).
    #[must_use]
    pub fn delete_shared_digests(mut self, value: bool) -> Self {
        self.delete_shared_digests = value;
        self
    }

    /// Checks the policy. [`plan`](crate::recipes::retention::plan) does it, too.
    ///
    /// # Errors
    ///
    /// Returns every mistake: a rule without a name or with the name of another, without images,
    /// with an invalid glob, or that could delete every tag of an image without saying so; an
    /// invalid offset; no rule.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        CheckedPolicy::new(self).map(drop)
    }
}

impl Rule {
    /// Creates a rule that matches no image yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), only: all(), ..Self::default() }
    }

    /// Adds a glob to [`images`](field@Self::images).
    #[must_use]
    pub fn image(mut self, glob: impl Into<String>) -> Self {
        self.images.push(glob.into());
        self
    }

    /// Sets [`only`](field@Self::only).
    #[must_use]
    pub fn only(mut self, globs: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.only = globs.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`keep`](field@Self::keep).
    #[must_use]
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Sets [`keep_nothing`](field@Self::keep_nothing). The clauses still keep what they match.
    #[must_use]
    pub fn keep_nothing(mut self, value: bool) -> Self {
        self.keep_nothing = value;
        self
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            newest: None,
            newer_than: None,
            tags: Vec::new(),
            highest_versions: None,
            highest_pre_releases: None,
            latest: true,
        }
    }
}

impl Keep {
    /// Creates clauses that keep `latest` only.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`newest`](field@Self::newest).
    #[must_use]
    pub fn newest(mut self, tags: usize) -> Self {
        self.newest = Some(tags);
        self
    }

    /// Sets [`newer_than`](field@Self::newer_than).
    #[must_use]
    pub fn newer_than(mut self, age: Duration) -> Self {
        self.newer_than = Some(age);
        self
    }

    /// Sets [`newer_than`](field@Self::newer_than) to days of 24 hours.
    #[must_use]
    pub fn newer_than_days(self, days: u32) -> Self {
        self.newer_than(Duration::from_secs(u64::from(days) * 24 * 60 * 60))
    }

    /// Adds a glob to [`tags`](field@Self::tags).
    #[must_use]
    pub fn tag(mut self, glob: impl Into<String>) -> Self {
        self.tags.push(glob.into());
        self
    }

    /// Sets [`highest_versions`](field@Self::highest_versions).
    #[must_use]
    pub fn highest_versions(mut self, versions: usize) -> Self {
        self.highest_versions = Some(versions);
        self
    }

    /// Sets [`highest_pre_releases`](field@Self::highest_pre_releases).
    #[must_use]
    pub fn highest_pre_releases(mut self, versions: usize) -> Self {
        self.highest_pre_releases = Some(versions);
        self
    }

    /// Sets [`latest`](field@Self::latest).
    #[must_use]
    pub fn latest(mut self, value: bool) -> Self {
        self.latest = value;
        self
    }
}

/// The mistakes of a policy, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPolicy {
    problems: Vec<String>,
}

impl InvalidPolicy {
    /// Returns the mistakes. Each names its rule.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid policy:")?;
        for problem in &self.problems {
            write!(f, "\n- {problem}")?;
        }
        Ok(())
    }
}

impl StdError for InvalidPolicy {}

/// A valid policy with its globs compiled.
#[derive(Debug)]
pub(super) struct CheckedPolicy<'a> {
    rules: Vec<CheckedRule<'a>>,
    pub(super) assumed_offset_seconds: Option<i32>,
    pub(super) delete_shared_digests: bool,
}

#[derive(Debug)]
pub(super) struct CheckedRule<'a> {
    pub(super) name: &'a str,
    pub(super) keep: &'a Keep,
    images: Globs,
    pub(super) only: Globs,
    pub(super) tags: Globs,
}

impl<'a> CheckedPolicy<'a> {
    pub(super) fn new(policy: &'a Policy) -> Result<Self, InvalidPolicy> {
        let mut problems = Vec::new();
        if policy.rules.is_empty() {
            problems.push("`rules` is empty: add a rule.".to_owned());
        }
        let mut names = HashSet::new();
        let rules = policy.rules.iter().enumerate().map(|(index, rule)| {
            let place = place_of_rule(index, Some(&rule.name));
            let mut problem = |text: String| problems.push(format!("{place}: {text}"));
            if rule.name.is_empty() {
                problem("`name` is empty.".to_owned());
            } else if !names.insert(&rule.name) {
                problem("another rule has this name.".to_owned());
            }
            if rule.images.is_empty() {
                problem("`images` is empty. For every image, write `**`.".to_owned());
            }
            if rule.only.is_empty() {
                problem("`only` is empty. For every tag, omit it.".to_owned());
            }
            if !rule.keep_nothing && rule.keep.newest.unwrap_or(0) == 0 {
                problem(
                    "it could delete every tag of an image. Set `keep.newest` to at least 1, or \
                     `keep_nothing` to true if that is what you want."
                        .to_owned(),
                );
            }
            CheckedRule {
                name: &rule.name,
                keep: &rule.keep,
                images: Globs::new("images", &rule.images, &mut problem),
                only: Globs::new("only", &rule.only, &mut problem),
                tags: Globs::new("keep.tags", &rule.keep.tags, &mut problem),
            }
        });
        let rules = rules.collect();
        let assumed_offset_seconds = policy.assumed_offset.as_ref().and_then(|text| {
            let seconds = offset_seconds(text);
            if seconds.is_none() {
                problems.push(format!(
                    "`assumed_offset` is {text:?}. Write an offset from UTC, such as `+08:00`."
                ));
            }
            seconds
        });
        if !problems.is_empty() {
            return Err(InvalidPolicy { problems });
        }
        let delete_shared_digests = policy.delete_shared_digests;
        Ok(Self { rules, assumed_offset_seconds, delete_shared_digests })
    }

    /// Returns the instant of a time, if it names one. Zeros stand for no time.
    pub(super) fn instant(&self, time: &Timestamp) -> Option<SystemTime> {
        let instant = match self.assumed_offset_seconds {
            Some(offset) => time.to_system_time_assuming_offset(offset),
            None => time.to_system_time(),
        };
        instant.filter(|instant| *instant > SystemTime::UNIX_EPOCH)
    }

    /// Returns the first rule that matches an image.
    pub(super) fn rule_of(&self, repository: &str, image: &str) -> Option<&CheckedRule<'a>> {
        let name = format!("{repository}/{image}");
        self.rules.iter().find(|rule| rule.images.matching(&name).is_some())
    }
}

#[derive(Debug)]
pub(super) struct Globs(Vec<Pattern>);

impl Globs {
    fn new(key: &str, globs: &[String], problem: &mut impl FnMut(String)) -> Self {
        let compiled = globs.iter().filter_map(|glob| {
            let compiled = match mistake(key, glob) {
                None => Pattern::new(glob).map_err(|error| error.msg),
                Some(mistake) => Err(mistake),
            };
            compiled
                .inspect_err(|error| {
                    problem(format!("`{key}` has the invalid glob {glob:?}: {error}."));
                })
                .ok()
        });
        Self(compiled.collect())
    }

    /// Returns the first glob that matches a name.
    pub(super) fn matching(&self, name: &str) -> Option<&str> {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        self.0.iter().find(|glob| glob.matches_with(name, options)).map(Pattern::as_str)
    }
}

/// Returns what is wrong with a glob that compiles but would match nothing: a rule or a clause that
/// should keep tags would be ignored silently.
fn mistake(key: &str, glob: &str) -> Option<&'static str> {
    if glob.starts_with('!') {
        return Some("`!` does not negate it");
    }
    if glob.contains(|c: char| c.is_whitespace() || r"{}()|\^$+".contains(c)) {
        return Some(
            "spaces and the characters `{}()|\\^$+` have no meaning. Write several globs instead of \
             alternatives",
        );
    }
    (key == "images" && !glob.contains('/') && glob != "**")
        .then_some("write `repository/image`, or `**` for every image")
}

/// Reads `+08:00`, `-03:30` or `Z`.
fn offset_seconds(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |digits: &str, below: i32| {
        let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| i32::from_str(digits).ok()).flatten().filter(|value| *value < below)
    };
    Some(sign * (number(hours, 24)? * 60 + number(minutes, 60)?) * 60)
}

fn place_of_rule(index: usize, name: Option<&str>) -> String {
    match name {
        Some(name) if !name.is_empty() => format!("rule {} ({name:?})", index + 1),
        _ => format!("rule {}", index + 1),
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        /// A policy whose rules are not read yet, so that the mistakes of all are found.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Unread {
            rules: Vec<UniqueKeys>,
            #[serde(default)]
            assumed_offset: Option<String>,
            #[serde(default)]
            delete_shared_digests: bool,
        }
        let unread = Unread::deserialize(from)?;
        let mut problems = Vec::new();
        let mut rules = Vec::new();
        for (index, UniqueKeys(rule)) in unread.rules.into_iter().enumerate() {
            let place = place_of_rule(index, rule["name"].as_str());
            match Rule::deserialize(rule) {
                Ok(rule) => rules.push(rule),
                Err(error) => problems.push(format!("{place}: {error}.")),
            }
        }
        let is_read = problems.is_empty();
        let policy = Self {
            rules,
            assumed_offset: unread.assumed_offset,
            delete_shared_digests: unread.delete_shared_digests,
        };
        // The numbers of rules are right only if every rule was read.
        match policy.check() {
            Err(invalid) if is_read => problems = invalid.problems,
            _ => {}
        }
        if problems.is_empty() {
            return Ok(policy);
        }
        Err(D::Error::custom(InvalidPolicy { problems }))
    }
}

/// A value without an object that has a key twice: `Value` takes the last one silently.
struct UniqueKeys(Value);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(UniqueKeysVisitor).map(Self)
    }
}

struct UniqueKeysVisitor;

impl<'de> Visitor<'de> for UniqueKeysVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(UniqueKeys(value)) = from.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((key, UniqueKeys(value))) = from.next_entry::<String, UniqueKeys>()? {
            if fields.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate field `{key}`")));
            }
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

/// Writes a duration in its largest whole unit.
pub(super) fn duration_text(value: Duration) -> String {
    const HOUR: u64 = 60 * 60;
    let seconds = value.as_secs();
    if value.subsec_nanos() > 0 {
        format!("{}ns", value.as_nanos())
    } else if seconds.is_multiple_of(24 * HOUR) {
        format!("{}d", seconds / (24 * HOUR))
    } else if seconds.is_multiple_of(HOUR) {
        format!("{}h", seconds / HOUR)
    } else {
        format!("{seconds}s")
    }
}

/// A duration as text, such as `30d`.
mod duration {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(duration_text).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else {
            return Ok(None);
        };
        let mut units = text.split(|c: char| c.is_ascii_digit() || c.is_whitespace());
        let parsed = match units.any(|unit| unit.eq_ignore_ascii_case("m")) {
            true => Err("`m` could be a minute or a month".to_owned()),
            false => humantime::parse_duration(&text).map_err(|error| error.to_string()),
        };
        parsed.map(Some).map_err(|error| {
            D::Error::custom(format!(
                "`newer_than` is {text:?}: {error}. Write a duration, such as `30d` or `12h`"
            ))
        })
    }
}

fn all() -> Vec<String> {
    vec!["**".to_owned()]
}

fn is_all(globs: &[String]) -> bool {
    globs == all()
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_true(value: &bool) -> bool {
    *value
}
