//! Apps that a component of the customer's own writes to: it says which calls to make, and the desk makes those that an admin
//! allows, within bounds on their number, their bytes and their time, and records them. The component sees no credentials.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinError;

use super::call::{Caller, Trouble};
use super::rest::parts;
use super::{App, Asked, Effect, NotOpened, NotSaid, Probed, SignedIn, time_at};
use crate::connectors::http::{self, HeaderMap, HeaderName, HeaderValue, Method};
use crate::desk::access::provisioning::Entitlement;
use crate::desk::access::provisioning::progress::Came;
use crate::desk::organisation::connector::{AllowedCall, Component};
use crate::rules::contract::connector::{Answer, Call, Exchange, Field, Finding, Order, Person, Run, Step, Task};
use crate::rules::load::connector::{NotAConnector, Program, Programs};
use crate::rules::load::trust::CONNECTOR_SIGNATURE;

/// The most calls of one run.
const CALLS_MAX: usize = 16;
/// The largest body of one call, and of one answer, in bytes.
const BODY_BYTES_MAX: usize = 256 << 10;
/// The most bytes of all calls and answers of one run.
const RUN_BYTES_MAX: usize = 1 << 20;
/// How long one run may take.
const RUN_MAX: Duration = Duration::from_secs(10);
/// How long a connector is left alone that fails by itself.
const BROKEN_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// The longest that a connector may ask to be left alone, in seconds.
const LATER_S_MAX: u32 = 24 * 3600;
/// The headers of a call that a component may set.
const SENT: [&str; 5] = ["accept", "content-type", "if-match", "if-none-match", "idempotency-key"];
/// The headers of an answer that a component sees.
const SEEN: [&str; 5] = ["content-type", "etag", "link", "location", "retry-after"];

/// An app behind a component.
pub(super) struct ComponentApp {
    caller: Caller,
    programs: Arc<Programs>,
    bytes: Arc<[u8]>,
    /// The text of its signature, where it has one.
    signature: Option<String>,
    allow: Vec<AllowedCall>,
    settings: String,
    runs: Mutex<Vec<(bool, String)>>,
}

/// Why a run was stopped.
enum Stopped {
    /// By the app or the way there.
    Trouble(Trouble),
    /// By the component's own doing.
    Broken(String),
}

/// Why a component does not run.
#[derive(Debug, thiserror::Error)]
enum NotRun {
    #[error("the component cannot be run: {0}")]
    NotAConnector(#[from] NotAConnector),
    #[error(transparent)]
    Task(#[from] JoinError),
}

/// Why the headers of a component's call are not sent.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    #[error("it may set the headers {}, and no other", SENT.join(", "))]
    OtherHeader,
    #[error("its header {name} has no text")]
    NoText { name: &'static str },
}

impl ComponentApp {
    /// The app, with the component that the file has now.
    ///
    /// # Errors
    ///
    /// [`NotOpened`] where it cannot be read.
    pub fn new(caller: Caller, programs: Arc<Programs>, component: &Component) -> Result<ComponentApp, NotOpened> {
        let bytes = std::fs::read(&component.file);
        let bytes = bytes.map_err(|source| NotOpened::ComponentUnread { file: component.file.clone(), source })?;
        let mut signature = component.file.clone().into_os_string();
        signature.push(CONNECTOR_SIGNATURE);
        Ok(ComponentApp {
            caller,
            programs,
            bytes: bytes.into(),
            // One that cannot be read vouches for nothing.
            signature: std::fs::read_to_string(signature).ok(),
            allow: component.allow.clone(),
            settings: serde_json::to_string(&component.settings).unwrap_or_default(),
            runs: Mutex::default(),
        })
    }

    async fn program(&self) -> Result<Arc<Program>, NotRun> {
        let (programs, bytes) = (Arc::clone(&self.programs), Arc::clone(&self.bytes));
        let signature = self.signature.clone();
        let loaded = tokio::task::spawn_blocking(move || programs.load(&bytes, signature.as_deref())).await;
        Ok(loaded??)
    }
}

impl App for ComponentApp {
    fn look<'a>(&'a self, effect: Effect<'a>) -> Asked<'a> {
        Box::pin(async move {
            let (ended, _) = self.run("look", effect).await;
            match ended {
                Ok(finding) => self.looked(effect, finding),
                Err(Stopped::Trouble(trouble)) => trouble.came(),
                Err(Stopped::Broken(why)) => (Came::UnknownUntil(self.later(BROKEN_PAUSE)), why),
            }
        })
    }

    fn apply<'a>(&'a self, effect: Effect<'a>) -> Asked<'a> {
        Box::pin(async move {
            let (ended, wrote) = self.run("apply", effect).await;
            let (came, said) = match ended {
                Ok(finding) => self.applied(finding),
                Err(Stopped::Trouble(trouble)) => trouble.came(),
                Err(Stopped::Broken(why)) => (Came::Later(self.later(BROKEN_PAUSE)), why),
            };
            // A run that has written something before it was stopped may have had a part of the effect.
            match came {
                Came::Later(until) if wrote => (Came::UnknownUntil(until), said),
                Came::Forbidden(_) if wrote => (Came::Unknown, said),
                came => (came, said),
            }
        })
    }

    fn probe<'a>(&'a self, _entitlements: &'a [Entitlement]) -> Probed<'a> {
        Box::pin(async move {
            let program = self.program().await;
            let allowed = || self.allow.iter().map(|one| format!("{} {}", one.method, one.path)).collect::<Vec<_>>();
            vec![program.map_or_else(
                |why| (false, why.to_string()),
                |program| (true, format!("the component {} may call {}", program.digest, allowed().join(", "))),
            )]
        })
    }

    fn last_sign_in<'a>(&'a self, account: Effect<'a>, place: &'a str) -> SignedIn<'a> {
        Box::pin(async move {
            let (ended, _) = self.run("look", account).await;
            ended.map_err(|stopped| match stopped {
                Stopped::Trouble(trouble) => NotSaid::from(trouble),
                Stopped::Broken(said) => NotSaid::NoAnswer { said },
            })?;
            let run = self.runs.lock().unwrap_or_else(PoisonError::into_inner).last().map(|(_, run)| run.clone());
            let run: Option<Run> = run.and_then(|run| serde_json::from_str(&run).ok());
            let body = run.and_then(|run| run.exchanges.into_iter().next_back()).map(|exchange| exchange.answer.body);
            // An answer that is no JSON, such as that there is no such account, says nothing.
            let body = body.and_then(|body| serde_json::from_str(&body).ok()).unwrap_or_default();
            time_at(&body, place)
        })
    }

    fn runs(&self) -> Vec<(bool, String)> {
        std::mem::take(&mut self.runs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ComponentApp {
    fn later(&self, wait: SignedDuration) -> Timestamp {
        self.caller.now().checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    fn looked(&self, effect: Effect<'_>, finding: Finding) -> (Came, String) {
        let there = match finding.outcome.as_str() {
            "there" => true,
            "not-there" => false,
            _ => return self.other(finding),
        };
        let came = if there == effect.is_wanted() { Came::Verified } else { Came::NotThere };
        (came, format!("read back, {}: {}", if there { "there" } else { "not there" }, finding.evidence))
    }

    fn applied(&self, finding: Finding) -> (Came, String) {
        match finding.outcome.as_str() {
            "applied" => (Came::Applied, finding.evidence),
            _ => self.other(finding),
        }
    }

    fn other(&self, Finding { outcome, evidence, retry_after }: Finding) -> (Came, String) {
        let wait = SignedDuration::from_secs(i64::from(retry_after.unwrap_or(60).min(LATER_S_MAX)));
        match outcome.as_str() {
            "refused" => (Came::Rejected, evidence),
            "later" => (Came::Later(self.later(wait)), evidence),
            "unknown" => (Came::Unknown, evidence),
            _ => (Came::Unknown, format!("`{outcome}` is no outcome of this: {evidence}")),
        }
    }

    /// Asks the component until it has finished, and makes the calls that it asks for; with whether one of them may have written.
    async fn run(&self, goal: &str, effect: Effect<'_>) -> (Result<Finding, Stopped>, bool) {
        let program = match self.program().await {
            Ok(program) => program,
            Err(why) => return (Err(Stopped::Broken(why.to_string())), false),
        };
        let mut run = Run {
            component: program.digest.to_string(),
            task: task(goal, effect, &self.settings),
            exchanges: Vec::new(),
            finding: None,
        };
        let mut wrote = false;
        let ended = match tokio::time::timeout(RUN_MAX, self.steps(&program, &mut run, &mut wrote)).await {
            Ok(ended) => ended,
            Err(_) => {
                Err(Stopped::Trouble(Trouble::Unknown(format!("its calls took longer than {} s", RUN_MAX.as_secs()))))
            }
        };
        run.finding = ended.as_ref().ok().cloned();
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.push((goal == "look", run.json()));
        drop(runs);
        (ended, wrote)
    }

    async fn steps(&self, program: &Arc<Program>, run: &mut Run, wrote: &mut bool) -> Result<Finding, Stopped> {
        let mut bytes = 0;
        loop {
            let (asked, task, so_far) = (Arc::clone(program), run.task.clone(), run.exchanges.clone());
            let step = tokio::task::spawn_blocking(move || asked.next(&task, &so_far)).await;
            let step = step.map_err(|error| Stopped::Broken(error.to_string()))?;
            let calls = match step.map_err(|fault| Stopped::Broken(format!("the component: {fault}")))? {
                Step::Finished(finding) => return Ok(finding),
                Step::Calls(calls) => calls,
            };
            if calls.is_empty() || run.exchanges.len() + calls.len() > CALLS_MAX {
                let why =
                    format!("the component asks for {} calls more: 1 to {CALLS_MAX} may be made in all", calls.len());
                return Err(Stopped::Broken(why));
            }
            for call in calls {
                let exchange = self.exchange(call, wrote).await?;
                bytes += exchange.answer.body.len() + exchange.call.body.as_ref().map_or(0, String::len);
                run.exchanges.push(exchange);
                if bytes > RUN_BYTES_MAX {
                    let why = format!("the calls and answers of one run have more than {RUN_BYTES_MAX} bytes");
                    return Err(Stopped::Broken(why));
                }
            }
        }
    }

    /// Makes one call, where it is allowed.
    async fn exchange(&self, call: Call, wrote: &mut bool) -> Result<Exchange, Stopped> {
        let broken =
            |why: String| Stopped::Broken(format!("the component asks for {} {}: {why}", call.method, call.path));
        if !self.allow.iter().any(|allowed| allowed.covers(&call.method, &call.path)) {
            return Err(broken("`allow` of its connector has no such call".to_owned()));
        }
        let headers = headers(&call.headers).map_err(|why| broken(why.to_string()))?;
        let body = call.body.clone().unwrap_or_default().into_bytes();
        if body.len() > BODY_BYTES_MAX {
            return Err(broken(format!("its body has more than {BODY_BYTES_MAX} bytes")));
        }
        let method = Method::from_bytes(call.method.as_bytes()).unwrap_or(Method::GET);
        *wrote |= method != Method::GET;
        let query: Vec<(&str, &str)> = call.query.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
        let made = self.caller.exchange(method, (&call.path, &query), headers, (body, BODY_BYTES_MAX)).await;
        let answer = seen(&made.map_err(Stopped::Trouble)?);
        Ok(Exchange { call, answer })
    }
}

fn task(goal: &str, effect: Effect<'_>, settings: &str) -> Task {
    let (op, account) = (effect.op, effect.account);
    let (kind, value) = parts(&op.entitlement);
    Task {
        goal: goal.to_owned(),
        order: Order {
            id: op.id.to_string(),
            direction: op.direction.code().to_owned(),
            kind: kind.to_owned(),
            value: value.to_owned(),
            replaces: op.replaces.as_ref().map(ToString::to_string),
            attempt: op.attempt,
            person: Person { id: account.id.to_string(), name: account.name.clone(), email: account.email.clone() },
        },
        settings: settings.to_owned(),
        attributes: Vec::new(),
    }
}

fn headers(fields: &[Field]) -> Result<HeaderMap, NotSent> {
    let mut headers = HeaderMap::new();
    for Field { name, value } in fields {
        let lower = name.to_ascii_lowercase();
        let name = SENT.into_iter().find(|known| *known == lower).ok_or(NotSent::OtherHeader)?;
        let value = HeaderValue::from_str(value).map_err(|_| NotSent::NoText { name })?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

fn seen(answer: &http::Answer) -> Answer {
    let of = |name: &&str| Some(Field { name: (*name).to_owned(), value: answer.header(name)?.to_owned() });
    Answer {
        status: answer.status.as_u16(),
        headers: SEEN.iter().filter_map(of).collect(),
        body: String::from_utf8_lossy(&answer.body).into_owned(),
    }
}
