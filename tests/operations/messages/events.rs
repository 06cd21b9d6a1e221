//! Live events: each watcher hears which of the tickets have changed that they may see, and of none twice or never when the
//! stream breaks.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::incident;
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::place::{Database, Place, on_both, on_both_at_once};

/// A stream of events, as it comes.
struct Stream(BufReader<TcpStream>);

/// An event: its id, its name and its data.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    id: Option<String>,
    name: String,
    data: String,
}

impl Stream {
    fn open(desk: &Place, person: &str, after: Option<&str>) -> Stream {
        let after = after.map(|id| format!("\r\nlast-event-id: {id}")).unwrap_or_default();
        Stream::shown(desk, "/api/v1/events", &format!("authorization: Bearer demo-{person}{after}"))
    }

    /// A stream for those who show this.
    fn shown(desk: &Place, path: &str, header: &str) -> Stream {
        let mut stream = TcpStream::connect(desk.url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let host = &desk.url;
        let host = host.strip_prefix("http://").unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{header}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut stream = Stream(BufReader::new(stream));
        let status = stream.line();
        assert!(status.contains(" 200 "), "{status}");
        while !stream.line().is_empty() {}
        stream
    }

    /// A line, without what chunks it (RFC 9112, 7.1): the lengths of chunks are no lines of ours.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Waits for its end.
    fn ends(mut self) {
        self.0.get_ref().set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        std::io::copy(&mut self.0, &mut std::io::sink()).unwrap();
    }

    /// The next event with data; what else is said is skipped.
    fn event(&mut self) -> Event {
        let mut event = Event { id: None, name: String::new(), data: String::new() };
        loop {
            let line = self.line();
            match line.split_once(": ") {
                Some(("id", id)) => event.id = Some(id.to_owned()),
                Some(("event", name)) => name.clone_into(&mut event.name),
                Some(("data", data)) => {
                    data.clone_into(&mut event.data);
                    return event;
                }
                _ => {}
            }
        }
    }
}

fn about(key: &str, version: i64) -> String {
    format!("{{\"ticket\":\"{key}\",\"version\":{version}}}")
}

#[test]
fn each_watcher_is_told_of_the_tickets_that_they_may_see_and_of_no_private_note() {
    on_both(|database| {
        let desk = House::demo(database);
        let (mut agent, mut amara, mut lena) =
            (Stream::open(&desk, "kofi", None), Stream::open(&desk, "amara", None), Stream::open(&desk, "lena", None));
        let create = |person: &str| {
            let ticket = desk.as_role(person).post("/api/v1/tickets", &incident("VPN is down")).expect(201);
            ticket["key"].as_str().unwrap().to_owned()
        };
        let key = create("amara");
        let comment = |internal: bool| {
            let body = json!({ "body": "Look again.", "internal": internal });
            desk.as_role("kofi").post(&format!("/api/v1/tickets/{key}/comments"), &body).expect(201);
        };
        comment(true);
        comment(false);
        let other = create("lena");
        let all: Vec<String> = (0..4).map(|_| agent.event().data).collect();
        assert_eq!(all[3], about(&other, 1), "{all:?}");
        assert!(all[..3].iter().all(|data| data.contains(&key)), "{all:?}");
        assert_eq!(lena.event().data, about(&other, 1), "no other ticket is hers");
        // Hers begins at 1, and one public comment was added: a note counts for nothing.
        let told: Vec<Event> = (0..2).map(|_| amara.event()).collect();
        assert!(told.iter().all(|event| event.name == "ticket" && event.data.contains(&key)), "{told:?}");
        assert_eq!(told[1].data, about(&key, 2));
        let version = desk.as_role("amara").get(&format!("/api/v1/tickets/{key}")).expect(200)["version"].clone();
        assert_eq!(version, 2, "the version that she names in If-Match");
    });
}

#[test]
fn readers_of_a_department_and_followers_are_told_of_what_they_may_read_while_they_may() {
    on_both_at_once(|database| {
        let desk = House::demo(database);
        let (mut lena, mut priya) = (Stream::open(&desk, "lena", None), Stream::open(&desk, "priya", None));
        let create = |person: &str| {
            let ticket = desk.as_role(person).post("/api/v1/tickets", &incident("VPN is down")).expect(201);
            ticket["key"].as_str().unwrap().to_owned()
        };
        let kofi = desk.as_role("kofi");
        let say = |key: &str, internal: bool| {
            let body = json!({ "body": "Look again.", "internal": internal });
            kofi.post(&format!("/api/v1/tickets/{key}/comments"), &body).expect(201);
        };
        let file = desk.settings().with_file_name("people.toml");
        let people = std::fs::read_to_string(&file).unwrap();
        let publish = |text: &str| {
            std::fs::write(&file, text).unwrap();
            assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        };
        let key = create("amara");
        // One's own ticket comes after all that was kept from her.
        let own = create("lena");
        assert_eq!(lena.event().data, about(&own, 1), "she is of the department, and not one of its readers");
        publish(&format!("{people}\n[[department-readers]]\ndepartment = \"Finance\"\npeople = [\"lena\"]\n"));
        say(&key, true);
        say(&key, false);
        assert_eq!(
            lena.event().data,
            about(&key, 2),
            "the stream that she had goes on, and a private note is nothing to her"
        );
        let seen = desk.as_role("lena").get(&format!("/api/v1/tickets/{key}")).expect(200);
        assert_eq!(seen["version"], 2);

        kofi.put(&format!("/api/v1/tickets/{key}/watchers/priya"), &json!({})).expect(200);
        say(&key, false);
        let version = desk.as_role("priya").get(&format!("/api/v1/tickets/{key}")).expect(200)["version"].clone();
        let last = about(&key, version.as_i64().unwrap());
        while priya.event().data != last {}
        while lena.event().data != last {}

        publish(&people);
        say(&key, false);
        let own = create("lena");
        assert_eq!(lena.event().data, about(&own, 1), "she reads them no more");
        desk.do_what_is_due();
    });
}

#[test]
fn one_who_comes_back_is_told_what_was_missed_and_nothing_twice() {
    on_both(|database| {
        let desk = House::demo(database);
        let create = || {
            let ticket = desk.as_role("amara").post("/api/v1/tickets", &incident("VPN is down")).expect(201);
            ticket["key"].as_str().unwrap().to_owned()
        };
        let mut stream = Stream::open(&desk, "kofi", None);
        let first = create();
        let told = stream.event();
        assert_eq!(told.data, about(&first, 1));
        drop(stream);
        let missed = [create(), create(), create()];
        let mut stream = Stream::open(&desk, "kofi", told.id.as_deref());
        for key in &missed {
            assert_eq!(stream.event().data, about(key, 1));
        }
        let live = create();
        assert_eq!(stream.event().data, about(&live, 1));
        assert_eq!(desk.as_role("kofi").with("last-event-id", "yesterday").get("/api/v1/events").status, 400);
        assert_eq!(desk.stranger().get("/api/v1/events").status, 401);
    });
}

#[test]
fn a_stream_does_not_keep_a_desk_from_stopping() {
    let mut desk = Desk::demo(Database::Sqlite);
    let mut stream = Stream::open(&desk, "kofi", None);
    let begun = Instant::now();
    desk.stop();
    // A request that does not end is waited for half a minute.
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    let mut rest = String::new();
    while stream.0.read_line(&mut rest).unwrap() > 0 {}
}

#[test]
fn one_person_has_only_so_many_streams() {
    let desk = House::demo(Database::Sqlite);
    let streams: Vec<Stream> = (0..10).map(|_| Stream::open(&desk, "amara", None)).collect();
    let answer = desk.as_role("amara").get("/api/v1/events");
    assert_eq!(answer.status, 429, "{}", answer.text);
    drop(Stream::open(&desk, "kofi", None));
    drop(streams);
}

/// A stream goes on for minutes: what was shown at its beginning is looked at again meanwhile.
#[test]
fn a_stream_ends_where_its_token_or_session_was_taken_back_and_others_go_on() {
    let desk = House::demo(Database::Sqlite);
    let lost = desk.with_roles("lena", "requester").token.unwrap();
    let kept = desk.with_roles("amara", "requester").token.unwrap();
    let [lost_stream, mut kept_stream] =
        [&lost, &kept].map(|token| Stream::shown(&desk, "/api/v1/events", &format!("authorization: Bearer {token}")));
    let form = |path: &str, cookie: &str, body: &str| {
        let own = "content-type: application/x-www-form-urlencoded\r\nsec-fetch-site: same-origin\r\nconnection: close";
        let mut stream = TcpStream::connect(desk.url.strip_prefix("http://").unwrap()).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\ncontent-length: {length}\r\n{own}\r\n\r\n{body}"
        )
        .unwrap();
        std::io::read_to_string(stream).unwrap()
    };
    let inside = form("/sign-in", "none=1", &format!("token={kept}"));
    let (_, cookie) = inside.split_once("set-cookie: ").unwrap_or_else(|| panic!("{inside}"));
    let cookie = cookie.split(';').next().unwrap().to_owned();
    // One look serves all streams, and each that has lost its proof ends.
    let sessions: Vec<Stream> = (0..3).map(|_| Stream::shown(&desk, "/live", &format!("cookie: {cookie}"))).collect();
    form("/sign-out", &cookie, "");
    sessions.into_iter().for_each(Stream::ends);

    let listed = String::from_utf8(desk.command(&["token", "list", "lena"]).stdout).unwrap();
    assert!(desk.command(&["token", "revoke", listed.split_whitespace().next().unwrap()]).status.success());
    // The token is trusted for a few seconds by the desk's own clock.
    desk.advance(jiff::SignedDuration::from_secs(6));
    lost_stream.ends();
    let ticket = desk.as_role("amara").post("/api/v1/tickets", &incident("VPN is down")).expect(201);
    assert!(kept_stream.event().data.contains(ticket["key"].as_str().unwrap()));
}
