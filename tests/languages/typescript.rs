//! `sdk/js/contract.d.ts`: the contract in TypeScript, written from its WIT text so that the two cannot drift apart.

use std::fmt::Write;
use std::path::Path;

use ruledesk::rules::package::CONTRACT;
use wit_parser::{Docs, Interface, Resolve, Type, TypeDef, TypeDefKind};

use crate::support::components::root;

#[test]
fn the_declarations_in_typescript_are_those_of_the_contract() {
    let file = root().join("sdk/js/contract.d.ts");
    let fresh = declarations();
    if std::env::var_os("RULEDESK_WRITE").is_some() {
        std::fs::write(&file, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == fresh,
        "{} is not what the contract says: run `RULEDESK_WRITE=1 cargo test --test all declarations`, look at the change \
         and keep it",
        file.display()
    );
    assert!(fresh.contains("utcOffset: number;") && fresh.contains("only clock a rule has"), "names and comments");
}

/// The contract's interfaces that have types, each as a namespace; `types` is the module itself.
fn declarations() -> String {
    let mut map = wit_parser::SourceMap::new();
    for (name, text) in CONTRACT {
        map.push(Path::new(name), text);
    }
    let mut resolve = Resolve::default();
    resolve.push_group(map.parse().map_err(|(_, e)| e).unwrap()).unwrap();
    let mut out = "// Written from sdk/wit by a test: do not edit.\n".to_owned();
    for name in ["types", "intake", "categorization", "priority", "routing", "access"] {
        let (_, interface) = resolve.interfaces.iter().find(|(_, i)| i.name.as_deref() == Some(name)).unwrap();
        out.push('\n');
        if name == "types" {
            types(&resolve, interface, "", &mut out);
        } else {
            comment(&interface.docs, "", &mut out);
            writeln!(out, "export namespace {name} {{").unwrap();
            types(&resolve, interface, "  ", &mut out);
            out.push_str("}\n");
        }
    }
    out
}

fn types(resolve: &Resolve, interface: &Interface, indent: &str, out: &mut String) {
    let own = interface.types.iter().map(|(name, id)| (name, &resolve.types[*id]));
    // What an interface takes over from `types` is in scope already.
    let own = own.filter(|(_, ty)| !matches!(ty.kind, TypeDefKind::Type(Type::Id(_))));
    for (place, (name, ty)) in own.enumerate() {
        if place > 0 {
            out.push('\n');
        }
        comment(&ty.docs, indent, out);
        declaration(resolve, name, ty, indent, out);
    }
}

fn declaration(resolve: &Resolve, name: &str, ty: &TypeDef, indent: &str, out: &mut String) {
    let name = upper_camel(name);
    match &ty.kind {
        TypeDefKind::Record(record) => {
            writeln!(out, "{indent}export interface {name} {{").unwrap();
            for field in &record.fields {
                comment(&field.docs, &format!("{indent}  "), out);
                writeln!(out, "{indent}  {}: {};", lower_camel(&field.name), of(resolve, &field.ty)).unwrap();
            }
            writeln!(out, "{indent}}}").unwrap();
        }
        TypeDefKind::Variant(variant) => {
            writeln!(out, "{indent}export type {name} =").unwrap();
            for (place, case) in variant.cases.iter().enumerate() {
                comment(&case.docs, &format!("{indent}  "), out);
                let value = case.ty.as_ref().map_or(String::new(), |ty| format!("; val: {}", of(resolve, ty)));
                let end = if place + 1 == variant.cases.len() { ";" } else { "" };
                writeln!(out, "{indent}  | {{ tag: \"{}\"{value} }}{end}", case.name).unwrap();
            }
        }
        TypeDefKind::Type(ty) => writeln!(out, "{indent}export type {name} = {};", of(resolve, ty)).unwrap(),
        other => panic!("{name}: no TypeScript for {}", other.as_str()),
    }
}

fn of(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Bool => "boolean".to_owned(),
        Type::String | Type::Char => "string".to_owned(),
        Type::Id(id) => {
            let ty = &resolve.types[*id];
            match (&ty.kind, &ty.name) {
                (TypeDefKind::Option(inner), _) => format!("{} | null", of(resolve, inner)),
                (TypeDefKind::List(inner), _) => format!("{}[]", of(resolve, inner)),
                (_, Some(name)) => upper_camel(name),
                (other, None) => panic!("no TypeScript for {}", other.as_str()),
            }
        }
        // 64 bits too: the engine gives a number, and no timestamp or size reaches 2^53.
        _ => "number".to_owned(),
    }
}

fn comment(docs: &Docs, indent: &str, out: &mut String) {
    let Some(text) = docs.contents.as_deref().map(str::trim) else { return };
    match text.split_once('\n') {
        None => writeln!(out, "{indent}/** {text} */").unwrap(),
        Some(_) => {
            writeln!(out, "{indent}/**").unwrap();
            for line in text.lines() {
                writeln!(out, "{}", format!("{indent} * {}", line.trim()).trim_end()).unwrap();
            }
            writeln!(out, "{indent} */").unwrap();
        }
    }
}

fn upper_camel(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn lower_camel(name: &str) -> String {
    let name = upper_camel(name);
    name[..1].to_lowercase() + &name[1..]
}
