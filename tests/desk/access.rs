//! Invariants of access decisions: who may decide what, and until when.

use std::cell::Cell;

use jiff::Span;
use jiff::tz::TimeZone;
use ruledesk::desk::access::{
    self, ALL_WORDS, AccessCase, AccessState, ApproverDecision, HumanDecision, Named, Narrow, Review,
};
use ruledesk::desk::actor::{Actor, Role};
use ruledesk::desk::change::AccessSeen;
use ruledesk::desk::change::at::At;
use ruledesk::desk::id::{DelegationId, GrantId};
use ruledesk::desk::organisation::accounts::{Given, OwnDelegation};
use ruledesk::desk::organisation::{Organisation, Tier};
use ruledesk::desk::permission;
use ruledesk::desk::refusal::Refusal;
use ruledesk::desk::ticket::lifecycle::links::Around;
use ruledesk::desk::ticket::{self, Move, State, Ticket};
use ruledesk::desk::verdict::access::{AccessVerdict, Heard, Outcome, Scope};

use crate::store::fixture::{Wanted, at, changed, create_access, organisation, person, uuid};

const HOUR: i64 = 3_600_000;

fn opened(n: u128, steps: &[&[&str]], hours: u32) -> (Ticket, AccessCase) {
    let change = create_access(&organisation(), &Wanted::new(n), steps, hours).change;
    (change.after().clone(), change.case().cloned().unwrap())
}

fn permit(id: &str, ticket: &Ticket, case: &AccessCase) -> Result<permission::MayDecide, Refusal> {
    let actor = Actor::Person { id: person(id), roles: Role::ALL.into() };
    permission::decide_access(&actor, ticket, case)
}

fn yes(hours: Option<u32>) -> ApproverDecision {
    ApproverDecision { approve: true, reason: String::new(), hours, narrow: Default::default(), seen: None }
}

#[test]
fn i2_nobody_decides_what_they_asked_for_in_whatever_role() {
    let (ticket, case) = opened(1, &[&["hal", "eve"]], 48);
    assert_eq!(permit("eve", &ticket, &case), Err(Refusal::OwnAccess));
    assert!(matches!(permit("frank", &ticket, &case), Err(Refusal::Forbidden { .. })));
}

#[test]
fn i3_a_decision_is_taken_once_and_stands() {
    let (ticket, mut case) = opened(1, &[&["hal", "gina"]], 48);
    case.steps[0].needed = 2;
    let hal = permit("hal", &ticket, &case).unwrap();
    let once = case.decided(&yes(None), &hal, at(HOUR)).unwrap();
    assert_eq!(once.state, AccessState::Awaiting);
    assert_eq!(once.decided(&yes(None), &hal, at(HOUR)), Err(Refusal::DecidedAlready));
    let gina = permit("gina", &ticket, &once).unwrap();
    let twice = once.decided(&yes(None), &gina, at(HOUR)).unwrap();
    assert_eq!(twice.state, AccessState::Approved);
    assert!(matches!(twice.decided(&yes(None), &gina, at(HOUR)), Err(Refusal::AccessSettled { .. })));
}

/// One who decides and another who decides in their place are one, also where that has ended between the two decisions.
#[test]
fn i3_who_stands_in_and_in_whose_place_have_one_word_in_a_step() {
    let (_, mut case) = opened(1, &[&["hal", "gina"]], 48);
    case.steps[0].needed = 2;
    let day = |n: i32| TimeZone::UTC.to_datetime(at(0)).date().checked_add(Span::new().days(n)).unwrap();
    let given = |ended: Option<i64>| {
        let given = Given { at: at(0), ended: ended.map(at) };
        let (id, ended_by) = (DelegationId(uuid(3, 1)), None);
        let (from, until) = (day(0), day(7));
        organisation().with_delegations(&[OwnDelegation {
            id,
            person: person("hal"),
            to: person("gina"),
            from,
            until,
            given,
            ended_by,
        }])
    };
    let asks = |organisation: &Organisation, by: &str, other: &str| {
        let decision = HumanDecision {
            step: 0,
            approver: person(by),
            in_place_of: Vec::new(),
            approve: true,
            reason: String::new(),
            at: at(HOUR),
        };
        let decided = AccessCase { decisions: vec![decision], ..case.clone() };
        decided.following(organisation, at(3 * HOUR)).0.steps[0].approvers.contains(&person(other))
    };
    for (ended, stays) in [(None, false), (Some(2 * HOUR), false), (Some(HOUR / 2), true)] {
        let organisation = given(ended);
        assert_eq!(asks(&organisation, "hal", "gina"), stays, "{ended:?}");
        assert_eq!(asks(&organisation, "gina", "hal"), stays, "{ended:?}");
    }
    assert!(asks(&organisation(), "hal", "gina"));
}

/// The organisation in which these people let these others decide for a week.
fn where_they_let(pairs: &[(&str, &str)]) -> Organisation {
    let from = TimeZone::UTC.to_datetime(at(0)).date();
    let until = from.checked_add(Span::new().days(7)).unwrap();
    let one = |(n, (who, to)): (usize, &(&str, &str))| OwnDelegation {
        id: DelegationId(uuid(3, n as u128)),
        person: person(who),
        to: person(to),
        from,
        until,
        given: Given { at: at(0), ended: None },
        ended_by: None,
    };
    organisation().with_delegations(&pairs.iter().enumerate().map(one).collect::<Vec<_>>())
}

/// Whom a step asks that names two, after one has approved it in the place of some.
fn asked_after(pairs: &[(&str, &str)], by: &str, places: &[&str]) -> Vec<String> {
    let (_, mut case) = opened(1, &[&["hal", "gina"]], 48);
    let named = ["hal", "gina"].map(|id| Named::Person(person(id)));
    (case.steps[0].needed, case.steps[0].named) = (2, named.to_vec());
    case.decisions.push(HumanDecision {
        step: 0,
        approver: person(by),
        in_place_of: places.iter().map(|id| person(id)).collect(),
        approve: true,
        reason: String::new(),
        at: at(HOUR),
    });
    let after = case.following(&where_they_let(pairs), at(2 * HOUR)).0;
    after.awaited().into_iter().map(ToString::to_string).collect()
}

#[test]
fn i3_several_who_stand_in_for_one_have_that_ones_word_together() {
    let pairs = [("hal", "dan"), ("hal", "frank")];
    assert_eq!(asked_after(&pairs, "dan", &["hal"]), ["gina"], "neither hal nor frank says it once more");
    assert_eq!(asked_after(&pairs, "hal", &[]), ["gina"], "nor does anyone for hal who has said it");
}

#[test]
fn i3_who_stands_in_for_several_is_one_approver() {
    let left = asked_after(&[("hal", "dan"), ("gina", "dan")], "dan", &["hal", "gina"]);
    assert!(!left.iter().any(|one| ["hal", "gina", "dan"].contains(&one.as_str())), "{left:?}");
    // Each of the two for the other is one word as well.
    let left = asked_after(&[("hal", "gina"), ("gina", "hal")], "hal", &[]);
    assert!(!left.contains(&"gina".to_owned()), "{left:?}");
}

/// The guard against choosing one's approver: of the parties, about those whom an open step asks, also in another's place.
#[test]
fn i2_a_party_takes_no_one_out_of_a_step_by_letting_them_decide_in_ones_place() {
    let (_, mut case) = opened(1, &[&["hal"], &["gina"]], 48);
    case.steps[0].named = vec![Named::Person(person("hal"))];
    case.steps[1].named = vec![Named::Person(person("gina"))];
    let party = case.request.subject.clone();
    let steers = |case: &AccessCase, pairs: &[(&str, &str)], by: &str, to: &str| {
        case.is_steered_by((&person(by), &person(to)), &where_they_let(pairs), at(HOUR))
    };
    let own = |to: &str, pairs: &[(&str, &str)]| steers(&case, pairs, party.as_str(), to);
    assert!(own("hal", &[]) && own("gina", &[]), "those of later steps as well");
    assert!(!own("dan", &[]) && own("dan", &[("hal", "dan")]), "who decides in the place of one who is asked");
    assert!(!steers(&case, &[], "dan", "hal"), "it is no request of dan's");
    let over = AccessCase { state: AccessState::Denied, ..case.clone() };
    assert!(!steers(&over, &[], party.as_str(), "hal"), "nor is anything left to steer");
}

/// Whom a step asks that has these reasons to ask, where these people let these others decide and `frank` and `dan` are the desk's own
/// approvers. It is eve who asks for it, and hal is the manager of all.
fn asked_where(named: &[Named], pairs: &[(&str, &str)], linked: Option<(&str, &str)>) -> Vec<String> {
    let (_, mut case) = opened(1, &[&["hal"]], 48);
    case.steps[0].named = named.to_vec();
    let mut organisation = where_they_let(pairs);
    organisation.defaults.access_approvers = vec![person("frank"), person("dan")];
    if let Some((one, other)) = linked {
        organisation.people.get_mut(&person(one)).unwrap().same_as = Some(person(other));
    }
    let after = case.following(&organisation, at(HOUR)).0;
    after.awaited().into_iter().map(ToString::to_string).collect()
}

/// Leave that was given before the request takes an approver out as well. Then none of those decides who are left by that.
#[test]
fn i2_of_those_whom_a_party_has_left_by_leave_of_their_own_none_decides() {
    let two = ["hal", "gina"].map(|id| Named::Person(person(id)));
    let manager = [Named::Manager];
    let none = Vec::<String>::new();
    assert_eq!(asked_where(&two, &[], None), ["gina", "hal"]);
    assert_eq!(asked_where(&two, &[("eve", "hal")], None), ["dan", "frank"], "and not gina");
    assert_eq!(asked_where(&manager, &[("eve", "hal")], None), ["dan", "frank"]);
    assert_eq!(asked_where(&two, &[("eve", "hal"), ("eve", "dan")], None), none, "nor frank alone");
    // By another account of the one who asks it is the same, and so is another account of the one who is asked.
    assert_eq!(asked_where(&two, &[("gina", "hal")], Some(("gina", "eve"))), ["dan", "frank"]);
    assert_eq!(asked_where(&two, &[("eve", "carol")], Some(("carol", "hal"))), ["dan", "frank"]);
    // Who would not be asked is no one's choice, nor is what others give, or the one who decides in an approver's place.
    assert_eq!(asked_where(&manager, &[("eve", "dan"), ("eve", "gina")], None), ["hal"]);
    assert_eq!(asked_where(&two, &[("carol", "hal")], None), ["gina", "hal"]);
    assert_eq!(asked_where(&two, &[("hal", "dan"), ("eve", "dan")], None), ["gina", "hal"]);
}

/// Nor is a request taken on to the managers where a party has taken out the desk's own approvers.
#[test]
fn i2_leave_given_to_one_of_the_desks_own_approvers_makes_no_manager_of_a_party_decide() {
    let owner = [Named::Person(person("gina"))];
    let none = Vec::<String>::new();
    assert_eq!(asked_where(&owner, &[("eve", "gina")], None), ["dan", "frank"]);
    assert_eq!(asked_where(&owner, &[("eve", "gina"), ("eve", "dan")], None), none, "and not hal");
    assert_eq!(asked_where(&[Named::AccessApprovers], &[("eve", "dan")], None), none);
    assert_eq!(asked_where(&owner, &[("eve", "dan")], None), ["gina"], "who is asked by name is asked");
    // A manager who is away is replaced by whom they have named, also where the one who asks has given leave to others.
    assert_eq!(asked_where(&[Named::Manager], &[("hal", "carol"), ("eve", "frank")], None), ["carol", "hal"]);
}

/// A manager who has decided makes no room for the next above by leave that a party gives them afterwards.
#[test]
fn i2_a_manager_who_has_said_yes_is_not_followed_by_the_next_above() {
    let (_, mut case) = opened(1, &[&["hal"], &["gina"]], 48);
    case.steps.iter_mut().for_each(|step| step.named = vec![Named::Manager]);
    case.decisions.push(HumanDecision {
        step: 0,
        approver: person("hal"),
        in_place_of: Vec::new(),
        approve: true,
        reason: String::new(),
        at: at(HOUR),
    });
    let none: [(&str, &str); 0] = [];
    for pairs in [none.as_slice(), &[("eve", "hal")]] {
        let mut organisation = where_they_let(pairs);
        organisation.defaults.access_approvers = vec![person("frank")];
        organisation.people.get_mut(&person("hal")).unwrap().manager = Some(person("gina"));
        organisation.people.get_mut(&person("gina")).unwrap().manager = None;
        let after = case.following(&organisation, at(2 * HOUR)).0;
        assert_eq!(after.steps[1].approvers, [person("frank")], "{pairs:?}");
    }
}

/// Who is asked by name is asked also when most of the time is over: the others would be a choice of the one who asks.
#[test]
fn i2_a_request_goes_on_to_no_others_of_whom_a_party_has_taken_one_out() {
    let (ticket, mut case) = opened(1, &[&["gina"]], 48);
    case.steps[0].named = vec![Named::Person(person("gina"))];
    let more_are_asked = |pairs: &[(&str, &str)]| {
        let mut organisation = where_they_let(pairs);
        organisation.defaults.access_approvers = vec![person("frank"), person("dan")];
        let ids = || uuid(6, 1);
        access::escalate(&ticket, &case, &At::new(at(HOUR), &organisation, &ids)).is_some()
    };
    assert!(more_are_asked(&[]));
    assert!(!more_are_asked(&[("eve", "dan")]));
}

#[test]
fn i6_an_approver_shortens_and_never_lengthens_and_the_time_runs_from_the_grant() {
    let (ticket, case) = opened(1, &[&["hal"]], 48);
    let hal = permit("hal", &ticket, &case).unwrap();
    let longer = case.decided(&yes(Some(49)), &hal, at(HOUR));
    assert_eq!(longer, Err(Refusal::NotShorter { hours: 49, hours_max: 48 }));
    let shorter = case.decided(&yes(Some(2)), &hal, at(HOUR)).unwrap();
    let grant = shorter.grant(GrantId(uuid(2, 1)), at(5 * HOUR)).unwrap();
    assert_eq!(grant.expires_at, at(7 * HOUR));
    assert_eq!(case.grant(GrantId(uuid(2, 1)), at(0)), None);
}

#[test]
fn an_approver_narrows_what_is_given_and_never_widens_it() {
    let (ticket, mut case) = opened(1, &[&["hal"]], 48);
    let scope = case.scope.as_mut().unwrap();
    (scope.role, scope.groups) = (Some("editor".to_owned()), vec!["crm:a".to_owned(), "crm:b".to_owned()]);
    let hal = permit("hal", &ticket, &case).unwrap();
    let with = |without_role: bool, groups: &[&str]| {
        let groups = Some(groups.iter().map(|group| (*group).to_owned()).collect());
        let narrow = Narrow { without_role, groups };
        case.decided(&ApproverDecision { narrow, ..yes(None) }, &hal, at(HOUR))
    };
    let less = with(true, &["crm:b"]).unwrap().scope.unwrap();
    assert_eq!((less.role, less.groups), (None, vec!["crm:b".to_owned()]));
    assert_eq!(with(false, &[]).unwrap().scope.unwrap().role.as_deref(), Some("editor"));
    assert!(matches!(with(false, &["crm:c"]), Err(Refusal::NotNarrower { .. })));
}

#[test]
fn after_its_time_a_step_can_only_be_denied_and_a_denial_says_why() {
    let (ticket, case) = opened(1, &[&["hal"]], 48);
    let hal = permit("hal", &ticket, &case).unwrap();
    // The step was due a day after the ticket came.
    let due = case.steps[0].due_at;
    assert_eq!(case.decided(&yes(None), &hal, due), Err(Refusal::Overdue { due_at: due }));
    let no = |reason: &str| ApproverDecision {
        approve: false,
        reason: reason.to_owned(),
        hours: None,
        narrow: Default::default(),
        seen: None,
    };
    assert_eq!(case.decided(&no(" "), &hal, due), Err(Refusal::ReasonMissing));
    assert_eq!(case.decided(&no("late"), &hal, due).unwrap().state, AccessState::Denied);
}

#[test]
fn what_nobody_decided_in_time_is_denied_by_the_desk_and_nothing_else_is() {
    let (ticket, mut case) = opened(1, &[&["hal"], &["gina"]], 48);
    let (first, second) = (case.steps[0].due_at, at(60 * HOUR));
    case.steps[1].due_at = second;
    assert_eq!(case.due_at(), Some(first));
    assert_eq!(case.denial(at(24 * HOUR)), None, "a millisecond is left");
    let denied = case.denial(first).unwrap();
    assert_eq!((denied.state, denied.due_at(), denied.denial(at(99 * HOUR))), (AccessState::Denied, None, None));
    assert_eq!(denied.grant(GrantId(uuid(2, 1)), first), None);
    assert_eq!(AccessCase { state: case.state, ..denied }, case, "nothing else of it has changed");

    // Each step has its own time.
    let hal = permit("hal", &ticket, &case).unwrap();
    let once = case.decided(&yes(None), &hal, at(HOUR)).unwrap();
    assert_eq!((once.due_at(), once.lapsed(first), once.lapsed(second)), (Some(second), false, true));
    let gina = permit("gina", &ticket, &once).unwrap();
    let granted = once.decided(&yes(None), &gina, first).unwrap();
    assert_eq!((granted.state, granted.denial(at(99 * HOUR))), (AccessState::Approved, None));
    assert_eq!(case.cancelled().denial(at(99 * HOUR)), None);

    // Where a later step is due first, an approval of the present one would lead nowhere.
    case.steps[1].due_at = at(12 * HOUR);
    assert_eq!((case.due_at(), case.lapsed(at(12 * HOUR))), (Some(at(12 * HOUR)), true));
    let late = case.decided(&yes(None), &hal, at(12 * HOUR));
    assert_eq!(late, Err(Refusal::Overdue { due_at: at(12 * HOUR) }));
}

#[test]
fn a_permit_for_one_case_decides_no_other() {
    let ((ticket, mine), (_, other)) = (opened(1, &[&["hal"]], 48), opened(2, &[&["hal"]], 48));
    let hal = permit("hal", &ticket, &mine).unwrap();
    assert!(other.decided(&yes(None), &hal, at(HOUR)).is_err());
}

/// A cancelled ticket must not hand out access afterwards.
#[test]
fn what_was_cancelled_is_not_approved_any_more() {
    let (ticket, case) = opened(1, &[&["hal"]], 48);
    let actor = Actor::Person { id: person("eve"), roles: [Role::Requester].into() };
    let may_cancel = permission::transition(&actor, &ticket).unwrap();
    let change = changed(HOUR, |at| {
        ticket::transition(&ticket, Some(&case), Move::to(State::Cancelled), &Around::default(), &may_cancel, at)
            .unwrap()
    });
    assert!(matches!(permit("hal", change.after(), &case), Err(Refusal::AccessSettled { .. })));
    assert_eq!(change.case().map(|case| case.state), Some(AccessState::Cancelled), "the request goes with its ticket");
}

/// The rules may grant a lower tier by the time of the approval, which has seats of its own.
#[test]
fn i23_a_lower_tier_that_the_rules_grant_by_then_needs_a_seat_of_its_own() {
    let mut organisation = organisation();
    let app = organisation.apps.get_mut("crm").unwrap();
    let basic = Tier { id: "basic".parse().unwrap(), seats: Some(1), ..app.tiers[0].clone() };
    app.tiers.insert(0, basic);
    let (ticket, case) = opened(1, &[&["hal"]], 48);
    let seats = |tier: &Tier| AccessSeen { name: AccessSeen::seats(&case.request.app, &tier.id), revision: 0 };
    let seats: Vec<AccessSeen> = organisation.apps["crm"].tiers.iter().map(seats).collect();
    let scope = Scope { tier: "basic".parse().unwrap(), role: None, groups: Vec::new(), duration_hours: 48 };
    let outcome = Outcome::Approved(scope);
    let verdict = AccessVerdict { outcome, reason: String::new(), by_desk: false, heard: Heard::All };
    for (holder, state) in [("gina", AccessState::Denied), ("eve", AccessState::Approved)] {
        let holders = vec![(person(holder), "basic".parse().unwrap())];
        let review = Review { holders, verdict: Some(verdict.clone()), ..Review::default() };
        let given = Cell::new(0);
        let ids = || uuid(6, given.replace(given.get() + 1));
        let now = At::new(at(HOUR), &organisation, &ids).reviewing(review);
        let hal = permit("hal", &ticket, &case).unwrap();
        let change = access::decide(&ticket, &case, &yes(None), &hal, &now).unwrap();
        assert_eq!(change.case().unwrap().state, state, "{holder} has the only seat");
        // It waits for the seats of what is given, and not for those of other tiers, nor for any where nothing is given.
        let waited_for = if state == AccessState::Approved { &seats[..1] } else { &[] };
        assert_eq!(change.only_while(seats.clone()).access_seen(), waited_for, "{holder} has the only seat");
    }
}

/// A rule may say what the desk says, word for word: it is the rule's all the same.
#[test]
fn a_request_keeps_which_words_of_its_reason_are_the_desk_s() {
    let (_, by_rule) = opened(1, &[&["hal"]], 48);
    assert_eq!(by_rule.said(), ("", "policy 7"));
    let as_the_desk = AccessCase { reason: "a rule failed, so a person decides".to_owned(), ..by_rule.clone() };
    assert_eq!(as_the_desk.said(), ("", "a rule failed, so a person decides"));
    let by_desk = AccessCase { own_words: Some(ALL_WORDS), ..as_the_desk.clone() };
    assert_eq!(by_desk.said(), ("a rule failed, so a person decides", ""));
    let both = AccessCase { reason: "at once; policy 7".to_owned(), own_words: Some("at once".len()), ..as_the_desk };
    assert_eq!(both.said(), ("at once", "; policy 7"));
    let from_before = AccessCase { own_words: None, ..both };
    assert_eq!(from_before.said(), ("at once; policy 7", ""), "whose they are was not kept");
    // A text that was shortened since, or has another name in it, is cut nowhere that it cannot be.
    let erased = AccessCase { reason: "ää".to_owned(), own_words: Some(1), ..by_rule };
    assert_eq!(erased.said(), ("ää", ""));
}
