//! Why a rule's answer does not count.

use crate::desk::id::NotAKey;
use crate::desk::text::quoted;

/// Why a rule's answer does not count: a sentence for the decision record, with what is allowed in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("an answer of another stage: {reason}")]
    OtherStage { reason: String },
    #[error("it has {length} {what}: at most {length_max}")]
    TooMany { what: &'static str, length: usize, length_max: usize },
    #[error("{} is not a {what}: there are {known}", quoted(name))]
    Unknown { what: &'static str, name: String, known: String },

    #[error("it rejects without a problem")]
    NoProblem,
    #[error("its {text} has more than {chars_max} characters")]
    TooLong { text: &'static str, chars_max: usize },
    #[error("its {text}: {message}")]
    BadText { text: String, message: String },
    #[error("it leaves nothing of what was submitted: a subject has something in it")]
    NothingLeft,
    #[error("it sets the field `{name}`, which {message}")]
    BadField { name: String, message: String },
    #[error("a signal has no control characters")]
    SignalCharacters,
    #[error("a signal has 1 to {bytes_max} bytes that can be seen, not {bytes}")]
    SignalLength { bytes: usize, bytes_max: usize },
    #[error("`duplicate-of` is {}: {source}", quoted(key))]
    DuplicateOf { key: String, source: NotAKey },

    #[error("{} is not a kind: use incident, request, problem or change", quoted(word))]
    Kind { word: String },

    #[error("it names no team, no person and no skills")]
    Nowhere,
    #[error("{} is not a member of {team}", quoted(person))]
    NotAMember { person: String, team: String },
    #[error("nobody has the skill {}", quoted(skill))]
    Skill { skill: String },
    #[error("{} is not a strategy: use round-robin or least-loaded", quoted(word))]
    Strategy { word: String },

    #[error("{} is not a tier of {app}: there are {known}", quoted(tier))]
    Tier { tier: String, app: String, known: String },
    #[error("it grants the tier `{tier}`, and `{asked}` was asked for")]
    HigherTier { tier: String, asked: String },
    #[error("it grants {hours} hours: allowed are 1 to {hours_max}")]
    Duration { hours: u32, hours_max: u32 },
    #[error("{} is not a role of the tier `{tier}`: there are {known}", quoted(role))]
    Role { role: String, tier: String, known: String },
    #[error("the tier `{tier}` does not give the group {}", quoted(group))]
    Group { group: String, tier: String },
    #[error("it requires approval by nobody: name at least one step")]
    NoSteps,
    #[error("it gives approvers {hours} hours: `due-in-hours` is 1 to {hours_max}")]
    DueIn { hours: u32, hours_max: u32 },
    #[error("a step needs no approval: `needed` is at least 1")]
    NoApproval,
    #[error("it needs {needed} approvals, and nobody may give them")]
    NoApprovers { needed: u32 },

    #[error("a ticket that is {state} cannot become {to}: its words can be kept, or become a follow-up")]
    Transition { state: &'static str, to: &'static str },
    #[error("a follow-up of `{form}` is a request of its own, which people make")]
    OwnRequest { form: String },
    #[error("there is no form any more for a follow-up")]
    NoForm,
}
