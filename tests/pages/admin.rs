//! Those who look after the desk: rules, decision tables, reference tables, records.

use jiff::SignedDuration;
use serde_json::json;

use super::guard::{FORM, OWN, cookie, send};
use super::{desk, desk_with_a_table};
use crate::support::browser::Browser;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::Database;

/// Fills in the third row: questions about the canteen go to the network's team.
pub fn add_a_row(browser: &Browser) {
    browser.type_into("[aria-label='name, 3']", "the canteen is close to the network");
    browser.type_into("[aria-label='when.ticket.text.mentions, 3']", "[\"canteen\"]");
    browser.type_into("[aria-label='then.team, 3']", "network");
}

#[test]
fn a_step_of_a_rule_needs_a_reason_which_its_page_keeps() {
    let desk = desk();
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/admin/rules/form-category");
    let calls: u64 = mei.text(".big").trim().parse().unwrap();
    assert!(calls >= 5, "its calls are counted: {calls}");
    assert!(mei.count("svg.plot rect") > 0, "and drawn");
    let drawn = mei.script("return [...document.querySelectorAll('.track svg')].map((plot) => plot.ariaLabel)");
    assert_eq!(drawn, json!(["Calls", "Time of 99 calls in 100", "Fuel of 99 calls in 100"]), "hour by hour");
    let counted = mei.script(
        "return [...document.querySelectorAll('table[aria-label=Calls] td')].reduce((sum, cell) => sum + Number(cell.textContent), 0)",
    );
    assert_eq!(counted, calls);
    mei.click("button[value=suspend]");
    mei.wait("document.querySelector('.notice.bad')");
    mei.type_into("#why", "It sends monitors to the wrong place");
    mei.click("button[value=suspend]");
    mei.wait("document.querySelector('.notice.good')");
    mei.sees("main", "It sends monitors to the wrong place");
    mei.type_into("#why", "It was the form");
    mei.click("button[value=resume]");
    mei.wait("document.querySelector('.notice.good') && document.querySelector('button[value=suspend]')");
    // A table of the rules directory is changed there: the page has the text for it.
    mei.go("/admin/decision-table/decision-table");
    mei.type_into("#why", "Berlin has a team of its own");
    mei.click("button[value=offer]");
    mei.sees("#beside", "rules directory");
    mei.click("#beside details summary");
    mei.sees("#beside pre", "compliance goes to security");
    // Agents look, and do nothing.
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/admin/rules/form-category");
    kofi.counts("main form", 0);
}

/// A version that waits in shadow is asked about what was decided: what would have gone elsewhere, drawn and as tables, with the tickets.
#[test]
fn an_admin_tries_a_version_of_a_rule_on_the_last_month() {
    let desk = desk_with_a_table();
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/admin/decision-table/decision-table");
    mei.click("button[value=add-row]");
    mei.wait("document.querySelector('[aria-label=\"then.team, 3\"]')");
    add_a_row(&mei);
    mei.wait("document.querySelector('#beside .big')");
    mei.type_into("#why", "The canteen is close to the network");
    mei.click("button[value=offer]");
    mei.is_at("/admin/rules/decision-table?done=1");
    mei.click("a[href='/admin/rules/decision-table/backtest']");
    mei.wait("document.querySelector('#version')?.selectedOptions.length");
    let chosen = mei.script("return document.querySelector('#version').selectedOptions[0].textContent");
    let chosen = chosen.as_str().unwrap();
    assert!(chosen.starts_with("1.0.1"), "the one that waits is offered first: {chosen}");
    mei.click("button[value=try]");
    mei.wait("document.querySelector('#report')");
    mei.has_focus();
    let text = mei.text("#report");
    for said in ["decision-table 1.0.1", "Network", "IT-6", "the canteen is close to the network"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let changed = mei.text("#report .big").trim().to_owned();
    assert_ne!(changed, "0", "the ticket about the canteen would go elsewhere: {text}");
    let moved =
        mei.script("return [...document.querySelectorAll('#report .moves td.stood')].map((cell) => cell.textContent)");
    assert!(moved.as_array().is_some_and(|cells| !cells.is_empty()), "{moved}");
    assert!(mei.count("#report .bars rect") > 0 && mei.count("#report svg.plot rect") > 0, "drawn");
    assert!(mei.count("#report .as-table table[aria-label] tbody tr") > 0, "and as a table");
    assert_eq!(mei.axe(), Vec::<String>::new());
    // Without it, and with rows that are no table.
    mei.choose("#version", "nothing");
    mei.click("button[value=try]");
    mei.sees("#report-title", "without decision-table");
    mei.choose("#version", "manifest");
    mei.script("document.querySelector('#manifest').value = 'no rule'");
    mei.click("button[value=try]");
    mei.wait("document.querySelector('.notice.bad')");
    mei.counts("#report", 0);
    // Who names a folder means its rule: there is none of that name, without which nothing would change.
    mei.go("/admin/rules/20-form-category/backtest");
    mei.counts("form[action='/admin/rules/form-category/backtest']", 1);
    // Nothing of it is kept, and only who looks after the desk may ask.
    let rules = desk.as_role("mei").get("/api/v1/rules").expect(200).to_string();
    assert!(!rules.contains("1.0.2"), "{rules}");
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/admin/rules/decision-table");
    kofi.counts("a[href$=backtest]", 0);
    kofi.go("/admin/rules/decision-table/backtest");
    kofi.counts("#version", 0);
}

#[test]
fn a_reference_table_is_changed_in_its_grid_and_keeps_its_versions() {
    let desk = desk();
    let mei = desk.as_role("mei");
    mei.put_text("/api/v1/tables/assets?why=first", "asset,team,cost:number\nerp,applications,12.50\n", "text/csv")
        .expect(200);
    // The versions stand in the order of their time.
    desk.clock.advance(jiff::SignedDuration::from_mins(1));
    let mut browser = Browser::of(&desk.url, "mei");
    browser.go("/admin/tables/assets");
    browser.type_into("[aria-label='asset, new row 1']", "vpn");
    browser.type_into("[aria-label='team, new row 1']", "net, \"work\"");
    browser.type_into("[aria-label='cost:number, new row 1']", "much");
    browser.type_into("#why", "The gateway");
    browser.click("main form button.primary");
    browser.wait("document.querySelector('.notice.bad')");
    browser.script("document.querySelectorAll('[name=cell]')[5].value = '7'");
    browser.click("main form button.primary");
    browser.wait("document.querySelector('.notice.good')");
    let csv = mei.with("accept", "text/csv").get("/api/v1/tables/assets").text;
    assert!(csv.contains("vpn,\"net, \"\"work\"\"\",7") || csv.contains("net, \\\"work\\\""), "{csv}");
    browser.sees("main", "The gateway");
    // As text it is looked at first, and an earlier version is held against what is live before it is live again.
    browser.click("details.fold > summary");
    browser.script("document.querySelector('#text').value += 'mail,workplace,3\\n'");
    browser.script("const field = document.querySelector('#text'); field.value = field.value.replace(',7', ',8')");
    browser.click("#as-text button[value=look]");
    browser.sees("#beside", "1 row is new");
    browser.sees("#beside tbody", "8");
    browser.counts(".versions li", 2);
    browser.type_into("#text-why", "Mail is a system, too");
    browser.click("#as-text button.primary");
    browser.sees("main", "Mail is a system, too");
    browser.click(".versions li:last-child a");
    browser.sees("#beside", "2 rows go");
    browser.click("#beside form button");
    browser.sees(".notice.bad", "why");
    browser.click(".versions li:last-child a");
    browser.type_into("#again-why", "As it began");
    browser.click("#beside form button");
    browser.sees(".notice.good", "new version");
    let csv = mei.with("accept", "text/csv").get("/api/v1/tables/assets").text;
    assert!(!csv.contains("vpn") && csv.contains("erp"), "{csv}");
    browser.go("/admin/tables/vips");
    browser.sees(".notice.info", "configuration directory");
    browser.counts("[name=cell]", 0);
}

/// A draft shows its problems and what it would do; it is published with a reason, and taken back.
#[test]
fn an_admin_drafts_a_form_and_publishes_it() {
    let by_api = |text: String| format!("{text}\n[configuration]\nby-api = [\"request-types\"]\n");
    let desk = House::with_settings(Database::Sqlite, example_rules(), by_api);
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/admin/configuration/request-types");
    mei.click("a[href='/admin/documents']");
    mei.is_at("/admin/documents/request-types");
    let add = |mei: &Browser, text: &str| {
        mei.script(&format!(
            "const field = document.querySelector('#content'); field.value += {text:?}; \
             field.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        ));
    };
    let lines = mei.script("return document.querySelector('#content').value.split('\\n').length").as_u64().unwrap();
    add(&mei, "\n[[request-type]]\nid = \"badge\"\nkind = \"request\"\n");
    mei.sees("#beside .notice.bad", "name");
    mei.click("#beside a[data-line]");
    let at = mei.script(
        "const f = document.querySelector('#content'); return f.value.slice(0, f.selectionStart).split('\\n').length",
    );
    assert!(at.as_u64().unwrap() >= lines, "its place is in what was added: {at}");
    add(
        &mei,
        "name = \"A badge\"\nfield = [{ name = \"lost\", label = \"Is it lost?\", kind = \"flag\" }, { name = \"where\", label = \"Where was it lost?\", kind = \"text\", show-when = [{ field = \"lost\", filled = true }] }]\n",
    );
    mei.sees("#beside table", "badge");
    mei.sees("#beside .diff", "A badge");
    // The form as it would be, which asks on as it is filled in.
    mei.wait("document.querySelector('#preview-of')?.value === 'badge'");
    mei.counts("[id='field.where']", 0);
    mei.click("[id='field.lost']");
    mei.counts("[id='field.where']", 1);
    mei.click("button[value=publish]");
    mei.sees(".notice.bad", "say why");
    mei.type_into("#why", "The entrance has gates now");
    mei.click("button[value=publish]");
    mei.sees(".notice.good", "live");
    mei.sees("[aria-labelledby=history]", "The entrance has gates now");
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/new/badge");
    amara.sees("h1", "A badge");
    // Another version, and back to the one before.
    add(&mei, "\n# Kept by the entrance.\n");
    mei.type_into("#why", "Whom to ask");
    mei.click("button[value=publish]");
    mei.sees("[aria-labelledby=history]", "Whom to ask");
    mei.click("[aria-labelledby=history] a");
    mei.sees("#beside .diff", "Kept by the entrance");
    mei.type_into("#why", "It was known");
    mei.click("button[value=again]");
    mei.sees("[aria-labelledby=history]", "It was known");
    // A document of the directory says how it would become one that is published.
    mei.go("/admin/documents/teams");
    mei.sees(".notice.info", "by-api");
    mei.counts("button[value=publish]", 0);
    words_of_messages(&desk, &mut mei);
}

/// A message is looked at as a ticket makes it, in other words too; what is wrong with them stands at its line.
fn words_of_messages(desk: &House, mei: &mut Browser) {
    let question = serde_json::json!({ "request_type": "question", "subject": "How do I share my calendar?",
        "body": "With the whole team, please.", "fields": { "topic": "howto" } });
    desk.as_role("amara").post("/api/v1/tickets", &question).expect(201);
    desk.as_role("kofi")
        .post("/api/v1/tickets/IT-1/comments", &serde_json::json!({ "body": "By its menu" }))
        .expect(201);
    mei.go("/admin/messages?kind=reply&ticket=IT-1");
    mei.sees("#beside", "[IT-1] How do I share my calendar?");
    mei.sees("#beside", "Hello Amara Okafor");
    mei.sees("#beside", "By its menu");
    // Another is chosen from all of them, about the same ticket.
    mei.counts("#kind optgroup", 4);
    mei.counts("#kind option[value=digest]", 1);
    mei.choose("#kind", "closed");
    mei.click("form.filters-line button");
    mei.sees("h1", "Closed");
    mei.is_at("/admin/messages?locale=en&ticket=IT-1&kind=closed");
    mei.go("/admin/messages?kind=reply&ticket=IT-1");
    let write = |mei: &Browser, text: &str| {
        mei.script(&format!(
            "const field = document.querySelector('#content'); field.value = {text:?}; \
             field.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        ));
    };
    write(mei, "Subject: {{ ticket.key }}\nHello {{ recipient.nmae }}");
    mei.sees("#beside .notice.bad", "Line 2");
    mei.sees("#beside .notice.bad", "Hello {{ recipient.nmae }}");
    write(mei, "Subject: {{ ticket.key }}\nDear {{ recipient.name }}, <b>news</b>");
    mei.sees("#beside", "Dear Amara Okafor, <b>news</b>");
    mei.click(".tabs a[href*='locale=de']");
    mei.sees("#beside", "Guten Tag Amara Okafor");
    mei.go("/admin/messages?kind=digest&ticket=IT-77");
    mei.sees("#beside .notice.warn", "IT-77");
    // As a mail it is HTML of its own, which can do nothing.
    let draft = "kind=reply&locale=en&ticket=IT-1&do=html&content=Subject%3A+x%0AI+say+%3Cscript%3E";
    let url = format!("{}/admin/messages", desk.url);
    let look = |person: &str| send("POST", &url, &[FORM, OWN, ("cookie", &cookie(desk, person))], draft);
    let mail = look("mei");
    assert!(mail.header("content-security-policy").starts_with("sandbox; default-src 'none'"));
    assert!(mail.text.contains("I say &lt;script&gt;") && !mail.text.contains("<script"), "{}", mail.text);
    assert_eq!(look("kofi").status, 403);
}

/// A day is asked about from its beginning to its end: what ended on it is in the answer, with the time of that.
#[test]
fn access_that_ended_on_a_day_was_held_on_it() {
    let desk = House::demo(Database::Sqlite);
    let fields =
        json!({ "app": "jira", "tier": "user", "duration-hours": 4, "justification": "I join the data project" });
    let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    desk.advance(SignedDuration::from_hours(4));
    let ended = desk.clock.now().to_zoned_datetime(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    desk.advance(SignedDuration::from_hours(48));
    let cookie = cookie(&desk, "mei");
    let day = |days: i64, more: &str| {
        let day = ended.date().checked_add(jiff::Span::new().days(days)).unwrap();
        send("GET", &format!("{}/access/who?app=jira&on={day}{more}", desk.url), &[("cookie", &cookie)], "").text
    };
    let said = format!("has ended: {}", ended.strftime("%Y-%m-%d %H:%M"));
    assert!(day(0, "").contains(&said), "{said}: {}", day(0, ""));
    assert!(!day(1, "").contains("Amara Okafor</a>"), "{}", day(1, ""));
    let (file, after) = (day(0, "&format=csv"), day(1, "&format=csv"));
    assert!(!file.lines().nth(1).unwrap().ends_with(','), "the last column is the end: {file}");
    assert_eq!((file.lines().count(), after.lines().count()), (2, 1));
}

/// All at a look where there is room; on a telephone the groups, and what is in the one that the reader is in.
#[test]
fn the_pages_of_those_who_look_after_the_desk_stand_in_groups() {
    let desk = desk();
    let shown = |browser: &Browser| {
        let shown = "[...document.querySelectorAll('.groups a')].filter((link) => link.checkVisibility()).map((link) => link.pathname)";
        browser.script(&format!("return {shown}"))
    };
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/admin/audit");
    mei.counts(".groups [role=group]", 4);
    assert_eq!(shown(&mei).as_array().unwrap().len(), 4 + 13);
    mei.size(320, 800);
    let few =
        ["/admin/rules", "/admin/records", "/admin/records", "/admin/audit", "/admin/configuration", "/admin/jobs"];
    assert_eq!(shown(&mei), json!(few));
    mei.click(".groups a[href='/admin/jobs']");
    mei.sees(".groups", "Sessions");
    // In German, too, they are one row.
    mei.size(1280, 800);
    mei.click("button[value=de]");
    mei.wait("document.documentElement.lang === 'de'");
    let one_row = "new Set([...document.querySelectorAll('.groups > div')].map((group) => group.offsetTop)).size === 1";
    mei.wait(one_row);
    // One who looks after nothing has no group without a page.
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/admin/rules");
    kofi.counts(".groups [role=group]", 2);
    assert_eq!(
        shown(&kofi),
        json!(["/admin/rules", "/admin/rules", "/admin/tables", "/admin/records", "/admin/records"])
    );
    // Reports stand in such groups as well: by what one wants to know.
    kofi.go("/reports/sla-events");
    kofi.counts(".groups [role=group]", 4);
    assert_eq!(shown(&kofi).as_array().unwrap().len(), 4 + 14);
    kofi.size(320, 800);
    let few = ["volume", "sla-attainment", "sla-attainment", "time-taken", "sla-events", "satisfaction", "deflection"];
    assert_eq!(shown(&kofi), json!(few.map(|report| format!("/reports/{report}"))));
    kofi.size(1280, 800);
    kofi.click("button[value=de]");
    kofi.wait("document.documentElement.lang === 'de'");
    for report in ["deflection", "first-contact"] {
        kofi.go(&format!("/reports/{report}"));
        kofi.wait(one_row);
    }
}

/// A ticket says why it has its priority as before when the rule that set it is gone, and as programs hear it.
#[test]
fn a_ticket_says_why_also_when_the_rule_is_gone() {
    let desk = desk();
    let told = || desk.as_role("kofi").get("/api/v1/tickets/IT-1/explain").expect(200);
    let before = told();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    kofi.click(".fact summary");
    let why = kofi.text(".fact[open]");
    let cookie = cookie(&desk, "mei");
    let form = "step=retire&why=It+is+not+wanted";
    let step = format!("{}/admin/rules/impact-urgency/step", desk.url);
    assert_eq!(send("POST", &step, &[FORM, OWN, ("cookie", &cookie)], form).status, 303);
    let rules = desk.as_role("mei").get("/api/v1/rules").expect(200);
    let rule = rules["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == "impact-urgency").unwrap();
    assert!(rule["active"].is_null(), "{rule}");
    assert_eq!(told(), before);
    kofi.go("/tickets/IT-1");
    kofi.click(".fact summary");
    assert_eq!(kofi.text(".fact[open]"), why);
    let priority = before["fields"].as_array().unwrap().iter().find(|story| story["field"] == "priority").unwrap();
    for proposal in priority["proposals"].as_array().unwrap() {
        for part in ["rule", "version", "reason"] {
            assert!(why.contains(proposal[part].as_str().unwrap()), "{part} of {proposal} is not in:\n{why}");
        }
    }
    // Nor does the way from the ticket to the rule end nowhere.
    kofi.go("/admin/rules/impact-urgency");
    kofi.sees("h1", "impact-urgency");
}

#[test]
fn an_auditor_walks_the_chains() {
    let desk = desk();
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/admin/records");
    mei.click("main form button.primary");
    mei.wait("document.querySelector('.notice.good')");
    mei.sees("main", "Every chain is whole.");
    mei.counts("tbody tr", 5);
    desk.clock.advance(SignedDuration::from_mins(1));
    let amara = desk.as_role("amara");
    amara.post("/api/v1/tickets/IT-2/comments", &json!({ "body": "It flickers still" })).expect(201);
    mei.go("/admin/records");
    let first = mei.script("return document.querySelector('.rows a').getAttribute('href')");
    assert_eq!(first, "/tickets/IT-2/record", "the last changed comes first");
    mei.type_into("#records-q", "calendar");
    mei.click("form.filters-line button");
    mei.counts(".rows li", 1);
    mei.go("/admin/records?q=IT-1");
    mei.is_at("/tickets/IT-1/record");
    // What came of it stands in the audit, with times as people write them.
    mei.go("/admin/audit");
    mei.sees("table.audit", "expires at 20");
    // A year of each calendar, with its holidays.
    let day = |days: i64| (desk.clock.now() + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
    let holidays = format!("holidays = [\"{}\", \"{}\"]", day(3), day(40));
    let text = std::fs::read_to_string(desk.settings()).unwrap();
    std::fs::write(desk.settings(), text.replace("holidays = []", &holidays)).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    mei.go("/admin/configuration/calendar");
    mei.click(".year summary");
    assert!(mei.count(".months table") >= 12 && mei.count(".day.holiday") > 1);
}

/// Rows are asked in turn: each is moved and taken away by its buttons, without scripts as well, and the focus goes with it.
#[test]
fn rows_of_a_decision_table_are_moved_and_taken_away() {
    let desk = desk_with_a_table();
    let mei = cookie(&desk, "mei");
    let page = |wanted: &str| {
        let rows = "cell=a&cell=network&cell=b&cell=security&cell=c&cell=desktop";
        let body = format!("column=name&column=then.team&{rows}&version=1.1.0&do={wanted}");
        let address = format!("{}/admin/decision-table/decision-table", desk.url);
        send("POST", &address, &[FORM, OWN, ("cookie", &mei)], &body).text
    };
    let names = |page: &str| -> Vec<String> {
        let cells = page.split("name=\"cell\" value=\"").skip(1).step_by(2);
        cells.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    };
    let moved = page("up-2");
    assert_eq!(names(&moved), ["a", "c", "b"]);
    assert!(moved.contains("value=\"up-1\" autofocus") && moved.matches("autofocus").count() == 2, "{moved}");
    assert_eq!(names(&page("down-0")), ["b", "a", "c"]);
    assert_eq!(names(&page("remove-1")), ["a", "c"]);
    for nowhere in ["up-0", "down-2", "remove-3", "up-x"] {
        assert_eq!(names(&page(nowhere)), ["a", "b", "c"], "{nowhere}");
    }
    // Enter in a cell presses the first button: it tries the table.
    let (_, form) = moved.split_once("id=\"table\"").unwrap();
    assert!(form.split("<button").nth(1).unwrap().starts_with(" name=\"do\" value=\"try\" hidden"), "{form}");
}
