//! The ways out of the desk that jobs have: those that the configuration gives it, ready to be used.

use crate::app::jobs::webhooks::Subscription;
use crate::app::tokens::provider::Offer;
use crate::connectors::apps::Apps;
use crate::connectors::clamd::Clamd;
use crate::connectors::http::{Client, Endpoint};
use crate::connectors::mail::Mail;
use crate::connectors::oidc::Provider;
use crate::connectors::webhook::Secret;

/// The ways out.
#[derive(Clone)]
pub struct Ways {
    /// For requests to other systems.
    pub http: Client,
    /// For apps that people have access to.
    pub apps: Apps,
    /// `None` where messages wait.
    pub mail: Option<Mail>,
    pub hooks: Vec<Hook>,
    /// `None` where files are not scanned.
    pub scanner: Option<Clamd>,
    /// The identity provider, with what it is offered for; `None` where people sign in with the desk's own means alone.
    pub provider: Option<(Offer, Provider)>,
}

/// An endpoint of a webhook.
#[derive(Debug, Clone)]
pub struct Hook {
    pub subscription: Subscription,
    pub endpoint: Endpoint,
    /// Each signs.
    pub secrets: Vec<Secret>,
}

impl Ways {
    /// The events that the endpoints want to hear.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.hooks.iter().map(|hook| hook.subscription.clone()).collect()
    }
}
