//! The file as the command line speaks of it.

use jiff::tz::TimeZone;

use super::Import;
use crate::cli::Failure;
use crate::desk::organisation::Organisation;
use crate::desk::text::is_blank;
use crate::desk::ticket::intake::CHANNEL_CHARS_MAX;
use crate::import::{Mapping, People, Plan, ReadError, Target, check_format};
use crate::rows::Written;
use crate::rules::text::is_dangerous;

/// How the file is read, as the command line and its preset say.
///
/// # Errors
///
/// Something is said that no row could fit.
pub fn plan(import: &Import, zone: TimeZone, organisation: &Organisation) -> Result<Plan, Failure> {
    let mapping = match &import.preset {
        Some(preset) => Mapping::of_preset(preset, import.history, &import.map, &import.map_value)?,
        None => Mapping::parse(&import.map, &import.map_value)?,
    };
    let preset = import.preset.clone().unwrap_or_default();
    if !import.history {
        mapping.of_new_tickets()?;
    }
    if import.history && mapping.column(&Target::CreatedAt).is_none() {
        return Err("history says when each ticket was created: add `--map created-at=COLUMN`".into());
    }
    if import.log {
        mapping.of_log()?;
    }
    let time_format = import.time_format.clone().or(preset.time_format);
    time_format.as_deref().map_or(Ok(()), check_format)?;
    // An address that names no person elsewhere names none here.
    let named = organisation.by_address();
    let people = organisation.people.values().map(|person| {
        let is_named = named.get(&person.email.to_ascii_lowercase()).is_some_and(|one| one.id == person.id);
        (&person.id, if is_named { person.email.as_str() } else { "" })
    });
    Ok(Plan {
        written: Written { encoding: import.encoding, separator: import.delimiter },
        mapping,
        people: People::new(people),
        key: import.key.clone().or(preset.key),
        requester: import.requester.clone(),
        held_back: import.only_held_back.clone(),
        first_by: import.first_by.clone(),
        missing: import.missing.clone().or(preset.missing),
        time_format,
        zone,
        limit: import.limit,
    })
}

/// A name of a channel that a ticket can have.
pub fn channel(text: &str) -> Result<String, String> {
    let fits = text.chars().count() <= CHANNEL_CHARS_MAX && !is_blank(text) && !text.chars().any(is_dangerous);
    let wrong = || format!("a channel's name has 1 to {CHANNEL_CHARS_MAX} characters, which can be seen");
    if fits { Ok(text.to_owned()) } else { Err(wrong()) }
}

/// Why a file cannot be begun with; a preset may be that of another desk.
pub fn not_opened(error: ReadError, preset: bool) -> Failure {
    match error {
        ReadError::NoColumn { .. } if preset => {
            format!("{error}; is the file an export of the desk that `--preset` names, in English?").into()
        }
        error => error.into(),
    }
}
