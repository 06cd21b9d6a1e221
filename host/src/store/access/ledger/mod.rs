//! The ledger of access: every event, in order, chained; added to, never changed.
//!
//! An event is its word and its facts as a JSON object with named fields. What the facts look like is said by the number of
//! the encoding that the record's hash begins with: under the first, before events had fields, they are one sentence.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::desk::access::{AccessRequest, AccessState, Grant, GrantState, LedgerEntry, LedgerEvent};
use crate::desk::actor::Author;
use crate::desk::id::{GrantId, TicketId};
#[cfg(test)]
use crate::desk::verdict::access::Scope;
use crate::store::access::{grant_state, scope_from_json, scope_json, steps_from_json, steps_json};
use crate::store::chain::{Chain, Content, ContentDigest, Encoding, Ends};
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{at, at_or_epoch, corrupt, ms, parsed};
use crate::store::{Error, Store};

mod provisioned;

const T: &str = "ledger";

/// An event of the ledger, as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    pub at: Timestamp,
    pub said: Said,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Event(LedgerEvent),
    /// A word and a sentence, from before events had fields.
    Sentence {
        event: String,
        detail: String,
    },
}

impl Said {
    /// The stable word for programs.
    pub fn code(&self) -> &str {
        match self {
            Said::Event(event) => event.code(),
            Said::Sentence { event, .. } => event,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Requested {
    requester: String,
    submitted_by: String,
    subject: String,
    extends: bool,
    app: String,
    tier: String,
    role: Option<String>,
    duration_hours: Option<u32>,
    justification: String,
    /// Absent where it can wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    emergency: bool,
    /// Absent where it begins at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Decided {
    approver: String,
    /// Absent where the approver decides for themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    in_place_of: Vec<String>,
    step: usize,
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct Stands {
    reason: String,
    /// As a case keeps it; absent in events from before it was said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<serde_json::Value>,
    /// As a case keeps them; absent where no one is asked, and in events from before they were said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    steps: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Reassigned {
    step: usize,
    approvers: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Replaced {
    grant: Uuid,
    by: Uuid,
}

#[derive(Serialize, Deserialize)]
struct Granted {
    grant: Uuid,
    subject: String,
    app: String,
    tier: String,
    role: Option<String>,
    groups: Vec<String>,
    granted_at: i64,
    expires_at: i64,
    /// Absent where it is active from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Revoked {
    grant: Uuid,
    subject: String,
    app: String,
    tier: String,
    /// Who took it back; the desk itself where there is none.
    by: Option<String>,
    reason: String,
}

/// An event's facts, as they are stored and hashed.
pub fn facts(event: &LedgerEvent) -> String {
    let facts = match event {
        LedgerEvent::Requested { requester, submitted_by, request } => serde_json::to_string(&Requested {
            requester: requester.to_string(),
            submitted_by: submitted_by.to_string(),
            subject: request.subject.to_string(),
            extends: request.extends,
            app: request.app.to_string(),
            tier: request.tier.to_string(),
            role: request.role.clone(),
            duration_hours: request.duration_hours,
            justification: request.justification.clone(),
            emergency: request.emergency,
            starts: request.starts.map(ms),
        }),
        LedgerEvent::Decided { approver, in_place_of, step, approve: _, reason } => serde_json::to_string(&Decided {
            approver: approver.to_string(),
            in_place_of: in_place_of.iter().map(ToString::to_string).collect(),
            step: *step,
            reason: reason.clone(),
        }),
        LedgerEvent::Lapsed | LedgerEvent::Invalidated => Ok("{}".to_owned()),
        LedgerEvent::Reassigned { step, approvers } => serde_json::to_string(&Reassigned {
            step: *step,
            approvers: approvers.iter().map(ToString::to_string).collect(),
        }),
        LedgerEvent::Replaced { grant, by } => serde_json::to_string(&Replaced { grant: grant.0, by: by.0 }),
        LedgerEvent::Stands { state: _, reason, scope, steps } => {
            let scope = scope.as_ref().map(|scope| scope_json(Some(scope)));
            let steps = (!steps.is_empty()).then(|| steps_json(steps));
            serde_json::to_string(&Stands { reason: reason.clone(), scope, steps })
        }
        LedgerEvent::Granted { grant } => serde_json::to_string(&Granted {
            grant: grant.id.0,
            subject: grant.subject.to_string(),
            app: grant.app.to_string(),
            tier: grant.tier.to_string(),
            role: grant.role.clone(),
            groups: grant.groups.clone(),
            granted_at: ms(grant.granted_at),
            expires_at: ms(grant.expires_at),
            state: Some(grant.state).filter(|state| *state != GrantState::Active).map(|state| state.code().to_owned()),
        }),
        LedgerEvent::GrantStands { .. }
        | LedgerEvent::SessionsUntil { .. }
        | LedgerEvent::Op { .. }
        | LedgerEvent::Holds { .. }
        | LedgerEvent::HoldsNoMore { .. }
        | LedgerEvent::ReviewAsked { .. }
        | LedgerEvent::Reviewed { .. }
        | LedgerEvent::AskedBack { .. }
        | LedgerEvent::AnsweredBack { .. }
        | LedgerEvent::Seen { .. } => return provisioned::facts(event),
        LedgerEvent::Revoked { grant, subject, app, tier, by, reason } => serde_json::to_string(&Revoked {
            grant: grant.0,
            subject: subject.to_string(),
            app: app.to_string(),
            tier: tier.to_string(),
            by: by.person().map(ToString::to_string),
            reason: reason.clone(),
        }),
    };
    // Texts and numbers always have a JSON form.
    facts.unwrap_or_default()
}

/// The event of this word with these facts, which belongs to this ticket.
fn event(code: &str, facts: &str, ticket: TicketId) -> Result<LedgerEvent, Error> {
    fn read<F: DeserializeOwned>(facts: &str) -> Result<F, Error> {
        serde_json::from_str(facts).map_err(|_| corrupt(T, "detail", facts))
    }
    Ok(match code {
        "requested" => {
            let said: Requested = read(facts)?;
            let request = AccessRequest {
                extends: said.extends,
                emergency: said.emergency,
                starts: said.starts.map(|starts| at(T, "starts", starts)).transpose()?,
                app: parsed(T, "app", &said.app)?,
                tier: parsed(T, "tier", &said.tier)?,
                role: said.role,
                duration_hours: said.duration_hours,
                justification: said.justification,
                subject: parsed(T, "subject", &said.subject)?,
            };
            LedgerEvent::Requested {
                requester: parsed(T, "requester", &said.requester)?,
                submitted_by: parsed(T, "submitted_by", &said.submitted_by)?,
                request,
            }
        }
        "approved-by" | "denied-by" => {
            let Decided { approver, in_place_of, step, reason } = read(facts)?;
            let approver = parsed(T, "approver", &approver)?;
            let in_place_of = in_place_of.iter().map(|id| parsed(T, "in_place_of", id)).collect::<Result<_, _>>()?;
            LedgerEvent::Decided { approver, in_place_of, step, approve: code == "approved-by", reason }
        }
        "lapsed" => LedgerEvent::Lapsed,
        "invalidated" => LedgerEvent::Invalidated,
        "reassigned" => {
            let Reassigned { step, approvers } = read(facts)?;
            let approvers = approvers.iter().map(|id| parsed(T, "approvers", id)).collect::<Result<_, _>>()?;
            LedgerEvent::Reassigned { step, approvers }
        }
        "replaced" => {
            let Replaced { grant, by } = read(facts)?;
            LedgerEvent::Replaced { grant: GrantId(grant), by: GrantId(by) }
        }
        "granted" => LedgerEvent::Granted { grant: grant(read(facts)?, ticket)? },
        "grant-stands" | "sessions-until" | "op" | "holds" | "holds-no-more" | "seen" | "review-asked" | "reviewed"
        | "asked-back" | "answered-back" => provisioned::event(code, facts, ticket)?,
        "revoked" => {
            let said: Revoked = read(facts)?;
            let by = said.by.map(|by| parsed(T, "by", &by).map(Author::Person)).transpose()?;
            LedgerEvent::Revoked {
                grant: GrantId(said.grant),
                subject: parsed(T, "subject", &said.subject)?,
                app: parsed(T, "app", &said.app)?,
                tier: parsed(T, "tier", &said.tier)?,
                by: by.unwrap_or(Author::System),
                reason: said.reason,
            }
        }
        code => {
            let state = AccessState::from_code(code).ok_or_else(|| corrupt(T, "event", code))?;
            let Stands { reason, scope, steps } = read(facts)?;
            let scope = scope.map(|scope| scope_from_json(&scope.to_string())).transpose()?.flatten();
            let steps = steps.map(|steps| steps_from_json(&steps.to_string())).transpose()?.unwrap_or_default();
            LedgerEvent::Stands { state, reason, scope, steps }
        }
    })
}

fn grant(said: Granted, ticket: TicketId) -> Result<Grant, Error> {
    Ok(Grant {
        id: GrantId(said.grant),
        ticket,
        subject: parsed(T, "subject", &said.subject)?,
        app: parsed(T, "app", &said.app)?,
        tier: parsed(T, "tier", &said.tier)?,
        role: said.role,
        groups: said.groups,
        granted_at: at(T, "granted_at", said.granted_at)?,
        expires_at: at(T, "expires_at", said.expires_at)?,
        revoked_at: None,
        state: said.state.map_or(Ok(GrantState::Active), |code| grant_state(&code))?,
        end_reason: None,
    })
}

/// Adds events of a transaction, which has taken the end of the chain where there are any.
pub async fn append(tx: &mut Tx, entries: &[&LedgerEntry], ends: &mut Ends) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut end = ends.give(Chain::Ledger)?;
    let rows = entries.iter().map(|entry| {
        let (at, code, facts) = (ms(entry.at), entry.event.code(), facts(&entry.event));
        let (link, hash) = end.add(&content(Encoding::Two, at, entry.ticket, code, &facts));
        vec![at.into(), entry.ticket.0.into(), code.into(), facts.into(), Some(link).into(), Arg::from(hash)]
    });
    let rows = rows.collect();
    tx.insert_later("insert into ledger (at, ticket, event, detail, link, hash)", 6, "", rows).await?;
    end.put_back(tx).await
}

/// An event's content, as it is chained; both encodings hash the same columns.
pub fn content(encoding: Encoding, at: i64, ticket: TicketId, event: &str, detail: &str) -> ContentDigest {
    let mut content = Content::of(Chain::Ledger, encoding);
    content.int(at).field(ticket.0.as_bytes()).field(event.as_bytes()).field(detail.as_bytes());
    content.digest()
}

impl Store {
    /// The events of a ticket's access, in order; of one that cannot be read, its word and that it is damaged.
    pub async fn ledger(&self, ticket: TicketId) -> Result<Vec<StoredEvent>, Error> {
        let sql = "select at, event, detail, hash from ledger where ticket = $1 order by seq";
        let rows = self.db.all(sql, vec![ticket.0.into()]).await?;
        Ok(self.readable(T, &rows, |row| stored(row, ticket).or_else(|_| damaged(row))))
    }
}

/// The same as far as it can be read.
fn damaged(row: &Row) -> Result<StoredEvent, Error> {
    let detail = "what is kept of it is damaged".to_owned();
    Ok(StoredEvent { at: at_or_epoch(row.int(0)?), said: Said::Sentence { event: row.text(1)?, detail } })
}

/// An event, of its time, word, facts and hash.
pub(in crate::store) fn stored(row: &Row, ticket: TicketId) -> Result<StoredEvent, Error> {
    let (code, detail) = (row.text(1)?, row.text(2)?);
    let said = match row.opt_text(3)?.map(|hash| Encoding::of(&hash)) {
        Some(Encoding::Two) => Said::Event(event(&code, &detail, ticket)?),
        Some(Encoding::One) | None => Said::Sentence { event: code, detail },
    };
    Ok(StoredEvent { at: at(T, "at", row.int(0)?)?, said })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::access::{Named, Step};
    use crate::desk::id::PersonId;

    fn id<T: std::str::FromStr>(text: &str) -> T
    where
        T::Err: std::fmt::Debug,
    {
        text.parse().unwrap()
    }

    fn step() -> Step {
        Step {
            approvers: vec![id("hal")],
            needed: 1,
            due_at: Timestamp::from_millisecond(7).unwrap(),
            named: vec![Named::Manager, Named::AccessApprovers],
            former: vec![id("eve")],
        }
    }

    fn decided(approve: bool, in_place_of: Vec<PersonId>) -> LedgerEvent {
        LedgerEvent::Decided { approver: id("hal"), in_place_of, step: 1, approve, reason: "as I see it".to_owned() }
    }

    #[test]
    fn every_event_reads_back_as_it_was_written() {
        let ticket = TicketId(Uuid::from_u128(1));
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let request = AccessRequest {
            extends: true,
            emergency: true,
            starts: None,
            app: id("crm"),
            tier: id("pro"),
            role: Some("editor \"7\"".to_owned()),
            duration_hours: Some(24),
            justification: "to sell\nin Zürich".to_owned(),
            subject: id("eve"),
        };
        let grant = Grant {
            id: GrantId(Uuid::from_u128(2)),
            ticket,
            subject: id("eve"),
            app: id("crm"),
            tier: id("pro"),
            role: None,
            groups: vec!["crm-pro".to_owned()],
            granted_at: at(5),
            expires_at: at(9),
            revoked_at: None,
            state: GrantState::Active,
            end_reason: None,
        };
        let revoked = |by| LedgerEvent::Revoked {
            grant: grant.id,
            subject: id("eve"),
            app: id("crm"),
            tier: id("pro"),
            by,
            reason: "over".to_owned(),
        };
        let mut events = vec![
            LedgerEvent::Requested { requester: id("eve"), submitted_by: id("amara"), request },
            decided(true, Vec::new()),
            decided(false, vec![id("eve"), id("amara")]),
            LedgerEvent::Lapsed,
            LedgerEvent::Invalidated,
            LedgerEvent::Reassigned { step: 1, approvers: vec![id("hal"), id("eve")] },
            LedgerEvent::Replaced { grant: grant.id, by: GrantId(Uuid::from_u128(3)) },
            revoked(Author::System),
            revoked(Author::Person(id("hal"))),
            LedgerEvent::Granted { grant: Grant { state: GrantState::Provisioning, ..grant.clone() } },
            LedgerEvent::Granted { grant: grant.clone() },
        ];
        events.extend(provisioned::samples(&grant));
        let stands = |state| LedgerEvent::Stands {
            state,
            reason: "policy 7".to_owned(),
            scope: (state == AccessState::Awaiting).then(|| Scope {
                tier: id("pro"),
                role: None,
                groups: vec!["crm-pro".to_owned()],
                duration_hours: 9,
            }),
            steps: if state == AccessState::Awaiting { vec![step()] } else { Vec::new() },
        };
        events.extend(AccessState::ALL.map(stands));
        for written in events {
            assert_eq!(event(written.code(), &facts(&written), ticket).unwrap(), written);
        }
        assert!(event("no such event", "{}", ticket).is_err());
        assert!(event("granted", "{}", ticket).is_err());
    }
}
