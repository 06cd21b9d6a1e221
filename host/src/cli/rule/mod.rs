//! `ruledesk rule ...`: the tools for writing rules, one file a command. The work is in `author`; here its result is printed.

use clap::Subcommand;

use super::{Failure, desk};

mod bench;
mod build;
mod case;
mod check;
mod new;
mod run;
mod sign;
mod test;
mod tools;

/// The commands about a rule.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes the folder of a new rule: complete, buildable, commented.
    New(new::New),
    /// Builds each folder's rule into a component, beside its manifest or into a rules directory.
    Build(build::Build),
    /// Says whether a desk would take a component, and if not, why and how to change that.
    Check(check::Check),
    /// Asks a rule its manifest's examples and its cases, in the desk's own sandbox.
    Test(test::Test),
    /// Makes one decision and shows all that there is to see of it.
    Run(run::Run),
    /// Measures decisions: time, fuel, memory, beside the limits.
    Bench(bench::Bench),
    /// Prints a recorded decision as a test case.
    Case(case::Case),
    /// Makes a key to sign rules with, and prints what a desk that trusts it is configured with.
    Keygen(sign::Keygen),
    /// Vouches for rules as they are now, in a `rule.sig` beside each manifest and component.
    Sign(sign::Sign),
}

/// Does it.
pub fn run(verbose: bool, command: Command) -> Result<(), Failure> {
    match command {
        Command::New(new) => new::run(&new),
        Command::Build(build) => build::run(&build),
        Command::Check(check) => check::run(&check),
        Command::Test(test) => test::run(&test),
        Command::Run(run) => run::run(&run),
        Command::Bench(bench) => bench::run(&bench),
        Command::Keygen(keygen) => sign::keygen(&keygen),
        Command::Sign(sign) => sign::run(&sign),
        Command::Case(case) => desk::in_runtime(verbose, case::run(case)),
    }
}
