//! The cost of pages, however much there is: a queue of many thousands, a team of a thousand, a form of two hundred fields, many
//! tabs. Counted, not timed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::guard::{FORM, Got, OWN, cookie, raw, send};
use super::{desk, fill};
use crate::support::browser::{Browser, CONTROL, ENTER, ESCAPE};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, copy_demo};

/// The statements that a page took, as a build for development says.
pub(super) fn statements(got: &Got) -> usize {
    let said = got.header("server-timing");
    said.strip_prefix("sql;desc=").and_then(|count| count.parse().ok()).unwrap_or(usize::MAX)
}

/// Fifty tickets at once, of which three are no more as they were seen: those are named with the reason, and all others change.
#[test]
fn of_fifty_tickets_three_that_changed_meanwhile_are_named_and_the_rest_change() {
    const STALE: [&str; 3] = ["IT-7", "IT-21", "IT-50"];
    let desk = House::demo(Database::Sqlite);
    let (amara, mei) = (desk.as_role("amara"), desk.as_role("mei"));
    for n in 0..50 {
        let body = json!({ "request_type": "question", "subject": format!("Question {n} about the building"),
            "body": format!("Text {n} of its own"), "fields": { "topic": "howto" } });
        amara.post("/api/v1/tickets", &body).expect(201);
    }
    let cookie = cookie(&desk, "kofi");
    let queue = send("GET", &format!("{}/queue", desk.url), &[("cookie", &cookie)], "");
    let chosen = queue.text.split("name=\"ticket\" value=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let chosen: String = chosen.fold(String::new(), |form, ticket| format!("{form}ticket={ticket}&"));
    assert_eq!(chosen.matches("ticket=").count(), 50);
    for key in STALE {
        let note = json!({ "body": "I look at it", "internal": true });
        mei.post(&format!("/api/v1/tickets/{key}/comments"), &note).expect(201);
    }
    let form = format!("{chosen}act=state&to=in_progress&back=/queue");
    let done = send("POST", &format!("{}/queue/bulk", desk.url), &[FORM, OWN, ("cookie", &cookie)], &form);
    assert!(done.text.contains("47 tickets were changed.") && done.text.contains("3 were not."), "{}", done.text);
    assert_eq!((done.text.matches("good-text").count(), done.text.matches("bad-text").count()), (47, 3));
    for n in 1..=50 {
        let key = format!("IT-{n}");
        let is_stale = STALE.contains(&key.as_str());
        let state = mei.get(&format!("/api/v1/tickets/{key}")).expect(200)["state"].clone();
        assert_eq!(state != "in_progress", is_stale, "{key} is {state}");
        let (_, line) = done.text.split_once(&format!("href=\"/tickets/{key}\"")).unwrap();
        let line = line.split("</li>").next().unwrap();
        assert_eq!(line.contains("somebody changed it meanwhile"), is_stale, "{line}");
    }
    // A refusal is said in the words of the page, and in the reader's language.
    let queue = send("GET", &format!("{}/queue", desk.url), &[("cookie", &cookie)], "");
    let (_, rest) = queue.text.split_once("name=\"ticket\" value=\"IT-1:").unwrap();
    let form = format!("ticket=IT-1:{}&act=state&to=in_progress&back=/queue", rest.split('"').next().unwrap());
    let again = |language: &str| {
        let cookies = format!("{cookie}; ruledesk-language={language}");
        send("POST", &format!("{}/queue/bulk", desk.url), &[FORM, OWN, ("cookie", &cookies)], &form).text
    };
    let (english, german) = (again("en"), again("de"));
    assert!(english.contains("That cannot be done: it is “In progress” already."), "{english}");
    assert!(german.contains("Das geht nicht: es ist schon „In Arbeit“."), "{german}");
}

/// The queue of 50 stays within its bytes, and is fetched by few requests.
#[test]
fn the_queue_keeps_its_budget() {
    let desk = House::demo(Database::Sqlite);
    let amara = desk.as_role("amara");
    let cookie = cookie(&desk, "kofi");
    let get = |path: &str| send("GET", &format!("{}{path}", desk.url), &[("cookie", &cookie)], "");
    let mut of_few = 0;
    for n in 0..55 {
        if n == 5 {
            get("/queue");
            of_few = statements(&get("/queue"));
        }
        let body = json!({ "request_type": "question", "subject": format!("Question {n} about something in the building that is rather long"),
            "body": format!("Text {n} of its own"), "fields": { "topic": "howto" } });
        amara.post("/api/v1/tickets", &body).expect(201);
    }
    let got = get("/queue");
    assert_eq!(got.text.matches("<tr data-row=").count(), 50);
    assert!(got.text.len() <= 60 << 10, "{} bytes", got.text.len());
    assert_eq!(statements(&got), of_few, "fifty cost what five do");
    let (_, row) = got.text.split_once("<tr data-row=").unwrap();
    let row = row.split("</tr>").next().unwrap();
    let elements = row.matches('<').count() - row.matches("</").count() + 1;
    assert!(elements <= 16, "a browser lays out {elements} elements for a line: {row}");
    assert_eq!(got.header("content-length"), got.text.len().to_string(), "it comes in one piece");
    assert!(!got.text.contains("of its own"), "no body is read for a list");
    for path in ["/queue", "/queue?sort=due", "/queue?sort=key", "/queue?priority=critical", "/queue?requester=amara"] {
        let count = statements(&get(path));
        assert!(count <= 4, "{path} takes {count} statements");
    }
    let (_, rest) = got.text.split_once("rel=\"next\" href=\"").unwrap();
    let next = rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let second = get(&next);
    assert_eq!(second.text.matches("<tr data-row=").count(), 5);
    assert_eq!(statements(&second), statements(&got), "the last page costs what the first does");
    // A file and a report count as the pages do; the counts next to the lists are looked at below.
    let file = get("/queue?format=csv");
    assert_eq!((file.text.lines().count(), file.header("content-type").as_str()), (56, "text/csv; charset=utf-8"));
    assert_eq!(get("/queue?format=csv&requester=kofi").text.lines().count(), 1);
    let report = get("/reports/backlog?format=csv").text;
    assert!(report.lines().nth(1).unwrap().contains(",55,"), "{report}");
    // Over the wire it is small, and it goes there once.
    let page = raw(&format!("{}/queue", desk.url), &[("cookie", &cookie), ("accept-encoding", "gzip")]);
    assert_eq!(page.header("content-encoding"), "gzip");
    assert!(page.text.len() <= 9_000, "{} bytes, compressed", page.text.len());
    let again = raw(&format!("{}/queue", desk.url), &[("cookie", &cookie), ("if-none-match", &page.header("etag"))]);
    assert_eq!((again.status, again.text.len()), (304, 0), "the browser has it");
    a_long_list_comes_part_by_part(&desk.url);
    a_page_that_is_read_asks_for_nothing_that_takes_time(&desk.url);
    let mut browser = Browser::of(&desk.url, "kofi");
    a_key_works_as_soon_as_the_page_is_there(&desk.url);
    counts_keep_nothing_waiting(&mut browser);
    a_key_shows_in_the_next_picture(&browser);
    one_comes_back_to_where_one_was(&mut browser);
    few_requests_make_a_queue(&desk.url, &got.text);
}

/// The requests that a page took over the wire, each by the end of its address: not those that the browser answers by itself. The
/// icon is the browser's own affair.
fn requests(browser: &Browser) -> Value {
    browser.script(
        "return performance.getEntriesByType('resource').filter((e) => e.transferSize > 0) \
         .map((e) => new URL(e.name).pathname.replace(/.static.*\\//, '')).filter((name) => name !== 'icon.svg').sort()",
    )
}

/// A browser that knows nothing of the desk fetches a style and a script with its first page, and an icon; with each further one the
/// page alone. The counts of the lists come after it, in one request.
fn few_requests_make_a_queue(desk: &str, queue: &str) {
    let files: BTreeSet<&str> = queue.split("\"/static/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    let mut browser = Browser::at(desk);
    browser.go("/sign-in");
    browser.wait("document.readyState === 'complete'");
    assert_eq!(requests(&browser), json!(["desk.css", "desk.js"]), "cold");
    browser.sign_in("kofi");
    browser.go("/queue");
    browser.sees(".views a[data-count=all] .count", "55");
    assert_eq!(requests(&browser), json!(["/queue/counts"]), "warm");
    browser.press(&["j", "i"]);
    browser.wait("document.querySelector('[role=status].lead')");
    assert_eq!(requests(&browser), json!([]), "after an act");
}

/// No text of a ticket is read for a list: it is there while the table of texts is away.
#[test]
fn a_list_reads_no_text_of_a_ticket() {
    let desk = House::demo(Database::Postgres);
    fill(&desk);
    let cookie = cookie(&desk, "kofi");
    let get = |path: &str| send("GET", &format!("{}{path}", desk.url), &[("cookie", &cookie)], "");
    desk.sql("alter table contents rename to contents_away");
    let (list, file, ticket) = (get("/queue"), get("/queue?format=csv"), get("/tickets/IT-1"));
    desk.sql("alter table contents_away rename to contents");
    assert_eq!((list.status, list.text.matches("<tr data-row=").count()), (200, 6));
    assert_eq!((file.status, file.text.lines().count()), (200, 7));
    assert!(ticket.status >= 500, "a ticket's page needs them: {}", ticket.status);
    assert_eq!(get("/tickets/IT-1").status, 200);
}

/// Counts come after the list, which can be used while they are not there.
fn counts_keep_nothing_waiting(browser: &mut Browser) {
    browser.hold_back("*/queue/counts*");
    browser.go("/queue");
    browser.press(&["j"]);
    browser.counts("[data-here]", 1);
    assert_eq!(browser.text(".views .count"), "");
    browser.let_go();
    browser.sees(".views a[data-count=all] .count", "55");
}

/// Back from a ticket, the list stands where it stood, and the focus is on the line where it was.
fn one_comes_back_to_where_one_was(browser: &mut Browser) {
    browser.go("/queue");
    browser.press(&["j"; 45]);
    let place = browser.script("return [scrollY, document.activeElement.closest('tr').dataset.row]");
    assert!(place[0].as_f64().unwrap() > 200.0, "{place}");
    browser.press(&[ENTER]);
    browser.wait("document.querySelector('[data-ticket]')");
    browser.press(&[ESCAPE]);
    browser.wait(&format!(
        "document.activeElement?.closest('tr')?.dataset.row === {} && Math.abs(scrollY - {}) < 2",
        place[1], place[0]
    ));
}

/// No piece of the browser's work has all fifty lines in it: each part of them comes in a piece of its own, and nothing moves. Without
/// scripts they are there at once, and where the script does not come they are a moment later.
fn a_long_list_comes_part_by_part(desk: &str) {
    let there =
        "[...document.querySelectorAll('tr[data-row]')].filter((row) => row.getClientRects().length > 0).length";
    let mut browser = Browser::of(desk, "kofi");
    let notes = "window.shown = []; new MutationObserver((changes) => { \
                 const parts = changes.filter(({ target }) => target.tagName === 'TBODY'); \
                 if (parts.length) window.shown.push(parts.map(({ target }) => target.rows.length)); \
                 }).observe(document, { subtree: true, attributeFilter: ['class'] });";
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": notes }));
    browser.go("/queue");
    browser.wait("document.querySelector('tbody') && !document.querySelector('.long')");
    assert_eq!(browser.script("return window.shown"), json!([[8], [8], [8], [8], [8], [8], [2]]));
    browser.wait(&format!("{there} === 50 && document.querySelector('a[rel=next]').checkVisibility()"));
    assert_eq!(browser.moved(), Vec::<String>::new());
    // As if the script were lost on its way.
    browser.devtools("Network.enable", &json!({}));
    browser.devtools("Network.setBlockedURLs", &json!({ "urls": ["*/desk.js"] }));
    browser.go("/queue");
    browser.wait(&format!("{there} === 50"));
    assert_eq!(browser.script("return window.shown"), json!([]));
    browser.devtools("Network.setBlockedURLs", &json!({ "urls": [] }));
    let mut plain = Browser::without_scripts_of(desk, "kofi", "/queue");
    plain.click("tbody:last-of-type tr:last-child .target");
    plain.click("a[rel=next]");
}

/// The piece of work in which a page has been read asks neither what the browser keeps, nor where anything stands: its answer would be
/// waited for, or all of the page be laid out for it. Where it is left before it has been set up, it only asks whether words have
/// arrived.
fn a_page_that_is_read_asks_for_nothing_that_takes_time(desk: &str) {
    let mut browser = Browser::of(desk, "kofi");
    let notes = "window.asked = []; \
                 for (const [kind, names] of [[Storage, ['getItem', 'setItem', 'removeItem']], [HTMLElement, ['focus']], \
                   [Element, ['getClientRects', 'getBoundingClientRect', 'scrollIntoView', 'checkVisibility']]]) \
                   for (const name of names) { const does = kind.prototype[name]; \
                     kind.prototype[name] = function (...all) { window.asked.push(name); return does.apply(this, all); }; } \
                 document.addEventListener('DOMContentLoaded', () => { window.asked_first = [...window.asked]; \
                   dispatchEvent(new Event('pagehide')); window.asked_leaving = [...window.asked]; });";
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": notes }));
    browser.go("/queue");
    browser.wait("document.querySelector('tbody') && !document.querySelector('.long')");
    assert_eq!(browser.script("return [window.asked_first, window.asked_leaving]"), json!([[], ["getItem"]]));
    browser.wait("window.asked.filter((name) => name === 'getItem').length > 1");
}

/// A key is heeded at the moment at which the page has been read, without a click before.
fn a_key_works_as_soon_as_the_page_is_there(desk: &str) {
    let mut browser = Browser::of(desk, "kofi");
    let press = "document.addEventListener('DOMContentLoaded', () => { \
                 document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true, cancelable: true })); \
                 window.early = document.querySelector('[data-here]')?.dataset.row; })";
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": press }));
    browser.go("/queue");
    browser.wait("window.early && window.early === document.querySelector('tr[data-row]').dataset.row");
}

/// A key is seen in the very next picture that the browser paints, with nothing asked of the desk in between.
fn a_key_shows_in_the_next_picture(browser: &Browser) {
    browser.devtools("Emulation.setCPUThrottlingRate", &json!({ "rate": 4 }));
    browser.script(
        "window.seen = []; addEventListener('keydown', (event) => requestAnimationFrame(() => window.seen.push([event.key, \
         document.querySelector('[data-here]')?.dataset.row, document.querySelectorAll('tbody :checked').length, \
         Boolean(document.querySelector('dialog.palette[open]'))])), true)",
    );
    let rows = browser.script("return [...document.querySelectorAll('tr[data-row]')].map((row) => row.dataset.row)");
    browser.press(&["j", "x", &format!("{CONTROL}k")]);
    browser.wait("window.seen.filter(([key]) => key !== 'Control').length === 3");
    let seen = browser.script("return window.seen.filter(([key]) => key !== 'Control')");
    let second = &rows[1];
    assert_eq!(seen, json!([["j", second, 0, false], ["x", second, 1, false], ["k", second, 1, true]]));
    browser.devtools("Emulation.setCPUThrottlingRate", &json!({ "rate": 1 }));
}

/// Many tabs share one stream of what happens, a reload of one loads one ticket, and choosing in a form moves nothing.
#[test]
fn many_open_tickets_cost_no_more_than_one() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    // More than a browser has connections to one host (HTTP/1.1): a stream for each tab would hold up the seventh.
    for n in 1..=20 {
        if n > 1 {
            kofi.tab();
        }
        kofi.go(&format!("/tickets/IT-{}", (n - 1) % 6 + 1));
        kofi.counts("[data-ticket]", 1);
    }
    kofi.go("/tickets/IT-2");
    let asked = kofi.script(
        "return performance.getEntriesByType('resource').map((e) => new URL(e.name).pathname).filter((path) => path.startsWith('/tickets/') && !path.startsWith('/tickets/IT-2/'))",
    );
    assert_eq!(asked, json!([]), "a reload asks for its own ticket alone");
    // A choice is a native list: it loads nothing, and neither the focus nor the place on the page goes.
    kofi.script("window.same = true");
    kofi.press(&["a"]);
    kofi.wait("document.querySelector('#edit-category').checkVisibility()");
    kofi.script("document.querySelector('#edit-category').scrollIntoView({ block: 'center' }); window.place = scrollY");
    for (field, value) in [("category", "hardware"), ("priority", "low")] {
        kofi.choose(&format!("#edit-{field}"), value);
    }
    let now = kofi.script("return [window.same, scrollY === window.place || scrollY, document.activeElement.id]");
    assert_eq!(now, json!([true, true, "edit-priority"]));
    // What others do reaches this tab by the one stream.
    desk.as_role("amara").post("/api/v1/tickets/IT-2/comments", &json!({ "body": "It is dark now" })).expect(201);
    kofi.wait("!document.querySelector('[data-live-note]').hidden");
    assert_eq!(
        kofi.script("return document.querySelector('#edit-priority').value"),
        "low",
        "and nothing chosen is lost"
    );
}

/// An act on a ticket is answered on its page, which stays: drafts, keys and news of others go on there, and what is refused says why.
#[test]
fn an_act_is_answered_in_place_and_all_on_the_page_works_on() {
    let desk = desk();
    let to_his_team = json!({ "team": "service-desk", "assignee": "nadia", "reason": "it is the client of the VPN" });
    desk.as_role("kofi").with("if-match", "*").patch("/api/v1/tickets/IT-1", &to_his_team).expect(200);
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    kofi.type_into("#reply-body", "Half a thought");
    kofi.script("window.same = true; document.activeElement.blur()");
    kofi.press(&["i"]);
    kofi.wait("document.querySelector('.notice.good')");
    kofi.has_focus();
    kofi.counts("[data-key=i]", 0);
    let now = kofi.script(
        "return [window.same, location.pathname + location.search, document.querySelector('#reply-body').value]",
    );
    assert_eq!(now, json!([true, "/tickets/IT-1?done=take", "Half a thought"]));
    kofi.type_into("#reply-body", " ::");
    kofi.counts(".reply-pane .picks:not([hidden]) li", 3);
    desk.as_role("amara").post("/api/v1/tickets/IT-1/comments", &json!({ "body": "It is dark now" })).expect(201);
    kofi.wait("!document.querySelector('[data-live-note]').hidden");
    // The page is older than her words, which the answer has.
    kofi.script("document.activeElement.blur()");
    kofi.press(&["a"]);
    kofi.choose("#edit-priority", "low");
    kofi.type_into("#edit-reason", "It is one room only");
    kofi.click("details[data-key=a] button.primary");
    kofi.wait("document.querySelector('.notice.warn')");
    kofi.sees(".story", "It is dark now");
    let now = kofi.script("return [window.same, document.querySelector('#edit-reason').value]");
    assert_eq!(now, json!([true, "It is one room only"]), "and what was filled in is still there");
}

/// Words are sent in place, too: their draft is struck when the desk says that it has them, and not before. What is refused stays in
/// its field, and so do words that were typed meanwhile, words of other forms, and files that were chosen.
#[test]
fn words_are_sent_in_place_and_none_are_lost() {
    let desk = desk();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.txt");
    std::fs::write(&file, "error 809").unwrap();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-4");
    kofi.script("window.same = true");
    let drafts = |kofi: &Browser| {
        kofi.script("return ['reply', 'note'].map((kind) => localStorage.getItem(`draft:kofi:${kind}-IT-4`) !== null)")
    };
    let kept = |kofi: &Browser| {
        kofi.script(
            "const value = (id) => document.getElementById(id).value; return [window.same, value('reply-body'), \
             value('note-body'), value('task-text'), document.getElementById('file').files.length]",
        )
    };
    kofi.type_into("#file", file.to_str().unwrap());
    kofi.type_into("#task-text", "Call the vendor");
    kofi.script("document.activeElement.blur()");
    kofi.press(&["n"]);
    kofi.type_into("#note-body", "Ask Kofi first");
    kofi.press(&[ESCAPE, "r"]);
    kofi.type_into("#reply-body", "We look at it");
    kofi.hold_back("*/tickets/IT-4/reply");
    kofi.press(&[&format!("{CONTROL}{ENTER}")]);
    kofi.wait("document.querySelector('.reply-pane').dataset.sending");
    kofi.type_into("#reply-body", ", and more");
    assert_eq!(drafts(&kofi), json!([true, true]), "it is on its way, and not there");
    kofi.let_go();
    kofi.sees(".notice.good", "reply");
    kofi.has_focus();
    kofi.sees(".story", "We look at it");
    assert!(!kofi.text(".story").contains("and more"), "typed after it was sent");
    assert_eq!(kept(&kofi), json!([true, "We look at it, and more", "Ask Kofi first", "Call the vendor", 1]));

    kofi.press(&["n"]);
    kofi.press(&[&format!("{CONTROL}{ENTER}")]);
    kofi.sees(".words.note", "Ask Kofi first");
    assert_eq!(drafts(&kofi), json!([true, false]));
    kofi.script("document.querySelector('#reply-body').value = ''");
    kofi.press(&["r", " ", " ", &format!("{CONTROL}{ENTER}")]);
    kofi.wait("document.querySelector('.notice.bad')");
    kofi.has_focus();
    assert_eq!(kept(&kofi), json!([true, "  ", "", "Call the vendor", 1]), "what is refused is still there");
    assert_eq!(drafts(&kofi), json!([true, false]));
    tools_are_answered_in_place(&mut kofi);
    assert_eq!(kept(&kofi), json!([true, "  ", "", "Call the vendor", 1]));
}

/// A macro, and back; a link, and away with it.
fn tools_are_answered_in_place(kofi: &mut Browser) {
    kofi.press(&["m"]);
    kofi.click(".macro:has([value=to-the-network]) summary");
    kofi.click(".macro:has([value=to-the-network]) button");
    kofi.sees(".notice.good", "macro is done");
    kofi.click(".notice.good button");
    kofi.sees(".notice.good", "change is saved");
    kofi.press(&["l"]);
    kofi.choose("#link-kind", "related-to");
    kofi.type_into("#link-other", "6");
    kofi.click("button[value=link]");
    kofi.sees("[aria-labelledby=links]", "IT-6");
    kofi.click("[aria-labelledby=links] button[value=unlink]");
    kofi.counts("[aria-labelledby=links]", 0);
    kofi.has_focus();
}

/// The demo's organisation with a team of a thousand, and a form of two hundred fields.
fn crowded(config: &Path) {
    copy_demo(config);
    let add = |file: &str, more: String| {
        let file = config.join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text + &more).unwrap();
    };
    let (mut people, mut members, mut fields) = (String::new(), String::new(), String::new());
    for n in 0..1_000 {
        writeln!(people, "\n[[person]]\nid = \"helper-{n}\"\nname = \"Helper Number {n}\"\nemail = \"helper-{n}@meridian.example\"\ndepartment = \"Support\"\ntitle = \"Helper\"\nlocation = \"Berlin\"\nmanager = \"ingrid\"\ngroups = [\"staff\"]").unwrap();
        writeln!(members, "    {{ person = \"helper-{n}\" }},").unwrap();
    }
    for n in 0..200 {
        writeln!(fields, "    {{ name = \"field-{n}\", label = \"Field {n}\", kind = \"text\" }},").unwrap();
    }
    add("people.toml", people);
    add(
        "teams.toml",
        format!(
            "\n[[team]]\nid = \"crowd\"\nname = \"Crowd\"\ntier = 1\nstrategy = \"round-robin\"\nmember = [\n{members}]\n"
        ),
    );
    add(
        "request-types.toml",
        format!(
            "\n[[request-type]]\nid = \"wide\"\nname = \"A wide form\"\nkind = \"request\"\nfield = [\n{fields}]\n"
        ),
    );
}

/// Neither a team of a thousand nor two hundred fields make a ticket or the queue cost more.
#[test]
fn a_large_team_and_a_wide_form_cost_no_more() {
    let config = tempfile::tempdir().unwrap();
    crowded(config.path());
    let desk = House::with_config(Database::Sqlite, example_rules(), config.path());
    fill(&desk);
    let fields: Map<String, Value> = (0..200).map(|n| (format!("field-{n}"), json!(format!("Value {n}")))).collect();
    let wide = json!({ "request_type": "wide", "subject": "All of it", "body": "Please.", "fields": fields });
    let key = desk.as_role("amara").post("/api/v1/tickets", &wide).expect(201)["key"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/tickets/{key}");
    let move_it = json!({ "team": "crowd", "reason": "It is for the crowd" });
    desk.as_role("kofi").with("if-match", "*").patch(&path, &move_it).expect(200);
    let cookie = cookie(&desk, "kofi");
    let get = |path: &str| send("GET", &format!("{}{path}", desk.url), &[("cookie", &cookie)], "");
    let (plain, crowd, queue) = (get("/tickets/IT-3"), get(&format!("/tickets/{key}")), get("/queue"));
    assert!(crowd.text.contains("Value 199"));
    assert!(crowd.text.len() <= 90_000, "{} bytes", crowd.text.len());
    assert!(statements(&crowd) <= statements(&plain), "{} statements", statements(&crowd));
    assert!(queue.text.len() <= 60 << 10 && statements(&queue) <= 4, "{} bytes", queue.text.len());
    assert!(!queue.text.contains("helper-"), "no list of a thousand");
    let call = get("/new/question");
    assert!(call.status == 200 && !call.text.contains("helper-"), "nor where one asks for another");
    // People are looked for as one types.
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go(&format!("/tickets/{key}"));
    kofi.press(&["a"]);
    kofi.script("document.querySelector('#edit-assignee').value = ''");
    kofi.type_into("#edit-assignee", "Number 77");
    kofi.wait("document.querySelector('#edit-people option')?.value === 'helper-77'");
    kofi.script("document.querySelector('#edit-assignee').value = 'helper-77'");
    kofi.type_into("#edit-reason", "He knows it");
    kofi.click("details[open] button.primary");
    kofi.sees(".notice.good", "saved");
    assert_eq!(desk.as_role("kofi").get(&path).expect(200)["assignee"], "helper-77");
    kofi.go("/new/question");
    kofi.type_into("#requester", "Number 88");
    kofi.wait("document.querySelector('#requester-list option')?.value === 'helper-88'");
}
