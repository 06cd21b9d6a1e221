//! Mail that comes in: what becomes of it, once and for each who may see it, however often and from whichever program it comes.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::client::Client;
use crate::support::components::{PROGRAM, example_rules};
use crate::support::house::House;
use crate::support::peers::smtp::Relay;
use crate::support::place::{Database, Place, on_both};

const MAIL_IN: &str = "\n[mail-in]\nrequest-type = \"question\"\n";
const RAW: &str = "message/rfc822";

fn desk(database: Database, relay: &Relay) -> House {
    House::with_settings(database, example_rules(), |text| text + &relay.settings() + MAIL_IN)
}

/// A mail with these further lines in its head.
fn mail(from: &str, id: &str, head: &str, words: &str) -> String {
    let text = format!(
        "From: {from}@meridian.example\nTo: desk@meridian.example\nMessage-ID: <{id}@mail.example>\n\
         Date: Mon, 30 Nov 2026 09:00:00 +0000\n{head}\n{words}\n"
    );
    text.replace('\n', "\r\n")
}

fn new(from: &str, id: &str) -> String {
    mail(from, id, "Subject: The printer\n", "The printer on floor 3 prints nothing.")
}

fn hand_over(system: &Client, mail: &str) -> (u16, Value) {
    let answer = system.send_file("/api/v1/mail", RAW, mail.as_bytes());
    (answer.status, answer.json())
}

/// The key of the ticket where a mail went that was taken in this way.
fn went(system: &Client, mail: &str, outcome: &str) -> String {
    let (status, answer) = hand_over(system, mail);
    assert_eq!(answer["outcome"], outcome, "{status}: {answer}");
    answer["ticket"].as_str().unwrap().to_owned()
}

/// The words on a ticket, as one sees them.
fn comments(client: &Client, key: &str) -> Vec<(String, String)> {
    let entries = client.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
    let comments = entries.as_array().unwrap().iter().filter(|entry| entry["details"]["body"].is_string());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    comments.map(|entry| (text(&entry["visibility"]), text(&entry["details"]["body"]))).collect()
}

/// The id of the last letter to a person, and that of its thread.
fn letter_to(desk: &House, relay: &Relay, person: &str) -> (String, String) {
    desk.do_what_is_due();
    let taken = relay.taken();
    let letter = taken.iter().rev().find(|taken| taken.to == format!("{person}@meridian.example"));
    let letter = letter.unwrap_or_else(|| panic!("no letter to {person}: {taken:?}"));
    (letter.header("Message-ID"), letter.header("References"))
}

#[test]
fn a_mail_is_a_ticket_and_answers_to_letters_are_words_on_it_of_those_who_may_speak_there() {
    on_both(|database| {
        let relay = Relay::start();
        let desk = desk(database, &relay);
        let (system, kofi, amara) = (desk.with_roles("mei", "mail"), desk.as_role("kofi"), desk.as_role("amara"));
        let key = went(&system, &new("amara", "1"), "opened");
        let ticket = amara.get(&format!("/api/v1/tickets/{key}")).expect(200);
        assert_eq!((&ticket["channel"], &ticket["requester"]), (&"mail".into(), &"amara".into()), "{ticket}");
        assert_eq!(ticket["subject"], "The printer");

        let (letter, thread) = letter_to(&desk, &relay, "amara");
        let quoted =
            "It is the left one.\n\nOn Mon, Nov 30, 2026 at 9:00 AM IT <desk@meridian.example> wrote:\n> which?";
        let head = format!("Subject: Re: The printer\nIn-Reply-To: {letter}\nReferences: {thread} {letter}\n");
        assert_eq!(went(&system, &mail("amara", "2", &head, quoted), "said"), key);
        // Programs that drop the nearest id, and those that drop both and keep the subject.
        let head = format!("Subject: Re: The printer\nReferences: {thread}\n");
        assert_eq!(went(&system, &mail("kofi", "3", &head, "It has paper now."), "said"), key);
        let head = format!("Subject: AW: [{key}] The printer\n");
        assert_eq!(went(&system, &mail("amara", "4", &head, "It prints, and in colour."), "said"), key);
        // An answer to a mail of one's own.
        let head = "Subject: Re: The printer\nIn-Reply-To: <1@mail.example>\n";
        assert_eq!(went(&system, &mail("amara", "5", head, "And on both sides."), "said"), key);
        let said: Vec<String> =
            comments(&amara, &key).into_iter().map(|(visibility, body)| visibility + ": " + &body).collect();
        let wanted = ["It is the left one.", "It has paper now.", "It prints, and in colour.", "And on both sides."];
        assert_eq!(said, wanted.map(|words| format!("public: {words}")));

        // Another person knows the thread, and hears nothing of it.
        let head = format!("Subject: [{key}] The printer\nIn-Reply-To: {letter}\n");
        let other = went(&system, &mail("jonas", "6", &head, "What is this about?"), "opened");
        assert_ne!(other, key);
        assert_eq!(desk.as_role("lena").get(&format!("/api/v1/tickets/{key}")).status, 404);
        assert_eq!(comments(&kofi, &key).len(), 4);
        assert_eq!(comments(&kofi, &other).len(), 0);
        // A token that the desk did not make names nothing.
        let forged = letter.replace('@', "0@");
        let head = format!("Subject: The printer\nIn-Reply-To: {forged}\n");
        assert_ne!(went(&system, &mail("amara", "7", &head, "Is it here?"), "opened"), key);
        desk.do_what_is_due();
    });
}

/// A mail with this many small files.
fn with_files(from: &str, id: &str, count: usize) -> String {
    let files =
        "--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nnotes\n".repeat(count);
    let body = format!("--b\n\nThe printer on floor 3 prints nothing.\n{files}--b--");
    mail(from, id, "Subject: The printer\nContent-Type: multipart/mixed; boundary=b\n", &body)
}

#[test]
fn a_mail_as_it_came_is_for_those_who_work_on_tickets_and_its_files_are_for_all_who_read_it() {
    on_both(|database| {
        let relay = Relay::start();
        let desk = desk(database, &relay);
        let (system, kofi, amara) = (desk.with_roles("mei", "mail"), desk.as_role("kofi"), desk.as_role("amara"));
        let key = went(&system, &with_files("amara", "1", 1), "opened");
        let (_, thread) = letter_to(&desk, &relay, "amara");
        // A program of which the desk does not know how it quotes: what stands below is an agent's to show, or not.
        let head = format!("Subject: Re: x\nReferences: {thread}\n");
        assert_eq!(went(&system, &mail("kofi", "2", &head, "It has paper now."), "said"), key);
        let files = |client: &Client| client.get(&format!("/api/v1/tickets/{key}/attachments")).expect(200);
        let shown = |client: &Client| -> Vec<(String, bool)> {
            let text = |file: &Value| (file["name"].as_str().unwrap().to_owned(), file["internal"].as_bool().unwrap());
            files(client).as_array().unwrap().iter().map(text).collect()
        };
        assert_eq!(shown(&amara), [("a.txt".to_owned(), false)]);
        let mut all = shown(&kofi);
        all.sort();
        let original = ("mail.eml".to_owned(), true);
        assert_eq!(all, [("a.txt".to_owned(), false), original.clone(), original]);
        let of_kofi = files(&kofi).as_array().unwrap().clone();
        let originals = of_kofi.iter().filter(|file| file["internal"] == true);
        for file in originals {
            assert_eq!(file["media_type"], RAW);
            let content = format!("/api/v1/attachments/{}/content", file["id"].as_str().unwrap());
            assert_eq!((kofi.get_bytes(&content).0, amara.get_bytes(&content).0), (200, 404), "{file}");
        }
        for path in ["", "/timeline"] {
            let seen = amara.get(&format!("/api/v1/tickets/{key}{path}"));
            assert!(seen.status == 200 && !seen.text.contains("mail.eml"), "{}", seen.text);
        }
        desk.do_what_is_due();
    });
}

/// Mails are kept for those who work on tickets: they take no place from their author's files, and end no correspondence.
#[test]
fn one_who_has_written_much_by_mail_is_heard_all_the_same() {
    let relay = Relay::start();
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| {
        text + &relay.settings() + MAIL_IN + "\n[attachments]\nmib-max = 1\nmib-per-person = 1\n"
    });
    let (system, kofi, amara) = (desk.with_roles("mei", "mail"), desk.as_role("kofi"), desk.as_role("amara"));
    let padding = format!("X-Padding: {}\r\n", "x".repeat(20 << 10)).repeat(10);
    let padded = |id: &str| format!("{padding}{}", new("amara", id));
    let originals = |key: &str| {
        let files = kofi.get(&format!("/api/v1/tickets/{key}/attachments")).expect(200);
        files.as_array().unwrap().len()
    };
    // Refused, it comes again and again, and is kept once.
    let refused = format!("{padding}{}", mail("amara", "refused", "Subject: x\n", "Hi"));
    for _ in 0..6 {
        assert_eq!(hand_over(&system, &refused).1["outcome"], "kept");
    }
    let keys: Vec<String> = (0..6).map(|n| went(&system, &padded(&n.to_string()), "opened")).collect();
    let kept: Vec<usize> = keys.iter().map(|key| originals(key)).collect();
    assert_eq!(kept, [1, 1, 1, 1, 0, 0]);
    let file = vec![b'x'; 900 << 10];
    assert_eq!(amara.send_file("/api/v1/attachments?name=a.txt", "text/plain", &file).status, 201);
    desk.do_what_is_due();
}

#[test]
fn what_is_refused_is_a_draft_of_its_author_who_hears_of_it_once() {
    on_both(|database| {
        let relay = Relay::start();
        let desk = desk(database, &relay);
        let (system, amara) = (desk.with_roles("mei", "mail"), desk.as_role("amara"));
        let drafts = || amara.get("/api/v1/drafts").expect(200);
        for _ in 0..2 {
            let (status, answer) =
                hand_over(&system, &mail("amara", "4", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n", "Hi"));
            assert_eq!((status, &answer["outcome"]), (200, &"kept".into()), "{answer}");
            desk.do_what_is_due();
        }
        let kept = drafts().to_string();
        assert_eq!(kept.matches("\"Hi\"").count(), 1, "{kept}");
        let letters = || relay.taken().into_iter().filter(|taken| taken.to == "amara@meridian.example").count();
        assert_eq!(letters(), 1, "{:?}", relay.taken());
        // Files that are too many are not lost either: the mail has them.
        let (status, answer) = hand_over(&system, &with_files("amara", "5", 60));
        assert_eq!((status, &answer["outcome"]), (200, &"kept".into()), "{answer}");
        desk.do_what_is_due();
        assert_eq!(letters(), 2);
        assert!(relay.taken().iter().all(|taken| !taken.header("X-RuleDesk-Loop").is_empty()), "{:?}", relay.taken());
        // A machine that answers such a letter is no person.
        let (letter, _) = letter_to(&desk, &relay, "amara");
        let head = format!("Subject: Away\nAuto-Submitted: auto-replied\nIn-Reply-To: {letter}\n");
        assert_eq!(hand_over(&system, &mail("amara", "6", &head, "I am away.")).1["outcome"], "ignored");
        // Words that answer it are a mail as any.
        let head = format!("Subject: Re: x\nIn-Reply-To: {letter}\n");
        went(&system, &mail("amara", "7", &head, "The printer on floor 3 prints nothing."), "opened");
        desk.do_what_is_due();
    });
}

#[test]
fn a_mail_that_says_all_in_its_subject_and_one_that_is_sent_on_lose_no_words() {
    let relay = Relay::start();
    let desk = desk(Database::Sqlite, &relay);
    let (system, kofi) = (desk.with_roles("mei", "mail"), desk.as_role("kofi"));
    let head = "Subject: The printer on floor 3 prints nothing\nContent-Type: image/png; name=error.png\n\
                Content-Transfer-Encoding: base64\n";
    let key = went(&system, &mail("amara", "1", head, "iVBORw0KGgo="), "opened");
    let ticket = kofi.get(&format!("/api/v1/tickets/{key}")).expect(200);
    assert_eq!(ticket["body"], "The printer on floor 3 prints nothing", "{ticket}");

    let head = format!("Subject: WG: [{key}] The printer\n");
    let words = "See below.\n\n-----Original Message-----\nFrom: parts\n\nThe part comes on Friday.";
    went(&system, &mail("amara", "2", &head, words), "said");
    // An agent may send on what only agents may read.
    went(&system, &mail("kofi", "3", &head, words), "said");
    // Outlook marks no line of a quote, so that nothing tells the answers in it from the questions.
    let head = format!("Subject: AW: [{key}] The printer\n");
    let between = "My answers are inline.\n\nFrom: IT <desk@meridian.example>\nSent: Monday\nTo: Amara\nSubject: x\n\n\
                   Which one? The left.";
    went(&system, &mail("amara", "4", &head, between), "said");
    let said = comments(&kofi, &key);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[2].1.ends_with("Which one? The left."), "{said:?}");
    assert!(said[0].1.ends_with("The part comes on Friday."), "{said:?}");
    assert_eq!(said[1].1, "See below.");
    desk.do_what_is_due();
}

#[test]
fn a_desk_that_sends_no_mail_leaves_it_to_the_mail_system_to_say_why() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text + MAIL_IN);
    let system = desk.with_roles("mei", "mail");
    for _ in 0..2 {
        let (status, answer) = hand_over(&system, &mail("amara", "4", "Subject: x\n", "Hi"));
        assert_eq!((status, &answer["problems"][0]["field"]), (422, &"body".into()), "{answer}");
        assert!(answer["problems"].to_string().contains("/drafts/"), "it says where the mail is: {answer}");
    }
    let kept = desk.as_role("amara").get("/api/v1/drafts").expect(200).to_string();
    assert_eq!(kept.matches("\"Hi\"").count(), 1, "{kept}");
}

#[test]
fn a_mail_is_taken_once_and_another_persons_with_the_same_id_is_another() {
    on_both(|database| {
        let relay = Relay::start();
        let desk = desk(database, &relay);
        let system = desk.with_roles("mei", "mail");
        let key = went(&system, &new("amara", "1"), "opened");
        assert_eq!(went(&system, &format!("Received: from elsewhere\r\n{}", new("amara", "1")), "repeated"), key);
        let other = went(&system, &new("jonas", "1"), "opened");
        assert_ne!(other, key);
        assert_eq!(went(&system, &new("jonas", "1"), "repeated"), other);
        let without = new("amara", "x").replace("Message-ID: <x@mail.example>\r\n", "");
        let third = went(&system, &without, "opened");
        assert_eq!(went(&system, &without, "repeated"), third);
        // A program that has one id for all of its mails writes them at other times.
        let at_ten = new("amara", "1").replace("09:00:00", "10:00:00");
        let later = went(&system, &at_ten, "opened");
        assert!(![&key, &other, &third].contains(&&later));
        assert_eq!(went(&system, &at_ten, "repeated"), later);
        // A week later as well, when the keys of clients are forgotten.
        desk.advance(jiff::SignedDuration::from_hours(24 * 30));
        assert_eq!(went(&system, &new("amara", "1"), "repeated"), key);
    });
}

/// A mail to two addresses of the desk comes twice, and both at one moment; on PostgreSQL each to another host.
#[test]
fn a_mail_that_comes_several_times_at_one_moment_is_taken_once() {
    on_both(|database| {
        let relay = Relay::start();
        let desk = desk(database, &relay);
        let beside = (database == Database::Postgres).then(|| desk.beside());
        let (system, kofi) = (desk.with_roles("mei", "mail"), desk.as_role("kofi"));
        let there = beside.as_ref().map_or_else(|| system.clone(), |other| system.at(&other.url));
        let at_once = |mail: &str, outcome: &str| -> String {
            let taken: Vec<(u16, Value)> = std::thread::scope(|scope| {
                let running = [&system, &there, &system, &there].map(|to| scope.spawn(move || hand_over(to, mail)));
                running.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let first: Vec<_> = taken.iter().filter(|(_, answer)| answer["outcome"] == outcome).collect();
            assert_eq!(first.len(), 1, "{taken:?}");
            // A host may be too busy with the same mail; the mail system tries it again then.
            let others = taken.iter().filter(|(status, answer)| answer["outcome"] == "repeated" || *status == 503);
            assert_eq!(others.count(), 3, "{taken:?}");
            first[0].1["ticket"].as_str().unwrap().to_owned()
        };
        for n in 0..3 {
            let key = at_once(&new("amara", &format!("{n}-new")), "opened");
            let head = format!("Subject: Re: x\nIn-Reply-To: <{n}-new@mail.example>\n");
            assert_eq!(at_once(&mail("amara", &format!("{n}-more"), &head, "It is the left one."), "said"), key);
            assert_eq!(comments(&kofi, &key).len(), 1);
            let files = kofi.get(&format!("/api/v1/tickets/{key}/attachments")).expect(200);
            assert_eq!(files.as_array().unwrap().len(), 2, "each mail as it came, once: {files}");
        }
        assert_eq!(kofi.get("/api/v1/tickets").expect(200)["tickets"].as_array().unwrap().len(), 3);
        desk.do_what_is_due();
    });
}

#[test]
fn an_agents_answer_to_what_may_be_private_is_private() {
    let relay = Relay::start();
    let desk = desk(Database::Sqlite, &relay);
    let (system, kofi) = (desk.with_roles("mei", "mail"), desk.as_role("kofi"));
    let key = went(&system, &new("amara", "1"), "opened");
    let note = serde_json::json!({ "body": "@kofi, is her contract over?", "internal": true });
    desk.as_role("mei").post(&format!("/api/v1/tickets/{key}/comments"), &note).expect(201);
    let (letter, _) = letter_to(&desk, &relay, "kofi");
    let head = format!("Subject: Re: x\nIn-Reply-To: {letter}\n");
    assert_eq!(went(&system, &mail("kofi", "2", &head, "Yes, since Friday."), "said"), key);
    assert_eq!(comments(&kofi, &key).last().unwrap().0, "internal");
    assert!(comments(&desk.as_role("amara"), &key).is_empty());
}

#[test]
fn what_no_person_wrote_is_left_alone_and_who_is_unknown_is_refused() {
    on_both(|database| {
        let relay = Relay::start();
        let desk = desk(database, &relay);
        let (system, kofi) = (desk.with_roles("mei", "mail"), desk.as_role("kofi"));
        for head in [
            "Auto-Submitted: auto-replied\n",
            "List-Id: <all.example>\n",
            "X-RuleDesk-Loop: a@b.example\n",
            "Return-Path: <>\n",
        ] {
            let (status, answer) = hand_over(&system, &mail("amara", "1", head, "I am away."));
            assert_eq!((status, &answer["outcome"]), (200, &"ignored".into()), "{head}: {answer}");
        }
        assert_eq!(hand_over(&system, &new("desk", "2")).1["outcome"], "ignored", "its own address");
        let (status, answer) = hand_over(&system, &new("nn", "3"));
        assert_eq!((status, &answer["problems"][0]["field"]), (422, &"from".into()), "{answer}");
        desk.do_what_is_due();
        assert!(relay.taken().is_empty(), "neither is written to: {:?}", relay.taken());
        assert_eq!(hand_over(&system, "").0, 422, "nothing is no mail");
        assert_eq!(kofi.get("/api/v1/tickets").expect(200)["tickets"].as_array().unwrap().len(), 0);
        // Only a mail system hands mail over, and it does nothing else.
        for person in ["amara", "kofi", "mei"] {
            assert_eq!(hand_over(&desk.as_role(person), &new("amara", "5")).0, 403, "{person}");
        }
        assert_eq!(system.get("/api/v1/tickets").status, 403);
        assert_eq!(system.send_file("/api/v1/mail", RAW, &vec![b'x'; 26 << 20]).status, 413);
    });
}

#[test]
fn a_letter_that_came_back_says_so_and_a_sender_has_so_many_mails_an_hour() {
    on_both(|database| {
        let relay = Relay::start();
        let desk = House::with_settings(database, example_rules(), |text| {
            text + &relay.settings() + MAIL_IN + "mails-per-hour = 3\nauthserv-id = \"mx.example\"\n"
        });
        let system = desk.with_roles("mei", "mail");
        let vouched = |id: &str| {
            format!(
                "Authentication-Results: mx.example; dmarc=pass header.from=meridian.example\r\n{}",
                new("amara", id)
            )
        };
        assert_eq!(hand_over(&system, &new("amara", "0")).0, 422, "not vouched for");
        let key = went(&system, &vouched("1"), "opened");
        let (letter, _) = letter_to(&desk, &relay, "amara");
        let report = format!(
            "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=r\n\n--r\n\nSorry.\n--r\n\
             Content-Type: message/delivery-status\n\nAction: failed\nStatus: 5.1.1\n--r\nContent-Type: message/rfc822\n\n\
             Message-ID: {letter}\n\nx\n--r--\n"
        );
        assert_eq!(hand_over(&system, &report).1["outcome"], "came-back");
        let messages = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/messages")).expect(200);
        let receipts: Vec<&str> =
            messages.as_array().unwrap().iter().filter_map(|one| one["receipt"].as_str()).collect();
        assert!(receipts.contains(&"came back: Action: failed, Status: 5.1.1"), "{messages}");
        let other = report.replace(letter.split('@').next().unwrap(), "<m.01900000-0000-7000-8000-000000000001.00");
        assert_eq!(hand_over(&system, &other).1["outcome"], "ignored", "no letter of this desk");

        went(&system, &vouched("2"), "opened");
        went(&system, &vouched("3"), "opened");
        let answer = system.send_file("/api/v1/mail", RAW, vouched("4").as_bytes());
        assert_eq!((answer.status, answer.retry_after.is_some()), (429, true), "{}", answer.text);
        assert_eq!(went(&system, &vouched("1"), "repeated"), key, "which costs nothing");
        desk.advance(jiff::SignedDuration::from_hours(1));
        went(&system, &vouched("4"), "opened");
        desk.do_what_is_due();
    });
}

/// The status of the command that mail systems start, and its words.
fn delivered(arguments: &[&str], mail: &str) -> (Option<i32>, String) {
    let mut command = Command::new(PROGRAM);
    command.args(["mail", "deliver"]).args(arguments).env_remove("RULEDESK_URL").env_remove("RULEDESK_TOKEN");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that ends at once reads nothing.
    let _ = child.stdin.take().unwrap().write_all(mail.as_bytes());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_command_for_pipes_ends_as_mail_systems_understand_it() {
    let relay = Relay::start();
    let desk = desk(Database::Sqlite, &relay);
    let token = desk.with_roles("mei", "mail").token.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let at = ["--url", &desk.url, "--token-file", file.to_str().unwrap()];
    assert_eq!(delivered(&at, &new("amara", "1")), (Some(0), String::new()));
    assert_eq!(delivered(&at, &new("amara", "1")), (Some(0), String::new()), "once more");
    let tickets = || desk.as_role("kofi").get("/api/v1/tickets").expect(200)["tickets"].as_array().unwrap().len();
    assert_eq!(tickets(), 1);
    assert_eq!(delivered(&at, &mail("amara", "2", "Subject: x\n", "Hi")), (Some(0), String::new()), "a draft");
    let (code, words) = delivered(&at, "");
    assert!(code == Some(65) && words.contains("has no head"), "{code:?}: {words}");
    assert_eq!(delivered(&at, &new("nn", "3")).0, Some(77));
    for (arguments, wanted) in [
        (vec!["--url", "http://127.0.0.1:1", "--token", &token], "cannot be asked"),
        (vec!["--url", &desk.url, "--token", "rdk_none"], "unknown or was revoked"),
        (vec!["--url", &desk.url, "--token", "demo-amara"], ""),
        (vec!["--url", &desk.url, "--token-file", "/no/such/file"], "/no/such/file"),
        (vec!["--url", &desk.url], "there is no token"),
        (vec!["--token", &token], "which desk"),
    ] {
        let (code, words) = delivered(&arguments, &new("amara", "4"));
        assert!(code == Some(75) && words.contains(wanted), "{arguments:?}: {code:?}: {words}");
    }
    assert_eq!(tickets(), 1);
    let without = House::demo(Database::Sqlite);
    let token = without.with_roles("mei", "mail").token.unwrap();
    assert_eq!(
        delivered(&["--url", &without.url, "--token", &token], &new("amara", "1")).0,
        Some(75),
        "it takes no mail yet"
    );
    desk.do_what_is_due();
}

/// The mail system hears no answer and hands the mail over again.
#[test]
fn a_desk_that_is_killed_between_the_commit_and_its_answer_has_the_ticket_once() {
    let points = [
        (Database::Sqlite, "write-before:1"),
        (Database::Sqlite, "write-after:1"),
        (Database::Postgres, "write-after:1"),
    ];
    for (database, point) in points {
        let relay = Relay::start();
        let mut place = Place::with_settings(database, example_rules(), |text| text + &relay.settings() + MAIL_IN);
        place.set_environment(vec![("RULEDESK_CRASH_AT", point.to_owned())]);
        let mut desk = place.start();
        let system = desk.with_roles("mei", "mail");
        drop(catch_unwind(AssertUnwindSafe(|| hand_over(&system, &new("amara", "1")))));
        desk.wait_for_its_death(point);
        let mut place = desk.crash();
        place.set_environment(Vec::new());
        let desk = place.start();
        let outcome = if point == "write-before:1" { "opened" } else { "repeated" };
        went(&system.at(&desk.url), &new("amara", "1"), outcome);
        let all = desk.as_role("kofi").get("/api/v1/tickets").expect(200);
        assert_eq!(all["tickets"].as_array().unwrap().len(), 1, "{point}: {all}");
    }
}
