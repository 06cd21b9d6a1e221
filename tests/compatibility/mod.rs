//! A rule built today runs on next year's desk: `sdk/wit/README.md` is the policy.

use std::fs;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::conformance::{misses, run_good};
use crate::support::components::{open, put, root};
use check::{Contract, breaches};

mod check;

/// The published files and their SHA-256. Lines are added for a new version; of a published one, only comments may say more.
const PUBLISHED: &[(&str, &str)] = &[
    ("1.0.0/access.wit", "fb10557e080824b5a6b5100d8ea5af9b83bc470cf283abd806d38d7f83957875"),
    ("1.0.0/categorization.wit", "f064a1e1044aa034f1831636615e9b4d648a24907e992ebbcf2ab0f823872285"),
    ("1.0.0/imports.wit", "a99cbfa35307ad0e859fe43834762be33bd4c26f77e61a1bc3fd9d0e65b993b6"),
    ("1.0.0/intake.wit", "4d2ff148994cb5eaffc430229b7b7333ff6d007145b06dd997eb19417df2da6d"),
    ("1.0.0/priority.wit", "1d2a6c509a67643ff50ec0b28a73d8b0225fcd6727411fe36acbafd12865897e"),
    ("1.0.0/routing.wit", "4b2f2866475c4b713595204f4a524dfa318aacaf998be686bbb444976bc29101"),
    ("1.0.0/settings.wit", "c8abe5d30674a9cdbdfa4a6e98e260bff92a63d5217c4bb248fb238d2e3af3e8"),
    ("1.0.0/types.wit", "7478d0a90adddbd959d4678cb395ff68d8ebbf18968791487500fb0956678855"),
    ("1.0.0/worlds.wit", "04e334e05d07b31eeb4819e54fc8cbed3b0accd971034aded8ddca0079f7e7b5"),
    ("1.1.0/access.wit", "fb10557e080824b5a6b5100d8ea5af9b83bc470cf283abd806d38d7f83957875"),
    ("1.1.0/categorization.wit", "f064a1e1044aa034f1831636615e9b4d648a24907e992ebbcf2ab0f823872285"),
    ("1.1.0/closing.wit", "02b08507c01862e2960264e1f250e743211a4f685c79e6877bd56b364a1546b0"),
    ("1.1.0/imports.wit", "a99cbfa35307ad0e859fe43834762be33bd4c26f77e61a1bc3fd9d0e65b993b6"),
    ("1.1.0/intake.wit", "4d2ff148994cb5eaffc430229b7b7333ff6d007145b06dd997eb19417df2da6d"),
    ("1.1.0/priority.wit", "1d2a6c509a67643ff50ec0b28a73d8b0225fcd6727411fe36acbafd12865897e"),
    ("1.1.0/routing.wit", "4b2f2866475c4b713595204f4a524dfa318aacaf998be686bbb444976bc29101"),
    ("1.1.0/settings.wit", "c8abe5d30674a9cdbdfa4a6e98e260bff92a63d5217c4bb248fb238d2e3af3e8"),
    ("1.1.0/types.wit", "7478d0a90adddbd959d4678cb395ff68d8ebbf18968791487500fb0956678855"),
    ("1.1.0/worlds.wit", "aa29c350408634360c77c4bbdc1917d12f08d178adfca6313cac6fec8934c92b"),
    ("connector/1.0.0/connector.wit", "45122688043757e11a9acc1f697065880c8af00876dc281c68d6edf6619c80fc"),
];

fn wit() -> PathBuf {
    root().join("sdk/wit")
}

/// The versions of the rules' contract that lie there, the oldest first.
fn versions() -> Vec<(Vec<u64>, PathBuf)> {
    let is_version = |path: &PathBuf| path.is_dir() && path.file_name() != Some("connector".as_ref());
    let folders = fs::read_dir(wit()).unwrap().map(|entry| entry.unwrap().path()).filter(is_version);
    let number = |path: &PathBuf| {
        path.file_name().unwrap().to_str().unwrap().split('.').map(|n| n.parse().unwrap()).collect::<Vec<u64>>()
    };
    let mut versions: Vec<_> = folders.map(|path| (number(&path), path)).collect();
    versions.sort();
    versions
}

#[test]
fn the_contract_is_what_was_published() {
    let mut files = Vec::new();
    let connector = wit().join("connector/1.0.0");
    for folder in versions().into_iter().map(|(_, folder)| folder).chain([connector]) {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let digest: String = Sha256::digest(fs::read(&path).unwrap()).iter().map(|b| format!("{b:02x}")).collect();
            files.push((path.strip_prefix(wit()).unwrap().display().to_string(), digest));
        }
    }
    files.sort();
    let files: Vec<_> = files.iter().map(|(path, digest)| (path.as_str(), digest.as_str())).collect();
    assert_eq!(files, PUBLISHED, "a published contract never changes: make a new version");
}

#[test]
fn each_minor_version_only_adds() {
    let versions = versions();
    assert!(!versions.is_empty());
    for pair in versions.windows(2) {
        let [(old, old_folder), (new, new_folder)] = pair else { unreachable!() };
        if old[0] == new[0] {
            let breaches = breaches(&Contract::of_folder(old_folder), &Contract::of_folder(new_folder));
            assert!(breaches.is_empty(), "{new:?} breaks rules of {old:?}: {}", breaches.join("; "));
        }
    }
}

#[test]
fn the_published_contract_breaks_nothing_of_itself() {
    let published = || Contract::of_folder(&wit().join("1.0.0"));
    assert_eq!(breaches(&published(), &published()), Vec::<String>::new());
}

const SMALL: &str = "package t:t@1.0.0;
interface log { enum level { low, high } write: func(level: level); }
interface stage {
  use log.{level};
  record person { id: string, age: u8 }
  variant decision { pass, rate(level) }
  type moment = u64;
  decide: func(input: person) -> result<decision, string>;
}
world rule { import log; export stage; }
";

#[test]
fn additions_are_compatible() {
    let more = SMALL
        .replace("@1.0.0", "@1.1.0")
        .replace("write: func", "flush: func(); write: func")
        .replace("type moment", "record extra { why: string } type moment")
        .replace("import log;", "import log; import clock;")
        + "interface clock { now: func() -> u64; }\nworld clocked { include rule; }";
    assert_eq!(breaches(&Contract::of_text(SMALL), &Contract::of_text(&more)), Vec::<String>::new());
}

#[test]
fn every_breach_is_named() {
    let cases = [
        ("low, high }", "low, high, top }", "the enum `log.level` has a new case `top`: add a new type instead"),
        ("low, high }", "high, low }", "the cases of the enum `log.level` are in another order"),
        ("low, high }", "low }", "the enum `log.level` has lost its case `high`"),
        (
            "age: u8 }",
            "age: u8, vip: bool }",
            "the record `stage.person` has a new field `vip`: add a new type instead",
        ),
        ("age: u8", "age: u16", "the field `age` of the record `stage.person` held `u8` and holds `u16`"),
        (", age: u8", "", "the record `stage.person` has lost its field `age`"),
        (
            "rate(level) }",
            "rate(level), deny }",
            "the variant `stage.decision` has a new case `deny`: add a new type instead",
        ),
        (
            "rate(level)",
            "rate(option<level>)",
            "the case `rate` of the variant `stage.decision` held `log.level` and holds `option<log.level>`",
        ),
        ("moment = u64", "moment = s64", "the type `stage.moment` was `u64` and is `s64`"),
        ("type moment = u64;", "", "the type `stage.moment` is gone"),
        (
            "write: func(level: level)",
            "write: func(level: level, text: string)",
            "the function `log.write` was `(level: log.level)` and is `(level: log.level, text: string)`",
        ),
        (" write: func(level: level);", "", "the function `log.write` is gone"),
        ("export stage;", "", "the world `rule` no longer exports `stage`"),
        (
            "export stage;",
            "export stage; export log;",
            "the world `rule` exports `log`, which older rules do not: make a new world",
        ),
        ("world rule", "world other", "the world `rule` is gone"),
    ];
    for (from, to, breach) in cases {
        assert!(SMALL.contains(from), "{from}");
        let changed = Contract::of_text(&SMALL.replacen(from, to, 1));
        assert_eq!(breaches(&Contract::of_text(SMALL), &changed), [breach]);
    }
}

#[test]
fn components_of_older_versions_give_the_recorded_answers() {
    let mut asked = 0;
    for (_, folder) in versions() {
        let kept = root().join("tests/compatibility").join(folder.file_name().unwrap());
        for entry in fs::read_dir(&kept).unwrap() {
            let path = entry.unwrap().path();
            let dir = tempfile::TempDir::new().unwrap();
            let rules = run_good(dir.path(), &fs::read(&path).unwrap());
            let misses = misses(&rules);
            assert!(misses.is_empty(), "{}:\n{}", path.display(), misses.join("\n"));
            asked += 1;
        }
    }
    assert!(asked >= 1);
}

/// A stage that came later is optional: a component without it is as good as ever, and is not asked what it does not know.
#[test]
fn a_component_of_the_first_version_has_no_closing() {
    let kept = fs::read(root().join("tests/compatibility/1.0.0/rust.wasm")).unwrap();
    let dir = tempfile::TempDir::new().unwrap();
    let manifest = "name = \"old\"\nversion = \"1.0.0\"\nstages = [\"routing\", \"closing\"]\norder = 1\n[settings]\nwords = [\"x\"]\n\
        category = \"c\"\nlevel = \"l\"\nteam = \"t\"\ntable = \"t\"\nfactor = 1.0\nbody-max = 1\nmax-hours = 1\n";
    put(dir.path(), "old", manifest, &kept);
    let rules = open(dir.path());
    let folders = rules.catalog().folders();
    let error = folders.values().next().unwrap().error.as_ref().expect("it claims a stage that it has not");
    assert!(error.message.contains("closing"), "{}", error.message);
    assert!(!rules.generation().rules().iter().any(|rule| rule.manifest.name.as_str() == "old"));
}
