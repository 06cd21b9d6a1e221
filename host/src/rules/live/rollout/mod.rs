//! The rollout of a rule: which of its versions counts, which one is tried alongside, and every step from one to the next.
//!
//! Pure: a [`Rollout`] and a [`RolloutStep`] give the next [`Rollout`] or say why not. The same function serves the directory, whose
//! offers take effect in memory at once, and the deployments in the database, so that the two cannot disagree.

use serde::Serialize;

use crate::rules::digest::Digest;

mod ended;
mod signatory;
mod version;

pub use signatory::Signatory;
pub use version::VersionId;

/// Where a rule comes from; never from both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    #[default]
    Directory,
    Api,
}

impl Source {
    /// The stable word.
    pub const fn code(self) -> &'static str {
        match self {
            Source::Directory => "directory",
            Source::Api => "api",
        }
    }

    /// The source with this word.
    pub fn from_code(code: &str) -> Option<Self> {
        [Source::Directory, Source::Api].into_iter().find(|source| source.code() == code)
    }
}

/// How a candidate is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trial {
    /// It is ready and not asked.
    Loaded,
    /// It is asked, and what it says has no effect.
    Shadow,
    /// It counts for this share of the tickets, 1 to 99 percent.
    Canary(u8),
}

/// The part that a version is to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Trial(Trial),
    Active,
}

/// How many people have to want a step, before a version counts by it or counts no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    OnePerson,
    TwoPeople,
}

/// A version that is tried alongside the active one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Candidate {
    pub version: VersionId,
    pub trial: Trial,
    /// The one who wants it active, while a second person has yet to agree.
    pub proposed_by: Option<Signatory>,
}

impl Candidate {
    /// A version that is to become active once a second person agrees.
    fn proposed(version: VersionId, by: &Signatory) -> Self {
        Self { version, trial: Trial::Loaded, proposed_by: Some(by.clone()) }
    }
}

/// Which version of one rule plays which part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rollout {
    pub source: Source,
    /// The folder that offers it, if one does.
    pub folder: Option<String>,
    pub active: Option<VersionId>,
    pub candidate: Option<Candidate>,
    /// The version that was active before: what rolling back returns to.
    pub previous: Option<VersionId>,
    /// The version that its source offered last: the same again changes nothing.
    pub offered: Option<VersionId>,
    /// A version that was active and failed too often.
    pub suspended: Option<VersionId>,
    /// The one who wants the rule retired, while a second person has yet to agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring: Option<Signatory>,
}

/// Something that happens to a rule. A step about a version names the one that is meant: where another has taken its place
/// since it was looked at, nothing is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RolloutStep {
    /// A source has this version. One that needs two people counts for no ticket on one word alone; `by` says whose word that is.
    Offer { source: Source, folder: Option<String>, version: VersionId, part: Part, needs: Needs, by: Signatory },
    /// The folder that offered it is gone: nothing to a rule that came by API since. Where that needs two people, people decide
    /// in the rule's place until a person agrees that it is retired.
    Gone { needs: Needs },
    /// The candidate is to play another part.
    Promote { version: VersionId, part: Part, needs: Needs, by: Signatory },
    /// The candidate steps back.
    Demote { version: VersionId, trial: Trial },
    /// A second person agrees that the candidate becomes active, or that the rule whose version this is be retired.
    Approve { version: VersionId, by: Signatory },
    /// The version before takes over; where it needs two people, once a second one agrees.
    RollBack { needs: Needs, by: Signatory },
    /// The active version is taken out. The one before takes over, unless none may: a rule for access is never replaced by an
    /// earlier version without people, who decide in its place.
    Suspend { version: VersionId, hold: bool },
    /// A suspended version counts again; where it needs two people, once a second one agrees.
    Resume { needs: Needs, by: Signatory },
    /// No version is asked any more; where it needs two people, once a second one agrees.
    Retire { needs: Needs, by: Signatory },
}

impl RolloutStep {
    /// The stable word for the audit.
    pub const fn code(&self) -> &'static str {
        match self {
            RolloutStep::Offer { .. } => "offered",
            RolloutStep::Gone { .. } => "gone",
            RolloutStep::Promote { .. } => "promoted",
            RolloutStep::Demote { .. } => "demoted",
            RolloutStep::Approve { .. } => "approved",
            RolloutStep::RollBack { needs: Needs::TwoPeople, .. } => "rollback-proposed",
            RolloutStep::RollBack { .. } => "rolled-back",
            RolloutStep::Suspend { .. } => "suspended",
            RolloutStep::Resume { needs: Needs::TwoPeople, .. } => "resume-proposed",
            RolloutStep::Resume { .. } => "resumed",
            RolloutStep::Retire { needs: Needs::TwoPeople, .. } => "retire-proposed",
            RolloutStep::Retire { .. } => "retired",
        }
    }

    /// The version that it names.
    pub const fn version(&self) -> Option<VersionId> {
        match self {
            RolloutStep::Offer { version, .. }
            | RolloutStep::Promote { version, .. }
            | RolloutStep::Demote { version, .. }
            | RolloutStep::Approve { version, .. }
            | RolloutStep::Suspend { version, .. } => Some(*version),
            RolloutStep::Gone { .. }
            | RolloutStep::RollBack { .. }
            | RolloutStep::Resume { .. }
            | RolloutStep::Retire { .. } => None,
        }
    }

    /// The same step, which needs at least so many people: one that needs two only proposes, or suspends so that people decide.
    #[must_use]
    pub fn guarded(mut self, least: Needs) -> Self {
        match &mut self {
            RolloutStep::Offer { needs, .. }
            | RolloutStep::Promote { needs, .. }
            | RolloutStep::RollBack { needs, .. }
            | RolloutStep::Resume { needs, .. }
            | RolloutStep::Retire { needs, .. }
            | RolloutStep::Gone { needs } => *needs = least.max(*needs),
            RolloutStep::Suspend { hold, .. } => *hold |= least == Needs::TwoPeople,
            RolloutStep::Demote { .. } | RolloutStep::Approve { .. } => {}
        }
        self
    }
}

/// Why a step is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    #[error("it was deployed by {}: retire it there first, or give this one another name", deployed_by.code())]
    OtherSource { deployed_by: Source },
    #[error("it has no candidate: offer a version first")]
    NoCandidate,
    #[error("its {place} is {there}, and not {meant}: look at that one first")]
    OtherVersion { place: &'static str, there: String, meant: String },
    #[error("its candidate plays that part or a higher one already")]
    NotHigher,
    #[error("its candidate plays that part or a lower one already")]
    NotLower,
    #[error("a canary needs a share of 1 to 99 percent, not {percent}")]
    Percent { percent: u8 },
    #[error("a canary needs an active version beside it: make it active, or leave it in the shadow")]
    NothingBeside,
    #[error(
        "a canary counts for its share of tickets, and this rule for access may not on one word alone: try it in the shadow"
    )]
    CanaryAlone,
    #[error("it has no earlier version to return to")]
    NothingEarlier,
    #[error("it has no active version")]
    NotActive,
    #[error("no version of it is suspended")]
    NotSuspended,
    #[error("nobody has proposed that its candidate become active, or that it be retired")]
    NotProposed,
    #[error("the person who proposed it cannot approve it: a second one has to")]
    SamePerson,
    #[error(
        "the operator `{operator}` proposed it, and one operator is one person in whosever name: another operator has to \
         approve it, or a second person by their own token"
    )]
    SameOperator { operator: String },
}

impl Rollout {
    /// The rollout after a step.
    ///
    /// # Errors
    ///
    /// Why this step cannot be taken from here.
    pub fn after(&self, step: &RolloutStep) -> Result<Rollout, NotTaken> {
        let mut rollout = self.clone();
        match step {
            RolloutStep::Offer { source, folder, version, part, needs, by } => {
                if rollout.source != *source && rollout.is_live() {
                    return Err(NotTaken::OtherSource { deployed_by: rollout.source });
                }
                if rollout.passes_to(folder.as_deref(), *version) {
                    rollout.gone(*needs);
                }
                if rollout.source != *source {
                    rollout.offered = None;
                }
                rollout.source = *source;
                rollout.folder.clone_from(folder);
                rollout.come_back(*version);
                // A folder offers the same for as long as it is there; a version that is sent once more is meant.
                if rollout.offered == Some(*version)
                    && (*source == Source::Directory || rollout.part_of(*version).is_some())
                {
                    return Ok(rollout);
                }
                rollout.offered = Some(*version);
                rollout.place(*version, *part, *needs, by)?;
            }
            RolloutStep::Gone { .. } if rollout.source == Source::Api => {}
            RolloutStep::Gone { needs } => rollout.gone(*needs),
            RolloutStep::Promote { version, part, needs, by } => {
                let candidate = rollout.candidate_if(*version)?;
                if *part <= Part::Trial(candidate.trial) {
                    return Err(NotTaken::NotHigher);
                }
                if matches!(part, Part::Trial(Trial::Canary(_))) && rollout.active.is_none() {
                    return Err(NotTaken::NothingBeside);
                }
                rollout.place(*version, *part, *needs, by)?;
            }
            RolloutStep::Demote { version, trial } => rollout.demote(*version, *trial)?,
            RolloutStep::Approve { version, by } => rollout.approve(*version, by)?,
            RolloutStep::RollBack { needs, by } => rollout.roll_back(*needs, by)?,
            RolloutStep::Suspend { version, hold } => {
                let active = rollout.active.ok_or(NotTaken::NotActive)?;
                check_is(*version, active, "active version")?;
                rollout.suspended = Some(active);
                rollout.active = if *hold { None } else { rollout.previous.take() };
            }
            RolloutStep::Resume { needs, by } => rollout.resume(*needs, by)?,
            // It has ended with its folder: now that is meant, and the folder that comes back with the same changes nothing.
            RolloutStep::Retire { .. } if rollout.is_gone() => rollout.offered = rollout.previous,
            RolloutStep::Retire { .. } if !rollout.is_live() => return Err(NotTaken::NotActive),
            RolloutStep::Retire { needs: Needs::TwoPeople, by } if rollout.in_force().is_some() => {
                rollout.retiring = Some(by.clone());
            }
            RolloutStep::Retire { .. } => rollout.retire(),
        }
        rollout.tidy();
        Ok(rollout)
    }

    /// The part that a version plays now: `active`, `loaded`, `shadow`, `canary` or `suspended`, if anything.
    pub fn part_of(&self, version: VersionId) -> Option<&'static str> {
        if self.active == Some(version) {
            return Some("active");
        }
        match &self.candidate {
            Some(candidate) if candidate.version == version => Some(match candidate.trial {
                Trial::Loaded => "loaded",
                Trial::Shadow => "shadow",
                Trial::Canary(_) => "canary",
            }),
            _ => (self.suspended == Some(version)).then_some("suspended"),
        }
    }

    /// The versions that have to be in memory: those that are asked, and the one that is suspended with none in its place.
    pub fn needed(&self) -> impl Iterator<Item = VersionId> {
        let suspended = self.suspended.filter(|_| self.active.is_none());
        self.active.into_iter().chain(self.candidate.as_ref().map(|c| c.version)).chain(suspended)
    }

    /// The versions from which a step may lead away, or to which it may lead: where one of them decides about access, the
    /// step changes what decides.
    pub fn at_stake(&self, step: &RolloutStep) -> impl Iterator<Item = VersionId> {
        let proposed = self.candidate.as_ref().filter(|candidate| candidate.proposed_by.is_some());
        let back = matches!(step, RolloutStep::RollBack { .. } | RolloutStep::Suspend { .. });
        let earlier = self.previous.filter(|_| back);
        let all = [self.active, self.suspended, proposed.map(|c| c.version), step.version(), earlier];
        all.into_iter().flatten()
    }

    /// The version that counts, or whose place people have taken.
    fn in_force(&self) -> Option<VersionId> {
        self.active.or(self.suspended)
    }

    fn demote(&mut self, version: VersionId, trial: Trial) -> Result<(), NotTaken> {
        if self.retiring.is_some() && self.in_force() == Some(version) {
            self.retiring = None;
            return Ok(());
        }
        let candidate = self.candidate_if(version)?;
        if trial >= candidate.trial && candidate.proposed_by.is_none() {
            return Err(NotTaken::NotLower);
        }
        check_share(trial)?;
        candidate.trial = candidate.trial.min(trial);
        candidate.proposed_by = None;
        Ok(())
    }

    fn resume(&mut self, needs: Needs, by: &Signatory) -> Result<(), NotTaken> {
        let version = self.suspended.ok_or(NotTaken::NotSuspended)?;
        match needs {
            Needs::OnePerson => {
                self.suspended = None;
                self.previous = self.active.replace(version).or(self.previous);
            }
            Needs::TwoPeople => self.candidate = Some(Candidate::proposed(version, by)),
        }
        Ok(())
    }

    /// The one who has proposed what an approval of this version would agree to.
    pub fn proposer_of(&self, version: VersionId) -> Option<&Signatory> {
        match &self.candidate {
            Some(candidate) if candidate.version == version => candidate.proposed_by.as_ref(),
            _ => self.retiring.as_ref(),
        }
    }

    fn approve(&mut self, version: VersionId, by: &Signatory) -> Result<(), NotTaken> {
        if let (Some(proposer), Some(in_force)) = (&self.retiring, self.in_force())
            && self.candidate.as_ref().is_none_or(|candidate| candidate.version != version)
        {
            check_is(version, in_force, "version in force")?;
            proposer.let_approve(by)?;
            self.retire();
            return Ok(());
        }
        let proposer = self.candidate_if(version)?.proposed_by.as_ref().ok_or(NotTaken::NotProposed)?;
        proposer.let_approve(by)?;
        self.activate(version);
        Ok(())
    }

    fn roll_back(&mut self, needs: Needs, by: &Signatory) -> Result<(), NotTaken> {
        let earlier = self.previous.ok_or(NotTaken::NothingEarlier)?;
        if needs == Needs::TwoPeople {
            self.candidate = Some(Candidate::proposed(earlier, by));
            return Ok(());
        }
        self.previous = None;
        // The version that is left can be promoted again.
        self.candidate = self.active.map(|version| Candidate { version, trial: Trial::Loaded, proposed_by: None });
        self.active = Some(earlier);
        Ok(())
    }

    /// All versions that it names.
    pub fn named(&self) -> impl Iterator<Item = VersionId> {
        let places = [self.active, self.previous, self.offered, self.suspended];
        places.into_iter().flatten().chain(self.candidate.as_ref().map(|candidate| candidate.version))
    }

    /// Whether any version plays a part.
    pub fn is_live(&self) -> bool {
        self.active.is_some() || self.candidate.is_some() || self.suspended.is_some()
    }

    /// The candidate, if it is this version.
    fn candidate_if(&mut self, version: VersionId) -> Result<&mut Candidate, NotTaken> {
        let candidate = self.candidate.as_mut().ok_or(NotTaken::NoCandidate)?;
        check_is(version, candidate.version, "candidate")?;
        Ok(candidate)
    }

    fn place(&mut self, version: VersionId, part: Part, needs: Needs, by: &Signatory) -> Result<(), NotTaken> {
        match part {
            Part::Active if self.active == Some(version) => self.candidate = None,
            Part::Active if needs == Needs::TwoPeople => {
                let trial = self.candidate.as_ref().filter(|c| c.version == version).map_or(Trial::Loaded, |c| c.trial);
                self.candidate = Some(Candidate { version, trial, proposed_by: Some(by.clone()) });
            }
            Part::Active => self.activate(version),
            Part::Trial(Trial::Canary(_)) if needs == Needs::TwoPeople => return Err(NotTaken::CanaryAlone),
            Part::Trial(trial) => {
                check_share(trial)?;
                self.candidate = Some(Candidate { version, trial, proposed_by: None });
            }
        }
        Ok(())
    }

    fn activate(&mut self, version: VersionId) {
        let before = self.active.replace(version);
        self.previous = before.or(self.previous);
        self.candidate = None;
        self.suspended = None;
        self.retiring = None;
    }

    /// A version plays one part; and a canary without an active version for the other tickets waits in the shadow.
    fn tidy(&mut self) {
        self.candidate = self.candidate.take().filter(|candidate| Some(candidate.version) != self.active);
        self.previous = self.previous.filter(|previous| Some(*previous) != self.active);
        self.suspended = self.suspended.filter(|suspended| Some(*suspended) != self.active);
        self.retiring = self.retiring.take().filter(|_| self.in_force().is_some());
        if self.active.is_none()
            && let Some(candidate) = &mut self.candidate
        {
            candidate.trial = candidate.trial.min(Trial::Shadow);
        }
    }

    fn retire(&mut self) {
        self.previous = self.active.take().or(self.previous);
        self.candidate = None;
        self.suspended = None;
        self.retiring = None;
    }
}

/// Refuses what is meant for another version than the one in that place.
fn check_is(meant: VersionId, there: VersionId, place: &'static str) -> Result<(), NotTaken> {
    if meant == there {
        return Ok(());
    }
    Err(NotTaken::OtherVersion { place, there: there.short(), meant: meant.short() })
}

fn check_share(trial: Trial) -> Result<(), NotTaken> {
    match trial {
        Trial::Canary(percent) if !(1..=99).contains(&percent) => Err(NotTaken::Percent { percent }),
        _ => Ok(()),
    }
}

/// Whether a ticket is in the canary's share: always the same answer for the same rule and ticket.
pub fn in_share(rule: &str, ticket: &[u8], percent: u8) -> bool {
    let digest = Digest::of(&[rule.as_bytes(), b"\0", ticket].concat());
    let first = digest.as_bytes().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    first % 100 < u64::from(percent)
}

#[cfg(test)]
mod tests;
