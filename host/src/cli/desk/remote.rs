//! A desk at an address (`--url`, `--token`): commands ask it over HTTP, in the name of the person whose token it is.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::cli::{Failure, Place};
use crate::rules::text::shown;

/// The largest answer that a command takes, in bytes.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// The most pages of a list that a command reads.
const PAGES_MAX: usize = 10_000;

/// How long the way to a desk may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long an answer is waited for, which is longer than a desk can be set to take for any: a command in a script ends where nothing
/// answers.
const ANSWER_MAX: Duration = Duration::from_secs(3_660);

const JSON: &str = "application/json";

/// A desk elsewhere.
#[derive(Debug, Clone)]
pub struct Remote {
    url: String,
    token: String,
}

impl Place {
    /// The desk elsewhere that is meant, if one is.
    ///
    /// # Errors
    ///
    /// Where there is no token for it.
    pub fn remote(&self) -> Result<Option<Remote>, Failure> {
        // An empty variable says nothing.
        let Some(url) = self.url.as_deref().filter(|url| !url.is_empty()) else { return Ok(None) };
        let missing = "say whose commands these are: --token TOKEN, or better the variable RULEDESK_TOKEN";
        let token = self.token.clone().filter(|token| !token.is_empty()).ok_or(missing)?;
        Ok(Some(Remote::new(url, token)?))
    }
}

/// The address of a desk as requests begin with it.
fn desk_at(url: &str) -> Result<String, Failure> {
    let wrong = |why: &str| format!("`{url}` is not the address of a desk: {why}, such as `http://127.0.0.1:8080`");
    let uri: ureq::http::Uri = url.parse().map_err(|_| wrong("write it with its scheme"))?;
    let no_host = uri.host().is_none_or(str::is_empty);
    match uri.scheme_str() {
        Some("http") if no_host => Err(wrong("it names no machine; write one").into()),
        Some("http") if uri.query().is_none() => {
            let url = url.trim_end_matches('/');
            Ok(url.strip_suffix("/api/v1").unwrap_or(url).to_owned())
        }
        Some("http") => Err(wrong("leave out what follows the `?`").into()),
        Some("https") => {
            Err(wrong("commands speak HTTP without TLS; go through a tunnel, or to the desk behind the proxy").into())
        }
        _ => Err(wrong("write it with its scheme").into()),
    }
}

fn agent(answer_max: Duration) -> ureq::Agent {
    let within =
        ureq::Agent::config_builder().timeout_connect(Some(CONNECT_MAX)).timeout_recv_response(Some(answer_max));
    within.http_status_as_error(false).build().into()
}

impl Remote {
    /// The desk at an address, asked with a token.
    ///
    /// # Errors
    ///
    /// Where either is none.
    pub fn new(url: &str, token: String) -> Result<Remote, Failure> {
        let url = desk_at(url)?;
        if !token.chars().all(|c| c.is_ascii_graphic()) {
            return Err("the token has blanks or characters that no token has: give it as it was shown".into());
        }
        Ok(Remote { url, token })
    }

    /// The text of an answer, in the form that is named.
    ///
    /// # Errors
    ///
    /// Where the desk cannot be reached, or with the problem that it answers.
    pub fn ask(&self, asked: (&str, &str), accept: &str, body: Option<(&str, &[u8])>) -> Result<String, Failure> {
        Ok(self.send(asked, accept, body)?.1)
    }

    /// The link to the next page, and the text of an answer.
    fn send(
        &self,
        (method, path): (&str, &str),
        accept: &str,
        body: Option<(&str, &[u8])>,
    ) -> Result<(Option<String>, String), Failure> {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}/api/v1{path}", self.url));
        let request = request.header("authorization", format!("Bearer {}", self.token)).header("accept", accept);
        let agent = agent(ANSWER_MAX);
        let answered = match body {
            Some((media_type, bytes)) => agent.run(request.header("content-type", media_type).body(bytes)?),
            None => agent.run(request.body(())?),
        };
        let mut answer = answered.map_err(|e| self.unreachable(&e))?;
        let link = answer.headers().get("link").and_then(|link| link.to_str().ok());
        let next = link.and_then(|link| Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned()));
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()?;
        let status = answer.status();
        if status.is_success() { Ok((next, text)) } else { Err(problem(status.as_u16(), &text).into()) }
    }

    fn unreachable(&self, error: &ureq::Error) -> String {
        format!("the desk at {} cannot be asked: {error}. Does it run there?", self.url)
    }

    /// The status and the text of the answer to bytes that are sent, whichever they are.
    ///
    /// # Errors
    ///
    /// Where the desk cannot be reached, or its answer does not come to its end.
    pub fn answer_to(&self, path: &str, (media_type, bytes): (&str, &[u8])) -> Result<(u16, String), Failure> {
        let request = ureq::http::Request::builder().method("POST").uri(format!("{}/api/v1{path}", self.url));
        let request = request.header("authorization", format!("Bearer {}", self.token)).header("accept", JSON);
        let answered = agent(ANSWER_MAX).run(request.header("content-type", media_type).body(bytes)?);
        let mut answer = answered.map_err(|e| self.unreachable(&e))?;
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()?;
        Ok((answer.status().as_u16(), text))
    }

    /// All items of a list that comes in pages.
    ///
    /// # Errors
    ///
    /// As [`Remote::ask`], or where there is no end of pages.
    pub fn pages(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let (mut items, mut at) = (Vec::new(), path.to_owned());
        // The link has all of the query.
        let address = path.split_once('?').map_or(path, |(address, _)| address);
        for _ in 0..PAGES_MAX {
            let (next, text) = self.send(("GET", &at), JSON, None)?;
            items.extend(serde_json::from_str::<Vec<Value>>(&text)?);
            match next {
                Some(next) => at = format!("{address}{next}"),
                None => return Ok(items),
            }
        }
        Err(format!("the desk at {} has more than {PAGES_MAX} pages of {path}", self.url).into())
    }

    /// The answer to the parts of a form (RFC 7578): a name, and a file's name where it is one.
    ///
    /// # Errors
    ///
    /// As [`Remote::ask`].
    pub fn post_form(&self, path: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Result<Value, Failure> {
        let mut all = Sha256::new();
        parts.iter().for_each(|(_, _, bytes)| all.update(bytes));
        // No part holds its own digest.
        let boundary = all.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let mut body = Vec::new();
        for (name, file, bytes) in parts {
            let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
            let head = format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let media_type = format!("multipart/form-data; boundary={boundary}");
        Ok(serde_json::from_str(&self.ask(("POST", path), JSON, Some((&media_type, &body)))?)?)
    }

    /// An answer as JSON.
    ///
    /// # Errors
    ///
    /// As [`Remote::ask`].
    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.ask(("GET", path), JSON, None)?)?)
    }

    /// The answer to JSON that is sent.
    ///
    /// # Errors
    ///
    /// As [`Remote::ask`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.ask(("POST", path), JSON, Some((JSON, body.to_string().as_bytes())))?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// The answer to JSON that is put in the place of what was there.
    ///
    /// # Errors
    ///
    /// As [`Remote::ask`].
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.ask(("PUT", path), JSON, Some((JSON, body.to_string().as_bytes())))?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// Takes something away.
    ///
    /// # Errors
    ///
    /// As [`Remote::ask`].
    pub fn delete(&self, path: &str) -> Result<(), Failure> {
        self.ask(("DELETE", path), JSON, None).map(drop)
    }
}

/// The desk's problem, each field on a line of its own.
pub fn problem(status: u16, text: &str) -> String {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let mut said = match word(&problem, "detail") {
        detail if detail.is_empty() => format!("the desk answered {status}"),
        detail if status == 401 => {
            format!("{detail}: `ruledesk token PERSON --roles agent`, at the desk's own machine, gives one")
        }
        detail => detail,
    };
    for field in problem.get("problems").and_then(Value::as_array).into_iter().flatten() {
        let _ = write!(said, "\n  {}: {}", word(field, "field"), word(field, "message"));
    }
    said
}

/// The text under a key of an answer, as a terminal may show it; empty where there is none.
pub fn word(value: &Value, key: &str) -> String {
    shown(value.get(key).and_then(Value::as_str).unwrap_or_default())
}

/// A text as a part of an address (RFC 3986, section 2.1).
pub fn part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'.') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_to_do_and_where() {
        let text = r#"{"detail": "change the fields", "problems": [{"field": "why", "message": "say why"}]}"#;
        assert_eq!(problem(422, text), "change the fields\n  why: say why");
        assert_eq!(problem(502, "<html>"), "the desk answered 502");
        let said = problem(401, r#"{"detail": "this token is unknown or was revoked"}"#);
        assert!(said.starts_with("this token is unknown or was revoked: `ruledesk token"), "{said}");
        assert_eq!(part("a b/ü"), "a%20b%2F%C3%BC");
    }

    fn place(url: &str, token: &str) -> Place {
        Place { url: Some(url.to_owned()), token: Some(token.to_owned()), ..Place::default() }
    }

    #[test]
    fn an_address_that_is_none_says_what_to_write() {
        for (url, wanted) in [
            ("localhost:8080", "with its scheme"),
            ("ftp://desk", "with its scheme"),
            ("not an address", "with its scheme"),
            ("https://desk.example", "without TLS"),
            ("http://desk/?a=b", "follows the `?`"),
        ] {
            let told = place(url, "t").remote().unwrap_err().to_string();
            assert!(told.contains(wanted) && told.contains(url), "{told}");
        }
        for url in ["http://desk:8080", "http://desk:8080/", "http://desk:8080/api/v1", "http://desk:8080/api/v1/"] {
            assert_eq!(place(url, "t").remote().unwrap().unwrap().url, "http://desk:8080", "{url}");
        }
        assert!(place("", "t").remote().unwrap().is_none(), "an empty variable says nothing");
    }

    #[test]
    fn a_desk_that_never_answers_is_waited_for_no_longer_than_that() {
        // It takes connections, as the system does for it, and reads none.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let request = ureq::http::Request::builder().uri(url).body(()).unwrap();
        let told = agent(Duration::from_millis(50)).run(request).unwrap_err();
        assert!(matches!(told, ureq::Error::Timeout(_)), "{told}");
    }

    #[test]
    fn a_token_that_is_none_is_not_sent() {
        assert!(place("http://desk", "").remote().unwrap_err().to_string().contains("RULEDESK_TOKEN"));
        for token in ["two words", "line\n", "\u{fc}"] {
            let told = place("http://desk", token).remote().unwrap_err().to_string();
            assert!(!told.contains(token) && told.contains("the token has"), "{told}");
        }
    }
}
