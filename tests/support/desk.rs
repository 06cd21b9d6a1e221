//! The real program, serving on a port of its own: for what only a process can show, such as its start, its end by a signal,
//! a full disk, or several hosts. Everything else is tested in the test's own process, by a `House`.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::components::{PROGRAM, example_rules};
use super::wait::until;

#[allow(unused_imports, reason = "a test of a process takes all that it needs from here")]
pub use super::client::{Answer, Client};
#[allow(unused_imports, reason = "a test of a process takes all that it needs from here")]
pub use super::place::{Database, Place, copy, on_both, on_both_at_once};

/// How long a test waits for rules that are being compiled: longer than a desk lets one of them be.
const SETTLING_MAX: Duration = Duration::from_secs(90);

/// A running desk. Dropping it kills it, as unkindly as a power cut.
pub struct Desk {
    child: Child,
    place: Place,
}

/// Runs a program that cannot write beyond a file's limit; it gets an error, as from a full disk, and no signal.
const WITH_A_FULL_DISK: &str = "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"";

impl Desk {
    /// The demo organisation with the example rules.
    pub fn demo(database: Database) -> Desk {
        Desk::with_rules(database, example_rules())
    }

    /// The demo organisation with a copy of these rules, which the test may change.
    pub fn with_rules(database: Database, rules: &Path) -> Desk {
        Desk::start(Place::demo(database, rules))
    }

    /// The same with variables in the environment of its process.
    pub fn with_environment(database: Database, rules: &Path, environment: Vec<(&'static str, String)>) -> Desk {
        Desk::start(Place { environment, ..Place::demo(database, rules) })
    }

    /// The demo organisation with its `desk.toml` changed, and a copy of these rules.
    #[allow(dead_code, reason = "it is there as it is for a house")]
    pub fn with_settings(database: Database, rules: &Path, change: impl FnOnce(String) -> String) -> Desk {
        Desk::start(Place::with_settings(database, rules, change))
    }

    /// The same with variables in the environment of its process.
    #[allow(dead_code, reason = "only what a desk is built with asks for it")]
    pub fn with_settings_and_environment(
        rules: &Path,
        environment: Vec<(&'static str, String)>,
        change: impl FnOnce(String) -> String,
    ) -> Desk {
        Desk::start(Place { environment, ..Place::with_settings(Database::Sqlite, rules, change) })
    }

    /// Another host of the same desk: the same server and configuration, with a rules directory and data of its own.
    pub fn beside(&self) -> Desk {
        Desk::start(self.place.beside())
    }

    fn start(place: Place) -> Desk {
        Desk::serve(place).settle()
    }

    fn serve(place: Place) -> Desk {
        let desk = Desk::launch(place);
        until("the desk to be ready", || (desk.as_role("mei").get("/readyz").status == 200).then_some(()));
        desk
    }

    fn launch(mut place: Place) -> Desk {
        let log = std::fs::File::options().create(true).append(true).open(place.data.path().join("log")).unwrap();
        let program = place.program(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
        let mut command = match place.file_blocks_max {
            None => program,
            Some(blocks) => limited(&program, blocks),
        };
        command.envs(place.environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        place.url = loop {
            let line = lines.next().expect("the desk says where it serves").unwrap();
            if let Some((_, url)) = line.split_once(" on http://") {
                break format!("http://{}", url.trim());
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Desk { child, place }
    }

    /// Waits for the rules that are being compiled: a desk serves before they are, and on a busy machine long before.
    fn settle(self) -> Desk {
        let begun = Instant::now();
        while begun.elapsed() < SETTLING_MAX {
            let rules = self.as_role("mei").get("/api/v1/rules");
            if !rules.text.contains("\"compiling\"") {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }

    /// Kills the process (SIGKILL) and starts another on the same data.
    pub fn crash_and_restart(self) -> Desk {
        Desk::start(self.crash())
    }

    /// Kills the process and starts another that finds the disk full where a file gets larger than so many bytes.
    pub fn restart_with_a_full_disk(self, file_bytes_max: u64) -> Desk {
        let place = self.crash();
        Desk::start(Place { file_blocks_max: Some(file_bytes_max / 512), ..place })
    }

    /// Waits until the process has died by itself, as it was started to.
    pub fn wait_for_its_death(&mut self, what: &str) {
        until(what, || self.child.try_wait().unwrap().map(drop));
    }

    /// Kills the process (SIGKILL) and starts no other yet.
    pub fn crash(mut self) -> Place {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.place, Place::nowhere())
    }

    /// Tells the process to stop (SIGTERM) and waits until it has.
    pub fn stop(&mut self) {
        let told = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().unwrap();
        assert!(told.success());
        assert!(self.child.wait().unwrap().success());
    }

    /// What it has logged so far: a JSON object a line, as it is written where there is no terminal.
    pub fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.data.path().join("log")).unwrap();
        // The last line may be half written.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

/// The same command where no file may get larger than so many units of 512 bytes.
pub fn limited(program: &Command, blocks: u64) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", WITH_A_FULL_DISK, "sh", &blocks.to_string(), PROGRAM]).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

impl Place {
    /// Starts a process on what another has left.
    pub fn start(self) -> Desk {
        Desk::start(self)
    }

    /// Starts a process and waits until it serves, not until it says that it is ready, nor for its rules: some are meant never to be
    /// compiled.
    #[allow(dead_code, reason = "only what is about such rules asks for it")]
    pub fn serve(self) -> Desk {
        Desk::launch(self)
    }
}

impl Deref for Desk {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
