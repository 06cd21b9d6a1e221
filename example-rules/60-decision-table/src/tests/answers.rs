//! What each stage answers, under each hit policy.

use ruledesk_sdk::testing::{self, access_input, categorization_input, intake_input, person, priority_input, ticket};
use ruledesk_sdk::{access, categorization, intake, priority, routing};

use super::{incident, routed};
use crate::DecisionTable;

#[test]
fn the_first_row_that_fits_decides_and_reasons_are_filled_in() {
    let settings = r#"
        stage = "routing"
        columns = ["so-far.category.within", "ticket.fields.people-affected.at-least", "then.team", "reason"]
        rows = [
            ["network", 50, "infrastructure", "{ticket.fields.people-affected} people in {so-far.category}"],
            ["network", "*", "network", "{requester.name} has {ticket.fields.device|a device} on {now.weekday} at {now.time}: {{{requester.vip}}}"],
            ["*", "*", "service-desk", "nothing special since {ticket.created-at}"],
        ]
    "#;
    let many = routed(settings, incident().field("people-affected", 60.5));
    assert_eq!(many, routing::Answer::to_team("infrastructure").because("60.5 people in network.vpn"));
    let few = routed(settings, incident());
    assert_eq!(few, routing::Answer::to_team("network").because("amara has a device on monday at 09:00: {no}"));
}

#[test]
fn collected_routes_unite() {
    let settings = r#"
        stage = "routing"
        hit = "collect"
        otherwise = { team = "service-desk" }
        otherwise-reason = "nobody else"
        [[row]]
        when.so-far.category.within = "network"
        then = { team = "network", skills = ["vpn"] }
        reason = "a network"
        [[row]]
        when.requester.vip = false
        then = { team = "late", skills = ["vpn", "wifi"], tier = 2 }
        reason = "no VIP"
        [[row]]
        when.ticket.tags = "x"
        then = "pass"
    "#;
    let answer = routed(settings, incident().tag("x"));
    let expected = routing::Answer::to_team("network").skill("vpn").skill("wifi").tier(2);
    assert_eq!(answer, expected.because("a network; no VIP"));
}

#[test]
fn a_table_answers_its_own_stage_only() {
    let table: DecisionTable = testing::rule("stage = \"routing\"\n[[row]]\nthen.team = \"x\"");
    let error = priority::Rule::decide(&table, &priority_input(incident(), person("amara"))).unwrap_err();
    assert!(error.contains("write `stages = [\"routing\"]`"), "{error}");
}

#[test]
fn intake_unites_problems_and_changes() {
    let table: DecisionTable = testing::rule(
        r#"
        stage = "intake"
        hit = "collect"
        otherwise = "accept"
        [[row]]
        when.ticket.fields.device.exists = false
        then.reject.device = "Say which device, {requester.name}."
        [[row]]
        when.ticket.body.exists = false
        then.reject.body = { code = "required", message = "Say more." }
        [[row]]
        when.ticket.text.mentions = "urgent"
        then = { set = { urgency = "high", n = 2, ok = true, day = { date = "2026-01-01" } }, tags = ["vip"], subject = "{ticket.subject} (urgent)" }
        reason = "it says urgent"
        [[row]]
        when.requester.vip = true
        then = { set.urgency = "low", tags = ["vip", "hr"], signals = ["vip-here"] }
    "#,
    );
    let decide = |ticket: testing::TicketBuilder| {
        intake::Rule::decide(&table, &intake_input(ticket, person("amara").vip())).unwrap()
    };
    let intake::Decision::Reject(problems) = decide(ticket("hardware").subject("urgent")).decision else { panic!() };
    let told: Vec<(&str, &str, &str)> = problems.iter().map(|p| (&*p.field, &*p.code, &*p.message)).collect();
    assert_eq!(told, [("device", "by-table", "Say which device, amara."), ("body", "required", "Say more.")]);

    let answer = decide(ticket("hardware").subject("Urgent").body("x").field("device", "dock"));
    let intake::Decision::Accept(changes) = answer.decision else { panic!() };
    assert_eq!((changes.tags, changes.signals), (vec!["vip".to_owned(), "hr".to_owned()], vec!["vip-here".to_owned()]));
    assert_eq!(changes.subject.as_deref(), Some("Urgent (urgent)"));
    assert_eq!(
        (changes.fields.len(), changes.fields.iter().find(|f| f.name == "urgency").and_then(|f| f.value.as_text())),
        (4, Some("high"))
    );
    assert_eq!(answer.reason, "it says urgent; row 4 of the table fits");
}

#[test]
fn categorization_unites_tags() {
    let table: DecisionTable = testing::rule(
        r#"
        stage = "categorization"
        hit = "collect"
        otherwise = "pass"
        [[row]]
        when.ticket.text.mentions = "printer"
        then = { category = "hardware.printer", tags = ["printer"] }
        [[row]]
        when.requester.vip = true
        then = { category = "x", kind = "incident", tags = ["vip", "printer"] }
    "#,
    );
    let decide = |subject| {
        let input = categorization_input(incident().subject(subject), person("amara").vip());
        categorization::Rule::decide(&table, &input).unwrap()
    };
    let expected = categorization::Answer::category("hardware.printer").tag("printer").tag("vip").kind("incident");
    assert_eq!(decide("My printer").decision, expected.decision);
}

#[test]
fn the_highest_priority_wins_under_both_policies() {
    for (hit, reason) in [("highest", "VIP"), ("collect", "low; VIP; VIP too")] {
        let table: DecisionTable = testing::rule(&format!(
            r#"
            stage = "priority"
            hit = "{hit}"
            levels = ["critical", "high", "low"]
            row = [
                {{ then = {{ level = "low" }}, reason = "low" }},
                {{ when.requester.vip = true, then = {{ level = "high", urgency = "high" }}, reason = "VIP" }},
                {{ when.requester.vip = true, then = {{ level = "high" }}, reason = "VIP too" }},
            ]
        "#
        ));
        let answer = priority::Rule::decide(&table, &priority_input(incident(), person("amara").vip())).unwrap();
        assert_eq!(answer, priority::Answer::rate("high").urgency("high").because(reason));
    }
}

fn access_table(hit: &str) -> DecisionTable {
    testing::rule(&format!(
        r#"
        stage = "access"
        hit = "{hit}"
        otherwise = {{ ask = "manager" }}
        [[row]]
        when.item.risk = "low"
        then = {{ approve = true, hours = 100 }}
        reason = "low risk"
        [[row]]
        when.request.tier = ["admin", "both"]
        then = {{ ask = ["manager or owner", "group:security"], due-in-hours = 24, hours = 72 }}
        reason = "admins are asked about"
        [[row]]
        when.request.tier = "both"
        then.ask = [{{ any-of = ["group:security"], needed = 2 }}]
        reason = "two of security"
        [[row]]
        when.grants = {{ app = "github", state = "active" }}
        then = "deny"
        reason = "it is held already"
    "#
    ))
}

fn asked(table: &DecisionTable, input: &access::Input) -> Result<access::Answer, String> {
    access::Rule::decide(table, input)
}

#[test]
fn access_unites_approvals_and_takes_the_narrowest() {
    let table = access_table("collect");
    let subject = || person("amara").manager("lena");
    let answer = asked(&table, &access_input(subject(), "github", "both")).unwrap();
    let access::Decision::RequireApproval(plan) = &answer.decision else { panic!("{answer:?}") };
    let steps: Vec<(Vec<&str>, u32, u32)> = plan
        .steps
        .iter()
        .map(|s| (s.approvers.iter().map(String::as_str).collect(), s.needed, s.due_in_hours))
        .collect();
    assert_eq!(steps, [(vec!["lena"], 1, 24), (vec!["group:security"], 1, 24), (vec!["group:security"], 2, 48)]);
    assert_eq!(plan.scope.duration_hours, 72);
    assert_eq!(answer.reason, "low risk; admins are asked about; two of security");

    let read = asked(&table, &access_input(subject(), "github", "read")).unwrap();
    assert!(matches!(read.decision, access::Decision::Approve(scope) if scope.duration_hours == 100));
}

#[test]
fn the_strictest_access_answer_wins() {
    let mut input = access_input(person("amara").manager("lena"), "jira", "admin");
    input.item.owner = Some("amara".to_owned());
    let table = access_table("highest");
    let answer = asked(&table, &input).unwrap();
    assert_eq!(answer.reason, "admins are asked about");
    input.grants.push(access::Grant {
        app: "github".to_owned(),
        tier: "read".to_owned(),
        role: None,
        groups: Vec::new(),
        granted_at: 0,
        expires_at: u64::MAX,
        state: "active".to_owned(),
    });
    for hit in ["collect", "highest"] {
        assert_eq!(asked(&access_table(hit), &input), Ok(access::Answer::deny("it is held already")));
    }
}

#[test]
fn nobody_approves_for_themselves_and_without_anybody_a_person_decides() {
    let table = |more: &str| {
        let row = "[[row]]\nthen.ask = \"manager or owner\"";
        testing::rule::<DecisionTable>(&format!("stage = \"access\"\n{more}\n{row}"))
    };
    let mut input = access_input(person("amara"), "jira", "admin");
    input.item.owner = Some("amara".to_owned());
    let error = asked(&table(""), &input).unwrap_err();
    assert!(error.contains("row 1 asks `manager or owner`") && error.contains("set `stand-in`"), "{error}");
    let answer = asked(&table("stand-in = \"group:it-admins\""), &input).unwrap();
    let access::Decision::RequireApproval(plan) = answer.decision else { panic!() };
    assert_eq!(plan.steps[0].approvers, ["group:it-admins"]);
}
