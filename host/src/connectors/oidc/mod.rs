//! An identity provider that speaks OpenID Connect: the authorization code flow with PKCE (Core 1.0, 3.1; RFC 7636), discovery
//! (Discovery 1.0), and back-channel logout (Back-Channel Logout 1.0).
//!
//! It is asked only when someone signs in. Its own description and its keys are kept for an hour; a key that is not among them has
//! them read again, at most once a minute. One request at a time asks for its description: the others wait a moment for the
//! answer, and while it cannot be reached all are answered at once.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;
use url::form_urlencoded;

use crate::desk::organisation::identity::{Ended, Identified};

use super::http::{self, Client, Endpoint, HeaderMap, HeaderValue, Keep, Method, NotAnEndpoint, Request};

mod signed;

use signed::Keys;
pub use signed::NotSigned;

/// How long one request to the provider may take, and how many bytes its answer may have.
const WITHIN: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How long the provider's description and keys are kept, and how soon keys are read again.
const KEPT_FOR: Duration = Duration::from_secs(3600);
const KEYS_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How long after a request for its description that failed none is made.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How long a question waits for what another is asking the provider.
const OTHERS_MAX: Duration = Duration::from_secs(2);
/// How much the provider's clock may differ from the desk's, in seconds.
const SKEW_SECONDS: i64 = 120;
/// How old a logout token may be, in seconds.
const ENDED_SECONDS_MAX: i64 = 300;
/// The longest claim that is taken, in bytes, and the most groups.
const CLAIM_BYTES_MAX: usize = 255;
const GROUPS_MAX: usize = 2_000;
/// The event that a logout token tells of.
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How the desk is registered with the provider.
#[derive(Clone)]
pub struct Settings {
    /// Letter for letter as the provider names itself.
    pub issuer: String,
    pub client_id: String,
    /// `None` for a public client.
    pub client_secret: Option<String>,
    /// Besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that says who it is, and the one that lists groups.
    pub person_claim: String,
    pub groups_claim: String,
    /// The address to which the provider sends people back.
    pub back: String,
}

/// A provider. Clones share what is known of it.
#[derive(Clone)]
pub struct Provider {
    http: Client,
    settings: Arc<Settings>,
    known: Arc<Mutex<Known>>,
}

/// The knowledge of a provider, each part since when by a clock that only goes on.
#[derive(Default)]
struct Known {
    described: Option<(Described, Duration)>,
    /// The last request for it failed, and so it is not asked for again before this.
    failed: Option<(Failed, Duration)>,
    keys: Option<(Keys, Duration)>,
}

/// A provider's description of itself (Discovery 1.0, section 3).
#[derive(Debug, Clone, Deserialize)]
struct Described {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Debug, Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<String>,
}

/// The instant at which a provider is asked.
#[derive(Debug, Clone, Copy)]
pub struct At {
    pub now: Timestamp,
    /// By a clock that only goes on.
    pub elapsed: Duration,
}

/// The secrets of one sign-in, of which the browser keeps the seed.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub state: &'a str,
    pub nonce: &'a str,
    /// The hash of the verifier (RFC 7636, 4.2).
    pub challenge: &'a str,
}

/// The answer with which the provider sends someone back.
#[derive(Debug, Clone, Copy)]
pub struct Returned<'a> {
    pub code: &'a str,
    /// The provider that says it has sent them (RFC 9207).
    pub issuer: Option<&'a str>,
    pub nonce: &'a str,
    pub verifier: &'a str,
}

/// Why a provider's answer does not let anyone in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    #[error("{0}")]
    Away(#[from] http::Error),
    #[error("the provider has not answered another request for {}", OTHERS_MAX.as_secs())]
    Silent,
    #[error("`{url}` of the provider cannot be asked: {why}")]
    Address { url: String, why: NotAnEndpoint },
    #[error("the provider answered {status} to the request for {what}: {words}")]
    Answered { what: &'static str, status: u16, words: String },
    #[error("the provider's {what} cannot be read: {words}")]
    Unreadable { what: &'static str, words: String },
    #[error("the provider names itself `{found}`, and the configuration `{wanted}`: write it letter for letter")]
    Issuer { found: String, wanted: String },
    #[error("the provider's token does not count: {0}")]
    NotSigned(#[from] NotSigned),
    #[error("the provider's token does not count: `{claim}` {why}")]
    Claim { claim: &'static str, why: &'static str },
}

impl Failed {
    /// Whether the provider could not be asked, so that a later try may do.
    pub fn is_away(&self) -> bool {
        match self {
            Failed::Away(_) | Failed::Silent => true,
            Failed::Answered { status, .. } => *status >= 500 || *status == 429,
            _ => false,
        }
    }
}

impl Provider {
    /// A provider; it is not asked for anything yet.
    pub fn new(http: Client, settings: Settings) -> Provider {
        Provider { http, settings: Arc::new(settings), known: Arc::default() }
    }

    /// The address to which someone is sent to sign in (Core 1.0, 3.1.2.1).
    ///
    /// # Errors
    ///
    /// [`Failed`].
    pub async fn address(&self, asked: Asked<'_>, at: At) -> Result<String, Failed> {
        let described = self.described(at).await?;
        let Settings { client_id, scopes, back, .. } = &*self.settings;
        let scope = std::iter::once("openid").chain(scopes.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
        let pairs = [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", back),
            ("scope", &scope),
            ("state", asked.state),
            ("nonce", asked.nonce),
            ("code_challenge", asked.challenge),
            ("code_challenge_method", "S256"),
        ];
        Ok(self.endpoint(&described.authorization_endpoint)?.with_query(&pairs).as_str().to_owned())
    }

    /// The address at which people end the provider's own session, if it has one (RP-Initiated Logout 1.0).
    ///
    /// # Errors
    ///
    /// [`Failed`].
    pub async fn way_out(&self, after: &str, at: At) -> Result<Option<String>, Failed> {
        let Some(end) = self.described(at).await?.end_session_endpoint else { return Ok(None) };
        let pairs = [("client_id", self.settings.client_id.as_str()), ("post_logout_redirect_uri", after)];
        Ok(Some(self.endpoint(&end)?.with_query(&pairs).as_str().to_owned()))
    }

    /// Who has come back (Core 1.0, 3.1.3).
    ///
    /// # Errors
    ///
    /// [`Failed`].
    pub async fn identify(&self, returned: Returned<'_>, at: At) -> Result<Identified, Failed> {
        let described = self.described(at).await?;
        match returned.issuer {
            Some(issuer) if issuer != described.issuer => return Err(wrong("iss", "is of another provider")),
            None if described.authorization_response_iss_parameter_supported => {
                return Err(wrong("iss", "is not in the answer"));
            }
            _ => {}
        }
        let tokens = self.redeem(&described, returned).await?;
        let mut claims = self.claims(&described, &tokens.id_token, at).await?;
        self.check(&claims, at)?;
        if text(&claims, "nonce") != Some(returned.nonce) {
            return Err(wrong("nonce", "is of another sign-in"));
        }
        let subject = named(&claims, "sub").ok_or(wrong("sub", "names no one"))?;
        let wanted = [&self.settings.person_claim, &self.settings.groups_claim];
        if wanted.iter().any(|claim| !claims.contains_key(*claim))
            && let (Some(url), Some(access)) = (&described.userinfo_endpoint, &tokens.access_token)
        {
            let more = self.user_info(url, access).await?;
            // Else the answer may be about someone else (Core 1.0, 5.3.2).
            if text(&more, "sub") != Some(&subject) {
                return Err(wrong("sub", "differs between the token and the user's description"));
            }
            more.into_iter().for_each(|(claim, value)| {
                claims.entry(claim).or_insert(value);
            });
        }
        Ok(Identified {
            issuer: described.issuer,
            subject,
            session: named(&claims, "sid"),
            name: self.person(&claims),
            groups: groups(&claims, &self.settings.groups_claim),
        })
    }

    /// Whose sign-in a logout token ends (Back-Channel Logout 1.0, 2.6).
    ///
    /// # Errors
    ///
    /// [`Failed`].
    pub async fn ended(&self, token: &str, at: At) -> Result<Ended, Failed> {
        let described = self.described(at).await?;
        let claims = self.claims(&described, token, at).await?;
        self.check_sender(&claims)?;
        let issued = claims.get("iat").and_then(Value::as_i64).ok_or(wrong("iat", "is not there"))?;
        let now = at.now.as_second();
        if issued > now + SKEW_SECONDS || issued < now - ENDED_SECONDS_MAX {
            return Err(wrong("iat", "is too long ago, or to come"));
        }
        if !claims.get("events").and_then(|events| events.get(LOGOUT_EVENT)).is_some_and(Value::is_object) {
            return Err(wrong("events", "tells of no logout"));
        }
        // Else a token of a sign-in could stand for the end of one.
        if claims.contains_key("nonce") {
            return Err(wrong("nonce", "is no part of a logout"));
        }
        let (subject, session) = (named(&claims, "sub"), named(&claims, "sid"));
        if subject.is_none() && session.is_none() {
            return Err(wrong("sub", "names no one, and no session is named"));
        }
        Ok(Ended { issuer: described.issuer, subject, session })
    }

    /// The claim that says who it is: an address only where the provider says that it is verified, for a provider may let people
    /// write in what they like.
    fn person(&self, claims: &Map<String, Value>) -> Option<String> {
        let claim = self.settings.person_claim.as_str();
        let verified = match claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(verified)) => verified == "true",
            _ => false,
        };
        named(claims, claim).filter(|_| claim != "email" || verified)
    }

    fn check(&self, claims: &Map<String, Value>, at: At) -> Result<(), Failed> {
        self.check_sender(claims)?;
        let seconds = |claim| claims.get(claim).and_then(Value::as_i64);
        let now = at.now.as_second();
        if seconds("exp").is_none_or(|end| end <= now - SKEW_SECONDS) {
            return Err(wrong("exp", "is over"));
        }
        if seconds("iat").is_none_or(|issued| issued > now + SKEW_SECONDS) {
            return Err(wrong("iat", "is to come: compare the clocks"));
        }
        Ok(())
    }

    /// That the token is of this provider and for this desk.
    fn check_sender(&self, claims: &Map<String, Value>) -> Result<(), Failed> {
        if text(claims, "iss") != Some(&self.settings.issuer) {
            return Err(wrong("iss", "is of another provider"));
        }
        let own = self.settings.client_id.as_str();
        let several = match claims.get("aud") {
            Some(Value::String(one)) if one == own => false,
            Some(Value::Array(all)) if all.iter().any(|one| one == own) => all.len() > 1,
            _ => return Err(wrong("aud", "is for another client")),
        };
        match text(claims, "azp") {
            Some(party) if party != own => Err(wrong("azp", "is another client")),
            None if several => Err(wrong("azp", "is not there, and the token is for several clients")),
            _ => Ok(()),
        }
    }

    /// The claims of a token that the provider has signed.
    async fn claims(&self, described: &Described, token: &str, at: At) -> Result<Map<String, Value>, Failed> {
        let mut known = self.known().await?;
        let age = |since: Duration| at.elapsed.saturating_sub(since);
        let kept = known.keys.as_ref().filter(|(_, since)| age(*since) < KEPT_FOR);
        let since = kept.map(|(_, since)| *since);
        if let Some((keys, _)) = kept {
            match keys.claims(token) {
                Err(NotSigned::NoKey) => {}
                found => return Ok(found?),
            }
        }
        if since.is_some_and(|since| age(since) < KEYS_AGAIN_AFTER) {
            return Err(NotSigned::NoKey.into());
        }
        let set: Value = self.get(&self.endpoint(&described.jwks_uri)?, HeaderMap::new(), "keys").await?;
        let keys = Keys::read(&set);
        let claims = keys.claims(token);
        known.keys = Some((keys, at.elapsed));
        Ok(claims?)
    }

    async fn described(&self, at: At) -> Result<Described, Failed> {
        let mut known = self.known().await?;
        if let Some((described, since)) = &known.described
            && at.elapsed.saturating_sub(*since) < KEPT_FOR
        {
            return Ok(described.clone());
        }
        let failed = known.failed.as_ref().filter(|(_, again)| at.elapsed < *again).map(|(error, _)| error.clone());
        let begun = Instant::now();
        let error = match failed {
            Some(error) => error,
            None => match self.describe().await {
                Ok(described) => {
                    *known = Known {
                        described: Some((described.clone(), at.elapsed)),
                        failed: None,
                        keys: known.keys.take(),
                    };
                    return Ok(described);
                }
                Err(error) => {
                    known.failed = Some((error.clone(), at.elapsed + begun.elapsed() + AGAIN_AFTER));
                    error
                }
            },
        };
        // What it said before serves as long as it cannot be asked.
        known.described.as_ref().map(|(described, _)| described.clone()).ok_or(error)
    }

    /// What is known of the provider, for a question that may have to ask: no other asks at the same time, and none waits for
    /// long.
    async fn known(&self) -> Result<MutexGuard<'_, Known>, Failed> {
        tokio::time::timeout(OTHERS_MAX, self.known.lock()).await.map_err(|_| Failed::Silent)
    }

    async fn describe(&self) -> Result<Described, Failed> {
        let wanted = &self.settings.issuer;
        let issuer = self.endpoint(wanted)?;
        let url = issuer.join(".well-known/openid-configuration");
        let url = url.map_err(|why| Failed::Address { url: wanted.clone(), why })?;
        let described: Described = self.get(&url, HeaderMap::new(), "description").await?;
        if described.issuer != *wanted {
            return Err(Failed::Issuer { found: described.issuer, wanted: wanted.clone() });
        }
        Ok(described)
    }

    /// Redeems a code for tokens (Core 1.0, 3.1.3.1; RFC 7636, 4.5).
    async fn redeem(&self, described: &Described, returned: Returned<'_>) -> Result<Tokens, Failed> {
        let Settings { client_id, client_secret, back, .. } = &*self.settings;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", returned.code),
            ("redirect_uri", back),
            ("code_verifier", returned.verifier),
        ];
        let mut headers = HeaderMap::new();
        let methods = described.token_endpoint_auth_methods_supported.as_ref();
        // Where it says nothing, it takes this one (Discovery 1.0, section 3).
        let basic = methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
        match client_secret {
            Some(secret) if basic => {
                // Each is encoded first (RFC 6749, 2.3.1).
                let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = BASE64.encode(format!("{}:{}", encoded(client_id), encoded(secret)));
                if let Ok(mut value) = HeaderValue::from_str(&format!("Basic {pair}")) {
                    value.set_sensitive(true);
                    headers.insert("authorization", value);
                }
            }
            Some(secret) => form.extend([("client_id", client_id.as_str()), ("client_secret", secret)]),
            None => form.push(("client_id", client_id)),
        }
        headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        let to = self.endpoint(&described.token_endpoint)?;
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.ask(Method::POST, &to, headers, body.into_bytes(), "tokens").await
    }

    async fn user_info(&self, url: &str, access: &str) -> Result<Map<String, Value>, Failed> {
        let mut headers = HeaderMap::new();
        let unfit = |_| Failed::Unreadable { what: "access token", words: "it is no text of a header".to_owned() };
        let mut value = HeaderValue::from_str(&format!("Bearer {access}")).map_err(unfit)?;
        value.set_sensitive(true);
        headers.insert("authorization", value);
        self.get(&self.endpoint(url)?, headers, "user's description").await
    }

    fn endpoint(&self, url: &str) -> Result<Endpoint, Failed> {
        self.http.endpoint(url).map_err(|why| Failed::Address { url: url.to_owned(), why })
    }

    async fn get<T: DeserializeOwned>(
        &self,
        to: &Endpoint,
        headers: HeaderMap,
        what: &'static str,
    ) -> Result<T, Failed> {
        self.ask(Method::GET, to, headers, Vec::new(), what).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        to: &Endpoint,
        mut headers: HeaderMap,
        body: Vec<u8>,
        what: &'static str,
    ) -> Result<T, Failed> {
        headers.insert("accept", HeaderValue::from_static("application/json"));
        let answer = Keep::Whole(ANSWER_BYTES_MAX);
        let answer = self.http.send(Request { method, to, headers, body, within: WITHIN, answer }).await?;
        if !answer.status.is_success() {
            let words = said(&answer.body);
            return Err(Failed::Answered { what, status: answer.status.as_u16(), words });
        }
        serde_json::from_slice(&answer.body).map_err(|error| Failed::Unreadable { what, words: error.to_string() })
    }
}

/// The error of an answer in the provider's words (RFC 6749, 5.2), cut.
fn said(body: &[u8]) -> String {
    let value = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let word = |key: &str| value.get(key).and_then(Value::as_str);
    let words: Vec<&str> = ["error", "error_description"].into_iter().filter_map(word).collect();
    words.join(": ").chars().filter(|c| !c.is_control()).take(200).collect()
}

fn wrong(claim: &'static str, why: &'static str) -> Failed {
    Failed::Claim { claim, why }
}

fn text<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a str> {
    claims.get(claim)?.as_str()
}

/// A claim that names something: not empty, and not longer than a name is.
fn named(claims: &Map<String, Value>, claim: &str) -> Option<String> {
    let name = text(claims, claim).map(str::trim);
    name.filter(|name| !name.is_empty() && name.len() <= CLAIM_BYTES_MAX).map(str::to_owned)
}

/// The groups of a claim: a list of names, or one.
fn groups(claims: &Map<String, Value>, claim: &str) -> Vec<String> {
    let all = match claims.get(claim) {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one.as_str()],
        _ => Vec::new(),
    };
    all.into_iter().filter(|name| name.len() <= CLAIM_BYTES_MAX).take(GROUPS_MAX).map(str::to_owned).collect()
}
