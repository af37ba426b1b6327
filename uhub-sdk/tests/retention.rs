//! The retention recipe against the local server, with faults, and the `cleanup` example.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    collections::BTreeSet,
    fs,
    process::{Output, Stdio},
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use common::example;
use serde_json::{Value, json};
use uhub_sdk::{
    Attempt, Client, ClientBuilder, ErrorKind, Observer, RetCode, RetryPolicy,
    actions::{delete_repo::DeleteRepoRequest, delete_repo_image::DeleteRepoImageRequest},
    local::{Fault, Image, LocalUhub, Repository, Scope as FaultScope, Tag},
    recipes::{
        ensure_repo_deleted, ensure_tag_deleted,
        retention::{
            Keep, Plan, PlanError, Policy, Report, Rule, Scope, SkipReason, TagOutcome, plan,
        },
    },
};

const NOW: u64 = 1_700_000_000;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

/// A tag that is so many days old and has its own digest.
fn tag(name: impl Into<String>, days: u64) -> Tag {
    let name = name.into();
    let mut tag = Tag::new(name.clone()).digest(format!("sha256:{name}"));
    tag.update_time = (NOW - days * 86_400).to_string();
    tag
}

/// A server with one image of so many tags, named after their ages in days.
async fn one_image(tags: u64) -> LocalUhub {
    let image = Image::new("api").tags((0..tags).map(|days| tag(format!("day-{days}"), days)));
    let other = Image::new("other").tags((0..3).map(|days| tag(format!("day-{days}"), days)));
    LocalUhub::builder()
        .repository(Repository::new("base").image(image))
        .repository(Repository::new("rest").image(other))
        .start()
        .await
        .unwrap()
}

fn client(uhub: &LocalUhub) -> Client {
    let retry = RetryPolicy::default().with_base_delay(Duration::from_millis(1));
    ClientBuilder::for_local(uhub).retry(retry).build().unwrap()
}

fn keep_newest(tags: usize) -> Policy {
    Policy::new([Rule::new("base").image("base/*").keep(Keep::new().newest(tags))])
}

async fn plan_all(client: &Client, policy: &Policy) -> Plan {
    plan(client, &Scope::project("org-local"), policy, now()).await.unwrap()
}

/// Every tag on the server.
fn tags(uhub: &LocalUhub) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for repository in &uhub.data().projects[0].repositories {
        for image in &repository.images {
            for tag in &image.tags {
                names.insert(format!("{}/{}:{}", repository.name, image.name, tag.name));
            }
        }
    }
    names
}

/// The tags that a plan keeps, and those of a report with another outcome than deletion.
fn expected(plan: &Plan, report: &Report) -> BTreeSet<String> {
    let kept = plan.images.iter().flat_map(|image| {
        let tags = image.tags.iter().filter(|tag| !tag.is_deleted());
        tags.map(|tag| format!("{}/{}:{}", image.repo_name, image.image_name, tag.tag_name))
    });
    let others = report
        .tags
        .iter()
        .filter(|tag| !matches!(tag.outcome, TagOutcome::Deleted | TagOutcome::AlreadyGone));
    kept.chain(others.map(|tag| tag.tag.to_string())).collect()
}

#[tokio::test]
async fn a_plan_changes_nothing_and_applying_it_deletes_what_it_says() {
    // More than one page.
    let uhub = one_image(250).await;
    let client = client(&uhub);
    let before = tags(&uhub);
    let plan = plan_all(&client, &keep_newest(10)).await;
    assert_eq!(tags(&uhub), before);
    let totals = plan.totals();
    assert_eq!((totals.deleted, totals.kept), (240, 13));
    assert_eq!(plan.images[1].rule, None);

    let json = serde_json::to_string(&plan).unwrap();
    let plan: Plan = serde_json::from_str(&json).unwrap();
    let mut progress = Vec::new();
    let report = plan.apply(&client).on_progress(|p| progress.push((p.done, p.total))).await;
    assert!(report.is_success(), "{report}");
    assert_eq!(report.totals().deleted, 240);
    assert_eq!(progress, (1..=240).map(|done| (done, 240)).collect::<Vec<_>>());
    assert_eq!(tags(&uhub), expected(&plan, &report));

    // Again: everything is gone.
    let report = plan.apply(&client).await;
    assert!(report.tags.iter().all(|tag| tag.outcome == TagOutcome::AlreadyGone), "{report}");
}

#[tokio::test]
async fn a_scope_limits_the_plan_and_must_exist() {
    let uhub = one_image(3).await;
    let client = client(&uhub);
    let policy = Policy::new([Rule::new("all").image("**").keep(Keep::new().newest(1))]);
    let project = || Scope::project("org-local");
    for (scope, expected) in [
        (project(), vec!["base/api", "rest/other"]),
        (project().repo("rest"), vec!["rest/other"]),
        (project().image("base", "api"), vec!["base/api"]),
    ] {
        let plan = plan(&client, &scope, &policy, now()).await.unwrap();
        let names: Vec<_> = plan
            .images
            .iter()
            .map(|image| format!("{}/{}", image.repo_name, image.image_name))
            .collect();
        assert_eq!(names, expected);
    }
    for (scope, expected) in [
        (project().repo("missing"), "the project `org-local` has no repository `missing`"),
        (project().image("base", "x"), "the project `org-local` has no image `base/x`"),
    ] {
        let error = plan(&client, &scope, &policy, now()).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn an_incomplete_list_makes_no_plan() {
    for fault in [Fault::WrongTotal { total: 1000 }, Fault::RepeatPages, Fault::ret_code(299)] {
        for action in ["GetRepo", "GetRepoImage", "GetImageTag"] {
            let uhub = one_image(250).await;
            uhub.inject_on(FaultScope::action(action), fault.clone());
            let client = client(&uhub);
            let scope = Scope::project("org-local");
            let result = plan(&client, &scope, &keep_newest(1), now()).await;
            // A page that is repeated shows only where there are two.
            if fault == Fault::RepeatPages && action != "GetImageTag" {
                continue;
            }
            let Err(PlanError::Call(error)) = result else {
                panic!("{fault:?} on {action}: {result:?}");
            };
            let is_listing = error.kind() == ErrorKind::IncompleteListing;
            assert!(is_listing || error.ret_code().is_some(), "{fault:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_tag_that_changed_after_the_plan_is_skipped() {
    let uhub = one_image(5).await;
    let client = client(&uhub);
    let plan = plan_all(&client, &keep_newest(2)).await;
    let mut data = uhub.data();
    let image = &mut data.projects[0].repositories[0].images[0];
    for tag in &mut image.tags {
        match &*tag.name {
            "day-2" => tag.update_time = NOW.to_string(),
            "day-3" => tag.digest = Some("sha256:pushed-again".to_owned()),
            _ => {}
        }
    }
    // A new tag for what would be deleted.
    let mut rescued = tag("rescued", 0);
    rescued.digest = Some("sha256:day-4".to_owned());
    image.tags.push(rescued);
    uhub.set_data(data).unwrap();
    let before = tags(&uhub);
    let report = plan.apply(&client).await;
    let outcomes: Vec<_> =
        report.tags.iter().map(|tag| (&*tag.tag.tag_name, tag.outcome.clone())).collect();
    assert_eq!(
        outcomes,
        [
            ("day-2", TagOutcome::Skipped(SkipReason::Changed)),
            ("day-3", TagOutcome::Skipped(SkipReason::Changed)),
            ("day-4", TagOutcome::Skipped(SkipReason::SharesDigest("rescued".to_owned()))),
        ]
    );
    assert_eq!(tags(&uhub), before);
}

#[tokio::test]
async fn nothing_is_deleted_if_a_tag_that_was_kept_is_gone() {
    let uhub = one_image(5).await;
    let client = client(&uhub);
    let plan = plan_all(&client, &keep_newest(2)).await;
    let remove = |name: &str| {
        let mut data = uhub.data();
        data.projects[0].repositories[0].images[0].tags.retain(|tag| tag.name != name);
        uhub.set_data(data).unwrap();
    };
    remove("day-1");
    remove("day-4");
    let before = tags(&uhub);
    let report = plan.apply(&client).await;
    let skipped = TagOutcome::Skipped(SkipReason::KeptTagGone("day-1".to_owned()));
    let outcomes: Vec<_> = report.tags.iter().map(|tag| tag.outcome.clone()).collect();
    assert_eq!(outcomes, [skipped.clone(), skipped, TagOutcome::AlreadyGone]);
    assert_eq!(tags(&uhub), before);
}

/// Pushes `day-1` again after the first attempt to delete it.
#[derive(Debug, Default)]
struct PushAgain(OnceLock<Arc<LocalUhub>>);

impl Observer for PushAgain {
    fn attempt(&self, attempt: &Attempt<'_>) {
        if attempt.action != "DeleteRepoImage" {
            return;
        }
        let uhub = self.0.get().unwrap();
        let mut data = uhub.data();
        let mut pushed = tag("day-1", 0);
        pushed.digest = Some("sha256:pushed-again".to_owned());
        let tags = &mut data.projects[0].repositories[0].images[0].tags;
        tags.retain(|tag| tag.name != pushed.name);
        tags.push(pushed);
        uhub.set_data(data).unwrap();
    }
}

#[tokio::test]
async fn a_deletion_is_not_retried_after_the_tag_was_pushed_again() {
    for fault in [
        Fault::CutConnection,
        Fault::CutConnection.after_execution(),
        Fault::ret_code(110).after_execution(),
        Fault::throttled(),
    ] {
        let uhub = Arc::new(one_image(2).await);
        let observer = Arc::new(PushAgain::default());
        observer.0.set(Arc::clone(&uhub)).unwrap();
        let client = ClientBuilder::for_local(&uhub).observer(observer).build().unwrap();
        let plan = plan_all(&client, &keep_newest(1)).await;
        uhub.inject_on(FaultScope::action("DeleteRepoImage").nth(1), fault.clone());
        let report = plan.apply(&client).await;
        assert_eq!(report.tags[0].outcome, TagOutcome::Skipped(SkipReason::Changed), "{fault:?}");
        assert!(tags(&uhub).contains("base/api:day-1"), "{fault:?}");
    }
}

#[tokio::test]
async fn a_deletion_is_tried_again_and_may_have_been_executed() {
    for fault in [
        Fault::CutConnection,
        Fault::CutConnection.after_execution(),
        Fault::ret_code(110).after_execution(),
        Fault::throttled(),
        Fault::BrokenJson.after_execution(),
    ] {
        let uhub = one_image(2).await;
        let client = client(&uhub);
        let plan = plan_all(&client, &keep_newest(1)).await;
        uhub.inject_on(FaultScope::action("DeleteRepoImage").nth(1), fault.clone());
        let report = plan.apply(&client).await;
        assert_eq!(report.tags[0].outcome, TagOutcome::Deleted, "{fault:?}");
    }
    // It gives up after four attempts.
    let uhub = one_image(2).await;
    let client = client(&uhub);
    let plan = plan_all(&client, &keep_newest(1)).await;
    uhub.inject_on(FaultScope::action("DeleteRepoImage"), Fault::throttled());
    let report = plan.apply(&client).await;
    assert_eq!(report.totals().failed, 1, "{report}");
    let actions = uhub.requests();
    let deletions = actions.iter().filter(|r| r.action.as_deref() == Some("DeleteRepoImage"));
    assert_eq!(deletions.count(), 4);
}

#[tokio::test]
async fn a_plan_of_another_registry_deletes_nothing() {
    let (uhub, other) = (one_image(5).await, one_image(5).await);
    let plan = plan_all(&client(&uhub), &keep_newest(2)).await;
    let before = tags(&other);
    // Other images under the same names.
    let mut data = other.data();
    for tag in &mut data.projects[0].repositories[0].images[0].tags {
        tag.digest = Some(format!("sha256:other-{}", tag.name));
    }
    other.set_data(data.clone()).unwrap();
    let report = plan.apply(&client(&other)).await;
    assert_eq!(report.totals().skipped, 3, "{report}");
    // Another project of the same names: the one of the plan does not exist.
    data.projects[0].id = "org-2".to_owned();
    other.set_data(data).unwrap();
    let client = client(&other).with_project_id("org-2");
    let report = plan.apply(&client).await;
    assert_eq!(report.totals().failed + report.totals().not_tried, 3, "{report}");
    assert_eq!(tags(&other), before);
}

#[tokio::test]
async fn a_plan_that_was_edited_is_checked() {
    let uhub = one_image(5).await;
    let mut data = uhub.data();
    data.projects[0].repositories[0].images[0].tags[1].digest = None;
    uhub.set_data(data).unwrap();
    let client = client(&uhub);
    let plan = plan_all(&client, &keep_newest(2)).await;
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["totals"], json!({ "kept": 5, "deleted": 3 }));
    assert_eq!(json["images"][0]["totals"], json!({ "kept": 2, "deleted": 3 }));
    assert_eq!(json["images"][0]["tags"][0]["kept"], json!([{ "newest": 2 }]));
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut json = json.clone();
        edit(&mut json);
        serde_json::from_value::<Plan>(json)
    };
    assert_eq!(edited(&|_| {}).unwrap(), plan);
    for (edit, expected) in [
        (
            &(|json: &mut Value| json["images"][0]["tags"][0]["kept"] = json!([]))
                as &dyn Fn(&mut Value),
            "the totals of `base/api` are 2 kept and 3 deleted, and its tags 1 and 4",
        ),
        (&|json| json["totals"]["kept"] = json!(6), "the totals of the plan are 6 kept"),
        (
            &|json| json["images"][0]["tags"][0] = json["images"][0]["tags"][1].clone(),
            "`base/api` has the tag `day-1` twice",
        ),
        (&|json| json["images"][1] = json["images"][0].clone(), "`base/api` is there twice"),
        (&|json| json["images"][0]["tags"][0]["kept"] = Value::Null, "invalid type: null"),
        (&|json| json["images"][0]["tags"][0]["Kept"] = json!([]), "unknown field `Kept`"),
    ] {
        let error = edited(edit).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    // What is deliberate is done, but without a digest a tag may be the image of another.
    let plan = edited(&|json| {
        json["images"][0]["tags"][1]["kept"] = json!([]);
        json["images"][0]["totals"] = json!({ "kept": 1, "deleted": 4 });
        json["totals"] = json!({ "kept": 4, "deleted": 4 });
    });
    let report = plan.unwrap().apply(&client).await;
    assert_eq!(report.tags[0].outcome, TagOutcome::Skipped(SkipReason::UnknownDigest));
    assert_eq!(report.totals().deleted, 3, "{report}");
    assert!(tags(&uhub).contains("base/api:day-1"));
}

#[tokio::test]
async fn a_tag_that_is_pushed_again_during_the_run_survives() {
    let uhub = one_image(6).await;
    let client = client(&uhub);
    let plan = plan_all(&client, &keep_newest(1)).await;
    let report = plan
        .apply(&client)
        .concurrency(1)
        .on_progress(|progress| {
            if progress.done == 1 {
                let mut data = uhub.data();
                for tag in &mut data.projects[0].repositories[0].images[0].tags {
                    if tag.name == "day-5" {
                        tag.digest = Some("sha256:pushed-again".to_owned());
                    }
                }
                uhub.set_data(data).unwrap();
            }
        })
        .await;
    assert_eq!(
        report.tags.last().unwrap().outcome,
        TagOutcome::Skipped(SkipReason::Changed),
        "{report}"
    );
    assert!(tags(&uhub).contains("base/api:day-5"));
    assert_eq!(tags(&uhub), expected(&plan, &report));
}

#[tokio::test]
async fn limits_stop_the_run() {
    let uhub = one_image(10).await;
    let client = client(&uhub);
    let plan = plan_all(&client, &keep_newest(1)).await;
    let before = tags(&uhub);
    // 9 of 13.
    let report = plan.apply(&client).max_share(0.5).await;
    assert_eq!(report.totals().not_tried, 9);
    assert_eq!(
        report.stopped.as_deref(),
        Some("the plan deletes 9 of 13 tags, more than the maximum of 50 %")
    );
    assert_eq!(tags(&uhub), before);
    let report = plan.apply(&client).max_deletions(4).await;
    let totals = report.totals();
    assert_eq!((totals.deleted, totals.not_tried), (4, 5), "{report}");
    assert!(!report.is_success());
    assert_eq!(tags(&uhub), expected(&plan, &report));
    let report = plan.apply(&client).max_deletions(5).await;
    assert!(report.is_success(), "{report}");
    let totals = report.totals();
    assert_eq!((totals.deleted, totals.already_gone), (5, 4));
    // No number is no permission.
    let nothing = Policy::new([Rule::new("all").image("**").keep_nothing(true)]);
    let plan = plan_all(&client, &nothing).await;
    let report = plan.apply(&client).max_share(f64::NAN).await;
    assert!(report.stopped.is_some() && report.totals().deleted == 0, "{report}");
}

#[tokio::test]
async fn an_error_about_every_tag_stops_and_one_about_a_tag_does_not() {
    let uhub = one_image(10).await;
    let client = client(&uhub);
    let plan = plan_all(&client, &keep_newest(1)).await;
    uhub.inject_on(FaultScope::action("DeleteRepoImage"), Fault::ret_code(299));
    let report = plan.apply(&client).concurrency(1).await;
    let totals = report.totals();
    assert_eq!((totals.failed, totals.not_tried), (1, 8), "{report}");
    assert!(report.stopped.as_deref().unwrap().contains("299"), "{report}");

    uhub.clear_faults();
    uhub.inject_on(FaultScope::action("DeleteRepoImage").nth(2), Fault::ret_code(99_999));
    let report = plan.apply(&client).concurrency(1).await;
    let totals = report.totals();
    assert_eq!((totals.failed, totals.deleted, totals.not_tried), (1, 8, 0), "{report}");
    assert_eq!(tags(&uhub), expected(&plan, &report));
}

/// 5 % of the requests meet a fault, also after they were executed: 2,000 tags, then fewer.
#[tokio::test(flavor = "multi_thread")]
async fn faults_lose_no_tag_and_no_outcome() {
    for (fault, days) in [
        (Fault::CutConnection.after_execution(), 200),
        (Fault::CutConnection, 40),
        (Fault::bad_gateway().after_execution(), 40),
        (Fault::ret_code(150), 40),
        (Fault::throttled(), 40),
        (Fault::BrokenJson, 40),
    ] {
        let images = (0..10).map(|image| {
            let tags = (0..days).map(|days| tag(format!("day-{days}"), days));
            Image::new(format!("image-{image}")).tags(tags)
        });
        let uhub = LocalUhub::builder()
            .repository(Repository::new("base").images(images))
            .seed(7)
            .start()
            .await
            .unwrap();
        let client = client(&uhub);
        let plan = plan_all(&client, &keep_newest(20)).await;
        uhub.inject_on(FaultScope::all().rate(0.05), fault.clone());
        let report = plan.apply(&client).concurrency(16).await;
        assert_eq!(tags(&uhub), expected(&plan, &report), "{fault:?}: {report}");
        uhub.clear_faults();
        let report = plan.apply(&client).concurrency(16).await;
        assert!(report.is_success(), "{fault:?}: {report}");
        assert_eq!(tags(&uhub), expected(&plan, &report), "{fault:?}: {report}");
        assert_eq!(tags(&uhub).len(), 200);
    }
}

#[tokio::test]
async fn a_run_that_is_dropped_is_continued_by_another() {
    let uhub = one_image(60).await;
    let client = client(&uhub);
    let plan = plan_all(&client, &keep_newest(5)).await;
    uhub.inject_on(FaultScope::all(), Fault::Delay { time: Duration::from_millis(2) });
    let (sender, mut half) = tokio::sync::mpsc::unbounded_channel();
    let run = plan.apply(&client).on_progress(move |progress| {
        if progress.done == 25 {
            sender.send(()).unwrap();
        }
    });
    tokio::select! {
        report = run.into_future() => panic!("{report}"),
        _ = half.recv() => {}
    }
    uhub.clear_faults();
    let report = plan.apply(&client).await;
    assert!(report.is_success(), "{report}");
    assert!(report.tags.iter().any(|tag| tag.outcome == TagOutcome::AlreadyGone));
    assert_eq!(tags(&uhub), expected(&plan, &report));
    assert_eq!(tags(&uhub).len(), 5 + 3);
}

#[tokio::test]
async fn a_deletion_of_what_is_gone_is_a_success() {
    let uhub = LocalUhub::builder()
        .repository(Repository::new("empty"))
        .repository(Repository::new("base").image(Image::new("api").tag(tag("1", 1))))
        .start()
        .await
        .unwrap();
    let client = client(&uhub);
    let repo = DeleteRepoRequest::new("empty");
    let last_tag = DeleteRepoImageRequest::new("base", "api", "1");
    // The first attempt is executed without a response, the second finds nothing.
    uhub.inject(Fault::CutConnection.after_execution());
    assert!(ensure_repo_deleted(&client, repo.clone()).await.unwrap());
    assert!(!ensure_repo_deleted(&client, repo).await.unwrap());
    uhub.inject(Fault::CutConnection.after_execution());
    assert!(ensure_tag_deleted(&client, last_tag.clone()).await.unwrap());
    // The image is gone with its last tag.
    assert!(!ensure_tag_deleted(&client, last_tag).await.unwrap());

    // What is still there, or cannot be looked up, is an error.
    let not_empty = LocalUhub::builder()
        .repository(Repository::new("base").image(Image::new("api").tag(tag("1", 1))))
        .start()
        .await
        .unwrap();
    let client = self::client(&not_empty);
    let error = ensure_repo_deleted(&client, DeleteRepoRequest::new("base")).await.unwrap_err();
    assert_eq!(error.action(), Some("DeleteRepo"));
    let missing = DeleteRepoImageRequest::new("missing", "api", "1");
    let error = ensure_tag_deleted(&client, missing).await.unwrap_err();
    assert_eq!(error.action(), Some("DeleteRepoImage"));
    not_empty.inject_on(FaultScope::action("DeleteRepoImage"), Fault::ret_code(99_999));
    let request = DeleteRepoImageRequest::new("base", "api", "1");
    let error = ensure_tag_deleted(&client, request).await.unwrap_err();
    assert_eq!(error.ret_code().map(RetCode::get), Some(99_999));
}

#[test]
fn a_policy_reports_every_mistake_with_its_rule() {
    let error = serde_json::from_str::<Policy>(
        r#"{"rules": [
            {"name": "a", "images": ["base/*"], "keep": {"newst": 3}},
            {"name": "b", "images": ["base/*"], "keep": {"newest": 3, "newer_than": "30 fortnights"}},
            {"images": ["base/*"]},
            {"name": "d", "image": "base/*", "keep_nothing": true}
        ]}"#,
    );
    let error = error.unwrap_err().to_string();
    for expected in [
        "rule 1 (\"a\"): unknown field `newst`",
        "rule 2 (\"b\"): `newer_than` is \"30 fortnights\"",
        "rule 3: missing field `name`",
        "rule 4 (\"d\"): unknown field `image`",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }

    let policy = Policy::new([
        Rule::new("a").image("base/[*").keep(Keep::new().newest(1)),
        Rule::new("a").keep(Keep::new().tag("**x")),
        Rule::new("").image("**").only([""; 0]).keep_nothing(true),
    ])
    .assumed_offset("Shanghai");
    let error = policy.check().unwrap_err();
    let expected = [
        "rule 1 (\"a\"): `images` has the invalid glob \"base/[*\"",
        "rule 2 (\"a\"): another rule has this name.",
        "rule 2 (\"a\"): `images` is empty.",
        "rule 2 (\"a\"): it could delete every tag of an image.",
        "rule 2 (\"a\"): `keep.tags` has the invalid glob \"**x\"",
        "rule 3: `name` is empty.",
        "rule 3: `only` is empty.",
        "`assumed_offset` is \"Shanghai\".",
    ];
    let problems = error.problems();
    assert_eq!(problems.len(), expected.len(), "{error}");
    for expected in expected {
        assert!(
            problems.iter().any(|problem| problem.starts_with(expected)),
            "{expected}\n{error}"
        );
    }
}

#[test]
fn a_policy_rejects_what_would_be_ignored_silently() {
    let read = |keep: &str| {
        let rule = format!(r#"{{"name": "a", "images": ["base/*"], "keep": {keep}}}"#);
        serde_json::from_str::<Policy>(&format!(r#"{{"rules": [{rule}]}}"#))
    };
    for (text, seconds, written) in [
        ("30d", 30 * 86_400, "30d"),
        ("36h", 36 * 3600, "36h"),
        ("1y", 31_557_600, "8766h"),
        ("1month", 2_630_016, "2630016s"),
        ("1d 12h", 36 * 3600, "36h"),
        ("90min", 5400, "5400s"),
        ("0s", 0, "0d"),
    ] {
        let policy = read(&format!(r#"{{"newest": 1, "newer_than": "{text}"}}"#)).unwrap();
        assert_eq!(policy.rules[0].keep.newer_than, Some(Duration::from_secs(seconds)));
        let json = serde_json::to_value(&policy).unwrap();
        assert_eq!(json["rules"][0]["keep"]["newer_than"], written);
        assert_eq!(serde_json::from_value::<Policy>(json).unwrap(), policy);
    }
    for (keep, expected) in [
        (r#"{"newest": 1, "newer_than": "6m"}"#, "`m` could be a minute or a month"),
        (r#"{"newest": 1, "newer_than": "1y 6M"}"#, "`m` could be a minute or a month"),
        (r#"{"newest": 1, "newer_than": "30"}"#, "`newer_than` is \"30\""),
        (r#"{"newest": 1, "newer_than": 30}"#, "rule 1 (\"a\"): invalid type: integer `30`"),
        (r#"{"newest": -1}"#, "rule 1 (\"a\"): invalid value: integer `-1`"),
        (r#"{"newest": 10, "newest": 1}"#, "duplicate field `newest` at line 1"),
        (r#"{"newest": 1}, "keep": {"newest": 2}"#, "duplicate field `keep` at line 1"),
        (r#"{"newest": 0}"#, "it could delete every tag of an image"),
        (r#"{"highest_versions": 3}"#, "it could delete every tag of an image"),
        (r#"{"newest": 1, "tags": ["{a,b}-*"]}"#, "`keep.tags` has the invalid glob \"{a,b}-*\""),
        (r#"{"newest": 1, "tags": ["^v.*$"]}"#, "have no meaning"),
        (r#"{"newest": 1, "tags": ["!tmp-*"]}"#, "`!` does not negate it"),
    ] {
        let error = read(keep).unwrap_err().to_string();
        assert!(error.contains(expected), "{keep}: {error}");
    }
    let rule = Rule::new("a").image("nginx").image("*").keep(Keep::new().newest(1));
    let error = Policy::new([rule]).check().unwrap_err();
    assert_eq!(error.problems().len(), 2);
    assert!(error.to_string().contains("write `repository/image`"), "{error}");
}

#[test]
#[cfg(feature = "blocking")]
fn recipes_run_with_a_blocking_client() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let uhub = runtime.block_on(one_image(5));
    let blocking = ClientBuilder::for_local(&uhub).build_blocking().unwrap();
    let client = blocking.as_async();
    let scope = Scope::project("org-local");
    let policy = keep_newest(1);
    let planned = plan(client, &scope, &policy, now());
    let plan = blocking.block_on(async { Ok(planned.await) }).unwrap().unwrap();
    let report = blocking.block_on(async { Ok(plan.apply(client).await) }).unwrap();
    assert_eq!(report.totals().deleted, 4, "{report}");
}

/// Runs `cleanup` without credentials: on sample data.
fn cleanup(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = example("cleanup")
        .args(arguments)
        .env_clear()
        .env("HOME", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn the_example_prints_a_plan_and_applies_it() {
    let (status, out, err) = cleanup(&[]);
    assert_eq!(status, 0);
    assert_eq!(err, "No credentials: using sample data on a local server.\n");
    assert!(out.contains("2024-03-07T16:00:00Z"), "{out}");
    assert!(out.contains("Nothing was deleted"), "{out}");
    assert!(out.contains("services/billing-api (services):"), "{out}");
    let (status, out, err) = cleanup(&["--apply", "--json"]);
    assert_eq!(status, 0, "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let tags = json["report"]["tags"].as_array().unwrap();
    assert!(tags.len() > 100 && tags.iter().all(|tag| tag["outcome"] == "deleted"), "{out}");
    assert!(err.contains(&format!("{0}/{0} ", tags.len())), "{err}");
}

#[test]
fn the_example_refuses_what_is_doubtful() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.json");
    let path = file.to_str().unwrap();
    for (policy, arguments, status, expected) in [
        (r#"{"rules": [{"name": "a", "images": ["*"], "kep": {}}]}"#, vec![], 2, "rule 1 (\"a\")"),
        (r#"{"rules": ["#, vec![], 2, "line 1 column"),
        (
            r#"{"rules": [{"name": "a", "images": ["**"], "keep": {"newest": 1}}]}"#,
            vec!["--apply", "--max-share", "0.5"],
            2,
            "more than the maximum of 50 %",
        ),
        (
            r#"{"rules": [{"name": "a", "images": ["**"], "keep": {"newest": 1}}]}"#,
            vec!["--apply", "--max-share", "1", "--max-deletions", "3"],
            1,
            "maximum number of deletions",
        ),
        (
            r#"{"rules": [{"name": "a", "images": ["**"], "keep": {"newest": 1}}]}"#,
            vec!["--repo", "servces"],
            2,
            "has no repository `servces`",
        ),
    ] {
        fs::write(&file, policy).unwrap();
        let (actual, out, err) = cleanup(&[&["--policy", path], &*arguments].concat());
        assert!(format!("{out}{err}").contains(expected), "{expected}: {out}{err}");
        assert_eq!(actual, status, "{out}{err}");
    }
    let (status, _, err) = cleanup(&["--policy", "missing.json"]);
    assert_eq!(status, 2);
    assert!(err.contains("missing.json"), "{err}");
    let (status, _, err) = cleanup(&["--max-share", "80"]);
    assert_eq!(status, 2);
    assert!(err.contains("a number from 0 to 1"), "{err}");
    fs::write(&file, r#"{"rules": [{"name": "a", "images": ["x/*"], "keep_nothing": true}]}"#)
        .unwrap();
    let (status, out, err) = cleanup(&["--policy", path, "--apply"]);
    assert_eq!(status, 0);
    assert!(out.contains(" 0 to delete"), "{out}");
    assert!(err.contains("warning: the rule `a` is used for no image"), "{err}");
}

#[test]
fn the_example_survives_readers_that_have_read_enough() {
    for arguments in [&[][..], &["--json"], &["--apply"], &["--apply", "--json"]] {
        let mut process = example("cleanup")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop((process.stdout.take(), process.stderr.take()));
        assert_eq!(process.wait().unwrap().code(), Some(0), "{arguments:?}");
    }
}

#[tokio::test]
async fn the_example_needs_access() {
    let uhub = Arc::new(one_image(5).await);
    let before = tags(&uhub);
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.json");
    fs::write(&policy, serde_json::to_string(&keep_newest(2)).unwrap()).unwrap();
    let run = |key: &str, arguments: &[&str]| {
        let mut command = example("cleanup");
        command
            .env("UCLOUD_PUBLIC_KEY", uhub.public_key())
            .env("UCLOUD_PRIVATE_KEY", key)
            .env("UCLOUD_API_BASE_URL", uhub.base_url())
            .args(arguments);
        tokio::task::spawn_blocking(move || {
            let Output { status, stdout, stderr } = command.output().unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            (status.code().unwrap(), text(stdout), text(stderr))
        })
    };
    let path = policy.to_str().unwrap();
    let apply = ["--policy", path, "--apply"];
    let (status, out, err) = run("another-key", &apply).await.unwrap();
    assert_eq!((status, &*out), (2, ""));
    assert!(err.contains("RetCode 171"), "{err}");
    let (status, _, err) = run(uhub.private_key(), &["--apply"]).await.unwrap();
    assert_eq!(status, 2);
    assert!(err.contains("--policy FILE is required"), "{err}");
    // Not sample data.
    let (status, _, err) = run("", &apply).await.unwrap();
    assert_eq!(status, 2);
    assert!(err.contains("UCLOUD_PRIVATE_KEY"), "{err}");
    uhub.inject_on(FaultScope::action("DeleteRepoImage"), Fault::ret_code(299));
    let (status, out, err) = run(uhub.private_key(), &apply).await.unwrap();
    assert_eq!(status, 1, "{err}");
    assert!(out.contains("0 deleted") && out.contains("RetCode 299"), "{out}");
    assert_eq!(tags(&uhub), before);
    uhub.clear_faults();
    let (status, _, err) = run(uhub.private_key(), &apply).await.unwrap();
    assert_eq!(status, 0, "{err}");
    assert_eq!(tags(&uhub).len(), before.len() - 3);
}
