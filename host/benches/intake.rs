//! `POST /api/v1/tickets` end to end: the real program, SQLite on disk, every acknowledged ticket durable, 32 clients that
//! keep their connections. Not a Criterion benchmark: what counts here is throughput and the tail of many requests at once.
//!
//! The clients run on one thread of this process and share the machine's cores with the desk.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark, not an interface"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CLIENTS: usize = 32;
const WARM_UP: usize = 100;
const REQUESTS: usize = 1_000;

fn body(client: usize, number: usize) -> String {
    let text = "The printer on the third floor is out of toner and the people there wait for it. ".repeat(8);
    format!(
        r#"{{"request_type":"hardware","subject":"The printer is broken, says {client}/{number}","body":"{}","fields":{{"device":"printer","urgency":"high","justification":"We cannot print the invoices of {number}"}},"requester":"{}"}}"#,
        &text[..600],
        person(client + number * CLIENTS)
    )
}

/// An organisation has many people, and few of them submit twice in three days.
const PEOPLE: usize = 5_000;

fn person(number: usize) -> String {
    format!("person-{:04}", number % PEOPLE)
}

/// The demo's configuration with more people.
fn configuration(demo: &Path, own: &Path) {
    std::fs::create_dir_all(own.join("tables")).unwrap();
    for folder in ["", "tables"] {
        for entry in std::fs::read_dir(demo.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, own.join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    let mut people = std::fs::read_to_string(own.join("people.toml")).unwrap();
    for number in 0..PEOPLE {
        let id = person(number);
        people += &format!(
            "\n[[person]]\nid = \"{id}\"\nname = \"Somebody {number}\"\nemail = \"{id}@meridian.example\"\n\
             department = \"Sales\"\ntitle = \"Account Manager\"\nlocation = \"Berlin\"\nmanager = \"grace\"\ngroups = [\"staff\"]\n"
        );
    }
    std::fs::write(own.join("people.toml"), people).unwrap();
}

async fn request(stream: &mut TcpStream, client: usize, number: usize) -> Duration {
    let body = body(client, number);
    let head = format!(
        "POST /api/v1/tickets HTTP/1.1\r\nhost: desk\r\nauthorization: Bearer demo-kofi\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let start = Instant::now();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::with_capacity(4096);
    loop {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the desk closed the connection");
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..end]).unwrap();
        assert!(head.starts_with("HTTP/1.1 201"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if answer.len() >= end + 4 + length.parse::<usize>().unwrap() {
            return start.elapsed();
        }
    }
}

async fn load(address: &str, requests: usize) -> (Duration, Vec<Duration>) {
    let start = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let address = address.to_owned();
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut took = Vec::with_capacity(requests);
                for number in 0..requests {
                    took.push(request(&mut stream, client, number).await);
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for client in clients {
        took.extend(client.await.unwrap());
    }
    took.sort_unstable();
    (start.elapsed(), took)
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let data = tempfile::TempDir::new_in(root.join("target")).unwrap();
    configuration(&root.join("host/demo"), &data.path().join("config"));
    let mut desk = Command::new(env!("CARGO_BIN_EXE_ruledesk"))
        .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--config"])
        .arg(data.path().join("config"))
        .arg("--rules")
        .arg(root.join("target/rules"))
        .arg("--data")
        .arg(data.path().join("data"))
        .env_remove("DATABASE_URL")
        .env("RULEDESK_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(desk.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    let address = first.rsplit_once("http://").unwrap().1.to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(load(&address, WARM_UP));
    let mut rates = Vec::new();
    for round in 1..=3 {
        let (elapsed, took) = runtime.block_on(load(&address, REQUESTS));
        let rate = took.len() as f64 / elapsed.as_secs_f64();
        rates.push(rate);
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
        println!("round {round}: {rate:.0} tickets/s, p50 {:.1?}, p99 {:.1?}, max {:.1?}", at(0.5), at(0.99), at(1.0));
    }
    rates.sort_by(f64::total_cmp);
    println!("median: {:.0} tickets/s over {CLIENTS} clients", rates[1]);
    let process = std::fs::read_to_string(format!("/proc/{}/stat", desk.id())).unwrap_or_default();
    let ticks: f64 = process.split_whitespace().skip(13).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
    let tickets = CLIENTS * (WARM_UP + 3 * REQUESTS);
    println!("the desk used {:.0} µs of processor time a ticket", ticks * 10_000.0 / tickets as f64);
    desk.kill().unwrap();
    desk.wait().unwrap();
}
