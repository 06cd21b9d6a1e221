use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
const ARENA: usize = 64 * 1024;
#[repr(align(16))]
struct Arena(UnsafeCell<[u8; ARENA]>);
unsafe impl Sync for Arena {}
static BYTES: Arena = Arena(UnsafeCell::new([0; ARENA]));
struct Bump(UnsafeCell<(usize, usize)>);
unsafe impl Sync for Bump {}
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, l: Layout) -> *mut u8 {
        unsafe {
            let s = &mut *self.0.get();
            if s.1 == 0 { s.0 = BYTES.0.get() as usize; s.1 = s.0 + ARENA; }
            let p = (s.0 + l.align() - 1) & !(l.align() - 1);
            if p + l.size() > s.1 {
                return self.grow(l);
            }
            s.0 = p + l.size();
            p as *mut u8
        }
    }
    unsafe fn dealloc(&self, p: *mut u8, l: Layout) { unsafe {
        let s = &mut *self.0.get();
        if p as usize + l.size() == s.0 { s.0 = p as usize; }
    } }
    unsafe fn realloc(&self, p: *mut u8, l: Layout, n: usize) -> *mut u8 { unsafe {
        let s = &mut *self.0.get();
        if p as usize + l.size() == s.0 && p as usize + n <= s.1 { s.0 = p as usize + n; return p; }
        let q = self.alloc(Layout::from_size_align_unchecked(n, l.align()));
        if !q.is_null() { core::ptr::copy_nonoverlapping(p, q, l.size().min(n)); }
        q
    } }
}
impl Bump {
    #[cold]
    unsafe fn grow(&self, l: Layout) -> *mut u8 { unsafe {
        let s = &mut *self.0.get();
        let pages = (l.size() + l.align()).div_ceil(65536).max(16);
        let at = core::arch::wasm32::memory_grow::<0>(pages);
        if at == usize::MAX { return core::ptr::null_mut(); }
        s.0 = at * 65536; s.1 = s.0 + pages * 65536;
        self.alloc(l)
    } }
}
#[global_allocator]
static A: Bump = Bump(UnsafeCell::new((0, 0)));
