//! Live events: which tickets have changed, for those who may see that, as it happens. One reader of the feed serves all who
//! watch on this host; each of them can also go on from where it was cut off, from the feed itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;

use super::looks::Looks;
use super::proofs::{Held, Proofs, Shown};
use super::stop::Stop;
use crate::app::error::Busy;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::organisation::Organisation;
use crate::desk::permission;
use crate::desk::ticket::timeline::Visibility;
use crate::store::jobs::feed::FeedPage;

/// How often the feed is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Pieces that a slow watcher may be behind before it reads the feed itself.
const PIECES_MAX: usize = 256;
/// Watchers of this host at once, and of one person.
const WATCHERS_MAX: usize = 1_000;
const WATCHERS_OF_PERSON_MAX: usize = 10;
/// How soon a person who watches too often may try again.
const WATCH_AGAIN: Duration = Duration::from_secs(10);
/// The most transactions that a watcher who comes back hears of; beyond that it reads its lists again.
const MISSED_MAX: i64 = 10_000;

/// A ticket that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The transaction's place in the feed.
    pub place: i64,
    pub ticket: TicketNumber,
    /// The ticket's version for those who see all of it.
    version: i64,
    /// The version for those who see only what is public; nothing where none of that has changed.
    public: Option<i64>,
    /// The people whose ticket it is, who follow it, and who are to decide about it.
    people: Vec<String>,
    /// Whose ticket it is: the readers of their department see its public part.
    requester: String,
}

/// A piece of the feed, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub read_to: i64,
    pub changes: Vec<Change>,
}

/// The part that all who watch on this host share.
#[derive(Debug)]
pub struct Feed {
    pieces: broadcast::Sender<Arc<Piece>>,
    read_to: AtomicI64,
    watchers: Mutex<HashMap<Option<PersonId>, usize>>,
    pub(super) proofs: Proofs,
}

impl Default for Feed {
    fn default() -> Self {
        let (pieces, _) = broadcast::channel(PIECES_MAX);
        Self { pieces, read_to: AtomicI64::new(0), watchers: Mutex::default(), proofs: Proofs::default() }
    }
}

/// One who watches, until it is dropped.
pub struct Watcher {
    office: Arc<Office>,
    actor: Actor,
    live: broadcast::Receiver<Arc<Piece>>,
    /// The place up to which it has been served.
    told: i64,
    /// Whether it has got all that happened before it began to listen.
    is_live: bool,
}

/// The next thing that a watcher gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Tickets that have changed, as this watcher may name their versions; the last of one transaction has its place.
    Changes(Vec<(Option<i64>, TicketNumber, i64)>),
    /// It was away for too long: it reads what it needs again, and goes on from this place.
    Reset(i64),
}

impl Change {
    /// The version, as the actor may name it; `None` where the actor sees nothing of the change.
    fn version_for(&self, actor: &Actor, organisation: &Organisation) -> Option<i64> {
        if permission::works_on_tickets(actor) {
            return Some(self.version);
        }
        let may_read = actor.person().is_some_and(|person| {
            self.people.iter().any(|known| known == person.as_str())
                || organisation.reads_tickets_of(person, &self.requester)
        });
        self.public.filter(|_| may_read)
    }
}

impl Office {
    /// Tells all who watch on this host what happens, until it is asked to stop.
    pub async fn tell_watchers(self: Arc<Self>, stop: Stop) {
        let mut looks = Looks::every(LOOK_EVERY, stop);
        while looks.next().await {
            if let Err(error) = self.tell_news().await {
                tracing::warn!(%error, "those who watch are told later: the feed cannot be read now");
            }
        }
    }

    async fn tell_news(&self) -> Result<(), Error> {
        let end = self.store.feed_end().await?;
        // One who comes after this look finds an end that is not before the one of this look, and begins there.
        if self.feed.pieces.receiver_count() == 0 {
            self.feed.read_to.store(end, Ordering::Release);
            return Ok(());
        }
        loop {
            let piece = self.piece(self.feed.read_to.load(Ordering::Acquire)).await?;
            if piece.read_to == self.feed.read_to.swap(piece.read_to, Ordering::AcqRel) {
                return Ok(());
            }
            // None may be listening any more.
            let _ = self.feed.pieces.send(Arc::new(piece));
        }
    }

    /// The next piece of the feed after a place.
    async fn piece(&self, after: i64) -> Result<Piece, Error> {
        let FeedPage { happened, read_to } = self.store.feed(after).await?;
        let mut numbers: Vec<TicketNumber> = happened.iter().map(|happened| happened.ticket).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let watched = self.store.watched(&numbers).await?;
        let public = self.store.public_states(&numbers).await?;
        let mut changes: Vec<Change> = Vec::new();
        for happened in &happened {
            let is_public = happened.entry.visibility == Visibility::Public;
            let known = changes.iter_mut().rev().take_while(|change| change.place == happened.place);
            if let Some(change) = known.into_iter().find(|change| change.ticket == happened.ticket) {
                let state = public.get(&happened.ticket).filter(|_| is_public);
                change.public = change.public.or(state.map(|state| state.version));
                continue;
            }
            let Some(ticket) = watched.iter().find(|ticket| ticket.number == happened.ticket) else { continue };
            let mut people = vec![ticket.requester.clone(), ticket.submitted_by.clone()];
            people.extend(ticket.watchers.iter().cloned());
            if ticket.awaits_approval
                && let Some((_, Some(case))) = self.store.ticket_and_case(ticket.number).await?
            {
                people.extend(case.awaited().into_iter().map(ToString::to_string));
            }
            let state = public.get(&happened.ticket).filter(|_| is_public);
            changes.push(Change {
                place: happened.place,
                ticket: happened.ticket,
                version: ticket.version,
                public: state.map(|state| state.version),
                people,
                requester: ticket.requester.clone(),
            });
        }
        Ok(Piece { read_to, changes })
    }

    /// Begins to watch: from now on, or from a place where the actor was before.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for those who may list no tickets; [`Error::TooMuch`]; [`Error::Busy`] where too many watch.
    pub async fn watch(self: &Arc<Self>, actor: Actor, after: Option<i64>) -> Result<Watcher, Error> {
        permission::list(&actor)?;
        let live = self.feed.pieces.subscribe();
        let end = self.store.feed_end().await?;
        self.feed.enter(&actor)?;
        let told = after.unwrap_or(end).min(end);
        Ok(Watcher { office: Arc::clone(self), actor, live, told, is_live: false })
    }
}

impl Feed {
    fn enter(&self, actor: &Actor) -> Result<(), Error> {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        if watchers.values().sum::<usize>() >= WATCHERS_MAX {
            return Err(Busy::Watchers.into());
        }
        let of_person = watchers.entry(actor.person().cloned()).or_default();
        if *of_person >= WATCHERS_OF_PERSON_MAX {
            return Err(Error::TooMuch { what: "streams of events", wait: WATCH_AGAIN });
        }
        *of_person += 1;
        Ok(())
    }

    fn leave(&self, actor: &Actor) {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let person = actor.person().cloned();
        if let Some(count) = watchers.get_mut(&person) {
            *count -= 1;
            if *count == 0 {
                watchers.remove(&person);
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.office.feed.leave(&self.actor);
    }
}

impl Watcher {
    /// The place up to which it has been served.
    pub fn place(&self) -> i64 {
        self.told
    }

    /// Looks from now on whether what the client has shown still makes it the one who watches.
    pub fn hold(&self, shown: Shown) -> Held {
        self.office.hold(shown, self.actor.clone())
    }

    /// Waits for what comes next that this watcher may see. It may be dropped while it waits.
    ///
    /// # Errors
    ///
    /// Where the feed cannot be read.
    pub async fn next(&mut self) -> Result<Told, Error> {
        // What was missed is read; what comes then is heard.
        while !self.is_live {
            let end = self.office.store.feed_end().await?;
            if end - self.told > MISSED_MAX {
                self.told = end;
                return Ok(Told::Reset(end));
            }
            let piece = self.office.piece(self.told).await?;
            self.is_live = piece.read_to == self.told;
            if let Some(told) = self.tell(&piece) {
                return Ok(told);
            }
        }
        loop {
            match self.live.recv().await {
                Ok(piece) if piece.read_to <= self.told => {}
                Ok(piece) => {
                    if let Some(told) = self.tell(&piece) {
                        return Ok(told);
                    }
                }
                // It has fallen behind, and reads the feed itself.
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.is_live = false;
                    return Ok(Told::Changes(Vec::new()));
                }
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn tell(&mut self, piece: &Piece) -> Option<Told> {
        let before = std::mem::replace(&mut self.told, piece.read_to);
        // Who reads the tickets of a department is asked at each piece: it may be otherwise since the stream began.
        let organisation = self.office.organisation();
        let news = piece.changes.iter().filter(|change| change.place > before);
        let seen: Vec<(&Change, i64)> =
            news.filter_map(|change| Some((change, change.version_for(&self.actor, &organisation)?))).collect();
        let places: Vec<i64> = seen.iter().map(|(change, _)| change.place).collect();
        let changes = seen.into_iter().enumerate().map(|(n, (change, version))| {
            // One who is cut off after the first of a transaction's changes gets all of them again.
            let is_last = places.get(n + 1) != Some(&change.place);
            (is_last.then_some(change.place), change.ticket, version)
        });
        let changes: Vec<_> = changes.collect();
        (!changes.is_empty()).then_some(Told::Changes(changes))
    }
}
