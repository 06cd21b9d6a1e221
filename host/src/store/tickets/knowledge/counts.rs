//! How useful articles are: votes, and the tickets that they spared.

use jiff::Timestamp;

use crate::desk::ticket::knowledge::ArticleNumber;
use crate::store::sql::columns::{DAY_MS, ms};
use crate::store::{Error, Store};

/// How useful an article has been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usefulness {
    pub helpful: i64,
    pub unhelpful: i64,
    /// How often a person said that it spared them a ticket.
    pub deflections: i64,
}

impl Store {
    /// Keeps a person's vote; a later one replaces it.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn vote(&self, article: ArticleNumber, person: &str, helpful: bool, now: Timestamp) -> Result<(), Error> {
        const VOTE: &str = "insert into article_votes (article, person, helpful, at) values ($1, $2, $3, $4) \
                            on conflict (article, person) do update set helpful = excluded.helpful, at = excluded.at";
        let args = vec![article.0.into(), person.into(), i64::from(helpful).into(), ms(now).into()];
        self.write_in_turn(VOTE, args).await.map(drop)
    }

    /// Counts that an article spared a person a ticket, once a day.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn deflected(&self, article: ArticleNumber, person: &str, now: Timestamp) -> Result<(), Error> {
        const DEFLECTED: &str = "insert into deflections (article, person, day, at) values ($1, $2, $3, $4) \
                                 on conflict (article, person, day) do nothing";
        let day = ms(now).div_euclid(DAY_MS);
        let args = vec![article.0.into(), person.into(), day.into(), ms(now).into()];
        self.write_in_turn(DEFLECTED, args).await.map(drop)
    }

    /// How useful an article has been.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn usefulness(&self, article: ArticleNumber) -> Result<Usefulness, Error> {
        let sql = "select (select count(*) from article_votes where article = $1 and helpful = 1), \
                   (select count(*) from article_votes where article = $1 and helpful = 0), \
                   (select count(*) from deflections where article = $1)";
        let Some(row) = self.db.optional(sql, vec![article.0.into()]).await? else { return Ok(Usefulness::default()) };
        Ok(Usefulness { helpful: row.int(0)?, unhelpful: row.int(1)?, deflections: row.int(2)? })
    }
}
