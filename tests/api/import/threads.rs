//! Real threads of another desk, with their private notes: nothing of these reaches the requester by any way.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::components::{example_rules, root};
use crate::support::house::House;
use crate::support::peers::smtp::Relay;
use crate::support::place::Database;
use crate::support::wait::until;

/// Threads that are taken over, and words of each: a part of all, since each word is a request.
const THREADS: usize = 20;
const WORDS: usize = 30;
/// Shorter sentences, such as "Done.", stand in public words as well.
const CHARS_MIN: usize = 25;

/// The threads, where the data of others lie near the repository.
fn threads() -> Option<Vec<Value>> {
    let file = "shared/data/mendeley_helpdesk_threads/dev_threads.jsonl.gz";
    let found: PathBuf = root().ancestors().map(|folder| folder.join(file)).find(|path| path.is_file())?;
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(found).unwrap()).read_to_string(&mut text).unwrap();
    Some(text.lines().take(THREADS).map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Threads of the same shape, for a machine where the real ones are not.
fn made_up() -> Vec<Value> {
    let word = |thread: usize, seq: usize| {
        let private = seq % 2 == 1;
        let body = match private {
            true => format!("Quietly: gateway {thread}-{seq} was wired wrongly by its vendor, do not say so."),
            false => format!("Answer {thread}-{seq}: please try it once more and tell us what you see there."),
        };
        json!({ "seq": seq, "private": private, "body": body })
    };
    let thread = |n: usize| json!({ "issue": n, "comments": (0..24).map(|seq| word(n, seq)).collect::<Vec<_>>() });
    (0..THREADS).map(thread).collect()
}

/// The lines of a text that say something of their own, as they come back in JSON.
fn sentences(text: &str) -> impl Iterator<Item = String> + '_ {
    let lines = text.lines().map(str::trim).filter(|line| line.chars().count() >= CHARS_MIN);
    lines.map(|line| json!(line).to_string().trim_matches('"').to_owned())
}

#[test]
fn no_private_sentence_of_real_threads_reaches_a_requester() {
    let threads = threads().unwrap_or_else(made_up);
    let relay = Relay::start();
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text + &relay.settings());
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let (mut private, mut public) = (BTreeSet::new(), String::new());
    let mut keys = Vec::new();
    for thread in &threads {
        let subject = format!("Thread {}", thread["issue"]);
        let body = json!({ "request_type": "question", "subject": subject, "body": "As below.", "fields": { "topic": "other" } });
        let key = amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
        for word in thread["comments"].as_array().unwrap().iter().take(WORDS) {
            let (text, internal) = (word["body"].as_str().unwrap(), word["private"].as_bool().unwrap());
            // Of a requester a desk takes so many words an hour.
            let by_requester = !internal && word["seq"] == 0;
            let client = if by_requester { &amara } else { &kofi };
            let said = json!({ "body": text, "internal": internal });
            let answer = client.post(&format!("/api/v1/tickets/{key}/comments"), &said);
            assert!(answer.status == 201 || text.trim().is_empty(), "{}", answer.text);
            match internal {
                true => private.extend(sentences(text)),
                false => sentences(text).for_each(|line| public += &(line + "\n")),
            }
        }
        keys.push(key);
    }
    private.retain(|sentence| !public.contains(sentence.as_str()));
    assert!(private.len() > 100, "{} private sentences", private.len());
    desk.advance(SignedDuration::from_mins(1));

    let mut seen: Vec<String> = Vec::new();
    for key in &keys {
        for end in ["", "/timeline?limit=200", "/resolutions", "/watchers"] {
            seen.push(amara.get(&format!("/api/v1/tickets/{key}{end}")).expect(200).to_string());
        }
        seen.push(amara.get(&format!("/tickets/{key}")).text);
    }
    seen.push(amara.get("/api/v1/tickets?limit=200").expect(200).to_string());
    let letters = relay.taken().into_iter().filter(|taken| taken.to.starts_with("amara"));
    seen.extend(letters.map(|taken| taken.text.replace("=\n", "")));
    let seen = seen.join("\n");
    assert!(seen.contains(sentences(&public).next().unwrap().as_str()), "what is public is there");
    let leaked: Vec<&String> = private.iter().filter(|sentence| seen.contains(sentence.as_str())).collect();
    assert!(leaked.is_empty(), "{leaked:#?}");

    // The words of a note find a ticket for an agent, and none for its requester.
    let words = |text: &String| {
        let plain: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2).take(5).collect();
        plain.join("%20")
    };
    let wanted = private.iter().map(words).find(|words| words.split("%20").count() == 5).unwrap();
    until("a note is found by an agent", || {
        let found = kofi.get(&format!("/api/v1/search?q={wanted}")).expect(200);
        found.as_array().is_some_and(|found| !found.is_empty()).then_some(())
    });
    assert_eq!(amara.get(&format!("/api/v1/search?q={wanted}")).expect(200), json!([]));
}
