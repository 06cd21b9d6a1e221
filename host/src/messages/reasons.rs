//! The reasons that the desk itself gives, in a reader's language. Records keep them in English. The reason of a person or a rule is
//! not translated.

use std::sync::LazyLock;

use super::words::is_german;

/// How often a reason may hold another one, such as the reason of a step that the desk explains.
const DEPTH_MAX: usize = 3;
/// Joins several reasons of the desk in one record.
const BETWEEN: &str = "; ";

/// The kinds of ids in reasons, each of a thing that readers know by its name, and of times, which each language writes otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    Person,
    Clock,
    Priority,
    Time,
}

/// The name of the thing that an id stands for; `None` where there is none such.
pub type Names<'a> = &'a dyn Fn(Named, &str) -> Option<String>;

/// The places of sentences that hold ids.
const NAMED: [(&str, usize, Named); 11] = [
    ("reason.time-passed", 1, Named::Clock),
    ("reason.has-priority", 0, Named::Priority),
    ("reason.step-asks", 1, Named::Person),
    ("reason.not-for-them", 1, Named::Person),
    ("reason.one-person", 0, Named::Person),
    ("reason.one-person", 1, Named::Person),
    ("reason.in-the-place", 0, Named::Person),
    ("reason.in-the-place", 1, Named::Person),
    ("reason.moved", 0, Named::Person),
    ("reason.moved-why", 0, Named::Person),
    ("reason.sessions", 0, Named::Time),
];
/// Several ids in one place stand so between each other.
const BETWEEN_IDS: [&str; 2] = [", ", " and "];

/// A sentence of the desk: its key, and the pieces between its places.
struct Sentence {
    key: &'static str,
    pieces: Vec<&'static str>,
}

/// The sentences as records have them, by which a reason of the desk is known.
static SENTENCES: LazyLock<Vec<Sentence>> = LazyLock::new(|| {
    let sentences = read(include_str!("../../templates/words/en-reasons.txt"));
    sentences.map(|(key, text)| Sentence { key, pieces: pieces(text) }).collect()
});
/// Their words by key, for readers of English.
static ENGLISH: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| read(include_str!("../../templates/words/en-reasons.txt")).collect());
/// The same for readers of German.
static GERMAN: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| read(include_str!("../../templates/words/de-reasons.txt")).collect());

/// The lines `key = text` of a file; `#` begins a comment.
pub(super) fn read(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    file.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "))
}

/// The text between the places `{0}`, `{1}` and `{2}`, which come in this order in English.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        pieces.push(before);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    pieces.push(rest);
    pieces
}

impl Sentence {
    /// The contents of its places, if a text is this sentence; a place is never empty.
    fn places<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let (first, rest) = self.pieces.split_first()?;
        let mut left = text.strip_prefix(*first)?;
        let mut places = Vec::new();
        for (at, piece) in rest.iter().copied().enumerate() {
            let is_last = at + 1 == rest.len();
            let (place, after) = match (is_last, piece.is_empty()) {
                (true, _) => (left.strip_suffix(piece)?, ""),
                (false, true) => return None,
                (false, false) => left.split_once(piece)?,
            };
            places.push(place);
            left = after;
        }
        (left.is_empty() && places.iter().all(|place| !place.is_empty())).then_some(places)
    }

    /// The length of its fixed part, in bytes.
    fn length(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }
}

/// A reason that the desk itself gave, in the words that `words` has for a key, with the names of those whose ids it holds. What it
/// holds of others stays as it is, and so does a reason that is none of the desk's.
pub fn in_words(reason: &str, words: &dyn Fn(&str) -> String, names: Names<'_>) -> String {
    whole(reason, (words, names), DEPTH_MAX)
}

/// The same in a language; in English for one that the desk does not ship.
pub fn in_language(locale: &str, reason: &str, names: Names<'_>) -> String {
    let german = is_german(locale);
    let text = |key: &str| {
        let all = if german { &GERMAN } else { &ENGLISH };
        all.iter().find(|(known, _)| *known == key).map_or_else(String::new, |(_, text)| (*text).to_owned())
    };
    in_words(reason, &text, names)
}

/// The stable word of a reason of the desk, such as `not-in-time`, for templates in languages that the desk does not ship;
/// empty for the reasons of others.
pub fn code(reason: &str) -> &'static str {
    let known = SENTENCES.iter().filter(|sentence| sentence.places(reason).is_some());
    let found = known.max_by_key(|sentence| sentence.length());
    found.and_then(|sentence| sentence.key.strip_prefix("reason.")).unwrap_or_default()
}

/// The words of sentences, and the names of things.
type Voice<'a> = (&'a dyn Fn(&str) -> String, Names<'a>);

/// A reason in other words: one sentence, or several of which each is looked up by itself. Reasons within it are, down to this depth.
fn whole(reason: &str, voice: Voice<'_>, depth: usize) -> String {
    if depth == 0 {
        return reason.to_owned();
    }
    if let Some(said) = sentence(reason, voice, depth) {
        return said;
    }
    if !reason.contains(BETWEEN) {
        return reason.to_owned();
    }
    let parts = reason.split(BETWEEN).map(|part| sentence(part, voice, depth).unwrap_or_else(|| part.to_owned()));
    parts.collect::<Vec<_>>().join(BETWEEN)
}

/// One sentence of the desk in other words: of several that a text could be, the one of which most is the same each time.
fn sentence(text: &str, voice: Voice<'_>, depth: usize) -> Option<String> {
    let known = SENTENCES.iter().filter_map(|sentence| Some((sentence, sentence.places(text)?)));
    let (found, places) = known.max_by_key(|(sentence, _)| sentence.length())?;
    let (words, names) = voice;
    let said = places.into_iter().enumerate().map(|(at, place)| {
        let kind = NAMED.iter().find(|(key, place, _)| (*key, *place) == (found.key, at)).map(|(_, _, kind)| *kind);
        let named = kind.and_then(|kind| by_name(kind, place, names));
        named.unwrap_or_else(|| whole(place, voice, depth - 1))
    });
    let said: Vec<String> = said.collect();
    Some(filled(&words(found.key), &said))
}

/// Ids as names; `None` where none of them stands for anything.
fn by_name(kind: Named, ids: &str, names: Names<'_>) -> Option<String> {
    if let Some(name) = names(kind, ids) {
        return Some(name);
    }
    let between = BETWEEN_IDS.into_iter().find(|between| ids.contains(between))?;
    let all: Vec<(&str, Option<String>)> = ids.split(between).map(|id| (id, names(kind, id))).collect();
    let is_known = all.iter().any(|(_, name)| name.is_some());
    let shown = all.into_iter().map(|(id, name)| name.unwrap_or_else(|| id.to_owned()));
    is_known.then(|| shown.collect::<Vec<_>>().join(", "))
}

/// A text with its places filled in; places within the filled-in words are left as they are.
fn filled(text: &str, places: &[String]) -> String {
    let mut said = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        said.push_str(before);
        said.push_str(place.parse().ok().and_then(|place: usize| places.get(place)).map_or("", String::as_str));
        rest = after;
    }
    said.push_str(rest);
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_names(_: Named, _: &str) -> Option<String> {
        None
    }

    #[test]
    fn ids_in_a_reason_are_said_by_name() {
        let names = |kind: Named, id: &str| match (kind, id) {
            (Named::Person, "lena") => Some("Lena Fischer".to_owned()),
            (Named::Person, "jonas") => Some("Jonas Weber".to_owned()),
            (Named::Clock, "resolution") => Some("Lösung".to_owned()),
            (Named::Time, "2026-12-01T10:00:00Z") => Some("01.12.2026 11:00 CET".to_owned()),
            _ => None,
        };
        for (reason, german, english) in [
            (
                "escalated: 75 % of the time for resolution had passed",
                "eskaliert: 75 % der Zeit für Lösung waren vergangen",
                "escalated: 75 % of the time for Lösung had passed",
            ),
            (
                "step 2 asks lena, jonas now: its approvers have changed",
                "Schritt 2 fragt jetzt Lena Fischer, Jonas Weber: die Freigebenden haben gewechselt",
                "step 2 asks Lena Fischer, Jonas Weber now: its approvers have changed",
            ),
            (
                "step 1 asks nobody who is here now: its approvers have changed",
                "Schritt 1 fragt jetzt niemanden, der hier ist: die Freigebenden haben gewechselt",
                "step 1 asks nobody who is here now: its approvers have changed",
            ),
            (
                "mei decides in the place of lena and jonas",
                "mei entscheidet an der Stelle von Lena Fischer, Jonas Weber",
                "mei decides in the place of Lena Fischer, Jonas Weber",
            ),
            (
                "it was taken away in the app itself; sessions that are open there may go on until 2026-12-01T10:00:00Z",
                "er wurde in der Anwendung selbst entzogen; Sitzungen, die dort offen sind, \
                 können bis 01.12.2026 11:00 CET weitergehen",
                "it was taken away in the app itself; sessions that are open there may go on until 01.12.2026 11:00 CET",
            ),
            ("lena has left", "lena has left", "lena has left"),
        ] {
            assert_eq!(in_language("de", reason, &names), german);
            assert_eq!(in_language("en", reason, &names), english);
        }
    }

    #[test]
    fn a_reason_of_the_desk_is_said_in_german_and_another_s_as_it_is() {
        for (reason, german) in [
            ("the time for which it was granted is over", "die Zeit, für die er gegeben wurde, ist vorbei"),
            ("it goes on as IT-7", "es geht als IT-7 weiter"),
            ("it goes on as IT-7: same outage; see there", "es geht als IT-7 weiter: same outage; see there"),
            (
                "step 2 asks lena, jonas now: its approvers have changed; step 3 asks mei now: too few of its approvers are left",
                "Schritt 2 fragt jetzt lena, jonas: die Freigebenden haben gewechselt; \
                 Schritt 3 fragt jetzt mei: es sind zu wenige der Freigebenden übrig",
            ),
            ("escalated: it has got the tag `vip`", "eskaliert: es hat das Schlagwort `vip` bekommen"),
            (
                "amara has moved, and the rules would deny it now: only for finance {0}",
                "amara hat gewechselt, und die Regeln würden ihn jetzt ablehnen: only for finance {0}",
            ),
            (
                "given at once in an emergency, to be reviewed within 24 hours; breaks glass",
                "im Notfall sofort gegeben, innerhalb von 24 Stunden zu prüfen; breaks glass",
            ),
            (
                "a rule failed, so a person decides, also in an emergency",
                "eine Regel ist ausgefallen, darum entscheidet ein Mensch, auch im Notfall",
            ),
            ("nothing was said", "nothing was said"),
            ("es ist gelöst; مرحبا", "es ist gelöst; مرحبا"),
            ("escalated: ", "escalated: "),
            ("", ""),
        ] {
            assert_eq!(in_language("de-at", reason, &no_names), german);
            assert_eq!(in_language("en", reason, &no_names), reason);
            assert_eq!(in_language("fr", reason, &no_names), reason, "as messages are that have no template of theirs");
        }
    }

    #[test]
    fn a_template_of_another_language_knows_a_reason_by_its_word() {
        assert_eq!(code("it goes on as IT-7: same outage"), "merged-why");
        assert_eq!(code("nothing was said against the solution in time"), "unanswered");
        assert_eq!(code("nothing was said"), "");
    }

    #[test]
    fn reasons_within_reasons_and_long_ones_come_to_an_end() {
        let deep = "escalated: ".repeat(10_000) + "x";
        assert!(in_language("de", &deep, &no_names).ends_with('x'));
        let many = "the assignee has left; ".repeat(1_000);
        assert!(in_language("de", &many, &no_names).starts_with("die Person"));
    }

    /// A sentence that changed in the code would no longer be found in records: this fails then.
    #[test]
    fn each_sentence_is_one_that_the_desk_says() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut code = String::new();
        let mut folders = vec![root.join("desk"), root.join("app")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => code.push_str(&std::fs::read_to_string(path).unwrap()),
                }
            }
        }
        // What became of a request for access is filled in by its word.
        let codes = ["denied_by_policy", "approved", "denied", "cancelled"];
        for sentence in SENTENCES.iter() {
            for piece in sentence.pieces.iter().map(|piece| piece.trim()).filter(|piece| !piece.is_empty()) {
                let is_state = codes.iter().any(|state| piece == format!("the access request is {state}"));
                assert!(code.contains(piece) || is_state, "{}: {piece}", sentence.key);
            }
        }
        let german: Vec<&str> = GERMAN.iter().map(|(key, _)| *key).collect();
        assert_eq!(german, SENTENCES.iter().map(|sentence| sentence.key).collect::<Vec<_>>());
    }
}
