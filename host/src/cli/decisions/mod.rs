//! `ruledesk decisions ...`: the records of decisions, checked and proved.

use clap::Subcommand;

use super::{Failure, desk};

mod access;
mod archive;
mod chain;
mod evidence;
mod pages;
mod policy;
mod reviews;
mod role;
mod train;
mod unused;
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
    /// Says what the policy allowed on a day: the rules of then about a person and an item.
    Policy(policy::Policy),
    /// Says all that a person could do with a role of the desk or of an app, and who has it.
    Role(role::Role),
    /// Writes the ledger of access and all that is held into a file that can be checked anywhere, and checks such a file.
    #[command(subcommand)]
    Evidence(evidence::Evidence),
    /// Lists the campaigns of access reviews, or the evidence of one.
    Reviews(reviews::Reviews),
    /// Lists the access that is held and not used, in apps that say when people sign in.
    Unused(unused::Unused),
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
        Command::Policy(policy) => desk::in_runtime(verbose, policy::run(policy)),
        Command::Role(role) => desk::in_runtime(verbose, role::run(role)),
        Command::Evidence(evidence::Evidence::Export(export)) => desk::in_runtime(verbose, evidence::export(export)),
        Command::Evidence(evidence::Evidence::Check(check)) => evidence::check(&check),
        Command::Reviews(reviews) => desk::in_runtime(verbose, reviews::run(reviews)),
        Command::Unused(unused) => desk::in_runtime(verbose, unused::run(unused)),
        Command::Archive(archive) => desk::in_runtime(verbose, archive::run(archive)),
        Command::Segments(list) => desk::in_runtime(verbose, archive::list(list)),
        Command::Train(train) => desk::in_runtime(verbose, train::run(train)),
    }
}
