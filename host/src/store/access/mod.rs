//! Access: cases, what people decided, grants and the ledger.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::db::{Arg, Row, Tx, apart};
use super::sql::columns::{Lenient, at, corrupt, from_json, ms, parsed};
use super::sql::dialect::Clause;
use super::sql::places;
use super::tickets::rows;
use super::{Error, Store};
use crate::desk::access::{
    ALL_WORDS, AccessCase, AccessRequest, AccessState, EndReason, Grant, GrantState, HumanDecision, Named, Step,
};
use crate::desk::id::{AppId, GrantId, PersonId, TicketId, TicketNumber, TierId};
use crate::desk::ticket::Ticket;
use crate::desk::verdict::access::Scope;

pub mod current;
pub mod findings;
pub mod ledger;
pub mod lists;
pub mod ops;
pub mod questions;
pub mod questions_back;
pub mod reviews;
pub mod runs;
pub mod sign_ins;
pub mod submissions;

/// The condition for grants that are a reason for access.
pub(in crate::store) const SUPPORTS: &str = "revoked_at is null and state in ('active', 'provisioning', 'scheduled')";
/// The condition for grants that the desk is not done with in the app.
pub(in crate::store) const UNDER_WAY: &str = "state in ('provisioning', 'deprovisioning', 'compensating')";

/// At the beginning of a statement: `apps` are all apps of which there are grants, by one look into an index for each. What is held
/// in each of them is a range of another index, so that nothing is read of what is over, however much that is.
const APPS: &str = "with recursive apps (app) as (select min(app) from grants union all \
     select (select min(n.app) from grants n where n.app > apps.app) from apps where apps.app is not null)";
/// The grants `g` in a condition for those of one person to one app. SQLite, which counts no rows, would rather read all of the
/// app's, again for each person.
const OF_ONE: Clause = Clause::of("grants g indexed by grants_app_subject", "grants g");

/// The beginning of the entitlement that is a tier, as it is kept.
const TIER: &str = "tier:";

/// How a person's requests have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    pub requested: u32,
    pub approved: u32,
    pub denied: u32,
    pub revoked: u32,
}

/// The columns of `grants`, as [`grant`] reads them.
pub const GRANT_COLUMNS: &str = "id, ticket, subject, app, tier, role, groups, granted_at, expires_at, revoked_at, \
     state, end_reason";

impl Store {
    /// The ticket with this number and its access case, with all human decisions: both as they were at one instant.
    pub async fn ticket_and_case(&self, number: TicketNumber) -> Result<Option<(Ticket, Option<AccessCase>)>, Error> {
        self.with_case("t.number = $1", number.0.into()).await
    }

    /// The same for the ticket with this id.
    pub async fn ticket_and_case_by_id(&self, id: TicketId) -> Result<Option<(Ticket, Option<AccessCase>)>, Error> {
        self.with_case("t.id = $1", id.0.into()).await
    }

    async fn with_case(&self, which: &str, key: Arg) -> Result<Option<(Ticket, Option<AccessCase>)>, Error> {
        // Most tickets have no case, and one statement says so together with the ticket.
        let without = format!("{which} and not exists (select 1 from access_cases a where a.ticket = t.id)");
        if let Some(ticket) = rows::ticket(&self.db.quick(&rows::select(&without), vec![key.clone()]).await?)? {
            return Ok(Some((ticket, None)));
        }
        let (db, sql) = (self.db.clone(), rows::select(which));
        // A request that is dropped does not cut it off.
        apart(async move {
            let mut tx = db.begin_reading().await?;
            let ticket = rows::ticket(&tx.all(&sql, vec![key]).await?)?;
            let case = match &ticket {
                Some(ticket) => case_of(&mut tx, ticket.id).await?,
                None => None,
            };
            tx.end().await?;
            Ok(ticket.map(|ticket| (ticket, case)))
        })
        .await
    }

    /// The grants that a person holds, or has held since an instant, newest first.
    pub async fn grants(&self, subject: &PersonId, since: Timestamp) -> Result<Vec<Grant>, Error> {
        let sql = format!(
            "select {GRANT_COLUMNS} from grants where subject = $1 and (expires_at >= $2 or {UNDER_WAY}) \
             order by granted_at desc, id desc"
        );
        let rows = self.db.all(&sql, vec![subject.as_str().into(), ms(since).into()]).await?;
        rows.iter().map(grant).collect()
    }

    /// Who holds one of these tiers of an app now, and in which: by a grant, or with none, such as a tier that stays by default. A seat
    /// is free again when the app has been seen without the person (I23).
    pub async fn holders(
        &self,
        app: &AppId,
        tiers: &[&TierId],
        now: Timestamp,
    ) -> Result<Vec<(PersonId, TierId)>, Error> {
        if tiers.is_empty() {
            return Ok(Vec::new());
        }
        // In two parts, each of which an index narrows to what is held: no grant that is over is read.
        let of = format!("select subject, tier from grants where app = $1 and tier in ({})", places(2, tiers.len()));
        let without = format!(
            "select h.subject, substr(h.entitlement, {}) from holdings h where h.app = $1 and h.entitlement in ({}) \
             and not exists (select 1 from {} where g.subject = h.subject and g.app = h.app \
             and ((g.expires_at > $2 and {SUPPORTS}) or {UNDER_WAY}))",
            TIER.len() + 1,
            places(2 + tiers.len(), tiers.len()),
            OF_ONE.text(&self.db)
        );
        let sql = format!(
            "{of} and expires_at > $2 and {SUPPORTS} union {of} and {UNDER_WAY} union {without} order by subject, tier"
        );
        let mut args = vec![app.as_str().into(), Arg::from(ms(now))];
        args.extend(tiers.iter().map(|tier| Arg::from(tier.as_str())));
        args.extend(tiers.iter().map(|tier| Arg::from(format!("{TIER}{tier}"))));
        let rows = self.db.all(&sql, args).await?;
        const T: &str = "grants";
        // One of another's grants that cannot be read keeps no person from asking for the app.
        let holder = |row: &Row| {
            Some((parsed(T, "subject", &row.text(0).ok()?).ok()?, parsed(T, "tier", &row.text(1).ok()?).ok()?))
        };
        Ok(rows.iter().filter_map(holder).collect())
    }

    /// The grant with this id.
    pub async fn grant(&self, id: GrantId) -> Result<Option<Grant>, Error> {
        let sql = format!("select {GRANT_COLUMNS} from grants where id = $1");
        self.db.optional(&sql, vec![id.0.into()]).await?.as_ref().map(grant).transpose()
    }

    /// How a person's requests since an instant have ended.
    pub async fn access_history(&self, subject: &PersonId, since: Timestamp) -> Result<History, Error> {
        // What was taken back has no state, as the other rows have one.
        let sql = "select state, count(*) from access_cases where subject = $1 and opened_at >= $2 group by state \
                   union all select '', count(*) from grants where subject = $1 and revoked_at >= $2";
        let rows = self.db.all(sql, vec![subject.as_str().into(), ms(since).into()]).await?;
        let mut history = History::default();
        for row in rows {
            let (code, count) = (row.text(0)?, u32::try_from(row.int(1)?).unwrap_or(u32::MAX));
            if code.is_empty() {
                history.revoked = count;
                continue;
            }
            history.requested += count;
            match state(&code) {
                Ok(AccessState::Approved) => history.approved += count,
                Ok(AccessState::Denied | AccessState::DeniedByPolicy) => history.denied += count,
                Ok(AccessState::Awaiting | AccessState::Cancelled) | Err(_) => {}
            }
        }
        Ok(history)
    }
}

/// The columns of a case, in the order in which they are read.
pub(in crate::store) const CASE_COLUMNS: &str = "requester, submitted_by, subject, extends, app, tier, role, duration_hours, \
     justification, state, scope, steps, reason, emergency, starts_at, own_words";
/// How many columns that are.
pub(in crate::store) const CASE_COLUMNS_COUNT: usize = 16;
/// The columns of what a person decided about one.
pub(in crate::store) const DECISION_COLUMNS: &str = "step, approver, approve, reason, at, in_place_of";
/// How many columns that are.
pub(in crate::store) const DECISION_COLUMNS_COUNT: usize = 6;

async fn case_of(tx: &mut Tx, ticket: TicketId) -> Result<Option<AccessCase>, Error> {
    let sql = format!("select {CASE_COLUMNS} from access_cases where ticket = $1");
    let Some(row) = tx.optional(&sql, vec![ticket.0.into()]).await? else { return Ok(None) };
    let sql = format!("select {DECISION_COLUMNS} from access_decisions where ticket = $1 order by at, step");
    let decisions = tx.all(&sql, vec![ticket.0.into()]).await?;
    case(ticket, &row, &decisions).map(Some)
}

fn state(code: &str) -> Result<AccessState, Error> {
    AccessState::from_code(code).ok_or_else(|| corrupt("access_cases", "state", code))
}

pub(in crate::store) fn case(ticket: TicketId, row: &Row, decisions: &[Row]) -> Result<AccessCase, Error> {
    const T: &str = "access_cases";
    let duration =
        row.opt_int(7)?.map(|hours| u32::try_from(hours).map_err(|_| corrupt(T, "duration_hours", hours.to_string())));
    Ok(AccessCase {
        ticket,
        requester: parsed(T, "requester", &row.text(0)?)?,
        submitted_by: parsed(T, "submitted_by", &row.text(1)?)?,
        request: AccessRequest {
            subject: parsed(T, "subject", &row.text(2)?)?,
            extends: row.int(3)? == 1,
            emergency: row.int(13)? == 1,
            starts: row.opt_int(14)?.map(|starts| at(T, "starts_at", starts)).transpose()?,
            app: parsed(T, "app", &row.text(4)?)?,
            tier: parsed(T, "tier", &row.text(5)?)?,
            role: row.opt_text(6)?,
            duration_hours: duration.transpose()?,
            justification: row.text(8)?,
        },
        state: state(&row.text(9)?)?,
        scope: scope_from_json(&row.text(10)?)?,
        steps: steps_from_json(&row.text(11)?)?,
        reason: row.text(12)?,
        own_words: row.opt_int(15)?.map(|own| usize::try_from(own).unwrap_or(ALL_WORDS)),
        decisions: decisions.iter().map(decision).collect::<Result<_, _>>()?,
    })
}

pub(in crate::store) fn decision(row: &Row) -> Result<HumanDecision, Error> {
    const T: &str = "access_decisions";
    let places: Vec<String> = from_json(T, "in_place_of", &row.text(5)?)?;
    Ok(HumanDecision {
        step: usize::try_from(row.int(0)?).map_err(|_| corrupt(T, "step", "a negative number"))?,
        approver: parsed(T, "approver", &row.text(1)?)?,
        in_place_of: places.iter().map(|id| parsed(T, "in_place_of", id)).collect::<Result<_, _>>()?,
        approve: row.int(2)? == 1,
        reason: row.text(3)?,
        at: at(T, "at", row.int(4)?)?,
    })
}

/// A grant as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedGrant {
    pub grant: Grant,
    /// The columns that hold what nothing of ours wrote, and have stand-ins here, with which it gives no access.
    pub damaged: Vec<&'static str>,
}

/// A grant of a list, from a row of [`GRANT_COLUMNS`], as far as it can be read.
pub(in crate::store) fn listed(row: &Row) -> Result<ListedGrant, Error> {
    if let Ok(grant) = grant(row) {
        return Ok(ListedGrant { grant, damaged: Vec::new() });
    }
    let mut read = Lenient::default();
    let groups = row.text(6).and_then(|text| from_json::<BTreeSet<String>>("grants", "groups", &text));
    let grant = Grant {
        id: GrantId(row.uuid(0)?),
        ticket: TicketId(read.or("ticket", row.uuid(1), uuid::Uuid::nil())),
        subject: read.id("subject", row.text(2))?,
        app: read.id("app", row.text(3))?,
        tier: read.id("tier", row.text(4))?,
        role: read.or("role", row.opt_text(5), None),
        groups: read.or("groups", groups, BTreeSet::new()).into_iter().collect(),
        granted_at: read.at("granted_at", row.int(7)),
        expires_at: read.at("expires_at", row.int(8)),
        revoked_at: read.opt_at("revoked_at", row.opt_int(9)),
        state: read.or("state", row.text(10).and_then(|code| grant_state(&code)), GrantState::Failed),
        end_reason: {
            let code = row.opt_text(11).and_then(|code| code.map(|code| end_reason(&code)).transpose());
            read.or("end_reason", code, None)
        },
    };
    // Part of it is not known, so that it is no reason for access in a list.
    Ok(ListedGrant { grant: Grant { state: GrantState::Failed, ..grant }, damaged: read.damaged() })
}

/// A grant from a row of [`GRANT_COLUMNS`].
pub fn grant(row: &Row) -> Result<Grant, Error> {
    const T: &str = "grants";
    let groups: BTreeSet<String> = from_json(T, "groups", &row.text(6)?)?;
    Ok(Grant {
        id: GrantId(row.uuid(0)?),
        ticket: TicketId(row.uuid(1)?),
        subject: parsed(T, "subject", &row.text(2)?)?,
        app: parsed(T, "app", &row.text(3)?)?,
        tier: parsed(T, "tier", &row.text(4)?)?,
        role: row.opt_text(5)?,
        groups: groups.into_iter().collect(),
        granted_at: at(T, "granted_at", row.int(7)?)?,
        expires_at: at(T, "expires_at", row.int(8)?)?,
        revoked_at: row.opt_int(9)?.map(|v| at(T, "revoked_at", v)).transpose()?,
        state: grant_state(&row.text(10)?)?,
        end_reason: row.opt_text(11)?.map(|code| end_reason(&code)).transpose()?,
    })
}

pub(super) fn grant_state(code: &str) -> Result<GrantState, Error> {
    GrantState::from_code(code).ok_or_else(|| corrupt("grants", "state", code))
}

pub(super) fn end_reason(code: &str) -> Result<EndReason, Error> {
    EndReason::from_code(code).ok_or_else(|| corrupt("grants", "end_reason", code))
}

pub(super) fn scope_json(scope: Option<&Scope>) -> Json {
    scope.map_or(Json::Null, |s| json!([s.tier.as_str(), s.role, s.groups, s.duration_hours]))
}

pub(in crate::store) fn scope_from_json(text: &str) -> Result<Option<Scope>, Error> {
    let scope: Option<(String, Option<String>, Vec<String>, u32)> = from_json("access_cases", "scope", text)?;
    scope
        .map(|(tier, role, groups, duration_hours)| {
            Ok(Scope { tier: parsed("access_cases", "scope", &tier)?, role, groups, duration_hours })
        })
        .transpose()
}

/// Steps are `[approvers, needed, due]`; of later programs also what makes them approvers, and who was asked before.
pub(super) fn steps_json(steps: &[Step]) -> Json {
    let people = |people: &[PersonId]| people.iter().map(ToString::to_string).collect::<Vec<_>>();
    let named = |step: &Step| step.named.iter().map(ToString::to_string).collect::<Vec<_>>();
    let step =
        |step: &Step| json!([people(&step.approvers), step.needed, ms(step.due_at), named(step), people(&step.former)]);
    steps.iter().map(step).collect()
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum StoredStep {
    Following(Vec<String>, u32, i64, Vec<String>, Vec<String>),
    Fixed(Vec<String>, u32, i64),
}

pub(super) fn steps_from_json(text: &str) -> Result<Vec<Step>, Error> {
    const T: &str = "access_cases";
    let people = |ids: &[String]| ids.iter().map(|id| parsed(T, "steps", id)).collect::<Result<Vec<PersonId>, _>>();
    let steps: Vec<StoredStep> = from_json(T, "steps", text)?;
    steps
        .into_iter()
        .map(|step| {
            let (approvers, needed, due, named, former) = match step {
                StoredStep::Following(approvers, needed, due, named, former) => (approvers, needed, due, named, former),
                StoredStep::Fixed(approvers, needed, due) => (approvers, needed, due, Vec::new(), Vec::new()),
            };
            let named = named.iter().map(|text| Named::parse(text).ok_or_else(|| corrupt(T, "steps", text.as_str())));
            Ok(Step {
                approvers: people(&approvers)?,
                needed,
                // One that is due when no calendar reaches spoils no list: it is due at the end of time.
                due_at: at(T, "steps", due).unwrap_or(Timestamp::MAX),
                named: named.collect::<Result<_, _>>()?,
                former: people(&former)?,
            })
        })
        .collect()
}
