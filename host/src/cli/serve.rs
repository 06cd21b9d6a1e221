//! `ruledesk serve`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::desk::demo::Lived;
use super::desk::{demo, outgoing};
use super::{Failure, Place, descriptors, desk};
use crate::api::{self, Bounds, Limits, MetricsFor, Most};
use crate::app::access::provision::crash;
use crate::app::jobs::stop::{self, Stop};
use crate::app::reference::TABLE_BYTES_MAX;
use crate::app::rollout::rules::Source;
use crate::app::{App, Clock};
use crate::config::outgoing::Outgoing;
use crate::config::{Config, Metrics, Server, Telemetry};
use crate::desk::actor::Role;
use crate::jobs;
use crate::jobs::ways::Ways;
use crate::rules::text::{FAULT_BYTES_MAX, cut, shown};
use crate::telemetry::{MaybeTraces, Settings, Traces};
use crate::web;

/// An address to listen on.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "write the address of an interface and a port, such as `127.0.0.1:8080`")
}

/// Runs the desk.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    /// The address to listen on; stands above the configuration's.
    #[arg(long, value_parser = address)]
    listen: Option<SocketAddr>,
    /// Accepts the demo's well-known tokens; only on a loopback address.
    #[arg(long)]
    demo: bool,
    /// Begins with some weeks of a service desk's past where the database is empty, to look at; for the demo's organisation.
    #[arg(long, requires = "demo")]
    past: bool,
    /// Where traces of requests go: a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`; stands above the
    /// configuration's.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,
    /// The name that traces carry; stands above the configuration's.
    #[arg(long, env = "OTEL_SERVICE_NAME")]
    service_name: Option<String>,
    /// Where a debug build dies in tests, `POINT:N`.
    #[arg(long, env = "RULEDESK_CRASH_AT", hide = true)]
    crash_at: Option<String>,
}

/// What an upload may have besides the component, in bytes: the manifest, the signature, and what divides the parts.
const UPLOAD_BYTES_BESIDES: usize = 2 << 20;

/// Connections at the address for those who look after the desk.
const OPERATIONS_CONNECTIONS_MAX: usize = 32;

/// How long requests may take to end once the desk was asked to stop.
const GRACE: Duration = Duration::from_secs(30);

/// How long the list of rules waits for what is compiled at the start.
const TOLD_AFTER: Duration = Duration::from_secs(2);

/// The demo's people and what they may do; each token is `demo-` and the id.
const DEMO: [(&str, &[Role]); 5] = [
    ("amara", &[Role::Requester]),
    ("kofi", &[Role::Agent]),
    ("lena", &[Role::Requester, Role::Approver]),
    ("priya", &[Role::Requester, Role::Approver]),
    ("mei", &[Role::Admin]),
];

/// Serves until it is asked to stop, then finishes what it has begun.
pub async fn run(serve: Serve) -> Result<(), Failure> {
    descriptors::raise();
    serve.crash_at.as_deref().into_iter().for_each(crash::arm);
    let (config, source) = desk::configuration(&serve.place, serve.listen)?;
    let config = desk::agreed(config, &source).await?;
    let (server, telemetry) = (config.server.clone(), config.telemetry.clone());
    let mut ways = outgoing::ways_of(&config)?;
    ways.apps = ways.apps.running(outgoing::programs(&server)?);
    if serve.demo && !server.listen.ip().is_loopback() {
        return Err(format!(
            "--demo accepts tokens that everybody knows: listen on 127.0.0.1, not on {}",
            server.listen
        )
        .into());
    }
    let listener =
        TcpListener::bind(server.listen).await.map_err(|e| format!("cannot listen on {}: {e}", server.listen))?;
    let address = listener.local_addr()?;
    if serve.past {
        fill_demo(&config, &source).await?;
    }
    let app = desk::open_to_serve(config, source).await?;
    if serve.demo {
        accept_demo_tokens(&app)?;
    }
    app.convert_records();
    let traces = traces(&serve, telemetry, &app)?;
    let (stopper, stop) = stop::stop();
    let jobs = jobs::start(&app, &Arc::new(ways), &stop);
    app.quotas.limit(server.limits.clone());
    let limits = Limits { loopback_only: serve.demo, ..limits(&server) };
    let router = api::router(Arc::clone(&app), limits, traces.clone(), Some(pages(&app)));
    let operations = match server.metrics {
        Metrics::At(place) => {
            Some(TcpListener::bind(place).await.map_err(|e| format!("cannot listen on {place}: {e}"))?)
        }
        Metrics::Public | Metrics::Staff => None,
    };
    let (told, demo) = (Arc::clone(&app), serve.demo);
    tokio::spawn(async move {
        let waited = Arc::clone(&told);
        // Requests are served meanwhile.
        let _ = tokio::task::spawn_blocking(move || waited.rules.wait_until_read(TOLD_AFTER)).await;
        tell(&told, address, demo);
    });
    tokio::spawn(async move {
        stopped().await;
        // Dropped, it tells all who wait.
        drop(stopper);
    });
    let most = descriptors::connections_max();
    let operations = operations.map(|listener| {
        let router = api::operations(Arc::clone(&app));
        tokio::spawn(api::serve(listener, router, OPERATIONS_CONNECTIONS_MAX, stop.clone()))
    });
    tokio::select! {
        () = api::serve(listener, router, most, stop.clone()) => {}
        () = cut_off(stop) => tracing::warn!("some requests did not end in time, and are cut off"),
    }
    if let Some(operations) = operations {
        // All that it serves is short.
        operations.abort();
    }
    jobs.end().await;
    if let Some(traces) = traces {
        tokio::task::spawn_blocking(move || traces.end()).await?;
    }
    app.close().await;
    Ok(())
}

/// The pages for people, as the interface serves them.
pub fn pages(app: &Arc<App>) -> api::Pages {
    let web::Pages { routes, uploads, missing } = web::pages(app);
    api::Pages { routes, uploads, missing }
}

/// Starts the traces' way out, where there is a collector to send them to.
fn traces(serve: &Serve, configured: Telemetry, app: &App) -> Result<MaybeTraces, Failure> {
    // An empty variable counts as not set.
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let Some(endpoint) = given(&serve.otlp_endpoint).or(configured.otlp_endpoint) else { return Ok(None) };
    let settings = Settings {
        endpoint,
        service_name: given(&serve.service_name).unwrap_or(configured.service_name),
        sampling_ratio: configured.sampling_ratio,
        follow_callers: configured.follow_callers,
    };
    Ok(Some(Arc::new(Traces::start(&settings, Arc::clone(&app.metrics.traced))?)))
}

/// The bounds of requests, as the configuration has them.
pub fn limits(server: &Server) -> Limits {
    Limits {
        usual: Bounds { body_bytes_max: server.body_bytes_max, request_timeout: server.request_timeout },
        table: Bounds {
            body_bytes_max: server.body_bytes_max.max(TABLE_BYTES_MAX),
            request_timeout: server.request_timeout,
        },
        upload: Bounds {
            body_bytes_max: server.component_bytes_max.saturating_add(UPLOAD_BYTES_BESIDES),
            // The compiler has a bound of its own, and the answer to the upload says when it is exceeded.
            request_timeout: server.request_timeout.saturating_add(server.compile_timeout),
        },
        attachment: Bounds {
            body_bytes_max: usize::try_from(server.limits.attachments.bytes_max).unwrap_or(usize::MAX),
            request_timeout: server.limits.attachments.upload_timeout,
        },
        most: Most {
            of_person: server.limits.requests_per_minute,
            of_address: server.limits.address_requests_per_minute,
            proxies: server.limits.proxies.clone(),
        },
        metrics: match server.metrics {
            Metrics::Public => MetricsFor::All,
            Metrics::Staff => MetricsFor::Staff,
            Metrics::At(_) => MetricsFor::Elsewhere,
        },
        loopback_only: false,
    }
}

/// Lets the demo's story happen where the database is empty, so that the desk looks as after some weeks of work.
async fn fill_demo(config: &Config, source: &Source) -> Result<(), Failure> {
    let present = Clock::System.now();
    let clock = Clock::fixed(present.checked_sub(demo::BEGINS_BEFORE)?);
    let app = desk::open_at(config.clone(), source.clone(), clock).await?;
    let filled = match demo::is_new(&app).await? {
        false => Ok(Lived::default()),
        true => {
            app.start_rules().await?;
            // The made-up past sends nothing to other systems.
            let nowhere = Ways { webhooks: false, ..outgoing::ways(&Outgoing::default())? };
            demo::live_in(&app, &Arc::new(nowhere), present).await
        }
    };
    app.close().await;
    // Another organisation has other people and forms, so it begins empty.
    match filled {
        Ok(Lived { tickets, refused }) => tracing::info!(tickets, ?refused, "the demo's past is written"),
        Err(error) => tracing::warn!(%error, "the demo's past does not fit this organisation, and ends here"),
    }
    Ok(())
}

fn accept_demo_tokens(app: &App) -> Result<(), Failure> {
    for (person, roles) in DEMO {
        let roles: BTreeSet<Role> = roles.iter().copied().collect();
        app.accept_well_known(&format!("demo-{person}"), person.parse()?, roles);
    }
    Ok(())
}

/// Ends a while after the desk was asked to stop: a client that never finishes its request must not keep it running.
#[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but time")]
async fn cut_off(mut stop: Stop) {
    stop.told().await;
    tokio::time::sleep(GRACE).await;
}

fn tell(app: &App, address: SocketAddr, demo: bool) {
    let generation = app.rules.generation();
    println!("RuleDesk serves {} on http://{address}", app.organisation().name);
    let count = generation.rules().len();
    let live =
        if count == 1 { "1 rule is live; it is".to_owned() } else { format!("{count} rules are live; they are") };
    println!("  {live} reloaded when their files change");
    for rule in generation.rules() {
        let stages: Vec<&str> = rule.manifest.stages.iter().map(|stage| stage.name()).collect();
        println!(
            "  {:>4}  {} {} ({})",
            rule.manifest.order,
            rule.manifest.name,
            rule.manifest.version,
            stages.join(", ")
        );
    }
    for status in app.rules.catalog().folders().values() {
        if let Some(error) = &status.error {
            println!("  not live: {}", shown(&cut(error.message.to_string(), FAULT_BYTES_MAX)));
        }
    }
    if !demo {
        println!("  http://{address}/ has the pages; `ruledesk token password PERSON --roles agent` lets a person in");
    }
    println!("  http://{address}/openapi.json describes the interface, /metrics counts");
    if demo {
        println!("\nOpen http://{address}/ in a browser and choose who you are, or try it from here:\n");
        println!(
            "  curl -s http://{address}/api/v1/tickets -H 'Authorization: Bearer demo-amara' -H 'Content-Type: application/json' \\"
        );
        println!(
            "    -d '{{\"request_type\":\"incident\",\"subject\":\"VPN is down\",\"body\":\"Nobody in Berlin can reach the VPN since 9.\",\"fields\":{{\"service\":\"vpn\",\"people-affected\":40}}}}'"
        );
        println!("  curl -s http://{address}/api/v1/tickets -H 'Authorization: Bearer demo-kofi'");
        println!("  curl -s http://{address}/api/v1/tickets/IT-1/decisions -H 'Authorization: Bearer demo-kofi'");
        println!(
            "\nTokens: demo-amara (requester), demo-kofi (agent), demo-lena and demo-priya (approvers), demo-mei (admin)"
        );
    }
}

async fn stopped() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
