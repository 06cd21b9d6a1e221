//! What a file claims to be, read from its imports and exports without compiling or running any of it.

use wasmparser::{CanonicalFunction, CanonicalOption, Encoding, Parser, Payload};

use crate::rules::contract::connector::INTERFACE;
use crate::rules::contract::packed::MARK;
use crate::rules::contract::{NEWEST, PACKAGE, VERSION};
use crate::rules::run::stage::Stage;
use crate::rules::run::wasi;
use crate::rules::text::one_line;

/// The interfaces that a rule may import, without package and version.
const IMPORTS: [&str; 4] = ["log", "last-words", "tables", "types"];

/// How many names of a component are shown, and how much of each, in characters.
const NAMES_MAX: usize = 20;
const NAME_CHARS_MAX: usize = 100;
/// The most outermost imports and exports that are read: those of a rule in any language are some dozens, while a file of the allowed
/// size has room for millions, each of which takes ten times its bytes here.
const NAMES_READ_MAX: usize = 1_000;

/// A component that the desk could ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The version of the contract that it exports.
    pub version: String,
    /// The stages that it exports, in the order of [`Stage::ALL`].
    pub stages: Vec<Stage>,
    /// Whether it takes settings.
    pub takes_settings: bool,
    /// The interfaces that it imports, with package and version.
    pub imports: Vec<String>,
    /// Whether it imports WASI, as the runtimes of most languages do.
    pub wasi: bool,
    /// Whether it takes its input in one block ([`MARK`]).
    pub takes_one_block: bool,
}

/// Why the desk does not take a file as a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it is {bytes} bytes; allowed are {bytes_max}. Build it smaller, or raise `component-mib-max`")]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("it is not WebAssembly: it does not begin with `\\0asm`")]
    NotWasm,
    #[error(
        "it is machine code compiled beforehand (`.cwasm`), which the desk never takes from outside: ship the component itself"
    )]
    Precompiled,
    #[error("it is a core module, not a component: make a component of it with `ruledesk rule build`")]
    CoreModule,
    #[error("it is damaged or cut off at byte {offset}: {message}")]
    Malformed { offset: usize, message: String },
    #[error(
        "it imports `{import}`, which the desk does not offer: a rule may import {PACKAGE}/log, last-words and tables @{VERSION}, and of WASI 0.2 what a runtime needs that reaches no network: cli, clocks, filesystem (empty), io and random"
    )]
    Import { import: String },
    #[error(
        "it imports `{import}`, and a rule can reach no network: build it without that (`ruledesk rule build` does), and let an admin keep what it would fetch in a reference table"
    )]
    Network { import: String },
    #[error("it speaks {found}, and this desk speaks {PACKAGE} 1.x: build it against `sdk/wit/{NEWEST}`")]
    OtherContract { found: String },
    #[error(
        "it exports no stage of {PACKAGE}@{VERSION} to {NEWEST}; a rule exports intake, categorization, priority, routing, access or closing. It exports: {exports}"
    )]
    NoStage { exports: String },
    #[error("it does not export {INTERFACE}, as a connector does. It exports: {exports}")]
    NoConnector { exports: String },
    #[error(
        "it imports and exports more than {NAMES_READ_MAX} things; a rule exports its stages and imports what its runtime needs"
    )]
    TooManyNames,
    #[error("it exports two versions of the contract at once: {first} and {second}; a rule is of one")]
    Clash { first: String, second: String },
}

/// Reads the outermost imports and exports of a component.
///
/// # Errors
///
/// Says why these bytes are not a rule of this contract. The code inside is validated when it is compiled.
pub fn inspect(bytes: &[u8], bytes_max: usize) -> Result<Inspection, Refused> {
    check_kind(bytes, bytes_max)?;
    let Outline { imports, exports, memories, other_memories, other_texts } = outline(bytes)?;
    for import in &imports {
        check_import(import)?;
    }
    let version = check_versions(&exports)?;
    let stages: Vec<Stage> = Stage::ALL
        .into_iter()
        .filter(|stage| exports.iter().any(|export| ours(export) == Some(stage.name())))
        .collect();
    if stages.is_empty() {
        return Err(no_stage(&exports));
    }
    let takes_settings = exports.iter().any(|export| ours(export) == Some("settings"));
    let wasi = imports.iter().any(|import| import.starts_with("wasi:"));
    let takes_one_block = memories == 1 && other_memories == 0 && !other_texts;
    Ok(Inspection { version, stages, takes_settings, imports, wasi, takes_one_block })
}

/// Reads the outermost imports and exports of a connector; whether it imports WASI.
///
/// # Errors
///
/// Says why these bytes are no connector. The code inside is validated when it is compiled.
pub fn inspect_connector(bytes: &[u8], bytes_max: usize) -> Result<bool, Refused> {
    check_kind(bytes, bytes_max)?;
    let Outline { imports, exports, .. } = outline(bytes)?;
    for import in &imports {
        check_import(import)?;
    }
    if !exports.iter().any(|export| export == INTERFACE) {
        return Err(Refused::NoConnector { exports: named(&exports) });
    }
    Ok(imports.iter().any(|import| import.starts_with("wasi:")))
}

fn check_kind(bytes: &[u8], bytes_max: usize) -> Result<(), Refused> {
    if bytes.len() > bytes_max {
        return Err(Refused::TooLarge { bytes: bytes.len(), bytes_max });
    }
    if bytes.starts_with(b"\x7fELF") {
        return Err(Refused::Precompiled);
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(Refused::NotWasm);
    }
    Ok(())
}

/// What is read of a component.
#[derive(Default)]
struct Outline {
    /// The names of the outermost imports and exports.
    imports: Vec<String>,
    exports: Vec<String>,
    /// The memories of core modules that carry the [`MARK`], and of those that do not.
    memories: u32,
    other_memories: u32,
    /// Whether some function lifts or lowers texts in another encoding than UTF-8.
    other_texts: bool,
}

/// A module or component inside of the component.
#[derive(Default)]
struct Inner {
    marked: bool,
    memories: u32,
}

impl Outline {
    fn count(&mut self, inner: &Inner) {
        let memories = if inner.marked { &mut self.memories } else { &mut self.other_memories };
        *memories = memories.saturating_add(inner.memories);
    }

    /// Adds an outermost name to one of the lists.
    fn name(&mut self, name: &str, list: fn(&mut Self) -> &mut Vec<String>) -> Result<(), Refused> {
        if self.imports.len() + self.exports.len() >= NAMES_READ_MAX {
            return Err(Refused::TooManyNames);
        }
        list(self).push(name.to_owned());
        Ok(())
    }
}

fn outline(bytes: &[u8]) -> Result<Outline, Refused> {
    let malformed = |error: wasmparser::BinaryReaderError| Refused::Malformed {
        offset: error.offset(),
        message: error.message().to_owned(),
    };
    let mut outline = Outline::default();
    let mut inners: Vec<Inner> = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding: Encoding::Module, .. } if inners.is_empty() => {
                return Err(Refused::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => inners.push(Inner::default()),
            Payload::End(_) => {
                if let Some(inner) = inners.pop() {
                    outline.count(&inner);
                }
            }
            Payload::MemorySection(section) => {
                if let Some(inner) = inners.last_mut() {
                    // What a section claims is not checked yet, and neither is that there is one only.
                    inner.memories = inner.memories.saturating_add(section.count());
                }
            }
            Payload::CustomSection(section) if section.name() == MARK => {
                if let Some(inner) = inners.last_mut() {
                    inner.marked = true;
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    outline.other_texts |= has_other_texts(&function.map_err(malformed)?);
                }
            }
            Payload::ComponentImportSection(section) if inners.is_empty() => {
                for import in section {
                    outline.name(import.map_err(malformed)?.name.name, |outline| &mut outline.imports)?;
                }
            }
            Payload::ComponentExportSection(section) if inners.is_empty() => {
                for export in section {
                    outline.name(export.map_err(malformed)?.name.name, |outline| &mut outline.exports)?;
                }
            }
            _ => {}
        }
    }
    Ok(outline)
}

fn has_other_texts(function: &CanonicalFunction) -> bool {
    let (CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. }) = function else {
        return false;
    };
    options.iter().any(|option| matches!(option, CanonicalOption::UTF16 | CanonicalOption::CompactUTF16))
}

/// The interface's own name, if it is one of this contract that we serve. By the component model's rules a component
/// built against any 1.x matches the 1.x that is served.
fn ours(name: &str) -> Option<&str> {
    let (package, rest) = name.split_once('/')?;
    let (interface, version) = rest.split_once('@')?;
    (package == PACKAGE && version.split('.').next() == Some("1")).then_some(interface)
}

fn check_import(import: &str) -> Result<(), Refused> {
    if let Some(interface) = ours(import)
        && IMPORTS.contains(&interface)
    {
        return Ok(());
    }
    if let Some((interface, version)) = import.split_once('@')
        && version.starts_with(wasi::VERSION_TRACK)
        && wasi::OFFERED.contains(&interface)
    {
        return Ok(());
    }
    if import.starts_with("wasi:sockets/") || import.starts_with("wasi:http/") {
        return Err(Refused::Network { import: one_line(import, NAME_CHARS_MAX) });
    }
    match import.strip_prefix(PACKAGE) {
        Some(rest) if rest.starts_with('/') && ours(import).is_none() => {
            Err(Refused::OtherContract { found: one_line(import, NAME_CHARS_MAX) })
        }
        _ => Err(Refused::Import { import: one_line(import, NAME_CHARS_MAX) }),
    }
}

/// The one version of the contract that a component exports; empty where it exports none. Interfaces of one package have one
/// version, so two versions are of two worlds, and neither is known to be the one that is meant.
fn check_versions(exports: &[String]) -> Result<String, Refused> {
    let of_the_contract = |export: &&String| export.strip_prefix(PACKAGE).is_some_and(|rest| rest.starts_with('/'));
    let version = |export: &String| export.split_once('@').map(|(_, version)| version.to_owned());
    let mut contract = exports.iter().filter(of_the_contract);
    let Some(first) = contract.next() else { return Ok(String::new()) };
    match contract.find(|export| version(export) != version(first)) {
        Some(second) => {
            Err(Refused::Clash { first: one_line(first, NAME_CHARS_MAX), second: one_line(second, NAME_CHARS_MAX) })
        }
        None => Ok(version(first).unwrap_or_default()),
    }
}

/// Some names, as far as a person reads them.
fn named(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES_MAX).map(|name| one_line(name, NAME_CHARS_MAX)).collect();
    let more = names.len().saturating_sub(NAMES_MAX);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    shown.join(", ") + &more
}

fn no_stage(exports: &[String]) -> Refused {
    let other =
        exports.iter().find(|export| export.starts_with(PACKAGE) && ours(export).is_none() && export.contains('@'));
    match other {
        Some(found) => Refused::OtherContract { found: one_line(found, NAME_CHARS_MAX) },
        None if exports.is_empty() => Refused::NoStage { exports: "nothing".to_owned() },
        None => Refused::NoStage { exports: named(exports) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Refused {
        inspect(&wat::parse_str(text).unwrap(), 1 << 20).unwrap_err()
    }

    #[test]
    fn what_is_no_component_is_named() {
        assert_eq!(inspect(b"#!/bin/sh", 99).unwrap_err(), Refused::NotWasm);
        assert_eq!(inspect(b"\x7fELF....", 99).unwrap_err(), Refused::Precompiled);
        assert_eq!(inspect(b"\0asm1234", 4).unwrap_err(), Refused::TooLarge { bytes: 8, bytes_max: 4 });
        assert_eq!(refusal("(module)"), Refused::CoreModule);
        assert!(matches!(refusal("(component)"), Refused::NoStage { .. }));
    }

    #[test]
    fn a_cut_off_component_is_malformed() {
        let whole = wat::parse_str("(component (core module (memory 1)))").unwrap();
        for end in 8..whole.len() {
            let refused = inspect(&whole[..end], 1 << 20).unwrap_err();
            let named = matches!(refused, Refused::Malformed { .. } | Refused::NoStage { .. });
            assert!(named, "cut at {end}: {refused}");
        }
    }

    #[test]
    fn only_the_contracts_own_imports_are_allowed() {
        let import = |name: &str| refusal(&format!(r#"(component (import "{name}" (instance)))"#));
        assert!(matches!(import("wasi:cli/environment@0.2.6"), Refused::NoStage { .. }));
        assert!(matches!(import("wasi:cli/environment@0.3.0"), Refused::Import { .. }));
        assert!(matches!(import("wasi:cli/run@0.2.6"), Refused::Import { .. }));
        assert!(matches!(import("wasi:sockets/tcp@0.2.6"), Refused::Network { .. }));
        assert!(matches!(import("wasi:http/types@0.2.0"), Refused::Network { .. }));
        assert!(matches!(import("ruledesk:rules/files@1.0.0"), Refused::Import { .. }));
        assert!(matches!(import("ruledesk:rules/log@2.0.0"), Refused::OtherContract { .. }));
        assert!(matches!(import("ruledesk:rules/log@1.0.0"), Refused::NoStage { .. }));
    }

    #[test]
    fn the_mark_counts_for_the_only_memory_and_texts_in_utf_8() {
        let takes = |inside: &str| {
            let text =
                format!(r#"(component {inside} (instance $i) (export "ruledesk:rules/intake@1.0.0" (instance $i)))"#);
            inspect(&wat::parse_str(text).unwrap(), 1 << 20).unwrap().takes_one_block
        };
        let marked = r#"(core module (memory 1) (@custom "ruledesk:arena" ""))"#;
        assert!(takes(marked));
        assert!(takes(&format!("{marked} (core module)")), "a module without memory owns none");
        assert!(!takes("(core module (memory 1))"));
        assert!(!takes(r#"(core module (@custom "ruledesk:arena" ""))"#));
        assert!(!takes(r#"(core module (memory 1)) (core module (@custom "ruledesk:arena" ""))"#), "of another module");
        assert!(!takes(&format!("{marked} (core module (memory 1))")), "whose memory it is, nobody can tell");
        assert!(!takes(r#"(@custom "ruledesk:arena" "") (component (core module (memory 1)))"#));
        let utf_16 = r#"(core module $m (func (export "f"))) (core instance $n (instantiate $m))
            (func (canon lift (core func $n "f") string-encoding=utf16))"#;
        assert!(!takes(&format!("{marked} {utf_16}")));
        assert!(takes(&format!("{marked} {}", utf_16.replace("utf16", "utf8"))));
    }

    #[test]
    fn a_section_that_claims_too_much_does_no_harm() {
        // Twice in one module, 2^32 - 1 memories and nothing behind the number.
        let claim = wasm_encoder::RawSection { id: 5, data: &[0xff, 0xff, 0xff, 0xff, 0x0f] };
        let mut module = wasm_encoder::Module::new();
        module.section(&claim).section(&claim);
        let mut component = wasm_encoder::Component::new();
        for _ in 0..2 {
            component.section(&wasm_encoder::ModuleSection(&module));
        }
        let refused = inspect(&component.finish(), 1 << 20).unwrap_err();
        assert!(matches!(refused, Refused::NoStage { .. } | Refused::Malformed { .. }), "{refused}");
    }

    #[test]
    fn so_many_names_are_read_and_no_more() {
        let exports = |count: usize| {
            let all: String = (0..count).map(|n| format!("(export \"e{n}\" (instance $i))")).collect();
            refusal(&format!("(component (instance $i) {all})"))
        };
        assert!(matches!(exports(NAMES_READ_MAX), Refused::NoStage { .. }));
        assert_eq!(exports(NAMES_READ_MAX + 1), Refused::TooManyNames);
    }

    #[test]
    fn two_versions_at_once_clash() {
        let export = |name: &str| format!("(export \"ruledesk:rules/{name}\" (instance $i))");
        let refused =
            refusal(&format!("(component (instance $i) {} {})", export("intake@1.0.0"), export("access@2.0.0")));
        assert!(matches!(refused, Refused::Clash { .. }), "{refused}");
        let (first, second) = (export("intake@1.0.0"), export("settings@1.0.0"));
        let component = wat::parse_str(format!("(component (instance $i) {first} {second})")).unwrap();
        assert!(inspect(&component, 1 << 20).is_ok());
    }

    #[test]
    fn a_component_of_a_later_minor_version_is_one_of_ours() {
        let text = r#"(component (import "ruledesk:rules/log@1.1.0" (instance)) (instance $i)
            (export "ruledesk:rules/closing@1.1.0" (instance $i)) (export "ruledesk:rules/settings@1.1.0" (instance $i)))"#;
        let found = inspect(&wat::parse_str(text).unwrap(), 1 << 20).unwrap();
        assert_eq!((found.version.as_str(), found.stages), ("1.1.0", vec![Stage::Closing]));
        let export = |name: &str| format!("(export \"ruledesk:rules/{name}\" (instance $i))");
        let both = format!("(component (instance $i) {} {})", export("intake@1.0.0"), export("closing@1.1.0"));
        assert!(matches!(refusal(&both), Refused::Clash { .. }), "one component is of one version");
    }

    #[test]
    fn another_contracts_stage_is_named() {
        let refused = refusal(r#"(component (instance $i) (export "ruledesk:rules/intake@2.0.0" (instance $i)))"#);
        assert_eq!(refused, Refused::OtherContract { found: "ruledesk:rules/intake@2.0.0".to_owned() });
    }
}
