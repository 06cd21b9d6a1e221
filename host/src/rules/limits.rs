//! Every bound on a guest: its name, unit, default, ceiling and reason.
//!
//! A rule's manifest may ask for less, or for more up to the ceiling.

use serde::Deserialize;

/// What one call of a rule may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Instructions, about: the deterministic budget. Twenty million run for some 20 ms.
    pub fuel: u64,
    /// Linear memory, summed over all memories of the component, in bytes.
    pub memory_bytes: usize,
    /// The wall clock, in milliseconds: the backstop for what fuel does not count. Far above what the fuel runs for, because
    /// on a busy machine the clock goes on while the guest waits for a core.
    pub deadline_ms: u64,
    /// What may cross from the guest in one answer or one host call, in bytes as the host holds it.
    pub output_bytes: usize,
    /// All log lines of a call, in bytes; what comes after is cut, and the cut recorded.
    pub log_bytes: usize,
    /// Look-ups in reference tables.
    pub host_calls: u32,
}

/// The cost of a call of the host, in fuel: about what it takes, and more for all that has to be copied.
pub const HOST_CALL_FUEL: u64 = 500;
/// The same for each byte that crosses.
pub const HOST_BYTE_FUEL: u64 = 4;
/// Text of the input up to which a rule has the fuel and the time of its manifest, in bytes; more of both comes with more text.
const FREE_INPUT_BYTES: usize = 4 << 10;
/// Text for which a rule gets its whole fuel once more, in bytes. Measured: the shipped rule that needs most for a character
/// needs a quarter of that for the text that costs it most.
const INPUT_BYTES_A_FUEL: u64 = 16 << 10;
/// The same for its time.
const INPUT_BYTES_A_DEADLINE: u64 = 64 << 10;
/// The most that all look-ups of a call bring, with their keys, in bytes: they are kept whole, so that it can be made again.
pub const LOOKUP_BYTES_MAX: usize = 512 << 10;
/// The longest answer that is kept, in bytes of JSON: the longest body that a form takes, written with an escape for each
/// character, and as much again.
pub const ANSWER_JSON_BYTES_MAX: usize = 1 << 20;
/// The most that the answers of all rules about one ticket take together, in bytes of JSON.
pub const ANSWERS_JSON_BYTES_MAX: usize = 4 << 20;

/// Elements that all tables of a component may have together. A Python guest needs some 7,000.
pub const TABLE_ELEMENTS_MAX: usize = 20_000;
/// The longest key that a row of a reference table can have, in bytes: the longest cell. A look-up of a longer one finds nothing.
pub const TABLE_KEY_BYTES_MAX: usize = 4096;
/// Log lines of one call; a line costs a record even when it is empty.
pub const LOG_LINES_MAX: usize = 100;
/// What a guest may print without ending the line, in bytes; then the line is ended for it.
pub const LOG_LINE_BYTES_MAX: usize = 4 * 1024;
/// Calls of WASI, which a language's runtime makes by itself, in one decision. Go makes some dozens.
pub const WASI_CALLS_MAX: u32 = 10_000;
/// Random bytes that a guest may ask for at once.
pub const WASI_RANDOM_BYTES_MAX: usize = 64 * 1024;
/// The longest message that a trap may leave, in bytes.
pub const LAST_WORDS_BYTES_MAX: usize = 4 * 1024;
/// Resources that a component may hold; the contract has none.
pub const HANDLES_MAX: usize = 64;
/// The guest's stack, in bytes: deep recursion ends here, long before the worker's own stack.
pub const STACK_BYTES_MAX: usize = 512 * 1024;
/// The stack for `configure` at load, in bytes: code compiled quickly has frames many times as large, above all those of an
/// interpreter. It fits into the compiling process's own stack.
pub const CONFIGURE_STACK_BYTES_MAX: usize = 4 << 20;
/// The stack of a rule that is compiled without optimisation to be compared: its functions take several times as much of it. A rule
/// that fills the stack which it serves with is found out nonetheless, because here it gets further.
pub const PLAIN_STACK_BYTES_MAX: usize = 16 * STACK_BYTES_MAX;
/// The stack of the thread that compares: the rule's, and room for the host's own functions.
pub const COMPARING_STACK_BYTES: usize = PLAIN_STACK_BYTES_MAX + (2 << 20);
/// How often the wall clock is looked at, in milliseconds.
pub const EPOCH_TICK_MS: u64 = 5;
/// What `configure` may use at load, as a multiple of one call's fuel.
pub const CONFIGURE_FUEL_FACTOR: u64 = 50;
/// The wall clock for `configure` at load, in milliseconds.
pub const CONFIGURE_DEADLINE_MS: u64 = 5_000;

impl Limits {
    /// These limits for an input with so many bytes of text. What takes a rule long is the text, whose length others choose.
    #[must_use]
    pub fn for_text(self, bytes: usize) -> Limits {
        let more = bytes.saturating_sub(FREE_INPUT_BYTES) as u64;
        let grown = |limit: u64, unit: u64, most: u64| {
            let grown = limit.saturating_add(limit.saturating_mul(more) / unit);
            grown.min(most.max(limit))
        };
        Limits {
            fuel: grown(self.fuel, INPUT_BYTES_A_FUEL, Self::CEILING.fuel),
            deadline_ms: grown(self.deadline_ms, INPUT_BYTES_A_DEADLINE, Self::CEILING.deadline_ms),
            ..self
        }
    }

    /// What a rule gets that asks for nothing.
    pub const DEFAULT: Limits = Limits {
        fuel: 20_000_000,
        memory_bytes: 64 << 20,
        deadline_ms: 250,
        output_bytes: 256 << 10,
        log_bytes: 8 << 10,
        host_calls: 64,
    };

    /// The most that a manifest may ask for.
    pub const CEILING: Limits = Limits {
        fuel: 2_000_000_000,
        memory_bytes: 256 << 20,
        deadline_ms: 2_000,
        output_bytes: 4 << 20,
        log_bytes: 64 << 10,
        host_calls: 1_000,
    };
}

/// The `[limits]` table of a manifest; what is left out stands at the default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Asked {
    fuel: Option<u64>,
    memory_mib: Option<u64>,
    deadline_ms: Option<u64>,
    output_kib: Option<u64>,
    log_kib: Option<u64>,
    host_calls: Option<u64>,
}

/// A limit that a manifest asks for and may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`limits.{key}` is {asked}: allowed is 1 to {ceiling}")]
pub struct NotAllowed {
    pub key: &'static str,
    pub asked: u64,
    pub ceiling: u64,
}

impl Asked {
    /// The limits that a call runs under.
    ///
    /// # Errors
    ///
    /// For the first limit that is zero or above the ceiling.
    pub fn resolve(&self) -> Result<Limits, NotAllowed> {
        const KIB: u64 = 1 << 10;
        const MIB: u64 = 1 << 20;
        let (standard, ceiling) = (Limits::DEFAULT, Limits::CEILING);
        let pick = |key, asked: Option<u64>, unit: u64, standard: u64, ceiling: u64| match asked {
            None => Ok(standard),
            Some(n) if n >= 1 && n <= ceiling / unit => Ok(n * unit),
            Some(asked) => Err(NotAllowed { key, asked, ceiling: ceiling / unit }),
        };
        let size = |key, asked, unit, standard: usize, ceiling: usize| {
            pick(key, asked, unit, standard as u64, ceiling as u64).map(|n| usize::try_from(n).unwrap_or(standard))
        };
        Ok(Limits {
            fuel: pick("fuel", self.fuel, 1, standard.fuel, ceiling.fuel)?,
            memory_bytes: size("memory-mib", self.memory_mib, MIB, standard.memory_bytes, ceiling.memory_bytes)?,
            deadline_ms: pick("deadline-ms", self.deadline_ms, 1, standard.deadline_ms, ceiling.deadline_ms)?,
            output_bytes: size("output-kib", self.output_kib, KIB, standard.output_bytes, ceiling.output_bytes)?,
            log_bytes: size("log-kib", self.log_kib, KIB, standard.log_bytes, ceiling.log_bytes)?,
            host_calls: pick(
                "host-calls",
                self.host_calls,
                1,
                u64::from(standard.host_calls),
                u64::from(ceiling.host_calls),
            )
            .map(|n| u32::try_from(n).unwrap_or(standard.host_calls))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_may_ask_up_to_the_ceiling() {
        let asked = Asked { memory_mib: Some(256), ..Asked::default() };
        assert_eq!(asked.resolve().map(|l| l.memory_bytes), Ok(256 << 20));
        let asked = Asked { memory_mib: Some(257), ..Asked::default() };
        assert_eq!(asked.resolve(), Err(NotAllowed { key: "memory-mib", asked: 257, ceiling: 256 }));
        let asked = Asked { fuel: Some(0), ..Asked::default() };
        assert!(asked.resolve().is_err());
        assert_eq!(Asked::default().resolve(), Ok(Limits::DEFAULT));
    }
}
