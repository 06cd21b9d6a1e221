//! Style, script and icon, in the program itself. One digest over all of them is a part of their address, so that a browser
//! keeps them for good and a new program's are others.

#[cfg(not(debug_assertions))]
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

/// The folder in the source, from which a build for development reads them, so that a change shows at the next look.
#[cfg(debug_assertions)]
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/");

/// Each file: its name, its media type, and its content.
/// The script is one request: what only the console needs is small.
const ASSETS: [(&str, &str, &[u8]); 3] = [
    ("desk.css", "text/css; charset=utf-8", include_bytes!("../../../assets/desk.css")),
    (
        "desk.js",
        "text/javascript; charset=utf-8",
        concat!(include_str!("../../../assets/desk.js"), include_str!("../../../assets/console.js")).as_bytes(),
    ),
    ("icon.svg", "image/svg+xml", include_bytes!("../../../assets/icon.svg")),
];

/// The first digits of the digest over all of them, as they are sent.
fn digest_of(content: impl Fn(&str, &'static [u8]) -> Vec<u8>) -> String {
    let mut all = Sha256::new();
    for (name, media_type, built_in) in ASSETS {
        all.update(name);
        all.update(bare(media_type, content(name, built_in)));
    }
    all.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(not(debug_assertions))]
static DIGEST: LazyLock<String> = LazyLock::new(|| digest_of(content_of));

#[cfg(not(debug_assertions))]
fn digest() -> String {
    DIGEST.clone()
}

/// A file that is edited has another address at the next look, so that browsers may keep it here as they do elsewhere.
#[cfg(debug_assertions)]
fn digest() -> String {
    digest_of(content_of)
}

/// The address of an asset.
pub fn address(name: &str) -> String {
    format!("/static/{}/{name}", digest())
}

/// `GET /static/{digest}/{name}`.
pub async fn serve(Path((asked, name)): Path<(String, String)>) -> Response {
    let found = ASSETS.into_iter().find(|(known, _, _)| *known == name);
    let Some((name, media_type, content)) = found.filter(|_| asked == digest()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = bare(media_type, content_of(name, content)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHED));
    response
}

/// A style or a script without what is there for the readers of the source alone: the space around a line, and comments in lines of
/// their own. Each line that stays is a line still. Texts and comments of several lines would suffer: there are none, which a test holds.
fn bare(media_type: &str, content: Vec<u8>) -> Vec<u8> {
    if !media_type.starts_with("text/") {
        return content;
    }
    let is_comment = |line: &[u8]| line.starts_with(b"//") || (line.starts_with(b"/*") && line.ends_with(b"*/"));
    let lines = content.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut bare = Vec::with_capacity(content.len());
    for line in lines.filter(|line| !line.is_empty() && !is_comment(line)) {
        bare.extend_from_slice(line);
        bare.push(b'\n');
    }
    bare
}

/// For good: what changes has another address.
const CACHED: &str = "public, max-age=31536000, immutable";

#[cfg(not(debug_assertions))]
fn content_of(_: &str, content: &'static [u8]) -> Vec<u8> {
    content.to_vec()
}

#[cfg(debug_assertions)]
fn content_of(name: &str, content: &'static [u8]) -> Vec<u8> {
    let read = |name: &str| std::fs::read(format!("{FOLDER}{name}")).unwrap_or_default();
    let found = if name == "desk.js" { [read(name), read("console.js")].concat() } else { read(name) };
    if found.is_empty() { content.to_vec() } else { found }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(names: &[&str]) -> usize {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        for (_, media_type, content) in ASSETS.iter().filter(|(name, _, _)| names.contains(name)) {
            encoder.write_all(&bare(media_type, content.to_vec())).unwrap();
        }
        encoder.finish().unwrap().len()
    }

    #[test]
    fn style_and_script_stay_small() {
        let (style, script) = (packed(&["desk.css"]), packed(&["desk.js"]));
        assert!(style <= 8 << 10, "the style has {style} bytes, compressed");
        assert!(script <= 12 << 10, "the scripts have {script} bytes, compressed");
    }

    #[test]
    fn comments_and_space_go_and_nothing_else() {
        let source = b"// One\n/** Two. */\nlet a = 1; // three\n  if (a)\n\n    a = `x // ${a}`;\n".to_vec();
        let sent = b"let a = 1; // three\nif (a)\na = `x // ${a}`;\n".to_vec();
        assert_eq!(bare("text/javascript; charset=utf-8", source), sent);
        assert_eq!(bare("image/svg+xml", b" // <svg>\n".to_vec()), b" // <svg>\n");
    }

    /// So that no line begins within a text or a comment, where its first letters would mean something else.
    #[test]
    fn each_line_of_what_is_sent_ends_the_texts_and_comments_that_it_begins() {
        for (name, _, content) in ASSETS.iter().filter(|(name, ..)| *name != "icon.svg") {
            for line in std::str::from_utf8(content).unwrap().lines().map(str::trim) {
                let count = |what: &str| line.matches(what).count();
                // A comment that has its line alone is one, with nothing between two.
                let alone = line.starts_with("/*");
                assert!(!alone || (line.ends_with("*/") && count("*/") == 1), "{name}: {line}");
                let last = line.rfind("*/").unwrap_or(line.len());
                let is_closed = count("/*") == count("*/") && line.rfind("/*").is_none_or(|begins| begins < last);
                assert!(is_closed, "{name}, a comment of several lines: {line}");
                assert_eq!(count("`") % 2, 0, "{name}, a text of several lines: {line}");
                assert!(!line.ends_with('\\'), "{name}, a text of several lines: {line}");
                assert!(
                    *name != "desk.css" || !line.starts_with("//"),
                    "{name}, this is no comment in a style: {line}"
                );
            }
        }
    }

    #[test]
    fn the_style_knows_no_left_and_right() {
        let style = String::from_utf8_lossy(include_bytes!("../../../assets/desk.css"));
        for line in style.lines() {
            let physical = [
                "margin-left",
                "margin-right",
                "padding-left",
                "padding-right",
                "text-align: left",
                "text-align: right",
                " left:",
                " right:",
                "float:",
            ];
            assert!(!physical.iter().any(|word| line.contains(word)), "{line}");
        }
    }
}
