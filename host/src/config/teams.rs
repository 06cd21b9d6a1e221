//! `teams.toml`: who takes tickets.
//!
//! - `skills`: those that exist, so that a misspelt one is found; default none.
//! - `[[team]]`: the teams, each of which is a queue.

use std::collections::{BTreeMap, BTreeSet};

use crate::desk::id::{PersonId, Skill, TeamId};
use crate::desk::organisation::{Absence, Member, Strategy, Team};

use super::duration;
use super::names::Names;
use super::read::{Keys, Node, distinct};
use super::wrong::Wrong;

/// The largest capacity of a member.
const CAPACITY_MAX: u64 = 100_000;
/// How often a ticket may go back to its team before it stays in the queue, where the team says no number; and the largest number.
const TAKE_UP_TIMES: u32 = 3;
const TAKE_UP_TIMES_MAX: u64 = 100;

/// Reads the teams.
pub fn read(keys: &mut Keys<'_>, names: &Names) -> BTreeMap<TeamId, Team> {
    distinct(keys.list("skills"), Node::id::<Skill>);
    let teams = keys.entries("team", |keys, id| team(keys, id, names));
    if teams.is_empty() {
        keys.report("team", Wrong::Missing);
    }
    teams.into_iter().map(|team| (team.id.clone(), team)).collect()
}

/// One `[[team]]`.
///
/// - `id`, `name`.
/// - `tier`: the escalation tier, 1 (default) is the first line; at most 9.
/// - `strategy`: how tickets are shared out, `round-robin` (default) or `least-loaded`.
/// - `escalates-to`: the team that takes what this one cannot solve, of a higher tier; absent where there is none.
/// - `resolution`: how long a ticket may stay with the team, in open time such as `8h`; absent promises nothing.
/// - `take-up-within`: how long one who gets a ticket of the team may leave it untouched, in open time such as `4h`; then it goes back to
///   the team, and to another of it. Default `never`. It holds for what is assigned from then on that all hosts have the key.
/// - `take-up-times`: the number of times, 1 to 100, that a ticket may so go back; with the last of them it stays in the team's queue
///   until a person takes it or gives it to one, which begins the count again. Default 3.
/// - `lead`: the member who hears of a ticket that stays in the queue; absent, all members hear of it.
/// - `calendar`: the `[[other-calendar]]` that these run by; absent is the desk's.
/// - `[[team.member]]`: may be empty; then tickets wait in the queue until somebody takes them.
fn team(keys: &mut Keys<'_>, id: TeamId, names: &Names) -> Team {
    let strategies = [Strategy::RoundRobin, Strategy::LeastLoaded].map(|s| (s.code(), s));
    let tier = keys.optional("tier").and_then(|node| node.whole(1, 9));
    let mut seen = BTreeMap::new();
    let members = keys.list("member");
    let members = members.iter().filter_map(|node| node.keys(|keys| member(keys, names, &mut seen)).flatten());
    let members: Vec<Member> = members.collect();
    let times = keys.optional("take-up-times").and_then(|node| node.whole(1, TAKE_UP_TIMES_MAX));
    Team {
        id,
        lead: keys.optional("lead").and_then(|node| lead(&node, &members, names)),
        members,
        name: keys.required("name").and_then(|node| node.line()).unwrap_or_default(),
        strategy: keys.optional("strategy").and_then(|node| node.one_of(&strategies)).unwrap_or(Strategy::RoundRobin),
        tier: tier.and_then(|tier| u8::try_from(tier).ok()).unwrap_or(1),
        escalates_to: keys.optional("escalates-to").and_then(|node| node.known(&names.teams)),
        resolution_minutes: keys.optional("resolution").and_then(|node| duration::minutes(&node)),
        take_up_minutes: keys.optional("take-up-within").and_then(|node| match node.text()? {
            "never" => None,
            _ => duration::minutes(&node),
        }),
        take_up_times: times.and_then(|times| u32::try_from(times).ok()).unwrap_or(TAKE_UP_TIMES),
        calendar: keys.optional("calendar").and_then(|node| node.known(&names.calendars)),
    }
}

/// The `lead` of a team, who is one of its members.
fn lead(node: &Node<'_>, members: &[Member], names: &Names) -> Option<PersonId> {
    let lead: PersonId = node.known(&names.people)?;
    let is_member = members.iter().any(|member| member.person == lead);
    if !is_member {
        let known = members.iter().map(|member| member.person.to_string()).collect();
        node.report(Wrong::Unknown { what: "member", text: lead.to_string(), nearest: None, known });
    }
    is_member.then_some(lead)
}

/// One `[[team.member]]`.
///
/// - `person`: the person's id, once in a team.
/// - `skills`: some of the file's `skills`, default none; `vpn@2` is one at a level, which a member with `vpn@3` can do as well.
/// - `available`: whether new tickets may be assigned to this member now; default true.
/// - `shift`: the `[[other-calendar]]` of the hours in which they may be; absent is at any time.
/// - `capacity`: the most unfinished tickets that the desk gives this member; absent is no bound.
/// - `absent`: times in which the member is away, such as `{ from = 2026-12-21, to = 2026-12-31, deputy = "kofi" }`; the
///   `deputy` is of the same team, and gets what the member has meanwhile; without one, it stays with them. Default none.
fn member(keys: &mut Keys<'_>, names: &Names, seen: &mut BTreeMap<String, usize>) -> Option<Member> {
    let person = keys.required("person");
    let skills: BTreeSet<Skill> = distinct(keys.list("skills"), |node| node.known(&names.skills)).into_iter().collect();
    let available = keys.optional("available").and_then(|node| node.flag()).unwrap_or(true);
    let shift = keys.optional("shift").and_then(|node| node.known(&names.calendars));
    let capacity = keys.optional("capacity").and_then(|node| node.whole(1, CAPACITY_MAX));
    let capacity = capacity.and_then(|most| u32::try_from(most).ok());
    let absences = keys.list("absent");
    let absences = absences.iter().filter_map(|node| node.keys(|keys| absence(keys, names)).flatten()).collect();
    let node = person?;
    let person = node.known(&names.people)?;
    node.refuse_repeated(node.text()?, seen);
    Some(Member { person, skills, available, shift, capacity, absences })
}

/// One of a member's absences: `from` and `to`, the last day, and the `deputy`.
fn absence(keys: &mut Keys<'_>, names: &Names) -> Option<Absence> {
    let from = keys.required("from").and_then(|node| node.day());
    let to = keys.required("to").and_then(|node| node.day());
    let deputy = keys.optional("deputy").and_then(|node| node.known(&names.people));
    Some(Absence { from: from?, to: to?, deputy })
}
