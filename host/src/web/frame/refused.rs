//! Why the desk does not do something, in the reader's language and with names in the place of codes.

use super::Frame;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::knowledge::ArticleState;
use crate::desk::ticket::{Party, State};

impl Frame {
    /// A refusal as a part of a sentence.
    pub fn refused(&self, refusal: &Refusal) -> String {
        let words = &self.words;
        match refusal {
            Refusal::NoTransition { from, to, .. } if from == to => words.t1("refused.already", self.quoted(*to)),
            Refusal::NoTransition { from, to, allowed } => {
                let cannot = words.t2("refused.transition", self.quoted(*from), self.quoted(*to));
                let others: Vec<String> = allowed.iter().map(|state| self.quoted(*state)).collect();
                if others.is_empty() {
                    format!("{cannot}; {}", words.t("refused.nothing-else"))
                } else {
                    format!("{cannot}; {}", words.t1("refused.others", others.join(", ")))
                }
            }
            Refusal::NotTheirTransition { from, to, allowed } => {
                let who = allowed.iter().map(|party| words.t(party_key(*party))).collect::<Vec<_>>().join(", ");
                let what = words.t2("refused.transition", self.quoted(*from), self.quoted(*to));
                format!("{what}; {}", words.t1("refused.theirs", who))
            }
            Refusal::Finished { state } => words.t1("refused.finished", self.quoted(*state)),
            Refusal::TargetOver { state } => words.t1("refused.target-over", self.quoted(*state)),
            Refusal::Over { state } => words.t1("refused.over", self.quoted(*state)),
            Refusal::CatchAll { category } => words.t1("refused.catch-all", self.category(category.as_str())),
            Refusal::Blocked { by } => {
                let by = by.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                words.t1("refused.blocked", by)
            }
            Refusal::TasksOpen { open } => words.n("refused.tasks", open),
            Refusal::LinkCircle { other } => words.t1("refused.circle", other),
            Refusal::NotShorter { hours, hours_max } => words.t2("refused.not-shorter", hours_max, hours),
            Refusal::Overdue { due_at } => words.t1("refused.overdue", self.times.exact(*due_at)),
            other => self.refused_more(other),
        }
    }

    fn refused_more(&self, refusal: &Refusal) -> String {
        let words = &self.words;
        match refusal {
            Refusal::Problems { problems } => self.problems(problems),
            Refusal::Forbidden { act } => words.t1("refused.forbidden", words.t(&format!("act.{}", act.code()))),
            Refusal::NotInCatalog { app, tier } => words.t2("refused.not-in-catalog", tier, app),
            Refusal::AccessSettled { state } => words.t1("refused.settled", self.named("access", state)),
            Refusal::NotNarrower { group, groups } => words.t2("refused.not-narrower", group, groups.join(", ")),
            Refusal::NameTaken { kind, name } => words.t2("refused.name-taken", self.named("thing", kind), name),
            Refusal::ArticleState { from, to } => {
                let named = |state: &ArticleState| self.named("help", state.code());
                words.t2("refused.article-state", named(from), named(to))
            }
            Refusal::NoSurvey { state } => words.t1("refused.no-survey", self.quoted(*state)),
            Refusal::SurveyOver { end } => words.t1("refused.survey-over", self.times.exact(*end)),
            other => plain_key(other).map(|key| words.t(key)).unwrap_or_default(),
        }
    }

    /// A state's name as it stands on the page.
    fn quoted(&self, state: State) -> String {
        self.words.t1("refused.state", self.state(state).text)
    }
}

/// The words for those who may do something.
const fn party_key(party: Party) -> &'static str {
    match party {
        Party::Requester => "refused.requester",
        Party::Agent => "refused.agent",
        Party::System => "refused.desk",
    }
}

/// The words of refusals that name nothing.
const fn plain_key(refusal: &Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::OwnAccess => "refused.own-access",
        Refusal::NotAnApprover => "refused.not-an-approver",
        Refusal::ApprovedAnotherStep => "refused.another-step",
        Refusal::DecidedAlready => "refused.decided",
        Refusal::SeenHasChanged => "refused.seen-changed",
        Refusal::ReasonMissing => "refused.no-reason",
        Refusal::QuestionOpen => "refused.question-open",
        Refusal::NotAskedBack => "refused.not-asked",
        Refusal::HighestTier => "refused.highest-tier",
        Refusal::LinkedToItself => "refused.itself",
        Refusal::OtherRequester => "refused.other-requester",
        Refusal::HasAccessRequest => "refused.has-access",
        Refusal::MergeNeedsTarget => "refused.no-target",
        Refusal::SubjectInactive => "refused.has-left",
        Refusal::GrantEnded => "refused.grant-ended",
        Refusal::NotSigned => "refused.not-signed",
        Refusal::OrderNotByHand => "refused.not-by-hand",
        Refusal::NotStopped => "refused.not-stopped",
        Refusal::FindingSettled => "refused.finding-settled",
        Refusal::NeverGranted => "refused.never-granted",
        Refusal::NotAReviewer => "refused.not-a-reviewer",
        Refusal::ReviewEnded => "refused.review-ended",
        Refusal::NoRecord => "refused.no-record",
        Refusal::Problems { .. }
        | Refusal::Forbidden { .. }
        | Refusal::NoTransition { .. }
        | Refusal::NotTheirTransition { .. }
        | Refusal::NotInCatalog { .. }
        | Refusal::AccessSettled { .. }
        | Refusal::Overdue { .. }
        | Refusal::NotShorter { .. }
        | Refusal::NotNarrower { .. }
        | Refusal::Finished { .. }
        | Refusal::NameTaken { .. }
        | Refusal::CatchAll { .. }
        | Refusal::Blocked { .. }
        | Refusal::TasksOpen { .. }
        | Refusal::LinkCircle { .. }
        | Refusal::TargetOver { .. }
        | Refusal::ArticleState { .. }
        | Refusal::Over { .. }
        | Refusal::NoSurvey { .. }
        | Refusal::SurveyOver { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::permission::Act;
    use crate::web::frame::words::{Language, Words};

    #[test]
    fn each_of_these_words_is_in_the_catalogue() {
        let known = |key: &str| Words(Language::German).has(key);
        for party in [Party::Requester, Party::Agent, Party::System] {
            assert!(known(party_key(party)), "{party:?}");
        }
        for plain in [
            Refusal::OwnAccess,
            Refusal::NotAnApprover,
            Refusal::ApprovedAnotherStep,
            Refusal::DecidedAlready,
            Refusal::SeenHasChanged,
            Refusal::ReasonMissing,
            Refusal::QuestionOpen,
            Refusal::NotAskedBack,
            Refusal::HighestTier,
            Refusal::LinkedToItself,
            Refusal::OtherRequester,
            Refusal::HasAccessRequest,
            Refusal::MergeNeedsTarget,
            Refusal::SubjectInactive,
            Refusal::GrantEnded,
            Refusal::NotSigned,
            Refusal::OrderNotByHand,
            Refusal::NotStopped,
            Refusal::FindingSettled,
            Refusal::NeverGranted,
            Refusal::NotAReviewer,
            Refusal::ReviewEnded,
            Refusal::NoRecord,
        ] {
            assert!(plain_key(&plain).is_some_and(known), "{plain}");
        }
        for act in Act::ALL {
            assert!(known(&format!("act.{}", act.code())), "{act}");
        }
        assert_eq!(plain_key(&Refusal::Forbidden { act: Act::Administer }), None);
    }
}
