//! An agent at the desk: by keys alone where there are keys.

use serde_json::json;

use super::{desk, set_state};
use crate::support::browser::{Browser, COMMAND, CONTROL, DOWN, ENTER, ESCAPE, SHIFT, TAB, UP};

#[test]
fn an_agent_moves_selects_opens_and_returns_by_keys() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/queue");
    let here = |kofi: &Browser| kofi.script("return document.querySelector('[data-here]')?.dataset.row || ''");
    let rows = kofi.script("return [...document.querySelectorAll('tr[data-row]')].map((row) => row.dataset.row)");
    let rows: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row.as_str().unwrap()).collect();
    assert!(rows.len() >= 4, "{rows:?}");
    let front = kofi.count(".views > a[data-count]");
    assert!((3..=5).contains(&front), "{front} lists stand in front");
    kofi.press(&["j"]);
    assert_eq!(here(&kofi), rows[0]);
    kofi.press(&["j", "j", "k"]);
    assert_eq!(here(&kofi), rows[1]);
    kofi.press(&["x"]);
    kofi.counts("tbody :checked", 1);
    kofi.press(&["x"]);
    // Five down and two up from an anchor leaves three: here two down and one up leave two.
    for key in ["J", "J", "K"] {
        kofi.press(&[&format!("{SHIFT}{key}")]);
    }
    kofi.counts("tbody :checked", 2);
    kofi.sees("[data-selected]", "2");
    kofi.press(&[ENTER]);
    kofi.wait("document.querySelector('[data-ticket]')");
    kofi.press(&[ESCAPE]);
    kofi.wait("document.querySelector('[data-queue] [data-here]')");
    assert_eq!(here(&kofi), rows[2], "one comes back to the line where one was");
    // The acts of a ticket have their keys in the list too, for the line one is at.
    kofi.go("/queue");
    kofi.press(&["j"]);
    let line = here(&kofi);
    let line = line.as_str().unwrap();
    for (key, control) in [("a", "bulk-assignee"), ("s", "bulk-to"), ("t", "bulk-tag"), ("m", "bulk-macro")] {
        kofi.press(&[key]);
        kofi.wait(&format!("document.activeElement.id === '{control}'"));
        kofi.press(&[ESCAPE]);
    }
    kofi.counts("tbody :checked", 1);
    // The key of the line is copied, with its subject at the second press: it can be pasted.
    kofi.devtools(
        "Browser.grantPermissions",
        &json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] }),
    );
    kofi.press(&["."]);
    kofi.sees("#say", line);
    kofi.press(&["/", &format!("{CONTROL}v")]);
    kofi.wait(&format!("document.querySelector('#find').value === '{line}'"));
    kofi.script("document.querySelector('#find').blur()");
    kofi.press(&["r"]);
    kofi.wait("location.hash === '#reply-body' && document.activeElement.id === 'reply-body'");
    kofi.go("/queue");
    kofi.press(&["c"]);
    kofi.is_at("/new/incident");
    kofi.press(&["g", "m"]);
    kofi.is_at("/mine");
}

/// Lines between two clicks are chosen with Shift; the key of a line is copied with its subject, and with its address.
#[test]
fn lines_are_chosen_with_shift_and_copied_with_their_address() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/queue");
    kofi.click("tr[data-row]:nth-child(1) .target");
    kofi.script(
        "const click = new MouseEvent('click', { bubbles: true, cancelable: true, shiftKey: true }); \
         document.querySelector('tr[data-row]:nth-child(3) input').dispatchEvent(click)",
    );
    kofi.counts("tbody :checked", 3);
    kofi.sees("[data-selected]", "3");
    kofi.devtools(
        "Browser.grantPermissions",
        &json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] }),
    );
    let line = kofi.script("return document.querySelector('[data-here]').dataset.row");
    let line = line.as_str().unwrap();
    let subject = kofi.text("[data-here] .c-subject");
    kofi.script("document.activeElement.blur()");
    for copied in [line.to_owned(), format!("{line} {subject}"), format!("{}/tickets/{line}", desk.url)] {
        kofi.press(&["."]);
        kofi.sees("#say", &copied);
    }
}

#[test]
fn what_the_overview_of_keys_lists_is_what_works_and_keys_can_be_switched_off() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    kofi.press(&["?"]);
    kofi.wait("document.querySelector('dialog[open]')");
    let text = kofi.text("dialog");
    for words in ["Private note", "Take it", "Take the next", "Change the state"] {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
    // A button says its key itself; keys are letters to a dialog, and to one who composes a word of several.
    kofi.wait(
        "[...document.querySelectorAll('button[data-key]')].every((button) => button.title === button.dataset.key)",
    );
    kofi.press(&["n"]);
    let composes = "new KeyboardEvent('keydown', { key: 'n', bubbles: true, isComposing: true })";
    kofi.script(&format!("document.querySelector('dialog').close(); document.body.dispatchEvent({composes})"));
    kofi.counts("dialog", 0);
    assert_eq!(kofi.script("return document.querySelector('#c-note').checked"), false);
    kofi.press(&["?"]);
    kofi.click("dialog input[type=checkbox]");
    kofi.press(&[ESCAPE, "n"]);
    assert_eq!(kofi.script("return document.querySelector('#c-note').checked"), false, "keys are off");
    kofi.click("[data-act=keys]");
    kofi.click("dialog input[type=checkbox]");
    kofi.press(&[ESCAPE, "n"]);
    assert_eq!(kofi.script("return document.activeElement.id"), "note-body");
    kofi.press(&["j", "k", "r"]);
    assert_eq!(kofi.script("return document.querySelector('#note-body').value"), "jkr", "in a field, keys are letters");
}

#[test]
fn the_palette_goes_to_a_ticket_by_its_number() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/queue");
    kofi.press(&[&format!("{CONTROL}k")]);
    kofi.wait("document.querySelector('dialog.palette[open]')");
    kofi.press(&["2", ENTER]);
    kofi.wait("location.pathname === '/tickets/IT-2'");
    // A person leads to all that they asked for; no key but these two is taken from the browser.
    kofi.press(&[&format!("{COMMAND}k")]);
    kofi.wait("document.querySelector('dialog.palette[open]')");
    // As one types on, the question before is called off, so that no older answer comes after a newer one.
    kofi.hold_back("*/find/people*");
    kofi.script(
        "window.asked = []; const ask = window.fetch; \
         window.fetch = (address, how) => { if (String(address).startsWith('/find/people')) window.asked.push(how.signal); return ask(address, how) }",
    );
    kofi.press(&["A", "m", "a", "r", "a"]);
    kofi.wait("window.asked.length === 4");
    assert_eq!(kofi.script("return window.asked.map((signal) => signal.aborted)"), json!([true, true, true, false]));
    kofi.let_go();
    let amara = "[...document.querySelectorAll('.palette li')].find((li) => li.textContent === 'Amara Okafor')";
    kofi.wait(amara);
    kofi.script(&format!("{amara}.click()"));
    kofi.is_at("/queue?state=all&requester=amara");
    for path in ["/queue", "/tickets/IT-1", "/new/incident"] {
        kofi.go(path);
        kofi.click("[data-act=keys]");
        kofi.wait("document.querySelector('dialog.keys[open]')");
        let keys = kofi.script(
            "return [...document.querySelectorAll('.keys-list dt')].map((dt) => [...dt.children].map((key) => key.innerText).join('+'))",
        );
        for key in keys.as_array().unwrap() {
            let key = key.as_str().unwrap();
            let own = ["Ctrl+K", "Ctrl+Enter", "Ctrl+Shift+Enter"].contains(&key);
            assert!(own || !key.contains("Ctrl"), "{key} at {path} is the browser's");
        }
    }
}

/// The two lists of choices that are not the browser's own go by arrows, and say to readers of screens where one is in them.
#[test]
fn lists_of_choices_are_the_browser_s_own_or_go_by_arrows() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    for path in ["/queue", "/tickets/IT-1", "/new/access"] {
        kofi.go(path);
        assert!(kofi.count("select") >= 1, "{path}");
        kofi.counts("[role=combobox], [role=listbox]:not([hidden])", 0);
    }
    kofi.go("/queue");
    kofi.press(&[&format!("{CONTROL}k")]);
    let at = |kofi: &Browser, list: &str| {
        kofi.script(&format!(
            "const field = document.activeElement, chosen = document.querySelector('{list} [aria-selected=true]'); \
             return [document.getElementById(field.getAttribute('aria-controls')).role, \
                     field.getAttribute('aria-activedescendant') === chosen.id, chosen.id]"
        ))
    };
    kofi.wait("document.activeElement.role === 'combobox' && document.activeElement.ariaExpanded === 'true'");
    for (key, place) in [(DOWN, 1), (DOWN, 2), (UP, 1)] {
        kofi.press(&[key]);
        assert_eq!(at(&kofi, ".palette"), json!(["listbox", true, format!("option-{place}")]));
    }
    assert_eq!(kofi.axe(), Vec::<String>::new());
    // The list at the caret of an answer.
    kofi.go("/tickets/IT-1");
    kofi.type_into("#reply-body", "::");
    kofi.counts(".reply-pane .picks:not([hidden]) li", 3);
    for (key, place) in [(DOWN, 1), (DOWN, 2), (UP, 1)] {
        kofi.press(&[key]);
        assert_eq!(at(&kofi, ".reply-pane .picks"), json!(["listbox", true, format!("reply-body-pick-{place}")]));
    }
    assert_eq!(kofi.axe(), Vec::<String>::new());
}

/// Nothing is done by dragging alone, and a sign-in takes what is pasted and sets no puzzle (WCAG 2.5.7, 3.3.8).
#[test]
fn nothing_needs_dragging_and_a_sign_in_takes_what_is_pasted() {
    let desk = desk();
    let mut kofi = Browser::at(&desk.url);
    let pasting = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    kofi.devtools("Browser.grantPermissions", &pasting);
    kofi.go("/sign-in");
    kofi.counts("iframe, canvas, input:not([type=hidden], [autocomplete])", 0);
    kofi.script("document.querySelector('#token').focus(); return navigator.clipboard.writeText('demo-kofi')");
    kofi.press(&[&format!("{CONTROL}v")]);
    kofi.wait("document.querySelector('#token').value === 'demo-kofi'");
    kofi.press(&[ENTER]);
    kofi.wait("document.querySelector('.menu')");
    // What takes dropped files has a field for them as well, and nothing begins with a drag.
    for path in ["/tickets/IT-1", "/new/incident"] {
        kofi.go(path);
        kofi.counts("[draggable=true]", 0);
        assert!(kofi.count("input[type=file]") >= 1, "{path}");
    }
    let scripts = [include_str!("../../host/assets/desk.js"), include_str!("../../host/assets/console.js")].concat();
    assert!(!scripts.contains("dragstart") && !scripts.contains("pointermove"));
}

/// A reply and a private note have drafts of their own, and the words on the buttons say which is which.
#[test]
fn a_private_note_cannot_be_taken_for_a_reply() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    kofi.press(&["r"]);
    kofi.press(&["F", "i", "x", "e", "d"]);
    kofi.press(&[ESCAPE, "n"]);
    assert_eq!(kofi.script("return document.querySelector('#note-body').value"), "");
    assert!(kofi.text(".note-pane button").to_lowercase().contains("private note"));
    assert!(kofi.text(".reply-pane").is_empty(), "only one of them is shown");
    kofi.type_into("#note-body", "The gateway logs error 809");
    kofi.press(&[&format!("{CONTROL}{ENTER}")]);
    kofi.wait("document.querySelector('.words.note')");
    kofi.sees(".words.note", "Private note");
    assert_eq!(kofi.script("return document.querySelector('#reply-body').value"), "Fixed", "its draft is kept");
    // With the other modifier it is sent too; with Shift the next ticket comes after it.
    kofi.press(&["r"]);
    kofi.press(&[&format!("{COMMAND}{ENTER}")]);
    kofi.sees(".notice.good", "reply");
    kofi.sees(".story", "Fixed");
    kofi.press(&["r", "O", "n", "e", " ", "m", "o", "r", "e", &format!("{CONTROL}{SHIFT}{ENTER}")]);
    kofi.wait("/done=next|none=1/.test(location.search)");
    let mut amara = Browser::of(&desk.url, "amara");
    amara.go("/tickets/IT-1");
    amara.sees(".story", "One more");
    assert!(!amara.text("main").contains("809\n") && !amara.text(".story").contains("gateway"));
}

#[test]
fn two_agents_at_one_ticket_see_each_other_s_change_and_lose_nothing() {
    let desk = desk();
    let (mut kofi, mut mei) = (Browser::of(&desk.url, "kofi"), Browser::of(&desk.url, "mei"));
    for browser in [&mut kofi, &mut mei] {
        browser.go("/tickets/IT-1");
    }
    kofi.press(&["s"]);
    kofi.choose("#to", "in_progress");
    kofi.click("details[open] button.primary");
    kofi.wait("document.querySelector('.notice.good')");
    mei.press(&["a"]);
    mei.choose("#edit-priority", "low");
    mei.type_into("#edit-reason", "It is one person only");
    mei.click("details[open] button.primary");
    mei.wait("document.querySelector('.notice.warn')");
    let notice = mei.text(".notice.warn");
    assert!(notice.contains("Kofi") && notice.contains("In progress"), "{notice}");
    let kept = mei.script(
        "return [document.querySelector('#edit-priority').value, document.querySelector('#edit-reason').value]",
    );
    assert_eq!(kept, json!(["low", "It is one person only"]));
    mei.press(&["a"]);
    mei.click("details[open] button.primary");
    mei.wait("document.querySelector('.notice.good')");
    mei.sees(".story", "It is one person only");
}

/// A draft outlives another's change, a reload, a saved field, a session that ends before it is sent, and a way to the desk that is cut off.
#[test]
fn a_draft_is_never_lost() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    let kept = |kofi: &Browser| kofi.script("return document.querySelector('#reply-body').value");
    let send = ".reply-pane [data-key='Ctrl+Enter']";
    kofi.type_into("#reply-body", "Half a thought");
    desk.as_role("amara").post("/api/v1/tickets/IT-1/comments", &json!({ "body": "Still down" })).expect(201);
    kofi.wait("!document.querySelector('[data-live-note]').hidden");
    assert_eq!(kept(&kofi), "Half a thought", "another has changed the ticket");
    kofi.go("/tickets/IT-1");
    assert_eq!(kept(&kofi), "Half a thought", "the page was loaded again");
    set_state(&mut kofi, "in_progress");
    assert_eq!(kept(&kofi), "Half a thought", "a field was saved");
    desk.advance(jiff::SignedDuration::from_hours(13));
    kofi.click(send);
    kofi.wait("location.pathname === '/sign-in'");
    kofi.sign_in("kofi");
    kofi.go("/tickets/IT-1");
    assert_eq!(kept(&kofi), "Half a thought", "the session had ended");
    kofi.devtools("Network.enable", &json!({}));
    let network =
        |offline: bool| json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    kofi.devtools("Network.emulateNetworkConditions", &network(true));
    kofi.script(&format!("document.querySelector(\"{send}\").click()"));
    kofi.sees("[data-act-failed]", "is lost");
    kofi.devtools("Network.emulateNetworkConditions", &network(false));
    kofi.go("/tickets/IT-1");
    assert_eq!(kept(&kofi), "Half a thought", "the desk was out of reach");
    kofi.click(send);
    kofi.sees(".story", "Half a thought");
    kofi.go("/tickets/IT-1");
    assert_eq!(kept(&kofi), "", "it is sent");
}

#[test]
fn several_tickets_change_at_once_and_each_says_what_became_of_it() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/queue");
    kofi.click("tr[data-row=IT-2] .target");
    kofi.click("tr[data-row=IT-3] .target");
    kofi.click("tr[data-row=IT-1] .target");
    // Meanwhile another changes one of them.
    let mei = desk.as_role("mei");
    mei.post("/api/v1/tickets/IT-3/comments", &json!({ "body": "I look at it", "internal": true })).expect(201);
    kofi.choose("#bulk-to", "in_progress");
    kofi.click("button[value=state]");
    kofi.wait("document.querySelector('[role=status].lead')");
    let text = kofi.text("main");
    assert!(text.contains("2 tickets were changed.") && text.contains("1 was not."), "{text}");
    assert!(text.contains("somebody changed it meanwhile"), "{text}");
}

#[test]
fn the_page_says_why_for_each_fact_and_what_the_other_rules_said() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/tickets/IT-1");
    kofi.click(".fact summary");
    let why = kofi.text(".fact[open]");
    assert!(why.contains("Set by the rule") && why.contains("stood"), "{why}");
    let told = desk.as_role("kofi").get("/api/v1/tickets/IT-1/explain").expect(200);
    let fields = told["fields"].as_array().unwrap();
    let priority = fields.iter().find(|story| story["field"] == "priority").unwrap();
    let reason = priority["set_by"]["reason"].as_str().unwrap();
    assert!(why.contains(reason), "{reason} is not in:\n{why}");
    for proposal in priority["proposals"].as_array().unwrap() {
        assert!(why.contains(proposal["rule"].as_str().unwrap()));
    }
}

#[test]
fn an_admin_tries_the_desk_without_a_rule_on_one_ticket() {
    let desk = desk();
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/tickets/IT-1/try");
    let rules = mei.script("return [...document.querySelectorAll('[name=without]')].map((box) => box.value)");
    assert!(rules.as_array().unwrap().len() > 3, "{rules}");
    for rule in rules.as_array().unwrap() {
        mei.click(&format!("[name=without][value='{}']", rule.as_str().unwrap()));
    }
    mei.click("form.stack button.primary");
    mei.wait("document.querySelector('#result')");
    assert!(mei.count("tr.stood") > 0, "without any rule something is otherwise: {}", mei.text("table"));
}

/// Nothing moves under the reader's hands: new lines wait behind a button, and a ticket says that it has changed.
#[test]
fn what_others_do_shows_without_a_jump() {
    let desk = desk();
    let (mut kofi, mut mei) = (Browser::of(&desk.url, "kofi"), Browser::of(&desk.url, "mei"));
    kofi.go("/queue");
    mei.go("/tickets/IT-1");
    kofi.press(&["j"]);
    let line = kofi.script("return document.querySelector('[data-here]').dataset.row");
    let rows = kofi.count("tr[data-row]");
    let body =
        json!({ "request_type": "question", "subject": "One more", "body": "Please.", "fields": { "topic": "other" } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    kofi.wait("!document.querySelector('[data-fresh]').hidden");
    kofi.sees("[data-fresh]", "1 new");
    kofi.sees("#say", "1 new");
    kofi.counts("tr[data-row]", rows);
    let here =
        "return [document.activeElement.closest('tr').dataset.row, document.querySelector('[data-here]').dataset.row]";
    assert_eq!(kofi.script(here), json!([line, line]), "the focus stays on its line");
    // Many at once are not as many requests: a tab asks at most once a second.
    for _ in 0..100 {
        desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    }
    // The page is full of them: 50, and those that were there before.
    kofi.wait("Number.parseInt(document.querySelector('[data-fresh]').textContent, 10) >= 44");
    let asked = kofi.script(
        "const asked = performance.getEntriesByType('resource').filter((e) => new URL(e.name).pathname === '/queue'); \
         return [asked.length, Math.ceil(performance.now() / 1000) + 1]",
    );
    assert!(asked[0].as_u64() <= asked[1].as_u64(), "{asked}");
    desk.as_role("amara").post("/api/v1/tickets/IT-1/comments", &json!({ "body": "Still down" })).expect(201);
    mei.wait("!document.querySelector('[data-live-note]').hidden");
    mei.sees("[data-live-note]", "Amara Okafor: wrote on the ticket");
    assert!(!mei.text(".story").contains("Still down"), "and nothing is swapped under the reader's hands");
    assert_eq!(mei.moved(), Vec::<String>::new());
}

/// Everything is reached by Tab alone; what has the focus shows it, and stands under nothing.
#[test]
fn by_tab_alone_the_focus_is_seen_everywhere() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.size(1280, 600);
    for path in ["/queue", "/tickets/IT-1", "/new/incident"] {
        kofi.go(path);
        let mut seen = 0;
        for _ in 0..45 {
            kofi.press(&[TAB]);
            let at = kofi.script(
                "const e = document.activeElement; if (e === document.body) return ['body', true, true]; \
                 const box = e.getBoundingClientRect(), label = e.labels?.[0]; \
                 const x = box.left + Math.min(box.width / 2, 8), y = box.top + Math.min(box.height / 2, 8); \
                 const top = document.elementFromPoint(x, y), style = getComputedStyle(e); \
                 const free = top !== null && (e.contains(top) || top.contains(e) || label?.contains(top)); \
                 return [e.outerHTML.slice(0, 90), free, style.outlineStyle !== 'none']",
            );
            if at[0] == "body" {
                break;
            }
            seen += 1;
            assert_eq!((&at[1], &at[2]), (&json!(true), &json!(true)), "{path}: {}", at[0]);
        }
        assert!(seen >= 20, "{path}: {seen} places");
    }
}

/// A list is kept under a name, put in front, shared, and sorted by its headings; the order stands in the address.
#[test]
fn a_list_is_kept_put_in_front_shared_and_sorted() {
    let desk = desk();
    let mut kofi = Browser::of(&desk.url, "kofi");
    kofi.go("/queue?requester=amara");
    kofi.click(".keep-view summary");
    kofi.click(".keep-view button");
    kofi.sees(".notice.bad", "1 to 100 characters");
    kofi.type_into("#keep-name", "What Amara asked for");
    kofi.choose("#keep-audience", "staff");
    kofi.click(".keep-view button");
    kofi.sees(".notice.good", "kept");
    kofi.sees("h1", "What Amara asked for");
    kofi.counts(".views > a[aria-current=page]", 1);
    kofi.sees(".views > a[aria-current=page] .count", "6");
    // By each heading that has an order, which stays over a reload.
    let keys = |kofi: &Browser| {
        let rows = kofi.script("return [...document.querySelectorAll('tr[data-row]')].map((row) => row.dataset.row)");
        rows.as_array().unwrap().iter().map(|row| row.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let by_priority = keys(&kofi);
    kofi.click(".order summary");
    kofi.click(".order a[href*='sort=changed']");
    kofi.wait("document.querySelector('th[aria-sort]')?.matches('.c-changed')");
    kofi.wait("document.querySelector('th.c-changed').checkVisibility()");
    kofi.click("th:nth-child(3) a");
    kofi.wait("document.querySelector('th:nth-child(3)').ariaSort === 'ascending'");
    kofi.go(&kofi.path());
    let by_key = keys(&kofi);
    assert!(by_key.is_sorted() && by_key.len() == by_priority.len(), "{by_key:?}");
    kofi.click("th:nth-child(8) + th a");
    kofi.wait("location.search.includes('sort=due')");
    kofi.counts("tr[data-row]", by_priority.len() as u64);
    // Another agent has it, behind the others until they put it in front.
    let mut mei = Browser::of(&desk.url, "mei");
    mei.go("/queue");
    mei.press(&["v"]);
    mei.sees(".more-views", "What Amara asked for");
    mei.click(".more-views a:last-child");
    mei.sees("h1", "What Amara asked for");
    mei.click(".this-view summary");
    mei.click("button[value=star]");
    mei.counts(".views > a[aria-current=page]", 1);
    // Its owner gives it another name, and takes it away.
    kofi.click(".this-view summary");
    kofi.script("document.querySelector('#view-name').value = ''");
    kofi.type_into("#view-name", "Amara");
    kofi.click("button[value=change]");
    kofi.sees("h1", "Amara");
    kofi.click(".this-view summary");
    kofi.click("button[value=remove]");
    kofi.is_at("/queue?done=removed");
    mei.go("/queue");
    mei.counts(".views > a[data-count]", 2);
}
