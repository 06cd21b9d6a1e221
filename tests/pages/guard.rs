//! The safety of pages: other sites, frames, text of people, addresses, sessions.

use serde_json::json;

use super::desk;
use crate::support::browser::Browser;
use crate::support::components::root;
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
pub(super) fn raw(url: &str, headers: &[(&str, &str)]) -> Got {
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
    tokens_are_taken_back_by_admins(&desk);
}

/// An admin sees who has tokens, without the tokens, and takes one back; none is given out there.
fn tokens_are_taken_back_by_admins(desk: &House) {
    desk.command(&["token", "nadia", "--roles", "agent,approver", "--label", "her own program"]);
    let (mei, kofi) = (cookie(desk, "mei"), cookie(desk, "kofi"));
    let url = format!("{}/admin/tokens", desk.url);
    let list = |who: &str, query: &str| send("GET", &format!("{url}{query}"), &[("cookie", who)], "");
    assert_eq!(list(&kofi, "").status, 403);
    let all = list(&mei, "").text;
    assert!(all.contains("her own program") && all.contains("Agent, Approver") && !all.contains("rdk_"), "{all}");
    assert!(!all.contains(">browser<"), "the one that was revoked is not in it");
    assert!(!list(&mei, "?person=ivan").text.contains("her own program"));
    assert!(!list(&mei, "?person=%00no%20one").text.contains("her own program"));
    let (_, rest) = all.split_once("name=\"token\" value=\"").unwrap();
    let id = rest.split('"').next().unwrap();
    let take = |who: &str, why: &str| {
        send("POST", &url, &[FORM, OWN, ("cookie", who)], &format!("person=nadia&token={id}&why={why}"))
    };
    let end = |who: &str| take(who, "It+is+on+a+lost+laptop");
    assert_eq!(end(&kofi).status, 403);
    let refused = take(&mei, "+");
    assert!(refused.status == 422 && refused.text.contains("say why"), "{}", refused.text);
    assert!(list(&mei, "").text.contains("her own program"), "it still holds");
    assert_eq!(end(&mei).header("location"), "/admin/tokens?person=nadia&done=1");
    assert_eq!(end(&mei).status, 303, "twice is once");
    assert!(list(&mei, "?person=nadia&done=1").text.contains("The token is taken back"));
    assert!(!list(&mei, "").text.contains("her own program"));
    // Its history stays, also where one looks at her tokens alone.
    for query in ["", "?person=nadia"] {
        let page = list(&mei, query).text;
        assert!(page.contains(&format!("{id} was given out to ")), "{page}");
        assert!(page.contains(&format!("{id} was taken back</span> <span class=\"quiet\">by Mei Lin")), "{page}");
        assert!(page.contains("It is on a lost laptop"), "{page}");
    }
    assert!(!list(&mei, "?person=ivan").text.contains(id));
    let audit = send("GET", &format!("{}/admin/audit?event=token-revoked", desk.url), &[("cookie", &mei)], "");
    assert!(audit.text.contains(id), "{}", audit.text);
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

/// Every address of the pages that takes a form, but for the one at which the identity provider speaks, and no browser.
pub(super) fn taking_forms() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("host/src/web/mod.rs")).unwrap();
    let routes = text.split(".route(").skip(1).filter(|route| route.contains("post("));
    let paths = routes.map(|route| route.split('"').nth(1).unwrap().to_owned());
    paths.filter(|path| path != "/sign-in/provider/ended").collect()
}

#[test]
fn no_form_of_any_page_is_taken_from_another_site() {
    let desk = House::demo(Database::Sqlite);
    let mei = cookie(&desk, "mei");
    let all = taking_forms();
    assert!(all.len() >= 45, "{all:?}");
    let filled = |path: &str| {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        format!("{}{}", desk.url, parts.collect::<Vec<_>>().join("/"))
    };
    for path in &all {
        for site in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "null")] {
            let got = send("POST", &filled(path), &[FORM, site, ("cookie", &mei)], "do=x");
            assert!(
                got.status == 403 && got.text.contains("Another site sent this"),
                "{path} {site:?}: {}",
                got.status
            );
        }
    }
    let in_force = send("GET", &format!("{}/mine", desk.url), &[("cookie", &mei)], "");
    assert_eq!(in_force.status, 200, "not even a sign-out");
}

/// No page of another site has the desk in a frame, under which a reader would click without knowing.
#[test]
fn no_page_of_another_site_frames_the_desk() {
    let desk = House::demo(Database::Sqlite);
    let mut browser = Browser::at(&desk.url);
    assert_eq!(browser.framed("data:text/plain,seen"), "data:text/plain,seen", "it does see what is in a frame");
    for path in ["/sign-in", "/nowhere"] {
        let shown = browser.framed(&format!("{}{path}", desk.url));
        assert!(!shown.starts_with(&desk.url), "{path} is shown");
    }
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
        let body = body.replacen("person=amara", "language=de", 1);
        let got = send("POST", &format!("{}/language", desk.url), &[FORM, OWN], &body);
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
    let program = send("GET", &format!("{}/nowhere", desk.url), &[("accept", "*/*")], "");
    assert_eq!((program.status, program.header("content-type")), (404, "application/problem+json".to_owned()));
    // Who is signed in finds the way on, to what they may see; under the same rules for browsers as on any page.
    assert!(!got.text.contains("main-nav"), "{}", got.text);
    let at = format!("{}/nowhere", desk.url);
    for (person, of_agents) in [("amara", false), ("kofi", true)] {
        let cookie = cookie(&desk, person);
        let got = send("GET", &at, &[("accept", "text/html"), ("cookie", &cookie)], "");
        assert!(got.status == 404 && got.header("content-security-policy").starts_with("default-src 'none'"));
        assert!(got.text.contains("main-nav") && got.text.contains("href=\"/mine\""), "{}", got.text);
        assert_eq!(got.text.contains("href=\"/queue\""), of_agents, "{person}");
    }
    let got = send("GET", &at, &[("accept", "text/html"), ("cookie", "__Host-ruledesk=guessed")], "");
    assert!(got.status == 404 && !got.text.contains("main-nav"), "{}", got.text);
    // Another person's ticket is not there either, and the page has a number to name.
    let cookie = cookie(&desk, "priya");
    let got =
        send("GET", &format!("{}/tickets/IT-1", desk.url), &[("cookie", &cookie), ("x-request-id", "look-at-me")], "");
    assert_eq!(got.status, 404);
    assert!(got.text.contains("look-at-me") && got.text.contains("main-nav"), "{}", got.text);
}

/// A list in another order goes on where the page before ended, an answer that is sent twice is sent once, and the audit is
/// searched page by page.
#[test]
fn lists_are_kept_and_searched_on_either_database() {
    on_both(|database| {
        let desk = House::demo(database);
        super::fill(&desk);
        let kofi = cookie(&desk, "kofi");
        let get = |who: &str, path: &str| send("GET", &format!("{}{path}", desk.url), &[("cookie", who)], "");
        let post = |who: &str, path: &str, body: &str| {
            send("POST", &format!("{}{path}", desk.url), &[FORM, OWN, ("cookie", who)], body)
        };
        let id = "0193a7c0-0000-7000-8000-000000000001";
        for _ in 0..2 {
            let kept = post(&kofi, "/queue/views", &format!("id={id}&name=Mine&audience=&requester=amara&star=1"));
            assert_eq!((kept.status, kept.header("location")), (303, format!("/queue?view={id}&done=view")));
        }
        let list = get(&kofi, &format!("/queue?view={id}"));
        assert_eq!(list.text.matches("<tr data-row=").count(), 6);
        let counts = get(&kofi, "/queue/counts").text;
        assert!(counts.contains(&format!("\"view-{id}\":\"6\"")), "{counts}");
        let mei = cookie(&desk, "mei");
        assert_eq!(get(&mei, &format!("/queue?view={id}")).status, 404, "it is not hers");
        for sort in ["key", "due", "changed"] {
            let sorted = get(&kofi, &format!("/queue?view={id}&sort={sort}"));
            assert_eq!(sorted.text.matches("<tr data-row=").count(), 6, "{sort}");
            assert_eq!(sorted.text.matches(" aria-sort=").count(), 1);
        }
        let gone = post(&kofi, &format!("/queue/views/{id}"), "do=remove&version=1");
        assert_eq!(gone.header("location"), "/queue?done=removed");
        // By tag, by form and by whom, as a form without scripts asks and as a list that is kept.
        let tagged = json!({ "tags": ["vip"], "reason": "the board" });
        let agent = desk.as_role("kofi");
        agent.with("if-match", "*").patch("/api/v1/tickets/IT-1", &tagged).expect(200);
        let form = agent.get("/api/v1/tickets/IT-1").expect(200)["request_type"].as_str().unwrap().to_owned();
        let narrowed = get(&kofi, &format!("/queue?state=all&team=&assignee=&request_type={form}&tag=vip"));
        assert_eq!(narrowed.text.matches("<tr data-row=").count(), 1, "{}", narrowed.text);
        for part in ["name=\"tag\" value=\"vip\"", &format!("name=\"request_type\" value=\"{form}\"")] {
            assert!(narrowed.text.contains(part), "it is kept with {part}: {}", narrowed.text);
        }
        // One that the desk has no more, as a list that was kept before may name it.
        let gone = get(&kofi, "/queue?state=all&tag=outage-2019&request_type=old-form").text;
        for name in ["outage-2019", "old-form"] {
            assert!(gone.contains(&format!("<option value=\"{name}\" selected>")), "{gone}");
        }
        for select in ["by-tag", "by-request_type", "by-assignee"] {
            assert!(narrowed.text.contains(&format!("<select id=\"{select}\"")), "{select}: {}", narrowed.text);
        }
        let id = "0193a7c0-0000-7000-8000-000000000002";
        let kept = post(&kofi, "/queue/views", &format!("id={id}&name=VIP&audience=&state=all&tag=vip&star=1"));
        assert_eq!(kept.status, 303, "{}", kept.text);
        assert_eq!(get(&kofi, &format!("/queue?view={id}")).text.matches("<tr data-row=").count(), 1);
        let alone = get(&kofi, "/queue?state=all&assignee=%40none&tag=vip");
        let has_no_one = agent.get("/api/v1/tickets/IT-1").expect(200)["assignee"].is_null();
        assert_eq!(alone.text.matches("<tr data-row=").count(), usize::from(has_no_one), "{}", alone.text);
        // Twice the same is once; under the same key, another text is refused.
        let reply = |text: &str| post(&kofi, "/tickets/IT-1/reply", &format!("key=once-and-for-all&body={text}"));
        assert_eq!((reply("Fixed").status, reply("Fixed").status), (303, 303));
        assert!(reply("Broken").status >= 400);
        let story = desk.as_role("kofi").get("/api/v1/tickets/IT-1/timeline").text;
        assert_eq!((story.matches("\"Fixed\"").count(), story.matches("Broken").count()), (1, 0), "{story}");
        audited(&desk, &mei);
    });
}

/// The audit by person, act, app, ticket and date.
fn audited(desk: &House, mei: &str) {
    for _ in 0..55 {
        cookie(desk, "kofi");
    }
    let search = |query: &str| send("GET", &format!("{}/admin/audit?{query}", desk.url), &[("cookie", mei)], "");
    let rows = |text: &str| text.matches("<td class=\"times\">").count();
    let first = search("person=kofi&event=session-began").text;
    assert_eq!(rows(&first), 50);
    let (_, rest) = first.split_once("rel=\"next\" href=\"/admin/audit?").unwrap();
    let next = rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let second = search(&next).text;
    assert_eq!(rows(&second), 6, "the first sign-in of all is the last");
    assert!(!second.contains("rel=\"next\""));
    assert!(rows(&search("event=session-began&person=mei").text) >= 1);
    assert_eq!(rows(&search("person=kofi%25").text), 0, "a sign of the database's language is a text");
    let asked = search("of=access&ticket=5").text;
    assert!(asked.contains("requested") && asked.contains("/tickets/IT-5"), "{asked}");
    assert!(rows(&search("of=access&about=github&person=amara").text) >= 1);
    assert_eq!(rows(&search("of=access&about=workday").text), 0);
    assert_eq!(rows(&search("of=access&ticket=1").text), 0);
    assert_eq!(rows(&search("until=2001-01-01").text), 1, "the first entry is of no time");
    assert_eq!(search("from=yesterday").status, 422);
    let kofi = cookie(desk, "kofi");
    let refused = send("GET", &format!("{}/admin/audit", desk.url), &[("cookie", &kofi)], "");
    assert_eq!(refused.status, 403);
}

/// A cookie is looked for in the database, so that an address has only so many of no session; a page costs as much as a request
/// of a program.
#[test]
fn cookies_of_no_session_are_braked_and_pages_are_counted_by_person() {
    let desk = House::with_settings(Database::Sqlite, crate::support::components::example_rules(), |text| {
        text.replacen("\nrequests-per-minute = 600_000", "\nrequests-per-minute = 20", 1)
    });
    let (amara, lena) = (cookie(&desk, "amara"), cookie(&desk, "lena"));
    let page = |cookie: &str| send("GET", &format!("{}/", desk.url), &[("cookie", cookie)], "").status;
    assert_eq!((page(&amara), page(&lena)), (200, 200));
    let unknown = |n: usize| page(&format!("__Host-ruledesk={n:064x}"));
    assert_eq!((0..200).find(|n| unknown(*n) == 429), Some(120));
    // Those who were seen before pass; the clock of the desk stands still.
    assert_eq!((1..40).take_while(|_| page(&amara) == 200).count(), 19, "twenty in a minute");
    assert_eq!(page(&amara), 429);
    assert_eq!(page(&lena), 200, "another person has pages of their own");
    desk.clock.advance(jiff::SignedDuration::from_secs(60));
    assert_eq!((page(&amara), unknown(1_000)), (200, 303));
    assert!((0..200).all(|_| unknown(1_000) == 303), "the tabs of one browser whose session has ended count as one");
    // A page that cannot be shown is one page, with all ways on from it.
    let kofi = cookie(&desk, "kofi");
    let missing = || send("GET", &format!("{}/tickets/IT-999", desk.url), &[("cookie", &kofi)], "");
    let shown = (0..40).map(|_| missing()).take_while(|got| got.status == 404 && got.text.contains("main-nav"));
    assert_eq!(shown.count(), 20);
    // The desk looks for no session for those who ask too much.
    let refused = missing();
    assert!(refused.status == 429 && !refused.text.contains("main-nav"), "{}", refused.text);
    assert!(!refused.header("retry-after").is_empty());
}

#[test]
fn tokens_that_are_none_are_braked_where_one_signs_in() {
    let desk = House::demo(Database::Sqlite);
    let enter =
        |token: &str| send("POST", &format!("{}/sign-in", desk.url), &[FORM, OWN], &format!("token={token}")).status;
    assert_eq!((0..200).find(|n| enter(&format!("rdk_{n}")) == 429), Some(120));
    assert_eq!(enter(desk.as_role("kofi").token.as_deref().unwrap()), 303, "one that is known passes");
}

/// Where the pages read what a browser sends: each of these composes it, and no other place does.
const READERS: [&str; 5] =
    ["admin/upload.rs", "frame/form.rs", "portal/files.rs", "session/provider.rs", "ticket/files.rs"];

#[test]
fn what_is_typed_into_any_form_is_composed() {
    let web = crate::support::components::root().join("host/src/web");
    let mut readers: Vec<String> = crate::tidy::sources(&web)
        .into_iter()
        .filter(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            text.contains("extract::Form") || text.contains("Multipart")
        })
        .map(|file| file.strip_prefix(&web).unwrap().display().to_string())
        .collect();
    readers.sort();
    assert_eq!(readers, READERS, "a form is read where its texts are composed");

    let (composed, decomposed, typed) = ("Z\u{fc}rich", "Zu\u{308}rich", "Zu%CC%88rich");
    let desk = desk();
    desk.until_active("tidy-text");
    let (amara, kofi, mei) = (cookie(&desk, "amara"), cookie(&desk, "kofi"), cookie(&desk, "mei"));
    let multipart = "--x\r\ncontent-disposition: form-data; name=\"subject\"\r\n\r\nTo Zu\u{308}rich\r\n\
         --x\r\ncontent-disposition: form-data; name=\"body\"\r\n\r\nFrom Zu\u{308}rich, please.\r\n\
         --x\r\ncontent-disposition: form-data; name=\"field.topic\"\r\n\r\nother\r\n--x--\r\n";
    let parts = ("content-type", "multipart/form-data; boundary=x");
    let new = send("POST", &format!("{}/new/question", desk.url), &[parts, OWN, ("cookie", &amara)], multipart);
    assert_eq!((new.status, new.header("location").as_str()), (303, "/tickets/IT-7?sent=1"), "{}", new.text);
    let view = "0193a7c0-0000-7000-8000-000000000001";
    for (who, path, body) in [
        (&kofi, "/tickets/IT-1/reply", format!("key=one&body=In+{typed}")),
        (&kofi, "/tickets/IT-1/tasks", format!("key=two&text=Call+{typed}")),
        (&kofi, "/queue/views", format!("id={view}&name=Of+{typed}&audience=&requester=amara")),
        (&kofi, "/help/new", format!("title=How+in+{typed}&body=As+in+{typed}&language=en")),
        (&mei, "/admin/rules/tidy-text/step", format!("step=suspend&why=As+{typed}+says")),
    ] {
        let done = send("POST", &format!("{}{path}", desk.url), &[FORM, OWN, ("cookie", who)], &body);
        assert_eq!(done.status, 303, "{path}: {}", done.text);
    }
    let given = desk.command(&["token", "nadia", "--roles", "agent", "--label", &format!("of {decomposed}")]);
    assert!(given.status.success(), "{}", String::from_utf8_lossy(&given.stderr));
    for (who, path) in [
        (&kofi, "/tickets/IT-7"),
        (&kofi, "/tickets/IT-1"),
        (&kofi, format!("/queue?view={view}").as_str()),
        (&kofi, "/help/KB-1/edit"),
        (&mei, "/admin/rules/tidy-text"),
        (&mei, "/admin/tokens"),
    ] {
        let page = send("GET", &format!("{}{path}", desk.url), &[("cookie", who)], "").text;
        assert!(page.contains(composed) && !page.contains(decomposed), "{path}: {page}");
    }
}
