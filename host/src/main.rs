//! The program: reads its arguments, does one thing, says what went wrong in one place.

use std::process::ExitCode;

/// Many small allocations on many threads: measured against the system's allocator, see the README.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ruledesk::cli::run()
}
