//! The files of tickets in the browser: adding them by a form, by dropping or by pasting, and taking them out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Multipart, Path};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use hyper::body::Frame;

use super::number;
use crate::app::tickets::submit::attachments::{Declared, StoredAttachment};
use crate::app::{App, Error};
use crate::desk::id::{AttachmentId, TicketNumber};
use crate::desk::text::normal;
use crate::desk::ticket::timeline::Visibility;
use crate::web::frame::Frame as PageFrame;
use crate::web::frame::failure::Failure;
use crate::web::frame::shown::size;
use crate::web::frame::times::When;
use crate::web::session::Visit;

/// Bytes of a piece of a file on its way out.
const PIECE_BYTES: u64 = 256 << 10;
/// Files of one form, at most.
const FILES_MAX: usize = 20;
/// Types that a browser may show by itself; all others it keeps as bytes. It runs none of these.
const SHOWN_TYPES: [&str; 6] = ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"];

/// A file on a ticket's page.
pub struct Shown {
    pub id: String,
    pub name: String,
    /// In the largest unit that fits.
    pub size: String,
    pub who: String,
    pub when: When,
    pub internal: bool,
    /// Whether it is given out.
    pub open: bool,
    /// The words for one that is not.
    pub scan: String,
}

/// The files of a ticket that the reader may see.
///
/// # Errors
///
/// Where they cannot be read.
pub async fn all(visit: &Visit, number: TicketNumber) -> Result<Vec<Shown>, Failure> {
    let found = visit.app.attachments(&visit.actor, number).await?;
    let f: &PageFrame = &visit.frame;
    let shown = |file: StoredAttachment| Shown {
        id: file.id.to_string(),
        size: size(f.words, file.size),
        who: f.name_of(&file.uploader),
        when: f.times.ago(file.uploaded_at),
        internal: file.visibility == Visibility::Internal,
        open: file.scan.is_open(),
        scan: f.words.t(&format!("scan.{}", file.scan.code())),
        name: file.name,
    };
    Ok(found.into_iter().map(shown).collect())
}

/// `POST /tickets/{key}/files`: adds the files of a form.
pub async fn add(visit: Visit, Path(key): Path<String>, mut form: Multipart) -> Result<Response, Failure> {
    let number = number(&key)?;
    let mut visibility = Visibility::Public;
    let mut count = 0;
    while let Some(mut part) = form.next_field().await.map_err(|_| Failure::BadForm)? {
        if part.name() == Some("internal") {
            visibility = Visibility::Internal;
            continue;
        }
        let name = normal(part.file_name().unwrap_or_default()).into_owned();
        if name.is_empty() {
            continue;
        }
        count += 1;
        if count > FILES_MAX {
            return Err(Failure::BadForm);
        }
        let media_type = part.content_type().unwrap_or_default().to_owned();
        let declared = Declared { name, media_type, size: None };
        let mut incoming = visit.app.begin_attachment(&visit.actor, Some((number, visibility)), declared).await?;
        while let Some(piece) = part.chunk().await.map_err(|_| Failure::BadForm)? {
            incoming.write(&piece).await?;
        }
        let kept = visit.app.keep_attachment(&visit.actor, incoming).await?;
        visit.app.attach(&visit.actor, (number, visibility), kept.id, None).await?;
    }
    Ok(Redirect::to(&format!("/tickets/{number}?done=file#files")).into_response())
}

/// `GET /files/{id}`: the file, under headers with which no browser takes it for a page of this desk.
pub async fn take(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let id: AttachmentId = id.parse().map_err(|_| Failure::NoPage)?;
    let found = visit.app.open_attachment(&visit.actor, id).await?;
    let shown = SHOWN_TYPES.iter().find(|known| **known == found.found_type);
    let media_type = HeaderValue::from_static(shown.copied().unwrap_or("application/octet-stream"));
    let disposition = HeaderValue::from_str(&disposition(&found.name));
    let length = found.size;
    let content = Content { app: visit.app, of: Arc::new(found), at: 0, reading: None };
    let mut response = Body::new(content).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}

/// The name under which a browser keeps a file (RFC 6266, RFC 8187).
fn disposition(name: &str) -> String {
    let mut whole = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => whole.push(byte.into()),
            other => whole.push_str(&format!("%{other:02X}")),
        }
    }
    format!("attachment; filename*=UTF-8''{whole}")
}

/// A file that is opened as a page by someone who takes its address can do nothing.
const POLICY: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");

/// A piece that is being read.
type Reading = Pin<Box<dyn Future<Output = Result<Vec<u8>, Error>> + Send>>;

/// The content of a file, read piece by piece as the browser takes it.
struct Content {
    app: Arc<App>,
    of: Arc<StoredAttachment>,
    at: u64,
    reading: Option<Reading>,
}

impl HttpBody for Content {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.at >= self.of.size {
            return Poll::Ready(None);
        }
        let range = self.at..self.at.saturating_add(PIECE_BYTES).min(self.of.size);
        let (app, of) = (Arc::clone(&self.app), Arc::clone(&self.of));
        let reading =
            self.reading.get_or_insert_with(|| Box::pin(async move { app.attachment_part(&of, range).await }));
        let piece = ready!(reading.as_mut().poll(context));
        self.reading = None;
        match piece {
            Ok(piece) if piece.is_empty() => {
                self.at = self.of.size;
                Poll::Ready(Some(Err(axum::Error::new(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)))))
            }
            Ok(piece) => {
                self.at = self.at.saturating_add(piece.len() as u64);
                Poll::Ready(Some(Ok(Frame::data(Bytes::from(piece)))))
            }
            Err(error) => {
                self.at = self.of.size;
                Poll::Ready(Some(Err(axum::Error::new(error))))
            }
        }
    }
}
