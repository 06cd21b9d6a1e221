//! Links by which a ticket depends on another never close a circle, also where two that are opposite come at the same moment: one
//! transaction at a time makes links of a kind, and looks again where they lead.

use std::collections::BTreeSet;

use super::{Commit, Committed, open};
use crate::desk::change::TicketWrite;
use crate::desk::id::TicketNumber;
use crate::desk::ticket::lifecycle::links::{LinkKind, LinkWrite};
use crate::store::Error;
use crate::store::db::Tx;
use crate::store::tickets::endings::LEADS;

/// A link that a change makes: from which ticket, of which kind, to which.
type Edge = (TicketNumber, LinkKind, TicketNumber);

/// The links of a change that could close a circle. A ticket that is new has none that leads to it.
fn edges(commit: &Commit) -> Vec<Edge> {
    let from = match commit.change.ticket() {
        TicketWrite::Open(_) => return Vec::new(),
        TicketWrite::Update { before, .. } => before.number,
    };
    let edge = |link: &LinkWrite| match link {
        LinkWrite::Add { kind, other, .. } if *kind != LinkKind::Related => Some((from, *kind, *other)),
        LinkWrite::Add { .. } | LinkWrite::Remove { .. } => None,
    };
    commit.change.links().iter().filter_map(edge).collect()
}

/// Locks the kinds of links that are made, by their words, and refuses the links that would close a circle.
pub async fn refuse(
    tx: &mut Tx,
    commits: &[Commit],
    outcomes: &mut [Option<Result<Committed, Error>>],
) -> Result<(), Error> {
    let kinds: BTreeSet<&str> = open(commits, outcomes).flat_map(edges).map(|(_, kind, _)| kind.code()).collect();
    for kind in kinds {
        tx.later("update link_kinds set made = made + 1 where kind = $1", vec![kind.into()]).await?;
    }
    let mut made: Vec<Edge> = Vec::new();
    for (commit, outcome) in commits.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_none()) {
        let edges = edges(commit);
        for edge in &edges {
            if let Some(error) = closes(tx, edge, &made).await? {
                *outcome = Some(Err(error));
                break;
            }
        }
        if outcome.is_none() {
            made.extend(edges);
        }
    }
    Ok(())
}

/// Why a link cannot be made now: it closes a circle, or might with one that is made in this very transaction.
async fn closes(tx: &mut Tx, (from, kind, other): &Edge, made: &[Edge]) -> Result<Option<Error>, Error> {
    if leads(tx, *kind, *other, *from).await? {
        return Ok(Some(Error::Circle { other: *other }));
    }
    for (begins, _, _) in made.iter().filter(|(_, made, _)| made == kind) {
        if begins == other || leads(tx, *kind, *other, *begins).await? {
            return Ok(Some(Error::Conflict));
        }
    }
    Ok(None)
}

async fn leads(tx: &mut Tx, kind: LinkKind, from: TicketNumber, to: TicketNumber) -> Result<bool, Error> {
    Ok(tx.optional(LEADS, vec![from.0.into(), kind.code().into(), to.0.into()]).await?.is_some())
}
