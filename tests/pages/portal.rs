//! An employee at the desk, and an agent who asks for one.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::guard::{OWN, cookie, send};
use super::{access, ask_for_a_laptop, desk, say_what_was_missing};
use crate::support::browser::{Browser, CONTROL, ENTER, TAB};
use crate::support::client::resolved;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::peers::smtp::Relay;
use crate::support::place::{Database, copy_demo, on_both};

/// The whole way with scripts off, as with a screen reader of old or a proxy that takes scripts away.
#[test]
fn an_employee_asks_is_told_what_is_missing_and_follows_it_without_scripts() {
    let desk = House::demo(Database::Sqlite);
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("desk.txt");
    std::fs::write(&picture, "my desk, in words").unwrap();
    let mut amara = Browser::without_scripts_of(&desk.url, "amara", "/new/hardware");
    amara.type_into("#files", picture.to_str().unwrap());
    ask_for_a_laptop(&mut amara);
    amara.sees("#problems", "Nothing was sent");
    let problems = amara.count("[aria-invalid=true]");
    assert!(problems >= 1, "problems stand at their fields");
    amara.counts("[aria-invalid=true]:not([aria-describedby])", 0);
    assert_eq!(amara.script("return document.querySelector('#subject').value"), "A laptop for the new project");
    // A file that was chosen is kept with the rest.
    amara.sees("form.stack", "desk.txt");
    say_what_was_missing(&mut amara);
    amara.sees(".files", "desk.txt");
    amara.click(".why summary");
    amara.sees(".why", "device is laptop");
    amara.type_into("#body", "It may be a used one.");
    amara.click(".composer button");
    amara.sees(".story", "It may be a used one.");
}

/// An index that is filled again, and cannot be: what is not found yet is said.
#[test]
fn a_search_says_which_tickets_it_does_not_find_yet() {
    let desk = House::demo(Database::Postgres);
    let kofi = desk.as_role("kofi");
    let (amara, mei) = (cookie(&desk, "amara"), cookie(&desk, "mei"));
    let says = |cookie: &str, path: &str| {
        let page = send("GET", &format!("{}{path}?q=zeppelin", desk.url), &[("cookie", cookie)], "");
        assert_eq!(page.status, 200, "{}", page.text);
        page.text.contains("tickets up to IT-7 are not found yet")
    };
    let search = || {
        let answer = kofi.get("/api/v1/search?q=zeppelin");
        answer.expect(200);
        (answer.header("unsearchable-from").to_owned(), says(&amara, "/find"), says(&mei, "/admin/records"))
    };
    assert_eq!(search(), (String::new(), false, false));
    desk.sql(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
         create trigger kept before update or delete on search_filling for each statement execute function refuse();
         insert into search_filling (up_to) values (7);",
    );
    assert_eq!(search(), ("IT-7".to_owned(), true, true));
}

/// A request that is not ready waits at the desk, and one that was refused waits with what is wrong, at another device, too.
#[test]
fn a_request_is_saved_for_later_and_gone_on_with_where_it_was_refused() {
    let desk = House::demo(Database::Sqlite);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.txt");
    std::fs::write(&file, "my desk, in words").unwrap();
    let mut amara = Browser::without_scripts_of(&desk.url, "amara", "/new/hardware");
    amara.type_into("#files", file.to_str().unwrap());
    amara.type_into("#subject", "A laptop for the new project");
    amara.choose("[id='field.device']", "laptop");
    amara.click("button[name=keep]");
    amara.is_at("/drafts?done=kept");
    amara.sees(".notice.good", "Nothing was sent yet");
    amara.counts(".rows .tag.warn", 0);

    amara.click(".rows a.button");
    amara.counts("#problems", 0);
    amara.sees("form.stack", "desk.txt");
    amara.click("button.primary");
    amara.sees("#problems", "missing");
    let problems = amara.count("[aria-invalid=true]");
    assert!(problems >= 1, "it was refused");

    let mut elsewhere = Browser::without_scripts_of(&desk.url, "amara", "/drafts");
    elsewhere.sees(".rows .tag.warn", "to correct");
    elsewhere.click(".rows a.button");
    elsewhere.sees("#problems", "missing");
    elsewhere.counts("[aria-invalid=true]", problems);
    let filled = "return [document.querySelector('#subject').value, document.getElementById('field.device').value]";
    assert_eq!(elsewhere.script(filled), serde_json::json!(["A laptop for the new project", "laptop"]));
    elsewhere.type_into("[id='field.justification']", "The old one does not run the models any more");
    elsewhere.type_into("[id='field.cost-centre']", "CC-1042");
    elsewhere.choose("[id='field.urgency']", "high");
    elsewhere.click("button.primary");
    elsewhere.is_at("/tickets/IT-1?sent=1");
    elsewhere.sees(".files", "desk.txt");
    elsewhere.go("/drafts");
    elsewhere.sees(".empty", "no drafts");
    // The first page still shows the draft that has become a ticket: sent again, it makes no second one unseen.
    amara.click("button.primary");
    amara.sees("#problems", "was sent or thrown away");
    amara.counts("input[name=draft]", 0);
    let all = desk.as_role("amara").get("/api/v1/tickets").expect(200);
    assert_eq!(all["tickets"].as_array().map(Vec::len), Some(1));
}

/// An approver gives fewer groups than were asked for, by boxes that need no script, and a problem leaves them as they were.
#[test]
fn an_approver_gives_fewer_groups_than_were_asked_for() {
    let config = tempfile::tempdir().unwrap();
    copy_demo(config.path());
    let file = config.path().join("apps.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let write = "name = \"Write\"\nrisk = \"medium\"\n";
    let with_groups = format!("{write}groups = [\"staff\", \"contractors\", \"it-admins\"]\n");
    std::fs::write(&file, text.replacen(write, &with_groups, 1)).unwrap();
    let desk = House::with_config(Database::Sqlite, example_rules(), config.path());
    let body = serde_json::json!({ "request_type": "access", "subject": "GitHub please", "fields": { "app": "github",
        "tier": "write", "duration-hours": 72, "justification": "I join the data project on Monday" } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let mut lena = Browser::without_scripts_of(&desk.url, "lena", "/approvals/IT-1");
    lena.counts("input[name=group]:checked", 3);
    lena.click(".decide summary");
    lena.click("input[name=group][value=it-admins]");
    lena.click("button[value=deny]");
    lena.sees(".notice.bad", "say why");
    lena.counts("input[name=group]:checked", 2);
    lena.click("input[name=group][value=contractors]");
    lena.click("button[value=approve]");
    lena.counts("form.decide", 0);
    let grants = desk.as_role("amara").get("/api/v1/people/amara/grants").expect(200);
    assert_eq!(grants[0]["groups"], serde_json::json!(["staff"]), "{grants}");
    desk.do_what_is_due();
}

/// A call is taken by keys alone: whose it is, how it came, what it is about. One who is not known is named, and no ticket comes of it.
#[test]
fn an_agent_takes_a_call_by_keys_alone() {
    let desk = House::demo(Database::Sqlite);
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/new/question");
    kofi.wait("document.querySelectorAll('#requester-list option').length > 20");
    let at = |kofi: &Browser, id: &str| {
        let is_there = format!("document.activeElement.id === {id:?}");
        let steps = (0..40).find(|_| {
            kofi.press(&[TAB]);
            kofi.script(&format!("return {is_there}")) == true
        });
        assert!(steps.is_some(), "{id} is reached by Tab");
    };
    for (field, words) in [
        ("requester", "Amara"),
        ("channel", "phone"),
        ("subject", "How do I share my calendar?"),
        ("body", "With the whole team."),
    ] {
        at(&kofi, field);
        kofi.press(&[words]);
    }
    kofi.press(&[&format!("{CONTROL}{ENTER}")]);
    kofi.sees("#problems", "Nobody here is called Amara");
    assert_eq!(desk.as_role("kofi").get("/api/v1/tickets").expect(200)["tickets"].as_array().map(Vec::len), Some(0));
    kofi.has_focus();
    let kept = kofi.script(
        "return [document.querySelector('#requester').ariaInvalid, document.querySelector('#channel').value, \
         document.querySelector('#subject').value]",
    );
    assert_eq!(kept, serde_json::json!(["true", "phone", "How do I share my calendar?"]));
    // The problem leads to its field.
    kofi.press(&[TAB]);
    kofi.wait("document.activeElement.getAttribute('href') === '#requester'");
    kofi.press(&[ENTER]);
    kofi.wait("document.activeElement.id === 'requester'");
    kofi.press(&[&format!("{CONTROL}a"), "amara okafor", &format!("{CONTROL}{ENTER}")]);
    kofi.is_at("/tickets/IT-1?sent=1");
    let made = desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200);
    assert_eq!((&made["requester"], &made["channel"]), (&"amara".into(), &"phone".into()), "{made}");
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/mine");
    amara.sees(".rows", "How do I share my calendar?");
    desk.do_what_is_due();
}

/// A letter's link asks how it went: on a telephone, without signing in and without scripts. Looking is no answer, and an answer can be changed.
#[test]
fn the_link_of_a_letter_asks_how_it_went() {
    let relay = Relay::start();
    let url = "\n[outgoing]\npublic-url = \"https://desk.example/\"\n";
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text + &relay.settings() + url);
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let incident = serde_json::json!({ "request_type": "incident", "subject": "VPN is down", "body": "Since noon.",
        "fields": { "service": "vpn", "people-affected": 3 } });
    amara.post("/api/v1/tickets", &incident).expect(201);
    kofi.with("if-match", "*").post("/api/v1/tickets/IT-1/transitions", &resolved()).expect(200);
    // It closes by itself, since its requester says nothing.
    desk.advance(SignedDuration::from_hours(24 * 6));
    let letters = relay.taken().into_iter().map(|taken| taken.text.replace("=\n", ""));
    let link = letters.filter_map(|text| text.split_once("/survey/").map(|(_, rest)| rest.to_owned())).next().unwrap();
    let link: String = link.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).collect();
    let answer = || amara.get("/api/v1/tickets/IT-1/survey").expect(200);
    let mut anybody = Browser::at(&desk.url);
    anybody.size(390, 844);
    anybody.go(&format!("/survey/{link}"));
    anybody.sees("main", "VPN is down");
    assert_eq!(anybody.axe(), Vec::<String>::new());
    anybody.without_scripts();
    for score in ["2", "4"] {
        anybody.go(&format!("/survey/{link}"));
        anybody.counts("input[name=score]", 5);
        anybody.click(&format!("input[name=score][value='{score}']"));
        if score == "2" {
            assert!(answer()["score"].is_null(), "looking is no answer: {}", answer());
            anybody.type_into("#comment", "It was quick.");
        }
        anybody.click("main form button.primary");
        anybody.counts("#thanks", 1);
        assert_eq!(answer()["score"].to_string(), score);
    }
    assert_eq!(answer()["comment"], "It was quick.", "it is still there when one changes one's mind");
    anybody.go(&format!("/survey/{link}0"));
    anybody.counts("input[name=score]", 0);
    desk.do_what_is_due();
}

/// The search of the start offers the requests that have its words while they are typed, and takes no focus; a key sends them as they are.
#[test]
fn the_start_offers_what_has_the_words_that_one_types() {
    let desk = desk();
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/");
    amara.counts(".suggestions:not([hidden])", 0);
    let card = amara.script(
        "const card = document.querySelector('a.card'); \
         return [card.querySelector('strong').textContent, card.getAttribute('href')]",
    );
    let (name, address) = (card[0].as_str().unwrap(), card[1].as_str().unwrap());
    amara.type_into("#ask", &name.to_lowercase());
    amara.sees(".suggestions", name);
    let said = amara.script("return [document.querySelector('.suggestions').ariaLive, document.activeElement.id]");
    assert_eq!(said, serde_json::json!(["polite", "ask"]));
    assert_eq!(amara.axe(), Vec::<String>::new());
    amara.press(&[ENTER]);
    amara.wait("location.pathname === '/find'");
    amara.go("/");
    amara.type_into("#ask", &name.to_lowercase());
    amara.counts(&format!(".suggestions a[href$='{address}']"), 1);
    amara.click(&format!(".suggestions a[href$='{address}']"));
    amara.is_at(address);
}

/// One who asked calls for haste, and calls it off, without scripts; each says why.
#[test]
fn one_who_asked_calls_for_haste_and_calls_it_off() {
    let desk = desk();
    let mut amara = Browser::without_scripts_of(&desk.url, "amara", "/tickets/IT-3");
    amara.click("details.more:has(form[action$='/escalate']) summary");
    amara.type_into("#escalate-reason", "The meeting is in an hour");
    amara.click("form[action$='/escalate'] button");
    amara.is_at("/tickets/IT-3?done=escalate");
    let kofi = desk.as_role("kofi");
    assert!(kofi.get("/api/v1/tickets/IT-3/timeline").text.contains("The meeting is in an hour"));
    amara.click("details.more:has(#cancel-reason) summary");
    amara.type_into("#cancel-reason", "I found it myself");
    amara.click("details.more:has(#cancel-reason) button");
    amara.is_at("/tickets/IT-3?done=state");
    amara.counts("#cancel-reason", 0);
    assert_eq!(kofi.get("/api/v1/tickets/IT-3").expect(200)["state"], "cancelled");
    desk.do_what_is_due();
}

/// Access that is not needed any more is given back where it is seen, and the page says what comes of it.
#[test]
fn access_is_given_back_where_it_is_seen() {
    let desk = House::demo(Database::Sqlite);
    desk.as_role("amara").post("/api/v1/tickets", &access()).expect(201);
    let yes = serde_json::json!({ "approve": true });
    desk.as_role("lena").post("/api/v1/tickets/IT-1/access/decisions", &yes).expect(200);
    desk.do_what_is_due();
    let mut amara = Browser::without_scripts_of(&desk.url, "amara", "/access");
    amara.counts("form[action$='/give-back']", 1);
    amara.click("form[action$='/give-back'] button");
    amara.is_at("/access?done=given-back");
    amara.sees(".notice.good", "You gave the access back");
    amara.counts("form[action$='/give-back']", 0);
    amara.sees("[aria-labelledby=past]", "GitHub");
    desk.do_what_is_due();
    let grants = desk.as_role("amara").get("/api/v1/people/amara/grants").expect(200);
    assert!(!grants[0]["revoked_at"].is_null(), "{grants}");
}

/// Who decides in whose place is said where requests wait, to both; the one who stands in finds the request there and decides.
#[test]
fn one_who_stands_in_sees_for_whom_and_decides() {
    let config = tempfile::tempdir().unwrap();
    copy_demo(config.path());
    let file = config.path().join("people.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let lena = text.find("id = \"lena\"").unwrap();
    let end = lena + text[lena..].find("[[person]]").unwrap();
    let leave = "[[person.delegation]]\nto = \"priya\"\nfrom = 2020-01-01\nuntil = 2099-12-31\n\n";
    std::fs::write(&file, format!("{}{leave}{}", &text[..end], &text[end..])).unwrap();
    let desk = House::with_config(Database::Sqlite, example_rules(), config.path());
    desk.as_role("amara").post("/api/v1/tickets", &access()).expect(201);
    let away = Browser::without_scripts_of(&desk.url, "lena", "/approvals");
    away.sees(".notice.info", "decides in your place, too (2020-01-01 – 2099-12-31)");
    let mut priya = Browser::without_scripts_of(&desk.url, "priya", "/approvals");
    priya.sees(".notice.info", "You decide in the place of Lena Fischer, too");
    priya.click(".rows a");
    priya.is_at("/approvals/IT-1");
    priya.click("button[value=approve]");
    priya.counts("form.decide", 0);
    assert_eq!(desk.as_role("amara").get("/api/v1/tickets/IT-1").expect(200)["access"]["state"], "approved");
    desk.do_what_is_due();
}

/// A draft of a program is a draft like others, of its author alone, and goes when it is thrown away.
#[test]
fn a_draft_of_a_program_is_gone_on_with_on_the_page_and_thrown_away() {
    let desk = House::demo(Database::Sqlite);
    let path = "/api/v1/drafts/0199c0de-0000-7000-8000-000000000001";
    let half = serde_json::json!({ "request_type": "incident", "subject": "VPN is slow", "body": "Since noon.",
        "fields": { "service": "vpn", "people-affected": 3 }, "tags": ["remote"] });
    desk.as_role("amara").put(path, &half).expect(200);
    let lena = Browser::without_scripts_of(&desk.url, "lena", "/drafts/0199c0de-0000-7000-8000-000000000001");
    lena.counts("form.stack", 0);
    let mut amara = Browser::without_scripts_of(&desk.url, "amara", "/mine");
    amara.click(".tabs a[href='/drafts']");
    amara.click(".rows a.button");
    let number = amara.script("return document.getElementById('field.people-affected').value");
    assert_eq!(number, "3");
    amara.type_into("#body", " It is worse now.");
    amara.click("button[name=keep]");
    let kept = desk.as_role("amara").get(path).expect(200)["submission"].clone();
    assert_eq!((&kept["body"], &kept["tags"]), (&"Since noon. It is worse now.".into(), &half["tags"]), "{kept}");
    amara.click(".rows button.danger");
    amara.sees(".notice.good", "thrown away");
    assert_eq!(desk.as_role("amara").get(path).status, 404);
}

#[test]
fn what_is_typed_is_still_there_after_a_reload_and_gone_once_it_is_sent() {
    let desk = desk();
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/tickets/IT-1");
    amara.type_into("#body", "Half a sentence that");
    amara.go("/");
    amara.go("/tickets/IT-1");
    assert_eq!(amara.script("return document.querySelector('#body').value"), "Half a sentence that");
    amara.type_into("#body", " is whole now");
    amara.click(".composer button");
    amara.wait("document.querySelector('.notice.good')");
    amara.sees(".story", "Half a sentence that is whole now");
    amara.go("/tickets/IT-1");
    assert_eq!(amara.script("return document.querySelector('#body').value"), "");
}

/// A field that shapes others brings the form up to date where it is: nothing that was typed goes, and the focus stays.
#[test]
fn a_form_changes_with_what_is_chosen_and_loses_nothing() {
    let desk = House::demo(Database::Sqlite);
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/new/access");
    amara.script("window.same = true");
    amara.type_into("#subject", "For the new project");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.txt");
    std::fs::write(&file, "the plan").unwrap();
    amara.type_into("#files", file.to_str().unwrap());
    let tiers = amara.count("[id='field.tier'] option");
    amara.script("document.getElementById('field.app').focus()");
    amara.type_into("[id='field.app']", "GitHub");
    amara.wait(&format!("document.querySelectorAll('[id=\"field.tier\"] option').length !== {tiers}"));
    let now = amara.script(
        "return [window.same, document.activeElement.id, document.querySelector('#subject').value, \
         document.querySelector('#files').files.length]",
    );
    assert_eq!(now, serde_json::json!([true, "field.app", "For the new project", 1]));
}

/// Without scripts a button does it: the form comes again as the answers so far shape it, with all of them.
#[test]
fn a_form_is_updated_by_a_button_without_scripts() {
    let desk = House::demo(Database::Sqlite);
    let mut amara = Browser::without_scripts_of(&desk.url, "amara", "/new/access");
    let tiers = amara.count("[id='field.tier'] option");
    amara.type_into("#subject", "For the new project");
    amara.choose("[id='field.app']", "github");
    amara.click("button[name=update]");
    amara.wait(&format!("document.querySelectorAll('[id=\"field.tier\"] option').length < {tiers}"));
    assert_eq!(amara.script("return document.querySelector('#subject').value"), "For the new project");
    assert_eq!(amara.script("return document.getElementById('field.app').value"), "github");
}

#[test]
fn a_session_ends_when_it_is_not_used_and_when_it_is_ended_elsewhere() {
    let desk = desk();
    let mut here = Browser::of(&desk.url, "amara");
    let mut there = Browser::of(&desk.url, "amara");
    here.go("/account");
    here.counts(".rows li", 2);
    here.click("#end-all button");
    there.go("/mine");
    there.is_at("/sign-in?next=%2Fmine");
    there.sign_in("amara");
    desk.advance(SignedDuration::from_hours(13));
    there.go("/mine");
    there.wait("location.pathname === '/sign-in'");
}

/// One who follows the tickets of a department finds them next to her own, and reads them without forms that would change them.
#[test]
fn a_reader_of_a_department_finds_its_tickets_next_to_her_own() {
    let desk = desk();
    let mut lena = Browser::without_scripts_of(&desk.url, "lena", "/mine");
    lena.counts(".tabs a", 4);
    let file = desk.settings().with_file_name("people.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text + "\n[[department-readers]]\ndepartment = \"Finance\"\npeople = [\"lena\"]\n").unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &serde_json::json!({})).status, 204);
    lena.go("/mine");
    lena.click(".tabs a[href='/mine?department=Finance']");
    lena.sees(".tabs [aria-current]", "Finance");
    lena.click("a.row-line[href='/tickets/IT-1']");
    lena.sees("h1", "VPN is down in Berlin");
    lena.counts("form.composer", 0);
    lena.counts("form.add-file", 0);
}

/// A question that comes again each day.
const AGAIN: &str = "\n[[recurring-ticket]]\nid = \"again\"\nrequest-type = \"question\"\nrequester = \"mei\"\n\
    subject = \"How do I do thing {date}?\"\nbody = \"Please tell me.\"\nfields = { topic = \"howto\" }\nevery = \"day\"\nat = \"07:00\"\n";

/// By a page, by API, by an agent on the telephone, from a draft, and by the calendar: each ticket is asked about by the same rules, and
/// gets whose turn it is, so that of any three in a row no one has two.
#[test]
fn tickets_by_every_way_in_meet_the_same_rules_and_take_the_same_turns() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| text + AGAIN);
        desk.do_what_is_due();
        let (lena, kofi) = (desk.as_role("lena"), desk.as_role("kofi"));
        let question = |subject: &str| json!({ "request_type": "question", "subject": subject, "body": "Please tell me.", "fields": { "topic": "howto" } });
        let page = |subject: &str| {
            let part = |name: &str, text: &str| {
                format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
            };
            let body = [("subject", subject), ("body", "Please tell me."), ("field.topic", "howto")];
            let body: String = body.into_iter().map(|(name, text)| part(name, text)).collect();
            let (parts, amara) = (("content-type", "multipart/form-data; boundary=x"), cookie(&desk, "amara"));
            let url = format!("{}/new/question", desk.url);
            let sent = send("POST", &url, &[parts, OWN, ("cookie", &amara)], &format!("{body}--x--\r\n"));
            assert_eq!(sent.status, 303, "{}", sent.text);
        };
        let by_phone = |subject: &str| {
            let mut body = question(subject);
            body["requester"] = json!("amara");
            body["channel"] = json!("phone");
            kofi.post("/api/v1/tickets", &body).expect(201);
        };
        let draft = "/api/v1/drafts/0199c0de-0000-7000-8000-000000000001";
        page("How do I do thing 1?");
        lena.post("/api/v1/tickets", &question("How do I do thing 2?")).expect(201);
        by_phone("How do I do thing 3?");
        lena.put(draft, &question("How do I do thing 4?")).expect(200);
        lena.post(&format!("{draft}/submit"), &json!({})).expect(201);
        desk.advance(SignedDuration::from_hours(25));
        page("How do I do thing 5?");
        by_phone("How do I do thing 6?");

        let count = kofi.get("/api/v1/tickets?limit=200").expect(200)["tickets"].as_array().unwrap().len();
        assert!(count >= 7, "{count}");
        let all: Vec<Value> = (1..=count).map(|n| kofi.get(&format!("/api/v1/tickets/IT-{n}")).expect(200)).collect();
        let channels: BTreeSet<&str> = all.iter().map(|ticket| ticket["channel"].as_str().unwrap()).collect();
        assert_eq!(channels.into_iter().collect::<Vec<_>>(), ["api", "phone", "portal", "recurring"]);
        let whose: Vec<&str> = all.iter().map(|ticket| ticket["assignee"].as_str().unwrap()).collect();
        for three in whose.windows(3) {
            assert_eq!(three.iter().collect::<BTreeSet<_>>().len(), 3, "{whose:?}");
        }
        let asked: BTreeSet<String> = (1..=count)
            .map(|n| {
                let runs = kofi.get(&format!("/api/v1/tickets/IT-{n}/decisions")).expect(200);
                let rules = |stage: &Value| {
                    let names = stage["rules"].as_array().unwrap().iter().map(|rule| rule["rule"].as_str().unwrap());
                    names.collect::<Vec<_>>().join(", ")
                };
                let stages = runs[0]["stages"].as_array().unwrap().iter();
                stages.map(|stage| format!("{}: {}; ", stage["stage"], rules(stage))).collect()
            })
            .collect();
        assert_eq!(asked.len(), 1, "{asked:?}");
    });
}
