package ruledesk

import (
	"runtime"
	"strings"
	"unsafe"
)

//go:wasmexport ruledesk:rules/settings@1.0.0#configure
func configureExport(text, size uint32) uint32 {
	result := alloc(12, 4)
	given := ""
	if size > 0 {
		given = string(bytesAt(text, size))
	}
	problems := configureSafely(given)
	resetAdapterState()
	put8(result, 0)
	if len(problems) > 0 {
		put8(result, 1)
		putList(8, 4, putText)(result+4, problems)
	}
	return result
}

// The desk keeps the memory that configure leaves, but no handle, such as that of standard output: the adapter has to ask
// for its handles anew.
//
//go:wasmimport wasi_snapshot_preview1 reset_adapter_state
func resetAdapterState()

//go:wasmexport cabi_post_ruledesk:rules/settings@1.0.0#configure
func configurePost(uint32) { Done() }

func configureSafely(text string) (problems []string) {
	defer func() {
		if thrown := recover(); thrown != nil {
			problems = []string{described(thrown)}
		}
	}()
	return configured(text)
}

// asked turns a panic of the rule into an error with the stack.
func asked[I, A any](in *I, rule func(*I) (A, error)) (answer A, failed error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			failed = Failure(described(thrown))
		}
	}()
	if rule == nil {
		return answer, Failure("the rule has no function for this stage: call the stage's Decide in an init function")
	}
	return rule(in)
}

func described(thrown any) string {
	text := "panic: " + message(thrown)
	buffer := make([]byte, 16<<10)
	return text + "\n" + tidyStack(string(buffer[:runtime.Stack(buffer, false)]))
}

func message(thrown any) string {
	switch thrown := thrown.(type) {
	case error:
		return thrown.Error()
	case string:
		return thrown
	case interface{ String() string }:
		return thrown.String()
	}
	return "a value that is neither an error nor a text"
}

// tidyStack leaves out the runtime's own frames, and those of this SDK above and below the rule's.
func tidyStack(stack string) string {
	lines := strings.Split(strings.TrimSpace(stack), "\n")
	if len(lines) > 0 {
		lines = lines[1:] // "goroutine 1 [running]:"
	}
	var kept []string
	for n := 0; n+1 < len(lines); n += 2 {
		own := strings.HasPrefix(lines[n], "ruledesk.local/sdk") || strings.HasPrefix(lines[n], "panic(") ||
			strings.HasPrefix(lines[n], "runtime.")
		if !own {
			kept = append(kept, "  at "+lines[n], "     "+strings.TrimSpace(lines[n+1]))
		}
	}
	return strings.Join(kept, "\n")
}

//go:wasmimport ruledesk:rules/log@1.0.0 write
func hostLog(level uint32, text unsafe.Pointer, size uint32)

//go:wasmimport ruledesk:rules/tables@1.0.0 lookup
func hostLookup(table unsafe.Pointer, tableSize uint32, key unsafe.Pointer, keySize uint32, result uint32)

func writeLog(level uint32, text string) {
	hostLog(level, unsafe.Pointer(unsafe.StringData(text)), uint32(len(text)))
}

func look(table, key string) ([]Attribute, bool) {
	result := alloc(12, 4)
	hostLookup(unsafe.Pointer(unsafe.StringData(table)), uint32(len(table)),
		unsafe.Pointer(unsafe.StringData(key)), uint32(len(key)), result)
	if get8(result) == 0 {
		return nil, false
	}
	return listOf(16, liftAttribute)(result + 4), true
}
