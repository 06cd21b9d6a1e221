//! A rule's rollout as a row of the deployments, and back.

use jiff::Timestamp;

use super::steps::Reason;
use crate::rules::live::rollout::{Candidate, Rollout, Signatory, Source, Trial, VersionId};
use crate::store;
use crate::store::rules::deployments::Deployment;

/// The rollout that a row keeps.
///
/// # Errors
///
/// [`store::Error::Corrupt`] where no desk wrote it.
pub(super) fn rollout_of(row: &Deployment) -> Result<Rollout, store::Error> {
    let corrupt = |column, found: &str| store::Error::Corrupt { table: "deployments", column, found: found.to_owned() };
    let version = |column, text: &Option<String>| {
        text.as_deref().map(|text| text.parse::<VersionId>().map_err(|_| corrupt(column, text))).transpose()
    };
    let candidate = version("candidate", &row.candidate)?
        .map(|version| {
            let trial = match (row.trial.as_deref(), row.percent.and_then(|percent| u8::try_from(percent).ok())) {
                (Some("loaded"), _) => Trial::Loaded,
                (Some("shadow"), _) => Trial::Shadow,
                (Some("canary"), Some(percent)) => Trial::Canary(percent),
                (other, _) => return Err(corrupt("trial", other.unwrap_or_default())),
            };
            Ok(Candidate { version, trial, proposed_by: row.proposed_by.as_deref().map(Signatory::parse) })
        })
        .transpose()?;
    Ok(Rollout {
        source: Source::from_code(&row.source).ok_or_else(|| corrupt("source", &row.source))?,
        folder: row.folder.clone(),
        active: version("active", &row.active)?,
        candidate,
        previous: version("previous", &row.previous)?,
        offered: version("offered", &row.offered)?,
        suspended: version("suspended", &row.suspended)?,
        retiring: row.retire_proposed_by.as_deref().map(Signatory::parse),
    })
}

/// The row of a rollout; `revision` is that of the row which it replaces, or 0.
pub(super) fn row_of(name: &str, rollout: &Rollout, revision: i64, reason: &Reason, now: Timestamp) -> Deployment {
    let text = |version: Option<VersionId>| version.map(|version| version.to_string());
    let candidate = rollout.candidate.as_ref();
    let trial = candidate.map(|candidate| match candidate.trial {
        Trial::Loaded => ("loaded", None),
        Trial::Shadow => ("shadow", None),
        Trial::Canary(percent) => ("canary", Some(i64::from(percent))),
    });
    Deployment {
        name: name.to_owned(),
        source: rollout.source.code().to_owned(),
        folder: rollout.folder.clone(),
        active: text(rollout.active),
        candidate: text(candidate.map(|candidate| candidate.version)),
        trial: trial.map(|(trial, _)| trial.to_owned()),
        percent: trial.and_then(|(_, percent)| percent),
        proposed_by: candidate.and_then(|candidate| candidate.proposed_by.as_ref()).map(Signatory::as_proposer),
        previous: text(rollout.previous),
        offered: text(rollout.offered),
        suspended: text(rollout.suspended),
        retire_proposed_by: rollout.retiring.as_ref().map(Signatory::as_proposer),
        revision,
        changed_at: now,
        changed_by: reason.by.to_string(),
        why: reason.why.clone(),
    }
}
