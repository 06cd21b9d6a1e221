//! `ruledesk decisions evidence`: the ledger of access and all that is held, in one file that can be checked anywhere.
//!
//! A file is lines of JSON: a head, the events of the ledger each with its place and its hash, the access that is held with its
//! reasons, and a foot with the digest of all lines before and the signature over it. The digest goes on from line to line, so that
//! no line can be left out, added or moved.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::access::Row;
use crate::app::Office;
use crate::app::access::questions::{About, LedgerEnd, LedgerLine, LedgerWalk};
use crate::cli::desk::{self, Shell};
use crate::cli::{self, Failure, Found};
use crate::desk::actor::Actor;
use crate::rules::digest::Digest;
use crate::rules::load::trust::TrustedKey;
use crate::rules::load::trust::key::SigningKey;

/// The version of the file.
const VERSION: u32 = 1;
/// Grants that are read at a time.
const PAGE: usize = 500;

/// The commands about evidence.
#[derive(Debug, Subcommand)]
pub enum Evidence {
    /// Writes the whole ledger, and the access that is held with its reasons, into a file.
    Export(Export),
    /// Checks such a file: it needs no desk, and no network.
    Check(Check),
}

/// Where to, and who vouches for it.
#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    place: cli::Place,
    /// The file; one that is there is overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The private key that signs it, as `ruledesk rule keygen` makes it. Without one it is chained and not signed.
    #[arg(long, value_name = "KEY")]
    key: Option<PathBuf>,
}

/// The file, and whom it is expected from.
#[derive(Debug, Args)]
pub struct Check {
    /// The file, as `decisions evidence export` wrote it.
    file: PathBuf,
    /// The public key that must have signed it: NAME:KEY, as `ruledesk rule keygen` prints it.
    #[arg(long, value_name = "NAME:KEY")]
    key: Option<String>,
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    #[serde(rename = "ruledesk-evidence")]
    version: u32,
    made_at: Timestamp,
    /// Events from before there was a chain, on whose count it stands.
    unchained: i64,
    /// The end of the chain.
    link: i64,
    hash: String,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct Foot {
    digest: String,
    key: Option<String>,
    signature: Option<String>,
}

/// Lines with the digest of all of them.
struct Lines {
    out: BufWriter<File>,
    digest: Digest,
}

impl Lines {
    fn write(&mut self, value: &Value) -> Result<(), Failure> {
        let line = value.to_string();
        self.digest = onward(self.digest, &line);
        writeln!(self.out, "{line}").map_err(|error| format!("the evidence cannot be written: {error}").into())
    }
}

/// The digest of all lines up to one.
fn onward(before: Digest, line: &str) -> Digest {
    Digest::of(format!("{before}\n{line}").as_bytes())
}

/// Writes it.
pub async fn export(args: Export) -> Result<(), Failure> {
    let key = args.key.as_deref().map(SigningKey::read).transpose()?;
    let out = File::create(&args.out).map_err(|error| format!("{} cannot be made: {error}", args.out.display()))?;
    let mut lines = Lines { out: BufWriter::new(out), digest: Digest::of(b"") };
    let Shell { office, actor } = desk::shell(&args.place, None).await?;
    let written = write(&office, &actor, &mut lines).await;
    office.close().await;
    let (events, grants) = written?;
    let foot = Foot {
        digest: lines.digest.to_string(),
        key: key.as_ref().map(SigningKey::public),
        signature: key.as_ref().map(|key| key.sign_evidence(lines.digest)),
    };
    writeln!(lines.out, "{}", serde_json::to_string(&foot)?)
        .and_then(|()| lines.out.flush())
        .map_err(|error| format!("the evidence cannot be written: {error}"))?;
    println!("{}: {events} events of the ledger, {grants} grants that are held", args.out.display());
    Ok(())
}

async fn write(office: &Office, actor: &Actor, lines: &mut Lines) -> Result<(usize, usize), Failure> {
    let now = office.clock.now();
    let LedgerEnd { end, unchained } = office.ledger_end(actor).await.map_err(desk::told)?;
    let head = Head { version: VERSION, made_at: now, unchained, link: end.link, hash: end.hash };
    lines.write(&serde_json::to_value(&head)?)?;
    let (mut after, mut events) = (0, 0);
    while after < end.link {
        let page = office.ledger_lines(actor, (after, end.link)).await.map_err(desk::told)?;
        let Some(last) = page.last() else { break };
        after = last.link;
        events += page.len();
        page.iter().try_for_each(|event| lines.write(&json!({ "event": event })))?;
    }
    let (mut after, mut grants) = (None, 0);
    loop {
        let page = office.who_holds(actor, &About::All, now, after, PAGE).await.map_err(desk::told)?;
        grants += page.items.len();
        page.items.into_iter().try_for_each(|found| lines.write(&json!({ "grant": Row::of(found) })))?;
        after = page.next;
        if after.is_none() {
            return Ok((events, grants));
        }
    }
}

/// Checks it.
pub fn check(args: &Check) -> Result<(), Failure> {
    let file = File::open(&args.file).map_err(|error| format!("{} cannot be read: {error}", args.file.display()))?;
    let key = args.key.as_deref().map(TrustedKey::parse).transpose()?;
    let unreadable = |number: usize| format!("line {number} of it is none of evidence");
    let mut lines = BufReader::new(file).lines().zip(1..).peekable();
    let first = lines.next().and_then(|(line, _)| line.ok()).ok_or_else(|| unreadable(1))?;
    let head: Head = serde_json::from_str(&first).map_err(|_| unreadable(1))?;
    if head.version != VERSION {
        return Err(format!("it is of version {}, and this program knows {VERSION}", head.version).into());
    }
    let (mut digest, mut walk) = (onward(Digest::of(b""), &first), LedgerWalk::begin(head.unchained));
    let (mut events, mut grants, mut foot) = (0, 0, None);
    while let Some((line, number)) = lines.next() {
        let line = line.map_err(|error| format!("line {number} cannot be read: {error}"))?;
        if lines.peek().is_none() {
            foot = serde_json::from_str::<Foot>(&line).ok();
            break;
        }
        digest = onward(digest, &line);
        let value: Value = serde_json::from_str(&line).map_err(|_| unreadable(number))?;
        match value.get("event") {
            Some(event) => {
                let event: LedgerLine = serde_json::from_value(event.clone()).map_err(|_| unreadable(number))?;
                if !walk.step(&event) {
                    let place = event.link;
                    return Err(Found(format!("event {place} is not what the desk wrote there")).into());
                }
                events += 1;
            }
            None => grants += 1,
        }
    }
    let foot = foot.ok_or_else(|| Found("its last line is missing: it was cut off".to_owned()))?;
    let end = walk.place();
    if (end.link, &end.hash) != (head.link, &head.hash) {
        return Err(Found(format!("its ledger ends at {}, and its head says {}", end.link, head.link)).into());
    }
    if foot.digest != digest.to_string() {
        return Err(Found("its lines are not those that were written: the digest is another".to_owned()).into());
    }
    let signed = foot.signature.as_deref().unwrap_or_default();
    if let Some(key) = key.as_ref().filter(|key| !key.has_signed_evidence(digest, signed)) {
        return Err(Found(format!("`{}` has not signed it", key.name)).into());
    }
    let by = key.map_or_else(|| "whose signature was not checked".to_owned(), |key| format!("signed by {}", key.name));
    println!("{events} events of the ledger and {grants} grants of {} are whole, {by}", head.made_at);
    Ok(())
}
