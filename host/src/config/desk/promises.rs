//! `[promises]` of `desk.toml`: when the desk raises its voice about promises that run out, and clocks besides its own.

use std::collections::BTreeMap;

use super::closing::{self, whole};
use crate::config::duration;
use crate::config::names::Names;
use crate::config::read::{Keys, Node, distinct};
use crate::config::wrong::{Wrong, nearest};
use crate::desk::id::PriorityId;
use crate::desk::organisation::service::{Closing, Escalation, FurtherClock, Occasion, Turn, TurnEscalation, Watch};
use crate::desk::sla::{ClockKind, ClockName};
use crate::desk::ticket::State;

/// The largest share of a promise, in percent: ten times what was promised.
const SHARE_MAX: u64 = 1_000;
/// The most further clocks: the events of one version of a ticket have room for so many, and for as many that they take the place of.
const CLOCKS_MAX: usize = 16;

/// Reads how tickets end, and which promises are watched.
pub fn and_closing(keys: &mut Keys<'_>, names: &Names) -> (Closing, Watch) {
    let closing = keys.table("closing", closing::read).unwrap_or_default().over(&Closing::default());
    (closing, keys.table("promises", |keys| read(keys, names)).unwrap_or_default())
}

/// Reads the table.
///
/// - `alert-at`: the shares of each promise at which the assignee, or the team where there is none, is alerted, in percent, such
///   as `[75, 100]`; 100 is the breach. Default none.
/// - `[[promises.escalate]]`: `clock`, one of `first-response`, `resolution`, `next-update`, `team-resolution` and the further ones,
///   and `at`, the share of it at which a ticket goes up to the team that its own escalates to; with `request-types`, only tickets
///   of these.
/// - `[[promises.escalate-on]]`: `on`, the `tag:NAME` or the `priority:ID` with which a ticket goes up at once, as soon as it has that; a
///   rule that tags or rates it asks for escalation so. With `request-types`, only tickets of these.
fn read(keys: &mut Keys<'_>, names: &Names) -> Watch {
    let mut alert_at: Vec<u16> = keys.list("alert-at").iter().filter_map(|node| whole(node, 1, SHARE_MAX)).collect();
    alert_at.sort_unstable();
    alert_at.dedup();
    let further = further(keys, names);
    let of_work = ClockKind::ALL.into_iter().filter(|kind| !kind.is_of_requester());
    let kinds: Vec<ClockKind> = of_work.chain(further.iter().map(|clock| ClockKind::Further(clock.id))).collect();
    let escalation = |keys: &mut Keys<'_>| {
        let clock = keys.required("clock").and_then(|node| kind(&node, &kinds));
        let share = keys.required("at").and_then(|node| whole(&node, 1, SHARE_MAX));
        let request_types = distinct(keys.list("request-types"), |node| node.known(&names.request_types));
        clock.zip(share).map(|(clock, percent)| Escalation { clock, percent, request_types })
    };
    let list = keys.list("escalate");
    let escalate_at = list.iter().filter_map(|node| node.keys(escalation).flatten()).collect();
    let turns = keys.list("escalate-on");
    let escalate_on = turns.iter().filter_map(|node| node.keys(|keys| turn(keys, names)).flatten()).collect();
    Watch { alert_at, escalate_at, escalate_on, further }
}

/// A turn at which a ticket goes up.
fn turn(keys: &mut Keys<'_>, names: &Names) -> Option<TurnEscalation> {
    let on = keys.required("on").and_then(|node| node.parsed(|text| turn_of(text, names)));
    let request_types = distinct(keys.list("request-types"), |node| node.known(&names.request_types));
    Some(TurnEscalation { on: on?, request_types })
}

fn turn_of(text: &str, names: &Names) -> Result<Turn, Wrong> {
    match text.split_once(':') {
        Some(("tag", tag)) => {
            names.tags.check(tag)?;
            tag.parse().map(Turn::Tag).map_err(Wrong::NotAnId)
        }
        Some(("priority", priority)) => {
            names.priorities.check(priority)?;
            priority.parse().map(Turn::Priority).map_err(Wrong::NotAnId)
        }
        _ => Err(Wrong::NotOneOf { text: text.to_owned(), allowed: vec!["tag:NAME", "priority:ID"] }),
    }
}

/// One of these clocks.
fn kind(node: &Node<'_>, kinds: &[ClockKind]) -> Option<ClockKind> {
    node.parsed(|text| {
        kinds.iter().find(|kind| kind.code() == text).copied().ok_or_else(|| Wrong::Unknown {
            what: "clock",
            text: text.to_owned(),
            nearest: nearest(text, kinds.iter().map(ClockKind::code)),
            known: kinds.iter().map(|kind| kind.code().to_owned()).collect(),
        })
    })
}

/// The clocks besides the desk's own.
fn further(keys: &mut Keys<'_>, names: &Names) -> Vec<FurtherClock> {
    let list = keys.list("clock");
    if list.len() > CLOCKS_MAX {
        keys.report("clock", Wrong::TooMany { found: list.len(), max: CLOCKS_MAX });
    }
    let mut seen = BTreeMap::new();
    list.iter().filter_map(|node| node.keys(|keys| clock(keys, names, &mut seen)).flatten()).collect()
}

/// One `[[promises.clock]]`: a clock that tickets have besides the desk's own, at most 16. Those who work on tickets read it, and
/// alerts and escalation go by it as by any other; requesters do not.
///
/// - `id`: its word for programs, such as `diagnosis`: at most 24 lower-case letters, digits and hyphens; `name`: as people read it.
/// - `starts`: any of these begins it: the word of a state, such as `in_progress`; `tag:NAME`; `submitted`; or `answered`, the first
///   response. It begins once a ticket.
/// - `met`: any of these is what it promises, in the same words. Where that is so already, it does not begin.
/// - `pauses`: the states in which it stands still, such as `waiting_requester`; it stands still on what is resolved or over as well.
///   Default none. A clock that could never run by these three is refused.
/// - `[[promises.clock.target]]`: a `priority` and the open time `within` which it is to be met, such as `2h`; tickets of other
///   priorities have no such clock.
/// - `calendar`: the `[[other-calendar]]` that it runs by; default is that of the priority.
/// - `request-types`: only tickets of these have it; default all.
fn clock(keys: &mut Keys<'_>, names: &Names, seen: &mut BTreeMap<String, usize>) -> Option<FurtherClock> {
    let id = keys.required("id").and_then(|node| {
        node.refuse_repeated(node.text()?, seen);
        node.parsed(|text| ClockName::parse(text).ok_or_else(|| Wrong::NotAClockName { text: text.to_owned() }))
    });
    let name = keys.required("name").and_then(|node| node.line());
    let [starts, met] = ["starts", "met"].map(|key| occasions(keys, key, names));
    let states = State::ALL.map(|state| (state.code(), state.code()));
    let pauses = distinct(keys.list("pauses"), |node| node.one_of(&states));
    refuse_dead(keys, (&starts, &met, &pauses));
    let targets = keys.filled_list("target");
    let minutes = targets.iter().filter_map(|node| node.keys(|keys| target(keys, names)).flatten()).collect();
    let calendar = keys.optional("calendar").and_then(|node| node.known(&names.calendars));
    let request_types = distinct(keys.list("request-types"), |node| node.known(&names.request_types));
    let pauses = pauses.into_iter().map(str::to_owned).collect();
    Some(FurtherClock { id: id?, name: name?, starts, pauses, met, minutes, calendar, request_types })
}

/// Refuses a clock that would never run: that would go unnoticed.
fn refuse_dead(keys: &Keys<'_>, (starts, met, pauses): (&[Occasion], &[Occasion], &[&str])) {
    let is_over = |one: &Occasion| match one {
        Occasion::State(word) => State::from_code(word).is_some_and(|state| !state.is_unfinished()),
        _ => false,
    };
    let is_met = |one: &Occasion| met.contains(one) || met.contains(&Occasion::Submitted);
    if starts.is_empty() || met.is_empty() {
        return;
    }
    if starts.iter().all(is_over) {
        keys.report("starts", Wrong::StartsWhenOver);
    } else if starts.iter().all(|one| is_met(one) || is_over(one)) {
        keys.report("met", Wrong::MetAtTheStart);
    }
    if State::ALL.iter().filter(|state| state.is_unfinished()).all(|state| pauses.contains(&state.code())) {
        keys.report("pauses", Wrong::NeverRuns);
    }
}

fn target(keys: &mut Keys<'_>, names: &Names) -> Option<(PriorityId, u32)> {
    let priority = keys.required("priority").and_then(|node| node.known(&names.priorities));
    let within = keys.required("within").and_then(|node| duration::minutes(&node));
    priority.zip(within)
}

/// The turns in a ticket's life that a list names.
fn occasions(keys: &mut Keys<'_>, key: &'static str, names: &Names) -> Vec<Occasion> {
    keys.filled_list(key).iter().filter_map(|node| node.parsed(|text| occasion(text, names))).collect()
}

fn occasion(text: &str, names: &Names) -> Result<Occasion, Wrong> {
    if let Some(tag) = text.strip_prefix("tag:") {
        names.tags.check(tag)?;
        return tag.parse().map(Occasion::Tag).map_err(Wrong::NotAnId);
    }
    match text {
        "submitted" => Ok(Occasion::Submitted),
        "answered" => Ok(Occasion::Answered),
        word if State::from_code(word).is_some() => Ok(Occasion::State(word.to_owned())),
        _ => Err(Wrong::NotOneOf {
            text: text.to_owned(),
            allowed: ["submitted", "answered", "tag:NAME"].into_iter().chain(State::ALL.map(State::code)).collect(),
        }),
    }
}
