//! The events of promises: derived from how a change leaves the clocks, so that no change can forget to say it.

use crate::desk::sla::{Clock, ClockKind, Clocks};

/// A step of a clock. A breach is none: it comes by itself when the time of a clock that runs is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockStep {
    Start,
    Pause,
    /// It runs on: after a pause, or because the ticket came back.
    Resume,
    Meet,
    /// It has another target, or another calendar.
    Retarget,
    /// It ends without being met.
    Cancel,
}

codes! {
    ClockStep {
        Start => "start",
        Pause => "pause",
        Resume => "resume",
        Meet => "meet",
        Retarget => "retarget",
        Cancel => "cancel",
    }
}

/// A step with the clock as it is after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockEvent {
    pub kind: ClockKind,
    pub step: ClockStep,
    pub clock: Clock,
}

/// The steps from some clocks, or from none, to others. `over` says that the ticket is over, so that what stands still has ended.
pub fn events(before: Option<&Clocks>, after: &Clocks, over: bool) -> Vec<ClockEvent> {
    let mut all = Vec::new();
    let kinds = before.map_or_else(|| after.kinds(), |before| before.kinds_with(after));
    for kind in kinds {
        let (was, is) = (before.and_then(|clocks| clocks.get(kind)), after.get(kind));
        let steps = match (was, is) {
            (None, None) => Vec::new(),
            (None, Some(is)) => begun(is, over),
            (Some(_), None) => vec![ClockStep::Cancel],
            (Some(was), Some(is)) => gone_on(kind, (was, is), over),
        };
        let clock = is.copied().or_else(|| was.map(|was| Clock { running_since: None, due_at: None, ..*was }));
        all.extend(steps.into_iter().zip(clock.iter().cycle()).map(|(step, clock)| ClockEvent {
            kind,
            step,
            clock: *clock,
        }));
    }
    all
}

fn begun(is: &Clock, over: bool) -> Vec<ClockStep> {
    let more = match (is.met_at, is.running_since) {
        (Some(_), _) => Some(ClockStep::Meet),
        (None, None) if over => Some(ClockStep::Cancel),
        (None, None) => Some(ClockStep::Pause),
        (None, Some(_)) => None,
    };
    std::iter::once(ClockStep::Start).chain(more).collect()
}

fn gone_on(kind: ClockKind, (was, is): (&Clock, &Clock), over: bool) -> Vec<ClockStep> {
    // The next update, the requester's time and a team's own begin from the beginning: with each answer, with each team.
    let begins_again = is.used_ms == 0 && is.running_since.is_some() && is.running_since != was.running_since;
    match kind {
        ClockKind::Update if begins_again && was.met_at.is_none() => return vec![ClockStep::Meet, ClockStep::Start],
        ClockKind::Team | ClockKind::Answer if begins_again && was.met_at.is_none() => {
            return vec![ClockStep::Cancel, ClockStep::Start];
        }
        ClockKind::Update | ClockKind::Team | ClockKind::Answer => {}
        ClockKind::FirstResponse | ClockKind::Resolution | ClockKind::Confirmation | ClockKind::Further(_) => {}
    }
    let stands = was.met_at.is_none() && is.met_at.is_none();
    let moved_on = was.running_since.is_some() && is.running_since.is_some() && was.running_since != is.running_since;
    // Another calendar moves only when it is due.
    let due_moved = stands && was.running_since == is.running_since && was.due_at != is.due_at;
    let retargeted = was.target_ms != is.target_ms || (stands && moved_on) || due_moved;
    let step = match (was.met_at, is.met_at) {
        (None, Some(_)) => Some(ClockStep::Meet),
        (Some(_), None) => Some(ClockStep::Resume),
        (Some(_), Some(_)) => None,
        (None, None) => match (was.running_since, is.running_since) {
            (Some(_), None) if over => Some(ClockStep::Cancel),
            (Some(_), None) => Some(ClockStep::Pause),
            (None, Some(_)) => Some(ClockStep::Resume),
            (None, None) | (Some(_), Some(_)) => None,
        },
    };
    retargeted.then_some(ClockStep::Retarget).into_iter().chain(step).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn clock(target_ms: i64, since: Option<i64>, met: Option<i64>) -> Clock {
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
        let due_at = since.map(|since| at(since + target_ms));
        Clock {
            target_ms,
            used_ms: 0,
            running_since: since.map(at),
            met_at: met.map(at),
            due_at,
            alerted: 0,
            day_end: None,
        }
    }

    fn steps(before: Option<&Clocks>, after: &Clocks, over: bool) -> Vec<String> {
        let word = |event: ClockEvent| format!("{} {}", event.kind.code(), event.step.code());
        events(before, after, over).into_iter().map(word).collect()
    }

    #[test]
    fn each_change_of_a_clock_is_the_event_that_people_call_it() {
        let opened = Clocks::of(clock(10, Some(0), None), clock(20, Some(0), None));
        assert_eq!(steps(None, &opened, false), ["first-response start", "resolution start"]);
        let answered = Clocks { first_response: clock(10, None, Some(5)), ..opened.clone() };
        assert_eq!(steps(Some(&opened), &answered, false), ["first-response meet"]);
        let later = Clock { due_at: Timestamp::from_millisecond(90).ok(), ..opened.resolution };
        let moved = Clocks { resolution: later, ..opened.clone() };
        assert_eq!(steps(Some(&opened), &moved, false), ["resolution retarget"]);
        let waits = Clocks { resolution: Clock { used_ms: 6, ..clock(20, None, None) }, ..answered.clone() };
        assert_eq!(steps(Some(&answered), &waits, false), ["resolution pause"]);
        assert_eq!(steps(Some(&answered), &waits, true), ["resolution cancel"]);
        let on = Clocks { resolution: Clock { used_ms: 6, ..clock(20, Some(9), None) }, ..answered.clone() };
        assert_eq!(steps(Some(&waits), &on, false), ["resolution resume"]);
        let other = Clocks { resolution: Clock { used_ms: 8, ..clock(90, Some(11), None) }, ..on.clone() };
        assert_eq!(steps(Some(&on), &other, false), ["resolution retarget"]);
        let update = Clocks { update: Some(clock(7, Some(11), None)), ..other.clone() };
        assert_eq!(steps(Some(&other), &update, false), ["next-update start"]);
        let again = Clocks { update: Some(clock(7, Some(12), None)), ..update.clone() };
        assert_eq!(steps(Some(&update), &again, false), ["next-update meet", "next-update start"]);
        assert_eq!(steps(Some(&update), &other, false), ["next-update cancel"]);
        assert_eq!(steps(Some(&again), &again, false), [""; 0]);
        let mut further = again.clone();
        further.set(ClockKind::from_code("diagnosis").unwrap(), Some(clock(9, Some(12), None)));
        assert_eq!(steps(Some(&again), &further, false), ["diagnosis start"]);
        assert_eq!(steps(Some(&further), &again, false), ["diagnosis cancel"]);
    }
}
