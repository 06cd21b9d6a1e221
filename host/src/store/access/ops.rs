//! Entitlements that people hold in apps that the desk writes to, and the orders about it.

use jiff::Timestamp;

use crate::desk::access::provisioning::{Direction, Entitlement, Holding, Op, OpState};
use crate::desk::change::timer::TimerKind;
use crate::desk::id::{AppId, GrantId, OpId, PersonId, TicketId};
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{at, corrupt, ms, parsed};
use crate::store::sql::page::Page;
use crate::store::{Error, Store};

/// The columns of an order, as [`op`] reads them.
const OP_COLUMNS: &str = "id, ticket, grant_id, subject, app, entitlement, direction, replaces, generation, state, attempt, \
     not_before, said, planned_at, changed_at";
/// The condition for orders that are on their way; the index has the same words.
pub(super) const OPEN: &str = "state in ('planned', 'sent', 'unknown', 'applied', 'waiting')";
/// The columns of a holding, as [`holding`] reads them.
const HOLDING_COLUMNS: &str = "subject, app, entitlement, preexisting, grant_id, ticket, since";

/// The most people who hold one thing.
const HOLDERS_MAX: usize = 200_000;

impl Store {
    /// All that a person holds in apps that the desk writes to.
    pub async fn holdings(&self, subject: &PersonId) -> Result<Vec<Holding>, Error> {
        self.holdings_of("($1)", vec![subject.as_str().into()]).await
    }

    /// All that some people hold in apps that the desk writes to; `of` is the list of their places in a statement.
    pub(super) async fn holdings_of(&self, of: &str, people: Vec<Arg>) -> Result<Vec<Holding>, Error> {
        self.rows_of_holdings(of, people).await?.iter().map(holding).collect()
    }

    /// All that a person holds, for those who look at it only: as far as it can be read.
    pub async fn holdings_shown(&self, subject: &PersonId) -> Result<Vec<Holding>, Error> {
        let rows = self.rows_of_holdings("($1)", vec![subject.as_str().into()]).await?;
        Ok(self.readable("holdings", &rows, holding))
    }

    async fn rows_of_holdings(&self, of: &str, people: Vec<Arg>) -> Result<Vec<Row>, Error> {
        let sql = format!("select {HOLDING_COLUMNS} from holdings where subject in {of} order by app, entitlement");
        self.db.all(&sql, people).await
    }

    /// The names by which an app was asked for a person when what they hold there was read back.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn known_as(&self, subject: &PersonId, app: &AppId) -> Result<Vec<String>, Error> {
        let sql = "select distinct known_as from holdings where subject = $1 and app = $2 and known_as <> '' order by known_as";
        let rows = self.db.all(sql, vec![subject.as_str().into(), app.as_str().into()]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// Keeps the name by which an app was asked for a person, with all that they hold there and of which none is kept.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn keep_known_as(&self, subject: &PersonId, app: &AppId, name: &str) -> Result<(), Error> {
        let sql = "update holdings set known_as = $3 where subject = $1 and app = $2 and known_as = ''";
        self.write_row(sql, vec![subject.as_str().into(), app.as_str().into(), name.into()]).await.map(drop)
    }

    /// Those who hold something in an app, as many as a directory has people.
    pub async fn holders_of(&self, app: &AppId, entitlement: &Entitlement) -> Result<Vec<PersonId>, Error> {
        let sql = format!(
            "select subject from holdings where app = $1 and entitlement = $2 order by subject limit {HOLDERS_MAX}"
        );
        let rows = self.db.all(&sql, vec![app.as_str().into(), entitlement.to_string().into()]).await?;
        rows.iter().map(|row| parsed("holdings", "subject", &row.text(0)?)).collect()
    }

    /// The orders about a person's access that are on their way, and the last of each that is not, oldest first.
    pub async fn open_ops(&self, subject: &PersonId) -> Result<Vec<Op>, Error> {
        self.open_ops_of("($1)", vec![subject.as_str().into()]).await
    }

    /// The same of some people; `of` is the list of their places in a statement.
    pub(super) async fn open_ops_of(&self, of: &str, people: Vec<Arg>) -> Result<Vec<Op>, Error> {
        let sql = format!(
            "select {OP_COLUMNS} from access_ops o where subject in {of} and ({OPEN} or generation = \
             (select max(generation) from access_ops l where l.subject = o.subject and l.app = o.app \
             and l.entitlement = o.entitlement)) order by id"
        );
        self.db.all(&sql, people).await?.iter().map(op).collect()
    }

    /// The orders of a ticket, oldest first.
    pub async fn ops_of(&self, ticket: TicketId) -> Result<Vec<Op>, Error> {
        self.rows_of_ops(ticket).await?.iter().map(op).collect()
    }

    /// The same for those who look at them only, as far as they can be read.
    pub async fn ops_shown(&self, ticket: TicketId) -> Result<Vec<Op>, Error> {
        Ok(self.readable("access_ops", &self.rows_of_ops(ticket).await?, op))
    }

    async fn rows_of_ops(&self, ticket: TicketId) -> Result<Vec<Row>, Error> {
        let sql = format!("select {OP_COLUMNS} from access_ops where ticket = $1 order by id");
        self.db.all(&sql, vec![ticket.0.into()]).await
    }

    /// One order.
    pub async fn op(&self, id: OpId) -> Result<Option<Op>, Error> {
        let sql = format!("select {OP_COLUMNS} from access_ops where id = $1");
        self.db.optional(&sql, vec![id.0.into()]).await?.as_ref().map(op).transpose()
    }

    /// How many orders to take something away have been on their way since before an instant, and ends that were due before it and have
    /// failed: of those there is no order yet.
    pub async fn revocations_since_before(&self, before: Timestamp) -> Result<i64, Error> {
        let sql = format!(
            "select (select count(*) from access_ops where {OPEN} and direction = 'revoke' and planned_at < $1) \
             + (select count(*) from timers where kind = '{}' and attempts > 1 and due_at < $1)",
            TimerKind::AccessExpiry.code()
        );
        self.number(&sql, vec![ms(before).into()]).await
    }

    /// The orders that are on their way, oldest first, after one of them.
    pub async fn all_open_ops(&self, after: Option<OpId>, limit: usize) -> Result<Page<Op, OpId>, Error> {
        let rows = limit + 1;
        let sql = format!("select {OP_COLUMNS} from access_ops where {OPEN} and id > $1 order by id limit {rows}");
        let after = after.map_or_else(uuid::Uuid::nil, |id| id.0);
        let rows = self.db.all(&sql, vec![after.into()]).await?;
        Ok(self.readable_page("access_ops", (&rows, limit), op, |row| row.uuid(0).map(OpId)))
    }
}

fn op(row: &Row) -> Result<Op, Error> {
    const T: &str = "access_ops";
    let count = |n: i64, column| u32::try_from(n).map_err(|_| corrupt(T, column, n.to_string()));
    let (direction, state) = (row.text(6)?, row.text(9)?);
    Ok(Op {
        id: OpId(row.uuid(0)?),
        ticket: TicketId(row.uuid(1)?),
        grant: GrantId(row.uuid(2)?),
        subject: parsed(T, "subject", &row.text(3)?)?,
        app: parsed(T, "app", &row.text(4)?)?,
        entitlement: entitlement(T, &row.text(5)?)?,
        direction: Direction::from_code(&direction).ok_or_else(|| corrupt(T, "direction", direction))?,
        replaces: row.opt_text(7)?.map(|tier| parsed(T, "replaces", &tier)).transpose()?,
        generation: count(row.int(8)?, "generation")?,
        state: OpState::from_code(&state).ok_or_else(|| corrupt(T, "state", state))?,
        attempt: count(row.int(10)?, "attempt")?,
        not_before: at(T, "not_before", row.int(11)?)?,
        said: row.text(12)?,
        planned_at: at(T, "planned_at", row.int(13)?)?,
        changed_at: at(T, "changed_at", row.int(14)?)?,
    })
}

fn entitlement(table: &'static str, text: &str) -> Result<Entitlement, Error> {
    text.parse().map_err(|_| corrupt(table, "entitlement", text))
}

fn holding(row: &Row) -> Result<Holding, Error> {
    const T: &str = "holdings";
    Ok(Holding {
        subject: parsed(T, "subject", &row.text(0)?)?,
        app: parsed(T, "app", &row.text(1)?)?,
        entitlement: entitlement(T, &row.text(2)?)?,
        preexisting: row.int(3)? == 1,
        grant: GrantId(row.uuid(4)?),
        ticket: TicketId(row.uuid(5)?),
        since: at(T, "since", row.int(6)?)?,
    })
}

/// Writes orders as they stand, each of another id.
pub(in crate::store) async fn write(tx: &mut Tx, ops: &[&Op]) -> Result<(), Error> {
    let tail = "on conflict (id) do update set state = excluded.state, attempt = excluded.attempt, \
                not_before = excluded.not_before, said = excluded.said, changed_at = excluded.changed_at";
    let rows = ops.iter().map(|op| {
        vec![
            op.id.0.into(),
            op.ticket.0.into(),
            op.grant.0.into(),
            op.subject.as_str().into(),
            op.app.as_str().into(),
            op.entitlement.to_string().into(),
            op.direction.code().into(),
            op.replaces.as_ref().map(ToString::to_string).into(),
            i64::from(op.generation).into(),
            op.state.code().into(),
            i64::from(op.attempt).into(),
            ms(op.not_before).into(),
            op.said.as_str().into(),
            ms(op.planned_at).into(),
            Arg::from(ms(op.changed_at)),
        ]
    });
    let head = format!("insert into access_ops ({OP_COLUMNS})");
    tx.insert_later(&head, 15, tail, rows.collect()).await
}

/// Notes that a person holds something.
pub(in crate::store) async fn hold(tx: &mut Tx, holding: &Holding) -> Result<(), Error> {
    let row = vec![
        holding.subject.as_str().into(),
        holding.app.as_str().into(),
        holding.entitlement.to_string().into(),
        i64::from(holding.preexisting).into(),
        holding.grant.0.into(),
        holding.ticket.0.into(),
        Arg::from(ms(holding.since)),
    ];
    let tail = "on conflict (subject, app, entitlement) do update set preexisting = excluded.preexisting, \
                grant_id = excluded.grant_id, ticket = excluded.ticket, since = excluded.since";
    tx.insert_later(&format!("insert into holdings ({HOLDING_COLUMNS})"), 7, tail, vec![row]).await
}

/// Notes that a person holds something no more.
pub(in crate::store) async fn drop_holding(tx: &mut Tx, holding: &Holding) -> Result<(), Error> {
    let sql = "delete from holdings where subject = $1 and app = $2 and entitlement = $3";
    let key =
        vec![holding.subject.as_str().into(), holding.app.as_str().into(), holding.entitlement.to_string().into()];
    tx.later(sql, key).await
}
