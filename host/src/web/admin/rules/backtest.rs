//! A rule tried on the decisions of the last days: another version of it, the live one with another manifest, or none.
//!
//! The answer to the form is the report, and nothing is kept of it. It is read while its reader waits, so that a reader who stops
//! loading, or goes elsewhere, calls it off on whichever host it runs.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;

use super::Arm;
use super::tried::Tried;
use crate::app::Error;
use crate::app::replay::manifest::{DECISIONS_MAX, Instead, WITHIN};
use crate::app::rollout::rules::RuleStatus;
use crate::desk::permission;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// How far back a backtest goes, where nothing else is asked for, and at most.
const DAYS: u16 = 30;
const DAYS_MAX: u16 = 366;
/// Versions that a page offers.
const VERSIONS: usize = 50;
/// The choices that are no version: no rule, and the manifest that is typed in.
const NOTHING: &str = "nothing";
const MANIFEST: &str = "manifest";

/// Something that may be tried.
struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "admin/backtest.html")]
struct BacktestPage {
    f: Frame,
    name: String,
    choices: Vec<Choice>,
    days: u16,
    days_max: u16,
    decisions_max: u64,
    manifest: String,
    problem: Option<String>,
    tried: Option<Tried>,
}

/// The version that a link chooses.
#[derive(Debug, Default, Deserialize)]
pub struct Look {
    version: Option<String>,
}

/// The wishes of a form.
struct Asked {
    chosen: String,
    days: u16,
    manifest: String,
}

impl Asked {
    fn of(form: &Form) -> Asked {
        let days = form.text("days").trim().parse().unwrap_or(DAYS).clamp(1, DAYS_MAX);
        Asked { chosen: form.text("version"), days, manifest: form.text("manifest") }
    }

    /// The title of a report where it is not what was tried.
    fn title(&self, f: &Frame, name: &str) -> Option<String> {
        (self.chosen == NOTHING).then(|| f.words.t1("backtest.without", name))
    }

    fn instead(&self) -> Instead {
        match self.chosen.as_str() {
            NOTHING => Instead::Nothing,
            MANIFEST => Instead::Manifest(self.manifest.clone()),
            version => Instead::Version(version.to_owned()),
        }
    }
}

/// The version that is tried unless another is chosen: the one that waits for its turn, else the one that decides.
fn usual(found: &RuleStatus, arms: &[Arm]) -> String {
    let waits = found.rollout.as_ref().and_then(|rollout| rollout.candidate.as_ref());
    let waits = waits.map(|candidate| candidate.version.to_string());
    waits.or_else(|| arms.first().map(|arm| arm.id.clone())).unwrap_or_default()
}

/// All that may be tried in the place of the rule.
async fn choices(visit: &Visit, name: &str, chosen: &str) -> Result<Vec<Choice>, Failure> {
    let (_, statuses) = visit.app.rules_status(&visit.actor)?;
    let found = statuses.iter().find(|status| super::is_called(status, name)).ok_or(Failure::NoPage)?;
    let arms = super::arms(&visit.frame, found);
    let usual = usual(found, &arms);
    let chosen = if chosen.is_empty() { usual.as_str() } else { chosen };
    let versions = match visit.app.rule_versions(&visit.actor, name, 0, VERSIONS).await {
        Err(Error::Missing { .. }) => Vec::new(),
        found => found?.items,
    };
    let mut choices = Vec::new();
    for version in versions.iter().filter(|version| version.damage.is_none()) {
        let Ok(id) = version.id() else { continue };
        let value = id.to_string();
        let part = arms.iter().find(|arm| arm.id == value).map(|arm| format!(" ({})", arm.part)).unwrap_or_default();
        let text = format!("{} {}{part}", version.version, id.short());
        choices.push(Choice { chosen: chosen == value || chosen == id.short(), value, text });
    }
    let words = &visit.frame.words;
    for (value, text) in [(MANIFEST, words.t("backtest.manifest")), (NOTHING, words.t("backtest.nothing"))] {
        choices.push(Choice { value: value.to_owned(), text, chosen: chosen == value });
    }
    Ok(choices)
}

async fn render(
    visit: Visit,
    name: String,
    asked: Asked,
    outcome: Result<Option<Tried>, (StatusCode, String)>,
) -> Result<Response, Failure> {
    let choices = choices(&visit, &name, &asked.chosen).await?;
    let (status, tried, problem) = match outcome {
        Ok(tried) => (StatusCode::OK, tried, None),
        Err((status, problem)) => (status, None, Some(problem)),
    };
    let page_ = BacktestPage {
        name,
        choices,
        days: asked.days,
        days_max: DAYS_MAX,
        decisions_max: DECISIONS_MAX,
        manifest: asked.manifest,
        problem,
        tried,
        f: visit.frame,
    };
    let mut response = page(status, &page_)?;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(WITHIN.as_secs()));
    }
    Ok(response)
}

/// The name of the rule that is called so, which may be named by its folder.
fn rule_called(visit: &Visit, name: String) -> Result<String, Failure> {
    let (_, statuses) = visit.app.rules_status(&visit.actor)?;
    let found = statuses.into_iter().find(|status| super::is_called(status, &name)).ok_or(Failure::NoPage)?;
    Ok(found.live.map_or(name, |rule| rule.manifest.name.to_string()))
}

/// `GET /admin/rules/{name}/backtest`.
pub async fn form(visit: Visit, Path(name): Path<String>, Query(look): Query<Look>) -> Result<Response, Failure> {
    permission::administer(&visit.actor).map_err(Error::from)?;
    let name = rule_called(&visit, name)?;
    let live = visit.app.rules.generation().named(&name).map(|rule| rule.manifest_text.to_string());
    let chosen = look.version.unwrap_or_default();
    let asked = Asked { chosen, days: DAYS, manifest: live.unwrap_or_default() };
    render(visit, name, asked, Ok(None)).await
}

/// `POST /admin/rules/{name}/backtest`: nothing is written.
pub async fn run(visit: Visit, Path(name): Path<String>, form: Form) -> Result<Response, Failure> {
    let (name, asked) = (rule_called(&visit, name)?, Asked::of(&form));
    let outcome = match visit.app.backtest_rule(&visit.actor, &name, asked.instead(), asked.days).await {
        Ok(report) => Ok(Some(Tried::of(&visit.frame, asked.title(&visit.frame, &name), &report))),
        Err(Error::Unfit(unfit)) => Err((StatusCode::UNPROCESSABLE_ENTITY, format!("{} {}", unfit.what, unfit.mend))),
        Err(error @ Error::Ambiguous { .. }) => Err((StatusCode::UNPROCESSABLE_ENTITY, visit.frame.why_not(&error))),
        Err(error @ Error::Busy(_)) => Err((StatusCode::SERVICE_UNAVAILABLE, visit.frame.why_not(&error))),
        Err(other) => return Err(other.into()),
    };
    render(visit, name, asked, outcome).await
}
