//! Long tickets, zones of times, signing in with a password, and what people type and send as files.

use std::io::Write as _;
use std::process::Stdio;

use jiff::SignedDuration;
use serde_json::json;

use super::budget::statements;
use super::guard::{FORM, OWN, cookie, send};
use crate::support::browser::{Browser, ENTER};
use crate::support::components::{example_rules, scratch};
use crate::support::house::House;
use crate::support::place::{Database, on_both};

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

/// Where a desk has no rule, the page of its rules says who decides, and to admins where one comes from.
#[test]
fn a_desk_without_rules_says_who_decides() {
    let none = tempfile::tempdir().unwrap();
    let desk = House::with_rules(Database::Sqlite, none.path());
    let rules = |person: &str| {
        let session = cookie(&desk, person);
        send("GET", &format!("{}/admin/rules", desk.url), &[("cookie", &session)], "").text
    };
    let link = "people do the rest. <a href=\"/admin/upload\">";
    assert!(rules("mei").contains(link), "{}", rules("mei"));
    assert!(rules("kofi").contains("people do the rest.</p>"), "{}", rules("kofi"));
}

/// A reload of a form loses neither a tick nor the answer to a question that another answer shapes.
#[test]
fn a_form_that_is_left_has_its_ticks_and_its_shaped_fields_again() {
    let desk = House::demo(Database::Sqlite);
    let mut amara = Browser::of(&desk.url, "amara");
    let again = |amara: &mut Browser, path: &str| {
        amara.go("/");
        amara.go(path);
    };
    let tick = "[name='field.customer-facing']";
    amara.go("/new/incident");
    amara.click(tick);
    again(&mut amara, "/new/incident");
    amara.counts(&format!("{tick}:checked"), 1);
    amara.click(tick);
    again(&mut amara, "/new/incident");
    amara.counts(&format!("{tick}:checked"), 0);

    amara.go("/new/access");
    let tiers = "document.querySelectorAll('[id=\"field.tier\"] option').length";
    let all = amara.script(&format!("return {tiers}")).as_u64().unwrap();
    amara.choose("[id='field.app']", "github");
    amara.wait(&format!("{tiers} < {all}"));
    let tier = amara.script("return [...document.getElementById('field.tier').options].at(-1).value");
    amara.choose("[id='field.tier']", tier.as_str().unwrap());
    again(&mut amara, "/new/access");
    amara.wait(&format!("{tiers} < {all}"));
    let kept = amara.script("return ['app', 'tier'].map((name) => document.getElementById(`field.${name}`).value)");
    assert_eq!(kept, json!(["github", tier]));
}

/// Where no answer comes to the words of the start, or a failure does, its own requests are offered all the same, and nothing that was
/// there before; the search goes on by its key.
#[test]
fn the_start_goes_on_where_its_suggestions_fail() {
    let desk = super::desk();
    let mut amara = Browser::of(&desk.url, "amara");
    let card = amara.script(
        "const card = document.querySelector('a.card'); \
         return [card.querySelector('strong').textContent.toLowerCase(), card.getAttribute('href')]",
    );
    let (name, address) = (card[0].as_str().unwrap(), card[1].as_str().unwrap());
    for failure in ["Promise.reject(new TypeError('away'))", "Promise.resolve(new Response('', { status: 503 }))"] {
        amara.go("/");
        amara.script(&format!(
            "window.failed = 0; const ask = window.fetch; window.fetch = (address, how) => {{ \
             if (!String(address).startsWith('/help/suggest')) return ask(address, how); window.failed += 1; return {failure} }}"
        ));
        amara.type_into("#ask", name);
        amara.wait("window.failed > 0");
        amara.counts(&format!(".suggestions:not([hidden]) a[href$='{address}']"), 1);
        amara.type_into("#ask", " and nothing of the kind");
        amara.counts(".suggestions:not([hidden])", 0);
        amara.press(&[ENTER]);
        amara.wait("location.pathname === '/find'");
    }
}

/// Browsers in three parts of the world show the same instants, in the zone of the desk.
#[test]
fn the_zone_of_a_browser_changes_no_time() {
    let desk = super::desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    let shown = ["America/New_York", "Asia/Tokyo", "Pacific/Auckland"].map(|zone| {
        kofi.devtools("Emulation.setTimezoneOverride", &json!({ "timezoneId": zone }));
        kofi.go("/tickets/IT-1");
        assert_eq!(kofi.script("return Intl.DateTimeFormat().resolvedOptions().timeZone"), zone);
        kofi.script("return [...document.querySelectorAll('main time')].map((time) => [time.dateTime, time.title])")
    });
    assert!(shown[0].as_array().unwrap().len() >= 3, "{}", shown[0]);
    assert!(shown[0].to_string().contains("CE"), "{}", shown[0]);
    assert_eq!((&shown[1], &shown[2]), (&shown[0], &shown[0]));
}

/// Words of people run as their script does, and pages whose language runs from right to left fit the screen as the others do.
#[test]
fn pages_and_words_run_from_right_to_left_as_well() {
    let desk = super::desk();
    let body = json!({ "request_type": "question", "subject": "كيف أشارك التقويم مع فريقي؟", "body": "مع الفريق كله من فضلك.",
        "fields": { "topic": "howto" } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-7");
    let runs = kofi.script(
        "return ['h1', '.words .text'].map((words) => getComputedStyle(document.querySelector(words)).direction)",
    );
    assert_eq!(runs, json!(["rtl", "rtl"]));
    for path in ["/", "/queue", "/tickets/IT-7", "/new/incident", "/reports/volume"] {
        kofi.go(path);
        kofi.script("document.documentElement.dir = 'rtl'");
        for width in [1280, 320] {
            kofi.size(width, 900);
            let wider =
                kofi.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(wider, 0, "{path} at {width}");
        }
        if path == "/tickets/IT-7" {
            let folder = scratch().join("pictures");
            std::fs::create_dir_all(&folder).unwrap();
            kofi.whole_picture(320, &folder.join("arabic-320.png"));
        }
    }
}

/// On paper a report has its plot and its numbers as a table, also where that is folded on the screen, and nothing to click.
#[test]
fn a_report_is_read_on_paper() {
    let desk = super::desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/reports/volume");
    let seen = |kofi: &Browser| {
        kofi.script(
            "return ['svg.plot', '.as-table table', '.top', '.filters-line', 'h1 ~ .button'].map((part) => \
             document.querySelector(part).checkVisibility())",
        )
    };
    assert_eq!(seen(&kofi), json!([true, false, true, true, true]));
    kofi.devtools("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
    assert_eq!(seen(&kofi), json!([true, true, false, false, false]));
}

/// One who asked hears on the page when an agent answers, and what was typed stays; of what is private they hear nothing.
#[test]
fn one_who_asked_hears_of_an_answer_where_they_read() {
    let desk = super::desk();
    let kofi = desk.as_role("kofi");
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/tickets/IT-3");
    amara.type_into("#body", "Half a thought");
    let say = |body: &str, internal: bool| {
        let words = json!({ "body": body, "internal": internal });
        kofi.post("/api/v1/tickets/IT-3/comments", &words).expect(201);
    };
    say("She asks too much", true);
    say("By its menu", false);
    amara.wait("!document.querySelector('[data-live-note]').hidden");
    amara.sees("[data-live-note]", "Kofi Mensah: wrote on the ticket");
    assert!(!amara.text(".story").contains("By its menu"), "nothing is swapped under her hands");
    amara.click("[data-live-note] a");
    amara.sees(".story", "By its menu");
    assert!(!amara.text("main").contains("She asks too much"));
    assert_eq!(amara.script("return document.querySelector('#body').value"), "Half a thought");
    desk.do_what_is_due();
}

/// It ends an attribute, a text and a title, and would run in three ways.
const EVIL: &str = "\"'><img src=x onerror=alert(1)></textarea></title><script>alert(2)</script>";

/// A text as a form sends it.
fn typed(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// All that people type anywhere is text on every page that shows it.
#[test]
fn html_in_any_field_is_text_on_every_page() {
    let desk = House::demo(Database::Sqlite);
    desk.until_active("tidy-text");
    let evil = typed(EVIL);
    let sign_in = |person: &str| {
        let headers = [FORM, OWN, ("user-agent", EVIL)];
        let got = send("POST", &format!("{}/sign-in", desk.url), &headers, &format!("person={person}"));
        got.header("set-cookie").split(';').next().unwrap().to_owned()
    };
    let [amara, kofi, lena, mei] = ["amara", "kofi", "lena", "mei"].map(sign_in);
    type_it_everywhere(&desk, &evil, [&amara, &kofi, &lena, &mei]);
    let read = [
        (&amara, "/ /mine /drafts /access /account /tickets/IT-1 /tickets/IT-2 /approvals/IT-1 /find?q=E /access?q=E"),
        (&kofi, "/queue /queue?requester=E /queue?view=0193a7c0-0000-7000-8000-000000000001 /drafts"),
        (
            &kofi,
            "/tickets/IT-2 /tickets/IT-2/record /tickets/IT-1/record /help /help?q=E /help/KB-1 /help/KB-1/edit /find?q=E",
        ),
        (&lena, "/approvals /approvals/IT-1"),
        (
            &mei,
            "/admin/rules/tidy-text /admin/tables/assets /admin/tokens /admin/tokens?person=E /admin/sessions /tickets/IT-2/try",
        ),
        (
            &mei,
            "/admin/sessions?person=E /admin/audit /admin/audit?person=E /admin/audit?of=access /admin/records?q=E /access/who?app=github",
        ),
        (&mei, "/admin/messages?kind=reply&ticket=IT-2"),
    ];
    let mut showing = 0;
    for (session, paths) in read {
        for path in paths.split(' ') {
            let url = format!("{}{}", desk.url, path.replace("=E", &format!("={evil}")));
            let got = send("GET", &url, &[("cookie", session), ("x-request-id", EVIL)], "");
            assert!(got.status < 500, "{path}: {}", got.status);
            for html in ["<img src=x", "<script>alert"] {
                assert!(!got.text.contains(html), "{path}: {}", got.text);
            }
            showing += usize::from(got.text.contains("onerror=alert(1)"));
        }
    }
    assert!(showing >= 20, "{showing} pages show it");
    let outside = send("GET", &format!("{}/sign-in?next={evil}", desk.url), &[], "").text;
    assert!(!outside.contains("<img src=x"), "{outside}");
    desk.do_what_is_due();
}

/// Types it into every field of forms, of programs and of the operator that other people read.
fn type_it_everywhere(desk: &House, evil: &str, [amara, kofi, lena, mei]: [&String; 4]) {
    let program = desk.as_role("amara");
    let access = json!({ "request_type": "access", "subject": EVIL, "body": EVIL, "fields": { "app": "github",
        "tier": "write", "duration-hours": 72, "justification": format!("{EVIL} I join the data project on Monday") } });
    program.post("/api/v1/tickets", &access).expect(201);
    let incident = json!({ "request_type": "incident", "subject": EVIL, "body": EVIL,
        "fields": { "service": EVIL, "people-affected": 3 } });
    program.post("/api/v1/tickets", &incident).expect(201);
    let draft = json!({ "request_type": "hardware", "subject": EVIL, "body": EVIL, "fields": {} });
    program.put("/api/v1/drafts/0199c0de-0000-7000-8000-000000000001", &draft).expect(200);
    let cells = format!("asset,team\n\"{}\",network\n", EVIL.replace('"', "\"\""));
    desk.as_role("mei").put_text("/api/v1/tables/assets?why=first", &cells, "text/csv").expect(200);
    assert!(desk.command(&["token", "nadia", "--roles", "agent", "--label", EVIL]).status.success());
    let view = "0193a7c0-0000-7000-8000-000000000001";
    for (session, path, fields) in [
        (kofi, "/tickets/IT-2/reply", "key=one&body=E".to_owned()),
        (kofi, "/tickets/IT-2/reply", "key=two&internal=1&body=E".to_owned()),
        (kofi, "/tickets/IT-2/tasks", "key=three&text=E".to_owned()),
        (kofi, "/tickets/IT-2/tags", "tagged=1&tag=wifi&reason=E".to_owned()),
        (kofi, "/tickets/IT-2/outage", "do=declare&by-type=1&announcement=E".to_owned()),
        (kofi, "/queue/views", format!("id={view}&name=E&audience=staff&requester=amara&star=1")),
        (kofi, "/help/new", "title=E&body=E&language=en".to_owned()),
        (mei, "/admin/rules/tidy-text/step", "step=suspend&why=E".to_owned()),
        (lena, "/approvals/IT-1/ask", "key=four&question=E".to_owned()),
        (amara, "/approvals/IT-1/answer", "key=five&answer=E".to_owned()),
        (lena, "/approvals/IT-1", "key=six&decision=deny&reason=E".to_owned()),
    ] {
        let body = fields.replace("=E", &format!("={evil}"));
        let done = send("POST", &format!("{}{path}", desk.url), &[FORM, OWN, ("cookie", session)], &body);
        assert_eq!(done.status, 303, "{path}: {}", done.text);
    }
}

/// A file is bytes to keep, of a kind that no browser runs, under a policy with which it could do nothing; and it is not for everyone.
#[test]
fn no_file_is_a_page_of_the_desk() {
    let desk = super::desk();
    let [amara, priya] = ["amara", "priya"].map(|person| cookie(&desk, person));
    let parts = ("content-type", "multipart/form-data; boundary=x");
    for (name, kind, content) in [
        ("a.svg", "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("b.html", "text/html", "<!doctype html><script>alert(1)</script>"),
        ("c.js", "text/javascript", "alert(1)"),
        (
            "d.xhtml",
            "application/xhtml+xml",
            "<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>",
        ),
        ("e.png", "image/png", "<!doctype html><script>alert(1)</script>"),
        ("<img src=x onerror=alert(1)>.txt", "text/plain", "It is broken."),
    ] {
        let body = format!(
            "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: {kind}\r\n\r\n{content}\r\n--x--\r\n"
        );
        let sent = send("POST", &format!("{}/tickets/IT-1/files", desk.url), &[parts, OWN, ("cookie", &amara)], &body);
        assert_eq!(sent.status, 303, "{name}: {}", sent.text);
    }
    let page = send("GET", &format!("{}/tickets/IT-1", desk.url), &[("cookie", &amara)], "").text;
    assert!(!page.contains("<img src=x"), "{page}");
    let files: Vec<&str> = page.split("href=\"/files/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(files.len(), 6, "{page}");
    for file in files {
        let take = |headers: &[(&str, &str)]| send("GET", &format!("{}/files/{file}", desk.url), headers, "");
        let got = take(&[("cookie", &amara)]);
        assert_eq!(got.status, 200);
        assert!(got.header("content-disposition").starts_with("attachment; filename*="));
        assert!(
            ["application/octet-stream", "text/plain"].contains(&got.header("content-type").as_str()),
            "{}",
            got.text
        );
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        let policy = got.header("content-security-policy");
        assert!(
            policy.starts_with("sandbox; default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!((take(&[("cookie", &priya)]).status, take(&[]).status), (404, 303), "it is not theirs");
    }
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

/// Whose a device is stands in a reference table, which the configuration names.
#[test]
fn the_card_of_who_asked_shows_their_devices() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| {
        format!("{text}\n[devices]\ntable = \"assets\"\nowner = \"person\"\nshow = [\"model\", \"system\"]\n")
    });
    let body = json!({ "request_type": "question", "subject": "Sort a table", "body": "Please.", "fields": { "topic": "howto" } });
    let key = desk.as_role("amara").post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go(&format!("/tickets/{key}"));
    kofi.counts(".devices", 0);
    let rows = "asset,person,model,system,price\nLT-0042,amara,ThinkPad T14,Linux,1400\nLT-0043,lena,MacBook,macOS,2000\n\
                PH-0007,amara,Pixel 9,,700\n";
    desk.as_role("mei").put_text("/api/v1/tables/assets?why=inventory", rows, "text/csv").expect(200);
    kofi.go(&format!("/tickets/{key}"));
    kofi.counts(".devices li", 2);
    let devices = kofi.text(".devices");
    for shown in ["LT-0042", "ThinkPad T14", "Linux", "PH-0007", "Pixel 9"] {
        assert!(devices.contains(shown), "{shown}: {devices}");
    }
    assert!(!devices.contains("LT-0043") && !devices.contains("1400"), "{devices}");
    // They are for those who help, and not on the page of who asked.
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go(&format!("/tickets/{key}"));
    amara.counts(".devices", 0);
}

/// Whom the desk waits for reads until when, and what comes without an answer; a file that was asked for is one.
#[test]
fn one_who_is_asked_reads_until_when_and_may_answer_with_a_file() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| {
        text.replace("[closing]\n", "[closing]\nanswer-within = \"20h\"\n")
    });
    let body = json!({ "request_type": "question", "subject": "Sort a table", "body": "Please.", "fields": { "topic": "howto" } });
    let amara = desk.as_role("amara");
    let key = amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
    let cookie = cookie(&desk, "amara");
    let page = || send("GET", &format!("{}/tickets/{key}", desk.url), &[("cookie", &cookie)], "").text;
    assert!(!page().contains("Without an answer by"));
    let asks = json!({ "to": "waiting_requester", "reason": "Which table?" });
    let moves = format!("/api/v1/tickets/{key}/transitions");
    desk.as_role("kofi").with("if-match", "*").post(&moves, &asks).expect(200);
    assert!(page().contains("Without an answer by"), "{}", page());
    let file = format!("/api/v1/tickets/{key}/attachments?name=table.txt");
    amara.send_file(&file, "text/plain", b"this one").expect(201);
    assert!(!page().contains("Without an answer by"), "{}", page());
}

/// The next ticket for an agent is found behind a page and more of those that others have.
#[test]
fn the_next_ticket_is_found_behind_many_that_others_have() {
    let desk = House::demo(Database::Sqlite);
    let agent = desk.as_role("kofi");
    let body = json!({ "request_type": "question", "subject": "Where is the menu?", "body": "I looked everywhere.", "fields": { "topic": "other" } });
    for number in 1..=52 {
        let made = desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
        let assignee = if number == 52 { None } else { Some("samir") };
        let edit = json!({ "team": "service-desk", "assignee": assignee, "reason": "as agreed" });
        let key = made["key"].as_str().unwrap();
        agent.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &edit).expect(200);
    }
    let session = cookie(&desk, "kofi");
    let next = send("POST", &format!("{}/queue/next", desk.url), &[FORM, OWN, ("cookie", &session)], "");
    assert_eq!(next.header("location"), "/tickets/IT-52?done=next", "{}", next.text);
    // From that one there is none.
    let next = send("POST", &format!("{}/queue/next", desk.url), &[FORM, OWN, ("cookie", &session)], "from=IT-52");
    assert_eq!(next.header("location"), "/queue?none=1", "{}", next.text);
    let page = send("GET", &format!("{}/queue?none=1", desk.url), &[("cookie", &session)], "").text;
    assert!(page.contains("Nothing waits in your teams"), "{page}");
}
