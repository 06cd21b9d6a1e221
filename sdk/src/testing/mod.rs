//! Tests of rules without Wasm: inputs built in a line, rules built from settings, and the manifest's examples.
//! Only on native targets; it knows nothing of the desk's own checks, such as whether a category exists.
//!
//! ```
//! use ruledesk_sdk::priority::Decision;
//! use ruledesk_sdk::{priority, testing};
//! # use ruledesk_sdk::export;
//! # #[derive(serde::Deserialize)]
//! # struct Vip { level: String }
//! # impl priority::Rule for Vip {
//! #     fn decide(&self, input: &priority::Input) -> Result<priority::Answer, String> {
//! #         if input.requester.vip { return Ok(priority::Answer::rate(&self.level)); }
//! #         Ok(priority::Answer::pass("not a VIP"))
//! #     }
//! # }
//! # export!(Vip: priority);
//! # fn main() {
//! use ruledesk_sdk::priority::Rule;
//!
//! let rule = testing::rule::<Vip>(r#"level = "high""#);
//! let input = testing::priority_input(testing::ticket("hardware"), testing::person("amara").vip());
//! assert_eq!(rule.decide(&input).unwrap(), priority::Answer::rate("high"));
//! # }
//! ```

mod build;
mod examples;
mod moment;
mod sketch;
mod sparse;
mod spoken;
pub(crate) mod world;

pub use build::{
    PersonBuilder, TicketBuilder, access_input, categorization_input, closing_input, intake_input, person,
    priority_input, routing_input, so_far, ticket,
};
pub use examples::{Missed, examples};
pub use moment::{at, moment};
pub use world::{logged, set_row};

use crate::glue::{Exported, build};
use crate::{access, categorization, closing, intake, priority, routing};

/// An input of some stage.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a test holds one at a time")]
pub enum Question {
    /// For intake.
    Intake(intake::Input),
    /// For categorization.
    Categorization(categorization::Input),
    /// For priority.
    Priority(priority::Input),
    /// For routing.
    Routing(routing::Input),
    /// For access.
    Access(access::Input),
    /// For closing.
    Closing(closing::Input),
}

/// What a rule answered at some stage.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Of intake.
    Intake(Result<intake::Answer, String>),
    /// Of categorization.
    Categorization(Result<categorization::Answer, String>),
    /// Of priority.
    Priority(Result<priority::Answer, String>),
    /// Of routing.
    Routing(Result<routing::Answer, String>),
    /// Of access.
    Access(Result<access::Answer, String>),
    /// Of closing.
    Closing(Result<closing::Answer, String>),
}

/// A rule from settings in TOML, built the way the desk builds it.
///
/// # Panics
///
/// If the settings are wrong; use [`try_rule`] to test that.
#[track_caller]
pub fn rule<R: Exported>(settings: &str) -> R {
    built(try_rule(settings))
}

/// A rule from the `[settings]` of a manifest, such as `include_str!("../rule.toml")`.
///
/// # Panics
///
/// If the manifest or the settings are wrong.
#[track_caller]
pub fn shipped<R: Exported>(manifest: &str) -> R {
    built(from_manifest(manifest))
}

/// A rule from settings in TOML.
///
/// # Errors
///
/// What the desk's log would say: one sentence for each thing that is wrong with the settings.
pub fn try_rule<R: Exported>(settings: &str) -> Result<R, Vec<String>> {
    let table: toml::Table = toml::from_str(settings).map_err(|error| vec![error.to_string()])?;
    from_table(&table)
}

pub(crate) fn from_manifest<R: Exported>(manifest: &str) -> Result<R, Vec<String>> {
    let manifest: toml::Table = toml::from_str(manifest).map_err(|e| vec![e.to_string()])?;
    match manifest.get("settings") {
        Some(toml::Value::Table(settings)) => from_table(settings),
        Some(_) => Err(vec!["`settings` is not a table".to_owned()]),
        None => from_table(&toml::Table::new()),
    }
}

fn from_table<R: Exported>(settings: &toml::Table) -> Result<R, Vec<String>> {
    let json = serde_json::to_string(settings).map_err(|error| vec![error.to_string()])?;
    build(&json)
}

#[track_caller]
#[expect(clippy::panic, reason = "a test with wrong settings has to fail")]
fn built<R>(rule: Result<R, Vec<String>>) -> R {
    match rule {
        Ok(rule) => rule,
        Err(problems) => panic!("wrong settings: {}", problems.join("; ")),
    }
}
