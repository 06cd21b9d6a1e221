//! The invariants that hold after any steps.

use proptest::prelude::*;

use super::*;

fn version(n: u8) -> VersionId {
    VersionId { component: Digest::of(&[n]), manifest: Digest::of(&[n, n]) }
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        Just(Part::Active),
        Just(Part::Trial(Trial::Loaded)),
        Just(Part::Trial(Trial::Shadow)),
        any::<u8>().prop_map(|percent| Part::Trial(Trial::Canary(percent))),
    ]
}

fn mei() -> Signatory {
    Signatory::parse("mei")
}

fn who() -> impl Strategy<Value = Signatory> {
    let texts =
        ["mei", "kofi", "operator:root", "mei via operator:root", "noor via operator:root", "noor via operator:kiwi"];
    proptest::sample::select(texts.to_vec()).prop_map(Signatory::parse)
}

fn needs() -> impl Strategy<Value = Needs> {
    prop_oneof![Just(Needs::OnePerson), Just(Needs::TwoPeople)]
}

fn step() -> impl Strategy<Value = RolloutStep> {
    prop_oneof![
        3 => (0_u8..5, part(), any::<bool>(), needs(), who()).prop_map(|(n, part, api, needs, by)| RolloutStep::Offer {
            source: if api { Source::Api } else { Source::Directory },
            folder: None,
            version: version(n),
            part,
            needs,
            by,
        }),
        6 => (0_u8..5, part(), needs(), who()).prop_map(|(n, part, needs, by)| RolloutStep::Promote {
            version: version(n),
            part,
            needs,
            by,
        }),
        1 => (0_u8..5).prop_map(|n| RolloutStep::Demote { version: version(n), trial: Trial::Shadow }),
        1 => (0_u8..5).prop_map(|n| RolloutStep::Demote { version: version(n), trial: Trial::Loaded }),
        4 => (0_u8..5, who()).prop_map(|(n, by)| RolloutStep::Approve { version: version(n), by }),
        2 => (needs(), who()).prop_map(|(needs, by)| RolloutStep::RollBack { needs, by }),
        2 => (0_u8..5).prop_map(|n| RolloutStep::Suspend { version: version(n), hold: n % 2 == 0 }),
        2 => (needs(), who()).prop_map(|(needs, by)| RolloutStep::Resume { needs, by }),
        2 => (needs(), who()).prop_map(|(needs, by)| RolloutStep::Retire { needs, by }),
        2 => needs().prop_map(|needs| RolloutStep::Gone { needs }),
    ]
}

fn check(rollout: &Rollout) -> Result<(), TestCaseError> {
    if let Some(candidate) = &rollout.candidate {
        prop_assert_ne!(Some(candidate.version), rollout.active, "a candidate is not the active version");
        if let Trial::Canary(percent) = candidate.trial {
            prop_assert!((1..=99).contains(&percent));
            prop_assert!(rollout.active.is_some(), "a canary has a stable version beside it");
        }
    }
    prop_assert!(rollout.active.is_none() || rollout.active != rollout.previous);
    prop_assert!(rollout.active.is_none() || rollout.active != rollout.suspended, "what is suspended is not asked");
    Ok(())
}

proptest! {
    #[test]
    fn the_invariants_hold_after_any_steps(steps in proptest::collection::vec(step(), 0..40)) {
        let mut rollout = Rollout::default();
        for step in steps {
            let Ok(next) = rollout.after(&step) else { continue };
            check(&next)?;
            let candidate = rollout.candidate.as_ref().map(|candidate| candidate.version);
            match &step {
                RolloutStep::RollBack { needs: Needs::TwoPeople, .. } => {
                    prop_assert_eq!(next.active, rollout.active, "one word alone takes nothing back");
                }
                RolloutStep::RollBack { .. } => {
                    prop_assert_eq!(next.active, rollout.previous, "back to the version before");
                }
                RolloutStep::Resume { needs: Needs::TwoPeople, .. } | RolloutStep::Retire { needs: Needs::TwoPeople, .. }
                    if rollout.active.or(rollout.suspended).is_some() =>
                {
                    prop_assert_eq!((next.active, next.suspended), (rollout.active, rollout.suspended), "nor this");
                }
                RolloutStep::Gone { needs: Needs::TwoPeople } if rollout.source == Source::Directory => {
                    prop_assert_eq!(next.active, None);
                    prop_assert_eq!(next.suspended, rollout.active.or(rollout.suspended), "people decide in its place");
                }
                RolloutStep::Demote { version, .. } => {
                    let in_force = rollout.retiring.as_ref().and(rollout.active.or(rollout.suspended));
                    prop_assert!(Some(*version) == candidate || Some(*version) == in_force);
                }
                RolloutStep::Suspend { version, hold } => {
                    prop_assert_eq!((Some(*version), next.suspended), (rollout.active, rollout.active));
                    let expected = if *hold { None } else { rollout.previous };
                    prop_assert_eq!(next.active, expected, "the last good version takes over, or none");
                    let resumed = next.after(&RolloutStep::Resume { needs: Needs::OnePerson, by: mei() }).unwrap();
                    prop_assert_eq!(resumed.active, rollout.active);
                }
                RolloutStep::Gone { .. } if rollout.source == Source::Api => prop_assert_eq!(&next, &rollout),
                RolloutStep::Retire { .. } | RolloutStep::Gone { .. } => prop_assert!(next.needed().next().is_none(), "nothing is asked any more"),
                // Its folder was gone, so that it was to be retired, and is back before a person agreed.
                RolloutStep::Offer { version, .. } if rollout.is_back(*version) => {
                    prop_assert_eq!((next.active, next.suspended), (Some(*version), None));
                }
                RolloutStep::Offer { source, version, .. }
                    if rollout.offered == Some(*version)
                        && rollout.source == *source
                        && (*source == Source::Directory || rollout.part_of(*version).is_some()) =>
                {
                    prop_assert_eq!((next.active, &next.candidate), (rollout.active, &rollout.candidate), "a restart changes nothing");
                }
                RolloutStep::Offer { needs: Needs::TwoPeople, part, .. } | RolloutStep::Promote { needs: Needs::TwoPeople, part, .. } => {
                    prop_assert_eq!(next.active, rollout.active, "nothing becomes active on one word alone");
                    prop_assert!(!matches!(part, Part::Trial(Trial::Canary(_))), "and nothing counts for a share");
                }
                RolloutStep::Promote { version, .. } => prop_assert_eq!(Some(*version), candidate),
                RolloutStep::Approve { version, by } => {
                    let of_candidate = rollout.candidate.as_ref().filter(|c| c.version == *version);
                    let proposer = match of_candidate {
                        Some(candidate) => candidate.proposed_by.clone(),
                        None => rollout.retiring.clone(),
                    };
                    prop_assert!(proposer.is_some_and(|proposer| proposer.let_approve(by).is_ok()));
                    prop_assert_eq!(next.active, of_candidate.map(|_| *version), "it is active, or retired");
                }
                _ => {}
            }
            rollout = next;
        }
    }

    #[test]
    fn a_larger_share_keeps_who_was_in_a_smaller_one(ticket in any::<[u8; 16]>(), a in 1_u8..99, b in 1_u8..99) {
        let (small, large) = (a.min(b), a.max(b));
        prop_assert!(!in_share("rule", &ticket, small) || in_share("rule", &ticket, large));
    }
}

#[test]
fn a_share_is_about_as_large_as_it_says() {
    let tickets = 0..10_000_u32;
    let inside = tickets.filter(|n| in_share("rule", &n.to_be_bytes(), 30)).count();
    assert!((2_800..3_200).contains(&inside), "{inside}");
}

#[test]
fn a_rule_has_one_source() {
    let offer = |source| RolloutStep::Offer {
        source,
        folder: None,
        version: version(1),
        part: Part::Active,
        needs: Needs::OnePerson,
        by: Signatory::Directory,
    };
    let rollout = Rollout::default().after(&offer(Source::Api)).unwrap();
    assert_eq!(rollout.after(&offer(Source::Directory)), Err(NotTaken::OtherSource { deployed_by: Source::Api }));
    let retired = rollout.after(&RolloutStep::Retire { needs: Needs::OnePerson, by: mei() }).unwrap();
    assert_eq!(retired.after(&offer(Source::Directory)).unwrap().source, Source::Directory);
}

#[test]
fn what_has_ended_with_its_folder_can_be_retired_once_and_comes_back_in_another_version_only() {
    let offer = |n| RolloutStep::Offer {
        source: Source::Directory,
        folder: Some("one".to_owned()),
        version: version(n),
        part: Part::Active,
        needs: Needs::OnePerson,
        by: Signatory::Directory,
    };
    let retire = RolloutStep::Retire { needs: Needs::OnePerson, by: mei() };
    let gone =
        Rollout::default().after(&offer(1)).unwrap().after(&RolloutStep::Gone { needs: Needs::OnePerson }).unwrap();
    assert!(gone.is_gone());
    assert_eq!(gone.after(&offer(1)).unwrap().active, Some(version(1)), "it comes back with its folder");
    let retired = gone.after(&retire).unwrap();
    assert!(!retired.is_gone());
    assert_eq!(retired.after(&retire).unwrap_err(), NotTaken::NotActive);
    assert!(!retired.after(&RolloutStep::Gone { needs: Needs::OnePerson }).unwrap().is_gone());
    let before = Rollout::default().after(&offer(1)).unwrap().after(&retire).unwrap();
    let before = before.after(&RolloutStep::Gone { needs: Needs::OnePerson }).unwrap();
    assert!(!before.is_gone(), "it was retired before its folder was taken away");
    assert_eq!(before.after(&offer(1)).unwrap().active, None);
    assert_eq!(retired.after(&offer(1)).unwrap().active, None);
    assert_eq!(retired.after(&offer(2)).unwrap().active, Some(version(2)));
}

/// Whether or not the end was written down in between.
#[test]
fn a_name_that_passes_to_another_folder_leaves_the_version_of_the_one_before() {
    let offer = |folder: &str, n: u8, part: Part, needs: Needs| RolloutStep::Offer {
        source: Source::Directory,
        folder: Some(folder.to_owned()),
        version: version(n),
        part,
        needs,
        by: Signatory::Directory,
    };
    let (shadow, alone) = (Part::Trial(Trial::Shadow), Needs::OnePerson);
    let live = Rollout::default().after(&offer("one", 1, Part::Active, alone)).unwrap();
    let beside = live.after(&offer("one", 2, shadow, alone)).unwrap();
    assert_eq!((beside.active, beside.part_of(version(2))), (Some(version(1)), Some("shadow")));
    let renamed = beside.after(&offer("two", 2, shadow, alone)).unwrap();
    assert_eq!(renamed, Rollout { folder: Some("two".to_owned()), ..beside }, "it is the same folder");

    let tried = live.after(&offer("two", 2, shadow, alone)).unwrap();
    assert_eq!((tried.active, tried.part_of(version(2))), (None, Some("shadow")), "it is tried beside nothing");
    let written_down = live.after(&RolloutStep::Gone { needs: alone }).unwrap();
    assert_eq!(written_down.after(&offer("two", 2, shadow, alone)).unwrap(), tried);
    let replaced = live.after(&offer("two", 2, Part::Active, alone)).unwrap();
    assert_eq!((replaced.active, replaced.previous), (Some(version(2)), Some(version(1))));
    let held = live.after(&offer("two", 2, Part::Active, Needs::TwoPeople)).unwrap();
    assert_eq!((held.active, held.suspended), (None, Some(version(1))), "people decide until a second one agrees");
}

#[test]
fn what_was_retired_lives_again_when_it_is_sent_again() {
    let sent = RolloutStep::Offer {
        source: Source::Api,
        folder: None,
        version: version(1),
        part: Part::Active,
        needs: Needs::OnePerson,
        by: mei(),
    };
    let retired = Rollout::default()
        .after(&sent)
        .unwrap()
        .after(&RolloutStep::Retire { needs: Needs::OnePerson, by: mei() })
        .unwrap();
    assert_eq!(retired.part_of(version(1)), None);
    assert_eq!(retired.after(&sent).unwrap().part_of(version(1)), Some("active"));
}

#[test]
fn a_version_reads_back_as_written_and_is_meant_by_what_is_shown_of_it() {
    let (one, other) = (version(3), version(4));
    assert_eq!(one.to_string().parse(), Ok(one));
    for text in [one.to_string(), one.short(), one.component.to_string(), one.manifest.to_string()[..4].to_owned()] {
        assert!(one.is_meant_by(&text) && !other.is_meant_by(&text), "{text}");
    }
    let mixed = format!("{}-{}", one.component, other.manifest);
    for text in ["", "-", &one.component.to_string()[..3], &mixed] {
        assert!(!one.is_meant_by(text), "{text}");
    }
}

#[test]
fn a_step_about_a_version_that_was_replaced_names_both() {
    let offer = |n| RolloutStep::Offer {
        source: Source::Directory,
        folder: None,
        version: version(n),
        part: Part::Active,
        needs: Needs::TwoPeople,
        by: Signatory::Directory,
    };
    let rollout = Rollout::default().after(&offer(1)).unwrap().after(&offer(2)).unwrap();
    let late = rollout.after(&RolloutStep::Approve { version: version(1), by: mei() }).unwrap_err();
    let said = late.to_string();
    assert!(said.contains(&version(1).short()) && said.contains(&version(2).short()), "{said}");
    let rollout = rollout.after(&RolloutStep::Approve { version: version(2), by: mei() }).unwrap();
    assert_eq!(rollout.active, Some(version(2)));
    assert!(matches!(
        rollout.after(&RolloutStep::Suspend { version: version(1), hold: false }),
        Err(NotTaken::OtherVersion { .. })
    ));
}

/// A rule that two agreed to stands until two agree that it ends; its folder alone cannot end it either.
#[test]
fn what_two_let_in_two_take_out() {
    let noor = Signatory::parse("noor");
    let offer = RolloutStep::Offer {
        source: Source::Directory,
        folder: Some("one".to_owned()),
        version: version(1),
        part: Part::Active,
        needs: Needs::TwoPeople,
        by: Signatory::Directory,
    };
    let agreed = RolloutStep::Approve { version: version(1), by: mei() };
    let live = Rollout::default().after(&offer).unwrap().after(&agreed).unwrap();
    let proposed = live.after(&RolloutStep::Retire { needs: Needs::TwoPeople, by: mei() }).unwrap();
    assert_eq!((proposed.active, &proposed.retiring), (Some(version(1)), &Some(mei())));
    assert_eq!(proposed.after(&agreed), Err(NotTaken::SamePerson));
    let by_noor = RolloutStep::Approve { version: version(1), by: noor };
    assert_eq!(proposed.after(&by_noor).unwrap().part_of(version(1)), None);
    let withdrawn = proposed.after(&RolloutStep::Demote { version: version(1), trial: Trial::Loaded }).unwrap();
    assert_eq!(withdrawn, live);

    let gone = live.after(&RolloutStep::Gone { needs: Needs::TwoPeople }).unwrap();
    assert_eq!((gone.active, gone.suspended), (None, Some(version(1))), "people decide");
    assert_eq!(gone.after(&offer).unwrap(), live, "it was away for a moment");
    assert_eq!(gone.after(&agreed).unwrap().part_of(version(1)), None, "the directory proposed it, one person agrees");
}

/// A folder that is taken away and put back is one person's work, and lets nothing count that was suspended.
#[test]
fn what_is_suspended_stays_so_when_its_folder_goes_and_comes_back() {
    let offer = |n| RolloutStep::Offer {
        source: Source::Directory,
        folder: Some("one".to_owned()),
        version: version(n),
        part: Part::Active,
        needs: Needs::TwoPeople,
        by: Signatory::Directory,
    };
    let (one, two, gone) = (offer(1), offer(2), RolloutStep::Gone { needs: Needs::TwoPeople });
    let agreed = RolloutStep::Approve { version: version(1), by: mei() };
    let live = Rollout::default().after(&one).unwrap().after(&agreed).unwrap();
    let suspended = live.after(&RolloutStep::Suspend { version: version(1), hold: true }).unwrap();
    assert_eq!((suspended.active, suspended.suspended), (None, Some(version(1))));
    let after =
        |steps: &[&RolloutStep]| steps.iter().fold(suspended.clone(), |rollout, step| rollout.after(step).unwrap());

    assert_eq!(after(&[&gone, &one]), suspended, "it is as it was");
    assert_eq!(after(&[&gone, &gone, &one]), suspended);
    let ways: [&[&RolloutStep]; 3] = [&[&gone, &two, &one], &[&gone, &two, &gone, &one], &[&two, &gone, &one]];
    for way in ways {
        assert_eq!((after(way).active, after(way).suspended), (None, Some(version(1))), "{way:?}");
    }
    let back = live.after(&gone).unwrap().after(&gone).unwrap().after(&one).unwrap();
    assert_eq!(back, live, "what counted until then counts again");
}
