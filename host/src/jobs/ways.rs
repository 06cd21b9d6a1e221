//! The ways out of the desk that jobs have: those that the configuration gives it, ready to be used.

use crate::app::tokens::provider::Offer;
use crate::connectors::apps::Apps;
use crate::connectors::clamd::Clamd;
use crate::connectors::http::Client;
use crate::connectors::mail::Mail;
use crate::connectors::oidc::Provider;

/// The ways out.
#[derive(Clone)]
pub struct Ways {
    /// For requests to other systems.
    pub http: Client,
    /// For apps that people have access to.
    pub apps: Apps,
    /// `None` where messages wait.
    pub mail: Option<Mail>,
    /// Whether events leave to the endpoints that the configuration names.
    pub webhooks: bool,
    /// `None` where files are not scanned.
    pub scanner: Option<Clamd>,
    /// The identity provider, with what it is offered for; `None` where people sign in with the desk's own means alone.
    pub provider: Option<(Offer, Provider)>,
}
