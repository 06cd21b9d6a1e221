//! The server's own description (RFC 7643, sections 5 to 7): its features, the kinds of resources, and their attributes.

use serde_json::{Value, json};

use crate::app::access::people::directory::ENTERPRISE;

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

/// The most resources of one answer.
pub const RESULTS_MAX: usize = 1_000;

/// The features that this server has.
pub fn config() -> Value {
    let not = json!({ "supported": false });
    json!({
        "schemas": [CONFIG],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": RESULTS_MAX },
        "changePassword": not,
        "sort": not,
        "etag": { "supported": true },
        "authenticationSchemes": [{ "type": "oauthbearertoken", "name": "Bearer token",
            "description": "A token of the desk with the role `directory` (RFC 6750).", "primary": true }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": "/scim/v2/ServiceProviderConfig" },
    })
}

/// The kinds of resources.
pub fn resource_types() -> Vec<Value> {
    let kind = |id: &str, endpoint: &str, schema: &str, extensions: Value| {
        json!({ "schemas": [RESOURCE_TYPE], "id": id, "name": id, "endpoint": endpoint, "schema": schema,
            "description": id, "schemaExtensions": extensions,
            "meta": { "resourceType": "ResourceType", "location": format!("/scim/v2/ResourceTypes/{id}") } })
    };
    let extension = |schema: &str| json!({ "schema": schema, "required": false });
    vec![kind("User", "/Users", USER, json!([extension(ENTERPRISE)])), kind("Group", "/Groups", GROUP, json!([]))]
}

struct Attribute {
    name: &'static str,
    kind: &'static str,
    several: bool,
    required: bool,
    exact: bool,
    unique: bool,
    parts: Vec<Value>,
}

impl Attribute {
    fn described(self) -> Value {
        let mut attribute = json!({
            "name": self.name,
            "type": self.kind,
            "multiValued": self.several,
            "description": self.name,
            "required": self.required,
            "mutability": "readWrite",
            "returned": "default",
        });
        if let Some(fields) = attribute.as_object_mut() {
            if self.kind == "string" || self.kind == "reference" {
                fields.insert("caseExact".to_owned(), self.exact.into());
                fields.insert("uniqueness".to_owned(), if self.unique { "server" } else { "none" }.into());
            }
            if self.kind == "reference" {
                let types = if self.name == "$ref" { json!(["User"]) } else { json!(["external"]) };
                fields.insert("referenceTypes".to_owned(), types);
            }
            if !self.parts.is_empty() {
                fields.insert("subAttributes".to_owned(), self.parts.into());
            }
        }
        attribute
    }
}

fn plain(name: &'static str, kind: &'static str) -> Attribute {
    Attribute { name, kind, several: false, required: false, exact: false, unique: false, parts: Vec::new() }
}

fn text(name: &'static str) -> Value {
    plain(name, "string").described()
}

fn several(name: &'static str, parts: Vec<Value>) -> Value {
    Attribute { several: true, parts, ..plain(name, "complex") }.described()
}

/// Values with a type each, such as addresses of mail.
fn values(name: &'static str) -> Value {
    several(name, vec![text("value"), text("display"), text("type"), plain("primary", "boolean").described()])
}

/// An attribute that no client sets, with its parts.
fn read_only(mut attribute: Value) -> Value {
    if let Some(fields) = attribute.as_object_mut() {
        fields.insert("mutability".to_owned(), "readOnly".into());
        if let Some(Value::Array(parts)) = fields.get_mut("subAttributes") {
            for part in parts {
                *part = read_only(std::mem::take(part));
            }
        }
    }
    attribute
}

/// The groups of a user, as their members say.
fn groups() -> Value {
    let exact = |name, kind| Attribute { exact: true, ..plain(name, kind) }.described();
    let mut place = exact("$ref", "reference");
    if let Some(fields) = place.as_object_mut() {
        fields.insert("referenceTypes".to_owned(), json!(["Group"]));
    }
    read_only(several("groups", vec![exact("value", "string"), place, text("display"), text("type")]))
}

fn user() -> Vec<Value> {
    let name = ["formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"];
    let address = ["formatted", "streetAddress", "locality", "region", "postalCode", "country", "type"];
    let mut address: Vec<Value> = address.map(text).into();
    address.push(plain("primary", "boolean").described());
    let mut all = vec![
        Attribute { required: true, unique: true, ..plain("userName", "string") }.described(),
        Attribute { parts: name.map(text).into(), ..plain("name", "complex") }.described(),
        plain("active", "boolean").described(),
        several("addresses", address),
    ];
    all.extend(["displayName", "nickName", "title", "userType", "preferredLanguage", "locale", "timezone"].map(text));
    all.push(Attribute { exact: true, ..plain("profileUrl", "reference") }.described());
    all.extend(["emails", "phoneNumbers", "entitlements", "roles"].map(values));
    all.push(groups());
    all
}

fn group() -> Vec<Value> {
    let exact = |name, kind| Attribute { exact: true, ..plain(name, kind) }.described();
    let members = vec![exact("value", "string"), exact("$ref", "reference"), text("display"), text("type")];
    vec![
        Attribute { required: true, unique: true, ..plain("displayName", "string") }.described(),
        several("members", members),
    ]
}

fn enterprise() -> Vec<Value> {
    let exact = |name, kind| Attribute { exact: true, ..plain(name, kind) }.described();
    let manager = vec![exact("value", "string"), exact("$ref", "reference"), text("displayName")];
    let mut all: Vec<Value> =
        ["employeeNumber", "costCenter", "organization", "division", "department"].map(text).into();
    all.push(Attribute { parts: manager, ..plain("manager", "complex") }.described());
    all
}

/// The attributes of each kind. First and last days are not among them: SCIM has no type for a day, so that only clients which know
/// the extension send them.
pub fn schemas() -> Vec<Value> {
    let schema = |id: &str, name: &str, attributes: Vec<Value>| {
        json!({ "schemas": [SCHEMA], "id": id, "name": name, "description": name, "attributes": attributes,
            "meta": { "resourceType": "Schema", "location": format!("/scim/v2/Schemas/{id}") } })
    };
    vec![
        schema(USER, "User", user()),
        schema(GROUP, "Group", group()),
        schema(ENTERPRISE, "EnterpriseUser", enterprise()),
    ]
}
