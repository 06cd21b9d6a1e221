//! When people have signed in last, as apps say: kept day by day, shown to those who review, and listed where access is not used.
//! Nothing ends by it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::provisioning::{asks, connected, hours, in_order, now, states};
use crate::support::place::on_both;
use crate::support::scim::ScimApp;

const PLACE: &str = "last-sign-in = \"/urn:example:sign-ins/last\"";

#[test]
fn access_that_is_not_used_is_listed_and_shown_to_reviewers_and_nothing_is_taken_back() {
    on_both(|database| {
        let app = ScimApp::start(&["user", "admin"]);
        let (url, token) = (&app.url, "internal = true\ntoken-file = \"app.token\"");
        let desk = connected(database, &format!("kind = \"scim\"\nurl = \"{url}\"\n{token}\n{PLACE}"));
        let (amara, kofi, mei) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei"));
        asks(&amara, "user", 60 * 24);
        now(&desk);
        let unused = |days: u16| kofi.get(&format!("/api/v1/access/unused?app=jira&days={days}")).expect(200);
        desk.clock.advance(hours(23));
        assert_eq!(unused(1), json!([]), "the app was not asked yet");
        desk.advance(hours(1));
        let never = unused(1);
        assert_eq!(
            (&never[0]["grant"]["subject"], &never[0]["last_sign_in"]),
            (&json!("amara"), &Value::Null),
            "{never}"
        );
        let signed_in = Timestamp::from_millisecond(desk.clock.now().as_millisecond()).unwrap().to_string();
        app.signed_in("amara", &signed_in);
        desk.advance(hours(24));
        assert_eq!(unused(2), json!([]), "it was used a day ago");
        desk.advance(hours(30 * 24));
        assert_eq!(unused(20)[0]["last_sign_in"], signed_in.as_str());
        assert_eq!(unused(40), json!([]));
        assert_eq!(amara.get("/api/v1/access/unused").status, 403);
        assert_eq!(kofi.get("/api/v1/access/unused?days=0").status, 400);
        assert_eq!(states(&desk), ["active"], "nothing ends by it");

        let body =
            json!({ "name": "is it used?", "app": "jira", "due_at": (desk.clock.now() + hours(48)).to_string() });
        let campaign = mei.post("/api/v1/access/reviews", &body).expect(201)["id"].as_str().unwrap().to_owned();
        let items = kofi.get(&format!("/api/v1/access/review-items?campaign={campaign}")).expect(200);
        assert_eq!(items[0]["last_sign_in"], signed_in.as_str(), "{items}");
        let sheet = desk.command(&["decisions", "reviews", &campaign, "--csv"]);
        assert!(String::from_utf8_lossy(&sheet.stdout).contains(&signed_in), "the evidence has it");
        let listed = desk.command(&["decisions", "unused", "--days", "1", "--csv"]);
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));

        // More time makes no access new that was not used.
        let before = unused(20)[0]["grant"]["id"].as_str().unwrap().to_owned();
        let more = json!({ "hours": 60 * 24, "justification": "I join the data project" });
        amara.post(&format!("/api/v1/grants/{before}/extend"), &more).expect(201);
        now(&desk);
        let after = unused(20);
        assert_eq!(after.as_array().unwrap().len(), 1, "{after} {:?}", states(&desk));
        assert_ne!(after[0]["grant"]["id"], before.as_str(), "it is the grant that gives it now");
        assert_eq!(unused(40), json!([]));
        in_order(&desk);
    });
}
