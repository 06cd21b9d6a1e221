//! Documents that are published cannot reach for what is the operator's: files of secrets that the configuration directory names for
//! something else, or not at all, and addresses inside the network that it does not open. With them, one who publishes could have a
//! secret sent to an address of their own, or ask systems that they do not reach.

use std::path::Path;

use crate::app::rollout::rules::Source;
use crate::config::{Config, Document, Webhook, Wrong};
use crate::desk::organisation::connector::{Connector, Kind};
use crate::desk::organisation::form::Problem;

/// Why a document cannot be published for what it reaches for. `known` are the configuration that is live and that of the directory.
pub(super) fn reached_for(
    document: Document,
    source: &Source,
    known: &[Option<&Config>],
    after: &Config,
) -> Vec<Problem> {
    match document {
        Document::Webhooks => {
            let mut problems = foreign_secret_files(known, after);
            problems.extend(not_asked(source, after));
            problems
        }
        Document::Apps => foreign_connectors(known, after),
        _ => Vec::new(),
    }
}

/// Why endpoints cannot have their secret files: the file is named for the endpoint neither by the directory nor by what is live. With
/// the file of another one, an administrator could have messages signed in the name of that.
fn foreign_secret_files(known: &[Option<&Config>], after: &Config) -> Vec<Problem> {
    let known: Vec<&Webhook> = known.iter().flatten().flat_map(|config| &config.outgoing.webhooks).collect();
    let is_known = |webhook: &Webhook| {
        let same = |other: &&Webhook| other.id == webhook.id && other.secret_file == webhook.secret_file;
        webhook.secret_file.is_none() || known.iter().any(same)
    };
    let problem = |webhook: &Webhook| {
        let message = format!(
            "webhooks.toml: webhook.{}.secret-file: the configuration directory names no such file for this endpoint: leave it \
             out, and have a secret made once it is published",
            webhook.id
        );
        Problem::new("content", "secret-file", message)
    };
    after.outgoing.webhooks.iter().filter(|webhook| !is_known(webhook)).map(problem).collect()
}

/// Why endpoints cannot have their addresses: which hosts inside may be asked, only the operator's `desk.toml` says.
fn not_asked(source: &Source, after: &Config) -> Vec<Problem> {
    let internal = &after.outgoing.requests.internal_hosts;
    let refused = |webhook: &Webhook| {
        let why = source.outside.may_be_asked.and_then(|may_be_asked| may_be_asked(internal, &webhook.url).err())?;
        let message = format!("webhooks.toml: webhook.{}.url: {}", webhook.id, Wrong::NotAsked { why });
        Some(Problem::new("content", "not-asked", message))
    };
    after.outgoing.webhooks.iter().filter_map(refused).collect()
}

/// Why connectors cannot have their secrets or stand inside: a token goes wherever the address of its connector says, so that both belong
/// together, and so do an address inside and the word that it may be asked.
fn foreign_connectors(known: &[Option<&Config>], after: &Config) -> Vec<Problem> {
    let known: Vec<&Connector> =
        known.iter().flatten().flat_map(|config| config.organisation.connectors.values()).collect();
    let same_place = |one: &Connector, other: &Connector| {
        one.id == other.id && reach(one).0.is_some() && reach(one).0.map(place) == reach(other).0.map(place)
    };
    let mut problems = Vec::new();
    for connector in after.organisation.connectors.values() {
        let mut refuse = |key: &'static str, what: &str| {
            let message = format!("apps.toml: connector.{}.{key}: {what}", connector.id);
            problems.push(Problem::new("content", key, message));
        };
        let there = known.iter().filter(|other| same_place(other, connector));
        let secret = reach(connector).1;
        if secret.is_some() && !there.clone().any(|other| reach(other).1 == secret) {
            let key = if matches!(connector.kind, Kind::Webhook(_)) { "secret-file" } else { "token-file" };
            refuse(
                key,
                "the configuration directory names no such file for this connector at this host: the operator names it in \
                 apps.toml there first, together with the address",
            );
        }
        if connector.internal && reach(connector).0.is_some() && !there.clone().any(|other| other.internal) {
            refuse(
                "internal",
                "the configuration directory lets this connector ask no such host inside: the operator names the host in \
                 `[outgoing] internal-hosts`, and this key is left out",
            );
        }
    }
    problems
}

/// The address of a connector, and the file with the secret that goes there or signs; neither where a person does it.
fn reach(connector: &Connector) -> (Option<&str>, Option<&Path>) {
    match &connector.kind {
        Kind::Manual => (None, None),
        Kind::Scim(scim) => (Some(&scim.url), scim.token_file.as_deref()),
        Kind::Rest(rest) => (Some(&rest.url), rest.token_file.as_deref()),
        Kind::Webhook(webhook) => (Some(&webhook.url), Some(&webhook.secret_file)),
        Kind::Component(component) => (Some(&component.url), component.token_file.as_deref()),
    }
}

/// The part of an address that says which system is asked: all up to its path. Programs read a backslash as a slash.
fn place(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + "://".len());
    let end = url[start..].find(['/', '\\', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_up_to_its_path() {
        for same in
            ["https://a.example", "https://a.example/", "https://a.example/x@b", "https://a.example\\@b.example"]
        {
            assert_eq!(place(same), "https://a.example", "{same}");
        }
        for other in [
            "http://a.example/",
            "https://a.example:8443/",
            "https://a.example@b.example/",
            "https://a.example.b.example",
        ] {
            assert_ne!(place(other), "https://a.example", "{other}");
        }
        assert_eq!(place("https://b.example\\@a.example/"), "https://b.example");
        assert_eq!(place("nothing of the kind"), "nothing of the kind");
    }
}
