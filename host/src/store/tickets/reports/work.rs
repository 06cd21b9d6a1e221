//! Numbers about the work on tickets: how satisfied requesters were, how long it took, what the first contact solved, how tickets
//! went from team to team, and which decisions of rules people corrected.

use std::collections::{BTreeMap, BTreeSet};

use super::{By, Counted, Period, counted};
use crate::desk::ticket::timeline::Field;
use crate::store::db::Row;
use crate::store::sql::columns::{corrupt, from_json, ms};
use crate::store::{Error, Store};

/// The fields that rules set, for each version of a rule and each group: to what, how often, and how often a person changed it
/// afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub group: String,
    pub rule: String,
    pub version: String,
    pub field: Field,
    pub to: String,
    pub count: i64,
    pub corrected: i64,
}

/// The moves of a group's tickets between teams.
#[derive(Default)]
struct Handovers {
    /// The teams that each ticket has left.
    left: BTreeMap<i64, Vec<String>>,
    moves: i64,
    /// The tickets that came back to a team that had had them.
    back: BTreeSet<i64>,
}

/// From what to what an entry sets its field.
fn set(details: &str) -> Result<(Option<String>, String), Error> {
    let (_, from, to, _): (String, Option<String>, String, String) = from_json("timeline", "details", details)?;
    Ok((from, to))
}

impl Store {
    /// The answers of requesters in a period by group and score: how many.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn scores(&self, period: Period, by: Option<By>) -> Result<Vec<Counted>, Error> {
        let sql = format!(
            "select {} as name, cast(s.score as text), count(*) from surveys s join {tickets} on t.number = s.ticket \
             where s.answered_at >= $1 and s.answered_at < $2 group by 1, 2 order by 1, 2",
            By::group(by),
            tickets = By::tickets(by)
        );
        let rows = self.db.all_of_history(&sql, period.args()).await?;
        rows.iter().map(|row| counted(row, 1)).collect()
    }

    /// The time that was written down in a period by group: on how many tickets, and how many minutes. By person it is
    /// that of those who worked, and not of those who have the tickets by now.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn time_by(&self, period: Period, by: Option<By>) -> Result<Vec<Counted>, Error> {
        let group = if by == Some(By::Assignee) { "s.person".to_owned() } else { By::group(by) };
        let tickets = By::tickets(by);
        let sql = format!(
            "select {group} as name, '', count(distinct s.ticket), cast(sum(s.minutes) as bigint) from time_spent s \
             join {tickets} on t.number = s.ticket where s.at >= $1 and s.at < $2 group by 1 order by 1"
        );
        let rows = self.db.all_of_history(&sql, period.args()).await?;
        rows.iter().map(|row| counted(row, 2)).collect()
    }

    /// The first resolutions of a period by group: how many, and how many of those the first contact brought. It did where the
    /// resolution holds, no other team had the ticket, no tier was climbed, and the desk had said at most one thing before. By person
    /// they are of those who resolved.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn first_contact(&self, period: Period, by: Option<By>) -> Result<Vec<Counted>, Error> {
        let passed_on = "exists (select 1 from timeline l where l.ticket = t.number and (l.kind = 'escalated' \
                         or (l.kind = 'set' and l.details like '[\"team\",\"%')))";
        let said = "(select count(*) from timeline l where l.ticket = t.number and l.kind = 'commented' \
                    and l.visibility = 0 and l.at < r.resolved_at and l.author not in (t.requester, t.submitted_by))";
        let again = "exists (select 1 from resolutions o where o.ticket = r.ticket and o.round > 1)";
        let sql = format!(
            "select {} as name, '', count(*), cast(sum(case when coalesce(r.ended, '') not in ('disputed', 'taken-up') \
             and not {again} and not {passed_on} and {said} <= 1 then 1 else 0 end) as bigint) \
             from resolutions r join {tickets} on t.number = r.ticket \
             where r.round = 1 and r.elsewhere = 0 and r.resolved_at >= $1 and r.resolved_at < $2 group by 1 order by 1",
            By::group_of_resolution(by),
            tickets = By::tickets(by)
        );
        let rows = self.db.all_of_history(&sql, period.args()).await?;
        rows.iter().map(|row| counted(row, 2)).collect()
    }

    /// How tickets went from one team to another in a period, by group: how many tickets did, how often, and how many came back to
    /// a team that had had them, also before the period.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn handovers(&self, period: Period, by: Option<By>) -> Result<Vec<Counted>, Error> {
        let moved = |entry: &str| format!("{entry}.kind = 'set' and {entry}.details like '[\"team\",\"%'");
        let sql = format!(
            "select t.number, {} as name, l.details, l.at from timeline l join {tickets} on t.number = l.ticket \
             where {} and l.at < $2 and exists (select 1 from timeline m where m.ticket = l.ticket and {} \
             and m.at >= $1 and m.at < $2) order by 2, 1, l.seq",
            By::group(by),
            moved("l"),
            moved("m"),
            tickets = By::tickets(by)
        );
        let mut groups: BTreeMap<String, Handovers> = BTreeMap::new();
        let rows = self.db.all_of_history(&sql, period.args()).await?;
        // What is damaged is counted as such, by its ticket, and keeps no other from being read.
        let read = |row: &Row| Ok((row.int(0)?, row.text(1)?, set(&row.text(2)?)?, row.int(3)?));
        for (ticket, group, (from, to), at) in self.readable("timeline", &rows, read) {
            let of_group = groups.entry(group).or_default();
            let teams = of_group.left.entry(ticket).or_default();
            teams.extend(from);
            if at < ms(period.from) {
                continue;
            }
            of_group.moves += 1;
            if teams.contains(&to) {
                of_group.back.insert(ticket);
            }
        }
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let row = |(group, Handovers { left, moves, back }): (String, Handovers)| Counted {
            group,
            of: String::new(),
            counts: vec![whole(left.len()), moves, whole(back.len())],
        };
        Ok(groups.into_iter().map(row).collect())
    }

    /// Everything that rules set on the tickets that were submitted in a period, by group, and what of it people changed afterwards.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn decided(&self, period: Period, by: Option<By>) -> Result<Vec<Decided>, Error> {
        let (mut all, group, tickets) = (Vec::new(), By::group(by), By::tickets(by));
        // The day of a bundle is a matter of people alone.
        for field in Field::ALL.into_iter().filter(|field| *field != Field::Day) {
            let head = format!("[\"{}\",%", field.code());
            let sql = format!(
                "select l.author, coalesce(l.author_version, ''), l.details, {group} as name, count(*), \
                 cast(sum(case when exists (select 1 from timeline p where p.ticket = l.ticket and p.seq > l.seq \
                 and p.kind = 'set' and p.author_kind = 1 and p.details like $3) then 1 else 0 end) as bigint) \
                 from {tickets} join timeline l on l.ticket = t.number \
                 where t.created_at >= $1 and t.created_at < $2 and l.kind = 'set' and l.author_kind = 2 \
                 and l.details like $3 group by 1, 2, 3, 4 order by 1, 2, 3, 4"
            );
            let mut args = period.args();
            args.push(head.into());
            let read = |row: &Row| {
                let rule = row.opt_text(0)?.ok_or_else(|| corrupt("timeline", "author", "nothing"))?;
                let (_, to) = set(&row.text(2)?)?;
                let (version, group, count, corrected) = (row.text(1)?, row.text(3)?, row.int(4)?, row.int(5)?);
                Ok(Decided { group, rule, version, field, to, count, corrected })
            };
            let rows = self.db.all_of_history(&sql, args).await?;
            all.extend(self.readable("timeline", &rows, read));
        }
        Ok(all)
    }
}
