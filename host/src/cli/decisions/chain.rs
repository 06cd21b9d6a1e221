//! `ruledesk decisions chain`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio::task::JoinSet;

use crate::app::Office;
use crate::app::observe::chain::{Break, Chain, Checked, Place};
use crate::app::record::archive::{Deletion, Kept};
use crate::cli::desk::{self, Shell};
use crate::cli::{self, Failure, Found};
use crate::desk::actor::Actor;
use crate::rules::text;

/// Chains that are walked at once: while one is read, another is hashed.
const WALKED_AT_ONCE: usize = 2;

/// Checks the hash chains over decision records, access, archiving, rules, tables, tokens and timelines, and compares what takes
/// effect with them, also while the desk runs.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    place: cli::Place,
    /// A file with the ends of the chains as they were, kept where the database's administrator cannot write. The chains are
    /// compared with it, so that a tail that was cut off or a chain that was written again is found too; where all is well, it
    /// is brought up to date. It is made where there is none.
    #[arg(long)]
    anchor: Option<PathBuf>,
}

/// Walks the chains, prints where they break, and fails if they do.
pub async fn run(check: Check) -> Result<(), Failure> {
    let anchors = check.anchor.as_deref().map_or_else(|| Ok(Vec::new()), read_anchor)?;
    let Shell { office, actor } = desk::shell_to_check(&check.place).await?;
    let office = Arc::new(office);
    let mut ends = Vec::new();
    let mut broken = 0;
    for checked in walked(&office, &actor, &anchors).await? {
        print(&checked);
        broken += checked.breaks.len() + checked.more;
        ends.push((checked.chain, checked.end));
    }
    office.close().await;
    if broken > 0 {
        let found = format!("the chains break in {broken} place(s): records are not what the desk wrote");
        return Err(Found(found).into());
    }
    match check.anchor {
        Some(file) => write_anchor(&file, &ends),
        None => Ok(()),
    }
}

/// All chains, each walked to its end, in their order; some of them at once.
async fn walked(office: &Arc<Office>, actor: &Actor, anchors: &[(Chain, Place)]) -> Result<Vec<Checked>, Failure> {
    let mut left = Chain::ALL.into_iter().enumerate();
    let (mut walks, mut done) = (JoinSet::new(), BTreeMap::new());
    loop {
        while walks.len() < WALKED_AT_ONCE
            && let Some((place, chain)) = left.next()
        {
            let anchor = anchors.iter().find(|(of, _)| *of == chain).map(|(_, place)| place.clone());
            let (office, actor) = (Arc::clone(office), actor.clone());
            walks.spawn(async move { (place, office.check_chain(&actor, chain, anchor.as_ref()).await) });
        }
        let Some(walk) = walks.join_next().await else { break };
        let (place, checked) = walk?;
        done.insert(place, checked?);
    }
    Ok(done.into_values().collect())
}

fn print(checked: &Checked) {
    let Checked { chain, end, unchained, breaks, more, deleted } = checked;
    let older = if *unchained > 0 { format!(", after {unchained} older ones without") } else { String::new() };
    println!("{}: {} chained records{older}; the end is {}", chain.name(), end.link, shown(&end.hash));
    for Break { link, ticket, what } in breaks {
        let place = link.map_or_else(String::new, |link| format!(" {link}"));
        let ticket = ticket.map_or_else(String::new, |ticket| format!(" ({ticket})"));
        println!("  {}{place}{ticket}: {}", chain.name(), text::shown(what));
    }
    for Kept { facts, deleted, .. } in deleted {
        if let Some(Deletion { at, by, why }) = deleted {
            let (first, last) = (facts.first.link, facts.last.link);
            let (by, why) = (text::shown(by), text::shown(why));
            println!("  {} {first} to {last}: archived, and deleted by {by} on {at}: {why}", chain.name());
        }
    }
    if *more > 0 {
        println!("  and {more} more");
    }
}

fn shown(hash: &str) -> &str {
    if hash.is_empty() { "nothing" } else { hash }
}

/// The places in an anchor: a line each, of the chain's name, the place and the hash.
fn read_anchor(file: &Path) -> Result<Vec<(Chain, Place)>, Failure> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("the anchor {} cannot be read: {error}", file.display()).into()),
    };
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    lines
        .map(|(line, number)| {
            read_line(line).ok_or_else(|| {
                let file = file.display();
                format!("{file}:{number}: a line of an anchor is a chain's name, a number and a hash").into()
            })
        })
        .collect()
}

fn read_line(line: &str) -> Option<(Chain, Place)> {
    let mut words = line.split_whitespace();
    let (name, link, hash) = (words.next()?, words.next()?, words.next()?);
    let chain = Chain::ALL.into_iter().find(|chain| chain.name() == name)?;
    Some((chain, Place { link: link.parse().ok()?, hash: hash.to_owned() }))
}

/// Writes the ends, whole or not at all.
fn write_anchor(file: &Path, ends: &[(Chain, Place)]) -> Result<(), Failure> {
    let mut text = String::new();
    for (chain, end) in ends.iter().filter(|(_, end)| end.link > 0) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {} {}", chain.name(), end.link, end.hash);
    }
    let mut temporary = file.as_os_str().to_owned();
    temporary.push(".tmp");
    fs::write(&temporary, text)
        .and_then(|()| fs::rename(&temporary, file))
        .map_err(|error| format!("the anchor {} cannot be written: {error}", file.display()).into())
}
