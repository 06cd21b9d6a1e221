//! What a guest can reach of its host: its log, its last words, its reference tables, and so much memory.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasmtime::component::Linker;
use wasmtime::{Engine, ResourceLimiter, StoreContextMut, Trap};

use super::engine::clock::UnderWay;
use super::wasi::{self, Stream, Wasi};
use crate::rules::contract::{Attribute, Level};
use crate::rules::limits::{
    HOST_BYTE_FUEL, HOST_CALL_FUEL, LAST_WORDS_BYTES_MAX, LOG_LINES_MAX, LOOKUP_BYTES_MAX, Limits, TABLE_ELEMENTS_MAX,
    TABLE_KEY_BYTES_MAX,
};
use crate::rules::tables::Tables;
use crate::rules::text::one_line;

/// How much of a table's name is shown that a rule may not look into.
const TABLE_CHARS_SHOWN: usize = 100;

/// Why the host stopped a guest. A fault of the guest's making, so a value, never a failed request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    #[error("it asked for {asked} bytes of memory in all; allowed are {allowed}")]
    Memory { asked: usize, allowed: usize },
    #[error("it asked for {asked} table elements; allowed are {TABLE_ELEMENTS_MAX}")]
    TableElements { asked: usize },
    #[error("it looked things up more than {allowed} times (`host-calls`)")]
    HostCalls { allowed: u32 },
    #[error("what it looked up is more than {LOOKUP_BYTES_MAX} bytes in all")]
    Lookups,
    #[error("it looked something up in the table `{table}`, which {why}")]
    Table { table: String, why: &'static str },
}

/// One line that a rule wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub level: Level,
    pub message: String,
}

/// One look-up in a reference table and its result, so that the decision can be made again when the table has changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lookup {
    pub table: String,
    /// Of the table's content, where its versions are kept.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "as_text",
        deserialize_with = "of_text"
    )]
    pub digest: Option<Arc<str>>,
    pub key: String,
    pub row: Option<Vec<Attribute>>,
}

fn as_text<S: Serializer>(text: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

fn of_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Arc<str>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Arc::from))
}

/// The state of one call, on the host's side.
pub struct Guest {
    pub limiter: Limiter,
    pub log: Vec<LogLine>,
    /// Whether lines were cut or left out.
    pub log_cut: bool,
    pub lookups: Vec<Lookup>,
    last_words: Vec<u8>,
    log_bytes_left: usize,
    host_calls_left: u32,
    lookup_bytes_left: usize,
    /// When its time is up, and what keeps the clock going that says so.
    until: Option<(Instant, UnderWay)>,
    limits: Limits,
    tables: Arc<Tables>,
    tables_allowed: Arc<[String]>,
    /// Only guests whose runtime needs WASI have this.
    wasi: Option<Box<Wasi>>,
}

impl Guest {
    /// The state of a call that has not begun.
    pub fn new(limits: Limits, tables: Arc<Tables>, tables_allowed: Arc<[String]>) -> Self {
        Self {
            limiter: Limiter { total: 0, peak: 0, table_elements: 0, allowed: limits.memory_bytes },
            log: Vec::new(),
            log_cut: false,
            lookups: Vec::new(),
            last_words: Vec::new(),
            log_bytes_left: limits.log_bytes,
            host_calls_left: limits.host_calls,
            lookup_bytes_left: LOOKUP_BYTES_MAX,
            until: None,
            limits,
            tables,
            tables_allowed,
            wasi: None,
        }
    }

    /// What the guest said before it trapped, or printed to standard error, if it said something.
    pub fn last_words(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.last_words);
        let text = text.trim();
        if text.is_empty() { self.wasi.as_ref()?.complaint() } else { Some(text.to_owned()) }
    }

    /// Gives the guest a virtual WASI of its own.
    pub fn set_wasi(&mut self, wasi: Wasi) {
        self.wasi = Some(Box::new(wasi));
    }

    /// What the guest has of WASI: a world without time where none was given.
    pub fn wasi(&mut self) -> &mut Wasi {
        self.wasi.get_or_insert_with(|| Box::new(Wasi::new(0, &[])))
    }

    /// Takes what the guest prints into its log.
    pub fn print(&mut self, stream: Stream, bytes: &[u8]) {
        for (level, line) in self.wasi().print(stream, bytes) {
            self.write_log(level, line);
        }
    }

    /// Takes what the guest began to print into its log: it will not go on.
    pub fn end_lines(&mut self) {
        let lines = self.wasi.as_mut().map(|wasi| wasi.unfinished());
        for (level, line) in lines.into_iter().flatten() {
            self.write_log(level, line);
        }
    }

    fn count_call(&mut self) -> Result<(), Stopped> {
        let allowed = self.limits.host_calls;
        self.host_calls_left = self.host_calls_left.checked_sub(1).ok_or(Stopped::HostCalls { allowed })?;
        Ok(())
    }

    fn write_log(&mut self, level: Level, mut message: String) {
        if self.log.len() >= LOG_LINES_MAX || self.log_bytes_left == 0 {
            self.log_cut = true;
            return;
        }
        if message.len() > self.log_bytes_left {
            self.log_cut = true;
            message.truncate(message.floor_char_boundary(self.log_bytes_left));
            self.log_bytes_left = 0;
        }
        self.log_bytes_left = self.log_bytes_left.saturating_sub(message.len());
        self.log.push(LogLine { level, message });
    }

    fn say(&mut self, words: [u64; 8]) {
        let bytes = words.into_iter().flat_map(u64::to_le_bytes).filter(|byte| *byte != 0);
        let room = LAST_WORDS_BYTES_MAX.saturating_sub(self.last_words.len());
        self.last_words.extend(bytes.take(room));
    }

    /// Sets when its time is up.
    pub fn set_until(&mut self, until: Instant) {
        self.until = Some((until, UnderWay::begin()));
    }

    fn look_up(&mut self, table: String, key: String) -> Result<Option<Vec<Attribute>>, Stopped> {
        if !self.tables_allowed.contains(&table) {
            let table = one_line(&table, TABLE_CHARS_SHOWN);
            return Err(Stopped::Table { table, why: "its manifest does not name under `tables`" });
        }
        let Some(found) = self.tables.get(&table) else {
            return Err(Stopped::Table { table, why: "does not exist" });
        };
        // The record takes no more of a key than a row could have.
        let key = if key.len() > TABLE_KEY_BYTES_MAX { shortened(&key) } else { key };
        let row = found.row(&key).cloned();
        let bytes = table.len() + key.len() + row_bytes(row.as_deref());
        self.lookup_bytes_left = self.lookup_bytes_left.checked_sub(bytes).ok_or(Stopped::Lookups)?;
        self.lookups.push(Lookup { table, digest: found.digest().cloned(), key, row: row.clone() });
        Ok(row)
    }
}

fn row_bytes(row: Option<&[Attribute]>) -> usize {
    row.unwrap_or_default().iter().map(|cell| cell.name.len() + cell.value.len()).sum()
}

/// Makes a guest pay for what the host does for it, so many bytes included, and looks at the clock: neither is counted while no
/// instruction of the guest runs.
///
/// # Errors
///
/// Where its fuel or its time is used up.
pub fn charge(cx: &mut StoreContextMut<'_, Guest>, bytes: usize) -> wasmtime::Result<()> {
    let cost = HOST_CALL_FUEL.saturating_add(HOST_BYTE_FUEL.saturating_mul(bytes as u64));
    let left = cx.get_fuel()?;
    cx.set_fuel(left.saturating_sub(cost))?;
    #[expect(clippy::disallowed_methods, reason = "a call has a time limit; what is stopped by it is never compared")]
    let is_late = cx.data().until.as_ref().is_some_and(|(until, _)| Instant::now() >= *until);
    match (left < cost, is_late) {
        (true, _) => Err(Trap::OutOfFuel.into()),
        (false, true) => Err(Trap::Interrupt.into()),
        (false, false) => Ok(()),
    }
}

/// The beginning of a key that no row can have, and how long it was; no row can have this either.
fn shortened(key: &str) -> String {
    let beginning = key.get(..key.floor_char_boundary(TABLE_KEY_BYTES_MAX)).unwrap_or_default();
    format!("{beginning}… ({} bytes)", key.len())
}

/// Bounds the memory and the tables of a call. `wasmtime::StoreLimits` bounds each by itself, and a component may have many.
pub struct Limiter {
    total: usize,
    peak: usize,
    table_elements: usize,
    allowed: usize,
}

impl Limiter {
    /// The most memory that the call has held, in bytes.
    pub fn peak(&self) -> usize {
        self.peak
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // Its own maximum: the instruction says so to the guest, and the desk's limit has nothing to do with it.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.total.saturating_add(desired.saturating_sub(current));
        if total > self.allowed {
            return Err(Stopped::Memory { asked: total, allowed: self.allowed }.into());
        }
        self.total = total;
        self.peak = self.peak.max(total);
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.table_elements = self.table_elements.saturating_add(desired.saturating_sub(current));
        if self.table_elements > TABLE_ELEMENTS_MAX {
            return Err(Stopped::TableElements { asked: self.table_elements }.into());
        }
        Ok(true)
    }
}

/// Everything that a rule may import; nothing else can be linked.
///
/// # Errors
///
/// Never for an engine of ours: the names are distinct.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    linker.instance("ruledesk:rules/types@1.0.0")?;
    linker.instance("ruledesk:rules/log@1.0.0")?.func_wrap(
        "write",
        |mut store: StoreContextMut<'_, Guest>, (level, message): (Level, String)| {
            charge(&mut store, message.len())?;
            store.data_mut().write_log(level, message);
            Ok(())
        },
    )?;
    type Words = (u64, u64, u64, u64, u64, u64, u64, u64);
    linker.instance("ruledesk:rules/last-words@1.0.0")?.func_wrap(
        "say",
        |mut store: StoreContextMut<'_, Guest>, (a, b, c, d, e, f, g, h): Words| {
            charge(&mut store, 0)?;
            store.data_mut().say([a, b, c, d, e, f, g, h]);
            Ok(())
        },
    )?;
    linker.instance("ruledesk:rules/tables@1.0.0")?.func_wrap(
        "lookup",
        |mut store: StoreContextMut<'_, Guest>, (table, key): (String, String)| {
            store.data_mut().count_call()?;
            let asked = table.len() + key.len();
            let row = store.data_mut().look_up(table, key)?;
            charge(&mut store, asked + row_bytes(row.as_deref()))?;
            Ok((row,))
        },
    )?;
    wasi::link(&mut linker)?;
    Ok(linker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::limits::Asked;
    use crate::rules::tables::Table;

    #[test]
    fn a_key_that_no_row_can_have_finds_nothing_and_stops_nobody() {
        let longest = "ü".repeat(TABLE_KEY_BYTES_MAX / 2);
        let row = vec![Attribute { name: "owner".to_owned(), value: "kofi".to_owned() }];
        let table: Table = [(longest.clone(), row.clone())].into_iter().collect();
        let limits = Asked::default().resolve().unwrap();
        let tables = Arc::new([("assets".to_owned(), table)].into_iter().collect::<Tables>());
        let mut guest = Guest::new(limits, tables, Arc::from(["assets".to_owned()]));
        let mut look_up = |key: &str| guest.look_up("assets".to_owned(), key.to_owned());
        assert_eq!(look_up(&longest), Ok(Some(row)));
        for longer in [format!("{longest}x"), format!("x{longest}"), "x".repeat(200_000)] {
            assert_eq!(look_up(&longer), Ok(None));
        }
        let keys = guest.lookups.iter().map(|lookup| lookup.key.len());
        assert!(keys.skip(1).all(|bytes| (TABLE_KEY_BYTES_MAX + 1..TABLE_KEY_BYTES_MAX + 40).contains(&bytes)));
        assert!(guest.lookups[3].key.ends_with("x… (200000 bytes)"));
    }
}
