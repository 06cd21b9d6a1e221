//! Who has access to what, and why: now, and at any instant that the ledger reaches back to.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::lists::cases;
use super::{GRANT_COLUMNS, ListedGrant, OF_ONE, SUPPORTS, TIER, UNDER_WAY, listed};
use crate::desk::access::{AccessCase, EndReason, Grant, GrantState};
use crate::desk::id::{AppId, GrantId, PersonId, TicketId, TicketNumber, TierId};
use crate::store::db::Arg;
use crate::store::sql::columns::ms;
use crate::store::sql::dialect::Clause;
use crate::store::sql::page::Page;
use crate::store::sql::places;
use crate::store::{Error, Store};

/// The access that a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    App(AppId),
    Person(PersonId),
    /// The accounts of one human.
    Accounts(Vec<PersonId>),
    All,
}

/// The time that a question is about: an instant, or all from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct During {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl From<Timestamp> for During {
    fn from(at: Timestamp) -> During {
        During { from: at, until: at }
    }
}

impl During {
    /// Whether a grant was held at any instant of it.
    fn has(self, grant: &Grant) -> bool {
        let end = grant.access_end();
        grant.granted_at <= self.until && end > self.from && end > grant.granted_at
    }
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
    /// The tier that its holder keeps by default, where the grant is over.
    pub stays: Option<TierId>,
}

impl Evidence {
    /// The tier that is held.
    pub fn tier(&self) -> &TierId {
        self.stays.as_ref().unwrap_or(&self.grant.tier)
    }
}

/// The tier of each app that stays by default where the last grant has ended.
pub type Defaults = BTreeMap<AppId, TierId>;

/// The present, for a question about it.
#[derive(Debug, Clone, Copy)]
pub struct Present<'d> {
    pub now: Timestamp,
    /// Who keeps one of these is among those who hold something, each with the grant by which it came there.
    pub defaults: &'d Defaults,
}

impl Present<'_> {
    /// Whether a grant has ended at a time that is still to come: the clock was set back since, which brings nothing back.
    fn has_ended_later(self, grant: &Grant) -> bool {
        !grant.state.supports() && grant.access_end() > self.now
    }
}

/// The condition for grants that are held between the instants `$3` and `$1`, after the grant `$2`: of columns that an index has alone.
/// One that was taken back before it began was not held.
const HELD: &str = "granted_at <= $1 and expires_at > $3 and (revoked_at is null or (revoked_at > $3 and revoked_at > granted_at)) \
                    and state not in ('failed', 'compensating') and id > $2";

/// Grants for a condition about their ends. SQLite, which counts no rows, would rather read all of them by their ids.
const BY_END: Clause = Clause::of("grants indexed by grants_ends", "grants");

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
        self.number("select unfinished from agents where person = $1", vec![person.as_str().into()]).await
    }

    /// The grants that were held at an instant, or at any of some time, in the order in which they were given, after one of them. Those
    /// that the app refused, or that did not begin at their time, were never held. `present` is `None` where the time ends in the past:
    /// of that it is not known who kept what by default.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn held_at(
        &self,
        about: &About,
        during: impl Into<During>,
        (after, limit): (Option<GrantId>, usize),
        present: Option<Present<'_>>,
    ) -> Result<Page<Evidence, GrantId>, Error> {
        let during = during.into();
        let after_id = after.map_or_else(uuid::Uuid::nil, |id| id.0);
        let mut args: Vec<Arg> = vec![ms(during.until).into(), after_id.into(), ms(during.from).into()];
        let which = which(about, &mut args);
        let held = match present {
            None => HELD.to_owned(),
            Some(present) => {
                args.push(ms(present.now).into());
                // A damaged state is none of those in which it is over, and is shown as damaged.
                let over: Vec<String> = GrantState::ALL
                    .into_iter()
                    .filter(|state| !state.supports())
                    .map(|state| format!("'{}'", state.code()))
                    .collect();
                let stands = format!("state not in ({})", over.join(", "));
                format!("{HELD} and ({stands} or expires_at <= ${now} or revoked_at <= ${now})", now = args.len())
            }
        };
        let page = limit + 1;
        // By their ids most of what is over lies before the first that is held. What is held now is found by its end instead; the pages
        // after the first begin behind what is over.
        let (apart, mut ids) = if *about == About::All && present.is_some() && after.is_none() {
            let held = format!("select id from {} where {held}", BY_END.text(&self.db));
            (format!("with held_now as materialized ({held})"), "select id from held_now".to_owned())
        } else {
            (String::new(), format!("select id from grants where {held} {which}"))
        };
        if let Some(defaults) = present.map(|present| present.defaults).filter(|defaults| !defaults.is_empty()) {
            let stays = by_default(defaults, &which, (OF_ONE.text(&self.db), &mut args));
            ids = format!("select id from (select id from ({ids} order by id limit {page}) early union {stays}) held");
        }
        // The page is found first, by ids that an index has alone; then only its grants are read.
        let sql = format!(
            "{apart} select {GRANT_COLUMNS}, (select number from tickets t where t.id = grants.ticket) from grants \
             where id in ({ids} order by id limit {page}) order by id"
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
        let mut page = page.map(|(ListedGrant { grant, damaged }, ticket)| {
            let is_held = during.has(&grant)
                && !present.is_some_and(|present| damaged.is_empty() && present.has_ended_later(&grant));
            let stays = present.and_then(|present| present.defaults.get(&grant.app)).filter(|_| !is_held).cloned();
            Evidence { case: cases.remove(&grant.ticket), grant, damaged, ticket, stays }
        });
        // It was to begin before it was found that it may not, so that there is a time in which it seems to have been held.
        page.items.retain(|found| found.grant.end_reason != Some(EndReason::NotBegun));
        Ok(page)
    }
}

/// The condition for what a question is about.
fn which(about: &About, args: &mut Vec<Arg>) -> String {
    let column = match about {
        About::App(app) => {
            args.push(app.as_str().into());
            "app"
        }
        About::Person(person) => {
            args.push(person.as_str().into());
            "subject"
        }
        About::Accounts(people) => {
            let places = places(args.len(), people.len());
            args.extend(people.iter().map(|person| Arg::from(person.as_str())));
            return format!("and subject in ({places})");
        }
        About::All => return String::new(),
    };
    format!("and {column} = ${}", args.len())
}

/// The grants by which people came to a tier that they keep by default, with none in force for its app; `of_one` as [`OF_ONE`] has it.
fn by_default(defaults: &Defaults, which: &str, (of_one, args): (&str, &mut Vec<Arg>)) -> String {
    let apps = places(args.len(), defaults.len());
    args.extend(defaults.keys().map(|app| Arg::from(app.as_str())));
    let held = places(args.len(), defaults.len());
    args.extend(defaults.iter().map(|(app, tier)| Arg::from(format!("{app} {TIER}{tier}"))));
    format!(
        "select h.grant_id from holdings h where h.grant_id > $2 {which} and h.app in ({apps}) \
         and (h.app || ' ' || h.entitlement) in ({held}) and not exists (select 1 from {of_one} where g.subject = h.subject \
         and g.app = h.app and ((g.expires_at > $1 and {SUPPORTS}) or {UNDER_WAY}))"
    )
}
