//! `ruledesk mail`: mail systems hand over what was written to the desk. It ends with the statuses of `sysexits.h`, by which Postfix,
//! Exim, fetchmail and getmail know whether the mail is to be tried again or goes back to its sender.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cli::Failure;
use crate::cli::desk::remote::{Remote, problem, word};
use crate::rules::text::shown_lines;

/// The largest mail that is read, in bytes; the desk's own bound is lower.
const MAIL_BYTES_MAX: u64 = 256 << 20;

/// The desk's status for it (RFC 9110).
const TOO_LARGE: u16 = 413;

/// The mail cannot be taken as it is: it goes back to its sender.
const EX_DATAERR: u8 = 65;
/// Nothing is wrong with the mail: it is tried again.
const EX_TEMPFAIL: u8 = 75;
/// Its sender may not write to the desk.
const EX_NOPERM: u8 = 77;

/// Takes mail from a mail system.
#[derive(Debug, Args)]
pub struct Mail {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Hands the message on standard input over to the desk: 0 where it was taken, 75 where it is to be tried again, 65 where it is
    /// refused, 77 where its sender is.
    Deliver(Deliver),
}

#[derive(Debug, Args)]
struct Deliver {
    /// The desk, such as `http://127.0.0.1:8080`.
    #[arg(long, env = "RULEDESK_URL")]
    url: Option<String>,
    /// A token of the role `mail`; better in a file, where no list of processes shows it.
    #[arg(long, env = "RULEDESK_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// A file that has the token in its first line; stands above `--token`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Does it.
pub fn run(arguments: &Mail) -> ExitCode {
    let Command::Deliver(deliver) = &arguments.command;
    let (status, words) = match handed_over(deliver) {
        Ok(answer) => judged(answer.0, &answer.1),
        Err(failure) => (EX_TEMPFAIL, failure.to_string()),
    };
    // A mail system puts the words into the mail that goes back.
    if !words.is_empty() {
        eprintln!("{}", shown_lines(&words));
    }
    ExitCode::from(status)
}

/// The status and the text of the desk's answer to the message on standard input.
fn handed_over(deliver: &Deliver) -> Result<(u16, String), Failure> {
    let mut message = Vec::new();
    let read = std::io::stdin().lock().take(MAIL_BYTES_MAX + 1).read_to_end(&mut message);
    read.map_err(|error| format!("the message on standard input cannot be read: {error}"))?;
    // A part of a message is another message, which was not sent.
    if u64::try_from(message.len()).is_ok_and(|bytes| bytes > MAIL_BYTES_MAX) {
        return Ok((TOO_LARGE, r#"{"detail": "the mail is too large for this desk"}"#.to_owned()));
    }
    let url = deliver.url.as_deref().filter(|url| !url.is_empty());
    let url = url.ok_or("say which desk is meant: --url http://127.0.0.1:8080, or the variable RULEDESK_URL")?;
    let desk = Remote::new(url, token(deliver)?)?;
    desk.answer_to("/mail", ("message/rfc822", &message))
}

fn token(deliver: &Deliver) -> Result<String, Failure> {
    let token = match &deliver.token_file {
        Some(file) => {
            let text = std::fs::read_to_string(file);
            let text = text.map_err(|error| format!("the token in {} cannot be read: {error}", file.display()))?;
            text.lines().next().unwrap_or_default().trim().to_owned()
        }
        None => deliver.token.clone().unwrap_or_default(),
    };
    let missing = "there is no token: `ruledesk token NAME --roles mail` makes one, for --token-file FILE";
    if token.is_empty() { Err(missing.into()) } else { Ok(token) }
}

/// The status to end with, and the words about it. Only what is wrong with the mail itself sends it back: a desk that is away, set up
/// wrongly or too busy loses none.
fn judged(status: u16, text: &str) -> (u8, String) {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let is_about_sender = || {
        let problems = answer.get("problems").and_then(Value::as_array);
        problems.is_some_and(|problems| problems.iter().any(|problem| word(problem, "field") == "from"))
    };
    match status {
        200..=299 => (0, String::new()),
        TOO_LARGE => (EX_DATAERR, problem(status, text)),
        422 if is_about_sender() => (EX_NOPERM, problem(status, text)),
        422 => (EX_DATAERR, problem(status, text)),
        _ => (EX_TEMPFAIL, problem(status, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_mail_that_is_wrong_itself_goes_back() {
        let refused =
            |field: &str| format!(r#"{{"detail": "no", "problems": [{{"field": "{field}", "message": "m"}}]}}"#);
        for (status, text, wanted) in [
            (200, String::new(), 0),
            (201, String::new(), 0),
            (413, String::new(), EX_DATAERR),
            (422, refused("body"), EX_DATAERR),
            (422, refused("from"), EX_NOPERM),
            (401, String::new(), EX_TEMPFAIL),
            (403, String::new(), EX_TEMPFAIL),
            (404, String::new(), EX_TEMPFAIL),
            (429, String::new(), EX_TEMPFAIL),
            (503, "<html>".to_owned(), EX_TEMPFAIL),
        ] {
            assert_eq!(judged(status, &text).0, wanted, "{status} {text}");
        }
        assert!(judged(422, &refused("body")).1.contains("body: m"), "a sender reads why");
    }
}
