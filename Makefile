# Two commands do everything: `make run` and `make test`.
SHELL := /bin/bash
RULES := target/rules
TARGET := wasm32-unknown-unknown

.PHONY: run test lint bench setup rules

run: setup rules
	@mkdir -p target/desk
	cargo build --release -p ruledesk
	target/release/ruledesk serve --config host/demo --rules $(RULES) --data target/desk --demo

rules: setup
	cargo build --release -p ruledesk
	target/release/ruledesk rule build --out $(RULES) $(dir $(wildcard example-rules/*/Cargo.toml))

test:
	@.ci/setup test
	cargo test --workspace

lint: setup
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings

bench: setup
	cargo bench -p ruledesk

setup:
	@.ci/setup
