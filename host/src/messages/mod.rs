//! The words of messages: templates in several languages, shipped with the program and replaced file by file from the folder
//! `templates` of a configuration: `templates/LOCALE/KIND.txt`, of which the first line is `Subject: ...`, and
//! `templates/LOCALE/layout.html`, the frame of the same words in HTML.
//!
//! The template language is that of Jinja. Templates read nothing but the facts that they are given, run on a budget, and write
//! up to a bound; in HTML every value is escaped. All are tried on made-up facts when they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

mod draft;
pub mod facts;
pub mod reasons;
pub mod reports;
#[cfg(test)]
mod tests;
pub mod words;

use crate::desk::change::message::MessageKind;
pub use draft::shipped_text;
use facts::{Digest, Facts};

/// The language that stands in where another lacks a template.
pub const ENGLISH: &str = "en";
/// The template of a digest.
pub const DIGEST: &str = "digest";
/// The frame of messages in HTML.
const LAYOUT: &str = "layout.html";
/// The most steps of one rendering, in minijinja's count.
const FUEL_MAX: u64 = 200_000;
/// The longest text and the longest HTML of a message, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;
const HTML_BYTES_MAX: usize = 4 << 20;
/// The longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 250;
/// The most files of templates, and the largest of them in bytes.
pub const FILES_MAX: usize = 500;
pub const FILE_BYTES_MAX: usize = 64 << 10;

/// How the first line of a template begins.
const SUBJECT: &str = "Subject:";

macro_rules! shipped {
    ($($locale:literal)*) => {
        &[$(($locale, &shipped!($locale of
            "requester/acknowledgement.txt" "requester/reply.txt" "requester/state-changed.txt" "requester/resolved.txt"
            "requester/confirmation-reminder.txt" "requester/answer-reminder.txt" "requester/closed.txt"
            "requester/access-ending.txt" "requester/mail-kept.txt"
            "staff/approval-wanted.txt" "staff/assigned.txt" "staff/day-moved.txt" "staff/not-taken-up.txt" "staff/left-in-queue.txt"
            "staff/mentioned.txt" "staff/requester-wrote.txt"
            "staff/escalated.txt" "staff/promise-runs-out.txt" "staff/promise-broken.txt" "staff/review-wanted.txt"
            "staff/delegation.txt" "digest.txt" "layout.html"))),*]
    };
    ($locale:literal of $($path:literal)*) => {
        [$(($path, include_str!(concat!("shipped/", $locale, "/", $path)))),*]
    };
}

/// The templates that come with the program, by language: where a file is, and its text.
const SHIPPED: &[(&str, &[(&str, &str)])] = shipped!("en" "de");

/// The program's own files, as a configuration would have them.
fn shipped<'a>() -> impl Iterator<Item = File<'a>> {
    let file = |(path, text): &(&'static str, &'static str)| (path.rsplit('/').next().unwrap_or(path), *text);
    SHIPPED
        .iter()
        .flat_map(move |(locale, files)| files.iter().map(file).map(|(name, text)| File { locale, name, text }))
}

/// All templates, ready to be used.
#[derive(Debug, Clone)]
pub struct Templates {
    environment: Environment<'static>,
    locales: BTreeSet<String>,
}

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// A file of a configuration's templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    pub locale: &'a str,
    pub name: &'a str,
    pub text: &'a str,
}

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Mistake {
    /// Below `templates`.
    pub file: String,
    /// From 1; 0 for the file as a whole.
    pub line: usize,
    pub why: NotATemplate,
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotATemplate {
    #[error("there is no such template: {}", known.join(", "))]
    Unknown { known: Vec<String> },
    #[error("a language is two letters, or two letters, a dash and two more, such as `de` or `de-ch`")]
    NotALocale,
    #[error("its first line has to be `Subject: ...`")]
    NoSubject,
    #[error("it has more than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    #[error("{words}")]
    Wrong { words: String },
}

/// Why a message has no words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template {template} cannot be used: {words}")]
pub struct NotRendered {
    pub template: String,
    pub words: String,
}

impl Default for Templates {
    /// No templates at all.
    fn default() -> Self {
        Templates { environment: environment(), locales: BTreeSet::new() }
    }
}

impl Templates {
    /// The templates that come with the program.
    ///
    /// # Errors
    ///
    /// None: the tests see to it that they are right.
    pub fn shipped() -> Result<Templates, Vec<Mistake>> {
        Templates::with(std::iter::empty())
    }

    /// The same with a configuration's own in their place or besides them.
    ///
    /// # Errors
    ///
    /// Every file that cannot be used.
    pub fn with<'a>(own: impl Iterator<Item = File<'a>>) -> Result<Templates, Vec<Mistake>> {
        let mut templates = Templates::default();
        let mut files: BTreeMap<(String, String), &str> = BTreeMap::new();
        let mut mistakes = Vec::new();
        for file in shipped().chain(own) {
            match check_name(&file) {
                Ok(()) => drop(files.insert((file.locale.to_owned(), file.name.to_owned()), file.text)),
                Err(why) => {
                    mistakes.push(Mistake { file: format!("{}/{}", file.locale, file.name), line: 0, why });
                }
            }
        }
        for ((locale, name), text) in files {
            let file = format!("{locale}/{name}");
            match templates.environment.add_template_owned(file.clone(), text.to_owned()) {
                Ok(()) => drop(templates.locales.insert(locale)),
                Err(error) => mistakes.push(mistake(&file, &error)),
            }
        }
        if mistakes.is_empty() {
            mistakes = templates.tried();
        }
        if mistakes.is_empty() { Ok(templates) } else { Err(mistakes) }
    }

    /// The languages that have a template at least.
    pub fn locales(&self) -> impl Iterator<Item = &str> {
        self.locales.iter().map(String::as_str)
    }

    /// The best language for a wish such as `de-AT`: itself, its main language, or English.
    pub fn locale(&self, wish: &str) -> &str {
        let wish = wish.to_lowercase().replace('_', "-");
        let main = wish.split('-').next().unwrap_or_default();
        let known = |name: &str| self.locales.get(name).map(String::as_str);
        known(&wish).or_else(|| known(main)).unwrap_or(ENGLISH)
    }

    /// A message in words.
    ///
    /// # Errors
    ///
    /// [`NotRendered`] where the template does what cannot be done, takes too long or writes too much.
    pub fn message(&self, locale: &str, kind: MessageKind, facts: &Facts) -> Result<Rendered, NotRendered> {
        let link = facts.ticket.link.as_deref();
        self.render(locale, kind.code(), facts, (&facts.organisation, link))
    }

    /// A digest in words.
    ///
    /// # Errors
    ///
    /// As [`Templates::message`].
    pub fn digest(&self, locale: &str, digest: &Digest) -> Result<Rendered, NotRendered> {
        self.render(locale, DIGEST, digest, (&digest.organisation, None))
    }

    fn render(
        &self,
        locale: &str,
        name: &str,
        facts: &impl Serialize,
        (organisation, link): (&str, Option<&str>),
    ) -> Result<Rendered, NotRendered> {
        let whole = self.filled(locale, &format!("{name}.txt"), facts, TEXT_BYTES_MAX)?;
        let (first, rest) = whole.split_once('\n').unwrap_or((&whole, ""));
        let subject = one_line(first.strip_prefix(SUBJECT).unwrap_or(first));
        let mut text = spaced(rest);
        let paragraphs: Vec<Vec<&str>> =
            text.split("\n\n").filter(|p| !p.trim().is_empty()).map(|p| p.lines().collect()).collect();
        #[derive(Serialize)]
        struct Frame<'a> {
            subject: &'a str,
            paragraphs: Vec<Vec<&'a str>>,
            organisation: &'a str,
            link: Option<&'a str>,
        }
        let frame = Frame { subject: &subject, paragraphs, organisation, link };
        let html = self.filled(locale, LAYOUT, &frame, HTML_BYTES_MAX)?;
        if let Some(link) = link {
            text.push_str(&format!("\n{link}\n"));
        }
        text.push_str(&format!("\n-- \n{organisation}\n"));
        Ok(Rendered { subject, text, html })
    }

    /// A template filled in, in this language or the nearest that has it.
    fn filled(
        &self,
        locale: &str,
        name: &str,
        facts: &impl Serialize,
        bytes_max: usize,
    ) -> Result<String, NotRendered> {
        let own = format!("{}/{name}", self.locale(locale));
        let english = format!("{ENGLISH}/{name}");
        let found = self.environment.get_template(&own).or_else(|_| self.environment.get_template(&english));
        let failed = |error: &minijinja::Error| NotRendered { template: own.clone(), words: words(error) };
        let template = found.map_err(|error| failed(&error))?;
        let mut bounded = Bounded { bytes: Vec::new(), bytes_max };
        template.render_captured_to(Serde(facts), &mut bounded).map_err(|error| failed(&error))?;
        // Templates and facts are text.
        Ok(String::from_utf8_lossy(&bounded.bytes).into_owned())
    }

    /// Tries one template on facts that have everything, and on those that have nothing.
    fn tried_alone(&self, file: &str) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let Ok(template) = self.environment.get_template(file) else { return mistakes };
        for facts in [Facts::sample(), Facts::bare_sample()].into_iter().filter(|_| file.ends_with(".txt")) {
            let Facts { organisation, recipient, .. } = facts.clone();
            let rendered = match file.ends_with("digest.txt") {
                true => template.render(Serde(&Digest { organisation, recipient, items: vec![facts] })),
                false => template.render(Serde(&facts)),
            };
            match rendered {
                Err(error) => mistakes.push(mistake(file, &error)),
                Ok(text) if text.starts_with(SUBJECT) => {}
                Ok(_) => mistakes.push(Mistake { file: file.to_owned(), line: 1, why: NotATemplate::NoSubject }),
            }
        }
        mistakes
    }

    /// Tries all templates on facts that have everything, and on those that have nothing.
    fn tried(&self) -> Vec<Mistake> {
        let names: Vec<&str> = self.environment.templates().map(|(name, _)| name).collect();
        let mut mistakes: Vec<Mistake> = names.into_iter().flat_map(|file| self.tried_alone(file)).collect();
        // The layout is tried around a letter that is right.
        for locale in self.locales.iter().filter(|_| mistakes.is_empty()).collect::<Vec<_>>() {
            if let Err(NotRendered { words, .. }) = self.message(locale, MessageKind::Reply, &Facts::sample()) {
                let file = format!("{locale}/{LAYOUT}");
                mistakes.push(Mistake { file, line: 0, why: NotATemplate::Wrong { words } });
            }
        }
        mistakes.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        mistakes.dedup();
        mistakes
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL_MAX));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => minijinja::AutoEscape::Html,
        false => minijinja::AutoEscape::None,
    });
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment
}

fn check_name(file: &File<'_>) -> Result<(), NotATemplate> {
    let File { locale, name, text } = file;
    let letters = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_locale = match locale.split_once('-') {
        Some((main, region)) => letters(main) && letters(region),
        None => letters(locale),
    };
    if !is_locale {
        return Err(NotATemplate::NotALocale);
    }
    let known = known_names();
    if !known.iter().any(|known| known == name) {
        return Err(NotATemplate::Unknown { known });
    }
    if text.len() > FILE_BYTES_MAX {
        return Err(NotATemplate::TooLarge { bytes_max: FILE_BYTES_MAX });
    }
    match *name == LAYOUT || text.starts_with(SUBJECT) {
        true => Ok(()),
        false => Err(NotATemplate::NoSubject),
    }
}

/// The files that a language may have.
fn known_names() -> Vec<String> {
    let kinds = MessageKind::ALL.iter().map(|kind| kind.code());
    let texts = kinds.chain([DIGEST]).map(|name| format!("{name}.txt"));
    texts.chain([LAYOUT.to_owned()]).collect()
}

fn mistake(file: &str, error: &minijinja::Error) -> Mistake {
    let line = error.line().unwrap_or_default();
    Mistake { file: file.to_owned(), line, why: NotATemplate::Wrong { words: words(error) } }
}

/// An error in one line, without the template's text around it.
fn words(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// A text as one line of bounded length: what is in a header must not begin another (RFC 5322, 2.2).
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(SUBJECT_CHARS_MAX).collect()
}

/// A text without control characters, and with at most one empty line at a time.
fn spaced(text: &str) -> String {
    let plain = text.replace("\r\n", "\n").replace('\r', "\n");
    let plain: String = plain.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let mut lines: Vec<&str> = Vec::new();
    for line in plain.lines().map(str::trim_end) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    let mut spaced = lines.join("\n").trim_end().to_owned();
    spaced.push('\n');
    spaced
}

/// Takes bytes up to a bound.
struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > self.bytes_max {
            return Err(io::Error::other(format!("it writes more than {} bytes", self.bytes_max)));
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
