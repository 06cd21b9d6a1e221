//! A user or a group as an app shows it.

use serde_json::{Value, json};

use crate::desk::access::provisioning::Account;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The name of the desk's own id for a user.
pub(super) const EXTERNAL_ID: &str = "externalId";

/// A text of a filter (RFC 7644, 3.4.2.2), which is written as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The name by which an app knows a person.
pub(super) fn user_name(account: &Account) -> &str {
    if account.email.is_empty() { account.id.as_str() } else { &account.email }
}

/// A person as a user that the app does not have yet.
pub(super) fn new_user(account: &Account) -> Value {
    let name = if account.name.is_empty() { account.id.as_str() } else { &account.name };
    let (given, family) = name.split_once(' ').unwrap_or((name, name));
    let mut user = json!({
        "schemas": [USER],
        "externalId": account.id.as_str(),
        "userName": user_name(account),
        "displayName": name,
        "name": { "formatted": name, "givenName": given, "familyName": family },
        "active": true,
    });
    if let (Some(fields), false) = (user.as_object_mut(), account.email.is_empty()) {
        fields.insert("emails".to_owned(), json!([{ "value": account.email, "type": "work", "primary": true }]));
    }
    user
}

/// Whether an answer is a list of resources, which may have none (RFC 7644, 3.4.2).
pub(super) fn is_list(body: &Value) -> bool {
    body.get("Resources").is_some_and(Value::is_array) || body.get("totalResults").is_some_and(Value::is_u64)
}

/// A user or a group of the app.
pub(super) struct Resource {
    pub id: String,
    pub body: Value,
    pub etag: Option<String>,
}

impl Resource {
    pub fn of(body: Value, etag: Option<String>) -> Option<Resource> {
        let id = body.get("id")?.as_str()?.to_owned();
        is_plain(&id).then_some(Resource { id, body, etag })
    }

    /// The ids of the groups that are members of a group.
    pub fn groups_within(&self) -> Vec<String> {
        let groups = self.members().unwrap_or_default().iter().filter(|member| is_group(member));
        let ids = groups.filter_map(|member| member.get("value").and_then(Value::as_str));
        ids.filter(|id| is_plain(id)).map(str::to_owned).collect()
    }

    /// The ids of the members of a group that are no groups.
    pub fn users_within(&self) -> impl Iterator<Item = String> {
        let ids = self.members().unwrap_or_default().iter().filter(|member| !is_group(member));
        ids.filter_map(|member| member.get("value").and_then(Value::as_str)).map(str::to_owned)
    }

    /// The members of a group; `None` where it is shown without any.
    pub fn members(&self) -> Option<&[Value]> {
        self.body.get("members").and_then(Value::as_array).map(Vec::as_slice)
    }

    /// Whether it has this text under this name: names in whichever letters, the desk's own id as it is (RFC 7643, section 3.1). One that
    /// is shown without it is taken at the app's word.
    pub fn has(&self, name: &str, text: &str) -> bool {
        let same = |own: &str| own == text || (name != EXTERNAL_ID && own.to_lowercase() == text.to_lowercase());
        self.body.get(name).and_then(Value::as_str).is_none_or(same)
    }

    /// Whether it is shown with the desk's own id.
    pub fn has_own_id(&self) -> bool {
        self.body.get(EXTERNAL_ID).is_some_and(Value::is_string)
    }

    /// Whether it is shown with this name, in whichever letters.
    pub fn has_name(&self, name: &str) -> bool {
        let own = self.body.get("userName").and_then(Value::as_str);
        own.is_some_and(|own| own.to_lowercase() == name.to_lowercase())
    }

    pub fn is_active(&self) -> bool {
        match self.body.get("active") {
            Some(Value::Bool(active)) => *active,
            Some(Value::String(active)) => !active.eq_ignore_ascii_case("false"),
            _ => true,
        }
    }

    pub fn has_member(&self, user: &str) -> bool {
        let members = self.body.get("members").and_then(Value::as_array);
        members.is_some_and(|all| all.iter().any(|member| member.get("value").and_then(Value::as_str) == Some(user)))
    }

    /// Whether a user says that they are in a group.
    pub fn is_in(&self, group: &str) -> bool {
        let groups = self.body.get("groups").and_then(Value::as_array);
        groups.is_some_and(|all| all.iter().any(|one| one.get("value").and_then(Value::as_str) == Some(group)))
    }
}

/// Whether a member of a group is a group.
fn is_group(member: &Value) -> bool {
    let text = |name: &str| member.get(name).and_then(Value::as_str).unwrap_or_default();
    text("type").eq_ignore_ascii_case("group") || text("$ref").contains("/Groups/")
}

/// Whether an id may become a part of addresses.
pub(super) fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@:~".contains(c)) && !matches!(id, "." | "..")
}
