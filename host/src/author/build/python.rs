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
            &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", COMPONENTIZE],
            "could not be installed",
        ),
    ];
    for (program, arguments, why) in steps {
        let status = project::command(directory, program).args(arguments).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(no_componentize(directory, why));
        }
    }
    Ok(tool)
}

/// The folder with what the project depends on, if anything: installed again when the list has changed.
fn packages(directory: &Path, dependencies: &[String]) -> Result<Option<String>, BuildError> {
    if dependencies.is_empty() {
        return Ok(None);
    }
    let folder = format!("{HIDDEN}/packages");
    let list = directory.join(HIDDEN).join("packages.txt");
    let wanted = dependencies.join("\n");
    if std::fs::read_to_string(&list).is_ok_and(|have| have == wanted) {
        return Ok(Some(folder));
    }
    let python = directory.join(HIDDEN).join("venv/bin/python");
    let python = std::path::absolute(&python).map_err(|source| BuildError::File { path: python, source })?;
    let mut install = project::command(directory, python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target", &folder]);
    // What is compiled for this machine does not run in a component.
    install.args(["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"]).args(dependencies);
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
