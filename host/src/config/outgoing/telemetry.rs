//! `[telemetry]` of `desk.toml`: whether and where traces of requests go.

use crate::config::read::Keys;
use crate::config::wrong::Wrong;

/// Where traces go: the keys of `[telemetry]`, in kebab-case.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    /// `otlp-endpoint`: an OpenTelemetry collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`. Without it
    /// nothing is traced, which is the default.
    pub otlp_endpoint: Option<String>,
    /// `service-name`: the name that the traces carry. Default `ruledesk`.
    pub service_name: String,
    /// `sampling-ratio`: the share of requests that are traced, 0 to 1. Default 1.
    pub sampling_ratio: f64,
    /// `follow-callers`: whether a client's `traceparent` says if its request is traced, in place of the ratio. Default false: the
    /// client's ids are taken on, and what is sampled is for the desk to decide, because every client can write that header.
    pub follow_callers: bool,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { otlp_endpoint: None, service_name: "ruledesk".to_owned(), sampling_ratio: 1.0, follow_callers: false }
    }
}

/// Reads `[telemetry]`, which may be absent.
pub fn read(keys: &mut Keys<'_>) -> Telemetry {
    let otlp_endpoint = keys.optional("otlp-endpoint").and_then(|node| node.parsed(endpoint));
    let service_name = keys.optional("service-name").and_then(|node| node.filled());
    let sampling_ratio = keys.optional("sampling-ratio").and_then(|node| {
        let ratio = node.number()?;
        let inside = (0.0..=1.0).contains(&ratio);
        if !inside {
            node.report(Wrong::OutOfRange { found: ratio.to_string(), min: 0, max: 1 });
        }
        inside.then_some(ratio)
    });
    let follow_callers = keys.optional("follow-callers").and_then(|node| node.flag());
    let default = Telemetry::default();
    Telemetry {
        otlp_endpoint,
        service_name: service_name.unwrap_or(default.service_name),
        sampling_ratio: sampling_ratio.unwrap_or(default.sampling_ratio),
        follow_callers: follow_callers.unwrap_or(default.follow_callers),
    }
}

fn endpoint(text: &str) -> Result<String, Wrong> {
    let host = text.strip_prefix("http://").filter(|host| !host.is_empty());
    host.map(|_| text.to_owned()).ok_or_else(|| Wrong::NotACollector { text: text.to_owned() })
}
