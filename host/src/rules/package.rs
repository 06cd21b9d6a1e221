//! Makes a component of the core module that a compiler left: the one place that knows how.
//!
//! The module's exports tell which stages it has, so the world is made to measure and an author names none.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as WASI_BEFORE_COMPONENTS, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasm_encoder::RawSection;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, UnresolvedPackageGroup, WorldId};

use super::contract::connector::{FUNCTION, INTERFACE};
use super::contract::packed::MARK;
use super::contract::{NEWEST, PACKAGE, VERSION};
use super::run::stage::Stage;

/// The files of a version of the contract, as they are published in `sdk/wit`.
macro_rules! contract {
    ($version:literal: $($file:literal),+ $(,)?) => {
        [$(($file, include_str!(concat!("../../../sdk/wit/", $version, "/", $file)))),+]
    };
}

/// The contract's text in its first version, which all SDKs speak.
pub const CONTRACT: [(&str, &str); 9] = contract!("1.0.0":
    "worlds.wit", "types.wit", "settings.wit", "imports.wit", "intake.wit", "categorization.wit", "priority.wit",
    "routing.wit", "access.wit");

/// The same in its newest version.
pub const CONTRACT_NEWEST: [(&str, &str); 10] = contract!("1.1.0":
    "worlds.wit", "types.wit", "settings.wit", "imports.wit", "intake.wit", "categorization.wit", "priority.wit",
    "routing.wit", "access.wit", "closing.wit");

/// The contract of connectors.
const CONNECTOR: &str = include_str!("../../../sdk/wit/connector/1.0.0/connector.wit");

/// How the names of functions begin that clear up after an answer (`post-return` in the canonical ABI).
const CLEARS_UP: &str = "cabi_post_";

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("the contract cannot be read: {0}")]
    Contract(String),
    #[error("it is not a core module: {0}")]
    NotAModule(String),
    #[error("it exports no stage (in Rust, `ruledesk_sdk::export!` does that); the module exports {exports}")]
    NoStage { exports: String },
    #[error("it does not make a component: {0}")]
    Encoding(String),
}

/// The component of a core module.
///
/// # Errors
///
/// Says what the module lacks.
pub fn componentize(module: &[u8]) -> Result<Vec<u8>, PackageError> {
    let names = exported_names(module)?;
    let is_connector = names.contains(&format!("{INTERFACE}#{FUNCTION}"));
    let (resolve, world) = if is_connector {
        world_of_connectors()?
    } else {
        let (version, interfaces) = exported_interfaces(&names)?;
        world_of(version, &interfaces)?
    };
    let encoding = |error: &dyn std::fmt::Display| PackageError::Encoding(format!("{error:#}"));
    let mut module = without_clearing_up(module).map_err(|e| PackageError::NotAModule(e.to_string()))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).map_err(|e| encoding(&e))?;
    // Go's and C's libraries speak the WASI of before components; the adapter is left out where nothing imports it.
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| encoder.adapter(WASI_BEFORE_COMPONENTS, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER))
        .and_then(|mut encoder| encoder.encode())
        .map_err(|e| encoding(&e))
}

/// The module without what clears up after an answer, if its allocator never takes anything back ([`MARK`]): calling it is
/// a fiftieth of a usual call, for nothing.
fn without_clearing_up(module: &[u8]) -> Result<Vec<u8>, wasm_encoder::reencode::Error> {
    let mut marked = false;
    let mut slim = wasm_encoder::Module::new();
    for payload in wasmparser::Parser::new(0).parse_all(module) {
        let payload = payload?;
        marked |= matches!(&payload, wasmparser::Payload::CustomSection(section) if section.name() == MARK);
        if let wasmparser::Payload::ExportSection(section) = payload {
            let mut exports = wasm_encoder::ExportSection::new();
            for export in section {
                let export = export?;
                if !export.name.starts_with(CLEARS_UP) {
                    exports.export(export.name, RoundtripReencoder.export_kind(export.kind)?, export.index);
                }
            }
            slim.section(&exports);
        } else if let Some((id, range)) = payload.as_section() {
            slim.section(&RawSection { id, data: module.get(range).unwrap_or_default() });
        }
    }
    Ok(if marked { slim.finish() } else { module.to_vec() })
}

/// The names of all that a core module exports.
fn exported_names(module: &[u8]) -> Result<Vec<String>, PackageError> {
    let mut names = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(module) {
        let payload = payload.map_err(|e| PackageError::NotAModule(e.to_string()))?;
        if let wasmparser::Payload::ExportSection(section) = payload {
            for export in section {
                let export = export.map_err(|e| PackageError::NotAModule(e.to_string()))?;
                names.push(export.name.to_owned());
            }
        }
    }
    Ok(names)
}

/// The contract's interfaces among them, such as `settings` and `intake`, with the version that they are of.
fn exported_interfaces(names: &[String]) -> Result<(&'static str, Vec<String>), PackageError> {
    let of = |version: &'static str| {
        let all = Stage::ALL.iter().map(|stage| stage.name()).chain(["settings"]);
        let is_there = |name: &&str| names.contains(&format!("{PACKAGE}/{name}@{version}#{}", function_of(name)));
        (version, all.filter(is_there).map(str::to_owned).collect::<Vec<String>>())
    };
    let has_stage = |(_, found): &(&str, Vec<String>)| found.iter().any(|name| name != "settings");
    let found = [NEWEST, VERSION].into_iter().map(of).find(has_stage);
    found.ok_or_else(|| PackageError::NoStage { exports: names.join(", ") })
}

fn function_of(interface: &str) -> &'static str {
    if interface == "settings" { "configure" } else { "decide" }
}

/// The world of connectors.
fn world_of_connectors() -> Result<(Resolve, WorldId), PackageError> {
    let contract = |error: &dyn std::fmt::Display| PackageError::Contract(format!("{error:#}"));
    let mut resolve = Resolve::default();
    let group = UnresolvedPackageGroup::parse("connector.wit", CONNECTOR).map_err(|(_, e)| contract(&e))?;
    let package = resolve.push_group(group).map_err(|e| contract(&e))?;
    let world = resolve.select_world(&[package], Some("connector")).map_err(|e| contract(&e))?;
    Ok((resolve, world))
}

/// A world that imports what a rule may and exports just these interfaces of a version.
fn world_of(version: &str, exports: &[String]) -> Result<(Resolve, WorldId), PackageError> {
    let contract = |error: &dyn std::fmt::Display| PackageError::Contract(format!("{error:#}"));
    let mut resolve = Resolve::default();
    let mut map = wit_parser::SourceMap::new();
    let files = if version == VERSION { CONTRACT.as_slice() } else { CONTRACT_NEWEST.as_slice() };
    for (name, text) in files {
        map.push(std::path::Path::new(name), *text);
    }
    let group = map.parse().map_err(|(_, e)| contract(&e))?;
    resolve.push_group(group).map_err(|e| contract(&e))?;
    let mut text = "package ruledesk:made;\nworld made {\n".to_owned();
    for import in ["log", "last-words", "tables"] {
        text += &format!("    import {PACKAGE}/{import}@{version};\n");
    }
    for export in exports {
        text += &format!("    export {PACKAGE}/{export}@{version};\n");
    }
    text += "}\n";
    let group = UnresolvedPackageGroup::parse("made.wit", &text).map_err(|(_, e)| contract(&e))?;
    let package = resolve.push_group(group).map_err(|e| contract(&e))?;
    let world = resolve.select_world(&[package], Some("made")).map_err(|e| contract(&e))?;
    Ok((resolve, world))
}

#[cfg(test)]
mod tests {
    use wasmparser::{CanonicalFunction, CanonicalOption, Parser, Payload};

    use super::*;

    #[test]
    fn only_an_arena_is_not_cleared_up_after_an_answer() {
        let clears_up = |mark: &str| {
            let module = format!(
                r#"(module (memory (export "memory") 1) {mark}
                    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
                    (func (export "ruledesk:rules/intake@1.0.0#decide") (param i32) (result i32) (i32.const 8))
                    (func (export "cabi_post_ruledesk:rules/intake@1.0.0#decide") (param i32)))"#
            );
            let component = componentize(&wat::parse_str(module).unwrap()).unwrap();
            let mut lifts = Vec::new();
            for payload in Parser::new(0).parse_all(&component) {
                if let Payload::ComponentCanonicalSection(section) = payload.unwrap() {
                    lifts.extend(section.into_iter().filter_map(|function| match function.unwrap() {
                        CanonicalFunction::Lift { options, .. } => Some(options),
                        _ => None,
                    }));
                }
            }
            assert_eq!(lifts.len(), 1);
            lifts[0].iter().any(|option| matches!(option, CanonicalOption::PostReturn(_)))
        };
        assert!(clears_up(""));
        assert!(clears_up(r#"(@custom "other" "")"#));
        assert!(!clears_up(&format!(r#"(@custom "{MARK}" "")"#)));
    }
}
