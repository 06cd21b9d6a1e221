//! What a decision costs: an instance that is asked nothing, one fresh call, and all stages of a ticket on one and on two
//! threads.
//!
//! `make bench` builds the example rules first; medians and ratios of one run are what counts, not single figures.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark, not an interface")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use ruledesk::rules::live::catalog::Generation;
use ruledesk::rules::load::compile::CompileLimits;
use ruledesk::rules::load::trust::Trust;
use ruledesk::rules::run::call::{ask, ask_nothing};
use ruledesk::rules::run::examples::fill_in;
use ruledesk::rules::run::stage::{Input, Stage};
use ruledesk::rules::tables::Tables;
use ruledesk::rules::{Options, Rules};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn open() -> Rules {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let options = Options {
        rules_dir: root.join("target/rules"),
        cache_dir: root.join("target/bench-cache"),
        compiler_program: PathBuf::from(env!("CARGO_BIN_EXE_ruledesk")),
        compile_limits: CompileLimits { timeout_s: 60, memory_mib: 2048 },
        component_bytes_max: 8 << 20,
        worker_threads: 4,
        waiting_max: 64,
        poll: Duration::from_secs(3600),
        patience: Duration::from_secs(60),
        ticket_budget: Duration::from_millis(2_500),
        pooled: true,
        trust: Trust::default(),
        two_person_access: false,
        judge: None,
    };
    Rules::open(&options, Tables::default()).unwrap()
}

/// A ticket of twelve fields, a body of 600 characters, lists, and a person.
fn input(stage: Stage) -> Input {
    let body = "The printer on the third floor is out of toner and the people there wait for it. ".repeat(8);
    let more = match stage {
        Stage::Intake => "",
        _ => "[so-far]\ncategory = \"hardware.printer\"\ntags = [\"printer\"]\n",
    };
    let access = match stage {
        Stage::Access => {
            "[request]\napp = \"jira\"\ntier = \"user\"\njustification = \"I join the project on Monday\"\n\
             [item]\napp = \"jira\"\nname = \"Jira\"\ntier = \"user\"\nowner = \"omar\"\n"
        }
        _ => "",
    };
    let text = format!(
        "[ticket]\nrequest-type = \"hardware\"\nsubject = \"The printer is broken\"\nbody = \"{}\"\n\
         tags = [\"printer\", \"floor-3\"]\n\
         fields = {{ device = {{ choice = \"printer\" }}, urgency = {{ choice = \"high\" }}, justification = \"We cannot print the invoices\" }}\n\
         [requester]\ngroups = [\"staff\", \"finance-approvers\"]\nmanagers = [\"lena\", \"omar\"]\nvip = true\n{more}{access}",
        &body[..600]
    );
    fill_in(stage, &toml::from_str(&text).unwrap()).unwrap()
}

fn all_stages(generation: &Generation, inputs: &[Input], tables: &Arc<Tables>) -> usize {
    let mut answers = 0;
    for input in inputs {
        let category = (input.stage() != Stage::Intake).then_some("hardware.printer");
        let asked = generation.asked(input.stage(), "hardware", category);
        // The figures are about the seven rules that are programs of their own; the table has its own figure above.
        for rule in asked.filter(|rule| rule.manifest.name.as_str() != "decision-table") {
            answers += usize::from(black_box(ask(rule, input, tables)).result.is_ok());
        }
    }
    answers
}

fn one_call(c: &mut Criterion) {
    let rules = open();
    let (generation, tables) = (rules.generation(), rules.tables());
    let mut group = c.benchmark_group("fresh_call");
    for rule in generation.rules() {
        let input = input(rule.manifest.stages[0]);
        let called = ask(rule, &input, &tables);
        assert!(called.result.is_ok(), "{}: {called:?}", rule.manifest.name);
        group.bench_function(rule.manifest.name.as_str(), |b| b.iter(|| black_box(ask(rule, &input, &tables))));
    }
    group.finish();
}

/// The bound of every fresh call: what isolation costs while nothing is asked.
fn no_call(c: &mut Criterion) {
    let rules = open();
    let (generation, tables) = (rules.generation(), rules.tables());
    let mut group = c.benchmark_group("no_call");
    for rule in generation.rules() {
        group.bench_function(rule.manifest.name.as_str(), |b| b.iter(|| ask_nothing(rule, &tables).unwrap()));
    }
    group.finish();
}

fn a_ticket(c: &mut Criterion) {
    let rules = open();
    let (generation, tables) = (rules.generation(), rules.tables());
    // A ticket is asked about words only when it has been resolved.
    let inputs: Vec<Input> = Stage::ALL.into_iter().filter(|stage| *stage != Stage::Closing).map(input).collect();
    assert_eq!(all_stages(&generation, &inputs, &tables), 7, "seven rules answer");
    let mut group = c.benchmark_group("seven_rules_a_ticket");
    for threads in [1_u32, 2] {
        group.bench_function(format!("{threads}_threads"), |b| {
            b.iter_custom(|tickets| {
                #[expect(clippy::disallowed_methods, reason = "this measures")]
                let start = Instant::now();
                std::thread::scope(|scope| {
                    for _ in 0..threads {
                        scope.spawn(|| {
                            for _ in 0..tickets.div_ceil(u64::from(threads)) {
                                black_box(all_stages(&generation, &inputs, &tables));
                            }
                        });
                    }
                });
                start.elapsed()
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    targets = no_call, one_call, a_ticket
}
criterion_main!(benches);
