//! `[sign-in]` of `desk.toml`: the identity provider by which people sign in on the pages, by OpenID Connect. Without it they
//! sign in with a password of the desk or with a token. It needs `[outgoing] public-url`, to which the provider sends people back:
//! register `PUBLIC-URL/sign-in/provider/back` there, and `PUBLIC-URL/sign-in/provider/ended` for back-channel logout.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::config::read::{Keys, distinct};
use crate::config::wrong::Wrong;
use crate::desk::actor::Role;
use crate::desk::organisation::identity::EVERYONE;

/// The identity provider: the keys of `[sign-in]`, in kebab-case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// `name`: what people call it, such as `Example Ltd`; it stands on the button.
    pub name: String,
    /// `issuer`: its address, letter for letter as it names itself, such as `https://login.example.com/realms/staff`. A host
    /// inside has to be named in `[outgoing] internal-hosts`.
    pub issuer: String,
    /// `client-id`: the name under which the desk is registered there.
    pub client_id: String,
    /// `client-secret-file`: a file that has the secret in its first line, relative to the configuration directory. Without it
    /// the desk is a public client, which PKCE alone protects.
    pub client_secret_file: Option<PathBuf>,
    /// `scopes`: what is asked for besides `openid`. Default `["email", "profile"]`.
    pub scopes: Vec<String>,
    /// `person-claim`: the claim that says who it is: the person's id, mail address, or external id in the directory. It is
    /// looked at when someone first comes; after that the provider's `sub` stands for the person. `email` counts only where the
    /// provider says that it is verified. Default `email`.
    pub person_claim: String,
    /// `groups-claim`: the claim that lists groups. Groups of the organisation count as well. Default `groups`.
    pub groups_claim: String,
    /// `requesters`, `approvers`, `agents`, `admins`: the groups whose members play this part; `*` is everyone. Default
    /// everyone for `requesters` and `approvers`, and no one for the others.
    pub roles: BTreeMap<Role, BTreeSet<String>>,
}

/// Reads `[sign-in]`, where it is there.
pub fn read(keys: &mut Keys<'_>, dir: &Path) -> Option<SignIn> {
    let name = keys.required("name").and_then(|node| node.filled());
    let issuer = keys.required("issuer").and_then(|node| node.parsed(address));
    let client_id = keys.required("client-id").and_then(|node| node.filled());
    let secret = keys.optional("client-secret-file").and_then(|node| node.filled());
    let scopes = keys.optional("scopes").map(|node| distinct(node.list(), |node| node.filled()));
    let person_claim = keys.optional("person-claim").and_then(|node| node.filled());
    let groups_claim = keys.optional("groups-claim").and_then(|node| node.filled());
    let mut role = |key, role, usual: &[&str]| {
        let groups = keys.optional(key).map(|node| distinct(node.list(), |node| node.filled()));
        let groups = groups.unwrap_or_else(|| usual.iter().map(|group| (*group).to_owned()).collect());
        (role, groups.into_iter().collect())
    };
    let roles = BTreeMap::from([
        role("requesters", Role::Requester, &[EVERYONE]),
        role("approvers", Role::Approver, &[EVERYONE]),
        role("agents", Role::Agent, &[]),
        role("admins", Role::Admin, &[]),
    ]);
    Some(SignIn {
        name: name?,
        issuer: issuer?,
        client_id: client_id?,
        client_secret_file: secret.map(|file| dir.join(file)),
        scopes: scopes.unwrap_or_else(|| vec!["email".to_owned(), "profile".to_owned()]),
        person_claim: person_claim.unwrap_or_else(|| "email".to_owned()),
        groups_claim: groups_claim.unwrap_or_else(|| "groups".to_owned()),
        roles,
    })
}

/// An issuer, as it is written: a slash at its end is a part of its name (OpenID Connect Discovery 1.0, 4.3).
fn address(text: &str) -> Result<String, Wrong> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = host.is_some_and(|host| !host.is_empty() && !host.contains(['"', '<', '>', ' ', '?', '#']));
    is_plain.then(|| text.to_owned()).ok_or(Wrong::NotAPage)
}
