//! Pages from which those who look after the desk publish, by way of drafts that they share; and who is signed in where.

use serde_json::json;

use super::guard::{FORM, OWN, cookie, send};
use super::{desk, fill};
use crate::support::browser::Browser;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

/// The demo's desk, with these documents published by API.
fn by_api(documents: &str) -> House {
    let settings = |text: String| {
        let text = text.replace("holidays = []", "holidays = [\"2026-12-25\", \"2027-01-01\"]");
        format!("{text}\n[configuration]\nby-api = [{documents}]\n")
    };
    House::with_settings(Database::Sqlite, example_rules(), settings)
}

/// Puts another text into the field of a document, or changes a part of the one that is there.
fn write(browser: &Browser, text: &str) {
    browser.script(&format!(
        "const field = document.querySelector('#content'); field.value = {text}; \
         field.dispatchEvent(new Event('input', {{ bubbles: true }}))"
    ));
}

fn publish(browser: &mut Browser, why: &str) {
    browser.script("document.querySelector('#why').value = ''");
    browser.type_into("#why", why);
    browser.click("button[value=publish]");
}

/// Other words for a message show what they change and which messages wait; they are kept, published, and taken back.
#[test]
fn the_words_of_a_message_are_drafted_published_and_taken_back_on_their_page() {
    let desk = by_api("\"templates\"");
    fill(&desk);
    let reply = json!({ "body": "By its menu" });
    desk.as_role("kofi").post("/api/v1/tickets/IT-3/comments", &reply).expect(201);
    let (mut one, mut other) = (Browser::of(&desk.url, "mei"), Browser::of(&desk.url, "mei"));
    one.go("/admin/messages?kind=reply&ticket=IT-3");
    one.sees(".title-line", "Words of the program");
    one.sees("[aria-labelledby=history]", "None was published yet");
    write(
        &one,
        "'Subject: {{ ticket.key }} has news\\nDear {{ recipient.name }}, {% if reply %}{{ reply.body }}{% endif %}'",
    );
    one.sees("#beside", "Dear Amara Okafor, By its menu");
    one.sees("#beside .diff", "Dear {{ recipient.name }}");
    one.sees("#waiting", "2 messages of this kind");
    one.click("button[value=publish]");
    one.sees(".notice.bad", "say why");
    one.click("button[value=keep]");
    one.sees(".notice.good", "The draft is kept");
    one.has_focus();
    // Another goes on with it; what is live is as it was.
    other.go("/admin/messages?kind=reply&ticket=IT-3");
    other.sees("#beside", "Hello Amara Okafor");
    other.sees(".notice.info", "Mei Lin has kept a draft");
    other.click(".notice.info a.button");
    other.sees("#beside", "Dear Amara Okafor");
    publish(&mut other, "Friendlier");
    other.sees(".notice.good", "It is published");
    other.sees(".title-line", "Words of this desk");
    other.sees("#beside", "Dear Amara Okafor");
    other.sees("[aria-labelledby=history]", "Friendlier");
    other.counts(".notice.info", 0);
    // Neither the draft nor the live words of another are overwritten unseen.
    write(&one, "'Subject: {{ ticket.key }}\\nGood day {{ recipient.name }}'");
    one.click("button[value=keep]");
    one.sees(".notice.warn", "Not kept");
    one.click("button[value=keep]");
    one.sees(".notice.good", "The draft is kept");
    one.click("button[value=drop]");
    one.sees(".notice.good", "thrown away");
    one.counts(".notice.info", 0);
    write(&other, "'Subject: {{ ticket.key }}\\nGood morning {{ recipient.name }}'");
    publish(&mut other, "It is early");
    other.sees("[aria-labelledby=history]", "It is early");
    write(&one, "'Subject: {{ ticket.key }}\\nGood day {{ recipient.name }}'");
    publish(&mut one, "It is late");
    one.sees(".notice.warn", "another version was published meanwhile");
    one.sees("#beside .diff", "Good morning");
    one.click("button[value=publish]");
    one.sees(".notice.good", "It is published");
    // An earlier version again, and in the end the program's own words.
    one.counts("[aria-labelledby=history] li", 3);
    one.click("[aria-labelledby=history] li:last-child a");
    one.sees("#beside .diff", "Dear {{ recipient.name }}");
    publish(&mut one, "It was better");
    one.sees("[aria-labelledby=history]", "It was better");
    one.sees("#beside", "Dear Amara Okafor");
    one.script("document.querySelector('#why').value = ''");
    one.type_into("#why", "As all have them");
    one.click("button[value=program]");
    one.sees(".title-line", "Words of the program");
    one.sees("#beside", "Hello Amara Okafor");
    // What is none of the templates' language is refused, and its line is named.
    write(&one, "'Subject: {{ ticket.key }}\\n{{ ticket.kye }}'");
    publish(&mut one, "A slip");
    one.sees("#beside .notice.bad", "Line 2");
    one.sees(".title-line", "Words of the program");
}

/// A document's draft waits for another day; a calendar shows its year as it would be, and scales their matrix.
#[test]
fn a_draft_of_a_calendar_is_kept_and_shows_its_year() {
    let desk = by_api("\"calendars\", \"priorities\"");
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/admin/configuration/calendar");
    mei.click(".title-line a");
    mei.is_at("/admin/documents/calendars");
    write(&mei, "field.value.replace('\"2026-12-25\", ', '\"2026-12-24\", \"2026-12-25\", ')");
    mei.sees("#beside", "As it would be");
    mei.counts("#beside .months table", 12);
    // Each month has its name, and each day stands below its weekday.
    let months = "const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', \
                  'October', 'November', 'December'], days = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su']; \
                  return [...document.querySelectorAll('#beside .months table')].every((table) => { \
                  const [month, year] = table.caption.textContent.split(' '); \
                  const at = (new Date(Number(year), months.indexOf(month), 1).getDay() + 6) % 7; \
                  return parseInt(table.tBodies[0].rows[0].cells[at].textContent) === 1 \
                  && table.tHead.rows[0].cells[at].textContent === days[at]; })";
    assert_eq!(mei.script(months), true);
    mei.click("button[value=keep]");
    mei.sees(".notice.good", "The draft is kept");
    mei.counts("#beside .months table", 12);
    mei.go("/admin/documents/calendars");
    let drafted = |mei: &Browser| mei.script("return document.querySelector('#content').value.includes('2026-12-24')");
    assert_eq!(drafted(&mei), false, "it is not live");
    mei.sees(".notice.info", "Mei Lin has kept a draft");
    mei.click(".notice.info a.button");
    mei.sees(".notice.info", "You go on with the draft");
    assert_eq!(drafted(&mei), true);
    mei.click("button[value=drop]");
    mei.sees(".notice.good", "thrown away");
    mei.counts(".notice.info", 0);
    // The level that an impact and an urgency give together.
    mei.go("/admin/documents/priorities");
    let matrix = "'\\n[[matrix]]\\nimpact = \"high\"\\nurgency = \"high\"\\npriority = \"critical\"\\n'";
    write(&mei, &format!("field.value + {matrix}"));
    mei.sees("#beside .matrix", "Critical");
    publish(&mut mei, "So that agents need not think");
    mei.sees(".notice.good", "It is published");
    mei.go("/admin/configuration/priorities");
    mei.sees(".matrix", "Critical");
    mei.go("/admin/configuration/promises");
    mei.sees(".things", "Record of a resolution");
}

/// A schedule is paused, let go on and done at once from its page, each with a reason; without scripts.
#[test]
fn what_comes_again_is_paused_and_done_at_once_from_its_page() {
    const DAILY: &str = "\n[[recurring-ticket]]\nid = \"backups\"\nrequest-type = \"question\"\nrequester = \"mei\"\n\
        subject = \"Check the backups\"\nbody = \"Read the log.\"\nfields = { topic = \"other\" }\nevery = \"day\"\nat = \"07:00\"\n";
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text + DAILY);
    desk.do_what_is_due();
    let (kofi, mei) = (cookie(&desk, "kofi"), cookie(&desk, "mei"));
    let url = format!("{}/admin/schedules", desk.url);
    let get = |who: &str| send("GET", &format!("{url}?of=ticket%3Abackups"), &[("cookie", who)], "");
    let step = |step: &str, why: &str| {
        send("POST", &url, &[FORM, OWN, ("cookie", &mei)], &format!("name=ticket%3Abackups&step={step}&why={why}"))
    };
    assert_eq!(get(&kofi).status, 403);
    assert!(get(&mei).text.contains("It has not come yet"), "{}", get(&mei).text);
    let refused = step("run-next", "");
    assert!(refused.status == 422 && refused.text.contains("say why"), "{}", refused.text);
    let done = step("run-next", "The+auditor+asks");
    assert_eq!(done.header("location"), "/admin/schedules?of=ticket%3Abackups&done=1", "{}", done.text);
    desk.do_what_is_due();
    assert!(get(&mei).text.contains("class=\"good-text\">done"), "{}", get(&mei).text);
    assert_eq!(step("pause", "The+holidays").status, 303);
    assert!(get(&mei).text.contains("value=\"resume\"") && !get(&mei).text.contains("value=\"pause\""));
    let refused = step("run-next", "Now").text;
    assert!(refused.contains("it is paused") && refused.contains("value=\"Now\""), "{refused}");
    assert_eq!(step("resume", "They+are+over").status, 303);
    assert_eq!(step("stop", "x").status, 400);
    desk.do_what_is_due();
}

/// An admin sees who is signed in where, and ends one session or all of a person's; a person ends their own elsewhere.
#[test]
fn sessions_are_seen_and_ended_by_admins_and_by_their_own_people() {
    on_both(|database| {
        let desk = House::demo(database);
        let [here, there, third] = [(); 3].map(|()| cookie(&desk, "amara"));
        let (kofi, mei) = (cookie(&desk, "kofi"), cookie(&desk, "mei"));
        let get = |who: &str, path: &str| send("GET", &format!("{}{path}", desk.url), &[("cookie", who)], "");
        let post = |who: &str, path: &str, body: &str| {
            send("POST", &format!("{}{path}", desk.url), &[FORM, OWN, ("cookie", who)], body)
        };
        let inside = |who: &str| get(who, "/mine").status == 200;
        assert!(get(&here, "/account").text.contains("id=\"end-others\""));
        assert_eq!(post(&here, "/account/sessions", "others=1").status, 303);
        assert_eq!((inside(&here), inside(&there), inside(&third)), (true, false, false));
        assert!(!get(&here, "/account").text.contains("id=\"end-others\""), "there is no other");
        // No one but an admin looks at the sessions of others.
        assert_eq!((get(&kofi, "/admin/sessions").status, get(&here, "/admin/sessions").status), (403, 403));
        let all = get(&mei, "/admin/sessions").text;
        assert!(all.contains("Amara Okafor") && all.contains("Kofi Mensah") && all.contains("This browser"), "{all}");
        let of_amara = get(&mei, "/admin/sessions?person=amara").text;
        assert_eq!(of_amara.matches("name=\"session\"").count(), 1, "{of_amara}");
        let (_, rest) = of_amara.split_once("name=\"session\" value=\"").unwrap();
        let id = rest.split('"').next().unwrap();
        let end = |who: &str, body: &str| post(who, "/admin/sessions", &format!("person=amara&{body}"));
        assert_eq!(end(&kofi, &format!("of=amara&session={id}")).status, 403);
        assert_eq!(end(&mei, &format!("of=kofi&session={id}")).status, 303, "it is no session of his");
        assert!(inside(&here) && inside(&kofi));
        let ended = end(&mei, &format!("of=amara&session={id}"));
        assert_eq!(ended.header("location"), "/admin/sessions?person=amara&done=1");
        assert!(!inside(&here) && inside(&kofi));
        assert!(get(&mei, "/admin/sessions?person=amara&done=1").text.contains("No one is signed in"));
        let [one, other] = [(); 2].map(|()| cookie(&desk, "amara"));
        assert_eq!(end(&mei, "of=amara").status, 303);
        assert!(!inside(&one) && !inside(&other));
        assert_eq!(end(&mei, "of=%00").status, 400);
        let audit = get(&mei, "/admin/audit?event=session-ended").text;
        assert!(audit.contains(id) && audit.contains("mei"), "{audit}");
        // What was ended, and by whom, stays on the page, also where one looks at one person alone.
        for (path, is_of_her) in [("", true), ("?person=amara", true), ("?person=kofi", false)] {
            let page = get(&mei, &format!("/admin/sessions{path}")).text;
            for said in ["A session of Amara Okafor was ended", "All sessions of Amara Okafor were ended"] {
                let step = format!("{said}</span> <span class=\"quiet\">by Mei Lin");
                assert_eq!(page.contains(&step), is_of_her, "{path}: {page}");
            }
        }
        let own = "The other sessions of Amara Okafor were ended</span> <span class=\"quiet\">by Amara Okafor";
        assert!(get(&mei, "/admin/sessions").text.contains(own));
    });
}

/// Whether letters alone are keys is a choice of the person, in each of their browsers.
#[test]
fn single_keys_are_off_in_every_browser_of_one_who_wants_none() {
    let desk = desk();
    let mut here = Browser::of(&desk.url, "kofi");
    here.go("/account");
    here.click("form[action='/account/keys'] input");
    here.click("form[action='/account/keys'] button");
    here.is_at("/account?done=1");
    let mut there = Browser::of(&desk.url, "kofi");
    let note = |browser: &mut Browser| {
        browser.go("/tickets/IT-1");
        browser.press(&["n"]);
        browser.script("return document.querySelector('#c-note').checked")
    };
    assert_eq!(note(&mut there), false);
    // From the overview they are on again, here and there.
    there.click("[data-act=keys]");
    there.click("dialog input[type=checkbox]");
    there.wait("performance.getEntriesByType('resource').some(({ name }) => name.includes('/account'))");
    assert_eq!(note(&mut here), true);
    // In an open dialog a letter is no key, nor while a word is composed of several (an input method).
    let mut kofi = here;
    kofi.go("/tickets/IT-1");
    kofi.press(&["?", "n"]);
    kofi.counts("dialog[open]", 1);
    kofi.press(&[crate::support::browser::ESCAPE]);
    kofi.script(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', isComposing: true, bubbles: true, cancelable: true }))",
    );
    assert_eq!(kofi.script("return document.querySelector('#c-note').checked"), false);
    kofi.press(&["n"]);
    assert_eq!(kofi.script("return document.querySelector('#c-note').checked"), true);
}

/// Files of the directory that make access easier to get are shown with the one who asks for them; a second administrator agrees there,
/// with a reason, to what they have read and to nothing else.
#[test]
fn files_that_wait_are_looked_at_and_agreed_to_on_their_page() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            text.replace("[server]\n", "[server]\ntwo-person-access = true\n")
        });
        let path = desk.settings().with_file_name("apps.toml");
        let before = std::fs::read_to_string(&path).unwrap();
        let tier = "id = \"user\"\nname = \"User\"\nrisk = \"low\"\nlongest = \"720h\"\n";
        let more = format!("{before}\n[[app]]\nid = \"a0\"\nname = \"A 0\"\n[[app.tier]]\n{tier}");
        let (mei, kofi) = (cookie(&desk, "mei"), cookie(&desk, "kofi"));
        let noor = desk.with_roles("noor", "admin");
        let reload = || noor.post("/api/v1/config/reload", &json!({})).status;
        let is_there = || noor.get("/api/v1/config/apps").expect(200).to_string().contains("\"a0\"");
        let url = format!("{}/admin/configuration/waiting", desk.url);
        let look = |who: &str| send("GET", &url, &[("cookie", who)], "");
        let agree = |who: &str, digest: &str, why: &str| {
            send("POST", &url, &[FORM, OWN, ("cookie", who)], &format!("digest={digest}&why={why}"))
        };
        assert_eq!(look(&kofi).status, 403);
        assert!(look(&mei).text.contains("No files of the configuration directory wait"));

        // One asks on the page, with a reason, for what they have read; the other agrees by the interface.
        std::fs::write(&path, &more).unwrap();
        let page = look(&mei).text;
        assert!(
            page.contains("the app `a0` is new") && page.contains("no administrator has given their word"),
            "{page}"
        );
        let (_, rest) = page.split_once("name=\"digest\" value=\"").unwrap();
        let digest = rest.split('"').next().unwrap().to_owned();
        assert!(agree(&mei, &digest, "").text.contains("say why"));
        let other = agree(&mei, "0000", "read");
        assert!(other.status == 422 && other.text.contains("have changed since you read them"), "{}", other.text);
        assert_eq!(agree(&kofi, &digest, "read").status, 403);
        for again in [false, true] {
            let asked = agree(&mei, &digest, "read+line+by+line");
            assert_eq!(asked.header("location"), "/admin/configuration/waiting?done=asked", "{again}");
            let page = look(&mei).text;
            assert!(
                page.contains("Another administrator looks at them") && !page.contains("name=\"digest\""),
                "{page}"
            );
        }
        let shown = send("GET", &format!("{}/admin/configuration/apps", desk.url), &[("cookie", &mei)], "").text;
        assert!(shown.contains("wait for a second administrator"), "{shown}");
        assert!(!is_there(), "one person twice is one person");
        assert_eq!(reload(), 204);
        assert!(is_there() && look(&mei).text.contains("No files of the configuration directory wait"));

        // The other way round; the reason is in the audit.
        std::fs::write(&path, &before).unwrap();
        assert_eq!(reload(), 204, "one person makes it stricter");
        std::fs::write(&path, &more).unwrap();
        assert_eq!(reload(), 409);
        let page = look(&mei).text;
        assert!(page.contains("asks for a second administrator") && page.contains(&digest), "{page}");
        let agreed = agree(&mei, &digest, "compared+with+the+register");
        assert_eq!(agreed.header("location"), "/admin/configuration/waiting?done=agreed", "{}", agreed.text);
        assert!(is_there());
        let audit = send("GET", &format!("{}/admin/audit?event=files-agreed", desk.url), &[("cookie", &mei)], "").text;
        assert!(audit.contains("compared with the register"), "{audit}");
        assert!(desk.command(&["decisions", "chain"]).status.success());
    });
}

/// A scale may have steps of the organisation's own, which stand on pages as the configuration has them.
#[test]
fn a_step_of_a_scale_that_the_desk_has_no_word_for_stands_as_it_is_configured() {
    let (three, four) =
        ("impact = [\"low\", \"medium\", \"high\"]", "impact = [\"low\", \"medium\", \"high\", \"company-wide\"]");
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text.replace(three, four));
    fill(&desk);
    let kofi = cookie(&desk, "kofi");
    let page = send("GET", &format!("{}/tickets/IT-1", desk.url), &[("cookie", &kofi)], "").text;
    assert!(page.contains("<option value=\"company-wide\">company-wide</option>"), "{page}");
    assert!(page.contains("<option value=\"high\" selected>High</option>"), "a known one has its word: {page}");

    // So do acts of others, in the line that says what happened meanwhile.
    let change = json!({ "impact": "low", "reason": "they are at home" });
    desk.as_role("kofi").with("if-match", "*").patch("/api/v1/tickets/IT-1", &change).expect(200);
    let mei = cookie(&desk, "mei");
    let version = send("GET", &format!("{}/tickets/IT-1/version", desk.url), &[("cookie", &mei)], "").text;
    assert!(version.contains("changed Impact to Low"), "{version}");
}
