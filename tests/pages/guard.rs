//! The safety of pages: other sites, frames, text of people, addresses, sessions.

use serde_json::json;

use super::desk;
use crate::support::browser::Browser;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

/// An answer as a browser without scripts of its own gets it.
pub(super) struct Got {
    pub(super) status: u16,
    headers: ureq::http::HeaderMap,
    pub(super) text: String,
}

pub(super) fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Got {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = agent.run(request.body(body.to_owned()).unwrap()).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    Got { status: answer.status().as_u16(), headers: answer.headers().clone(), text }
}

/// An answer with its bytes as they come, each as a character.
fn raw(url: &str, headers: &[(&str, &str)]) -> Got {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = headers.iter().fold(agent.get(url), |request, (name, value)| request.header(*name, *value));
    let mut answer = request.call().unwrap();
    let text = answer.body_mut().read_to_vec().unwrap().into_iter().map(|byte| char::from(byte & 0x7f)).collect();
    Got { status: answer.status().as_u16(), headers: answer.headers().clone(), text }
}

impl Got {
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    pub(super) fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

pub(super) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
pub(super) const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// Signs in and gives the cookie.
pub(super) fn cookie(desk: &House, person: &str) -> String {
    let got = send("POST", &format!("{}/sign-in", desk.url), &[FORM, OWN], &format!("person={person}"));
    assert_eq!(got.status, 303, "{}", got.text);
    got.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[test]
fn a_session_is_kept_by_its_hash_alone_and_is_new_at_each_sign_in() {
    on_both(|database| {
        let desk = House::demo(database);
        let got = send("POST", &format!("{}/sign-in", desk.url), &[FORM, OWN], "person=amara");
        let set = got.header("set-cookie");
        assert!(
            set.starts_with("__Host-ruledesk=") && set.contains("; Path=/; Secure; HttpOnly; SameSite=Lax"),
            "{set}"
        );
        let first = set.split(';').next().unwrap().to_owned();
        let again = send("POST", &format!("{}/sign-in", desk.url), &[FORM, OWN, ("cookie", &first)], "person=amara");
        let second = again.header("set-cookie").split(';').next().unwrap().to_owned();
        assert_ne!(first, second);
        let page = |cookie: &str| send("GET", &format!("{}/", desk.url), &[("cookie", cookie)], "").status;
        assert_eq!((page(&first), page(&second)), (303, 200), "the session before has ended");
        let out = send("POST", &format!("{}/sign-out", desk.url), &[FORM, OWN, ("cookie", &second)], "");
        assert!(out.header("set-cookie").contains("Max-Age=0"));
        assert_eq!(page(&second), 303, "signed out");
        let refused = send("POST", &format!("{}/sign-in", desk.url), &[FORM, OWN], "person=ingrid");
        assert_eq!(refused.status, 422, "only the people of the demo come in by a click");
        let refused = send("POST", &format!("{}/sign-in", desk.url), &[FORM, OWN], "token=rdk_wrong");
        assert_eq!(refused.status, 422);
    });
}

#[test]
fn a_token_opens_a_session_that_ends_with_it() {
    let desk = House::demo(Database::Sqlite);
    let given = desk.command(&["token", "ivan", "--roles", "agent", "--label", "browser"]);
    let token = String::from_utf8_lossy(&given.stdout)
        .split_whitespace()
        .find(|word| word.starts_with("rdk_"))
        .unwrap()
        .to_owned();
    let got = send("POST", &format!("{}/sign-in", desk.url), &[FORM, OWN], &format!("token={token}&next=%2Fqueue"));
    assert_eq!((got.status, got.header("location")), (303, "/queue".to_owned()), "{}", got.text);
    let cookie = got.header("set-cookie").split(';').next().unwrap().to_owned();
    let page = || send("GET", &format!("{}/queue", desk.url), &[("cookie", &cookie)], "").status;
    assert_eq!(page(), 200);
    desk.command(&["token", "--revoke", &token]);
    desk.advance(jiff::SignedDuration::from_secs(6));
    assert_eq!(page(), 303, "its token was revoked");
}

#[test]
fn another_site_can_do_nothing_in_the_reader_s_name() {
    let desk = desk();
    let cookie = cookie(&desk, "kofi");
    let url = format!("{}/tickets/IT-1/reply", desk.url);
    let evil = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.test"),
        ("origin", "null"),
    ];
    for header in evil {
        let got = send("POST", &url, &[FORM, ("cookie", &cookie), header], "body=Gotcha");
        assert_eq!(got.status, 403, "{header:?}");
        assert!(got.text.contains("Another site sent this"), "{}", got.text);
    }
    assert_eq!(
        send("POST", &url, &[FORM, ("cookie", &cookie)], "body=Gotcha").status,
        403,
        "and none without any word"
    );
    // A cookie opens no door of the interface.
    let got = send("GET", &format!("{}/api/v1/tickets", desk.url), &[("cookie", &cookie)], "");
    assert_eq!(got.status, 401);
    let timeline = desk.as_role("kofi").get("/api/v1/tickets/IT-1/timeline").text;
    assert!(!timeline.contains("Gotcha"));
}

#[test]
fn every_page_says_what_a_browser_may_do_with_it() {
    let desk = desk();
    let cookie = cookie(&desk, "kofi");
    for path in ["/", "/queue", "/tickets/IT-1", "/tickets/IT-999", "/sign-in", "/new/incident"] {
        let got = send("GET", &format!("{}{path}", desk.url), &[("cookie", &cookie), ("accept", "text/html")], "");
        let policy = got.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        assert_eq!(got.header("referrer-policy"), "same-origin");
        assert!(!got.text.contains(" style=") && !got.text.contains(" onclick"), "{path}");
    }
}

#[test]
fn no_one_is_sent_elsewhere_by_an_address() {
    let desk = House::demo(Database::Sqlite);
    for next in ["https://evil.test", "//evil.test", "/\\evil.test"] {
        let body = format!("person=amara&next={}", next.replace('/', "%2F").replace('\\', "%5C").replace(':', "%3A"));
        let got = send("POST", &format!("{}/sign-in", desk.url), &[FORM, OWN], &body);
        assert_eq!(got.header("location"), "/", "{next}");
    }
}

#[test]
fn text_of_people_is_text_in_every_place() {
    let desk = House::demo(Database::Sqlite);
    let evil = "<img src=x onerror=alert(1)></textarea><script>alert(2)</script>";
    let body = json!({ "request_type": "incident", "subject": format!("{evil} a"), "body": format!("{evil} b"),
        "fields": { "service": evil, "people-affected": 3 } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    desk.as_role("amara").post("/api/v1/tickets/IT-1/comments", &json!({ "body": evil })).expect(201);
    for (person, paths) in [
        ("amara", ["/", "/mine", "/tickets/IT-1", "/find?q=img"]),
        ("kofi", ["/queue", "/tickets/IT-1", "/tickets/IT-1/record", "/find?q=%3Cimg"]),
    ] {
        let mut browser = Browser::of(&desk.url, person);
        for path in paths {
            browser.go(path);
            browser.counts("main img, main script", 0);
        }
    }
}

#[test]
fn what_is_not_there_is_a_page_for_people_and_a_problem_for_programs() {
    let desk = desk();
    let got = send("GET", &format!("{}/nowhere", desk.url), &[("accept", "text/html")], "");
    assert_eq!(got.status, 404);
    assert!(got.text.contains("There is no such page"));
    let got = send("GET", &format!("{}/nowhere", desk.url), &[("accept", "*/*")], "");
    assert_eq!((got.status, got.header("content-type")), (404, "application/problem+json".to_owned()));
    // Another person's ticket is not there either, and the page has a number to name.
    let cookie = cookie(&desk, "priya");
    let got =
        send("GET", &format!("{}/tickets/IT-1", desk.url), &[("cookie", &cookie), ("x-request-id", "look-at-me")], "");
    assert_eq!(got.status, 404);
    assert!(got.text.contains("look-at-me"), "{}", got.text);
}

/// The queue of 50 stays within its bytes, and is fetched by few requests.
#[test]
fn the_queue_keeps_its_budget() {
    let desk = House::demo(Database::Sqlite);
    let amara = desk.as_role("amara");
    for n in 0..55 {
        let body = json!({ "request_type": "question", "subject": format!("Question {n} about something in the building that is rather long"),
            "body": format!("Text {n} of its own"), "fields": { "topic": "howto" } });
        amara.post("/api/v1/tickets", &body).expect(201);
    }
    let cookie = cookie(&desk, "kofi");
    let got = send("GET", &format!("{}/queue", desk.url), &[("cookie", &cookie)], "");
    assert_eq!(got.text.matches("<tr data-row=").count(), 50);
    assert!(got.text.len() <= 60 << 10, "{} bytes", got.text.len());
    assert!(!got.text.contains("of its own"), "no body is read for a list");
    let (_, rest) = got.text.split_once("rel=\"next\" href=\"").unwrap();
    let next = rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    // Over the wire it is small, and it goes there once.
    let small = raw(&format!("{}/queue", desk.url), &[("cookie", &cookie), ("accept-encoding", "gzip")]);
    assert_eq!(small.header("content-encoding"), "gzip");
    assert!(small.text.len() <= 9_000, "{} bytes, compressed", small.text.len());
    let again = raw(&format!("{}/queue", desk.url), &[("cookie", &cookie), ("if-none-match", &small.header("etag"))]);
    assert_eq!((again.status, again.text.len()), (304, 0), "the browser has it");
    let mut browser = Browser::of(&desk.url, "kofi");
    browser.go("/queue");
    browser.wait("performance.getEntriesByType('resource').some((e) => e.name.endsWith('/queue/counts'))");
    let asked = browser.script(
        "return performance.getEntriesByType('resource').map((e) => new URL(e.name).pathname).filter((p) => p.startsWith('/static/'))",
    );
    assert!(asked.as_array().unwrap().len() <= 4, "a style, two scripts and the icon: {asked}");
    let second = send("GET", &format!("{}{next}", desk.url), &[("cookie", &cookie)], "");
    assert_eq!(second.text.matches("<tr data-row=").count(), 5);
}
