//! The body of an upload: `multipart/form-data` (RFC 7578) with the files of one rule, by the names of its parts. File names
//! that a client sends along mean nothing here.

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};

use super::super::problem::{FieldProblem, Kind, Problem};
use crate::app::rollout::deploy::Upload;

/// The parts that an upload may have.
const PARTS: [&str; 4] = ["manifest", COMPONENT, "signature", WHY];
/// The one that is no text.
const COMPONENT: &str = "component";
/// The one that is kept as its sender writes it.
const WHY: &str = "why";

/// Reads an upload to its end. The route's bound on the body bounds all of it.
///
/// # Errors
///
/// 400 where it is no upload, or a part is missing, unknown or given twice; 422 where a text has a zero character.
pub async fn read(mut body: Multipart) -> Result<Upload, Problem> {
    let mut parts: [Option<Vec<u8>>; PARTS.len()] = Default::default();
    while let Some(part) = body.next_field().await.map_err(|e| unreadable(&e))? {
        let name = part.name().unwrap_or_default().to_owned();
        let Some((_, slot)) = PARTS.into_iter().zip(&mut parts).find(|(known, _)| *known == name) else {
            return Err(Problem::bad_field(&name, &format!("there is no such part: allowed are {}", PARTS.join(", "))));
        };
        if slot.is_some() {
            return Err(Problem::bad_field(&name, "it is there twice: send one rule at a time"));
        }
        let bytes = whole(part).await?;
        if name != COMPONENT && bytes.contains(&0) {
            return Err(Problem::zero_character(Kind::REJECTED, &name));
        }
        if name == WHY && std::str::from_utf8(&bytes).is_err() {
            return Err(Problem::bad_field(&name, "it is not UTF-8"));
        }
        *slot = Some(bytes);
    }
    let [manifest, component, signature, why] = parts;
    Ok(Upload {
        manifest: manifest.ok_or_else(|| missing("manifest", "the text of rule.toml"))?,
        component: component.ok_or_else(|| missing("component", "the bytes of rule.wasm"))?,
        signature: signature.map(|text| String::from_utf8_lossy(&text).into_owned()),
        why: why.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default(),
    })
}

async fn whole(mut part: Field<'_>) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|e| unreadable(&e))? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn unreadable(error: &MultipartError) -> Problem {
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::too_large();
    }
    Problem::bad_body(&format!("the parts could not be read to their end: {}", error.body_text()))
}

fn missing(part: &str, what: &str) -> Problem {
    let message = format!("send {what} as the part `{part}` of a multipart/form-data body");
    let field = FieldProblem { field: part.to_owned(), code: "required".to_owned(), message: message.clone() };
    Problem::new(Kind::BAD_BODY, message).with_fields(vec![field])
}
