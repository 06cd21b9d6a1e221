//! Brings the schema up to date.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::Error;
use super::db::Db;

macro_rules! migrations {
    ($($number:literal $name:literal $file:literal;)*) => {
        &[$((
            $number,
            $name,
            include_str!(concat!("../../../migrations/sqlite/", $file)),
            include_str!(concat!("../../../migrations/postgres/", $file)),
        )),*]
    };
}

/// The number, the name, and the text for either database.
const MIGRATIONS: &[(i64, &str, &str, &str)] = migrations! {
    1 "core" "0001_core.sql";
    2 "chain" "0002_chain.sql";
    3 "life" "0003_life.sql";
    4 "ship" "0004_ship.sql";
    5 "tables" "0005_tables.sql";
    6 "deadlines" "0006_deadlines.sql";
    7 "step-versions" "0007_step_versions.sql";
    8 "parts" "0008_parts.sql";
    9 "jobs" "0009_jobs.sql";
    10 "records" "0010_records.sql";
    11 "lists" "0011_lists.sql";
    12 "segments" "0012_segments.sql";
    13 "proof" "0013_proof.sql";
    15 "keys" "0015_keys.sql";
    16 "sessions" "0016_sessions.sql";
    17 "messages" "0017_messages.sql";
    18 "lifecycle" "0018_lifecycle.sql";
    19 "knowledge" "0019_knowledge.sql";
    20 "catalog" "0020_catalog.sql";
    21 "provisioning" "0021_provisioning.sql";
    23 "configuration" "0023_configuration.sql";
    24 "views" "0024_views.sql";
    25 "reviews" "0025_reviews.sql";
    26 "sign-in" "0026_sign_in.sql";
    27 "attachments" "0027_attachments.sql";
    28 "surveys" "0028_surveys.sql";
    29 "identity" "0029_identity.sql";
    30 "followed" "0030_followed.sql";
    31 "connectors" "0031_connectors.sql";
    32 "requests" "0032_requests.sql";
    33 "bundles" "0033_bundles.sql";
    34 "schedules" "0034_schedules.sql";
    35 "console" "0035_console.sql";
    36 "sign_on" "0036_sign_on.sql";
    38 "schedule-acts" "0038_schedule_acts.sql";
    39 "configuration-drafts" "0039_configuration_drafts.sql";
    40 "sign_ins" "0040_sign_ins.sql";
    44 "waiting-work" "0044_waiting_work.sql";
    46 "page-preferences" "0046_page_preferences.sql";
    48 "entrance" "0048_entrance.sql";
    49 "labels" "0049_labels.sql";
    50 "search" "0050_search.sql";
    52 "held" "0052_held.sql";
    53 "agreed" "0053_agreed.sql";
    58 "known-as" "0058_known_as.sql";
    60 "day-ends" "0060_day_ends.sql";
    61 "skills" "0061_skills.sql";
    66 "delegations" "0066_delegations.sql";
    69 "in-place-of" "0069_in_place_of.sql";
    70 "agreed-tables" "0070_agreed_tables.sql";
    71 "own-words" "0071_own_words.sql";
    72 "take-up" "0072_take_up.sql";
    73 "lists-by-form" "0073_lists.sql";
    74 "reviews-in-place-of" "0074_reviews_in_place_of.sql";
    76 "grants-ends" "0076_grants_ends.sql";
    77 "reviews-kept" "0077_reviews_kept.sql";
    78 "tagged" "0078_tagged.sql";
};

/// Applies what is missing. A migration that was changed after it was applied, or one that this program does not know, is
/// an error: then the database belongs to another version.
pub async fn up(db: &Db) -> Result<(), Error> {
    let migrations = MIGRATIONS.iter().map(|(number, name, sqlite, postgres)| {
        let text = match db {
            Db::Sqlite(_) => *sqlite,
            Db::Postgres(_) => *postgres,
        };
        let sql = AssertSqlSafe(text).into_sql_str();
        Migration::new(*number, (*name).into(), MigrationType::Simple, sql, false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    match db {
        Db::Sqlite(file) => file.migrate(&migrator).await,
        // The server's own lock is held for a transaction, which the migrator's is not.
        Db::Postgres(server) => server.migrate(migrator.set_locking(false)).await,
    }
}

impl From<MigrateError> for Error {
    fn from(error: MigrateError) -> Self {
        match error {
            // What the connection is at fault for says what to do about it.
            MigrateError::Execute(error) => match Error::from(error) {
                Error::Unavailable(error) => Error::Migration(MigrateError::Execute(error)),
                other => other,
            },
            MigrateError::VersionMissing(migration) => Error::Later { migration },
            other => Error::Migration(other),
        }
    }
}
