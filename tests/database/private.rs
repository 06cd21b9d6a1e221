//! What the desk keeps is its owner's alone, also where an earlier version left it open to others.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ruledesk::store::Target;
use serde_json::json;

use crate::support::components::example_rules;
use crate::support::desk::{Database, Desk, Place};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}

/// Everything in the data directory, with the directory.
fn kept(desk: &Desk) -> Vec<PathBuf> {
    let Target::Sqlite(file) = desk.target() else { panic!("it is SQLite") };
    let data = file.parent().unwrap().to_owned();
    let entries = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
    entries.chain([data.clone()]).collect()
}

#[test]
fn nobody_else_can_read_the_data_directory_and_what_is_in_it() {
    let desk = Place::demo(Database::Sqlite, example_rules()).before_its_first_start().start();
    let body = json!({ "request_type": "question", "subject": "x", "body": "Please tell me.", "fields": { "topic": "other" } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let files = kept(&desk);
    assert!(files.iter().any(|path| path.ends_with("ruledesk.db-wal")), "{files:?}");
    for path in &files {
        assert_eq!(mode(path) & 0o077, 0, "{}", path.display());
    }
    // As an earlier version made them.
    let place = desk.crash();
    for path in &files {
        let open = if path.is_dir() { 0o755 } else { 0o644 };
        std::fs::set_permissions(path, Permissions::from_mode(open)).unwrap();
    }
    let desk = place.start();
    for path in kept(&desk).iter().filter(|path| path.is_file() || path.ends_with("data")) {
        assert_eq!(mode(path) & 0o077, 0, "{}", path.display());
    }
    let told = desk.log().into_iter().filter(|line| line.to_string().contains("others could read it"));
    assert!(told.count() >= 2, "each is said");
}
