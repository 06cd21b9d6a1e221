//! Access through everything that can happen to it, in any order: requests, denials, more time, revocations, people who leave, come back
//! and move, drift, faults of the app, restarts, clocks that go back, and the death of the process at each point before and after a commit and a sending. At the end the
//! app has what a model of a few lines says, and the ledger holds.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::components::example_rules;
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::place::Database;
use crate::support::scim::{Fault, Phase, ScimApp, TOKEN};
use crate::support::wait::side_by_side;

/// The people of one round: each goes through a schedule of their own, in the same desk and the same app.
const PEOPLE: [&str; 12] =
    ["amara", "jonas", "sofia", "ben", "elif", "marco", "anja", "oskar", "wei", "hugo", "emma", "paul"];
/// Those of them whom no configuration names: they leave and come back on the way.
const MAY_LEAVE: [&str; 10] = ["amara", "jonas", "sofia", "ben", "elif", "marco", "anja", "oskar", "wei", "hugo"];
/// Rounds where nothing is said: so many schedules are 60.
const ROUNDS: usize = 5;
/// Acts of each schedule.
const STEPS: usize = 6;
/// How often a request is sent that takes too long each time.
const SENT_MAX: usize = 30;

/// Numbers that look random, the same for each seed (xorshift).
struct Chance(u64);

impl Chance {
    fn of(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// A grant as the model has it.
#[derive(Debug, Clone)]
struct Held {
    tier: &'static str,
    expires_at: Timestamp,
    over: bool,
}

/// A person's access as it has to be.
#[derive(Debug, Clone, Default)]
struct Model(Vec<Held>);

impl Model {
    /// A tier that is given: one grant gives one access, so that more time takes the place of what is held.
    fn give(&mut self, tier: &'static str, expires_at: Timestamp) {
        let same = self.0.iter_mut().find(|held| !held.over && held.tier == tier);
        match same {
            Some(held) => held.expires_at = held.expires_at.max(expires_at),
            None => self.0.push(Held { tier, expires_at, over: false }),
        }
    }

    /// A thing that is over stays over, also where the clock goes back.
    fn sweep(&mut self, now: Timestamp) {
        self.0.iter_mut().filter(|held| held.expires_at <= now).for_each(|held| held.over = true);
    }

    /// The one tier that the person is to have in the app.
    fn tier(&self) -> Option<&'static str> {
        let live = |tier: &&str| self.0.iter().any(|held| !held.over && held.tier == *tier);
        ["admin", "user"].into_iter().find(|tier| live(tier))
    }
}

struct Round {
    desk: House,
    app: ScimApp,
    chance: Chance,
    models: Vec<Model>,
    /// Who has left.
    away: Vec<bool>,
}

fn connected(database: Database, app: &ScimApp) -> House {
    // Many leave in a short time here, and no person is asked whether that is so.
    let many = |text: String| text.replacen("[defaults]\n", "[defaults]\nleavers-max = 1000\n", 1);
    let desk = House::with_settings(database, example_rules(), many);
    std::fs::write(desk.settings().with_file_name("app.token"), format!("{TOKEN}\n")).unwrap();
    let file = desk.settings().with_file_name("apps.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replacen("id = \"jira\"\n", "id = \"jira\"\nconnector = \"peer\"\n", 1);
    let scim = format!("kind = \"scim\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"", app.url);
    std::fs::write(&file, format!("{text}\n[[connector]]\nid = \"peer\"\n{scim}\n")).unwrap();
    reloaded(&desk);
    desk
}

fn body(person: &str, tier: &str, hours: u32) -> Value {
    let fields = json!({ "app": "jira", "tier": tier, "duration-hours": hours, "for": person,
        "justification": "I move the projects to the new site tonight, change 4711" });
    json!({ "request_type": "access", "subject": "jira please", "fields": fields })
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// An answer that says what came of a request, and whether it was sent again for it. On a busy machine the desk may say that it took too
/// long: it was done, or not, or is done yet, and a client sends it again with the same key.
fn answered(send: impl Fn() -> Answer) -> (Answer, bool) {
    let mut answers = (0..SENT_MAX).map(|times| (send(), times > 0));
    answers.find(|(answer, _)| answer.status != 504).expect("an answer in time, some time")
}

/// Has a desk read its configuration again.
fn reloaded(desk: &House) {
    let (answer, _) = answered(|| desk.as_role("mei").post("/api/v1/config/reload", &json!({})));
    assert_eq!(answer.status, 204, "{}", answer.text);
}

impl Round {
    fn start(seed: u64, database: Database) -> Round {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = connected(database, &app);
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        chance.of(7);
        let models = vec![Model::default(); PEOPLE.len()];
        Round { desk, app, chance, models, away: vec![false; PEOPLE.len()] }
    }

    fn kofi(&self) -> Client {
        self.desk.as_role("kofi")
    }

    /// Asks, and where people are asked has all of them say the same.
    fn asks(&mut self, who: usize, tier: &'static str, approve: bool) {
        let hours = [1, 5, 30, 60][self.chance.of(4) as usize];
        let key = format!("ask-{who}-{}", self.chance.of(u64::MAX));
        let client = self.kofi().with("idempotency-key", &key);
        let body = body(PEOPLE[who], tier, hours);
        let (made, again) = answered(|| client.post("/api/v1/tickets", &body));
        // Where its answer was lost, it may have been made already.
        let made = made.expect(if again && made.status == 200 { 200 } else { 201 });
        // The same request again, as after a lost answer, makes nothing.
        if self.chance.of(2) == 0 {
            assert_eq!(answered(|| client.post("/api/v1/tickets", &body)).0.expect(200)["key"], made["key"]);
        }
        let key = made["key"].as_str().unwrap().to_owned();
        let (mut access, mut said) = (made["access"].clone(), 0);
        while access["state"] == "awaiting" {
            let approver = access["awaited"][0].as_str().unwrap().to_owned();
            let decision = json!({ "approve": approve, "reason": "as the plan of the week has it" });
            let client = self.desk.with_roles(&approver, "requester").with("idempotency-key", &format!("{key}-{said}"));
            let path = format!("/api/v1/tickets/{key}/access/decisions");
            access = answered(|| client.post(&path, &decision)).0.expect(200)["access"].clone();
            said += 1;
        }
        if access["state"] == "approved" {
            let hours = access["scope"]["duration_hours"].as_i64().unwrap();
            self.models[who].give(tier, self.desk.clock.now() + SignedDuration::from_hours(hours));
        }
    }

    fn grants(&self, person: &str) -> Value {
        answered(|| self.kofi().get(&format!("/api/v1/people/{person}/grants"))).0.expect(200)
    }

    fn revokes(&mut self, who: usize) {
        let all = self.grants(PEOPLE[who]);
        let held = |grant: &&Value| ["active", "provisioning"].contains(&grant["state"].as_str().unwrap());
        let Some(grant) = all.as_array().unwrap().iter().find(held) else { return };
        let path = format!("/api/v1/grants/{}/revoke", grant["id"].as_str().unwrap());
        let mei = self.desk.as_role("mei").with("idempotency-key", &path);
        let (answer, _) = answered(|| mei.post(&path, &json!({ "reason": "the project is over" })));
        let tier = grant["tier"].as_str().unwrap();
        let live = self.models[who].0.iter_mut().find(|held| !held.over && held.tier == tier);
        match (answer.status, live) {
            (200, Some(held)) => held.over = true,
            // Its time was over a moment ago.
            (409, _) => {}
            (status, live) => panic!("{status}: {} and the model has {live:?}", answer.text),
        }
    }

    /// Changes what the directory says of a person.
    fn directory_says(&self, who: usize, change: impl FnOnce(&str) -> String) {
        let file = self.desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let id = text.find(&format!("id = \"{}\"\n", PEOPLE[who])).unwrap();
        let end = text[id..].find("[[person]]").map_or(text.len(), |end| id + end);
        std::fs::write(&file, format!("{}{}{}", &text[..id], change(&text[id..end]), &text[end..])).unwrap();
        reloaded(&self.desk);
    }

    /// All of it ends, and nothing of it comes back with the person.
    fn leaves(&mut self, who: usize) {
        self.directory_says(who, |person| person.replacen('\n', "\nactive = false\n", 1));
        self.models[who].0.iter_mut().for_each(|held| held.over = true);
        self.away[who] = true;
    }

    fn comes_back(&mut self, who: usize) {
        self.directory_says(who, |person| person.replacen("active = false\n", "", 1));
        self.away[who] = false;
    }

    /// To another department: what the rules would not give there is reviewed, and the review is longer than any grant here.
    fn moves(&self, who: usize) {
        self.directory_says(who, |person| {
            let from = person.lines().find(|line| line.starts_with("department = ")).unwrap();
            let to = if from.contains("Sales") { "department = \"Finance\"" } else { "department = \"Sales\"" };
            person.replacen(from, to, 1)
        });
    }

    fn act(&mut self, who: usize) {
        if self.away[who] {
            if self.chance.of(2) == 0 {
                self.comes_back(who);
            }
            return;
        }
        match self.chance.of(10) {
            0..=2 => self.asks(who, "user", true),
            3 => self.asks(who, "admin", true),
            4 => self.asks(who, "admin", false),
            5 | 6 => self.revokes(who),
            7 if MAY_LEAVE.contains(&PEOPLE[who]) => self.leaves(who),
            8 => self.moves(who),
            _ => {}
        }
    }

    fn advance(&mut self, by: SignedDuration) {
        self.desk.clock.advance(by);
        let now = self.desk.clock.now();
        self.models.iter_mut().for_each(|model| model.sweep(now));
        self.desk.do_what_is_due();
    }

    /// Something that happens by itself.
    fn happens(mut self) -> Round {
        match self.chance.of(8) {
            0 => self.app.fail("POST", "/Users", 1, Phase::After, Fault::Drop),
            1 => self.app.fail("PATCH", "/Groups", 2, Phase::After, Fault::Drop),
            2 => self.app.fail("PATCH", "/", 2, Phase::Before, Fault::Status(429, Some(90))),
            3 => self.app.fail("GET", "/", 3, Phase::Before, Fault::Status(503, None)),
            4 => self.app.take_out("user"),
            5 => self.desk.clock.advance(seconds(-600)),
            6 => {
                let Round { desk, app, chance, models, away } = self;
                return Round { desk: desk.cut_off_and_restart(), app, chance, models, away };
            }
            _ => {}
        }
        let by = [0, 3, 130, 3_600, 11_000][self.chance.of(5) as usize];
        self.advance(seconds(by));
        self
    }

    fn is_as_it_has_to_be(&self, seed: u64, when: &str) {
        for (who, model) in PEOPLE.iter().zip(&self.models) {
            let tiers = ["admin", "user"].into_iter().filter(|tier| self.app.members(tier).iter().any(|m| m == who));
            let tiers: Vec<&str> = tiers.collect();
            let wanted: Vec<&str> = model.tier().into_iter().collect();
            let orders = || self.kofi().get("/api/v1/access/orders").text;
            assert_eq!(tiers, wanted, "seed {seed}, {when}: {who} with {model:?}; {}", orders());
            let active = self.app.active(who).unwrap_or_default();
            assert_eq!(active, model.tier().is_some(), "seed {seed}, {when}: {who}'s account; {}", orders());
        }
    }
}

fn round(seed: u64) {
    let database = if seed.is_multiple_of(2) { Database::Sqlite } else { Database::Postgres };
    let mut round = Round::start(seed, database);
    for _ in 0..STEPS {
        (0..PEOPLE.len()).for_each(|who| round.act(who));
        round = round.happens();
    }
    // All faults are over, every wait too, and each grant was read again in the app.
    round.app.works_again();
    for hours in [2, 2, 24, 2] {
        round.advance(SignedDuration::from_hours(hours));
    }
    round.is_as_it_has_to_be(seed, "after a day");
    for hours in [70, 2, 2] {
        round.advance(SignedDuration::from_hours(hours));
    }
    round.is_as_it_has_to_be(seed, "when all is over");
    assert!(round.models.iter().all(|model| model.tier().is_none()));
    for person in PEOPLE {
        let grants = round.grants(person);
        let ended = |grant: &Value| grant["state"] == "ended" && grant["end_reason"].is_string();
        let orders = || round.kofi().get("/api/v1/access/orders").text;
        assert!(grants.as_array().unwrap().iter().all(ended), "seed {seed}: {grants}; {}", orders());
    }
    let checked = round.desk.command(&["decisions", "chain"]);
    assert!(checked.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&checked.stdout));
}

/// Sixty schedules, twelve of a seed; `RULEDESK_SCHEDULES=500` runs so many, and `RULEDESK_SEED` says with which seed to begin, to look
/// at one that failed or to run others: so many from there on. The first are those that have found something once.
#[test]
fn whatever_happens_in_whatever_order_the_app_has_what_the_grants_say() {
    let wanted = std::env::var_os("RULEDESK_SCHEDULES").and_then(|n| n.to_str()?.parse::<usize>().ok());
    let rounds = wanted.map_or(ROUNDS, |schedules| schedules.div_ceil(PEOPLE.len()));
    let first = std::env::var("RULEDESK_SEED").map_or(1, |n| n.parse().unwrap());
    let seeds: Vec<u64> = (first..first + rounds as u64).collect();
    side_by_side(&seeds, |seed| round(*seed));
}

/// Found by the first schedule of all: such an order was never sent.
#[test]
fn an_app_that_cannot_be_read_at_first_is_written_to_later() {
    let app = ScimApp::start(&["user", "admin"]);
    let desk = connected(Database::Sqlite, &app);
    app.fail("GET", "/Users", 1, Phase::Before, Fault::Status(503, None));
    desk.as_role("kofi").post("/api/v1/tickets", &body("amara", "user", 4)).expect(201);
    desk.do_what_is_due();
    assert_eq!(app.effects(), Vec::<String>::new());
    desk.advance(seconds(60));
    assert_eq!(app.effects(), ["POST Users amara", "add to user"]);
    desk.advance(SignedDuration::from_hours(4));
    assert_eq!(app.active("amara"), Some(false));
}

/// A point at which the process dies, for the Nth time that it comes there.
type Point = &'static str;

/// Sends a request to a process that dies over it, and waits until it has.
fn dies(desk: Desk, point: Point, request: impl Fn(&Desk)) -> crate::support::place::Place {
    let mut desk = desk;
    let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| request(&desk)));
    // Whether it was answered depends on the point.
    drop(sent);
    desk.wait_for_its_death(point);
    desk.crash()
}

fn killed_at(database: Database, grant_at: Point, revoke_at: Point) {
    let app = ScimApp::start(&["user", "admin"]);
    let mut place = connected(database, &app).cut_off();
    place.set_environment(vec![("RULEDESK_CRASH_AT", grant_at.to_owned())]);
    let asks =
        |client: &Client| client.with("idempotency-key", "ask").post("/api/v1/tickets", &body("amara", "user", 48));
    let mut place = dies(place.start(), grant_at, |desk| drop(asks(&desk.as_role("kofi"))));
    place.set_environment(Vec::new());
    let desk = place.open();
    // The client knows no answer and sends the same again.
    let again = asks(&desk.as_role("kofi"));
    assert!([200, 201].contains(&again.status), "{grant_at}: {}", again.text);
    (0..3).for_each(|_| desk.advance(seconds(90)));
    let grants = |desk: &House| desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200);
    let held = grants(&desk);
    assert_eq!((held.as_array().unwrap().len(), &held[0]["state"]), (1, &json!("active")), "{grant_at}: {held}");
    assert_eq!(app.effects(), ["POST Users amara", "add to user"], "{grant_at}: each effect once");

    let path = format!("/api/v1/grants/{}/revoke", held[0]["id"].as_str().unwrap());
    let why = json!({ "reason": "the project is over" });
    let mut place = desk.cut_off();
    place.set_environment(vec![("RULEDESK_CRASH_AT", revoke_at.to_owned())]);
    let revokes = |client: &Client| client.with("idempotency-key", "revoke").post(&path, &why);
    let mut place = dies(place.start(), revoke_at, |desk| drop(revokes(&desk.as_role("mei"))));
    place.set_environment(Vec::new());
    let desk = place.open();
    revokes(&desk.as_role("mei")).expect(200);
    (0..6).for_each(|_| desk.advance(seconds(90)));
    let ended = grants(&desk);
    assert_eq!(
        (&ended[0]["state"], &ended[0]["end_reason"]),
        (&json!("ended"), &json!("revoked")),
        "{revoke_at}: {ended}"
    );
    assert_eq!(
        app.effects()[2..],
        ["remove from user", "PATCH Users amara active=false"],
        "{revoke_at}: each effect once"
    );
    let story = desk.as_role("kofi").get(&format!("/api/v1/grants/{}", ended[0]["id"].as_str().unwrap())).expect(200);
    let sent = |direction: &str| {
        let is = |event: &&Value| {
            event["event"] == "op" && event["detail"]["state"] == "sent" && event["detail"]["direction"] == direction
        };
        story["ledger"].as_array().unwrap().iter().filter(is).count()
    };
    assert!(sent("grant") >= 2 && sent("revoke") >= 2, "nothing is sent that is not on the ledger first: {story}");
    assert!(desk.command(&["decisions", "chain"]).status.success(), "{grant_at}, {revoke_at}");
}

#[test]
fn killed_before_or_after_a_commit_or_a_sending_nothing_is_lost_and_nothing_is_done_twice() {
    let points = [
        (Database::Sqlite, "commit-before:1", "commit-after:1"),
        (Database::Sqlite, "send-after:1", "send-before:1"),
        (Database::Sqlite, "commit-before:3", "commit-after:2"),
        (Database::Postgres, "commit-after:1", "commit-before:1"),
        (Database::Postgres, "send-before:1", "send-after:2"),
        (Database::Postgres, "commit-after:2", "commit-before:3"),
    ];
    side_by_side(&points, |&(database, grant_at, revoke_at)| killed_at(database, grant_at, revoke_at));
}

/// The word of an approver: the process dies before it is written or after it, and the same word sent again counts once.
#[test]
fn killed_over_an_approval_the_same_word_sent_again_counts_once_and_gives_the_access_once() {
    let points = [
        (Database::Sqlite, "commit-before:1"),
        (Database::Sqlite, "commit-after:1"),
        (Database::Postgres, "commit-before:1"),
        (Database::Postgres, "commit-after:1"),
    ];
    side_by_side(&points, |&(database, at)| {
        let app = ScimApp::start(&["user", "admin"]);
        let desk = connected(database, &app);
        let made = desk.as_role("kofi").post("/api/v1/tickets", &body("amara", "admin", 48)).expect(201);
        let approver = made["access"]["awaited"][0].as_str().unwrap().to_owned();
        let path = format!("/api/v1/tickets/{}/access/decisions", made["key"].as_str().unwrap());
        let yes = json!({ "approve": true, "reason": "as the plan of the week has it" });
        let says = |client: &Client| client.with("idempotency-key", "yes").post(&path, &yes);
        let mut place = desk.cut_off();
        place.set_environment(vec![("RULEDESK_CRASH_AT", at.to_owned())]);
        let mut place = dies(place.start(), at, |desk| drop(says(&desk.with_roles(&approver, "requester"))));
        place.set_environment(Vec::new());
        let desk = place.open();
        let mut access = says(&desk.with_roles(&approver, "requester")).expect(200)["access"].clone();
        while access["state"] == "awaiting" {
            let next = access["awaited"][0].as_str().unwrap().to_owned();
            access = says(&desk.with_roles(&next, "requester")).expect(200)["access"].clone();
        }
        (0..3).for_each(|_| desk.advance(seconds(90)));
        let held = desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200);
        assert_eq!((held.as_array().unwrap().len(), &held[0]["state"]), (1, &json!("active")), "{at}: {held}");
        assert_eq!(app.effects(), ["POST Users amara", "add to admin"], "{at}");
        let id = held[0]["id"].as_str().unwrap();
        let story = desk.as_role("kofi").get(&format!("/api/v1/grants/{id}")).expect(200);
        let is = |event: &&Value| event["event"] == "approved-by" && event["detail"]["approver"] == approver.as_str();
        assert_eq!(story["ledger"].as_array().unwrap().iter().filter(is).count(), 1, "{at}: {story}");
        assert!(desk.command(&["decisions", "chain"]).status.success(), "{at}");
    });
}

/// The app refuses a part of the access, and the process dies over that or while it takes back what was there already.
#[test]
fn killed_while_a_part_is_refused_or_taken_back_all_of_it_goes_and_what_was_there_before_stays() {
    let points = [
        (Database::Sqlite, "send-after:2", false),
        (Database::Sqlite, "send-before:3", false),
        (Database::Postgres, "send-after:3", false),
        // Of the account, which is there, nothing is sent.
        (Database::Sqlite, "send-after:1", true),
    ];
    side_by_side(&points, |&(database, at, there_before)| {
        // Without a group for the tier.
        let app = ScimApp::start(&["admin"]);
        if there_before {
            app.has_already("amara", "amara@example.org", "admin");
        }
        let mut place = connected(database, &app).cut_off();
        place.set_environment(vec![("RULEDESK_CRASH_AT", at.to_owned())]);
        let asks = |desk: &Desk| drop(desk.as_role("kofi").post("/api/v1/tickets", &body("amara", "user", 48)));
        let mut place = dies(place.start(), at, asks);
        place.set_environment(Vec::new());
        let desk = place.open();
        (0..6).for_each(|_| desk.advance(seconds(90)));
        let held = desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200);
        let end = (&held[0]["state"], &held[0]["end_reason"]);
        assert_eq!(end, (&json!("failed"), &json!("refused")), "{at}: {held}");
        let sent: &[&str] = if there_before { &[] } else { &["POST Users amara", "PATCH Users amara active=false"] };
        assert_eq!(app.effects(), sent, "{at}");
        assert_eq!(app.active("amara"), Some(there_before), "{at}");
        assert!(desk.command(&["decisions", "chain"]).status.success(), "{at}");
    });
}
