//! Traces for an OpenTelemetry collector: which requests are followed, and how what is known of them leaves the process.
//!
//! It knows nothing of HTTP servers, rules or tickets. Spans are made after the work that they tell of, from times that were
//! taken anyway, and leave by a thread of their own through a bounded queue: a collector that is slow, wrong or gone costs
//! spans, which are counted, and nothing else.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

pub use opentelemetry::{KeyValue, Value};

mod client;
pub mod context;
mod export;

pub use context::Context;
pub use export::{Counts, Traces};

/// Where traces go.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The collector's address, such as `http://127.0.0.1:4318`; `/v1/traces` is added, as OTLP has it.
    pub endpoint: String,
    /// `service.name` of the resource.
    pub service_name: String,
    /// The share of requests that are followed, from 0 to 1.
    pub sampling_ratio: f64,
    /// Whether a client that sends a context says by it whether its request is followed.
    pub follow_callers: bool,
}

/// What a span is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request that somebody else sent.
    Server,
    /// Work within.
    Internal,
}

/// A stretch of work that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    pub name: Cow<'static, str>,
    pub kind: Kind,
    /// The place of the span that it is part of, in the same list; the first span has none here.
    pub parent: Option<usize>,
    pub start: SystemTime,
    pub end: SystemTime,
    pub attributes: Vec<KeyValue>,
    /// What went wrong.
    pub failure: Option<String>,
}

/// A request that is followed, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    pub context: Context,
    /// The first one is the request; parents stand before their parts.
    pub spans: Vec<Span>,
}

/// Where traces go, if they go anywhere.
pub type MaybeTraces = Option<Arc<Traces>>;
