# How a rule in C becomes a module: included by the rule's Makefile, which sets STAGES and may set SOURCES.
SDK := $(dir $(lastword $(MAKEFILE_LIST)))
SOURCES ?= $(wildcard src/*.c)
OUT := .ruledesk/rule.core.wasm
CLANG ?= clang
stage_flags = $(foreach stage,$(STAGES),-DRD_STAGE_$(shell echo $(stage) | tr a-z A-Z))
# The stack lies lowest, so that what does not fit traps; the memory is large enough for a usual decision from the start.
WASM_FLAGS := --target=wasm32-wasi -std=c11 -O2 -flto -Wall -Wextra -fno-ident -ffile-prefix-map=$(CURDIR)/= -I$(SDK) $(stage_flags) \
    -nostartfiles -Wl,--no-entry -Wl,--stack-first -Wl,-z,stack-size=131072 -Wl,--strip-all
SDK_SOURCES := $(addprefix $(SDK),contract.c ruledesk.c json.c)

.PHONY: all test clean
all: $(OUT)

$(OUT): $(SOURCES) $(wildcard src/*.h) $(SDK_SOURCES) $(SDK)memory.c $(SDK)ruledesk.h $(SDK)contract.h Makefile
	@mkdir -p $(dir $@)
	$(CLANG) $(WASM_FLAGS) -o $@ $(SOURCES) $(SDK_SOURCES) $(SDK)memory.c

# Natively, by the machine's own compiler: the rule with tests/*.c, and a stand-in for the host.
test: $(SOURCES) $(wildcard tests/*.c)
	@mkdir -p .ruledesk
	$(CC) -std=c11 -g -Wall -Wextra -fsanitize=address,undefined -I$(SDK) -Isrc -o .ruledesk/tests $(SOURCES) $(wildcard tests/*.c) \
	    $(addprefix $(SDK),ruledesk.c json.c native.c)
	ASAN_OPTIONS=detect_leaks=0 .ruledesk/tests

clean:
	rm -rf .ruledesk/rule.core.wasm .ruledesk/tests
