//! Clients made from the interface's own document, by other people's generators: they create, are refused with problems that
//! have a type, list and turn pages. The document is valid by two validators.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::run;
use crate::support::components::{PROGRAM, scratch};
use crate::support::house::House;
use crate::support::place::Database;

/// The validator and the generator for Python.
const PYTHON: [&str; 2] = ["openapi-spec-validator==0.9.0", "openapi-python-client==0.29.1"];
/// The validator, the generator and the compiler for TypeScript.
const NODE: [&str; 4] =
    ["@redocly/cli@2.77.0", "openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3"];

/// The program that makes requests of the document by chance.
const CHANCE: [&str; 1] = ["schemathesis==4.32.5"];
/// How many requests it makes of each operation besides the edges of every parameter.
const CHANCES: &str = "6";

/// A folder with the tools, installed once.
fn tools(name: &str, wanted: &[&str], install: impl FnOnce(&Path)) -> PathBuf {
    let folder = scratch().join("toolchains").join(name);
    let mark = folder.join("installed.txt");
    if std::fs::read_to_string(&mark).ok() != Some(wanted.join(" ")) {
        std::fs::create_dir_all(&folder).unwrap();
        install(&folder);
        std::fs::write(mark, wanted.join(" ")).unwrap();
    }
    folder
}

/// The document, in a folder of the test's own.
fn document(name: &str) -> (PathBuf, PathBuf) {
    let folder = scratch().join("languages").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("openapi.json");
    std::fs::write(&file, run(Command::new(PROGRAM).arg("openapi"))).unwrap();
    (folder, file)
}

fn copy(name: &str, text: &str, folder: &Path) {
    std::fs::write(folder.join(name), text).unwrap();
}

#[test]
fn a_client_in_python_is_made_from_the_document_and_works() {
    let tools = tools("openapi-python", &PYTHON, |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder));
        run(Command::new(folder.join("bin/python")).args(["-m", "pip", "install", "--quiet"]).args(PYTHON));
    });
    let (folder, file) = document("client-python");
    run(Command::new(tools.join("bin/openapi-spec-validator")).arg(&file));
    let mut generate = Command::new(tools.join("bin/openapi-python-client"));
    generate.args(["generate", "--meta", "none", "--path"]).arg(&file).arg("--output-path").arg(folder.join("client"));
    run(&mut generate);
    copy("use.py", include_str!("clients/use.py"), &folder);
    let desk = House::demo(Database::Sqlite);
    let said = run(Command::new(tools.join("bin/python")).arg("use.py").arg(&desk.url).current_dir(&folder));
    assert!(said.ends_with("all of it works\n"), "{said}");
}

#[test]
fn a_client_in_typescript_is_made_from_the_document_and_works() {
    let tools = tools("openapi-node", &NODE, |folder| {
        std::fs::write(folder.join("package.json"), "{}").unwrap();
        run(Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .args(NODE)
            .current_dir(folder));
    });
    let tool = |name: &str| Command::new(tools.join("node_modules/.bin").join(name));
    let (folder, file) = document("client-typescript");
    let mut lint = tool("redocly");
    lint.arg("lint")
        .arg(&file)
        .current_dir(&folder)
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    run(&mut lint);
    run(tool("openapi-typescript").arg(&file).arg("-o").arg(folder.join("schema.d.ts")));
    copy("use.ts", include_str!("clients/use.ts"), &folder);
    copy("package.json", "{ \"type\": \"module\" }", &folder);
    std::os::unix::fs::symlink(tools.join("node_modules"), folder.join("node_modules")).unwrap();
    let strict = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--outDir", "out"];
    run(tool("tsc").args(strict).arg("use.ts").current_dir(&folder));
    let desk = House::demo(Database::Sqlite);
    let said = run(Command::new("node").arg("out/use.js").arg(&desk.url).current_dir(&folder));
    assert!(said.ends_with("all of it works\n"), "{said}");
}

/// No 5xx, and no status, media type or shape that the document does not list, whoever asks. Streams never end, and are left out.
#[test]
fn requests_made_of_the_document_by_chance_get_only_answers_that_it_lists() {
    let tools = tools("schemathesis", &CHANCE, |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder));
        run(Command::new(folder.join("bin/python")).args(["-m", "pip", "install", "--quiet"]).args(CHANCE));
    });
    let (folder, file) = document("chance");
    copy("hooks.py", include_str!("clients/hooks.py"), &folder);
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                  response_schema_conformance,negative_data_rejection,unsupported_method,\
                  allow_header_conformance,ignored_auth";
    for person in ["mei", "amara"] {
        let desk = House::demo(Database::Sqlite);
        let mut ask = Command::new(tools.join("bin/schemathesis"));
        ask.current_dir(&folder).env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", &folder);
        ask.arg("run").arg(&file).args(["--url", &desk.url, "--no-color"]);
        ask.args(["--header", &format!("Authorization: Bearer demo-{person}"), "--checks", checks]);
        ask.args(["--phases", "examples,coverage,fuzzing", "--max-examples", CHANCES, "--generation-deterministic"]);
        ask.args(["--continue-on-failure", "--request-timeout", "60", "--exclude-path-regex", "/events$"]);
        run(&mut ask);
    }
}
