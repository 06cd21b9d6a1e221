//! The differences between two versions of a table, row by row.

use askama::Template;

use crate::app::reference::diff::TableDiff;
use crate::web::frame::Frame;

#[derive(Template)]
#[template(path = "admin/table-difference.html")]
struct Difference {
    f: Frame,
    is_none: bool,
    found: TableDiff,
}

/// The differences as HTML.
///
/// # Errors
///
/// Where the template cannot be written.
pub fn shown(f: &Frame, found: TableDiff) -> Result<String, askama::Error> {
    Difference { is_none: found == TableDiff::default(), f: f.clone(), found }.render()
}
