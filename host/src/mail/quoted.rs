//! The part of an answer that is its author's own: what mail programs put below it, the message that was answered, is left out where
//! that is certain. Nothing is lost by it, since the desk keeps the message as it came.

/// How many lines the sentence above a quoted message may take.
const SENTENCE_LINES_MAX: usize = 3;
/// How many lines below its first the head of a quoted message is looked for.
const HEAD_LINES: usize = 5;
/// How long a line of underscores is that divides.
const RULE_BYTES_MIN: usize = 20;
/// As much of a line as it takes to see its first word.
const FIRST_BYTES: usize = 20;

/// An answer without the message that it answers.
///
/// An answer between the quoted lines is left as it is: there the author's own words are in no one place.
pub fn without(text: &str) -> &str {
    let lines: Vec<&str> = text.lines().collect();
    // `>50 of us` is a number.
    let quoted = |line: &&str| {
        let marked = line.trim_start().strip_prefix('>');
        marked.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let own = |line: &&str| !quoted(line) && !line.trim().is_empty();
    // From there on all is quoted.
    let tail = lines.iter().rposition(&own).map_or(0, |last| last + 1);
    let begins = |at: &usize| {
        let below = lines.get(*at..).unwrap_or_default();
        begins_quoted(below) || (*at >= tail && below.first().is_some_and(quoted))
    };
    let Some(cut) = (0..lines.len()).find(begins) else { return text };
    let below = lines.get(cut..).unwrap_or_default();
    let first = below.iter().position(quoted);
    let between = first.and_then(|first| below.get(first..)).unwrap_or_default();
    if between.iter().any(own) {
        return text;
    }
    let end: usize = text.split_inclusive('\n').take(cut).map(str::len).sum();
    text.get(..end).unwrap_or(text).trim_end()
}

/// Whether a quoted message begins with the first of these lines.
fn begins_quoted(lines: &[&str]) -> bool {
    let first = lines.first().map_or("", |line| line.trim());
    is_divider(first) || is_sentence(lines) || is_head(lines)
}

/// `-----Original Message-----` and its like.
fn is_divider(line: &str) -> bool {
    let words = line.trim_matches('-').trim().to_lowercase();
    let is_divider = line.starts_with("--") && line.ends_with("--");
    is_divider && (words.starts_with("original") || words.starts_with("urspr\u{fc}ngliche nachricht"))
}

/// `On Monday, Kofi wrote:`, over several lines as well.
fn is_sentence(lines: &[&str]) -> bool {
    let first = lines.first().map_or("", |line| line.trim());
    let (english, german) = (first.starts_with("On "), first.starts_with("Am "));
    if !english && !german {
        return false;
    }
    let mut sentence = String::new();
    let first_lines = lines.iter().take(SENTENCE_LINES_MAX).take_while(|line| !line.trim().is_empty());
    for (at, line) in first_lines.enumerate() {
        sentence.push_str(line.trim());
        sentence.push(' ');
        let so_far = sentence.trim_end();
        if !so_far.ends_with(':') {
            continue;
        }
        // A time stands in it, and an address or what was quoted below it; words of the author's own that end so may have a time.
        let is_dated = so_far.chars().filter(char::is_ascii_digit).count() >= 3;
        let below = || lines.iter().skip(at + 1).find(|line| !line.trim().is_empty());
        let is_answered = so_far.contains('@') || below().is_some_and(|line| line.trim_start().starts_with('>'));
        let is_said = (english && so_far.ends_with("wrote:")) || (german && so_far.contains(" schrieb"));
        return is_dated && is_said && is_answered;
    }
    false
}

/// The head that Outlook puts above a quoted message, which a line may stand over.
fn is_head(lines: &[&str]) -> bool {
    let plain = |line: &str| line.trim().trim_matches('*').to_lowercase();
    let (mut first, mut rest) = match lines {
        [first, rest @ ..] => (*first, rest),
        [] => return false,
    };
    if first.len() >= RULE_BYTES_MIN && first.trim().chars().all(|c| c == '_') {
        // One empty line may come between.
        let skipped = rest.iter().take(2).position(|line| !line.trim().is_empty()).unwrap_or_default();
        match rest.get(skipped..) {
            Some([next, more @ ..]) => (first, rest) = (*next, more),
            _ => return false,
        }
    }
    let first = plain(first.get(..first.floor_char_boundary(FIRST_BYTES)).unwrap_or_default());
    let below = || rest.iter().take(HEAD_LINES).map(|line| plain(line));
    let has = |names: [&str; 2]| below().any(|line| names.iter().any(|name| line.starts_with(name)));
    if first.starts_with("from:") {
        return has(["sent:", "date:"]) && has(["to:", "subject:"]);
    }
    first.starts_with("von:") && has(["gesendet:", "datum:"]) && has(["an:", "betreff:"])
}
