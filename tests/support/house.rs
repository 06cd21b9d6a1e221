//! A desk in the test's own process: the router on a loopback port, an `App` on a fresh database, and a clock that the test
//! sets. It talks as the real program does, starts faster, and makes time pass without waiting.
//!
//! It checks at its end that nothing is left to do: work in the background has come to its end, and all that was due by its
//! clock has been done.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ruledesk::api;
use ruledesk::app::jobs::Outcome;
use ruledesk::app::jobs::pace::Paces;
use ruledesk::app::jobs::stop::stop;
use ruledesk::app::reference::Reference;
use ruledesk::app::replay::Filter;
use ruledesk::app::replay::backtest::{Candidates, backtest};
use ruledesk::app::replay::tally::Tally;
use ruledesk::app::rollout::rules::{Source, tables};
use ruledesk::app::{App, Clock, Error};
use ruledesk::cli::demo;
use ruledesk::config::{self, Outside, Server};
use ruledesk::desk::actor::{Actor, Role};
use ruledesk::desk::id::TicketId;
use ruledesk::jobs::ways::Ways;
use ruledesk::rules::load::compile::CompileLimits;
use ruledesk::rules::load::connector::Programs;
use ruledesk::rules::load::trust::{Trust, TrustedKey};
use ruledesk::rules::{Options, Rules};
use ruledesk::store::Store;
use ruledesk::store::db::Limits;
use ruledesk::store::rules::segments::place::Archive;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::components::{PROGRAM, compiled, example_rules};
use super::place::{Database, Place};

/// How long work in the background may go on after the end of a test.
const PATIENCE: Duration = Duration::from_secs(60);

/// The text that stands in a configuration for the address at which the test serves the desk.
pub const OWN_URL: &str = "http://own.test";

/// A desk's `rules-patience-s` where its configuration says nothing: longer than a test wants to wait that does not name one.
const RULES_PATIENCE: Duration = Duration::from_secs(60);

/// Connections of clients at once.
const CONNECTIONS_MAX: usize = 500;

/// How often work is done whose end the database does not tell.
const TRIED_MAX: usize = 5;

/// The people of the demo, whose tokens are `demo-` and the id.
const DEMO: [(&str, &[Role]); 5] = [
    ("amara", &[Role::Requester]),
    ("kofi", &[Role::Agent]),
    ("lena", &[Role::Requester, Role::Approver]),
    ("priya", &[Role::Requester, Role::Approver]),
    ("mei", &[Role::Admin]),
];

/// A desk that runs in this process.
pub struct House {
    pub clock: Clock,
    place: Place,
    /// None only while it is being taken down.
    running: Option<Running>,
}

/// All that ends with a desk.
struct Running {
    app: Arc<App>,
    ways: Arc<Ways>,
    /// What serves requests, and what follows the database.
    tasks: Vec<JoinHandle<()>>,
    runtime: Runtime,
}

impl House {
    /// The demo organisation with the example rules.
    pub fn demo(database: Database) -> House {
        House::with_rules(database, example_rules())
    }

    /// The demo organisation with a copy of these rules, which the test may change.
    pub fn with_rules(database: Database, rules: &Path) -> House {
        House::open(Place::demo(database, rules), now())
    }

    /// An organisation of the test's own, with a copy of these rules.
    pub fn with_config(database: Database, rules: &Path, config: &Path) -> House {
        House::open(Place::new(database, rules, config), now())
    }

    /// The demo organisation with its `desk.toml` changed, and a copy of these rules.
    pub fn with_settings(database: Database, rules: &Path, change: impl FnOnce(String) -> String) -> House {
        House::open(Place::with_settings(database, rules, change), now())
    }

    /// The demo organisation with some weeks of its past, up to the present.
    pub fn lived_in(database: Database) -> House {
        House::lived_in_as_told(database).0
    }

    /// The same, and what of the past the desk refused.
    pub fn lived_in_as_told(database: Database) -> (House, Vec<String>) {
        let present = now().now();
        let house = House::open(Place::demo(database, example_rules()), Clock::fixed(present - demo::BEGINS_BEFORE));
        let refused = house.running.as_ref().map(|Running { app, ways, runtime, .. }| {
            runtime.block_on(demo::live_in(app, ways, present)).unwrap().refused
        });
        (house, refused.unwrap_or_default())
    }

    fn open(mut place: Place, clock: Clock) -> House {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (app, ways, url, tasks) = runtime.block_on(start(&place, clock.clone()));
        place.url = url;
        House { clock, place, running: Some(Running { app, ways, tasks, runtime }) }
    }

    /// Another host of the same desk, by the same clock: the same server and configuration, with a rules directory and data of its own.
    pub fn beside(&self) -> House {
        House::open(self.place.beside(), self.clock.clone())
    }

    /// How the endpoints of webhooks do on this host.
    pub fn paces(&self) -> Paces {
        self.running.as_ref().map(|running| running.app.paces.clone()).unwrap_or_default()
    }

    /// Makes time pass, and does what has become due.
    pub fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
        self.do_what_is_due();
    }

    /// Has the rules and the agreed files taken up once more, as when a desk starts that has read its configuration just before.
    pub fn begin_again(&self) -> Result<(), ruledesk::app::Error> {
        let Some(Running { app, runtime, .. }) = &self.running else { return Ok(()) };
        runtime.block_on(Box::pin(app.start_rules()))
    }

    /// Does what is due by its clock; how many runs that took.
    pub fn do_what_is_due(&self) -> usize {
        let Some(running) = &self.running else { return 0 };
        running.runtime.block_on(async {
            running.app.follow_days().await.unwrap();
            running.app.share_out().await.unwrap();
            running.app.office.follow_configuration().await.unwrap();
            while ruledesk::jobs::tickets::schedules::do_next(&running.app, &running.ways).await.unwrap() {}
            ruledesk::jobs::tickets::scan::scan_due(&running.app, &running.ways).await.unwrap();
            again(|| ruledesk::jobs::runner::run_due(&running.app, &running.ways)).await
        })
    }

    /// The decisions as they would be without a rule, within the bounds of a filter.
    pub fn without(&self, rule: &str, filter: Filter) -> Tally {
        let Some(Running { app, runtime, .. }) = &self.running else { return Tally::default() };
        let mei = Actor::Person { id: "mei".parse().unwrap(), roles: [Role::Admin].into() };
        let candidates = Candidates { without: [rule.to_owned()].into(), ..Candidates::default() };
        runtime.block_on(Box::pin(backtest(app, &mei, filter, candidates, |_| {}))).unwrap()
    }

    /// How much access that is over was not read back as gone in time, as the metrics say it.
    pub fn revocations_overdue(&self) -> i64 {
        let Some(running) = &self.running else { return 0 };
        running.runtime.block_on(running.app.revocations_overdue()).unwrap()
    }

    /// Does what the timer asks about a ticket that waits until a day, as a host does that has claimed it.
    pub fn go_on_with(&self, ticket: TicketId) -> Outcome {
        let Some(Running { app, runtime, .. }) = &self.running else { return Outcome::Done };
        runtime.block_on(Box::pin(app.go_on_with(ticket))).unwrap()
    }

    /// Forgets the files that no ticket got; how many contents.
    pub fn sweep_files(&self) -> usize {
        let Some(running) = &self.running else { return 0 };
        running.runtime.block_on(running.app.sweep_attachments()).unwrap()
    }

    /// Ends it at once, without the work that an orderly end does, and opens another on what it left.
    pub fn cut_off_and_restart(self) -> House {
        let clock = self.clock.clone();
        House::open(self.cut_off(), clock)
    }

    /// Ends it at once and opens no other yet.
    pub fn cut_off(mut self) -> Place {
        if let Some(running) = self.running.take() {
            running.runtime.shutdown_background();
        }
        std::mem::replace(&mut self.place, Place::nowhere())
    }
}

impl Place {
    /// Opens a desk in this process on what another has left.
    pub fn open(self) -> House {
        House::open(self, now())
    }
}

impl Deref for House {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let left = if std::thread::panicking() { 0 } else { self.do_what_is_due() };
        let Some(running) = self.running.take() else { return };
        running.tasks.iter().for_each(JoinHandle::abort);
        let ended = running.runtime.block_on(async { tokio::time::timeout(PATIENCE, running.app.close()).await });
        running.runtime.shutdown_background();
        if !std::thread::panicking() {
            assert_eq!(left, 0, "the test ended with work that was due and not done");
            assert!(ended.is_ok(), "work in the background goes on {PATIENCE:?} after the end of the test");
        }
    }
}

/// Does work once more where the database went away while it was done, as the loops of a desk do: whether it was done is not known, and what
/// was claimed meanwhile is done when its lease is over.
async fn again<T, F: Future<Output = Result<T, Error>>>(work: impl Fn() -> F) -> T {
    for _ in 1..TRIED_MAX {
        match work().await {
            Err(Error::MayBeDone(_)) => {}
            done => return done.unwrap(),
        }
    }
    work().await.unwrap()
}

/// A clock that stands still at the present: commands of the program go by the system's.
#[expect(clippy::disallowed_methods, reason = "a test begins at the present")]
fn now() -> Clock {
    Clock::fixed(Timestamp::now())
}

/// A desk that serves, as `ruledesk serve` starts one.
async fn start(place: &Place, clock: Clock) -> (Arc<App>, Arc<Ways>, String, Vec<JoinHandle<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (app, ways, server) = open(place, clock, &url).await;
    for (person, roles) in DEMO {
        let roles = roles.iter().copied().collect();
        app.accept_well_known(&format!("demo-{person}"), person.parse().unwrap(), roles);
    }
    app.quotas.limit(server.limits.clone());
    let router = api::router(Arc::clone(&app), ruledesk::cli::limits(&server), None, Some(ruledesk::cli::pages(&app)));
    // What is due is done when a test says so; the loops are cut off with the house.
    let (stopper, stop) = stop();
    std::mem::forget(stopper);
    let tasks = vec![
        tokio::spawn(api::serve(listener, router, CONNECTIONS_MAX, stop.clone())),
        tokio::spawn(Arc::clone(&app.office).tell_watchers(stop.clone())),
        tokio::spawn(Arc::clone(&app.office).look_at_proofs(stop.clone())),
        tokio::spawn(Arc::clone(&app).follow_tables(stop.clone())),
        tokio::spawn(Arc::clone(&app).follow_directory(stop.clone())),
        tokio::spawn(ruledesk::jobs::tickets::search_index::run(Arc::clone(&app), stop.clone())),
        tokio::spawn(ruledesk::jobs::sign_on::run(Arc::clone(&app), &ways, stop.clone())),
        tokio::spawn(Arc::clone(&app).keep_following(stop)),
    ];
    (app, ways, url, tasks)
}

async fn open(place: &Place, clock: Clock, url: &str) -> (Arc<App>, Arc<Ways>, Server) {
    let outside = Outside {
        database_url: place.database.clone(),
        data_dir: Some(place.data_dir()),
        cache_dir: Some(compiled()),
        rules_dir: Some(place.rules.clone()),
        cores: 2,
        may_be_asked: Some(ruledesk::cli::may_be_asked),
        ..Outside::default()
    };
    let mut config = config::load(&place.config, &outside).unwrap_or_else(|problems| panic!("{problems:?}"));
    if config.outgoing.requests.public_url.as_deref() == Some(OWN_URL) {
        config.outgoing.requests.public_url = Some(url.to_owned());
    }
    std::fs::create_dir_all(place.data_dir()).unwrap();
    let limits = Limits::within(config.server.request_timeout, config.server.database_connections);
    let store = Store::open_within(&place.target(), limits).await.unwrap().with_archive(archive(&config.server));
    let store = store.with_files(ruledesk::cli::files(&config.server).unwrap());
    let reference = Reference::read(&config.tables, &store).await.unwrap();
    let seen = tables(&config.organisation, &reference.written());
    let options = options(&config.server);
    let correspondence = ruledesk::cli::correspondence(&config);
    let mut ways = ruledesk::cli::ways(&config.outgoing).unwrap();
    ways.apps = ways.apps.running(Arc::new(connectors().trusting(options.trust.clone())));
    let ways = Arc::new(ways);
    let rules = tokio::task::spawn_blocking(move || Rules::open(&options, seen)).await.unwrap().unwrap();
    let source = Source { directory: place.config.clone(), outside };
    let app = Arc::new(App::new(clock, source, config.organisation, store, rules));
    app.correspondence.store(correspondence.into());
    app.set_webhooks(config.outgoing.webhooks);
    app.adopt_tables(reference).await.unwrap();
    app.read_directory().await.unwrap();
    app.catch_up_configuration().await.unwrap();
    app.start_rules().await.unwrap();
    (app, ways, config.server)
}

/// The runtime of connectors that are components.
fn connectors() -> Programs {
    Programs::new(PathBuf::from(PROGRAM), compiled(), CompileLimits { timeout_s: 60, memory_mib: 2048 })
}

/// A test keeps its segments in a directory.
fn archive(server: &Server) -> Archive {
    match &server.archive {
        config::Archive::Directory(directory) => Archive::directory(directory),
        config::Archive::Bucket { bucket, prefix } => Archive::bucket(bucket, prefix).unwrap(),
    }
}

fn options(server: &Server) -> Options {
    let keys = server.trusted_keys.iter().map(|key| TrustedKey::new(&key.name, &key.bytes).unwrap());
    Options {
        rules_dir: server.rules_dir.clone(),
        cache_dir: server.cache_dir.clone(),
        compiler_program: PathBuf::from(PROGRAM),
        compile_limits: CompileLimits {
            timeout_s: server.compile_timeout.as_secs(),
            memory_mib: server.compile_memory_bytes >> 20,
        },
        component_bytes_max: server.component_bytes_max,
        worker_threads: server.worker_threads,
        waiting_max: server.queue_depth,
        poll: server.reload_poll,
        patience: if server.rules_patience == RULES_PATIENCE { Duration::from_secs(1) } else { server.rules_patience },
        ticket_budget: Duration::from_millis(2_500),
        pooled: true,
        trust: Trust::new(keys.collect()),
        two_person_access: server.two_person_access,
        judge: None,
    }
}

/// A test that makes time pass behind a desk's back has not seen all that happens.
#[test]
fn a_house_says_at_its_end_what_was_left_to_do() {
    let desk = House::demo(Database::Sqlite);
    let fields = serde_json::json!({ "app": "github", "tier": "write", "duration-hours": 24,
        "justification": "I join the data project on Monday" });
    let body = serde_json::json!({ "request_type": "access", "subject": "GitHub please", "fields": fields });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    desk.clock.advance(SignedDuration::from_hours(72));
    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(desk))).unwrap_err();
    let said = end.downcast_ref::<String>().unwrap();
    assert!(said.contains("work that was due and not done"), "{said}");
}

/// A loop of the desk goes on where a server cuts a connection off in the middle, and so does a house.
#[test]
fn a_house_does_again_what_may_have_been_done() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let gone = || Error::MayBeDone(ruledesk::store::Error::MayBeDone("Broken pipe".into()));
    let times = std::cell::Cell::new(0);
    let third = || {
        times.set(times.get() + 1);
        let came = if times.get() == 3 { Ok(times.get()) } else { Err(gone()) };
        async move { came }
    };
    assert_eq!(runtime.block_on(again(third)), 3);
    let never = std::panic::AssertUnwindSafe(|| runtime.block_on(again(|| async { Err::<(), _>(gone()) })));
    assert!(std::panic::catch_unwind(never).is_err(), "not for ever");
}
