//! Signed messages by Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks): the secrets, the signature of a
//! message that leaves, and the check of one that comes in. A room of its own because what leaves and what comes in are the
//! business of two others, which share the secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

/// How a secret begins, as it is written.
const PREFIX: &str = "whsec_";
/// The fewest and the most bytes of a secret.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// How far the time of a message may lie from the present, in seconds.
const APART_S_MAX: u64 = 300;
/// The most signatures of one message that are looked at.
const SIGNATURES_MAX: usize = 10;

/// A secret that the desk shares with one other system.
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

/// A new secret of these random bytes, as it is written.
pub fn written(bytes: &[u8; 32]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(bytes))
}

/// The secrets of a file that has one a line.
///
/// # Errors
///
/// [`NotASecret`] where one is none, or there is none.
pub fn secrets(text: &str) -> Result<Vec<Secret>, NotASecret> {
    let secrets: Vec<Secret> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    if secrets.is_empty() { Err(NotASecret) } else { Ok(secrets) }
}

fn mac(Secret(key): &Secret, id: &str, second: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{id}.{second}.").as_bytes());
    mac.update(body);
    Some(mac)
}

/// The signatures of a message at this second of Unix time, one by each secret, so that a receiver takes it that knows only one
/// of two while they are changed.
pub fn sign(id: &str, second: i64, body: &[u8], secrets: &[Secret]) -> String {
    let signatures = secrets.iter().filter_map(|secret| {
        let mac = mac(secret, id, second, body)?;
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

/// The headers by which a message says who has signed it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signed<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`: the second of Unix time.
    pub timestamp: &'a str,
    /// `webhook-signature`: signatures with spaces between them.
    pub signatures: &'a str,
}

impl Signed<'_> {
    /// Whether it is a message of now that names itself, as far as its headers say: before anything is read for it.
    pub fn is_of(&self, now: Timestamp) -> bool {
        let second = self.timestamp.parse::<i64>().ok();
        !self.id.is_empty() && second.is_some_and(|second| second.abs_diff(now.as_second()) <= APART_S_MAX)
    }

    /// Whether one of the secrets has signed this body, not longer ago than five minutes.
    pub fn is_by(&self, secrets: &[Secret], body: &[u8], now: Timestamp) -> bool {
        let Ok(second) = self.timestamp.parse::<i64>() else { return false };
        if !self.is_of(now) {
            return false;
        }
        let given = self.signatures.split(' ').take(SIGNATURES_MAX).filter_map(|one| one.strip_prefix("v1,"));
        let given: Vec<Vec<u8>> = given.filter_map(|encoded| STANDARD.decode(encoded).ok()).collect();
        let macs = secrets.iter().filter_map(|secret| mac(secret, self.id, second, body));
        // The comparison takes as long for a wrong signature as for the right one.
        macs.into_iter().any(|mac| given.iter().any(|signature| mac.clone().verify_slice(signature).is_ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SECOND: i64 = 1_614_265_330;
    const BODY: &[u8] = b"{\"test\": 2432232314}";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn a_signature_is_the_one_of_the_specification() {
        let secret: Secret = SECRET.parse().unwrap();
        assert_eq!(sign(ID, SECOND, BODY, std::slice::from_ref(&secret)), SIGNATURE);
        let other: Secret = format!("whsec_{}", STANDARD.encode([7; 32])).parse().unwrap();
        let both = sign(ID, SECOND, BODY, &[other, secret]);
        assert!(both.ends_with(&format!(" {SIGNATURE}")) && both.matches("v1,").count() == 2);
    }

    #[test]
    fn a_message_counts_where_all_of_it_was_signed_and_not_long_ago() {
        let secrets = secrets(&format!("whsec_{}\n{SECRET}\n", STANDARD.encode([7; 32]))).unwrap();
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let signed = Signed { id: ID, timestamp: "1614265330", signatures: "v1,AAAA v1a,xyz" };
        let good = Signed { signatures: &format!("v1,AAAA {SIGNATURE}"), ..signed };
        assert!(good.is_by(&secrets, BODY, at(SECOND)) && good.is_by(&secrets, BODY, at(SECOND + 300)));
        for second in [SECOND + 301, SECOND - 301] {
            assert!(!good.is_by(&secrets, BODY, at(second)), "{second}");
        }
        assert!(!good.is_by(&secrets, b"{\"test\": 1}", at(SECOND)) && !good.is_by(&[], BODY, at(SECOND)));
        assert!(!Signed { id: "other", ..good }.is_by(&secrets, BODY, at(SECOND)));
        assert!(!Signed { timestamp: "1614265331", ..good }.is_by(&secrets, BODY, at(SECOND)));
        assert!(!Signed { timestamp: "soon", ..good }.is_by(&secrets, BODY, at(SECOND)));
        assert!(!signed.is_by(&secrets, BODY, at(SECOND)));
        assert!(!Signed::default().is_by(&secrets, BODY, at(SECOND)));
    }

    #[test]
    fn a_secret_has_its_form() {
        for bad in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!"] {
            assert_eq!(bad.parse::<Secret>(), Err(NotASecret), "{bad}");
        }
        assert!(secrets("\n").is_err());
        assert_eq!(written(&[7; 32]).parse::<Secret>(), Ok(Secret(vec![7; 32])));
        assert_eq!(format!("{:?}", SECRET.parse::<Secret>().unwrap()), "Secret(..)");
    }
}
