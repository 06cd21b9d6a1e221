//! Signing in by the company's identity provider: there by a link, back by a redirect, and ended by the provider itself.

use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::Deserialize;

use super::{ATTRIBUTES, Next, Tried, end_present, entered, is_visit, sign_in_page, with_cookie};
use crate::app::App;
use crate::app::tokens::passwords::ClientAddress;
use crate::app::tokens::provider::{Back, NotIn};
use crate::web::frame::failure::Failure;
use crate::web::frame::words::Words;
use crate::web::frame::{Frame, cookie, header_text, local};

/// The cookie of a sign-in under way: its seed, and where to go afterwards.
const COOKIE: &str = "__Host-ruledesk-sign-in";
/// How long a sign-in at the provider may take, in seconds.
const COOKIE_MAX_AGE: u32 = 600;
/// The longest path that one comes back to, in bytes: a cookie takes 4 KiB.
const NEXT_BYTES_MAX: usize = 2048;
/// The most of the provider's own words that is shown, in characters.
const WORDS_CHARS_MAX: usize = 200;

/// `GET /sign-in/provider`: sends the browser to the provider.
pub async fn begin(
    State(app): State<Arc<App>>,
    from: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    Query(Next { next, .. }): Query<Next>,
) -> Result<Response, Failure> {
    if !is_visit(&headers) {
        return Err(Failure::Elsewhere);
    }
    let from = from.map(|Extension(from)| from).unwrap_or_default();
    match app.begin_by_provider(&from).await {
        Ok((seed, address)) => {
            let next = Some(local(&next)).filter(|next| next.len() <= NEXT_BYTES_MAX).unwrap_or("/");
            let cookie = format!("{COOKIE}={seed}.{}; {ATTRIBUTES}; Max-Age={COOKIE_MAX_AGE}", BASE64.encode(next));
            Ok(with_cookie(Redirect::to(&address).into_response(), &cookie))
        }
        Err(not_in) => refused(&app, &headers, &next, not_in).await,
    }
}

/// The answer that the provider sends back with a browser (RFC 6749, 4.1.2; RFC 9207).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Returned {
    code: String,
    state: String,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// `GET /sign-in/provider/back`: one who comes back from the provider.
pub async fn back(
    State(app): State<Arc<App>>,
    from: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Result<Response, Failure> {
    let begun = cookie(&headers, COOKIE).unwrap_or_default();
    let (seed, next) = begun.split_once('.').unwrap_or_default();
    let next = BASE64.decode(next).ok().and_then(|next| String::from_utf8(next).ok()).unwrap_or_default();
    if let Some(error) = returned.error {
        let words = words(&app, &headers);
        let said = returned.error_description.unwrap_or(error);
        let said: String = said.chars().filter(|c| !c.is_control()).take(WORDS_CHARS_MAX).collect();
        let tried = Tried { refused: Some(words.t1("sign-in.provider-refused", said)), ..Tried::default() };
        return Ok(over(sign_in_page(&app, &headers, &next, tried).await?));
    }
    let agent = header_text(&headers, header::USER_AGENT);
    let Returned { code, state, iss, .. } = returned;
    let back = Back { code, state, issuer: iss };
    let from = from.map(|Extension(from)| from).unwrap_or_default();
    match app.sign_in_by_provider(seed, back, agent, &from).await {
        Ok(signed_in) => {
            // A session that was there before ends: its cookie may have been planted.
            end_present(&app, &headers, &from).await?;
            Ok(over(entered(&signed_in.secret, &next)))
        }
        Err(not_in) => Ok(over(refused(&app, &headers, &next, not_in).await?)),
    }
}

/// A logout token, as a provider sends it.
#[derive(Debug, Deserialize)]
pub struct Ended {
    logout_token: String,
}

/// `POST /sign-in/provider/ended`: the provider itself ends sign-ins (OpenID Connect Back-Channel Logout 1.0, 2.5 to 2.8).
pub async fn ended(
    State(app): State<Arc<App>>,
    from: Option<Extension<ClientAddress>>,
    form: Result<axum::extract::Form<Ended>, FormRejection>,
) -> Response {
    let from = from.map(|Extension(from)| from).unwrap_or_default();
    let outcome = match form {
        Ok(axum::extract::Form(Ended { logout_token })) => app.end_by_provider(logout_token, &from).await,
        Err(_) => Err(NotIn::Unsound),
    };
    let status = match outcome {
        Ok(_) => StatusCode::OK,
        Err(NotIn::NotOffered) => StatusCode::NOT_FOUND,
        Err(NotIn::Wait(_)) => StatusCode::TOO_MANY_REQUESTS,
        Err(NotIn::Away | NotIn::Failed(_)) => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::BAD_REQUEST,
    };
    let body = if status == StatusCode::OK { "{}" } else { r#"{"error":"invalid_request"}"# };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The page for signing in once more, which says why one does not come in.
async fn refused(app: &App, headers: &HeaderMap, next: &str, not_in: NotIn) -> Result<Response, Failure> {
    let words = words(app, headers);
    let why = match not_in {
        NotIn::Failed(error) => return Err(error.into()),
        NotIn::NotOffered => return Err(Failure::NoPage),
        NotIn::NotBegunHere => words.t("sign-in.not-begun"),
        NotIn::Wait(wait) => words.t1("sign-in.provider-wait", wait.as_secs().max(1)),
        NotIn::Away => words.t("sign-in.provider-away"),
        NotIn::Unsound => words.t("sign-in.provider-unsound"),
        NotIn::Unknown { name } if name.is_empty() => words.t("sign-in.provider-nameless"),
        NotIn::Unknown { name } => words.t1("sign-in.provider-unknown", name),
        NotIn::Taken { .. } => words.t("sign-in.provider-taken"),
        NotIn::NoPart { .. } => words.t("sign-in.provider-no-part"),
    };
    sign_in_page(app, headers, next, Tried { refused: Some(why), ..Tried::default() }).await
}

fn words(app: &App, headers: &HeaderMap) -> Words {
    Frame::new(app, headers, "/sign-in", None).words
}

/// The end of a sign-in under way: its secrets serve once.
fn over(response: Response) -> Response {
    with_cookie(response, &format!("{COOKIE}=; {ATTRIBUTES}; Max-Age=0"))
}
