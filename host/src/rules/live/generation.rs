//! The rules that are asked, as one unchanging generation: each with its part, in order.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use super::rollout::{Trial, in_share};
use crate::rules::run::manifest::Mode;
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Stage;

/// All rules that are asked at one time.
#[derive(Debug)]
pub struct Generation {
    /// Counts up from 1 in each process.
    pub number: u64,
    /// The revision of the deployments that these rules are of, once that is known.
    revision: OnceLock<i64>,
    /// In the order in which they are asked: by `order`, then by name.
    rules: Vec<Arc<Rule>>,
    /// Of each rule at the same place.
    parts: Vec<Playing>,
    missed: Missed,
}

/// The one that should be asked and is not: a rule, or a folder that may have one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missed {
    pub intake: Option<PathBuf>,
    pub access: Option<PathBuf>,
    /// At a stage before access: what is decided there is what access is decided by.
    pub feed: Option<PathBuf>,
    pub closing: Option<PathBuf>,
}

/// What a version's answers do in a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Playing {
    /// They count, for all tickets or, beside a canary, for those outside of its share.
    Active { canary_percent: Option<u8> },
    /// They have no effect.
    Shadow,
    /// They count for this share of the tickets.
    Canary { percent: u8 },
}

/// What an answer was given for, as it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Active,
    Shadow,
    /// A candidate that counted for this ticket.
    Canary,
    /// The stable version beside such a candidate, without effect.
    Beside,
}

impl Role {
    /// Whether the answer has an effect.
    pub const fn counts(self) -> bool {
        matches!(self, Role::Active | Role::Canary)
    }

    /// Whether the version is one that is tried.
    pub const fn is_candidate(self) -> bool {
        matches!(self, Role::Shadow | Role::Canary)
    }

    /// The stable word.
    pub const fn code(self) -> &'static str {
        match self {
            Role::Active => "active",
            Role::Shadow => "shadow",
            Role::Canary => "canary",
            Role::Beside => "beside",
        }
    }
}

impl Generation {
    /// A generation of these rules and parts.
    pub(crate) fn new(number: u64, mut entries: Vec<(Arc<Rule>, Playing)>, missed: Missed) -> Self {
        entries
            .sort_by(|(a, _), (b, _)| (a.manifest.order, &a.manifest.name).cmp(&(b.manifest.order, &b.manifest.name)));
        let (rules, parts) = entries.into_iter().unzip();
        Self { number, revision: OnceLock::new(), rules, parts, missed }
    }

    /// A generation that is live nowhere: this one without the rules of some names, in any version, and with others. All else
    /// plays the part that it plays here, and what is in doubt here is in doubt there. A rule that is put in stands for all
    /// versions of its name; in the shadow it stands for the candidate only, beside the active version.
    pub fn altered(&self, without: &[String], with: Vec<(Arc<Rule>, Playing)>) -> Self {
        let mut entries: Vec<(Arc<Rule>, Playing)> =
            self.rules.iter().cloned().zip(self.parts.iter().copied()).collect();
        entries.retain(|(rule, _)| !without.iter().any(|name| rule.manifest.name.as_str() == name));
        for (rule, part) in with {
            entries.retain_mut(|(other, its_part)| match its_part {
                _ if other.manifest.name != rule.manifest.name => true,
                Playing::Active { canary_percent } if part == Playing::Shadow => {
                    // The candidate that had this share is no more.
                    *canary_percent = None;
                    true
                }
                _ => false,
            });
            entries.push((rule, part));
        }
        Self::new(self.number, entries, self.missed.clone())
    }

    /// The rule of a name: the version that is active, or the one that is tried where none is.
    pub fn named(&self, name: &str) -> Option<&Arc<Rule>> {
        let of_name =
            || self.rules.iter().zip(&self.parts).filter(move |(rule, _)| rule.manifest.name.as_str() == name);
        let active = of_name().find(|(_, part)| matches!(part, Playing::Active { .. }));
        active.or_else(|| of_name().next()).map(|(rule, _)| rule)
    }

    /// The revision of the deployments that these rules are of, which means the same to all processes on one database. None
    /// while this process is between two of them.
    pub fn revision(&self) -> Option<i64> {
        self.revision.get().copied()
    }

    /// Says of which revision these rules are; the first word stands.
    pub(crate) fn set_revision(&self, revision: i64) {
        self.revision.get_or_init(|| revision);
    }

    pub(crate) fn is_at(&self, revision: Option<i64>) -> bool {
        self.revision() == revision
    }

    /// Whether the same versions play the same parts.
    pub(crate) fn is_like(&self, other: &Generation) -> bool {
        self.parts == other.parts
            && self.missed == other.missed
            && self.rules.len() == other.rules.len()
            && self.rules.iter().zip(&other.rules).all(|(a, b)| Arc::ptr_eq(a, b))
    }

    /// All rules, in the order in which they are asked; of one that is tried, both versions.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The rules whose answers about access count, in order: those that are active, and candidates for their share.
    pub fn for_access(&self) -> impl Iterator<Item = &Arc<Rule>> {
        let all = self.rules.iter().zip(&self.parts);
        let counts = all.filter(|(rule, part)| **part != Playing::Shadow && rule.manifest.is_asked_at(Stage::Access));
        counts.map(|(rule, _)| rule)
    }

    /// The rules that may be asked at a stage about such a ticket, in order.
    pub fn asked<'a>(
        &'a self,
        stage: Stage,
        request_type: &'a str,
        category: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Rule>> {
        self.playing(stage, request_type, category).map(|(rule, _)| rule)
    }

    /// The rules to ask at a stage about one ticket, in order, with what each answer is for. The ticket's id decides whether
    /// it is in a canary's share, so that it is in all stages or in none, and again when it is asked about later. A rule whose
    /// answer about access would count, and may be another one the next time, is not asked: see [`Generation::access_in_doubt`].
    pub fn asked_about<'a>(
        &'a self,
        stage: Stage,
        request_type: &'a str,
        category: Option<&'a str>,
        ticket: &'a [u8],
    ) -> impl Iterator<Item = (&'a Arc<Rule>, Role)> {
        let roles = self.roles(stage, request_type, category, ticket);
        roles.filter(move |(rule, role)| !(stage == Stage::Access && role.counts() && rule.is_uncertain_about_access()))
    }

    fn roles<'a>(
        &'a self,
        stage: Stage,
        request_type: &'a str,
        category: Option<&'a str>,
        ticket: &'a [u8],
    ) -> impl Iterator<Item = (&'a Arc<Rule>, Role)> {
        self.playing(stage, request_type, category).filter_map(move |(rule, part)| {
            let inside = |percent| in_share(rule.manifest.name.as_str(), ticket, percent);
            let role = match part {
                Playing::Active { canary_percent: Some(percent) } if inside(percent) => Role::Beside,
                Playing::Active { .. } => Role::Active,
                Playing::Shadow => Role::Shadow,
                Playing::Canary { percent } if inside(percent) => Role::Canary,
                Playing::Canary { .. } => return None,
            };
            Some((rule, role))
        })
    }

    fn playing<'a>(
        &'a self,
        stage: Stage,
        request_type: &'a str,
        category: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Arc<Rule>, Playing)> {
        self.rules.iter().zip(self.parts.iter().copied()).filter(move |(rule, _)| {
            let manifest = &rule.manifest;
            manifest.is_asked_at(stage) && manifest.matches.admits(request_type, category)
        })
    }

    /// A rule that would be asked about access and is not live, not even in an earlier version, or whose answer about this
    /// ticket would count and may be another one the next time. Access must not be given as if that rule had nothing to say.
    pub fn access_in_doubt<'a>(
        &'a self,
        request_type: &'a str,
        category: Option<&'a str>,
        ticket: &'a [u8],
    ) -> Option<&'a Path> {
        let mut roles = self.roles(Stage::Access, request_type, category, ticket);
        let uncertain = roles.find(|(rule, role)| role.counts() && rule.is_uncertain_about_access());
        self.missed.access.as_deref().or_else(|| uncertain.map(|(rule, _)| Path::new(rule.manifest.name.as_str())))
    }

    /// A rule that would be asked at intake and is not: what was submitted is not fully checked.
    pub fn intake_in_doubt(&self) -> Option<&Path> {
        self.missed.intake.as_deref()
    }

    /// A rule that would be asked before access and is not: access must not be given as if it had nothing to say.
    pub fn feed_in_doubt(&self) -> Option<&Path> {
        self.missed.feed.as_deref()
    }

    /// Whether a rule decides about the access that such tickets ask for, in any category at all.
    pub fn decides_access(&self, request_type: &str) -> bool {
        self.rules.iter().zip(&self.parts).any(|(rule, part)| {
            let manifest = &rule.manifest;
            let counts = *part != Playing::Shadow && manifest.is_asked_at(Stage::Access);
            counts && manifest.matches.is_about(request_type)
        })
    }

    /// A rule that would be asked about the words after a resolution and is not: the policy may stand for its answer.
    pub fn closing_in_doubt(&self) -> Option<&Path> {
        self.missed.closing.as_deref()
    }

    /// Whether any rule is asked about the words after a resolution, or should be.
    pub fn hears_words(&self) -> bool {
        self.missed.closing.is_some() || self.rules.iter().any(|rule| rule.manifest.is_asked_at(Stage::Closing))
    }

    /// Whether a rule asks to see the requester's recent tickets at a stage.
    pub fn wants_recent_tickets(&self) -> bool {
        self.rules.iter().any(|r| r.manifest.mode != Mode::Off && r.manifest.wants_recent_tickets)
    }
}

/// The part that a trial of a candidate plays, if it is asked at all.
pub(crate) fn playing(trial: Trial) -> Option<Playing> {
    match trial {
        Trial::Loaded => None,
        Trial::Shadow => Some(Playing::Shadow),
        Trial::Canary(percent) => Some(Playing::Canary { percent }),
    }
}
