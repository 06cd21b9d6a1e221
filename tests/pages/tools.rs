//! The smaller tools of the pages: articles, canned replies, macros, tasks, links, preferences, reports, the desk's health.

use serde_json::json;

use crate::pages::guard::{FORM, OWN, cookie, send};
use crate::pages::{desk, file, set_state};
use crate::support::browser::{Browser, ENTER, ESCAPE};
use crate::support::client::resolved;
use crate::support::components::{hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::Database;

/// An article is made of a resolved ticket, published, offered while another writes, and spares them a ticket.
#[test]
fn an_article_spares_a_ticket_while_it_is_written() {
    let desk = House::demo(Database::Sqlite);
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/help/new");
    kofi.type_into("#title", "Share your calendar with your team");
    kofi.click("main form button.primary");
    kofi.sees(".notice.bad", "write something");
    kofi.type_into("#article-body", "Open the calendar, choose Share, and enter the name of your team.");
    kofi.click("main form button.primary");
    kofi.is_at("/help/KB-1/edit");
    kofi.choose("#article-state", "public");
    kofi.click("main form button.primary");
    kofi.is_at("/help/KB-1?done=saved");
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/new/question");
    // As one types on, the question before is called off, so that no older answer comes after a newer one.
    amara.hold_back("*/help/suggest*");
    amara.script(
        "window.asked = []; const ask = window.fetch; \
         window.fetch = (address, how) => { if (String(address).startsWith('/help/suggest')) window.asked.push(how.signal); return ask(address, how) }",
    );
    amara.type_into("#subject", "How do I share ");
    amara.wait("window.asked.length > 0");
    let first = amara.script("return window.asked.length").as_u64().unwrap();
    amara.type_into("#subject", "my calendar?");
    amara.wait(&format!("window.asked.length > {first}"));
    let off = amara
        .script("return [window.asked.slice(0, -1).every((signal) => signal.aborted), window.asked.at(-1).aborted]");
    assert_eq!(off, serde_json::json!([true, false]));
    amara.let_go();
    amara.sees(".suggestions", "Share your calendar with your team");
    let said = amara.script("return [document.querySelector('.suggestions').ariaLive, document.activeElement.id]");
    assert_eq!(said, serde_json::json!(["polite", "subject"]), "it is said, and takes no focus");
    amara.click(".suggestions button");
    amara.is_at("/help/KB-1?done=solved");
    amara.sees(".notice.good", "No ticket was made");
    amara.click("button[value=yes]");
    amara.is_at("/help/KB-1?done=vote");
    amara.go("/mine?all=1");
    amara.counts(".rows li", 0);
    kofi.go("/help/KB-1");
    kofi.sees("main", "Helpful 1, not helpful 0 · spared 1 ticket");
    kofi.go("/find?q=calendar");
    kofi.sees(".articles", "Share your calendar");
    // Where one begins it is offered as one types, too.
    amara.go("/");
    amara.type_into("#ask", "calendar");
    amara.sees(".suggestions", "Share your calendar with your team");
    // An answer to another takes it in, found by words of it.
    let question = json!({ "request_type": "question", "subject": "The days of my team", "body": "Where do I see them?",
        "fields": { "topic": "howto" } });
    desk.as_role("amara").post("/api/v1/tickets", &question).expect(201);
    kofi.go("/tickets/IT-1");
    kofi.type_into("#reply-body", "See ??calendar");
    kofi.counts(".reply-pane .picks:not([hidden]) li", 1);
    kofi.press(&[ENTER]);
    kofi.wait("document.querySelector('#reply-body').value.startsWith('See Share your calendar with your team (http')");
}

#[test]
fn an_answer_takes_in_canned_replies_articles_and_names_as_one_types() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    let text = |browser: &Browser| browser.script("return document.querySelector('#reply-body').value");
    kofi.type_into("#reply-body", "::known");
    kofi.counts(".reply-pane .picks:not([hidden]) li", 1);
    kofi.press(&[ENTER]);
    kofi.wait("document.querySelector('#reply-body').value.startsWith('Hello Amara Okafor, this is a known outage')");
    kofi.type_into("#reply-body", " ::");
    kofi.counts(".reply-pane .picks:not([hidden]) li", 3);
    kofi.press(&[ESCAPE]);
    kofi.counts(".reply-pane .picks:not([hidden])", 0);
    assert!(text(&kofi).as_str().unwrap().ends_with(" ::"), "Escape leaves the text as it is");
    // A person is named by the id, by which the desk finds who is to hear of it: one of the team, and one of another.
    let first = "const first = [...document.querySelectorAll('#edit-assignee option')].find((option) => option.value)";
    let member = kofi.script(&format!("{first}; return [first.textContent.trim(), first.value]"));
    for (name, id) in [(member[0].as_str().unwrap(), member[1].as_str().unwrap()), ("Lena Fischer", "lena")] {
        kofi.script("document.querySelector('#reply-body').value = ''");
        kofi.type_into("#reply-body", &format!("@{name}"));
        kofi.counts(".reply-pane .picks:not([hidden]) li", 1);
        kofi.press(&[ENTER]);
        assert_eq!(text(&kofi), format!("@{id} "));
        kofi.counts(".reply-pane .picks:not([hidden])", 0);
    }
    // Without scripts the link begins the answer with it.
    let mut still = Browser::without_scripts_of(&desk.url, "kofi", "/tickets/IT-1");
    still.click(".canned summary");
    still.click(".canned a");
    still.is_at("/tickets/IT-1?canned=thanks");
    assert!(text(&still).as_str().unwrap().contains("thank you"));
}

#[test]
fn a_macro_shows_what_it_will_do_before_it_does_it_all() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-3");
    set_state(&mut kofi, "in_progress");
    kofi.press(&["m"]);
    kofi.click(".macro details summary");
    kofi.sees(".macro details[open]", "Hello Amara Okafor");
    kofi.sees(".macro details[open]", "Waits for requester");
    kofi.click(".macro details[open] button");
    kofi.sees(".notice.good", "macro is done");
    kofi.has_focus();
    kofi.sees(".title-line .state", "Waits for requester");
    kofi.sees(".story", "what do you see, since when");
    // A macro's changes of fields are taken back; what was said stays said.
    kofi.go("/tickets/IT-4");
    let fields = |kofi: &Browser| {
        kofi.script(
            "return [...document.querySelectorAll('#edit-category, #edit-team, #edit-priority')].map((f) => f.value)",
        )
    };
    let before = fields(&kofi);
    kofi.press(&["m"]);
    kofi.click(".macro:has([value=to-the-network]) summary");
    kofi.click(".macro:has([value=to-the-network]) button");
    kofi.sees(".notice.good", "macro is done");
    assert_ne!(fields(&kofi), before);
    kofi.click(".notice.good button");
    kofi.sees(".notice.good", "change is saved");
    kofi.has_focus();
    assert_eq!(fields(&kofi), before);
    kofi.go("/tickets/IT-3");
    // Tasks hold the resolution up, and a link shows on both tickets.
    kofi.type_into("#task-text", "Ask the mail team");
    kofi.click(".add-line button");
    kofi.sees(".tasks", "Ask the mail team");
    kofi.has_focus();
    kofi.click(".tasks button[value=done]");
    kofi.counts(".tasks .is-done", 1);
    kofi.press(&["l"]);
    kofi.choose("#link-kind", "related-to");
    kofi.type_into("#link-other", "6");
    kofi.click("button[value=link]");
    kofi.sees("[aria-labelledby=links]", "IT-6");
    kofi.has_focus();
    kofi.go("/tickets/IT-6");
    kofi.sees("[aria-labelledby=links]", "IT-3");
}

/// The timeline from the first act of an agent on, without what differs between any two tickets.
fn acts_of(desk: &House, agent: &str, key: &str) -> Vec<serde_json::Value> {
    let timeline = desk.as_role(agent).get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
    let entries = timeline.as_array().unwrap().iter().skip_while(|entry| entry["author"] != agent);
    let plain = entries.map(|entry| {
        let mut details = entry["details"].as_object().unwrap().clone();
        details.retain(|name, _| !["comment", "assignee"].contains(&name.as_str()));
        json!([entry["by"], entry["author"], entry["visibility"], entry["kind"], details])
    });
    let mut plain: Vec<serde_json::Value> = plain.collect();
    // Who gets the ticket is settled last: after all that is done at once.
    plain.sort_by_key(ToString::to_string);
    plain
}

/// A macro is run on one ticket, on its page, and on another in a bulk change; on a third the same is done by hand.
#[test]
fn a_macro_leaves_the_audit_and_asks_the_rules_of_the_same_acts_by_hand() {
    let desk = desk();
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let ask = |subject: &str| {
        let body = json!({ "request_type": "question", "subject": subject, "body": "Please.", "fields": { "topic": "howto" } });
        amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned()
    };
    let [by_macro, by_many, by_hand] = ["Sort a table", "Number the pages", "Turn a picture"].map(ask);
    let mut page = Browser::of(&desk.url, "kofi");
    page.go(&format!("/tickets/{by_macro}"));
    page.press(&["m"]);
    page.click(".macro:has([value=to-the-network]) summary");
    page.click(".macro:has([value=to-the-network]) button");
    page.sees(".notice.good", "macro is done");
    let many = json!({ "tickets": [by_many], "step": { "macro": "to-the-network" } });
    kofi.post("/api/v1/bulk", &many).expect(200);
    let edit = json!({ "team": "network", "reason": "by the macro Hand over to Network" });
    kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{by_hand}"), &edit).expect(200);
    let note = json!({ "body": "Checked: it is no fault of the device. For the network team.", "internal": true });
    kofi.post(&format!("/api/v1/tickets/{by_hand}/comments"), &note).expect(201);
    let acts = acts_of(&desk, "kofi", &by_hand);
    assert!(acts.len() >= 2, "{acts:?}");
    let asked = |key: &str| {
        let records = kofi.get(&format!("/api/v1/tickets/{key}/decisions")).expect(200).to_string();
        records.matches("\"routing\"").count()
    };
    for key in [&by_macro, &by_many] {
        assert_eq!(acts_of(&desk, "kofi", key), acts, "{key}");
        assert_eq!(asked(key), asked(&by_hand), "{key}: the rules for routing");
    }
    desk.do_what_is_due();
}

#[test]
fn people_say_how_they_hear_of_things_and_ask_for_more_time() {
    let (desk, refused) = House::lived_in_as_told(Database::Sqlite);
    assert_eq!(refused, Vec::<String>::new(), "all of the past is as the desk lets it be");
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/account");
    amara.click("input[value=digest]");
    amara.click("form[action='/account/messages'] button");
    amara.is_at("/account?done=1");
    amara.wait("document.querySelector('input[value=digest]').checked");
    // What is held is given more time by a request, which says what is missing.
    amara.go("/access");
    amara.click("a[href$='/extend']");
    amara.click("main form button.primary");
    amara.sees(".notice.bad", "whole number");
    amara.type_into("#hours", "8000");
    amara.type_into("#justification", "The finance project goes on until the summer");
    amara.click("main form button.primary");
    amara.wait("location.pathname.startsWith('/tickets/')");
    amara.sees("h1", "More time for jira/user");
    amara.go("/access?q=nothing-has-this-name");
    amara.sees(".empty", "No app has these words");
    // Several at once: each is a request of its own.
    amara.go("/access/several");
    amara.click("main form button.primary");
    amara.sees(".notice.bad", "requests would come of it");
    amara.click("input[value='datadog/viewer']");
    amara.click("input[value='github/write']");
    amara.type_into("#people", "jonas");
    amara.type_into("#justification", "The finance project goes on until the summer");
    amara.click("main form button.primary");
    amara.wait("location.pathname.startsWith('/access/submissions/')");
    amara.counts(".submission li", 2);
    amara.counts(".submission a[href^='/tickets/']", 2);
    // The desk as its past left it.
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/reports/volume");
    mei.counts(".plot rect.s0", 28);
    mei.sees(".sums", "Created");
    mei.sees(".sums", "before:");
    mei.choose("#against", "year");
    mei.click("form.filters-line button");
    mei.wait("location.search.includes('against=year')");
    mei.sees(".sums", "before: 0");
    mei.choose("#per", "month");
    mei.click("form.filters-line button");
    mei.wait("location.search.includes('per=month')");
    let months = file(&mei, "document.querySelector('.title-line a.button').href");
    assert!(months.starts_with("month,group,created,"), "{months}");
    mei.go("/reports/wall");
    let counted = mei.script(
        "const rows = [...document.querySelectorAll('.wall-table tbody tr')]; \
         return [Number(document.querySelector('.wall .big').textContent), \
                 rows.reduce((sum, row) => sum + Number(row.cells[1].textContent), 0)]",
    );
    assert!(counted[0].as_u64() > Some(0) && counted[0] == counted[1], "{counted}");
    mei.go("/reports/backlog?by=team");
    mei.sees(".bars", "Service Desk");
    let file = file(&mei, "document.querySelector('.title-line a.button').href");
    assert!(file.starts_with("group,unfinished,"), "{file}");
    mei.go("/admin/jobs");
    mei.sees("main", "There is none");
    mei.counts(".checks .bad-text", 0);
    mei.sees(".checks", "MiB");
    mei.sees(".checks", "0 with 0 B");
    mei.go("/admin/configuration/people");
    mei.sees(".things", "owns Workday");
}

/// Tags that two agents put on at once are both there, and what one took off stays off.
#[test]
fn tags_of_two_agents_are_merged() {
    let desk = desk();
    let (mut kofi, mut mei) = (Browser::of(&desk.url, "kofi"), Browser::of(&desk.url, "mei"));
    for browser in [&mut kofi, &mut mei] {
        browser.go("/tickets/IT-2");
        browser.press(&["t"]);
    }
    let save = |browser: &mut Browser, tag: &str| {
        let tick = format!("details[data-key=t] input[type=checkbox][value={tag}]");
        // Away from the note at the end of the page.
        browser.script(&format!("document.querySelector('{tick}').scrollIntoView({{ block: 'center' }})"));
        browser.click(&tick);
        browser.type_into("#tags-reason", "as the words say");
        browser.click("details[data-key=t] button.primary");
        browser.sees(".notice.good", "saved");
        let shown = browser.text("p.meta");
        ["wifi", "storage"].map(|tag| shown.contains(tag))
    };
    assert_eq!(save(&mut kofi, "wifi"), [true, false]);
    // The note may come over what she clicks: it is there before.
    mei.sees("main", "changed this ticket");
    assert_eq!(save(&mut mei, "storage"), [true, true], "she had not seen his");
    mei.click("details[data-key=t] summary");
    assert_eq!(save(&mut mei, "wifi"), [false, true]);
    kofi.click("details[data-key=t] summary");
    assert_eq!(save(&mut kofi, "wifi"), [false, true], "he had not seen that it is off");
}

/// No one, one who looks, one who writes; gone half a minute after the last word of a browser.
#[test]
fn agents_at_one_ticket_see_who_looks_and_who_writes() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    kofi.counts("[data-presence]:not([hidden])", 0);
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/tickets/IT-1");
    mei.sees("[data-presence]", "Kofi Mensah looks at it too");
    mei.type_into("#reply-body", "I have an idea");
    // He comes back to his tab, which looks at once; below it looks by itself, every ten seconds.
    kofi.script("document.dispatchEvent(new Event('visibilitychange'))");
    kofi.sees("[data-presence]", "Mei Lin is writing an answer");
    // The browser goes away without a word: no page of it says that it leaves.
    mei.devtools("Network.enable", &serde_json::json!({}));
    let gone = serde_json::json!({ "offline": true, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0 });
    mei.devtools("Network.emulateNetworkConditions", &gone);
    desk.advance(jiff::SignedDuration::from_secs(31));
    kofi.counts("[data-presence]:not([hidden])", 0);
}

/// A file is added by the form, also without scripts; what a browser could run is kept as bytes, and private stays private.
#[test]
fn files_are_added_and_taken_out_and_none_is_run() {
    let desk = desk();
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("error.html");
    std::fs::write(&page, "<!doctype html><title>x</title><script>document.title = 'run'</script>").unwrap();
    let mut amara = Browser::of(&desk.url, "amara");
    amara.without_scripts();
    amara.go("/tickets/IT-1");
    amara.type_into("#file", page.to_str().unwrap());
    amara.click(".add-file button");
    amara.sees(".notice.good", "file is added");
    amara.sees(".files", "error.html");
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    let got = kofi.script(
        "const r = new XMLHttpRequest(); r.open('GET', document.querySelector('.files a').href, false); r.send(); \
         return [r.getResponseHeader('content-disposition'), r.getResponseHeader('content-type'), r.responseText]",
    );
    assert!(got[0].as_str().unwrap().starts_with("attachment;"), "{got}");
    assert_ne!(got[1], "text/html");
    assert!(got[2].as_str().unwrap().contains("<script>"), "the bytes as they were sent: {got}");
    kofi.click(".add-file input[type=checkbox]");
    kofi.type_into("#file", page.to_str().unwrap());
    kofi.click(".add-file button");
    kofi.counts(".files li", 2);
    kofi.sees(".files", "Private note");
    amara.go("/tickets/IT-1");
    amara.counts(".files li", 1);
}

#[test]
fn an_agent_announces_an_outage_and_hands_a_ticket_over_without_scripts() {
    let desk = desk();
    let kofi = cookie(&desk, "kofi");
    let page = |path: &str| send("GET", &format!("{}{path}", desk.url), &[("cookie", &kofi)], "").text;
    let post =
        |path: &str, body: &str| send("POST", &format!("{}{path}", desk.url), &[FORM, OWN, ("cookie", &kofi)], body);
    let form = page("/tickets/IT-1");
    assert!(form.contains("action=\"/tickets/IT-1/outage\"") && form.contains("action=\"/tickets/IT-1/hand-over\""));
    let known = "The VPN is down for all of Berlin, we work on it.";
    let body =
        "do=declare&announcement=The+VPN+is+down+for+all+of+Berlin%2C+we+work+on+it.&by-type=1&words=vpn%2C+tunnel";
    let nothing = post("/tickets/IT-1/outage", "do=declare&announcement=A+word+that+is+kept");
    assert!(nothing.status == 422 && nothing.text.contains("A word that is kept"), "{}", nothing.text);
    assert_eq!(post("/tickets/IT-1/outage", body).header("location"), "/tickets/IT-1?done=outage");
    let amara = cookie(&desk, "amara");
    let start = || send("GET", &format!("{}/", desk.url), &[("cookie", &amara)], "").text;
    assert!(start().contains(known), "all read it where they begin");
    let shown = page("/tickets/IT-1?done=outage");
    assert!(
        shown.contains(known) && shown.contains("value=\"vpn, tunnel\"") && shown.contains("0 attached"),
        "{shown}"
    );
    assert_eq!(post("/tickets/IT-1/outage", "do=end").header("location"), "/tickets/IT-1?done=outage-ended");
    assert!(!start().contains(known));

    let version = |page: &str| page.split("data-version=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let before = version(&page("/tickets/IT-1"));
    let hand = |version: &str, note: &str| {
        let version = version.replace('"', "%22");
        post("/tickets/IT-1/hand-over", &format!("version={version}&hand-to=desktop&handover={note}"))
    };
    assert_eq!(hand(&before, "").status, 422, "a note says what was found");
    let done = hand(&before, "The+gateway+is+fine.%0AIt+is+the+client.");
    assert_eq!(done.header("location"), "/tickets/IT-1?done=hand-over", "{}", done.text);
    assert_eq!(hand(&before, "late").status, 412);
    let way = desk.as_role("kofi").get("/api/v1/tickets/IT-1/handovers").expect(200);
    assert_eq!(
        (&way["handovers"][0]["to"], &way["handovers"][0]["reason"]),
        (&json!("desktop"), &json!("The gateway is fine."))
    );
    assert!(page("/tickets/IT-1").contains("It is the client."));
    let read = send("GET", &format!("{}/tickets/IT-1", desk.url), &[("cookie", &amara)], "").text;
    assert!(!read.contains("It is the client."), "the requester does not read it");
    desk.do_what_is_due();
}

/// With scripts the same forms are answered where they are: an answer that is being written stays, and so does what is refused.
#[test]
fn an_outage_and_a_handing_over_are_answered_in_place() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    kofi.script("window.same = true");
    kofi.type_into("#reply-body", "We look at it");
    let kept = |kofi: &Browser| kofi.script("return [window.same, document.querySelector('#reply-body').value]");
    kofi.click("details:has(> .outage) > summary");
    kofi.type_into("#outage-announcement", "The VPN is down for all of Berlin.");
    kofi.click(".outage button[value=declare]");
    kofi.sees(".notice.good", "outage is announced");
    kofi.has_focus();
    kofi.sees("details:has(> .outage) > summary", "0 attached");
    assert_eq!(kept(&kofi), json!([true, "We look at it"]));
    kofi.click(".outage button[value=end]");
    kofi.sees(".notice.good", "outage has ended");
    kofi.click("details:has(> .hand-over) > summary");
    kofi.choose("#hand-over-team", "desktop");
    kofi.click(".hand-over button");
    kofi.wait("document.querySelector('.notice.bad')");
    kofi.has_focus();
    assert_eq!(kofi.script("return document.querySelector('#hand-over-team').value"), "desktop");
    kofi.type_into("#hand-over-note", "The gateway is fine, it is the client.");
    kofi.click(".hand-over button");
    kofi.sees(".notice.good", "went to the other team");
    kofi.has_focus();
    kofi.sees(".words.note", "The gateway is fine");
    assert_eq!(kept(&kofi), json!([true, "We look at it"]));
    desk.do_what_is_due();
}

/// A corrected category has the rules asked again about all that follows from it, at a tick; without it, about the team alone.
#[test]
fn a_corrected_category_has_the_rules_asked_again_at_the_tick_of_a_box() {
    let desk = House::demo(Database::Sqlite);
    let vague = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": {} });
    desk.as_role("amara").post("/api/v1/tickets", &vague).expect(201);
    let team = || desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200)["team"].clone();
    let mut kofi = Browser::without_scripts_of(&desk.url, "kofi", "/tickets/IT-1");
    let correct = |kofi: &mut Browser, category: &str, asks: bool| {
        kofi.click("#acts ~ details[data-key=a] > summary");
        kofi.choose("#edit-category", category);
        if asks {
            kofi.click("details[data-key=a] input[name=ask-rules]");
        }
        kofi.type_into("#edit-reason", "it is about passwords");
        kofi.click("details[data-key=a] form button.primary");
        kofi.is_at("/tickets/IT-1?done=edit");
    };
    let priority = || desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200)["priority"].clone();
    let before = priority();
    correct(&mut kofi, "security", false);
    assert_eq!((team(), priority()), (json!("security"), before.clone()), "routing is asked by itself");
    kofi.go("/tickets/IT-1");
    correct(&mut kofi, "hardware.printer", false);
    assert_eq!(team(), "desktop");
    kofi.go("/tickets/IT-1");
    correct(&mut kofi, "security", true);
    assert_eq!(team(), "security");
    assert_ne!(priority(), before, "and priority was asked as well");
}

/// Words on a ticket that is closed become one that follows it, where a rule says so: the page goes there, and the first leads on to it.
#[test]
fn words_on_a_closed_ticket_lead_to_the_one_that_follows_it() {
    let rules = tempfile::tempdir().unwrap();
    put(rules.path(), "follow-up", &hostile_manifest("follow-up", "closing", "follow-up", ""), hostile());
    let desk = House::with_settings(Database::Sqlite, rules.path(), |text| {
        text.replace("[closing]\n", "[closing]\nreopen-days = 7\n")
    });
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let body = json!({ "request_type": "hardware", "subject": "It is broken", "body": "It does not answer." });
    amara.post("/api/v1/tickets", &body).expect(201);
    let category = json!({ "category": "software", "reason": "it is about software" });
    kofi.with("if-match", "*").patch("/api/v1/tickets/IT-1", &category).expect(200);
    for (client, step) in [(&kofi, resolved()), (&amara, json!({ "to": "closed" }))] {
        client.with("if-match", "*").post("/api/v1/tickets/IT-1/transitions", &step).expect(200);
    }
    let mut browser = Browser::without_scripts_of(&desk.url, "amara", "/tickets/IT-1");
    browser.type_into("#body", "And the printer?");
    browser.click(".composer button");
    browser.is_at("/tickets/IT-2?done=new-ticket");
    browser.sees(".notice.good", "a ticket of their own");
    browser.sees("main", "And the printer?");
    assert_eq!(kofi.get("/api/v1/tickets/IT-1").expect(200)["state"], "closed");
    let mut agent = Browser::without_scripts_of(&desk.url, "kofi", "/tickets/IT-1");
    agent.click("section.panel a[href='/tickets/IT-2']");
    agent.is_at("/tickets/IT-2");
    desk.do_what_is_due();
}
