//! Whether a contract only adds to an older one. Every breach is a sentence that names what has changed.

use std::collections::BTreeMap;

use wit_parser::{
    Function, Interface, InterfaceId, PackageId, Resolve, Type, TypeDef, TypeDefKind, TypeId, World, WorldItem,
    WorldKey,
};

/// A contract: one package with all that its texts say.
pub struct Contract {
    resolve: Resolve,
    package: PackageId,
}

impl Contract {
    /// Of the WIT files in a folder.
    pub fn of_folder(folder: &std::path::Path) -> Self {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(folder).unwrap();
        Self { resolve, package }
    }

    /// Of one text.
    pub fn of_text(text: &str) -> Self {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("contract.wit", text).unwrap();
        Self { resolve, package }
    }

    fn interfaces(&self) -> BTreeMap<&str, &Interface> {
        let package = &self.resolve.packages[self.package];
        package.interfaces.iter().map(|(name, id)| (name.as_str(), &self.resolve.interfaces[*id])).collect()
    }

    fn worlds(&self) -> BTreeMap<&str, &World> {
        let package = &self.resolve.packages[self.package];
        package.worlds.iter().map(|(name, id)| (name.as_str(), &self.resolve.worlds[*id])).collect()
    }

    fn interface_name(&self, id: InterfaceId) -> String {
        self.resolve.interfaces[id].name.clone().unwrap_or_default()
    }

    /// A type as it is written, with its interface before its name.
    fn written(&self, ty: &Type) -> String {
        match ty {
            Type::Id(id) => self.named(*id),
            primitive => format!("{primitive:?}").to_lowercase(),
        }
    }

    fn named(&self, id: TypeId) -> String {
        let def = &self.resolve.types[id];
        if let (Some(_), TypeDefKind::Type(Type::Id(other))) = (&def.name, &def.kind) {
            // What an interface uses of another is that other's type.
            return self.named(*other);
        }
        match (&def.name, def.owner) {
            (Some(name), wit_parser::TypeOwner::Interface(owner)) => format!("{}.{name}", self.interface_name(owner)),
            (Some(name), _) => name.clone(),
            (None, _) => self.definition(def),
        }
    }

    /// What a type is, apart from its name.
    fn definition(&self, def: &TypeDef) -> String {
        let maybe = |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), |ty| self.written(ty));
        match &def.kind {
            TypeDefKind::Type(ty) => self.written(ty),
            TypeDefKind::Option(ty) => format!("option<{}>", self.written(ty)),
            TypeDefKind::List(ty) => format!("list<{}>", self.written(ty)),
            TypeDefKind::Result(r) => format!("result<{}, {}>", maybe(&r.ok), maybe(&r.err)),
            TypeDefKind::Tuple(tuple) => {
                format!("tuple<{}>", tuple.types.iter().map(|ty| self.written(ty)).collect::<Vec<_>>().join(", "))
            }
            other => match self.members(def) {
                members if members.is_empty() => format!("{other:?}"),
                members => format!("{} {members:?}", other.as_str()),
            },
        }
    }

    /// Fields or cases in order, each with its type; nothing for other kinds.
    fn members(&self, def: &TypeDef) -> Vec<(String, String)> {
        match &def.kind {
            TypeDefKind::Record(r) => r.fields.iter().map(|f| (f.name.clone(), self.written(&f.ty))).collect(),
            TypeDefKind::Variant(v) => {
                let held = |ty: &Option<Type>| ty.as_ref().map_or("nothing".to_owned(), |ty| self.written(ty));
                v.cases.iter().map(|c| (c.name.clone(), held(&c.ty))).collect()
            }
            TypeDefKind::Enum(e) => e.cases.iter().map(|c| (c.name.clone(), "nothing".to_owned())).collect(),
            TypeDefKind::Flags(f) => f.flags.iter().map(|f| (f.name.clone(), "nothing".to_owned())).collect(),
            _ => Vec::new(),
        }
    }

    fn signature(&self, function: &Function) -> String {
        let params: Vec<String> =
            function.params.iter().map(|p| format!("{}: {}", p.name, self.written(&p.ty))).collect();
        let result = function.result.as_ref().map_or(String::new(), |ty| format!(" -> {}", self.written(ty)));
        format!("({}){result}", params.join(", "))
    }

    fn items<'a>(&'a self, items: impl Iterator<Item = (&'a WorldKey, &'a WorldItem)>) -> Vec<String> {
        items
            .map(|(key, item)| match (key, item) {
                (WorldKey::Interface(id), _) => self.interface_name(*id),
                (WorldKey::Name(name), WorldItem::Function(function)) => format!("{name}{}", self.signature(function)),
                (WorldKey::Name(name), _) => name.clone(),
            })
            .collect()
    }
}

/// What of `old` is no longer so in `new`.
pub fn breaches(old: &Contract, new: &Contract) -> Vec<String> {
    let mut out = Vec::new();
    let interfaces = new.interfaces();
    for (name, before) in old.interfaces() {
        match interfaces.get(name) {
            None => out.push(format!("the interface `{name}` is gone")),
            Some(now) => compare_interfaces(old, before, new, now, &mut out),
        }
    }
    let worlds = new.worlds();
    for (name, before) in old.worlds() {
        match worlds.get(name) {
            None => out.push(format!("the world `{name}` is gone")),
            Some(now) => compare_worlds(old, before, new, now, &mut out),
        }
    }
    out
}

fn compare_interfaces(old: &Contract, before: &Interface, new: &Contract, now: &Interface, out: &mut Vec<String>) {
    let interface = before.name.as_deref().unwrap_or_default();
    for (name, id) in &before.types {
        let full = format!("{interface}.{name}");
        match now.types.get(name) {
            None => out.push(format!("the type `{full}` is gone")),
            Some(now) => {
                compare_types(&full, old, &old.resolve.types[*id], new, &new.resolve.types[*now], out);
            }
        }
    }
    for (name, function) in &before.functions {
        let before = old.signature(function);
        match now.functions.get(name).map(|function| new.signature(function)) {
            None => out.push(format!("the function `{interface}.{name}` is gone")),
            Some(now) if now != before => {
                out.push(format!("the function `{interface}.{name}` was `{before}` and is `{now}`"));
            }
            Some(_) => {}
        }
    }
}

fn compare_types(name: &str, old: &Contract, was: &TypeDef, new: &Contract, is: &TypeDef, out: &mut Vec<String>) {
    let (kind, part) = match &was.kind {
        TypeDefKind::Record(_) => ("record", "field"),
        TypeDefKind::Flags(_) => ("flags", "flag"),
        other => (other.as_str(), "case"),
    };
    if was.kind.as_str() != is.kind.as_str() {
        out.push(format!("the {kind} `{name}` is now a {}", is.kind.as_str()));
        return;
    }
    let (before, now) = (old.members(was), new.members(is));
    if before.is_empty() {
        let (before, now) = (old.definition(was), new.definition(is));
        if before != now {
            out.push(format!("the type `{name}` was `{before}` and is `{now}`"));
        }
        return;
    }
    let count = out.len();
    for (member, ty) in &before {
        match now.iter().find(|(name, _)| name == member) {
            None => out.push(format!("the {kind} `{name}` has lost its {part} `{member}`")),
            Some((_, now)) if now != ty => {
                out.push(format!("the {part} `{member}` of the {kind} `{name}` held `{ty}` and holds `{now}`"));
            }
            Some(_) => {}
        }
    }
    for (member, _) in now.iter().filter(|(member, _)| !before.iter().any(|(name, _)| name == member)) {
        out.push(format!("the {kind} `{name}` has a new {part} `{member}`: add a new type instead"));
    }
    if out.len() == count && before != now {
        out.push(format!("the {part}s of the {kind} `{name}` are in another order"));
    }
}

fn compare_worlds(old: &Contract, before: &World, new: &Contract, now: &World, out: &mut Vec<String>) {
    let world = &before.name;
    let (imports, now_imports) = (old.items(before.imports.iter()), new.items(now.imports.iter()));
    let (exports, now_exports) = (old.items(before.exports.iter()), new.items(now.exports.iter()));
    for lost in imports.iter().filter(|item| !now_imports.contains(item)) {
        out.push(format!("the world `{world}` no longer imports `{lost}`"));
    }
    for lost in exports.iter().filter(|item| !now_exports.contains(item)) {
        out.push(format!("the world `{world}` no longer exports `{lost}`"));
    }
    for more in now_exports.iter().filter(|item| !exports.contains(item)) {
        out.push(format!("the world `{world}` exports `{more}`, which older rules do not: make a new world"));
    }
}
