//! Those who look after the desk: rules, decision tables, reference tables, records.

use super::{desk, desk_with_a_table};
use crate::support::browser::Browser;

/// Fills in the third row: questions about the canteen go to the network's team.
pub fn add_a_row(browser: &Browser) {
    browser.type_into("[aria-label='name, 3']", "the canteen is close to the network");
    browser.type_into("[aria-label='when.ticket.text.mentions, 3']", "[\"canteen\"]");
    browser.type_into("[aria-label='then.team, 3']", "network");
}

#[test]
fn an_admin_changes_a_decision_table_with_the_backtest_beside_it() {
    let desk = desk_with_a_table();
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/admin/rules");
    mei.click("a[href='/admin/decision-table/decision-table']");
    mei.click("button[value=add-row]");
    mei.wait("document.querySelector('[aria-label=\"then.team, 3\"]')");
    add_a_row(&mei);
    mei.wait("document.querySelector('#beside .big') && document.querySelector('#beside li a')");
    let text = mei.text("#beside");
    assert!(text.contains("Network") && text.contains("IT-6"), "{text}");
    let changed: u64 = mei.text("#beside .big").trim().parse().unwrap();
    assert!(changed >= 1, "{text}");
    // A cell that is no value is named, and nothing is lost.
    mei.type_into("[aria-label='then.skills, 3']", "[\"half");
    mei.wait("document.querySelector('#beside .notice.bad')");
    mei.sees("#beside", "row 3, `then.skills`");
    mei.script("document.querySelector('[aria-label=\"then.skills, 3\"]').value = ''");
    mei.type_into("#why", "Berlin has a team of its own");
    mei.click("button[value=offer]");
    mei.wait("document.querySelector('#beside pre')");
    mei.sees("#beside", "rules directory");
    mei.click("#beside details summary");
    mei.sees("#beside pre", "the canteen is close to the network");
}

#[test]
fn a_step_of_a_rule_needs_a_reason_which_its_page_keeps() {
    let desk = desk();
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/admin/rules/form-category");
    let calls: u64 = mei.text(".big").trim().parse().unwrap();
    assert!(calls >= 5, "its calls are counted: {calls}");
    assert!(mei.count("svg.plot rect") > 0, "and drawn");
    mei.click("button[value=suspend]");
    mei.wait("document.querySelector('.notice.bad')");
    mei.type_into("#why", "It sends monitors to the wrong place");
    mei.click("button[value=suspend]");
    mei.wait("document.querySelector('.notice.good')");
    mei.sees("main", "It sends monitors to the wrong place");
    mei.type_into("#why", "It was the form");
    mei.click("button[value=resume]");
    mei.wait("document.querySelector('.notice.good') && document.querySelector('button[value=suspend]')");
    // Agents look, and do nothing.
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/admin/rules/form-category");
    kofi.counts("main form", 0);
}

#[test]
fn a_reference_table_is_changed_in_its_grid_and_keeps_its_versions() {
    let desk = desk();
    let mei = desk.as_role("mei");
    mei.put_text("/api/v1/tables/assets?why=first", "asset,team,cost:number\nerp,applications,12.50\n", "text/csv")
        .expect(200);
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
    browser.go("/admin/tables/vips");
    browser.sees(".notice.info", "configuration directory");
    browser.counts("[name=cell]", 0);
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
}
