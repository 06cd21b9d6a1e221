//! The languages that a rule can be written in, and how a folder shows which one it is.

use std::fmt;
use std::path::Path;

use crate::rules::contract::VERSION;
use crate::rules::run::stage::Stage;

/// A language with an SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Rust,
    JavaScript,
    TypeScript,
    Python,
    Go,
    C,
}

impl Language {
    /// All of them. TypeScript stands before JavaScript: a folder of the former has the latter's files too.
    pub const ALL: [Language; 6] =
        [Language::Rust, Language::TypeScript, Language::JavaScript, Language::Python, Language::Go, Language::C];

    /// As it is written on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::JavaScript => "javascript",
            Language::TypeScript => "typescript",
            Language::Python => "python",
            Language::Go => "go",
            Language::C => "c",
        }
    }

    /// The file that makes a folder one of this language.
    pub const fn mark(self) -> &'static str {
        match self {
            Language::Rust => "Cargo.toml",
            Language::JavaScript => "package.json",
            Language::TypeScript => "tsconfig.json",
            Language::Python => "pyproject.toml",
            Language::Go => "go.mod",
            Language::C => "Makefile",
        }
    }

    /// Whether its SDK has a stage. All speak the contract's first version, and that for Rust the newest.
    pub fn has(self, stage: Stage) -> bool {
        self == Language::Rust || stage.since() == VERSION
    }

    /// The language of a folder, by its mark.
    pub fn of(directory: &Path) -> Option<Self> {
        Self::ALL.into_iter().find(|language| directory.join(language.mark()).is_file())
    }

    /// The language with a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == name)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
