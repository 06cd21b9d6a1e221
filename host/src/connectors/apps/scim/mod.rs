//! Apps that speak SCIM 2.0 (RFC 7643, RFC 7644). An account is a user with the person's id as its `externalId`; every other
//! entitlement is membership of a group. Members are changed one at a time and by their ids, which servers that read the standard
//! strictly and those that do not both understand; a removal is never sent in the form that some take for all members.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::call::{Call, Caller, Reply, Trouble};
use super::{App, Asked, Effect, Listed, NotSaid, Probed, SignedIn, time_at};
use crate::connectors::http::Method;
use crate::desk::access::provisioning::progress::Came;
use crate::desk::access::provisioning::{Account, Direction, Entitlement};

mod resource;

use resource::{EXTERNAL_ID, Resource, is_plain, new_user, quoted, user_name};

/// The most members of a group that are looked at one by one.
const MEMBERS_MAX: usize = 2_000;
/// The most groups within a group that are looked through.
const WITHIN_MAX: usize = 20;
/// The most characters that are shown of a member who has no usable id.
const SHOWN_CHARS_MAX: usize = 200;
/// The status for an app that answers a filter with what the filter leaves out: as of one that refuses it.
const NO_FILTER: u16 = 501;
const MEDIA_TYPE: &str = "application/scim+json";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// An app that speaks SCIM.
pub(super) struct ScimApp {
    pub caller: Caller,
    /// The groups that stand for entitlements, where they are not of the entitlements' own names.
    pub groups: BTreeMap<String, String>,
}

impl App for ScimApp {
    fn look<'a>(&'a self, effect: Effect<'a>) -> Asked<'a> {
        Box::pin(async move { self.look_at(effect).await.unwrap_or_else(Trouble::came) })
    }

    fn apply<'a>(&'a self, effect: Effect<'a>) -> Asked<'a> {
        Box::pin(async move {
            let said = match effect.op.entitlement {
                Entitlement::Account => self.apply_account(effect).await,
                _ => self.apply_member(effect).await,
            };
            said.map_or_else(Trouble::came, |said| (Came::Applied, said))
        })
    }

    fn holders<'a>(&'a self, entitlement: &'a Entitlement) -> Listed<'a> {
        Box::pin(async move { self.members_of(entitlement).await.map_err(NotSaid::from) })
    }

    fn last_sign_in<'a>(&'a self, account: Effect<'a>, place: &'a str) -> SignedIn<'a> {
        Box::pin(async move {
            let user = self.user(account.account).await.map_err(NotSaid::from)?;
            user.map_or(Ok(None), |user| time_at(&user.body, place))
        })
    }

    fn probe<'a>(&'a self, entitlements: &'a [Entitlement]) -> Probed<'a> {
        Box::pin(async move {
            let mut found = vec![self.probe_features().await];
            for path in ["Users", "Groups"] {
                let asked = self.get(path, &[("count", "1")]).await;
                found.push(asked.map_or_else(|trouble| (false, trouble.said()), |reply| (true, reply.said)));
            }
            for entitlement in entitlements {
                found.push(match self.group_id(entitlement).await {
                    Ok(Some(id)) => (true, format!("{entitlement}: the group {id}")),
                    Ok(None) => (false, format!("{entitlement}: the app has no such group")),
                    Err(trouble) => (false, format!("{entitlement}: {}", trouble.said())),
                });
            }
            found
        })
    }
}

/// The purpose for which it is looked whether a user is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// They are to come to be in it.
    Adds,
    /// They were in it: a doubt does not say that they are not.
    Keeps,
    /// They are to be in it no more.
    Removes,
}

impl ScimApp {
    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Reply, Trouble> {
        let call = Call { method: Method::GET, path, query, body: None, media_type: MEDIA_TYPE, if_match: None };
        self.caller.call(call).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value, if_match: Option<String>) -> Result<Reply, Trouble> {
        let body = Some(body.to_string());
        self.caller.call(Call { method, path, query: &[], body, media_type: MEDIA_TYPE, if_match }).await
    }

    async fn patch(&self, path: &str, operation: &Value) -> Result<Reply, Trouble> {
        let body = json!({ "schemas": [PATCH], "Operations": [operation] });
        self.send(Method::PATCH, path, &body, None).await
    }

    /// The features that the app says it has (RFC 7643, section 5). Without PATCH and ETags, whole groups are written, and another
    /// client's change between reading and writing is lost.
    async fn probe_features(&self) -> (bool, String) {
        match self.get("ServiceProviderConfig", &[]).await {
            Ok(reply) => {
                let has = |name: &str| reply.body.pointer(&format!("/{name}/supported")) == Some(&Value::Bool(true));
                let named: Vec<&str> =
                    ["patch", "filter", "etag", "bulk"].into_iter().filter(|name| has(name)).collect();
                (
                    has("filter") && (has("patch") || has("etag")),
                    format!("the app says that it has: {}", named.join(", ")),
                )
            }
            // Not every server says it; what counts is whether calls are taken.
            Err(trouble) if trouble.is(404) => (true, "the app does not say which features it has".to_owned()),
            Err(trouble) => (false, trouble.said()),
        }
    }

    /// The one resource that has a text under a name; `None` where there is none. One that has another text there was not filtered for:
    /// an app that passes over filters has all for everyone.
    async fn find(&self, path: &str, (name, text): (&str, &str)) -> Result<Option<Resource>, Trouble> {
        let filter = format!("{name} eq {}", quoted(text));
        let asked = self.get(path, &[("filter", &filter), ("count", "2")]).await;
        // An app that speaks SCIM has users and groups to ask for: what does not find them stands before it. Of ids see `user`.
        let is_no_apps = |trouble: &Trouble| trouble.is(404) && name != EXTERNAL_ID;
        let reply = asked.map_err(|trouble| if is_no_apps(&trouble) { no_answer(&trouble.said()) } else { trouble })?;
        let listed = reply.body.get("Resources").and_then(Value::as_array);
        let total = reply.body.get("totalResults").and_then(Value::as_u64);
        // A page that something on the way sends instead of the app, or a part of a list, does not say that none is there (I9).
        let is_whole = match listed {
            Some(all) => !all.is_empty() || total.unwrap_or_default() == 0,
            None => total == Some(0),
        };
        if !is_whole {
            return Err(no_answer(&reply.said));
        }
        let mut found = listed.cloned().unwrap_or_default().into_iter();
        let several = total.is_some_and(|total| total > 1);
        let Some(one) = found.next() else { return Ok(None) };
        let refused = |status: u16, why: String| Err(Trouble::Refused(status, format!("{path}: {why}")));
        if several || found.next().is_some() {
            return refused(0, format!("several have {filter}, and only one may"));
        }
        match Resource::of(one, None) {
            Some(one) if one.has(name, text) => Ok(Some(one)),
            Some(_) => refused(NO_FILTER, format!("the app has another for {filter}, as if it took no filter")),
            None => refused(0, format!("an answer to {filter} without a usable id")),
        }
    }

    /// The person's user: by the id that the desk gave it, else by its name.
    async fn user(&self, account: &Account) -> Result<Option<Resource>, Trouble> {
        let by_id = self.find("Users", (EXTERNAL_ID, account.id.as_str())).await;
        match by_id {
            Ok(Some(user)) => {
                let is_shown = user.has_own_id() || user.has_name(user_name(account));
                if is_shown || self.filters_by_ids(account).await? {
                    return Ok(Some(user));
                }
            }
            // Some servers do not take this filter.
            Ok(None) | Err(Trouble::Refused(400 | 403 | 404 | 501, _)) => {}
            Err(trouble) => return Err(trouble),
        }
        // One whose address has changed may still have the one before there.
        for name in std::iter::once(user_name(account)).chain(account.former.iter().map(String::as_str)) {
            let Some(found) = self.find("Users", ("userName", name)).await? else { continue };
            // An address may have been another's before: that one's user is not given to this person, nor taken away for them.
            let own = found.body.get(EXTERNAL_ID).and_then(Value::as_str);
            if let Some(other) = account.same_address.iter().find(|other| own == Some(other.as_str())) {
                let said =
                    format!("Users/{}: it is {other}'s, who has or had the same address: a person looks", found.id);
                return Err(Trouble::ByHand(said));
            }
            return Ok(Some(found));
        }
        Ok(None)
    }

    /// Whether the app filters by the desk's ids at all: one that passes over them has a user for an id that no person has, too.
    async fn filters_by_ids(&self, account: &Account) -> Result<bool, Trouble> {
        let of_none = format!("{}-and-no-person", account.id);
        match self.find("Users", (EXTERNAL_ID, &of_none)).await {
            Ok(found) => Ok(found.is_none()),
            Err(Trouble::Refused(..)) => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }

    /// The id of the group that stands for an entitlement; `None` where the app has none.
    async fn group_id(&self, entitlement: &Entitlement) -> Result<Option<String>, Trouble> {
        let text = entitlement.to_string();
        let own = text.split_once(':').map_or(text.as_str(), |(_, name)| name);
        let name = self.groups.get(&text).map_or(own, String::as_str);
        match name.strip_prefix("id:") {
            Some(id) => Ok(Some(id.to_owned())),
            None => {
                let found = self.find("Groups", ("displayName", name)).await?;
                Ok(found.map(|group| group.id))
            }
        }
    }

    /// A group with its members; `None` where the app has none.
    async fn group(&self, entitlement: &Entitlement) -> Result<Option<Resource>, Trouble> {
        match self.group_id(entitlement).await? {
            Some(id) => self.group_by_id(&id).await,
            None => Ok(None),
        }
    }

    /// A group with its members; `None` where it is gone.
    async fn group_by_id(&self, id: &str) -> Result<Option<Resource>, Trouble> {
        match self.get(&format!("Groups/{id}"), &[]).await {
            Ok(reply) => match Resource::of(reply.body, reply.etag) {
                Some(group) => Ok(Some(group)),
                None => Err(no_answer(&reply.said)),
            },
            // What stands before the app says so of all groups: then nothing follows from it (I9).
            Err(trouble) if trouble.is(404) => match self.get("Groups", &[("count", "1")]).await {
                Ok(all) if resource::is_list(&all.body) => Ok(None),
                Ok(Reply { said, .. }) | Err(Trouble::Refused(_, said)) => Err(no_answer(&said)),
                Err(trouble) => Err(trouble),
            },
            Err(trouble) => Err(trouble),
        }
    }

    /// The members of an entitlement's group and of the groups within it: by the desk's id for them, else by their names. `None` where
    /// there are too many, or the app does not show them.
    async fn members_of(&self, entitlement: &Entitlement) -> Result<Option<Vec<String>>, Trouble> {
        let Some(group) = self.group(entitlement).await? else { return Ok(Some(Vec::new())) };
        if group.members().is_none() {
            return Ok(self.is_shown_empty(&group).await.then(Vec::new));
        }
        let (mut seen, mut left) = (BTreeSet::from([group.id.clone()]), group.groups_within());
        let mut members: BTreeSet<String> = group.users_within().collect();
        while let Some(id) = left.pop() {
            if !seen.insert(id.clone()) {
                continue;
            }
            if seen.len() > WITHIN_MAX {
                return Ok(None);
            }
            let Some(within) = self.group_by_id(&id).await? else { continue };
            members.extend(within.users_within());
            left.extend(within.groups_within());
        }
        if members.len() > MEMBERS_MAX {
            return Ok(None);
        }
        let mut accounts = Vec::new();
        for id in members {
            // What cannot be a part of an address is no id of a user, and there all the same.
            if !is_plain(&id) {
                accounts.push(id.chars().take(SHOWN_CHARS_MAX).collect());
                continue;
            }
            let user = match self.get(&format!("Users/{id}"), &[]).await {
                Ok(reply) => Resource::of(reply.body, None).ok_or_else(|| no_answer(&reply.said))?.body,
                // Some servers keep a member who is gone.
                Err(trouble) if trouble.is(404) => continue,
                Err(trouble) => return Err(trouble),
            };
            let text = |name: &str| user.get(name).and_then(Value::as_str).map(str::to_owned);
            accounts.extend(text("externalId").or_else(|| text("userName")));
        }
        Ok(Some(accounts))
    }

    async fn look_at(&self, effect: Effect<'_>) -> Result<(Came, String), Trouble> {
        let op = effect.op;
        let user = self.user(effect.account).await?;
        // One whom the app has by a name that the desk knows no more is not found, and still there (I9).
        if user.is_none() && !effect.is_wanted() && effect.account.another_has {
            let said = "another person has the address by which the app knew this one, and it has no user by their id: a person looks";
            return Ok((Came::ByHand, said.to_owned()));
        }
        if user.is_none() && !effect.is_wanted() && effect.account.is_unknown() {
            let said = "the directory has the person no more, and the app has no user by their id: a person looks";
            return Ok((Came::ByHand, said.to_owned()));
        }
        let (there, said) = match (&op.entitlement, &user) {
            (Entitlement::Account, user) => {
                let state = user.as_ref().map_or("none", |user| if user.is_active() { "active" } else { "inactive" });
                (state == "active", format!("read back: the user is {state}"))
            }
            (_, None) => (false, "read back: there is no such user".to_owned()),
            (entitlement, Some(user)) => {
                let look = match (effect.is_wanted(), op.state.is_open()) {
                    (true, true) => Look::Adds,
                    (true, false) => Look::Keeps,
                    (false, _) => Look::Removes,
                };
                let mut way = self.way_in((entitlement, look), user).await?;
                if way.is_some()
                    && let Some(tier) = &op.replaces
                {
                    let before = self.way_in((&Entitlement::Tier(tier.clone()), Look::Removes), user).await?;
                    way = way.filter(|_| before.is_none());
                }
                let (there, is) = (way.is_some(), if way.is_some() { "is" } else { "is not" });
                (there, format!("read back: the user {is} a member for {entitlement}{}", way.unwrap_or_default()))
            }
        };
        Ok((if there == effect.is_wanted() { Came::Verified } else { Came::NotThere }, said))
    }

    /// How a user comes to what stands for an entitlement: empty words where they are in its group themselves, else the group within
    /// it that has them; `None` where they do not. Whom another group brings in has not lost it (I9). Where they are to be added, a group
    /// with very many others in it is no reason not to. One whose group is gone for all has not lost it.
    async fn way_in(
        &self,
        (entitlement, look): (&Entitlement, Look),
        user: &Resource,
    ) -> Result<Option<String>, Trouble> {
        let Some(group) = self.group(entitlement).await? else {
            let gone = || Trouble::Refused(404, format!("the app has no group for {entitlement}"));
            return if look == Look::Keeps { Err(gone()) } else { Ok(None) };
        };
        if group.has_member(&user.id) {
            return Ok(Some(String::new()));
        }
        let (mut seen, mut left) = (BTreeSet::from([group.id.clone()]), group.groups_within());
        while let Some(id) = left.pop() {
            if !seen.insert(id.clone()) {
                continue;
            }
            if seen.len() > WITHIN_MAX && look == Look::Adds {
                break;
            }
            if seen.len() > WITHIN_MAX {
                return Err(Trouble::Unknown(format!("Groups/{}: more than {WITHIN_MAX} groups are in it", group.id)));
            }
            let within = match self.group_by_id(&id).await? {
                Some(within) => within,
                // The app says of it that it is there and that it is not.
                None if look == Look::Keeps => {
                    return Err(Trouble::Unknown(format!(
                        "Groups/{id}: it is in another, and the app has no such group"
                    )));
                }
                None => continue,
            };
            if within.has_member(&user.id) {
                let name = within.body.get("displayName").and_then(Value::as_str).unwrap_or(&within.id);
                return Ok(Some(format!(", by way of the group `{name}`, which is in it")));
            }
            left.extend(within.groups_within());
        }
        // Some servers leave members out, as of large groups, or show a part of them: that says of none that they are not in it, and
        // the user says more (I9).
        Ok(user.is_in(&group.id).then(|| ", as the user says".to_owned()))
    }

    async fn apply_account(&self, effect: Effect<'_>) -> Result<String, Trouble> {
        let active = effect.is_wanted();
        let mut user = self.user(effect.account).await?;
        if user.is_none() && active {
            match self.send(Method::POST, "Users", &new_user(effect.account), None).await {
                Ok(reply) => return Ok(reply.said),
                // It came there meanwhile, or an answer was lost.
                Err(trouble) if trouble.is(409) => user = self.user(effect.account).await?,
                Err(trouble) => return Err(trouble),
            }
        }
        let Some(user) = user else {
            return if active {
                Err(Trouble::Refused(409, "the app has another user of this name".to_owned()))
            } else {
                Ok("there is no such user".to_owned())
            };
        };
        let path = format!("Users/{}", user.id);
        match self.patch(&path, &json!({ "op": "replace", "path": "active", "value": active })).await {
            Ok(reply) => Ok(reply.said),
            Err(trouble) if trouble.is(404) && !active => Ok(format!("PATCH {path}: 404, it is gone")),
            Err(trouble) if has_no_patch(&trouble) => {
                let reply = self.get(&path, &[]).await?;
                let mut body = Resource::of(reply.body, None).ok_or_else(|| no_answer(&reply.said))?.body;
                if let Some(fields) = body.as_object_mut() {
                    fields.insert("active".to_owned(), active.into());
                }
                self.send(Method::PUT, &path, &body, reply.etag).await.map(|reply| reply.said).map_err(overtaken)
            }
            Err(trouble) => Err(trouble),
        }
    }

    async fn apply_member(&self, effect: Effect<'_>) -> Result<String, Trouble> {
        let op = effect.op;
        let Some(user) = self.user(effect.account).await? else {
            return match op.direction {
                Direction::Revoke => Ok("there is no such user".to_owned()),
                _ => Err(Trouble::Refused(404, "the app has no user for this person".to_owned())),
            };
        };
        let mut said = self.set_member(&op.entitlement, &user, op.direction).await?;
        if let Some(tier) = &op.replaces {
            let taken = self.set_member(&Entitlement::Tier(tier.clone()), &user, Direction::Revoke).await?;
            said = format!("{said}; {taken}");
        }
        Ok(said)
    }

    /// Makes a user a member of a group, or not one.
    async fn set_member(&self, entitlement: &Entitlement, user: &Resource, way: Direction) -> Result<String, Trouble> {
        let member = way != Direction::Revoke;
        let Some(id) = self.group_id(entitlement).await? else {
            return if member {
                Err(Trouble::Refused(404, format!("the app has no group for {entitlement}")))
            } else {
                Ok(format!("the app has no group for {entitlement}"))
            };
        };
        let path = format!("Groups/{id}");
        let operation = if member {
            json!({ "op": "add", "path": "members", "value": [{ "value": user.id }] })
        } else {
            json!({ "op": "remove", "path": format!("members[value eq {}]", quoted(&user.id)) })
        };
        match self.patch(&path, &operation).await {
            Ok(reply) => Ok(reply.said),
            Err(trouble) if trouble.is(404) && !member => Ok(format!("PATCH {path}: 404, it is gone")),
            // Not every server takes a path with a filter, or PATCH at all: then the whole group is written, as it was read.
            Err(trouble) if has_no_patch(&trouble) => self.rewrite(entitlement, user, way).await,
            Err(trouble) => Err(trouble),
        }
    }

    /// Whether a group is shown with all who are in it: what is written as a whole would take the others out.
    async fn shows_all_members(&self, group: &Resource, user: &Resource) -> bool {
        if group.members().is_some() {
            return group.has_member(&user.id) || !user.is_in(&group.id);
        }
        self.is_shown_empty(group).await
    }

    /// Whether a group that is shown without members has none, as the app says when it is asked for users.
    async fn is_shown_empty(&self, group: &Resource) -> bool {
        let filter = format!("groups.value eq {}", quoted(&group.id));
        let asked = self.get("Users", &[("filter", &filter), ("count", "1")]).await;
        asked.is_ok_and(|reply| reply.body.get("totalResults").and_then(Value::as_u64) == Some(0))
    }

    async fn rewrite(&self, entitlement: &Entitlement, user: &Resource, way: Direction) -> Result<String, Trouble> {
        let missing = || Trouble::Refused(404, format!("the app has no group for {entitlement}"));
        let group = self.group(entitlement).await?.ok_or_else(missing)?;
        if !self.shows_all_members(&group, user).await {
            let said = format!(
                "Groups/{}: the app does not show all members and takes no change of one: a person does it",
                group.id
            );
            return Err(Trouble::Refused(0, said));
        }
        let mut members = group.body.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
        members.retain(|one| one.get("value").and_then(Value::as_str) != Some(user.id.as_str()));
        if way != Direction::Revoke {
            members.push(json!({ "value": user.id }));
        }
        let mut body = group.body.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.insert("members".to_owned(), members.into());
            fields.entry("schemas").or_insert_with(|| json!([GROUP]));
        }
        let reply = self.send(Method::PUT, &format!("Groups/{}", group.id), &body, group.etag).await;
        reply.map(|reply| reply.said).map_err(overtaken)
    }
}

/// The trouble of an answer of success that says nothing of what was asked.
fn no_answer(said: &str) -> Trouble {
    Trouble::Unknown(format!("{said}, which is no answer by SCIM: nothing follows from it"))
}

/// The trouble of writing a whole: where another has changed it meanwhile, it is written again and not refused.
fn overtaken(trouble: Trouble) -> Trouble {
    if trouble.is(412) { Trouble::Unknown("PUT: 412, it has changed meanwhile".to_owned()) } else { trouble }
}

fn has_no_patch(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Refused(400 | 405 | 501, _))
}
