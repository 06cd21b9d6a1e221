//! Rules by API: what is taken and what is refused, on one host and on several.

use serde_json::Value;

use crate::support::client::Answer;
use crate::support::components::hostile_manifest;
use crate::support::place::Place;

mod crash;
mod hosts;
mod upload;

/// A manifest for a rule of priority that has nothing to say.
fn manifest(name: &str, version: &str) -> String {
    hostile_manifest(name, "priority", "pass", "").replace("1.0.0", version)
}

/// Uploads a rule as an admin.
fn deploy(desk: &Place, manifest: &str, component: &[u8]) -> Answer {
    let parts: [(&str, &[u8]); 3] =
        [("manifest", manifest.as_bytes()), ("component", component), ("why", b"a test of uploads")];
    desk.as_role("mei").send_parts("/api/v1/rules", &parts)
}

/// What a desk says of a rule; nothing where it has none of that name.
fn rule(desk: &Place, name: &str) -> Value {
    let rules = desk.as_role("kofi").get("/api/v1/rules").expect(200);
    let found = rules["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == name);
    found.cloned().unwrap_or_default()
}
