//! Opens a desk: configuration, store, rules, put together, and the operator who uses it. No other command names the store.

use std::fmt::{self, Debug};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use super::{Failure, Place};
use crate::app::decide::judge::judge;
use crate::app::reference::Reference;
use crate::app::reference::agreed::{Settled, settled};
use crate::app::reference::configuration::with_published;
use crate::app::rollout::rules::{Source, tables};
use crate::app::rollout::start;
use crate::app::{App, Clock, Office};
use crate::config::{self, Archive, Config, Database, Outside, Server};
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;
use crate::rules::digest::Digest;
use crate::rules::live::rollout::Signatory;
use crate::rules::load::compile::{CompileLimits, THIS_PROGRAM};
use crate::rules::load::trust::{Trust, TrustedKey};
use crate::rules::tables::Tables;
use crate::rules::text::{in_json, shown};
use crate::rules::{OpenError, Options, Rules};
use crate::store::db::{Limits, private};
use crate::store::rules::segments::place;
use crate::store::tickets::attachments::files::Files;
use crate::store::{Store, Target};

mod context;
pub mod demo;
pub mod init;
mod operator;
pub mod outgoing;
mod people_csv;
pub mod published;
mod reference;
pub mod remote;

/// Runs a command that waits for things. Its answer is what it prints: the log tells of problems only, unless more is asked for.
pub fn in_runtime(verbose: bool, command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    log_to_stderr(if verbose { "info,sqlx=warn" } else { "warn" });
    block_on(command)
}

/// Runs the desk, whose log says what it does.
pub fn in_runtime_of_desk(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    log_to_stderr("info,sqlx=warn");
    block_on(command)
}

fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

/// Logs what `RULEDESK_LOG` asks for, else what `otherwise` does: lines for people on a terminal, JSON for machines.
fn log_to_stderr(otherwise: &str) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("RULEDESK_LOG").unwrap_or_else(|_| EnvFilter::new(otherwise));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call in one process (tests do that) keeps the first subscriber, which is as good.
    let _ = if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        builder.with_target(false).fmt_fields(debug_fn(field).delimited(" ")).try_init()
    } else {
        // One span is around all that a request does, so the innermost is enough.
        builder.json().with_span_list(false).with_writer(|| EscapedStderr).try_init()
    };
}

/// Standard error for lines of JSON: who looks at them later does so on a terminal, too.
struct EscapedStderr;

impl io::Write for EscapedStderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Where it is read no more, there is none to say that to.
        io::stderr().lock().write_all(in_json(&String::from_utf8_lossy(line)).as_bytes()).unwrap_or_default();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// A field of a line for people: with nothing of another's making that a terminal would take for more than text.
fn field(to: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    let text = shown(&format!("{value:?}"));
    if field.name() == "message" { write!(to, "{text}") } else { write!(to, "{}={text}", field.name()) }
}

/// The configuration of a place, checked.
pub fn configuration(place: &Place, listen: Option<std::net::SocketAddr>) -> Result<(Config, Source), Failure> {
    if place.url.as_deref().is_some_and(|url| !url.is_empty()) {
        return Err("this command works on a desk's own files: leave out --url, and run it where the desk runs".into());
    }
    let place = context::settle(place)?;
    let outside = Outside {
        database_url: place.database_url,
        listen,
        data_dir: place.data,
        cache_dir: place.cache,
        rules_dir: place.rules,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        smtp_password: context::smtp_password(),
        may_be_asked: Some(outgoing::may_be_asked),
    };
    let config = config::load(&place.config, &outside).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
        let hint = if place.config.join("desk.toml").exists() { "" } else { NO_DESK };
        format!("the configuration in {} is not right:\n{}{hint}", place.config.display(), lines.join("\n"))
    })?;
    Ok((config, Source { directory: place.config, outside }))
}

/// The way out where there is no configuration at all.
const NO_DESK: &str = "\n  say which desk is meant: --config DIR, RULEDESK_CONFIG, or a file ruledesk.toml with `config = \"DIR\"` here or above\n  \
    `ruledesk init DIR` writes a configuration to start from";

/// The actor of a command: the operator, in the name of a person of the organisation where `--as` gives one.
pub fn actor(config: &Config, person: Option<&PersonId>) -> Result<Actor, Failure> {
    if let Some(unknown) = person.filter(|person| !config.organisation.people.contains_key(*person)) {
        let what = format!("the desk knows nobody called `{unknown}`: --as takes the id of a person in people.toml");
        return Err(what.into());
    }
    Ok(Actor::Operator { name: operator::name()?, person: person.cloned() })
}

/// A desk without its rules, and who is at its shell.
pub struct Shell {
    pub office: Office,
    pub actor: Actor,
}

/// Opens a desk without its rules, also while one runs.
pub async fn shell(place: &Place, person: Option<&PersonId>) -> Result<Shell, Failure> {
    let (config, source) = configuration(place, None)?;
    shell_of(config, &source, person).await
}

/// The same by the configuration directory alone: for a check of what is in the database, which published documents are part of.
pub async fn shell_to_check(place: &Place) -> Result<Shell, Failure> {
    let (mut config, source) = configuration(place, None)?;
    config.by_api.clear();
    shell_of(config, &source, None).await
}

/// The same for a configuration that was read.
pub async fn shell_of(config: Config, source: &Source, person: Option<&PersonId>) -> Result<Shell, Failure> {
    let store = store(&config.server).await?;
    let config = if config.by_api.is_empty() {
        config
    } else {
        with_published(source, &store).await?.map_err(|problems| problems.join("\n"))?
    };
    let actor = actor(&config, person)?;
    let office = Office::new(Clock::System, store, config.organisation, config.server.two_person_access);
    office.read_directory().await?;
    Ok(Shell { office, actor })
}

/// Why the desk did not do it, for the person who typed the command: where it is a matter of fields, each with its problem.
pub fn told(error: crate::app::Error) -> Failure {
    use crate::app::Error;
    match error {
        Error::Rejected { problems } => {
            let lines: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.field, p.message)).collect();
            lines.join("\n").into()
        }
        Error::Unfit(unfit) => format!("{unfit}\n  mend: {}", unfit.mend).into(),
        other => other.into(),
    }
}

/// The operator of an entry of an audit that was made at a shell, in brackets after the entry.
pub fn at_shell(by: &Signatory) -> String {
    by.operator().map_or_else(String::new, |operator| format!("  [at the shell: {operator}]"))
}

/// The store of a configuration.
async fn store(server: &Server) -> Result<Store, Failure> {
    private::directory(&server.data_dir)
        .map_err(|e| format!("the data directory {} cannot be made: {e}", server.data_dir.display()))?;
    let target = match &server.database {
        Database::Sqlite(file) => Target::Sqlite(file.clone()),
        Database::Postgres(url) => Target::Postgres(url.clone()),
    };
    let limits = Limits::within(server.request_timeout, server.database_connections);
    let archive = match &server.archive {
        Archive::Directory(directory) => place::Archive::directory(directory),
        Archive::Bucket { bucket, prefix } => place::Archive::bucket(bucket, prefix)?,
    };
    Ok(Store::open_within(&target, limits).await?.with_archive(archive).with_files(files(server)?))
}

/// The store of files of a configuration.
pub fn files(server: &Server) -> Result<Files, Failure> {
    let place = match &server.attachments {
        Archive::Directory(directory) => place::Archive::directory(directory),
        Archive::Bucket { bucket, prefix } => place::Archive::bucket(bucket, prefix)?,
    };
    Ok(Files::new(place, server.data_dir.join("incoming")))
}

/// The configuration of a desk that is to serve, as far as two people have agreed to it, where it asks for two: also for what is read of it
/// before the desk is open, such as whom the identity provider lets in.
pub async fn agreed(config: Config, source: &Source) -> Result<Config, Failure> {
    if !config.server.two_person_access {
        return Ok(config);
    }
    let store = store(&config.server).await?;
    let found = settled(config, source, &store).await;
    store.close().await;
    Ok(match found? {
        // Who has changed the directory, and starts the desk, stands above what two have agreed to.
        Settled::Agreed(config) | Settled::NotCompared(config) => *config,
    })
}

/// A desk that is to serve at once: what decides first is what decided last, and what is new in its directory is compiled
/// beside it.
pub async fn open_to_serve(config: Config, source: Source) -> Result<Arc<App>, Failure> {
    let store = store(&config.server).await?;
    let (rollouts, past) = start::kept(&store).await?;
    let begin = move |options: &Options, seen| Rules::begin(options, seen, rollouts, &past);
    let app = open_with(config, source, (store, Clock::System), begin).await?;
    app.start_rules().await?;
    Ok(app)
}

/// A whole desk that decides: the offers of its rules directory are written down.
pub async fn open(config: Config, source: Source) -> Result<Arc<App>, Failure> {
    let app = open_to_read(config, source).await?;
    app.start_rules().await?;
    Ok(app)
}

/// A desk that decides nothing: it looks at the records of another, and writes nothing about rules.
pub async fn open_to_read(config: Config, source: Source) -> Result<Arc<App>, Failure> {
    open_at(config, source, Clock::System).await
}

/// The same by a clock that may stand elsewhere.
pub async fn open_at(config: Config, source: Source, clock: Clock) -> Result<Arc<App>, Failure> {
    let store = store(&config.server).await?;
    open_with(config, source, (store, clock), Rules::open).await
}

async fn open_with(
    config: Config,
    source: Source,
    (store, clock): (Store, Clock),
    rules: impl FnOnce(&Options, Tables) -> Result<Rules, OpenError> + Send + 'static,
) -> Result<Arc<App>, Failure> {
    let judge = judge(Arc::new(config.organisation.clone()));
    let by_api = !config.by_api.is_empty();
    let correspondence = outgoing::correspondence(&config);
    let options = Options { judge: Some(judge), ..options(&config.server)? };
    let reference = Reference::read(&config.tables, &store).await?;
    let seen = tables(&config.organisation, &reference.written());
    let rules = tokio::task::spawn_blocking(move || rules(&options, seen)).await??;
    let app = Arc::new(App::new(clock, source, config.organisation, store, rules));
    app.correspondence.store(correspondence.into());
    app.set_webhooks(config.outgoing.webhooks);
    app.adopt_tables(reference).await?;
    app.read_directory().await?;
    if by_api {
        app.catch_up_configuration().await?;
    }
    Ok(app)
}

/// The part of a request's time that the rules may take: one part in so many. The rest is for waiting and writing.
const RULES_SHARE: u32 = 4;

fn options(server: &Server) -> Result<Options, Failure> {
    Ok(Options {
        rules_dir: server.rules_dir.clone(),
        cache_dir: server.cache_dir.clone(),
        compiler_program: PathBuf::from(THIS_PROGRAM),
        compile_limits: CompileLimits {
            timeout_s: server.compile_timeout.as_secs(),
            memory_mib: server.compile_memory_bytes >> 20,
        },
        component_bytes_max: server.component_bytes_max,
        worker_threads: server.worker_threads,
        waiting_max: server.queue_depth,
        poll: server.reload_poll,
        patience: server.rules_patience,
        ticket_budget: server.request_timeout / RULES_SHARE,
        pooled: true,
        trust: trust(server)?,
        two_person_access: server.two_person_access,
        judge: None,
    })
}

/// The keys that a desk trusts, as its rules need them.
fn trust(server: &Server) -> Result<Trust, Failure> {
    let keys = server.trusted_keys.iter().map(|key| TrustedKey::new(&key.name, &key.bytes));
    let withdrawn = server.withdrawn.iter().map(|digest| digest.parse::<Digest>());
    Ok(Trust::new(keys.collect::<Result<_, _>>()?).without(withdrawn.collect::<Result<_, _>>()?))
}
