//! The program under measure: its configuration, its process, and requests to it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ruledesk::store::Target;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{place, root};

pub const TEAMS: u64 = 60;
pub const AGENTS: u64 = 400;
pub const REQUESTERS: u64 = 20_000;

pub fn team(n: u64) -> String {
    format!("team-{:02}", n % TEAMS)
}

pub fn agent(n: u64) -> String {
    format!("agent-{:03}", n % AGENTS)
}

pub fn requester(n: u64) -> String {
    format!("person-{:05}", n % REQUESTERS)
}

/// The demo's configuration with the teams, agents and requesters of a large organisation.
pub fn configuration() -> PathBuf {
    let (demo, own) = (root().join("host/demo"), place().join("config"));
    std::fs::create_dir_all(own.join("tables")).unwrap();
    for folder in ["", "tables"] {
        for entry in std::fs::read_dir(demo.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, own.join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    let mut people = std::fs::read_to_string(demo.join("people.toml")).unwrap();
    for id in (0..REQUESTERS).map(requester).chain((0..AGENTS).map(agent)) {
        people += &format!(
            "\n[[person]]\nid = \"{id}\"\nname = \"Name of {id}\"\nemail = \"{id}@meridian.example\"\n\
             department = \"Sales\"\ntitle = \"Account Manager\"\nlocation = \"Berlin\"\nmanager = \"grace\"\ngroups = [\"staff\"]\n"
        );
    }
    std::fs::write(own.join("people.toml"), people).unwrap();
    let mut teams = std::fs::read_to_string(demo.join("teams.toml")).unwrap();
    for n in 0..TEAMS {
        let members: Vec<String> = (n..AGENTS)
            .step_by(usize::try_from(TEAMS).unwrap())
            .map(|agent_n| format!("{{ person = \"{}\", skills = [] }}", agent(agent_n)))
            .collect();
        let id = team(n);
        teams += &format!(
            "\n[[team]]\nid = \"{id}\"\nname = \"Name of {id}\"\ntier = 2\nstrategy = \"round-robin\"\nmember = [{}]\n",
            members.join(", ")
        );
    }
    std::fs::write(own.join("teams.toml"), teams).unwrap();
    own
}

/// A running desk; it ends with this.
pub struct Desk {
    child: Child,
    address: String,
    config: PathBuf,
    target: Target,
}

impl Desk {
    pub fn start(config: &Path, target: &Target) -> Desk {
        Self::start_in(&place().join("data"), config, target)
    }

    /// The same with a directory of its own for data, beside others that run.
    pub fn start_in(data: &Path, config: &Path, target: &Target) -> Desk {
        let mut child = command(target)
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--config"])
            .arg(config)
            .arg("--rules")
            .arg(root().join("target/rules"))
            .arg("--data")
            .arg(data)
            .env("RULEDESK_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().expect("the desk says where it serves").unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        let address = first.rsplit_once("http://").unwrap().1.to_owned();
        let desk = Desk { child, address, config: config.to_owned(), target: target.clone() };
        let begun = Instant::now();
        while desk.try_get("/readyz", "demo-kofi").is_none_or(|status| status != 200) {
            assert!(begun.elapsed() < Duration::from_secs(60), "the desk does not get ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        desk
    }

    fn try_get(&self, path: &str, token: &str) -> Option<u16> {
        let url = format!("http://{}{path}", self.address);
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let response = agent.get(url).header("authorization", format!("Bearer {token}")).call().ok()?;
        Some(response.status().as_u16())
    }

    /// A token for a person with roles.
    pub fn token(&self, person: &str, roles: &str) -> String {
        let output =
            command(&self.target).args(["token", person, "--roles", roles, "--config"]).arg(&self.config).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub async fn client(&self, token: &str) -> Client {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, token: token.to_owned() }
    }

    /// The process's own memory, in bytes: what is not a file's.
    pub fn own_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
    }

    /// The processor time that the process has taken so far, its threads together.
    pub fn processor_time(&self) -> Duration {
        let line = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = line.rsplit_once(") ").unwrap().1;
        let ticks: Vec<u64> = after_name.split(' ').skip(11).take(2).map(|text| text.parse().unwrap()).collect();
        // Linux counts in hundredths of a second here, also where the kernel's own clock is another.
        Duration::from_millis((ticks[0] + ticks[1]) * 10)
    }

    /// Ends it in order.
    pub fn stop(mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program on a database.
fn command(target: &Target) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ruledesk"));
    let url = match target {
        Target::Sqlite(file) => format!("sqlite:{}", file.display()),
        Target::Postgres(url) => url.clone(),
    };
    command.env("DATABASE_URL", url).env("RULEDESK_CACHE", place().join("cache"));
    command
}

/// One connection that is kept.
pub struct Client {
    stream: TcpStream,
    token: String,
}

/// An answer and how long it took.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    pub took: Duration,
}

impl Client {
    pub async fn get(&mut self, path: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n", self.token);
        self.send(&head).await
    }

    pub async fn post(&mut self, path: &str, body: &str) -> Answer {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.send(&head).await
    }

    /// A request without a token, with these lines in its head.
    pub async fn ask(&mut self, method: &str, path: &str, lines: &str, body: &str) -> Answer {
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{lines}content-length: {length}\r\n\r\n{body}");
        self.send(&head).await
    }

    /// A list under a name is kept.
    pub async fn put(&mut self, path: &str, body: &str) -> Answer {
        let lines =
            format!("authorization: Bearer {}\r\ncontent-type: application/json\r\nif-none-match: *\r\n", self.token);
        self.ask("PUT", path, &lines, body).await
    }

    /// Begins to watch what happens, and goes on reading nothing.
    pub async fn watch(&mut self) {
        let head =
            format!("GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n", self.token);
        self.stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.windows(6).any(|window| window == b"retry:") {
            assert!(self.stream.read_buf(&mut answer).await.unwrap() > 0, "{}", String::from_utf8_lossy(&answer));
        }
    }

    async fn send(&mut self, request: &str) -> Answer {
        let begun = Instant::now();
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::with_capacity(64 << 10);
        loop {
            assert!(self.stream.read_buf(&mut answer).await.unwrap() > 0, "the desk closed the connection");
            let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&answer[..end]).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let (from, length) = (end + 4, length.parse::<usize>().unwrap());
            if answer.len() >= from + length {
                let status = head[9..12].parse().unwrap();
                let head = head.to_owned();
                return Answer { status, head, body: answer[from..].to_vec(), took: begun.elapsed() };
            }
        }
    }
}
