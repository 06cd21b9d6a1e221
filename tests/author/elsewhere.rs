//! The commands about rules, asked of a desk at an address as of the database.

use std::process::Output;

use serde_json::json;

use super::{out, printed};
use crate::support::components::{hostile, hostile_manifest, put};
use crate::support::desk::{Database, Desk};

/// A command to a desk at its address, in the name of a demo person.
fn asked(desk: &Desk, person: &str, arguments: &[&str]) -> Output {
    desk.asked(person, arguments)
}

#[test]
fn a_rule_is_deployed_to_an_address_and_the_command_ends_with_the_desk_s_word() {
    let desk = Desk::demo(Database::Sqlite);
    let place = tempfile::tempdir().unwrap();
    let first = hostile_manifest("sent", "priority", "pass", "");
    put(place.path(), "sent", &first, hostile());
    let folder = place.path().join("sent");
    let deploy = ["rules", "deploy", folder.to_str().unwrap(), "--why", "tried", "--wait"];
    let said = printed(&asked(&desk, "mei", &deploy));
    assert!(
        said.starts_with("sent 1.0.0: active since revision ") && said.ends_with("sent: the desk says active\n"),
        "{said}"
    );

    // The next version is only tried, and the command says so.
    let second = hostile_manifest("sent", "priority", "pass", "mode = \"shadow\"").replace("1.0.0", "1.1.0");
    put(place.path(), "sent", &second, hostile());
    let said = printed(&asked(&desk, "mei", &deploy));
    assert!(said.ends_with("sent: the desk says shadow\n"), "{said}");

    // One without the right is refused, and what the desk refuses is named.
    let refused = asked(&desk, "amara", &deploy);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("may not administer"));
    put(
        place.path(),
        "sent",
        &first.replace("pass", "no-such-answer").replace("\"priority\"", "\"bakery\""),
        hostile(),
    );
    let refused = asked(&desk, "mei", &deploy);
    assert!(
        !refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("bakery"),
        "{}",
        out(&refused)
    );
}

#[test]
fn lists_and_sums_are_the_same_at_an_address_as_of_the_database() {
    let desk = Desk::demo(Database::Sqlite);
    let ticket = json!({ "request_type": "incident", "subject": "The VPN is down", "body": "x" });
    desk.as_role("amara").post("/api/v1/tickets", &ticket).expect(201);
    for command in [
        ["rules", "versions", "team-routing"].as_slice(),
        &["rules", "stats", "team-routing", "--window", "hour"],
        &["rules", "list"],
        &["tables", "list"],
    ] {
        let (here, there) = (desk.command(command), asked(&desk, "mei", command));
        let (here, there) = (printed(&here), printed(&there));
        assert!(["routing", "vips"].iter().any(|name| here.contains(name)), "{here}");
        // The time at which a sum was made, and how a list names versions, are each one's own.
        let lines = |said: &str| said.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
        if command == ["rules", "list"] {
            assert_eq!(lines(&here).len(), lines(&there).len());
        } else {
            assert_eq!(lines(&here), lines(&there));
        }
    }
    let versions = printed(&asked(&desk, "mei", &["rules", "versions", "team-routing"]));
    let id = versions.split_whitespace().next().unwrap().to_owned();
    let diff = ["rules", "diff", "team-routing", id.as_str(), id.as_str()];
    assert_eq!(printed(&desk.command(&diff)), printed(&asked(&desk, "mei", &diff)));
}
