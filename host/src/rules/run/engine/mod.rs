//! The one wasmtime engine of a process.
//!
//! Everything that changes the compiled code is set in [`code_config`], which the compiling child process uses too, so
//! that what it compiles is what we load.

use std::hash::{DefaultHasher, Hash, Hasher};

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, RegallocAlgorithm,
    Strategy, WasmBacktraceDetails,
};

use crate::rules::limits::{Limits, PLAIN_STACK_BYTES_MAX, STACK_BYTES_MAX, TABLE_ELEMENTS_MAX};

pub mod clock;

/// Core instances that one component may have: a Python guest needs some 40.
const CORE_INSTANCES_PER_COMPONENT_MAX: u32 = 64;
/// Linear memory kept resident in each slot between calls, in bytes: what a usual call touches. Measured: without it a
/// fresh call costs twice as much.
const MEMORY_KEPT_BYTES: usize = 256 << 10;
/// The same for tables. One page: a table that fits is cleared by hand, which saves looking for its changed pages (an
/// ioctl of about a microsecond) at each call; Rust and C guests have tables of some hundred bytes.
const TABLE_KEPT_BYTES: usize = 4 << 10;

/// What runs the rules: the versions of this program and of the WebAssembly runtime, which together decide how much fuel a
/// decision uses. The runtime does not tell its version; a test compares this one with what is built in.
///
/// The second number counts changes of what this program takes fuel for.
pub const ENGINE: &str = concat!("ruledesk ", env!("CARGO_PKG_VERSION"), ", fuel 2, wasmtime 48.0.8");

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the rule engine: {0}")]
pub struct EngineError(#[source] wasmtime::Error);

/// How instances get their memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// From a pool laid out once; falls back to [`Allocation::OnDemand`] where the address space is too small.
    Pooled { calls_at_once: u32 },
    /// By the operating system, for each call: slower, and possible everywhere.
    OnDemand,
}

/// The settings that decide what the compiled code looks like and how it behaves.
pub fn code_config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_memory64(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .native_unwind_info(false)
        .concurrency_support(false)
        .max_wasm_stack(STACK_BYTES_MAX);
    config
}

/// The same with quick compilation instead of quick code. An engine of the other settings can load what this one makes.
pub fn plain_config() -> Config {
    let mut config = code_config();
    config.cranelift_opt_level(OptLevel::None).cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
    config
}

/// The same with the baseline compiler, which emits code while it reads: for what is run once. It does not know every
/// processor and every instruction; then there is no engine or no component, and [`plain_config`] has to do.
pub fn baseline_config() -> Config {
    let mut config = code_config();
    config.strategy(Strategy::Winch);
    config
}

/// An engine, and whether its instances come from a pool.
pub fn open(allocation: Allocation) -> Result<(Engine, Allocation), EngineError> {
    if let Allocation::Pooled { calls_at_once } = allocation {
        let mut config = code_config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(calls_at_once)));
        match Engine::new(&config) {
            Ok(engine) => return Ok((engine, allocation)),
            Err(error) => tracing::warn!(
                %error,
                "the address space is too small for a pool of instances: each call gets its memory from the \
                 operating system, which is slower"
            ),
        }
    }
    let engine = Engine::new(&code_config()).map_err(EngineError)?;
    Ok((engine, Allocation::OnDemand))
}

/// An engine for what is compiled plainly, with its clock; it is asked on a thread with
/// [`crate::rules::limits::COMPARING_STACK_BYTES`].
pub fn open_plain() -> Result<Engine, EngineError> {
    let mut config = plain_config();
    config.async_stack_size(PLAIN_STACK_BYTES_MAX).max_wasm_stack(PLAIN_STACK_BYTES_MAX);
    let engine = Engine::new(&config).map_err(EngineError)?;
    clock::start(&engine).map_err(|error| EngineError(error.into()))?;
    Ok(engine)
}

fn pool(calls_at_once: u32) -> PoolingAllocationConfig {
    let cores = calls_at_once.saturating_mul(CORE_INSTANCES_PER_COMPONENT_MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls_at_once)
        .total_core_instances(cores)
        .total_memories(calls_at_once.saturating_mul(4))
        .total_tables(cores)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT_MAX)
        .max_memories_per_component(4)
        .max_tables_per_component(CORE_INSTANCES_PER_COMPONENT_MAX)
        .max_memory_size(Limits::CEILING.memory_bytes)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(MEMORY_KEPT_BYTES)
        .table_keep_resident(TABLE_KEPT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// A number that is the same exactly when compiled code can be shared: the compiler's version, target and settings.
pub fn compatibility(engine: &Engine) -> u64 {
    // `DefaultHasher::new` has fixed keys, so that the number is the same in every process of one build.
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_is_named_as_it_is_locked() {
        let lock = include_str!("../../../../../Cargo.lock");
        let locked = lock.split("[[package]]").find(|package| package.contains("\nname = \"wasmtime\"\n")).unwrap();
        let version = locked.split('"').nth(3).unwrap();
        assert!(ENGINE.ends_with(&format!(", wasmtime {version}")), "{ENGINE} is locked as {version}");
    }
}
