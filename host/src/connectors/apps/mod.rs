//! Apps that people have access to: how orders are carried out there, and how it is read back whether they were.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::http::{Client, Settings};
use crate::desk::access::provisioning::progress::Came;
use crate::desk::access::provisioning::{Account, Direction, Entitlement, Op};
use crate::desk::organisation::connector::{Connector, Kind};
pub use crate::rules::load::connector::Programs;

mod call;
mod component;
mod error;
mod rest;
mod scim;
mod webhook;

pub use error::{NotOpened, NotSaid};

/// An answer that an app has yet to give.
pub type Asked<'a> = Pin<Box<dyn Future<Output = (Came, String)> + Send + 'a>>;

/// The findings about an app, each with whether it is as it should be.
pub type Probed<'a> = Pin<Box<dyn Future<Output = Vec<(bool, String)>> + Send + 'a>>;

/// The accounts that have something in an app, as it names them; `None` where it cannot be asked for all of them.
pub type Listed<'a> = Pin<Box<dyn Future<Output = Result<Option<Vec<String>>, NotSaid>> + Send + 'a>>;

/// The last sign-in of an account, as the app says; `None` where it knows of none.
pub type SignedIn<'a> = Pin<Box<dyn Future<Output = Result<Option<Timestamp>, NotSaid>> + Send + 'a>>;

/// An effect that is to be had in an app.
#[derive(Debug, Clone, Copy)]
pub struct Effect<'a> {
    pub op: &'a Op,
    pub account: &'a Account,
}

impl Effect<'_> {
    /// Whether the entitlement is to be there afterwards.
    pub fn is_wanted(&self) -> bool {
        self.op.direction != Direction::Revoke
    }
}

/// A way to write to an app. Both calls may be made any number of times, in any order: what an order asks for is a member of a
/// set that is there or not.
pub trait App: Send + Sync {
    /// Reads whether the effect is there: [`Came::Verified`], [`Came::NotThere`], or why that is not known.
    fn look<'a>(&'a self, effect: Effect<'a>) -> Asked<'a>;

    /// Has the effect, or says why not: [`Came::Applied`] is the app's word, which [`App::look`] checks.
    fn apply<'a>(&'a self, effect: Effect<'a>) -> Asked<'a>;

    /// Lists the accounts that have an entitlement: by the id that the desk gave them, else by their names in the app.
    fn holders<'a>(&'a self, _entitlement: &'a Entitlement) -> Listed<'a> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Asks whether the app can be asked, and has what orders about these entitlements will name. It changes nothing.
    fn probe<'a>(&'a self, entitlements: &'a [Entitlement]) -> Probed<'a>;

    /// Reads when an account has signed in last, at a place (RFC 6901) in what the app says of it. It changes nothing.
    fn last_sign_in<'a>(&'a self, _account: Effect<'a>, _place: &'a str) -> SignedIn<'a> {
        Box::pin(std::future::ready(Err(NotSaid::NotByThisKind)))
    }

    /// All runs of a component since this was asked last, each as JSON and with whether it has looked only.
    fn runs(&self) -> Vec<(bool, String)> {
        Vec::new()
    }
}

/// The most hosts inside the network for which a client is kept.
const HOSTS_MAX: usize = 200;

/// The way to all apps: one client with the bounds of `[outgoing]`, and one for each host inside the network that a connector
/// names as such. Clones share the clients and their connections.
#[derive(Debug, Clone)]
pub struct Apps {
    settings: Settings,
    usual: Client,
    inside: Arc<Mutex<BTreeMap<String, Client>>>,
    programs: Option<Arc<Programs>>,
}

impl Apps {
    /// Ready to ask apps by these settings.
    pub fn new(settings: Settings) -> Apps {
        Apps { usual: Client::new(&settings), settings, inside: Arc::default(), programs: None }
    }

    /// The same, ready to run connectors that are components.
    #[must_use]
    pub fn running(self, programs: Arc<Programs>) -> Apps {
        Apps { programs: Some(programs), ..self }
    }

    /// The app behind a connector, as of now; `None` where a person does it by hand.
    ///
    /// # Errors
    ///
    /// [`NotOpened`] where it cannot be asked at all, such as for a token that cannot be read.
    pub fn open(&self, connector: &Connector, now: Timestamp) -> Result<Option<Box<dyn App>>, NotOpened> {
        let client = |url: &str| if connector.internal { self.inside(url) } else { self.usual.clone() };
        Ok(match &connector.kind {
            Kind::Manual => None,
            Kind::Scim(scim) => {
                let caller = call::Caller::open(client(&scim.url), &scim.url, scim.token_file.as_deref(), now)?;
                Some(Box::new(scim::ScimApp { caller, groups: scim.groups.clone() }))
            }
            Kind::Rest(rest) => {
                let caller = call::Caller::open(client(&rest.url), &rest.url, rest.token_file.as_deref(), now)?;
                Some(Box::new(rest::RestApp { caller, calls: rest.calls.clone() }))
            }
            Kind::Webhook(hook) => {
                let caller = call::Caller::open(client(&hook.url), &hook.url, None, now)?;
                Some(Box::new(webhook::WebhookApp::new(caller, hook)?))
            }
            Kind::Component(component) => {
                let url = &component.url;
                let caller = call::Caller::open(client(url), url, component.token_file.as_deref(), now)?;
                let programs = self.programs.clone().ok_or(NotOpened::RunsNoComponents)?;
                Some(Box::new(component::ComponentApp::new(caller, programs, component)?))
            }
        })
    }

    /// The client for an address whose host may stand inside the network.
    fn inside(&self, url: &str) -> Client {
        let host = host(url);
        if self.settings.internal_hosts.has(host) {
            return self.usual.clone();
        }
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.len() >= HOSTS_MAX {
            inside.clear();
        }
        let client = inside.entry(host.to_owned()).or_insert_with(|| {
            let internal_hosts = self.settings.internal_hosts.and(host);
            Client::new(&Settings { internal_hosts, ..self.settings.clone() })
        });
        client.clone()
    }
}

/// The first number that is milliseconds: as seconds it lies in the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// The time that stands at a place of what an app says: as text (RFC 3339, or a day), in seconds or in milliseconds since 1970.
/// `None` where there is none.
///
/// # Errors
///
/// [`NotSaid::NotATime`], where something else stands there.
fn time_at(body: &Value, place: &str) -> Result<Option<Timestamp>, NotSaid> {
    let wrong = |value: &Value| {
        let found = cut(&value.to_string()).to_owned();
        NotSaid::NotATime { place: place.to_owned(), found }
    };
    match body.pointer(place) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(value @ Value::String(text)) => {
            let day = text.parse::<Date>().ok();
            let begins = |day: Date| TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight())).ok();
            let time = text.parse().ok().or_else(|| day.and_then(begins));
            time.map(Some).ok_or_else(|| wrong(value))
        }
        Some(value) => {
            let number = value.as_i64().ok_or_else(|| wrong(value))?;
            let time = if number >= MILLISECONDS_FROM {
                Timestamp::from_millisecond(number)
            } else {
                Timestamp::from_second(number)
            };
            // Several apps write 0 where there was none.
            time.map(|time| Some(time).filter(|_| number > 0)).map_err(|_| wrong(value))
        }
    }
}

/// The beginning of a value that goes into a message.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(100)).unwrap_or_default()
}

/// The host of an address, without its port.
fn host(url: &str) -> &str {
    let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_last_sign_in_is_read_in_every_form_that_apps_write() {
        let at = |value: Value| time_at(&json!({ "a": { "last": value } }), "/a/last");
        let noon: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for value in [
            json!("2026-03-01T12:00:00Z"),
            json!("2026-03-01T13:00:00+01:00"),
            json!(noon.as_second()),
            json!(noon.as_millisecond()),
        ] {
            assert_eq!(at(value), Ok(Some(noon)));
        }
        assert_eq!(at(json!("2026-03-01")), Ok("2026-03-01T00:00:00Z".parse().ok()));
        for none in [Value::Null, json!(""), json!(0)] {
            assert_eq!(at(none), Ok(None));
        }
        assert_eq!(time_at(&json!({}), "/a/last"), Ok(None));
        for wrong in [json!("yesterday"), json!(true), json!([1]), json!(i64::MAX)] {
            assert!(at(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
