//! How commands end: 0, done; 1, not done; 2, arguments that are wrong; 3, done, and what was found should not be.

use std::process::Output;

use serde_json::json;

use crate::support::house::House;
use crate::support::place::Database;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn commands_end_as_the_readme_says() {
    let desk = House::demo(Database::Postgres);
    let ticket = json!({ "request_type": "question", "subject": "Where is it?", "body": "Nobody knows where it is.", "fields": {} });
    desk.as_role("amara").post("/api/v1/tickets", &ticket).expect(201);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (good, bad) = (file("good.csv", "text\nWhere is the printer?\n"), file("bad.csv", "text\nWhere is it?,more\n"));
    let (table, no_table) = (file("floors.csv", "floor,room\n1,a\n"), file("rooms.csv", "floor,room\n1\n"));
    let import = |file: &str| {
        ["import", file, "--map", "body=text", "--request-type", "question", "--requester", "amara"]
            .map(str::to_owned)
            .to_vec()
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let walk = [
        (words("rules list"), 0),
        (words("explain IT-1"), 0),
        (words("tables list"), 0),
        (words(&format!("tables put {table} --why new")), 0),
        (words("decisions verify"), 0),
        (words("decisions chain"), 0),
        (words("jobs dead"), 0),
        (import(&good), 0),
        (words("explain IT-999"), 1),
        (words(&format!("tables put {no_table} --why new")), 1),
        (words("tables get no-such-table"), 1),
        (words("rules promote no-such-rule --to active --why because"), 1),
        (import("/no/such/file.csv"), 1),
        (words("explain --no-such-flag"), 2),
        (words("no-such-command"), 2),
        (import(&bad), 3),
    ];
    for (arguments, code) in walk {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = desk.command(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    }
    desk.sql("update runs set hash = '2:00' where link = 1");
    let output = desk.command(&["decisions", "chain"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("the chains break in"), "{}", said(&output));
}
