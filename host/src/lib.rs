//! RuleDesk's host, one module ("room") for each concern. Rooms in reading order:
//!
//! | room | concern |
//! |---|---|
//! | [`desk`] | the domain: pure, no clock, no network, no database |
//! | [`rules`] | runs the customers' components, and knows nothing of a desk |
//! | [`store`] | keeps all that happened: the only SQL |
//! | [`app`] | the use cases, one function each, where these three meet |
//! | [`api`], [`web`], [`cli`] | translate requests of programs, browsers and a shell into use cases |
//! | [`jobs`] | runs the use cases whose time has come |
//! | [`connectors`] | the ways out: apps, mail, the scanner of files, the identity provider |
//! | [`mail`], [`messages`], [`signing`] | mail that comes in, the words of letters, signatures of messages |
//! | [`config`] | a directory of files becomes one checked value |
//! | [`import`], [`rows`] | tickets of another desk, and files of rows |
//! | [`author`] | the tools of those who write rules |
//! | [`telemetry`] | traces for a collector |
//!
//! A ticket goes through them in six steps: `api/tickets` translates, `app/tickets/submit` shows all branches, `store` reads the facts
//! that rules may see, `app/decide/pipeline` asks the stages on a thread of `rules`, `desk/ticket/submit` makes one value of it all,
//! and `store/commit` writes that in one transaction.
//!
//! Imports point one way only; `tests/tidy.rs` has the whole list and fails on any other:
//!
//! ```text
//! cli -> api, web, jobs -> app -> store -> desk
//!                          app -> rules
//!                          app -> config -> messages -> desk
//!                          app -> mail -> desk
//!        jobs -> connectors -> desk, rules
//!                          app, connectors -> signing
//! cli -> author -> rules
//! cli -> import -> rows          config -> rows
//! cli, api, jobs, app -> telemetry
//! ```
//!
//! Only one file of `cli` names `store`: `cli/desk/mod.rs`, which opens and migrates it. All other commands go through `app`.
//!
//! # Glossary
//!
//! People and what they ask for:
//!
//! - *requester*: the person whom a ticket is for; *submitter*: the one who sent it. *Agent*, *approver*, *admin*: roles.
//! - *operator*: the user at the shell of the machine. An actor with permissions of its own, which are no person's.
//! - *actor*: the one who asks for something; *author*: the one whom the timeline names for it.
//! - *permit*: a value that only the table of permissions gives out, such as `MayEdit`: a function that takes one cannot be called unasked.
//! - *access case*: a request for access with its steps of approval; *grant*: access that was given, until it expires or is
//!   revoked; *ledger*: the chained list of all that happened to access.
//! - *timeline*: the entries of one ticket, oldest first; *outbox*: messages that are written with a change and sent later.
//!
//! Rules and what becomes of their answers:
//!
//! - *rule*: a WebAssembly component with a manifest; *version*: one component with one manifest, by both digests.
//! - *stage*: one of the six questions that rules are asked (intake, categorization, priority, routing, access, closing).
//! - *verdict*: what the desk makes of all rules' answers at one stage.
//! - *run*: all stages of one ticket at one time; *record*: a run as it is kept, with exact inputs; *chain*: the hashes that join
//!   records, so that none changes unseen; *replay*: records, asked again.
//! - *generation*: the rules that are asked at one time, swapped as a whole; a ticket keeps the one it began with.
//! - *rollout*: which version of a rule is active and which one is tried; *step*: a change of that. *Deployment*: a rollout as a row.
//! - *active*: a version whose answers count. *Candidate*: a version that is tried: *loaded* (not asked), in the *shadow* (asked,
//!   without effect), or a *canary* (it counts for a share of the tickets).
//! - *archive*: every version that ever decided. *Reference table*: rows that admins keep and rules look up.
//!
//! Running it:
//!
//! - *office*: a desk without rules, enough for most use cases; *app*: an office with rules.
//! - *lease*: the time for which one host alone may do a piece of work; *fence*: the number that tells a late holder that the
//!   lease has gone to another.
//! - *signatory*: the one who takes a step of a rollout, as its audit names them.

pub mod api;
pub mod app;
pub mod author;
pub mod cli;
pub mod config;
pub mod connectors;
pub mod desk;
pub mod import;
pub mod jobs;
pub mod mail;
pub mod messages;
pub mod rows;
pub mod rules;
pub mod signing;
pub mod store;
pub mod telemetry;
pub mod web;
