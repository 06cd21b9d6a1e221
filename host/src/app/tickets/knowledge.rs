//! The knowledge base: articles are written, published, found, suggested and judged, and made from resolved tickets.

use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::id::TicketNumber;
use crate::desk::permission::{self, MayReadKnowledge};
use crate::desk::refusal::Refusal;
use crate::desk::ticket::knowledge::{Article, ArticleNumber, ArticleState, ArticleText, check_state, draft_of};
use crate::store;
use crate::store::sql::page::Page;
use crate::store::sql::search::Wanted;
pub use crate::store::tickets::knowledge::counts::Usefulness;
pub use crate::store::tickets::knowledge::{ARTICLES_MAX, ArticleFilter, ArticleVersion, Found};

/// The most articles that are suggested for a submission.
const SUGGESTED_MAX: usize = 5;
/// The most bytes of a submission that suggestions go by.
const SUGGESTED_BYTES_MAX: usize = 10_000;

/// The states of articles that a reader is shown where they are looked for.
fn found_in(permit: MayReadKnowledge) -> &'static [ArticleState] {
    if permit.internal() {
        &[ArticleState::Public, ArticleState::Internal, ArticleState::Draft]
    } else {
        &[ArticleState::Public]
    }
}

impl Office {
    /// Writes a new article, as a draft.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] with each field that is wrong.
    pub async fn add_article(&self, actor: &Actor, text: ArticleText) -> Result<Article, Error> {
        let permit = permission::write_knowledge(actor)?;
        let text = text.checked(&self.organisation())?;
        let number = self.store.add_article(&text, None, permit.author().as_str(), self.clock.now()).await?;
        self.find_article(number).await
    }

    /// Makes a draft of how a ticket was resolved; the article that was made of it before, where one was.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] where no agent has said how it was resolved.
    pub async fn draft_article(&self, actor: &Actor, number: TicketNumber) -> Result<(Article, bool), Error> {
        let (ticket, _) = self.ticket(actor, number).await?;
        let permit = permission::write_knowledge(actor)?;
        if let Some(article) = self.store.article_of(number).await? {
            return Ok((article, false));
        }
        let last = self.store.last_resolution(number).await?.ok_or(Refusal::NoRecord)?;
        let text = draft_of(&ticket, &last.record, &self.organisation());
        if text.body.is_empty() {
            return Err(Refusal::NoRecord.into());
        }
        let made = self.store.add_article(&text, Some(number), permit.author().as_str(), self.clock.now()).await;
        match made {
            Ok(number) => Ok((self.find_article(number).await?, true)),
            // Another was quicker.
            Err(store::Error::Conflict) => {
                let article = self.store.article_of(number).await?;
                article.map(|article| (article, false)).ok_or(Error::Stale { version: 1 })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// One article with how useful it was, as far as the actor may see it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn article(&self, actor: &Actor, number: ArticleNumber) -> Result<(Article, Usefulness), Error> {
        let article = self.readable_article(actor, number).await?;
        Ok((article, self.store.usefulness(number).await?))
    }

    async fn find_article(&self, number: ArticleNumber) -> Result<Article, Error> {
        let found = self.store.article(number).await?;
        found.ok_or_else(|| Error::Missing { what: "article", name: number.to_string() })
    }

    /// An article that the actor may not read is not there.
    async fn readable_article(&self, actor: &Actor, number: ArticleNumber) -> Result<Article, Error> {
        let permit = permission::read_knowledge(actor)?;
        let article = self.find_article(number).await?;
        if permit.internal() || article.state == ArticleState::Public {
            Ok(article)
        } else {
            Err(Error::Missing { what: "article", name: number.to_string() })
        }
    }

    /// The articles of a list, by number; readers from whom something is hidden are shown the public ones alone, so that a list of
    /// others is empty for them.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn articles(
        &self,
        actor: &Actor,
        mut filter: ArticleFilter,
        limit: usize,
    ) -> Result<Page<Article, ArticleNumber>, Error> {
        if !permission::read_knowledge(actor)?.internal() {
            if !filter.states.is_empty() && !filter.states.contains(&ArticleState::Public) {
                return Ok(Page { items: Vec::new(), next: None });
            }
            filter.states = vec![ArticleState::Public];
        }
        Ok(self.store.articles(&filter, limit).await?)
    }

    /// The versions of an article, the latest first, those before one of them.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn article_versions(
        &self,
        actor: &Actor,
        number: ArticleNumber,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<ArticleVersion, i64>, Error> {
        permission::write_knowledge(actor)?;
        self.find_article(number).await?;
        Ok(self.store.article_versions(number, before, limit).await?)
    }

    /// Changes an article that is still at the version that the actor has seen.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::NeedsMatch`], [`Error::Stale`]; [`Error::Refused`]; [`Error::Rejected`].
    pub async fn change_article(
        &self,
        actor: &Actor,
        number: ArticleNumber,
        condition: &Condition,
        (text, to): (Option<ArticleText>, Option<ArticleState>),
    ) -> Result<Article, Error> {
        let permit = permission::write_knowledge(actor)?;
        let article = self.find_article(number).await?;
        if condition.matches.is_none() {
            return Err(Error::NeedsMatch { what: "article" });
        }
        if !condition.holds_for(Some(&article.version.to_string())) {
            return Err(Error::Stale { version: article.version });
        }
        if let Some(to) = to {
            check_state(article.state, to)?;
        }
        let text = text.map(|text| text.checked(&self.organisation())).transpose()?;
        let after = Article {
            version: article.version + 1,
            state: to.unwrap_or(article.state),
            text: text.unwrap_or(article.text),
            author: permit.author().to_string(),
            updated_at: self.clock.now(),
            ..article
        };
        match self.store.change_article(&after).await {
            Ok(()) => Ok(after),
            Err(store::Error::Conflict) => Err(Error::Stale { version: self.find_article(number).await?.version }),
            Err(error) => Err(error.into()),
        }
    }

    /// The articles that have the words, the best first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn search_articles(
        &self,
        actor: &Actor,
        text: &str,
        language: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Found>, Error> {
        let permit = permission::read_knowledge(actor)?;
        let Some(wanted) = Wanted::all(text) else { return Ok(Vec::new()) };
        Ok(self.store.search_articles(&wanted, found_in(permit), language, limit.min(ARTICLES_MAX)).await?)
    }

    /// The published articles that are likest to a text, such as a submission before it is sent: "does this solve it?"
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn suggest_articles(&self, actor: &Actor, text: &str) -> Result<Vec<Found>, Error> {
        let permit = permission::read_knowledge(actor)?;
        let text = text.get(..text.floor_char_boundary(SUGGESTED_BYTES_MAX)).unwrap_or_default();
        let Some(wanted) = Wanted::like(text) else { return Ok(Vec::new()) };
        let published: Vec<ArticleState> =
            found_in(permit).iter().copied().filter(|state| *state != ArticleState::Draft).collect();
        Ok(self.store.search_articles(&wanted, &published, None, SUGGESTED_MAX).await?)
    }

    /// Keeps whether an article helped the actor; a later vote of theirs replaces it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn vote(&self, actor: &Actor, number: ArticleNumber, helpful: bool) -> Result<Usefulness, Error> {
        self.readable_article(actor, number).await?;
        if let Some(person) = actor.person() {
            self.store.vote(number, person.as_str(), helpful, self.clock.now()).await?;
        }
        Ok(self.store.usefulness(number).await?)
    }

    /// Counts that an article spared the actor a ticket, once a day.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn deflected(&self, actor: &Actor, number: ArticleNumber) -> Result<Usefulness, Error> {
        self.readable_article(actor, number).await?;
        if let Some(person) = actor.person() {
            self.store.deflected(number, person.as_str(), self.clock.now()).await?;
        }
        Ok(self.store.usefulness(number).await?)
    }
}
