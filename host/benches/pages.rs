//! Pages as people wait for them: a real browser, slowed down four times, at the real program; and what a thousand idle streams take.
//!
//! `make bench-pages`, on a machine that does nothing else. It prints a line for each figure with its goal, and holds none of them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark, not an interface"
)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

#[path = "../../tests/support/browser.rs"]
#[expect(dead_code, reason = "tests do more with it")]
mod browser;

use browser::{Browser, CONTROL, ESCAPE};

/// The part of what tests need that a browser does.
mod components {
    use std::path::PathBuf;

    /// A folder of this benchmark's own.
    pub fn scratch() -> PathBuf {
        let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        std::fs::create_dir_all(&scratch).unwrap();
        scratch
    }
}

/// Tickets in the queue, of which a page shows 50.
const TICKETS: usize = 60;
/// How often a page is loaded, and how often a key is pressed.
const LOADS: usize = 9;
const PRESSES: usize = 40;
/// Streams that wait for something to happen, each person having at most so many.
const STREAMS: usize = 1_000;
const STREAMS_OF_PERSON: usize = 10;
/// How long the streams are idle while they are measured.
const IDLE: Duration = Duration::from_secs(30);
/// How many times slower a page is worked on.
const SLOWED: f64 = 4.0;

/// Notes on each page how long tasks took and when a key was pressed, how long the picture after a key took to come, and when the
/// picture came that confirms an act, be it of a new page or of the same; of a list, when each part of its lines came.
const NOTES: &str = "window.long = []; window.took = []; window.lines = []; \
    addEventListener('DOMContentLoaded', () => { for (const part of document.querySelectorAll('tbody')) \
      new ResizeObserver(([now], all) => { if (now.contentRect.height > 0) { window.lines.push(performance.now()); all.disconnect(); } }).observe(part); }); \
    new PerformanceObserver((list) => window.long.push(...list.getEntries().map((task) => [task.startTime, task.duration]))).observe({ type: 'longtask', buffered: true }); \
    addEventListener('keydown', (event) => { \
      if (['Control', 'Escape'].includes(event.key)) return; \
      try { sessionStorage.setItem('pressed', performance.timeOrigin + event.timeStamp); } catch { /* no page of the desk */ } \
      requestAnimationFrame(() => { const { port1, port2 } = new MessageChannel(); \
        port1.onmessage = () => window.took.push(performance.now() - event.timeStamp); port2.postMessage(0); }); \
    }, true); \
    let confirms = false; \
    new MutationObserver(() => { \
      if (confirms || !document.querySelector('.notice.good')) return; \
      confirms = true; \
      requestAnimationFrame(() => { const { port1, port2 } = new MessageChannel(); \
        port1.onmessage = () => { window.confirmed = performance.timeOrigin + performance.now(); }; port2.postMessage(0); }); \
    }).observe(document, { subtree: true, childList: true });";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn person(n: usize) -> String {
    format!("watcher-{n:03}")
}

/// A running desk; it ends with this.
struct Desk {
    child: Child,
    url: String,
    place: tempfile::TempDir,
}

impl Desk {
    fn start() -> Desk {
        let place = tempfile::tempdir().unwrap();
        configure(&place.path().join("config"));
        let serve = ["serve", "--demo", "--listen", "127.0.0.1:0"];
        let mut child = command(place.path(), &serve).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        let url = format!("http://{}", first.rsplit_once("http://").unwrap().1);
        let desk = Desk { child, url, place };
        let begun = Instant::now();
        while desk.get("/readyz").is_none_or(|status| status != 200) {
            assert!(begun.elapsed() < Duration::from_secs(60), "the desk does not get ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        desk
    }

    fn get(&self, path: &str) -> Option<u16> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.get(format!("{}{path}", self.url)).header("authorization", "Bearer demo-kofi");
        Some(request.call().ok()?.status().as_u16())
    }

    fn post(&self, person: &str, path: &str, body: &Value) {
        let request =
            ureq::post(format!("{}{path}", self.url)).header("authorization", format!("Bearer demo-{person}"));
        request.send_json(body).unwrap();
    }

    /// The cookie of a session that is begun with a new token for a person.
    fn session(&self, person: &str) -> String {
        let given = command(self.place.path(), &["token", person, "--roles", "requester"]).output().unwrap();
        assert!(given.status.success(), "{}", String::from_utf8_lossy(&given.stderr));
        let token = String::from_utf8(given.stdout).unwrap().trim().to_owned();
        let agent: ureq::Agent =
            ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
        let request = agent.post(format!("{}/sign-in", self.url)).header("sec-fetch-site", "same-origin");
        let answer = request.send_form([("token", token.as_str())]).unwrap();
        let set = answer.headers().get("set-cookie").unwrap().to_str().unwrap();
        set.split(';').next().unwrap().to_owned()
    }

    /// The process's own memory, in bytes: what is not a file's.
    fn own_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
    }

    /// The processor time that the process has taken so far, its threads together.
    fn processor_time(&self) -> Duration {
        let line = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = line.rsplit_once(") ").unwrap().1;
        let ticks: u64 = after_name.split(' ').skip(11).take(2).map(|text| text.parse::<u64>().unwrap()).sum();
        // Linux counts in hundredths of a second here, also where the kernel's own clock is another.
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The demo's configuration with people who only watch.
fn configure(config: &Path) {
    let demo = root().join("host/demo");
    for folder in ["", "tables"] {
        std::fs::create_dir_all(config.join(folder)).unwrap();
        for entry in std::fs::read_dir(demo.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, config.join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    let mut people = std::fs::read_to_string(demo.join("people.toml")).unwrap();
    for id in (0..STREAMS / STREAMS_OF_PERSON).map(person) {
        write!(
            people,
            "\n[[person]]\nid = \"{id}\"\nname = \"Name of {id}\"\nemail = \"{id}@meridian.example\"\ndepartment = \"Sales\"\n\
             title = \"Account Manager\"\nlocation = \"Berlin\"\nmanager = \"grace\"\ngroups = [\"staff\"]\n"
        )
        .unwrap();
    }
    std::fs::write(config.join("people.toml"), people).unwrap();
}

/// The program with what it needs to find the desk at a place.
fn command(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ruledesk"));
    command.args(arguments).arg("--config").arg(place.join("config"));
    command.arg("--rules").arg(root().join("target/rules")).arg("--data").arg(place.join("data"));
    command
        .env_remove("DATABASE_URL")
        .env("RULEDESK_LOG", "error")
        .env("RULEDESK_CACHE", components::scratch().join("cache"));
    command
}

/// One figure with its goal. Times are in milliseconds.
fn say(what: &str, mut took: Vec<f64>, goal: &str) {
    assert!(!took.is_empty(), "{what}: nothing was measured");
    took.sort_by(f64::total_cmp);
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
    println!(
        "{what}: p50 {:.0} ms, p95 {:.0} ms, most {:.0} ms of {} (goal: {goal})",
        at(50),
        at(95),
        at(100),
        took.len()
    );
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// A queue of more than one page.
fn fill(desk: &Desk) {
    for n in 0..TICKETS {
        let body = json!({ "request_type": "question", "subject": format!("Question {n} about something in the building that is rather long"),
            "body": format!("Text {n} of its own"), "fields": { "topic": "howto" } });
        desk.post("amara", "/api/v1/tickets", &body);
    }
}

fn slow_down(browser: &Browser, rate: f64) {
    browser.devtools("Emulation.setCPUThrottlingRate", &json!({ "rate": rate }));
}

/// The first picture, the whole page, and tasks that keep its reader from acting.
fn first_picture(browser: &mut Browser) {
    let (mut pictures, mut whole, mut long) = (Vec::new(), Vec::new(), Vec::new());
    let (mut first_lines, mut all_lines) = (Vec::new(), Vec::new());
    for load in 1..=LOADS {
        browser.devtools("Network.clearBrowserCache", &json!({}));
        browser.go("/queue");
        browser.wait("performance.getEntriesByName('first-contentful-paint').length === 1 && performance.getEntriesByType('navigation')[0].loadEventEnd > 0 && window.lines.length === document.querySelectorAll('tbody').length");
        // Tasks of the scripts that run once the page is there.
        browser.script("return new Promise((done) => setTimeout(done, 500))");
        pictures.extend(numbers(
            &browser.script("return [performance.getEntriesByName('first-contentful-paint')[0].startTime]"),
        ));
        whole.extend(numbers(
            &browser.script("return [performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd]"),
        ));
        let tasks = browser.script("return window.long");
        long.extend(tasks.as_array().into_iter().flatten().map(|task| (load, numbers(task))));
        first_lines.extend(numbers(&browser.script("return [Math.min(...window.lines)]")));
        all_lines.extend(numbers(&browser.script("return [Math.max(...window.lines)]")));
    }
    say("queue of 50 at 4x: first contentful paint", pictures, "median under 500");
    say("queue of 50 at 4x: DOMContentLoaded", whole, "median under 500");
    say("queue of 50 at 4x: the first lines", first_lines, "median under 500");
    say("queue of 50 at 4x: all lines", all_lines, "none");
    println!("queue of 50 at 4x: {} tasks above 50 ms in {LOADS} loads (goal: none)", long.len());
    for (load, task) in &long {
        println!("  load {load}: {:.0} ms, begun {:.0} ms after the navigation", task[1], task[0]);
    }
}

/// From a key to the picture that shows what it does.
fn keys(browser: &mut Browser) {
    browser.go("/queue");
    browser.wait("document.querySelectorAll('tr[data-row]').length === 50");
    for (name, key) in [("j", "j"), ("x", "x"), ("the palette", "palette")] {
        browser.script("window.took = []");
        for _ in 0..PRESSES {
            match key {
                "palette" => browser.press(&[&format!("{CONTROL}k"), ESCAPE]),
                "x" => browser.press(&["j", "x"]),
                key => browser.press(&[key]),
            }
        }
        browser.wait(&format!("window.took.length >= {PRESSES}"));
        say(
            &format!("key to painted change at 4x, {name}"),
            numbers(&browser.script("return window.took")),
            "p95 under 100",
        );
    }
}

/// From a key that takes a ticket to the picture of the page that confirms it.
fn acts(browser: &mut Browser) {
    let mut took = Vec::new();
    for n in 1..=TICKETS {
        browser.go(&format!("/tickets/IT-{n}"));
        browser.wait("document.querySelector('[data-ticket]')");
        if browser.count("[data-key=i]") == 0 {
            continue;
        }
        browser.press(&["i"]);
        browser.wait("window.confirmed");
        took.extend(numbers(&browser.script("return [window.confirmed - Number(sessionStorage.getItem('pressed'))]")));
    }
    say("act to the page that confirms it (take), at 1x", took, "p95 under 150");
}

/// A stream that is open and waits.
fn stream(desk: &Desk, cookie: &str) -> TcpStream {
    let host = desk.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET /live HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\naccept: text/event-stream\r\n\r\n")
        .unwrap();
    let mut head = [0; 512];
    let length = stream.read(&mut head).unwrap();
    let head = String::from_utf8_lossy(&head[..length]);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    stream
}

/// As many streams as a host has, in which nothing happens.
fn streams(desk: &Desk) {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum.map(|most| most.min(8_192)), maximum: limit.maximum })
        .unwrap();
    let sessions: Vec<String> = (0..STREAMS / STREAMS_OF_PERSON).map(|n| desk.session(&person(n))).collect();
    let before = desk.own_memory();
    let open: Vec<TcpStream> =
        sessions.iter().flat_map(|session| (0..STREAMS_OF_PERSON).map(|_| stream(desk, session))).collect();
    std::thread::sleep(Duration::from_secs(5));
    let after = desk.own_memory();
    let (begun, worked) = (Instant::now(), desk.processor_time());
    std::thread::sleep(IDLE);
    let share = (desk.processor_time() - worked).as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{} idle streams: {:.1} MiB more than the {:.1} MiB before, {share:.2} % of a core (goal: under 50 MB and 1 %)",
        open.len(),
        mib(after.saturating_sub(before)),
        mib(before)
    );
}

fn main() {
    let desk = Desk::start();
    fill(&desk);
    {
        let mut browser = Browser::of(&desk.url, "kofi");
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": NOTES }));
        slow_down(&browser, SLOWED);
        first_picture(&mut browser);
        keys(&mut browser);
        slow_down(&browser, 1.0);
        acts(&mut browser);
    }
    streams(&desk);
}
