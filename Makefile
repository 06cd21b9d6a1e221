# Two commands do everything: `make run` and `make test`.
SHELL := /bin/bash
RULES := target/rules
EXAMPLES := $(filter-out %-connector/,$(dir $(wildcard example-rules/*/Cargo.toml)))

.PHONY: run test pictures lint bench bench-pages bench-million rules setup

run: rules
	@mkdir -p target/desk
	target/release/ruledesk serve --config host/demo --rules $(RULES) --data target/desk --demo --past

# The example rules as components, where `make run` and `make bench` find them.
rules: setup
	cargo build --locked --release -p ruledesk
	target/release/ruledesk rule build --out $(RULES) $(EXAMPLES)

test:
	@.ci/setup test
	cargo test --locked --workspace

# The pictures of the README, taken of the pages by a browser.
pictures:
	@.ci/setup test
	cargo test --locked --workspace --test all -- --ignored pages::every::pictures_for_the_readme
	cp target/tmp/pictures/readme/*.png host/assets/pictures/

lint: setup
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

bench: rules
	@.ci/setup test
	cargo bench --locked -p ruledesk --bench rules --bench intake --bench life --bench access

# Pages in a browser, and idle streams: on a machine that does nothing else.
bench-pages: rules
	@.ci/setup test
	cargo bench --locked -p ruledesk --bench pages

# A desk with a million tickets on either database: half an hour and more, and some 20 GB in target/million.
bench-million: rules
	@.ci/setup test
	@install -d -m 1777 target/million/tmp
	TMPDIR=$(CURDIR)/target/million/tmp cargo bench --locked -p ruledesk --bench million

setup:
	@.ci/setup
