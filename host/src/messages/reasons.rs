//! The reasons that the desk itself gives, in a reader's language. Records keep them in English. The reason of a person or a rule is
//! not translated.

use std::sync::LazyLock;

use super::words::is_german;

/// How often a reason may hold another one, such as the reason of a step that the desk explains.
const DEPTH_MAX: usize = 3;
/// Joins several reasons of the desk in one record.
const BETWEEN: &str = "; ";

/// A sentence of the desk: its key, and the pieces between its places.
struct Sentence {
    key: &'static str,
    pieces: Vec<&'static str>,
}

static ENGLISH: LazyLock<Vec<Sentence>> = LazyLock::new(|| {
    let sentences = read(include_str!("../../templates/words/en-reasons.txt"));
    sentences.map(|(key, text)| Sentence { key, pieces: pieces(text) }).collect()
});
static GERMAN: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| read(include_str!("../../templates/words/de-reasons.txt")).collect());

/// The lines `key = text` of a file; `#` begins a comment.
fn read(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
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

/// A reason of the desk in the words that `words` has for its key. The words of others within it stay as they are, and so does
/// a reason that is not the desk's.
pub fn in_words(reason: &str, words: &dyn Fn(&str) -> String) -> String {
    whole(reason, words, DEPTH_MAX)
}

/// The same in a language; in English for one that the desk does not ship.
pub fn in_language(locale: &str, reason: &str) -> String {
    if !is_german(locale) {
        return reason.to_owned();
    }
    let german = |key: &str| {
        let found = GERMAN.iter().find(|(known, _)| *known == key);
        found.map_or_else(String::new, |(_, text)| (*text).to_owned())
    };
    in_words(reason, &german)
}

/// The stable word of a reason of the desk, such as `not-in-time`, for templates in languages that the desk does not ship;
/// empty for the reasons of others.
pub fn code(reason: &str) -> &'static str {
    let known = ENGLISH.iter().filter(|sentence| sentence.places(reason).is_some());
    let found = known.max_by_key(|sentence| sentence.length());
    found.and_then(|sentence| sentence.key.strip_prefix("reason.")).unwrap_or_default()
}

fn whole(reason: &str, words: &dyn Fn(&str) -> String, depth: usize) -> String {
    if depth == 0 {
        return reason.to_owned();
    }
    if let Some(said) = sentence(reason, words, depth) {
        return said;
    }
    if !reason.contains(BETWEEN) {
        return reason.to_owned();
    }
    let parts = reason.split(BETWEEN).map(|part| sentence(part, words, depth).unwrap_or_else(|| part.to_owned()));
    parts.collect::<Vec<_>>().join(BETWEEN)
}

/// One sentence of the desk in other words: of several that a text could be, the one with the longest fixed part.
fn sentence(text: &str, words: &dyn Fn(&str) -> String, depth: usize) -> Option<String> {
    let known = ENGLISH.iter().filter_map(|sentence| Some((sentence, sentence.places(text)?)));
    let (found, places) = known.max_by_key(|(sentence, _)| sentence.length())?;
    let places: Vec<String> = places.into_iter().map(|place| whole(place, words, depth - 1)).collect();
    Some(filled(&words(found.key), &places))
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

    #[test]
    fn a_reason_of_the_desk_is_said_in_german_and_another_s_as_it_is() {
        for (reason, german) in [
            ("the time for which it was granted is over", "die Zeit, für die er gegeben wurde, ist vorbei"),
            ("it goes on as IT-7", "es geht als IT-7 weiter"),
            ("it goes on as IT-7: same outage; see there", "es geht als IT-7 weiter: same outage; see there"),
            (
                "step 2 asks lena, jonas now: its approvers have changed; step 3 asks mei now: too few of its approvers are left",
                "Schritt 2 fragt jetzt lena, jonas: die Genehmigenden haben gewechselt; \
                 Schritt 3 fragt jetzt mei: es sind zu wenige der Genehmigenden übrig",
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
            ("nothing was said", "nothing was said"),
            ("es ist gelöst; مرحبا", "es ist gelöst; مرحبا"),
            ("escalated: ", "escalated: "),
            ("", ""),
        ] {
            assert_eq!(in_language("de-at", reason), german);
            assert_eq!(in_language("en", reason), reason);
            assert_eq!(in_language("fr", reason), reason, "as messages are that have no template of theirs");
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
        assert!(in_language("de", &deep).ends_with('x'));
        let many = "the assignee has left; ".repeat(1_000);
        assert!(in_language("de", &many).starts_with("die Person"));
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
        for sentence in ENGLISH.iter() {
            for piece in sentence.pieces.iter().map(|piece| piece.trim()).filter(|piece| !piece.is_empty()) {
                let is_state = codes.iter().any(|state| piece == format!("the access request is {state}"));
                assert!(code.contains(piece) || is_state, "{}: {piece}", sentence.key);
            }
        }
        let german: Vec<&str> = GERMAN.iter().map(|(key, _)| *key).collect();
        assert_eq!(german, ENGLISH.iter().map(|sentence| sentence.key).collect::<Vec<_>>());
    }
}
