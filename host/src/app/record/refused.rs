//! A submission that was refused, as the audit keeps it: by the form, or by rules at intake.
//!
//! Who is refused again and again fills no disk: of one person so many are kept in an hour, and the next that is kept says how
//! many were not.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::app::record::write::Sample;
use crate::app::{Error, Office};
use crate::desk::id::RunId;
use crate::desk::organisation::form::Problem;
use crate::desk::permission::MayCreate;
use crate::desk::ticket::intake::{NewTicket, Submission};
use crate::store::chain::audit;

/// Problems of a refused submission that the audit keeps.
const PROBLEMS_KEPT_MAX: usize = 10;

/// The part of a submission that is kept where it is refused.
pub(in crate::app) struct Refused {
    requester: String,
    submitted_by: String,
    request_type: String,
    channel: String,
    subject: String,
}

impl Refused {
    /// Of what a person sends, before the form has looked at it.
    pub fn of_submission(given: &Submission, permit: &MayCreate) -> Refused {
        Refused {
            requester: permit.requester().to_string(),
            submitted_by: permit.submitted_by().to_string(),
            request_type: audit::cut_short(&given.request_type),
            channel: audit::cut_short(given.channel_named.as_ref().unwrap_or(&given.channel)),
            subject: audit::cut(&given.subject),
        }
    }

    /// Of what the form has taken.
    pub fn of(new: &NewTicket) -> Refused {
        Refused {
            requester: new.requester.to_string(),
            submitted_by: new.submitted_by.to_string(),
            request_type: new.request_type.to_string(),
            channel: audit::cut_short(&new.channel),
            subject: audit::cut(&new.subject),
        }
    }

    /// The entry; with the run of the rules that refused and the versions that were asked, where it was they.
    fn entry(self, at: Timestamp, by: Option<(RunId, &[Sample])>, problems: &[Problem], left_out: u64) -> audit::Entry {
        let shown = problems.iter().take(PROBLEMS_KEPT_MAX);
        let shown = shown.map(|p| [&p.field, &p.code, &p.message].map(|text| audit::cut_short(text)));
        let asked = by.map(|(_, samples)| samples).unwrap_or_default();
        let asked = asked.iter().map(|sample| json!([sample.rule.name, sample.version.to_string(), sample.outcome]));
        let Refused { requester, request_type, channel, submitted_by, subject } = self;
        let mut detail = json!({ "request_type": request_type, "channel": channel, "submitted_by": submitted_by,
            "subject": subject, "run": by.map(|(run, _)| run.0.to_string()), "rules": asked.collect::<Vec<Value>>(),
            "problems": shown.collect::<Vec<_>>() });
        if left_out > 0
            && let Some(detail) = detail.as_object_mut()
        {
            detail.insert("not_kept_before".to_owned(), json!(left_out));
        }
        audit::Entry { at, event: audit::REFUSED, about: requester, detail }
    }
}

impl Office {
    /// Keeps a refusal in the audit, if not too many of the same person were kept in this hour.
    ///
    /// # Errors
    ///
    /// Where the audit cannot be written.
    pub(in crate::app) async fn keep_refusal(
        &self,
        refused: Refused,
        by: Option<(RunId, &[Sample])>,
        problems: &[Problem],
    ) -> Result<(), Error> {
        let Some(left_out) = self.quotas.keeps_refusal(&refused.submitted_by, self.clock.elapsed()) else {
            return Ok(());
        };
        Ok(self.store.audit(refused.entry(self.clock.now(), by, problems, left_out)).await?)
    }
}
