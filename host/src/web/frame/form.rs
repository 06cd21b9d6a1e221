//! Forms as they come: pairs of names and texts, read without regard to which page they are for.

use axum::extract::{FromRequest, Request};
use axum::http::header;

use super::failure::Failure;
use crate::app::tickets::submit::digest;
use crate::desk::id::TicketNumber;
use crate::desk::text::into_normal;

/// Fields whose text is compared with a secret, and stays as it was typed.
const SECRETS: [&str; 4] = ["password", "present", "new", "token"];

/// The pairs of a form, in their order.
#[derive(Debug, Clone, Default)]
pub struct Form(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let media_type = request.headers().get(header::CONTENT_TYPE).cloned();
        let pairs = axum::extract::Form::<Vec<(String, String)>>::from_request(request, state).await;
        let axum::extract::Form(pairs) = pairs.map_err(|rejection| match rejection.status() {
            status if status.as_u16() == 413 => Failure::Status(status),
            _ => Failure::BadForm,
        })?;
        // A zero character is in no text of the desk.
        if media_type.is_none() || pairs.iter().any(|(name, text)| name.contains('\0') || text.contains('\0')) {
            return Err(Failure::BadForm);
        }
        Ok(Form(pairs.into_iter().map(composed).collect()))
    }
}

/// A pair whose text is in the one form in which texts are kept.
fn composed((name, text): (String, String)) -> (String, String) {
    let text = if SECRETS.contains(&name.as_str()) { text } else { into_normal(text) };
    (name, text)
}

impl Form {
    /// The text under a name; empty where there is none. Browsers send line ends as two characters.
    pub fn text(&self, name: &str) -> String {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.replace("\r\n", "\n")).unwrap_or_default()
    }

    /// The same, where something was filled in.
    pub fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.trim().is_empty())
    }

    /// All texts under a name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, text)| text.clone()).collect()
    }

    /// Whether the name was sent at all.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The key that the form carries, with the digest of what it asks for: an act that comes twice with one key is done once.
    pub fn once(&self, act: &str) -> Option<(String, String)> {
        self.given(KEY).map(|key| (key, digest(format!("page {act} {}", self.content()).as_bytes())))
    }

    /// All of it as one text, to tell one request from another; without the key that names the request.
    pub fn content(&self) -> String {
        let pairs: Vec<(&str, &str)> =
            self.0.iter().filter(|(name, _)| name != KEY).map(|(name, text)| (name.as_str(), text.as_str())).collect();
        encode(&pairs)
    }
}

/// The field in which a form carries the key that makes sending it twice do it once.
pub const KEY: &str = "key";

/// The ticket that people name: `IT-7`, `it-7`, or `7`.
pub fn ticket_named(text: &str) -> Option<TicketNumber> {
    let text = text.trim().to_ascii_uppercase();
    let text = if text.bytes().all(|byte| byte.is_ascii_digit()) { format!("IT-{text}") } else { text };
    text.parse().ok()
}

/// The address of a page, with those of the pairs that say something.
pub fn address<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let said: Vec<(&str, &str)> = pairs.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    if said.is_empty() { path.to_owned() } else { format!("{path}?{}", encode(&said)) }
}

/// Pairs as they stand in an address.
pub fn encode(pairs: &[(&str, &str)]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |text: &str| {
        text.bytes().fold(String::new(), |mut out, byte| {
            if plain(byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
            out
        })
    };
    pairs.iter().map(|(name, text)| format!("{}={}", one(name), one(text))).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_what_is_said_and_no_more() {
        assert_eq!(
            address("/queue", [("team", "a b"), ("state", ""), ("after", "1&2")]),
            "/queue?team=a%20b&after=1%262"
        );
        assert_eq!(address("/queue", [("team", "")]), "/queue");
    }

    #[test]
    fn a_ticket_is_named_by_its_key_or_by_its_number_alone() {
        for named in ["IT-7", " it-7 ", "7"] {
            assert_eq!(ticket_named(named), Some(TicketNumber(7)), "{named}");
        }
        for other in ["", "IT-", "seven", "7 8"] {
            assert_eq!(ticket_named(other), None, "{other}");
        }
    }
}
