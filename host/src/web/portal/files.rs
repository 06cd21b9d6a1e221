//! Files of a form that is not sent yet: each is kept as it comes in, and its id stands in the form from then on, so that a
//! problem elsewhere in the form loses none.

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;

use crate::app::tickets::submit::attachments::Declared;
use crate::desk::id::AttachmentId;
use crate::desk::text::{into_normal, normal};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::header_text;
use crate::web::session::Visit;

/// Parts of one form, at most.
const PARTS_MAX: usize = 500;
/// Bytes of the texts of one form, at most.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// The beginning of the name under which a form has the files of a field: the id of each, a colon, and its name.
const KEPT: &str = "kept.";

/// A form, with the files that it brought kept and named in it.
///
/// # Errors
///
/// [`Failure::BadForm`]; where a file is not taken.
pub async fn read(visit: &Visit, request: Request) -> Result<Form, Failure> {
    if !header_text(request.headers(), header::CONTENT_TYPE).starts_with("multipart/form-data") {
        return Form::from_request(request, &()).await;
    }
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| Failure::BadForm)?;
    let (mut pairs, mut bytes) = (Vec::new(), 0);
    while let Some(mut part) = parts.next_field().await.map_err(|_| Failure::BadForm)? {
        let name = part.name().unwrap_or_default().to_owned();
        let Some(file) = part.file_name().map(|name| normal(name).into_owned()) else {
            let mut text = Vec::new();
            while let Some(piece) = part.chunk().await.map_err(|_| Failure::BadForm)? {
                bytes += piece.len();
                if bytes > TEXT_BYTES_MAX {
                    return Err(Failure::BadForm);
                }
                text.extend_from_slice(&piece);
            }
            let text = String::from_utf8(text).ok().filter(|text| !text.contains('\0')).ok_or(Failure::BadForm)?;
            pairs.push((name, into_normal(text)));
            continue;
        };
        if pairs.len() >= PARTS_MAX {
            return Err(Failure::BadForm);
        }
        if file.is_empty() {
            continue;
        }
        let media_type = part.content_type().unwrap_or_default().to_owned();
        let declared = Declared { name: file.clone(), media_type, size: None };
        let mut incoming = visit.app.begin_attachment(&visit.actor, None, declared).await?;
        while let Some(piece) = part.chunk().await.map_err(|_| Failure::BadForm)? {
            incoming.write(&piece).await?;
        }
        let kept = visit.app.keep_attachment(&visit.actor, incoming).await?;
        pairs.push(pair(&name, kept.id, &file));
    }
    Ok(Form(pairs))
}

/// A file that is kept, as a form names it for a field.
pub fn pair(field: &str, id: AttachmentId, name: &str) -> (String, String) {
    (format!("{KEPT}{field}"), format!("{id}:{name}"))
}

/// The files of a field: each as the form keeps it, and its name.
pub fn names(form: &Form, field: &str) -> Vec<(String, String)> {
    let named = |kept: String| {
        let name = kept.split_once(':').map(|(_, name)| name.to_owned()).unwrap_or_default();
        (kept, name)
    };
    form.all(&format!("{KEPT}{field}")).into_iter().map(named).collect()
}

/// The ids of the files of a field.
pub fn ids(form: &Form, field: &str) -> Vec<String> {
    let id = |kept: String| kept.split(':').next().unwrap_or_default().to_owned();
    form.all(&format!("{KEPT}{field}")).into_iter().map(id).collect()
}

/// All of a form as one text, to tell one request from another: the same file sent twice has two ids.
pub fn content(form: &Form) -> String {
    let one = |(name, text): &(String, String)| match text.split_once(':') {
        Some((_, file)) if name.starts_with(KEPT) => (name.clone(), file.to_owned()),
        _ => (name.clone(), text.clone()),
    };
    Form(form.0.iter().map(one).collect()).content()
}
