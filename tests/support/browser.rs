//! A real browser: Chromium, driven over WebDriver (W3C) and its DevTools protocol. `.ci/setup test` installs both.
//!
//! Each browser is a driver process of its own, which ends with it. Everything that the console says is looked at when it
//! ends: a policy violation or an error on any page fails the test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::components::scratch;

/// The version of axe-core that looks at pages; it comes from npm into `target/`.
const AXE: &str = "axe-core@4.14.1";
/// Notes each thing that moves on a page from the first picture of it on, before its reader has touched it (Layout Instability, W3C draft), by
/// more than a thousandth or two of the screen. The words of a time become longer as it goes on, and that may move what is next to them.
const SHIFTS: &str = "window.moved = []; let touched = false, clock = -Infinity; \
    for (const kind of ['keydown', 'pointerdown', 'input']) addEventListener(kind, () => { touched = true; }, true); \
    const words = ({ node }) => ((node?.outerHTML ? node : node?.parentElement)?.outerHTML || '').slice(0, 140); \
    const place = ({ x, y }) => `${Math.round(x)},${Math.round(y)}`; \
    const moved = (source) => `${place(source.previousRect)} to ${place(source.currentRect)}: ${words(source)}`; \
    const clocks = new MutationObserver((all) => { \
      if (all.some(({ target }) => (target.closest ? target : target.parentElement)?.closest('time'))) clock = performance.now(); }); \
    const shifts = new PerformanceObserver((list) => { for (const shift of list.getEntries()) { \
      const known = touched || shift.hadRecentInput || Math.abs(shift.startTime - clock) < 3000; \
      if (!known && shift.value >= 0.002) window.moved.push(`${location.pathname}: ${shift.sources.map(moved).join(' | ')}`); \
    } }); \
    shifts.observe({ type: 'layout-shift', buffered: true }); \
    addEventListener('load', () => clocks.observe(document, { subtree: true, childList: true, characterData: true }));";
/// How long a condition on a page is waited for: longer than the minute after which a page looks for what it may have missed, since a
/// change may come between the page and its stream of changes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The key codes of WebDriver.
pub const ENTER: &str = "\u{e007}";
pub const ESCAPE: &str = "\u{e00c}";
pub const CONTROL: &str = "\u{e009}";
pub const SHIFT: &str = "\u{e008}";
/// The key with the sign of Apple's keyboards.
pub const COMMAND: &str = "\u{e03d}";
pub const TAB: &str = "\u{e004}";
pub const UP: &str = "\u{e013}";
pub const DOWN: &str = "\u{e015}";

/// A browser with one window.
pub struct Browser {
    driver: Child,
    session: String,
    /// The desk that relative addresses are of.
    home: String,
    /// All that the console has said so far, but for failed requests, which tests expect.
    complaints: Vec<String>,
}

impl Browser {
    /// A browser that looks at a desk.
    pub fn at(home: &str) -> Browser {
        let (driver, port) = driver();
        let base = format!("http://127.0.0.1:{port}");
        let begun = Instant::now();
        while ureq::get(&format!("{base}/status")).call().is_err() {
            assert!(begun.elapsed() < PATIENCE, "chromedriver does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
            "--lang=en",
        ];
        let options = json!({ "args": args });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" } } } });
        let mut browser = Browser { driver, session: String::new(), home: home.to_owned(), complaints: Vec::new() };
        let begun = Instant::now();
        // A machine with much to do may not have a browser started in the time that the driver gives it.
        let session = loop {
            match ask("POST", &format!("{base}/session"), &wanted) {
                Ok(session) => break session,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "no browser: {error}"),
            }
        };
        browser.session = format!("{base}/session/{}", session["sessionId"].as_str().unwrap());
        // A click may lead to another page, which need not be there yet when the click has been made.
        let patience = u64::try_from(PATIENCE.as_millis()).unwrap();
        browser.command("timeouts", &json!({ "implicit": patience, "script": patience }));
        browser.size(1280, 900);
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": SHIFTS }));
        browser
    }

    /// Opens another tab of the same browser, and looks at that from now on.
    pub fn tab(&mut self) {
        self.listen();
        let opened = self.command("window/new", &json!({ "type": "tab" }));
        self.command("window", &json!({ "handle": opened["handle"] }));
        self.size(1280, 900);
    }

    /// Keeps back all requests to addresses of a pattern until they are let go.
    pub fn hold_back(&self, pattern: &str) {
        self.devtools("Fetch.enable", &json!({ "patterns": [{ "urlPattern": pattern }] }));
    }

    /// Lets go what was kept back.
    pub fn let_go(&self) {
        self.devtools("Fetch.disable", &json!({}));
    }

    /// All that has moved on the page so far without a touch of its reader, each with from where and to where.
    pub fn moved(&self) -> Vec<String> {
        let painted = "const done = arguments[arguments.length - 1]; \
                       requestAnimationFrame(() => requestAnimationFrame(() => done(window.moved)))";
        let moved = self.script_later(painted);
        moved.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    }

    /// Waits until the focus is on something of the page, as after each act, and not at its beginning again.
    pub fn has_focus(&self) {
        self.wait("document.activeElement !== null && document.activeElement !== document.body");
    }

    /// A browser of a person of the demo, who is signed in.
    pub fn of(home: &str, person: &str) -> Browser {
        let mut browser = Browser::at(home);
        browser.sign_in(person);
        browser
    }

    /// A browser without scripts, of a person of the demo who goes to a page and is asked on the way who they are.
    pub fn without_scripts_of(home: &str, person: &str, path: &str) -> Browser {
        let mut browser = Browser::at(home);
        browser.without_scripts();
        browser.go(path);
        browser.is_at(&format!("/sign-in?next={}", path.replace('/', "%2F")));
        browser.click(&format!("button[value={person}]"));
        browser.is_at(path);
        browser
    }

    /// Signs in as a person of the demo.
    pub fn sign_in(&mut self, person: &str) {
        self.go("/sign-in");
        self.click(&format!("button[value={person}]"));
        self.wait("document.querySelector('.menu') !== null");
    }

    fn command(&self, path: &str, body: &Value) -> Value {
        send("POST", &format!("{}/{path}", self.session), body)
    }

    /// Goes to a path of the desk, and looks at what the page before has said.
    pub fn go(&mut self, path: &str) {
        self.listen();
        self.command("url", &json!({ "url": format!("{}{path}", self.home) }));
    }

    /// Goes to an address that is not the desk's. Its pages may complain as they like.
    pub fn leave(&mut self, url: &str) {
        self.listen();
        self.command("url", &json!({ "url": url }));
    }

    /// The address of the document that a page of another site gets in a frame around an address; nothing where it cannot be looked at.
    pub fn framed(&mut self, address: &str) -> String {
        self.leave("about:blank");
        let frame = format!(
            "const done = arguments[arguments.length - 1], frame = document.createElement('iframe'); \
             frame.onload = () => done(true); frame.src = {address:?}; document.body.append(frame)"
        );
        self.script_later(&frame);
        self.command("frame", &json!({ "id": 0 }));
        let script = json!({ "script": "return location.href", "args": [] });
        let shown = ask("POST", &format!("{}/execute/sync", self.session), &script);
        self.command("frame", &json!({ "id": Value::Null }));
        shown.ok().and_then(|shown| shown.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The path and query that it is at.
    pub fn path(&self) -> String {
        self.script("return location.pathname + location.search").as_str().unwrap().to_owned()
    }

    /// The value that a script gives.
    pub fn script(&self, text: &str) -> Value {
        self.command("execute/sync", &json!({ "script": text, "args": [] }))
    }

    /// The value that a script gives by and by, to the function that is its last argument.
    fn script_later(&self, text: &str) -> Value {
        self.command("execute/async", &json!({ "script": text, "args": [] }))
    }

    /// Waits until an expression holds on the page.
    pub fn wait(&self, expression: &str) {
        let begun = Instant::now();
        while !self.holds(expression) {
            if begun.elapsed() > PATIENCE {
                panic!("{expression} does not hold at {}:\n{}", self.path(), self.text("main"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether an expression holds now; not where the page is just being replaced by another.
    fn holds(&self, expression: &str) -> bool {
        let script = json!({ "script": format!("return Boolean({expression})"), "args": [] });
        ask("POST", &format!("{}/execute/sync", self.session), &script).is_ok_and(|value| value == true)
    }

    /// Waits until it is at a path with its query.
    pub fn is_at(&self, path: &str) {
        self.wait(&format!("location.pathname + location.search === {path:?}"));
    }

    /// Waits until an element shows a text.
    pub fn sees(&self, css: &str, text: &str) {
        self.wait(&format!("({}).includes({text:?})", shown(css)));
    }

    /// Waits until there are so many elements.
    pub fn counts(&self, css: &str, number: u64) {
        self.wait(&format!("document.querySelectorAll({css:?}).length === {number}"));
    }

    fn find(&self, css: &str) -> String {
        let found = self.command("element", &json!({ "using": "css selector", "value": css }));
        let id = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str);
        id.unwrap_or_else(|| panic!("no {css} at {}:\n{}", self.path(), self.text("main"))).to_owned()
    }

    /// Does something to an element; once more where the page has put another in its place between finding it and doing that.
    fn act(&self, css: &str, act: &str, body: &Value) {
        let begun = Instant::now();
        loop {
            let id = self.find(css);
            let Err(error) = ask("POST", &format!("{}/element/{id}/{act}", self.session), body) else { return };
            let is_gone = ["stale element reference", "no such element"].iter().any(|gone| error["error"] == *gone);
            assert!(is_gone && begun.elapsed() < PATIENCE, "{act} of {css}: {error}");
        }
    }

    /// Clicks where a person would.
    pub fn click(&mut self, css: &str) {
        self.listen();
        self.act(css, "click", &json!({}));
    }

    /// Types into a field.
    pub fn type_into(&self, css: &str, text: &str) {
        self.act(css, "value", &json!({ "text": text }));
    }

    /// Chooses an option of a list by its value.
    pub fn choose(&mut self, css: &str, value: &str) {
        self.click(&format!("{css} option[value='{value}']"));
    }

    /// Presses keys on the page, each after the other; held together where they come as one text with a modifier first.
    pub fn press(&self, keys: &[&str]) {
        for key in keys {
            let modifiers = [CONTROL, SHIFT, COMMAND];
            let (held, rest): (Vec<String>, Vec<String>) =
                key.chars().map(|c| c.to_string()).partition(|c| modifiers.contains(&c.as_str()));
            let act = |kind: &str, value: &String| json!({ "type": kind, "value": value });
            let mut actions: Vec<Value> = held.iter().map(|key| act("keyDown", key)).collect();
            for key in &rest {
                actions.extend([act("keyDown", key), act("keyUp", key)]);
            }
            actions.extend(held.iter().rev().map(|key| act("keyUp", key)));
            self.command("actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }));
        }
    }

    /// The text of an element, as it is seen; nothing where there is none.
    pub fn text(&self, css: &str) -> String {
        self.script(&format!("return {}", shown(css))).as_str().unwrap_or_default().to_owned()
    }

    /// How many elements there are.
    pub fn count(&self, css: &str) -> u64 {
        self.script(&format!("return document.querySelectorAll({css:?}).length")).as_u64().unwrap()
    }

    /// A command of the DevTools protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.command("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// The size of the page as it is seen, in pixels; below 500 by emulation, since no window is that narrow.
    pub fn size(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Whether the reader prefers a dark page.
    pub fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let still = json!({ "name": "prefers-reduced-motion", "value": "reduce" });
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }, still] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Pages run no scripts from now on.
    pub fn without_scripts(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    /// A picture of the page as it is seen.
    pub fn picture(&self, file: &Path) {
        let taken = send("GET", &format!("{}/screenshot", self.session), &Value::Null);
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(taken.as_str().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    /// A picture of the whole page, however long it is, up to some thousand pixels.
    pub fn whole_picture(&self, width: u32, file: &Path) {
        let height =
            self.script("return Math.min(3000, document.documentElement.scrollHeight)").as_u64().unwrap_or(900);
        self.size(width, u32::try_from(height).unwrap_or(900).max(700));
        self.picture(file);
        self.size(width, 900);
    }

    /// The rules of accessibility (WCAG 2.2 A and AA) that the page breaks, each with where.
    pub fn axe(&self) -> Vec<String> {
        static TEXT: OnceLock<String> = OnceLock::new();
        // A page that was looked at before has it still.
        if self.script("return typeof axe") == "undefined" {
            let text = TEXT.get_or_init(|| std::fs::read_to_string(axe_core()).unwrap());
            self.script(&format!("{text}\nreturn typeof axe"));
        }
        let run = "const done = arguments[arguments.length - 1]; \
                   axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }) \
                   .then((r) => done(r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 160) + ' ' + (n.failureSummary || '').slice(0, 200)).join(' | '))), (e) => done([String(e)]))";
        let found = self.script_later(run);
        found.as_array().unwrap().iter().map(|rule| rule.as_str().unwrap().to_owned()).collect()
    }

    /// Takes up what the console says.
    fn listen(&mut self) {
        let said = self.command("se/log", &json!({ "type": "browser" }));
        for entry in said.as_array().into_iter().flatten() {
            let (level, message) = (entry["level"].as_str().unwrap(), entry["message"].as_str().unwrap());
            // A page of another site is not let frame the desk, which the browser says there.
            let expected = entry["source"] == "network" || message.contains("frame-ancestors");
            if matches!(level, "SEVERE" | "WARNING") && !expected {
                self.complaints.push(message.to_owned());
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.listen();
        }
        let _ = ureq::delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        if !std::thread::panicking() {
            assert_eq!(self.complaints, Vec::<String>::new(), "the browser complained");
        }
    }
}

/// How often a driver may end before it listens.
const STARTS_MAX: usize = 5;

/// A driver and the port that it has chosen.
fn driver() -> (Child, String) {
    for _ in 0..STARTS_MAX {
        let mut driver = Command::new("chromedriver")
            .args(["--port=0", "--log-level=SEVERE"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("chromedriver does not start ({e}): run .ci/setup test"));
        if let Some(port) = port_of(&mut driver) {
            return (driver, port);
        }
        // It listens by both protocols at one port, which others may have by one of them: then it ends.
        let _ = driver.kill();
        let _ = driver.wait();
    }
    panic!("chromedriver ended {STARTS_MAX} times before it listened");
}

/// The port that a driver has chosen, which it says once it listens there; none where it ends before. All that it says later is read
/// and passed over.
fn port_of(driver: &mut Child) -> Option<String> {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let mut said = lines.by_ref().map_while(Result::ok);
    let of_line = |line: String| Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned());
    let port = said.find_map(of_line)?;
    std::thread::spawn(move || lines.for_each(drop));
    Some(port)
}

/// The expression for the text of an element, as it is seen.
fn shown(css: &str) -> String {
    format!(
        "[...document.querySelectorAll({css:?})].slice(0, 1).map((e) => e.checkVisibility() ? e.innerText : '').join('')"
    )
}

/// Sends a command of the driver and gives its value; nothing where there is no such element.
fn send(method: &str, url: &str, body: &Value) -> Value {
    match ask(method, url, body) {
        Err(error) if error["error"] == "no such element" => Value::Null,
        answer => answer.unwrap_or_else(|error| panic!("{url}: {error}")),
    }
}

/// Sends a command of the driver; the error is what the driver says of it.
fn ask(method: &str, url: &str, body: &Value) -> Result<Value, Value> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let answer = match method {
        "GET" => agent.get(url).call(),
        _ => agent.post(url).send_json(body),
    };
    let mut answer = answer.unwrap_or_else(|e| panic!("{method} {url}: {e}"));
    let mut value: Value = answer.body_mut().with_config().limit(64 << 20).read_json().unwrap();
    let value = value["value"].take();
    if value.get("error").is_some() { Err(value) } else { Ok(value) }
}

/// The script of axe-core.
fn axe_core() -> PathBuf {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let file = |folder: &Path| folder.join("node_modules/axe-core/axe.min.js");
    let folder = INSTALLED.get_or_init(|| {
        let folder = scratch().join("axe");
        if !file(&folder).is_file() {
            std::fs::create_dir_all(&folder).unwrap();
            let install = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"];
            let done = Command::new("npm").args(install).arg(&folder).arg(AXE).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        folder
    });
    file(folder)
}
