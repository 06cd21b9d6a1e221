//! An edit of the database behind the desk's back is found and named: grants, decisions, events, timelines, tokens, accounts, sessions,
//! published documents, reviews.

use std::io::Write as _;
use std::process::Stdio;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::store::chain::by_hand;
use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::{Database, in_runtime, on_both};

fn chain(desk: &House) -> (bool, String) {
    let output = desk.command(&["decisions", "chain"]);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn asks(desk: &House, app: &str, tier: &str) {
    let body = json!({ "request_type": "access", "subject": format!("{app} please"), "fields": {
        "app": app, "tier": tier, "duration-hours": 10, "justification": "I join the data project on Monday" } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
}

/// A desk on which access was granted by rules and by people, a rule was suspended, a table put, and a token given out.
fn lived_in(database: Database) -> House {
    let desk = House::demo(database);
    asks(&desk, "jira", "user");
    asks(&desk, "github", "write");
    let yes = json!({ "approve": true, "reason": "only for the audit" });
    desk.as_role("lena").post("/api/v1/tickets/IT-2/access/decisions", &yes).expect(200);
    let mei = desk.as_role("mei");
    mei.post("/api/v1/rules/team-routing/suspend", &json!({ "why": "a doubt" })).expect(200);
    mei.put_text("/api/v1/tables/assets?why=first", "asset,owner\nerp,lena\n", "text/csv").expect(200);
    desk.with_roles("nadia", "agent");
    desk
}

/// An edit, another that takes it back, and how it is named.
const EDITS: [(&str, &str, &str); 28] = [
    (
        "update grants set expires_at = expires_at + 31536000000",
        "update grants set expires_at = expires_at - 31536000000",
        "(IT-1): the grant ",
    ),
    ("update grants set role = 'owner'", "update grants set role = null", "(IT-2): the grant "),
    (
        "update access_decisions set approver = 'ingrid', reason = 'for ever'",
        "update access_decisions set approver = 'lena', reason = 'only for the audit'",
        "(IT-2): what its approvers said",
    ),
    (
        "update access_cases set requester = 'lena' where tier = 'write'",
        "update access_cases set requester = 'amara' where tier = 'write'",
        "(IT-2): its request for access",
    ),
    (
        "update deployment_events set why = 'asked for by noor' where event = 'suspended'",
        "update deployment_events set why = 'a doubt' where event = 'suspended'",
        "of rules is not what the audit says",
    ),
    (
        "update deployments set changed_by = 'noor' where name = 'team-routing'",
        "update deployments set changed_by = 'mei' where name = 'team-routing'",
        "the rule `team-routing` stands otherwise",
    ),
    (
        "update table_events set actor = 'noor'",
        "update table_events set actor = 'mei'",
        "of tables is not what the audit says",
    ),
    (
        "update timeline set author = 'ingrid' where author = 'lena'",
        "update timeline set author = 'lena' where author = 'ingrid'",
        "(IT-2): its timeline's entries",
    ),
    (
        "update tokens set roles = 'admin'",
        "update tokens set roles = 'agent'",
        "was changed: it says another person, other roles",
    ),
    (
        "update tickets set requester = 'lena' where number = 1",
        "update tickets set requester = 'amara' where number = 1",
        "(IT-1): its requester is `lena`, and its timeline says `amara`",
    ),
    (
        "update tickets set priority = priority || 'x' where number = 2",
        "update tickets set priority = substr(priority, 1, length(priority) - 1) where number = 2",
        "(IT-2): its priority is `",
    ),
    (
        "update tickets set team = team || 'x' where number = 2",
        "update tickets set team = substr(team, 1, length(team) - 1) where number = 2",
        "(IT-2): its team is `",
    ),
    (
        "update tickets set category = category || 'x' where number = 2",
        "update tickets set category = substr(category, 1, length(category) - 1) where number = 2",
        "(IT-2): its category is `",
    ),
    (
        "update tickets set state = state || 'x' where number = 2",
        "update tickets set state = substr(state, 1, length(state) - 1) where number = 2",
        "(IT-2): its state is `",
    ),
    (
        "update access_cases set justification = justification || 'x' where tier = 'write'",
        "update access_cases set justification = substr(justification, 1, length(justification) - 1) where tier = 'write'",
        "(IT-2): its request for access",
    ),
    (
        "update access_cases set reason = reason || 'x' where tier = 'write'",
        "update access_cases set reason = substr(reason, 1, length(reason) - 1) where tier = 'write'",
        "(IT-2): its request for access",
    ),
    (
        "update access_cases set duration_hours = duration_hours + 1 where tier = 'write'",
        "update access_cases set duration_hours = duration_hours - 1 where tier = 'write'",
        "(IT-2): its request for access",
    ),
    (
        "update access_cases set steps = replace(steps, 'lena', 'noor') where tier = 'write'",
        "update access_cases set steps = replace(steps, 'noor', 'lena') where tier = 'write'",
        "(IT-2): its request for access",
    ),
    (
        "update deployments set retire_proposed_by = 'noor' where name = 'team-routing'",
        "update deployments set retire_proposed_by = null where name = 'team-routing'",
        "the rule `team-routing` stands otherwise",
    ),
    (
        "update deployments set offered = offered || 'x' where name = 'team-routing'",
        "update deployments set offered = substr(offered, 1, length(offered) - 1) where name = 'team-routing'",
        "the rule `team-routing` stands otherwise",
    ),
    (
        "insert into deployments (name, source, revision, changed_at, changed_by, why) \
         values ('another', 'api', 1, 1, 'mei', 'none')",
        "delete from deployments where name = 'another'",
        "the rule `another` is in no event",
    ),
    (
        "insert into tables_live (name, digest, since) values ('another', 'none', 1)",
        "delete from tables_live where name = 'another'",
        "the table `another` is live in no event",
    ),
    (
        "update table_versions set content = content || ' ' where name = 'assets'",
        "update table_versions set content = substr(content, 1, length(content) - 1) where name = 'assets'",
        "the table `assets` is not what was kept as",
    ),
    (
        "update rule_versions set manifest = manifest || ' ' where name = 'team-routing'",
        "update rule_versions set manifest = substr(manifest, 1, length(manifest) - 1) where name = 'team-routing'",
        "the manifest of the component `",
    ),
    (
        "update tickets set assignee = 'noor' where number = 1",
        "update tickets set assignee = null where number = 1",
        "(IT-1): its assignee is `noor`",
    ),
    (
        "update tickets set state = 'closed' where number = 1",
        "update tickets set state = 'resolved' where number = 1",
        "(IT-1): its state is `closed`, and its timeline says nothing of it",
    ),
    (
        "insert into access_awaited (person, ticket) select 'noor', ticket from access_cases where tier = 'write'",
        "delete from access_awaited where person = 'noor'",
        "1 people have requests in their lists that wait for nobody",
    ),
    (
        "update audit set about = 'other' where event = 'table'",
        "update audit set about = 'assets' where event = 'table'",
        "it is not what was written here",
    ),
];

#[test]
fn each_edit_of_what_takes_effect_is_named() {
    on_both(|database| {
        let desk = lived_in(database);
        let (whole, said) = chain(&desk);
        assert!(whole, "{said}");
        for (edit, back, named) in EDITS {
            in_runtime(by_hand(&desk.target(), &[edit]));
            let (whole, said) = chain(&desk);
            assert!(!whole && said.contains(named), "{edit}\n{said}");
            in_runtime(by_hand(&desk.target(), &[back]));
        }
        let (whole, said) = chain(&desk);
        assert!(whole, "{said}");
        let gone = [
            "delete from tokens",
            "delete from timeline where ticket = 1 and seq = 1",
            "delete from grants",
            "delete from deployments where name = 'team-routing'",
            // One component in the place of another.
            "update components set bytes = (select c.bytes from components c order by c.digest limit 1) \
             where digest = (select max(digest) from components)",
        ];
        for removal in gone {
            in_runtime(by_hand(&desk.target(), &[removal]));
        }
        let (_, said) = chain(&desk);
        for named in [
            "is missing: it was removed",
            "(IT-1): its timeline's entries",
            "(IT-1): the grant ",
            "the rule `team-routing` is missing",
            "the component `",
        ] {
            assert!(said.contains(named), "{named}\n{said}");
        }
    });
}

/// Sends a form of a page as a browser does; the cookie that is set.
fn form(desk: &House, path: &str, cookie: &str, body: &str) -> String {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let request = ureq::http::Request::builder().method("POST").uri(format!("{}{path}", desk.url));
    let request = request.header("content-type", "application/x-www-form-urlencoded").header("cookie", cookie);
    let answer = agent.run(request.header("sec-fetch-site", "same-origin").body(body.to_owned()).unwrap()).unwrap();
    assert_eq!(answer.status().as_u16(), 303, "{path}");
    let set = answer.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    set.split(';').next().unwrap_or_default().to_owned()
}

/// A desk with an account, a session, a published document and a review of access.
fn peopled(database: Database) -> House {
    let desk = House::with_settings(database, example_rules(), |text| {
        format!("{text}\n[configuration]\nby-api = [\"teams\"]\n")
    });
    let mut program = desk.program(&["token", "password", "ivan", "--roles", "agent"]);
    let mut child = program.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"four words in a row\n").unwrap();
    assert!(child.wait().unwrap().success());
    form(&desk, "/sign-in", "", "person=kofi");
    let mei = desk.as_role("mei");
    let documents = mei.get("/api/v1/config/documents").expect(200);
    let teams = documents.as_array().unwrap().iter().find(|one| one["document"] == "teams").unwrap();
    let again = json!({ "content": format!("{}\n# by API\n", teams["content"].as_str().unwrap()), "why": "a trial" });
    mei.with("if-match", "\"0\"").put("/api/v1/config/documents/teams", &again).expect(200);
    asks(&desk, "jira", "user");
    let due_at = (desk.clock.now() + SignedDuration::from_hours(48)).to_string();
    let campaign = json!({ "name": "who is in Jira?", "app": "jira", "due_at": due_at });
    mei.post("/api/v1/access/reviews", &campaign).expect(201);
    desk.do_what_is_due();
    desk
}

/// Edits of the rows that decide who comes in, by which configuration the desk goes, and what is reviewed.
const ENTRANCE: [(&str, &str, &str); 13] = [
    (
        "update accounts set roles = 'admin'",
        "update accounts set roles = 'agent'",
        "the account of `ivan` is not what the audit says of its roles: it was changed",
    ),
    (
        "update accounts set password = password || 'x'",
        "update accounts set password = substr(password, 1, length(password) - 1)",
        "the account of `ivan` is not what the audit says of its password",
    ),
    (
        "insert into accounts (person, password, roles, set_at, set_by) values ('noor', 'x', 'admin', 1, 'noor')",
        "delete from accounts where person = 'noor'",
        "the account of `noor` is not in the audit: it was added",
    ),
    (
        "insert into identities (issuer, subject, person, bound_at) values ('https://idp.example', '7', 'mei', 1)",
        "delete from identities",
        "the identity `https://idp.example 7` is not in the audit: it was added",
    ),
    (
        "update sessions set person = 'mei'",
        "update sessions set person = 'kofi'",
        "is not what the audit says of its person: it was changed",
    ),
    (
        "update sessions set ended_at = 1",
        "update sessions set ended_at = null",
        "is not what the audit says of its ended_at: it was changed",
    ),
    (
        "insert into sessions (hash, token, person, agent, created_at, seen_at, expires_at) \
         select 'mine', token, 'mei', agent, created_at, seen_at, expires_at from sessions",
        "delete from sessions where hash = 'mine'",
        "the session `mine` is not in the audit: it was added",
    ),
    (
        "update configuration_versions set content = content || '# mine'",
        "update configuration_versions set content = substr(content, 1, length(content) - 6)",
        "the published version `1` is not what the audit says of its content: it was changed",
    ),
    (
        "update configuration_versions set author = 'noor'",
        "update configuration_versions set author = 'mei'",
        "the published version `1` is not what the audit says of its author",
    ),
    (
        "insert into table_proposals (name, digest, proposed_by, why, at) values ('assets', 'x', 'noor', 'mine', 1)",
        "delete from table_proposals",
        "the proposal for the table `assets` is not in the audit: it was added",
    ),
    (
        "update review_campaigns set due_at = due_at + 1",
        "update review_campaigns set due_at = due_at - 1",
        "is not what the audit says of its due_at: it was changed",
    ),
    (
        "update review_items set reviewers = 'noor ' || reviewers",
        "update review_items set reviewers = substr(reviewers, 6)",
        "is not what the ledger says: it was changed or added",
    ),
    (
        "update review_items set due_at = due_at + 31536000000",
        "update review_items set due_at = due_at - 31536000000",
        "is not what the ledger says: it was changed or added",
    ),
];

#[test]
fn each_edit_of_who_comes_in_and_of_what_was_published_is_named() {
    on_both(|database| {
        let desk = peopled(database);
        let (whole, said) = chain(&desk);
        assert!(whole, "{said}");
        for (edit, back, named) in ENTRANCE {
            in_runtime(by_hand(&desk.target(), &[edit]));
            let (whole, said) = chain(&desk);
            assert!(!whole && said.contains(named), "{edit}\n{said}");
            if edit.contains("content = content") {
                // Nor does the desk go by such a document.
                assert!(desk.as_role("mei").get("/api/v1/config/documents").status >= 500);
            }
            in_runtime(by_hand(&desk.target(), &[back]));
        }
        let (whole, said) = chain(&desk);
        assert!(whole, "{said}");
        // A session that a person ends is as the audit says.
        let session = form(&desk, "/sign-in", "", "person=amara");
        form(&desk, "/sign-out", &session, "none=1");
        let (whole, said) = chain(&desk);
        assert!(whole, "{said}");
        let gone = ["delete from accounts", "delete from sessions where person = 'kofi'", "delete from review_items"];
        in_runtime(by_hand(&desk.target(), &gone));
        let (_, said) = chain(&desk);
        for named in ["the account of `ivan` is missing", "the session `", "the review "] {
            assert!(said.lines().any(|line| line.contains(named) && line.contains("is missing")), "{named}\n{said}");
        }
    });
}

#[test]
fn a_submission_that_was_refused_leaves_a_record() {
    on_both(|database| {
        let desk = House::with_rules(database, example_rules());
        put(&desk.rules, "01-no", &hostile_manifest("no", "intake", "reject", ""), hostile());
        desk.until_active("no");
        let body: Value = json!({ "request_type": "question", "subject": "Anything", "fields": { "topic": "other" } });
        let refused = || desk.as_role("amara").post("/api/v1/tickets", &body).expect(422);
        refused();
        let before = desk.rows()["audit"];
        refused();
        assert_eq!(desk.rows()["audit"], before + 1);
        // The form refuses too: an unknown type, a field that is not there, tags without end.
        let amara = desk.as_role("amara");
        let wrong = [
            json!({ "request_type": "x".repeat(9000), "subject": "VPN" }),
            json!({ "request_type": "question", "subject": "VPN", "fields": { "no-such-field": 1 } }),
            json!({ "request_type": "question", "subject": "VPN", "tags": vec!["a"; 100_000] }),
        ];
        for (n, wrong) in (2..).zip(&wrong) {
            amara.post("/api/v1/tickets", wrong).expect(422);
            assert_eq!(desk.rows()["audit"], before + n);
        }
        // Of one person so many are kept in an hour, and the next says how many were not; others' are kept as ever.
        for _ in 0..70 {
            amara.post("/api/v1/tickets", &wrong[1]).expect(422);
        }
        let kept = desk.rows()["audit"];
        assert!((before + 55..before + 62).contains(&kept), "{} are kept", kept - before);
        desk.as_role("lena").post("/api/v1/tickets", &wrong[1]).expect(422);
        assert_eq!(desk.rows()["audit"], kept + 1);
        desk.advance(jiff::SignedDuration::from_mins(61));
        amara.post("/api/v1/tickets", &wrong[1]).expect(422);
        assert_eq!(desk.rows()["audit"], kept + 2);
        let (whole, said) = chain(&desk);
        assert!(whole, "{said}");
        in_runtime(by_hand(&desk.target(), &["delete from audit where event = 'refused'"]));
        assert!(!chain(&desk).0);
    });
}

#[test]
fn tokens_have_ids_and_ends_and_are_taken_back_without_the_token_at_hand() {
    on_both(|database| {
        let desk = House::demo(database);
        let out = |arguments: &[&str]| {
            let output = desk.command(arguments);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let client = |token: &str| {
            let mut client = desk.as_role("nadia");
            client.token = Some(token.trim().to_owned());
            client
        };
        let short = client(&out(&["token", "nadia", "--roles", "agent", "--expires-in-days", "1", "--label", "a day"]));
        let lost = client(&out(&["token", "samir", "--roles", "agent"]));
        for client in [&short, &lost] {
            client.get("/api/v1/tickets").expect(200);
        }
        let listed = out(&["token", "list"]);
        assert!(listed.lines().count() == 2 && listed.contains("a day") && listed.contains("until 20"), "{listed}");
        let of_samir = out(&["token", "list", "samir"]);
        let id = of_samir.split_whitespace().next().unwrap();
        out(&["token", "revoke", id]);
        assert!(out(&["token", "list", "samir"]).contains("taken back"));
        assert!(!desk.command(&["token", "revoke", id]).status.success(), "once is enough");
        desk.advance(jiff::SignedDuration::from_secs(6));
        lost.get("/api/v1/tickets").expect(401);
        short.get("/api/v1/tickets").expect(200);
        desk.advance(jiff::SignedDuration::from_hours(24));
        short.get("/api/v1/tickets").expect(401);
        assert!(chain(&desk).0);
    });
}

/// A time server, or an administrator, sets the clock of the machine while the desk runs.
#[test]
fn how_long_a_token_is_trusted_is_not_said_by_the_time_of_day() {
    for hours in [-2, 2] {
        let desk = House::demo(Database::Sqlite);
        let samir = desk.with_roles("samir", "agent");
        samir.get("/api/v1/tickets").expect(200);
        let listed = String::from_utf8(desk.command(&["token", "list", "samir"]).stdout).unwrap();
        let revoked = desk.command(&["token", "revoke", listed.split_whitespace().next().unwrap()]);
        assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
        desk.clock.set(SignedDuration::from_hours(hours));
        assert_eq!(samir.get("/api/v1/tickets").status, 200, "it was seen at this instant, whatever the clock says");
        // Set back as far as it goes on, the time of day would stand still.
        for _ in 0..2 {
            desk.clock.advance(SignedDuration::from_secs(3));
            desk.clock.set(SignedDuration::from_secs(-3));
        }
        assert_eq!(samir.get("/api/v1/tickets").status, 401, "{hours} hours");
        desk.do_what_is_due();
    }
}

/// Labels stand in lists on terminals.
#[test]
fn a_label_of_a_token_is_a_line_of_text() {
    let desk = House::demo(Database::Sqlite);
    for label in ["a\u{1b}]0;x\u{7}", "a\nb", "a\u{202e}b", "x".repeat(201).as_str()] {
        let given = desk.command(&["token", "ivan", "--roles", "agent", "--label", label]);
        assert!(!given.status.success() && given.stdout.trim_ascii().is_empty(), "{label:?}: {given:?}");
    }
    let listed = desk.command(&["token", "list", "ivan"]);
    assert!(listed.status.success() && listed.stdout.is_empty(), "{listed:?}");
    assert!(desk.command(&["token", "ivan", "--roles", "agent", "--label", "Ivan's build"]).status.success());
}
