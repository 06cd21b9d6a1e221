//! A client of a desk: requests with a token, and answers read whole.

use serde_json::{Value, json};

/// A change of state to `resolved` with a whole record.
pub fn resolved() -> Value {
    json!({ "to": "resolved", "resolution": { "symptom": "it was down", "cause": "a cable had come off",
        "fix": "The cable is in again.", "next-time": "look at the cable first" } })
}

/// A person, or a program, that talks to a desk.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) url: String,
    pub token: Option<String>,
    pub(super) headers: Vec<(&'static str, String)>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub etag: Option<String>,
    /// Where the next page of a list is.
    pub link: Option<String>,
    pub media_type: String,
    /// When it is worth trying again, in seconds.
    pub retry_after: Option<u64>,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// A header's text; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as text, of an answer that must have this status.
    pub fn expect_text(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{}", self.text);
        &self.text
    }

    /// The body as JSON, of an answer that must have this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }
}

impl Client {
    /// The same client at another address.
    pub fn at(&self, url: &str) -> Client {
        Client { url: url.to_owned(), ..self.clone() }
    }

    /// The same client with another token.
    pub fn bearing(&self, token: &str) -> Client {
        Client { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same client, sending another header.
    pub fn with(&self, name: &'static str, value: &str) -> Client {
        let mut client = self.clone();
        client.headers.push((name, value.to_owned()));
        client
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    /// The status, and a body that need not be text.
    pub fn get_bytes(&self, path: &str) -> (u16, Vec<u8>) {
        let mut response = self.response("GET", path, None);
        let body = response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
        (response.status().as_u16(), body)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send_text(path, &body.to_string(), "application/json")
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.with("content-type", "application/json").send("PATCH", path, Some(body.to_string().as_bytes()))
    }

    pub fn send_text(&self, path: &str, body: &str, media_type: &str) -> Answer {
        self.with("content-type", media_type).send("POST", path, Some(body.as_bytes()))
    }

    /// Sends the parts of a form (`multipart/form-data`), each by its name and with a file name that means nothing.
    pub fn send_parts(&self, path: &str, parts: &[(&str, &[u8])]) -> Answer {
        let boundary = "a-line-that-no-rule-contains";
        let mut body = Vec::new();
        for (name, bytes) in parts {
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"../../../{name}\"\r\n\r\n"
            );
            body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
        }
        body.extend(format!("--{boundary}--\r\n").as_bytes());
        let media_type = format!("multipart/form-data; boundary={boundary}");
        self.with("content-type", &media_type).send("POST", path, Some(&body))
    }

    /// Sends a file as it is; its name goes with the path.
    pub fn send_file(&self, path: &str, media_type: &str, bytes: &[u8]) -> Answer {
        self.with("content-type", media_type).send("POST", path, Some(bytes))
    }

    pub fn send_bytes(&self, path: &str, body: &[u8]) -> Answer {
        self.with("content-type", "application/json").send("POST", path, Some(body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.put_text(path, &body.to_string(), "application/json")
    }

    pub fn put_text(&self, path: &str, body: &str, media_type: &str) -> Answer {
        self.with("content-type", media_type).send("PUT", path, Some(body.as_bytes()))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    /// A request with any method.
    pub fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Answer {
        let mut response = self.response(method, path, body);
        let header = |name| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let (etag, link, media_type) = (header("etag"), header("link"), header("content-type").unwrap_or_default());
        let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        Answer { status, etag, link, media_type, retry_after, headers, text }
    }

    fn response(&self, method: &str, path: &str, body: Option<&[u8]>) -> ureq::http::Response<ureq::Body> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let response = match body {
            Some(body) => agent.run(request.body(body).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        };
        response.unwrap()
    }
}
