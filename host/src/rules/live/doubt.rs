//! Whether a question may be answered as if everybody had been asked: one list of what should be live, and one function that
//! says what of it is not.
//!
//! Pure. [`Standing`] is a rule or a folder with what decides for it now and with all that is meant to, or did before. The
//! catalog makes the list of its rollouts and folders, and this alone answers the question.

use std::path::PathBuf;

use crate::rules::run::manifest::Says;
use crate::rules::run::stage::Stage;

/// Why something should be live, or why it might be missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// It is the version that counts, as it is kept.
    Active,
    /// It counted, and was taken out for its failures.
    Suspended,
    /// It is offered besides the version that counts: tried, or waiting for a second person.
    Offered,
    /// It counted before the version that counts now.
    Before,
    /// It counted, and its folder is away or has a rule of another name, which is not believed to be for good.
    Away,
    /// It counted, and its folder is gone with all others.
    Gone,
    /// It lies in the directory and is not read, compiled and tried yet.
    Unread,
    /// It lies in the directory and is refused.
    Refused,
}

/// Something that should be live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The rule's name, or the folder.
    pub place: PathBuf,
    /// The version that is asked for it now and counts.
    pub decides: Option<Says>,
    /// All that is meant to be asked, or was.
    pub meant: Vec<(Meant, Says)>,
}

impl Standing {
    /// Whether a question at this stage would be answered without one who should have been asked.
    pub fn is_missed(&self, stage: Stage) -> bool {
        if self.decides.is_some_and(|decides| decides.is_at(stage)) {
            return false;
        }
        self.meant.iter().any(|(meant, says)| self.counts(stage, *meant, *says))
    }

    fn counts(&self, stage: Stage, meant: Meant, says: Says) -> bool {
        let is_access = stage == Stage::Access;
        match meant {
            // A rule that is tried has no effect, so that it is not missed; access alone is never given by silence.
            Meant::Active | Meant::Suspended | Meant::Refused => {
                says.may_be_at(stage) && (is_access || !says.is_tried() || meant != Meant::Refused)
            }
            Meant::Offered | Meant::Unread => is_access && says.may_be_at(stage),
            // A rule that moved to another stage; one that is off says so itself.
            Meant::Before => is_access && says.is_at(stage) && self.decides.is_some_and(|decides| decides != Says::Off),
            // What its folder has in its place may say that it is off.
            Meant::Away => says.is_at(stage) && self.decides != Some(Says::Off),
            // A desk whose rules have all come by API since is no reason for people to decide for ever.
            Meant::Gone => !is_access && says.is_at(stage),
        }
    }
}

/// The rule or folder that should be asked at a stage and is not: the first of the list.
pub fn missed(standing: &[Standing], stage: Stage) -> Option<&Standing> {
    standing.iter().find(|standing| standing.is_missed(stage))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCESS: Says = Says::At { stages: [false, false, false, false, true, false], tried: false };
    const TRIED: Says = Says::At { stages: [false, false, false, false, true, false], tried: true };
    const PRIORITY: Says = Says::At { stages: [false, false, true, false, false, false], tried: false };
    const CLOSING: Says = Says::At { stages: [false, false, false, false, false, true], tried: false };
    const INTAKE: Says = Says::At { stages: [true, false, false, false, false, false], tried: false };

    fn is_missed(stage: Stage, decides: Option<Says>, meant: &[(Meant, Says)]) -> bool {
        let standing = [Standing { place: PathBuf::from("it"), decides, meant: meant.to_vec() }];
        missed(&standing, stage).is_some()
    }

    #[test]
    fn what_decides_about_access_is_missed_by_nobody_whatever_else_is_meant() {
        let all = [Meant::Active, Meant::Suspended, Meant::Offered, Meant::Before, Meant::Unread, Meant::Refused];
        for meant in all {
            for says in [ACCESS, TRIED, Says::Unknown, Says::Off, PRIORITY] {
                assert!(!is_missed(Stage::Access, Some(ACCESS), &[(meant, says)]), "{meant:?} {says:?}");
            }
        }
    }

    #[test]
    fn a_rule_for_access_that_does_not_decide_is_missed() {
        let meant = [Meant::Active, Meant::Suspended, Meant::Offered, Meant::Unread, Meant::Refused];
        for meant in meant {
            for decides in [None, Some(Says::Off), Some(PRIORITY)] {
                for says in [ACCESS, TRIED, Says::Unknown] {
                    assert!(is_missed(Stage::Access, decides, &[(meant, says)]), "{meant:?} {says:?} {decides:?}");
                }
                assert!(!is_missed(Stage::Access, decides, &[(meant, Says::Off), (meant, PRIORITY)]), "{meant:?}");
            }
        }
        assert!(is_missed(Stage::Access, Some(PRIORITY), &[(Meant::Before, ACCESS)]), "it moved to another stage");
        assert!(!is_missed(Stage::Access, Some(Says::Off), &[(Meant::Before, ACCESS)]), "it is off");
        assert!(!is_missed(Stage::Access, None, &[(Meant::Before, ACCESS)]), "it was retired");
        assert!(is_missed(Stage::Access, None, &[(Meant::Away, ACCESS)]), "no one has said that it is gone for good");
        assert!(is_missed(Stage::Access, Some(PRIORITY), &[(Meant::Away, ACCESS)]), "another name is in its place");
        assert!(
            !is_missed(Stage::Access, Some(Says::Off), &[(Meant::Away, ACCESS)]),
            "what is there says that it is off"
        );
        assert!(!is_missed(Stage::Access, Some(ACCESS), &[(Meant::Away, ACCESS)]), "what is there decides");
        let others = [(Meant::Away, Says::Off), (Meant::Away, PRIORITY), (Meant::Gone, ACCESS)];
        assert!(!is_missed(Stage::Access, None, &others));
    }

    #[test]
    fn intake_and_closing_miss_what_failed_to_be_there_and_nothing_that_is_only_tried() {
        for meant in [Meant::Active, Meant::Suspended, Meant::Refused, Meant::Away, Meant::Gone] {
            assert!(is_missed(Stage::Intake, None, &[(meant, INTAKE)]), "{meant:?}");
            assert!(is_missed(Stage::Closing, None, &[(meant, CLOSING)]), "{meant:?}");
        }
        let tried = Says::At { stages: [true; 6], tried: true };
        for (meant, says) in [(Meant::Refused, tried), (Meant::Offered, INTAKE), (Meant::Unread, INTAKE)] {
            assert!(!is_missed(Stage::Intake, None, &[(meant, says)]), "{meant:?}");
        }
    }
}
