//! The command line: one file a command. Each translates its arguments, calls what does the work, and prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::rules::load::compiler::{self, Means, Task};
use crate::rules::text::shown_lines;

mod decisions;
mod descriptors;
mod desk;
mod explain;
mod import;
mod jobs;
mod rule;
mod rules;
mod serve;
mod tables;
mod token;
mod which;

/// An IT service desk whose decisions are made by WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "ruledesk", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the desk.
    Serve(serve::Serve),
    /// Takes tickets from a CSV file through the whole pipeline and sums up the outcome.
    Import(Box<import::Import>),
    /// Says why a ticket is as it is.
    Explain(explain::Explain),
    /// Gives a person a token, which is shown once, or takes one back.
    Token(token::Add),
    /// Lists, changes and compares reference tables.
    Tables(tables::Tables),
    /// Makes, builds, checks, tests and measures rules, in any language.
    #[command(subcommand)]
    Rule(rule::Command),
    /// Looks after the rules of a desk in production: shows, tries and changes them.
    #[command(subcommand)]
    Rules(rules::Command),
    /// Checks and proves what the desk has recorded.
    #[command(subcommand)]
    Decisions(decisions::Command),
    /// Looks after work that the desk has given up on.
    Jobs(jobs::Jobs),
    /// Prints the OpenAPI 3.1 document.
    Openapi,
    /// Compiles one rule from standard input to standard output, under limits: what the desk starts for each rule.
    #[command(hide = true)]
    CompileRule {
        #[arg(long)]
        memory_mib: u64,
        #[arg(long)]
        cpu_s: u64,
        /// Quickly instead of well: to be compared with what is compiled well.
        #[arg(long)]
        plainly: bool,
        /// Hands the rule its settings and gives the component back, instead of compiling it.
        #[arg(long, conflicts_with = "plainly")]
        settle: bool,
    },
}

/// The place of a desk: every command that opens one needs it.
#[derive(Debug, Clone, Args)]
struct Place {
    /// The configuration directory.
    #[arg(long, global = true, default_value = ".")]
    config: PathBuf,
    /// The rules directory; stands above the configuration's.
    #[arg(long, global = true)]
    rules: Option<PathBuf>,
    /// The data directory; stands above the configuration's.
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// Where compiled rules are kept; stands above the configuration's.
    #[arg(long, global = true, env = "RULEDESK_CACHE")]
    cache: Option<PathBuf>,
    /// The database, `sqlite:FILE` or `postgres://...`; stands above the configuration's.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

/// A sentence for the person who typed the command.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The exit status of a command that did what it was asked to and found what should not be.
const FOUND: u8 = 3;

/// The finding of a command that was asked to look for one, such as a decision that is not as it was recorded.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Found(String);

/// Runs the program.
pub fn run() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::CompileRule { memory_mib, cpu_s, plainly, settle } => {
            let means = if plainly { Means::Plain } else { Means::Usual };
            let task = if settle { Task::Settle } else { Task::Compile(means) };
            return compiler::run_child(memory_mib, cpu_s, task);
        }
        Command::Rule(command) => rule::run(command),
        Command::Rules(command) => desk::in_runtime(rules::run(command)),
        Command::Decisions(command) => decisions::run(command),
        Command::Openapi => openapi(),
        Command::Serve(serve) => desk::in_runtime(serve::run(serve)),
        Command::Tables(tables) => desk::in_runtime(tables::run(tables)),
        Command::Import(import) => desk::in_runtime_without_tickets(import::run(*import)),
        Command::Explain(command) => desk::in_runtime(explain::run(command)),
        Command::Jobs(jobs) => desk::in_runtime(jobs::run(jobs)),
        Command::Token(add) => desk::in_runtime(token::run(add)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}", shown_lines(&failure.to_string()));
            if failure.is::<Found>() { ExitCode::from(FOUND) } else { ExitCode::FAILURE }
        }
    }
}

fn openapi() -> Result<(), Failure> {
    println!("{}", crate::api::document().to_pretty_json()?);
    Ok(())
}
