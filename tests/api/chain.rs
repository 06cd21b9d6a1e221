//! `ruledesk decisions chain`, beside a running desk.

use serde_json::json;

use crate::store::by_hand;
use crate::support::house::House;
use crate::support::place::on_both;
use crate::support::records::into_old_shape;

#[test]
fn the_command_tells_where_a_record_was_changed_and_fails() {
    on_both(|database| {
        let desk = House::demo(database);
        let amara = desk.as_role("amara");
        let submit = || {
            let body = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": { "topic": "other" } });
            amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned()
        };
        let keys = [submit(), submit(), submit()];
        let runs = desk.as_role("kofi").get(&format!("/api/v1/tickets/{}/decisions", keys[0])).expect(200);
        let engine = runs[0]["engine"].as_str().unwrap();
        assert!(engine.starts_with("ruledesk ") && engine.contains(", wasmtime "), "{engine}");

        let folder = tempfile::tempdir().unwrap();
        let anchor = folder.path().join("anchor");
        let check = || desk.command(&["decisions", "chain", "--anchor", anchor.to_str().unwrap()]);
        let good = check();
        let (said, noted) = (String::from_utf8(good.stdout).unwrap(), std::fs::read_to_string(&anchor).unwrap());
        assert!(good.status.success(), "{said}");
        assert!(said.contains("runs: 3 chained records"), "{said}");
        assert!(noted.starts_with("runs 3 2:"), "{noted}");

        let runtime = tokio::runtime::Runtime::new().unwrap();
        let change = "update decisions set verdict = '{}' where stage = 'routing' and run = (select id from runs where link = 2)";
        into_old_shape(&desk.target());
        runtime.block_on(by_hand(&desk.target(), &[change]));
        submit();
        let bad = check();
        let said = String::from_utf8(bad.stdout).unwrap();
        assert!(!bad.status.success(), "{said}");
        assert!(said.contains(&format!("runs 2 ({}): it is not what was written here", keys[1])), "{said}");
        assert_eq!(std::fs::read_to_string(&anchor).unwrap(), noted, "an anchor moves only where all is well");
    });
}
