//! C: compiled by clang through the project's Makefile to a module that imports nothing of WASI.
//!
//! `sdk/c/contract.{h,c}` are what `wit-bindgen c` writes from the contract, with shorter names; they are kept with the
//! contract's digest, so that they cannot drift.

use std::path::Path;

use super::{BuildError, componentize, project};
use crate::author::embed::embedded;

/// The SDK, as it lies in a project's hidden folder.
pub const SDK: [(&str, &str); 8] = embedded!("sdk/c/":
    "contract.h",
    "contract.c",
    "ruledesk.h",
    "ruledesk.c",
    "json.c",
    "memory.c",
    "native.c",
    "ruledesk.mk",
);
const INSTALL: &str = "on Debian or Ubuntu `apt-get install make clang lld wasi-libc libclang-rt-dev-wasm32` (Debian 12: libclang-rt-14-dev-wasm32)";

/// Writes the SDK where the Makefile looks for it.
///
/// # Errors
///
/// If a file cannot be written.
pub fn prepare(directory: &Path) -> Result<(), BuildError> {
    project::lay_out(directory, "sdk", &SDK)
}

/// The component of the project in a directory.
///
/// # Errors
///
/// Says what to install, or that the source is wrong; what the compiler says about it has been printed.
pub fn build(directory: &Path) -> Result<Vec<u8>, BuildError> {
    let stages: Vec<&str> = project::stages(directory)?.into_iter().map(|stage| stage.name()).collect();
    check_tools(directory)?;
    prepare(directory)?;
    // The manifest's word counts, so that it and the Makefile cannot say different things.
    let status = project::command(directory, "make")
        .args(["--silent", "all", &format!("STAGES={}", stages.join(" "))])
        .status()
        .map_err(|e| missing("make", format!("cannot be started: {e}")))?;
    if !status.success() {
        let message = "the compiler says why above".to_owned();
        return Err(BuildError::Source { directory: directory.to_owned(), message });
    }
    componentize(directory, &project::read(directory.join(project::HIDDEN).join("rule.core.wasm"))?)
}

fn check_tools(directory: &Path) -> Result<(), BuildError> {
    let tries = |tool: &'static str, arguments: &[&str], lacks: &str| match project::output(directory, tool, arguments)
    {
        Err(error) => Err(missing(tool, format!("cannot be started: {error}"))),
        Ok(output) if !output.status.success() => Err(missing(tool, lacks.to_owned())),
        Ok(_) => Ok(()),
    };
    let headers = ["--target=wasm32-wasi", "-fsyntax-only", "-include", "string.h", "-x", "c", "/dev/null"];
    tries("clang", &headers, "finds no C library for WebAssembly")?;
    tries("wasm-ld", &["--version"], "does not work")
}

fn missing(tool: &'static str, why: String) -> BuildError {
    BuildError::Tool { tool, why, install: INSTALL.to_owned() }
}
