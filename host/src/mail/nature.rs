//! The one behind a message: a person, a machine, a mail system that could not deliver, or the desk itself. A desk that answers
//! machines gets answers from them, without an end.

use super::body::Found;
use super::head::{Head, unquoted};
use super::thread::Named;
use crate::desk::id::MessageId;

/// The longest words of a mail system that are kept, in characters.
const SAID_CHARS_MAX: usize = 300;
/// Letters of the desk that one report may be about.
const LETTERS_MAX: usize = 10;
/// The words of `Precedence` for what is sent to many, or by itself.
const PRECEDENCES: [&str; 4] = ["bulk", "list", "junk", "auto_reply"];
/// The method of a result that says whether a domain stands behind a message.
const DMARC: &str = "dmarc";
/// Names of accounts at which no person reads.
const UNREAD: [&str; 4] = ["mailer-daemon", "postmaster", "noreply", "no-reply"];

/// The one behind a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature<'a> {
    Person,
    /// The desk's own mail, come back.
    Own,
    /// A machine, by this sign.
    Machine {
        sign: &'static str,
    },
    /// A mail system, about letters that were not delivered.
    Bounce(&'a Bounce),
}

/// Letters that were not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// Those of the desk, each with the token that only the desk can make.
    pub letters: Vec<(MessageId, String)>,
    /// The reason, in the words of the mail system.
    pub said: String,
}

/// Who is behind a message from this address, for a desk that has these addresses and these mailing lists.
pub fn of<'a>(
    head: &Head,
    from: Option<&str>,
    (own, lists): (&[String], &[String]),
    bounce: Option<&'a Bounce>,
) -> Nature<'a> {
    let is_own = from.is_some_and(|from| own.iter().any(|address| address.eq_ignore_ascii_case(from)));
    if is_own || head.first("x-ruledesk-loop").is_some() {
        return Nature::Own;
    }
    match (bounce, sign(head, from, is_of(head, lists))) {
        (Some(bounce), _) => Nature::Bounce(bounce),
        (None, Some(sign)) => Nature::Machine { sign },
        (None, None) => Nature::Person,
    }
}

/// Whether a message came by one of these lists (RFC 2919).
fn is_of(head: &Head, lists: &[String]) -> bool {
    let id = head.first("list-id").unwrap_or_default();
    let id = id.rsplit_once('<').map_or(id, |(_, rest)| rest.split('>').next().unwrap_or_default()).trim();
    lists.iter().any(|list| list.eq_ignore_ascii_case(id))
}

/// The sign by which a message is a machine's (RFC 3834 and those that came before it). Those that a list of the desk's own adds say
/// nothing of who wrote it.
fn sign(head: &Head, from: Option<&str>, is_of_own_list: bool) -> Option<&'static str> {
    let word = |name: &str| head.first(name).and_then(|value| value.split([';', ' ']).next()).unwrap_or_default();
    let has = |name: &str| head.first(name).is_some();
    let (auto, precedence) = (word("auto-submitted"), word("precedence"));
    let account = from.and_then(|from| from.split_once('@')).map_or("", |(account, _)| account);
    let signs = [
        ("Auto-Submitted", !auto.is_empty() && !auto.eq_ignore_ascii_case("no")),
        ("Return-Path", head.all("return-path").any(|path| path == "<>")),
        ("Precedence", PRECEDENCES.iter().any(|one| precedence.eq_ignore_ascii_case(one)) && !is_of_own_list),
        ("List-Id", (has("list-id") || has("list-unsubscribe")) && !is_of_own_list),
        ("Feedback-ID", has("feedback-id")),
        ("X-Autoreply", has("x-autoreply") || has("x-autorespond") || has("x-autoresponse")),
        ("X-Failed-Recipients", has("x-failed-recipients")),
        ("multipart/report", head.is("multipart", "report")),
        ("From", UNREAD.contains(&account)),
    ];
    signs.into_iter().find(|(_, is_there)| *is_there).map(|(sign, _)| sign)
}

/// The letters that a report is about, where a message is one (RFC 3464, and Gmail's own form).
pub fn bounce(head: &Head, found: &Found) -> Option<Bounce> {
    let of_deliveries = head.report_type.as_deref() == Some("delivery-status") && head.is("multipart", "report");
    if !of_deliveries && head.first("x-failed-recipients").is_none() {
        return None;
    }
    if found.status.as_deref().is_some_and(|status| !says_failed(status)) {
        return None;
    }
    let text = found.text();
    let returned = found.returned.as_deref().unwrap_or(&text);
    let ids = returned.split(['<', '>', ' ', '\r', '\n', '\t']).chain(head.answers.iter().map(String::as_str));
    let mut letters = Vec::new();
    for id in ids.filter(|id| id.starts_with("m.")) {
        if let Named::Letter { message, token } = Named::read(id)
            && !letters.iter().any(|(known, _)| *known == message)
            && letters.len() < LETTERS_MAX
        {
            letters.push((message, token));
        }
    }
    Some(Bounce { letters, said: said(found.status.as_deref().unwrap_or(&text)) })
}

/// Whether a report says that a letter was not delivered, and not that it is late or has arrived (RFC 3464, section 2.3.3).
fn says_failed(status: &str) -> bool {
    let action = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("action").then(|| value.trim().to_ascii_lowercase())
    };
    let actions: Vec<String> = status.lines().filter_map(action).collect();
    actions.is_empty() || actions.iter().any(|action| action.starts_with("failed"))
}

/// The lines of a report that say what happened, or its first words.
fn said(report: &str) -> String {
    let is_wanted = |line: &&str| {
        let line = line.to_ascii_lowercase();
        ["action:", "status:", "diagnostic-code:"].iter().any(|name| line.starts_with(name))
    };
    let wanted: Vec<&str> = report.lines().map(str::trim).filter(is_wanted).collect();
    let words = if wanted.is_empty() { super::line(report, SAID_CHARS_MAX) } else { wanted.join(", ") };
    super::line(&words, SAID_CHARS_MAX)
}

/// Whether the first results of this mail system say that the domain of the author stands behind the message (RFC 8601, RFC 7489).
/// A mail system takes away what others wrote under its name, and writes its own above all else.
pub fn vouches(head: &Head, authserv_id: &str, domain: &str) -> bool {
    let of_system = |value: &&str| {
        let name = value.split([';', ' ']).next().unwrap_or_default();
        name.eq_ignore_ascii_case(authserv_id)
    };
    // Comments and quoted strings have words of the sender's, such as the account `"x; dmarc=pass y"` of the envelope.
    let results = head.all("authentication-results").find(of_system).and_then(unquoted).unwrap_or_default();
    let is_dmarc = |result: &&str| result.get(..DMARC.len()).is_some_and(|method| method.eq_ignore_ascii_case(DMARC));
    let found: Vec<&str> = results.split(';').skip(1).map(str::trim).filter(is_dmarc).collect();
    // Where there are two, one of them may be another's words.
    let [result] = found.as_slice() else { return false };
    let mut words = result.split_whitespace();
    let passes = words.next().is_some_and(|word| word.eq_ignore_ascii_case("dmarc=pass"));
    let properties = words.filter_map(|word| word.split_once('='));
    let mut domains = properties.filter(|(name, _)| name.eq_ignore_ascii_case("header.from")).map(|(_, value)| value);
    passes && domains.next().is_some_and(|from| from.eq_ignore_ascii_case(domain)) && domains.next().is_none()
}
