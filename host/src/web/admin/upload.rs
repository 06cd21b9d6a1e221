//! A rule uploaded in the browser.

use askama::Template;
use axum::extract::Multipart;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::Error;
use crate::app::rollout::deploy::Upload;
use crate::desk::permission;
use crate::desk::text::into_normal;
use crate::web::frame::failure::Failure;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

#[derive(Template)]
#[template(path = "admin/upload.html")]
struct UploadPage {
    f: Frame,
    problems: Vec<String>,
    why: String,
}

/// `GET /admin/upload`.
pub async fn form(visit: Visit) -> Result<Response, Failure> {
    permission::administer(&visit.actor).map_err(Error::from)?;
    page(StatusCode::OK, &UploadPage { f: visit.frame, problems: Vec::new(), why: String::new() })
}

/// The parts of the form, whose body is no larger than the route allows.
async fn read(mut parts: Multipart) -> Result<Upload, Failure> {
    let mut upload = Upload { manifest: Vec::new(), component: Vec::new(), signature: None, why: String::new() };
    while let Some(part) = parts.next_field().await.map_err(|_| Failure::BadForm)? {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(|error| Failure::Status(error.status()))?;
        let text = || String::from_utf8_lossy(&bytes).into_owned();
        match name.as_str() {
            "manifest" => upload.manifest = bytes.to_vec(),
            "component" => upload.component = bytes.to_vec(),
            "signature" if !bytes.is_empty() => upload.signature = Some(text()),
            "why" => upload.why = into_normal(text()),
            _ => {}
        }
    }
    Ok(upload)
}

/// `POST /admin/upload`.
pub async fn send(visit: Visit, parts: Multipart) -> Result<Response, Failure> {
    let uploading = visit.app.begin_upload(&visit.actor)?;
    let upload = read(parts).await?;
    let why = upload.why.clone();
    let problems = match visit.app.deploy_rule(&visit.actor, uploading, upload).await {
        Ok(deployed) => {
            return Ok(Redirect::to(&format!("/admin/rules/{}?done=1", deployed.rule.manifest.name)).into_response());
        }
        Err(Error::Unfit(unfit)) => vec![unfit.what.clone(), unfit.mend.to_owned()],
        Err(Error::Rejected { problems }) => problems.iter().map(|problem| visit.frame.problem(problem)).collect(),
        Err(error @ Error::NotTaken { .. }) => vec![visit.frame.why_not(&error)],
        Err(other) => return Err(other.into()),
    };
    page(StatusCode::UNPROCESSABLE_ENTITY, &UploadPage { f: visit.frame, problems, why })
}
