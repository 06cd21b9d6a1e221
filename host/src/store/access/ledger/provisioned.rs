//! Events about grants in apps, as the ledger keeps them: where a grant stands, the orders, and what people hold; and what an
//! approver was shown.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::T;
use crate::desk::access::campaign::{ReviewAnswer, ReviewItem, ReviewVerdict};
use crate::desk::access::provisioning::{Direction, Op, OpState};
use crate::desk::access::{LedgerEvent, Seen};
use crate::desk::id::{CampaignId, GrantId, OpId, ReviewItemId, TicketId};
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
struct StoredSessions {
    grant: Uuid,
    until: i64,
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

#[derive(Serialize, Deserialize)]
struct StoredWords {
    person: String,
    words: String,
}

#[derive(Serialize, Deserialize)]
struct StoredAsked {
    item: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    campaign: Option<Uuid>,
    grant: Uuid,
    reviewers: Vec<String>,
    asked_at: i64,
    due_at: i64,
}

#[derive(Serialize, Deserialize)]
struct StoredReviewed {
    item: Uuid,
    grant: Uuid,
    verdict: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// Absent where it was asked of them themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    in_place_of: Vec<String>,
    reason: String,
    at: i64,
}

/// The facts of such an event; empty for any other.
pub(super) fn facts(event: &LedgerEvent) -> String {
    let facts = match event {
        LedgerEvent::GrantStands { grant, state, reason } => serde_json::to_string(&Stands {
            grant: grant.0,
            state: state.code().to_owned(),
            reason: reason.map(|reason| reason.code().to_owned()),
        }),
        LedgerEvent::SessionsUntil { grant, until } => {
            serde_json::to_string(&StoredSessions { grant: grant.0, until: ms(*until) })
        }
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
        LedgerEvent::AskedBack { approver: person, question: words }
        | LedgerEvent::AnsweredBack { by: person, answer: words } => {
            serde_json::to_string(&StoredWords { person: person.to_string(), words: words.clone() })
        }
        LedgerEvent::ReviewAsked { item } => serde_json::to_string(&StoredAsked {
            item: item.id.0,
            campaign: item.campaign.map(|campaign| campaign.0),
            grant: item.grant.0,
            reviewers: item.reviewers.iter().map(ToString::to_string).collect(),
            asked_at: ms(item.asked_at),
            due_at: ms(item.due_at),
        }),
        LedgerEvent::Reviewed { item, grant, answer } => serde_json::to_string(&StoredReviewed {
            item: item.0,
            grant: grant.0,
            verdict: answer.verdict.code().to_owned(),
            by: answer.by.as_ref().map(ToString::to_string),
            in_place_of: answer.in_place_of.iter().map(ToString::to_string).collect(),
            reason: answer.reason.clone(),
            at: ms(answer.at),
        }),
        // These are written by the room above.
        LedgerEvent::Requested { .. }
        | LedgerEvent::Decided { .. }
        | LedgerEvent::Lapsed
        | LedgerEvent::Reassigned { .. }
        | LedgerEvent::Invalidated
        | LedgerEvent::Stands { .. }
        | LedgerEvent::Granted { .. }
        | LedgerEvent::Replaced { .. }
        | LedgerEvent::Revoked { .. } => return String::new(),
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
        "asked-back" => {
            let StoredWords { person, words } = serde_json::from_str(facts).map_err(|_| wrong())?;
            LedgerEvent::AskedBack { approver: parsed(T, "person", &person)?, question: words }
        }
        "answered-back" => {
            let StoredWords { person, words } = serde_json::from_str(facts).map_err(|_| wrong())?;
            LedgerEvent::AnsweredBack { by: parsed(T, "person", &person)?, answer: words }
        }
        "sessions-until" => {
            let said: StoredSessions = serde_json::from_str(facts).map_err(|_| wrong())?;
            LedgerEvent::SessionsUntil { grant: GrantId(said.grant), until: at(T, "until", said.until)? }
        }
        "op" => LedgerEvent::Op { op: op(serde_json::from_str(facts).map_err(|_| wrong())?, ticket)? },
        "review-asked" => {
            LedgerEvent::ReviewAsked { item: asked(&serde_json::from_str(facts).map_err(|_| wrong())?, ticket)? }
        }
        "reviewed" => {
            let said: StoredReviewed = serde_json::from_str(facts).map_err(|_| wrong())?;
            let answer = ReviewAnswer {
                verdict: ReviewVerdict::from_code(&said.verdict).ok_or_else(wrong)?,
                by: said.by.map(|by| parsed(T, "by", &by)).transpose()?,
                in_place_of: said
                    .in_place_of
                    .iter()
                    .map(|id| parsed(T, "in_place_of", id))
                    .collect::<Result<_, _>>()?,
                reason: said.reason,
                at: at(T, "at", said.at)?,
            };
            LedgerEvent::Reviewed { item: ReviewItemId(said.item), grant: GrantId(said.grant), answer }
        }
        "holds" | "holds-no-more" => {
            let said: Holds = serde_json::from_str(facts).map_err(|_| wrong())?;
            let grant = GrantId(said.grant);
            let (subject, app) = (parsed(T, "subject", &said.subject)?, parsed(T, "app", &said.app)?);
            let entitlement = said.entitlement.parse().map_err(|_| wrong())?;
            if code == "holds" {
                LedgerEvent::Holds { grant, subject, app, entitlement, preexisting: said.outside }
            } else {
                LedgerEvent::HoldsNoMore { grant, subject, app, entitlement, kept: said.outside }
            }
        }
        other => return Err(corrupt(T, "event", other)),
    })
}

fn asked(said: &StoredAsked, ticket: TicketId) -> Result<ReviewItem, Error> {
    Ok(ReviewItem {
        id: ReviewItemId(said.item),
        campaign: said.campaign.map(CampaignId),
        grant: GrantId(said.grant),
        ticket,
        reviewers: said.reviewers.iter().map(|id| parsed(T, "reviewers", id)).collect::<Result<_, _>>()?,
        asked_at: at(T, "asked_at", said.asked_at)?,
        due_at: at(T, "due_at", said.due_at)?,
        answer: None,
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
    let item = ReviewItem {
        id: ReviewItemId(Uuid::from_u128(11)),
        campaign: Some(CampaignId(Uuid::from_u128(12))),
        grant: grant.id,
        ticket: grant.ticket,
        reviewers: vec![subject.clone()],
        asked_at: grant.granted_at,
        due_at: grant.expires_at,
        answer: None,
    };
    let answer = |verdict, by: Option<&str>| ReviewAnswer {
        verdict,
        by: by.and_then(|by| by.parse().ok()),
        in_place_of: by.iter().filter_map(|_| "eve".parse().ok()).collect(),
        reason: "still in the project".to_owned(),
        at: grant.expires_at,
    };
    let reviewed = |answer| LedgerEvent::Reviewed { item: item.id, grant: grant.id, answer };
    vec![
        reviewed(answer(ReviewVerdict::Keep, Some("hal"))),
        reviewed(answer(ReviewVerdict::Lapsed, None)),
        LedgerEvent::ReviewAsked { item: item.clone() },
        LedgerEvent::ReviewAsked { item: ReviewItem { campaign: None, ..item.clone() } },
        LedgerEvent::Seen { approver: subject.clone(), seen },
        LedgerEvent::AskedBack { approver: subject.clone(), question: "for which project?".to_owned() },
        LedgerEvent::AnsweredBack { by: subject.clone(), answer: "for the new site".to_owned() },
        LedgerEvent::GrantStands { grant: grant.id, state: GrantState::Ended, reason: Some(EndReason::Expired) },
        LedgerEvent::GrantStands { grant: grant.id, state: GrantState::Active, reason: None },
        LedgerEvent::SessionsUntil { grant: grant.id, until: grant.expires_at },
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
