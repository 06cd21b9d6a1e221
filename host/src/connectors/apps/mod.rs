//! Apps that people have access to: how orders are carried out there, and how it is read back whether they were.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;

use super::http::guard::InternalHosts;
use super::http::{Client, Settings};
use crate::desk::access::provisioning::progress::Came;
use crate::desk::access::provisioning::{Account, Direction, Entitlement, Op};
use crate::desk::organisation::connector::{Connector, Kind};

mod call;
mod rest;
mod scim;

/// An answer that an app has yet to give.
pub type Asked<'a> = Pin<Box<dyn Future<Output = (Came, String)> + Send + 'a>>;

/// The findings about an app: each with whether it is as it has to be.
pub type Probed<'a> = Pin<Box<dyn Future<Output = Vec<(bool, String)>> + Send + 'a>>;

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

    /// Asks whether the app can be asked, and has what orders about these entitlements will name. It changes nothing.
    fn probe<'a>(&'a self, entitlements: &'a [Entitlement]) -> Probed<'a>;
}

/// The app behind a connector, as of now; `None` where a person does it by hand.
///
/// # Errors
///
/// A sentence that says why it cannot be asked at all, such as a token that cannot be read.
pub fn open(connector: &Connector, now: Timestamp) -> Result<Option<Box<dyn App>>, String> {
    let url = match &connector.kind {
        Kind::Manual => return Ok(None),
        Kind::Scim(scim) => &scim.url,
        Kind::Rest(rest) => &rest.url,
    };
    let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let host =
        host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(h, _)| h);
    let internal = connector.internal.then(|| host.to_owned());
    let client = Client::new(&Settings { internal_hosts: InternalHosts::new(internal), certificates: None });
    Ok(match &connector.kind {
        Kind::Manual => None,
        Kind::Scim(scim) => {
            let caller = call::Caller::open(client, &scim.url, scim.token_file.as_deref(), now)?;
            Some(Box::new(scim::ScimApp { caller, groups: scim.groups.clone() }))
        }
        Kind::Rest(rest) => {
            let caller = call::Caller::open(client, &rest.url, rest.token_file.as_deref(), now)?;
            Some(Box::new(rest::RestApp { caller, calls: rest.calls.clone() }))
        }
    })
}
