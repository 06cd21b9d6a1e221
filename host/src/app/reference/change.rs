//! Changes of reference tables: checked, written with their audit, and live for every ticket that comes after.

use std::fmt::Display;
use std::sync::Arc;

use super::diff::{TableDiff, diff};
use super::{Changed, Conflict, Format, Put, TABLE_BYTES_MAX, TABLES_MAX, checked};
use crate::app::error::accept;
use crate::app::office::signatory;
use crate::app::{Error, Office};
use crate::config::{self, ColumnKind, Table, Wrong};
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::organisation::form::{self, Fault, Problem};
use crate::desk::permission;
use crate::desk::text::{beginning, normal};
use crate::desk::ticket::edit::check_reason;
use crate::rules::digest::Digest;
use crate::rules::live::rollout::Signatory;
use crate::store;
use crate::store::tables::{By, TableVersion};

impl Office {
    /// Checks a table and makes it live in the store. A desk that runs follows. A table that a rule for access looks things up
    /// in is only proposed, where the desk asks for two people.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] with every row and column that is wrong; [`Error::Table`];
    /// [`Error::StaleTable`].
    pub async fn put_table(&self, actor: &Actor, put: &Put<'_>) -> Result<Changed, Error> {
        permission::administer(actor)?;
        self.check_change(put.name, put.why)?;
        let version = self.read_apart(put).await?;
        let live = self.store.live_digests().await?;
        if live.len() >= TABLES_MAX && !live.iter().any(|(name, ..)| name == put.name) {
            return Err(Conflict::TooMany.into());
        }
        self.go_live_or_wait(actor, &version, &put.condition, put.why).await
    }

    /// Looks at what a table's text would change of the one that is live, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; [`Error::Rejected`] with every row and column that is wrong.
    pub async fn check_table(&self, actor: &Actor, put: &Put<'_>) -> Result<TableDiff, Error> {
        permission::administer(actor)?;
        let live = self.table(actor, put.name)?.table;
        let (name, format, text) = (put.name.to_owned(), put.format, Arc::clone(&put.text));
        self.apart(move || Ok(diff(&live, &parsed(&name, format, &text)?))).await?
    }

    /// Reads a table's text.
    async fn read_apart(&self, put: &Put<'_>) -> Result<TableVersion, Error> {
        let (name, format, text) = (put.name.to_owned(), put.format, Arc::clone(&put.text));
        self.apart(move || {
            let table = parsed(&name, format, &text)?;
            let content = table.to_csv();
            let digest = Digest::of(content.as_bytes()).to_string();
            let rows = i64::try_from(table.rows.len()).unwrap_or(i64::MAX);
            Ok(TableVersion { name, digest, content, rows })
        })
        .await?
    }

    /// Makes a kept version of a table live again, or proposes it, as [`Office::put_table`] does.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] where there is no such version; [`Error::Table`].
    pub async fn roll_back_table(&self, actor: &Actor, name: &str, digest: &str, why: &str) -> Result<Changed, Error> {
        permission::administer(actor)?;
        self.check_change(name, why)?;
        let version = self.kept_version(name, digest).await?;
        let version = self.apart(move || checked(&version).map(|_| version)).await??;
        self.go_live_or_wait(actor, &version, &Condition::default(), why).await
    }

    /// Agrees, as a second person, that a proposed version goes live; gives its digest.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] where nothing is proposed, or another version than the one named;
    /// [`Error::NotTaken`] for the one who proposed it.
    pub async fn approve_table(&self, actor: &Actor, name: &str, digest: &str, why: &str) -> Result<String, Error> {
        permission::administer(actor)?;
        self.check_change(name, why)?;
        let missing = || Error::Missing { what: "proposed version of this table", name: digest.to_owned() };
        let proposal = self.store.table_proposal(name).await?.ok_or_else(missing)?;
        let version = self.kept_version(name, digest).await?;
        if version.digest != proposal.digest {
            return Err(missing());
        }
        let same = |why| Error::NotTaken { name: name.to_owned(), why };
        self.let_approve(&Signatory::parse(&proposal.proposed_by), &signatory(actor)).map_err(same)?;
        let version = self.apart(move || checked(&version).map(|_| version)).await??;
        self.go_live(actor, &version, &Condition::default(), why).await?;
        Ok(version.digest)
    }

    async fn go_live_or_wait(
        &self,
        actor: &Actor,
        version: &TableVersion,
        condition: &Condition,
        why: &str,
    ) -> Result<Changed, Error> {
        let live = !self.table_decides_access(&version.name).await?;
        if live {
            self.go_live(actor, version, condition, why).await?;
        } else {
            let live = self.store.live_digests().await?;
            let live = live.iter().find(|(name, ..)| *name == version.name).map(|(_, digest, _)| digest.as_str());
            if !condition.holds_for(live) {
                return Err(Error::StaleTable { name: version.name.clone() });
            }
            let (by, why) = (signatory(actor).to_string(), &*normal(why));
            self.store.propose_table(version, By { actor: &by, why }, self.clock.now()).await?;
        }
        Ok(Changed { digest: version.digest.clone(), live })
    }

    async fn go_live(
        &self,
        actor: &Actor,
        version: &TableVersion,
        condition: &Condition,
        why: &str,
    ) -> Result<(), Error> {
        let (by, why) = (signatory(actor).to_string(), &*normal(why));
        match self.store.put_table(version, condition, By { actor: &by, why }, self.clock.now()).await {
            Err(store::Error::Conflict) => Err(Error::StaleTable { name: version.name.clone() }),
            other => Ok(other?),
        }
    }

    /// Refuses a change of a table that belongs to the configuration directory, or that says no reason.
    pub(super) fn check_change(&self, name: &str, why: &str) -> Result<(), Error> {
        check_name(name, |name| self.reference.load().configured().any(|(configured, _)| configured == name))?;
        check_why(why)
    }
}

fn parsed(name: &str, format: Format, text: &str) -> Result<Table, Error> {
    if text.len() > TABLE_BYTES_MAX {
        let problem = Problem::of("table", "too-large", Fault::LargeTable, &[&TABLE_BYTES_MAX]);
        return Err(problem.into());
    }
    let table = match format {
        Format::Csv => Table::from_csv(name, text),
        Format::Toml => Table::from_toml(name, text),
    };
    let table = table.map_err(|found| Error::Rejected { problems: found.iter().map(rejected).collect() })?;
    match unprintable(&table) {
        Some(problem) => Err(problem.into()),
        None => Ok(table),
    }
}

/// The first character of a table that does more than be drawn. A cell may have line ends. A version that is kept already stays as
/// it is.
fn unprintable(table: &Table) -> Option<Problem> {
    let columns = table.columns.iter().find_map(|column| form::check_characters("columns", &column.name));
    columns.or_else(|| table.rows.values().flatten().find_map(|cell| form::check_long("rows", cell)))
}

fn check_name(name: &str, configured: impl Fn(&str) -> bool) -> Result<(), Error> {
    if !config::is_table_name(name) {
        return Err(Problem::of("name", "invalid", Fault::TableName, &[]).into());
    }
    if configured(name) {
        return Err(Conflict::Configured { name: name.to_owned() }.into());
    }
    Ok(())
}

pub(super) fn check_why(why: &str) -> Result<(), Error> {
    accept(check_reason("why", why))
}

/// How much of a column's name a problem repeats, and of the words of a reader of TOML, in characters.
const NAME_CHARS_SHOWN: usize = 100;
const WORDS_CHARS_SHOWN: usize = 1_000;

/// A problem of a table as a problem of a request: the row by its line, the column by its name.
fn rejected(problem: &config::Problem) -> Problem {
    let field = match (problem.line, problem.key.is_empty()) {
        (0, _) => "table".to_owned(),
        (line, true) => format!("line {line}"),
        (line, false) => format!("line {line}, {}", beginning(&problem.key, NAME_CHARS_SHOWN)),
    };
    let of = |fault: Fault, values: &[&dyn Display]| Problem::of(&field, "invalid", fault, values);
    match &problem.wrong {
        Wrong::Ragged { found, wanted } => of(Fault::Ragged, &[found, wanted]),
        Wrong::UnnamedColumn { column } => of(Fault::UnnamedColumn, &[column]),
        Wrong::NoColumns => of(Fault::NoColumns, &[]),
        Wrong::NoSuchColumn => of(Fault::NoSuchColumn, &[]),
        Wrong::NotOfColumn { text, wanted } => of(not_of(*wanted), &[text]),
        Wrong::CellTooLong { bytes_max } => of(Fault::LongCell, &[bytes_max]),
        Wrong::ZeroCharacter => of(Fault::ZeroInText, &[]),
        Wrong::Blank => of(Fault::Blank, &[]),
        Wrong::TooMany { found, max } => of(Fault::ManyEntries, &[found, max]),
        Wrong::Repeated { text, line } => of(Fault::Repeated, &[text, line]),
        // The words of a reader of TOML, and of a table that came as such a file.
        other => Problem::new(&field, "invalid", beginning(&other.to_string(), WORDS_CHARS_SHOWN)),
    }
}

/// The fault of a cell that is none of its column's type.
const fn not_of(kind: ColumnKind) -> Fault {
    match kind {
        ColumnKind::Text => Fault::NotText,
        ColumnKind::Whole => Fault::NotWhole,
        ColumnKind::Number => Fault::NotANumber,
        ColumnKind::Flag => Fault::NotAFlag,
        ColumnKind::Date => Fault::NotADay,
    }
}
