//! Why the desk does not do what it was asked: facts for programs, sentences only in `Display`.

use jiff::Timestamp;

use super::id::{AppId, CategoryId, TicketNumber, TierId};
use super::organisation::form::Problem;
use super::permission::Act;
use super::ticket::knowledge::ArticleState;
use super::ticket::{Party, State};

/// Why a command changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the submission has {} problem(s)", problems.len())]
    Problems { problems: Vec<Problem> },
    #[error("you may not {act}")]
    Forbidden { act: Act },
    #[error("a ticket that is {from} cannot become {to}{}", instead(allowed))]
    NoTransition { from: State, to: State, allowed: Vec<State> },
    #[error("only {} may make a ticket that is {from} {to}", parties(allowed))]
    NotTheirTransition { from: State, to: State, allowed: Vec<Party> },
    #[error("the catalog has the tier `{tier}` of `{app}` no more: deny the request, or have it made anew")]
    NotInCatalog { app: AppId, tier: TierId },
    #[error("the access request is {state}, so there is nothing left to decide")]
    AccessSettled { state: &'static str },
    #[error("nobody approves access for themselves or for what they asked for")]
    OwnAccess,
    #[error("this step of the access request does not await you")]
    NotAnApprover,
    #[error("you have approved another step of this request, and each step asks another person")]
    ApprovedAnotherStep,
    #[error("you have decided this step already, and a decision stands")]
    DecidedAlready,
    #[error("approval was due by {due_at}; after that the request can only be denied or made anew")]
    Overdue { due_at: Timestamp },
    #[error("an approver may shorten the grant to 1 to {hours_max} hours, not make it {hours} hours")]
    NotShorter { hours: u32, hours_max: u32 },
    #[error("the group `{group}` is not among those that the rules allow: leave some of them out: {}", groups.join(", "))]
    NotNarrower { group: String, groups: Vec<String> },
    #[error("whoever is to have the access has left")]
    SubjectInactive,
    #[error("a ticket that is {state} is not changed by hand: reopen it first, where that can be")]
    Finished { state: State },
    #[error("the grant gives no access any more")]
    GrantEnded,
    #[error("what you were shown has changed since: look again, and decide by that")]
    SeenHasChanged,
    #[error("no secret of the order's app has signed this, or not within the last five minutes")]
    NotSigned,
    #[error("another question about this request waits for its answer")]
    QuestionOpen,
    #[error("no question about this request waits for your answer")]
    NotAskedBack,
    #[error("the order does not wait for the word of a person")]
    OrderNotByHand,
    #[error("the directory has another {kind} called `{name}`")]
    NameTaken { kind: &'static str, name: String },
    #[error("the desk has not stopped: there is nothing to resume")]
    NotStopped,
    #[error("the finding is settled")]
    FindingSettled,
    #[error("no grant of the desk ever gave it: take it away in the app, and it is gone from here at the next look")]
    NeverGranted,
    #[error("the review of this access does not ask you")]
    NotAReviewer,
    #[error("the review of this access has come to its end: there is nothing left to say")]
    ReviewEnded,
    #[error("say why: a denial needs a reason")]
    ReasonMissing,
    #[error(
        "the category `{category}` only says that none was found, or is no more: give the ticket the one that it belongs to, then resolve it"
    )]
    CatchAll { category: CategoryId },
    #[error("it waits for {}: resolve that first, or take the link away", numbers(by))]
    Blocked { by: Vec<TicketNumber> },
    #[error("{open} of its tasks are open: do them, or take them away")]
    TasksOpen { open: usize },
    #[error("no team is above the one that has this ticket, or the ticket was there already")]
    HighestTier,
    #[error("a ticket is not linked with itself")]
    LinkedToItself,
    #[error("{other} depends on this ticket already, so that this one cannot depend on it")]
    LinkCircle { other: TicketNumber },
    #[error(
        "the two tickets are of different people, who would read each other's words: link them as duplicates instead"
    )]
    OtherRequester,
    #[error("the other ticket is {state}, and takes nothing up any more")]
    TargetOver { state: State },
    #[error("a ticket that asks for access is decided by itself: deny or cancel it instead")]
    HasAccessRequest,
    #[error("a ticket is merged into another: name that one")]
    MergeNeedsTarget,
    #[error("an article that is {} cannot become {}", from.code(), to.code())]
    ArticleState { from: ArticleState, to: ArticleState },
    #[error("the ticket was resolved without a record: there is nothing to make an article of")]
    NoRecord,
    #[error("a ticket that is {state} takes no more words at this point: take it up in a new one, which follows it up")]
    Over { state: State },
    #[error("a ticket that is {state} is not asked about: that comes when it is closed")]
    NoSurvey { state: State },
    #[error("the answer could be given or changed until {end}")]
    SurveyOver { end: Timestamp },
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal::Problems { problems: vec![problem] }
    }
}

fn numbers(numbers: &[TicketNumber]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn instead(states: &[State]) -> String {
    let codes: Vec<&str> = states.iter().map(|state| state.code()).collect();
    if codes.is_empty() { ": it stays as it is".to_owned() } else { format!("; it can become: {}", codes.join(", ")) }
}

fn parties(parties: &[Party]) -> String {
    let words: Vec<&str> = parties.iter().map(|party| party.word()).collect();
    words.join(" or ")
}
