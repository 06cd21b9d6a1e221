//! Open requests and grants that are held now: what a request is looked at against before access is given, and what follows the
//! organisation.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::desk::access::{Grant, Review};
use crate::desk::change::AccessSeen;
use crate::desk::id::{AppId, GrantId, PersonId, TicketId, TicketNumber, TierId};
use crate::desk::ticket::Ticket;
use crate::store::access::ops::OPEN;
use crate::store::access::{APPS, GRANT_COLUMNS, OF_ONE, SUPPORTS, UNDER_WAY, grant};
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{ms, parsed};
use crate::store::sql::dialect::Clause;
use crate::store::sql::places;
use crate::store::tickets::rows;
use crate::store::{Error, Store};

/// In a statement: the texts of the JSON list that is its third argument. However many they are, the statement stays the same.
const LISTED: Clause =
    Clause::of("select value from json_each($3)", "select jsonb_array_elements_text(cast($3 as jsonb))");

/// Open requests of one person that are read at a time.
const OWN_OPEN_PAGE: usize = 200;

/// A request that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRequest {
    pub number: TicketNumber,
    pub app: AppId,
    pub tier: TierId,
    pub role: Option<String>,
}

/// A grant with all that a change of it is made from, each part read in the order in which a conflict is noticed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changing {
    pub ticket: Ticket,
    pub grant: Grant,
    /// How far the person's access had come before the rest was read.
    pub seen: AccessSeen,
    /// One for all grants of a person: who leaves may hold hundreds.
    pub review: Arc<Review>,
}

/// The apps of grants that are damaged, by the person; `None` where that is not known either.
type Unknown = BTreeMap<String, Vec<Option<AppId>>>;

/// The app of a row of [`GRANT_COLUMNS`], as far as it can be read.
fn app_of(row: &Row) -> Option<AppId> {
    parsed("grants", "app", &row.text(3).ok()?).ok()
}

fn may_be(known: Option<&AppId>, app: &AppId) -> bool {
    known.is_none_or(|known| known == app)
}

impl Store {
    /// The grants that these tickets gave, each with all that a change of it is made from: in seven statements, however many they
    /// are. Tickets that gave none are left out; the first of several grants of a ticket stands for it. A grant that is damaged is
    /// left out as well, with those that its person has in the same app: how much of that it gives is not known.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read, or a row is damaged that is no grant.
    pub async fn changing(&self, tickets: &[TicketId], now: Timestamp) -> Result<Vec<Changing>, Error> {
        let ids = || tickets.iter().map(|ticket| Arg::from(ticket.0)).collect::<Vec<_>>();
        let of_tickets = format!("({})", places(0, tickets.len()));
        if tickets.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("select distinct subject from grants where ticket in {of_tickets} order by subject");
        let subjects = self.db.all(&sql, ids()).await?;
        let subjects: Vec<String> = subjects.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
        let people = || subjects.iter().map(|subject| Arg::from(subject.as_str())).collect::<Vec<_>>();
        let of_people = format!("({})", places(0, subjects.len()));
        if subjects.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("select name, revision from access_revisions where name in {of_people}");
        let mut revisions: BTreeMap<String, i64> = BTreeMap::new();
        for row in self.db.all(&sql, people()).await? {
            revisions.insert(row.text(0)?, row.int(1)?);
        }
        let of_number = self.rows_of_tickets(tickets).await?;
        let sql = format!("select {GRANT_COLUMNS} from grants where ticket in {of_tickets} order by id");
        let grants = self.db.all(&sql, ids()).await?;
        let grants = self.readable("grants", &grants, grant);
        let (reviews, unknown) = self.known_of(&of_people, people(), now).await?;
        let reviews = reviews.into_iter();
        let reviews: BTreeMap<PersonId, Arc<Review>> = reviews.map(|(person, of)| (person, Arc::new(of))).collect();
        let mut found = Vec::new();
        for rows in of_number.values() {
            let Some(ticket) = rows::ticket(rows)? else { continue };
            let Some(grant) = grants.iter().find(|grant| grant.ticket == ticket.id).cloned() else { continue };
            let name = grant.subject.to_string();
            if unknown.get(&name).is_some_and(|apps| apps.iter().any(|app| may_be(app.as_ref(), &grant.app))) {
                continue;
            }
            let revision = revisions.get(&name).copied().unwrap_or_default();
            let review = reviews.get(&grant.subject).cloned().unwrap_or_default();
            found.push(Changing { ticket, grant, seen: AccessSeen { name, revision }, review });
        }
        Ok(found)
    }

    /// All that is known of some people's access, and the apps of their grants that are damaged.
    async fn known_of(
        &self,
        of_people: &str,
        people: Vec<Arg>,
        now: Timestamp,
    ) -> Result<(BTreeMap<PersonId, Review>, Unknown), Error> {
        let (mut reviews, mut unknown) = (BTreeMap::<PersonId, Review>::new(), Unknown::new());
        let after = people.len() + 1;
        let sql = format!(
            "select {GRANT_COLUMNS} from grants where subject in {of_people} \
             and ((expires_at > ${after} and {SUPPORTS}) or {UNDER_WAY}) order by id"
        );
        let args = people.iter().cloned().chain([ms(now).into()]).collect();
        for row in self.db.all(&sql, args).await? {
            match grant(&row) {
                Ok(grant) => reviews.entry(grant.subject.clone()).or_default().held.push(grant),
                // It is found by its person, who stands in it then.
                Err(error) => {
                    self.leave_out("grants", &row.uuid(0)?, &error);
                    unknown.entry(row.text(2)?).or_default().push(app_of(&row));
                }
            }
        }
        for holding in self.holdings_of(of_people, people.clone()).await? {
            reviews.entry(holding.subject.clone()).or_default().holdings.push(holding);
        }
        for op in self.open_ops_of(of_people, people).await? {
            reviews.entry(op.subject.clone()).or_default().ops.push(op);
        }
        Ok((reviews, unknown))
    }

    /// How far the access under each of these names has come, in their order. Read before all that is decided by it.
    pub async fn all_access_seen(&self, names: &[String]) -> Result<Vec<AccessSeen>, Error> {
        let sql = format!("select name, revision from access_revisions where name in ({})", places(0, names.len()));
        let rows = self.db.quick(&sql, names.iter().map(|name| name.as_str().into()).collect()).await?;
        let revisions =
            rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect::<Result<BTreeMap<_, _>, Error>>()?;
        let seen = |name: &String| {
            let revision = revisions.get(name).copied().unwrap_or_default();
            AccessSeen { name: name.clone(), revision }
        };
        Ok(names.iter().map(seen).collect())
    }

    /// How many of these people hold an app, by the highest tier that each of them holds: a count for each of its tiers, in
    /// their order. A tier that is none of them counts as the first.
    pub async fn holders_among(
        &self,
        app: &AppId,
        (tiers, people): (&[&TierId], &[&PersonId]),
        now: Timestamp,
    ) -> Result<Vec<u32>, Error> {
        let mut counts = vec![0; tiers.len().max(1)];
        if people.is_empty() {
            return Ok(counts);
        }
        let higher = tiers.get(1..).unwrap_or_default();
        let whens: Vec<String> = (1..=higher.len()).map(|order| format!("when ${} then {order}", order + 3)).collect();
        let order = if whens.is_empty() { "0".to_owned() } else { format!("case tier {} else 0 end", whens.join(" ")) };
        let sql = format!(
            "select highest, count(*) from (select subject, cast(max({order}) as bigint) as highest from grants \
             where app = $1 and subject in ({}) and ((expires_at > $2 and {SUPPORTS}) or {UNDER_WAY}) \
             group by subject) h group by highest",
            LISTED.text(&self.db)
        );
        let listed = serde_json::json!(people.iter().map(|person| person.as_str()).collect::<Vec<_>>()).to_string();
        let args = [app.as_str().into(), ms(now).into(), Arg::from(listed)].into_iter();
        let args = args.chain(higher.iter().map(|tier| tier.as_str().into())).collect();
        for row in self.db.all(&sql, args).await? {
            let highest = usize::try_from(row.int(0)?).unwrap_or_default();
            if let Some(count) = counts.get_mut(highest) {
                *count = u32::try_from(row.int(1)?).unwrap_or(u32::MAX);
            }
        }
        Ok(counts)
    }

    /// The tickets that gave what a person holds that is not over.
    pub async fn tickets_of_held(&self, subject: &PersonId, now: Timestamp) -> Result<Vec<TicketId>, Error> {
        let sql = format!(
            "select distinct ticket from grants where subject = $1 and expires_at > $2 and {SUPPORTS} order by ticket"
        );
        let rows = self.db.all(&sql, vec![subject.as_str().into(), ms(now).into()]).await?;
        rows.iter().map(|row| Ok(TicketId(row.uuid(0)?))).collect()
    }

    /// How far a person's access has come. Read before all that is decided by it.
    pub async fn access_seen(&self, name: &str) -> Result<AccessSeen, Error> {
        let sql = "select revision from access_revisions where name = $1";
        let revision = self.number(sql, vec![name.into()]).await?;
        Ok(AccessSeen { name: name.to_owned(), revision })
    }

    /// The requests for a person that wait for approval.
    pub async fn open_requests(&self, subject: &PersonId) -> Result<Vec<OpenRequest>, Error> {
        let sql = "select t.number, c.app, c.tier, c.role from access_cases c join tickets t on t.id = c.ticket \
                   where c.subject = $1 and c.state = 'awaiting' and t.state = 'waiting_approval' order by t.number";
        let rows = self.db.all(sql, vec![subject.as_str().into()]).await?;
        let open = |row: &Row| {
            let (app, tier) =
                (parsed("access_cases", "app", &row.text(1)?)?, parsed("access_cases", "tier", &row.text(2)?)?);
            Ok(OpenRequest { number: TicketNumber(row.int(0)?), app, tier, role: row.opt_text(3)? })
        };
        rows.iter().map(open).collect()
    }

    /// The tickets of the requests that wait for approval and that one of these accounts has made, or is to have the access of, after
    /// one of them, some at a time; none where there are no more.
    pub async fn own_open_requests(
        &self,
        accounts: &[PersonId],
        after: Option<TicketId>,
    ) -> Result<Vec<TicketId>, Error> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let of = places(1, accounts.len());
        let sql = format!(
            "select ticket from access_cases where state = 'awaiting' and ticket > $1 and (requester in ({of}) \
             or submitted_by in ({of}) or subject in ({of})) order by ticket limit {OWN_OPEN_PAGE}"
        );
        let after = Arg::from(after.map_or_else(uuid::Uuid::nil, |ticket| ticket.0));
        let accounts = accounts.iter().map(|account| Arg::from(account.as_str()));
        let rows = self.db.all(&sql, std::iter::once(after).chain(accounts).collect()).await?;
        rows.iter().map(|row| Ok(TicketId(row.uuid(0)?))).collect()
    }

    /// The tickets whose requests wait for approval, after one of them, at most `limit`.
    pub async fn open_cases(&self, after: Option<TicketId>, limit: usize) -> Result<Vec<TicketId>, Error> {
        let sql = format!(
            "select ticket from access_cases where state = 'awaiting' and ticket > $1 order by ticket limit {limit}"
        );
        let after = after.map_or_else(uuid::Uuid::nil, |id| id.0);
        let rows = self.db.all(&sql, vec![after.into()]).await?;
        rows.iter().map(|row| Ok(TicketId(row.uuid(0)?))).collect()
    }

    /// A person's grants that are not over.
    pub async fn held(&self, subject: &PersonId, now: Timestamp) -> Result<Vec<Grant>, Error> {
        let sql = format!(
            "select {GRANT_COLUMNS} from grants where subject = $1 and expires_at > $2 and {SUPPORTS} order by id"
        );
        let rows = self.db.all(&sql, vec![subject.as_str().into(), ms(now).into()]).await?;
        rows.iter().map(grant).collect()
    }

    /// A person's grants that are not over, or that the desk is not done with in the app.
    pub async fn grants_in_force(&self, subject: &PersonId, now: Timestamp) -> Result<Vec<Grant>, Error> {
        self.rows_in_force(subject, now).await?.iter().map(grant).collect()
    }

    /// The same, without those that are damaged: each is logged and counted. Where an app is named and one of them may be of it, the
    /// whole is refused, since it could be a reason for access there.
    pub async fn grants_as_far_as_known(
        &self,
        subject: &PersonId,
        now: Timestamp,
        app: Option<&AppId>,
    ) -> Result<Vec<Grant>, Error> {
        let mut grants = Vec::new();
        for row in &self.rows_in_force(subject, now).await? {
            match grant(row) {
                Ok(grant) => grants.push(grant),
                Err(error) if app.is_some_and(|app| may_be(app_of(row).as_ref(), app)) => return Err(error),
                Err(error) => self.leave_out("grants", &row.uuid(0)?, &error),
            }
        }
        Ok(grants)
    }

    /// Those of a person's grants that are damaged, of which it is not known that they are over.
    pub async fn damaged_grants(&self, subject: &PersonId, now: Timestamp) -> Result<Vec<GrantId>, Error> {
        let rows = self.rows_in_force(subject, now).await?;
        rows.iter().filter(|row| grant(row).is_err()).map(|row| Ok(GrantId(row.uuid(0)?))).collect()
    }

    async fn rows_in_force(&self, subject: &PersonId, now: Timestamp) -> Result<Vec<Row>, Error> {
        let sql = format!(
            "select {GRANT_COLUMNS} from grants where subject = $1 and ((expires_at > $2 and {SUPPORTS}) or {UNDER_WAY}) \
             order by id"
        );
        self.db.all(&sql, vec![subject.as_str().into(), ms(now).into()]).await
    }

    /// The grants to an app that are held, and of which nothing is there or on its way, after one of them, at most `limit`.
    pub async fn not_in_app(
        &self,
        app: &AppId,
        now: Timestamp,
        after: Option<GrantId>,
        limit: usize,
    ) -> Result<Vec<GrantId>, Error> {
        let sql = format!(
            "select id from grants where app = $1 and expires_at > $2 and {SUPPORTS} and id > $3 \
             and not exists (select 1 from holdings h where h.subject = grants.subject and h.app = grants.app \
             and h.entitlement = 'account') and not exists (select 1 from access_ops o where o.subject = grants.subject \
             and o.app = grants.app and o.entitlement = 'account' and o.{OPEN}) order by id limit {limit}"
        );
        let after = after.map_or_else(uuid::Uuid::nil, |id| id.0);
        let rows = self.db.all(&sql, vec![app.as_str().into(), ms(now).into(), after.into()]).await?;
        rows.iter().map(|row| Ok(GrantId(row.uuid(0)?))).collect()
    }

    /// The grants that a ticket gave.
    pub async fn grants_of_ticket(&self, ticket: TicketId) -> Result<Vec<Grant>, Error> {
        let sql = format!("select {GRANT_COLUMNS} from grants where ticket = $1 order by id");
        let rows = self.db.all(&sql, vec![ticket.0.into()]).await?;
        rows.iter().map(grant).collect()
    }

    /// Those who hold anything that is not over.
    pub async fn all_holders(&self, now: Timestamp) -> Result<Vec<PersonId>, Error> {
        let sql = format!(
            "{APPS} select distinct g.subject from apps cross join grants g \
             where g.app = apps.app and g.expires_at > $1 and {SUPPORTS} order by g.subject"
        );
        let rows = self.db.all(&sql, vec![ms(now).into()]).await?;
        // A name that is none belongs to no person who could have left.
        Ok(rows.iter().filter_map(|row| parsed("grants", "subject", &row.text(0).ok()?).ok()).collect())
    }

    /// Who holds something in an app with no grant for it any more, each with the grant by which it came there.
    pub async fn held_without_grant(&self, now: Timestamp) -> Result<Vec<(PersonId, GrantId)>, Error> {
        let sql = format!(
            "select distinct h.subject, h.grant_id from holdings h where not exists (select 1 from {} \
             where g.subject = h.subject and g.app = h.app and ((g.expires_at > $1 and {SUPPORTS}) or {UNDER_WAY})) \
             order by h.subject, h.grant_id",
            OF_ONE.text(&self.db)
        );
        let rows = self.db.all(&sql, vec![ms(now).into()]).await?;
        // A name that is none belongs to no person who could have left.
        let holder =
            |row: &Row| Some((parsed("holdings", "subject", &row.text(0).ok()?).ok()?, GrantId(row.uuid(1).ok()?)));
        Ok(rows.iter().filter_map(holder).collect())
    }

    /// Those who had grants for an app, of which none is left, and who hold nothing there.
    pub async fn were_in(&self, app: &AppId, now: Timestamp) -> Result<Vec<PersonId>, Error> {
        // Each part is read once, however many people it has.
        let of = "select subject from grants where app = $1";
        let sql = format!(
            "{of} except {of} and expires_at > $2 and {SUPPORTS} except {of} and {UNDER_WAY} \
             except select subject from holdings where app = $1 order by subject"
        );
        let rows = self.db.all(&sql, vec![app.as_str().into(), ms(now).into()]).await?;
        // A name that is none belongs to no person who is here.
        Ok(rows.iter().filter_map(|row| parsed("grants", "subject", &row.text(0).ok()?).ok()).collect())
    }

    /// The tickets whose grants are held and were approved by one of these accounts, and all that were approved in the place of others.
    pub async fn approved_by(&self, accounts: &[&PersonId], now: Timestamp) -> Result<Vec<TicketId>, Error> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "{APPS} select distinct g.ticket from apps cross join grants g cross join access_decisions d \
             where g.app = apps.app and g.expires_at > $1 and {SUPPORTS} and d.ticket = g.ticket and d.approve = 1 \
             and (d.approver in ({}) or d.in_place_of <> '[]') order by g.ticket",
            places(1, accounts.len())
        );
        let accounts = accounts.iter().map(|account| Arg::from(account.as_str()));
        let rows = self.db.all(&sql, [Arg::from(ms(now))].into_iter().chain(accounts).collect()).await?;
        rows.iter().map(|row| Ok(TicketId(row.uuid(0)?))).collect()
    }

    /// The ids of what a person holds that is not over.
    pub async fn held_ids(&self, subject: &PersonId, now: Timestamp) -> Result<Vec<GrantId>, Error> {
        let sql = format!("select id from grants where subject = $1 and expires_at > $2 and {SUPPORTS} order by id");
        let rows = self.db.all(&sql, vec![subject.as_str().into(), ms(now).into()]).await?;
        rows.iter().map(|row| Ok(GrantId(row.uuid(0)?))).collect()
    }
}

/// Locks how far these persons' access has come, in the order of their names, and gives it.
pub async fn lock(tx: &mut Tx, names: &[&str]) -> Result<Vec<(String, i64)>, Error> {
    let rows = names.iter().map(|name| vec![(*name).into(), 0_i64.into()]).collect();
    // A row that is there is written as it is, which locks it and gives it in the same statement.
    let tail = "on conflict (name) do update set revision = access_revisions.revision returning name, revision";
    let rows = tx.insert("insert into access_revisions (name, revision)", 2, tail, rows).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// Writes that these persons' access, which is locked, has gone on by so many changes each.
pub async fn advance(tx: &mut Tx, by: i64, names: &[&str]) -> Result<(), Error> {
    let place = names.len() + 1;
    let sql = format!(
        "update access_revisions set revision = revision + ${place} where name in ({})",
        places(0, names.len())
    );
    let args = names.iter().map(|name| (*name).into()).chain([by.into()]).collect();
    tx.later(&sql, args).await
}
