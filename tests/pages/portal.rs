//! An employee at the desk.

use jiff::SignedDuration;

use super::{ask_for_a_laptop, desk, say_what_was_missing};
use crate::support::browser::Browser;
use crate::support::house::House;
use crate::support::place::Database;

/// The whole way with scripts off, as with a screen reader of old or a proxy that takes scripts away.
#[test]
fn an_employee_asks_is_told_what_is_missing_and_follows_it_without_scripts() {
    let desk = House::demo(Database::Sqlite);
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("desk.txt");
    std::fs::write(&picture, "my desk, in words").unwrap();
    let mut amara = Browser::without_scripts_of(&desk.url, "amara", "/new/hardware");
    amara.type_into("#files", picture.to_str().unwrap());
    ask_for_a_laptop(&mut amara);
    amara.sees("#problems", "Nothing was sent");
    let problems = amara.count("[aria-invalid=true]");
    assert!(problems >= 1, "problems stand at their fields");
    amara.counts("[aria-invalid=true]:not([aria-describedby])", 0);
    assert_eq!(amara.script("return document.querySelector('#subject').value"), "A laptop for the new project");
    // A file that was chosen is kept with the rest.
    amara.sees("form.stack", "desk.txt");
    say_what_was_missing(&mut amara);
    amara.sees(".files", "desk.txt");
    amara.click(".why summary");
    amara.sees(".why", "device is laptop");
    amara.type_into("#body", "It may be a used one.");
    amara.click(".composer button");
    amara.sees(".story", "It may be a used one.");
}

#[test]
fn what_is_typed_is_still_there_after_a_reload_and_gone_once_it_is_sent() {
    let desk = desk();
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/tickets/IT-1");
    amara.type_into("#body", "Half a sentence that");
    amara.go("/");
    amara.go("/tickets/IT-1");
    assert_eq!(amara.script("return document.querySelector('#body').value"), "Half a sentence that");
    amara.type_into("#body", " is whole now");
    amara.click(".composer button");
    amara.wait("document.querySelector('.notice.good')");
    amara.sees(".story", "Half a sentence that is whole now");
    amara.go("/tickets/IT-1");
    assert_eq!(amara.script("return document.querySelector('#body').value"), "");
}

/// A field that shapes others brings the form up to date where it is: nothing that was typed goes, and the focus stays.
#[test]
fn a_form_changes_with_what_is_chosen_and_loses_nothing() {
    let desk = House::demo(Database::Sqlite);
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/new/access");
    amara.script("window.same = true");
    amara.type_into("#subject", "For the new project");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.txt");
    std::fs::write(&file, "the plan").unwrap();
    amara.type_into("#files", file.to_str().unwrap());
    let tiers = amara.count("[id='field.tier'] option");
    amara.script("document.getElementById('field.app').focus()");
    amara.type_into("[id='field.app']", "GitHub");
    amara.wait(&format!("document.querySelectorAll('[id=\"field.tier\"] option').length !== {tiers}"));
    let now = amara.script(
        "return [window.same, document.activeElement.id, document.querySelector('#subject').value, \
         document.querySelector('#files').files.length]",
    );
    assert_eq!(now, serde_json::json!([true, "field.app", "For the new project", 1]));
}

/// Without scripts a button does it: the form comes again as the answers so far shape it, with all of them.
#[test]
fn a_form_is_updated_by_a_button_without_scripts() {
    let desk = House::demo(Database::Sqlite);
    let mut amara = Browser::without_scripts_of(&desk.url, "amara", "/new/access");
    let tiers = amara.count("[id='field.tier'] option");
    amara.type_into("#subject", "For the new project");
    amara.choose("[id='field.app']", "github");
    amara.click("button[name=update]");
    amara.wait(&format!("document.querySelectorAll('[id=\"field.tier\"] option').length < {tiers}"));
    assert_eq!(amara.script("return document.querySelector('#subject').value"), "For the new project");
    assert_eq!(amara.script("return document.getElementById('field.app').value"), "github");
}

#[test]
fn a_session_ends_when_it_is_not_used_and_when_it_is_ended_elsewhere() {
    let desk = desk();
    let mut here = Browser::of(&desk.url, "amara");
    let mut there = Browser::of(&desk.url, "amara");
    here.go("/account");
    here.counts(".rows li", 2);
    here.click("#end-all button");
    there.go("/mine");
    there.is_at("/sign-in?next=%2Fmine");
    there.sign_in("amara");
    desk.advance(SignedDuration::from_hours(13));
    there.go("/mine");
    there.wait("location.pathname === '/sign-in'");
}
