//! Reading records out of segment files, block by block: one ranged read finds many neighbours.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::acts::Kept;
use super::place::{Archive, Lost};
use crate::desk::id::RunId;
use crate::store::rules::decisions::Damage;
use crate::store::{Error, Store};

/// Bytes that are read of a file at once: some hundred records, and a moment's work for a disk or a bucket.
const BLOCK: u64 = 256 << 10;
/// Blocks that are kept, because the next records asked for are in them.
const BLOCKS_MAX: usize = 16;

/// Where a run's packed bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InSegment {
    /// The place of the segment's act in its chain.
    pub act: i64,
    pub place: i64,
    pub bytes: i64,
}

/// A block of a segment, by the segment's act and the block's number.
type Block = ((i64, u64), Arc<Vec<u8>>);

/// Where segments are kept, and the blocks of them that were read last.
#[derive(Debug)]
pub struct Segments {
    pub(super) archive: Option<Archive>,
    blocks: Mutex<VecDeque<Block>>,
}

impl Segments {
    /// Segments in this archive.
    pub fn of(archive: Option<Archive>) -> Self {
        Self { archive, blocks: Mutex::default() }
    }

    /// The bytes of a part of a segment.
    async fn bytes(&self, kept: &Kept, place: u64, count: u64) -> Result<Vec<u8>, Lost> {
        let end = place.checked_add(count).filter(|end| *end <= kept.facts.bytes).ok_or(Lost::Short)?;
        let mut found = Vec::new();
        for block in place / BLOCK..end.div_ceil(BLOCK) {
            let bytes = self.block(kept, block).await?;
            let within = |at: u64| usize::try_from(at.saturating_sub(block * BLOCK).min(BLOCK)).unwrap_or_default();
            found.extend_from_slice(bytes.get(within(place)..within(end)).ok_or(Lost::Short)?);
        }
        Ok(found)
    }

    async fn block(&self, kept: &Kept, block: u64) -> Result<Arc<Vec<u8>>, Lost> {
        let key = (kept.act, block);
        if let Some(found) = self.remembered(key) {
            return Ok(found);
        }
        let archive = self.archive.as_ref().ok_or(Lost::NoArchive)?;
        let range = block * BLOCK..kept.facts.bytes.min((block + 1) * BLOCK);
        let bytes = Arc::new(archive.read(&kept.name, range).await?);
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.truncate(BLOCKS_MAX - 1);
        blocks.push_front((key, Arc::clone(&bytes)));
        Ok(bytes)
    }

    fn remembered(&self, key: (i64, u64)) -> Option<Arc<Vec<u8>>> {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.iter().find(|(of, _)| *of == key).map(|(_, bytes)| Arc::clone(bytes))
    }
}

/// The segments that one reading has met.
pub(crate) type Met = BTreeMap<i64, Option<Kept>>;

impl Store {
    /// The packed bytes of a run that is in a segment, and the segment's name.
    pub(crate) async fn archived(
        &self,
        met: &mut Met,
        run: RunId,
        at: InSegment,
    ) -> Result<Result<(Vec<u8>, String), Damage>, Error> {
        if let std::collections::btree_map::Entry::Vacant(place) = met.entry(at.act) {
            place.insert(self.segment(at.act).await?);
        }
        let Some(kept) = met.get(&at.act).and_then(Option::as_ref) else {
            return Ok(Err(Damage::NoSegment { run, act: at.act }));
        };
        if let Some(deletion) = &kept.deleted {
            return Ok(Err(Damage::Deleted { run, deletion: deletion.clone() }));
        }
        let whole = |number: i64| u64::try_from(number).unwrap_or(u64::MAX);
        let found = self.segments.bytes(kept, whole(at.place), whole(at.bytes)).await;
        let segment = kept.name.clone();
        Ok(match found {
            Ok(bytes) => Ok((bytes, segment)),
            Err(why) => Err(Damage::Segment { run, segment, why }),
        })
    }
}
