//! Lists of tickets: an act on many of them, and the counts next to them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::pages::desk;
use crate::pages::guard::{FORM, OWN, cookie, send};
use crate::support::browser::{Browser, ENTER, ESCAPE};
use crate::support::house::House;
use crate::support::place::Database;

/// An act on many tickets goes in parts, and shows how far it has come. A part whose answer is lost is sent again: its tickets change
/// once, and each of all says what became of it.
#[test]
fn an_act_on_many_shows_how_far_it_is_and_outlives_a_lost_answer() {
    let desk = House::demo(Database::Sqlite);
    for n in 0..12 {
        let body = json!({ "request_type": "question", "subject": format!("Question {n} about the building"),
            "body": format!("Text {n} of its own"), "fields": { "topic": "howto" } });
        desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    }
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/queue");
    kofi.counts("tr[data-row]", 12);
    kofi.script("for (const box of document.querySelectorAll('tr[data-row] input')) box.checked = true");
    let note = json!({ "body": "I look at it", "internal": true });
    desk.as_role("mei").post("/api/v1/tickets/IT-7/comments", &note).expect(201);
    // A reason is said, and no act is chosen yet.
    kofi.type_into("#bulk-reason", "It is one building");
    kofi.press(&[ENTER]);
    // The second of three answers is lost on its way.
    kofi.script(
        "const real = window.fetch; let sent = 0; window.fetch = async (...all) => { const answer = await real(...all); \
         if (String(all[0]).includes('/queue/bulk') && ++sent === 2) throw new TypeError('lost'); return answer; }",
    );
    kofi.choose("#bulk-to", "in_progress");
    kofi.click("button[value=state]");
    kofi.sees("dialog .notice.bad", "changes each ticket once");
    kofi.sees("dialog [data-come]", "5 of 12");
    kofi.has_focus();
    kofi.click("dialog .notice button");
    kofi.sees("dialog .lead", "11 tickets were changed. 1 was not.");
    kofi.counts("dialog .rows li", 12);
    kofi.sees("dialog .rows li", "somebody changed it meanwhile");
    kofi.counts("dialog .rows li:first-child a[href='/tickets/IT-7']", 1);
    kofi.counts("dialog progress", 0);
    kofi.has_focus();
    kofi.press(&[ESCAPE]);
    kofi.counts("dialog", 0);
    kofi.sees("tr[data-row=IT-1] .c-state", "In progress");
    a_session_that_ends_on_the_way_leaves_the_rest_chosen(&mut kofi);
}

/// One who is signed out at the second of three parts is asked to sign in, and finds the other seven tickets and the act as they were.
fn a_session_that_ends_on_the_way_leaves_the_rest_chosen(kofi: &mut Browser) {
    kofi.script("for (const box of document.querySelectorAll('tr[data-row] input')) box.checked = true");
    kofi.type_into("#bulk-reason", "It is one building");
    kofi.script(
        "const real = window.fetch; let sent = 0; window.fetch = async (...all) => { \
         const out = String(all[0]).includes('/queue/bulk') && ++sent === 2; \
         return real(all[0], out ? { ...all[1], credentials: 'omit' } : all[1]); }",
    );
    kofi.choose("#bulk-to", "open");
    kofi.click("button[value=state]");
    kofi.sees("dialog .notice.bad", "You are signed out");
    kofi.counts("dialog .rows li", 5);
    kofi.has_focus();
    kofi.click("dialog .notice a");
    kofi.wait("location.pathname === '/sign-in'");
    kofi.click("button[value=kofi]");
    kofi.is_at("/queue");
    kofi.counts("tr[data-row] input:checked", 7);
    kofi.sees("[data-selected]", "7 selected");
    let filled = "return [document.querySelector('#bulk-reason').value, document.querySelector('#bulk-to').value]";
    assert_eq!(kofi.script(filled), json!(["It is one building", "open"]));
    // They are chosen again once, and not whenever the list is looked at.
    kofi.go("/queue");
    kofi.counts("tr[data-row] input:checked", 0);
}

/// The same form twice does it once and says the same; another attempt with what was seen before is refused.
#[test]
fn an_act_on_several_that_comes_twice_is_done_once() {
    let desk = desk();
    let kofi = cookie(&desk, "kofi");
    let version = || desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200)["version"].to_string();
    let seen = version();
    let post = |key: &str| {
        let form = format!("ticket=IT-1:{seen}&act=state&to=in_progress&key={key}");
        send("POST", &format!("{}/queue/bulk", desk.url), &[FORM, OWN, ("cookie", &kofi)], &form).text
    };
    let (first, after, second) = (post("one"), version(), post("one"));
    assert!(first.contains("1 ticket was changed.") && second.contains("1 ticket was changed."), "{second}");
    assert!(seen != after && after == version(), "it changed once");
    let other = post("two");
    assert!(other.contains("somebody changed it meanwhile"), "{other}");
}

/// The counts next to the lists are those of the lists in front, and no other is counted.
#[test]
fn only_the_lists_in_front_are_counted() {
    let desk = desk();
    let cookie = cookie(&desk, "kofi");
    let get = |path: &str| send("GET", &format!("{}{path}", desk.url), &[("cookie", &cookie)], "").text;
    let in_front = || -> BTreeSet<String> {
        get("/queue")
            .split("data-count=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .map(str::to_owned)
            .collect()
    };
    let counted = || -> BTreeSet<String> {
        serde_json::from_str::<Map<String, Value>>(&get("/queue/counts"))
            .unwrap()
            .into_iter()
            .map(|(code, _)| code)
            .collect()
    };
    assert_eq!(counted(), in_front());
    let teams = |codes: &BTreeSet<String>| codes.iter().filter(|code| code.starts_with("team-")).count();
    assert!(teams(&counted()) > 0, "{:?}", counted());
    for n in 0..4 {
        let form = format!("id=0199c0de-0000-7000-8000-00000000001{n}&name=List+{n}&priority=high&star=1");
        let kept = send("POST", &format!("{}/queue/views", desk.url), &[FORM, OWN, ("cookie", &cookie)], &form);
        assert_eq!(kept.status, 303, "{}", kept.text);
    }
    assert_eq!(counted(), in_front());
    assert_eq!(teams(&counted()), 0, "the lists of teams are folded away");
}
