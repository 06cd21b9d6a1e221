//! A small organisation, tickets made by the domain itself, and a store on either database.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ruledesk::desk::access::AccessRequest;
use ruledesk::desk::actor::{Actor, Role, RuleRef};
use ruledesk::desk::change::Change;
use ruledesk::desk::change::at::At;
use ruledesk::desk::id::{PersonId, RunId, TeamId, TicketId};
use ruledesk::desk::organisation::directory::{Source, Validity};
use ruledesk::desk::organisation::form::Raw;
use ruledesk::desk::organisation::service::{Closing, RoutingAgain, Watch};
use ruledesk::desk::organisation::{
    App, Calendar, Category, Defaults, FieldKind, FieldSpec, Kind, Member, OpenHours, Organisation, Person,
    PriorityLevel, RequestType, Strategy, Team, Tier,
};
use ruledesk::desk::permission;
use ruledesk::desk::ticket::intake::{NewTicket, Submission};
use ruledesk::desk::ticket::submit::{self, Verdicts};
use ruledesk::desk::verdict::access::{AccessVerdict, Approval, ApprovalStep, Heard, Outcome, Scope};
use ruledesk::desk::verdict::{self, Changes, Destination, Given};
use ruledesk::store::rules::packing::Dictionary;
use ruledesk::store::tickets::list::{Filter, Start};
use ruledesk::store::{Commit, Committed, DecisionRecord, RunRecord, Store, Target};
use uuid::Uuid;

use crate::support::place::{migrated_database, put_migrated_file};

/// 2026-08-03T08:00:00Z, a Monday.
pub const NOW: i64 = 1_785_744_000_000;

pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(NOW + ms).unwrap()
}

/// An id that is the same in every run: the `n`-th of its kind.
pub fn uuid(kind: u16, n: u128) -> Uuid {
    Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 | (u128::from(kind) << 40) | n)
}

pub fn person(id: &str) -> PersonId {
    id.parse().unwrap()
}

/// A store on a fresh SQLite file, which lives as long as the folder.
pub async fn on_sqlite() -> (Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("desk.db");
    put_migrated_file(&file);
    (Store::open(&Target::Sqlite(file)).await.unwrap(), dir)
}

/// A store on a fresh PostgreSQL database, and where that is.
pub async fn on_postgres() -> (Store, Target) {
    let target = Target::Postgres(migrated_database());
    (Store::open(&target).await.unwrap(), target)
}

/// Plays a scenario on both databases, and on a PostgreSQL that refuses much at first, and returns its answer, which has to
/// be the same.
pub async fn on_both<T: PartialEq + std::fmt::Debug>(scenario: impl AsyncFn(Store) -> T) -> T {
    let (sqlite, _dir) = on_sqlite().await;
    let (postgres, _) = on_postgres().await;
    let (strict, _) = on_strict_postgres().await;
    let one = scenario(sqlite.clone()).await;
    let other = scenario(postgres.clone()).await;
    let third = scenario(strict.clone()).await;
    for store in [sqlite, postgres, strict] {
        store.close().await;
    }
    assert_eq!(one, other, "left SQLite, right PostgreSQL");
    assert_eq!(one, third, "left SQLite, right PostgreSQL with serializable transactions, of which some fail at first");
    one
}

/// Of transactions that change any of the tables, every third fails at its first such change with a serialization failure
/// (SQLSTATE 40001). Sequences count on also where a transaction fails, so the next try fares better. No ticket has been
/// inserted by then, so that no number is left out.
const INJECTOR: &str = "
    create sequence injected;
    create function inject() returns trigger language plpgsql as $$
    begin
        if coalesce(current_setting('ruledesk.spared', true), '') = '' then
            perform set_config('ruledesk.spared', 'yes', true);
            if nextval('injected') % 3 = 1 then
                raise exception 'injected' using errcode = '40001';
            end if;
        end if;
        return null;
    end $$;
    do $$
    declare changed text;
    begin
        foreach changed in array array['team_turns', 'idempotency', 'tokens', 'grants', 'deployments', 'rule_versions',
                                       'table_versions', 'tables_live'] loop
            continue when to_regclass(changed) is null;
            execute format('create trigger inject before insert or update or delete on %I
                            for each statement execute function inject()', changed);
        end loop;
    end $$;
    create trigger inject before update on tickets for each statement execute function inject();
    do $$
    begin
        execute format('alter database %I set default_transaction_isolation = serializable', current_database());
    end $$;";

/// A store on a fresh PostgreSQL database whose transactions are serializable, and where every third fails at first.
pub async fn on_strict_postgres() -> (Store, Target) {
    use sqlx::{Connection as _, Executor as _};
    let (store, target) = on_postgres().await;
    store.close().await;
    let Target::Postgres(url) = &target else { panic!("it is PostgreSQL") };
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    connection.execute(INJECTOR).await.unwrap();
    connection.close().await.unwrap();
    (Store::open(&target).await.unwrap(), target)
}

fn people() -> BTreeMap<PersonId, Person> {
    // Ids that byte order and a dictionary's order sort differently.
    let ids = ["amara", "Bo", "bo.li", "bo-li", "bo_li", "Zoe", "carol", "dan", "eve", "frank", "gina", "hal"];
    ids.into_iter()
        .map(|id| {
            let manager = (id != "hal").then(|| person("hal"));
            let person = Person {
                id: person(id),
                name: id.to_owned(),
                email: String::new(),
                department: "ops".to_owned(),
                title: String::new(),
                location: String::new(),
                manager,
                groups: Vec::new(),
                vip: false,
                active: true,
                attributes: BTreeMap::new(),
                delegations: Vec::new(),
                same_as: None,
                valid: Validity::default(),
                source: Source::Configuration,
            };
            (person.id.clone(), person)
        })
        .collect()
}

fn team(id: &str, strategy: Strategy, members: &[&str]) -> (TeamId, Team) {
    let member = |id: &&str| Member {
        person: person(id),
        skills: BTreeSet::new(),
        available: true,
        shift: None,
        capacity: None,
        absences: Vec::new(),
    };
    let team = Team {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        members: members.iter().map(member).collect(),
        strategy,
        tier: 1,
        escalates_to: None,
        resolution_minutes: None,
        take_up_minutes: None,
        take_up_times: 3,
        lead: None,
        calendar: None,
    };
    (team.id.clone(), team)
}

fn forms() -> [RequestType; 2] {
    let field = |name: &str, kind| FieldSpec {
        name: name.to_owned(),
        label: name.to_owned(),
        kind,
        required: false,
        help: String::new(),
        show_when: Default::default(),
        require_when: Default::default(),
    };
    let options = || vec!["red".to_owned(), "blue".to_owned()];
    let text = || FieldKind::Text { chars_max: 100 };
    let form = |id: &str, fields, grants_access| RequestType {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        kind: Kind::Incident,
        category: None,
        fields,
        grants_access,
        closing: Closing::default(),
        parts: Vec::new(),
        tasks: Vec::new(),
    };
    let fault = vec![
        field("device", text()),
        field("count", FieldKind::Number { min: None, max: None }),
        field("urgent", FieldKind::Flag),
        field("day", FieldKind::Date),
        field("colour", FieldKind::Choice { options: options() }),
        field("colours", FieldKind::Choices { options: options() }),
    ];
    let access = vec![field("app", text()), field("tier", text()), field("justification", text())];
    [form("fault", fault, false), form("access", access, true)]
}

fn crm() -> App {
    let tier = Tier {
        id: "pro".parse().unwrap(),
        name: "Pro".to_owned(),
        risk: "low".to_owned(),
        hours_max: 720,
        groups: vec!["crm-pro".parse().unwrap()],
        roles: vec!["editor".to_owned()],
        seats: None,
        monthly_cost: None,
        presets: Vec::new(),
        emergency_hours: None,
        deadlines: None,
    };
    App {
        id: "crm".parse().unwrap(),
        name: "CRM".to_owned(),
        owner: None,
        tiers: vec![tier],
        attributes: BTreeMap::new(),
        description: String::new(),
        keywords: Vec::new(),
        alternatives: Vec::new(),
        requestable_by: Vec::new(),
        connector: None,
        one_tier: true,
        deadlines: None,
        ends_when_removed: false,
        sessions_hours: None,
        default_tier: None,
    }
}

fn always_from_eight() -> Calendar {
    let open = OpenHours { start: jiff::civil::time(8, 0, 0, 0), end: jiff::civil::time(18, 0, 0, 0) };
    Calendar { zone: TimeZone::UTC, week: std::array::from_fn(|_| vec![open]), holidays: BTreeSet::new() }
}

fn defaults() -> Defaults {
    Defaults {
        team: "even".parse().unwrap(),
        priority: "medium".parse().unwrap(),
        category: "other".parse().unwrap(),
        access_approvers: vec![person("hal"), person("gina"), person("frank"), person("eve")],
        access_due_hours: 48,
        deadlines: ruledesk::desk::sla::Deadlines::Clock,
        access_fallback_hours: 24,
        one_approver_for_several_steps: false,
        leavers_max: None,
        ends_on_move: false,
    }
}

pub fn organisation() -> Organisation {
    let level = |id: &str, minutes| PriorityLevel {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        first_response_minutes: minutes,
        resolution_minutes: minutes * 4,
        update_minutes: None,
        calendar: None,
    };
    let category = |id: &str| {
        let (id, name) = (id.parse().unwrap(), id.to_owned());
        let (team, priority, template, knowledge, promises) = (None, None, None, None, BTreeMap::new());
        let category = Category { id, name, team, priority, template, knowledge, promises, catch_all: false };
        (category.id.clone(), category)
    };
    Organisation {
        name: "Test".to_owned(),
        calendar: always_from_eight(),
        calendars: BTreeMap::new(),
        people: people(),
        people_from: Source::Configuration,
        department_readers: Vec::new(),
        teams: [
            team("even", Strategy::RoundRobin, &["amara", "Bo", "bo.li", "bo-li"]),
            team("odd", Strategy::LeastLoaded, &["bo_li", "Zoe", "carol"]),
            team("solo", Strategy::RoundRobin, &["dan"]),
        ]
        .into(),
        categories: ["network", "network.vpn", "network-old", "networks", "other"].map(category).into(),
        tags: ["vip".parse().unwrap(), "site".parse().unwrap()].into(),
        requester_tags: ["site".parse().unwrap()].into(),
        impacts: vec!["low".parse().unwrap(), "high".parse().unwrap()],
        urgencies: vec!["low".parse().unwrap(), "high".parse().unwrap()],
        priorities: vec![level("critical", 15), level("medium", 60), level("low", 240)],
        matrix: BTreeMap::new(),
        request_types: forms().map(|form| (form.id.clone(), form)).into(),
        apps: [crm()].map(|app| (app.id.clone(), app)).into(),
        connectors: BTreeMap::new(),
        incompatible: Vec::new(),
        currency: String::new(),
        defaults: defaults(),
        routing: RoutingAgain::default(),
        closing: Closing::default(),
        watch: Watch::default(),
        macros: BTreeMap::new(),
        canned_replies: Vec::new(),
        schedules: Vec::new(),
        devices: None,
    }
}

/// What a test wants of a ticket; the rest is as plain as possible.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub n: u128,
    pub requester: &'static str,
    pub team: &'static str,
    pub priority: &'static str,
    pub category: &'static str,
    pub subject: String,
    pub fields: Vec<(String, Raw)>,
    pub at: Timestamp,
}

impl Wanted {
    pub fn new(n: u128) -> Wanted {
        Wanted {
            n,
            requester: "eve",
            team: "even",
            priority: "medium",
            category: "other",
            subject: format!("ticket {n}"),
            fields: Vec::new(),
            at: at(i64::try_from(n).unwrap()),
        }
    }

    /// The ticket with all that belongs to it, as the domain opens it.
    pub fn create(&self, organisation: &Organisation) -> Commit {
        create(organisation, self, "fault", None)
    }
}

/// Access that is asked for, with what was decided.
type AskedAccess = Option<(AccessRequest, AccessVerdict)>;

fn given<A>(answer: A) -> Given<A> {
    let rule = RuleRef { name: "a-rule".to_owned(), version: "1.0.0".to_owned() };
    Given { rule, reason: "because".to_owned(), overrides: false, answer: Some(answer) }
}

fn create(organisation: &Organisation, wanted: &Wanted, form: &str, access: AskedAccess) -> Commit {
    let actor = Actor::Person { id: person(wanted.requester), roles: [Role::Requester].into() };
    let permit = permission::create(organisation, &actor, None).unwrap();
    let submission = Submission {
        request_type: form.to_owned(),
        channel: "api".to_owned(),
        subject: wanted.subject.clone(),
        body: "It does not work.\nAt all.".to_owned(),
        fields: wanted.fields.clone(),
        ..Submission::default()
    };
    let new = NewTicket::check(organisation, &permit, submission).unwrap();
    let change = open(organisation, wanted, new, verdicts(organisation, wanted, form, access));
    let run = run(wanted.n, wanted.at, 40).pack(&Dictionary::shipped(), Vec::new()).unwrap();
    Commit { change, run: Some(run), idempotency: None }
}

/// The change with which a ticket opens.
pub fn open(organisation: &Organisation, wanted: &Wanted, new: NewTicket, verdicts: Verdicts) -> Change {
    let ids = ids(3, wanted.n);
    submit::open(new, verdicts, TicketId(uuid(1, wanted.n)), &At::new(wanted.at, organisation, &ids))
}

/// Ids that are the same in every run, for the `n`-th change of a kind.
fn ids(kind: u16, n: u128) -> impl Fn() -> Uuid {
    let count = Cell::new(0);
    move || uuid(kind, n * 1_000 + count.replace(count.get() + 1))
}

/// A change that is made so long after the start.
pub fn changed<T>(ms: i64, make: impl FnOnce(&At<'_>) -> T) -> T {
    changed_of(0, ms, make)
}

/// A change of the `n`-th ticket, where several change at one instant.
pub fn changed_of<T>(n: u128, ms: i64, make: impl FnOnce(&At<'_>) -> T) -> T {
    let ids = ids(6, n * 1_000_000 + u128::try_from(ms).unwrap() % 1_000_000);
    make(&At::new(at(ms), &organisation(), &ids))
}

/// The verdicts with which a plain ticket opens.
pub fn plain_verdicts(organisation: &Organisation, wanted: &Wanted) -> Verdicts {
    verdicts(organisation, wanted, "fault", None)
}

fn verdicts(organisation: &Organisation, wanted: &Wanted, form: &str, access: AskedAccess) -> Verdicts {
    let kind = organisation.request_types.get(form).unwrap();
    let category = verdict::Classification {
        category: Some(wanted.category.parse().unwrap()),
        tags: vec!["vip".parse().unwrap()],
        kind: None,
    };
    let (rank, _) = organisation.priority(&wanted.priority.parse().unwrap()).unwrap();
    let rating = verdict::Rating {
        impact: Some("high".parse().unwrap()),
        urgency: None,
        level: wanted.priority.parse().unwrap(),
        rank,
    };
    let destination = Destination { team: Some(wanted.team.parse().unwrap()), ..Destination::default() };
    let classified = verdict::categorization(organisation, kind, &[given(category)]);
    let routed = verdict::routing(organisation, &classified.category.value, &[given(Some(destination))]);
    Verdicts {
        changes: Changes { signals: vec!["seen".to_owned()], ..Changes::default() },
        rated: verdict::priority(organisation, None, &[given(Some(rating))]),
        classified,
        routed,
        access,
    }
}

/// A ticket that asks for access; `approvers` agree in one step each, and none means that it is granted at once.
pub fn create_access(organisation: &Organisation, wanted: &Wanted, approvers: &[&[&str]], hours: u32) -> Commit {
    let steps: Vec<(&[&str], u32)> = approvers.iter().map(|people| (*people, 24)).collect();
    create_access_due(organisation, wanted, &steps, hours)
}

/// The same with a time of its own for each step, in hours.
pub fn create_access_due(organisation: &Organisation, wanted: &Wanted, steps: &[(&[&str], u32)], hours: u32) -> Commit {
    let scope = Scope {
        tier: "pro".parse().unwrap(),
        role: Some("editor".to_owned()),
        groups: vec!["crm-pro".to_owned()],
        duration_hours: hours,
    };
    let request = AccessRequest {
        extends: false,
        emergency: false,
        starts: None,
        app: "crm".parse().unwrap(),
        tier: "pro".parse().unwrap(),
        role: Some("editor".to_owned()),
        duration_hours: Some(hours),
        justification: "to sell".to_owned(),
        subject: person(wanted.requester),
    };
    let steps: Vec<ApprovalStep> = steps
        .iter()
        .map(|(people, due_in_hours)| ApprovalStep {
            approvers: people.iter().map(|id| person(id)).collect(),
            needed: 1,
            due_in_hours: *due_in_hours,
            named: Vec::new(),
        })
        .collect();
    let outcome = if steps.is_empty() { Outcome::Approved(scope) } else { Outcome::Await(Approval { steps, scope }) };
    let verdict = AccessVerdict { outcome, reason: "policy 7".to_owned(), heard: Heard::All, by_desk: false };
    create(organisation, wanted, "access", Some((request, verdict)))
}

/// A run of the rules with five stages, whose texts have about `size` bytes each.
pub fn run(n: u128, at: Timestamp, size: usize) -> RunRecord {
    let text = |name: &str| format!("{{\"{name}\":\"{}\"}}", "x".repeat(size));
    let decision =
        |stage| DecisionRecord { stage, input: text("input"), verdict: text("verdict"), rules: text("rules") };
    RunRecord {
        id: RunId(uuid(4, n)),
        ticket: TicketId(uuid(1, n)),
        at,
        generation: 7,
        revision: Some(3),
        cause: "created",
        engine: "a test",
        common: text("common"),
        decisions: ["intake", "categorization", "priority", "routing", "access"].map(decision).into(),
    }
}

/// Who got it.
pub fn assignee(committed: &Committed) -> Option<PersonId> {
    match committed {
        Committed::Written { assignee, .. } => assignee.clone(),
        Committed::Before(_) => None,
    }
}

/// How many tickets there are.
pub async fn count(store: &Store) -> usize {
    let (mut count, mut next) = (0, Some(Start::Number(None)));
    while let Some(start) = next {
        let page = store.tickets(&Filter::default(), start, 200).await.unwrap();
        count += page.items.len();
        next = page.next;
    }
    count
}
