//! The ways out of a desk, as its configuration gives them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::app::jobs::messages::Correspondence;
use crate::app::tokens::provider::Offer;
use crate::cli::Failure;
use crate::config::outgoing::mail::{self as configured, MailSecurity, MailServer, MailWay};
use crate::config::outgoing::sign_in::SignIn;
use crate::config::outgoing::{Outgoing, Requests};
use crate::config::{Config, Document, Scanner, Server, Webhook};
use crate::connectors::apps::{Apps, Programs};
use crate::connectors::clamd::{Address, Clamd};
use crate::connectors::http::guard::InternalHosts;
use crate::connectors::http::{self, Client};
use crate::connectors::mail::smtp::{Relay, Security};
use crate::connectors::mail::{Mail, Settings, Way};
use crate::connectors::oidc::{self, Provider};
use crate::connectors::webhook::Secret;
use crate::jobs::ways::Ways;
use crate::rules::load::compile::{CompileLimits, THIS_PROGRAM};

/// The ways out, ready to be used; no other system is asked for anything yet.
///
/// # Errors
///
/// Where a password or certificates cannot be read, or an address is none.
pub fn ways(outgoing: &Outgoing) -> Result<Ways, Failure> {
    let certificates = &outgoing.requests.certificates;
    let settings = settings(&outgoing.requests);
    let mail = outgoing.mail.as_ref().map(|mail| ready(mail, certificates.as_deref())).transpose()?;
    let http = Client::new(&settings);
    outgoing.webhooks.iter().try_for_each(|webhook| check(webhook, &http))?;
    let public_url = outgoing.requests.public_url.as_deref();
    let provider = outgoing.sign_in.as_ref().zip(public_url).map(|(sign_in, url)| provider(sign_in, url, &http));
    let (provider, scanner) = (provider.transpose()?, outgoing.scanner.as_ref().map(scanner));
    Ok(Ways { http, apps: Apps::new(settings), mail, webhooks: true, scanner, provider })
}

/// The ways out of a whole configuration. Where endpoints of webhooks are published by API, those that its files name are only a
/// beginning, and nothing depends on them.
///
/// # Errors
///
/// As [`ways`].
pub fn ways_of(config: &Config) -> Result<Ways, Failure> {
    let mut outgoing = config.outgoing.clone();
    if config.by_api.contains(&Document::Webhooks) {
        outgoing.webhooks.clear();
    }
    ways(&outgoing)
}

/// The runtime of connectors that are components, which takes those that the desk trusts.
///
/// # Errors
///
/// Where a trusted key is none.
pub fn programs(server: &Server) -> Result<Arc<Programs>, Failure> {
    let limits =
        CompileLimits { timeout_s: server.compile_timeout.as_secs(), memory_mib: server.compile_memory_bytes >> 20 };
    let programs = Programs::new(PathBuf::from(THIS_PROGRAM), server.cache_dir.clone(), limits);
    Ok(Arc::new(programs.trusting(super::trust(server)?)))
}

/// How requests leave.
pub fn settings(requests: &Requests) -> http::Settings {
    let Requests { internal_hosts, certificates, .. } = requests;
    http::Settings {
        internal_hosts: InternalHosts::new(internal_hosts.iter().cloned()),
        certificates: certificates.clone(),
    }
}

fn scanner((address, timeout): &(Scanner, Duration)) -> Clamd {
    let address = match address.clone() {
        Scanner::Tcp(address) => Address::Tcp(address),
        Scanner::Unix(path) => Address::Unix(path),
    };
    Clamd { address, timeout: *timeout }
}

/// The identity provider, which sends people back to the desk at `url`.
fn provider(sign_in: &SignIn, url: &str, http: &Client) -> Result<(Offer, Provider), Failure> {
    http.endpoint(&sign_in.issuer).map_err(|error| format!("`[sign-in] issuer` {}: {error}", sign_in.issuer))?;
    let secret = sign_in.client_secret_file.as_ref().map(|file| {
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| format!("`[sign-in] client-secret-file` {}: {error}", file.display()))?;
        Ok::<_, String>(text.lines().next().unwrap_or_default().trim().to_owned())
    });
    let settings = oidc::Settings {
        issuer: sign_in.issuer.clone(),
        client_id: sign_in.client_id.clone(),
        client_secret: secret.transpose()?,
        scopes: sign_in.scopes.clone(),
        person_claim: sign_in.person_claim.clone(),
        groups_claim: sign_in.groups_claim.clone(),
        back: format!("{url}/sign-in/provider/back"),
    };
    let offer = Offer { name: sign_in.name.clone(), parts: sign_in.roles.clone() };
    Ok((offer, Provider::new(http.clone(), settings)))
}

/// Refuses an endpoint that cannot be asked, or that no secret of its file could sign for.
fn check(webhook: &Webhook, http: &Client) -> Result<(), Failure> {
    let Webhook { id, url, secret_file, .. } = webhook;
    http.endpoint(url).map_err(|error| format!("the webhook `{id}`: {url}: {error}"))?;
    let Some(file) = secret_file else { return Ok(()) };
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| format!("the webhook `{id}`: {}: {error}", file.display()))?;
    let secrets = text.split_whitespace().map(str::parse).collect::<Result<Vec<Secret>, _>>();
    let secrets = secrets.map_err(|error| format!("the webhook `{id}`: {}: {error}", file.display()))?;
    if secrets.is_empty() {
        return Err(format!("the webhook `{id}`: {} has no secret", file.display()).into());
    }
    Ok(())
}

/// Whether an address may be asked where these hosts are internal, and why not.
///
/// # Errors
///
/// Why not.
pub fn may_be_asked(internal_hosts: &[String], address: &str) -> Result<(), String> {
    let internal = InternalHosts::new(internal_hosts.iter().cloned());
    http::Endpoint::parse(address, &internal).map(drop).map_err(|error| error.to_string())
}

/// How messages are worded.
pub fn correspondence(config: &Config) -> Correspondence {
    let usual = Correspondence::default();
    let mail = config.outgoing.mail.as_ref();
    Correspondence {
        templates: config.templates.clone(),
        locale: mail.map_or(usual.locale, |mail| mail.locale.clone()),
        public_url: config.outgoing.requests.public_url.clone(),
        digest_at: mail.map_or(usual.digest_at, |mail| mail.digest_at),
        incoming: config.outgoing.mail_in.clone(),
    }
}

fn ready(mail: &configured::Mail, certificates: Option<&Path>) -> Result<Mail, Failure> {
    let way = match &mail.way {
        MailWay::Directory(directory) => Way::Directory(directory.clone()),
        MailWay::Server(server) => Way::Smtp(Box::new(relay(server, certificates)?)),
    };
    let settings = Settings { from: mail.from.clone(), plus_addresses: mail.plus_addresses, way };
    Ok(Mail::new(&settings)?)
}

fn relay(server: &MailServer, certificates: Option<&Path>) -> Result<Relay, Failure> {
    let password = match (&server.password, &server.password_file) {
        (Some(password), _) => Some(password.clone()),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file);
            let text = text.map_err(|error| format!("`[mail] password-file` {}: {error}", file.display()))?;
            Some(text.lines().next().unwrap_or_default().to_owned())
        }
        (None, None) => None,
    };
    let credentials = match (&server.user, password) {
        (Some(user), Some(password)) => Some((user.clone(), password)),
        (Some(user), None) => {
            let what =
                format!("`[mail] user` is {user}, without a password: set password-file or RULEDESK_SMTP_PASSWORD");
            return Err(what.into());
        }
        (None, _) => None,
    };
    if credentials.is_some() && server.security == MailSecurity::None {
        return Err(
            "`[mail]` would send a password without TLS: set security to starttls or tls, or leave out user".into()
        );
    }
    Ok(Relay {
        host: server.host.clone(),
        port: server.port,
        security: match server.security {
            MailSecurity::StartTls => Security::StartTls,
            MailSecurity::Tls => Security::Tls,
            MailSecurity::None => Security::None,
        },
        credentials,
        hello: server.hello.clone(),
        certificates: certificates.map(Path::to_owned),
    })
}
