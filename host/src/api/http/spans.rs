//! A request's trail as spans: the request, its run of the rules, each stage, each rule's call, and the write.

use std::time::Instant;

use axum::http::StatusCode;

use crate::app::clock::Moment;
use crate::app::observe::request_trace::{Run, Trail};
use crate::app::record::write::Sample;
use crate::telemetry::{Context, KeyValue, Kind, Span, Trace, Value};

/// A request as operators see it.
pub struct Seen<'a> {
    pub method: &'static str,
    /// As it is written in the interface's description; `None` where there is no such path.
    pub template: Option<&'a str>,
    pub path: &'a str,
    /// The request's id.
    pub id: &'a str,
}

/// The trace of a request that has ended.
pub fn trace(context: Context, seen: &Seen<'_>, status: StatusCode, took: (Moment, Instant), trail: &Trail) -> Trace {
    let (begun, ended) = took;
    let mut spans = Spans { begun, spans: Vec::with_capacity(16) };
    let name = seen.template.map_or_else(|| seen.method.to_owned(), |route| format!("{} {route}", seen.method));
    let request = spans.add(None, name, (begun.at, ended), request(seen, status, trail));
    spans.with(request, |span| {
        span.kind = Kind::Server;
        span.failure = status.is_server_error().then(|| status.to_string());
    });
    for run in &trail.runs {
        spans.run(request, run);
    }
    if let Some(written) = trail.written {
        spans.add(Some(request), "write".to_owned(), written, Vec::new());
    }
    Trace { context, spans: spans.spans }
}

fn request(seen: &Seen<'_>, status: StatusCode, trail: &Trail) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("http.request.method", seen.method),
        KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
        KeyValue::new("url.path", seen.path.to_owned()),
        KeyValue::new("ruledesk.request.id", seen.id.to_owned()),
    ];
    attributes.extend(seen.template.map(|route| KeyValue::new("http.route", route.to_owned())));
    if let Some((number, id)) = &trail.ticket {
        attributes.push(KeyValue::new("ruledesk.ticket.key", number.to_string()));
        attributes.push(KeyValue::new("ruledesk.ticket.id", id.to_string()));
    }
    attributes
}

struct Spans {
    begun: Moment,
    spans: Vec<Span>,
}

impl Spans {
    /// Adds a span, and says where it is.
    fn add(
        &mut self,
        parent: Option<usize>,
        name: String,
        took: (Instant, Instant),
        attributes: Vec<KeyValue>,
    ) -> usize {
        let (start, end) = (self.begun.wall(took.0), self.begun.wall(took.1));
        let kind = Kind::Internal;
        self.spans.push(Span { name: name.into(), kind, parent, start, end, attributes, failure: None });
        self.spans.len() - 1
    }

    fn with(&mut self, at: usize, change: impl FnOnce(&mut Span)) {
        if let Some(span) = self.spans.get_mut(at) {
            change(span);
        }
    }

    fn run(&mut self, request: usize, run: &Run) {
        let attributes = vec![
            KeyValue::new("ruledesk.run.id", run.id.to_string()),
            KeyValue::new("ruledesk.generation", whole(run.generation)),
        ];
        let parent = self.add(Some(request), "rules".to_owned(), run.took, attributes);
        for stage in run.samples.chunk_by(|one, next| one.stage == next.stage) {
            self.stage(parent, stage);
        }
    }

    /// A stage lasts from its first call to the end of its last: its rules are asked one after the other.
    fn stage(&mut self, run: usize, samples: &[Sample]) {
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return };
        let name = first.stage.name();
        let took = (first.started, last.started + last.took);
        let attributes = vec![KeyValue::new("ruledesk.stage", name)];
        let stage = self.add(Some(run), format!("stage {name}"), took, attributes);
        for sample in samples {
            let took = (sample.started, sample.started + sample.took);
            let call = self.add(Some(stage), format!("rule {}", sample.rule.name), took, call(sample));
            self.with(call, |span| span.failure.clone_from(&sample.fault));
        }
    }
}

fn call(sample: &Sample) -> Vec<KeyValue> {
    vec![
        KeyValue::new("ruledesk.rule.name", sample.rule.name.clone()),
        KeyValue::new("ruledesk.rule.version", sample.rule.version.clone()),
        KeyValue::new("ruledesk.rule.digest", sample.digest.to_string()),
        KeyValue::new("ruledesk.rule.mode", sample.role.code()),
        KeyValue::new("ruledesk.rule.outcome", sample.outcome),
        KeyValue::new("ruledesk.rule.fuel", whole(sample.fuel)),
        KeyValue::new("ruledesk.rule.memory_peak_bytes", whole(u64::try_from(sample.memory_peak).unwrap_or(u64::MAX))),
    ]
}

/// OTLP's whole numbers have a sign.
fn whole(number: u64) -> Value {
    Value::I64(i64::try_from(number).unwrap_or(i64::MAX))
}
