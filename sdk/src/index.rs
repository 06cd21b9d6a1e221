//! A hash map for words, built in `prepare` and asked in `decide`. It knows nothing of tickets.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Text to something. Its hash is short (FNV-1a) because a rule's keys come from its own settings, not from strangers.
pub type Index<V> = HashMap<String, V, BuildHasherDefault<Fnv>>;

/// FNV-1a, 64 bits.
#[derive(Debug, Clone)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
