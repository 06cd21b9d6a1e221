//! The allocator of a rule: it hands out memory front to back and never takes it back, because an instance lives for one
//! decision. It knows nothing of rules.
//!
//! Measured: with it a decision in a fresh instance takes half the time that the standard allocator needs, and rules
//! that never grow their memory let the desk scale with its cores. Hence the arena, which is part of the initial memory.

#[cfg(target_arch = "wasm32")]
pub use wasm::settle;

/// Memory that is not handed out yet: addresses from `next` up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Free {
    next: usize,
    end: usize,
}

impl Free {
    /// Where `size` bytes at a multiple of `align` fit, and what is free then; `None` if they do not fit.
    fn take(self, size: usize, align: usize) -> Option<(usize, Free)> {
        let start = self.next.checked_next_multiple_of(align)?;
        let next = start.checked_add(size)?;
        (next <= self.end).then_some((start, Free { next, ..self }))
    }

    /// The free memory once the block at `start`, until now `old` bytes long, has `new` bytes; `None` unless it is the
    /// last block and the new size fits.
    fn resize_last(self, start: usize, old: usize, new: usize) -> Option<Free> {
        let is_last = start.checked_add(old)? == self.next;
        let next = start.checked_add(new)?;
        (is_last && next <= self.end).then_some(Free { next, ..self })
    }
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32::memory_grow;
    use core::cell::UnsafeCell;
    use core::ptr;

    use super::Free;

    /// Bytes in the initial memory: sixteen usual decisions' worth.
    const ARENA_BYTES: usize = 64 * 1024;
    /// Bytes that a decision shall find free; settings that leave less get a fresh region.
    const DECISION_BYTES_MIN: usize = 48 * 1024;
    /// A page of linear memory, in bytes.
    const PAGE_BYTES: usize = 64 * 1024;
    /// Pages of one growth at least, so that a large input costs few of them.
    const GROWTH_PAGES_MIN: usize = 4;

    /// Tells the desk that this memory takes a decision's input in one block: what lies inside of a block is given back or
    /// resized by itself here, because giving back does nothing unless it is the end of what is handed out.
    #[used]
    #[unsafe(link_section = "ruledesk:arena")]
    static MARK: [u8; 1] = [1];

    #[repr(align(16))]
    struct Arena(UnsafeCell<[u8; ARENA_BYTES]>);
    // SAFETY: an instance has one thread, and only the allocator touches the arena.
    unsafe impl Sync for Arena {}
    static ARENA: Arena = Arena(UnsafeCell::new([0; ARENA_BYTES]));

    /// What is free; `None` before the first allocation.
    struct Bump(UnsafeCell<Option<Free>>);
    // SAFETY: an instance has one thread.
    unsafe impl Sync for Bump {}

    #[global_allocator]
    static ALLOCATOR: Bump = Bump(UnsafeCell::new(None));

    // SAFETY: `Free::take` returns blocks that are aligned, lie in memory that this allocator owns, and do not overlap,
    // because `next` only moves over a block when that block is the last one and is given back or resized by its owner.
    unsafe impl GlobalAlloc for Bump {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            match self.free().take(layout.size(), layout.align()) {
                Some((start, free)) => {
                    self.set(free);
                    ptr::with_exposed_provenance_mut(start)
                }
                None => self.alloc_grown(layout),
            }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            if let Some(free) = self.free().resize_last(block.addr(), layout.size(), 0) {
                self.set(free);
            }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            if let Some(free) = self.free().resize_last(block.addr(), layout.size(), size) {
                self.set(free);
                return block;
            }
            if size <= layout.size() {
                return block;
            }
            // SAFETY: the caller promises that `size` is not zero and does not overflow when rounded up to the
            // alignment, which comes from a valid layout.
            let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
            // SAFETY: `wanted` has a size above zero.
            let moved = unsafe { self.alloc(wanted) };
            if !moved.is_null() {
                // SAFETY: the old block has `layout.size()` bytes, the new one has more, and they do not overlap.
                unsafe { ptr::copy_nonoverlapping(block, moved, layout.size()) };
            }
            moved
        }
    }

    impl Bump {
        fn free(&self) -> Free {
            // SAFETY: one thread, and no reference into the cell outlives this line.
            let free = unsafe { *self.0.get() };
            free.unwrap_or_else(|| {
                let next = ARENA.0.get().expose_provenance();
                Free { next, end: next + ARENA_BYTES }
            })
        }

        fn set(&self, free: Free) {
            // SAFETY: one thread, and no reference into the cell exists.
            unsafe { *self.0.get() = Some(free) };
        }

        /// Null if the desk does not allow as much memory.
        #[cold]
        fn alloc_grown(&self, layout: Layout) -> *mut u8 {
            let block = layout
                .size()
                .checked_add(layout.align())
                .filter(|&bytes| self.grow(bytes, GROWTH_PAGES_MIN))
                .and_then(|_| self.free().take(layout.size(), layout.align()));
            match block {
                Some((start, free)) => {
                    self.set(free);
                    ptr::with_exposed_provenance_mut(start)
                }
                None => ptr::null_mut(),
            }
        }

        /// Makes at least `bytes` free in new memory; false if the desk does not allow it.
        fn grow(&self, bytes: usize, pages_min: usize) -> bool {
            let needed = bytes.div_ceil(PAGE_BYTES);
            let mut pages = needed.max(pages_min);
            let mut before = memory_grow::<0>(pages);
            if before == usize::MAX && needed < pages {
                // The limit may still have room for exactly this block.
                pages = needed;
                before = memory_grow::<0>(pages);
            }
            if before == usize::MAX {
                return false;
            }
            let start = before.saturating_mul(PAGE_BYTES);
            let end = start.saturating_add(pages.saturating_mul(PAGE_BYTES));
            let old = self.free();
            self.set(Free { next: if old.end == start { old.next } else { start }, end });
            true
        }
    }

    /// Ends the settings' phase: makes sure that a usual decision finds enough memory without growing. The desk takes
    /// its picture of the memory after this, so growing here costs a decision nothing.
    pub fn settle() {
        let free = ALLOCATOR.free();
        if free.end - free.next < DECISION_BYTES_MIN {
            // If the limit does not allow it, decisions go on with what is left.
            let _ = ALLOCATOR.grow(ARENA_BYTES, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Free;

    const FREE: Free = Free { next: 101, end: 200 };

    #[test]
    fn blocks_are_aligned_and_follow_each_other() {
        let (start, free) = FREE.take(10, 8).unwrap();
        assert_eq!((start, free.next), (104, 114));
        assert_eq!(free.take(3, 1).unwrap().0, 114);
    }

    #[test]
    fn nothing_is_handed_out_beyond_the_end() {
        assert!(FREE.take(99, 1).is_some());
        assert!(FREE.take(100, 1).is_none());
        assert!(FREE.take(usize::MAX, 1).is_none());
        let last = Free { next: usize::MAX - 2, end: usize::MAX };
        assert!(last.take(1, 16).is_none());
    }

    #[test]
    fn an_empty_block_takes_no_room() {
        assert_eq!(FREE.take(0, 1), Some((101, FREE)));
    }

    #[test]
    fn only_the_last_block_is_resized_in_place() {
        let (start, free) = FREE.take(10, 1).unwrap();
        assert_eq!(free.resize_last(start, 10, 20).unwrap().next, 121);
        assert_eq!(free.resize_last(start, 10, 0), Some(FREE));
        let (_, later) = free.take(1, 1).unwrap();
        assert_eq!(later.resize_last(start, 10, 20), None);
        assert_eq!(free.resize_last(start, 10, 100), None);
    }
}
