//! The five stories of the README in the browser, as people live them: a laptop, an outage, an approval on a telephone, a decision
//! table on a Friday, and an audit.

use serde_json::json;

use super::admin::add_a_row;
use super::guard::{FORM, OWN, cookie, send};
use super::{access, ask_for_a_laptop, desk_with_a_table, file, queue_of, resolve, say_what_was_missing, set_state};
use crate::support::browser::{Browser, ENTER, SHIFT};
use crate::support::components::example_rules;
use crate::support::house::{House, OWN_URL};
use crate::support::peers::smtp::Relay;
use crate::support::place::Database;

/// A laptop: what is missing is said at its field, what comes is wrong at first, and in the end it is there.
#[test]
fn an_employee_asks_for_a_laptop_is_told_what_is_missing_and_gets_it() {
    let desk = House::demo(Database::Sqlite);
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/");
    amara.click("a[href='/new/hardware']");
    amara.is_at("/new/hardware");
    ask_for_a_laptop(&mut amara);
    amara.has_focus();
    // Each line of the summary leads to its field, and all that was filled in is there.
    amara.click("#problems a");
    amara.wait("document.activeElement.getAttribute('aria-invalid') === 'true'");
    assert_eq!(amara.script("return document.querySelector('#subject').value"), "A laptop for the new project");
    say_what_was_missing(&mut amara);
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    set_state(&mut kofi, "in_progress");
    resolve(&mut kofi, &[("fix", "A laptop is on its way to the office in Berlin")]);
    amara.go("/mine");
    amara.sees(".rows", "Your turn");
    amara.click(".rows a");
    amara.sees(".ask", "Is it solved?");
    amara.type_into("#dispute", "It came without a charger");
    amara.click(".ask form:last-of-type button");
    amara.wait("document.querySelector('.notice.good')");
    amara.sees(".story", "It came without a charger");
    amara.counts(".ask", 0);
    kofi.go("/tickets/IT-1");
    kofi.sees(".story", "It came without a charger");
    set_state(&mut kofi, "in_progress");
    resolve(&mut kofi, &[("fix", "The charger is at the reception")]);
    amara.go("/tickets/IT-1");
    amara.click(".ask form:first-of-type button");
    amara.wait("document.querySelector('.notice.good')");
    amara.sees(".over", "Closed");
    amara.counts(".ask", 0);
    desk.do_what_is_due();
}

/// The manager opens the link of the message on a telephone, and decides; a program that checks the links of mails decides nothing.
#[test]
fn an_approver_decides_on_a_telephone_from_the_link_of_the_message() {
    let relay = Relay::start();
    let outgoing = format!("\n[outgoing]\npublic-url = \"{OWN_URL}\"\ninternal-hosts = [\"127.0.0.1\"]\n");
    let settings = relay.settings() + &outgoing;
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text + &settings);
    desk.as_role("amara").post("/api/v1/tickets", &access()).expect(201);
    desk.do_what_is_due();
    let taken = relay.taken();
    let message = taken.iter().find(|taken| taken.to.starts_with("lena@")).unwrap();
    // Another link of it decides without signing in.
    let mut links = message.text.lines().filter(|line| line.starts_with(&desk.url));
    let link = links.find(|line| !line.contains("/decide/")).unwrap_or_else(|| panic!("{}", message.text));
    let path = link.trim().strip_prefix(&desk.url).unwrap().to_owned();
    let mut lena = Browser::at(&desk.url);
    lena.size(390, 844);
    // The link leads to the sign-in and back to where it leads.
    lena.go(&path);
    lena.click("button[value=lena]");
    lena.is_at(&path);
    lena.click("a[href='/approvals/IT-1'].primary");
    lena.is_at("/approvals/IT-1");
    for _ in 0..3 {
        lena.go("/approvals/IT-1");
    }
    let text = lena.text("main");
    for fact in ["Amara Okafor", "GitHub", "Write", "medium risk", "3 days", "push the models"] {
        assert!(text.contains(fact), "{fact} is not in:\n{text}");
    }
    lena.type_into("#question", "For which repository?");
    lena.click("form[action='/approvals/IT-1/ask'] button");
    lena.sees(".questions", "There is no answer yet");
    lena.counts("#question", 0);
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/access");
    amara.sees(".question", "For which repository?");
    amara.click(".question a");
    amara.type_into("#answer", "For the ledger's");
    amara.click("form[action='/approvals/IT-1/answer'] button");
    amara.wait("document.querySelectorAll('.questions q').length === 2");
    amara.counts("#answer", 0);
    lena.go("/approvals/IT-1");
    lena.sees(".questions", "For the ledger's");
    lena.click("button[value=deny]");
    lena.sees(".notice.bad", "reason");
    let far = lena.script("return document.querySelector('.decide button').getBoundingClientRect().top + scrollY");
    assert!(far.as_f64().is_some_and(|far| far < 1_350.0), "the decision is {far} points down the page");
    // The decision is near: what is optional is folded away, and stays in sight once it is used.
    lena.counts(".decide details:not([open]) #hours", 1);
    lena.click(".decide summary");
    lena.type_into("#hours", "240");
    lena.click("input[name=insight]");
    lena.script("document.querySelector('#hours').removeAttribute('max')");
    lena.click("button[value=approve]");
    lena.sees(".notice.bad", "shorten");
    lena.counts(".decide details[open] input[name=insight]:checked", 1);
    lena.script("document.querySelector('#hours').value = ''");
    lena.type_into("#hours", "24");
    lena.click("button[value=approve]");
    lena.wait("document.querySelector('.good-text')");
    lena.sees(".steps", "Lena Fischer approved");
    lena.counts(".decide", 0);
    lena.go("/");
    lena.counts("a[href='/approvals'].notice, .notice a[href='/approvals']", 0);
    desk.do_what_is_due();
}

/// On Friday noon a table sends questions elsewhere: what the last month would have been is next to the cell, then the change
/// goes out in steps, each with a reason.
#[test]
fn an_admin_changes_a_decision_table_on_friday_noon_with_the_backtest_beside_it() {
    let desk = desk_with_a_table();
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/admin/rules");
    mei.click("a[href='/admin/decision-table/decision-table']");
    mei.click("button[value=add-row]");
    mei.wait("document.querySelector('[aria-label=\"then.team, 3\"]')");
    add_a_row(&mei);
    mei.wait("document.querySelector('#beside .big') && document.querySelector('#beside li a')");
    // It may stand there for a row that was half written.
    mei.sees("#beside", "Network");
    mei.sees("#beside", "IT-6");
    let text = mei.text("#beside");
    let changed: u64 = mei.text("#beside .big").trim().parse().unwrap();
    assert!(changed >= 1, "{text}");
    // A cell that is no value is named, and nothing is lost.
    mei.type_into("[aria-label='then.skills, 3']", "[\"half");
    mei.wait("document.querySelector('#beside .notice.bad')");
    mei.sees("#beside", "row 3, `then.skills`");
    mei.script("document.querySelector('[aria-label=\"then.skills, 3\"]').value = ''");
    // A row that no ticket reaches is named, with the one that takes all of its tickets.
    mei.type_into("[aria-label='when.so-far.tags, 3']", "compliance");
    mei.sees("#beside .notice.bad", "it is never reached");
    mei.script(
        "const cell = document.querySelector('[aria-label=\"when.so-far.tags, 3\"]'); cell.value = ''; \
         cell.dispatchEvent(new Event('input', { bubbles: true }))",
    );
    mei.wait("document.querySelector('#beside .big')");
    mei.click("button[value=offer]");
    mei.sees("#beside .notice.bad", "why");
    mei.type_into("#why", "The canteen is close to the network");
    an_example_keeps_nothing_from_being_seen(&mut mei);
    mei.click("button[value=offer]");
    mei.is_at("/admin/rules/decision-table?done=1");
    mei.sees("main", "The canteen is close to the network");
    // It is asked without effect until a person lets it have one.
    mei.sees("[aria-labelledby=parts] .plain-list", "shadow 1.0.1");
    mei.sees("[aria-labelledby=parts] .plain-list", "active 1.0.0");
    mei.has_focus();
    for step in ["canary", "active"] {
        mei.type_into("#why", "It does on the past what it should");
        mei.click(&format!("button[value={step}]"));
        mei.sees("[aria-labelledby=parts] .plain-list", &format!("{step} 1.0.1"));
        mei.has_focus();
    }
    // The version before is a click away, line by line.
    mei.click("[aria-labelledby=versions] a");
    mei.sees("#difference", "1.0.0 next to 1.0.1");
    mei.sees("#difference", "canteen");
    let canteen = json!({ "request_type": "question", "subject": "Is the canteen open today?", "body": "I am hungry.",
        "fields": { "topic": "other" } });
    let sent = desk.as_role("amara").post("/api/v1/tickets", &canteen).expect(201);
    let key = sent["key"].as_str().unwrap().to_owned();
    let ticket = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}")).expect(200);
    assert_eq!(ticket["team"], "network", "{ticket}");
}

/// An example of the rule's own that expects another answer is named above what would have changed, and such a version is not kept.
fn an_example_keeps_nothing_from_being_seen(mei: &mut Browser) {
    let team = |mei: &Browser, team: &str| {
        mei.script(&format!(
            "const cell = document.querySelector('[aria-label=\"then.team, 1\"]'); cell.value = '{team}'; \
             cell.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        ));
    };
    team(mei, "network");
    mei.sees("#beside .notice.warn", "its example “compliance” expects");
    mei.counts("#beside .big", 1);
    mei.counts("#beside .notice.bad", 0);
    mei.click("button[value=offer]");
    mei.sees("#beside .notice.bad", "Not kept: an example of the table");
    mei.counts("#beside .big", 1);
    // On a telephone that stands below the table, and above what makes a version of it.
    let order = mei.script(
        "return [...document.querySelectorAll('.grid, #beside, #version')].map((place) => place.id || 'grid').join()",
    );
    assert_eq!(order, "grid,beside,version");
    let says_more = |mei: &Browser| mei.script("return document.querySelector('#table .on-narrow').checkVisibility()");
    assert_eq!(says_more(mei), false);
    mei.size(390, 844);
    assert_eq!(says_more(mei), true, "there are columns that one has to scroll to");
    mei.size(1280, 800);
    // Where no answer comes, no older one stands there as if it were of these rows.
    mei.script(
        "window.kept = fetch; \
         window.fetch = async () => new Response('{\"title\": \"The desk is busy\"}', { status: 503 })",
    );
    team(mei, "desktop");
    mei.sees("#beside", "The desk is busy");
    mei.counts("#beside .big, #beside .notice", 0);
    mei.script("window.fetch = async () => new Response('Bad gateway', { status: 502 })");
    team(mei, "network");
    mei.sees("#beside", "Bad gateway");
    mei.counts("#beside[aria-busy]", 0);
    mei.script("window.fetch = window.kept");
    team(mei, "security");
    mei.wait("document.querySelector('#beside .big') && !document.querySelector('#beside .notice')");
}

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
    kofi.press(&[ENTER]);
    kofi.sees("main", "39 tickets were changed");
    kofi.go("/tickets/IT-1");
    kofi.counts("[aria-labelledby=links] li", 39);
    kofi.sees("[aria-labelledby=links]", "has the duplicate");
    // One answer, and one record of how it was resolved.
    set_state(&mut kofi, "in_progress");
    let record = [
        ("symptom", "No tunnel came up"),
        ("cause", "The certificate of the gateway had ended"),
        ("fix", "The gateway has a new certificate, and all can connect again"),
        ("next-time", "Renew it a week before"),
    ];
    resolve(&mut kofi, &record);
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
    // And all that a person could do with a role.
    mei.go("/access/who");
    mei.click("a[href='/access/roles']");
    mei.choose("#could-of", "desk:agent");
    mei.click("form[action='/access/roles'] button");
    mei.sees("main", "read internal notes");
    mei.sees("table", "Kofi");
    mei.go("/access/who?app=workday&person=");
    // The file says the same.
    let file = file(&mei, "'/access/who?app=workday&format=csv'");
    assert!(file.starts_with("person,app,tier,role"), "{file}");
    assert_eq!(file.lines().count() as u64, held + 1, "{file}");
    // One who neither works here nor owns an app does not hear of it.
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/access");
    amara.counts("a[href='/access/who']", 0);
    amara.go("/access/who?app=workday");
    amara.sees("h1", "You may not do this");
}

/// What was filled in is read by the names that the form offers, and who got a ticket in words; languages have their own names.
#[test]
fn the_story_of_a_ticket_has_names_and_words_and_no_codes() {
    let desk = House::demo(Database::Sqlite);
    let fields = json!({ "app": "github", "tier": "write", "duration-hours": 72,
        "justification": "I join the data project on Monday" });
    let access = json!({ "request_type": "access", "subject": "GitHub please", "fields": fields });
    desk.as_role("amara").post("/api/v1/tickets", &access).expect(201);
    let vpn = json!({ "request_type": "incident", "subject": "VPN is down", "body": "It is since nine.", "fields": { "service": "vpn" } });
    desk.as_role("amara").post("/api/v1/tickets", &vpn).expect(201);
    let mut amara = Browser::without_scripts_of(&desk.url, "amara", "/tickets/IT-1");
    let filled_in = amara.text("dl.facts.small");
    assert!(filled_in.contains("GitHub") && filled_in.contains("Write"), "{filled_in}");
    amara.go("/account");
    let languages = amara.script("return document.getElementById('locale').textContent");
    let languages = languages.as_str().unwrap();
    assert!(languages.contains("Deutsch") && languages.contains("English"), "{languages}");
    // The team for networks gives a ticket to the one who has the least to do.
    let kofi = Browser::without_scripts_of(&desk.url, "kofi", "/tickets/IT-2");
    let story = kofi.text("ol.story");
    assert!(story.contains("with the least to do") && !story.contains("least-loaded"), "{story}");
    let why = desk.as_role("kofi").get("/api/v1/tickets/IT-2/explain?field=assignee").expect(200);
    assert_eq!(why["fields"][0]["set_by"]["reason"], "least-loaded", "the value says who it is: {why}");
    // One who has cancelled asks once more without typing it again.
    amara.go("/tickets/IT-2");
    amara.counts("a[href^='/new/incident']", 0);
    let cancel = json!({ "to": "cancelled" });
    desk.as_role("amara").with("if-match", "*").post("/api/v1/tickets/IT-2/transitions", &cancel).expect(200);
    amara.go("/tickets/IT-2");
    amara.click("a[href^='/new/incident?']");
    amara.counts("#subject", 1);
    let typed = |name: &str| amara.script(&format!("return document.getElementById('{name}').value"));
    assert_eq!((typed("subject"), typed("field.service")), (json!("VPN is down"), json!("vpn")));
    desk.do_what_is_due();
}

/// An approver who is to be away lets another decide, needs no script and no one else for it; it is ended where it is seen.
#[test]
fn an_approver_lets_another_decide_for_some_days_and_ends_it() {
    let desk = House::demo(Database::Sqlite);
    let fields = serde_json::json!({ "app": "github", "tier": "write", "duration-hours": 4,
        "justification": "I move the repositories to the new organisation tonight, change 4711" });
    let body = serde_json::json!({ "request_type": "access", "subject": "GitHub please", "fields": fields });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let today = jiff::tz::TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date();
    let until = today.checked_add(jiff::Span::new().days(6)).unwrap();
    let mut lena = Browser::without_scripts_of(&desk.url, "lena", "/approvals");
    let fill = |lena: &mut Browser, until: jiff::civil::Date| {
        lena.script(&format!(
            "document.getElementById('from').value = '{today}'; document.getElementById('until').value = '{until}'"
        ));
        lena.click("form[action='/approvals/delegations'] button");
    };
    lena.type_into("#to", "Priya");
    fill(&mut lena, until);
    lena.sees(".notice.bad", "no such person");
    lena.script("document.getElementById('to').value = 'priya'");
    fill(&mut lena, today.checked_add(jiff::Span::new().days(92)).unwrap());
    lena.sees(".notice.bad", "at most 92 days");
    // What was filled in is still there.
    fill(&mut lena, until);
    lena.is_at("/approvals?done=given");
    lena.sees(".notice.good", "both of you are told");
    lena.sees(".given", &format!("decides in your place, too ({today} – {until})"));
    lena.counts(".given li", 1);
    lena.counts(".notice.info", 0);
    let mut priya = Browser::without_scripts_of(&desk.url, "priya", "/approvals");
    priya.sees(".given", "You decide in the place of Lena Fischer, too");
    priya.counts(".notice.info", 0);
    priya.counts(".rows a[href='/approvals/IT-1']", 1);
    desk.as_role("priya")
        .post("/api/v1/tickets/IT-1/access/decisions", &serde_json::json!({ "approve": true }))
        .expect(200);
    priya.go("/approvals/IT-1");
    priya.sees("main", "in the place of Lena Fischer");
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    lena.go("/approvals");
    lena.click(".given button");
    lena.is_at("/approvals?done=ended");
    lena.counts(".given", 0);
    priya.go("/approvals");
    priya.counts(".rows a[href='/approvals/IT-2']", 0);
    assert_eq!(desk.as_role("kofi").get("/api/v1/tickets/IT-2").expect(200)["access"]["awaited"][0], "lena");
    desk.do_what_is_due();
}

/// Acts on a ticket that are refused leave the words of their forms in them, for one who has no scripts.
fn keeps_what_was_typed(desk: &House) {
    let lena = cookie(desk, "lena");
    let post = |act: &str, body: &str| {
        let address = format!("{}/tickets/IT-1/{act}", desk.url);
        send("POST", &address, &[FORM, OWN, ("cookie", &lena)], body)
    };
    let stale = post("state", "version=0&to=cancelled&reason=She+stays+away&end-access=1");
    assert_eq!(stale.status, 412, "{}", stale.text);
    for typed in ["value=\"She stays away\"", "name=\"end-access\" value=\"1\" checked"] {
        assert!(stale.text.contains(typed), "{typed}: {}", stale.text);
    }
    let long = "x".repeat(1_001);
    let refused = post("escalate", &format!("reason={long}"));
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(refused.text.matches(&long).count(), 1, "in its own form alone: {}", refused.text);
}

/// A bundle's page, also without scripts: another day for it, and what goes with it where it is cancelled.
#[test]
fn the_page_of_a_bundle_moves_its_day_and_says_what_is_cancelled_with_it() {
    let desk = House::demo(Database::Sqlite);
    let today = jiff::tz::TimeZone::get("Europe/Berlin").unwrap().to_datetime(desk.clock.now()).date();
    let day = |days: i64| today.checked_add(jiff::Span::new().days(days)).unwrap().to_string();
    let fields = json!({ "name": "Zoë Ünal", "first-day": day(60), "role": "office", "device": "none",
        "cost-centre": "4711", "person": "sofia" });
    let body = json!({ "request_type": "new-colleague", "subject": "Zoë joins", "body": "Soon.", "fields": fields });
    desk.as_role("lena").post("/api/v1/tickets", &body).expect(201);
    let mei = cookie(&desk, "mei");
    let page = |cookie: &str| send("GET", &format!("{}/tickets/IT-1", desk.url), &[("cookie", cookie)], "").text;
    let post =
        |path: &str, body: &str| send("POST", &format!("{}{path}", desk.url), &[FORM, OWN, ("cookie", &mei)], body);
    assert!(page(&mei).contains("action=\"/tickets/IT-1/day\""), "{}", page(&mei));
    let version = |action: &str| {
        let text = page(&mei);
        let form = text.split(&format!("action=\"/tickets/IT-1/{action}\"")).nth(1).unwrap();
        form.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let before = version("day");
    let refused =
        post("/tickets/IT-1/day", &format!("version={before}&day-field=first-day&day-to={}&day-reason=", day(74)));
    assert!(refused.status == 422 && refused.text.contains(&day(74)), "{}", refused.text);
    let wanted = |day: &str| format!("version={before}&day-field=first-day&day-to={day}&day-reason=Later");
    let moved = post("/tickets/IT-1/day", &wanted(&day(74)));
    assert_eq!(moved.header("location"), "/tickets/IT-1?done=day", "{}", moved.text);
    assert!(page(&mei).contains(&day(74)), "{}", page(&mei));
    let stale = post("/tickets/IT-1/day", &wanted(&day(80)));
    assert!(stale.status == 412 && stale.text.contains(&day(80)), "what was filled in is there: {}", stale.text);
    let wanted_day = format!("version={before}&day-field=first-day&day-to=soon&day-reason=She+moves");
    let unread = post("/tickets/IT-1/day", &wanted_day);
    let is_kept = unread.text.contains("value=\"She moves\"");
    assert!(unread.status == 422 && unread.text.contains("The day cannot be read") && is_kept, "{}", unread.text);
    keeps_what_was_typed(&desk);

    let (says, ends) = ("one open part is cancelled with it", "name=\"end-access\"");
    for reader in [page(&mei), page(&cookie(&desk, "lena"))] {
        assert!(reader.contains(says) && reader.contains(ends) && reader.contains("Jira"), "{reader}");
    }
    let wanted = format!("version={}&to=cancelled&reason=She+stays+away&end-access=1", version("state"));
    assert_eq!(post("/tickets/IT-1/state", &wanted).header("location"), "/tickets/IT-1?done=state");
    let left = desk.as_role("lena").get("/api/v1/tickets/IT-1/parts").expect(200);
    assert_eq!(left["access"], json!([]), "{left}");
    desk.do_what_is_due();
}

/// Where no rule decides about access, the desk says so, to each reader in their language.
#[test]
fn the_desk_s_own_reason_for_a_request_is_in_the_approver_s_language() {
    let none = tempfile::tempdir().unwrap();
    let desk = House::with_rules(Database::Sqlite, none.path());
    let fields = json!({ "app": "github", "tier": "write", "duration-hours": 72,
        "justification": "I join the data project on Monday" });
    let body = json!({ "request_type": "access", "subject": "GitHub", "fields": fields });
    let asked = desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    assert_eq!(asked["access"]["reason"], "no rule decided, so a person does", "{asked}");
    let amara = cookie(&desk, "amara");
    let page = |language: &str| {
        let headers = [("cookie", amara.as_str()), ("accept-language", language)];
        send("GET", &format!("{}/tickets/IT-1", desk.url), &headers, "").text
    };
    assert!(page("de").contains("keine Regel hat entschieden, darum tut es ein Mensch"), "{}", page("de"));
    assert!(page("en").contains("no rule decided, so a person does"), "{}", page("en"));
}
