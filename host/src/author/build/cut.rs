//! Takes imports out of a finished component: what the desk does not offer and the language's runtime never needs.
//!
//! Python's C library imports sockets, and the JavaScript engine a loader of modules, even where no rule uses them. Each
//! function of such an interface is replaced by one that traps, deep inside the component: nothing else moves, and no
//! component is wrapped around it, so that its memory can still be pre-initialised with the settings.

use std::collections::HashMap;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CodeSection, Component, ComponentAliasSection, ComponentExportKind,
    ComponentImportSection, ComponentInstanceSection, ComponentSectionId, ComponentTypeSection, ExportKind,
    ExportSection, Function, FunctionSection, InstanceSection, Instruction, Module, ModuleArg, ModuleSection,
    PrimitiveValType, RawSection, TypeSection, ValType,
};
use wasmparser::{CanonicalFunction, Chunk, ComponentAlias, ComponentExternalKind, ComponentTypeRef, Parser, Payload};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Interface, Resolve, TypeDefKind, WorldItem};

/// Why the imports are still there.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    #[error("what the language's tools made is not a component: {0}")]
    NotAComponent(String),
    #[error("what the language's tools made is laid out in an unexpected way: {0}")]
    Layout(String),
}

impl<E: std::fmt::Display> From<Error<E>> for CutError {
    fn from(error: Error<E>) -> Self {
        CutError::Layout(error.to_string())
    }
}

impl From<wasmparser::BinaryReaderError> for CutError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        CutError::NotAComponent(error.to_string())
    }
}

/// The component without those imported interfaces whose name begins with one of `prefixes`.
///
/// # Errors
///
/// If the bytes are no component, or one that no tool of ours makes.
pub fn imports(component: &[u8], prefixes: &[&str]) -> Result<Vec<u8>, CutError> {
    let interfaces = Interfaces::of(component, prefixes)?;
    if interfaces.gone.is_empty() {
        return Ok(component.to_vec());
    }
    Cut { interfaces, ..Cut::default() }.run(component)
}

/// The component that is nested in another: some tools wrap what they make.
pub fn unwrapped(component: &[u8]) -> Result<&[u8], CutError> {
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ComponentSection { unchecked_range, .. } => {
                return component
                    .get(unchecked_range)
                    .ok_or_else(|| CutError::Layout("a component inside of it is cut off".to_owned()));
            }
            Payload::ModuleSection { .. } => break,
            _ => {}
        }
    }
    Ok(component)
}

/// The interfaces to take out, by name.
#[derive(Default)]
struct Interfaces {
    resolve: Resolve,
    gone: HashMap<String, Interface>,
}

impl Interfaces {
    fn of(component: &[u8], prefixes: &[&str]) -> Result<Self, CutError> {
        let decoded = decode(component).map_err(|e| CutError::NotAComponent(format!("{e:#}")))?;
        let DecodedWasm::Component(resolve, world) = decoded else {
            return Err(CutError::NotAComponent("it is a package of interfaces".to_owned()));
        };
        let mut gone = HashMap::new();
        let imports = resolve.worlds.get(world).map(|world| &world.imports);
        for (key, item) in imports.into_iter().flatten() {
            let name = resolve.name_world_key(key);
            if let (WorldItem::Interface { id, .. }, true) = (item, prefixes.iter().any(|p| name.starts_with(p)))
                && let Some(interface) = resolve.interfaces.get(*id)
            {
                gone.insert(name, interface.clone());
            }
        }
        Ok(Self { resolve, gone })
    }

    /// The name of some function of an interface that stays.
    fn any_function(&self, interface: &str) -> Option<String> {
        let mut all = self.resolve.interfaces.iter();
        let (_, found) = all.find(|(id, _)| self.resolve.id_of(*id).as_deref() == Some(interface))?;
        found.functions.keys().next().cloned()
    }

    fn is_resource(&self, interface: &str, ty: &str) -> bool {
        let id = self.gone.get(interface).and_then(|interface| interface.types.get(ty));
        let mut kind = id.and_then(|id| self.resolve.types.get(*id)).map(|ty| &ty.kind);
        while let Some(TypeDefKind::Type(wit_parser::Type::Id(id))) = kind {
            kind = self.resolve.types.get(*id).map(|ty| &ty.kind);
        }
        matches!(kind, Some(TypeDefKind::Resource))
    }

    /// A module with a function that traps for each that is gone, exported as `interface#function`.
    fn traps(&self) -> Module {
        let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
        let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
        let mut all: Vec<_> = self
            .gone
            .iter()
            .flat_map(|(name, interface)| interface.functions.values().map(move |f| (trap_name(name, &f.name), f)))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        for (index, (name, function)) in (0u32..).zip(all) {
            let signature = self.resolve.wasm_signature(AbiVariant::GuestImport, function);
            types.ty().function(signature.params.iter().map(val_type), signature.results.iter().map(val_type));
            functions.function(index);
            exports.export(&name, ExportKind::Func, index);
            let mut body = Function::new([]);
            body.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
            code.function(&body);
        }
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&exports).section(&code);
        module
    }
}

fn trap_name(interface: &str, function: &str) -> String {
    format!("{interface}#{function}")
}

fn val_type(ty: &WasmType) -> ValType {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
    }
}

/// A component on its way from one form to the other. Every index of the old one stays, but those of core modules and
/// their instances: the traps come first among both.
#[derive(Default)]
struct Cut {
    interfaces: Interfaces,
    out: Component,
    /// Component instances seen so far, and which of them are gone.
    instances: u32,
    gone_instances: HashMap<u32, String>,
    /// A function that stays, which stands in for those that are gone: nobody asks for it under their numbers.
    stand_in: Option<(u32, String)>,
    functions: u32,
    gone_functions: HashMap<u32, String>,
    begun_modules: bool,
    begun_instances: bool,
}

impl Reencode for Cut {
    type Error = std::convert::Infallible;
}

impl ReencodeComponent for Cut {
    fn module_index(&mut self, index: u32) -> u32 {
        index + 1
    }

    fn instance_index(&mut self, index: u32) -> u32 {
        index + 1
    }
}

impl Cut {
    /// Goes through the sections of the outermost component; what is nested in it is copied.
    fn run(mut self, whole: &[u8]) -> Result<Vec<u8>, CutError> {
        let mut parser = Parser::new(0);
        let mut rest = whole;
        while !rest.is_empty() {
            let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
                return Err(CutError::NotAComponent("it is cut off".to_owned()));
            };
            let nested = match &payload {
                Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                    unchecked_range.len()
                }
                _ => 0,
            };
            rest = rest.get(consumed + nested..).unwrap_or_default();
            self.payload(payload, whole)?;
        }
        Ok(self.out.finish())
    }

    fn payload(&mut self, payload: Payload<'_>, whole: &[u8]) -> Result<(), CutError> {
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => {
                if !std::mem::replace(&mut self.begun_modules, true) {
                    self.out.section(&ModuleSection(&self.interfaces.traps()));
                }
                self.copy(ComponentSectionId::CoreModule, whole.get(unchecked_range));
            }
            Payload::ComponentSection { unchecked_range, .. } => {
                self.copy(ComponentSectionId::Component, whole.get(unchecked_range));
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.import(&import?)?;
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(alias?)?;
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    self.canonical(function?)?;
                }
            }
            Payload::InstanceSection(section) => {
                let mut instances = InstanceSection::new();
                if !std::mem::replace(&mut self.begun_instances, true) {
                    if !self.begun_modules {
                        return Err(CutError::Layout("it has an instance before it has a module".to_owned()));
                    }
                    instances.instantiate(0, Vec::<(&str, ModuleArg)>::new());
                }
                self.parse_instance_section(&mut instances, section)?;
                self.out.section(&instances);
            }
            other => {
                match &other {
                    Payload::ComponentInstanceSection(section) => self.instances += section.count(),
                    Payload::ComponentExportSection(section) => {
                        for export in section.clone() {
                            match export?.kind {
                                ComponentExternalKind::Func => self.functions += 1,
                                ComponentExternalKind::Instance => self.instances += 1,
                                _ => {}
                            }
                        }
                    }
                    _ => {}
                }
                if let Some((id, range)) = other.as_section() {
                    let data = whole.get(range).unwrap_or_default();
                    self.out.section(&RawSection { id, data });
                }
            }
        }
        Ok(())
    }

    fn copy(&mut self, id: ComponentSectionId, data: Option<&[u8]>) {
        self.out.section(&RawSection { id: id as u8, data: data.unwrap_or_default() });
    }

    /// An import that goes becomes an empty instance of the same number.
    fn import(&mut self, import: &wasmparser::ComponentImport<'_>) -> Result<(), CutError> {
        let name = import.name.name;
        match import.ty {
            ComponentTypeRef::Instance(_) => {
                let at = self.instances;
                self.instances += 1;
                if self.interfaces.gone.contains_key(name) {
                    self.gone_instances.insert(at, name.to_owned());
                    let mut empty = ComponentInstanceSection::new();
                    empty.export_items(Vec::<(&str, ComponentExportKind, u32)>::new());
                    self.out.section(&empty);
                    return Ok(());
                }
                let function = self.interfaces.any_function(name);
                self.stand_in = self.stand_in.take().or(function.map(|function| (at, function)));
            }
            ComponentTypeRef::Func(_) => self.functions += 1,
            _ => {}
        }
        let mut imports = ComponentImportSection::new();
        imports.import(import.name, self.component_type_ref(import.ty)?);
        self.out.section(&imports);
        Ok(())
    }

    /// What is taken from an instance that goes becomes something of the same sort, so that all later numbers stand.
    fn alias(&mut self, alias: ComponentAlias<'_>) -> Result<(), CutError> {
        let mut aliases = ComponentAliasSection::new();
        let ComponentAlias::InstanceExport { kind, instance_index, name } = alias else {
            aliases.alias(self.component_alias(alias)?);
            self.out.section(&aliases);
            return Ok(());
        };
        let gone = self.gone_instances.get(&instance_index).cloned();
        match (kind, gone) {
            (ComponentExternalKind::Type, Some(interface)) => {
                let mut types = ComponentTypeSection::new();
                if self.interfaces.is_resource(&interface, name) {
                    types.resource(ValType::I32, None);
                } else {
                    types.defined_type().primitive(PrimitiveValType::Bool);
                }
                self.out.section(&types);
            }
            (ComponentExternalKind::Func, Some(interface)) => {
                let missing = || CutError::Layout("nothing that it imports would stay".to_owned());
                let (instance, function) = self.stand_in.clone().ok_or_else(missing)?;
                aliases.alias(Alias::InstanceExport { instance, kind: ComponentExportKind::Func, name: &function });
                self.gone_functions.insert(self.functions, trap_name(&interface, name));
                self.functions += 1;
                self.out.section(&aliases);
            }
            _ => {
                match kind {
                    ComponentExternalKind::Func => self.functions += 1,
                    ComponentExternalKind::Instance => self.instances += 1,
                    _ => {}
                }
                aliases.alias(self.component_alias(alias)?);
                self.out.section(&aliases);
            }
        }
        Ok(())
    }

    /// The core form of a function that goes is the trap of its name.
    fn canonical(&mut self, function: CanonicalFunction) -> Result<(), CutError> {
        match &function {
            CanonicalFunction::Lower { func_index, .. } => {
                if let Some(name) = self.gone_functions.get(func_index) {
                    let mut aliases = ComponentAliasSection::new();
                    aliases.alias(Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Func, name });
                    self.out.section(&aliases);
                    return Ok(());
                }
            }
            CanonicalFunction::Lift { .. } => self.functions += 1,
            _ => {}
        }
        let mut functions = CanonicalFunctionSection::new();
        self.parse_component_canonical(&mut functions, function)?;
        self.out.section(&functions);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasmparser::{Validator, WasmFeatures};

    use super::*;
    use crate::rules::load::inspect::inspect;
    use crate::rules::package::componentize;

    /// A rule that writes to the log and looks something up.
    fn rule() -> Vec<u8> {
        let core = r#"(module
            (import "ruledesk:rules/log@1.0.0" "write" (func $write (param i32 i32 i32)))
            (import "ruledesk:rules/tables@1.0.0" "lookup" (func $lookup (param i32 i32 i32 i32 i32)))
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 64)
            (func (export "ruledesk:rules/intake@1.0.0#decide") (param i32) (result i32)
                (call $write (i32.const 1) (i32.const 0) (i32.const 0))
                (call $lookup (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
                i32.const 0))"#;
        componentize(&wat::parse_str(core).unwrap()).unwrap()
    }

    #[test]
    fn what_is_cut_is_not_imported_any_more_and_the_rest_is_valid() {
        let whole = rule();
        let imports_tables = |bytes: &[u8]| {
            let found = inspect(bytes, 1 << 20).unwrap();
            found.imports.iter().any(|name| name.contains("tables"))
        };
        assert!(imports_tables(&whole));
        let cut = imports(&whole, &["ruledesk:rules/tables"]).unwrap();
        assert!(!imports_tables(&cut));
        Validator::new_with_features(WasmFeatures::all()).validate_all(&cut).unwrap();
        assert_eq!(inspect(&cut, 1 << 20).unwrap().stages, inspect(&whole, 1 << 20).unwrap().stages);
    }

    #[test]
    fn what_has_nothing_to_cut_stays_as_it_is() {
        let whole = rule();
        assert_eq!(imports(&whole, &["wasi:sockets/"]).unwrap(), whole);
        assert_eq!(unwrapped(&whole).unwrap(), whole);
        assert!(imports(b"\0asm nonsense", &["wasi:"]).is_err());
    }
}
