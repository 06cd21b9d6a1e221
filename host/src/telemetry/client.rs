//! The exporter's way to the collector: plain HTTP/1.1 on the exporter's own thread.
//!
//! The exporter's ready-made clients would bring a second HTTP stack with TLS into the program. A collector stands beside the
//! desk or in its network, and one that speaks TLS to the world is what collectors are for.

use std::future::{Future, ready};
use std::pin::Pin;
use std::time::Duration;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};

/// The longest that one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most that is read of a collector's answer.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

#[derive(Debug)]
pub struct Client(ureq::Agent);

impl Client {
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build();
        Self(config.into())
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let response = self.0.run(Request::from_parts(parts, body.as_ref()))?;
        let (parts, mut body) = response.into_parts();
        let answer = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        Ok(Response::from_parts(parts, Bytes::from(answer)))
    }
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Client {
    fn send_bytes<'a, 'b>(&'a self, request: Request<Bytes>) -> Sending<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(ready(self.send(request)))
    }
}
