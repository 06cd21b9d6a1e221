//! The company's identity provider tells the desk by SCIM who works here, in the forms in which the large ones do; who is
//! deactivated there has left here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::components::{example_rules, scratch};
use crate::support::house::House;
use crate::support::place::{Database, on_both};

const TYPE: &str = "application/scim+json";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PLACE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const VALIDITY: &str = "urn:ruledesk:params:scim:schemas:extension:validity:1.0:User";

/// A desk with a person who stands for the provider, and the provider.
fn desk(database: Database) -> (House, Client) {
    let desk = House::with_settings(database, example_rules(), |text| text);
    let file = desk.settings().with_file_name("people.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let provider = "\n[[person]]\nid = \"provider\"\nname = \"Identity provider\"\nemail = \"idp@meridian.example\"\n";
    std::fs::write(&file, text + provider).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    let provider = desk.with_roles("provider", "directory");
    (desk, provider)
}

fn sends(client: &Client, method: &str, path: &str, body: &Value) -> Answer {
    client.with("content-type", TYPE).send(method, path, Some(body.to_string().as_bytes()))
}

fn user(name: &str, more: &Value) -> Value {
    let mut user = json!({ "schemas": [USER], "userName": name, "active": true });
    user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    user
}

fn id(answer: &Value) -> &str {
    answer["id"].as_str().unwrap()
}

fn asks(client: &Client, person: &str) -> Answer {
    let fields = json!({ "app": "jira", "tier": "user", "duration-hours": 24, "for": person,
        "justification": "I join the data project" });
    client.post("/api/v1/tickets", &json!({ "request_type": "access", "subject": "jira please", "fields": fields }))
}

fn zone() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

/// The time until the desk's next midnight, and a second.
fn to_midnight(desk: &House) -> SignedDuration {
    let (now, zone) = (desk.clock.now(), zone());
    let midnight = zone.to_timestamp(zone.to_datetime(now).date().tomorrow().unwrap().at(0, 0, 0, 0)).unwrap();
    midnight.duration_since(now) + SignedDuration::from_secs(1)
}

#[test]
fn people_are_here_from_their_first_day_to_their_last_and_have_left_then_by_whichever_source() {
    on_both(|database| {
        let (desk, provider) = desk(database);
        let (kofi, amara) = (desk.as_role("kofi"), desk.as_role("amara"));
        let today = zone().to_datetime(desk.clock.now()).date();
        let file = desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let ends = format!("id = \"amara\"\nvalid-until = {today}\n");
        std::fs::write(&file, text.replace("id = \"amara\"\n", &ends)).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        let begins = today.tomorrow().unwrap();
        let days = json!({ "displayName": "Tariq Aziz", VALIDITY: { "validFrom": begins.to_string() } });
        let tariq = sends(&provider, "POST", "/scim/v2/Users", &user("tariq@meridian.example", &days)).expect(201);
        assert_eq!(tariq["schemas"], json!([USER, VALIDITY]));
        let wrong = json!({ VALIDITY: { "validUntil": "tomorrow" } });
        assert_eq!(sends(&provider, "POST", "/scim/v2/Users", &user("zoe@meridian.example", &wrong)).status, 400);
        let days = json!({ "validfrom": begins.to_string(), "VALIDUNTIL": today.to_string() });
        let backwards = json!({ (VALIDITY.to_uppercase()): days });
        assert_eq!(sends(&provider, "POST", "/scim/v2/Users", &user("zoe@meridian.example", &backwards)).status, 400);

        let about = |person: &str| {
            let report = kofi.get(&format!("/api/v1/people/{person}/offboarding")).expect(200);
            ["here", "source", "valid_from", "valid_until"].map(|name| report[name].clone())
        };
        let (first, last) = (json!(begins.to_string()), json!(today.to_string()));
        assert_eq!(about("amara"), [json!(true), json!("configuration"), Value::Null, last.clone()]);
        assert_eq!(about("tariq"), [json!(false), json!("directory"), first, Value::Null]);
        assert_eq!(amara.get("/api/v1/tickets").status, 200, "on the last day, too");
        assert_eq!(asks(&kofi, "amara").expect(201)["access"]["state"], "approved");
        assert_eq!(asks(&kofi, "tariq").status, 422, "not before the first day");

        desk.advance(to_midnight(&desk));
        assert_eq!(about("amara"), [json!(false), json!("configuration"), Value::Null, last]);
        assert_eq!(amara.get("/api/v1/tickets").status, 401, "as one who has left");
        let grants = kofi.get("/api/v1/people/amara/grants").expect(200);
        assert_eq!(grants[0]["end_reason"], "left", "{grants}");
        assert_eq!(asks(&kofi, "amara").status, 422);
        assert_eq!(about("tariq")[0], true);
        asks(&kofi, "tariq").expect(201);
        let desk = desk.cut_off_and_restart();
        assert_eq!(desk.as_role("amara").get("/api/v1/tickets").status, 401, "nor after a start");
        desk.advance(SignedDuration::from_hours(24));
    });
}

#[test]
fn who_is_deactivated_at_the_provider_has_left_and_who_comes_there_is_here() {
    on_both(|database| {
        let (desk, provider) = desk(database);
        let kofi = desk.as_role("kofi");
        for client in [&kofi, &desk.as_role("mei"), &desk.as_role("amara")] {
            assert_eq!(client.get("/scim/v2/Users").status, 403, "it is the provider's, and no person's");
        }
        assert_eq!(desk.stranger().get("/scim/v2/Users").status, 401);
        // A person of the configuration, and one who is new; one truth for each.
        let boss = sends(&provider, "POST", "/scim/v2/Users", &user("lena@meridian.example", &json!({}))).expect(201);
        let place = json!({ PLACE: { "department": "Finance", "manager": { "value": id(&boss) } } });
        let amara = sends(&provider, "POST", "/scim/v2/Users", &user("Amara@meridian.example", &place)).expect(201);
        let more = json!({ "displayName": "Tariq Aziz", PLACE: place[PLACE], "externalId": "00u1" });
        let made = sends(&provider, "POST", "/scim/v2/Users", &user("tariq@meridian.example", &more));
        assert_eq!((made.etag.as_deref(), made.media_type.as_str()), (Some("W/\"1\""), TYPE));
        let tariq = made.expect(201);
        let again = sends(&provider, "POST", "/scim/v2/Users", &user("TARIQ@meridian.example", &json!({})));
        assert_eq!(again.expect(409)["scimType"], "uniqueness");
        let staff = json!({ "displayName": "staff", "members": [{ "value": id(&tariq) }, { "value": id(&amara) }] });
        let staff = sends(&provider, "POST", "/scim/v2/Groups", &staff).expect(201);

        let ticket = asks(&kofi, "tariq").expect(201);
        assert_eq!(ticket["access"]["state"], "approved", "staff get low-risk access at once: {ticket}");
        asks(&kofi, "amara").expect(201);
        // The forms of Entra and of Okta.
        let entra = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "Remove", "path": "members", "value": [{ "value": id(&amara) }] }] });
        sends(&provider, "PATCH", &format!("/scim/v2/Groups/{}", id(&staff)), &entra).expect(200);
        let members = provider.get(&format!("/scim/v2/Groups/{}", id(&staff))).expect(200)["members"].clone();
        assert_eq!(members, json!([{ "value": id(&tariq) }]), "one of them is removed, and never all");
        let gone = json!({ "Operations": [{ "op": "Replace", "path": "active", "value": "False" }] });
        let left = sends(&provider, "PATCH", &format!("/scim/v2/Users/{}", id(&tariq)), &gone).expect(200);
        let version = left["meta"]["version"].as_str().unwrap();
        assert!(left["active"] == false && version.starts_with("W/\"2."), "with the groups that have him: {left}");
        let okta = json!({ "Operations": [{ "op": "replace", "value": { "active": false } }] });
        sends(&provider, "PATCH", &format!("/scim/v2/Users/{}", id(&amara)), &okta).expect(200);
        for person in ["tariq", "amara"] {
            let report = kofi.get(&format!("/api/v1/people/{person}/offboarding")).expect(200);
            assert_eq!((&report["complete"], &report["here"]), (&json!(true), &json!(false)), "{person}: {report}");
            let grants = kofi.get(&format!("/api/v1/people/{person}/grants")).expect(200);
            assert_eq!(grants[0]["end_reason"], "left", "{grants}");
        }
        assert_eq!(asks(&kofi, "tariq").status, 422, "nobody asks for one who has left");
        // One who is deleted there does not come back by the configuration, and comes back as the same person.
        let path = format!("/scim/v2/Users/{}", id(&amara));
        assert_eq!(provider.delete(&path).status, 204);
        assert_eq!(provider.get(&path).status, 404);
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        assert_eq!(asks(&kofi, "amara").status, 422);
        let desk = desk.cut_off_and_restart();
        let (kofi, provider) = (desk.as_role("kofi"), desk.with_roles("provider", "directory"));
        assert_eq!(asks(&kofi, "amara").status, 422, "nor after a start");
        sends(&provider, "POST", "/scim/v2/Users", &user("amara@meridian.example", &json!({}))).expect(201);
        asks(&kofi, "amara").expect(201);
        assert!(desk.command(&["decisions", "chain"]).status.success());
        desk.advance(SignedDuration::from_hours(24));
    });
}

/// The case of names does not matter (RFC 7643, section 2.1), and providers send flags in forms of their own.
#[test]
fn a_deactivation_is_one_in_every_form_in_which_providers_send_it() {
    let (desk, provider) = desk(Database::Sqlite);
    let here = |person: &str| {
        let report = desk.as_role("kofi").get(&format!("/api/v1/people/{person}/offboarding")).expect(200);
        report["here"].as_bool().unwrap()
    };
    let forms = [
        json!([{ "op": "REPLACE", "path": "Active", "value": "FALSE" }]),
        json!([{ "op": "replace", "value": { "Active": false } }]),
        json!([{ "op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": "False" }]),
        json!([{ "op": "replace", "value": { USER: { "active": "false" } } }]),
        json!([{ "op": "Replace", "path": "active", "value": [{ "$ref": null, "value": "False" }] }]),
    ];
    for (number, operations) in forms.iter().enumerate() {
        let name = format!("leaver{number}@meridian.example");
        let silent = json!({ "schemas": [USER], "userName": name });
        let made = sends(&provider, "POST", "/scim/v2/Users", &silent);
        let path = format!("/scim/v2/Users/{}", id(&made.expect(201)));
        assert!(here(&format!("leaver{number}")));
        sends(&provider, "PATCH", &path, &json!({ "Operations": operations })).expect(200);
        sends(&provider, "PUT", &path, &silent).expect(200);
        assert!(!here(&format!("leaver{number}")), "also where nothing is said of it: {operations}");
    }
    let away = json!({ "schemas": [USER], "USERNAME": "away@meridian.example", "ACTIVE": "False" });
    assert_eq!(sends(&provider, "POST", "/scim/v2/Users", &away).expect(201)["active"], false);
    assert!(!here("away"));
    let both = json!({ "schemas": [USER], "userName": "both@meridian.example", "active": true, "Active": false });
    assert_eq!(sends(&provider, "POST", "/scim/v2/Users", &both).status, 400, "it may not be said in two ways");
}

#[test]
fn who_is_deleted_and_made_again_has_nothing_of_before_and_no_other_gets_their_place() {
    on_both(|database| {
        let (desk, provider) = desk(database);
        let kofi = desk.as_role("kofi");
        let makes = |name: &str| sends(&provider, "POST", "/scim/v2/Users", &user(name, &json!({}))).expect(201);
        let here = |person: &str| kofi.get(&format!("/api/v1/people/{person}/offboarding")).expect(200)["here"].clone();
        let tariq = makes("tariq@meridian.example");
        let staff = json!({ "displayName": "staff", "members": [{ "value": id(&tariq) }] });
        sends(&provider, "POST", "/scim/v2/Groups", &staff).expect(201);
        assert_eq!(asks(&kofi, "tariq").expect(201)["access"]["state"], "approved");
        assert_eq!(provider.delete(&format!("/scim/v2/Users/{}", id(&tariq))).status, 204);
        // The group still names the user that is gone.
        makes("tariq@meridian.example");
        let grants = kofi.get("/api/v1/people/tariq/grants").expect(200);
        assert_eq!((&grants[0]["end_reason"], &grants[0]["effective"]), (&json!("left"), &json!(false)), "{grants}");
        let again = asks(&kofi, "tariq").expect(201);
        assert_ne!(again["access"]["state"], "approved", "the new user is in no group: {again}");

        // Nor does who is made again come in by what was given out before.
        let amara = makes("amara@meridian.example");
        let before = desk.with_roles("amara", "agent");
        assert_eq!(provider.delete(&format!("/scim/v2/Users/{}", id(&amara))).status, 204);
        makes("amara@meridian.example");
        assert_eq!((here("amara"), before.get("/api/v1/tickets").status), (json!(true), 401));

        // One who went by another name in the end leaves the old name to another, and not their place.
        let zelda = makes("zelda@meridian.example");
        let path = format!("/scim/v2/Users/{}", id(&zelda));
        let renamed =
            json!({ "Operations": [{ "op": "Replace", "path": "userName", "value": "zelda.b@meridian.example" }] });
        sends(&provider, "PATCH", &path, &renamed).expect(200);
        assert_eq!(here("zelda"), true, "a new name makes no new person");
        assert_eq!(provider.delete(&path).status, 204);
        makes("zelda@meridian.example");
        assert_eq!((here("zelda"), here("zelda-2")), (json!(false), json!(true)));
        desk.advance(SignedDuration::from_hours(24));
    });
}

#[test]
fn lists_versions_and_errors_are_as_the_standard_has_them() {
    let (_desk, provider) = desk(Database::Sqlite);
    let made: Vec<Value> = (0..5)
        .map(|n| {
            let more = json!({ "externalId": format!("X{n}"), "emails": [{ "type": "work", "value": format!("w{n}@x.example") }] });
            sends(&provider, "POST", "/scim/v2/Users", &user(&format!("user{n}"), &more)).expect(201)
        })
        .collect();
    let found = |query: &str| provider.get(&format!("/scim/v2/Users?{query}")).expect(200);
    let page = found("startIndex=2&count=2");
    let counts = (&page["totalResults"], &page["startIndex"], &page["itemsPerPage"]);
    assert_eq!(counts, (&json!(5), &json!(2), &json!(2)));
    assert_eq!(page["Resources"][0]["userName"], "user1");
    let one = found("filter=userName%20eq%20%22USER3%22&attributes=userName");
    assert_eq!(one["Resources"], json!([{ "schemas": [USER], "id": made[3]["id"], "userName": "user3" }]));
    assert_eq!(found("filter=emails%5Btype%20eq%20%22work%22%20and%20value%20sw%20%22w4%22%5D")["totalResults"], 1);
    assert_eq!(found("count=0")["totalResults"], 5);
    let bad = provider.get("/scim/v2/Users?filter=userName%20is%20%22x%22").expect(400);
    assert_eq!((&bad["scimType"], &bad["status"]), (&json!("invalidFilter"), &json!("400")));
    assert_eq!(sends(&provider, "POST", "/scim/v2/Users", &json!({})).expect(400)["scimType"], "invalidValue");

    let path = format!("/scim/v2/Users/{}", id(&made[0]));
    assert_eq!(provider.with("if-none-match", "W/\"1\"").get(&path).status, 304);
    let title = json!({ "Operations": [{ "op": "add", "path": "title", "value": "Controller" }] });
    let stale = provider.with("if-match", "W/\"7\"");
    assert_eq!(sends(&stale, "PATCH", &path, &title).status, 412);
    let current = provider.with("if-match", "W/\"1\"");
    assert_eq!(sends(&current, "PATCH", &path, &title).expect(200)["title"], "Controller");
    let put = sends(&provider, "PUT", &path, &user("user0", &json!({}))).expect(200);
    assert_eq!((put.get("title"), put.get("externalId")), (None, None), "PUT replaces all");
    assert_eq!(
        provider.get("/scim/v2/Users/nobody").expect(404)["schemas"][0],
        "urn:ietf:params:scim:api:messages:2.0:Error"
    );
}

#[test]
fn a_user_is_shown_with_the_groups_that_have_them_and_no_client_sets_those() {
    on_both(|database| {
        let (_desk, provider) = desk(database);
        let tariq = sends(&provider, "POST", "/scim/v2/Users", &user("tariq@meridian.example", &json!({}))).expect(201);
        let path = format!("/scim/v2/Users/{}", id(&tariq));
        assert_eq!(provider.get(&path).expect(200).get("groups"), None);
        let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "staff",
            "members": [{ "value": id(&tariq) }] });
        let group = sends(&provider, "POST", "/scim/v2/Groups", &group).expect(201);
        let is_in = json!([{ "value": id(&group), "$ref": format!("/scim/v2/Groups/{}", id(&group)), "display": "staff",
            "type": "direct" }]);
        assert_eq!(provider.get(&path).expect(200)["groups"], is_in);
        let listed = provider.get("/scim/v2/Users?attributes=groups").expect(200);
        let found = listed["Resources"].as_array().unwrap().iter().find(|one| one["id"] == tariq["id"]).unwrap();
        assert_eq!(found["groups"], is_in, "{listed}");
        // One who sends the whole user back, with other groups, has not changed those.
        let forged = user("tariq@meridian.example", &json!({ "groups": [{ "value": "g1", "display": "admins" }] }));
        assert_eq!(sends(&provider, "PUT", &path, &forged).expect(200)["groups"], is_in);
        let gone = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "remove", "path": format!("members[value eq \"{}\"]", id(&tariq)) }] });
        sends(&provider, "PATCH", &format!("/scim/v2/Groups/{}", id(&group)), &gone).expect(200);
        assert_eq!(provider.get(&path).expect(200).get("groups"), None);
    });
}

/// The groups of a user are others without a change of the user: who has the user by a tag is shown them all the same.
#[test]
fn the_tag_of_a_user_is_another_where_their_groups_are() {
    let (_desk, provider) = desk(Database::Sqlite);
    let made = |path: &str, body: &Value| sends(&provider, "POST", path, body).expect(201);
    let tariq = made("/scim/v2/Users", &user("tariq@meridian.example", &json!({})));
    let path = format!("/scim/v2/Users/{}", id(&tariq));
    let group = made("/scim/v2/Groups", &json!({ "displayName": "staff" }));
    let of_group = format!("/scim/v2/Groups/{}", id(&group));
    let does = |operation: Value| {
        sends(&provider, "PATCH", &of_group, &json!({ "Operations": [operation] })).expect(200);
    };
    let known = |tag: &str| provider.with("if-none-match", tag).get(&path).status == 304;
    let tag = || {
        let found = provider.get(&path);
        let tag = found.etag.clone().unwrap();
        assert_eq!(found.expect(200)["meta"]["version"], tag.as_str());
        assert!(known(&tag));
        tag
    };
    let alone = tag();
    does(json!({ "op": "add", "path": "members", "value": [{ "value": id(&tariq) }] }));
    assert!(!known(&alone), "a group has him now");
    let within = tag();
    does(json!({ "op": "replace", "path": "displayName", "value": "everybody" }));
    assert!(!known(&within), "the group has another name");
    // A change that is meant for what was shown before is not made.
    let title = json!({ "Operations": [{ "op": "add", "path": "title", "value": "Controller" }] });
    assert_eq!(sends(&provider.with("if-match", &within), "PATCH", &path, &title).status, 412);
    assert_eq!(sends(&provider.with("if-match", &tag()), "PATCH", &path, &title).expect(200)["title"], "Controller");
    does(json!({ "op": "remove", "path": format!("members[value eq \"{}\"]", id(&tariq)) }));
    assert!(!known(&alone) && !known(&within), "he is another himself by now");
    tag();
}

/// The forms in which Entra and Okta add members, take them out and replace them, some at a time.
#[test]
fn members_of_a_group_change_in_every_form_in_which_providers_send_it() {
    on_both(|database| {
        let (_desk, provider) = desk(database);
        let made = |name: &str| {
            id(&sends(&provider, "POST", "/scim/v2/Users", &user(name, &json!({}))).expect(201)).to_owned()
        };
        let [a, b, c] = ["a@x.example", "b@x.example", "c@x.example"].map(made);
        let group = sends(&provider, "POST", "/scim/v2/Groups", &json!({ "displayName": "staff" })).expect(201);
        let path = format!("/scim/v2/Groups/{}", id(&group));
        let of = |ids: &[&str]| ids.iter().map(|id| json!({ "value": id })).collect::<Vec<_>>();
        let by = |id: &str| format!("members[value eq \"{id}\"]");
        let shapes = [
            // Entra: one after the other, words in its own case, an id that is there already.
            (json!([{ "op": "Add", "path": "members", "value": of(&[&a]) }]), vec![&a]),
            (json!([{ "op": "Add", "path": "members", "value": of(&[&a, &b]) }]), vec![&a, &b]),
            (json!([{ "op": "Remove", "path": "members", "value": of(&[&a]) }]), vec![&b]),
            (
                json!([{ "op": "Remove", "path": by(&b) }, { "op": "Add", "path": "members", "value": of(&[&c]) }]),
                vec![&c],
            ),
            // Okta: in one request, with a name to read, without a path, and all that are there in the place of those before.
            (
                json!([{ "op": "add", "path": "members", "value": [{ "value": a, "display": "a@x.example" }] }]),
                vec![&c, &a],
            ),
            (json!([{ "op": "remove", "path": by(&a) }, { "op": "remove", "path": by(&c) }]), vec![]),
            (json!([{ "op": "add", "value": { "members": of(&[&b]) } }]), vec![&b]),
            (json!([{ "op": "replace", "path": "members", "value": of(&[&a, &c]) }]), vec![&a, &c]),
            (json!([{ "op": "replace", "value": { "displayName": "staff", "members": of(&[&b]) } }]), vec![&b]),
            // Of one who is not in it nothing is taken, and of none no one.
            (json!([{ "op": "remove", "path": by(&a) }]), vec![&b]),
            (json!([{ "op": "Remove", "path": "members", "value": [] }]), vec![&b]),
        ];
        for (operations, left) in shapes {
            sends(&provider, "PATCH", &path, &json!({ "Operations": operations })).expect(200);
            let found = provider.get(&path).expect(200)["members"].clone();
            let found: Vec<&str> =
                found.as_array().into_iter().flatten().map(|member| member["value"].as_str().unwrap()).collect();
            assert_eq!(found, left, "{operations}");
        }
    });
}

const TESTER: &str = "scim2-cli==0.6.0";
/// Another, with all that it needs, by their hashes.
const SANITY: &str = "scim-sanity==0.7.4 --hash=sha256:c1e5044bd0e1a902713a5540c80e0a9afb8dddae3f0450814d920d87782e9415
click==8.1.8 --hash=sha256:63c132bbbed01578a06712a2d1f497bb62d9c1c0d329b7903a866228027263b2
";

/// The conformance tester, installed once.
fn tester() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| installed("scim-tester", TESTER, |_| vec![TESTER.into()]))
}

/// The other one.
fn sanity() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        installed("scim-sanity", SANITY, |folder| {
            let list = folder.join("requirements.txt");
            std::fs::write(&list, SANITY).unwrap();
            vec!["--require-hashes".into(), "-r".into(), list.into_os_string()]
        })
    })
}

/// A place of its own for a program of Python, with what pip is to install there.
fn installed(name: &str, version: &str, what: impl FnOnce(&Path) -> Vec<OsString>) -> PathBuf {
    let folder = scratch().join("toolchains").join(name);
    let mark = folder.join("installed.txt");
    if std::fs::read_to_string(&mark).ok().as_deref() != Some(version) {
        let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        let what = what(&folder);
        run(Command::new(folder.join("bin/python")).args(["-m", "pip", "install", "--quiet"]).args(what));
        std::fs::write(mark, version).unwrap();
    }
    folder
}

/// The checks of others (`scim2-tester`), all of them.
#[test]
fn a_conformance_tester_of_others_finds_nothing() {
    let (desk, provider) = desk(Database::Sqlite);
    let token = format!("Authorization: Bearer {}", provider.token.as_deref().unwrap());
    let mut command = Command::new(tester().join("bin/scim2"));
    command.args(["--url", &format!("{}/scim/v2", desk.url), "--header", &token, "test"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let bad: Vec<&str> = said.lines().filter(|line| line.contains("ERROR")).collect();
    assert!(output.status.success() && bad.is_empty() && said.contains("SUCCESS"), "{said}");
}

/// The checks of yet others (`scim-sanity`), by the standard and no less.
#[test]
fn another_conformance_tester_finds_nothing() {
    let (desk, provider) = desk(Database::Sqlite);
    let mut command = Command::new(sanity().join("bin/scim-sanity"));
    command.args(["probe", &format!("{}/scim/v2", desk.url), "--token", provider.token.as_deref().unwrap()]);
    command.args(["--strict", "--i-accept-side-effects", "--user-domain", "meridian.example"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // The skipped ones are about agents, which are no part of the standard.
    assert!(said.contains("28 passed, 3 skipped, 31 total"), "{said}");
}

/// Names of the directory stand on pages, in messages and on terminals.
#[test]
fn texts_of_the_provider_are_held_to_the_law_of_peoples() {
    let (_desk, provider) = desk(Database::Sqlite);
    let path = "/scim/v2/Users";
    for bad in ["Tariq\u{1b}]0;x\u{7}", "Tariq\u{202e}zizA", "Tariq\nAziz", "Tariq\u{0}"] {
        for more in [
            json!({ "displayName": bad }),
            json!({ "name": { "givenName": bad } }),
            json!({ "title": bad }),
            json!({ "emails": [{ "value": bad }] }),
            json!({ PLACE: { "department": bad } }),
            json!({ bad: "x" }),
        ] {
            let refused = sends(&provider, "POST", path, &user("tariq@meridian.example", &more)).expect(400);
            assert_eq!(refused["scimType"], "invalidValue", "{more}: {refused}");
        }
        assert_eq!(sends(&provider, "POST", path, &user(bad, &json!({}))).status, 400, "{bad:?}");
    }
    assert_eq!(sends(&provider, "POST", path, &user("\u{200b}", &json!({}))).status, 400, "it cannot be seen");
    let address = json!({ "addresses": [{ "formatted": "100 Universal City Plaza\nHollywood, CA 91608 USA" }] });
    let made = sends(&provider, "POST", path, &user("tariq@meridian.example", &address)).expect(201);
    let patch = json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "Tariq\u{202e}" }] });
    assert_eq!(sends(&provider, "PATCH", &format!("{path}/{}", id(&made)), &patch).status, 400);
}

/// Those who read a department's tickets do so while they are here, by their own name or by a group that they are in.
#[test]
fn a_reader_of_a_department_who_has_left_reads_nothing() {
    use crate::store::fixture::{organisation, person};
    let mut organisation = organisation();
    organisation.department_readers = vec![ruledesk::desk::organisation::directory::DepartmentReaders {
        department: "Sales".to_owned(),
        people: vec![person("eve")],
        groups: vec!["auditors".parse().unwrap()],
    }];
    organisation.people.get_mut(&person("hal")).unwrap().department = "Sales".to_owned();
    assert!(organisation.reads_tickets_of(&person("eve"), "hal"));
    assert!(
        !organisation.reads_tickets_of(&person("gina"), "hal")
            && !organisation.reads_tickets_of(&person("eve"), "no-one")
    );
    organisation.people.get_mut(&person("gina")).unwrap().groups.push("auditors".parse().unwrap());
    assert!(organisation.reads_tickets_of(&person("gina"), "hal"));
    organisation.people.get_mut(&person("eve")).unwrap().active = false;
    assert!(!organisation.reads_tickets_of(&person("eve"), "hal"));
    organisation.people.get_mut(&person("hal")).unwrap().department = "IT".to_owned();
    assert!(!organisation.reads_tickets_of(&person("gina"), "hal"), "they have moved");
}
