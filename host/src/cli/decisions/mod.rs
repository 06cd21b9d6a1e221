//! `ruledesk decisions ...`: the records of decisions, checked and proved.

use clap::Subcommand;

use super::{Failure, desk};

mod access;
mod archive;
mod chain;
mod reviews;
mod train;
mod verify;

/// The commands about recorded decisions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Asks the rules that decided again and proves that they give the recorded answers.
    Verify(verify::Verify),
    /// Checks the hash chains over all decision records and over the ledger of access.
    Chain(chain::Check),
    /// Lists who has access to what, and why: now, or at an instant.
    Access(access::Access),
    /// Lists the campaigns of access reviews, or the evidence of one.
    Reviews(reviews::Reviews),
    /// Moves old records out of the database into segment files, or deletes a segment.
    Archive(archive::Archive),
    /// Lists the segment files that records were moved into.
    Segments(archive::List),
    /// Makes a compression dictionary of the desk's own records.
    Train(train::Train),
}

/// Does it.
pub fn run(verbose: bool, command: Command) -> Result<(), Failure> {
    match command {
        Command::Verify(verify) => desk::in_runtime(verbose, verify::run(verify)),
        Command::Chain(check) => desk::in_runtime(verbose, chain::run(check)),
        Command::Access(access) => desk::in_runtime(verbose, access::run(access)),
        Command::Reviews(reviews) => desk::in_runtime(verbose, reviews::run(reviews)),
        Command::Archive(archive) => desk::in_runtime(verbose, archive::run(archive)),
        Command::Segments(list) => desk::in_runtime(verbose, archive::list(list)),
        Command::Train(train) => desk::in_runtime(verbose, train::run(train)),
    }
}
