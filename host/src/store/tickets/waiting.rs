//! Tickets that wait for a person: those for which none was found, and those of people.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::desk::id::{PersonId, Skill, TeamId, TicketNumber};
use crate::desk::ticket::assignment::{LEFT_IN_QUEUE, NOT_TAKEN_UP};
use crate::store::db::Row;
use crate::store::sql::columns::{at, from_json, ms, parsed};
use crate::store::{Error, Store};

/// The most tickets of one look.
const LOOK_MAX: usize = 100;
/// The most teams of tickets that are looked at.
const TEAMS_MAX: usize = 10_000;
/// The most assignments of a ticket that are looked through for those that were not taken up.
const ASSIGNMENTS_MAX: i64 = 1_000;
/// Numbers of tickets that one statement looks through.
const NUMBERS_AT_ONCE: i64 = 1_000;

/// Tickets that wait for a person, in the order in which they are given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub tickets: Vec<Waits>,
    /// Where the next look goes on, if there may be more.
    pub next: Option<Place>,
}

/// A ticket that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    pub number: TicketNumber,
    pub team: TeamId,
    /// The skills that it needs.
    pub skills: Vec<Skill>,
    /// Who had it last and did not take it up.
    pub let_lie: Option<PersonId>,
}

/// Tickets that people got, and on which they have done nothing since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untouched {
    pub tickets: Vec<Given>,
    /// The number after which the next look goes on, if there may be more.
    pub next: Option<TicketNumber>,
}

/// A ticket that a person got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub ticket: TicketNumber,
    pub version: i64,
    pub to: PersonId,
    pub at: Timestamp,
}

/// The time from which on a team's assignments have to be taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakeUp {
    /// Assignments from before may be left as long as people like.
    pub since: Timestamp,
    /// When the time that it has now was set: what was assigned before has all of it from then on.
    pub set_at: Timestamp,
}

/// A ticket's place among those that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    rank: i64,
    due: i64,
    number: i64,
}

impl Place {
    /// Before all of them.
    pub const FIRST: Place = Place { rank: i64::MIN, due: i64::MIN, number: i64::MIN };
}

impl Store {
    /// The unfinished tickets for which the desk found no person, the most urgent first, after a place. Tickets that an agent put back
    /// into the queue, or that went back too often, are left out: an agent has to take them.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn waiting(&self, after: Place) -> Result<Waiting, Error> {
        let sql = format!(
            "select t.number, t.team, t.skills, t.rank, t.queue_due, {}, {} from tickets t \
             where t.unfinished = 1 and t.assignee is null and t.state <> 'waiting_approval' \
             and (select case when l.details like '%\"{LEFT_IN_QUEUE}\"]' then 1 else l.author_kind end from timeline l \
             where l.ticket = t.number and l.kind = 'assigned' order by l.seq desc limit 1) = 0 \
             and (t.rank, t.queue_due, t.number) > ($1, $2, $3) \
             order by t.rank, t.queue_due, t.number limit {LOOK_MAX}",
            assigned(0),
            assigned(1)
        );
        let rows = self.db.all(&sql, vec![after.rank.into(), after.due.into(), after.number.into()]).await?;
        let last = rows.last().filter(|_| rows.len() >= LOOK_MAX);
        // Where the last one is damaged, the round ends with these.
        let place = |row: &Row| Ok::<_, Error>(Place { rank: row.int(3)?, due: row.int(4)?, number: row.int(0)? });
        let next = last.and_then(|row| place(row).ok());
        let waits = |row: &Row| {
            let (number, team) = in_team(row)?;
            let skills: Vec<String> = from_json("tickets", "skills", &row.text(2)?)?;
            let skills =
                skills.iter().map(|skill| parsed("tickets", "skills", skill)).collect::<Result<Vec<Skill>, _>>()?;
            Ok(Waits { number, team, skills, let_lie: let_lie(row.opt_text(5)?, row.opt_text(6)?) })
        };
        Ok(Waiting { tickets: self.readable("tickets", &rows, waits), next })
    }

    /// For each team with `take-up-within`: the time from which on its assignments have to be taken up, which is when a host first saw
    /// the key. It begins again when a host does not know the key yet. A time in the future comes from a wrong clock, and becomes `now`.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read or written.
    pub async fn take_up(
        &self,
        set: &BTreeMap<TeamId, i64>,
        now: Timestamp,
    ) -> Result<BTreeMap<TeamId, TakeUp>, Error> {
        let rows = self.db.all("select team, minutes, since, set_at from take_up order by team", Vec::new()).await?;
        let (mut known, mut gone) = (BTreeMap::new(), BTreeSet::new());
        for row in &rows {
            let team = row.text(0)?;
            let read = (row.int(1)?, at("take_up", "since", row.int(2)?)?, at("take_up", "set_at", row.int(3)?)?);
            match set.keys().find(|id| id.as_str() == team) {
                Some(id) => _ = known.insert(id.clone(), read),
                None => _ = gone.insert(team),
            }
        }
        let (mut found, mut new) = (BTreeMap::new(), Vec::new());
        for (team, minutes) in set {
            let before = known.get(team).copied();
            let (since, set_at) = match before {
                Some((kept, since, set_at)) if kept == *minutes => (since.min(now), set_at.min(now)),
                Some((_, since, _)) => (since.min(now), now),
                None => (now, now),
            };
            if before != Some((*minutes, since, set_at)) {
                new.push((team.as_str(), *minutes, ms(since), ms(set_at)));
            }
            found.insert(team.clone(), TakeUp { since, set_at });
        }
        if !gone.is_empty() || !new.is_empty() {
            self.keep_take_up(&gone, &new).await?;
        }
        Ok(found)
    }

    async fn keep_take_up(&self, gone: &BTreeSet<String>, new: &[(&str, i64, i64, i64)]) -> Result<(), Error> {
        let written = self.db.durably(async |mut tx| {
            for team in gone {
                tx.execute("delete from take_up where team = $1", vec![team.as_str().into()]).await?;
            }
            for (team, minutes, since, set_at) in new {
                let sql = "insert into take_up (team, minutes, since, set_at) values ($1, $2, $3, $4) \
                           on conflict (team) do update set minutes = excluded.minutes, since = excluded.since, \
                           set_at = excluded.set_at";
                tx.execute(sql, vec![(*team).into(), (*minutes).into(), (*since).into(), (*set_at).into()]).await?;
            }
            Ok(((), tx))
        });
        written.await
    }

    /// How often a ticket went back to this team because it was not taken up, counted from when it came to the team, or a person
    /// assigned or took it.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn times_not_taken_up(&self, ticket: TicketNumber, team: &TeamId) -> Result<u32, Error> {
        let sql = format!(
            "select author_kind, details from timeline where ticket = $1 and kind = 'assigned' \
             order by seq desc limit {ASSIGNMENTS_MAX}"
        );
        let mut times = 0;
        for row in self.db.all(&sql, vec![ticket.0.into()]).await? {
            let facts = serde_json::from_str::<(String, Option<String>, String)>(&row.text(1)?);
            let Ok((of, _, why)) = facts else { break };
            if row.int(0)? != 0 || of != team.as_str() {
                break;
            }
            times += u32::from(why == NOT_TAKEN_UP || why == LEFT_IN_QUEUE);
        }
        Ok(times)
    }

    /// The tickets of a team that were assigned in this time, its ends included, and on which the assignee has done nothing since,
    /// among those whose numbers follow this one. To take a ticket oneself counts as doing something.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn untouched(
        &self,
        team: &TeamId,
        (from, upto): (Timestamp, Timestamp),
        after: TicketNumber,
    ) -> Result<Untouched, Error> {
        let sql = format!(
            "select t.number, t.version, t.assignee, l.at from tickets t join timeline l on l.ticket = t.number \
             where t.team = $1 and t.unfinished = 1 and t.assignee is not null and t.number > $2 \
             and t.state in ('new', 'open', 'in_progress', 'reopened') and l.kind = 'assigned' and l.at between $3 and $4 \
             and l.seq = (select max(m.seq) from timeline m where m.ticket = t.number and m.kind = 'assigned') \
             and not exists (select 1 from timeline w where w.ticket = t.number and w.seq >= l.seq \
             and w.author_kind = 1 and w.author = t.assignee) order by t.number limit {LOOK_MAX}"
        );
        let rows =
            self.db.all(&sql, vec![team.as_str().into(), after.0.into(), ms(from).into(), ms(upto).into()]).await?;
        let last = rows.last().filter(|_| rows.len() >= LOOK_MAX);
        let next = last.and_then(|row| row.int(0).ok()).map(TicketNumber);
        let given = |row: &Row| {
            Ok(Given {
                ticket: TicketNumber(row.int(0)?),
                version: row.int(1)?,
                to: parsed("tickets", "assignee", &row.text(2)?)?,
                at: at("timeline", "at", row.int(3)?)?,
            })
        };
        Ok(Untouched { tickets: self.readable("tickets", &rows, given), next })
    }

    /// The tickets that are not over, among those whose numbers follow this one; and from where the next look goes on, if there are
    /// more.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn not_over_after(
        &self,
        number: TicketNumber,
    ) -> Result<(Vec<TicketNumber>, Option<TicketNumber>), Error> {
        let upto = number.0.saturating_add(NUMBERS_AT_ONCE);
        let last = self.number("select coalesce(max(number), 0) from tickets", Vec::new()).await?;
        let sql = "select number from tickets where number > $1 and number <= $2 \
                   and (unfinished = 1 or state = 'resolved') order by number";
        let rows = self.db.all(sql, vec![number.0.into(), upto.into()]).await?;
        let found = rows.iter().map(|row| row.int(0).map(TicketNumber)).collect::<Result<_, _>>()?;
        Ok((found, (upto < last).then_some(TicketNumber(upto))))
    }

    /// How many unfinished tickets are in each team that is not known.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn unfinished_outside(&self, is_known: impl Fn(&str) -> bool) -> Result<BTreeMap<String, i64>, Error> {
        // From one team to the next along the index: however many tickets there are, the teams are few.
        let teams = format!(
            "with recursive teams (value) as (\
             select value from (select team as value from tickets where team >= $1 order by team limit 1) as lowest \
             union all \
             select (select team from tickets where team > teams.value order by team limit 1) \
                 from teams where teams.value is not null) \
             select value from teams where value is not null limit {TEAMS_MAX}"
        );
        let mut found = BTreeMap::new();
        for row in self.db.all(&teams, vec!["".into()]).await? {
            let team = row.text(0)?;
            if is_known(&team) {
                continue;
            }
            let count = "select count(*) from tickets where team = $1 and unfinished = 1";
            let count = self.number(count, vec![team.as_str().into()]).await?;
            if count > 0 {
                found.insert(team, count);
            }
        }
        Ok(found)
    }

    /// The digest of the configuration that tickets have followed last; empty before the first.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn promises_followed(&self) -> Result<String, Error> {
        let row = self.db.optional("select digest from promises_followed where id = 1", Vec::new()).await?;
        row.map_or(Ok(String::new()), |row| row.text(0))
    }

    /// Keeps that they have followed this one.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn keep_promises_followed(&self, digest: &str) -> Result<(), Error> {
        const KEEP: &str = "update promises_followed set digest = $1 where id = 1";
        self.write_in_turn(KEEP, vec![digest.into()]).await.map(drop)
    }

    /// The people who have unfinished tickets.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn busy_people(&self) -> Result<Vec<PersonId>, Error> {
        let rows = self.db.all("select person from agents where unfinished > 0", Vec::new()).await?;
        Ok(self.readable("agents", &rows, |row| parsed("agents", "person", &row.text(0)?)))
    }

    /// The unfinished tickets of a person, with the teams that they are in.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn unfinished_with(&self, person: &PersonId) -> Result<Vec<(TicketNumber, TeamId)>, Error> {
        let sql = format!(
            "select number, team from tickets where assignee = $1 and unfinished = 1 \
             order by rank, queue_due, number limit {LOOK_MAX}"
        );
        let rows = self.db.all(&sql, vec![person.as_str().into()]).await?;
        Ok(self.readable("tickets", &rows, in_team))
    }
}

/// A subquery for the details of a ticket's last assignment (0), the one before it (1), and so on.
fn assigned(but: u8) -> String {
    format!(
        "(select l.details from timeline l where l.ticket = t.number and l.kind = 'assigned' order by l.seq desc \
         limit 1 offset {but})"
    )
}

/// The former assignee, where the last assignment took the ticket back because they did not take it up.
fn let_lie(last: Option<String>, before: Option<String>) -> Option<PersonId> {
    let facts = |text: Option<String>| serde_json::from_str::<(String, Option<String>, String)>(&text?).ok();
    let (_, _, why) = facts(last)?;
    let (_, had, _) = facts(before)?;
    had.filter(|_| why == NOT_TAKEN_UP)?.parse().ok()
}

/// A ticket's number and its team.
fn in_team(row: &Row) -> Result<(TicketNumber, TeamId), Error> {
    Ok((TicketNumber(row.int(0)?), parsed("tickets", "team", &row.text(1)?)?))
}
