//! `sdk/go/types.go` and `sdk/go/abi_wasip1.go`: the contract in Go, written from its WIT text so that the two cannot drift
//! apart. The second file moves values through memory as the component model lays them out.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use ruledesk::rules::package::CONTRACT;
use wit_parser::{Docs, Resolve, SizeAlign, Type, TypeDefKind, TypeId, TypeOwner};

use crate::support::components::root;

const STAGES: [&str; 5] = ["intake", "categorization", "priority", "routing", "access"];

#[test]
fn the_bindings_in_go_are_those_of_the_contract() {
    let mut bindings = Bindings::new();
    let types = bindings.types();
    let abi = bindings.abi();
    assert!(types.contains("UtcOffset int16") && types.contains("only clock a rule has"), "names and comments");
    for (name, fresh) in [("types.go", types), ("abi_wasip1.go", abi)] {
        let file = root().join("sdk/go").join(name);
        if std::env::var_os("RULEDESK_WRITE").is_some() {
            std::fs::write(&file, &fresh).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == fresh,
            "{} is not what the contract says: run `RULEDESK_WRITE=1 cargo test --test all bindings_in_go`, look at the \
             change and keep it",
            file.display()
        );
    }
}

struct Bindings {
    resolve: Resolve,
    sizes: SizeAlign,
}

impl Bindings {
    fn new() -> Self {
        let mut map = wit_parser::SourceMap::new();
        for (name, text) in CONTRACT {
            map.push(Path::new(name), text);
        }
        let mut resolve = Resolve::default();
        resolve.push_group(map.parse().map_err(|(_, e)| e).unwrap()).unwrap();
        let mut sizes = SizeAlign::default();
        sizes.fill(&resolve);
        Self { resolve, sizes }
    }

    /// The named types of the shared interface and of each stage, without those that an interface takes over.
    fn named(&self) -> Vec<TypeId> {
        let mut all = Vec::new();
        for name in ["types"].into_iter().chain(STAGES) {
            let (_, interface) = self.resolve.interfaces.iter().find(|(_, i)| i.name.as_deref() == Some(name)).unwrap();
            let own = |id: &&TypeId| !matches!(self.resolve.types[**id].kind, TypeDefKind::Type(Type::Id(_)));
            all.extend(interface.types.values().filter(own));
        }
        all
    }

    fn types(&self) -> String {
        let mut out = "// Written from sdk/wit by a test: do not edit.\n\npackage ruledesk\n".to_owned();
        for id in self.named() {
            let ty = &self.resolve.types[id];
            let name = self.name(id);
            out.push('\n');
            let stage = match ty.owner {
                TypeOwner::Interface(i) => &self.resolve.interfaces[i],
                _ => panic!("{name} is in no interface"),
            };
            let is_input = ty.name.as_deref() == Some("input");
            comment(if is_input { &stage.docs } else { &ty.docs }, "", &mut out);
            match &ty.kind {
                TypeDefKind::Record(record) => {
                    writeln!(out, "type {name} struct {{").unwrap();
                    for field in &record.fields {
                        comment(&field.docs, "\t", &mut out);
                        writeln!(out, "\t{} {}", camel(&field.name), self.of(&field.ty)).unwrap();
                    }
                    out += "}\n";
                }
                TypeDefKind::Variant(variant) => {
                    writeln!(out, "type {name} interface{{ is{name}() }}\n").unwrap();
                    for case in &variant.cases {
                        let own = self.case(id, &case.name);
                        comment(&case.docs, "", &mut out);
                        let inside = case.ty.as_ref().map(|ty| format!(" Value {} ", self.of(ty))).unwrap_or_default();
                        writeln!(out, "type {own} struct{{{inside}}}\n\nfunc ({own}) is{name}() {{}}\n").unwrap();
                    }
                }
                TypeDefKind::Type(own) => writeln!(out, "type {name} = {}", self.of(own)).unwrap(),
                other => panic!("{name}: no Go for {}", other.as_str()),
            }
        }
        formatted(&out)
    }

    fn abi(&mut self) -> String {
        let mut out = "// Written from sdk/wit by a test: do not edit.\n\npackage ruledesk\n".to_owned();
        let (mut read, mut written) = (BTreeSet::new(), BTreeSet::new());
        for id in self.named() {
            match self.resolve.types[id].name.as_deref() {
                Some("input") => self.reach(id, &mut read),
                Some("answer") => self.reach(id, &mut written),
                _ => {}
            }
        }
        for id in self.named().into_iter().filter(|id| read.contains(&self.name(*id))) {
            self.lift(id, &mut out);
        }
        for id in self.named().into_iter().filter(|id| written.contains(&self.name(*id))) {
            self.lower(id, &mut out);
        }
        for stage in STAGES {
            let id = self.named().into_iter().find(|id| self.name(*id) == camel(&format!("{stage}-answer"))).unwrap();
            let (answer, of) = (camel(&format!("{stage}-answer")), camel(stage));
            let align = self.sizes.align(&Type::Id(id)).align_wasm32().max(4);
            let size = self.sizes.size(&Type::Id(id)).size_wasm32() + align;
            writeln!(
                out,
                "\n// Ask{of} reads an input, asks the rule and leaves its answer. Only the stage's package calls it.\n\
                 func Ask{of}(input uint32, rule func(*{of}Input) ({answer}, error)) uint32 {{\n\
                 \tresult := alloc({size}, {align})\n\tin := lift{of}Input(input)\n\tanswer, failed := asked(&in, rule)\n\tif failed == nil && answer.Decision == nil {{\n\
                 \t\tfailed = Failure(\"the answer has no decision\")\n\t}}\n\tif failed != nil {{\n\t\tput8(result, 1)\n\
                 \t\tputText(result+{align}, failed.Error())\n\t\treturn result\n\t}}\n\tput8(result, 0)\n\
                 \tlower{answer}(result+{align}, answer)\n\treturn result\n}}"
            )
            .unwrap();
        }
        formatted(&out)
    }

    fn reach(&self, id: TypeId, into: &mut BTreeSet<String>) {
        let ty = &self.resolve.types[id];
        if ty.name.is_some() && !matches!(ty.kind, TypeDefKind::Type(_)) {
            into.insert(self.name(id));
        }
        let mut go = |ty: &Type| {
            if let Type::Id(id) = ty {
                self.reach(*id, into);
            }
        };
        match &ty.kind {
            TypeDefKind::Record(record) => record.fields.iter().for_each(|field| go(&field.ty)),
            TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).for_each(go),
            TypeDefKind::Option(ty) | TypeDefKind::List(ty) | TypeDefKind::Type(ty) => go(ty),
            other => panic!("no Go for {}", other.as_str()),
        }
    }

    fn lift(&self, id: TypeId, out: &mut String) {
        let name = self.name(id);
        match &self.resolve.types[id].kind {
            TypeDefKind::Record(record) => {
                writeln!(out, "\nfunc lift{name}(at uint32) {name} {{\n\treturn {name}{{").unwrap();
                for (offset, ty) in self.sizes.field_offsets(record.fields.iter().map(|f| &f.ty)) {
                    let field = record.fields.iter().find(|f| std::ptr::eq(&raw const f.ty, ty)).unwrap();
                    let at = format!("at+{}", offset.size_wasm32());
                    writeln!(out, "\t\t{}: {},", camel(&field.name), self.read(&at, ty)).unwrap();
                }
                out.push_str("\t}\n}\n");
            }
            TypeDefKind::Variant(variant) => {
                let offset =
                    self.sizes.payload_offset(variant.tag(), variant.cases.iter().map(|c| c.ty.as_ref())).size_wasm32();
                writeln!(out, "\nfunc lift{name}(at uint32) {name} {{\n\tswitch get8(at) {{").unwrap();
                for (n, case) in variant.cases.iter().enumerate() {
                    let read = case.ty.as_ref().map(|ty| self.read(&format!("at+{offset}"), ty)).unwrap_or_default();
                    writeln!(out, "\tcase {n}:\n\t\treturn {}{{{read}}}", self.case(id, &case.name)).unwrap();
                }
                out.push_str("\t}\n\tpanic(\"a value of no known kind\")\n}\n");
            }
            _ => {}
        }
    }

    fn lower(&self, id: TypeId, out: &mut String) {
        let name = self.name(id);
        match &self.resolve.types[id].kind {
            TypeDefKind::Record(record) => {
                writeln!(out, "\nfunc lower{name}(at uint32, v {name}) {{").unwrap();
                for (offset, ty) in self.sizes.field_offsets(record.fields.iter().map(|f| &f.ty)) {
                    let field = record.fields.iter().find(|f| std::ptr::eq(&raw const f.ty, ty)).unwrap();
                    let write = self.writer(ty);
                    writeln!(out, "\t{write}(at+{}, v.{})", offset.size_wasm32(), camel(&field.name)).unwrap();
                }
                out.push_str("}\n");
            }
            TypeDefKind::Variant(variant) => {
                let offset =
                    self.sizes.payload_offset(variant.tag(), variant.cases.iter().map(|c| c.ty.as_ref())).size_wasm32();
                writeln!(out, "\nfunc lower{name}(at uint32, v {name}) {{\n\tswitch v := v.(type) {{").unwrap();
                for (n, case) in variant.cases.iter().enumerate() {
                    writeln!(out, "\tcase {}:\n\t\tput8(at, {n})", self.case(id, &case.name)).unwrap();
                    match &case.ty {
                        Some(ty) => writeln!(out, "\t\t{}(at+{offset}, v.Value)", self.writer(ty)).unwrap(),
                        None => out.push_str("\t\t_ = v\n"),
                    }
                }
                writeln!(out, "\tdefault:\n\t\tpanic(\"the answer has no decision\")\n\t}}\n}}").unwrap();
            }
            _ => {}
        }
    }

    /// An expression that reads a value at an address.
    fn read(&self, at: &str, ty: &Type) -> String {
        format!("{}({at})", self.reader(ty))
    }

    /// A function from an address to a value.
    fn reader(&self, ty: &Type) -> String {
        let Some(inner) = self.structured(ty) else { return format!("get{}", scalar(ty)) };
        match inner {
            Inner::Named(name) => format!("lift{name}"),
            Inner::Alias(ty) => self.reader(&ty),
            Inner::List(ty) => {
                format!("listOf({}, {})", self.sizes.size(&ty).size_wasm32(), self.reader(&ty))
            }
            Inner::Option(ty) => format!("optionOf({}, {})", self.offset_in_option(&ty), self.reader(&ty)),
        }
    }

    /// A function that takes an address and a value.
    fn writer(&self, ty: &Type) -> String {
        let Some(inner) = self.structured(ty) else { return format!("put{}", scalar(ty)) };
        match inner {
            Inner::Named(name) => format!("lower{name}"),
            Inner::Alias(ty) => self.writer(&ty),
            Inner::List(ty) => format!(
                "putList({}, {}, {})",
                self.sizes.size(&ty).size_wasm32(),
                self.sizes.align(&ty).align_wasm32(),
                self.writer(&ty)
            ),
            Inner::Option(ty) => format!("putOption({}, {})", self.offset_in_option(&ty), self.writer(&ty)),
        }
    }

    fn offset_in_option(&self, ty: &Type) -> usize {
        self.sizes.payload_offset(wit_parser::Int::U8, [None, Some(ty)]).size_wasm32()
    }

    fn structured(&self, ty: &Type) -> Option<Inner> {
        let Type::Id(id) = ty else { return None };
        Some(match &self.resolve.types[*id].kind {
            TypeDefKind::Option(ty) => Inner::Option(*ty),
            TypeDefKind::List(ty) => Inner::List(*ty),
            TypeDefKind::Type(ty) => Inner::Alias(*ty),
            _ => Inner::Named(self.name(*id)),
        })
    }

    fn of(&self, ty: &Type) -> String {
        match ty {
            Type::Bool => "bool".to_owned(),
            Type::String => "string".to_owned(),
            Type::U8 => "uint8".to_owned(),
            Type::U16 => "uint16".to_owned(),
            Type::U32 => "uint32".to_owned(),
            Type::U64 => "uint64".to_owned(),
            Type::S16 => "int16".to_owned(),
            Type::S32 => "int32".to_owned(),
            Type::F64 => "float64".to_owned(),
            Type::Id(id) => match &self.resolve.types[*id].kind {
                TypeDefKind::Option(inner) => format!("*{}", self.of(inner)),
                TypeDefKind::List(inner) => format!("[]{}", self.of(inner)),
                _ => self.name(*id),
            },
            other => panic!("no Go for {other:?}"),
        }
    }

    /// The Go name: what every stage has is told apart by the stage's name.
    fn name(&self, id: TypeId) -> String {
        let mut id = id;
        while let TypeDefKind::Type(Type::Id(of)) = self.resolve.types[id].kind {
            id = of;
        }
        let ty = &self.resolve.types[id];
        let name = ty.name.as_deref().unwrap();
        match ty.owner {
            TypeOwner::Interface(i) if ["input", "answer", "decision"].contains(&name) => {
                camel(&format!("{}-{name}", self.resolve.interfaces[i].name.as_deref().unwrap()))
            }
            _ => camel(name),
        }
    }

    fn case(&self, variant: TypeId, case: &str) -> String {
        let name = self.name(variant);
        format!("{}{}", name.strip_suffix("Decision").unwrap_or(&name), camel(case))
    }
}

enum Inner {
    Named(String),
    Alias(Type),
    List(Type),
    Option(Type),
}

fn scalar(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "Bool",
        Type::String => "Text",
        Type::U8 => "8",
        Type::U16 => "16",
        Type::U32 => "32",
        Type::U64 => "64",
        Type::S16 => "S16",
        Type::S32 => "S32",
        Type::F64 => "F64",
        other => panic!("no Go for {other:?}"),
    }
}

fn comment(docs: &Docs, indent: &str, out: &mut String) {
    for line in docs.contents.as_deref().unwrap_or_default().trim().lines() {
        writeln!(out, "{}", format!("{indent}// {}", line.trim()).trim_end()).unwrap();
    }
}

fn camel(name: &str) -> String {
    let word = |word: &str| match word {
        "id" => "ID".to_owned(),
        _ => word[..1].to_uppercase() + &word[1..],
    };
    name.split('-').map(word).collect()
}

/// As `gofmt` writes it.
fn formatted(text: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut gofmt = Command::new("gofmt").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("gofmt, of Go");
    gofmt.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = gofmt.wait_with_output().unwrap();
    assert!(output.status.success(), "{text}");
    String::from_utf8(output.stdout).unwrap()
}
