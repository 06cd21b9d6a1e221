//! The knowledge base as rows: articles, their versions, votes, and what they spared.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::desk::id::TicketNumber;
use crate::desk::ticket::knowledge::{Article, ArticleNumber, ArticleState, ArticleText};
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{at, at_or_epoch, corrupt, ms};
use crate::store::sql::page::Page;
use crate::store::sql::search::{self, Wanted, indexed};
use crate::store::{Error, Store};

pub mod counts;

/// The most articles of a list.
pub const ARTICLES_MAX: usize = 200;
/// Bytes of text that a page of articles or of versions has, before the one with which it gets longer.
const PAGE_BYTES_MAX: i64 = 1 << 20;

const T: &str = "articles";
const COLUMNS: &str =
    "number, version, state, title, body, language, category, source, review_at, author, created_at, updated_at";

/// An article that was found, with the piece of its text that has the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its body is left out: all bodies of a list may be long.
    pub article: Article,
    /// Parts in turn, and whether each was looked for.
    pub piece: Vec<(String, bool)>,
}

/// A version of an article, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleVersion {
    pub version: i64,
    pub state: ArticleState,
    pub text: ArticleText,
    pub author: String,
    pub at: Timestamp,
}

/// The articles of a list; empty and `None` do not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArticleFilter {
    pub states: Vec<ArticleState>,
    pub category: Option<String>,
    /// Those that are to be looked at again by then.
    pub review_by: Option<Timestamp>,
    /// Those behind this number.
    pub after: i64,
}

fn state(code: String) -> Result<ArticleState, Error> {
    ArticleState::from_code(&code).ok_or_else(|| corrupt(T, "state", code))
}

/// A day as its column: its first instant in UTC.
fn day(date: Date) -> Option<i64> {
    TimeZone::UTC.to_timestamp(date.to_datetime(Time::midnight())).ok().map(ms)
}

fn date(column: i64) -> Result<Date, Error> {
    Ok(TimeZone::UTC.to_datetime(at(T, "review_at", column)?).date())
}

fn article(row: &Row) -> Result<Article, Error> {
    Ok(Article {
        number: ArticleNumber(row.int(0)?),
        version: row.int(1)?,
        state: state(row.text(2)?)?,
        text: ArticleText {
            title: row.text(3)?,
            body: row.text(4)?,
            language: row.text(5)?,
            category: row.opt_text(6)?,
            review_on: row.opt_int(8)?.map(date).transpose()?,
        },
        source: row.opt_int(7)?.map(TicketNumber),
        author: row.text(9)?,
        created_at: at_or_epoch(row.int(10)?),
        updated_at: at_or_epoch(row.int(11)?),
    })
}

fn listed(states: &[ArticleState]) -> String {
    // Words of this program, so that they may stand in a statement.
    states.iter().map(|state| format!("'{}'", state.code())).collect::<Vec<_>>().join(", ")
}

impl Store {
    /// Keeps a new article, as a draft; its number. An article from a ticket that has one already is a conflict.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`]; where the database cannot be written.
    pub async fn add_article(
        &self,
        text: &ArticleText,
        source: Option<TicketNumber>,
        author: &str,
        now: Timestamp,
    ) -> Result<ArticleNumber, Error> {
        let insert = "insert into articles (version, state, title, body, language, category, source, review_at, author, \
                      created_at, updated_at) values (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $9) \
                      on conflict (source) do nothing returning number";
        let args: Vec<Arg> = vec![
            ArticleState::Draft.code().into(),
            text.title.as_str().into(),
            text.body.as_str().into(),
            text.language.as_str().into(),
            text.category.clone().into(),
            source.map(|number| number.0).into(),
            text.review_on.and_then(day).into(),
            author.into(),
            ms(now).into(),
        ];
        let written = self.db.durably(async |mut tx| {
            let row = tx.optional(insert, args.clone()).await?.ok_or(Error::Conflict)?;
            let number = row.int(0)?;
            self.write_version(&mut tx, (number, 1, ArticleState::Draft), text, author, now).await?;
            Ok((number, tx))
        });
        let number = written.await?;
        Ok(ArticleNumber(number))
    }

    /// Changes an article that is still at the version before.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`]; where the database cannot be written.
    pub async fn change_article(&self, after: &Article) -> Result<(), Error> {
        let sql = "update articles set version = $1, state = $2, title = $3, body = $4, language = $5, category = $6, \
                   review_at = $7, author = $8, updated_at = $9 where number = $10 and version = $1 - 1";
        let text = &after.text;
        let args: Vec<Arg> = vec![
            after.version.into(),
            after.state.code().into(),
            text.title.as_str().into(),
            text.body.as_str().into(),
            text.language.as_str().into(),
            text.category.clone().into(),
            text.review_on.and_then(day).into(),
            after.author.as_str().into(),
            ms(after.updated_at).into(),
            after.number.0.into(),
        ];
        let written = self.db.durably(async |mut tx| {
            if tx.execute(sql, args.clone()).await? == 0 {
                return Err(Error::Conflict);
            }
            let row = (after.number.0, after.version, after.state);
            self.write_version(&mut tx, row, text, &after.author, after.updated_at).await?;
            Ok(((), tx))
        });
        written.await
    }

    /// Writes a version, and the article's words into the index: those of one that is retired are taken out.
    async fn write_version(
        &self,
        tx: &mut Tx,
        (number, version, state): (i64, i64, ArticleState),
        text: &ArticleText,
        author: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let row = vec![
            number.into(),
            version.into(),
            state.code().into(),
            text.title.as_str().into(),
            text.body.as_str().into(),
            text.language.as_str().into(),
            text.category.clone().into(),
            author.into(),
            Arg::from(ms(now)),
        ];
        let head =
            "insert into article_versions (article, version, state, title, body, language, category, author, at)";
        tx.insert(head, 9, "", vec![row]).await?;
        tx.execute(search::FORGET_ARTICLE.text(&self.db), vec![number.into()]).await?;
        if state != ArticleState::Retired {
            let words = vec![number.into(), indexed(&text.title).into(), Arg::from(indexed(&text.body))];
            tx.execute(search::KEEP_ARTICLE.text(&self.db), words).await?;
        }
        Ok(())
    }

    /// The article with this number.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn article(&self, number: ArticleNumber) -> Result<Option<Article>, Error> {
        let sql = format!("select {COLUMNS} from articles where number = $1");
        self.db.optional(&sql, vec![number.0.into()]).await?.as_ref().map(article).transpose()
    }

    /// The article that was made from a ticket.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn article_of(&self, ticket: TicketNumber) -> Result<Option<Article>, Error> {
        let sql = format!("select {COLUMNS} from articles where source = $1");
        self.db.optional(&sql, vec![ticket.0.into()]).await?.as_ref().map(article).transpose()
    }

    /// The articles of a list by number, at most `limit` and about [`PAGE_BYTES_MAX`].
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn articles(&self, filter: &ArticleFilter, limit: usize) -> Result<Page<Article, ArticleNumber>, Error> {
        let (conditions, mut args) = narrowed(filter);
        let (mut items, mut bytes) = (Vec::new(), 0);
        loop {
            let wanted = limit.saturating_sub(items.len());
            let sizes = format!(
                "select number, cast(octet_length(title) + octet_length(body) as bigint) from articles \
                 where {conditions} order by number limit {}",
                wanted + 1
            );
            let sizes = self.db.all(&sizes, args.clone()).await?;
            let (last, count) = fitting(&sizes, wanted, &mut bytes)?;
            let Some(last) = last else { return Ok(Page { items, next: None }) };
            let mut upto = args.clone();
            upto.push(last.into());
            let sql = format!(
                "select {COLUMNS} from articles where {conditions} and number <= ${} order by number",
                upto.len()
            );
            items.extend(self.readable(T, &self.db.all(&sql, upto).await?, article));
            if count == sizes.len() {
                return Ok(Page { items, next: None });
            }
            if items.len() >= limit || bytes >= PAGE_BYTES_MAX {
                return Ok(Page { items, next: Some(ArticleNumber(last)) });
            }
            // Those that cannot be read leave room for the next.
            if let Some(after) = args.first_mut() {
                *after = last.into();
            }
        }
    }

    /// The articles in these states that have the words, the best first, at most `limit`.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn search_articles(
        &self,
        wanted: &Wanted,
        states: &[ArticleState],
        language: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Found>, Error> {
        let is_sqlite = matches!(self.db, crate::store::db::Db::Sqlite(_));
        let mut args: Vec<Arg> = vec![wanted.text(is_sqlite).into()];
        let language = language.map(|language| {
            args.push(language.into());
            format!("and a.language in ('', ${})", args.len())
        });
        let sql = format!(
            "{} and a.state in ({}) {} order by score, a.number limit {limit}",
            search::ARTICLES.text(&self.db),
            listed(states),
            language.unwrap_or_default()
        );
        let mut found = Vec::new();
        for row in self.db.all(&sql, args).await? {
            let number = ArticleNumber(row.int(0)?);
            let article = match self.article(number).await {
                Err(error @ Error::Corrupt { .. }) => {
                    self.leave_out(T, &number, &error);
                    continue;
                }
                article => article?,
            };
            found.extend(article.map(|mut article| {
                let body = std::mem::take(&mut article.text.body);
                Found { piece: wanted.shown(&body), article }
            }));
        }
        Ok(found)
    }

    /// The versions of an article, the latest first, those before one of them; at most `limit` and about [`PAGE_BYTES_MAX`].
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn article_versions(
        &self,
        number: ArticleNumber,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<ArticleVersion, i64>, Error> {
        let sizes = format!(
            "select version, cast(octet_length(title) + octet_length(body) as bigint) from article_versions \
             where article = $1 and version < $2 order by version desc limit {}",
            limit + 1
        );
        let before = before.unwrap_or(i64::MAX);
        let sizes = self.db.all(&sizes, vec![number.0.into(), before.into()]).await?;
        let (last, count) = fitting(&sizes, limit, &mut 0)?;
        let Some(last) = last else { return Ok(Page { items: Vec::new(), next: None }) };
        let sql = "select version, state, title, body, language, category, author, at from article_versions \
                   where article = $1 and version < $2 and version >= $3 order by version desc";
        let version = |row: &Row| {
            Ok(ArticleVersion {
                version: row.int(0)?,
                state: state(row.text(1)?)?,
                text: ArticleText {
                    title: row.text(2)?,
                    body: row.text(3)?,
                    language: row.text(4)?,
                    category: row.opt_text(5)?,
                    review_on: None,
                },
                author: row.text(6)?,
                at: at_or_epoch(row.int(7)?),
            })
        };
        let rows = self.db.all(sql, vec![number.0.into(), before.into(), last.into()]).await?;
        let items = self.readable("article_versions", &rows, version);
        Ok(Page { items, next: (count < sizes.len()).then_some(last) })
    }
}

/// The condition for the articles of a list, with its arguments, of which the first is the number that they follow.
fn narrowed(filter: &ArticleFilter) -> (String, Vec<Arg>) {
    let mut conditions = vec!["number > $1".to_owned()];
    let mut args: Vec<Arg> = vec![filter.after.into()];
    if !filter.states.is_empty() {
        conditions.push(format!("state in ({})", listed(&filter.states)));
    }
    if let Some(category) = &filter.category {
        args.push(category.as_str().into());
        conditions.push(format!("category = ${}", args.len()));
    }
    if let Some(by) = filter.review_by {
        args.push(ms(by).into());
        conditions.push(format!("review_at <= ${}", args.len()));
    }
    (conditions.join(" and "), args)
}

/// Of rows with a place and a size: the place of the last that fits on a page of so many rows, to whose bytes theirs are added, and how
/// many fit. One fits, however long it is.
fn fitting(sizes: &[Row], wanted: usize, bytes: &mut i64) -> Result<(Option<i64>, usize), Error> {
    let (mut last, mut count) = (None, 0);
    for row in sizes.iter().take(wanted) {
        if *bytes >= PAGE_BYTES_MAX {
            break;
        }
        *bytes += row.int(1)?;
        (last, count) = (Some(row.int(0)?), count + 1);
    }
    Ok((last, count))
}
