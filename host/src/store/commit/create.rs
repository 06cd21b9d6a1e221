//! Many tickets in one transaction: numbers, turns, and all that belongs to each.

use std::collections::BTreeMap;

use super::writer::Work;
use crate::desk::actor::Author;
use crate::desk::id::{PersonId, TeamId, TicketId, TicketNumber};
use crate::desk::organisation::Strategy;
use crate::desk::ticket::assignment::Assignment;
use crate::desk::ticket::submit::{Message, Opening};
use crate::desk::ticket::timeline::{Entry, Event, Visibility};
use crate::store::Error;
use crate::store::Store;
use crate::store::access;
use crate::store::access::ledger;
use crate::store::columns::{self, INSERT_TIMELINE, TICKET_COLUMNS, TICKET_COLUMNS_COUNT, TIMELINE_COLUMNS_COUNT, ms};
use crate::store::db::{Arg, Db, Row, Tx};
use crate::store::flush::Flush;
use crate::store::rules::decisions::{self, RunRecord};

/// A key under which a client may send the same request again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose key it is: the same key of somebody else is another. `None` is the desk itself.
    pub actor: Option<PersonId>,
    pub key: String,
    /// The digest of the request: the same key for another request is refused.
    pub digest: String,
}

impl IdempotencyKey {
    /// Whose key it is, as the table has it; no person's id is empty.
    fn owner(&self) -> &str {
        self.actor.as_ref().map_or("", |person| person.as_str())
    }
}

/// A ticket to write.
#[derive(Debug, Clone)]
pub struct Create {
    pub opening: Opening,
    pub run: RunRecord,
    pub idempotency: Option<IdempotencyKey>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    New {
        number: TicketNumber,
        assignee: Option<PersonId>,
    },
    /// The key was used for this very request before; this is the ticket that it made.
    Before(TicketId),
}

impl Store {
    /// Writes a ticket with all that belongs to it. When this returns, it is on disk.
    ///
    /// # Errors
    ///
    /// [`Error::KeyReused`]; [`Error::Full`] at once where too many writes wait.
    pub async fn create(&self, create: Create) -> Result<Created, Error> {
        self.ask(|done| Work::Create(Box::new(create), done)).await
    }
}

impl Store {
    /// The ticket that was made under a key before, if one was. When this returns, it is on disk.
    ///
    /// # Errors
    ///
    /// [`Error::KeyReused`] where the key was used for another request.
    pub async fn made_under(&self, claim: &IdempotencyKey) -> Result<Option<TicketId>, Error> {
        let sql = "select digest, ticket from idempotency where actor = $1 and key = $2";
        let row = self.db.optional(sql, vec![claim.owner().into(), claim.key.as_str().into()]).await?;
        let Some(row) = row else { return Ok(None) };
        if row.text(0)? != claim.digest {
            return Err(Error::KeyReused);
        }
        // Whoever asks again may be told before whoever asked first, and not before it is on disk.
        self.db.flush().done().await?;
        Ok(Some(TicketId(row.uuid(1)?)))
    }
}

/// Writes all of them in one transaction, or none.
///
/// The outer error is the transaction's; each inner one belongs to its ticket alone.
pub async fn create_all(db: &Db, creates: &[Create]) -> Result<(Vec<Result<Created, Error>>, Flush), Error> {
    db.transaction(|mut tx| async move {
        let outcomes = write_all(&mut tx, creates).await?;
        Ok((outcomes, tx))
    })
    .await
}

async fn write_all(tx: &mut Tx, creates: &[Create]) -> Result<Vec<Result<Created, Error>>, Error> {
    let mut outcomes: Vec<Option<Result<Created, Error>>> = creates.iter().map(|_| None).collect();
    // In one order on every host, so that two of them never wait for each other's keys.
    let mut claims: Vec<_> = creates.iter().zip(&mut outcomes).collect();
    claims.sort_by_key(|(create, _)| create.idempotency.as_ref().map(|claim| (&claim.actor, &claim.key)));
    for (create, outcome) in claims {
        *outcome = claim_key(tx, create).await?;
    }
    let fresh: Vec<&Create> =
        creates.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_none()).map(|(c, _)| c).collect();
    let assignees = share_out(tx, &fresh).await?;
    let numbers = insert_tickets(tx, &fresh, &assignees).await?;
    insert_timelines(tx, &fresh, &assignees).await?;
    insert_messages(tx, fresh.iter().flat_map(|create| &create.opening.messages)).await?;
    let mut events = Vec::new();
    for create in &fresh {
        let opening = &create.opening;
        if let Some(case) = &opening.access {
            events.extend(access::open(tx, case, opening.grant.as_ref(), opening.ticket.created_at).await?);
        }
    }
    // Last, because these hold the ends of the chains.
    decisions::insert(tx, fresh.iter().map(|create| (create.opening.ticket.id, &create.run))).await?;
    ledger::append(tx, &events).await?;
    let mut written = fresh.iter().zip(assignees).map(|(create, assignee)| {
        let number = numbers.get(&create.opening.ticket.id).copied();
        number
            .map(|number| Created::New { number, assignee })
            .ok_or_else(|| columns::corrupt("tickets", "number", "nothing"))
    });
    let outcomes = outcomes.into_iter();
    let outcomes = outcomes.map(|outcome| outcome.or_else(|| written.next()).unwrap_or(Err(Error::Stopped)));
    Ok(outcomes.collect())
}

/// Takes the idempotency key; `Some` where it was taken before.
async fn claim_key(tx: &mut Tx, create: &Create) -> Result<Option<Result<Created, Error>>, Error> {
    let Some(claim) = &create.idempotency else { return Ok(None) };
    let taken = tx
        .execute(
            "insert into idempotency (actor, key, digest, ticket, at) values ($1, $2, $3, $4, $5) \
             on conflict (actor, key) do nothing",
            vec![
                claim.owner().into(),
                claim.key.as_str().into(),
                claim.digest.as_str().into(),
                create.opening.ticket.id.0.into(),
                ms(create.opening.ticket.created_at).into(),
            ],
        )
        .await?;
    if taken == 1 {
        return Ok(None);
    }
    let row = tx
        .optional(
            "select digest, ticket from idempotency where actor = $1 and key = $2",
            vec![claim.owner().into(), claim.key.as_str().into()],
        )
        .await?;
    let Some(row) = row else { return Ok(Some(Err(Error::Conflict))) };
    let same = row.text(0)? == claim.digest;
    Ok(Some(if same { Ok(Created::Before(TicketId(row.uuid(1)?))) } else { Err(Error::KeyReused) }))
}

/// What the store knows about whose turn it is in one team.
struct Turns {
    next: i64,
    last: BTreeMap<PersonId, i64>,
}

/// Picks somebody for each ticket: whoever has waited longest, or has least to do.
///
/// Teams are locked in the order of their names, so that two hosts never wait for each other.
async fn share_out(tx: &mut Tx, creates: &[&Create]) -> Result<Vec<Option<PersonId>>, Error> {
    let mut teams: BTreeMap<&TeamId, i64> = BTreeMap::new();
    for create in creates {
        *teams.entry(&create.opening.assignment.team).or_default() += 1;
    }
    let mut turns = take_turns(tx, &teams).await?;
    let wants_load = creates.iter().any(|create| create.opening.assignment.strategy == Strategy::LeastLoaded);
    let mut load = if wants_load { loads(tx).await? } else { BTreeMap::new() };
    let mut added: BTreeMap<PersonId, i64> = BTreeMap::new();
    let mut assignees = Vec::with_capacity(creates.len());
    for create in creates {
        let assignment = &create.opening.assignment;
        // What is settled already is no work, and costs nobody a turn.
        let owed = create.opening.ticket.state.is_unfinished();
        let turns = turns.get_mut(&assignment.team).filter(|_| owed);
        let person = turns.and_then(|turns| pick(assignment, turns, &load));
        if let Some(person) = &person {
            *load.entry(person.clone()).or_default() += 1;
            *added.entry(person.clone()).or_default() += 1;
        }
        assignees.push(person);
    }
    save_turns(tx, &turns).await?;
    add_load(tx, &added).await?;
    Ok(assignees)
}

impl Store {
    /// Who would be picked now. Nobody's turn is taken, so it holds only if nobody comes between.
    pub async fn would_pick(&self, assignment: &Assignment) -> Result<Option<PersonId>, Error> {
        let sql = "select person, turn from member_turns where team = $1";
        let mut turns = Turns { next: 0, last: BTreeMap::new() };
        for row in self.db.all(sql, vec![assignment.team.as_str().into()]).await? {
            turns.last.insert(columns::parsed("member_turns", "person", &row.text(0)?)?, row.int(1)?);
        }
        let load = loads_of(&self.db.all(LOADS, Vec::new()).await?)?;
        Ok(pick(assignment, &mut turns, &load))
    }
}

/// Picks somebody for one ticket that exists already. Its load is for the caller to add.
pub async fn share_out_one(tx: &mut Tx, assignment: &Assignment) -> Result<Option<PersonId>, Error> {
    let mut turns = take_turns(tx, &BTreeMap::from([(&assignment.team, 1)])).await?;
    let wants_load = assignment.strategy == Strategy::LeastLoaded;
    let load = if wants_load { loads(tx).await? } else { BTreeMap::new() };
    let person = turns.get_mut(&assignment.team).and_then(|turns| pick(assignment, turns, &load));
    save_turns(tx, &turns).await?;
    Ok(person)
}

async fn save_turns(tx: &mut Tx, turns: &BTreeMap<TeamId, Turns>) -> Result<(), Error> {
    let rows = turns.iter().flat_map(|(team, turns)| {
        turns.last.iter().map(|(person, turn)| vec![team.as_str().into(), person.as_str().into(), Arg::from(*turn)])
    });
    tx.insert(
        "insert into member_turns (team, person, turn)",
        3,
        "on conflict (team, person) do update set turn = excluded.turn",
        rows.collect(),
    )
    .await
    .map(drop)
}

/// Adds to people's unfinished tickets.
pub async fn add_load(tx: &mut Tx, added: &BTreeMap<PersonId, i64>) -> Result<(), Error> {
    let rows = added.iter().map(|(person, n)| vec![person.as_str().into(), Arg::from(*n)]).collect();
    let tail = "on conflict (person) do update set unfinished = agents.unfinished + excluded.unfinished";
    tx.insert("insert into agents (person, unfinished)", 2, tail, rows).await.map(drop)
}

/// Takes so many turns of each team, and reads when each member had the last. The teams come in the order of their names.
async fn take_turns(tx: &mut Tx, teams: &BTreeMap<&TeamId, i64>) -> Result<BTreeMap<TeamId, Turns>, Error> {
    let mut turns = BTreeMap::new();
    if teams.is_empty() {
        return Ok(turns);
    }
    let wanted = teams.iter().map(|(team, count)| vec![team.as_str().into(), Arg::from(*count)]).collect();
    let tail = "on conflict (team) do update set turn = team_turns.turn + excluded.turn returning team, turn";
    for row in tx.insert("insert into team_turns (team, turn)", 2, tail, wanted).await? {
        let team: TeamId = columns::parsed("team_turns", "team", &row.text(0)?)?;
        let count = teams.get(&team).copied().unwrap_or_default();
        turns.insert(team, Turns { next: row.int(1)? - count + 1, last: BTreeMap::new() });
    }
    let places: Vec<String> = (1..=teams.len()).map(|n| format!("${n}")).collect();
    let sql = format!("select team, person, turn from member_turns where team in ({})", places.join(", "));
    let names = teams.keys().map(|team| team.as_str().into()).collect();
    for row in tx.all(&sql, names).await? {
        let team: TeamId = columns::parsed("member_turns", "team", &row.text(0)?)?;
        if let Some(turns) = turns.get_mut(&team) {
            turns.last.insert(columns::parsed("member_turns", "person", &row.text(1)?)?, row.int(2)?);
        }
    }
    Ok(turns)
}

async fn loads(tx: &mut Tx) -> Result<BTreeMap<PersonId, i64>, Error> {
    loads_of(&tx.all(LOADS, Vec::new()).await?)
}

const LOADS: &str = "select person, unfinished from agents";

fn loads_of(rows: &[Row]) -> Result<BTreeMap<PersonId, i64>, Error> {
    rows.iter().map(|row| Ok((columns::parsed("agents", "person", &row.text(0)?)?, row.int(1)?))).collect()
}

fn pick(assignment: &Assignment, turns: &mut Turns, load: &BTreeMap<PersonId, i64>) -> Option<PersonId> {
    let waited = |person: &PersonId| turns.last.get(person).copied().unwrap_or(0);
    let chosen = match (&assignment.fixed, assignment.strategy) {
        (Some(person), _) => Some(person),
        (None, Strategy::RoundRobin) => assignment.candidates.iter().min_by_key(|p| waited(p)),
        (None, Strategy::LeastLoaded) => {
            let busy = |person: &PersonId| load.get(person).copied().unwrap_or(0);
            assignment.candidates.iter().min_by_key(|p| (busy(p), waited(p)))
        }
    };
    let chosen = chosen.cloned()?;
    turns.last.insert(chosen.clone(), turns.next);
    turns.next += 1;
    Some(chosen)
}

async fn insert_tickets(
    tx: &mut Tx,
    creates: &[&Create],
    assignees: &[Option<PersonId>],
) -> Result<BTreeMap<TicketId, TicketNumber>, Error> {
    let rows = creates.iter().zip(assignees).map(|(create, assignee)| {
        let mut ticket = create.opening.ticket.clone();
        ticket.assignee.clone_from(assignee);
        columns::ticket_args(&ticket)
    });
    let head = format!("insert into tickets ({TICKET_COLUMNS})");
    let returned = tx.insert(&head, TICKET_COLUMNS_COUNT, "returning id, number", rows.collect()).await?;
    returned.iter().map(|row| Ok((TicketId(row.uuid(0)?), TicketNumber(row.int(1)?)))).collect()
}

async fn insert_timelines(tx: &mut Tx, creates: &[&Create], assignees: &[Option<PersonId>]) -> Result<(), Error> {
    let mut rows = Vec::new();
    for (create, assignee) in creates.iter().zip(assignees) {
        let ticket = &create.opening.ticket;
        let assigned = assigned(&create.opening.assignment, assignee.as_ref(), ticket.created_at);
        let entries = create.opening.entries.iter().chain([&assigned]);
        rows.extend(entries.zip(1..).map(|(entry, seq)| columns::entry_args(ticket.id, seq, entry)));
    }
    tx.insert(INSERT_TIMELINE, TIMELINE_COLUMNS_COUNT, "", rows).await.map(drop)
}

/// The timeline's word about who got it, and why.
pub fn assigned(assignment: &Assignment, assignee: Option<&PersonId>, at: jiff::Timestamp) -> Entry {
    let reason = match (assignment.note, &assignment.fixed) {
        (Some(note), _) => note.to_owned(),
        (None, Some(_)) => "named by the rule".to_owned(),
        (None, None) => assignment.strategy.code().to_owned(),
    };
    Entry {
        at,
        author: Author::System,
        visibility: Visibility::Internal,
        event: Event::Assigned {
            team: assignment.team.to_string(),
            assignee: assignee.map(ToString::to_string),
            reason,
        },
    }
}

/// Puts messages into the outbox.
pub async fn insert_messages(tx: &mut Tx, messages: impl Iterator<Item = &Message>) -> Result<(), Error> {
    let rows = messages.map(|message| {
        vec![
            message.id.0.into(),
            message.ticket.0.into(),
            message.kind.code().into(),
            message.to.as_str().into(),
            Arg::from(ms(message.at)),
        ]
    });
    let head = "insert into outbox (id, ticket, kind, recipient, queued_at)";
    tx.insert(head, 5, "", rows.collect()).await.map(drop)
}
