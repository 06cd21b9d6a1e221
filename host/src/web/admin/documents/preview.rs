//! Parts of a draft that are better seen than read: a form, the year of a calendar, the matrix of levels.

use std::sync::Arc;

use askama::Template;

use crate::app::reference::configuration::Document;
use crate::desk::organisation::Calendar;
use crate::web::admin::configuration::pictures::{Matrix, Year};
use crate::web::frame::Frame;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::portal::request::preview;

/// The most calendars of which the year is shown.
const YEARS_MAX: usize = 3;
/// The word by which the desk's own calendar is named among what differs.
const OWN: &str = "desk";

/// Years and levels as they would be.
#[derive(Template)]
#[template(path = "admin/preview.html")]
struct Pictures {
    f: Frame,
    years: Vec<(String, Year)>,
    matrix: Option<Matrix>,
}

/// The document as it would be, of a frame whose organisation has the draft; `ids` are the things that differ.
///
/// # Errors
///
/// Where a template cannot be written.
pub fn shown(f: &Frame, document: Document, ids: &[&str], form: &Form) -> Result<String, Failure> {
    let organisation = &f.organisation;
    match document {
        Document::RequestTypes => {
            let first = ids.iter().find(|id| organisation.request_types.contains_key(**id));
            let shown = preview(f, Arc::clone(organisation), first.copied(), form);
            Ok(shown.map(|shown| shown.render()).transpose()?.unwrap_or_default())
        }
        Document::Calendars => {
            let calendar = |id: &str| -> Option<(String, &Calendar)> {
                match id {
                    OWN => Some((organisation.name.clone(), &organisation.calendar)),
                    other => Some((other.to_owned(), organisation.calendars.get(other)?)),
                }
            };
            let changed = ids.iter().filter_map(|id| calendar(id)).take(YEARS_MAX);
            let years: Vec<_> = changed.map(|(name, calendar)| (name, Year::of(f, calendar))).collect();
            if years.is_empty() {
                Ok(String::new())
            } else {
                Ok(Pictures { f: f.clone(), years, matrix: None }.render()?)
            }
        }
        Document::Priorities if !organisation.matrix.is_empty() => {
            Ok(Pictures { f: f.clone(), years: Vec::new(), matrix: Some(Matrix::of(f)) }.render()?)
        }
        _ => Ok(String::new()),
    }
}
