//! The words of comments: plain present-day English that a stranger understands at first reading.

use super::sources;
use crate::support::components::root;

/// Words that comments avoid, and how often they stand there today: each number only falls.
const AVOIDED: [(&str, usize); 12] = [
    ("whoever", 32),
    ("whatever", 21),
    ("somebody", 35),
    ("anybody", 7),
    ("nobody", 40),
    ("anew", 6),
    ("told", 19),
    ("nought", 0),
    ("beside", 60),
    ("likewise", 0),
    ("mend", 2),
    ("mended", 4),
];

/// Documentation begins with a noun or a verb. How many pieces begin with "What" today; it only falls.
const BEGIN_WITH_WHAT_MAX: usize = 348;

/// All comments of ours, a line each, without what marks them.
fn comments() -> Vec<String> {
    let folders = ["host/src", "host/benches", "sdk/src", "example-rules", "tests"];
    let files = folders.iter().flat_map(|folder| sources(&root().join(folder)));
    let texts = files.map(|path| std::fs::read_to_string(path).unwrap());
    let lines = texts.flat_map(|text| text.lines().map(|line| line.trim_start().to_owned()).collect::<Vec<_>>());
    lines.filter(|line| line.starts_with("//")).collect()
}

#[test]
fn comments_avoid_words_that_a_stranger_stumbles_over() {
    let comments = comments();
    let words: Vec<String> =
        comments.iter().flat_map(|line| line.split(|c: char| !c.is_alphanumeric())).map(str::to_lowercase).collect();
    for (word, allowed) in AVOIDED {
        let count = words.iter().filter(|found| *found == word).count();
        assert!(count <= allowed, "comments have `{word}` {count} times, {allowed} were there: say it plainly");
    }
    let what = comments.iter().filter(|line| line.starts_with("/// What ") || line.starts_with("//! What ")).count();
    assert!(what <= BEGIN_WITH_WHAT_MAX, "{what} pieces of documentation begin with \"What\": begin with a noun");
}
