//! Every operator, on the kinds of field that it fits.

use ruledesk_sdk::testing::{moment, person, routing_input, so_far};
use ruledesk_sdk::types::{Attachment, Attribute, Value};

use super::{fits, fits_input, incident};

/// Each condition has to hold, and its opposite must not.
#[track_caller]
fn hold(conditions: &[&str]) {
    let mut input = routing_input(
        incident_of_everything(),
        person("amara").location("Berlin").group("staff"),
        so_far("hardware.laptop"),
    );
    input.requester.attributes.push(Attribute::new("cost-centre", "4711"));
    input.ticket.attachments.push(Attachment {
        name: "a.png".to_owned(),
        media_type: "image/png".to_owned(),
        size: 2_000_000,
    });
    input.ticket.attachments.push(Attachment {
        name: "b.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        size: 10,
    });
    input.now = moment("2026-12-24T19:30");
    input.ticket.created_at = input.now.at - 90_000_000;
    for condition in conditions {
        assert!(fits_input(condition, &input), "{condition}");
        assert!(!fits_input(&format!("not = {{ {condition} }}"), &input), "not {condition}");
    }
}

fn incident_of_everything() -> ruledesk_sdk::testing::TicketBuilder {
    incident()
        .subject("VPN is DOWN")
        .body("Since Ämter opened, INC-0042")
        .tag("vpn")
        .tag("outage")
        .field("device", "Laptop")
        .field("people-affected", 40.0)
        .field("customer-facing", true)
        .field("since", Value::Date("2026-12-22".to_owned()))
        .field("colours", Value::Choices(vec!["red".to_owned(), "blue".to_owned()]))
}

#[test]
fn conditions_on_texts_hold_by_each_operator() {
    hold(&[
        r#"ticket.request-type = "incident""#,
        r#"ticket.request-type = ["question", "Incident"]"#,
        r#"ticket.subject.is = "vpn is down""#,
        r#"ticket.subject.is-not = "vpn""#,
        r#"ticket.subject.in = ["x", "vpn is down"]"#,
        r#"ticket.subject.not-in = ["x", "y"]"#,
        r#"ticket.subject.contains = "N is""#,
        r#"ticket.body.contains = ["nothing", "ÄMTER"]"#,
        r#"ticket.subject.starts-with = "vpn""#,
        r#"ticket.subject.ends-with = "down""#,
        r#"ticket.text.mentions = ["is down", "broken"]"#,
        r#"ticket.text.mentions = "inc 0042""#,
        r#"ticket.body.matches = "*inc-####""#,
        r#"so-far.category.within = "hardware""#,
        r#"so-far.category.exists = true"#,
        r#"so-far.team.exists = false"#,
        r#"so-far.team.is-not = "network""#,
        r#"requester.department.exists = false"#,
        r#""ticket.subject.contains" = "vpn""#,
        r#""ticket.subject.not.contains" = "mail""#,
        r#""ticket.attachments.count.at-least" = 2"#,
        r#""ticket.attachments.name.is" = "a.png""#,
        r#""ticket.subject" = { contains = "vpn", not = { contains = "mail" } }"#,
    ]);
}

#[test]
fn numbers_flags_and_form_fields() {
    hold(&[
        "ticket.fields.people-affected = 40",
        "ticket.fields.people-affected.at-least = 40",
        "ticket.fields.people-affected.at-most = 40",
        "ticket.fields.people-affected.above = 39.5",
        "ticket.fields.people-affected.below = 41",
        "ticket.fields.people-affected.between = [10, 40]",
        "ticket.fields.people-affected.in = [39, 40]",
        "ticket.fields.people-affected.not-in = [39]",
        "ticket.fields.customer-facing = true",
        "ticket.fields.customer-facing.is-not = false",
        "requester.vip = false",
        r#"ticket.fields.device = "laptop""#,
        r#"ticket.fields.colours = "blue""#,
        "ticket.fields.missing.exists = false",
        "ticket.fields.missing.is-not = 3",
        "requester.attributes.cost-centre.between = [4700, 4799]",
        r#"requester.attributes.cost-centre = "4711""#,
    ]);
}

#[test]
fn conditions_on_lists_hold_by_each_operator() {
    hold(&[
        r#"ticket.tags = "vpn""#,
        r#"ticket.tags = ["printer", "outage"]"#,
        r#"ticket.tags.not-in = ["printer"]"#,
        r#"ticket.tags.starts-with = "out""#,
        "ticket.tags.count = 2",
        "ticket.tags.count.at-least = 2",
        "ticket.signals.exists = false",
        "ticket.attachments.count = 2",
        r#"ticket.attachments = { media-type.starts-with = "image/", size.above = 1000000 }"#,
        // One element has to fulfil both.
        r#"not.ticket.attachments = { name = "b.pdf", size.above = 100 }"#,
        r#"ticket.attachments.any = [{ name = "x" }, { name = "b.pdf" }]"#,
    ]);
}

#[test]
fn conditions_on_days_and_times_hold_by_each_operator() {
    hold(&[
        "now.in-business-hours = false",
        r#"now.weekday = ["thu", "friday"]"#,
        "now.weekday = 4",
        r#"now.weekday.not-in = ["saturday", "sunday"]"#,
        r#"now.time.between = ["18:00", "08:00"]"#,
        r#"now.time.between = ["19:30", "19:31"]"#,
        r#"now.time.after = "19:30""#,
        r#"now.time.before = "19:31""#,
        r#"now.date = "2026-12-24""#,
        "now.date = 2026-12-24",
        r#"now.date.between = ["2026-12-24", "2026-12-31"]"#,
        r#"now.date.after = "2026-12-23""#,
        r#"now.date.before = "2026-12-25""#,
        r#"ticket.created-at.older-than = "1 day""#,
        r#"ticket.created-at.newer-than = "26 hours""#,
        r#"ticket.created-at.before = "2026-12-24""#,
        r#"ticket.created-at = "2026-12-23""#,
        r#"ticket.fields.since.older-than = "2 days""#,
        r#"ticket.fields.since.newer-than = "3 days""#,
        r#"ticket.fields.since.between = ["2026-12-22", "2026-12-22"]"#,
    ]);
    assert!(!fits(r#"now.time.between = ["18:00", "08:00"]"#, &incident(), person("amara")), "at nine it is day");
}

#[test]
fn conditions_combine_by_all_any_none_and_not() {
    let of = |conditions: &str| fits(conditions, &incident().tag("a"), person("amara").location("Paris"));
    assert!(of(r#"ticket.tags = "a", requester.location = "paris""#));
    assert!(!of(r#"ticket.tags = "b", requester.location = "paris""#));
    assert!(of(r#"any = [{ ticket.tags = "b" }, { requester.location = "paris" }]"#));
    assert!(!of(r#"all = [{ ticket.tags = "b" }, { requester.location = "paris" }]"#));
    assert!(of(r#"none = [{ ticket.tags = "b" }, { requester.location = "Oslo" }]"#));
    assert!(of(r#"any = [{ not = { any = [{ ticket.tags = "a" }] } }, { all = [{ ticket.tags = "a" }] }]"#));
}
