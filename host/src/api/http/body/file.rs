//! A file as an answer: in pieces, whole or a range of it (RFC 9110, section 14), under headers with which no browser takes it
//! for a page of this desk.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use tokio::sync::mpsc;

use super::super::headers::header_text;
use super::super::problem::{Kind, Problem};

/// Bytes of a piece, and pieces that wait for a client.
const PIECE_BYTES: u64 = 256 << 10;
const PIECES_WAITING: usize = 2;
/// Media types that are given out as such; all others as bytes. No browser runs any of these.
const SHOWN_TYPES: [&str; 6] = ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"];

/// A file that is to be sent.
pub struct Sent<'a> {
    pub name: &'a str,
    /// By its content.
    pub media_type: &'a str,
    /// In bytes.
    pub size: u64,
    /// A text that is another for each content.
    pub tag: &'a str,
}

/// The part of a file of this size that a request asks for; `None` for all of it. What is no range of one part counts as none.
fn asked(headers: &HeaderMap, tag: &str, size: u64) -> Result<Option<Range<u64>>, ()> {
    let Some(range) = header_text(headers, header::RANGE) else { return Ok(None) };
    if headers.get(header::IF_RANGE).is_some_and(|known| known.as_bytes() != format!("\"{tag}\"").as_bytes()) {
        return Ok(None);
    }
    // The case of a unit's name does not matter.
    let unit = range.get(.."bytes=".len()).filter(|unit| unit.eq_ignore_ascii_case("bytes="));
    let Some((first, last)) = unit.and_then(|unit| range.get(unit.len()..)?.trim().split_once('-')) else {
        return Ok(None);
    };
    // A sign is no digit, though a number may have one elsewhere.
    if !first.bytes().chain(last.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(last)) if first.is_empty() => size.saturating_sub(last)..size,
        _ => return Ok(None),
    };
    if range.start < range.end { Ok(Some(range)) } else { Err(()) }
}

/// The `Content-Disposition` of a file (RFC 6266): a name that every client understands, and the whole one (RFC 8187).
pub fn disposition(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' { c } else { '_' };
    let simple: String = name.chars().map(plain).collect();
    let mut whole = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => whole.push(byte.into()),
            other => whole.push_str(&format!("%{other:02X}")),
        }
    }
    format!("attachment; filename=\"{simple}\"; filename*=UTF-8''{whole}")
}

/// The answer with a file, or with the part of it that is asked for. `read` gives a part of it.
pub fn answer<R, F, E>(file: &Sent<'_>, headers: &HeaderMap, read: R) -> Response
where
    R: Fn(Range<u64>) -> F + Send + 'static,
    F: Future<Output = Result<Vec<u8>, E>> + Send,
    E: std::error::Error + Send + Sync + 'static,
{
    let (range, status) = match asked(headers, file.tag, file.size) {
        Ok(None) => (0..file.size, StatusCode::OK),
        Ok(Some(range)) => (range, StatusCode::PARTIAL_CONTENT),
        Err(()) => {
            let problem = Problem::new(Kind::NOT_SATISFIABLE, format!("the file has {} bytes", file.size));
            return ([(header::CONTENT_RANGE, format!("bytes */{}", file.size))], problem).into_response();
        }
    };
    let shown = SHOWN_TYPES.contains(&file.media_type);
    let media_type = if shown { file.media_type } else { "application/octet-stream" };
    let mut response = (status, Body::new(Pieces::of(range.clone(), read))).into_response();
    let mut put = |name, text: &str| {
        // All of it is ASCII.
        _ = HeaderValue::from_str(text).map(|value| response.headers_mut().insert(name, value));
    };
    put(header::CONTENT_TYPE, media_type);
    put(header::CONTENT_DISPOSITION, &disposition(file.name));
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'");
    put(header::CACHE_CONTROL, "private, no-cache");
    put(header::ACCEPT_RANGES, "bytes");
    put(header::ETAG, &format!("\"{}\"", file.tag));
    if status == StatusCode::PARTIAL_CONTENT {
        put(header::CONTENT_RANGE, &format!("bytes {}-{}/{}", range.start, range.end - 1, file.size));
    }
    response
}

/// A body whose pieces are read as the client takes them.
struct Pieces {
    receive: mpsc::Receiver<Result<Bytes, axum::Error>>,
    left: u64,
}

impl Pieces {
    fn of<R, F, E>(range: Range<u64>, read: R) -> Pieces
    where
        R: Fn(Range<u64>) -> F + Send + 'static,
        F: Future<Output = Result<Vec<u8>, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        let (send, receive) = mpsc::channel(PIECES_WAITING);
        let left = range.end - range.start;
        tokio::spawn(async move {
            let mut at = range.start;
            while at < range.end {
                let piece = read(at..at.saturating_add(PIECE_BYTES).min(range.end)).await;
                let piece = match piece {
                    // The rest is gone: the client sees that the answer was cut off.
                    Ok(bytes) if bytes.is_empty() => Err(axum::Error::new("the file is shorter than it was")),
                    Ok(bytes) => Ok(Bytes::from(bytes)),
                    Err(error) => Err(axum::Error::new(error)),
                };
                let ended = piece.is_err();
                at += piece.as_ref().map_or(0, |bytes| bytes.len() as u64);
                // A client that has gone takes nothing more.
                if send.send(piece).await.is_err() || ended {
                    return;
                }
            }
        });
        Pieces { receive, left }
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = self.receive.poll_recv(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            self.left = self.left.saturating_sub(bytes.len() as u64);
        }
        polled.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_deceives_no_header() {
        assert_eq!(disposition("a b.pdf"), "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf");
        let odd = disposition("Z\u{fc}rich\"; x=\"\r\n.txt");
        assert_eq!(
            odd,
            "attachment; filename=\"Z_rich__ x=___.txt\"; filename*=UTF-8''Z%C3%BCrich%22%3B%20x%3D%22%0D%0A.txt"
        );
    }

    #[test]
    fn ranges_are_those_of_one_part() {
        let asked = |range: &str| {
            let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_str(range).unwrap())]);
            asked(&headers, "x", 10)
        };
        assert_eq!(asked("bytes=0-3"), Ok(Some(0..4)));
        assert_eq!(asked("bytes=8-99"), Ok(Some(8..10)));
        assert_eq!(asked("bytes=7-"), Ok(Some(7..10)));
        assert_eq!(asked("bytes=-4"), Ok(Some(6..10)));
        assert_eq!(asked("bytes=10-"), Err(()));
        assert_eq!(asked("bytes=-0"), Err(()));
        for none in ["bytes=3-1", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=+0-3", "bytes=0-+3", "bytes=-+4"] {
            assert_eq!(asked(none), Ok(None), "{none}");
        }
    }
}
