//! The form in which a client wants an answer (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};

/// Whether the client would rather have the second of two media types than the first, which it gets where it does not say.
pub fn prefers(headers: &HeaderMap, first: &str, second: &str) -> bool {
    let texts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<Range<'_>> = texts.flat_map(|text| text.split(',')).enumerate().filter_map(Range::parse).collect();
    match (best(&ranges, first), best(&ranges, second)) {
        (_, None) => false,
        (None, Some(second)) => second.weight > 0,
        // Of two that are wanted alike, the one that was named for itself and first.
        (Some(first), Some(second)) => {
            (second.weight, second.precision) > (first.weight, first.precision)
                || second.weight > 0
                    && (second.weight, second.precision) == (first.weight, first.precision)
                    && second.place < first.place
        }
    }
}

/// A part of the header.
#[derive(Debug, Clone, Copy)]
struct Range<'a> {
    media_type: &'a str,
    /// In thousandths.
    weight: u16,
    /// How much of a media type it names: nothing, the kind, or all.
    precision: u8,
    place: usize,
}

impl<'a> Range<'a> {
    fn parse((place, text): (usize, &'a str)) -> Option<Range<'a>> {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().filter(|media_type| media_type.contains('/'))?;
        let weights = parts.filter_map(|part| part.split_once('='));
        let mut weights = weights.filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        let weight = match weights.next() {
            None => 1000,
            Some((_, text)) => weight(text.trim())?,
        };
        let precision = match media_type {
            "*/*" => 0,
            kind if kind.ends_with("/*") => 1,
            _ => 2,
        };
        Some(Range { media_type, weight, precision, place })
    }

    fn covers(&self, media_type: &str) -> bool {
        match self.precision {
            0 => true,
            1 => {
                let kind = |text: &str| text.split('/').next().unwrap_or_default().to_ascii_lowercase();
                kind(self.media_type) == kind(media_type)
            }
            _ => self.media_type.eq_ignore_ascii_case(media_type),
        }
    }
}

/// A weight from 0 to 1 with three digits at most.
fn weight(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{rest:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// The part that counts for a media type: the one that names it most precisely.
fn best<'a>(ranges: &[Range<'a>], media_type: &str) -> Option<Range<'a>> {
    let covering = ranges.iter().filter(|range| range.covers(media_type));
    covering.max_by_key(|range| (range.precision, std::cmp::Reverse(range.place))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_form_is_given_to_those_who_want_it_more() {
        let csv = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            prefers(&headers, "application/json", "text/csv")
        };
        for wanted in ["text/csv", "TEXT/CSV", "text/*", "text/csv;q=0.9, application/json;q=0.8", "text/csv, */*"] {
            assert!(csv(wanted), "{wanted}");
        }
        assert!(csv("text/csv, application/json"), "of two alike the first");
        let others =
            ["*/*", "text/csvx", "text/csv;q=0", "text/csv;q=0, application/json", "application/json, text/csv"];
        for other in others.into_iter().chain(["text/csv;q=0.5, application/json", "application/*, text/csv;q=0.1", ""])
        {
            assert!(!csv(other), "{other}");
        }
        assert!(!prefers(&HeaderMap::new(), "application/json", "text/csv"));
    }
}
