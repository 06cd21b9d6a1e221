//! The thread that sends traces away, and the queue before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, after, bounded, select};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};

use super::client::Client;
use super::{Context, Kind, Settings, Span, Trace};

/// Traces that may wait; more are dropped.
const WAITING_MAX: usize = 2_048;
/// Spans that leave together.
const BATCH_MAX: usize = 512;
/// How long the first span of a batch waits for others.
const LINGER: Duration = Duration::from_secs(1);
/// How long the desk waits at its end for what is still in the queue.
const FLUSH_MAX: Duration = Duration::from_secs(5);

/// What became of spans.
#[derive(Debug, Default)]
pub struct Counts {
    /// The collector has taken them.
    pub exported: AtomicU64,
    /// The collector did not take them.
    pub failed: AtomicU64,
    /// The queue was full.
    pub dropped: AtomicU64,
}

enum Message {
    Trace(Trace),
    End,
}

/// Where traces go. Giving one costs a place in a queue.
pub struct Traces {
    send: Sender<Message>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
    ratio: f64,
    follow_callers: bool,
    counts: Arc<Counts>,
}

impl Traces {
    /// Starts the thread. The collector need not be there.
    ///
    /// # Errors
    ///
    /// Where the endpoint is no `http://` address, or the thread cannot be started.
    pub fn start(settings: &Settings, counts: Arc<Counts>) -> Result<Self, String> {
        let endpoint = &settings.endpoint;
        if !endpoint.starts_with("http://") {
            return Err(format!(
                "traces go by plain HTTP, and `{endpoint}` is another address: name a collector such as http://127.0.0.1:4318"
            ));
        }
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new())
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()
            .map_err(|error| format!("traces cannot go to `{endpoint}`: {error}"))?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource =
            Resource::builder_empty().with_service_name(settings.service_name.clone()).with_attribute(version);
        exporter.set_resource(&resource.build());
        // Its client blocks, on a thread where nothing else waits; the runtime is for the pauses between its attempts.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| format!("traces need a runtime of their own: {error}"))?;
        let (send, receive) = bounded(WAITING_MAX);
        let (alive, ended) = bounded(0);
        let counted = Arc::clone(&counts);
        std::thread::Builder::new()
            .name("traces".to_owned())
            .spawn(move || {
                let _alive = alive;
                export(&receive, &counted, |spans| runtime.block_on(exporter.export(spans)).map_err(|e| e.to_string()));
            })
            .map_err(|error| format!("traces need a thread of their own: {error}"))?;
        Ok(Self { send, ended, ratio: settings.sampling_ratio, follow_callers: settings.follow_callers, counts })
    }

    /// The context of a request with this `traceparent` header.
    pub fn context(&self, header: Option<&str>) -> Context {
        Context::of(header, self.follow_callers, self.ratio, random)
    }

    /// Hands a trace over, or drops it where too many wait.
    pub fn give(&self, trace: Trace) {
        let spans = trace.spans.len();
        if self.send.try_send(Message::Trace(trace)).is_err() {
            count(&self.counts.dropped, spans);
        }
    }

    /// Sends what waits, as far as that can be done in a few seconds. Blocks.
    pub fn end(&self) {
        if self.send.send_timeout(Message::End, FLUSH_MAX).is_ok() {
            // Nothing is ever sent: it ends with the thread, or the time is up.
            let _ = self.ended.recv_timeout(FLUSH_MAX);
        }
    }
}

/// Sends batches until there will be no more.
fn export(receive: &Receiver<Message>, counts: &Counts, mut send: impl FnMut(Vec<SpanData>) -> Result<(), String>) {
    let scope = InstrumentationScope::builder("ruledesk").with_version(env!("CARGO_PKG_VERSION")).build();
    let mut failing = false;
    let mut more = true;
    while more {
        let (traces, ended) = batch(receive);
        more = !ended;
        let spans: Vec<SpanData> = traces.into_iter().flat_map(|trace| data(trace, &scope)).collect();
        let number = spans.len();
        if number == 0 {
            continue;
        }
        match send(spans) {
            Ok(()) => {
                count(&counts.exported, number);
                failing = false;
            }
            Err(error) => {
                count(&counts.failed, number);
                // Once for each time that the collector goes away.
                if !failing {
                    tracing::warn!(error, "the collector does not take traces; they are lost until it does");
                }
                failing = true;
            }
        }
    }
}

/// The next traces that leave together, and whether they are the last.
fn batch(receive: &Receiver<Message>) -> (Vec<Trace>, bool) {
    let mut traces = Vec::new();
    let Ok(Message::Trace(first)) = receive.recv() else { return (traces, true) };
    let mut spans = first.spans.len();
    traces.push(first);
    let lingered = after(LINGER);
    while spans < BATCH_MAX {
        select! {
            recv(receive) -> message => match message {
                Ok(Message::Trace(trace)) => {
                    spans += trace.spans.len();
                    traces.push(trace);
                }
                Ok(Message::End) | Err(_) => return (traces, true),
            },
            recv(lingered) -> _ => break,
        }
    }
    (traces, false)
}

/// A trace in the exporter's words; ids of spans are made here.
fn data(trace: Trace, scope: &InstrumentationScope) -> Vec<SpanData> {
    let Context { trace: id, parent, .. } = trace.context;
    let ids: Vec<SpanId> = trace.spans.iter().map(|_| SpanId::from_bytes(random())).collect();
    let one = |(span, own): (Span, &SpanId)| {
        let inner = span.parent.and_then(|at| ids.get(at)).copied();
        SpanData {
            span_context: SpanContext::new(id, *own, TraceFlags::SAMPLED, false, TraceState::NONE),
            parent_span_id: inner.unwrap_or(parent),
            parent_span_is_remote: inner.is_none() && parent != SpanId::INVALID,
            span_kind: match span.kind {
                Kind::Server => SpanKind::Server,
                Kind::Internal => SpanKind::Internal,
            },
            name: span.name,
            start_time: span.start,
            end_time: span.end,
            attributes: span.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: span.failure.map_or(Status::Unset, Status::error),
            instrumentation_scope: scope.clone(),
        }
    };
    trace.spans.into_iter().zip(&ids).map(one).collect()
}

fn count(counter: &AtomicU64, spans: usize) {
    counter.fetch_add(u64::try_from(spans).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Random bytes for an id; where the system has none, an id that nobody takes for one.
fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    if getrandom::fill(&mut bytes).is_err() {
        bytes.fill(0xff);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn trace(spans: usize) -> Trace {
        let span = |n: usize| Span {
            name: "s".into(),
            kind: Kind::Internal,
            parent: n.checked_sub(1),
            start: SystemTime::UNIX_EPOCH,
            end: SystemTime::UNIX_EPOCH,
            attributes: Vec::new(),
            failure: None,
        };
        Trace { context: Context::of(None, false, 1.0, || [7; 16]), spans: (0..spans).map(span).collect() }
    }

    fn traces(waiting_max: usize) -> (Traces, Receiver<Message>) {
        let (send, receive) = bounded(waiting_max);
        let (_, ended) = bounded(0);
        (Traces { send, ended, ratio: 1.0, follow_callers: true, counts: Arc::default() }, receive)
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let (traces, _receive) = traces(2);
        (0..5).for_each(|_| traces.give(trace(3)));
        assert_eq!(traces.counts.dropped.load(Ordering::Relaxed), 9);
    }

    #[test]
    fn what_waits_at_the_end_is_sent_and_what_fails_is_counted() {
        let (traces, receive) = traces(1_000);
        (0..600).for_each(|_| traces.give(trace(2)));
        traces.send.send(Message::End).unwrap();
        let mut batches = Vec::new();
        export(&receive, &traces.counts, |spans| {
            batches.push(spans.len());
            if batches.len() == 2 { Err("no".to_owned()) } else { Ok(()) }
        });
        assert_eq!(batches, [512, 512, 176]);
        let counts = &traces.counts;
        assert_eq!((counts.exported.load(Ordering::Relaxed), counts.failed.load(Ordering::Relaxed)), (688, 512));
    }

    #[test]
    fn parts_hang_on_their_parents_and_the_first_on_the_client() {
        let scope = InstrumentationScope::builder("test").build();
        let mut trace = trace(3);
        trace.context.parent = SpanId::from_bytes([9; 8]);
        let spans = data(trace, &scope);
        assert_eq!(spans[0].parent_span_id, SpanId::from_bytes([9; 8]));
        assert!(spans[0].parent_span_is_remote && !spans[1].parent_span_is_remote);
        assert_eq!(spans[1].parent_span_id, spans[0].span_context.span_id());
        assert_eq!(spans[2].parent_span_id, spans[1].span_context.span_id());
    }
}
