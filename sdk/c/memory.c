/* The allocator of a rule: front to back, and never back, because an instance lives for one decision. What a usual decision
 * needs lies in the initial memory: a rule that grows its memory costs the desk twice as much. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__wasm__)

#define ARENA_BYTES (64 * 1024)
#define PAGE_BYTES (64 * 1024)
#define GROWTH_PAGES_MIN 4
#define ALIGN 16

/* Before each block stands its size, which `realloc` has to know. */
typedef struct {
    size_t size;
    char pad[ALIGN - sizeof(size_t)];
} head;

static _Alignas(ALIGN) unsigned char arena[ARENA_BYTES];
static uintptr_t next, end;

static int fits(size_t bytes) {
    if (next == 0) {
        next = (uintptr_t)arena;
        end = next + ARENA_BYTES;
    }
    if (bytes <= end - next) return 1;
    size_t pages = bytes / PAGE_BYTES + 1;
    if (pages < GROWTH_PAGES_MIN) pages = GROWTH_PAGES_MIN;
    size_t before = __builtin_wasm_memory_grow(0, pages);
    if (before == (size_t)-1) return 0;
    next = before * PAGE_BYTES;
    end = next + pages * PAGE_BYTES;
    return 1;
}

void *malloc(size_t size) {
    if (size > SIZE_MAX / 2) return NULL;
    size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (!fits(rounded + sizeof(head))) return NULL;
    head *block = (head *)next;
    block->size = rounded;
    next += rounded + sizeof(head);
    return block + 1;
}

void free(void *block) {
    (void)block;
}

void *calloc(size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) return NULL;
    void *block = malloc(count * size);
    return block ? memset(block, 0, count * size) : NULL;
}

void *realloc(void *block, size_t size) {
    if (!block) return malloc(size);
    head *old = (head *)block - 1;
    size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    int last = (uintptr_t)block + old->size == next;
    if (last && size <= SIZE_MAX / 2 && (uintptr_t)block + rounded <= end) {
        old->size = rounded;
        next = (uintptr_t)block + rounded;
        return block;
    }
    if (rounded <= old->size) return block;
    void *moved = malloc(size);
    return moved ? memcpy(moved, block, old->size) : NULL;
}

#endif
