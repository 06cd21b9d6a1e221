//! The texts of a configuration directory: the only place here that touches the disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::desk::by_api;
use super::problem::Problem;
use super::read::{Document, place};
use super::wrong::Wrong;
use crate::desk::text::into_normal;
use crate::messages;
use crate::rows;

/// The largest file that is read, in bytes: 100,000 people fit.
pub const FILE_BYTES_MAX: usize = 32 << 20;
/// The most files of days on which calendars are closed.
const HOLIDAYS_MAX: usize = 100;
/// The most reference tables.
pub const TABLES_MAX: usize = 1000;
/// The most syntax errors shown of one file; what follows is mostly their echo.
const SYNTAX_ERRORS_MAX: usize = 10;
/// How often a directory is read that changes meanwhile.
const READS_MAX: usize = 10;

pub const DESK: &str = "desk.toml";
/// The folder of the reference tables.
const TABLES: &str = "tables";
/// The folder of the days on which calendars are closed, in iCalendar files.
pub const HOLIDAYS: &str = "holidays";
/// The folder of the words of messages, with a folder for each language.
pub const TEMPLATES: &str = "templates";

/// The texts of a configuration directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Where they are: what relative paths in them start from.
    pub dir: PathBuf,
    /// Each file's text by its path relative to `dir`, with `/` between folders.
    pub texts: BTreeMap<String, String>,
}

/// The TOML files, parsed.
pub struct Parsed<'a> {
    pub desk: Document<'a>,
    pub people: Document<'a>,
    pub teams: Document<'a>,
    pub taxonomy: Document<'a>,
    pub request_types: Document<'a>,
    pub apps: Document<'a>,
    /// Parts of `desk.toml` that have a file of their own.
    pub apart: BTreeMap<by_api::Document, Document<'a>>,
}

impl<'a> Parsed<'a> {
    /// The file that has a part of the desk: its own, or `desk.toml`.
    pub fn with(&self, part: by_api::Document) -> &Document<'a> {
        self.apart.get(&part).unwrap_or(&self.desk)
    }
}

/// A file as the system has it, or the one to which a link leads.
#[derive(PartialEq, Eq)]
struct Look {
    device: u64,
    inode: u64,
    bytes: u64,
    /// When its content changed, in seconds and nanoseconds.
    modified: (i64, i64),
    /// When anything about it changed, such as its name.
    changed: (i64, i64),
}

impl Look {
    /// `None` where there is no such file.
    fn at(path: &Path) -> Option<Look> {
        let found = std::fs::metadata(path).ok()?;
        Some(Look {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

/// The files that a directory has for a desk.
#[derive(PartialEq, Eq)]
struct There {
    files: Vec<(String, Option<Look>)>,
    /// Folders whose files cannot be listed.
    problems: Vec<Problem>,
}

impl There {
    fn look(dir: &Path) -> There {
        let mut problems = Vec::new();
        let mut names = vec![DESK.to_owned()];
        let there = |document: &by_api::Document| !document.may_be_absent() || is_there(&dir.join(document.file()));
        names.extend(by_api::Document::ALL.into_iter().filter(there).map(|document| document.file().to_owned()));
        let of_folders = [
            (TABLES, table_files(&dir.join(TABLES))),
            (HOLIDAYS, holiday_files(&dir.join(HOLIDAYS))),
            (TEMPLATES, template_files(&dir.join(TEMPLATES))),
        ];
        for (folder, found) in of_folders {
            match found {
                Ok(files) => names.extend(files),
                Err(wrong) => problems.push(whole_file(folder, wrong)),
            }
        }
        let look = |name: String| {
            let look = Look::at(&dir.join(&name));
            (name, look)
        };
        There { files: names.into_iter().map(look).collect(), problems }
    }
}

impl Files {
    /// Reads a directory as it is at one moment: where it changes meanwhile, as where a link is led elsewhere, it is read again.
    /// `apps.toml`, the files that say what `desk.toml` may say as well, and the folders `tables`, `holidays` and `templates` may be
    /// absent.
    ///
    /// # Errors
    ///
    /// Each file that is missing, unreadable, too large or not UTF-8; a directory that never rests.
    pub fn read(dir: &Path) -> Result<Files, Vec<Problem>> {
        Files::read_at_rest(dir, |_| {})
    }

    /// The same; `before` is called with the name of each file before it is read.
    fn read_at_rest(dir: &Path, mut before: impl FnMut(&str)) -> Result<Files, Vec<Problem>> {
        let (mut there, mut last) = (There::look(dir), None);
        for _ in 0..READS_MAX {
            let read = Files::read_once(dir, &there, &mut before);
            let now = There::look(dir);
            // A file may have been away for a moment and be back as it was; and there are file systems on which one looks different
            // each time.
            if (read.is_ok() && now == there) || last.as_ref() == Some(&read) {
                return read;
            }
            (there, last) = (now, Some(read));
        }
        let reason = format!("the directory has changed during each of {READS_MAX} looks: read it again once it rests");
        Err(vec![whole_file(DESK, Wrong::Unreadable { reason })])
    }

    fn read_once(dir: &Path, there: &There, before: &mut impl FnMut(&str)) -> Result<Files, Vec<Problem>> {
        let mut files = Files { dir: dir.to_owned(), texts: BTreeMap::new() };
        let mut problems = there.problems.clone();
        for (name, _) in &there.files {
            before(name);
            match read_text(&dir.join(name)) {
                Ok(text) => _ = files.texts.insert(name.clone(), text),
                Err(wrong) => problems.push(whole_file(name, wrong)),
            }
        }
        if problems.is_empty() { Ok(files) } else { Err(problems) }
    }

    /// Parses the TOML files; `None` where one is not TOML at all, which hides what else would be wrong.
    pub fn parse<'a>(&'a self, problems: &'a RefCell<Vec<Problem>>) -> Option<Parsed<'a>> {
        use by_api::Document::{Apps, People, RequestTypes, Taxonomy, Teams};
        let one = |document: by_api::Document| self.parse_one(document.file(), problems);
        let desk = self.parse_one(DESK, problems);
        let (people, teams, taxonomy) = (one(People), one(Teams), one(Taxonomy));
        let (request_types, apps) = (one(RequestTypes), one(Apps));
        let has_its_own = |part: &by_api::Document| !part.keys().is_empty() && self.texts.contains_key(part.file());
        let parts: Vec<_> =
            by_api::Document::ALL.into_iter().filter(has_its_own).map(|part| (part, one(part))).collect();
        let apart =
            parts.into_iter().map(|(part, parsed)| Some((part, parsed?))).collect::<Option<BTreeMap<_, _>>>()?;
        Some(Parsed {
            desk: desk?,
            people: people?,
            teams: teams?,
            taxonomy: taxonomy?,
            request_types: request_types?,
            apps: apps?,
            apart,
        })
    }

    /// Parses one of them, which is empty where it is absent.
    pub fn parse_one<'a>(&'a self, file: &'static str, problems: &'a RefCell<Vec<Problem>>) -> Option<Document<'a>> {
        let text = self.texts.get(file).map_or("", String::as_str);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors.iter().take(SYNTAX_ERRORS_MAX) {
            let (line, column) = place(text, error.span().map_or(0, |span| span.start));
            let wrong = Wrong::Syntax { message: error.message().to_owned() };
            let problem = Problem { file: file.to_owned(), line, column, key: String::new(), wrong };
            problems.borrow_mut().push(problem);
        }
        errors.is_empty().then(|| Document::new(file, text, root, problems))
    }

    /// The files that may have a part in who gets access: all but the words of messages.
    pub fn deciding(&self) -> BTreeMap<String, String> {
        let deciding = self.texts.iter().filter(|(path, _)| decides(path));
        deciding.map(|(path, text)| (path.clone(), text.clone())).collect()
    }

    /// The reference tables: file, table's name, text.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.texts.iter().filter_map(|(file, text)| {
            let name = file.strip_prefix("tables/")?;
            let name = name.strip_suffix(".csv").or_else(|| name.strip_suffix(".toml"))?;
            Some((file.as_str(), name, text.as_str()))
        })
    }
}

/// Whether a file may have a part in who gets access.
pub fn decides(path: &str) -> bool {
    path.split_once('/').is_none_or(|(folder, _)| folder != TEMPLATES)
}

/// Whether a file is a reference table.
pub fn is_table(path: &str) -> bool {
    path.split_once('/').is_some_and(|(folder, _)| folder == TABLES)
}

/// A problem with a file as a whole.
pub fn whole_file(file: &str, wrong: Wrong) -> Problem {
    Problem { file: file.to_owned(), line: 0, column: 0, key: String::new(), wrong }
}

fn table_files(dir: &Path) -> Result<Vec<String>, Wrong> {
    listed(dir, &[".csv", ".toml"], TABLES_MAX).map(|names| within(TABLES, names))
}

fn holiday_files(dir: &Path) -> Result<Vec<String>, Wrong> {
    listed(dir, &[".ics"], HOLIDAYS_MAX).map(|names| within(HOLIDAYS, names))
}

fn within(folder: &str, names: Vec<String>) -> Vec<String> {
    names.into_iter().map(|name| format!("{folder}/{name}")).collect()
}

/// The files of a folder whose names end so, where there is such a folder.
fn listed(dir: &Path, endings: &[&str], max: usize) -> Result<Vec<String>, Wrong> {
    if !is_there(dir) {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let shown = name.to_string_lossy();
        // Editors leave files of their own beside these.
        if shown.starts_with('.') || !endings.iter().any(|ending| shown.ends_with(ending)) {
            continue;
        }
        let no_text = || Wrong::Unreadable { reason: format!("the name of `{shown}` in it is not UTF-8: rename it") };
        names.push(name.to_str().ok_or_else(no_text)?.to_owned());
    }
    if names.len() > max {
        return Err(Wrong::TooMany { found: names.len(), max });
    }
    names.sort();
    Ok(names)
}

/// Whether there is something of that name. A link that leads nowhere is there: what it should lead to is missed, and not left out.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The files of all languages.
fn template_files(dir: &Path) -> Result<Vec<String>, Wrong> {
    if !is_there(dir) {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for locale in std::fs::read_dir(dir).map_err(unreadable)? {
        let locale = locale.map_err(unreadable)?;
        if !locale.path().is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(locale.path()).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
            if (name.ends_with(".txt") || name.ends_with(".html")) && !name.starts_with('.') {
                names.push(format!("{TEMPLATES}/{}/{name}", locale.file_name().to_string_lossy()));
            }
        }
    }
    if names.len() > messages::FILES_MAX {
        return Err(Wrong::TooMany { found: names.len(), max: messages::FILES_MAX });
    }
    names.sort();
    Ok(names)
}

fn read_text(path: &Path) -> Result<String, Wrong> {
    let mut bytes = Vec::new();
    let kind = std::fs::metadata(path).map_err(unreadable)?;
    // To open a pipe would wait for a writer, for good.
    if !kind.is_file() && !kind.is_dir() {
        return Err(Wrong::Unreadable { reason: "it is a pipe or a device, and no file".to_owned() });
    }
    let file = File::open(path).map_err(unreadable)?;
    // One byte more than allowed tells a full file from one that goes on.
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Wrong::FileTooLarge { bytes_max: FILE_BYTES_MAX });
    }
    // Reference tables come from spreadsheets, which write what their country does; all else is ours, and UTF-8.
    let table = path.extension().is_some_and(|extension| extension == "csv");
    let text = if table { rows::text(&bytes) } else { String::from_utf8(bytes).ok() };
    let text = text.ok_or(Wrong::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok(into_normal(text))
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err`")]
fn unreadable(error: std::io::Error) -> Wrong {
    Wrong::Unreadable { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Two trees as Kubernetes mounts them: each file is a link into `..data`, which is led from one tree to the other.
    fn mounted() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let names = by_api::Document::ALL.into_iter().map(by_api::Document::file).chain([DESK]);
        let names: Vec<&str> = names.collect();
        for tree in ["one", "two"] {
            fs::create_dir(dir.path().join(tree)).unwrap();
            for name in &names {
                fs::write(dir.path().join(tree).join(name), tree).unwrap();
            }
        }
        lead(dir.path(), "one");
        for name in names {
            symlink(Path::new("..data").join(name), dir.path().join(name)).unwrap();
        }
        dir
    }

    fn lead(dir: &Path, tree: &str) {
        symlink(tree, dir.join("..next")).unwrap();
        fs::rename(dir.join("..next"), dir.join("..data")).unwrap();
    }

    fn trees(files: &Files) -> Vec<&str> {
        let mut trees: Vec<&str> = files.texts.values().map(String::as_str).collect();
        trees.dedup();
        trees
    }

    #[test]
    fn files_are_those_of_one_tree_though_a_link_is_led_elsewhere_between_them() {
        let dir = mounted();
        assert_eq!(trees(&Files::read(dir.path()).unwrap()), ["one"]);
        let mut read = 0;
        let files = Files::read_at_rest(dir.path(), |_| {
            read += 1;
            if read == 3 {
                lead(dir.path(), "two");
            }
        });
        assert_eq!(trees(&files.unwrap()), ["two"]);
    }

    #[test]
    fn a_file_that_is_gone_for_a_moment_is_no_mistake() {
        let dir = mounted();
        let away = dir.path().join("..away");
        let mut read = 0;
        let files = Files::read_at_rest(dir.path(), |_| {
            read += 1;
            match read {
                2 => fs::rename(dir.path().join("..data"), &away).unwrap(),
                4 => fs::rename(&away, dir.path().join("..data")).unwrap(),
                _ => {}
            }
        });
        assert_eq!(trees(&files.unwrap()), ["one"]);
        let mut read = 0;
        let files = Files::read_at_rest(dir.path(), |_| {
            read += 1;
            match read {
                2 => fs::remove_file(dir.path().join("..data")).unwrap(),
                4 => lead(dir.path(), "two"),
                _ => {}
            }
        });
        assert_eq!(trees(&files.unwrap()), ["two"]);
    }

    #[test]
    fn a_link_that_leads_nowhere_and_a_name_that_is_no_text_are_not_left_out() {
        let dir = mounted();
        fs::remove_file(dir.path().join("one").join(by_api::Document::Apps.file())).unwrap();
        let said = |read: Result<Files, Vec<Problem>>| read.unwrap_err()[0].to_string();
        assert!(said(Files::read(dir.path())).starts_with("apps.toml: the file cannot be read"));
        lead(dir.path(), "two");
        assert!(Files::read(dir.path()).is_ok());
        symlink("nowhere", dir.path().join(TABLES)).unwrap();
        assert!(said(Files::read(dir.path())).starts_with("tables: the file cannot be read"));
        fs::remove_file(dir.path().join(TABLES)).unwrap();
        fs::create_dir(dir.path().join(TABLES)).unwrap();
        fs::write(dir.path().join(TABLES).join(OsStr::from_bytes(b"caf\xe9.csv")), "a\n").unwrap();
        assert!(said(Files::read(dir.path())).ends_with("is not UTF-8: rename it"));
        fs::write(dir.path().join(TABLES).join(OsStr::from_bytes(b"caf\xe9.csv~")), "a\n").unwrap();
        fs::remove_file(dir.path().join(TABLES).join(OsStr::from_bytes(b"caf\xe9.csv"))).unwrap();
        assert!(Files::read(dir.path()).is_ok(), "what is no table may have any name");
    }

    #[test]
    fn a_directory_that_never_rests_is_said_to() {
        let dir = mounted();
        let mut written = 0;
        let problems = Files::read_at_rest(dir.path(), |name| {
            if name == DESK {
                written += 1;
                fs::write(dir.path().join("one").join(DESK), "x".repeat(written)).unwrap();
            }
        });
        assert!(problems.unwrap_err()[0].to_string().contains("read it again once it rests"));
        assert_eq!(written, READS_MAX);
    }
}
