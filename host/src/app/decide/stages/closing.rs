//! Closing: the effect of a requester's words on a ticket that was resolved.

use jiff::Timestamp;
use serde::Serialize;

use super::{Ask, Told, by, wrong_stage};
use crate::app::decide::translate;
use crate::app::record::verdict::{RecordedClosing, RecordedVerdict};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::ticket::State;
use crate::desk::ticket::lifecycle::words::verdict::{self, WordsVerdict};
use crate::desk::ticket::lifecycle::words::{self, Effect, Spoken};
use crate::desk::verdict::{Given, Unfit};
use crate::rules::contract::{SoFar, closing};
use crate::rules::run::stage::{Answer, Stage};

/// Closing for a form, with the effect that its policy has where no rule says another.
pub struct Closing<'a> {
    form: Option<&'a RequestType>,
    state: State,
    policy: Effect,
}

/// The part of the input that closing alone has.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OwnClosing<'a> {
    so_far: &'a SoFar,
    words: &'a closing::Words,
    state: &'a str,
    resolution: &'a closing::Resolution,
    reopened: u32,
}

impl<'a> OwnClosing<'a> {
    /// Of a whole input.
    pub fn of(input: &'a closing::Input) -> Self {
        let closing::Input { so_far, words, state, resolution, reopened, .. } = input;
        Self { so_far, words, state, resolution, reopened: *reopened }
    }
}

impl<'a> Closing<'a> {
    /// For the words of an input.
    pub fn of(organisation: &'a Organisation, input: &closing::Input) -> Self {
        let form = organisation.request_types.get(input.ticket.request_type.as_str());
        let policy = form.map_or(&organisation.closing, |form| &form.closing);
        let state = State::from_code(&input.state).unwrap_or(State::Resolved);
        let instant = |ms: u64| {
            let ms = i64::try_from(ms).unwrap_or(i64::MAX);
            Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
        };
        let (resolved_at, now) = (instant(input.resolution.at), instant(input.now.at));
        let spoken = Spoken { state, resolved_at, body: &input.words.text, now };
        Self { form, state, policy: words::by_policy(&spoken, policy) }
    }

    /// The effect by policy alone.
    pub fn policy(&self) -> Effect {
        self.policy
    }
}

impl Ask for Closing<'_> {
    const STAGE: Stage = Stage::Closing;
    /// `None` is no opinion.
    type Answer = Option<Effect>;
    type Verdict = WordsVerdict;

    fn check(&self, answer: Answer) -> Result<Option<Effect>, Unfit> {
        match answer {
            Answer::Closing(answer) => {
                let effect = translate::effect(answer.decision);
                effect.map(|effect| verdict::check(effect, self.state, self.form)).transpose()
            }
            other => Err(wrong_stage(&other)),
        }
    }

    fn combine(&self, given: &[Given<Option<Effect>>]) -> WordsVerdict {
        verdict::combine(self.policy, given)
    }

    fn record(verdict: &WordsVerdict) -> RecordedVerdict {
        RecordedVerdict::Closing(RecordedClosing {
            effect: verdict.effect.value.code().to_owned(),
            effect_by: by(&verdict.effect.by),
            unanswered: verdict.unanswered.iter().map(ToString::to_string).collect(),
        })
    }

    fn tell(verdict: &WordsVerdict, _: &[Given<Option<Effect>>]) -> Told {
        Told {
            fields: vec![("effect", verdict.effect.value.code().to_owned())],
            by: by(&verdict.effect.by),
            reason: verdict.effect.by.reason().to_owned(),
        }
    }
}
