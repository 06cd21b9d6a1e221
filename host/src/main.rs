//! The program: reads its arguments, does one thing, says what went wrong in one place.

use std::process::ExitCode;

fn main() -> ExitCode {
    ruledesk::cli::run()
}
