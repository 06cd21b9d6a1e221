//! Python: laid into CPython by componentize-py, in a virtual environment of the project's own.
//!
//! The SDK is part of this program and is laid out in the project; componentize-py comes from PyPI in one pinned version.

use std::path::{Path, PathBuf};

use super::project::{self, HIDDEN, WORLD};
use super::{BuildError, cut};
use crate::rules::run::stage::Stage;

/// The SDK, as it lies in a project's hidden folder.
pub const SDK: [(&str, &str); 9] = [
    ("ruledesk/__init__.py", include_str!("../../../../sdk/python/ruledesk/__init__.py")),
    ("ruledesk/contract.py", include_str!("../../../../sdk/python/ruledesk/contract.py")),
    ("ruledesk/answers.py", include_str!("../../../../sdk/python/ruledesk/answers.py")),
    ("ruledesk/settings.py", include_str!("../../../../sdk/python/ruledesk/settings.py")),
    ("ruledesk/host.py", include_str!("../../../../sdk/python/ruledesk/host.py")),
    ("ruledesk/log.py", include_str!("../../../../sdk/python/ruledesk/log.py")),
    ("ruledesk/testing.py", include_str!("../../../../sdk/python/ruledesk/testing.py")),
    ("ruledesk/component.py", include_str!("../../../../sdk/python/ruledesk/component.py")),
    ("ruledesk/py.typed", ""),
];
/// What makes the component, in the version that this program was tested with.
pub const COMPONENTIZE: &str = "componentize-py==0.25.1";
/// SHA-256 of its files, as PyPI has them: for Linux (two processors), macOS (two) and Windows. Others are not installed.
const COMPONENTIZE_HASHES: [&str; 5] = [
    "8623cd8cab8453cb0cd8bf03f3c7103420d06f2f3d360186a280a70a1ca5e89f",
    "7b6a87c520358166843af0daa86d2312d7af4cbcbbf1e598951085cf7f2991ca",
    "a556991534cc496207a9d2ca733c4b0f17ed38ef56a8d6b5f1847fdf1225dd1b",
    "65fbc4a94df1de8acf7da50a1f5ed1711230188844e53e6332d99029be4e0afa",
    "c7fd552fb0849858b0c1e8981543ed5dff4b0cc1597a8ea0bc26a495786dc0c6",
];
/// The list of the tool with its hashes, in the project's hidden folder.
const TOOL_LIST: &str = ".ruledesk/tool.txt";
/// A project's own list of dependencies with their hashes, as `pip-compile --generate-hashes` writes one. Where it is there, it
/// is what is installed, and nothing beyond it.
const LOCKED: &str = "requirements.txt";
/// The oldest Python that builds and tests rules. In the component runs the one that componentize-py brings.
const PYTHON_MIN: (u32, u32) = (3, 10);
const INSTALL_PYTHON: &str = "install Python 3.10 or newer with venv and pip, such as by \
     `apt-get install python3 python3-venv python3-pip`, or from https://python.org";
/// The C library brings sockets, which no rule can use.
const CUT: [&str; 1] = ["wasi:sockets/"];

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
/// Says what to install, or that the source is wrong; what componentize-py says about it has been printed.
pub fn build(directory: &Path) -> Result<Vec<u8>, BuildError> {
    let stages = project::stages(directory)?;
    let project = Project::read(directory)?;
    check_python(directory)?;
    prepare(directory)?;
    project::lay_out_contract(directory, &stages)?;
    project::lay_out(directory, "app", &[("ruledesk_start.py", &start(&project.module, &stages))])?;
    let tool = tool(directory)?;
    let packages = packages(directory, &project.dependencies)?;
    let hidden = |name: &str| format!("{HIDDEN}/{name}");
    let made = hidden("rule.wasm");
    let mut command = project::command(directory, &tool);
    // What else is installed on this machine is none of the rule's.
    command.env_remove("VIRTUAL_ENV").env_remove("PYTHONPATH");
    command.args(["--quiet", "--wit-path", &hidden("wit"), "--world", WORLD, "componentize"]);
    for path in [hidden("app"), hidden("sdk"), project.source].into_iter().chain(packages) {
        command.args(["--python-path", &path]);
    }
    let status = command.args(["ruledesk_start", "--output", &made]).status();
    if !status.map_err(|e| no_componentize(directory, &format!("cannot be started: {e}")))?.success() {
        let message = "Python or componentize-py says why above".to_owned();
        return Err(BuildError::Source { directory: directory.to_owned(), message });
    }
    let component = project::read(directory.join(made))?;
    cut::imports(&component, &CUT).map_err(|source| BuildError::Cut { directory: directory.to_owned(), source })
}

/// What `pyproject.toml` says.
struct Project {
    /// The folder with the rule's module, such as `src`.
    source: String,
    /// The module that has a global named `rule`.
    module: String,
    /// Packages to take into the component.
    dependencies: Vec<String>,
}

impl Project {
    fn read(directory: &Path) -> Result<Self, BuildError> {
        let refused = |message: String| BuildError::Source { directory: directory.to_owned(), message };
        let text = project::read(directory.join("pyproject.toml"))?;
        let table: toml::Table = toml::from_str(&String::from_utf8_lossy(&text))
            .map_err(|e| refused(format!("pyproject.toml is not TOML: {e}")))?;
        let own = table.get("tool").and_then(|tool| tool.get("ruledesk"));
        let word = |key: &str, usual: &str| {
            own.and_then(|own| own.get(key)).and_then(|value| value.as_str()).unwrap_or(usual).to_owned()
        };
        let (source, module) = (word("source", "src"), word("module", "rule"));
        let file = Path::new(&source).join(format!("{module}.py"));
        if !directory.join(&file).is_file() && !directory.join(&source).join(&module).is_dir() {
            return Err(refused(format!(
                "there is no {}: name the module with the rule under [tool.ruledesk] in pyproject.toml, \
                 `source` for its folder and `module` for its name",
                file.display()
            )));
        }
        let dependencies = table.get("project").and_then(|project| project.get("dependencies"));
        let dependencies = dependencies.and_then(|list| list.as_array()).into_iter().flatten();
        Ok(Self { source, module, dependencies: dependencies.filter_map(|d| d.as_str()).map(str::to_owned).collect() })
    }
}

/// The module that componentize-py begins with: it joins the rule to the contract.
fn start(module: &str, stages: &[Stage]) -> String {
    let names: Vec<&str> = stages.iter().map(|stage| stage.name()).collect();
    let mut text = format!(
        "# Made by `ruledesk rule build`.\nfrom ruledesk.component import ready, rule_of, settings_of, stage_of\n\
         from wit_world.exports import {}\nimport {module} as source\n\nrule = rule_of(source)\n\
         Settings = settings_of(rule)\n",
        names.join(", ")
    );
    for name in names {
        let mut class = name.to_owned();
        if let Some(first) = class.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        text += &format!("{class} = stage_of(rule, \"{name}\", {name})\n");
    }
    text + "ready()\n"
}

fn check_python(directory: &Path) -> Result<(), BuildError> {
    let said = project::output(directory, "python3", &["--version"])
        .map_err(|e| no_python(format!("cannot be started: {e}")))?;
    let said = String::from_utf8_lossy(&said.stdout);
    match project::version(&said) {
        Some(found) if found >= PYTHON_MIN => Ok(()),
        _ => Err(no_python(format!("is too old: it is {}", said.trim()))),
    }
}

fn no_python(why: String) -> BuildError {
    BuildError::Tool { tool: "python3", why, install: INSTALL_PYTHON.to_owned() }
}

fn no_componentize(directory: &Path, why: &str) -> BuildError {
    let folder = directory.join(HIDDEN).join("venv");
    let folder = folder.display();
    BuildError::Tool {
        tool: "componentize-py",
        why: why.to_owned(),
        install: format!(
            "{INSTALL_PYTHON}; then run `python3 -m venv {folder} && {folder}/bin/pip install {COMPONENTIZE}`"
        ),
    }
}

/// componentize-py in the project's own environment, which is made where it is missing.
fn tool(directory: &Path) -> Result<PathBuf, BuildError> {
    let venv = directory.join(HIDDEN).join("venv");
    let tool = std::path::absolute(venv.join("bin/componentize-py"))
        .map_err(|source| BuildError::File { path: venv.clone(), source })?;
    if project::output(directory, &tool, &["--version"]).is_ok_and(|said| said.status.success()) {
        return Ok(tool);
    }
    tracing::info!("{}: no componentize-py yet, so it is installed into {}", directory.display(), venv.display());
    let venv = format!("{HIDDEN}/venv");
    let pip = directory.join(HIDDEN).join("venv/bin/python");
    let pip = std::path::absolute(&pip).map_err(|source| BuildError::File { path: pip, source })?;
    let steps: [(&std::ffi::OsStr, &[&str], &str); 2] = [
        ("python3".as_ref(), &["-m", "venv", &venv], "could not get an environment of its own"),
        (
            pip.as_ref(),
            &[
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--require-hashes",
                "--no-deps",
                "--only-binary=:all:",
                "-r",
                TOOL_LIST,
            ],
            "could not be installed",
        ),
    ];
    let list = directory.join(TOOL_LIST);
    let file = |source| BuildError::File { path: list.clone(), source };
    std::fs::create_dir_all(directory.join(HIDDEN)).map_err(file)?;
    std::fs::write(&list, tool_list()).map_err(file)?;
    for (program, arguments, why) in steps {
        let status = project::command(directory, program).args(arguments).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(no_componentize(directory, why));
        }
    }
    Ok(tool)
}

/// The tool with the hashes that it may have, as pip reads it.
fn tool_list() -> String {
    let hashes = COMPONENTIZE_HASHES.map(|hash| format!(" --hash=sha256:{hash}"));
    format!("{COMPONENTIZE}{}\n", hashes.concat())
}

/// The folder with what the project depends on, if anything: installed again when the list has changed.
fn packages(directory: &Path, dependencies: &[String]) -> Result<Option<String>, BuildError> {
    if dependencies.is_empty() {
        return Ok(None);
    }
    let folder = format!("{HIDDEN}/packages");
    let list = directory.join(HIDDEN).join("packages.txt");
    let locked = std::fs::read_to_string(directory.join(LOCKED)).ok().filter(|text| text.contains("--hash="));
    let wanted = locked.clone().unwrap_or_else(|| dependencies.join("\n"));
    if std::fs::read_to_string(&list).is_ok_and(|have| have == wanted) {
        return Ok(Some(folder));
    }
    let python = directory.join(HIDDEN).join("venv/bin/python");
    let python = std::path::absolute(&python).map_err(|source| BuildError::File { path: python, source })?;
    let mut install = project::command(directory, python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target", &folder]);
    // What is compiled for this machine does not run in a component.
    install.args(["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"]);
    match locked {
        Some(_) => install.args(["--require-hashes", "-r", LOCKED]),
        None => install.args(dependencies),
    };
    if !install.status().is_ok_and(|status| status.success()) {
        let message =
            "pip could not install the dependencies of pyproject.toml: only packages in pure Python can be part \
                       of a rule"
                .to_owned();
        return Err(BuildError::Source { directory: directory.to_owned(), message });
    }
    std::fs::write(&list, wanted).map_err(|source| BuildError::File { path: list, source })?;
    Ok(Some(folder))
}
