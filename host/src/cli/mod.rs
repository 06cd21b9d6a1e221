//! The command line: one file a command. Each translates its arguments, calls what does the work, and prints.

use std::borrow::Cow;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::rules::load::compiler::{self, Means, Task};
use crate::rules::text::shown_lines;

/// Prints to standard output, in this room and all below it: a reader that has enough ends the command quietly.
macro_rules! print {
    ($($words:tt)*) => { $crate::cli::say(format_args!($($words)*)) };
}

/// The same with a line's end.
macro_rules! println {
    () => { $crate::cli::say(format_args!("\n")) };
    ($($words:tt)*) => { $crate::cli::say(format_args!("{}\n", format_args!($($words)*))) };
}

/// Says what went wrong on standard error, whose reader may have ended as well.
macro_rules! eprintln {
    ($($words:tt)*) => { $crate::cli::complain(format_args!("{}\n", format_args!($($words)*))) };
}

mod decisions;
mod descriptors;
mod desk;
mod import;
mod jobs;
mod people;
mod rule;
mod rules;
mod serve;
mod tables;
mod tickets;
mod which;

/// An IT service desk whose decisions are made by WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "ruledesk", version, about)]
struct Arguments {
    /// Logs what a command does, besides what it answers.
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the desk.
    Serve(serve::Serve),
    Init(desk::init::Init),
    Check(desk::init::Check),
    Config(desk::published::Published),
    /// Takes tickets from a file (CSV, JSON, or another desk's export) through the whole pipeline and sums up the outcome.
    Import(Box<import::Import>),
    /// Says why a ticket is as it is.
    Explain(tickets::explain::Explain),
    Tickets(tickets::Tickets),
    Reports(tickets::reports::Reports),
    /// Gives a person a token, which is shown once, or takes one back.
    Token(people::token::Add),
    Person(people::Person),
    Access(people::delegations::Access),
    /// Lists, changes and compares reference tables.
    Tables(tables::Tables),
    /// Makes, builds, checks, tests and measures rules, in any language.
    #[command(subcommand)]
    Rule(rule::Command),
    /// Looks after the rules of a desk in production: shows, tries and changes them.
    #[command(subcommand)]
    Rules(rules::Command),
    /// Makes and tests connectors that are WebAssembly components: what writes to an app on the desk's behalf.
    #[command(subcommand)]
    Connector(jobs::connector::Command),
    /// Checks and proves what the desk has recorded.
    #[command(subcommand)]
    Decisions(decisions::Command),
    /// Looks after work that the desk has given up on, and work that comes again.
    Jobs(jobs::Jobs),
    Messages(jobs::messages::Messages),
    Mail(jobs::mail::Mail),
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
#[derive(Debug, Clone, Default, Args)]
struct Place {
    /// The configuration directory. Without it, that of the nearest `ruledesk.toml` here or above, else the working directory.
    #[arg(long, global = true, env = "RULEDESK_CONFIG", value_name = "DIR")]
    config: Option<PathBuf>,
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
    /// A desk elsewhere, such as `http://127.0.0.1:8080`, which is asked over HTTP: for `explain`, `tables`, `tickets`, `reports`, `access` and most of `rules`.
    #[arg(long, global = true, env = "RULEDESK_URL")]
    url: Option<String>,
    /// Whose commands these are, at a desk elsewhere.
    #[arg(long, global = true, env = "RULEDESK_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

pub use desk::outgoing::{correspondence, may_be_asked, ways};
pub use desk::{demo, files};
pub use serve::{limits, pages};

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
    let Arguments { verbose, command } = Arguments::parse();
    let done = match command {
        Command::CompileRule { memory_mib, cpu_s, plainly, settle } => {
            let means = if plainly { Means::Plain } else { Means::Usual };
            let task = if settle { Task::Settle } else { Task::Compile(means) };
            return compiler::run_child(memory_mib, cpu_s, task);
        }
        Command::Rule(command) => rule::run(verbose, command),
        Command::Rules(command) => desk::in_runtime(verbose, rules::run(command)),
        Command::Connector(command) => jobs::connector::run(&command),
        Command::Decisions(command) => decisions::run(verbose, command),
        Command::Openapi => openapi(),
        Command::Serve(serve) => desk::in_runtime_of_desk(serve::run(serve)),
        Command::Init(init) => desk::init::init(&init),
        Command::Check(check) => desk::init::check(&check),
        Command::Config(published) => desk::in_runtime(verbose, desk::published::run(published)),
        Command::Tables(tables) => desk::in_runtime(verbose, tables::run(tables)),
        Command::Import(import) => desk::in_runtime(verbose, import::run(*import)),
        Command::Explain(command) => desk::in_runtime(verbose, tickets::explain::run(command)),
        Command::Tickets(tickets) => tickets::run(&tickets),
        Command::Reports(reports) => tickets::reports::run(&reports),
        Command::Messages(messages) => jobs::messages::run(&messages),
        Command::Mail(mail) => return jobs::mail::run(&mail),
        Command::Jobs(jobs) => desk::in_runtime(verbose, jobs::run(jobs)),
        Command::Token(add) => desk::in_runtime(verbose, people::token::run(add)),
        Command::Person(person) => desk::in_runtime(verbose, people::run(person)),
        Command::Access(access) => people::delegations::run(&access),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}", shown_lines(&failure.to_string()));
            if failure.is::<Found>() { ExitCode::from(FOUND) } else { ExitCode::FAILURE }
        }
    }
}

/// The status of a command whose reader has ended before it, as shells give it to one that a signal ends.
const READER_ENDED: i32 = 128 + 13;

/// Prints words; where the reader of standard output has ended, so does the program.
fn say(words: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    if let Err(error) = std::io::stdout().lock().write_fmt(words) {
        if error.kind() != std::io::ErrorKind::BrokenPipe {
            eprintln!("error: the answer cannot be written: {error}");
            std::process::exit(1);
        }
        std::process::exit(READER_ENDED);
    }
}

/// Prints the text of a file that others wrote: as it is where it is kept or read by a program, so that it is the same file again.
fn say_file(text: &str) {
    use std::io::IsTerminal as _;
    say(format_args!("{}", as_read(text, std::io::stdout().is_terminal())));
}

/// A file's text for who reads it: on a terminal it does no more than be drawn.
fn as_read(text: &str, on_terminal: bool) -> Cow<'_, str> {
    if on_terminal { Cow::Owned(shown_lines(&text.replace("\r\n", "\n"))) } else { Cow::Borrowed(text) }
}

/// Says something on standard error. Where it is read no more, the status of the command says what can still be said.
fn complain(words: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    std::io::stderr().lock().write_fmt(words).unwrap_or_default();
}

fn openapi() -> Result<(), Failure> {
    print!("{}", crate::api::document::text());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_moves_no_cursor_and_stays_the_same_file_in_a_pipe() {
        let text = "key,owner\r\na,\u{9b}2J\u{202e}kofi\r\n";
        assert_eq!(as_read(text, true), "key,owner\na,\\u{9b}2J\\u{202e}kofi\n");
        assert_eq!(as_read(text, false), text);
    }
}
