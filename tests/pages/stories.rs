//! Whole stories in the browser, as people live them: an outage, and an audit.

use serde_json::json;

use super::{queue_of, set_state};
use crate::support::browser::{Browser, SHIFT};
use crate::support::house::House;
use crate::support::place::Database;

/// People who have the same trouble, and one who had it first.
const TROUBLED: usize = 40;

/// Forty submissions become one ticket with thirty-nine duplicates by keys alone, and one answer is an answer to all.
#[test]
fn an_outage_has_forty_submissions_one_parent_and_one_answer() {
    let desk = House::demo(Database::Sqlite);
    let agent = desk.as_role("kofi");
    let people = [
        "ingrid", "omar", "lena", "amara", "jonas", "sofia", "ravi", "chloe", "dmitri", "hana", "luis", "noor",
        "peter", "grace", "ben", "elif", "marco", "anja", "fatima", "oskar", "wei", "clara", "hugo", "tomas", "yuki",
        "mei", "priya", "viktor", "nadia", "samir", "emma", "paul", "akira", "zoe", "ivan", "lucia", "felix", "maya",
        "stefan", "olga",
    ];
    assert_eq!(people.len(), TROUBLED);
    for person in people {
        let body = json!({ "request_type": "incident", "subject": "VPN is down", "requester": person,
            "channel": "phone", "body": format!("{person} cannot reach the VPN: error 809."),
            "fields": { "service": "vpn", "people-affected": 40, "impact": "high", "urgency": "high" } });
        agent.post("/api/v1/tickets", &body).expect(201);
    }
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/queue");
    kofi.counts("tr[data-row]", 40);
    kofi.press(&["j", "x"]);
    let further: Vec<String> = (1..TROUBLED).map(|_| format!("{SHIFT}J")).collect();
    kofi.press(&further.iter().map(String::as_str).collect::<Vec<_>>());
    kofi.sees("[data-selected]", "40 selected");
    kofi.press(&["d"]);
    kofi.type_into("#bulk-other", "IT-1");
    kofi.click("button[value=duplicates]");
    kofi.sees("main", "39 tickets were changed");
    kofi.go("/tickets/IT-1");
    kofi.counts("[aria-labelledby=links] li", 39);
    kofi.sees("[aria-labelledby=links]", "has the duplicate");
    // One answer, and one record of how it was resolved.
    set_state(&mut kofi, "in_progress");
    kofi.click("#acts ~ details[data-key=s] > summary");
    kofi.choose("#to", "resolved");
    for (part, text) in [
        ("symptom", "No tunnel came up"),
        ("cause", "The certificate of the gateway had ended"),
        ("fix", "The gateway has a new certificate, and all can connect again"),
        ("next-time", "Renew it a week before"),
    ] {
        kofi.type_into(&format!("#record-{part}"), text);
    }
    kofi.click("details[data-key=s] form button.primary");
    kofi.sees(".title-line .state", "Resolved");
    desk.do_what_is_due();
    assert_eq!(queue_of(&desk, "resolved"), TROUBLED, "each duplicate is resolved with it");
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/mine");
    amara.sees(".rows", "Your turn");
    amara.click(".rows a");
    amara.sees(".story", "all can connect again");
}

/// Who has access to the payroll, and why: from the question to the chained record in two clicks.
#[test]
fn an_auditor_asks_who_has_access_to_payroll_and_why() {
    let desk = House::lived_in(Database::Sqlite);
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/access");
    mei.click("a[href='/access/who']");
    mei.choose("#who-app", "workday");
    mei.click("form[action='/access/who'] button");
    mei.sees("table", "Sofia Rossi");
    mei.sees("table", "I run the pay of November while Jonas is away");
    mei.sees("table", "Lena Fischer");
    let held = mei.count("tbody tr");
    // The same question about a day before it was given.
    let before =
        desk.clock.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date().checked_sub(jiff::Span::new().days(20));
    mei.go(&format!("/access/who?app=workday&on={}", before.unwrap()));
    mei.sees(".empty", "Nobody");
    mei.go("/access/who?app=workday&person=");
    mei.counts("tbody tr", held);
    mei.script(
        "[...document.querySelectorAll('tbody tr')].find((row) => row.innerText.includes('Sofia')).querySelector('a').click()",
    );
    mei.sees("h1", "Workday");
    mei.sees(".story", "asked for");
    mei.sees(".story", "granted");
    mei.sees("main", "Lena Fischer approved");
    // The file says the same.
    let file = mei.script(
        "return (function () { const r = new XMLHttpRequest(); r.open('GET', '/access/who?app=workday&format=csv', false); r.send(); return r.responseText })()",
    );
    let file = file.as_str().unwrap();
    assert!(file.starts_with("person,app,tier,role"), "{file}");
    assert_eq!(file.lines().count() as u64, held + 1, "{file}");
    // One who neither works here nor owns an app does not hear of it.
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/access");
    amara.counts("a[href='/access/who']", 0);
    amara.go("/access/who?app=workday");
    amara.sees("h1", "You may not do this");
}
