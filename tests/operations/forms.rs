//! Forms: fields that are asked only for some answers, and those that name people, apps, rows of tables and files.

use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

const FORM: &str = r#"
[[request-type]]
id = "device"
name = "A device"
kind = "request"
field = [
    { name = "device", label = "Device", kind = "choice", options = ["laptop", "phone", "none"], required = true },
    { name = "serial", label = "Serial number", kind = "text", show-when = [{ field = "device", not = ["none"] }], require-when = [{ field = "device", is = ["laptop"] }] },
    { name = "count", label = "How many", kind = "number" },
    { name = "reason", label = "Why so many", kind = "long-text", require-when = [{ field = "count", at-least = 3 }] },
    { name = "manager", label = "Who agrees", kind = "person", show-when = [{ field = "reason", filled = true }] },
    { name = "system", label = "For which app", kind = "app" },
    { name = "site", label = "Where", kind = "asset", table = "sites" },
    { name = "picture", label = "Picture", kind = "file" },
]
"#;

fn desk(database: Database) -> House {
    let desk = House::with_settings(database, example_rules(), |text| text);
    let file = desk.settings().with_file_name("request-types.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n{FORM}")).unwrap();
    let tables = desk.settings().with_file_name("tables");
    std::fs::write(tables.join("sites.csv"), "site,city\nber-1,Berlin\n").unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    desk
}

fn ask(client: &Client, fields: &Value) -> Answer {
    let body =
        json!({ "request_type": "device", "subject": "A new device", "body": "Mine is too old.", "fields": fields });
    client.post("/api/v1/tickets", &body)
}

/// The fields that have problems, each with its code.
fn problems(client: &Client, fields: &Value) -> Vec<(String, String)> {
    let answer = ask(client, fields).expect(422);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    answer["problems"].as_array().unwrap().iter().map(|p| (text(&p["field"]), text(&p["code"]))).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
}

#[test]
fn a_form_asks_only_what_the_answers_before_call_for_and_the_desk_holds_to_that() {
    on_both(|database| {
        let desk = desk(database);
        let amara = desk.as_role("amara");
        assert_eq!(problems(&amara, &json!({ "device": "laptop" })), pairs(&[("serial", "required")]));
        assert_eq!(problems(&amara, &json!({ "device": "none", "serial": "x" })), pairs(&[("serial", "not-asked")]));
        assert_eq!(problems(&amara, &json!({ "device": "none", "count": 3 })), pairs(&[("reason", "required")]));
        assert_eq!(
            problems(&amara, &json!({ "device": "none", "manager": "mei" })),
            pairs(&[("manager", "not-asked")])
        );
        // What depends on a wrong answer is not judged by it.
        assert_eq!(
            problems(&amara, &json!({ "device": "lapdog", "serial": "x" })),
            pairs(&[("device", "not-an-option")])
        );
        ask(&amara, &json!({ "device": "phone" })).expect(201);
        ask(&amara, &json!({ "device": "none", "count": 2, "serial": "" })).expect(201);
        let whole =
            json!({ "device": "laptop", "serial": "x", "count": 3, "reason": "three\nof us", "manager": "mei" });
        ask(&amara, &whole).expect(201);
    });
}

#[test]
fn a_field_names_only_people_apps_rows_and_files_that_are_there() {
    on_both(|database| {
        let desk = desk(database);
        let amara = desk.as_role("amara");
        let wrong = json!({ "device": "none", "reason": "x", "manager": "no-such-person", "system": "no-such-app" });
        assert_eq!(problems(&amara, &wrong), pairs(&[("manager", "unknown"), ("system", "unknown")]));
        assert_eq!(problems(&amara, &json!({ "device": "none", "site": "mars" })), pairs(&[("site", "unknown")]));
        assert_eq!(
            problems(&amara, &json!({ "device": "none", "picture": "photo.png" })),
            pairs(&[("picture", "wrong-type")])
        );
        let file =
            amara.send_file("/api/v1/attachments?name=a.txt", "text/plain", b"a picture").expect(201)["id"].clone();
        let right = json!({ "device": "none", "system": "github", "site": "ber-1", "picture": file });
        let key = ask(&amara, &right).expect(201)["key"].as_str().unwrap().to_owned();
        let files = amara.get(&format!("/api/v1/tickets/{key}/attachments")).expect(200);
        assert_eq!(files[0]["id"], file, "the file is the ticket's");
        let forms = amara.get("/api/v1/config/request-types").expect(200);
        let form = forms.as_array().unwrap().iter().find(|form| form["id"] == "device").unwrap();
        let serial = form["fields"].as_array().unwrap().iter().find(|field| field["name"] == "serial").unwrap();
        assert_eq!(serial["show_when"], json!([{ "field": "device", "test": "not", "texts": ["none"] }]));
        assert_eq!(serial["require_when"], json!([{ "field": "device", "test": "is", "texts": ["laptop"] }]));
    });
}

/// A field is added while the desk runs, by publishing the forms: no restart and nothing to migrate. Tickets of before stay as they
/// were, a draft of before learns what it lacks, and rules and lists read the field at once.
#[test]
fn a_field_is_added_to_a_form_of_a_running_desk_and_tickets_of_before_stay_whole() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            format!("{text}\n[configuration]\nby-api = [\"request-types\"]\n")
        });
        let (amara, kofi, mei) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei"));
        let question = |fields: Value| json!({ "request_type": "question", "subject": "How do I do it?", "body": "Please tell me.", "fields": fields });
        let before = amara.post("/api/v1/tickets", &question(json!({ "topic": "howto" }))).expect(201);
        let path = format!("/api/v1/tickets/{}", before["key"].as_str().unwrap());
        let (whole, told) = (kofi.get(&path).expect(200), kofi.get(&format!("{path}/explain")).expect(200));
        let draft = "/api/v1/drafts/0199c0de-0000-7000-8000-000000000001";
        amara.put(draft, &question(json!({ "topic": "howto" }))).expect(200);

        let documents = mei.get("/api/v1/config/documents").expect(200);
        let live = documents.as_array().unwrap().iter().find(|one| one["document"] == "request-types").unwrap().clone();
        let text = live["content"].as_str().unwrap();
        let topic = "    { name = \"topic\"";
        assert_eq!(text.matches(topic).count(), 1);
        let floor = "    { name = \"floor\", label = \"Floor\", kind = \"number\", min = 0, required = true },\n";
        let body = json!({ "content": text.replace(topic, &format!("{floor}{topic}")), "why": "they go there" });
        let document = "/api/v1/config/documents/request-types";
        let (other, renamed) = ("id = \"incident\"\nname = \"", "id = \"incident\"\nname = \"Urgent: ");
        let look = json!({ "content": text.replace(other, renamed) });
        let look = mei.post(&format!("{document}/check"), &look).expect(200)["changes"][0].clone();
        assert_eq!((&look["id"], &look["rules"]), (&json!("incident"), &json!(["form-category"])), "{look}");
        let touched = mei.with("if-match", "*").put(document, &body).expect(200)["changes"][0].clone();
        assert_eq!((&touched["id"], &touched["open_tickets"]), (&json!("question"), &json!(1)), "{touched}");

        assert_eq!(kofi.get(&path).expect(200), whole);
        assert_eq!(kofi.get(&format!("{path}/explain")).expect(200), told);
        let edit = json!({ "priority": "high", "reason": "it is read and written as before" });
        kofi.with("if-match", "*").patch(&path, &edit).expect(200);
        let lacks = |answer: Answer| {
            let refused = answer.expect(422);
            (refused["problems"][0]["field"].clone(), refused["problems"][0]["code"].clone())
        };
        assert_eq!(lacks(amara.post(&format!("{draft}/submit"), &json!({}))), (json!("floor"), json!("required")));
        assert_eq!(
            lacks(amara.post("/api/v1/tickets", &question(json!({ "topic": "howto", "floor": -1 })))).0,
            json!("floor")
        );
        let made = amara.post("/api/v1/tickets", &question(json!({ "topic": "howto", "floor": 3 }))).expect(201);
        let runs = kofi.get(&format!("/api/v1/tickets/{}/decisions", made["key"].as_str().unwrap())).expect(200);
        assert!(runs[0]["stages"][0]["input"].to_string().contains("floor"), "{runs}");
        let desk = desk.cut_off_and_restart();
        assert_eq!(desk.as_role("kofi").get(&path).expect(200)["fields"], whole["fields"]);
    });
}
