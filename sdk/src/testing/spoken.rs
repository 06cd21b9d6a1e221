//! The part of a sparse input that closing alone has: the words, and the resolution that they are about.

use serde::Deserialize;

use super::sparse::{AT, WholeAttachment, files, or};
use crate::closing;

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Words {
    text: String,
    channel: Option<String>,
    at: Option<u64>,
    attachments: Vec<WholeAttachment>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Resolution {
    at: Option<u64>,
    days_since: u32,
    resolved_by: Option<String>,
    symptom: String,
    cause: String,
    fix: String,
    next_time: String,
}

impl Words {
    /// With everything that was left out.
    pub fn complete(self) -> closing::Words {
        closing::Words {
            text: self.text,
            channel: or(self.channel, "api"),
            at: self.at.unwrap_or(AT),
            attachments: files(self.attachments),
        }
    }
}

impl Resolution {
    /// With everything that was left out.
    pub fn complete(self) -> closing::Resolution {
        closing::Resolution {
            at: self.at.unwrap_or(AT),
            days_since: self.days_since,
            resolved_by: self.resolved_by,
            symptom: self.symptom,
            cause: self.cause,
            fix: self.fix,
            next_time: self.next_time,
        }
    }
}
