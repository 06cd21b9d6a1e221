//! Durations as people write them: `30m`, `8h`, `1h30m`.
//!
//! There are no days: a business day and a calendar day differ, and a reader could not tell which is meant.

use super::read::{Keys, Node};
use super::wrong::Wrong;
use crate::desk::organisation::service::Targets;

/// The longest duration, in minutes: ten years.
const MINUTES_MAX: u64 = 10 * 366 * 24 * 60;

/// Minutes, at least one.
pub fn minutes(node: &Node<'_>) -> Option<u32> {
    node.parsed(|text| {
        let minutes = parse(text).ok_or_else(|| Wrong::NotADuration { text: text.to_owned() })?;
        let wrong = Wrong::OutOfRange { found: format!("{minutes} minutes"), min: 1, max: MINUTES_MAX };
        (1..=MINUTES_MAX).contains(&minutes).then_some(minutes).and_then(|m| u32::try_from(m).ok()).ok_or(wrong)
    })
}

/// Whole hours, at least one.
pub fn hours(node: &Node<'_>) -> Option<u32> {
    let minutes = minutes(node)?;
    if minutes % 60 != 0 {
        node.report(Wrong::NotWholeHours { text: node.text()?.to_owned() });
        return None;
    }
    Some(minutes / 60)
}

/// The promises of a `[[priority]]`, or of a category in their place: the keys `first-response`, `resolution` and `next-update`.
pub fn targets(keys: &mut Keys<'_>) -> Targets {
    let response = keys.required("first-response");
    let first_response = response.as_ref().and_then(minutes);
    let resolution = keys.required("resolution").and_then(|node| minutes(&node));
    if let (Some(node), Some(response), Some(resolution)) = (&response, first_response, resolution)
        && response > resolution
    {
        node.report(Wrong::ResponseAfterResolution { response, resolution });
    }
    let update = keys.optional("next-update").and_then(|node| minutes(&node));
    Targets { first_response: first_response.unwrap_or_default(), resolution: resolution.unwrap_or_default(), update }
}

/// Minutes of `90m`, `8h` or `1h30m`.
fn parse(text: &str) -> Option<u64> {
    let (hours, rest) = match text.split_once('h') {
        Some((hours, rest)) => (number(hours)?, rest),
        None => (0, text),
    };
    let minutes = match rest.strip_suffix('m') {
        Some(minutes) => number(minutes)?,
        None if rest.is_empty() && !text.is_empty() => 0,
        None => return None,
    };
    hours.checked_mul(60)?.checked_add(minutes)
}

fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hours_and_minutes_make_a_duration() {
        for (text, minutes) in [("30m", 30), ("8h", 480), ("1h30m", 90), ("0m", 0), ("90m", 90)] {
            assert_eq!(parse(text), Some(minutes), "{text}");
        }
        for bad in ["", "h", "m", "30", "2d", "-5m", "+5m", "1.5h", "8h ", "30m1h", "8hm", "99999999999999999999h"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
