//! `build --watch`: on each save a build, whose result goes into a rules directory; a failing one changes nothing.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use tempfile::TempDir;

use super::{new_in_rust, printed, ran, tool};
use crate::support::wait::until;

struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn forward(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| to.send(line)));
}

/// Waits for a line with these words; the lines before it.
fn line(lines: &Receiver<String>, words: &str) -> Vec<String> {
    let mut seen = Vec::new();
    until(words, || {
        let line = lines.try_recv().ok()?;
        let found = line.contains(words);
        seen.push(line);
        found.then_some(())
    });
    seen
}

#[test]
fn saving_builds_again_and_a_failing_build_is_no_end() {
    let dir = TempDir::new().unwrap();
    let folder = new_in_rust(dir.path(), "watched", "priority");
    let path = folder.to_str().unwrap();
    printed(&ran(&["build", path]));
    let rules = dir.path().join("rules");
    let mut child = tool(&["build", path, "--watch", "--out", rules.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (send, lines) = channel();
    forward(child.stdout.take().unwrap(), send.clone());
    forward(child.stderr.take().unwrap(), send);
    let _watching = Watching(child);
    line(&lines, "watching ");
    let component = rules.join("watched/rule.wasm");
    let first = std::fs::read(&component).unwrap();
    assert!(rules.join("watched/rule.toml").exists());

    let source = folder.join("src/lib.rs");
    let good = std::fs::read_to_string(&source).unwrap();
    std::fs::write(&source, good.replace("fn mentioned", "fn mentioned is broken")).unwrap();
    line(&lines, "it does not build");
    line(&lines, "watching ");
    assert_eq!(std::fs::read(&component).unwrap(), first, "what was good stays");

    std::fs::write(&source, good.replace("it mentions", "it speaks of")).unwrap();
    line(&lines, "watched 0.1.0: ");
    line(&lines, "watching ");
    assert_ne!(std::fs::read(&component).unwrap(), first);

    // A new folder is watched too; what tools fill is not, so the next build is the manifest's.
    std::fs::create_dir(folder.join("node_modules")).unwrap();
    std::fs::write(folder.join("node_modules/x.js"), "x").unwrap();
    let manifest = folder.join("rule.toml");
    let text = std::fs::read_to_string(&manifest).unwrap().replace("0.1.0", "0.2.0");
    std::fs::write(&manifest, text).unwrap();
    let seen = line(&lines, "watching ");
    assert!(seen.iter().any(|line| line.starts_with("watched 0.2.0: ")), "{seen:?}");
    assert!(std::fs::read_to_string(rules.join("watched/rule.toml")).unwrap().contains("0.2.0"));
}
