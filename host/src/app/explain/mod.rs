//! Why a ticket is as it is: for each field which rule set it, in which version and with what reason, what the others
//! proposed, and who changed it by hand since.
//!
//! It reads the decision record and the timeline only, so it tells the same when a rule is gone or has changed.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value as Json;

use super::{Error, Office};
use crate::desk::access::AccessCase;
use crate::desk::actor::Actor;
use crate::desk::id::{TicketId, TicketNumber};
use crate::desk::organisation::Organisation;
use crate::desk::permission;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::timeline::{Event, Visibility};
use crate::rules::run::stage::Stage;
use crate::store::rules::decisions::{RUNS_AT_ONCE, StoredRun};
use crate::store::tickets::timeline::StoredEntry;

mod plain;
mod recorded;
mod stories;

/// Why a ticket is as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    pub key: String,
    /// For the requester, in plain sentences.
    pub text: String,
    /// `None` for an actor who may not read how the ticket was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<Story>>,
}

/// How one field got its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    /// Such as `team`, `tags.vip` or `fields.service`.
    pub field: String,
    /// Its present value.
    pub value: Option<String>,
    pub set_by: SetBy,
    /// How several rules' answers become one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub law: Option<&'static str>,
    /// The rules' proposals for it, in the order in which they were asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<Proposal>,
    /// The changes that people made since, and the desk itself, such as by an escalation; oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ByHand>,
}

/// Who or what set a field when the ticket opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetBy {
    /// `rule`, `desk` or `requester`.
    pub kind: &'static str,
    /// The rule and its version, or which part of the desk.
    pub name: String,
    /// SHA-256 of the rule's component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    pub reason: String,
}

/// The proposal of one rule for a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    pub rule: String,
    pub version: String,
    /// SHA-256 of its component.
    pub component: String,
    /// SHA-256 of its manifest.
    pub manifest: String,
    /// `None` where it had nothing to say about this field.
    pub value: Option<String>,
    pub reason: String,
    /// Why its answer did not count, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Whether it could decide anything: a shadow's answers are recorded and have no effect.
    pub effect: bool,
    /// Whether its value stood when the ticket opened.
    pub stood: bool,
}

/// The name of the desk among those who changed something.
pub const THE_DESK: &str = "the desk";

/// A change by hand, or by the desk itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByHand {
    pub at: String,
    pub by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    pub to: Option<String>,
    pub reason: String,
}

/// All that an explanation is made of.
struct Known<'a> {
    organisation: &'a Organisation,
    ticket: &'a Ticket,
    case: Option<&'a AccessCase>,
    runs: &'a [StoredRun],
    entries: &'a [StoredEntry],
}

impl<'a> Known<'a> {
    /// The events of the timeline, in order.
    fn events(&self) -> impl DoubleEndedIterator<Item = &'a Event> {
        self.entries.iter().map(|stored| &stored.entry.event)
    }
}

impl Office {
    /// Why a ticket is as it is, or one field of it. An actor who may not read decisions is given the plain text alone.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for the ticket; [`Error::NoField`] for a field that it has not.
    pub async fn explain(
        &self,
        actor: &Actor,
        number: TicketNumber,
        field: Option<&str>,
    ) -> Result<Explanation, Error> {
        let (ticket, case) = self.ticket(actor, number).await?;
        let (ticket, case, organisation) = (&ticket, case.as_ref(), &*self.organisation());
        // The plain text is made of entries that everybody who may read the ticket sees, so that an agent can hand it on.
        let public = self.store.settings(ticket.number, Visibility::Public).await?;
        let known = Known { organisation, ticket, case, runs: &[], entries: &public };
        let text = plain::text(&known);
        let key = ticket.number.to_string();
        if permission::read_decisions(actor).is_err() {
            return Ok(Explanation { key, text, fields: None });
        }
        let runs = self.last_of_each_stage(ticket.id).await?;
        let entries = self.store.settings(ticket.number, Visibility::Internal).await?;
        let mut stories = stories::all(&Known { organisation, ticket, case, runs: &runs, entries: &entries });
        if field == Some(stories::QUEUE) {
            stories.push(stories::queue(ticket, self.store.ahead(ticket).await?));
        }
        let fields = match field {
            None => stories,
            Some(name) => {
                let known: Vec<String> = stories.iter().map(|story| story.field.clone()).collect();
                let below = format!("{name}.");
                let wanted = |story: &Story| story.field == name || story.field.starts_with(&below);
                let found: Vec<Story> = stories.into_iter().filter(wanted).collect();
                if found.is_empty() {
                    return Err(Error::NoField { name: name.to_owned(), of: key, known });
                }
                found
            }
        };
        Ok(Explanation { key, text, fields: Some(fields) })
    }

    /// The last run of a ticket that has each stage, oldest first: of many runs no more are in memory than a page has, and these.
    async fn last_of_each_stage(&self, ticket: TicketId) -> Result<Vec<StoredRun>, Error> {
        let (mut met, mut last, mut before) = (BTreeSet::new(), Vec::new(), None);
        loop {
            let page = self.store.runs_page_back(ticket, before, RUNS_AT_ONCE).await?;
            for run in page.items {
                let known = met.len();
                met.extend(run.decisions().iter().map(|decision| decision.stage.clone()));
                if met.len() > known {
                    last.push(run);
                }
            }
            before = page.next;
            if before.is_none() || Stage::ALL.iter().all(|stage| met.contains(stage.name())) {
                last.reverse();
                return Ok(last);
            }
        }
    }
}

/// A member of a JSON object as text; nothing for what is absent, null or no plain value.
fn plain_text(value: &Json, key: &str) -> Option<String> {
    match value.get(key)? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
