//! Go: compiled by the standard toolchain to a module of WASI's first preview, which becomes a component here.
//!
//! The bindings are the SDK's own, written from the contract's text: those of `wit-bindgen` need a module from the network
//! and a `main` package made anew for each set of stages, while here importing a stage's package exports it.

use std::path::Path;

use super::{BuildError, componentize, project};
use crate::author::embed::embedded;

/// The SDK, as it lies in a project's hidden folder.
pub const SDK: [(&str, &str); 25] = embedded!("sdk/go/":
    "go.mod",
    "types.go",
    "abi_wasip1.go",
    "memory_wasip1.go",
    "component_wasip1.go",
    "native.go",
    "ruledesk.go",
    "answers.go",
    "settings.go",
    "json.go",
    "intake/intake.go",
    "intake/export_wasip1.go",
    "intake/native.go",
    "categorization/categorization.go",
    "categorization/export_wasip1.go",
    "categorization/native.go",
    "priority/priority.go",
    "priority/export_wasip1.go",
    "priority/native.go",
    "routing/routing.go",
    "routing/export_wasip1.go",
    "routing/native.go",
    "access/access.go",
    "access/export_wasip1.go",
    "access/native.go",
);
/// The oldest Go that can export a function by name (`go:wasmexport`).
const GO_MIN: (u32, u32) = (1, 24);
const INSTALL_GO: &str = "install Go 1.24 or newer from https://go.dev/dl, such as by `apt-get install golang-1.24` where \
     the system has it, or `curl -fsSL https://go.dev/dl/go1.26.0.linux-amd64.tar.gz | sudo tar -C /usr/local -xz` and \
     /usr/local/go/bin in PATH";

/// Writes the SDK where `go.mod` looks for it.
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
    project::stages(directory)?;
    check_go(directory)?;
    prepare(directory)?;
    let made = format!("{}/rule.core.wasm", project::HIDDEN);
    let mut command = project::command(directory, "go");
    command.env("GOOS", "wasip1").env("GOARCH", "wasm").env("CGO_ENABLED", "0");
    // What else is set up on this machine is none of the rule's.
    for name in ["GOFLAGS", "GOWASM", "GOEXPERIMENT"] {
        command.env_remove(name);
    }
    command.env("GOWORK", "off");
    command.args(["build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o"]);
    let status = command.args([&made, "."]).status().map_err(|e| no_go(format!("cannot be started: {e}")))?;
    if !status.success() {
        let message = "Go says why above".to_owned();
        return Err(BuildError::Source { directory: directory.to_owned(), message });
    }
    componentize(directory, &project::read(directory.join(made))?)
}

fn check_go(directory: &Path) -> Result<(), BuildError> {
    let said = project::output(directory, "go", &["env", "GOVERSION"])
        .map_err(|e| no_go(format!("cannot be started: {e}")))?;
    let said = String::from_utf8_lossy(&said.stdout);
    match project::version(&said) {
        Some(found) if found >= GO_MIN => Ok(()),
        _ => Err(no_go(format!("is too old: it is {}", said.trim()))),
    }
}

fn no_go(why: String) -> BuildError {
    BuildError::Tool { tool: "go", why, install: INSTALL_GO.to_owned() }
}
