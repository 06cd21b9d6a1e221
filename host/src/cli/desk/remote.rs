//! A desk at an address (`--url`, `--token`): commands ask it over HTTP, in the name of the person whose token it is.

use std::fmt::Write as _;

use serde_json::Value;

use crate::cli::{Failure, Place};

/// The largest answer that a command takes, in bytes.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

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
        let Some(url) = &self.url else { return Ok(None) };
        let missing = "say whose commands these are: --token TOKEN, or better the variable RULEDESK_TOKEN";
        let token = self.token.clone().ok_or(missing)?;
        Ok(Some(Remote { url: url.trim_end_matches('/').to_owned(), token }))
    }
}

impl Remote {
    /// The text of an answer, in the form that is named.
    ///
    /// # Errors
    ///
    /// Where the desk cannot be reached, or with the problem that it answers.
    pub fn ask(
        &self,
        (method, path): (&str, &str),
        accept: &str,
        body: Option<(&str, &[u8])>,
    ) -> Result<String, Failure> {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}/api/v1{path}", self.url));
        let request = request.header("authorization", format!("Bearer {}", self.token)).header("accept", accept);
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let answered = match body {
            Some((media_type, bytes)) => agent.run(request.header("content-type", media_type).body(bytes)?),
            None => agent.run(request.body(())?),
        };
        let mut answer = answered.map_err(|e| format!("the desk at {} cannot be asked: {e}", self.url))?;
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()?;
        if answer.status().is_success() { Ok(text) } else { Err(problem(answer.status().as_u16(), &text).into()) }
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
}

/// The desk's problem, each field on a line of its own.
fn problem(status: u16, text: &str) -> String {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let word = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut said = match word(&problem, "detail") {
        detail if detail.is_empty() => format!("the desk answered {status}"),
        detail => detail,
    };
    for field in problem.get("problems").and_then(Value::as_array).into_iter().flatten() {
        let _ = write!(said, "\n  {}: {}", word(field, "field"), word(field, "message"));
    }
    said
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
        assert_eq!(part("a b/ü"), "a%20b%2F%C3%BC");
    }
}
