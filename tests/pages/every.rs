//! Rules for every page: accessible at both widths and in both schemes, nothing wider than the screen, no complaint of the
//! browser, and every word in the reader's language.

use crate::pages::{desk, desk_with_a_table};
use crate::support::browser::Browser;
use crate::support::components::scratch;
use crate::support::house::House;
use crate::support::place::Database;

/// Each page and a person who looks at it.
const PAGES: [(&str, &str, &str); 48] = [
    ("start", "amara", "/"),
    ("form", "amara", "/new/incident"),
    ("form-access", "amara", "/new/access?field.app=github&field.tier=write"),
    ("mine", "amara", "/mine"),
    ("ticket-plain", "amara", "/tickets/IT-40"),
    ("access", "amara", "/access"),
    ("account", "amara", "/account"),
    ("find", "amara", "/find?q=calendar"),
    ("missing", "amara", "/tickets/IT-999"),
    ("help", "amara", "/help"),
    ("article", "amara", "/help/KB-1"),
    ("queue", "kofi", "/queue"),
    ("ticket", "kofi", "/tickets/IT-35"),
    ("ticket-access", "kofi", "/tickets/IT-39"),
    ("record", "kofi", "/tickets/IT-35/record"),
    ("article-edit", "kofi", "/help/KB-6/edit"),
    ("report-volume", "kofi", "/reports/volume"),
    ("report-backlog", "kofi", "/reports/backlog?by=team"),
    ("report-promises", "kofi", "/reports/sla-attainment?by=priority"),
    ("wall", "kofi", "/reports/wall"),
    ("approvals", "lena", "/approvals"),
    ("approval", "lena", "/approvals/IT-39"),
    ("try", "mei", "/tickets/IT-35/try"),
    ("queue-filtered", "mei", "/queue?priority=critical"),
    ("rules", "mei", "/admin/rules"),
    ("rule", "mei", "/admin/rules/form-category"),
    ("upload", "mei", "/admin/upload"),
    ("records", "mei", "/admin/records"),
    ("tables", "mei", "/admin/tables"),
    ("table", "mei", "/admin/tables/systems"),
    ("editor", "mei", "/admin/decision-table/decision-table"),
    ("who", "mei", "/access/who"),
    ("audit", "mei", "/admin/audit"),
    ("audit-access", "mei", "/admin/audit?of=access"),
    ("document", "mei", "/admin/documents/request-types"),
    ("jobs", "mei", "/admin/jobs"),
    ("schedules", "mei", "/admin/schedules"),
    ("webhooks", "mei", "/admin/webhooks"),
    ("tokens", "mei", "/admin/tokens"),
    ("sessions", "mei", "/admin/sessions"),
    ("messages", "mei", "/admin/messages?kind=resolved&ticket=IT-35"),
    ("config-forms", "mei", "/admin/configuration/request-types"),
    ("config-people", "mei", "/admin/configuration/people"),
    ("config-calendar", "mei", "/admin/configuration/calendar"),
    ("config-priorities", "mei", "/admin/configuration/priorities"),
    ("config-promises", "mei", "/admin/configuration/promises"),
    ("config-apps", "mei", "/admin/configuration/apps"),
    ("config-macros", "mei", "/admin/configuration/macros"),
];

/// Pages of lists and forms alone, of which one look for each width and scheme is enough.
const PLAIN: [&str; 11] = [
    "/admin/audit",
    "/admin/configuration",
    "/admin/documents",
    "/admin/jobs",
    "/admin/schedules",
    "/admin/webhooks",
    "/admin/tokens",
    "/admin/sessions",
    "/reports/sla",
    "/reports/backlog",
    "/reports/wall",
];

#[test]
fn every_page_is_accessible_at_both_widths_and_in_both_schemes() {
    let desk = House::lived_in(Database::Sqlite);
    let pictures = scratch().join("pictures");
    std::fs::create_dir_all(&pictures).unwrap();
    let (mut broken, mut moved) = (Vec::new(), Vec::new());
    let mut look = |browser: &Browser, name: &str, width: u32, dark: bool| {
        browser.dark(dark);
        browser.size(width, 900);
        let scheme = if dark { "dark" } else { "light" };
        let wide = browser.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        if wide.as_i64().unwrap() > 0 {
            broken.push(format!("{name} at {width}: {wide} pixels wider than the screen"));
        }
        broken.extend(browser.axe().into_iter().map(|rule| format!("{name} at {width}, {scheme}: {rule}")));
        browser.whole_picture(width, &pictures.join(format!("{name}-{width}-{scheme}.png")));
    };
    let mut anybody = Browser::at(&desk.url);
    anybody.go("/sign-in");
    for (width, dark) in [(1280, false), (320, true)] {
        look(&anybody, "sign-in", width, dark);
    }
    for person in ["amara", "kofi", "lena", "mei"] {
        let mut browser = Browser::of(&desk.url, person);
        for (name, _, path) in PAGES.iter().filter(|(_, who, _)| *who == person) {
            // The picture before was taken at another size.
            browser.size(1280, 900);
            browser.go(path);
            moved.extend(browser.moved());
            let looks: &[(u32, bool)] = match PLAIN.iter().any(|beginning| path.starts_with(beginning)) {
                true => &[(1280, false), (320, true)],
                false => &[(1280, false), (1280, true), (320, false), (320, true)],
            };
            for (width, dark) in looks {
                look(&browser, name, *width, *dark);
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    assert_eq!(moved, Vec::<String>::new(), "from its first picture on, nothing moves on a page");
}

/// A text that stands on a page without the marks of the pseudo-language was not written for translation: names of the
/// organisation, words of people and rules, keys and times aside, all texts have them.
#[test]
fn every_word_of_the_frame_is_in_the_reader_s_language() {
    const OF_AGENTS: [&str; 12] = [
        "/",
        "/mine",
        "/access",
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
    const OF_ADMINS: [&str; 12] = [
        "/admin/tokens",
        "/admin/schedules",
        "/admin/sessions",
        "/admin/messages",
        "/admin/jobs",
        "/admin/webhooks",
        "/admin/audit",
        "/admin/upload",
        "/admin/tables",
        "/admin/documents/teams",
        "/admin/configuration/people",
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

/// `make pictures` takes them.
#[test]
#[ignore = "makes files, and holds nothing"]
fn pictures_for_the_readme() {
    let desk = House::lived_in(Database::Sqlite);
    let folder = scratch().join("pictures/readme");
    std::fs::create_dir_all(&folder).unwrap();
    let shown = [
        ("start", "amara", "/", 1100, ""),
        (
            "problems",
            "amara",
            "/new/hardware",
            760,
            "document.querySelector('#subject').value = 'A laptop for the new project'; document.querySelector('[value=laptop]').selected = true; document.querySelector('form.stack').requestSubmit()",
        ),
        ("queue", "kofi", "/queue", 1280, ""),
        ("ticket", "kofi", "/tickets/IT-35", 1280, "document.querySelector('.fact').open = true"),
        (
            "outage",
            "kofi",
            "/queue?category=network.vpn",
            1280,
            "document.querySelectorAll('tbody input').forEach((box) => { box.checked = true })",
        ),
        ("approval", "lena", "/approvals/IT-39", 400, ""),
        ("who", "mei", "/access/who?app=workday", 1280, ""),
        (
            "story",
            "mei",
            "/access/who?app=workday",
            900,
            "[...document.querySelectorAll('tbody tr')].find((row) => row.innerText.includes('Sofia')).querySelector('a').click()",
        ),
        ("report", "mei", "/reports/volume", 1280, ""),
        ("editor", "mei", "/admin/decision-table/decision-table", 1440, ""),
    ];
    let with_a_table = desk_with_a_table();
    for (name, person, path, width, act) in shown {
        let url = if name == "editor" { &with_a_table.url } else { &desk.url };
        let mut browser = Browser::of(url, person);
        browser.dark(name == "approval");
        browser.go(path);
        browser.script(act);
        match name {
            "story" => browser.wait("document.querySelector('ol.story')"),
            "problems" => browser.wait("document.querySelector('#problems')"),
            "editor" => {
                browser.click("button[value=add-row]");
                browser.wait("document.querySelector('[aria-label=\"then.team, 3\"]')");
                super::admin::add_a_row(&browser);
                browser.wait("document.querySelector('#beside li a')");
            }
            _ => {}
        }
        browser.size(width, 900);
        browser.whole_picture(width, &folder.join(format!("{name}.png")));
    }
}
