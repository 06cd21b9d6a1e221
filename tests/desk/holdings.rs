//! Entitlements in apps against a reference model: as access is granted, revoked and expires, in any order, with lost
//! answers, crashes and late looks in between, the app has at the end what the grants that are left give, and what was there
//! before any of them.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use ruledesk::desk::access::provisioning::progress::{self, Came, Report, may_be_sent};
use ruledesk::desk::access::provisioning::{Direction, Entitlement, Holding, Op, OpState};
use ruledesk::desk::access::{self, AccessRequest, AccessWrite, Grant, GrantState, Review};
use ruledesk::desk::actor::{Actor, Role};
use ruledesk::desk::change::Change;
use ruledesk::desk::change::at::At;
use ruledesk::desk::id::{GrantId, TicketId};
use ruledesk::desk::organisation::Organisation;
use ruledesk::desk::organisation::connector::{Connector, Kind, Rest};
use ruledesk::desk::permission;
use ruledesk::desk::ticket::Ticket;
use ruledesk::desk::ticket::intake::{NewTicket, Submission};
use ruledesk::desk::ticket::submit;
use ruledesk::desk::verdict::access::{AccessVerdict, Heard, Outcome, Scope};
use uuid::Uuid;

use crate::store::fixture::{Wanted, at, organisation, person, plain_verdicts, uuid};

const HOUR: i64 = 3_600_000;
const TIERS: [&str; 2] = ["basic", "pro"];

/// The app's dealing with an order that is sent.
#[derive(Debug, Clone, Copy)]
enum Luck {
    Done,
    /// It is done, and no answer comes.
    DoneAndLost,
    /// Nothing is done, and no answer comes.
    Lost,
    /// The app wants to be asked later.
    Busy,
    /// It is done, and the desk dies before it hears of it.
    Crash,
    /// It is done, and shows only later.
    Slow,
    /// Of a replacement the new tier is there, the old one is not gone, and no answer comes.
    Half,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Grant { tier: usize, hours: u32, group: bool },
    Revoke(usize),
    Pass { hours: i64 },
    Work { which: usize, luck: Luck },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let luck = prop_oneof![
        4 => Just(Luck::Done),
        1 => Just(Luck::DoneAndLost),
        1 => Just(Luck::Lost),
        1 => Just(Luck::Busy),
        1 => Just(Luck::Crash),
        1 => Just(Luck::Slow),
        1 => Just(Luck::Half),
    ];
    let step = prop_oneof![
        2 => (0..2_usize, 1..20_u32, any::<bool>()).prop_map(|(tier, hours, group)| Step::Grant { tier, hours, group }),
        1 => (0..8_usize).prop_map(Step::Revoke),
        2 => (1..12_i64).prop_map(|hours| Step::Pass { hours }),
        6 => (0..8_usize, luck).prop_map(|(which, luck)| Step::Work { which, luck }),
    ];
    prop::collection::vec(step, 0..60)
}

fn rest() -> Kind {
    Kind::Rest(Rest { url: String::new(), token_file: None, calls: BTreeMap::new() })
}

/// The desk's books and the app, side by side.
struct World {
    organisation: Organisation,
    hour: i64,
    tickets: BTreeMap<TicketId, Ticket>,
    grants: BTreeMap<GrantId, Grant>,
    holdings: Vec<Holding>,
    ops: Vec<Op>,
    /// All that the person has in the app.
    app: BTreeSet<Entitlement>,
    /// All that they had there before the desk.
    before: BTreeSet<Entitlement>,
    ids: Cell<u128>,
    next: u128,
}

impl World {
    fn new(before: BTreeSet<Entitlement>) -> World {
        let mut organisation = organisation();
        let connector = Connector {
            id: "peer".parse().unwrap(),
            internal: false,
            last_sign_in: None,
            orders_per_minute: None,
            kind: Kind::Manual,
        };
        let app = organisation.apps.get_mut("crm").unwrap();
        app.connector = Some(connector.id.clone());
        let mut basic = app.tiers[0].clone();
        basic.id = "basic".parse().unwrap();
        app.tiers.insert(0, basic);
        organisation.connectors.insert(connector.id.clone(), connector);
        World {
            organisation,
            hour: 0,
            tickets: BTreeMap::new(),
            grants: BTreeMap::new(),
            holdings: Vec::new(),
            ops: Vec::new(),
            app: before.clone(),
            before,
            ids: Cell::new(1),
            next: 1,
        }
    }

    /// The same with an app to which the desk writes itself.
    fn written_to() -> World {
        let mut world = World::new(BTreeSet::new());
        world.connect(&rest());
        world
    }

    fn connect(&mut self, kind: &Kind) {
        self.organisation.connectors.values_mut().for_each(|connector| connector.kind = kind.clone());
    }

    fn now(&self) -> Timestamp {
        at(self.hour * HOUR)
    }

    fn make<T>(&self, make: impl FnOnce(&At<'_>) -> T) -> T {
        let ids = || -> Uuid { uuid(9, self.ids.replace(self.ids.get() + 1)) };
        let review = Review {
            held: self.grants.values().cloned().collect(),
            holdings: self.holdings.clone(),
            ops: self.ops.clone(),
            ..Review::default()
        };
        make(&At::new(self.now(), &self.organisation, &ids).reviewing(review))
    }

    /// Writes a change as the store does.
    fn write(&mut self, change: &Change) {
        let ticket = change.after().clone();
        self.tickets.insert(ticket.id, ticket);
        for write in change.access() {
            match write {
                AccessWrite::Grant(grant) => drop(self.grants.insert(grant.id, grant.clone())),
                AccessWrite::Revoke { grant, at } => self.grants.get_mut(grant).unwrap().revoked_at = Some(*at),
                AccessWrite::Replace { grant, at } => self.grants.get_mut(grant).unwrap().expires_at = *at,
                AccessWrite::Stand { grant, state, reason } => {
                    let grant = self.grants.get_mut(grant).unwrap();
                    (grant.state, grant.end_reason) = (*state, reason.or(grant.end_reason));
                }
                AccessWrite::Op(op) => match self.ops.iter_mut().find(|known| known.id == op.id) {
                    Some(known) => *known = op.clone(),
                    None => self.ops.push(op.clone()),
                },
                AccessWrite::Hold(holding) => {
                    self.holdings.retain(|known| known.entitlement != holding.entitlement);
                    self.holdings.push(holding.clone());
                }
                AccessWrite::Drop(holding) => self.holdings.retain(|known| known.entitlement != holding.entitlement),
                AccessWrite::Open(_)
                | AccessWrite::Update { .. }
                | AccessWrite::Review(_)
                | AccessWrite::Question(_) => {}
            }
        }
    }

    fn grant(&mut self, tier: usize, hours: u32, group: bool) {
        let wanted = Wanted { requester: "eve", at: self.now(), ..Wanted::new(self.next) };
        self.next += 1;
        let groups = if group { vec!["crm-pro".to_owned()] } else { Vec::new() };
        let scope = Scope { tier: TIERS[tier].parse().unwrap(), role: None, groups, duration_hours: hours };
        let request = AccessRequest {
            extends: false,
            emergency: false,
            starts: None,
            app: "crm".parse().unwrap(),
            tier: scope.tier.clone(),
            role: None,
            duration_hours: Some(hours),
            justification: "to sell".to_owned(),
            subject: person("eve"),
        };
        let mut verdicts = plain_verdicts(&self.organisation, &wanted);
        let (outcome, reason) = (Outcome::Approved(scope), "policy 7".to_owned());
        verdicts.access = Some((request, AccessVerdict { outcome, reason, heard: Heard::All, by_desk: false }));
        let actor = Actor::Person { id: person("eve"), roles: [Role::Requester].into() };
        let permit = permission::create(&self.organisation, &actor, None).unwrap();
        let submission = Submission {
            request_type: "fault".to_owned(),
            channel: "api".to_owned(),
            subject: wanted.subject.clone(),
            fields: wanted.fields.clone(),
            ..Submission::default()
        };
        let new = NewTicket::check(&self.organisation, &permit, submission).unwrap();
        let id = TicketId(uuid(1, wanted.n));
        let change = self.make(|at| submit::open(new, verdicts, id, at));
        self.write(&change);
    }

    fn revoke(&mut self, which: usize) {
        let live: Vec<Grant> = self.grants.values().filter(|grant| !grant.has_ended(self.now())).cloned().collect();
        let Some(grant) = live.get(which % live.len().max(1)) else { return };
        let ticket = &self.tickets[&grant.ticket];
        let admin = Actor::Person { id: person("hal"), roles: [Role::Admin].into() };
        let permit = permission::revoke(&admin, ticket, None, &grant.subject).unwrap();
        let change = self.make(|at| access::revoke(ticket, grant, "over", &permit, at).unwrap());
        self.write(&change);
    }

    fn pass(&mut self, hours: i64) {
        self.hour += hours;
        let due: Vec<GrantId> = self.grants.values().filter(|g| g.expires_at <= self.now()).map(|g| g.id).collect();
        for id in due {
            let grant = self.grants[&id].clone();
            let change = self.make(|at| access::expire(&self.tickets[&grant.ticket], &grant, at));
            if let Some(change) = change {
                self.write(&change);
            }
        }
    }

    fn open(&self) -> Vec<Op> {
        let open: Vec<Op> = self.ops.iter().filter(|op| op.state.is_open()).cloned().collect();
        let is_to_come = |op: &Op| op.direction == Direction::Grant || progress::is_looked_for(op);
        let account = |op: &&Op| op.entitlement == Entitlement::Account && is_to_come(op);
        let free = |op: &&Op| match (&op.entitlement, op.direction) {
            (Entitlement::Account, Direction::Revoke) => progress::is_looked_for(op) || open.len() == 1,
            (Entitlement::Account, _) | (_, Direction::Revoke) => true,
            _ => !open.iter().any(|other| account(&other)),
        };
        open.iter().filter(free).cloned().collect()
    }

    fn is_there(&self, op: &Op) -> bool {
        let old = op.replaces.clone().map(Entitlement::Tier);
        self.app.contains(&op.entitlement) && !old.is_some_and(|old| self.app.contains(&old))
    }

    fn is_done(&self, op: &Op) -> bool {
        self.is_there(op) == (op.direction != Direction::Revoke)
    }

    fn act(&mut self, op: &Op, half: bool) {
        match op.direction {
            Direction::Revoke => drop(self.app.remove(&op.entitlement)),
            Direction::Grant | Direction::Replace => drop(self.app.insert(op.entitlement.clone())),
        }
        if let Some(tier) = op.replaces.as_ref().filter(|_| !half) {
            self.app.remove(&Entitlement::Tier(tier.clone()));
        }
    }

    fn report(&mut self, op: &Op, attempt: u32, came: Came) {
        let report = Report { op: op.id, attempt, came, said: String::new() };
        let ticket = &self.tickets[&op.ticket];
        let change = self.make(|at| progress::take(ticket, std::slice::from_ref(&report), at));
        if let Some(change) = change {
            self.write(&change);
        }
    }

    /// One piece of the job's work, as the job does it.
    fn work(&mut self, which: usize, luck: Luck) {
        let open = self.open();
        let Some(op) = open.get(which % open.len().max(1)).cloned() else { return };
        let done = self.is_done(&op);
        if op.is_unsent() && done {
            return self.report(&op, 0, Came::Found);
        }
        if !may_be_sent(op.state) {
            return self.report(&op, op.attempt, if done { Came::Verified } else { Came::NotThere });
        }
        let ticket = &self.tickets[&op.ticket];
        let until = at((self.hour + 1) * HOUR);
        let Some(change) = self.make(|at| progress::sending(ticket, &[op.id], until, at)) else { return };
        self.write(&change);
        if !matches!(luck, Luck::Lost | Luck::Busy) {
            self.act(&op, matches!(luck, Luck::Half));
        }
        let attempt = op.attempt + 1;
        match luck {
            Luck::Done => self.report(&op, attempt, Came::Verified),
            Luck::DoneAndLost | Luck::Lost | Luck::Half => self.report(&op, attempt, Came::Unknown),
            Luck::Busy => self.report(&op, attempt, Came::Later(until)),
            Luck::Slow => self.report(&op, attempt, Came::Applied),
            Luck::Crash => {}
        }
        // A second answer to the same attempt, or one that comes too late, changes nothing that was settled.
        if matches!(luck, Luck::Done) {
            let before = (self.ops.clone(), self.holdings.clone());
            self.report(&op, attempt, Came::Unknown);
            self.report(&op, attempt.saturating_sub(1), Came::NotThere);
            assert_eq!((self.ops.clone(), self.holdings.clone()), before);
        }
    }

    /// All that is left to do is done, with no more trouble.
    fn drain(&mut self) {
        for _ in 0..400 {
            if self.open().is_empty() {
                return;
            }
            self.work(0, Luck::Done);
        }
        panic!("it does not come to an end: {:?}", self.ops.iter().filter(|op| op.state.is_open()).collect::<Vec<_>>());
    }

    /// All that the person is to have by the model: the union of what the grants give that are not over, the highest tier only,
    /// and what was there before.
    fn model(&self) -> BTreeSet<Entitlement> {
        let live = || self.grants.values().filter(|grant| !grant.has_ended(self.now()));
        let mut all: BTreeSet<Entitlement> = live().flat_map(Grant::entitlements).collect();
        if live().any(|grant| grant.tier.as_str() == "pro") {
            all.remove(&Entitlement::Tier("basic".parse().unwrap()));
        }
        all.extend(self.before.iter().cloned());
        all
    }

    fn check(&self) {
        assert_eq!(self.app, self.model(), "grants: {:#?}", self.grants);
        for grant in self.grants.values() {
            let settled = matches!(grant.state, GrantState::Active | GrantState::Ended);
            assert!(settled, "{:?} of {}", grant.state, grant.id);
            assert_eq!(grant.state == GrantState::Active, !grant.has_ended(self.now()));
        }
        for op in &self.ops {
            assert!(!op.state.is_open());
            assert_ne!(op.state, OpState::Rejected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn i10_i12_the_app_has_what_the_grants_give_whatever_happens_on_the_way(
        steps in steps(),
        before in 0..3_usize,
        by_hand in any::<bool>(),
    ) {
        let all = [Entitlement::Account, Entitlement::Group("crm-pro".to_owned())];
        let mut world = World::new(all.into_iter().take(before).collect());
        world.connect(&if by_hand { Kind::Manual } else { rest() });
        for step in steps {
            match step {
                Step::Grant { tier, hours, group } => world.grant(tier, hours, group),
                Step::Revoke(which) => world.revoke(which),
                Step::Pass { hours } => world.pass(hours),
                Step::Work { which, luck } => world.work(which, luck),
            }
        }
        world.drain();
        world.check();
        world.pass(1000);
        world.drain();
        world.check();
        prop_assert_eq!(&world.app, &world.before, "in the end all is as it was");
        prop_assert!(world.holdings.is_empty());
    }
}

/// The app's answer comes after the time of the grant, and before the sweep that ends it.
#[test]
fn a_grant_whose_time_is_over_does_not_become_active() {
    let mut world = World::new(BTreeSet::new());
    world.grant(0, 1, false);
    world.hour = 2;
    world.drain();
    assert!(world.grants.values().all(|grant| grant.state == GrantState::Provisioning), "{:?}", world.grants);
    world.pass(0);
    world.drain();
    world.check();
    assert!(world.app.is_empty());
}

/// A tier that the app has accepted and does not show yet, of a grant that is taken back meanwhile.
fn taken_back_before_it_shows() -> World {
    let mut world = World::written_to();
    world.grant(0, 10, false);
    world.work(0, Luck::Done);
    world.work(0, Luck::Slow);
    let op = world.open()[0].clone();
    assert_eq!((op.state, &op.entitlement), (OpState::Applied, &Entitlement::Tier("basic".parse().unwrap())));
    world.report(&op, op.attempt, Came::NotThere);
    world.revoke(0);
    assert!(world.grants.values().all(|grant| grant.state == GrantState::Deprovisioning), "{:?}", world.grants);
    world
}

#[test]
fn i09_what_shows_late_is_looked_for_once_more_and_taken_away() {
    let mut world = taken_back_before_it_shows();
    assert!(!world.app.is_empty());
    world.drain();
    world.check();
    assert!(world.app.is_empty() && world.holdings.is_empty(), "{:?}", world.app);
}

#[test]
fn i09_what_never_shows_is_given_anew_to_the_next_grant() {
    let mut world = taken_back_before_it_shows();
    world.app.remove(&Entitlement::Tier("basic".parse().unwrap()));
    world.grant(0, 10, false);
    world.drain();
    world.check();
    assert_eq!(world.app.len(), 2, "the account and the tier");
}

/// A person was asked to do it, and the desk writes to the app itself again before they have said anything.
#[test]
fn i09_what_a_person_may_have_done_is_looked_for_when_the_connector_is_back() {
    let mut world = World::written_to();
    world.grant(0, 10, false);
    world.work(0, Luck::Done);
    let op = world.open()[0].clone();
    let until = at(HOUR);
    let change = world.make(|at| progress::sending(&world.tickets[&op.ticket], &[op.id], until, at)).unwrap();
    world.write(&change);
    world.act(&op, false);
    world.connect(&Kind::Manual);
    world.report(&op, 1, Came::ByHand);
    world.connect(&rest());
    world.revoke(0);
    assert!(world.grants.values().all(|grant| grant.state == GrantState::Deprovisioning), "{:?}", world.grants);
    world.drain();
    world.check();
    assert!(world.app.is_empty(), "{:?}", world.app);
}
