//! Rules for every page: accessible at both widths and in both schemes, nothing wider than the screen, no complaint of the
//! browser, and every word in the reader's language.

use serde_json::json;

use crate::pages::guard::{FORM, OWN, cookie, send};
use crate::pages::{desk, desk_with_a_table};
use crate::support::browser::Browser;
use crate::support::components::{example_rules, scratch};
use crate::support::house::House;
use crate::support::peers::smtp::{Relay, decision_page};
use crate::support::place::Database;

mod lists;
mod words;

/// Each page and a person who looks at it.
const PAGES: [(&str, &str, &str); 54] = [
    ("start", "amara", "/"),
    ("form", "amara", "/new/incident"),
    ("form-access", "amara", "/new/access?field.app=github&field.tier=write"),
    ("mine", "amara", "/mine"),
    ("ticket-plain", "amara", "/tickets/IT-40"),
    ("drafts", "amara", "/drafts"),
    ("draft", "amara", "/drafts/0199c0de-0000-7000-8000-000000000001"),
    ("access", "amara", "/access"),
    ("several", "amara", "/access/several"),
    ("account", "amara", "/account"),
    ("find", "amara", "/find?q=calendar"),
    ("missing", "amara", "/tickets/IT-999"),
    ("help", "amara", "/help"),
    ("article", "amara", "/help/KB-1"),
    ("queue", "kofi", "/queue"),
    ("ticket", "kofi", "/tickets/IT-35"),
    ("ticket-access", "kofi", "/tickets/IT-39"),
    ("record", "kofi", "/tickets/IT-35/record"),
    ("article-edit", "kofi", "/help/KB-6/edit"),
    ("report-volume", "kofi", "/reports/volume"),
    ("report-backlog", "kofi", "/reports/backlog?by=team"),
    ("report-promises", "kofi", "/reports/sla-attainment?by=priority"),
    ("wall", "kofi", "/reports/wall"),
    ("approvals", "lena", "/approvals"),
    ("approval", "lena", "/approvals/IT-39"),
    ("try", "mei", "/tickets/IT-35/try"),
    ("queue-filtered", "mei", "/queue?priority=critical"),
    ("rules", "mei", "/admin/rules"),
    ("rule", "mei", "/admin/rules/form-category"),
    ("backtest", "mei", "/admin/rules/form-category/backtest"),
    ("upload", "mei", "/admin/upload"),
    ("records", "mei", "/admin/records"),
    ("tables", "mei", "/admin/tables"),
    ("table", "mei", "/admin/tables/systems"),
    ("editor", "mei", "/admin/decision-table/decision-table"),
    ("who", "mei", "/access/who"),
    ("could", "mei", "/access/roles?of=desk:agent"),
    ("audit", "mei", "/admin/audit"),
    ("audit-access", "mei", "/admin/audit?of=access"),
    ("document", "mei", "/admin/documents/request-types"),
    ("jobs", "mei", "/admin/jobs"),
    ("schedules", "mei", "/admin/schedules"),
    ("webhooks", "mei", "/admin/webhooks"),
    ("tokens", "mei", "/admin/tokens"),
    ("sessions", "mei", "/admin/sessions"),
    ("messages", "mei", "/admin/messages?kind=resolved&ticket=IT-35"),
    ("config-forms", "mei", "/admin/configuration/request-types"),
    ("config-people", "mei", "/admin/configuration/people"),
    ("config-calendar", "mei", "/admin/configuration/calendar"),
    ("config-priorities", "mei", "/admin/configuration/priorities"),
    ("config-promises", "mei", "/admin/configuration/promises"),
    ("config-apps", "mei", "/admin/configuration/apps"),
    ("config-macros", "mei", "/admin/configuration/macros"),
    ("config-waiting", "mei", "/admin/configuration/waiting"),
];

/// Pages of lists and forms alone, of which one look for each width and scheme is enough.
const PLAIN: [&str; 11] = [
    "/admin/audit",
    "/admin/configuration",
    "/admin/documents",
    "/admin/jobs",
    "/admin/schedules",
    "/admin/webhooks",
    "/admin/tokens",
    "/admin/sessions",
    "/reports/sla",
    "/reports/backlog",
    "/reports/wall",
];

/// A variable that has a picture made of each page at each look, to be looked at by a person.
const WITH_PICTURES: &str = "RULEDESK_PICTURES";

#[test]
fn every_page_is_accessible_at_both_widths_and_in_both_schemes() {
    let desk = House::lived_in(Database::Sqlite);
    keep_a_draft(&desk);
    let with_pictures = std::env::var_os(WITH_PICTURES).is_some();
    let pictures = scratch().join("pictures");
    std::fs::create_dir_all(&pictures).unwrap();
    let (mut broken, mut moved) = (Vec::new(), Vec::new());
    let mut look = |browser: &Browser, name: &str, width: u32, dark: bool| {
        browser.dark(dark);
        browser.size(width, 900);
        let scheme = if dark { "dark" } else { "light" };
        let wide = browser.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        if wide.as_i64().unwrap() > 0 {
            broken.push(format!("{name} at {width}: {wide} pixels wider than the screen"));
        }
        broken.extend(browser.axe().into_iter().map(|rule| format!("{name} at {width}, {scheme}: {rule}")));
        if with_pictures {
            browser.whole_picture(width, &pictures.join(format!("{name}-{width}-{scheme}.png")));
        }
    };
    let mut anybody = Browser::at(&desk.url);
    anybody.go("/sign-in");
    for (width, dark) in [(1280, false), (320, true)] {
        look(&anybody, "sign-in", width, dark);
    }
    // The page behind the link of a message needs no sign-in; when it is decided, the link shows that it is over.
    let relay = Relay::start();
    let (outside, link) = desk_with_a_link(&relay);
    let mut approver = Browser::at(&outside.url);
    for name in ["decide", "decide-over"] {
        approver.go(&link);
        for (width, dark) in [(1280, false), (1280, true), (320, false), (320, true)] {
            look(&approver, name, width, dark);
        }
        outside.as_role("lena").post("/api/v1/tickets/IT-1/access/decisions", &json!({ "approve": true }));
    }
    outside.do_what_is_due();
    for person in ["amara", "kofi", "lena", "mei"] {
        let mut browser = Browser::of(&desk.url, person);
        for (name, _, path) in PAGES.iter().filter(|(_, who, _)| *who == person) {
            // The picture before was taken at another size.
            browser.size(1280, 900);
            browser.go(path);
            moved.extend(browser.moved());
            let looks: &[(u32, bool)] = if PLAIN.iter().any(|beginning| path.starts_with(beginning)) {
                &[(1280, false), (320, true)]
            } else {
                &[(1280, false), (1280, true), (320, false), (320, true)]
            };
            for (width, dark) in looks {
                look(&browser, name, *width, *dark);
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    assert_eq!(moved, Vec::<String>::new(), "from its first picture on, nothing moves on a page");
}

/// A desk with a request that waits, and the path of the link in the message to its approver.
fn desk_with_a_link(relay: &Relay) -> (House, String) {
    let settings = relay.settings() + "\n[outgoing]\npublic-url = \"https://desk.example/\"\n";
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text + &settings);
    let fields = json!({ "app": "github", "tier": "write", "duration-hours": 72,
        "justification": "I join the data project on Monday and push the models" });
    let wanted = json!({ "request_type": "access", "subject": "GitHub please", "body": "", "fields": fields });
    desk.as_role("amara").post("/api/v1/tickets", &wanted).expect(201);
    desk.do_what_is_due();
    let link = decision_page(&relay.taken());
    (desk, link)
}

/// A draft that was refused: its problems stand at its fields.
fn keep_a_draft(desk: &House) {
    let path = "/api/v1/drafts/0199c0de-0000-7000-8000-000000000001";
    let half =
        json!({ "request_type": "hardware", "subject": "A laptop for the new project", "body": "", "fields": {} });
    let amara = desk.as_role("amara");
    amara.put(path, &half).expect(200);
    amara.post(&format!("{path}/submit"), &json!({})).expect(422);
}

/// The pages about access that were not made for one screen alone: asked for, narrowed and decided without scripts.
#[test]
fn several_requests_and_the_link_of_a_message_need_no_scripts() {
    let relay = Relay::start();
    let (desk, link) = desk_with_a_link(&relay);
    let mut amara = Browser::without_scripts_of(&desk.url, "amara", "/access/several");
    amara.click("main form button.primary");
    amara.sees(".notice.bad", "requests would come of it");
    amara.click("input[value='datadog/viewer']");
    amara.click("input[value='jira/user']");
    amara.type_into("#people", "jonas");
    amara.type_into("#justification", "The finance project goes on until the summer");
    amara.click("main form button.primary");
    amara.wait("location.pathname.startsWith('/access/submissions/')");
    amara.counts(".submission li", 2);
    let mut lena = Browser::at(&desk.url);
    lena.without_scripts();
    lena.go(&link);
    lena.click("button[value=deny]");
    lena.sees(".notice.bad", "reason");
    lena.click("button[value=approve]");
    lena.counts("form.decide", 0);
    let state = desk.as_role("amara").get("/api/v1/tickets/IT-1").expect(200)["access"]["state"].clone();
    assert_eq!(state, "approved");
    desk.do_what_is_due();
}

/// Elements without an end, and those whose content is text alone.
const VOID: [&str; 10] = ["area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"];
const TEXT: [&str; 3] = ["script", "textarea", "title"];
/// Elements that end a paragraph which they stand in, and those that act and so stand in no other that does.
const BLOCKS: [&str; 17] = [
    "article", "details", "div", "dl", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "header", "ol", "p",
    "pre", "table", "ul",
];
const ACTING: [&str; 6] = ["a", "button", "input", "select", "textarea", "summary"];

/// The attributes of a tag, each name with its value.
fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let (mut found, mut rest) = (Vec::new(), tag.split_once(char::is_whitespace).map_or("", |(_, rest)| rest));
    while let Some(at) = rest.find(|c: char| !c.is_whitespace() && c != '/') {
        rest = &rest[at..];
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let name = &rest[..end];
        rest = &rest[end..];
        let value = match rest.strip_prefix("=\"").and_then(|quoted| quoted.split_once('"')) {
            Some((value, after)) => {
                rest = after;
                value
            }
            // One without quotes, or none.
            None => {
                rest = rest.find(char::is_whitespace).map_or("", |end| &rest[end..]);
                ""
            }
        };
        found.push((name, value));
    }
    found
}

/// Everything in the text of a page that a browser would put right on its own: elements that end out of order or stand where they may
/// not, attributes and ids that come twice, and labels of nothing.
fn faults(html: &str) -> Vec<String> {
    let (mut faults, mut open, mut rest) = (Vec::new(), Vec::<String>::new(), html);
    let (mut ids, mut named) = (Vec::new(), Vec::new());
    while let Some((_, from)) = rest.split_once('<') {
        // A sign of comparison in a value does not end the tag: values are quoted.
        let quotes = |at: usize| from[..at].matches('"').count() % 2 == 0;
        let end = from.match_indices('>').map(|(at, _)| at).find(|at| quotes(*at)).unwrap_or(from.len() - 1);
        let tag = &from[..end];
        rest = &from[end + 1..];
        let name = tag.trim_start_matches('/').split(|c: char| c.is_whitespace() || c == '/').next().unwrap();
        if tag.starts_with('!') {
            continue;
        }
        if tag.starts_with('/') {
            if open.last().is_some_and(|last| last == name) {
                open.pop();
            } else {
                faults.push(format!("</{name}> where {open:?} are open"));
            }
            continue;
        }
        let within = |outer: &str| open.iter().any(|one| one == outer);
        let acts = ACTING.contains(&name) && (within("a") || within("button"));
        if BLOCKS.contains(&name) && within("p") || acts || name == "form" && within("form") {
            faults.push(format!("<{tag}> within {open:?}"));
        }
        let all = attributes(tag);
        for (n, (attribute, value)) in all.iter().enumerate() {
            if all[..n].iter().any(|(before, _)| before == attribute) {
                faults.push(format!("{attribute} twice in <{tag}>"));
            }
            match *attribute {
                "id" => ids.push(value.to_string()),
                "for" | "aria-labelledby" | "aria-describedby" | "list" => {
                    named.extend(value.split(' ').map(str::to_owned))
                }
                _ => {}
            }
        }
        if VOID.contains(&name) || tag.ends_with('/') {
            continue;
        }
        if TEXT.contains(&name) {
            rest = rest.split_once(&format!("</{name}>")).map_or("", |(_, after)| after);
            continue;
        }
        open.push(name.to_owned());
    }
    faults.extend(open.iter().map(|name| format!("<{name}> has no end")));
    faults.extend(named.iter().filter(|name| !ids.contains(name)).map(|name| format!("nothing has the id {name}")));
    ids.sort();
    faults.extend(ids.windows(2).filter(|two| two[0] == two[1]).map(|two| format!("the id {} comes twice", two[0])));
    faults
}

/// The text of each page is what a browser makes of it.
#[test]
fn every_page_is_written_as_it_is_read() {
    assert_eq!(
        faults("<p class=\"a > b\">x<br></p><label for=\"y\">y</label><input id=\"y\" checked>"),
        Vec::<String>::new()
    );
    for wrong in [
        "<p><ul></ul></p>",
        "<b><i></b></i>",
        "<div>",
        "<a href=\"x\"><button></button></a>",
        "<i id=\"x\"></i><i id=\"x\"></i>",
        "<label for=\"z\"></label>",
        "<i class=\"a\" class=\"b\"></i>",
    ] {
        assert_ne!(faults(wrong), Vec::<String>::new(), "{wrong}");
    }
    let desk = House::lived_in(Database::Sqlite);
    let mut found = Vec::new();
    for person in ["amara", "kofi", "lena", "mei"] {
        let cookie = super::guard::cookie(&desk, person);
        for (name, _, path) in PAGES.iter().filter(|(_, who, _)| *who == person) {
            let headers = [("cookie", cookie.as_str()), ("accept", "text/html")];
            let got = super::guard::send("GET", &format!("{}{path}", desk.url), &headers, "");
            found.extend(faults(&got.text).into_iter().map(|fault| format!("{name}: {fault}")));
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// Pages of failures have the headers of all pages, also without their text; a script of a page gets a form of its own.
#[test]
fn a_page_that_fails_is_a_page_for_a_browser_and_a_problem_for_its_scripts() {
    let desk = desk();
    let cookie = cookie(&desk, "kofi");
    let of = |method: &str, path: &str, more: &[(&str, &str)]| {
        let headers = [&[("cookie", cookie.as_str()), ("accept", "text/html"), OWN][..], more].concat();
        send(method, &format!("{}{path}", desk.url), &headers, "")
    };
    let shown = of("GET", "/queue", &[]);
    for (method, path, status) in [
        ("GET", "/nowhere", 404),
        ("GET", "/tickets/IT-999", 404),
        ("GET", "/admin/audit", 403),
        ("DELETE", "/queue", 405),
        ("HEAD", "/nowhere", 404),
        ("HEAD", "/tickets/IT-999", 404),
    ] {
        let got = of(method, path, &[]);
        assert_eq!(got.status, status, "{method} {path}");
        assert!(got.header("content-type").starts_with("text/html"), "{method} {path}");
        assert_eq!(got.text.contains("main-nav"), method != "HEAD", "{method} {path}: {}", got.text);
        for name in [
            "content-security-policy",
            "x-content-type-options",
            "referrer-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
            "cache-control",
        ] {
            assert_eq!(got.header(name), shown.header(name), "{method} {path}: {name}");
        }
        assert_eq!(got.header("allow").is_empty(), status != 405, "{method} {path}");
    }
    // The language is chosen on such a page too, which leads back by GET: not to an address that takes forms alone.
    let page = "/tickets/IT-999";
    for (method, path, back) in [("GET", page, page), ("POST", "/tickets/IT-999/reply", "/")] {
        let got = of(method, path, &[FORM]);
        let back = format!("name=\"next\" value=\"{back}\"");
        assert!(got.status == 404 && got.text.contains(&back), "{}", got.text);
    }
    // A script of a page has no place for a whole page.
    let script = ("sec-fetch-dest", "empty");
    for (method, path, status) in [("GET", "/tickets/IT-999/version", 404), ("POST", "/tickets/IT-999/reply", 404)] {
        let got = of(method, path, &[script, FORM]);
        assert_eq!((got.status, got.header("content-type").as_str()), (status, "application/problem+json"), "{path}");
        let problem: serde_json::Value = serde_json::from_str(&got.text).unwrap();
        assert_eq!((&problem["title"], &problem["status"]), (&json!("There is no such page"), &json!(status)));
        assert_eq!(problem["request_id"], got.header("x-request-id"), "{problem}");
    }
}

/// `make pictures` takes them.
#[test]
#[ignore = "makes files, and holds nothing"]
fn pictures_for_the_readme() {
    let desk = House::lived_in(Database::Sqlite);
    let folder = scratch().join("pictures/readme");
    std::fs::create_dir_all(&folder).unwrap();
    let shown = [
        ("start", "amara", "/", 1100, ""),
        (
            "problems",
            "amara",
            "/new/hardware",
            760,
            "document.querySelector('#subject').value = 'A laptop for the new project'; document.querySelector('[value=laptop]').selected = true; document.querySelector('form.stack').requestSubmit()",
        ),
        ("queue", "kofi", "/queue", 1280, ""),
        ("ticket", "kofi", "/tickets/IT-35", 1280, "document.querySelector('.fact').open = true"),
        (
            "outage",
            "kofi",
            "/queue?category=network.vpn",
            1280,
            "document.querySelectorAll('tbody input').forEach((box) => { box.checked = true })",
        ),
        ("approval", "lena", "/approvals/IT-39", 400, ""),
        ("who", "mei", "/access/who?app=workday", 1280, ""),
        (
            "story",
            "mei",
            "/access/who?app=workday",
            900,
            "[...document.querySelectorAll('tbody tr')].find((row) => row.innerText.includes('Sofia')).querySelector('a').click()",
        ),
        ("report", "mei", "/reports/volume", 1280, ""),
        ("editor", "mei", "/admin/decision-table/decision-table", 1440, ""),
    ];
    let with_a_table = desk_with_a_table();
    for (name, person, path, width, act) in shown {
        let url = if name == "editor" { &with_a_table.url } else { &desk.url };
        let mut browser = Browser::of(url, person);
        browser.dark(name == "approval");
        browser.go(path);
        browser.script(act);
        match name {
            "story" => browser.wait("document.querySelector('ol.story')"),
            "problems" => browser.wait("document.querySelector('#problems')"),
            "queue" => browser.wait("document.querySelector('.views a[data-count=all] .count').textContent"),
            "editor" => {
                browser.click("button[value=add-row]");
                browser.wait("document.querySelector('[aria-label=\"then.team, 3\"]')");
                super::admin::add_a_row(&browser);
                browser.wait("document.querySelector('#beside li a')");
            }
            _ => {}
        }
        browser.wait("!document.querySelector('.long')");
        browser.size(width, 900);
        browser.whole_picture(width, &folder.join(format!("{name}.png")));
    }
}
