//! The commands of the Makefile, and what the system has to have. Cargo is asked for what it has built already: this program and the
//! tests that run, and the rules that they use.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use super::{Shell, block};
use crate::support::components::{PROGRAM, example_rules, root};
use crate::support::place::copy;

/// Cargo, which notes what it is asked for. Where that is the program, it is there afterwards.
const CARGO: &str = "#!/bin/sh\n\
    echo \"$*\" >> cargo-was-asked\n\
    case \"$1\" in\n\
    build) mkdir -p target/release && ln -sf \"$(dirname \"$0\")/ruledesk\" target/release/ruledesk ;;\n\
    test) ;;\n\
    *) exit 9 ;;\n\
    esac\n";

/// The program, which takes the example rules as they were built for these tests, and says under which number it serves.
fn program() -> String {
    let (program, built) = (PROGRAM, example_rules().display());
    format!(
        "#!/bin/sh\n\
         if [ \"$1 $2 $3\" = 'rule build --out' ]; then\n\
         out=$4; shift 4; mkdir -p \"$out\"\n\
         for rule; do cp -r '{built}'/\"$(basename \"$rule\")\" \"$out\" || exit 1; done\n\
         else\n\
         echo $$ > serving; exec '{program}' \"$@\"\n\
         fi\n"
    )
}

/// In a tree of its own. The desk of the demo has been there before, so that its past is not written again.
#[test]
fn the_two_commands_of_the_makefile_run() {
    let shell = Shell::new();
    let tree = shell.folder();
    for name in ["Makefile", ".ci", "example-rules", "rust-toolchain.toml"] {
        symlink(root().join(name), tree.join(name)).unwrap();
    }
    let config = tree.join("host/demo");
    copy(&root().join("host/demo"), &config);
    let settings = fs::read_to_string(config.join("desk.toml")).unwrap();
    assert!(settings.contains("listen = \"127.0.0.1:8080\""), "as the README says");
    fs::write(config.join("desk.toml"), settings.replace("127.0.0.1:8080", "127.0.0.1:0")).unwrap();
    fs::write(tree.join("before.csv"), "title,text\nA word,Please tell me.\n").unwrap();
    shell.run(&format!(
        "ruledesk import before.csv --config host/demo --rules '{}' --data target/desk --request-type incident \
         --requester amara --map subject=title --map body=text",
        example_rules().display()
    ));
    shell.put_program("cargo", CARGO);
    shell.put_program("ruledesk", &program());

    let log = fs::File::create(tree.join("log")).unwrap();
    let both = block("README.md", "make run ");
    let mut running = shell.command(&both).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines().map_while(Result::ok);
    let url = lines.find_map(|line| Some(format!("http://{}", line.split_once(" on http://")?.1.trim())));
    let url = url.unwrap_or_else(|| panic!("it says where to look: {}", shell.read("log")));
    let rest = std::thread::spawn(move || lines.for_each(drop));
    let ready = shell.run(&format!("curl -s --retry 30 --retry-all-errors --retry-delay 1 {url}/readyz"));
    assert!(ready.contains("ready\n"), "{ready}");
    let rules = shell.run(&format!("curl -s -H 'Authorization: Bearer demo-kofi' {url}/api/v1/rules"));
    assert!(rules.contains("\"team-routing\""), "it has the example rules: {rules}");
    let told = Command::new("kill").args(["-TERM", shell.read("serving").trim()]).status().unwrap();
    assert!(told.success());
    assert!(running.wait().unwrap().success(), "{}", shell.read("log"));
    rest.join().unwrap();
    assert_eq!(shell.read("cargo-was-asked"), "build --locked --release -p ruledesk\ntest --locked --workspace\n");
}

/// The block installs the packages that `.ci/setup` has installed for these tests, and they do what they are there for.
#[test]
fn the_packages_of_the_sdk_in_c_are_those_that_it_needs() {
    let shell = Shell::new();
    shell.put_program("apt-get", "#!/bin/sh\necho \"$*\" >> apt-get-was-asked\n");
    shell.run(&block("sdk/c/README.md", "apt-get install"));
    assert_eq!(shell.read("apt-get-was-asked"), "install make clang lld wasi-libc libclang-rt-dev-wasm32\n");
    let setup = fs::read_to_string(root().join(".ci/setup")).unwrap();
    assert!(setup.contains("apt_install make clang lld wasi-libc\n"), "the same packages");
    assert!(setup.contains("apt_install \"libclang-rt-$version-dev-wasm32\"\n"), "by the version of the compiler");
    let builtins = shell.run(
        "make --version > /dev/null\n\
         wasm-ld --version > /dev/null\n\
         echo 'int main(void) { return 0; }' > main.c\n\
         clang --target=wasm32-wasi -include string.h main.c -o main.wasm\n\
         clang --target=wasm32-wasi -print-libgcc-file-name",
    );
    assert!(builtins.trim().ends_with("libclang_rt.builtins-wasm32.a"), "{builtins}");
    let module = fs::read(shell.folder().join("main.wasm")).unwrap();
    assert!(module.starts_with(b"\0asm"));
}
