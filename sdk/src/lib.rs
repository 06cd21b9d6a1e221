//! Write RuleDesk rules in Rust.
//!
//! A rule answers one question of the desk, such as "how urgent is this ticket?". It is a pure function of its input and
//! its settings: it has no clock, no files, no network, and keeps nothing from one decision to the next.
//!
//! ```
//! use ruledesk_sdk::export;
//! use ruledesk_sdk::priority::{self, Answer, Input};
//! use ruledesk_sdk::serde::Deserialize;
//!
//! /// The `[settings]` of the manifest.
//! #[derive(Deserialize)]
//! #[serde(crate = "ruledesk_sdk::serde", rename_all = "kebab-case", deny_unknown_fields)]
//! struct Vip {
//!     level: String,
//! }
//!
//! impl priority::Rule for Vip {
//!     fn decide(&self, input: &Input) -> Result<Answer, String> {
//!         if input.requester.vip {
//!             return Ok(Answer::rate(&self.level).because("the requester is a VIP"));
//!         }
//!         Ok(Answer::pass("the requester is not a VIP"))
//!     }
//! }
//!
//! export!(Vip: priority);
//! # fn main() {}
//! ```
//!
//! # Where things are
//!
//! | module | what |
//! |---|---|
//! | [`intake`], [`categorization`], [`priority`], [`routing`], [`access`], [`closing`] | one a stage: its `Rule` trait, its input, its answer |
//! | [`types`] | what the stages share: tickets, people, moments |
//! | [`text`], [`index`] | words, clean text, and a map from words |
//! | [`log`], [`tables`] | what a rule may ask of the desk |
//! | [`export!`] | makes a type a rule |
//! | `testing` | tests without Wasm: builders of inputs, and the manifest's examples (native targets only) |
//!
//! # What is free, and what is not
//!
//! The desk hands over the settings once and starts every decision from the memory as it is then. So work done in a
//! rule's `prepare` costs a decision nothing: build indexes there. A decision's memory is never freed, because it lives
//! for one decision; the answer is the only thing that leaves it.

#![deny(missing_docs)]

#[cfg(any(target_arch = "wasm32", test))]
#[cfg_attr(target_arch = "wasm32", expect(unsafe_code, reason = "an allocator hands out raw memory"))]
mod alloc;
#[doc(hidden)]
#[allow(clippy::all, clippy::restriction, unsafe_code, reason = "generated")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit/1.1.0",
        world: "every-stage-and-closing",
        pub_export_macro: true,
        default_bindings_module: "ruledesk_sdk::bindings",
        additional_derives: [PartialEq],
    });
}
#[doc(hidden)]
pub mod glue;
mod json;
mod settings;

pub mod access;
pub mod categorization;
pub mod closing;
pub mod index;
pub mod intake;
pub mod log;
pub mod priority;
pub mod routing;
pub mod tables;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod text;
pub mod types;

pub use serde;

/// The rule of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
