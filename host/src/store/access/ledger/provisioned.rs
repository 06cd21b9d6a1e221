//! Events about grants in apps, as the ledger keeps them: where a grant stands, the orders, and what people hold; and what an
//! approver was shown.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::T;
use crate::desk::access::provisioning::{Direction, Op, OpState};
use crate::desk::access::{LedgerEvent, Seen};
use crate::desk::id::{GrantId, OpId, TicketId};
use crate::store::Error;
use crate::store::access::{end_reason, grant_state};
use crate::store::sql::columns::{at, corrupt, ms, parsed};

#[derive(Serialize, Deserialize)]
struct Stands {
    grant: Uuid,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredOp {
    op: Uuid,
    grant: Uuid,
    subject: String,
    app: String,
    entitlement: String,
    direction: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    generation: u32,
    state: String,
    attempt: u32,
    not_before: i64,
    said: String,
    planned_at: i64,
    changed_at: i64,
}

#[derive(Serialize, Deserialize)]
struct Holds {
    grant: Uuid,
    subject: String,
    app: String,
    entitlement: String,
    /// Whether it was there before, or is left there.
    outside: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredSeen {
    approver: String,
    snapshot: String,
    shown: String,
    insights: Vec<String>,
}

/// The facts of such an event; empty for any other.
pub(super) fn facts(event: &LedgerEvent) -> String {
    let facts = match event {
        LedgerEvent::GrantStands { grant, state, reason } => serde_json::to_string(&Stands {
            grant: grant.0,
            state: state.code().to_owned(),
            reason: reason.map(|reason| reason.code().to_owned()),
        }),
        LedgerEvent::Op { op } => serde_json::to_string(&stored(op)),
        LedgerEvent::Holds { grant, subject, app, entitlement, preexisting: outside }
        | LedgerEvent::HoldsNoMore { grant, subject, app, entitlement, kept: outside } => {
            serde_json::to_string(&Holds {
                grant: grant.0,
                subject: subject.to_string(),
                app: app.to_string(),
                entitlement: entitlement.to_string(),
                outside: *outside,
            })
        }
        LedgerEvent::Seen { approver, seen: Seen { snapshot, shown, insights } } => {
            serde_json::to_string(&StoredSeen {
                approver: approver.to_string(),
                snapshot: snapshot.clone(),
                shown: shown.clone(),
                insights: insights.clone(),
            })
        }
        _ => return String::new(),
    };
    // Texts and numbers always have a JSON form.
    facts.unwrap_or_default()
}

fn stored(op: &Op) -> StoredOp {
    StoredOp {
        op: op.id.0,
        grant: op.grant.0,
        subject: op.subject.to_string(),
        app: op.app.to_string(),
        entitlement: op.entitlement.to_string(),
        direction: op.direction.code().to_owned(),
        replaces: op.replaces.as_ref().map(ToString::to_string),
        generation: op.generation,
        state: op.state.code().to_owned(),
        attempt: op.attempt,
        not_before: ms(op.not_before),
        said: op.said.clone(),
        planned_at: ms(op.planned_at),
        changed_at: ms(op.changed_at),
    }
}

/// The event of this word with these facts.
pub(super) fn event(code: &str, facts: &str, ticket: TicketId) -> Result<LedgerEvent, Error> {
    let wrong = || corrupt(T, "detail", facts);
    Ok(match code {
        "grant-stands" => {
            let said: Stands = serde_json::from_str(facts).map_err(|_| wrong())?;
            LedgerEvent::GrantStands {
                grant: GrantId(said.grant),
                state: grant_state(&said.state)?,
                reason: said.reason.map(|code| end_reason(&code)).transpose()?,
            }
        }
        "seen" => {
            let StoredSeen { approver, snapshot, shown, insights } =
                serde_json::from_str(facts).map_err(|_| wrong())?;
            let seen = Seen { snapshot, shown, insights };
            LedgerEvent::Seen { approver: parsed(T, "approver", &approver)?, seen }
        }
        "op" => LedgerEvent::Op { op: op(serde_json::from_str(facts).map_err(|_| wrong())?, ticket)? },
        code => {
            let said: Holds = serde_json::from_str(facts).map_err(|_| wrong())?;
            let grant = GrantId(said.grant);
            let (subject, app) = (parsed(T, "subject", &said.subject)?, parsed(T, "app", &said.app)?);
            let entitlement = said.entitlement.parse().map_err(|_| wrong())?;
            match code {
                "holds" => LedgerEvent::Holds { grant, subject, app, entitlement, preexisting: said.outside },
                _ => LedgerEvent::HoldsNoMore { grant, subject, app, entitlement, kept: said.outside },
            }
        }
    })
}

fn op(said: StoredOp, ticket: TicketId) -> Result<Op, Error> {
    Ok(Op {
        id: OpId(said.op),
        ticket,
        grant: GrantId(said.grant),
        subject: parsed(T, "subject", &said.subject)?,
        app: parsed(T, "app", &said.app)?,
        entitlement: said.entitlement.parse().map_err(|_| corrupt(T, "entitlement", &*said.entitlement))?,
        direction: Direction::from_code(&said.direction).ok_or_else(|| corrupt(T, "direction", said.direction))?,
        replaces: said.replaces.map(|tier| parsed(T, "replaces", &tier)).transpose()?,
        generation: said.generation,
        state: OpState::from_code(&said.state).ok_or_else(|| corrupt(T, "state", said.state))?,
        attempt: said.attempt,
        not_before: at(T, "not_before", said.not_before)?,
        said: said.said,
        planned_at: at(T, "planned_at", said.planned_at)?,
        changed_at: at(T, "changed_at", said.changed_at)?,
    })
}

/// One of each, for the test that all read back as they were written.
#[cfg(test)]
pub(super) fn samples(grant: &crate::desk::access::Grant) -> Vec<LedgerEvent> {
    use crate::desk::access::provisioning::Entitlement;
    use crate::desk::access::{EndReason, GrantState};
    let op = Op {
        id: OpId(Uuid::from_u128(9)),
        ticket: grant.ticket,
        grant: grant.id,
        subject: grant.subject.clone(),
        app: grant.app.clone(),
        entitlement: Entitlement::Tier(grant.tier.clone()),
        direction: Direction::Replace,
        replaces: "free".parse().ok(),
        generation: 3,
        state: OpState::Unknown,
        attempt: 2,
        not_before: grant.expires_at,
        said: "PATCH /Groups/7: 503".to_owned(),
        planned_at: grant.granted_at,
        changed_at: grant.expires_at,
    };
    let (subject, app, entitlement) =
        (grant.subject.clone(), grant.app.clone(), Entitlement::Role("editor".to_owned()));
    let seen =
        Seen { snapshot: "7f".to_owned(), shown: "{\"risk\":\"low\"}".to_owned(), insights: vec!["peers".to_owned()] };
    vec![
        LedgerEvent::Seen { approver: subject.clone(), seen },
        LedgerEvent::GrantStands { grant: grant.id, state: GrantState::Ended, reason: Some(EndReason::Expired) },
        LedgerEvent::GrantStands { grant: grant.id, state: GrantState::Active, reason: None },
        LedgerEvent::Op { op: op.clone() },
        LedgerEvent::Op { op: Op { direction: Direction::Grant, replaces: None, ..op } },
        LedgerEvent::Holds {
            grant: grant.id,
            subject: subject.clone(),
            app: app.clone(),
            entitlement: entitlement.clone(),
            preexisting: true,
        },
        LedgerEvent::HoldsNoMore { grant: grant.id, subject, app, entitlement, kept: false },
    ]
}
