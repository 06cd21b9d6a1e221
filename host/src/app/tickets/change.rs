//! Changing a ticket that exists: read it, let the domain make a change of it, write that if it is still what was read.

use std::time::Duration;

use super::work::may_read;
use crate::app::error::Busy;
use crate::app::{Error, Office};
use crate::desk::access::campaign::ReviewItem;
use crate::desk::access::{AccessCase, Grant, Question, Review};
use crate::desk::actor::Actor;
use crate::desk::change::at::At;
use crate::desk::change::condition::Condition;
use crate::desk::change::{AccessSeen, Change};
use crate::desk::id::{GrantId, ReviewItemId, TicketId, TicketNumber};
use crate::desk::ticket::lifecycle::alerts;
use crate::desk::ticket::lifecycle::escalation::at_a_turn;
use crate::desk::ticket::{State, Ticket};
use crate::store::db::retry::Turns;
use crate::store::{self, Commit, Committed, IdempotencyKey};

/// How many tickets this host may change at the same moment; two that share a place wait for each other without need.
const PLACES: usize = 64;

/// Places in which changes of one ticket wait for each other, so that changes on one host do not make each other stale.
#[derive(Debug)]
pub struct Places([tokio::sync::Mutex<()>; PLACES]);

impl Default for Places {
    fn default() -> Self {
        Self(std::array::from_fn(|_| tokio::sync::Mutex::new(())))
    }
}

/// The name of a ticket that is to change.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    Number(TicketNumber),
    Id(TicketId),
}

/// What happens when another host has changed the ticket between reading and writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The change holds for the ticket as it is by then: it is made again.
    Commutes,
    /// The change was meant for the version that was seen: it is refused as stale.
    Never,
}

/// A ticket with what a change of it is made from, as it was read.
struct Seen {
    ticket: Ticket,
    case: Option<AccessCase>,
    grant: Option<Grant>,
    /// Where the change is about a person's access: all that is known of it, and how far it had come when that was read.
    access: Option<(Review, AccessSeen)>,
    /// The questions that approvers have asked back, oldest first, where the change is about those.
    questions: Vec<Question>,
    /// The review of the grant, where the change is about that.
    review: Option<ReviewItem>,
    repeated: bool,
}

/// All that is read together with a ticket that is to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum With {
    Nothing,
    Grant(GrantId),
    /// As [`With::Grant`], without what is damaged and cannot concern the grant's app.
    InItsApp(GrantId),
    Review(GrantId, ReviewItemId),
    Questions,
}

/// A ticket and its access case, as they were read a moment ago.
pub(super) type JustRead = (Ticket, Option<AccessCase>);

/// The terms of a change: what happens where others were quicker, the key under which it was asked for, and the ticket where it was
/// read already.
struct Terms {
    retry: Retry,
    key: Option<IdempotencyKey>,
    /// Whether it was looked a moment ago that the key is new. Where the same request comes twice at once, the store finds out.
    is_new: bool,
    read: Option<JustRead>,
}

impl Terms {
    fn new(retry: Retry, key: Option<IdempotencyKey>) -> Self {
        Self { retry, key, is_new: false, read: None }
    }
}

impl Seen {
    fn of((ticket, case): JustRead) -> Self {
        Self { ticket, case, grant: None, access: None, questions: Vec::new(), review: None, repeated: false }
    }
}

/// A ticket and its access case after a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    pub ticket: Ticket,
    pub case: Option<AccessCase>,
    /// Whether the same request had made the change before, so that nothing was done.
    pub repeated: bool,
}

/// The key under which a client may send the same request again, with the digest of what it stands for.
pub type Key = (String, String);

/// How long the key of a request is kept.
const KEY_KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// The beginning of the key and of the digest of a mail. No request of a client has such a digest: those are hexadecimal.
pub(in crate::app) const MAIL: &str = "mail ";

/// A person's key as the store keeps it.
pub(in crate::app) fn idempotency(actor: &Actor, key: Option<Key>) -> Option<IdempotencyKey> {
    let (key, digest) = key?;
    // A mail may come again at any time, and what answers it names it: the desk keeps its key for ever.
    if digest.starts_with(MAIL) {
        return Some(IdempotencyKey { actor: None, key, digest, kept_for: None });
    }
    // The keys of an import are kept for ever, so that it can be repeated at any time.
    let kept_for = matches!(actor, Actor::Person { .. }).then_some(KEY_KEPT_FOR);
    Some(IdempotencyKey { actor: actor.person().cloned(), key, digest, kept_for })
}

impl Office {
    /// Changes a ticket; the ticket and its access case after it. Where `make` finds that there is nothing to change, they
    /// are as they were read.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; what `make` refuses; [`Error::Stale`]; [`Error::Busy`] where others change it too often.
    pub(crate) async fn change(
        &self,
        which: Which,
        retry: Retry,
        key: Option<IdempotencyKey>,
        make: impl Fn(&Ticket, Option<&AccessCase>, &At<'_>) -> Result<Option<Change>, Error>,
    ) -> Result<Changed, Error> {
        self.commit_change(which, retry, key, |ticket, case, at| Ok(make(ticket, case, at)?.map(Commit::from))).await
    }

    /// The same where a run of the rules is written with the change.
    ///
    /// # Errors
    ///
    /// As [`Office::change`].
    pub(crate) async fn commit_change(
        &self,
        which: Which,
        retry: Retry,
        key: Option<IdempotencyKey>,
        make: impl Fn(&Ticket, Option<&AccessCase>, &At<'_>) -> Result<Option<Commit>, Error>,
    ) -> Result<Changed, Error> {
        self.commit_read(which, Terms::new(retry, key), make).await
    }

    /// Adds to a ticket what commutes with all else that happens to it, where it may have been read a moment ago. The caller has
    /// looked whether it was done before under the key.
    ///
    /// # Errors
    ///
    /// As [`Office::change`].
    pub(super) async fn commit_to(
        &self,
        number: TicketNumber,
        read: Option<JustRead>,
        key: Option<IdempotencyKey>,
        make: impl Fn(&Ticket, Option<&AccessCase>, &At<'_>) -> Result<Option<Commit>, Error>,
    ) -> Result<Changed, Error> {
        self.commit_read(Which::Number(number), Terms { retry: Retry::Commutes, key, is_new: true, read }, make).await
    }

    async fn commit_read(
        &self,
        which: Which,
        terms: Terms,
        make: impl Fn(&Ticket, Option<&AccessCase>, &At<'_>) -> Result<Option<Commit>, Error>,
    ) -> Result<Changed, Error> {
        let make = |seen: &Seen, at: &At<'_>| make(&seen.ticket, seen.case.as_ref(), at);
        let Seen { ticket, case, repeated, .. } = self.changed(which, With::Nothing, terms, make).await?;
        Ok(Changed { ticket, case, repeated })
    }

    /// Changes a ticket with what approvers have asked back about its request. Each question and each answer makes a version of
    /// the ticket, so that a change made of older ones is a conflict, and is made again.
    ///
    /// # Errors
    ///
    /// As [`Office::change`].
    pub(crate) async fn change_asked(
        &self,
        which: Which,
        key: Option<IdempotencyKey>,
        make: impl Fn((&Ticket, Option<&AccessCase>), &[Question], &At<'_>) -> Result<Change, Error>,
    ) -> Result<(), Error> {
        let make = |seen: &Seen, at: &At<'_>| {
            Ok(Some(Commit::from(make((&seen.ticket, seen.case.as_ref()), &seen.questions, at)?)))
        };
        self.changed(which, With::Questions, Terms::new(Retry::Commutes, key), make).await.map(drop)
    }

    /// Changes a ticket for which the client's condition holds, as the actor sees it; the ticket after it.
    ///
    /// # Errors
    ///
    /// As [`Office::change`]; what `may` refuses, before anything is said about the version; [`Error::NeedsMatch`] without a
    /// condition.
    pub(super) async fn commit_if(
        &self,
        of: (&Actor, TicketNumber),
        condition: &Condition,
        key: Option<IdempotencyKey>,
        may: impl Fn(&Ticket) -> Result<(), Error>,
        make: impl Fn(&Ticket, Option<&AccessCase>, &At<'_>) -> Result<Option<Commit>, Error>,
    ) -> Result<Changed, Error> {
        let none = || std::future::ready(Ok::<(), store::Error>(()));
        let make = |(): &(), ticket: &Ticket, case: Option<&AccessCase>, at: &At<'_>| make(ticket, case, at);
        self.commit_if_by(of, condition, key, may, none, make).await.map(|(changed, _)| changed)
    }

    /// The same by facts that hang on the ticket and are read after it, such as its tasks: a change of those makes another version. With
    /// the facts of which it was made; without any where it was made before under the key.
    pub(super) async fn commit_if_by<T, R: Future<Output = Result<T, store::Error>>>(
        &self,
        (actor, number): (&Actor, TicketNumber),
        condition: &Condition,
        key: Option<IdempotencyKey>,
        may: impl Fn(&Ticket) -> Result<(), Error>,
        facts: impl Fn() -> R,
        make: impl Fn(&T, &Ticket, Option<&AccessCase>, &At<'_>) -> Result<Option<Commit>, Error>,
    ) -> Result<(Changed, Option<T>), Error> {
        let (which, mut turns) = (Which::Number(number), Turns::default());
        loop {
            let seen = self.see(which, With::Nothing).await?;
            let sees = may_read(actor, &seen.ticket, seen.case.as_ref())?.sees();
            may(&seen.ticket)?;
            if let Some(before) = self.done_before(which, With::Nothing, key.as_ref()).await? {
                let Seen { ticket, case, repeated, .. } = before;
                return Ok((Changed { ticket, case, repeated }, None));
            }
            let sight = self.sight(&seen.ticket, sees).await?;
            if condition.matches.is_none() {
                return Err(Error::NeedsMatch { what: "ticket" });
            }
            if !condition.holds_for(Some(&sight.tag(&seen.ticket))) {
                return Err(Error::Stale { version: sight.version(seen.ticket.version) });
            }
            let (read, known) = ((seen.ticket, seen.case), facts().await?);
            let made = self.commit_as_read(read, key.clone(), |ticket, case, at| make(&known, ticket, case, at));
            if let Some(changed) = made.await? {
                return Ok((changed, Some(known)));
            }
            if !turns.again().await {
                return Err(Busy::Ticket.into());
            }
        }
    }

    /// Changes a ticket that is still as it was read a moment ago; `None` where it is not, so that the caller reads once more what the
    /// change is made of. The caller has looked whether it was done before under the key.
    ///
    /// # Errors
    ///
    /// As [`Office::change`].
    pub(super) async fn commit_as_read(
        &self,
        read: JustRead,
        key: Option<IdempotencyKey>,
        make: impl Fn(&Ticket, Option<&AccessCase>, &At<'_>) -> Result<Option<Commit>, Error>,
    ) -> Result<Option<Changed>, Error> {
        let (which, version) = (Which::Number(read.0.number), read.0.version);
        let terms = Terms { retry: Retry::Never, key, is_new: true, read: Some(read) };
        let changed = self.commit_read(which, terms, |ticket, case, at| {
            // Where others were changing it, it was read again after their turn.
            if ticket.version == version { make(ticket, case, at) } else { Err(Error::Stale { version }) }
        });
        match changed.await {
            Err(Error::Stale { .. }) => Ok(None),
            changed => changed.map(Some),
        }
    }

    /// Changes a grant, and the ticket that gave it with it; the grant after it.
    ///
    /// # Errors
    ///
    /// As [`Office::change`].
    pub(crate) async fn change_grant(
        &self,
        id: GrantId,
        key: Option<IdempotencyKey>,
        make: impl Fn(&Ticket, &Grant, &At<'_>) -> Result<Option<Change>, Error>,
    ) -> Result<Grant, Error> {
        self.change_grant_with((id, With::Grant(id)), key, make).await
    }

    async fn change_grant_with(
        &self,
        (id, with): (GrantId, With),
        key: Option<IdempotencyKey>,
        make: impl Fn(&Ticket, &Grant, &At<'_>) -> Result<Option<Change>, Error>,
    ) -> Result<Grant, Error> {
        let missing = || Error::Missing { what: "grant", name: id.to_string() };
        let ticket = Which::Id(self.store.grant(id).await?.ok_or_else(missing)?.ticket);
        self.changed(ticket, with, Terms::new(Retry::Commutes, key), |seen, at| {
            Ok(make(&seen.ticket, seen.grant.as_ref().ok_or_else(missing)?, at)?.map(Commit::from))
        })
        .await?;
        self.store.grant(id).await?.ok_or_else(missing)
    }

    /// As [`Office::change_grant`], where nothing is decided by the person's other apps: an end, or an order on its way. A grant of
    /// theirs that is damaged does not keep it, as long as it cannot be a reason for access to the same app; who has left has none.
    ///
    /// # Errors
    ///
    /// As [`Office::change_grant`].
    pub(crate) async fn change_in_app(
        &self,
        id: GrantId,
        key: Option<IdempotencyKey>,
        make: impl Fn(&Ticket, &Grant, &At<'_>) -> Result<Option<Change>, Error>,
    ) -> Result<Grant, Error> {
        self.change_grant_with((id, With::InItsApp(id)), key, make).await
    }

    /// Changes a grant and its review, which is read together with it: of two answers at one moment one is the first.
    ///
    /// # Errors
    ///
    /// As [`Office::change`].
    pub(crate) async fn change_review(
        &self,
        (id, item): (GrantId, ReviewItemId),
        key: Option<IdempotencyKey>,
        make: impl Fn(&Ticket, &Grant, &ReviewItem, &At<'_>) -> Result<Option<Change>, Error>,
    ) -> Result<(), Error> {
        let missing = || Error::Missing { what: "grant", name: id.to_string() };
        let no_review = || Error::Missing { what: "review", name: item.to_string() };
        let ticket = Which::Id(self.store.grant(id).await?.ok_or_else(missing)?.ticket);
        let changed = self.changed(ticket, With::Review(id, item), Terms::new(Retry::Commutes, key), |seen, at| {
            let grant = seen.grant.as_ref().ok_or_else(missing)?;
            let review = seen.review.as_ref().ok_or_else(no_review)?;
            Ok(make(&seen.ticket, grant, review, at)?.map(Commit::from))
        });
        changed.await.map(drop)
    }

    async fn changed(
        &self,
        which: Which,
        with: With,
        Terms { retry, key, is_new, mut read }: Terms,
        make: impl Fn(&Seen, &At<'_>) -> Result<Option<Commit>, Error>,
    ) -> Result<Seen, Error> {
        if !is_new && let Some(before) = self.done_before(which, with, key.as_ref()).await? {
            return Ok(before);
        }
        let place = self.place_of(which).await?;
        let _held = match place.try_lock() {
            Ok(held) => held,
            Err(_) => {
                // Others are changing it: a ticket that was read before their turn is stale after it.
                read = None;
                // One that gets its turn too late could not be answered in time any more.
                let turn = tokio::time::timeout(self.store.patience(), place.lock()).await;
                turn.map_err(|_| Busy::Ticket)?
            }
        };
        let mut turns = Turns::default();
        loop {
            let mut seen = match read.take() {
                Some(read) => Seen::of(read),
                None => self.see(which, with).await?,
            };
            let organisation = self.organisation();
            let commit = {
                let ids = || self.clock.new_id();
                let at = At::new(self.clock.now(), &organisation, &ids);
                let made = match &seen.access {
                    Some((review, _)) => make(&seen, &at.reviewing(review.clone()))?,
                    None => make(&seen, &at)?,
                };
                made.map(|commit| Commit { change: at_a_turn(commit.change, &at).telling(&at), ..commit })
            };
            let Some(mut commit) = commit else { return Ok(seen) };
            alerts::keep_time(&mut commit.change, &organisation);
            if let Some((_, access_seen)) = &seen.access {
                commit.change = commit.change.only_while(vec![access_seen.clone()]);
            }
            seen.ticket = commit.change.after().clone();
            seen.case = commit.change.case().cloned().or(seen.case);
            match self.store.commit(Commit { idempotency: key.clone(), ..commit }).await {
                Ok(Committed::Written { assignee, .. }) => {
                    // The store may have settled whose turn it is.
                    seen.ticket.assignee = assignee;
                    return Ok(seen);
                }
                // The same request came twice at once, and the other was quicker.
                Ok(Committed::Before(_)) => return Ok(Seen { repeated: true, ..self.see(which, with).await? }),
                Err(store::Error::Conflict) if retry == Retry::Commutes => {
                    if !turns.again().await {
                        return Err(Busy::Ticket.into());
                    }
                }
                Err(store::Error::Conflict) => {
                    return Err(Error::Stale { version: self.see(which, With::Nothing).await?.ticket.version });
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Forgets the keys of requests that have ended; how many.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn forget_keys(&self) -> Result<u64, Error> {
        let mut forgotten = 0;
        loop {
            match self.store.forget_keys(self.clock.now()).await? {
                0 => return Ok(forgotten),
                some => forgotten += some,
            }
        }
    }

    /// The ticket as it is now, where the request with this key was done before.
    async fn done_before(&self, which: Which, with: With, key: Option<&IdempotencyKey>) -> Result<Option<Seen>, Error> {
        let Some(key) = key else { return Ok(None) };
        if self.store.made_under(key, self.clock.now()).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(Seen { repeated: true, ..self.see(which, with).await? }))
    }

    /// The ticket where the same request changed it before, or the one that it made.
    pub(super) async fn repeated(
        &self,
        number: TicketNumber,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<Changed>, Error> {
        let Some(key) = key else { return Ok(None) };
        let Some(id) = self.store.made_under(key, self.clock.now()).await? else { return Ok(None) };
        let mut seen = self.see(Which::Number(number), With::Nothing).await?;
        // Words may have become a ticket of their own. Those on a ticket that was merged since are in the one that took it up.
        if seen.ticket.id != id {
            let made = self.see(Which::Id(id), With::Nothing).await?;
            seen = if made.ticket.state == State::Merged { seen } else { made };
        }
        Ok(Some(Changed { ticket: seen.ticket, case: seen.case, repeated: true }))
    }

    /// Where changes of this ticket wait for each other.
    async fn place_of(&self, which: Which) -> Result<&tokio::sync::Mutex<()>, Error> {
        let number = match which {
            Which::Number(number) => number,
            Which::Id(_) => self.see(which, With::Nothing).await?.ticket.number,
        };
        let Places(places) = &self.changing;
        let [first, ..] = places;
        let place = usize::try_from(number.0.unsigned_abs()).unwrap_or_default() % PLACES;
        Ok(places.get(place).unwrap_or(first))
    }

    /// Reads a ticket and its case as of one instant, and a grant or the questions after them: a change of those changes the
    /// ticket's version too, so that a change made of older ones is a conflict.
    async fn see(&self, which: Which, with: With) -> Result<Seen, Error> {
        let (found, name) = match which {
            Which::Number(number) => (self.store.ticket_and_case(number).await?, number.to_string()),
            Which::Id(id) => (self.store.ticket_and_case_by_id(id).await?, id.to_string()),
        };
        let mut seen = Seen::of(found.ok_or(Error::Missing { what: "ticket", name })?);
        match with {
            With::Nothing => {}
            With::Questions => seen.questions = self.store.questions_about(seen.ticket.id).await?,
            With::Grant(id) | With::InItsApp(id) | With::Review(id, _) => {
                let Some(grant) = self.store.grant(id).await? else { return Ok(seen) };
                seen.access = Some(match with {
                    With::InItsApp(_) => self.access_in_app(&grant).await?,
                    _ => self.access_of(&grant.subject).await?,
                });
                // Once more, since how far access has come was read after it.
                seen.grant = self.store.grant(id).await?;
                if let With::Review(_, item) = with {
                    seen.review = self.store.review(item).await?;
                }
            }
        }
        Ok(seen)
    }
}
