//! Tickets by their words.

use crate::app::tickets::work::{Filter, Sights, Start};
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::TicketNumber;
use crate::desk::permission;
use crate::store::sql::search::Wanted;
pub use crate::store::tickets::search::{FOUND_MAX, SearchFilter};
use crate::store::tickets::summary::TicketSummary;

pub mod views;

/// The names by which a list or a search is narrowed to one of what the configuration has.
#[derive(Debug, Clone, Default)]
pub struct Names {
    team: Option<String>,
    category: Option<String>,
    priority: Option<String>,
    request_type: Option<String>,
    tag: Option<String>,
}

impl From<&Filter> for Names {
    fn from(Filter { team, category, priority, request_type, tag, .. }: &Filter) -> Self {
        let [team, category, priority] = [team, category, priority].map(Clone::clone);
        Names { team, category, priority, request_type: request_type.clone(), tag: tag.clone() }
    }
}

impl From<&SearchFilter> for Names {
    fn from(SearchFilter { team, category, priority, request_type, tag, .. }: &SearchFilter) -> Self {
        let [team, category, priority] = [team, category, priority].map(Clone::clone);
        Names { team, category, priority, request_type: request_type.clone(), tag: tag.clone() }
    }
}

impl Office {
    /// The first of these names that is nothing's, with its kind: the configuration has none such, and no ticket that the actor may list
    /// has it either, as those have whose team is no more. A mistake in a name looks like an empty queue else.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn name_of_nothing(&self, actor: &Actor, names: Names) -> Result<Option<(&'static str, String)>, Error> {
        let only = permission::list(actor)?.only().cloned();
        let organisation = self.organisation();
        let is_team = |id: &str| organisation.teams.contains_key(id);
        let is_level = |id: &str| organisation.priorities.iter().any(|level| level.id.as_str() == id);
        // A parent counts for all below it.
        let is_within =
            |of: &str, id: &str| of.strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let is_category = |id: &str| organisation.categories.keys().any(|category| is_within(category.as_str(), id));
        let is_form = |id: &str| organisation.request_types.contains_key(id);
        let is_tag = |id: &str| organisation.tags.iter().any(|tag| tag.as_str() == id);
        let Names { team, category, priority, request_type, tag } = names;
        // Who only asks for things is not to find out which forms others have.
        let request_type = request_type.filter(|id| !is_form(id) && permission::list_internally(actor).is_ok());
        let all = Filter { only, ..Filter::default() };
        let unknown = [
            ("team", team.clone().filter(|id| !is_team(id)), Filter { team, ..all.clone() }),
            ("category", category.clone().filter(|id| !is_category(id)), Filter { category, ..all.clone() }),
            ("priority", priority.clone().filter(|id| !is_level(id)), Filter { priority, ..all.clone() }),
            ("request type", request_type.clone(), Filter { request_type, ..all.clone() }),
            ("tag", tag.clone().filter(|id| !is_tag(id)), Filter { tag, ..all.clone() }),
        ];
        for (kind, name, filter) in unknown {
            let Some(name) = name else { continue };
            let page = self.store.tickets(&filter, Start::Number(None), 1).await?;
            if page.items.is_empty() && page.next.is_none() {
                return Ok(Some((kind, name)));
            }
        }
        Ok(None)
    }

    /// The tickets that have the words and that the actor may see, the newest first. A requester's are searched by what is public
    /// of them, and so are those of a department, for its readers, where the filter names its people.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn search_tickets(
        &self,
        actor: &Actor,
        text: &str,
        mut filter: SearchFilter,
        limit: usize,
    ) -> Result<(Vec<TicketSummary>, Sights), Error> {
        let permit = permission::list(actor)?;
        if filter.is_internal() {
            permission::list_internally(actor)?;
        }
        let reads_all = permit.only().is_some_and(|reader| self.reads_tickets_of_all(reader, &filter.requesters));
        filter.only = permit.only().filter(|_| !reads_all).cloned();
        filter.in_public |= reads_all;
        let found = match Wanted::all(text) {
            Some(wanted) => self.store.search_tickets(wanted, &filter, limit.min(FOUND_MAX)).await?,
            None => Vec::new(),
        };
        let sights = self.sights(actor, found.iter().map(|ticket| ticket.number)).await?;
        Ok((found, sights))
    }

    /// Puts the words of some tickets into the index; how much that settled.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn index_tickets(&self) -> Result<usize, Error> {
        Ok(self.store.index_pending().await?)
    }

    /// Merges pieces of the index while there is nothing to put into it; whether there may be more to merge.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn merge_index(&self) -> Result<bool, Error> {
        Ok(self.store.merge_index().await?)
    }

    /// The number from which downwards no search finds tickets yet, while an index that was built again is filled.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn unsearchable_from(&self) -> Result<Option<TicketNumber>, Error> {
        Ok(self.store.filled_down_to().await?)
    }
}
