//! The laws of combining, for any answers: what an order of rules, a failure or one more rule can and cannot change.

use proptest::prelude::*;
use ruledesk::desk::access::AccessRequest;
use ruledesk::desk::actor::RuleRef;
use ruledesk::desk::organisation::form::Problem;
use ruledesk::desk::organisation::{Organisation, RequestType, Tier};
use ruledesk::desk::verdict::access as combined;
use ruledesk::desk::verdict::access::{
    AccessAnswer, Approval, ApprovalStep, Asked, Outcome, RawAccess, RawScope, RawStep, Scope,
};
use ruledesk::desk::verdict::{
    self, By, Changes, Classification, Destination, Given, IntakeAnswer, IntakeVerdict, Rating,
};

use crate::store::fixture::{organisation, person};

fn given<A>(n: usize, answer: Option<A>) -> Given<A> {
    let rule = RuleRef { name: format!("rule-{n}"), version: "1.0.0".to_owned() };
    Given { rule, reason: format!("reason {n}"), overrides: false, answer }
}

fn two_tiers() -> Organisation {
    let mut organisation = organisation();
    let app = organisation.apps.get_mut("crm").unwrap();
    let tier = |id: &str, hours_max, groups: &[&str]| Tier {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        risk: "low".to_owned(),
        hours_max,
        groups: groups.iter().map(|g| g.parse().unwrap()).collect(),
        roles: vec!["editor".to_owned(), "viewer".to_owned()],
        seats: None,
        monthly_cost: None,
        presets: Vec::new(),
        emergency_hours: None,
        deadlines: None,
    };
    app.tiers = vec![tier("basic", 100, &["a"]), tier("pro", 50, &["a", "b"])];
    organisation
}

fn request() -> AccessRequest {
    AccessRequest {
        extends: false,
        emergency: false,
        starts: None,
        app: "crm".parse().unwrap(),
        tier: "pro".parse().unwrap(),
        role: None,
        duration_hours: Some(40),
        justification: String::new(),
        subject: person("amara"),
    }
}

fn scope() -> impl Strategy<Value = RawScope> {
    let groups = prop::sample::subsequence(vec!["a", "b"], 0..=2);
    (prop::bool::ANY, prop::option::of(prop::bool::ANY), groups, 1_u32..=60).prop_map(|(low, role, groups, hours)| {
        RawScope {
            tier: if low { "basic" } else { "pro" }.to_owned(),
            role: role.map(|editor| if editor { "editor" } else { "viewer" }.to_owned()),
            groups: groups.into_iter().map(str::to_owned).collect(),
            duration_hours: hours,
        }
    })
}

fn raw() -> impl Strategy<Value = Option<RawAccess>> {
    let people = vec!["amara", "Zoe", "carol", "dan", "eve", "hal"];
    let step = (prop::sample::subsequence(people, 1..=4), 1_u32..=2).prop_map(|(people, needed)| RawStep {
        approvers: people.into_iter().map(str::to_owned).collect(),
        needed,
        due_in_hours: 8,
    });
    prop_oneof![
        1 => Just(None),
        2 => Just(Some(RawAccess::Pass)),
        4 => scope().prop_map(|scope| Some(RawAccess::Approve(scope))),
        3 => (prop::collection::vec(step, 1..3), scope()).prop_map(|(s, scope)| Some(RawAccess::Require(s, scope))),
        1 => Just(Some(RawAccess::Deny)),
    ]
}

fn scope_of(outcome: &Outcome) -> Option<&Scope> {
    match outcome {
        Outcome::Approved(scope) | Outcome::Await(Approval { scope, .. }) => Some(scope),
        Outcome::Denied => None,
    }
}

fn sorted(mut steps: Vec<ApprovalStep>) -> Vec<ApprovalStep> {
    steps.sort_by(|a, b| (&a.approvers, a.needed, &a.named).cmp(&(&b.approvers, b.needed, &b.named)));
    steps
}

proptest! {
    #[test]
    fn access_fails_closed_and_never_grants_more_than_any_rule(
        raws in prop::collection::vec(raw(), 0..6),
        turn in 0_usize..6,
    ) {
        let organisation = two_tiers();
        let request = request();
        let app = organisation.apps.get("crm").unwrap();
        let (requester, submitted_by) = (person("eve"), person("dan"));
        let asked = Asked {
            organisation: &organisation,
            request: &request,
            app,
            tier: app.tiers.get(1).unwrap(),
            requester: &requester,
            submitted_by: &submitted_by,
        };
        let check = |raw: Option<RawAccess>| raw.and_then(|raw| combined::check(&asked, raw).ok());
        let mut rules: Vec<Given<AccessAnswer>> =
            raws.into_iter().enumerate().map(|(n, raw)| given(n, check(raw))).collect();
        let verdict = combined::combine(&asked, &rules);
        let says = |pick: fn(&AccessAnswer) -> bool| rules.iter().any(|g| g.answer.as_ref().is_some_and(pick));
        let denied = says(|a| *a == AccessAnswer::Deny);
        let requires = says(|a| matches!(a, AccessAnswer::Require(_)));
        let approves = says(|a| matches!(a, AccessAnswer::Approve(_)));
        let failed = rules.iter().any(|g| g.answer.is_none());
        prop_assert_eq!(denied, verdict.outcome == Outcome::Denied);
        let approved = matches!(verdict.outcome, Outcome::Approved(_));
        prop_assert_eq!(approved, approves && !requires && !failed && !denied);
        if let Outcome::Await(Approval { steps, .. }) = &verdict.outcome {
            prop_assert!(!steps.is_empty());
            for step in steps {
                prop_assert!(step.needed >= 1 && step.needed as usize <= step.approvers.len(), "{:?}", step);
                for own in ["eve", "dan", "amara"] {
                    prop_assert!(!step.approvers.contains(&person(own)), "I2: {own} in {step:?}");
                }
            }
        }
        if let Some(scope) = scope_of(&verdict.outcome) {
            let (order, tier) = app.tier(scope.tier.as_str()).unwrap();
            prop_assert!(scope.duration_hours <= tier.hours_max.min(40));
            prop_assert!(scope.groups.iter().all(|g| tier.groups.iter().any(|t| t.as_str() == g)));
            for answer in rules.iter().filter_map(|g| g.answer.as_ref()) {
                let (AccessAnswer::Approve(one) | AccessAnswer::Require(Approval { scope: one, .. })) = answer else { continue };
                prop_assert!(order <= app.tier(one.tier.as_str()).unwrap().0);
                prop_assert!(scope.duration_hours <= one.duration_hours);
                prop_assert!(scope.groups.iter().all(|group| one.groups.contains(group)));
                prop_assert!(scope.role.is_none() || scope.role == one.role);
            }
        }
        // Another order of the rules asks the same people for the same scope.
        let again = verdict.clone();
        if !rules.is_empty() {
            let by = turn % rules.len();
            rules.rotate_left(by);
        }
        let other = combined::combine(&asked, &rules);
        prop_assert_eq!(scope_of(&again.outcome).map(|s| (&s.tier, &s.role, s.duration_hours)),
            scope_of(&other.outcome).map(|s| (&s.tier, &s.role, s.duration_hours)));
        if let (Outcome::Await(one), Outcome::Await(two)) = (again.outcome, other.outcome) {
            prop_assert_eq!(sorted(one.steps), sorted(two.steps));
        }
    }

    #[test]
    fn the_highest_level_wins_unless_one_overrides(
        ranks in prop::collection::vec((prop::option::of(prop::option::of(0_usize..3)), prop::bool::ANY), 0..6),
    ) {
        let organisation = organisation();
        let rules: Vec<Given<Option<Rating>>> = ranks.iter().enumerate().map(|(n, (answer, overrides))| {
            let rating = |rank: usize| Rating {
                impact: None,
                urgency: None,
                level: organisation.priorities.get(rank).unwrap().id.clone(),
                rank,
            };
            Given { overrides: *overrides, ..given(n, answer.map(|answer| answer.map(rating))) }
        }).collect();
        let rated = verdict::priority(&organisation, None, &rules);
        let proposed = || ranks.iter().filter_map(|(answer, overrides)| Some(((*answer)??, *overrides)));
        let first_override = proposed().find(|(_, overrides)| *overrides).map(|(rank, _)| rank);
        let expected = first_override.or_else(|| proposed().map(|(rank, _)| rank).min()).unwrap_or(1);
        prop_assert_eq!(rated.rank, expected);
    }

    #[test]
    fn any_rejection_rejects_with_every_problem_and_a_failure_only_leaves_a_mark(
        answers in prop::collection::vec(0_usize..4, 0..6),
    ) {
        let rules: Vec<Given<IntakeAnswer>> = answers.iter().enumerate().map(|(n, answer)| given(n, match answer {
            0 => None,
            1 => Some(IntakeAnswer::Reject(vec![Problem::new("subject", "vague", format!("problem {n}"))])),
            _ => Some(IntakeAnswer::Accept(Changes { subject: Some(format!("subject {n}")), ..Changes::default() })),
        })).collect();
        let rejecting: Vec<usize> = (0..answers.len()).filter(|n| answers[*n] == 1).collect();
        match verdict::intake(&rules) {
            IntakeVerdict::Rejected(problems) => {
                let found: Vec<String> = problems.into_iter().map(|p| p.message).collect();
                let expected: Vec<String> = rejecting.iter().map(|n| format!("problem {n}")).collect();
                prop_assert_eq!(found, expected);
                prop_assert!(!rejecting.is_empty());
            }
            IntakeVerdict::Accepted(changes) => {
                prop_assert!(rejecting.is_empty());
                let last = (0..answers.len()).rev().find(|n| answers[*n] > 1).map(|n| format!("subject {n}"));
                prop_assert_eq!(changes.subject, last);
                let marked = changes.signals.iter().any(|s| s == verdict::INTAKE_UNCHECKED);
                prop_assert_eq!(marked, answers.contains(&0));
            }
        }
    }
}

#[test]
fn the_first_category_wins_and_tags_are_united() {
    let organisation = organisation();
    let form = organisation.request_types.get("fault").unwrap();
    let says = |category: Option<&str>, tags: &[&str]| Classification {
        category: category.map(|id| id.parse().unwrap()),
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        kind: None,
    };
    let rules = [
        given(0, None),
        given(1, Some(says(None, &["vip"]))),
        given(2, Some(says(Some("network"), &["site", "vip"]))),
        given(3, Some(says(Some("other"), &[]))),
    ];
    let classified = verdict::categorization(&organisation, form, &rules);
    assert_eq!(classified.category.value.as_str(), "network");
    let tags: Vec<&str> = classified.tags.iter().map(|tag| tag.value.as_str()).collect();
    assert_eq!(tags, ["vip", "site"]);
}

/// A request for access may be decided and resolved at once: no rule puts it under a category that only says that none was found.
#[test]
fn access_has_the_category_of_its_type_where_a_rule_found_none() {
    let mut organisation = organisation();
    organisation.categories.get_mut("other").unwrap().catch_all = true;
    let form = organisation.request_types.values().find(|form| form.grants_access).unwrap().clone();
    let says =
        |category: &str| Classification { category: Some(category.parse().unwrap()), ..Classification::default() };
    let rules = [given(0, Some(says("other"))), given(1, Some(says("networks")))];
    let found = |category: Option<&str>, grants_access: bool, rules: &[Given<Classification>]| {
        let form = RequestType { category: category.map(|id| id.parse().unwrap()), grants_access, ..form.clone() };
        verdict::categorization(&organisation, &form, rules).category
    };
    let first = &rules[..1];
    let by_type = found(Some("network"), true, first);
    assert_eq!((by_type.value.as_str(), &by_type.by), ("network", &By::RequestType));
    assert_eq!(found(Some("network"), true, &rules).value.as_str(), "networks", "a real one counts");
    assert_eq!(found(Some("network"), false, first).value.as_str(), "other", "an agent gives it another");
    assert_eq!(found(None, true, first).value.as_str(), "other", "the type has none");
}

fn destination() -> impl Strategy<Value = Option<Option<Destination>>> {
    let team = prop::option::of(prop::sample::select(vec!["even", "odd", "solo"]));
    let skills = prop::sample::subsequence(vec!["sap", "french"], 0..=2);
    let to = (team, skills, prop::option::of(1_u8..=3)).prop_map(|(team, skills, tier)| Destination {
        team: team.map(|t| t.parse().unwrap()),
        skills: skills.iter().map(|s| s.parse().unwrap()).collect(),
        tier,
        ..Destination::default()
    });
    prop::option::of(prop::option::of(to))
}

proptest! {
    /// What comes after the winner, and every failure and pass before it, changes nothing; a ticket always has a team.
    #[test]
    fn the_first_destination_that_a_team_can_be_wins(
        answers in prop::collection::vec(destination(), 0..6),
        more in prop::collection::vec(destination(), 0..3),
    ) {
        let organisation = organisation();
        let category = "other".parse().unwrap();
        let number = |answers: Vec<Option<Option<Destination>>>| -> Vec<_> {
            answers.into_iter().enumerate().map(|(n, answer)| given(n, answer)).collect()
        };
        let all = number(answers.clone());
        let routed = verdict::routing(&organisation, &category, &all);
        prop_assert!(organisation.teams.contains_key(&routed.team.value));
        if let verdict::By::Rule { rule, .. } = &routed.team.by {
            let winner = all.iter().position(|given| given.rule == *rule).unwrap();
            let to = all[winner].answer.clone().flatten().unwrap();
            prop_assert!(to.team.is_none_or(|team| team == routed.team.value));
            prop_assert_eq!(&to.skills, &routed.skills);
            for earlier in &all[..winner] {
                // Nobody in this organisation has a skill, so only skills without a team lead nowhere.
                let leads_nowhere = |to: &Destination| to.team.is_none() && !to.skills.is_empty();
                prop_assert!(earlier.answer.as_ref().and_then(Option::as_ref).is_none_or(leads_nowhere));
            }
            let longer = number(answers.into_iter().chain(more).collect());
            prop_assert_eq!(verdict::routing(&organisation, &category, &longer), routed);
        } else {
            let nowhere = |to: &Destination| to.team.is_none() && !to.skills.is_empty();
            let none_leads = all.iter().filter_map(|given| given.answer.as_ref()?.as_ref()).all(nowhere);
            prop_assert!(none_leads);
        }
    }
}

/// Skills that no team has together are an answer that leads nowhere: the next rule is asked, then the default.
#[test]
fn a_destination_that_no_team_can_be_leaves_the_word_to_the_next_rule() {
    let mut organisation = organisation();
    for (team, skill) in [("even", "sap"), ("odd", "french")] {
        let members = &mut organisation.teams.get_mut(team).unwrap().members;
        members[0].skills = [skill.parse().unwrap()].into();
    }
    let both =
        Destination { skills: vec!["sap".parse().unwrap(), "french".parse().unwrap()], ..Destination::default() };
    let solo = Destination { team: Some("solo".parse().unwrap()), ..Destination::default() };
    let rules = [given(0, Some(Some(both))), given(1, Some(Some(solo)))];
    let routed = verdict::routing(&organisation, &"other".parse().unwrap(), &rules);
    assert_eq!(routed.team.value.as_str(), "solo");
}

/// A skill may have a level: who has it at a higher one can do what is asked for at a lower one, and not the reverse.
#[test]
fn a_skill_counts_at_its_level_and_below() {
    let mut organisation = organisation();
    for (team, skill) in [("even", "sap@1"), ("odd", "sap@3")] {
        organisation.teams.get_mut(team).unwrap().members[0].skills = [skill.parse().unwrap()].into();
    }
    let to = |skill: &str| {
        let to = Destination { skills: vec![skill.parse().unwrap()], ..Destination::default() };
        verdict::routing(&organisation, &"other".parse().unwrap(), &[given(0, Some(Some(to)))]).team
    };
    assert_eq!(to("sap@2").value.as_str(), "odd");
    assert_eq!(to("sap@3").value.as_str(), "odd");
    assert_eq!(to("sap@4").by, By::Default, "nobody has it so high");
    let able = |skill: &str| {
        let members = organisation.teams.values().flat_map(|team| &team.members);
        members.filter(|member| verdict::can(member, skill)).count()
    };
    assert_eq!([able("sap"), able("sap@1"), able("sap@2"), able("sap@4"), able("sap@x")], [2, 2, 1, 0, 0]);
}

/// The promise of a category: a level where no rule has one, of the nearest parent that names any.
#[test]
fn a_ticket_that_no_rule_rates_has_the_level_of_its_category_or_of_the_nearest_parent() {
    let mut organisation = organisation();
    organisation.categories.get_mut("network").unwrap().priority = Some("critical".parse().unwrap());
    let rated = |category: &str, rules: &[Given<Option<Rating>>]| {
        let rated = verdict::priority(&organisation, Some(&category.parse().unwrap()), rules);
        (rated.level.value.to_string(), rated.rank, rated.level.by)
    };
    assert_eq!(rated("network", &[]), ("critical".to_owned(), 0, By::Category));
    assert_eq!(rated("network.vpn", &[given(0, Some(None))]), ("critical".to_owned(), 0, By::Category));
    assert_eq!(rated("network-old", &[]), ("medium".to_owned(), 1, By::Default), "it is no part of it");
    let low = Rating { impact: None, urgency: None, level: "low".parse().unwrap(), rank: 2 };
    let (level, rank, by) = rated("network.vpn", &[given(0, Some(Some(low)))]);
    assert_eq!((level.as_str(), rank), ("low", 2), "a rule has the first word");
    assert!(matches!(by, By::Rule { .. }));
}

/// Where everybody who could approve is party to the request, waiting for nobody would be for ever.
#[test]
fn a_fallback_without_approvers_does_not_wait_for_nobody() {
    let mut organisation = organisation();
    organisation.defaults.access_approvers = vec![person("hal"), person("gina")];
    let gina = organisation.people.get_mut(&person("gina")).unwrap();
    gina.active = false;
    let app = organisation.apps.get("crm").unwrap();
    let request = AccessRequest { subject: person("hal"), tier: "pro".parse().unwrap(), ..request() };
    let asked = Asked {
        organisation: &organisation,
        request: &request,
        app,
        tier: app.tiers.first().unwrap(),
        requester: &request.subject,
        submitted_by: &request.subject,
    };
    let verdict = combined::combine(&asked, &[given(0, None)]);
    assert!(verdict.by_desk, "no rule said so: {verdict:?}");
    let Outcome::Await(approval) = &verdict.outcome else { return };
    for step in &approval.steps {
        let active = step.approvers.iter().filter(|id| organisation.people.get(*id).unwrap().active).count();
        assert!(active >= step.needed as usize, "{step:?}");
    }
}
