//! JavaScript and TypeScript: checked by tsc, bundled by esbuild, laid into QuickJS by componentize-qjs.
//!
//! The SDK and its build script are part of this program and are laid out in the project; the three tools come from npm,
//! in the versions that the project's `package.json` pins.

use std::path::Path;

use super::project::{self, HIDDEN};
use super::{BuildError, cut};
use crate::author::language::Language;

/// The SDK, as it lies in a project's hidden folder.
pub const SDK: [(&str, &str); 10] = [
    ("index.js", include_str!("../../../../sdk/js/index.js")),
    ("index.d.ts", include_str!("../../../../sdk/js/index.d.ts")),
    ("contract.d.ts", include_str!("../../../../sdk/js/contract.d.ts")),
    ("testing.js", include_str!("../../../../sdk/js/testing.js")),
    ("testing.d.ts", include_str!("../../../../sdk/js/testing.d.ts")),
    ("settings.js", include_str!("../../../../sdk/js/settings.js")),
    ("random.js", include_str!("../../../../sdk/js/random.js")),
    ("host.js", include_str!("../../../../sdk/js/host.js")),
    ("component.js", include_str!("../../../../sdk/js/component.js")),
    ("build.mjs", include_str!("../../../../sdk/js/build.mjs")),
];
/// The packages that a project needs to be built, in the versions that work together.
pub const PACKAGES: [(&str, &str); 2] = [("componentize-qjs", "0.4.5"), ("esbuild", "0.28.2")];
/// What TypeScript needs besides.
pub const TYPESCRIPT: (&str, &str) = ("typescript", "7.0.2");
/// The oldest Node that the tools run on.
const NODE_MIN: (u32, u32) = (18, 0);
const INSTALL_NODE: &str =
    "install Node.js 18 or newer with npm, such as by `apt-get install nodejs npm`, or from https://nodejs.org";
/// The loader of modules that the engine brings: it has done its work when the component is built.
const CUT: [&str; 1] = ["local:init/"];

/// Writes the SDK where the project's own files name it.
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
/// Says what to install, or that the source is wrong; what the tools say about it has been printed.
pub fn build(directory: &Path, language: Language) -> Result<Vec<u8>, BuildError> {
    let refused = |message: String| BuildError::Source { directory: directory.to_owned(), message };
    let stages = project::stages(directory)?;
    let entry = entry(directory)?;
    check_node(directory)?;
    prepare(directory)?;
    project::lay_out_contract(directory, &stages)?;
    install(directory, language)?;
    let node = |arguments: &[&str]| {
        project::command(directory, "node").args(arguments).status().map_err(|e| no_node(&e.to_string()))
    };
    if language == Language::TypeScript && !node(&["node_modules/typescript/bin/tsc", "--noEmit"])?.success() {
        return Err(refused("the TypeScript compiler says why above".to_owned()));
    }
    let made = format!("{HIDDEN}/rule.wasm");
    let mut arguments = vec![".ruledesk/sdk/build.mjs", &made, &entry];
    arguments.extend(stages.iter().map(|stage| stage.name()));
    if !node(&arguments)?.success() {
        return Err(refused("esbuild or the JavaScript engine says why above".to_owned()));
    }
    let wrapped = project::read(directory.join(made))?;
    let cut = cut::unwrapped(&wrapped).and_then(|component| cut::imports(component, &CUT));
    cut.map_err(|source| BuildError::Cut { directory: directory.to_owned(), source })
}

/// The module with the rule: `main` in `package.json`.
fn entry(directory: &Path) -> Result<String, BuildError> {
    let file = directory.join("package.json");
    let text = project::read(file.clone())?;
    let refused = |message: &str| BuildError::Source { directory: directory.to_owned(), message: message.to_owned() };
    let package: serde_json::Value =
        serde_json::from_slice(&text).map_err(|e| refused(&format!("package.json is not JSON: {e}")))?;
    let main = package.get("main").and_then(|main| main.as_str());
    let main = main.ok_or_else(|| refused("package.json has no `main`: name the file with the rule there"))?;
    if !directory.join(main).is_file() {
        return Err(refused(&format!("package.json names `{main}` as `main`, and there is no such file")));
    }
    Ok(main.to_owned())
}

fn check_node(directory: &Path) -> Result<(), BuildError> {
    let said = project::output(directory, "node", &["--version"]).map_err(|e| no_node(&e.to_string()))?;
    let said = String::from_utf8_lossy(&said.stdout);
    match project::version(&said) {
        Some(found) if found >= NODE_MIN => Ok(()),
        _ => Err(no_node(&format!("is too old: it is {}", said.trim()))),
    }
}

fn no_node(why: &str) -> BuildError {
    let why = if why.starts_with("is ") { why.to_owned() } else { format!("cannot be started: {why}") };
    BuildError::Tool { tool: "node", why, install: INSTALL_NODE.to_owned() }
}

/// Sees to it that the packages are there. With a lock file, which has their hashes, exactly what it names is installed;
/// without one, npm writes one, to be kept with the project. No package runs a script of its own.
fn install(directory: &Path, language: Language) -> Result<(), BuildError> {
    let typescript = (language == Language::TypeScript).then_some(TYPESCRIPT);
    let missing = || {
        let mut needed = PACKAGES.into_iter().chain(typescript);
        needed.find(|(name, _)| !directory.join("node_modules").join(name).is_dir())
    };
    if missing().is_none() {
        return Ok(());
    }
    tracing::info!("{}: no node_modules yet, so `npm install` runs", directory.display());
    let by_hand = |why: String| BuildError::Tool {
        tool: "npm",
        why,
        install: format!("{INSTALL_NODE}; then run `npm install` in {}", directory.display()),
    };
    let locked = directory.join("package-lock.json").is_file();
    let status = project::command(directory, "npm")
        .args([if locked { "ci" } else { "install" }, "--ignore-scripts", "--no-audit", "--no-fund"])
        .status()
        .map_err(|e| by_hand(format!("cannot be started: {e}")))?;
    if !status.success() {
        return Err(by_hand("could not install the packages of package.json, as it says above".to_owned()));
    }
    match missing() {
        None => Ok(()),
        Some((name, version)) => Err(BuildError::Tool {
            tool: name,
            why: "is not among the packages of package.json".to_owned(),
            install: format!("run `npm install --save-dev --save-exact {name}@{version}` in {}", directory.display()),
        }),
    }
}
