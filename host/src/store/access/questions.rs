//! Who has access to what, and why: now, and at any instant that the ledger reaches back to.

use jiff::Timestamp;

use super::lists::cases;
use super::{GRANT_COLUMNS, ListedGrant, listed};
use crate::desk::access::{AccessCase, Grant};
use crate::desk::id::{AppId, GrantId, PersonId, TicketId, TicketNumber};
use crate::store::db::Arg;
use crate::store::sql::columns::ms;
use crate::store::sql::page::Page;
use crate::store::sql::places;
use crate::store::{Error, Store};

/// The access that a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    App(AppId),
    Person(PersonId),
    All,
}

/// A grant with the request that it came of.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    pub grant: Grant,
    /// The columns of the grant that cannot be read.
    pub damaged: Vec<&'static str>,
    pub ticket: TicketNumber,
    /// `None` where the request is gone, which the check of the ledger finds.
    pub case: Option<AccessCase>,
}

/// Tickets that one statement asks about.
const TICKETS_ASKED: usize = 500;

impl Store {
    /// The grants that requests of these tickets gave and that are held at an instant, with their tickets.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn held_of_tickets(
        &self,
        numbers: &[TicketNumber],
        at: Timestamp,
    ) -> Result<Vec<(Grant, TicketNumber)>, Error> {
        let mut found = Vec::new();
        for numbers in numbers.chunks(TICKETS_ASKED) {
            let places = places(1, numbers.len());
            let sql = format!(
                "select {GRANT_COLUMNS}, (select number from tickets t where t.id = grants.ticket) from grants \
                 where ticket in (select id from tickets where number in ({places})) and granted_at <= $1 and expires_at > $1 \
                 and revoked_at is null and state in ('provisioning', 'active') order by id"
            );
            let args = std::iter::once(ms(at).into()).chain(numbers.iter().map(|number| number.0.into()));
            for row in self.db.all_of_history(&sql, args.collect()).await? {
                found.push((listed(&row)?.grant, TicketNumber(row.opt_int(12)?.unwrap_or_default())));
            }
        }
        Ok(found)
    }

    /// How many unfinished tickets a person has.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn load_of(&self, person: &PersonId) -> Result<i64, Error> {
        let row =
            self.db.optional("select unfinished from agents where person = $1", vec![person.as_str().into()]).await?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    /// The grants that were held at an instant, in the order in which they were given, after one of them. Those that the app
    /// refused were never held.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn held_at(
        &self,
        about: &About,
        at: Timestamp,
        after: Option<GrantId>,
        limit: usize,
    ) -> Result<Page<Evidence, GrantId>, Error> {
        let mut args: Vec<Arg> = vec![ms(at).into(), Arg::from(after.map_or_else(uuid::Uuid::nil, |id| id.0))];
        let which = match about {
            About::App(app) => {
                args.push(app.as_str().into());
                "and app = $3"
            }
            About::Person(person) => {
                args.push(person.as_str().into());
                "and subject = $3"
            }
            About::All => "",
        };
        // The page is found first, by ids that an index has alone; then only its grants are read.
        let sql = format!(
            "select {GRANT_COLUMNS}, (select number from tickets t where t.id = grants.ticket) from grants \
             where id in (select id from grants where granted_at <= $1 and expires_at > $1 \
             and (revoked_at is null or revoked_at > $1) and state not in ('failed', 'compensating') and id > $2 {which} \
             order by id limit {}) order by id",
            limit + 1
        );
        let mut tx = self.db.begin_reading().await?;
        let rows = tx.all(&sql, args).await?;
        let found = rows
            .iter()
            .map(|row| Ok((listed(row)?, TicketNumber(row.opt_int(12)?.unwrap_or_default()))))
            .collect::<Result<Vec<_>, Error>>()?;
        let page = Page::cut(found, limit, |(listed, _)| listed.grant.id);
        let tickets: Vec<TicketId> = page.items.iter().map(|(listed, _)| listed.grant.ticket).collect();
        let mut cases = cases(&mut tx, &tickets).await?;
        tx.end().await?;
        Ok(page.map(|(ListedGrant { grant, damaged }, ticket)| Evidence {
            case: cases.remove(&grant.ticket),
            grant,
            damaged,
            ticket,
        }))
    }
}
