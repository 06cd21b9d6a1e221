//! A requester's words on a ticket that was resolved, judged by rules: what each answer does, what none and a bad one leave to the
//! policy, and that the record says so and can be proved.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::{Answer, Client, resolved};
use crate::support::components::{hostile, hostile_manifest, put, root};
use crate::support::house::House;
use crate::support::place::{Database, on_both};

/// A request type, and the deed of the rule that is asked about it.
type Deed<'a> = (&'a str, &'a str, &'a str);

const DECISIONS: [Deed<'_>; 4] =
    [("incident", "reopen", ""), ("hardware", "follow-up", ""), ("software", "keep", ""), ("question", "confirm", "")];

const WORDS: &str = "And the printer?";

/// A directory of rules for closing, one for each request type; each is named after what it does.
fn rules(deeds: &[Deed<'_>]) -> TempDir {
    let rules = TempDir::new().unwrap();
    for (request_type, does, more) in deeds {
        let more = format!("[match]\nrequest-types = [\"{request_type}\"]\n{more}");
        put(rules.path(), does, &hostile_manifest(does, "closing", does, &more), hostile());
    }
    rules
}

fn path(key: &str) -> String {
    format!("/api/v1/tickets/{key}")
}

fn step(client: &Client, key: &str, body: &Value) -> Answer {
    client.with("if-match", "*").post(&format!("{}/transitions", path(key)), body)
}

fn say(client: &Client, key: &str) -> Answer {
    client.post(&format!("{}/comments", path(key)), &json!({ "body": WORDS }))
}

fn state(desk: &House, key: &str) -> Value {
    desk.as_role("kofi").get(&path(key)).expect(200)["state"].clone()
}

/// A ticket of amara's that kofi has resolved; its key.
fn resolved_ticket(desk: &House, request_type: &str) -> String {
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let body = json!({ "request_type": request_type, "subject": "It is broken", "body": "It does not answer." });
    let key = amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
    let category = json!({ "category": "software", "reason": "it is about software" });
    kofi.with("if-match", "*").patch(&path(&key), &category).expect(200);
    step(&kofi, &key, &resolved()).expect(200);
    key
}

/// The runs of the rules about a ticket, as they are recorded.
fn runs(desk: &House, key: &str) -> Vec<Value> {
    let runs = desk.as_role("kofi").get(&format!("{}/decisions", path(key))).expect(200);
    runs.as_array().unwrap().clone()
}

/// The last decision about a ticket, which is one about words.
fn last(desk: &House, key: &str) -> Value {
    let last = runs(desk, key).pop().unwrap();
    assert_eq!((&last["cause"], last["stages"].as_array().unwrap().len()), (&json!("replied"), 1), "{last}");
    assert_eq!(last["stages"][0]["stage"], "closing");
    last["stages"][0].clone()
}

/// The result of `decisions verify`, which has to hold.
fn verified(desk: &House) -> Value {
    let output = desk.command(&["decisions", "verify", "--stage", "closing", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn each_decision_of_a_rule_about_words_has_its_effect_and_its_record() {
    on_both(|database| {
        let desk = House::with_rules(database, rules(&DECISIONS).path());
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let keys = DECISIONS.map(|(request_type, ..)| resolved_ticket(&desk, request_type));
        let said = keys.each_ref().map(|key| say(&amara, key).expect(201));
        let states = keys.each_ref().map(|key| state(&desk, key));
        assert_eq!(states, ["reopened", "resolved", "resolved", "closed"].map(|state| json!(state)));

        let [reopened, followed, kept, confirmed] = &keys;
        assert_eq!((&said[0]["key"], &said[2]["key"]), (&json!(reopened), &json!(kept)));
        let next = &said[1];
        assert_ne!(next["key"], json!(followed), "the answer is the new ticket");
        assert_eq!((&next["body"], &next["subject"]), (&json!(WORDS), &json!("It is broken")));
        let links = kofi.get(&format!("{}/links", path(followed))).expect(200);
        assert_eq!((&links[0]["link"], &links[0]["ticket"]), (&json!("followed-up-by"), &next["key"]));
        let timeline = |key: &str| amara.get(&format!("{}/timeline", path(key))).expect(200).to_string();
        assert!(!timeline(followed).contains(WORDS) && timeline(kept).contains(WORDS));
        let ended = kofi.get(&format!("{}/resolutions", path(confirmed))).expect(200)[0]["ended"].clone();
        assert_eq!(ended, "confirmed", "it counts as the requester's own word");

        for ((_, does, _), key) in DECISIONS.iter().zip(&keys) {
            let decision = last(&desk, key);
            assert_eq!(decision["verdict"], json!({ "effect": does, "effect-by": format!("{does} 1.0.0") }));
            let input = &decision["input"];
            assert_eq!((&input["words"]["text"], &input["words"]["channel"]), (&json!(WORDS), &json!("api")));
            assert_eq!((&input["state"], &input["reopened"]), (&json!("resolved"), &json!(0)));
            let resolution = &input["resolution"];
            assert_eq!((&resolution["resolved-by"], &resolution["days-since"]), (&json!("kofi"), &json!(0)));
            assert_eq!(resolution["cause"], "a cable had come off");
            let told = kofi.get(&format!("{}/explain?field=closing", path(key))).expect(200);
            let story = &told["fields"][0];
            assert_eq!((&story["value"], &story["set_by"]["kind"]), (&json!(does), &json!("rule")), "{story}");
        }
        let proved = verified(&desk);
        assert_eq!((&proved["decisions"], &proved["same"]), (&json!(4), &json!(4)), "{proved}");
        let case = desk.command(&["rule", "case", kept, "--stage", "closing"]);
        let case: Value = serde_json::from_slice(&case.stdout).unwrap();
        assert_eq!((&case["input"]["words"]["text"], &case["expect"]["decision"]), (&json!(WORDS), &json!("keep")));
    });
}

#[test]
fn no_answer_about_words_and_a_failure_are_the_policys_to_settle() {
    on_both(|database| {
        let slow = "[limits]\nfuel = 2_000_000_000\ndeadline-ms = 50";
        let deeds = [
            ("incident", "pass", ""),
            ("hardware", "panic", ""),
            ("software", "give-up", ""),
            ("question", "loop", slow),
        ];
        let desk = House::with_rules(database, rules(&deeds).path());
        let amara = desk.as_role("amara");
        for (request_type, does, _) in deeds {
            let key = resolved_ticket(&desk, request_type);
            assert_eq!(say(&amara, &key).expect(201)["state"], "reopened", "{does}");
            let decision = last(&desk, &key);
            let mut verdict = json!({ "effect": "reopen", "effect-by": "the request type" });
            if does != "pass" {
                verdict["unanswered"] = json!([format!("{does} 1.0.0")]);
                assert!(decision["rules"][0]["fault"].is_string(), "{decision}");
            }
            assert_eq!(decision["verdict"], verdict);
        }
        assert_eq!(verified(&desk)["decisions"], 4);

        // One that people have taken out should have been asked.
        let why = json!({ "why": "a doubt" });
        desk.as_role("mei").post("/api/v1/rules/pass/suspend", &why).expect(200);
        let key = resolved_ticket(&desk, "incident");
        assert_eq!(say(&amara, &key).expect(201)["state"], "reopened");
        assert_eq!(last(&desk, &key)["verdict"]["unanswered"], json!(["pass not live"]));
        let told = desk.as_role("kofi").get(&format!("{}/explain?field=closing", path(&key))).expect(200);
        assert!(told["fields"][0]["set_by"]["reason"].as_str().unwrap().contains("pass not live"), "{told}");
        desk.as_role("mei").post("/api/v1/rules/pass/resume", &why).expect(200);
    });
}

#[test]
fn no_rule_does_what_the_state_of_a_ticket_does_not_allow() {
    on_both(|database| {
        let desk = House::with_settings(database, rules(&DECISIONS).path(), |text| {
            text.replace("[closing]\n", "[closing]\nreopen-days = 7\n")
        });
        let amara = desk.as_role("amara");
        let keys = DECISIONS.map(|(request_type, ..)| resolved_ticket(&desk, request_type));
        for key in &keys {
            step(&amara, key, &json!({ "to": "closed" })).expect(200);
        }
        let [reopened, followed, kept, confirmed] = &keys;
        for key in [reopened, confirmed] {
            let refused = say(&amara, key).expect(409);
            assert!(refused["detail"].as_str().unwrap().contains("/follow-ups"), "as without a rule: {refused}");
        }
        assert_eq!(say(&amara, kept).expect(201)["state"], "closed");
        assert_ne!(say(&amara, followed).expect(201)["key"], json!(followed));
        assert_eq!(keys.each_ref().map(|key| state(&desk, key)), ["closed"; 4].map(|state| json!(state)));
        assert_eq!(last(&desk, kept)["input"]["state"], "closed");

        // An agent's words are not the requester's, and after the days for reopening no rule is asked.
        assert_eq!(say(&desk.as_role("kofi"), kept).status, 409);
        desk.advance(SignedDuration::from_hours(8 * 24));
        let before = runs(&desk, kept).len();
        for key in &keys {
            say(&amara, key).expect(409);
        }
        assert_eq!(runs(&desk, kept).len(), before);
        // Words on a ticket that was never resolved are for no rule.
        let body = json!({ "request_type": "software", "subject": "It is slow", "body": "Please." });
        let open = amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
        say(&amara, &open).expect(201);
        step(&amara, &open, &json!({ "to": "cancelled" })).expect(200);
        say(&amara, &open).expect(409);
        assert_eq!(runs(&desk, &open).len(), 1);
    });
}

#[test]
fn words_that_are_sent_twice_open_one_ticket() {
    on_both(|database| {
        let desk = House::with_rules(database, rules(&DECISIONS).path());
        let key = resolved_ticket(&desk, "hardware");
        let amara = desk.as_role("amara").with("idempotency-key", "words-1");
        let first = say(&amara, &key).expect(201);
        let again = say(&amara, &key).expect(200);
        assert_eq!(first["key"], again["key"]);
        let links = desk.as_role("kofi").get(&format!("{}/links", path(&key))).expect(200);
        assert_eq!(links.as_array().unwrap().len(), 1);
        assert_eq!(runs(&desk, &key).len(), 2, "the rules are asked once about the same words");
    });
}

#[test]
fn a_follow_up_that_cannot_be_made_leaves_the_words_where_they_are() {
    on_both(|database| {
        let desk = House::with_rules(database, rules(&DECISIONS).path());
        let key = resolved_ticket(&desk, "hardware");
        put(&desk.rules, "reject", &hostile_manifest("reject", "intake", "reject", ""), hostile());
        desk.until_active("reject");
        let said = say(&desk.as_role("amara"), &key).expect(201);
        assert_eq!((&said["key"], &said["state"]), (&json!(key), &json!("reopened")));
        let verdict = json!({ "effect": "reopen", "effect-by": "the request type", "unanswered": ["follow-up 1.0.0"] });
        assert_eq!(last(&desk, &key)["verdict"], verdict);
        assert_eq!(verified(&desk)["holds"], true);
    });
}

#[test]
fn a_candidate_for_closing_is_tried_on_words_of_the_past() {
    on_both(|database| {
        let desk = House::with_rules(database, rules(&[("incident", "pass", "")]).path());
        for _ in 0..3 {
            let key = resolved_ticket(&desk, "incident");
            say(&desk.as_role("amara"), &key).expect(201);
        }
        let dir = TempDir::new().unwrap();
        let candidate = hostile_manifest("pass", "closing", "keep", "").replace("1.0.0", "1.1.0");
        put(dir.path(), "candidate", &candidate, hostile());
        let (folder, file) = (dir.path().join("candidate"), dir.path().join("report.json"));
        let arguments = ["rules", "backtest", folder.to_str().unwrap(), "--json", file.to_str().unwrap()];
        let output = desk.command(&arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!((&report["decisions"], &report["changed"]), (&json!(3), &json!(3)), "{report}");
        let moved = &report["stages"][0]["fields"][0]["moves"][0];
        assert_eq!((&moved["from"], &moved["to"]), (&json!("reopen"), &json!("keep")), "{report}");
    });
}

/// A component that was built before there was such a stage goes on, and words cost no more than they did.
#[test]
fn without_a_rule_for_closing_nothing_is_asked_and_nothing_recorded() {
    let rules = TempDir::new().unwrap();
    let old = std::fs::read(root().join("tests/compatibility/1.0.0/rust.wasm")).unwrap();
    let manifest = "name = \"old\"\nversion = \"1.0.0\"\nstages = [\"priority\"]\norder = 1\ntables = [\"systems\"]\n\
        [settings]\nwords = [\"printer\"]\ncategory = \"software\"\nlevel = \"high\"\nteam = \"desktop\"\n\
        table = \"systems\"\nfactor = 1.0\nbody-max = 12\nmax-hours = 72\n";
    put(rules.path(), "old", manifest, &old);
    let desk = House::with_rules(Database::Sqlite, rules.path());
    desk.until_active("old");
    let key = resolved_ticket(&desk, "incident");
    assert_eq!(say(&desk.as_role("amara"), &key).expect(201)["state"], "reopened");
    assert_eq!(runs(&desk, &key).len(), 1, "its own rules were asked when it was made");
    let told = desk.as_role("kofi").get(&format!("{}/explain?field=closing", path(&key)));
    assert_eq!(told.status, 404);
}
