//! What to do about a rule that was refused: for each reason a stable word for programs and a sentence for its author, who
//! may see a component for the first time.

use super::load::compile::CompileError;
use super::load::inspect::Refused;
use super::load::trust::Untrusted;
use super::load::{LoadError, MANIFEST_FILE};

/// What to do about a file that is no rule.
pub fn of_refused(refused: &Refused) -> &'static str {
    match refused {
        Refused::TooLarge { .. } => {
            "build it smaller (without debug information, optimised for size), or ask the desk's admin to raise \
             `component-mib-max`"
        }
        Refused::NotWasm => {
            "give the .wasm file that `ruledesk rule build` made, not its source, not an archive, not a text"
        }
        Refused::Precompiled => "give the component itself, the .wasm file: each desk compiles it anew",
        Refused::CoreModule => {
            "a compiler makes a core module first, and a component is made of it: run `ruledesk rule build` in the rule's \
             folder"
        }
        Refused::Malformed { .. } => {
            "the file is not whole: copy or download it again and compare the sizes, or build it again"
        }
        Refused::Import { .. } => {
            "find what in the source, or in a library of it, asks for that, and do without; `ruledesk rule build` links a \
             runtime that needs nothing else"
        }
        Refused::Network { .. } => {
            "a decision depends on its input, its settings and reference tables alone, so that it can be made again: remove \
             the network call, and let an admin keep what it would fetch in a reference table"
        }
        Refused::OtherContract { .. } => {
            "build it with the SDK that belongs to this desk: `ruledesk rule build` of the same version lays it out"
        }
        Refused::Clash { .. } => {
            "a rule is built against one version of the contract: look for a second copy of the SDK among its dependencies, \
             remove one, and build it again"
        }
        Refused::TooManyNames => {
            "export only what the contract names: `ruledesk rule build` makes a component that does"
        }
        Refused::NoConnector { .. } => {
            "export the interface of `sdk/wit/connector`, and make a component of it with `ruledesk connector build`"
        }
        Refused::NoStage { .. } => {
            "export the function of a stage: in Rust `export!(MyRule: priority);`, in JavaScript `export const priority`, in \
             Python a class `Priority`; `ruledesk rule new` makes a rule that does"
        }
    }
}

/// What to do about a rule that gives none.
pub fn of_load(error: &LoadError) -> &'static str {
    match error {
        LoadError::Refused { source, .. } => of_refused(source),
        LoadError::Untrusted { source, .. } => of_untrusted(source),
        LoadError::StageNotExported { .. } => {
            "remove the stage from `stages` in the manifest, or add its function to the source and build again"
        }
        LoadError::Misfit { .. } => {
            "the functions are there, and their types are not the contract's: build it with the SDK of this desk, and do not \
             change the .wit files"
        }
        LoadError::NoSuchTable { .. } => "correct the name under `tables`, or ask the desk's admin for the table",
        LoadError::Compile { source: CompileError::Refused(message), .. } if message.contains("settings") => {
            "correct `[settings]` in the manifest; the sentences above are the rule's own"
        }
        LoadError::Compile { source: CompileError::TooLong(_) | CompileError::Died { .. }, .. } => {
            "it is too large or too strange for the compiler: build it smaller, with optimisation and without debug \
             information"
        }
        LoadError::Compile { source: CompileError::NotStarted { .. }, .. } => {
            "it says nothing about the rule: try again when the machine has room for another process"
        }
        LoadError::Compile { .. } => {
            "the file is damaged, or a tool made something that is not valid: build it again with `ruledesk rule build`"
        }
        LoadError::Manifest(_) => "mend the manifest: the SDK's guide has a table of its keys",
        LoadError::Bug { .. } => "report it, with the file",
        LoadError::Example { .. } => "correct the rule or the example; `ruledesk rule test` shows all of them",
        LoadError::OtherComponent { .. } => {
            "put manifest and component of one version there, or correct `component` in the manifest, which is the SHA-256 of \
             `rule.wasm`"
        }
        LoadError::Table { .. } => "correct the name in the table, or let the desk's admin add it to the configuration",
        LoadError::BeyondLimit { .. } => "take folders away that are no rules, or make one rule of several",
        LoadError::Unreadable { .. }
        | LoadError::TooLong { .. }
        | LoadError::NoFile { .. }
        | LoadError::Unstable { .. }
        | LoadError::Outside { .. } => "give a file that can be read and that nobody is writing to",
    }
}

fn of_untrusted(untrusted: &Untrusted) -> &'static str {
    match untrusted {
        Untrusted::Unsigned { .. } | Untrusted::Unreadable { .. } => {
            "sign it with `ruledesk rule sign DIR --key KEY`, with one of those keys"
        }
        Untrusted::UnknownKey { .. } => {
            "sign it with one of those keys, or let the desk's admin add this one to `trusted-keys`"
        }
        Untrusted::Withdrawn { .. } => "ship another version: this one was taken out for good",
        Untrusted::Forged { .. } => "do not use it: somebody may have tampered with it. Sign what you built yourself",
        Untrusted::OtherComponent { .. } | Untrusted::OtherManifest { .. } => {
            "sign it again after the last change with `ruledesk rule sign`, if the change is yours"
        }
    }
}

/// Which file is at fault, and a stable word for the reason.
pub fn code_of(error: &LoadError) -> (&'static str, &'static str) {
    match error {
        LoadError::Bug { .. } => ("component", "bug"),
        LoadError::Unreadable { .. } => ("component", "unreadable"),
        LoadError::NoFile { file, .. } if file.ends_with(MANIFEST_FILE) => ("manifest", "no-file"),
        LoadError::NoFile { .. } => ("component", "no-file"),
        LoadError::Unstable { .. } => ("component", "changing"),
        LoadError::Outside { .. } => ("component", "outside"),
        LoadError::TooLong { .. } => ("component", "too-large"),
        LoadError::OtherComponent { .. } => ("manifest", "other-component"),
        LoadError::Table { .. } => ("manifest", "unknown-name"),
        LoadError::BeyondLimit { .. } => ("manifest", "beyond-limit"),
        LoadError::Manifest(_) => ("manifest", "invalid"),
        LoadError::Untrusted { source, .. } => ("signature", of_signature(source)),
        LoadError::Refused { source, .. } => ("component", of_kind(source)),
        LoadError::StageNotExported { .. } => ("manifest", "stage-not-exported"),
        LoadError::Compile { source, .. } => ("component", of_compiler(source)),
        LoadError::Misfit { .. } => ("component", "misfit"),
        LoadError::NoSuchTable { .. } => ("manifest", "no-such-table"),
        LoadError::Example { .. } => ("manifest", "example-failed"),
    }
}

fn of_signature(untrusted: &Untrusted) -> &'static str {
    match untrusted {
        Untrusted::Withdrawn { .. } => "withdrawn",
        Untrusted::Unsigned { .. } => "unsigned",
        Untrusted::Unreadable { .. } => "invalid",
        Untrusted::UnknownKey { .. } => "unknown-key",
        Untrusted::Forged { .. } => "forged",
        Untrusted::OtherComponent { .. } => "other-component",
        Untrusted::OtherManifest { .. } => "other-manifest",
    }
}

fn of_kind(refused: &Refused) -> &'static str {
    match refused {
        Refused::TooLarge { .. } => "too-large",
        Refused::NotWasm => "not-wasm",
        Refused::Precompiled => "precompiled",
        Refused::CoreModule => "core-module",
        Refused::Malformed { .. } => "malformed",
        Refused::Import { .. } => "import",
        Refused::Network { .. } => "network",
        Refused::OtherContract { .. } => "other-contract",
        Refused::NoStage { .. } => "no-stage",
        Refused::NoConnector { .. } => "no-connector",
        Refused::TooManyNames => "too-many-names",
        Refused::Clash { .. } => "clash",
    }
}

fn of_compiler(error: &CompileError) -> &'static str {
    match error {
        CompileError::Refused(_) => "does-not-compile",
        CompileError::TooLong(_) => "compiles-too-long",
        CompileError::Died { .. } => "compiler-died",
        CompileError::NotStarted { .. } | CompileError::NotLoadable(_) | CompileError::Cache { .. } => {
            "compiler-broken"
        }
    }
}
