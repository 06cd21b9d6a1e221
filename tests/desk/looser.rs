//! Where two people are asked for about access, one alone makes it only stricter: so it has to be certain what is stricter.

use ruledesk::desk::organisation::looser::looser;
use ruledesk::desk::organisation::{App, Incompatible, Item, Organisation, Person};

use crate::store::fixture::{organisation, person};

type Change = fn(&mut Organisation);

fn app(organisation: &mut Organisation) -> &mut App {
    organisation.apps.values_mut().next().unwrap()
}

fn eve(organisation: &mut Organisation) -> &mut Person {
    organisation.people.get_mut(&person("eve")).unwrap()
}

fn after(change: Change) -> Organisation {
    let mut organisation = organisation();
    change(&mut organisation);
    organisation
}

/// Each makes access harder to get, and taking it back makes it easier.
const STRICTER: [(&str, Change); 11] = [
    ("a shorter grant", |o| app(o).tiers[0].hours_max -= 1),
    ("no groups", |o| app(o).tiers.iter_mut().for_each(|tier| tier.groups.clear())),
    ("fewer seats", |o| app(o).tiers[0].seats = Some(0)),
    ("for some only", |o| app(o).requestable_by = vec!["chosen".parse().unwrap()]),
    ("no such app", |o| o.apps.clear()),
    ("not together", |o| {
        let item = |app: &str| Item { app: app.parse().unwrap(), tier: None };
        o.incompatible.push(Incompatible { name: "x".to_owned(), one: vec![item("crm")], other: vec![item("erp")] });
    }),
    ("they have left", |o| eve(o).active = false),
    ("they are one", |o| eve(o).same_as = Some(person("hal"))),
    ("no own tags", |o| o.requester_tags.clear()),
    ("a shorter grant where a rule has failed", |o| o.defaults.access_fallback_hours -= 1),
    ("who moves loses it at once", |o| o.defaults.ends_on_move = true),
];

#[test]
fn what_is_stricter_needs_one_person_and_its_opposite_two() {
    for (what, change) in STRICTER {
        let (before, after) = (organisation(), after(change));
        assert_eq!(looser(&before, &after), None, "{what}");
        assert!(looser(&after, &before).is_some(), "{what}");
    }
}

/// Whichever way they go: a rule may let people in by the one or by the other.
const EITHER_WAY: [(&str, Change); 11] = [
    ("risk", |o| app(o).tiers[0].risk.push('x')),
    ("owner", |o| app(o).owner = Some(person("bo-li"))),
    ("attributes", |o| drop(app(o).attributes.insert("a".to_owned(), "b".to_owned()))),
    ("one tier", |o| app(o).one_tier ^= true),
    ("manager", |o| eve(o).manager = Some(person("bo-li"))),
    ("those who approve last", |o| drop(o.defaults.access_approvers.pop())),
    ("groups", |o| eve(o).groups.push("another".parse().unwrap())),
    ("address", |o| eve(o).email.push('x')),
    ("department", |o| eve(o).department.push('x')),
    ("attribute", |o| drop(eve(o).attributes.insert("a".to_owned(), "b".to_owned()))),
    ("form", |o| o.request_types.values_mut().for_each(|form| form.grants_access ^= true)),
];

#[test]
fn what_rules_go_by_needs_two_whichever_way_it_changes() {
    for (what, change) in EITHER_WAY {
        let (before, after) = (organisation(), after(change));
        assert!(looser(&before, &after).is_some(), "{what}");
        assert!(looser(&after, &before).is_some(), "{what}");
    }
}

#[test]
fn what_has_no_part_in_access_needs_one_person() {
    let harmless: [Change; 4] =
        [|o| o.name.push('x'), |o| eve(o).name.push('x'), |o| app(o).description.push('x'), |o| o.teams.clear()];
    assert_eq!(looser(&organisation(), &organisation()), None);
    for change in harmless {
        assert_eq!(looser(&organisation(), &after(change)), None);
    }
    // A tier on top of the others, and a person who is new.
    let more: [Change; 2] = [
        |o| {
            let mut tier = app(o).tiers[0].clone();
            tier.id = "on-top".parse().unwrap();
            app(o).tiers.push(tier);
        },
        |o| {
            let puppet = Person { id: person("puppet"), ..eve(o).clone() };
            o.people.insert(puppet.id.clone(), puppet);
        },
    ];
    for change in more {
        assert!(looser(&organisation(), &after(change)).is_some());
        assert_eq!(looser(&after(change), &organisation()), None, "to take it back is stricter");
    }
}
