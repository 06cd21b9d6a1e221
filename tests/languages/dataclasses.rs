//! `sdk/python/ruledesk/contract.py`: the contract as dataclasses, written from its WIT text so that the two cannot drift
//! apart.

use std::fmt::Write;
use std::path::Path;

use ruledesk::rules::package::CONTRACT;
use wit_parser::{Docs, Interface, Resolve, Type, TypeDef, TypeDefKind};

use crate::support::components::root;

#[test]
fn the_declarations_in_python_are_those_of_the_contract() {
    let file = root().join("sdk/python/ruledesk/contract.py");
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
    assert!(fresh.contains("utc_offset: int") && fresh.contains("only clock a rule has"), "names and comments");
}

const HEAD: &str = "# Written from sdk/wit by a test: do not edit.\n\
    \"\"\"What a rule is asked with, and what it answers: the words of the contract, each with its comment.\"\"\"\n\n\
    from __future__ import annotations\n\n\
    from dataclasses import dataclass\n\
    from typing import Optional, Union\n";

fn declarations() -> String {
    let mut map = wit_parser::SourceMap::new();
    for (name, text) in CONTRACT {
        map.push(Path::new(name), text);
    }
    let mut resolve = Resolve::default();
    resolve.push_group(map.parse().map_err(|(_, e)| e).unwrap()).unwrap();
    let mut out = HEAD.to_owned();
    for name in ["types", "intake", "categorization", "priority", "routing", "access"] {
        let (_, interface) = resolve.interfaces.iter().find(|(_, i)| i.name.as_deref() == Some(name)).unwrap();
        types(&resolve, interface, name, &mut out);
    }
    out
}

fn types(resolve: &Resolve, interface: &Interface, stage: &str, out: &mut String) {
    for (name, id) in &interface.types {
        let ty = &resolve.types[*id];
        // Answers and decisions are made by the SDK's functions; what an interface takes over is declared already.
        let taken_over = matches!(ty.kind, TypeDefKind::Type(Type::Id(_)));
        if taken_over || (stage != "types" && (name == "answer" || name == "decision")) {
            continue;
        }
        let class = if name == "input" { upper_camel(&format!("{stage}-input")) } else { upper_camel(name) };
        declaration(resolve, &class, ty, &interface.docs, out);
    }
}

fn declaration(resolve: &Resolve, class: &str, ty: &TypeDef, of_stage: &Docs, out: &mut String) {
    match &ty.kind {
        TypeDefKind::Record(record) => {
            writeln!(out, "\n\n@dataclass\nclass {class}:").unwrap();
            let docs = if class.ends_with("Input") { of_stage } else { &ty.docs };
            comment(docs, out);
            for field in &record.fields {
                writeln!(out, "    {}: {}", field.name.replace('-', "_"), of(resolve, &field.ty)).unwrap();
                comment(&field.docs, out);
            }
        }
        TypeDefKind::Variant(variant) => {
            let mut cases = Vec::new();
            for case in &variant.cases {
                let name = format!("{class}{}", upper_camel(&case.name));
                writeln!(out, "\n\n@dataclass\nclass {name}:").unwrap();
                comment(&case.docs, out);
                writeln!(out, "\n    value: {}", of(resolve, case.ty.as_ref().unwrap())).unwrap();
                cases.push(name);
            }
            writeln!(out, "\n\n{class} = Union[{}]", cases.join(", ")).unwrap();
            writeln!(out, "\"\"\"{}\"\"\"", ty.docs.contents.as_deref().unwrap_or_default().trim()).unwrap();
        }
        TypeDefKind::Type(own) => {
            writeln!(out, "\n{class} = {}", of(resolve, own)).unwrap();
            writeln!(out, "\"\"\"{}\"\"\"", ty.docs.contents.as_deref().unwrap_or_default().trim()).unwrap();
        }
        other => panic!("{class}: no Python for {}", other.as_str()),
    }
}

fn of(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::String | Type::Char => "str".to_owned(),
        Type::F32 | Type::F64 => "float".to_owned(),
        Type::Id(id) => {
            let ty = &resolve.types[*id];
            match (&ty.kind, &ty.name) {
                (TypeDefKind::Option(inner), _) => format!("Optional[{}]", of(resolve, inner)),
                (TypeDefKind::List(inner), _) => format!("list[{}]", of(resolve, inner)),
                (_, Some(name)) => upper_camel(name),
                (other, None) => panic!("no Python for {}", other.as_str()),
            }
        }
        _ => "int".to_owned(),
    }
}

fn comment(docs: &Docs, out: &mut String) {
    let Some(text) = docs.contents.as_deref().map(str::trim) else { return };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let end = if lines.len() > 1 { "\n    " } else { "" };
    writeln!(out, "    \"\"\"{}{end}\"\"\"", lines.join("\n    ").replace("\n    \n", "\n\n")).unwrap();
}

fn upper_camel(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}
