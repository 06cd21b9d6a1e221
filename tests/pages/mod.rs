//! Pages in a real browser: what people do with them, and what holds for all of them.

use jiff::SignedDuration;
use serde_json::json;

use self::guard::{FORM, OWN, cookie, send};
use crate::support::browser::{Browser, CONTROL, ENTER, SHIFT};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::Database;

mod admin;
mod budget;
mod console;
mod every;
mod fine;
mod guard;
mod portal;
mod publish;
mod sign_in;
mod stories;
mod tools;

/// The folder of the decision table among the example rules.
const TABLE: &str = "60-decision-table";

/// A desk with some work on it.
fn desk() -> House {
    let desk = House::demo(Database::Sqlite);
    fill(&desk);
    desk
}

/// The same desk without the rule that sends tickets to teams, so that the decision table is the one that does; it was uploaded.
fn desk_with_a_table() -> House {
    let rules = tempfile::tempdir().unwrap();
    for folder in std::fs::read_dir(example_rules()).unwrap().map(|entry| entry.unwrap().path()) {
        let name = folder.file_name().unwrap().to_owned();
        if ["40-team-routing", TABLE].iter().any(|left_out| name == *left_out) || !folder.join("rule.toml").is_file() {
            continue;
        }
        std::fs::create_dir(rules.path().join(&name)).unwrap();
        for file in ["rule.toml", "rule.wasm"] {
            std::fs::copy(folder.join(file), rules.path().join(&name).join(file)).unwrap();
        }
    }
    let desk = House::with_rules(Database::Sqlite, rules.path());
    let part = |file: &str| std::fs::read(example_rules().join(TABLE).join(file)).unwrap();
    let (manifest, component) = (part("rule.toml"), part("rule.wasm"));
    let parts: [(&str, &[u8]); 3] =
        [("manifest", &manifest), ("component", &component), ("why", b"the table of routes")];
    desk.as_role("mei").send_parts("/api/v1/rules", &parts).expect(201);
    fill(&desk);
    desk
}

/// Tickets of several kinds; the first is `IT-1`, an outage.
fn fill(desk: &House) {
    let amara = desk.as_role("amara");
    let send = |body: serde_json::Value| {
        amara.post("/api/v1/tickets", &body).expect(201);
    };
    send(json!({ "request_type": "incident", "subject": "VPN is down in Berlin",
        "body": "Nobody in Berlin can reach the VPN since 9.\nThe client says error 809.",
        "fields": { "service": "vpn", "people-affected": 40, "impact": "high" } }));
    send(json!({ "request_type": "hardware", "subject": "Second monitor flickers",
        "body": "It flickers when the lid is open.", "fields": { "device": "monitor",
        "justification": "I compare tables side by side all day", "cost-centre": "CC-1042",
        "urgency": "medium" } }));
    send(json!({ "request_type": "question", "subject": "How do I share my calendar?",
        "body": "With the whole team, please.", "fields": { "topic": "howto" } }));
    send(json!({ "request_type": "software", "subject": "Statistics package",
        "body": "For the quarterly report.", "fields": { "software": "R and RStudio",
        "justification": "We model the churn of customers",
        "urgency": "low" } }));
    send(access());
    // One that no rule sends anywhere.
    send(json!({ "request_type": "question", "subject": "Where is the menu of the canteen?",
        "body": "I looked everywhere.", "fields": { "topic": "other" } }));
}

/// A request for access, which waits for a manager.
fn access() -> serde_json::Value {
    json!({ "request_type": "access", "subject": "GitHub please", "body": "",
        "fields": { "app": "github", "tier": "write", "duration-hours": 72,
        "justification": "I join the data project on Monday and push the models" } })
}

/// Asks for a laptop on the form that the browser is at, and leaves out what is needed to get one.
fn ask_for_a_laptop(browser: &mut Browser) {
    browser.type_into("#subject", "A laptop for the new project");
    browser.choose("[id='field.device']", "laptop");
    browser.click("form.stack button.primary");
    browser.sees("#problems", "missing");
}

/// Fills in what was missing, and sends it; it becomes the first ticket.
fn say_what_was_missing(browser: &mut Browser) {
    browser.type_into("[id='field.justification']", "The old one does not run the models any more");
    browser.type_into("[id='field.cost-centre']", "CC-1042");
    browser.choose("[id='field.urgency']", "high");
    browser.click("form.stack button.primary");
    browser.is_at("/tickets/IT-1?sent=1");
    browser.sees(".notice.good", "We have it");
}

/// The text of a file at an address, an expression of the page.
fn file(browser: &Browser, address: &str) -> String {
    let text = browser.script(&format!(
        "const r = new XMLHttpRequest(); r.open('GET', {address}, false); r.send(); return r.responseText"
    ));
    text.as_str().unwrap().to_owned()
}

/// How many tickets are in a state.
fn queue_of(desk: &House, state: &str) -> usize {
    let found = desk.as_role("kofi").get(&format!("/api/v1/tickets?state={state}&limit=100"));
    found.expect(200)["tickets"].as_array().map_or(0, Vec::len)
}

/// Resolves the ticket that the browser is at, with how.
fn resolve(browser: &mut Browser, record: &[(&str, &str)]) {
    browser.click("#acts ~ details[data-key=s] > summary");
    browser.choose("#to", "resolved");
    for (part, text) in record {
        browser.type_into(&format!("#record-{part}"), text);
    }
    browser.click("details[data-key=s] form button.primary");
    browser.sees(".title-line .state", "Resolved");
    browser.has_focus();
}

/// Sets the state of the ticket that the browser is at, as an agent does.
fn set_state(browser: &mut Browser, to: &str) {
    browser.click("#acts ~ details[data-key=s] > summary");
    browser.choose("#to", to);
    browser.click("details[data-key=s] form button.primary");
    browser.sees(".notice.good", "state is changed");
    browser.has_focus();
}

/// Where no answer to an act comes, the page says so and stays as it is; trying again does once what the desk may have done already.
/// An answer that is no page of the ticket is said in the same place.
#[test]
fn an_act_whose_answer_is_lost_is_done_once() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    // The desk hears of it, and the page does not hear of the desk.
    kofi.script(
        "window.same = true; window.sent = []; window.lost = true; const real = window.fetch; \
         window.fetch = async (address, options) => { \
           const acts = options?.body instanceof URLSearchParams && options.body.has('key'); \
           if (acts) window.sent.push(options.body.get('key')); \
           const answer = await real(address, options); \
           if (acts && window.lost) throw new TypeError('lost'); \
           return answer; }",
    );
    kofi.type_into("#task-text", "Call the vendor");
    kofi.click(".add-line button");
    kofi.sees("[data-act-failed]", "No answer came");
    kofi.has_focus();
    let now = "return [window.same, document.querySelector('#task-text').value, document.querySelectorAll('.tasks li').length]";
    assert_eq!(kofi.script(now), json!([true, "Call the vendor", 0]));
    kofi.click("[data-act-failed] button");
    kofi.wait("window.sent.length === 2 && !document.querySelector('form[data-sending]')");
    kofi.counts("[data-act-failed]", 1);
    kofi.script("window.lost = false");
    kofi.click("[data-act-failed] button");
    kofi.counts(".tasks li", 1);
    kofi.counts("[data-act-failed]", 0);
    kofi.has_focus();
    assert_eq!(kofi.script(now), json!([true, "", 1]));
    assert_eq!(kofi.script("return [window.sent.length, new Set(window.sent).size]"), json!([3, 1]), "by one key");
    // What is done next is another act.
    kofi.type_into("#task-text", "Call them again");
    kofi.click(".add-line button");
    kofi.counts(".tasks li", 2);
    kofi.press(&["l"]);
    kofi.type_into("#link-other", "6");
    kofi.script("window.first = document.querySelector('#link-kind option').value; document.querySelector('#link-kind option').value = 'none'");
    kofi.click("button[value=link]");
    kofi.sees("[data-act-failed]", "This form is not one of ours");
    assert_eq!(kofi.script("return [window.same, document.querySelector('#link-other').value]"), json!([true, "6"]));
    kofi.script("document.querySelector('#link-kind option').value = window.first");
    kofi.click("[data-act-failed] button");
    kofi.sees("[aria-labelledby=links]", "IT-6");
    kofi.press(&["l"]);
    kofi.type_into("#link-other", "none");
    kofi.click("button[value=link]");
    kofi.sees(".notice.bad", "A ticket is named by its key");
    kofi.has_focus();
    // Sent twice before the first has been answered, words are there once.
    kofi.type_into("#reply-body", "Only once");
    let send = "document.querySelector('.reply-pane [data-key=\"Ctrl+Enter\"]')";
    kofi.script(&format!("window.sent = []; {send}.click(); {send}.click()"));
    kofi.sees(".notice.good", "reply");
    let texts = "[...document.querySelectorAll('.story .text')].filter((text) => text.innerText === 'Only once')";
    assert_eq!(kofi.script(&format!("return [{texts}.length, window.sent.length]")), json!([1, 1]));
    kofi.type_into("#reply-body", "And then");
    kofi.go(&kofi.path());
    assert_eq!(
        kofi.script("return document.querySelector('#reply-body').value"),
        "And then",
        "words after it are a draft"
    );
    words_are_not_sent_in_the_place_of_others(&desk);
}

/// Words under the key of others that have arrived: the page says so and keeps them, with a key of their own.
fn words_are_not_sent_in_the_place_of_others(desk: &House) {
    let cookie = cookie(desk, "kofi");
    let address = format!("{}/tickets/IT-2", desk.url);
    let reply = |body: &str| {
        let form = format!("key=the-first-key&body={body}");
        send("POST", &format!("{address}/reply"), &[FORM, OWN, ("cookie", &cookie)], &form)
    };
    assert_eq!((reply("The+cable+is+old").status, reply("The+cable+is+old").status), (303, 303));
    let other = reply("The+socket+is+loose");
    assert_eq!(other.status, 422);
    assert!(other.text.contains("This form was sent before"), "{}", other.text);
    assert!(other.text.contains(">The socket is loose</textarea>") && !other.text.contains("the-first-key"));
    let page = send("GET", &address, &[("cookie", &cookie)], "").text;
    assert_eq!((page.matches("The cable is old").count(), page.matches("The socket is loose").count()), (1, 0));
}

/// The next ticket is the one that stands first in the queue of those that wait for the agent: also when words are sent on the first,
/// which is not the next after itself.
#[test]
fn the_next_ticket_is_the_first_of_the_others_that_wait() {
    let desk = desk();
    for (key, priority) in [("IT-3", "critical"), ("IT-6", "high")] {
        let his =
            json!({ "team": "service-desk", "assignee": "kofi", "priority": priority, "reason": "it is for him" });
        desk.as_role("kofi").with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &his).expect(200);
    }
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/queue");
    kofi.press(&["g", "n"]);
    kofi.is_at("/tickets/IT-3?done=next");
    kofi.has_focus();
    kofi.press(&["g", "n"]);
    kofi.is_at("/tickets/IT-6?done=next");
    kofi.go("/tickets/IT-3");
    kofi.press(&["r"]);
    kofi.type_into("#reply-body", "One more");
    kofi.press(&[&format!("{CONTROL}{SHIFT}{ENTER}")]);
    kofi.is_at("/tickets/IT-6?done=next");
    kofi.go("/tickets/IT-3");
    kofi.sees(".story", "One more");
    // Without scripts, too.
    let mut still = Browser::without_scripts_of(&desk.url, "kofi", "/tickets/IT-6");
    still.click("form[action='/queue/next'] button");
    still.wait("location.pathname !== '/tickets/IT-6'");
}

/// A line that changes is changed where it stands; the one with the focus, and the one under the pointer, stay as they are. Nothing
/// changes its place.
#[test]
fn lines_change_where_they_stand_and_not_under_the_reader_s_hands() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/queue");
    kofi.press(&["j"]);
    let point = kofi.script(
        "window.lines = [...document.querySelectorAll('tr[data-row]')]; window.keys = window.lines.map((line) => line.dataset.row); \
         window.at = window.lines.map((line) => line.dataset.version); \
         const box = window.lines[1].querySelector('.c-state').getBoundingClientRect(); return [box.x + 4, box.y + 4]",
    );
    kofi.devtools("Input.dispatchMouseEvent", &json!({ "type": "mouseMoved", "x": point[0], "y": point[1] }));
    kofi.wait("window.lines[1].matches(':hover')");
    let keys = kofi.script("return window.keys");
    // The last of them changes last: when that is seen, so are the others.
    for n in [0_usize, 1, 2] {
        let path = format!("/api/v1/tickets/{}/comments", keys[n].as_str().unwrap());
        desk.as_role("mei").post(&path, &json!({ "body": "I look at it", "internal": true })).expect(201);
    }
    kofi.wait("document.querySelector(`tr[data-row='${window.keys[2]}']`).dataset.version !== window.at[2]");
    let now = kofi.script(
        "const now = [...document.querySelectorAll('tr[data-row]')]; \
         return [now.map((line) => line.dataset.row), now.slice(0, 3).map((line, n) => line === window.lines[n]), \
                 now.slice(0, 2).map((line, n) => line.dataset.version === window.at[n]), now[0].contains(document.activeElement)]",
    );
    assert_eq!(now, json!([keys, [true, true, false], [true, true], true]));
    // Acts of the list are for the line where one is, and the palette does what is on the page.
    let line = keys[0].as_str().unwrap();
    kofi.press(&["i"]);
    kofi.wait("location.pathname === '/queue/bulk'");
    kofi.sees("main", line);
    kofi.go("/tickets/IT-2");
    for (words, shown) in [
        ("Private note", "document.activeElement.id === 'note-body'"),
        ("Approvals", "location.pathname === '/approvals'"),
    ] {
        kofi.press(&[&format!("{CONTROL}k")]);
        kofi.type_into(".palette input", words);
        kofi.press(&[ENTER]);
        kofi.wait(shown);
    }
}

/// On the page of a ticket, also without scripts: a day that cannot be is said at once, and stands in the form again.
#[test]
fn a_ticket_is_put_off_until_a_day_on_its_page() {
    let desk = House::demo(Database::Sqlite);
    let body =
        json!({ "request_type": "question", "subject": "How?", "body": "Please.", "fields": { "topic": "howto" } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let kofi = format!("{}; ruledesk-language=de", cookie(&desk, "kofi"));
    let day = (desk.clock.now() + SignedDuration::from_hours(24 * 9)).to_string()[..10].to_owned();
    let version = desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200)["version"].to_string();
    let post = |to: &str, until: &str| {
        let body = format!("version={version}&to={to}&reason=A+new+disk&until={until}");
        send("POST", &format!("{}/tickets/IT-1/state", desk.url), &[FORM, OWN, ("cookie", &kofi)], &body)
    };
    for (to, until, said) in [
        ("waiting_vendor", "soon", "Der Tag ist nicht zu lesen"),
        ("waiting_vendor", "2020-01-01", "muss nach heute liegen, und höchstens 366 Tage"),
        ("in_progress", day.as_str(), "wartet bis zu einem Tag: bitte den Tag weglassen."),
    ] {
        let refused = post(to, until);
        assert!(refused.status == 422 && refused.text.contains(&format!("value=\"{until}\"")), "{}", refused.text);
        assert!(refused.text.contains(said), "{}", refused.text);
    }
    assert_eq!(post("waiting_vendor", &day).header("location"), "/tickets/IT-1?done=state");
    let page = send("GET", &format!("{}/tickets/IT-1", desk.url), &[("cookie", &kofi)], "").text;
    assert!(page.contains(&format!("→ {day}")), "{page}");
    let amara = cookie(&desk, "amara");
    let page = send("GET", &format!("{}/tickets/IT-1", desk.url), &[("cookie", &amara)], "").text;
    // A day on which the desk is closed is the next one on which it opens.
    let ticket = desk.as_role("amara").get("/api/v1/tickets/IT-1").expect(200);
    let opens = ticket["waits_until"].as_str().unwrap();
    assert!(opens >= day.as_str() && page.contains(&format!("On {opens} we look at it again.")), "{page}");
}

/// A form whose act was refused stays open, with what is wrong at its field and what was filled in; the others are closed.
#[test]
fn a_refused_form_stays_open_with_the_problem_at_its_field() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    let stays_open = |kofi: &Browser, key: &str, field: &str| {
        kofi.wait(&format!("document.querySelector('details[data-key={key}][open] #{field}[aria-invalid=true]')"));
        let said = kofi.script(&format!(
            "const field = document.getElementById('{field}'); \
             const said = document.getElementById(field.getAttribute('aria-describedby').split(' ').pop()); \
             return [said.checkVisibility() && said.innerText.length > 0, document.querySelectorAll('details.fold[open]').length]"
        ));
        assert_eq!(said, json!([true, 1]), "{field}");
    };
    kofi.press(&["a"]);
    kofi.choose("#edit-priority", "low");
    kofi.click("details[data-key=a] button.primary");
    stays_open(&kofi, "a", "edit-reason");
    assert_eq!(kofi.script("return document.querySelector('#edit-priority').value"), "low");
    assert_eq!(kofi.axe(), Vec::<String>::new());
    kofi.press(&["l"]);
    kofi.type_into("#link-other", "none");
    kofi.click("button[value=link]");
    stays_open(&kofi, "l", "link-other");
    assert_eq!(kofi.script("return document.querySelector('#link-other').value"), "none");
    kofi.press(&["s"]);
    kofi.choose("#to", "in_progress");
    kofi.script("document.querySelector('#state-until').value = '2099-01-01'");
    kofi.click("details[data-key=s] button.primary");
    stays_open(&kofi, "s", "state-until");
    // Where it is done, all are closed.
    kofi.script("document.querySelector('#state-until').value = ''");
    kofi.click("details[data-key=s] button.primary");
    kofi.wait("document.querySelector('.notice.good')");
    kofi.counts("details.fold[open]", 0);
}

/// People follow the ticket of another from its page: by their own word where they work on it, by the word of its requester or of an
/// agent otherwise. They find it in a list, and go when they like.
#[test]
fn people_follow_a_ticket_from_its_page() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-3");
    kofi.click("[aria-labelledby=followers] button[value=follow]");
    kofi.sees("[aria-labelledby=followers] li", "Kofi Mensah");
    kofi.counts("[aria-labelledby=followers] button[value=follow]", 0);
    kofi.type_into("#follower", "Not Here");
    kofi.click("[aria-labelledby=followers] button[value=add]");
    kofi.sees("#followers-person-problem", "is no person who is here");
    kofi.script("document.querySelector('#follower').value = 'Lena Fischer'");
    kofi.click("[aria-labelledby=followers] button[value=add]");
    kofi.counts("[aria-labelledby=followers] li", 2);
    kofi.click("[aria-labelledby=followers] li:has([value=kofi]) button");
    kofi.counts("[aria-labelledby=followers] li", 1);
    let (amara, lena) = (cookie(&desk, "amara"), cookie(&desk, "lena"));
    let get = |who: &str, path: &str| send("GET", &format!("{}{path}", desk.url), &[("cookie", who)], "");
    let post = |who: &str, body: &str| {
        send("POST", &format!("{}/tickets/IT-3/followers", desk.url), &[FORM, OWN, ("cookie", who)], body)
    };
    assert!(get(&lena, "/mine?followed=1").text.contains("/tickets/IT-3"));
    assert_eq!(get(&lena, "/tickets/IT-3").status, 200);
    assert_eq!(post(&lena, "person=omar&do=add").status, 409, "not hers to say");
    assert_eq!(post(&lena, "person=lena&do=end").header("location"), "/mine?followed=1");
    assert!(!get(&lena, "/mine?followed=1").text.contains("/tickets/IT-3"));
    assert_eq!(get(&lena, "/tickets/IT-3").status, 404);
    // Without scripts, by her whose ticket it is.
    let refused = post(&amara, "person=Not+Here&do=add");
    let stays = refused.text.contains("<details class=\"more\" open><summary>Followers");
    assert!(refused.status == 422 && stays && refused.text.contains("value=\"Not Here\""), "{}", refused.text);
    assert_eq!(post(&amara, "person=Lena+Fischer&do=add").header("location"), "/tickets/IT-3?done=follow");
    assert!(get(&amara, "/tickets/IT-3").text.contains("<li>Lena Fischer"));
}
