//! The program: reads its arguments, does one thing, says what went wrong in one place.

use std::process::ExitCode;

/// For many small allocations on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ruledesk::cli::run()
}
