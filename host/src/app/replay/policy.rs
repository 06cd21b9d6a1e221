//! The policy of a day: the versions of the rules for access that were live then, out of the archive, and the answer that they give
//! for a person and an item. Nothing is written. The rules are those of the day; all that they look at is as it is today: the
//! directory, the catalog, the tables, and what is held and asked for.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::app::decide::{accepted, pipeline, translate};
use crate::app::rollout::deploy::Unfit;
use crate::app::{App, Error};
use crate::desk::access::AccessRequest;
use crate::desk::actor::{Actor, Role};
use crate::desk::id::{PersonId, TicketId};
use crate::desk::organisation::form::{Fault, Problem, Raw};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::permission;
use crate::desk::ticket::intake::{NewTicket, Submission};
use crate::desk::verdict::access::AccessVerdict;
use crate::rules::contract::SoFar;
use crate::rules::live::catalog::{Generation, Playing};
use crate::rules::live::rollout::VersionId;
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Stage;
use crate::store::rules::deployments::Counted;

/// The justification of the request that is made up for the question.
const ASKED: &str = "a question of an audit: what the policy allowed on that day";

/// A person, an item, and an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyQuestion {
    pub person: PersonId,
    pub app: String,
    pub tier: String,
    pub role: Option<String>,
    pub hours: Option<u32>,
    pub at: Timestamp,
}

/// The answer of the rules of then.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyThen {
    /// The rules for access that were live, in the order in which they are asked.
    pub rules: Vec<RuleThen>,
    /// Those that were on trial and answered in the place of one of them for a share of the requests.
    pub trials: Vec<TrialThen>,
    /// The answer of the rules without those on trial.
    pub verdict: AccessVerdict,
}

/// A version that was on trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialThen {
    pub then: RuleThen,
    /// For how many of a hundred requests it answered.
    pub percent: u64,
}

/// A version that was live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleThen {
    pub rule: String,
    pub version: String,
    pub id: VersionId,
}

/// The instant that a text means: itself, what the desk's clock shows, or the end of a day by it. `None` where it is none of these.
pub fn as_of(text: &str, organisation: &Organisation) -> Option<Timestamp> {
    instant_of(text, &organisation.calendar.zone)
}

fn instant_of(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let end = |day: Date| {
        let next = zone.to_timestamp(day.tomorrow().ok()?.to_datetime(Time::midnight())).ok()?;
        Timestamp::from_millisecond(next.as_millisecond() - 1).ok()
    };
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    match text.len() {
        DAY_CHARS => text.parse().ok().and_then(end),
        // A day is parsed from a time as well, and what the clock shows would be passed over.
        _ => zone.to_timestamp(text.parse::<DateTime>().ok()?).ok(),
    }
}

const DAY_CHARS: usize = "YYYY-MM-DD".len();

impl App {
    /// The answer that the rules for access which were live at an instant give for a person and an item, as all else is today. For
    /// agents, admins and the operator.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] for a person who is not here, or a version that the archive does not have;
    /// [`Error::Rejected`] where it cannot be asked for as it stands; [`Error::Unfit`] for a version that this program cannot run
    /// any more; [`Error::Busy`] where the rules have too much to do; where the store cannot be read.
    pub async fn policy_at(self: &Arc<Self>, actor: &Actor, question: &PolicyQuestion) -> Result<PolicyThen, Error> {
        permission::read_decisions(actor)?;
        let (organisation, now) = (self.organisation(), self.clock.now());
        if !organisation.people.contains_key(&question.person) {
            return Err(Error::Missing { what: "person", name: question.person.to_string() });
        }
        let (form, new) = request(&organisation, question)?;
        let category = form.category.as_ref().map(ToString::to_string);
        let so_far = SoFar { category, ..accepted::nothing_so_far(&[], form) };
        let request = AccessRequest::from_fields(&organisation, &question.person, &new.fields)
            .map_err(|problems| Error::Rejected { problems })?;
        let (generation, rules, trials) = self.generation_at(question.at).await?;
        let facts = self.access_facts(&organisation, &request, now).await?;
        let ticket = translate::ticket(&new, now);
        let about = self.question((organisation, generation), new, (TicketId(self.clock.new_id()), now));
        let lane = question.person.as_str();
        let asked = self.rules.workers().run(lane, move || pipeline::review(about, ticket, &so_far, &facts)).await?;
        let unanswered = || Error::Missing { what: "answer of the rules for access at", name: question.at.to_string() };
        Ok(PolicyThen { rules, trials, verdict: asked.verdict.ok_or_else(unanswered)? })
    }

    /// The live rules with those for access as they were at an instant, which these are, and what was on trial.
    async fn generation_at(
        self: &Arc<Self>,
        at: Timestamp,
    ) -> Result<(Arc<Generation>, Vec<RuleThen>, Vec<TrialThen>), Error> {
        let live = self.rules.generation();
        let for_access = |rule: &&Arc<Rule>| rule.manifest.stages.contains(&Stage::Access);
        let without: Vec<String> =
            live.rules().iter().filter(for_access).map(|rule| rule.manifest.name.to_string()).collect();
        let (mut with, mut trials): (Vec<(Arc<Rule>, Playing)>, Vec<TrialThen>) = (Vec::new(), Vec::new());
        for Counted { name, version, percent } in self.store.counted_at(at).await? {
            let missing = || Error::Missing { what: "version in the archive", name: format!("{name} {version}") };
            let id: VersionId = version.parse().map_err(|_| missing())?;
            let (component, manifest) = version.split_once('/').ok_or_else(missing)?;
            let kept = self.store.rule_version(component, manifest).await?.ok_or_else(missing)?;
            let app = Arc::clone(self);
            // It may have to be compiled in a child process, and waits for that.
            let revived = tokio::task::spawn_blocking(move || {
                app.rules.revive_settled(Path::new(&kept.name), &kept.manifest, &kept.component)
            });
            let rule = Arc::new(revived.await?.map_err(|error| Error::Unfit(Unfit::from(&error)))?);
            debug_assert_eq!(rule.manifest_digest.to_string(), manifest, "{id}");
            match percent {
                _ if !for_access(&&rule) => {}
                None => with.push((rule, Playing::Active { canary_percent: None })),
                Some(percent) => trials.push(TrialThen { then: rule_then(&rule)?, percent }),
            }
        }
        with.sort_by(|(a, _), (b, _)| (a.manifest.order, &a.manifest.name).cmp(&(b.manifest.order, &b.manifest.name)));
        let then = with.iter().map(|(rule, _)| rule_then(rule)).collect::<Result<Vec<_>, Error>>()?;
        Ok((Arc::new(live.altered(&without, with)), then, trials))
    }
}

fn rule_then(rule: &Rule) -> Result<RuleThen, Error> {
    let id = format!("{}/{}", rule.digest, rule.manifest_digest);
    let missing = |_| Error::Missing { what: "version in the archive", name: id.clone() };
    Ok(RuleThen {
        rule: rule.manifest.name.to_string(),
        version: rule.manifest.version.clone(),
        id: id.parse().map_err(missing)?,
    })
}

/// The request that the question is about, as the person would make it today.
fn request<'o>(
    organisation: &'o Organisation,
    question: &PolicyQuestion,
) -> Result<(&'o RequestType, NewTicket), Error> {
    let form = organisation.request_types.values().find(|form| form.grants_access);
    let no_form = || Problem::of("app", "no-form", Fault::NoAccessForm, &[]);
    let form = form.ok_or_else(no_form)?;
    let text = |name: &str, text: &str| (name.to_owned(), Raw::Text(text.to_owned()));
    let mut fields = vec![text("app", &question.app), text("tier", &question.tier), text("justification", ASKED)];
    fields.extend(question.role.as_deref().map(|role| text("role", role)));
    fields.extend(question.hours.map(|hours| ("duration-hours".to_owned(), Raw::Number(f64::from(hours)))));
    let submission = Submission {
        request_type: form.id.to_string(),
        channel: "api".to_owned(),
        subject: format!("Access to {}/{}", question.app, question.tier),
        fields,
        ..Submission::default()
    };
    let asker = Actor::Person { id: question.person.clone(), roles: [Role::Requester].into() };
    let permit = permission::create(organisation, &asker, None)?;
    Ok((form, NewTicket::check(organisation, &permit, submission)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_meant_to_its_end_and_a_time_to_the_minute() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| instant_of(text, &zone).map(|at| at.to_string()).unwrap_or_default();
        assert_eq!(at("2026-05-01"), "2026-05-01T21:59:59.999Z");
        assert_eq!(at("2026-05-01T10:00"), "2026-05-01T08:00:00Z");
        assert_eq!(at("2026-05-01T10:00:00Z"), "2026-05-01T10:00:00Z");
        // The hour that the clocks leave out.
        assert_eq!(at("2026-03-29T02:30:00"), "2026-03-29T01:30:00Z");
        for no_time in ["2026-13-01", "soon", "", "2026-05-01T25:00"] {
            assert_eq!(at(no_time), "", "{no_time}");
        }
    }
}
