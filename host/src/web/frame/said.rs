//! Problems and failures of use cases as sentences in the reader's language: by their kind and the values in it. The words of rules,
//! and of the checks of files that people write, stay as they are.

use super::Frame;
use crate::app::Error;
use crate::app::error::{Busy, NotTaken};
use crate::app::reference::Conflict;
use crate::app::tickets::submit::attachments::NotThis;
use crate::desk::organisation::condition::{Clause, Test};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::text::quoted;

/// A problem in the list above a form.
pub struct Found {
    /// The id of its field on the page; empty where it has none there.
    pub at: String,
    /// The name of that field, or of the thing that it is about; empty where the message says it.
    pub label: String,
    pub message: String,
    /// Whether a rule says it, in a language that the desk does not know.
    pub of_rules: bool,
}

impl Found {
    /// A problem that the page itself finds at a field.
    pub fn at(id: &str, message: String) -> Found {
        Found { at: id.to_owned(), label: String::new(), message, of_rules: false }
    }
}

impl Frame {
    /// A problem for the list above a form, at the field with this id and label.
    pub fn found(&self, (at, label): (&str, &str), problem: &Problem) -> Found {
        Found {
            at: at.to_owned(),
            // A label that is a question reads badly before a colon.
            label: label.trim_end_matches('?').to_owned(),
            message: self.problem(problem),
            of_rules: problem.fault.is_none(),
        }
    }

    /// A problem with what was sent.
    pub fn problem(&self, problem: &Problem) -> String {
        match &problem.fault {
            Some((fault, values)) => self.fault(*fault, values.clone(), &problem.field),
            None => problem.message.clone(),
        }
    }

    /// One that was kept as its sentence alone; the words of a rule stay as they are.
    pub fn kept_problem(&self, sentence: &str) -> String {
        match Fault::read(sentence) {
            Some((fault, values)) => self.fault(fault, values, ""),
            None => self.own_reason(sentence),
        }
    }

    fn fault(&self, fault: Fault, mut values: Vec<String>, field: &str) -> String {
        if let (Fault::NotAsked, [_, where_asked]) = (fault, values.as_mut_slice())
            && let Some(condition) = self.condition_of(field, where_asked)
        {
            *where_asked = condition;
        }
        for place in number_places(fault) {
            if let Some(value) = values.get_mut(*place) {
                *value = self.words.number(value);
            }
        }
        self.words.filled(fault.key(), &values)
    }

    /// The condition on which a field of this name is asked; `sentence` says the same in English.
    fn condition_of(&self, field: &str, sentence: &str) -> Option<String> {
        let mut fields = self.organisation.request_types.values().flat_map(|form| &form.fields);
        let spec = fields.find(|spec| spec.name == field && spec.show_when.to_string() == sentence)?;
        let clauses: Vec<String> = spec.show_when.0.iter().map(|clause| self.clause(clause)).collect();
        Some(clauses.join(&format!(" {} ", self.words.t("list.and"))))
    }

    fn clause(&self, Clause { label, test, .. }: &Clause) -> String {
        let words = &self.words;
        let any = |texts: &[String]| {
            let texts: Vec<String> = texts.iter().map(|text| self.option(text)).collect();
            texts.join(&format!(" {} ", words.t("list.or")))
        };
        match test {
            Test::Filled(true) => words.t1("condition.filled", label),
            Test::Filled(false) => words.t1("condition.empty", label),
            Test::Is(texts) => words.t2("condition.is", label, any(texts)),
            Test::Not(texts) => words.t2("condition.not", label, any(texts)),
            Test::AtLeast(least) => words.t2("condition.at-least", label, words.number(&least.to_string())),
            Test::AtMost(most) => words.t2("condition.at-most", label, words.number(&most.to_string())),
        }
    }

    /// Several, one after the other.
    pub fn problems<'p>(&self, problems: impl IntoIterator<Item = &'p Problem>) -> String {
        let mut said = String::new();
        for problem in problems {
            if !said.is_empty() {
                // Some are sentences, others only parts of one.
                said.push_str(if said.ends_with(['.', '!', '?']) { " " } else { "; " });
            }
            said.push_str(&self.problem(problem));
        }
        said
    }

    /// Why a use case did not do it; empty where a reader has nothing of it, as of what only an operator may see.
    pub fn why_not(&self, error: &Error) -> String {
        let words = &self.words;
        match error {
            Error::Rejected { problems } => self.problems(problems),
            Error::Refused(refusal) => self.refused(refusal),
            Error::Missing { name, .. } if name.is_empty() => String::new(),
            Error::Missing { what, name } => {
                let named = |thing: String| words.t2("missing.named", thing, quoted(name));
                self.thing(what).map(named).unwrap_or_default()
            }
            Error::NoField { name, of, known } => {
                words.filled("missing.field", &[quoted(name), of.clone(), known.join("`, `")])
            }
            Error::Ambiguous { what, name, meant } => {
                let meant = meant.join(&format!(" {} ", words.t("list.or")));
                words.filled("missing.ambiguous", &[self.thing(what).unwrap_or_default(), quoted(name), meant])
            }
            Error::NotTaken { name, why } => words.t2("refused.rule-stays", quoted(name), self.not_taken(why)),
            Error::Stale { version } => words.t1("refused.stale", version),
            Error::NeedsMatch { what } => words.t1("missing.version", self.thing(what).unwrap_or_default()),
            Error::TooMuch { what, .. } => words.t1("refused.bound", words.t(&slug("bound", what))),
            Error::StaleTable { name } => words.t1("refused.stale-table", quoted(name)),
            Error::Table(conflict) => self.conflict(conflict),
            Error::KeyReused => words.t("refused.key-reused"),
            Error::Busy(busy) => words.t(busy_key(busy)),
            Error::Attachment(NotThis::TooLarge { bytes_max }) => words.t1("file.too-large", bytes_max >> 20),
            Error::Attachment(NotThis::NotScanned) => words.t("file.not-scanned"),
            Error::Attachment(NotThis::Infected { malware }) => words.t1("file.infected", malware),
            // The words of a check of what an author wrote.
            Error::Unfit(unfit) => unfit.to_string(),
            Error::Damaged(_) | Error::MayBeDone(_) | Error::NoRoom(_) | Error::Broken(_) => String::new(),
        }
    }

    /// The name of a fact of a record; as programs have it where there is no word for it.
    pub fn fact_name(&self, name: &str) -> String {
        let key = slug("audit-fact", &name.replace('_', "-"));
        if self.words.has(&key) { self.words.t(&key) } else { name.replace(['_', '-'], " ") }
    }

    /// A kind of thing; `None` for one that has no word here.
    fn thing(&self, what: &str) -> Option<String> {
        let key = slug("thing", what);
        self.words.has(&key).then(|| self.words.t(&key))
    }

    /// Why a rule stays as it is, as a part of a sentence.
    fn not_taken(&self, why: &NotTaken) -> String {
        let words = &self.words;
        match why {
            NotTaken::OtherSource { deployed_by } => words.t1("not-taken.other-source", deployed_by.code()),
            NotTaken::OtherVersion { place, there, meant } => {
                words.filled("not-taken.other-version", &[words.t(&slug("place", place)), there.clone(), meant.clone()])
            }
            NotTaken::Percent { percent } => words.t1("not-taken.percent", percent),
            NotTaken::SameOperator { operator } => words.t1("not-taken.same-operator", operator),
            NotTaken::NoCandidate => words.t("not-taken.no-candidate"),
            NotTaken::NotHigher => words.t("not-taken.not-higher"),
            NotTaken::NotLower => words.t("not-taken.not-lower"),
            NotTaken::NothingBeside => words.t("not-taken.nothing-beside"),
            NotTaken::CanaryAlone => words.t("not-taken.canary-alone"),
            NotTaken::NothingEarlier => words.t("not-taken.nothing-earlier"),
            NotTaken::NotActive => words.t("not-taken.not-active"),
            NotTaken::NotSuspended => words.t("not-taken.not-suspended"),
            NotTaken::NotProposed => words.t("not-taken.not-proposed"),
            NotTaken::SamePerson => words.t("not-taken.same-person"),
        }
    }

    /// Why a table or a document cannot be changed as things are.
    fn conflict(&self, conflict: &Conflict) -> String {
        let words = &self.words;
        match conflict {
            Conflict::TwoOrigins { name } => words.t1("conflict.two-origins", name),
            Conflict::Configured { name } => words.t1("conflict.configured", name),
            Conflict::NotByApi { document, file } => words.t2("conflict.not-by-api", document, file),
            Conflict::NeedsSecond { document, what } => words.t2("conflict.needs-second", what, document),
            Conflict::OwnDraft { what } => words.t1("conflict.own-draft", what),
            Conflict::FilesNeedSecond { what } => words.t1("conflict.files-need-second", what),
            Conflict::OtherFiles => words.t("conflict.other-files"),
            Conflict::TooMany => words.t("conflict.too-many"),
            Conflict::NeededForAccess { name } => words.t1("conflict.needed-for-access", name),
            Conflict::Needed { name, rule } => words.filled("conflict.needed", &[name.clone(), rule.clone()]),
        }
    }
}

/// The places of a fault's sentence that have numbers which may be large, or have a fraction.
const fn number_places(fault: Fault) -> &'static [usize] {
    match fault {
        Fault::TooManyCharacters | Fault::TooSmall | Fault::TooBig | Fault::LargeFile => &[1, 2],
        Fault::LongSubject | Fault::LongBody | Fault::LongText | Fault::ManyEntries => &[0, 1],
        Fault::NotExact => &[1],
        Fault::Long | Fault::LongCell | Fault::ManyBytes | Fault::LargeTable | Fault::LargeDepartment => &[0],
        _ => &[],
    }
}

/// The key of a text that the program names by words.
fn slug(kind: &str, what: &str) -> String {
    format!("{kind}.{}", what.replace(' ', "-"))
}

const fn busy_key(busy: &Busy) -> &'static str {
    match busy {
        Busy::Store(_) | Busy::Workers(_) => "busy.desk",
        Busy::Uploads => "busy.uploads",
        Busy::Backtests => "busy.backtests",
        Busy::Rule => "busy.rule",
        Busy::Directory => "busy.directory",
        Busy::Delegations => "busy.delegations",
        Busy::Watchers => "busy.watchers",
        Busy::Ticket => "busy.ticket",
        Busy::Files => "busy.files",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::organisation::form::filled;
    use crate::web::frame::words::{Language, Words};

    #[test]
    fn each_fault_has_its_sentence_in_the_catalogue() {
        let (english, german) = (Words(Language::English), Words(Language::German));
        for fault in Fault::ALL {
            assert_eq!(english.t(fault.key()), fault.text());
            assert_ne!(german.t(fault.key()), fault.text(), "{fault:?}");
        }
    }

    #[test]
    fn the_values_of_a_fault_stand_in_the_sentence_of_each_language() {
        let values = ["Größe".to_owned(), "3".to_owned(), "7".to_owned()];
        let english = Words(Language::English).filled("fault.too-big", &values);
        assert_eq!(english, filled(Fault::TooBig.text(), &values));
        let german = Words(Language::German).filled("fault.too-big", &values);
        assert_eq!(german, "Größe darf höchstens 3 sein; dies ist 7.");
    }

    #[test]
    fn numbers_stand_where_the_sentence_has_a_place() {
        for fault in Fault::ALL {
            let places = number_places(*fault);
            assert!(places.iter().all(|place| fault.text().contains(&format!("{{{place}}}"))), "{fault:?}");
        }
    }

    #[test]
    fn each_thing_that_several_change_at_once_has_a_sentence_of_its_own() {
        for busy in [Busy::Rule, Busy::Directory, Busy::Delegations, Busy::Ticket] {
            assert_eq!(Words(Language::English).t(busy_key(&busy)), busy.to_string());
            assert_ne!(Words(Language::German).t(busy_key(&busy)), busy.to_string());
        }
    }

    /// The things and the bounds that use cases name in their answers.
    #[test]
    fn all_that_is_missing_or_too_much_has_a_word() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app");
        let (mut code, mut folders) = (String::new(), vec![root]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { code.push_str(&std::fs::read_to_string(path).unwrap()) }
            }
        }
        let of = |beginning: &str, kind: &str| {
            let named = code.split(beginning).skip(1).filter_map(|rest| rest.split('"').next());
            named.map(|what| slug(kind, what)).collect::<Vec<_>>()
        };
        let mut keys = of("Missing { what: \"", "thing");
        keys.extend(of("NeedsMatch { what: \"", "thing"));
        keys.extend(of("Ambiguous { what: \"", "thing"));
        keys.extend(of("missing(\"", "thing"));
        keys.extend(of("let what = \"", "thing"));
        keys.extend(of("TooMuch { what: \"", "bound"));
        keys.extend(of("count_entry(actor, \"", "bound"));
        assert!(keys.len() > 50, "{keys:?}");
        keys.retain(|key| !Words(Language::German).has(key));
        assert_eq!(keys, Vec::<String>::new());
    }
}
