//! Every message about a wrong table.

use ruledesk_sdk::testing::try_rule;

use super::one_row;
use crate::DecisionTable;

fn problems(settings: &str) -> Vec<String> {
    try_rule::<DecisionTable>(settings).err().unwrap_or_default()
}

#[track_caller]
fn only(settings: &str, parts: &[&str]) {
    let found = problems(settings);
    assert_eq!(found.len(), 1, "{settings}: {found:?}");
    for part in parts {
        assert!(found[0].contains(part), "`{part}` is not in: {}", found[0]);
    }
}

#[track_caller]
fn of_when(when: &str, parts: &[&str]) {
    only(&one_row("routing", when, "team = \"x\""), parts);
}

#[test]
fn unknown_fields_with_the_nearest_known() {
    of_when("ticket.subjet = \"x\"", &["row 1, `when.ticket.subjet`", "no field", "did you mean `ticket.subject`?"]);
    of_when("tickets.subject = \"x\"", &["did you mean `ticket`?"]);
    of_when("category = \"x\"", &["did you mean `so-far.category`?"]);
    of_when("item.risk = \"x\"", &["no field `item` at routing"]);
    of_when("ticket = \"x\"", &["`ticket` is a group of fields", "`ticket.request-type`"]);
    of_when("ticket.fields = \"x\"", &["needs the name of a field after it"]);
    of_when("ticket.attachments.nam = \"x\"", &["did you mean `name`?"]);
}

#[test]
fn types_that_do_not_match() {
    of_when(
        "requester.department.at-least = 3",
        &["`when.requester.department.at-least`", "does not fit a text", "`contains`"],
    );
    of_when("requester.vip = \"yes\"", &["it is true or false, and the value is a text"]);
    of_when("ticket.subject = 3", &["it is a text, and the value is a number"]);
    of_when("ticket.tags.count.contains = \"a\"", &["`contains` does not fit a number"]);
    of_when("ticket.fields.n.at-least = \"3\"", &["needs a number, and this is a text"]);
    of_when("ticket.subject.contains = [\"a\", 3]", &["needs a text or a list of texts"]);
    of_when("now.weekday = \"someday\"", &["it is a weekday"]);
    of_when("now.time.between = [\"8\", \"18:00\"]", &["a time of day, such as"]);
    of_when("now.time = \"8:00\"", &["it is a time of day", "`between`"]);
    of_when("ticket.created-at.older-than = 3", &["a span, such as"]);
    of_when("now.date.before = \"24.12.2026\"", &["a day, such as"]);
    of_when("ticket.fields.n.between = [5, 1]", &["the smaller value first"]);
    of_when("ticket.fields.n.between = 5", &["a list of two values"]);
    of_when("ticket.tags = []", &["the list is empty"]);
    of_when("ticket.subject.mentions = \"!\"", &["needs words"]);
}

#[test]
fn an_unknown_operator_is_named_with_the_nearest() {
    of_when(
        "ticket.subject.containz = \"x\"",
        &["`when.ticket.subject.containz`", "no operator", "did you mean `contains`?"],
    );
    of_when("any = []", &["the list is empty"]);
    of_when("not = 3", &["needs a table of conditions"]);
    of_when("ticket.subject = {}", &["nothing is asked"]);
}

#[test]
fn rows_that_are_never_reached() {
    let two = |first: &str, second: &str| {
        format!(
            "stage = \"routing\"\notherwise = \"pass\"\n[[row]]\nname = \"one\"\nwhen = {{ {first} }}\nthen.team = \"a\"\n[[row]]\nwhen = {{ {second} }}\nthen.team = \"b\""
        )
    };
    for (first, second) in [
        ("so-far.category.within = \"hardware\"", "so-far.category = \"hardware.laptop\", requester.vip = true"),
        ("requester.location = [\"Paris\", \"Berlin\"]", "requester.location = \"paris\""),
        ("ticket.fields.n.at-least = 10", "ticket.fields.n.between = [10, 20]"),
        ("ticket.fields.n.at-least = 10", "ticket.fields.n = 12"),
        ("ticket.subject.contains = \"vpn\"", "ticket.subject.contains = \"the vpn\""),
        ("requester.location.is-not = \"Oslo\"", "requester.location = \"Paris\""),
        ("any = [{ requester.vip = true }, { ticket.tags = \"x\" }]", "ticket.tags = \"x\""),
        ("now.time.between = [\"18:00\", \"08:00\"]", "now.time.between = [\"22:00\", \"06:00\"]"),
        ("ticket.created-at.older-than = \"1 day\"", "ticket.created-at.older-than = \"3 days\""),
        ("ticket.attachments.size.above = 10", "ticket.attachments = { size.above = 20, name = \"x\" }"),
        ("so-far.team.exists = true", "so-far.team = \"network\""),
    ] {
        only(&two(first, second), &["row 2: it is never reached", "row 1 (one) fits whenever this one does"]);
        assert_eq!(problems(&two(second, first)), [""; 0], "{second} first leaves something to {first}");
    }
    let late = "stage = \"routing\"\n[[row]]\nthen.team = \"a\"\n[[row]]\nwhen.requester.vip = true\nthen.team = \"b\"";
    only(late, &["row 2: it is never reached: row 1 has no conditions"]);
    only(&one_row("routing", "ticket.fields.n = { at-least = 5, below = 3 }", "team = \"x\""), &["can never be so"]);
    of_when(
        "requester.location = \"Oslo\", not = { requester.location = [\"Oslo\", \"Paris\"] }",
        &["can never be so"],
    );
}

#[test]
fn a_table_without_rows_or_with_a_wrong_otherwise_is_refused() {
    let gap = "stage = \"priority\"\n[[row]]\nwhen.requester.vip = true\nthen.level = \"high\"";
    only(gap, &["`otherwise`: it is missing", "`otherwise = \"pass\"`"]);
    only("stage = \"priority\"\notherwise = \"pass\"", &["`row`: the table has no rows"]);
    let both = "stage = \"priority\"\notherwise = \"pass\"\n[[row]]\nthen.level = \"high\"";
    only(both, &["`otherwise`: it is never used"]);
}

#[test]
fn answers_that_do_not_fit() {
    let row = |stage: &str, then: &str| one_row(stage, "requester.vip = true", then);
    only(
        &row("priority", "level = \"high\", team = \"x\""),
        &["`then.team`", "belongs to answers at routing", "`urgency`"],
    );
    only(&row("priority", "impact = \"high\""), &["`then.level`", "needs a level"]);
    only(&row("priority", "levl = \"high\", level = \"low\""), &["did you mean `level`?"]);
    only(&row("routing", "tier = 2"), &["needs a `team`, an `assignee` or `skills`"]);
    only(&row("routing", "team = 3"), &["`then.team`: it needs a text, and this is a number"]);
    only(&row("routing", "team = \"x\", tier = 0"), &["a whole number from 1 to 255"]);
    only(&row("routing", "team = \"x\", strategy = \"round-robbin\""), &["did you mean `round-robin`?"]);
    only(&row("categorization", "kind = \"incidnt\""), &["did you mean `incident`?"]);
    only(&row("access", "hours = 3"), &["say `approve = true` or `ask = [...]`"]);
    only(&row("access", "approve = true, ask = \"manager\""), &["either approves or asks"]);
    only(&row("access", "ask = [\"the manager\"]"), &["a step is a text"]);
    only(&row("intake", "reject = \"no\""), &["a sentence for each field"]);
    only(&row("intake", "tags = [\"x\"], reject = { subject = \"no\" }"), &["either rejects or changes"]);
    let word = "stage = \"access\"\notherwise = \"pass\"\n[[row]]\nwhen.requester.vip = true\nthen = \"aprove\"";
    only(word, &["`aprove` is no answer at access; did you mean `approve`?"]);
}

#[test]
fn wrong_settings_and_reasons_are_named() {
    only("[[row]]\nthen = \"pass\"", &["`stage`: say which stage"]);
    only("stage = \"rooting\"", &["no stage `rooting`; did you mean `routing`?"]);
    only("stage = \"routing\"\nhit = \"best\"\n[[row]]\nthen.team = \"x\"", &["no hit policy `best`"]);
    only(
        "stage = \"routing\"\nhit = \"highest\"\n[[row]]\nthen.team = \"x\"",
        &["`highest` is for priority and access"],
    );
    only("stage = \"priority\"\nhit = \"highest\"\n[[row]]\nthen.level = \"x\"", &["list the priority levels"]);
    only(
        "stage = \"priority\"\nlevels = [\"high\"]\n[[row]]\nthen.level = \"hihg\"",
        &["`hihg` is not among `levels`; did you mean `high`?"],
    );
    only("stage = \"routing\"\nlevels = [\"x\"]\n[[row]]\nthen.team = \"x\"", &["for tables of priority only"]);
    only("stage = \"routing\"\nothrwise = \"pass\"\n[[row]]\nthen.team = \"x\"", &["did you mean `otherwise`?"]);
    only(
        "stage = \"routing\"\n[[row]]\nthen.team = \"x\"\nresaon = \"x\"",
        &["row 1, `resaon`", "did you mean `reason`?"],
    );
    only("stage = \"routing\"\n[[row]]\nname = \"n\"", &["row 1 (n), `then`: it is missing"]);
    for (reason, part) in [
        ("{requester.nam}", "did you mean `requester.name`?"),
        ("{requester.name", "never closed"),
        ("a } b", "no `{` before it"),
        ("{ticket.attachments}", "use `ticket.attachments.count`"),
        ("{ticket}", "is a group of fields"),
    ] {
        only(
            &format!("stage = \"routing\"\n[[row]]\nthen.team = \"x\"\nreason = \"{reason}\""),
            &["row 1, `reason`", part],
        );
    }
}

#[test]
fn several_at_once_and_not_too_many() {
    let bad = "[[row]]\nwhen.ticket.subjet = \"x\"\nthen.team = 3\n".repeat(2);
    let found = problems(&format!("stage = \"routing\"\nhit = \"x\"\n{bad}"));
    assert_eq!(found.len(), 6, "{found:?}");
    assert!(found[3].starts_with("row 2, `when.ticket.subjet`"), "{found:?}");
    let many = problems(&format!("stage = \"routing\"\n{}", bad.repeat(50)));
    assert_eq!((many.len(), many.last().unwrap().as_str()), (21, "and 181 more"));
}

#[test]
fn columns_that_do_not_fit_their_rows_are_named() {
    let table = |columns: &str, rows: &str| {
        format!("stage = \"routing\"\notherwise = \"pass\"\ncolumns = {columns}\nrows = {rows}")
    };
    only(&table("[\"requester.vip\", \"then.team\"]", "[[true]]"), &["row 1: it has 1 cells, and there are 2 columns"]);
    only(&table("[\"requester.vip\", \"team\"]", "[[true, \"x\"]]"), &["`columns`", "is an answer"]);
    only(
        &table("[\"requester.vipp\", \"then.team\"]", "[[true, \"x\"]]"),
        &["row 1, `when.requester.vipp`", "did you mean `requester.vip`?"],
    );
}
