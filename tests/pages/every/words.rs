//! Every word in the reader's language: what stands on pages, and why the desk does not do something.

use serde_json::json;

use crate::pages::desk;
use crate::pages::guard::{FORM, OWN, cookie, send, taking_forms};
use crate::support::browser::Browser;
use crate::support::house::House;
use crate::support::place::Database;

/// A text that stands on a page without the marks of the pseudo-language was not written for translation: names of the
/// organisation, words of people and rules, keys and times aside, all texts have them.
#[test]
fn every_word_of_the_frame_is_in_the_reader_s_language() {
    const OF_AGENTS: [&str; 14] = [
        "/",
        "/mine",
        "/drafts",
        "/access",
        "/access/several",
        "/approvals",
        "/queue",
        "/account",
        "/tickets/IT-1/record",
        "/admin/rules",
        "/admin/records",
        "/help",
        "/reports/volume",
        "/access/who",
    ];
    const OF_ADMINS: [&str; 14] = [
        "/admin/tokens",
        "/admin/schedules",
        "/admin/sessions",
        "/admin/messages",
        "/admin/jobs",
        "/admin/webhooks",
        "/admin/audit",
        "/admin/upload",
        "/admin/rules/form-category/backtest",
        "/admin/tables",
        "/admin/documents/teams",
        "/admin/configuration/people",
        "/admin/configuration/waiting",
        "/admin/decision-table/decision-table",
    ];
    let desk = desk();
    for (person, paths) in [("kofi", OF_AGENTS.as_slice()), ("mei", &OF_ADMINS)] {
        let mut browser = Browser::of(&desk.url, person);
        let pseudo = serde_json::json!({ "name": "ruledesk-language", "value": "en-x-pseudo", "url": desk.url });
        browser.devtools("Network.setCookie", &pseudo);
        for path in paths {
            browser.go(path);
            assert_eq!(plain_texts(&browser), Vec::<String>::new(), "{path}");
        }
    }
}

/// Texts of the frame that are not in the pseudo-language.
fn plain_texts(browser: &Browser) -> Vec<String> {
    let plain = browser.script(
        "const bad = []; \
         for (const e of document.querySelectorAll('h1, h2, h3, button, nav a, label, legend, th, summary, .empty, .lead, .help')) { \
           const own = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join(''); \
           if (own && /[A-Za-z]{3}/.test(own) && !own.includes('[') && !e.closest('[dir=auto], .menu, [lang]:not(html), .card, .views, .data, .grid, .rows, .things, .panel-table, a')) bad.push(own); \
         } return bad",
    );
    let names = ["Kofi Mensah", "Mei Lin", "rule.toml", "rule.wasm"];
    let texts = plain.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned());
    texts.filter(|text| !names.contains(&text.as_str())).collect()
}

/// Forms that end a session, begin one, or try rules on the past, which takes long.
const APART: [&str; 5] = ["/sign-in", "/sign-out", "/account/sessions", "/language", "/admin/rules/{name}/backtest"];

/// Words that English sentences have and German ones do not.
const ENGLISH: [&str; 24] = [
    "the", "you", "your", "is", "has", "which", "there", "does", "than", "only", "say", "give", "choose", "write",
    "may", "cannot", "most", "this", "with", "and", "more", "already", "another", "its",
];

/// Where forms are sent: things that there are on a desk that is lived in, and ones that there are not.
fn filled(path: &str) -> String {
    let known = [
        ("/tickets/{key}", "/tickets/IT-35"),
        ("/approvals/{key}", "/approvals/IT-39"),
        ("/help/{key}", "/help/KB-6"),
        ("/new/{request_type}", "/new/incident"),
        ("/drafts/{id}", "/drafts/0199c0de-0000-7000-8000-00000000000f"),
        ("/queue/views/{id}", "/queue/views/0199c0de-0000-7000-8000-00000000000f"),
        ("/access/{grant}", "/access/0199c0de-0000-7000-8000-00000000000f"),
        ("/approvals/delegations/{id}", "/approvals/delegations/0199c0de-0000-7000-8000-00000000000f"),
        ("/admin/rules/{name}", "/admin/rules/form-category"),
        ("/admin/tables/{name}", "/admin/tables/systems"),
        ("/admin/documents/{document}", "/admin/documents/teams"),
    ];
    let (from, to) = known.into_iter().find(|(from, _)| path.starts_with(from)).unwrap_or_default();
    let path = path.replacen(from, to, 1);
    path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

/// The text of a piece of HTML.
fn text_of(html: &str) -> String {
    let texts = html.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text).trim());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The elements of a page whose tag has this, as texts.
fn elements(html: &str, mark: &str) -> Vec<String> {
    let element = |(at, _): (usize, &str)| {
        let begins = html[..=at].rfind('<')?;
        let name = html[begins + 1..].split([' ', '>']).next()?;
        let (_, content) = html[begins..].split_once('>')?;
        Some(text_of(content.split(&format!("</{name}>")).next()?))
    };
    html.match_indices(mark).filter_map(element).collect()
}

/// The sentences with which a page says why something was not done.
fn reasons(html: &str) -> Vec<String> {
    let mut found = elements(html, "role=\"alert\"");
    found.extend(elements(html, "class=\"problem\""));
    // The page of an error says it in its heading and below.
    if html.contains("<p class=\"over\">4") {
        found.extend(elements(html, "class=\"lead\""));
        found.extend(elements(html, "<h1"));
    }
    found.retain(|text| !text.is_empty());
    found
}

/// The words of a sentence that are English, quoted things aside.
fn english_in(text: &str) -> Vec<&str> {
    let said = text.split('`').step_by(2).flat_map(|piece| piece.split(|c: char| !c.is_alphabetic()));
    said.filter(|word| ENGLISH.contains(&word.to_lowercase().as_str())).collect()
}

/// Each form of each page, sent by those who may and those who may not with what cannot be taken: the refusal is said in the words of
/// the one who reads it.
#[test]
fn every_refusal_is_in_the_reader_s_language() {
    assert_eq!(english_in("you may not read `the` reports"), ["you", "may"]);
    assert_eq!(english_in("dazu fehlt Ihnen das Recht: Berichte lesen"), [""; 0]);
    let desk = House::lived_in(Database::Sqlite);
    let paths: Vec<String> = taking_forms().into_iter().filter(|path| !APART.contains(&path.as_str())).collect();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for person in ["amara", "kofi", "mei"] {
        let session = cookie(&desk, person);
        for language in ["de", "en-x-pseudo"] {
            let cookies = format!("{session}; ruledesk-language={language}");
            let headers = [FORM, OWN, ("cookie", cookies.as_str()), ("accept", "text/html")];
            for path in paths.iter().map(|path| filled(path)) {
                // The version that the page has, so that no other has changed it meanwhile.
                let version = if path.starts_with("/tickets/") {
                    version(&send("GET", &format!("{}/tickets/IT-35", desk.url), &headers, "").text)
                } else {
                    "1".to_owned()
                };
                let body = format!(
                    "version={version}&reason=+&why=+&body=&text=&name=&present=x&new=x&state=resolved&to=none"
                );
                let got = send("POST", &format!("{}{path}", desk.url), &headers, &body);
                // Others' latest changes stand on a page that has another version.
                if got.status < 400 || got.status == 412 || path == "/new/incident" {
                    continue;
                }
                for text in reasons(&got.text) {
                    seen += 1;
                    let plain = language != "de" && !text.contains('[');
                    if plain || !english_in(&text).is_empty() {
                        wrong.push(format!("{person} {language} {path} {}: {text}", got.status));
                    }
                }
            }
        }
        let still = send("GET", &format!("{}/mine", desk.url), &[("cookie", session.as_str())], "");
        assert_eq!(still.status, 200, "{person} is signed in to the end");
        // Scripts have their words of times from the page.
        let german = format!("{session}; ruledesk-language=de");
        let page = send("GET", &format!("{}/mine", desk.url), &[("cookie", german.as_str())], "").text;
        assert!(page.contains("|vor {0}|fällig in {0}|überfällig seit {0}|noch {0}\""), "{person}: {page}");
    }
    wrong.sort_unstable();
    assert_eq!(wrong, Vec::<String>::new());
    assert!(seen >= 100, "{seen} reasons were read");
}

/// The version in the forms of a page; one that no page has where there is none.
fn version(html: &str) -> String {
    let (_, rest) = html.split_once("name=\"version\" value=\"").unwrap_or_default();
    rest.split('"').next().filter(|version| !version.is_empty()).unwrap_or("1").to_owned()
}

/// A form with what is missing and too long in it, a draft that is opened later, and what a person may not do.
#[test]
fn problems_and_refusals_are_said_in_german_with_their_values() {
    let desk = desk();
    let amara = format!("{}; ruledesk-language=de", cookie(&desk, "amara"));
    let kofi = format!("{}; ruledesk-language=de", cookie(&desk, "kofi"));
    let get = |who: &str, path: &str| send("GET", &format!("{}{path}", desk.url), &[("cookie", who)], "").text;
    let post = |who: &str, path: &str, body: &str| {
        send("POST", &format!("{}{path}", desk.url), &[FORM, OWN, ("cookie", who)], body).text
    };
    let empty = post(&amara, "/new/incident", "subject=&body=");
    assert!(empty.contains("Bitte in einer Zeile sagen, worum es geht.") && !empty.contains("Say in one"), "{empty}");
    let missing = post(&amara, "/new/new-colleague", "subject=One+more&body=");
    assert!(missing.contains("Bitte ausfüllen: Name.") && !missing.contains("Fill in"), "{missing}");
    let few = post(&amara, "/new/incident", "subject=No+mail&body=&field.people-affected=-3");
    assert!(few.contains("People affected muss mindestens 0 sein; dies ist -3."), "{few}");
    // The words of a rule are of a language that the desk does not know, which a program that reads the page out hears of.
    let by_rule = post(&amara, "/new/hardware", "subject=A+laptop&body=&field.device=laptop");
    let said = "<span dir=\"auto\" lang=\"\">Say in a few words why you need the device.</span>";
    assert_eq!(by_rule.matches(said).count(), 2, "above the form and at the field: {by_rule}");
    assert!(by_rule.contains("<a href=\"#field.justification\">") && !empty.contains("lang=\"\""), "{by_rule}");
    // What is wrong leads to its field, on each form.
    let article = post(&kofi, "/help/new", "title=&body=&language=de");
    assert!(article.contains("<a href=\"#article-body\">Text: <span dir=\"auto\">bitte etwas schreiben"), "{article}");
    let several =
        post(&amara, "/access/several", "item=github%2Fwrite&people=nobody-here&justification=The+audit+begins");
    assert!(several.contains("<a href=\"#people\">nobody-here: <span dir=\"auto\">"), "{several}");
    // A draft that was refused by another way keeps what was wrong, and says it to its reader.
    let draft = "0199c0de-0000-7000-8000-000000000002";
    let half = json!({ "request_type": "new-colleague", "subject": "One more", "body": "", "fields": {} });
    let path = format!("/api/v1/drafts/{draft}");
    desk.as_role("amara").put(&path, &half).expect(200);
    let refused = desk.as_role("amara").post(&format!("{path}/submit"), &json!({})).expect(422);
    let message = refused["problems"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("Fill in "), "programs read English: {message}");
    let opened = get(&amara, &format!("/drafts/{draft}"));
    assert!(opened.contains("Bitte ausfüllen: Name.") && !opened.contains("Fill in"), "{opened}");
    let forbidden = get(&amara, "/reports/volume");
    assert!(forbidden.contains("dazu fehlt Ihnen das Recht: Berichte lesen"), "{forbidden}");
    let gone = get(&kofi, "/tickets/IT-999");
    assert!(gone.contains("nicht gefunden: Anliegen `IT-999`") && !gone.contains("there is no"), "{gone}");
    let long =
        post(&kofi, "/queue/views", &format!("id=0199c0de-0000-7000-8000-000000000003&name={}", "x".repeat(500)));
    assert!(long.contains("der Name hat 1 bis "), "{long}");
}
