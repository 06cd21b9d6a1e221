//! Everything that is written about tickets: one kind of change, many of them in one transaction.
//!
//! **The order of locks**, which is the same on every host, so that no two transactions ever wait for each other:
//!
//! 1. how far access has come, by the names of persons and tiers; then the kinds of links, by their words
//! 2. idempotency keys, by actor and key; then files that are bound to tickets, by id
//! 3. the turns of teams, by the teams' names
//! 4. tickets that exist, by number
//! 5. all that belongs to one ticket, which its row guards: texts, clocks, timeline, access, timers, messages
//! 6. the load of agents, by the agents' ids
//! 7. the ends of the chains, in the order of `Chain::ALL`: last, since every writer needs them

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::{Mutex, oneshot};

use super::access::current;
use super::chain::{Chain, Ends, timelines};
use super::db::{Arg, Db, Tx};
use super::flush::Flush;
use super::rules::recorder::{PackedRun, Recorder};
use super::sql::places;
use super::tickets::timeline::TimelineRow;
use super::tickets::{rows, search, timeline};
use super::{Error, Store};
use crate::desk::access::LedgerEntry;
use crate::desk::change::message::Message;
use crate::desk::change::{Change, TicketWrite};
use crate::desk::id::{PersonId, TicketId, TicketNumber};
use crate::desk::ticket::lifecycle::links::{self, LinkWrite};
use crate::desk::ticket::timeline::{Entry, Event};
use crate::desk::ticket::{State, Ticket, WaitingFor};
use keys::IdempotencyKey;
use turns::{Load, Turns};
use writer::Work;

mod access;
mod attachments;
mod circles;
pub mod crash;
mod ending;
pub(super) mod keys;
mod outbox;
mod promises;
pub mod timers;
mod turns;
pub(super) mod writer;

/// A change to write, with the run of the rules that decided it and the key under which it was asked for.
#[derive(Debug, Clone)]
pub struct Commit {
    pub change: Change,
    pub run: Option<PackedRun>,
    pub idempotency: Option<IdempotencyKey>,
}

impl From<Change> for Commit {
    fn from(change: Change) -> Self {
        Self { change, run: None, idempotency: None }
    }
}

/// The outcome of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// It is written. Only the store knew these facts.
    Written { number: TicketNumber, assignee: Option<PersonId> },
    /// The same request was made before under its key; this is the ticket that it made.
    Before(TicketId),
}

impl Store {
    /// Writes a change with all that belongs to it. When this returns, it is on disk.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where the ticket has another version than the one that the change was made for;
    /// [`Error::KeyReused`]; [`Error::Full`] at once where too many writes wait.
    pub async fn commit(&self, commit: impl Into<Commit>) -> Result<Committed, Error> {
        let commit = Box::new(commit.into());
        let is_about_access = !commit.change.access().is_empty();
        self.hand_over(is_about_access, |done| Work::Commit(commit, done)).await
    }

    /// Writes several changes together or none of them. When this returns, they are on disk.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`], for the first of them that cannot be written.
    pub async fn commit_together(&self, commits: Vec<Commit>) -> Result<Vec<Committed>, Error> {
        let is_about_access = commits.iter().any(|commit| !commit.change.access().is_empty());
        self.hand_over(is_about_access, |done| Work::Together(commits, done)).await
    }

    /// Hands work to the writer and waits for it, between the points at which tests end the process.
    async fn hand_over<T>(
        &self,
        is_about_access: bool,
        work: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Work,
    ) -> Result<T, Error> {
        crash::point("write-before");
        if is_about_access {
            crash::point("commit-before");
        }
        let committed = self.ask(work).await;
        crash::point("write-after");
        if is_about_access {
            crash::point("commit-after");
        }
        committed
    }
}

/// A change that is being written, with the facts that only the store can settle.
struct Writing<'a> {
    commit: &'a Commit,
    /// The ticket as it is written.
    after: Ticket,
    /// The timeline's entry about whose turn it was.
    assigned: Option<Entry>,
    /// The message to the person whose turn it was.
    to_assignee: Option<Message>,
    /// Its links with tickets that open in the same transaction, and their entries in the timeline.
    joined: Vec<(LinkWrite, Entry)>,
}

/// Writes all of them in one transaction, or none, in the order of locks that this module's page gives.
///
/// The outer error is the transaction's. An inner error concerns one change, of which nothing is written then.
pub async fn commit_all(
    db: &Db,
    recorder: &mut Recorder,
    commits: &[Commit],
) -> Result<(Vec<Result<Committed, Error>>, Flush), Error> {
    let writer = Mutex::new(&mut *recorder);
    let write = |mut tx| {
        let writer = &writer;
        async move { Ok((write_all(&mut tx, &mut **writer.lock().await, commits).await?, tx)) }
    };
    let written = db.transaction(write).await?;
    recorder.committed();
    Ok(written)
}

/// Writes all of them in one transaction, and none where one of them cannot be.
///
/// # Errors
///
/// The refusal of the first of them; [`Error::Conflict`] where the key of one was taken meanwhile.
pub async fn commit_together(
    db: &Db,
    recorder: &mut Recorder,
    commits: &[Commit],
) -> Result<(Vec<Committed>, Flush), Error> {
    let writer = Mutex::new(&mut *recorder);
    let write = |mut tx| {
        let writer = &writer;
        async move {
            let mut written = Vec::with_capacity(commits.len());
            for outcome in write_all(&mut tx, &mut **writer.lock().await, commits).await? {
                match outcome? {
                    Committed::Before(_) => return Err(Error::Conflict),
                    made => written.push(made),
                }
            }
            Ok((written, tx))
        }
    };
    let written = db.transaction(write).await?;
    recorder.committed();
    Ok(written)
}

async fn write_all(
    tx: &mut Tx,
    recorder: &mut Recorder,
    commits: &[Commit],
) -> Result<Vec<Result<Committed, Error>>, Error> {
    let mut outcomes: Vec<Option<Result<Committed, Error>>> = commits.iter().map(|_| None).collect();
    // Before the keys: the client sends what is refused here again, under the same key.
    refuse_overtaken(tx, commits, &mut outcomes).await?;
    circles::refuse(tx, commits, &mut outcomes).await?;
    keys::claim(tx, commits, &mut outcomes).await?;
    attachments::refuse_bound(tx, commits, &mut outcomes).await?;
    let mut turns = turns::take(tx, open(commits, &outcomes)).await?;
    let last = refuse_stale(tx, commits, &mut outcomes).await?;
    let mut writing = share_out(&mut turns, open(commits, &outcomes));
    turns::save(tx, &turns).await?;
    write_tickets(tx, &mut writing).await?;
    join(&mut writing);
    let entries = write_timelines(tx, &writing, last).await?;
    promises::write(tx, &writing).await?;
    access::write_all(tx, &writing).await?;
    for writing in &writing {
        ending::write(tx, &writing.commit.change, &writing.after).await?;
        ending::write_links(tx, writing.joined.iter().map(|(link, _)| link), &writing.after).await?;
        attachments::bind(tx, writing).await?;
    }
    timers::write(tx, writing.iter().flat_map(|writing| writing.commit.change.timers())).await?;
    let messages = writing.iter().flat_map(|w| w.commit.change.messages().iter().chain(&w.to_assignee));
    outbox::write(tx, &messages.collect::<Vec<_>>()).await?;
    search::pend(tx, writing.iter().filter(|w| says_something(w)).map(|w| (w.after.number, w.after.version))).await?;
    turns::add_load(tx, &load_changes(&writing)).await?;
    let runs: Vec<&PackedRun> = writing.iter().filter_map(|writing| writing.commit.run.as_ref()).collect();
    let dictionaries = recorder.prepare(tx, &runs).await?;
    let ledger: Vec<&LedgerEntry> = writing.iter().flat_map(|writing| writing.commit.change.ledger()).collect();
    let grows =
        [(Chain::Runs, runs.is_empty()), (Chain::Ledger, ledger.is_empty()), (Chain::Timelines, entries.is_empty())];
    let grows: Vec<Chain> = grows.into_iter().filter(|(_, stays)| !stays).map(|(chain, _)| chain).collect();
    let mut ends = Ends::take(tx, &grows).await?;
    PackedRun::insert(tx, (&runs, dictionaries), &mut ends).await?;
    super::access::ledger::append(tx, &ledger, &mut ends).await?;
    timelines::append(tx, &entries, &mut ends).await?;
    let mut written = writing
        .into_iter()
        .map(|Writing { after, .. }| Ok(Committed::Written { number: after.number, assignee: after.assignee }));
    let outcomes = outcomes.into_iter();
    let outcomes = outcomes.map(|outcome| outcome.or_else(|| written.next()).unwrap_or(Err(Error::Stopped)));
    Ok(outcomes.collect())
}

/// Whether a change adds words that a search may look for.
fn says_something(writing: &Writing<'_>) -> bool {
    let words = |entry: &Entry| matches!(entry.event, Event::Commented { .. } | Event::Resolved { .. });
    let opens = matches!(writing.commit.change.ticket(), TicketWrite::Open(_));
    opens || writing.commit.change.entries().iter().any(words)
}

/// The changes about which nothing is settled yet: those that are written.
fn open<'a, 'b>(
    commits: &'a [Commit],
    outcomes: &'b [Option<Result<Committed, Error>>],
) -> impl Iterator<Item = &'a Commit> + Clone + use<'a, 'b> {
    commits.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_none()).map(|(commit, _)| commit)
}

/// Locks the tickets that exist, by number, and refuses the changes that were made for another version of them. Gives the places of
/// the tickets' last entries, as far as they could be read along.
async fn refuse_stale(
    tx: &mut Tx,
    commits: &[Commit],
    outcomes: &mut [Option<Result<Committed, Error>>],
) -> Result<BTreeMap<TicketNumber, i64>, Error> {
    let seen = |commit: &Commit| match commit.change.ticket() {
        TicketWrite::Open(_) => None,
        TicketWrite::Update { before, after } => Some((before.number, before.version, after.version)),
    };
    let mut numbers: Vec<TicketNumber> = open(commits, outcomes).filter_map(seen).map(|(number, ..)| number).collect();
    let (mut versions, mut last) = (BTreeMap::new(), BTreeMap::new());
    if numbers.is_empty() {
        return Ok(last);
    }
    numbers.sort_unstable();
    numbers.dedup();
    let places = places(0, numbers.len());
    let seq = tx.of_locked("coalesce((select max(e.seq) from timeline e where e.ticket = t.number), 0)");
    let lock = tx.for_update();
    let sql = format!("select number, version, {seq} from tickets t where number in ({places}) order by number{lock}");
    let args: Vec<Arg> = numbers.iter().map(|number| number.0.into()).collect();
    for row in tx.all(&sql, args).await? {
        let number = TicketNumber(row.int(0)?);
        versions.insert(number, row.int(1)?);
        last.extend(row.opt_int(2)?.map(|seq| (number, seq)));
    }
    let mut taken_for_nothing = Vec::new();
    for (commit, outcome) in commits.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_none()) {
        let Some((number, before, after)) = seen(commit) else { continue };
        match versions.get_mut(&number) {
            Some(version) if *version == before => *version = after,
            _ => {
                *outcome = Some(Err(Error::Conflict));
                taken_for_nothing.extend(&commit.idempotency);
            }
        }
    }
    keys::give_back(tx, taken_for_nothing).await?;
    Ok(last)
}

/// Locks how far access has come, by name, and refuses the changes that were made before it went on.
async fn refuse_overtaken(
    tx: &mut Tx,
    commits: &[Commit],
    outcomes: &mut [Option<Result<Committed, Error>>],
) -> Result<(), Error> {
    let seen = commits.iter().flat_map(|commit| commit.change.access_seen());
    let mut names: Vec<&str> = seen.map(|seen| seen.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    names.sort_unstable();
    names.dedup();
    let mut revisions: BTreeMap<String, i64> = current::lock(tx, &names).await?.into_iter().collect();
    let mut steps: BTreeMap<&str, i64> = BTreeMap::new();
    for (commit, outcome) in commits.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_none()) {
        let seen = commit.change.access_seen();
        if seen.iter().any(|seen| revisions.get(&seen.name) != Some(&seen.revision)) {
            *outcome = Some(Err(Error::Conflict));
            continue;
        }
        for seen in seen {
            revisions.entry(seen.name.clone()).and_modify(|revision| *revision += 1);
            *steps.entry(&seen.name).or_default() += 1;
        }
    }
    let mut names: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    steps.into_iter().for_each(|(name, by)| names.entry(by).or_default().push(name));
    for (by, names) in names {
        current::advance(tx, by, &names).await?;
    }
    Ok(())
}

/// Settles whose turn it is, for each change that assigns a ticket to a team's next person.
fn share_out<'a>(turns: &mut Turns, commits: impl Iterator<Item = &'a Commit>) -> Vec<Writing<'a>> {
    let writing = commits.map(|commit| {
        let mut after = commit.change.after().clone();
        let assigned = commit.change.assignment().map(|assignment| {
            // A ticket that is finished already is no load, and uses up no turn.
            after.assignee = if after.state.is_unfinished() { turns.pick(assignment) } else { None };
            assignment.entry(after.assignee.as_ref(), after.updated_at)
        });
        let to_assignee = commit.change.to_assignee();
        let to_assignee = to_assignee.and_then(|message| message.message(&commit.change, after.assignee.as_ref()));
        Writing { commit, after, assigned, to_assignee, joined: Vec::new() }
    });
    writing.collect()
}

async fn write_tickets(tx: &mut Tx, writing: &mut [Writing<'_>]) -> Result<(), Error> {
    let opens = |writing: &Writing<'_>| matches!(writing.commit.change.ticket(), TicketWrite::Open(_));
    let opened: Vec<&Ticket> = writing.iter().filter(|w| opens(w)).map(|w| &w.after).collect();
    let numbers = rows::insert(tx, &opened).await?;
    for writing in writing.iter_mut() {
        if let TicketWrite::Open(ticket) = writing.commit.change.ticket() {
            let number = numbers.get(&ticket.id).copied();
            writing.after.number =
                number.ok_or_else(|| super::sql::columns::corrupt("tickets", "number", "nothing"))?;
        }
    }
    let changed = writing.iter().filter_map(|writing| match writing.commit.change.ticket() {
        TicketWrite::Open(_) => None,
        TicketWrite::Update { before, .. } => Some((&**before, &writing.after)),
    });
    let changed: Vec<(&Ticket, &Ticket)> = changed.collect();
    rows::update(tx, &changed).await
}

/// Appends the entries of all changes to the timelines; `last` has the places of the last entries there, where they are known.
async fn write_timelines(
    tx: &mut Tx,
    writing: &[Writing<'_>],
    mut last: BTreeMap<TicketNumber, i64>,
) -> Result<Vec<TimelineRow>, Error> {
    let updates = |writing: &&Writing<'_>| matches!(writing.commit.change.ticket(), TicketWrite::Update { .. });
    let numbers = writing.iter().filter(updates).map(|writing| writing.after.number);
    let unknown: BTreeSet<TicketNumber> = numbers.filter(|number| !last.contains_key(number)).collect();
    last.extend(timeline::last_seqs(tx, &unknown).await?);
    let mut entries = Vec::new();
    for writing in writing {
        let seq = last.entry(writing.after.number).or_default();
        let joined = writing.joined.iter().map(|(_, entry)| entry);
        for entry in writing.commit.change.entries().iter().chain(joined).chain(&writing.assigned) {
            *seq += 1;
            entries.push(TimelineRow::of(writing.after.number, *seq, entry));
        }
    }
    timeline::insert(tx, &entries).await?;
    Ok(entries)
}

/// Links tickets that open together, once they have their numbers.
fn join(writing: &mut [Writing<'_>]) {
    let numbers: BTreeMap<TicketId, TicketNumber> =
        writing.iter().map(|writing| (writing.after.id, writing.after.number)).collect();
    for writing in writing {
        let at = writing.after.updated_at;
        let joins = writing.commit.change.joins().iter();
        let joined = joins.filter_map(|(join, by)| {
            let other = *numbers.get(&join.other)?;
            let link = LinkWrite::Add { kind: join.kind, other, by: by.clone() };
            Some((link, links::entry((join.kind, other), by.clone(), at)))
        });
        writing.joined = joined.collect();
    }
}

/// The people whose load changes, and by how much.
fn load_changes(writing: &[Writing<'_>]) -> BTreeMap<PersonId, Load> {
    let mut changes: BTreeMap<PersonId, Load> = BTreeMap::new();
    let mut add = |ticket: &Ticket, sign: i64| {
        if let Some(person) = ticket.assignee.clone().filter(|_| ticket.state.is_unfinished()) {
            let load = changes.entry(person).or_default();
            load.unfinished += sign;
            load.waiting += if ticket.state == State::Waiting(WaitingFor::Requester) { sign } else { 0 };
        }
    };
    for writing in writing {
        if let TicketWrite::Update { before, .. } = writing.commit.change.ticket() {
            add(before, -1);
        }
        add(&writing.after, 1);
    }
    changes.retain(|_, load| *load != Load::default());
    changes
}
