//! Laws that hold for any input: nothing panics, `any`, `all` and `not` are those of logic, and what `implies` claims is so.

use ruledesk_sdk::testing::{moment, person, routing_input, so_far};
use ruledesk_sdk::types::Value;
use ruledesk_sdk::{routing, testing};

use super::{fits_input, one_row};
use crate::DecisionTable;

/// A small source of chance (xorshift), the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

const TEXTS: [&str; 10] =
    ["", "vpn", "VPN is down", "hardware.laptop", "ÄÖ", "2026-01-05", "12", "-0.5", "\u{0}🦀", "a b"];

fn input(chance: &mut Chance) -> routing::Input {
    let mut ticket = testing::ticket(chance.of(&TEXTS)).subject(chance.of(&TEXTS)).body(chance.of(&TEXTS));
    for _ in 0..chance.below(3) {
        ticket = ticket.tag(chance.of(&TEXTS));
    }
    let numbers = [0.0, 12.0, -1.5, f64::NAN, f64::INFINITY, 1e300];
    let value = match chance.below(6) {
        0 => Value::Text(chance.of(&TEXTS).to_owned()),
        1 => Value::Number(chance.of(&numbers)),
        2 => Value::Flag(chance.below(2) == 0),
        3 => Value::Date(chance.of(&TEXTS).to_owned()),
        4 => Value::Choices(vec![chance.of(&TEXTS).to_owned(), chance.of(&TEXTS).to_owned()]),
        _ => Value::Choice(chance.of(&TEXTS).to_owned()),
    };
    ticket = ticket.field("x", value);
    let requester = person(chance.of(&TEXTS)).location(chance.of(&TEXTS));
    let mut input = routing_input(ticket, requester, so_far(chance.of(&TEXTS)));
    input.requester.vip = chance.below(2) == 0;
    input.now = moment(chance.of(&["1970-01-01T00:00", "2026-01-05T09:00", "2026-01-04T23:59", "9999-12-31T23:59"]));
    input.ticket.created_at = chance.of(&[0, input.now.at, u64::MAX]);
    input
}

const CONDITIONS: [&str; 24] = [
    r#"ticket.subject = "vpn""#,
    r#"ticket.subject = ["vpn", "a b"]"#,
    r#"ticket.subject.is-not = "vpn""#,
    r#"ticket.text.contains = ["n", "ä"]"#,
    r#"ticket.text.mentions = "is down""#,
    r#"ticket.subject.matches = "*-##*""#,
    r#"ticket.subject.matches = "*""#,
    r#"ticket.subject.starts-with = "v""#,
    r#"ticket.subject.exists = true"#,
    r#"so-far.category.within = "hardware""#,
    r#"so-far.category = "hardware.laptop""#,
    "ticket.fields.x.at-least = 3",
    "ticket.fields.x = 12",
    "ticket.fields.x.between = [-5, 20]",
    "ticket.fields.x = true",
    r#"ticket.fields.x = "vpn""#,
    r#"ticket.fields.x.older-than = "1 day""#,
    r#"ticket.fields.x.before = "2026-02-01""#,
    "requester.vip = true",
    "requester.vip = false",
    r#"now.time.between = ["18:00", "08:00"]"#,
    r#"now.weekday = ["mon", "sun"]"#,
    r#"ticket.created-at.newer-than = "2 weeks""#,
    "ticket.tags.count.at-most = 1",
];

#[test]
fn any_all_and_not_are_those_of_logic() {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    for _ in 0..400 {
        let (a, b) = (chance.of(&CONDITIONS), chance.of(&CONDITIONS));
        let input = input(&mut chance);
        let holds = |conditions: String| {
            testing::try_rule::<DecisionTable>(&one_row("routing", &conditions, "team = \"x\""))
                .is_ok()
                .then(|| fits_input(&conditions, &input))
        };
        let (x, y) = (fits_input(a, &input), fits_input(b, &input));
        assert_eq!(holds(format!("any = [{{ {a} }}, {{ {b} }}]")), Some(x || y), "{a} or {b}");
        assert_eq!(holds(format!("none = [{{ {a} }}, {{ {b} }}]")), Some(!x && !y), "neither {a} nor {b}");
        assert_eq!(holds(format!("not = {{ {a} }}")), Some(!x), "not {a}");
        // What can never hold is refused, so then both must not have held.
        assert_eq!(holds(format!("all = [{{ {a} }}, {{ {b} }}]")).unwrap_or(false), x && y, "{a} and {b}");
    }
}

#[test]
fn a_row_that_is_called_unreachable_is() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut claimed = 0;
    for a in CONDITIONS {
        for b in CONDITIONS {
            let table = format!(
                "stage = \"routing\"\notherwise = \"pass\"\n[[row]]\nwhen = {{ {a} }}\nthen.team = \"a\"\n[[row]]\nwhen = {{ {b} }}\nthen.team = \"b\""
            );
            let Err(problems) = testing::try_rule::<DecisionTable>(&table) else { continue };
            assert!(problems[0].contains("never reached"), "{problems:?}");
            claimed += 1;
            for _ in 0..100 {
                let input = input(&mut chance);
                assert!(!fits_input(b, &input) || fits_input(a, &input), "{b} holds without {a}: {input:?}");
            }
        }
    }
    assert!(claimed > CONDITIONS.len(), "more than each with itself: {claimed}");
}

#[test]
fn nothing_panics_whatever_the_settings_are() {
    let pieces = [
        "stage", "row", "when", "then", "any", "not", "ticket", "fields", "count", "routing", "access", "{x}", "is",
        "between", "", ".", "a.b",
    ];
    let mut chance = Chance(0xdead_beef_cafe_f00d);
    for _ in 0..2_000 {
        let settings = format!(
            "{{\"stage\":\"{}\",\"row\":[{}]}}",
            chance.of(&["routing", "access", "intake"]),
            tree(&mut chance, &pieces, 0)
        );
        let problems = ruledesk_sdk::glue::build::<DecisionTable>(&settings).err();
        assert!(problems.is_none_or(|problems| !problems.is_empty()));
    }
}

fn tree(chance: &mut Chance, pieces: &[&str], depth: usize) -> String {
    match chance.below(if depth > 5 { 4 } else { 9 }) {
        0 => "3.5".to_owned(),
        1 => "true".to_owned(),
        2 => "null".to_owned(),
        3 => format!("\"{}\"", chance.of(pieces)),
        4 => format!("[{},{}]", tree(chance, pieces, depth + 1), tree(chance, pieces, depth + 1)),
        _ => {
            let (a, b) = (chance.of(pieces), chance.of(&["when", "then", "ticket.subject", "is"]));
            format!("{{\"{a}\":{},\"{b}\":{}}}", tree(chance, pieces, depth + 1), tree(chance, pieces, depth + 1))
        }
    }
}
