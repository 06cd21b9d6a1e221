//! RuleDesk's host, in reading order: `desk` is the domain and pure; `rules` runs the customers' components; `store`
//! keeps what happened; `app` is where the three meet, one function a use case; `api` and `cli` translate, `jobs` does what its time has come for.
//!
//! Imports point one way only, and `tests/tidy.rs` reads them:
//!
//! ```text
//! cli -> api, jobs -> app -> store -> desk
//!               app -> rules
//!               config -> desk
//! cli -> author -> rules
//! cli, api, app -> telemetry
//! ```

pub mod api;
pub mod app;
pub mod author;
pub mod cli;
pub mod config;
pub mod desk;
pub mod import;
pub mod jobs;
pub mod rules;
pub mod store;
pub mod telemetry;
