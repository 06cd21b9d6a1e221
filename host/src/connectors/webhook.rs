//! Webhooks by Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks): the signature and the headers of one
//! attempt. The id stays the same over all attempts, so that a receiver knows what it has had.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::http::{HeaderMap, HeaderName, HeaderValue};

/// How a secret begins, as it is written.
const PREFIX: &str = "whsec_";
/// The fewest and the most bytes of a secret.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that the desk shares with one endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

// It must not reach a log.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A text that is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret is `whsec_` and the base64 of 24 to 64 bytes")]
pub struct NotASecret;

impl std::str::FromStr for Secret {
    type Err = NotASecret;

    fn from_str(text: &str) -> Result<Self, NotASecret> {
        let bytes = text.strip_prefix(PREFIX).and_then(|encoded| STANDARD.decode(encoded).ok()).ok_or(NotASecret)?;
        if BYTES.contains(&bytes.len()) { Ok(Secret(bytes)) } else { Err(NotASecret) }
    }
}

/// The headers of an attempt at this second of Unix time. It is signed with each secret, so that an endpoint takes it that knows
/// only one of two while they are changed.
pub fn headers(id: &str, second: i64, body: &str, secrets: &[Secret]) -> HeaderMap {
    let signed = format!("{id}.{second}.{body}");
    let signatures = secrets.iter().filter_map(|Secret(key)| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(signed.as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    let signatures = signatures.collect::<Vec<_>>().join(" ");
    let texts = [
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", second.to_string()),
        ("webhook-signature", signatures),
    ];
    // Ids are ours, and all else is digits and base64: each is a header's value.
    let headers = texts
        .into_iter()
        .filter_map(|(name, text)| Some((HeaderName::from_static(name), HeaderValue::try_from(text).ok()?)));
    headers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn a_signature_is_the_one_of_the_specification() {
        let secret: Secret = SECRET.parse().unwrap();
        let signed = headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
            std::slice::from_ref(&secret),
        );
        assert_eq!(signed["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(signed["webhook-timestamp"], "1614265330");
        let other: Secret = format!("whsec_{}", STANDARD.encode([7; 32])).parse().unwrap();
        let both = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}", &[other, secret]);
        let both = both["webhook-signature"].to_str().unwrap().to_owned();
        assert!(both.ends_with(" v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=") && both.matches("v1,").count() == 2);
    }

    #[test]
    fn a_secret_has_its_form() {
        for bad in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!"] {
            assert_eq!(bad.parse::<Secret>(), Err(NotASecret), "{bad}");
        }
        assert_eq!(format!("{:?}", SECRET.parse::<Secret>().unwrap()), "Secret(..)");
    }
}
