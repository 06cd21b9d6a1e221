//! W3C Trace Context: the trace that a request is part of (<https://www.w3.org/TR/trace-context/>).

use opentelemetry::trace::{SpanId, TraceId};

/// Which trace a request belongs to, and whether it is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    pub trace: TraceId,
    /// The client's span; [`SpanId::INVALID`] where the trace begins here.
    pub parent: SpanId,
    pub sampled: bool,
}

impl Context {
    /// The context of a request with this `traceparent` header. Its ids are taken on; a request without a context, or with one that
    /// cannot be read, begins a trace of its own.
    ///
    /// Of all requests `ratio` are followed. Where callers are trusted with it (`follow_callers`), one with a context has said itself
    /// whether it is. Else it has no say, by its ids neither: what is drawn is `random`, which a new trace has as its id.
    pub fn of(header: Option<&str>, follow_callers: bool, ratio: f64, random: impl FnOnce() -> [u8; 16]) -> Context {
        match header.and_then(parse) {
            Some(context) if follow_callers => context,
            Some(context) => Context { sampled: chosen(&random(), ratio), ..context },
            None => {
                let trace = random();
                Context { trace: TraceId::from_bytes(trace), parent: SpanId::INVALID, sampled: chosen(&trace, ratio) }
            }
        }
    }
}

/// Whether a trace of this id is among the share: by its last 56 bits, as OpenTelemetry's own samplers choose, so that
/// several services choose alike.
fn chosen(trace: &[u8; 16], ratio: f64) -> bool {
    let mut low = 0_u64;
    for byte in trace.iter().skip(9) {
        low = low << 8 | u64::from(*byte);
    }
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
    let place = low as f64 / (1_u64 << 56) as f64;
    place < ratio
}

/// `00-TRACE-PARENT-FLAGS` in lower-case hexadecimal; a later version may have more behind it.
fn parse(header: &str) -> Option<Context> {
    let mut parts = header.trim().split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hexadecimal = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let known = hexadecimal(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    if !known || !hexadecimal(trace, 32) || !hexadecimal(parent, 16) || !hexadecimal(flags, 2) {
        return None;
    }
    let trace = TraceId::from_hex(trace).ok().filter(|id| *id != TraceId::INVALID)?;
    let parent = SpanId::from_hex(parent).ok().filter(|id| *id != SpanId::INVALID)?;
    let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
    Some(Context { trace, parent, sampled })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_gives_the_trace_its_parent_and_whether_it_is_followed() {
        let context = parse(EXAMPLE).unwrap();
        assert_eq!(context.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.parent.to_string(), "00f067aa0ba902b7");
        assert!(context.sampled);
        assert!(!parse(&EXAMPLE.replace("-01", "-00")).unwrap().sampled);
        assert!(parse(&format!("{}-more", EXAMPLE.replacen("00", "cc", 1))).is_some());
    }

    #[test]
    fn what_is_no_header_begins_a_trace() {
        let zero_trace = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let zero_parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16));
        let upper = EXAMPLE.to_uppercase();
        let (forbidden, longer) = (EXAMPLE.replacen("00", "ff", 1), format!("{EXAMPLE}-more"));
        for bad in ["", "00", "00-1-2-3", "äöü", &zero_trace, &zero_parent, &upper, &forbidden, &longer] {
            let context = Context::of(Some(bad), true, 1.0, || [7; 16]);
            assert_eq!((context.trace, context.parent), (TraceId::from_bytes([7; 16]), SpanId::INVALID), "{bad}");
        }
    }

    #[test]
    fn the_ratio_is_a_share_of_all_ids() {
        let followed = |ratio: f64| {
            let id = |n: u8| [0, 0, 0, 0, 0, 0, 0, 0, 255, n, 0, 0, 0, 0, 0, 0];
            (0..=255).filter(|n| Context::of(None, false, ratio, || id(*n)).sampled).count()
        };
        assert_eq!([followed(0.0), followed(0.25), followed(1.0)], [0, 64, 256]);
    }

    #[test]
    fn the_client_decides_before_the_ratio_does_where_it_is_trusted_with_it() {
        assert!(Context::of(Some(EXAMPLE), true, 0.0, || [7; 16]).sampled);
        assert!(!Context::of(Some(&EXAMPLE.replace("-01", "-00")), true, 1.0, || [7; 16]).sampled);
    }

    #[test]
    fn a_client_that_is_not_trusted_has_no_say_by_its_flags_nor_by_its_ids() {
        let unfollowed = EXAMPLE.replace("-01", "-00");
        // The id that a ratio as an OpenTelemetry sampler has it takes first.
        let lowest = EXAMPLE.replace("a3ce929d0e0e4736", "0000000000000000");
        for header in [EXAMPLE, &unfollowed, &lowest] {
            let of = |ratio: f64, drawn: u8| Context::of(Some(header), false, ratio, || [drawn; 16]);
            assert_eq!([of(0.0, 0).sampled, of(1.0, 254).sampled], [false, true], "{header}");
            assert_eq!([of(0.5, 255).sampled, of(0.5, 1).sampled], [false, true], "{header}");
            let told = parse(header).unwrap();
            assert_eq!(
                (of(1.0, 7).trace, of(1.0, 7).parent),
                (told.trace, told.parent),
                "its ids are taken on: {header}"
            );
        }
    }
}
