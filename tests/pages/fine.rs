//! Long tickets, zones of times, and signing in with a password.

use std::io::Write as _;
use std::process::Stdio;

use jiff::SignedDuration;

use super::budget::statements;
use super::guard::{FORM, OWN, cookie, send};
use crate::support::browser::Browser;
use crate::support::house::House;
use crate::support::place::on_both;

/// One that the desk lets in by its own word: the operator gives the password, the person changes it, guessing is slow.
#[test]
fn a_person_signs_in_with_a_password_and_guessing_is_slowed_down() {
    on_both(|database| {
        let desk = House::demo(database);
        let give = |password: &str| {
            let mut program = desk.program(&["token", "password", "ivan", "--roles", "agent"]);
            let mut child = program.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        };
        let short = give("too short\n");
        assert!(!short.status.success());
        assert!(String::from_utf8_lossy(&short.stderr).contains("15"), "{}", String::from_utf8_lossy(&short.stderr));
        let given = give("four words in a row\n");
        assert!(given.status.success(), "{}", String::from_utf8_lossy(&given.stderr));
        let enter = |name: &str, password: &str| {
            let body = format!("name={name}&password={}", password.replace(' ', "+"));
            send("POST", &format!("{}/sign-in", desk.url), &[FORM, OWN], &body)
        };
        assert!(send("GET", &format!("{}/sign-in", desk.url), &[], "").text.contains("autocomplete=\"username\""));
        let inside = enter("ivan%40meridian.example", "four words in a row");
        assert_eq!(inside.status, 303, "{}", inside.text);
        let session = inside.header("set-cookie").split(';').next().unwrap().to_owned();
        let queue = |session: &str| send("GET", &format!("{}/queue", desk.url), &[("cookie", session)], "").status;
        assert_eq!(queue(&session), 200, "with the roles that were given");
        // Another password ends all sessions.
        let change = |present: &str| {
            let body = format!("present={}&new=five+words+in+a+row", present.replace(' ', "+"));
            send("POST", &format!("{}/account/password", desk.url), &[FORM, OWN, ("cookie", &session)], &body)
        };
        assert_eq!(change("four words in a column").status, 422);
        assert_eq!(change("four words in a row").status, 303);
        assert_eq!(queue(&session), 303);
        // Wrong ones: which of the two is wrong is not said, and after some no more are looked at.
        let unknown = enter("nobody-here", "four words in a row");
        let wrong = enter("ivan", "four words in a row");
        assert_eq!((unknown.status, wrong.status), (422, 422));
        let said = |got: &str| {
            got.split("role=\"alert\"").nth(1).and_then(|rest| rest.split("</div>").next()).map(str::to_owned)
        };
        assert_eq!(said(&unknown.text), said(&wrong.text));
        // Many at once are no more than one after the other.
        let compared = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..12).map(|_| scope.spawn(|| enter("ivan", "six words in a row now"))).collect();
            let answers = tries.into_iter().map(|one| one.join().unwrap());
            answers.filter(|got| !got.text.contains("Too many wrong passwords")).count()
        });
        assert!((1..=5).contains(&compared), "{compared} guesses were compared");
        assert!(enter("ivan", "five words in a row").text.contains("Too many"), "not even with the right one");
        desk.advance(SignedDuration::from_mins(2));
        assert_eq!(enter("ivan", "five words in a row").status, 303, "a while later");
    });
}

/// Times are shown in the zone that a person chose in this browser.
#[test]
fn times_are_shown_in_the_zone_that_one_chooses() {
    let desk = super::desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    let zone = |browser: &mut Browser| {
        browser.go("/tickets/IT-1");
        browser.script("return document.querySelector('time').title").as_str().unwrap().to_owned()
    };
    let before = zone(&mut kofi);
    assert!(before.contains("CE"), "{before}: in the zone of the desk");
    for (name, short) in [("Asia/Tokyo", "JST"), ("Asia/Kolkata", "IST")] {
        kofi.go("/account");
        kofi.script("document.querySelector('#zone').value = ''");
        kofi.type_into("#zone", name);
        kofi.click("form[action='/account/zone'] button");
        kofi.is_at("/account?done=1");
        let shown = zone(&mut kofi);
        assert!(shown.ends_with(short), "{shown}");
    }
    kofi.go("/account");
    kofi.script("document.querySelector('#zone').value = ''");
    kofi.click("form[action='/account/zone'] button");
    kofi.is_at("/account?done=1");
    assert_eq!(zone(&mut kofi), before);
}

/// The newest words of a ticket with five hundred are there at once, for the cost of a short one; the older ones are a click away.
#[test]
fn a_long_ticket_begins_with_its_newest_words() {
    let desk = super::desk();
    let amara = desk.as_role("amara");
    for n in 1..=500 {
        let body = serde_json::json!({ "body": format!("Word number {n}.") });
        amara.post("/api/v1/tickets/IT-1/comments", &body).expect(201);
    }
    // It weighs no more than a ticket may, and takes one statement more than another of its kind: that which counts the older words.
    let session = cookie(&desk, "kofi");
    let get = |path: &str| send("GET", &format!("{}{path}", desk.url), &[("cookie", &session)], "");
    let (long, short) = (get("/tickets/IT-1"), get("/tickets/IT-2"));
    assert!(long.text.len() <= 90_000, "{} bytes", long.text.len());
    assert!(statements(&long) <= statements(&short) + 1, "{} and {}", statements(&long), statements(&short));
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    kofi.sees(".story", "Word number 500.");
    assert_eq!(kofi.count(".story > .words"), 61, "the submission and the last sixty");
    assert!(!kofi.text(".story").contains("Word number 440."));
    for shown in [121, 181] {
        kofi.click(".story .older a");
        kofi.counts(".story > .words", shown);
    }
    kofi.sees(".story", "Word number 321.");
    kofi.go("/tickets/IT-1?older=9");
    kofi.counts(".story > .words", 501);
    kofi.counts(".story .older", 0);
}
