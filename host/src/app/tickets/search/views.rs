//! Lists under a name: a person's own, and those that are shared with people who work on tickets.

use crate::app::tickets::work::Sights;
use crate::app::{Error, Office};
use crate::desk::actor::{Actor, Role};
use crate::desk::change::condition::Condition;
use crate::desk::id::{NAME_BYTES_MAX, PersonId, ViewId};
use crate::desk::organisation::form::{Fault, Problem, check_characters};
use crate::desk::permission::{self, Act};
use crate::desk::refusal::Refusal;
use crate::desk::text::{is_blank, normal};
use crate::store::sql::page::Page;
use crate::store::tickets::list::views::VIEWS_MAX;
pub use crate::store::tickets::list::views::{Audience, OwnView, StoredView};
use crate::store::tickets::list::{Filter, Start};
use crate::store::tickets::summary::TicketSummary;

/// The most lists that a person keeps.
const OWN_MAX: usize = 100;
/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 100;
/// The most tickets of a list that are counted.
pub const COUNT_MAX: usize = 999;
/// The most lists that a person puts in front.
pub const STARRED_MAX: i64 = 12;
/// The word for the reader, where a list names a person.
pub const ME: &str = "@me";
const _: () = assert!(OWN_MAX < VIEWS_MAX);

/// A list as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewWanted {
    pub name: String,
    /// Empty, `staff`, or `team:` and the team.
    pub audience: String,
    /// It may name the reader as `@me`.
    pub filter: Filter,
}

/// How many tickets a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewCount {
    /// At most [`COUNT_MAX`].
    pub count: usize,
    /// Whether there may be more.
    pub or_more: bool,
}

fn missing(id: ViewId) -> Error {
    Error::Missing { what: "view", name: id.to_string() }
}

fn person(actor: &Actor) -> Result<&PersonId, Error> {
    actor.person().ok_or_else(|| Refusal::Forbidden { act: Act::ListTickets }.into())
}

impl Office {
    /// The lists that the actor has, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn views(&self, actor: &Actor) -> Result<Vec<StoredView>, Error> {
        permission::list(actor)?;
        Ok(self.store.views(person(actor)?, &self.audiences_of(actor)).await?)
    }

    /// The same, each with whether the actor has put it in front.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn own_views(&self, actor: &Actor) -> Result<Vec<OwnView>, Error> {
        permission::list(actor)?;
        Ok(self.store.own_views(person(actor)?, &self.audiences_of(actor)).await?)
    }

    /// Puts a list that the actor has in front, or takes it from there.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] where [`STARRED_MAX`] are in front; [`Error::Missing`]; [`Error::Refused`].
    pub async fn star_view(&self, actor: &Actor, id: ViewId, on: bool) -> Result<(), Error> {
        let view = self.view(actor, id).await?;
        match self.store.star_view(person(actor)?, view.id, on, STARRED_MAX).await? {
            true => Ok(()),
            false => {
                let problem = Problem::of("star", "too-many", Fault::ManyInFront, &[&STARRED_MAX]);
                Err(problem.into())
            }
        }
    }

    /// One list that the actor has.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn view(&self, actor: &Actor, id: ViewId) -> Result<StoredView, Error> {
        permission::list(actor)?;
        let owner = person(actor)?;
        let found = self.store.view(id).await?;
        let has = |view: &StoredView| view.owner == *owner || self.audiences_of(actor).contains(&view.audience);
        found.filter(has).ok_or_else(|| missing(id))
    }

    /// Keeps a list under an id of the client's choice: new, or in place of the version that the client names.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`]; [`Error::NeedsMatch`] and [`Error::Stale`] for a list that there is; [`Error::Missing`] for another
    /// person's; [`Error::Refused`].
    pub async fn keep_view(
        &self,
        actor: &Actor,
        id: ViewId,
        condition: &Condition,
        wanted: ViewWanted,
    ) -> Result<StoredView, Error> {
        permission::list(actor)?;
        let owner = person(actor)?.clone();
        let before = self.store.view(id).await?;
        let version = match &before {
            Some(view) => self.may_change(actor, view, condition)?.version + 1,
            None if condition.holds_for(None) => 1,
            None => return Err(missing(id)),
        };
        let audience = self.checked(actor, &wanted)?;
        let own = self.store.views(&owner, &[]).await?.len();
        if before.is_none() && own >= OWN_MAX {
            let problem = Problem::of("name", "too-many", Fault::ManyViews, &[&OWN_MAX]);
            return Err(problem.into());
        }
        let owner = before.map_or(owner, |view| view.owner);
        let (name, changed_at) = (normal(wanted.name.trim()).into_owned(), self.clock.now());
        let view =
            StoredView { id, owner, name, audience, filter: wanted.filter, version, changed_at, damaged: Vec::new() };
        match self.store.keep_view(&view).await? {
            true => Ok(view),
            false => Err(Error::Stale { version: self.store.view(id).await?.map_or(0, |view| view.version) }),
        }
    }

    /// Takes a list away, if it is still at the version that the client names.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::NeedsMatch`]; [`Error::Stale`]; [`Error::Refused`].
    pub async fn remove_view(&self, actor: &Actor, id: ViewId, condition: &Condition) -> Result<(), Error> {
        let view = self.view(actor, id).await?;
        let version = self.may_change(actor, &view, condition)?.version;
        match self.store.remove_view(id, version).await? {
            true => Ok(()),
            false => Err(Error::Stale { version: self.store.view(id).await?.map_or(0, |view| view.version) }),
        }
    }

    /// A page of a list, as its reader sees it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn view_tickets(
        &self,
        actor: &Actor,
        id: ViewId,
        start: Start,
        limit: usize,
    ) -> Result<(Page<TicketSummary, Start>, Sights), Error> {
        let view = self.view(actor, id).await?;
        self.tickets(actor, for_reader(view.filter, person(actor)?), start, limit).await
    }

    /// The filter of a list as it is for its reader.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub fn filter_for(&self, actor: &Actor, view: &StoredView) -> Result<Filter, Error> {
        Ok(for_reader(view.filter.clone(), person(actor)?))
    }

    /// How many tickets a list has for its reader, up to a bound: asked for by itself, so that no list waits for it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn view_count(&self, actor: &Actor, id: ViewId) -> Result<ViewCount, Error> {
        let view = self.view(actor, id).await?;
        self.count_tickets(actor, for_reader(view.filter, person(actor)?)).await
    }

    /// How many tickets a filter leaves, up to [`COUNT_MAX`].
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn count_tickets(&self, actor: &Actor, mut filter: Filter) -> Result<ViewCount, Error> {
        let permit = permission::list(actor)?;
        if filter.is_internal() {
            permission::list_internally(actor)?;
        }
        filter.only = permit.only().cloned();
        let (count, or_more) = self.store.count_tickets(&filter, COUNT_MAX).await?;
        Ok(ViewCount { count, or_more })
    }

    /// The audiences that an actor is of.
    fn audiences_of(&self, actor: &Actor) -> Vec<Audience> {
        if permission::list_internally(actor).is_err() {
            return Vec::new();
        }
        let organisation = self.organisation();
        let is_in = |team: &crate::desk::organisation::Team| {
            team.members.iter().any(|member| Some(&member.person) == actor.person())
        };
        let teams = organisation.teams.iter().filter(|(_, team)| is_in(team));
        std::iter::once(Audience::Staff).chain(teams.map(|(id, _)| Audience::Team(id.clone()))).collect()
    }

    /// A list that the actor may change at the version named: one's own, and for admins those that are shared.
    fn may_change<'a>(
        &self,
        actor: &Actor,
        view: &'a StoredView,
        condition: &Condition,
    ) -> Result<&'a StoredView, Error> {
        let own = actor.person() == Some(&view.owner);
        if !(own || view.audience != Audience::None && actor.has(Role::Admin)) {
            return Err(missing(view.id));
        }
        if condition.matches.is_none() {
            return Err(Error::NeedsMatch { what: "view" });
        }
        if !condition.holds_for(Some(&view.version.to_string())) {
            return Err(Error::Stale { version: view.version });
        }
        Ok(view)
    }

    /// The audience of a list that is as it should be.
    fn checked(&self, actor: &Actor, wanted: &ViewWanted) -> Result<Audience, Error> {
        let name = normal(wanted.name.trim());
        let mut problems: Vec<Problem> = check_characters("name", &name).into_iter().collect();
        if is_blank(&name) || name.chars().count() > NAME_CHARS_MAX {
            problems.push(Problem::of("name", "invalid", Fault::NameLength, &[&NAME_CHARS_MAX]));
        }
        let filter = &wanted.filter;
        for (field, name) in names_in(filter) {
            problems.extend(check_characters(field, name));
            if name.len() > NAME_BYTES_MAX {
                problems.push(Problem::of(field, "too-long", Fault::LongCell, &[&NAME_BYTES_MAX]));
            }
        }
        let audience = Audience::from_code(&wanted.audience);
        let is_there = |audience: &Audience| match audience {
            Audience::Team(team) => self.organisation().teams.contains_key(team),
            Audience::None | Audience::Staff => true,
        };
        let Some(audience) = audience.filter(is_there).filter(|_| problems.is_empty()) else {
            if problems.is_empty() {
                problems.push(Problem::of("audience", "unknown", Fault::NoAudience, &[]));
            }
            return Err(Error::Rejected { problems });
        };
        if audience != Audience::None || filter.is_internal() {
            permission::list_internally(actor)?;
        }
        Ok(audience)
    }
}

/// The names in a filter, each with its field. All who have the list read them with each page of their queue.
fn names_in(filter: &Filter) -> impl Iterator<Item = (&'static str, &str)> {
    let names = [
        ("filter.team", &filter.team),
        ("filter.assignee", &filter.assignee),
        ("filter.requester", &filter.requester),
        ("filter.priority", &filter.priority),
        ("filter.category", &filter.category),
        ("filter.request_type", &filter.request_type),
        ("filter.tag", &filter.tag),
    ];
    names.into_iter().filter_map(|(field, name)| Some((field, name.as_deref()?)))
}

/// The filter with the reader in the place of `@me`.
fn for_reader(mut filter: Filter, reader: &PersonId) -> Filter {
    for named in [&mut filter.assignee, &mut filter.requester] {
        if named.as_deref() == Some(ME) {
            *named = Some(reader.to_string());
        }
    }
    filter
}
