//! The world that a guest sees whose language runtime needs WASI 0.2: deterministic, and empty.
//!
//! Its clocks stand at the decision's time, its random numbers come from the decision's input, what it prints goes to the
//! decision's log, and there are no arguments, no environment, no files and no network. So the same input gives the same
//! answer for the same fuel, on every host and on every day. `link` has the functions, this file what is behind them.

use crate::rules::contract::Level;
use crate::rules::digest::Digest;
use crate::rules::limits::{
    LAST_WORDS_BYTES_MAX, LOG_LINE_BYTES_MAX, LOG_LINES_MAX, WASI_CALLS_MAX, WASI_RANDOM_BYTES_MAX,
};

mod link;

pub use link::link;

/// The WASI interfaces that a component may import: their names without version, and no others.
pub const OFFERED: [&str; 20] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// The versions that are served: by the component model's rules each 0.2.x matches every other.
pub const VERSION_TRACK: &str = "0.2.";

/// Why a call into WASI ended the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WasiStopped {
    #[error("it called WASI more than {WASI_CALLS_MAX} times")]
    Calls,
    #[error("it asked for {asked} random bytes at once; allowed are {WASI_RANDOM_BYTES_MAX}")]
    Random { asked: u64 },
    #[error("it ended itself {}", if *failed { "and reported a failure" } else { "before it had answered" })]
    Exited { failed: bool },
    #[error("it called `{0}`, which a rule has no use for: there are no files")]
    Absent(&'static str),
}

/// Where a line that a guest prints goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

impl Stream {
    const fn level(self) -> Level {
        match self {
            Stream::Out => Level::Info,
            Stream::Err => Level::Warn,
        }
    }
}

/// What one instance has of WASI.
#[derive(Debug)]
pub struct Wasi {
    /// Milliseconds since 1970: the decision's time.
    at: u64,
    /// Nanoseconds that the guest has slept: sleeping moves its own clock and takes no time.
    slept: u64,
    random: u64,
    calls_left: u32,
    /// When each clock that the guest waits for is due, in nanoseconds of its own clock.
    due: Vec<u64>,
    out: Vec<u8>,
    err: Vec<u8>,
    /// The end of what was printed to standard error: a runtime's own account of why it gave up.
    complaint: Vec<u8>,
}

impl Wasi {
    /// The world of a decision made at `at` (milliseconds since 1970) about `input`, any bytes that stand for it.
    pub fn new(at: u64, input: &[u8]) -> Self {
        let digest = Digest::of(input);
        let seed = digest.as_bytes().iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        Self {
            at,
            slept: 0,
            random: seed,
            calls_left: WASI_CALLS_MAX,
            due: Vec::new(),
            out: Vec::new(),
            err: Vec::new(),
            complaint: Vec::new(),
        }
    }

    /// What the guest printed to standard error, if anything.
    pub fn complaint(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.complaint);
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn count_call(&mut self) -> Result<(), WasiStopped> {
        self.calls_left = self.calls_left.checked_sub(1).ok_or(WasiStopped::Calls)?;
        Ok(())
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): one multiply-shift a number, every state reached. Nothing secret hangs on it.
    fn random_u64(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = self.random;
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn random_bytes(&mut self, asked: u64) -> Result<Vec<u8>, WasiStopped> {
        let count = usize::try_from(asked)
            .ok()
            .filter(|count| *count <= WASI_RANDOM_BYTES_MAX)
            .ok_or(WasiStopped::Random { asked })?;
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            bytes.extend(self.random_u64().to_le_bytes());
        }
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Something to wait for that is due at `at`, as its handle. Handle 0 is always due.
    fn wait_until(&mut self, at: u64) -> u32 {
        self.due.push(at);
        u32::try_from(self.due.len()).unwrap_or(u32::MAX)
    }

    fn due_at(&self, handle: u32) -> u64 {
        let place = usize::try_from(handle).ok().and_then(|handle| handle.checked_sub(1));
        place.and_then(|place| self.due.get(place)).copied().unwrap_or(0)
    }

    /// The places of what is due; where nothing is, the guest sleeps until something is.
    fn poll(&mut self, handles: &[u32]) -> Vec<u32> {
        let first = handles.iter().map(|handle| self.due_at(*handle)).min().unwrap_or(0);
        self.slept = self.slept.max(first);
        (0..).zip(handles).filter(|(_, handle)| self.due_at(**handle) <= self.slept).map(|(place, _)| place).collect()
    }

    /// Takes what a guest prints; gives back the lines that are whole now.
    pub fn print(&mut self, stream: Stream, bytes: &[u8]) -> Vec<(Level, String)> {
        if stream == Stream::Err {
            self.complaint.extend_from_slice(bytes);
            let over = self.complaint.len().saturating_sub(LAST_WORDS_BYTES_MAX);
            self.complaint.drain(..over);
        }
        let buffer = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        buffer.extend_from_slice(bytes);
        let whole = buffer.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let rest = buffer.split_off(whole);
        let mut lines: Vec<_> = std::mem::replace(buffer, rest)
            .split_inclusive(|byte| *byte == b'\n')
            // One more than are kept, so that it shows that some were left out.
            .take(LOG_LINES_MAX + 1)
            .map(|line| (stream.level(), text(line)))
            .collect();
        if buffer.len() > LOG_LINE_BYTES_MAX {
            lines.push((stream.level(), text(&std::mem::take(buffer))));
        }
        lines
    }

    /// The lines that were begun and not ended.
    pub fn unfinished(&mut self) -> Vec<(Level, String)> {
        [(Stream::Out, std::mem::take(&mut self.out)), (Stream::Err, std::mem::take(&mut self.err))]
            .into_iter()
            .filter(|(_, bytes)| !bytes.is_empty())
            .map(|(stream, bytes)| (stream.level(), text(&bytes)))
            .collect()
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_depend_on_the_input_alone() {
        let draw = |at, input: &[u8]| Wasi::new(at, input).random_bytes(20).unwrap();
        assert_eq!(draw(1, b"ticket"), draw(2, b"ticket"));
        assert_ne!(draw(1, b"ticket"), draw(1, b"other"));
        assert_eq!(draw(1, b"").len(), 20);
        let asked = WASI_RANDOM_BYTES_MAX as u64 + 1;
        assert_eq!(Wasi::new(0, b"").random_bytes(asked), Err(WasiStopped::Random { asked }));
    }

    #[test]
    fn sleeping_moves_the_guests_own_clock_to_the_first_thing_that_is_due() {
        let mut wasi = Wasi::new(0, b"");
        let (late, soon) = (wasi.wait_until(900), wasi.wait_until(300));
        assert_eq!(wasi.poll(&[late, soon]), [1]);
        assert_eq!(wasi.slept, 300);
        assert_eq!(wasi.poll(&[late, 0]), [1]);
        assert_eq!((wasi.poll(&[late]), wasi.slept), (vec![0], 900));
    }

    #[test]
    fn what_is_printed_becomes_lines() {
        let mut wasi = Wasi::new(0, b"");
        assert_eq!(wasi.print(Stream::Out, b"one\r\ntw"), [(Level::Info, "one".to_owned())]);
        assert_eq!(wasi.print(Stream::Out, b"o\n\n"), [(Level::Info, "two".to_owned()), (Level::Info, String::new())]);
        assert!(wasi.print(Stream::Err, b"why").is_empty());
        assert_eq!(wasi.unfinished(), [(Level::Warn, "why".to_owned())]);
        assert_eq!(wasi.complaint().as_deref(), Some("why"));
        assert_eq!(wasi.print(Stream::Out, &vec![b'x'; LOG_LINE_BYTES_MAX + 1]).len(), 1);
        wasi.print(Stream::Err, &vec![b'y'; 3 * LAST_WORDS_BYTES_MAX]);
        assert_eq!(wasi.complaint().map(|c| c.len()), Some(LAST_WORDS_BYTES_MAX));
    }
}
