//! Makes the folder of a new rule: complete, buildable, commented, and the same rule in every language, so that one
//! manifest with its examples fits them all. Each language's own files are in `new/LANGUAGE.rs`.

use std::io;
use std::path::{Path, PathBuf};

use super::build::{self, BuildError};
use super::language::Language;
use crate::rules::load::MANIFEST_FILE;
use crate::rules::run::manifest::NAME_BYTES_MAX;
use crate::rules::run::stage::Stage;

mod c;
mod go;
mod javascript;
mod python;
mod rust;
mod template;

/// Names that mean something else to some language's tools.
const NAMES_TAKEN: [&str; 12] =
    ["alloc", "core", "crate", "main", "ruledesk", "ruledesk-sdk", "self", "serde", "std", "super", "test", "testing"];

/// What a new rule is called and where it is asked.
#[derive(Debug, Clone)]
pub struct Project {
    /// In lower-case words with hyphens between them.
    pub name: String,
    /// At least one, each once, in the order in which a ticket passes them.
    pub stages: Vec<Stage>,
}

/// A file of a new rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Below the rule's folder, with `/` between its parts.
    pub path: &'static str,
    pub text: String,
}

/// Why there is no new rule.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    #[error(
        "`{name}` cannot be a rule's name: use at most {NAME_BYTES_MAX} lower-case letters and digits in words with one \
         hyphen between them, a letter first, such as `printer-first`"
    )]
    Name { name: String },
    #[error("`{name}` means something else to a compiler: choose another name, such as `{name}-rule`")]
    NameTaken { name: String },
    #[error("a rule has at least one stage: name some with --stage")]
    NoStage,
    #[error(
        "the SDK for {language} has no `{stage}`, which came with version {since} of the contract: use one that has it, such as \
         `--lang rust`", since = stage.since()
    )]
    NotInLanguage { language: Language, stage: Stage },
    #[error("{directory} is there already and is not empty: choose another name, or remove it", directory = directory.display())]
    Exists { directory: PathBuf },
    #[error("{path} cannot be written: {source}", path = path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Sdk(#[from] BuildError),
}

impl Project {
    /// A project with this name and these stages, in the order in which a ticket passes them.
    ///
    /// # Errors
    ///
    /// Where the name would not do as a manifest's and as a package's in every language, or there is no stage.
    pub fn new(name: &str, stages: &[Stage]) -> Result<Self, NewError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let words = name.split('-').all(|word| !word.is_empty() && word.chars().all(plain));
        let letter_first = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !words || !letter_first || name.len() > NAME_BYTES_MAX {
            return Err(NewError::Name { name: name.chars().take(80).collect() });
        }
        if NAMES_TAKEN.contains(&name) {
            return Err(NewError::NameTaken { name: name.to_owned() });
        }
        let stages: Vec<Stage> = Stage::ALL.into_iter().filter(|stage| stages.contains(stage)).collect();
        if stages.is_empty() {
            return Err(NewError::NoStage);
        }
        Ok(Self { name: name.to_owned(), stages })
    }

    /// The name as a program's identifier: words with underscores between them.
    pub fn identifier(&self) -> String {
        self.name.replace('-', "_")
    }

    /// A template's text for this project. See [`template::fill`] for what a template may contain.
    pub fn fill(&self, template: &str) -> String {
        template::fill(template, self)
    }
}

/// Makes the project's folder in `parent` and returns it; editors find the language's SDK there.
///
/// # Errors
///
/// Where the folder is there already, or cannot be written.
pub fn create(parent: &Path, project: &Project, language: Language) -> Result<PathBuf, NewError> {
    if let Some(stage) = project.stages.iter().find(|stage| !language.has(**stage)) {
        return Err(NewError::NotInLanguage { language, stage: *stage });
    }
    let directory = parent.join(&project.name);
    let is_empty = |directory: &Path| std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none());
    if directory.exists() && !is_empty(&directory) {
        return Err(NewError::Exists { directory });
    }
    for file in files(project, language) {
        let path = directory.join(file.path);
        let folder = path.parent().unwrap_or(&directory);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, &file.text))
            .map_err(|source| NewError::File { path, source })?;
    }
    build::prepare(&directory, language)?;
    Ok(directory)
}

/// All files of a project, those that are the same in every language last.
pub fn files(project: &Project, language: Language) -> Vec<File> {
    let (mut files, guide) = match language {
        Language::Rust => (rust::files(project), rust::README),
        Language::JavaScript | Language::TypeScript => (javascript::files(project, language), javascript::README),
        Language::Python => (python::files(project), python::README),
        Language::Go => (go::files(project), go::README),
        Language::C => (c::files(project), c::README),
    };
    let readme = project.fill(include_str!("new/README.md.in")).replace("{{guide}}", project.fill(guide).trim());
    files.extend([
        File { path: MANIFEST_FILE, text: project.fill(include_str!("new/rule.toml.in")) },
        File { path: "README.md", text: readme },
        File { path: "cases/first.json", text: project.fill(include_str!("new/case.json.in")) },
        File { path: ".gitignore", text: include_str!("new/gitignore.in").to_owned() },
    ]);
    files
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::rules::run::manifest;

    #[test]
    fn names_are_those_that_every_language_takes() {
        for name in ["a", "printer-first", "v2-routing"] {
            assert!(Project::new(name, &[Stage::Intake]).is_ok(), "{name}");
        }
        for name in ["", "Printer", "2nd", "-a", "a-", "a--b", "a_b", "../a", "a/b", "self", "ruledesk-sdk"] {
            assert!(Project::new(name, &[Stage::Intake]).is_err(), "{name}");
        }
        assert!(matches!(Project::new("a", &[]), Err(NewError::NoStage)));
    }

    #[test]
    fn a_stage_that_a_language_has_not_is_refused_before_anything_is_made() {
        let nowhere = Path::new("/nowhere");
        let project = Project::new("thanks", &[Stage::Closing]).unwrap();
        for language in Language::ALL.into_iter().filter(|language| !language.has(Stage::Closing)) {
            let refused = create(nowhere, &project, language).unwrap_err();
            assert!(matches!(refused, NewError::NotInLanguage { stage: Stage::Closing, .. }), "{refused}");
        }
        assert!(Language::Rust.has(Stage::Closing));
    }

    #[test]
    fn the_manifest_is_right_for_every_choice_of_stages() {
        for chosen in 1..64_u32 {
            let stages: Vec<Stage> =
                Stage::ALL.into_iter().enumerate().filter(|(n, _)| chosen & (1 << n) != 0).map(|(_, s)| s).collect();
            let project = Project::new("printer-first", &stages).unwrap();
            let files = files(&project, Language::Rust);
            let text = |path: &str| files.iter().find(|file| file.path == path).unwrap().text.clone();
            let manifest = manifest::parse(Path::new("rule.toml"), &text("rule.toml")).unwrap();
            assert_eq!(manifest.stages, stages);
            assert_eq!(manifest.examples.len(), 2 * stages.len());
            let case: serde_json::Value = serde_json::from_str(&text("cases/first.json")).unwrap();
            assert_eq!(case["stage"], stages[0].name());
            for file in &files {
                assert!(!file.text.contains("{{"), "{} for {stages:?}:\n{}", file.path, file.text);
            }
        }
    }
}
