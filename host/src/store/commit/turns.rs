//! Whose turn it is: who in a team gets the next ticket, by turns or by load.

use std::collections::{BTreeMap, BTreeSet};

use super::Commit;
use crate::desk::id::{PersonId, TeamId};
use crate::desk::organisation::Strategy;
use crate::desk::ticket::assignment::Assignment;
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::parsed;
use crate::store::sql::places;
use crate::store::{Error, Store};

/// Up to this many people, their load is read by name; for more, the load of all people is read.
const NAMED_MAX: usize = 64;

/// Whose turn it is in the teams of one transaction.
pub struct Turns {
    teams: BTreeMap<TeamId, TeamTurns>,
    /// The work of each person; empty where no strategy looks at it.
    load: BTreeMap<PersonId, Load>,
}

/// A person's work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    pub unfinished: i64,
    /// Those of them that wait for their requesters.
    pub waiting: i64,
}

impl Load {
    /// In halves of a ticket: one that waits for its requester weighs half of one that does not.
    fn halves(self) -> i64 {
        // Hosts of before do not count what waits.
        2 * self.unfinished - self.waiting.clamp(0, self.unfinished.max(0))
    }
}

/// Whose turn it is in one team.
#[derive(Default)]
struct TeamTurns {
    next: i64,
    last: BTreeMap<PersonId, i64>,
    /// Those who had a turn in this transaction.
    had: BTreeSet<PersonId>,
}

impl Turns {
    /// Picks a person for a ticket: the one who has waited longest, or has least to do.
    pub fn pick(&mut self, assignment: &Assignment) -> Option<PersonId> {
        let turns = self.teams.get_mut(&assignment.team)?;
        let waited = |person: &PersonId| turns.last.get(person).copied().unwrap_or(0);
        let busy = |person: &PersonId| self.load.get(person).copied().unwrap_or_default().halves();
        let has_room =
            |person: &&PersonId| assignment.capacities.get(*person).is_none_or(|most| busy(person) < 2 * *most);
        let candidates = assignment.candidates.iter().filter(has_room).collect::<Vec<_>>().into_iter();
        let chosen = match (&assignment.fixed, assignment.strategy) {
            (Some(person), _) => Some(person),
            (None, Strategy::RoundRobin) => candidates.min_by_key(|p| waited(p)),
            (None, Strategy::LeastLoaded) => candidates.min_by_key(|p| (busy(p), waited(p))),
        };
        let chosen = chosen.cloned()?;
        turns.last.insert(chosen.clone(), turns.next);
        turns.had.insert(chosen.clone());
        turns.next += 1;
        self.load.entry(chosen.clone()).or_default().unfinished += 1;
        Some(chosen)
    }

    /// Notes the rows of [`turns_and_loads`].
    fn note(&mut self, rows: &[Row]) -> Result<(), Error> {
        for row in rows {
            // A row whose person cannot be read belongs to no one who could be picked.
            let Ok(person) = parsed("", "", &row.text(1)?) else { continue };
            match row.opt_text(0)? {
                Some(team) => {
                    let team: TeamId = parsed("member_turns", "team", &team)?;
                    if let Some(turns) = self.teams.get_mut(&team) {
                        turns.last.insert(person, row.int(2)?);
                    }
                }
                None => {
                    self.load.insert(person, Load { unfinished: row.int(2)?, waiting: row.int(3)? });
                }
            }
        }
        Ok(())
    }
}

/// Locks the teams that the changes share tickets out in, in the order of their names, and reads whose turn it is in each.
/// A change that turns out to be stale uses up a turn without an assignment, which does no harm.
pub async fn take<'a>(tx: &mut Tx, commits: impl Iterator<Item = &'a Commit> + Clone) -> Result<Turns, Error> {
    let assignments = || commits.clone().filter_map(|commit| commit.change.assignment());
    let mut wanted: BTreeMap<&TeamId, i64> = BTreeMap::new();
    for assignment in assignments() {
        *wanted.entry(&assignment.team).or_default() += 1;
    }
    let mut turns = Turns { teams: BTreeMap::new(), load: BTreeMap::new() };
    if wanted.is_empty() {
        return Ok(turns);
    }
    let rows = wanted.iter().map(|(team, count)| vec![team.as_str().into(), Arg::from(*count)]).collect();
    let tail = "on conflict (team) do update set turn = team_turns.turn + excluded.turn returning team, turn";
    for row in tx.insert("insert into team_turns (team, turn)", 2, tail, rows).await? {
        let team: TeamId = parsed("team_turns", "team", &row.text(0)?)?;
        let count = wanted.get(&team).copied().unwrap_or_default();
        turns.teams.insert(team, TeamTurns { next: row.int(1)? - count + 1, ..TeamTurns::default() });
    }
    let looks_at_load =
        |assignment: &Assignment| assignment.strategy == Strategy::LeastLoaded || !assignment.capacities.is_empty();
    let looking = assignments().filter(|assignment| looks_at_load(assignment));
    let people: BTreeSet<&PersonId> = looking.flat_map(|assignment| &assignment.candidates).collect();
    let names = wanted.keys().map(|team| team.as_str().into());
    let (sql, args) = turns_and_loads(wanted.len(), names, &people);
    turns.note(&tx.all(&sql, args).await?)?;
    Ok(turns)
}

/// The statement that reads whose turn it is in some teams, and the work of people, of which a row names no team. Where a
/// turn is taken, the teams are locked by then, so that both are read as of one moment after that.
fn turns_and_loads(teams: usize, names: impl Iterator<Item = Arg>, people: &BTreeSet<&PersonId>) -> (String, Vec<Arg>) {
    let of_teams = places(0, teams);
    let turns = format!("select team, person, turn, 0 as waiting from member_turns where team in ({of_teams})");
    if people.is_empty() {
        return (turns, names.collect());
    }
    const LOADS: &str = "union all select null, person, unfinished, waiting from agents";
    if people.len() > NAMED_MAX {
        return (format!("{turns} {LOADS}"), names.collect());
    }
    let persons = people.iter().map(|person| Arg::from(person.as_str()));
    (format!("{turns} {LOADS} where person in ({})", places(teams, people.len())), names.chain(persons).collect())
}

/// Writes down who had the last turns.
pub async fn save(tx: &mut Tx, turns: &Turns) -> Result<(), Error> {
    let rows = turns.teams.iter().flat_map(|(team, turns)| {
        let had = turns.had.iter().filter_map(|person| turns.last.get_key_value(person));
        had.map(|(person, turn)| vec![team.as_str().into(), person.as_str().into(), Arg::from(*turn)])
    });
    let tail = "on conflict (team, person) do update set turn = excluded.turn";
    tx.insert_later("insert into member_turns (team, person, turn)", 3, tail, rows.collect()).await
}

/// Adds to people's work.
pub async fn add_load(tx: &mut Tx, added: &BTreeMap<PersonId, Load>) -> Result<(), Error> {
    let row = |(person, load): (&PersonId, &Load)| {
        vec![person.as_str().into(), Arg::from(load.unfinished), Arg::from(load.waiting)]
    };
    let tail = "on conflict (person) do update set unfinished = agents.unfinished + excluded.unfinished, \
                waiting = agents.waiting + excluded.waiting";
    let rows = added.iter().map(row).collect();
    tx.insert_later("insert into agents (person, unfinished, waiting)", 3, tail, rows).await
}

impl Store {
    /// Who would be picked now. No turn is taken, so it holds only if no ticket comes between.
    pub async fn would_pick(&self, assignment: &Assignment) -> Result<Option<PersonId>, Error> {
        let names = std::iter::once(Arg::from(assignment.team.as_str()));
        let (sql, args) = turns_and_loads(1, names, &assignment.candidates.iter().collect());
        let teams = BTreeMap::from([(assignment.team.clone(), TeamTurns::default())]);
        let mut turns = Turns { teams, load: BTreeMap::new() };
        turns.note(&self.db.all(&sql, args).await?)?;
        Ok(turns.pick(assignment))
    }
}
