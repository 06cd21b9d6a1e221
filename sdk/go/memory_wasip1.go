package ruledesk

import "unsafe"

// The host puts inputs into this memory, and answers are left in it. It is no part of Go's heap: while the host asks for
// room no import may be called, and Go's collector would call for the time. So an input beyond this room is a trap. What
// is not touched of it costs nothing.
var (
	room  [1 << 20]uint64 // 8 MiB, aligned like the widest value
	used  uint32
	floor uint32
	extra [][]byte
)

// What was asked for while Go started is the adapter's own state, and stays.
func init() { floor = used }

const roomBytes = 8 << 20

func addressOf(bytes []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes)))) }

func alloc(size, align uint32) uint32 {
	from := (used + align - 1) &^ (align - 1)
	if size <= roomBytes && from <= roomBytes-size {
		used = from + size
		return uint32(uintptr(unsafe.Pointer(&room))) + from
	}
	more := make([]uint64, (uint64(size)+15)/8)
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(more))), len(more)*8)
	extra = append(extra, bytes)
	return addressOf(bytes)
}

//go:wasmexport cabi_realloc
func cabiRealloc(old, oldSize, align, size uint32) uint32 {
	if size == 0 {
		return align
	}
	if used+align > roomBytes || size > roomBytes-used-align {
		panic("the input is larger than the room for inputs")
	}
	to := alloc(size, align)
	if oldSize > 0 {
		copy(bytesAt(to, size), bytesAt(old, min(oldSize, size)))
	}
	return to
}

// Done gives the memory of a decision back. Only the stages' packages call it.
func Done() {
	used, extra = floor, nil
}

func at[T any](address uint32) *T { return (*T)(unsafe.Pointer(uintptr(address))) }

func bytesAt(address, size uint32) []byte { return unsafe.Slice(at[byte](address), size) }

func get8(address uint32) uint8     { return *at[uint8](address) }
func get16(address uint32) uint16   { return *at[uint16](address) }
func get32(address uint32) uint32   { return *at[uint32](address) }
func get64(address uint32) uint64   { return *at[uint64](address) }
func getS16(address uint32) int16   { return *at[int16](address) }
func getS32(address uint32) int32   { return *at[int32](address) }
func getF64(address uint32) float64 { return *at[float64](address) }
func getBool(address uint32) bool   { return *at[uint8](address) != 0 }

func getText(address uint32) string {
	size := get32(address + 4)
	if size == 0 {
		return ""
	}
	return string(bytesAt(get32(address), size))
}

func listOf[T any](size uint32, get func(uint32) T) func(uint32) []T {
	return func(address uint32) []T {
		from, count := get32(address), get32(address+4)
		list := make([]T, count)
		for n := range list {
			list[n] = get(from + uint32(n)*size)
		}
		return list
	}
}

func optionOf[T any](offset uint32, get func(uint32) T) func(uint32) *T {
	return func(address uint32) *T {
		if get8(address) == 0 {
			return nil
		}
		value := get(address + offset)
		return &value
	}
}

func put8(address uint32, v uint8)   { *at[uint8](address) = v }
func put32(address uint32, v uint32) { *at[uint32](address) = v }

func putText(address uint32, v string) {
	to := alloc(uint32(len(v)), 1)
	copy(bytesAt(to, uint32(len(v))), v)
	put32(address, to)
	put32(address+4, uint32(len(v)))
}

func putF64(address uint32, v float64) { *at[float64](address) = v }

func putBool(address uint32, v bool) {
	put8(address, 0)
	if v {
		put8(address, 1)
	}
}

func putList[T any](size, align uint32, put func(uint32, T)) func(uint32, []T) {
	return func(address uint32, list []T) {
		to := alloc(uint32(len(list))*size, align)
		for n, v := range list {
			put(to+uint32(n)*size, v)
		}
		put32(address, to)
		put32(address+4, uint32(len(list)))
	}
}

func putOption[T any](offset uint32, put func(uint32, T)) func(uint32, *T) {
	return func(address uint32, v *T) {
		put8(address, 0)
		if v != nil {
			put8(address, 1)
			put(address+offset, *v)
		}
	}
}
