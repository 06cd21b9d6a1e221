# Two commands do everything: `make run` and `make test`.
SHELL := /bin/bash
RULES := target/rules
EXAMPLES := $(dir $(wildcard example-rules/*/Cargo.toml))

.PHONY: run test lint bench rules setup

run: rules
	@mkdir -p target/desk
	target/release/ruledesk serve --config host/demo --rules $(RULES) --data target/desk --demo

# The example rules as components, where `make run` and `make bench` find them.
rules: setup
	cargo build --release -p ruledesk
	target/release/ruledesk rule build --out $(RULES) $(EXAMPLES)

test:
	@.ci/setup test
	cargo test --workspace

lint: setup
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings

bench: rules
	@.ci/setup test
	cargo bench -p ruledesk

setup:
	@.ci/setup
