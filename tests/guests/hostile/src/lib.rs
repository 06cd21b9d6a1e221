//! A rule that misbehaves in the way its settings name: `does = "loop"`, and so on.
//!
//! Asked at every stage, so that one component serves all tests of what the desk does about a bad rule.

use ruledesk_sdk::types::Value;
use ruledesk_sdk::{access, categorization, closing, export, intake, log, priority, routing, tables};

/// How to misbehave.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Hostile {
    does: Deed,
    /// Its words, where the deed is to say something.
    #[serde(default)]
    text: String,
    /// How often it says that.
    #[serde(default)]
    times: usize,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    Pass,
    Loop,
    Recurse,
    HoardMemory,
    Panic,
    FloodLog,
    CallHost,
    HugeAnswer,
    UnknownName,
    GiveUp,
    Reject,
    LookUpForbidden,
    /// Says its text in the place of a name: of a duplicate, a category, a level, a team.
    SayName,
    /// Sets a form's field of that name.
    SayField,
    /// Sets the number of people of a form to its text.
    SayNumber,
    SaySubject,
    SayBody,
    /// Rejects with as many problems as an answer may have, of nothing but its text.
    SayProblems,
    /// Gives approvers longer than any clock runs.
    WaitForEver,
    /// The four things that a rule for closing can decide, each about all words.
    Reopen,
    FollowUp,
    Keep,
    Confirm,
}

impl Hostile {
    /// Does the deed; what it returns, if it returns, is the text for the answer.
    #[expect(clippy::panic, reason = "this is what the deed is")]
    fn act(&self) -> Result<String, String> {
        match self.does {
            Deed::Pass | Deed::Reopen | Deed::FollowUp | Deed::Keep | Deed::Confirm => Ok("nothing".to_owned()),
            Deed::Loop => spin(),
            Deed::Recurse => Ok(deeper(1).to_string()),
            Deed::HoardMemory => hoard(),
            Deed::Panic => panic!("the rule's own words: a cow stands on the runway"),
            Deed::FloodLog => {
                for n in 0..60 {
                    log::info(&format!("{n} {}", "flood ".repeat(200)));
                }
                Ok("flooded".to_owned())
            }
            Deed::CallHost => loop {
                log::info("again");
            },
            Deed::HugeAnswer => Ok("x".repeat(32 << 20)),
            Deed::UnknownName => Ok("no-such-name".to_owned()),
            Deed::GiveUp => Err("I do not know".to_owned()),
            Deed::Reject => Ok("rejected".to_owned()),
            Deed::LookUpForbidden => Ok(format!("{:?}", tables::lookup("secrets", "root"))),
            Deed::SayName | Deed::SayField | Deed::SayNumber | Deed::SaySubject | Deed::SayBody | Deed::SayProblems => {
                Ok(self.text.repeat(self.times))
            }
            Deed::WaitForEver => Ok("in a while".to_owned()),
        }
    }
}

fn spin() -> ! {
    let mut n = 0_u64;
    loop {
        n = core::hint::black_box(n.wrapping_add(1));
    }
}

fn deeper(n: u64) -> u64 {
    let here = core::hint::black_box([n; 16]);
    if here[0] == 0 { 0 } else { deeper(n + 1) + here[15] }
}

fn hoard() -> ! {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        // A byte in every page: memory that is only reserved would not count as hoarded.
        let mut block = Vec::with_capacity(1 << 20);
        for page in block.spare_capacity_mut().chunks_mut(4096) {
            if let Some(byte) = page.first_mut() {
                byte.write(1);
            }
        }
        hoard.push(core::hint::black_box(block));
    }
}

impl intake::Rule for Hostile {
    fn decide(&self, _: &intake::Input) -> Result<intake::Answer, String> {
        let text = self.act()?;
        if matches!(self.does, Deed::Reject) {
            return Ok(intake::Answer::reject(vec![intake::Problem {
                field: "subject".to_owned(),
                code: "refused".to_owned(),
                message: "Nothing passes here.".to_owned(),
            }])
            .because(text));
        }
        if matches!(self.does, Deed::SayProblems) {
            return Ok(intake::Answer::reject(vec![intake::Problem::new(&text, &text, &text); 100]));
        }
        let mut answer = intake::Answer::accept();
        if let intake::Decision::Accept(changes) = &mut answer.decision {
            match self.does {
                Deed::UnknownName | Deed::SayName => changes.duplicate_of = Some(text.clone()),
                Deed::SayField => changes.set_field(&text, Value::Flag(true)),
                Deed::SayNumber => {
                    changes.set_field("people-affected", Value::Number(text.parse().unwrap_or_default()))
                }
                Deed::SaySubject => changes.subject = Some(text.clone()),
                Deed::SayBody => changes.body = Some(text.clone()),
                _ => {}
            }
        }
        // Of a long text the name is enough: an answer has a bound.
        let reason = if self.times > 1 { String::new() } else { text };
        Ok(answer.because(reason))
    }
}

impl categorization::Rule for Hostile {
    fn decide(&self, _: &categorization::Input) -> Result<categorization::Answer, String> {
        let text = self.act()?;
        Ok(categorization::Answer::category(text).because("hostile"))
    }
}

impl priority::Rule for Hostile {
    fn decide(&self, _: &priority::Input) -> Result<priority::Answer, String> {
        let text = self.act()?;
        if matches!(self.does, Deed::UnknownName | Deed::SayName) {
            return Ok(priority::Answer::rate(text).because("hostile"));
        }
        Ok(priority::Answer::pass(text))
    }
}

impl routing::Rule for Hostile {
    fn decide(&self, _: &routing::Input) -> Result<routing::Answer, String> {
        let text = self.act()?;
        Ok(routing::Answer::to_team(text).because("hostile"))
    }
}

impl access::Rule for Hostile {
    fn decide(&self, input: &access::Input) -> Result<access::Answer, String> {
        let text = self.act()?;
        if matches!(self.does, Deed::WaitForEver) {
            let step = access::ApprovalStep::any_of(vec!["lena".to_owned()], u32::MAX);
            return Ok(access::Answer::require(input.requested_scope(None)).step(step));
        }
        Ok(access::Answer::pass(text))
    }
}

impl closing::Rule for Hostile {
    fn decide(&self, _: &closing::Input) -> Result<closing::Answer, String> {
        let text = self.act()?;
        let answer = match self.does {
            Deed::Reopen => closing::Answer::reopen(),
            Deed::FollowUp => closing::Answer::follow_up(),
            Deed::Keep => closing::Answer::keep(),
            Deed::Confirm => closing::Answer::confirm(),
            _ => closing::Answer::pass(""),
        };
        Ok(answer.because(text))
    }
}

export!(Hostile: intake, categorization, priority, routing, access, closing);
