//! Signed tokens of an identity provider: JSON Web Tokens (RFC 7519) in compact form (RFC 7515), with the keys of a JSON Web Key
//! Set (RFC 7517).
//!
//! Only signatures with public keys count, and a key signs with algorithms of its own kind alone: neither `none` nor a secret of
//! the desk's can stand for a signature (RFC 8725, 3.1 and 3.2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The largest token that is looked at, in bytes.
const BYTES_MAX: usize = 64 << 10;
/// The most keys of a set that are kept.
const KEYS_MAX: usize = 100;

/// Why a token does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    #[error("it is no signed token")]
    Malformed,
    #[error("it is signed with `{algorithm}`, which does not count here")]
    Algorithm { algorithm: String },
    #[error("no key of the provider fits it")]
    NoKey,
    #[error("its signature is wrong")]
    Wrong,
}

/// The public keys of a provider.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<Key>);

#[derive(Debug, Clone)]
struct Key {
    id: Option<String>,
    public: Public,
}

#[derive(Debug, Clone)]
enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A key as a set has it (RFC 7518, section 6).
#[derive(Debug, Deserialize)]
struct Written {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl Keys {
    /// The keys of a set. Those of a kind that is not known here are passed over, as RFC 7517 asks (section 5).
    pub fn read(set: &Value) -> Keys {
        let keys = set.get("keys").and_then(Value::as_array).into_iter().flatten().take(KEYS_MAX);
        let keys = keys.filter_map(|key| serde_json::from_value::<Written>(key.clone()).ok());
        Keys(keys.filter_map(Key::of).collect())
    }

    /// The claims of a token that one of these keys has signed.
    ///
    /// # Errors
    ///
    /// [`NotSigned`].
    pub fn claims(&self, token: &str) -> Result<Map<String, Value>, NotSigned> {
        if token.len() > BYTES_MAX {
            return Err(NotSigned::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(NotSigned::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(NotSigned::Malformed)?;
        let header: Header = part(header)?;
        // What a token says must be understood is not understood here.
        if header.crit.is_some() {
            return Err(NotSigned::Malformed);
        }
        let signature = BASE64.decode(signature).map_err(|_| NotSigned::Malformed)?;
        self.verify(&header, signed.as_bytes(), &signature)?;
        part(claims)
    }

    fn verify(&self, header: &Header, signed: &[u8], signature: &[u8]) -> Result<(), NotSigned> {
        let named = |key: &&Key| match (&header.kid, &key.id) {
            (Some(wanted), Some(id)) => wanted == id,
            // A provider with one key need not name it.
            _ => true,
        };
        let mut outcome = Err(NotSigned::NoKey);
        for key in self.0.iter().filter(named) {
            match key.public.verify(&header.alg, signed, signature) {
                Some(Ok(())) => return Ok(()),
                Some(Err(_)) => outcome = Err(NotSigned::Wrong),
                None => {}
            }
        }
        if !is_known(&header.alg) {
            outcome = Err(NotSigned::Algorithm { algorithm: header.alg.chars().take(20).collect() });
        }
        outcome
    }
}

/// The algorithms that count (RFC 7518, 3.1; RFC 8037).
fn is_known(algorithm: &str) -> bool {
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"].contains(&algorithm)
}

/// A part of a token.
fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, NotSigned> {
    let bytes = BASE64.decode(text).map_err(|_| NotSigned::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| NotSigned::Malformed)
}

impl Key {
    fn of(written: Written) -> Option<Key> {
        if written.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let bytes = |text: &Option<String>| BASE64.decode(text.as_deref()?).ok();
        let point = |length: usize| {
            let (x, y) = (bytes(&written.x)?, bytes(&written.y)?);
            // Uncompressed, as SEC 1 writes points (2.3.3).
            (x.len() == length && y.len() == length).then(|| [&[4][..], &x, &y].concat())
        };
        let public = match (written.kty.as_str(), written.crv.as_deref()) {
            ("RSA", _) => Public::Rsa { n: bytes(&written.n)?, e: bytes(&written.e)? },
            ("EC", Some("P-256")) => Public::P256(point(32)?),
            ("EC", Some("P-384")) => Public::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Public::Ed25519(bytes(&written.x)?),
            _ => return None,
        };
        Some(Key { id: written.kid, public })
    }
}

impl Public {
    /// Whether this key has signed; `None` where the algorithm is none of its own.
    fn verify(&self, algorithm: &str, signed: &[u8], by: &[u8]) -> Option<Result<(), ring::error::Unspecified>> {
        let plain = |with, key: &[u8]| Some(UnparsedPublicKey::new(with, key).verify(signed, by));
        match (self, algorithm) {
            (Public::Rsa { n, e }, _) => {
                let with = match algorithm {
                    "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
                    "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
                    "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
                    "PS512" => &signature::RSA_PSS_2048_8192_SHA512,
                    _ => return None,
                };
                Some(RsaPublicKeyComponents { n, e }.verify(with, signed, by))
            }
            (Public::P256(key), "ES256") => plain(&signature::ECDSA_P256_SHA256_FIXED, key),
            (Public::P384(key), "ES384") => plain(&signature::ECDSA_P384_SHA384_FIXED, key),
            (Public::Ed25519(key), "EdDSA") => {
                Some(UnparsedPublicKey::new(&signature::ED25519, key.as_slice()).verify(signed, by))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let head = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        format!("{head}.{}", BASE64.encode(sign(head.as_bytes())))
    }

    #[test]
    fn a_token_counts_with_the_provider_s_signature_alone() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let x = BASE64.encode(pair.public_key().as_ref());
        let keys = Keys::read(&json!({ "keys": [
            { "kty": "oct", "k": "c2VjcmV0", "kid": "shared" },
            { "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "one", "use": "sig" },
        ] }));
        let sign = |bytes: &[u8]| pair.sign(bytes).as_ref().to_vec();
        let claims = json!({ "sub": "amara" });
        let good = signed(&json!({ "alg": "EdDSA", "kid": "one" }), &claims, sign);
        assert_eq!(keys.claims(&good).unwrap()["sub"], "amara");

        let (head, signature) = good.rsplit_once('.').unwrap();
        let other = format!("{}.{}.{signature}", head.split_once('.').unwrap().0, BASE64.encode(r#"{"sub":"mei"}"#));
        assert_eq!(keys.claims(&other), Err(NotSigned::Wrong));
        let with = |header: Value| keys.claims(&signed(&header, &claims, sign));
        let algorithm = |name: &str| Err(NotSigned::Algorithm { algorithm: name.to_owned() });
        assert_eq!(with(json!({ "alg": "none" })), algorithm("none"));
        assert_eq!(with(json!({ "alg": "HS256", "kid": "shared" })), algorithm("HS256"));
        assert_eq!(with(json!({ "alg": "RS256", "kid": "one" })), Err(NotSigned::NoKey), "no algorithm of this key");
        assert_eq!(with(json!({ "alg": "EdDSA", "kid": "two" })), Err(NotSigned::NoKey));
        assert_eq!(with(json!({ "alg": "EdDSA", "kid": "one", "crit": ["exp"] })), Err(NotSigned::Malformed));
        for odd in ["", "a", "a.b", "a.b.c", &format!("{good}.x"), &good.replace('.', "")] {
            assert_eq!(keys.claims(odd), Err(NotSigned::Malformed), "{odd}");
        }
        assert!(with(json!({ "alg": "EdDSA" })).is_ok(), "the key need not be named");
    }

    #[test]
    fn points_of_curves_are_read_as_they_are_written() {
        let random = SystemRandom::new();
        let kept = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, kept.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
        let keys = Keys::read(&json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "y": y }] }));
        let sign = |bytes: &[u8]| pair.sign(&random, bytes).unwrap().as_ref().to_vec();
        let token = signed(&json!({ "alg": "ES256" }), &json!({ "sub": "a" }), sign);
        assert!(keys.claims(&token).is_ok());
        let short = Keys::read(&json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "AQ", "y": y }] }));
        assert_eq!(short.claims(&token), Err(NotSigned::NoKey));
    }
}
