//! Requests for access, people's decisions about them, and grants, compared with the ledger.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;

use super::Difference;
use crate::desk::access::{AccessCase, AccessRequest, AccessState, Grant, HumanDecision, LedgerEvent, Named, Step};
use crate::desk::id::{GrantId, PersonId, TicketId, TicketNumber};
use crate::desk::verdict::access::Scope;
use crate::store::access::ledger::{Said, stored};
use crate::store::access::{
    CASE_COLUMNS, CASE_COLUMNS_COUNT, DECISION_COLUMNS, DECISION_COLUMNS_COUNT, GRANT_COLUMNS, case, decision, grant,
};
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::places;
use crate::store::{Error, Store};

/// Tickets that are compared at a time.
const PAGE: usize = 500;

/// The decisions of approvers, by the ticket.
type Decided = BTreeMap<TicketId, Vec<HumanDecision>>;

/// The ledger's word about one ticket.
#[derive(Default)]
struct Expected {
    number: Option<TicketNumber>,
    /// Requester, submitter, and what they asked for; none where the ledger has not said it in fields.
    asked: Option<(PersonId, PersonId, AccessRequest)>,
    stands: Option<(AccessState, Option<Scope>)>,
    /// The reason with which it began.
    reason: Option<String>,
    /// Whom its steps ask; none where the ledger does not say it.
    steps: Vec<Step>,
    decisions: Vec<HumanDecision>,
    grants: BTreeMap<GrantId, Grant>,
    /// Its orders by their ids: state and attempt.
    orders: BTreeMap<Uuid, (&'static str, u32)>,
}

/// When grants were replaced by others that give the same, and up to which event that is known.
#[derive(Default)]
struct Replaced {
    ends: BTreeMap<GrantId, Timestamp>,
    upto: i64,
}

impl Replaced {
    fn take(&mut self, rows: &[Row]) -> Result<(), Error> {
        for row in rows {
            self.upto = row.int(5)?;
            // What cannot be read breaks the chain itself, and is named there.
            let Ok(event) = stored(row, TicketId(row.uuid(4)?)) else { continue };
            if let Said::Event(LedgerEvent::Replaced { grant, .. }) = event.said {
                self.ends.insert(grant, event.at);
            }
        }
        Ok(())
    }

    /// Reads on to the instant of a transaction.
    async fn read_on(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let sql = format!(
            "select at, event, detail, hash, ticket, seq from ledger where seq > $1 and event = 'replaced' \
             order by seq limit {PAGE}"
        );
        loop {
            let rows = tx.all(&sql, vec![self.upto.into()]).await?;
            if rows.is_empty() {
                return Ok(());
            }
            self.take(&rows)?;
        }
    }
}

impl Store {
    pub(super) async fn compare_access(&self) -> Result<Vec<Difference>, Error> {
        let (mut found, mut after, mut replaced) = (Vec::new(), Uuid::nil(), Replaced::default());
        self.read_on(&mut replaced).await?;
        loop {
            let sql = format!("select ticket from access_cases where ticket > $1 order by ticket limit {PAGE}");
            let rows = self.db.all_of_history(&sql, vec![after.into()]).await?;
            let tickets = rows.iter().map(|row| Ok(TicketId(row.uuid(0)?))).collect::<Result<Vec<_>, Error>>()?;
            let Some(last) = tickets.last() else { break };
            after = last.0;
            // The ledger and what it is about of one instant: people decide meanwhile.
            let mut tx = self.db.begin_reading().await?;
            let mut differs = compare_page(&mut tx, &tickets, &replaced.ends).await?;
            tx.end().await?;
            if !differs.is_empty() {
                // A grant may have been replaced since that was looked up: here that is read of the same instant.
                let mut tx = self.db.begin_reading().await?;
                replaced.read_on(&mut tx).await?;
                differs = compare_page(&mut tx, &tickets, &replaced.ends).await?;
                tx.end().await?;
            }
            found.extend(differs);
        }
        found.extend(self.count_access().await?);
        found.extend(self.compare_awaited().await?);
        Ok(found)
    }

    /// Reads which grants were replaced by others that give the same, from where that was read to before up to the ledger's end.
    async fn read_on(&self, replaced: &mut Replaced) -> Result<(), Error> {
        let end = self.db.all_of_history("select coalesce(max(seq), 0) from ledger", Vec::new()).await?;
        let end = end.first().map_or(Ok(0), |row| row.int(0))?;
        while replaced.upto < end {
            let sql = format!(
                "select at, event, detail, hash, ticket, seq from ledger where seq > $1 and seq <= $2 \
                 and event = 'replaced' order by seq limit {PAGE}"
            );
            let rows = self.db.all_of_history(&sql, vec![replaced.upto.into(), end.into()]).await?;
            replaced.take(&rows)?;
            if rows.len() < PAGE {
                replaced.upto = end;
            }
        }
        Ok(())
    }

    /// The requests that are in other people's lists than their steps ask.
    async fn compare_awaited(&self) -> Result<Vec<Difference>, Error> {
        let (mut found, mut after) = (Vec::new(), Uuid::nil());
        loop {
            // Requests, decisions and lists of one instant.
            let mut tx = self.db.begin_reading().await?;
            let sql = format!(
                "select {CASE_COLUMNS}, ticket, (select number from tickets t where t.id = access_cases.ticket) \
                 from access_cases where state = 'awaiting' and ticket > $1 order by ticket limit {PAGE}"
            );
            let cases = tx.all(&sql, vec![after.into()]).await?;
            let Some(last) = cases.last() else {
                tx.end().await?;
                break;
            };
            let first = std::mem::replace(&mut after, last.uuid(CASE_COLUMNS_COUNT)?);
            let (mut decided, mut listed) = lists_between(&mut tx, first, after).await?;
            tx.end().await?;
            for row in &cases {
                let ticket = TicketId(row.uuid(CASE_COLUMNS_COUNT)?);
                // One that cannot be read was named before.
                let Ok(mut case) = case(ticket, row, &[]) else { continue };
                case.decisions = decided.remove(&ticket).unwrap_or_default();
                let asked: BTreeSet<String> = case.awaited().into_iter().map(ToString::to_string).collect();
                if listed.remove(&ticket).unwrap_or_default() != asked {
                    let what =
                        "its request for access is in the lists of others than it asks: a row was added or removed";
                    found.push((row.opt_int(CASE_COLUMNS_COUNT + 1)?.map(TicketNumber), what.to_owned()));
                }
            }
        }
        let sql = "select count(*) from access_awaited a where not exists \
                   (select 1 from access_cases c where c.ticket = a.ticket and c.state = 'awaiting')";
        let rows = self.db.all_of_history(sql, Vec::new()).await?;
        let stray = rows.first().map_or(Ok(0), |row| row.int(0))?;
        if stray > 0 {
            found.push((
                None,
                format!("{stray} people have requests in their lists that wait for nobody: rows were added"),
            ));
        }
        Ok(found)
    }

    /// Grants, cases and orders that the ledger knows nothing of, or whose rows are gone.
    async fn count_access(&self) -> Result<Vec<Difference>, Error> {
        let mut found = Vec::new();
        for (table, event) in [("access_cases", "requested"), ("grants", "granted")] {
            let sql =
                format!("select (select count(*) from {table}), (select count(*) from ledger where event = '{event}')");
            let rows = self.db.all_of_history(&sql, Vec::new()).await?;
            let Some(row) = rows.first() else { continue };
            let (there, said) = (row.int(0)?, row.int(1)?);
            if there != said {
                found.push((
                    None,
                    format!("{table} has {there} rows, and the ledger says {said}: some were added or removed"),
                ));
            }
        }
        let sql = "select count(*) from access_ops o where not exists \
                   (select 1 from access_cases c where c.ticket = o.ticket)";
        let rows = self.db.all_of_history(sql, Vec::new()).await?;
        let stray = rows.first().map_or(Ok(0), |row| row.int(0))?;
        if stray > 0 {
            found.push((None, format!("{stray} orders belong to no request for access: they were added or changed")));
        }
        Ok(found)
    }
}

/// The differences of some requests, with all that belongs to them, from what the ledger says at the same instant.
async fn compare_page(
    tx: &mut Tx,
    tickets: &[TicketId],
    replaced: &BTreeMap<GrantId, Timestamp>,
) -> Result<Vec<Difference>, Error> {
    let mut expected = expected_access(tx, tickets).await?;
    for grant in expected.values_mut().flat_map(|expected| expected.grants.values_mut()) {
        grant.expires_at = replaced.get(&grant.id).map_or(grant.expires_at, |end| grant.expires_at.min(*end));
    }
    let among = |column: &str| {
        let places = places(0, tickets.len());
        format!("{column} in ({places})")
    };
    let args = || tickets.iter().map(|id| Arg::from(id.0)).collect::<Vec<_>>();
    let mut found = Vec::new();
    let sql = format!("select {CASE_COLUMNS}, ticket from access_cases where {}", among("ticket"));
    for row in tx.all(&sql, args()).await? {
        let ticket = TicketId(row.uuid(CASE_COLUMNS_COUNT)?);
        let Some(expected) = expected.get(&ticket) else {
            let what = format!("the ledger knows nothing of the request for access {ticket}: it was added");
            found.push((None, what));
            continue;
        };
        // A row that cannot be read is not what was written either.
        if !case(ticket, &row, &[]).is_ok_and(|case| expected.is_case(&case)) {
            let what = "its request for access is not what the ledger says: who asked for what, where it stands, whom it \
                        asks, or what it gives was changed";
            found.push((expected.number, what.to_owned()));
        }
    }
    let sql = format!(
        "select {DECISION_COLUMNS}, ticket from access_decisions where {} order by ticket, at, step",
        among("ticket")
    );
    let mut decided = Decided::new();
    for row in tx.all(&sql, args()).await? {
        decided.entry(TicketId(row.uuid(DECISION_COLUMNS_COUNT)?)).or_default().push(decision(&row)?);
    }
    for (ticket, expected) in expected.iter().filter(|(_, expected)| expected.asked.is_some()) {
        let there = decided.remove(ticket).unwrap_or_default();
        if sorted(there) != sorted(expected.decisions.clone()) {
            let what = "what its approvers said is not what the ledger says: a decision was changed, added or removed";
            found.push((expected.number, what.to_owned()));
        }
    }
    let sql = format!("select {GRANT_COLUMNS} from grants where {}", among("ticket"));
    let mut held: BTreeMap<TicketId, BTreeMap<GrantId, Grant>> = BTreeMap::new();
    for row in tx.all(&sql, args()).await? {
        let grant = grant(&row)?;
        held.entry(grant.ticket).or_default().insert(grant.id, grant);
    }
    found.extend(compare_orders(tx, tickets, &expected).await?);
    for (ticket, expected) in expected.iter().filter(|(_, expected)| expected.asked.is_some()) {
        let there = held.remove(ticket).unwrap_or_default();
        let ids: BTreeSet<&GrantId> = there.keys().chain(expected.grants.keys()).collect();
        for id in ids.into_iter().filter(|id| there.get(id) != expected.grants.get(id)) {
            let what = format!("the grant {id} is not what the ledger says: it was changed, added or removed");
            found.push((expected.number, what));
        }
    }
    Ok(found)
}

/// The ledger's word about these tickets.
async fn expected_access(tx: &mut Tx, tickets: &[TicketId]) -> Result<BTreeMap<TicketId, Expected>, Error> {
    let mut all: BTreeMap<TicketId, Expected> = BTreeMap::new();
    let places = places(0, tickets.len());
    let sql = format!(
        "select l.at, l.event, l.detail, l.hash, l.ticket, t.number from ledger l left join tickets t on t.id = l.ticket \
         where l.ticket in ({places}) order by l.ticket, l.seq"
    );
    let args = tickets.iter().map(|id| Arg::from(id.0)).collect();
    for row in tx.all(&sql, args).await? {
        let ticket = TicketId(row.uuid(4)?);
        let expected = all.entry(ticket).or_default();
        expected.number = row.opt_int(5)?.map(TicketNumber);
        // What cannot be read breaks the chain itself, and is named there.
        let Ok(event) = stored(&row, ticket) else { continue };
        if let Said::Event(said) = event.said {
            expected.take(said, event.at);
        }
    }
    Ok(all)
}

/// The orders of some tickets that are not what the ledger says of them, as both are at one instant.
async fn compare_orders(
    tx: &mut Tx,
    tickets: &[TicketId],
    expected: &BTreeMap<TicketId, Expected>,
) -> Result<Vec<Difference>, Error> {
    let (mut found, mut seen) = (Vec::new(), BTreeMap::<TicketId, usize>::new());
    let places = places(0, tickets.len());
    let sql =
        format!("select id, state, attempt, ticket from access_ops where ticket in ({places}) order by ticket, id");
    for row in tx.all(&sql, tickets.iter().map(|id| Arg::from(id.0)).collect()).await? {
        let (id, state, attempt, ticket) = (row.uuid(0)?, row.text(1)?, row.int(2)?, TicketId(row.uuid(3)?));
        let expected = expected.get(&ticket);
        let said = expected.and_then(|expected| expected.orders.get(&id));
        if said.is_some() {
            *seen.entry(ticket).or_default() += 1;
        }
        if !said.is_some_and(|(known, times)| *known == state && i64::from(*times) == attempt) {
            let what = format!("the order {id} stands otherwise than the ledger says: it was changed or added");
            found.push((expected.and_then(|expected| expected.number), what));
        }
    }
    for (ticket, expected) in expected {
        let missing = expected.orders.len() - seen.get(ticket).copied().unwrap_or_default();
        if missing > 0 {
            found.push((expected.number, format!("{missing} orders are missing: they were removed")));
        }
    }
    Ok(found)
}

/// The decisions about waiting requests, and the people in whose lists they are, of the tickets after one up to another.
async fn lists_between(
    tx: &mut Tx,
    after: Uuid,
    upto: Uuid,
) -> Result<(Decided, BTreeMap<TicketId, BTreeSet<String>>), Error> {
    let among = "ticket > $1 and ticket <= $2 and ticket in (select ticket from access_cases where state = 'awaiting')";
    let args = || vec![Arg::from(after), Arg::from(upto)];
    let sql =
        format!("select {DECISION_COLUMNS}, ticket from access_decisions where {among} order by ticket, at, step");
    let mut decided = Decided::new();
    for row in tx.all(&sql, args()).await? {
        decided.entry(TicketId(row.uuid(DECISION_COLUMNS_COUNT)?)).or_default().push(decision(&row)?);
    }
    let mut listed: BTreeMap<TicketId, BTreeSet<String>> = BTreeMap::new();
    for row in tx.all(&format!("select person, ticket from access_awaited where {among}"), args()).await? {
        listed.entry(TicketId(row.uuid(1)?)).or_default().insert(row.text(0)?);
    }
    Ok((decided, listed))
}

impl Expected {
    fn take(&mut self, event: LedgerEvent, when: Timestamp) {
        match event {
            LedgerEvent::Requested { requester, submitted_by, request } => {
                self.asked = Some((requester, submitted_by, request));
            }
            LedgerEvent::Decided { approver, in_place_of, step, approve, reason } => {
                self.decisions.push(HumanDecision { step, approver, in_place_of, approve, reason, at: when });
            }
            LedgerEvent::Stands { state, scope, reason, steps } => {
                self.stands = Some((state, scope));
                if self.reason.is_none() {
                    self.reason = Some(reason);
                }
                if !steps.is_empty() {
                    self.steps = steps;
                }
            }
            LedgerEvent::Reassigned { step, approvers } => {
                if let Some(step) = self.steps.get_mut(step) {
                    step.approvers = approvers;
                }
            }
            LedgerEvent::Granted { grant } => drop(self.grants.insert(grant.id, grant)),
            LedgerEvent::Revoked { grant, .. } => {
                if let Some(grant) = self.grants.get_mut(&grant) {
                    grant.revoked_at = Some(when);
                }
            }
            LedgerEvent::GrantStands { grant, state, reason } => {
                if let Some(grant) = self.grants.get_mut(&grant) {
                    (grant.state, grant.end_reason) = (state, reason.or(grant.end_reason));
                }
            }
            LedgerEvent::Op { op } => drop(self.orders.insert(op.id.0, (op.state.code(), op.attempt))),
            LedgerEvent::Lapsed
            | LedgerEvent::Seen { .. }
            | LedgerEvent::AskedBack { .. }
            | LedgerEvent::AnsweredBack { .. }
            | LedgerEvent::SessionsUntil { .. }
            | LedgerEvent::Holds { .. }
            | LedgerEvent::HoldsNoMore { .. }
            | LedgerEvent::ReviewAsked { .. }
            | LedgerEvent::Reviewed { .. }
            | LedgerEvent::Invalidated
            | LedgerEvent::Replaced { .. } => {}
        }
    }

    /// Whether a case is what the ledger says, as far as it says it.
    fn is_case(&self, case: &AccessCase) -> bool {
        let Some((requester, submitted_by, request)) = &self.asked else { return true };
        let is_asked = case.requester == *requester && case.submitted_by == *submitted_by && case.request == *request;
        let is_said = self.reason.as_ref().is_none_or(|reason| case.reason == *reason);
        let stands = self
            .stands
            .as_ref()
            .is_none_or(|(state, scope)| case.state == *state && (scope.is_none() || case.scope == *scope));
        is_asked && is_said && stands && (self.steps.is_empty() || same_steps(&case.steps, &self.steps))
    }
}

/// Whether steps ask the same people for the same reasons. Where too few are left the desk's own approvers stand in, which makes
/// no step looser.
fn same_steps(there: &[Step], said: &[Step]) -> bool {
    let named = |step: &Step| step.named.iter().filter(|n| **n != Named::AccessApprovers).cloned().collect::<Vec<_>>();
    let same = |(there, said): (&Step, &Step)| {
        (&there.approvers, there.needed, there.due_at, named(there))
            == (&said.approvers, said.needed, said.due_at, named(said))
    };
    there.len() == said.len() && there.iter().zip(said).all(same)
}

fn sorted(mut decisions: Vec<HumanDecision>) -> Vec<(usize, Vec<String>, bool, String, i64)> {
    decisions.sort_by(|a, b| (a.step, &a.approver).cmp(&(b.step, &b.approver)));
    let by = |d: &HumanDecision| d.word_of().map(ToString::to_string).collect::<Vec<_>>();
    let one = |d: HumanDecision| (d.step, by(&d), d.approve, d.reason, d.at.as_millisecond());
    decisions.into_iter().map(one).collect()
}
