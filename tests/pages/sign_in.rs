//! Signing in by the company's identity provider: through a certified one in a browser, and against one that says what it
//! should not.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Instant;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::guard::{FORM, Got, OWN, cookie, send};
use crate::support::browser::Browser;
use crate::support::components::example_rules;
use crate::support::house::{House, OWN_URL};
use crate::support::peers::issuer::{CLIENT, Issuer};
use crate::support::peers::provider::Provider;
use crate::support::place::{Database, on_both};
use crate::support::wait::until;

/// Where the provider describes itself.
const DESCRIPTION: &str = "/.well-known/openid-configuration";

/// A desk that people enter by the provider at this address.
fn desk(database: Database, issuer: &str, more: &str) -> House {
    let sign_in = format!(
        "\n[outgoing]\npublic-url = \"{OWN_URL}\"\ninternal-hosts = [\"127.0.0.1\"]\n\n[sign-in]\nname = \"Meridian\"\n\
         issuer = \"{issuer}\"\nclient-id = \"{CLIENT}\"\nagents = [\"service-desk\"]\nadmins = [\"it-admins\"]\n{more}\n"
    );
    House::with_settings(database, example_rules(), |text| {
        // So that a test comes from the address that it names.
        text.replacen("[limits]", "[limits]\nproxies = [\"127.0.0.1\"]", 1) + &sign_in
    })
}

fn get(desk: &House, path: &str, cookie: &str) -> Got {
    send("GET", &format!("{}{path}", desk.url), &[("cookie", cookie)], "")
}

/// A sign-in under way: the browser's cookie, and what the provider was sent.
struct Begun {
    cookie: String,
    state: String,
    nonce: String,
}

fn begin(desk: &House) -> Begun {
    // One address may sign in so often.
    desk.clock.advance(SignedDuration::from_secs(5));
    let got = get(desk, "/sign-in/provider?next=%2Fmine", "");
    assert_eq!(got.status, 303, "{}", got.text);
    let (to, set) = (got.header("location"), got.header("set-cookie"));
    assert!(set.starts_with("__Host-ruledesk-sign-in=") && set.contains("; Secure; HttpOnly; SameSite=Lax"), "{set}");
    let query = to.split_once('?').unwrap().1;
    let of = |name: &str| {
        let found = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("no {name} in {to}")).1.to_owned()
    };
    assert_eq!((of("response_type"), of("code_challenge_method")), ("code".to_owned(), "S256".to_owned()));
    Begun { cookie: set.split(';').next().unwrap().to_owned(), state: of("state"), nonce: of("nonce") }
}

/// Comes back from the provider, whose token says this.
fn back(desk: &House, issuer: &Issuer, subject: &str, more: &Value) -> Got {
    let begun = begin(desk);
    issuer.will_say(subject, &begun.nonce, desk.clock.now().as_second(), more);
    come_back(desk, issuer, &begun)
}

fn come_back(desk: &House, issuer: &Issuer, begun: &Begun) -> Got {
    let path = format!("/sign-in/provider/back?code=c1&state={}&iss={}", begun.state, issuer.url);
    get(desk, &path, &begun.cookie)
}

/// Someone whose address the provider vouches for.
fn address(person: &str) -> Value {
    json!({ "email": format!("{person}@meridian.example"), "email_verified": true, "groups": [] })
}

/// The session's cookie of an answer that lets one in.
fn session(got: &Got) -> String {
    assert_eq!((got.status, got.header("location")), (303, "/mine".to_owned()), "{}", got.text);
    let set = got.all("set-cookie");
    let found = set.iter().find(|set| set.starts_with("__Host-ruledesk=")).unwrap();
    found.split(';').next().unwrap().to_owned()
}

/// That an answer lets no one in, and says so.
fn is_refused(got: &Got, why: &str) {
    assert_eq!(got.status, 422, "{why}: {}", got.text);
    assert!(got.text.contains(why), "{why}: {}", got.text);
    assert!(!got.all("set-cookie").iter().any(|set| set.starts_with("__Host-ruledesk=")), "{why}");
}

const UNSOUND: &str = "gave an answer that does not count";

#[test]
fn people_sign_in_with_their_account_at_work() {
    let url = Provider::address();
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "a secret of some length + signs / and %\n").unwrap();
    let more = format!("client-secret-file = {:?}\nscopes = [\"email\", \"groups\"]", secret.path());
    let desk = desk(Database::Sqlite, &url, &more);
    let provider = Provider::start(&url, &desk.url);
    // The provider goes by the time of day, and so does the desk here.
    let begun = Instant::now();
    let mut passed = SignedDuration::ZERO;
    let mut keep_up = || {
        let now = SignedDuration::try_from(begun.elapsed()).unwrap();
        desk.clock.advance(now - passed);
        passed = now;
    };
    let mut browser = Browser::at(&desk.url);
    let sign_in = |browser: &mut Browser, keep_up: &mut dyn FnMut()| {
        browser.click("#provider");
        browser.type_into("input[name=login]", "kofi");
        browser.type_into("input[name=password]", "any");
        browser.click("button[type=submit]");
        browser.wait("location.pathname.startsWith('/interaction') && document.querySelector('[name=login]') === null");
        keep_up();
        browser.click("button[type=submit]");
    };
    // One who wanted a page comes to it.
    browser.go("/queue?state=new");
    sign_in(&mut browser, &mut keep_up);
    browser.is_at("/queue?state=new");
    browser.sees(".menu", "Kofi");
    // Signed out here, one is still known there.
    browser.click(".menu > summary");
    browser.click("form[action='/sign-out'] button");
    browser.sees("main", "Sign out of Meridian, too");
    keep_up();
    browser.click("#provider");
    browser.sees(".menu", "Kofi");
    // Signed out there, one is signed out here.
    browser.leave(&format!("{}/session/end", provider.url));
    keep_up();
    browser.click("button[name=logout]");
    until("the session here ends", || (get(&desk, "/mine", &cookie_of(&browser)).status == 303).then_some(()));
    browser.go("/mine");
    browser.sees("h1", "Who are you?");
}

/// The session's cookie, as a browser keeps it.
fn cookie_of(browser: &Browser) -> String {
    let kept = browser.devtools("Network.getAllCookies", &json!({}));
    let all = kept["cookies"].as_array().cloned().unwrap_or_default();
    let found = all.iter().find(|cookie| cookie["name"] == "__Host-ruledesk");
    found.map(|cookie| format!("__Host-ruledesk={}", cookie["value"].as_str().unwrap())).unwrap_or_default()
}

#[test]
fn an_account_is_one_person_s_for_ever() {
    on_both(|database| {
        let issuer = Issuer::start();
        let desk = desk(database, &issuer.url, "");
        let amara = session(&back(&desk, &issuer, "a-1", &address("amara")));
        assert_eq!(get(&desk, "/mine", &amara).status, 200);
        assert_eq!(get(&desk, "/queue", &amara).status, 403, "no group of hers is one of agents");
        // Her address there may become another's; her account stays hers, and no other account becomes her.
        let again = back(
            &desk,
            &issuer,
            "a-1",
            &json!({ "email": "new-name@meridian.example", "email_verified": true, "groups": [] }),
        );
        assert!(get(&desk, "/account", &session(&again)).text.contains("amara@meridian.example"));
        is_refused(&back(&desk, &issuer, "a-2", &address("amara")), "Another account signs in as this person");
        let unbound = desk.command(&["person", "unbind", "amara"]);
        assert!(unbound.status.success(), "{unbound:?}");
        session(&back(&desk, &issuer, "a-2", &address("amara")));
        // Groups count from the provider and from the organisation; those of a former day are forgotten.
        let agent = json!({ "email": "kofi@meridian.example", "email_verified": true, "groups": ["service-desk"] });
        assert_eq!(get(&desk, "/queue", &session(&back(&desk, &issuer, "k-1", &agent))).status, 200);
        let moved = session(&back(&desk, &issuer, "k-1", &address("kofi")));
        assert_eq!(get(&desk, "/queue", &moved).status, 403);
        desk.advance(SignedDuration::from_hours(13));
        assert_eq!(get(&desk, "/mine", &moved).status, 303, "it has ended: the provider is asked again");
        let chain = desk.command(&["decisions", "chain"]);
        assert!(chain.status.success(), "{}", String::from_utf8_lossy(&chain.stdout));
    });
}

#[test]
fn what_a_role_could_do_names_the_groups_whose_members_have_it_by_signing_in() {
    on_both(|database| {
        let issuer = Issuer::start();
        let desk = desk(database, &issuer.url, "approvers = [\"finance-approvers\"]\n");
        let kofi = desk.as_role("kofi");
        let role = |role: &str| kofi.get(&format!("/api/v1/access/roles/{role}")).expect(200);
        assert_eq!((&role("agent")["groups"], &role("requester")["groups"]), (&json!(["service-desk"]), &json!(["*"])));
        let approver = role("approver");
        assert_eq!(approver["groups"], json!(["finance-approvers"]));
        let by_group = |one: &&Value| one["by"].as_array().unwrap().contains(&json!("sign-in"));
        let members = approver["holders"].as_array().unwrap().iter().filter(by_group).count();
        assert!(members > 0, "the organisation has some in it: {approver}");
        assert_eq!(role("directory")["groups"], json!([]));
        let said = desk.command(&["decisions", "role", "agent"]);
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(said.contains("in a group of: service-desk"), "{said}");
        let page = get(
            &desk,
            "/access/roles?of=desk%3Aagent",
            &session(&back(
                &desk,
                &issuer,
                "m-1",
                &json!({
            "email": "mei@meridian.example", "email_verified": true, "groups": ["it-admins"] }),
            )),
        );
        assert!(page.text.contains("in one of these groups: service-desk"), "{}", page.text);
    });
}

#[test]
fn whom_the_provider_does_not_vouch_for_stays_outside() {
    let issuer = Issuer::start();
    let desk = desk(Database::Sqlite, &issuer.url, "");
    let with = |more: Value| {
        let mut claims = address("amara");
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        back(&desk, &issuer, "a-1", &claims)
    };
    let now = desk.clock.now().as_second();
    let later = now + 3_600;
    let wrong = [
        json!({ "iss": "https://other.example" }),
        json!({ "aud": "another" }),
        json!({ "aud": [CLIENT, "another"] }),
        json!({ "azp": "another" }),
        json!({ "exp": now - 600 }),
        json!({ "exp": null }),
        json!({ "iat": later }),
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "sub": "" }),
    ];
    for claims in wrong {
        is_refused(&with(claims), UNSOUND);
    }
    is_refused(&with(json!({ "email_verified": false })), "does not say who you are");
    is_refused(&with(json!({ "email_verified": null })), "does not say who you are");
    is_refused(
        &with(json!({ "email": "stranger@meridian.example" })),
        "does not know you as “stranger@meridian.example”",
    );
    is_refused(&with(json!({ "email": "<script>alert(1)</script>" })), "&#60;script&#62;");
    // Signatures that are none.
    for header in
        [json!({ "alg": "none" }), json!({ "alg": "HS256", "kid": "k1" }), json!({ "alg": "EdDSA", "kid": "k9" })]
    {
        let begun = begin(&desk);
        issuer.will_say("a-1", &begun.nonce, desk.clock.now().as_second(), &address("amara"));
        issuer.sign_as(header);
        is_refused(&come_back(&desk, &issuer, &begun), UNSOUND);
    }
    // What was begun in another browser, or came back from another provider.
    let (one, other) = (begin(&desk), begin(&desk));
    issuer.will_say("a-1", &one.nonce, desk.clock.now().as_second(), &address("amara"));
    is_refused(&come_back(&desk, &issuer, &Begun { cookie: other.cookie, ..begin(&desk) }), "begun in another browser");
    is_refused(
        &come_back(&desk, &issuer, &Begun { cookie: String::new(), ..begin(&desk) }),
        "begun in another browser",
    );
    let path = format!("/sign-in/provider/back?code=c1&state={}&iss=https%3A%2F%2Fevil.test", one.state);
    is_refused(&get(&desk, &path, &one.cookie), UNSOUND);
    is_refused(&get(&desk, &format!("/sign-in/provider/back?code=c1&state={}", one.state), &one.cookie), UNSOUND);
    let denied = get(&desk, "/sign-in/provider/back?error=access_denied&error_description=%3Cb%3ENo", &one.cookie);
    is_refused(&denied, "You were not signed in: &#60;b&#62;No.");
    // And one for whom all is right comes in, to this desk and to no other.
    session(&with(json!({})));
    let elsewhere = get(&desk, "/sign-in/provider?next=%2F%2Fevil.test", "");
    let cookie = elsewhere.header("set-cookie").split(';').next().unwrap().to_owned();
    let query = elsewhere.header("location");
    let of = |name: &str| query.split(&format!("{name}=")).nth(1).unwrap().split('&').next().unwrap().to_owned();
    issuer.will_say("a-1", &of("nonce"), desk.clock.now().as_second(), &address("amara"));
    let got = come_back(&desk, &issuer, &Begun { cookie, state: of("state"), nonce: String::new() });
    assert_eq!(got.header("location"), "/");
}

#[test]
fn what_the_token_does_not_say_the_user_s_description_does() {
    let issuer = Issuer::start();
    let desk = desk(Database::Sqlite, &issuer.url, "");
    let agent =
        json!({ "sub": "k-1", "email": "kofi@meridian.example", "email_verified": true, "groups": ["service-desk"] });
    issuer.describe(&agent);
    let got = back(&desk, &issuer, "k-1", &json!({}));
    assert_eq!(get(&desk, "/queue", &session(&got)).status, 200);
    // About another, it does not count.
    is_refused(&back(&desk, &issuer, "k-2", &json!({})), UNSOUND);
    let verifier = issuer.last("/token");
    assert!(verifier.contains("code_verifier=") && verifier.contains("client_id=ruledesk"), "{verifier}");
}

#[test]
fn keys_change_and_a_provider_that_is_away_is_named() {
    let issuer = Issuer::start();
    let desk = desk(Database::Sqlite, &issuer.url, "");
    issuer.is_down(true);
    let away = get(&desk, "/sign-in/provider", "");
    is_refused(&away, "cannot be reached at the moment");
    issuer.is_down(false);
    is_refused(&get(&desk, "/sign-in/provider", ""), "cannot be reached at the moment");
    assert_eq!(issuer.asked("/.well-known/openid-configuration"), 1, "it was asked a moment ago");
    desk.advance(SignedDuration::from_secs(6));
    session(&back(&desk, &issuer, "a-1", &address("amara")));
    assert_eq!((issuer.asked("/.well-known/openid-configuration"), issuer.asked("/jwks")), (2, 1));
    session(&back(&desk, &issuer, "a-1", &address("amara")));
    assert_eq!((issuer.asked("/.well-known/openid-configuration"), issuer.asked("/jwks")), (2, 1), "it is remembered");
    issuer.change_key(2, "k2");
    is_refused(&back(&desk, &issuer, "a-1", &address("amara")), UNSOUND);
    assert_eq!(issuer.asked("/jwks"), 1, "keys are not asked for again within a minute");
    desk.advance(SignedDuration::from_mins(2));
    session(&back(&desk, &issuer, "a-1", &address("amara")));
    assert_eq!(issuer.asked("/jwks"), 2);
    // One address cannot have the provider asked without end.
    let many = (0..40).map(|_| get(&desk, "/sign-in/provider", "").status).collect::<Vec<_>>();
    assert!(many.contains(&422) && many.last() == Some(&422), "{many:?}");
}

#[test]
fn while_the_provider_hangs_one_waits_for_it_and_no_other() {
    const AWAY: &str = "cannot be reached at the moment";
    let issuer = Issuer::start();
    let desk = desk(Database::Sqlite, &issuer.url, "");
    issuer.hangs(true);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| get(&desk, "/sign-in/provider", ""));
        until("the provider to be asked", || (issuer.asked(DESCRIPTION) == 1).then_some(()));
        is_refused(&get(&desk, "/sign-in/provider", ""), AWAY);
        // One who has signed out sees the page without a way out of there.
        assert_eq!(get(&desk, "/sign-in?out=1", "").status, 200);
        issuer.hangs(false);
        is_refused(&first.join().unwrap(), AWAY);
    });
    // What has failed is not tried again at once for the next ones.
    for path in ["/sign-in/provider", "/sign-in?out=1", "/sign-in/provider"] {
        get(&desk, path, "");
    }
    assert_eq!(issuer.asked(DESCRIPTION), 1);
    desk.advance(SignedDuration::from_secs(6));
    session(&back(&desk, &issuer, "a-1", &address("amara")));
    assert_eq!(issuer.asked(DESCRIPTION), 2);
    // Signing out without end from one address is the provider's business no longer, and the page is there all the same.
    desk.advance(SignedDuration::from_hours(2));
    issuer.is_down(true);
    for _ in 0..40 {
        assert_eq!(get(&desk, "/sign-in?out=1", "").status, 200);
    }
    assert_eq!(issuer.asked(DESCRIPTION), 3);
}

#[test]
fn the_provider_ends_what_it_began() {
    on_both(|database| {
        let issuer = Issuer::start();
        let desk = desk(database, &issuer.url, "");
        let end = |token: &str| {
            send("POST", &format!("{}/sign-in/provider/ended", desk.url), &[FORM], &format!("logout_token={token}"))
                .status
        };
        let now = desk.clock.now().as_second();
        let (amara, kofi) = (
            session(&back(&desk, &issuer, "a-1", &address("amara"))),
            session(&back(&desk, &issuer, "k-1", &address("kofi"))),
        );
        let is_in = |cookie: &str| get(&desk, "/mine", cookie).status == 200;
        let one = json!({ "sub": "a-1" });
        let wrong = [
            issuer.token(&json!({ "iss": issuer.url, "aud": CLIENT, "iat": now, "sub": "a-1" })),
            issuer.logout_token(now, &json!({})),
            issuer.logout_token(now - 900, &one),
            issuer.logout_token(now, &json!({ "sub": "a-1", "nonce": "n" })),
            issuer.logout_token(now, &json!({ "sub": "a-1", "aud": "another" })),
            format!("{}x", issuer.logout_token(now, &one)),
            String::new(),
        ];
        for token in wrong {
            assert_eq!(end(&token), 400, "{token}");
        }
        assert!(is_in(&amara) && is_in(&kofi));
        assert_eq!(end(&issuer.logout_token(now, &one)), 200);
        assert!(!is_in(&amara) && is_in(&kofi), "at once, and no one else");
        assert_eq!(end(&issuer.logout_token(now, &json!({ "sid": "session-of-k-1" }))), 200);
        assert!(!is_in(&kofi));
        assert_eq!(end(&issuer.logout_token(now, &one)), 200, "what is over stays over");
        let plain = send("POST", &format!("{}/sign-in/provider/ended", desk.url), &[OWN], "");
        assert_eq!(plain.status, 400);
    });
}

/// However many browsers one is signed in with: a form that comes slowly holds a connection for as long as the desk waits for it.
#[test]
fn one_person_has_so_many_pages_made_at_once() {
    let desk = House::demo(Database::Sqlite);
    let (amara, lena) = (cookie(&desk, "amara"), cookie(&desk, "lena"));
    let address = desk.url.strip_prefix("http://").unwrap();
    let head = format!(
        "POST /account/keys HTTP/1.1\r\nhost: {address}\r\ncookie: {amara}\r\nsec-fetch-site: same-origin\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nnot all of it"
    );
    let slow = || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let mut open: Vec<TcpStream> = (0..99).map(|_| slow()).collect();
    // One that comes while a quick one has the last place is refused, and another has to come.
    until("the slow forms to hold their places", || {
        open.push(slow());
        (get(&desk, "/", &amara).status == 429).then_some(())
    });
    assert_eq!(get(&desk, "/", &lena).status, 200);
    drop(open);
    until("the places to be free again", || (get(&desk, "/", &amara).status == 200).then_some(()));
}

#[test]
fn pictures_of_other_sites_use_up_no_sign_in() {
    let issuer = Issuer::start();
    let desk = desk(Database::Sqlite, &issuer.url, "");
    let load = |path: &str| {
        let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "image")];
        send("GET", &format!("{}{path}", desk.url), &headers, "").status
    };
    for _ in 0..40 {
        assert_eq!((load("/sign-in/provider"), load("/sign-in?out=1")), (403, 200));
    }
    assert_eq!(issuer.asked(DESCRIPTION), 0);
    let there = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")];
    assert_eq!(send("GET", &format!("{}/sign-in/provider", desk.url), &there, "").status, 303, "by a link of another");
}

#[test]
fn ends_that_strangers_make_up_keep_none_of_the_providers_waiting() {
    let issuer = Issuer::start();
    let desk = desk(Database::Sqlite, &issuer.url, "");
    let amara = session(&back(&desk, &issuer, "a-1", &address("amara")));
    let end = |from: &str, token: &str| {
        let headers = [FORM, ("x-forwarded-for", from)];
        send("POST", &format!("{}/sign-in/provider/ended", desk.url), &headers, &format!("logout_token={token}")).status
    };
    let made_up = (0..700).find(|_| end("198.51.100.7", "made-up") == 429);
    assert_eq!(made_up, Some(600), "so many in a minute from one address");
    let token = issuer.logout_token(desk.clock.now().as_second(), &json!({ "sub": "a-1" }));
    assert_eq!(end("203.0.113.9", &token), 200);
    assert_eq!(get(&desk, "/mine", &amara).status, 303);
}

#[test]
fn one_who_has_left_does_not_come_back_by_the_provider() {
    let issuer = Issuer::start();
    let desk = desk(Database::Sqlite, &issuer.url, "requesters = [\"staff\"]\napprovers = []");
    let inside = session(&back(&desk, &issuer, "a-1", &address("amara")));
    assert_eq!(get(&desk, "/mine", &inside).status, 200, "a group of the organisation's");
    is_refused(&back(&desk, &issuer, "p-1", &address("peter")), "has no part at this desk");
    let file = desk.settings().with_file_name("people.toml");
    let people = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, people.replacen("id = \"amara\"\n", "id = \"amara\"\nactive = false\n", 1)).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    desk.advance(SignedDuration::from_secs(6));
    assert_eq!(get(&desk, "/mine", &inside).status, 303);
    assert_eq!(desk.as_role("amara").get("/api/v1/tickets").status, 401, "nor by a token that everybody knows");
    is_refused(&back(&desk, &issuer, "a-1", &address("amara")), "has no part at this desk");
}
