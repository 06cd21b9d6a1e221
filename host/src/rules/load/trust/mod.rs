//! Who vouches for a rule or a connector: an Ed25519 signature (RFC 8032) beside its manifest and component, and the keys that a desk trusts.
//!
//! What is signed is the pair of digests, after a name that nothing else signs under: so a signature is for this component
//! with this manifest, settings included, and for no other pair. A desk that trusts no key in particular takes every rule.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::rules::digest::Digest;

pub mod key;

/// The signature's name in a rule's folder.
pub const SIGNATURE_FILE: &str = "rule.sig";
/// The end of the name of a connector's signature, after the name of the component's file.
pub const CONNECTOR_SIGNATURE: &str = ".sig";
/// The text that stands in the manifest's place where a connector is signed, which has none: no signature of a rule fits a connector,
/// and none of a connector fits a rule.
const CONNECTOR: &[u8] = b"ruledesk connector";
/// Before the digest of evidence, so that its signature fits no rule.
const EVIDENCE: &[u8] = b"ruledesk evidence 1\0";
/// The largest signature file that is read, in bytes; a written one has some 400.
pub const SIGNATURE_BYTES_MAX: usize = 4 << 10;
/// Before the two digests, so that a signature made for anything else never fits a rule.
const DOMAIN: &[u8] = b"ruledesk rule signature 1\0";

/// A public key that a desk trusts, under the desk's own name for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    pub name: String,
    key: VerifyingKey,
}

impl TrustedKey {
    /// A key from its 32 bytes.
    ///
    /// # Errors
    ///
    /// [`NotAKey`] where the bytes are no point of the curve, or one that fits signatures of anybody.
    pub fn new(name: &str, bytes: &[u8; 32]) -> Result<Self, NotAKey> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| NotAKey { name: name.to_owned() })?;
        if key.is_weak() {
            return Err(NotAKey { name: name.to_owned() });
        }
        Ok(Self { name: name.to_owned(), key })
    }

    /// A key as `ruledesk rule keygen` prints it: a name, a colon and the key in base64.
    ///
    /// # Errors
    ///
    /// [`NotAKey`].
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let (name, key) = text.split_once(':').unwrap_or((text, ""));
        let bytes = BASE64.decode(key).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        Self::new(name, &bytes.ok_or_else(|| NotAKey { name: name.to_owned() })?)
    }

    /// Whether this key has signed evidence of a digest; the signature is in base64.
    pub fn has_signed_evidence(&self, digest: Digest, signature: &str) -> bool {
        let signature = BASE64.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
        signature.is_some_and(|signature| self.key.verify_strict(&evidence(digest), &signature).is_ok())
    }
}

/// Why some bytes are no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the trusted key `{name}` is no Ed25519 public key: paste what `ruledesk rule keygen` printed")]
pub struct NotAKey {
    pub name: String,
}

/// The keys that a desk trusts. None at all means that rules need no signature.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    keys: Vec<TrustedKey>,
    /// Components and manifests that never come back, signed or not.
    withdrawn: BTreeSet<Digest>,
}

/// `rule.sig`: who signed what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignatureFile {
    /// The signer's public key, in base64: which key to look for.
    pub key: String,
    /// SHA-256 of `rule.wasm`, in hexadecimal.
    pub component: String,
    /// SHA-256 of `rule.toml`, in hexadecimal.
    pub manifest: String,
    /// Over both digests, in base64.
    pub signature: String,
}

/// Why a rule is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    #[error("the {part} {digest} was withdrawn: `[rules] withdrawn` of this desk names it, and it does not come back")]
    Withdrawn { part: &'static str, digest: Digest },
    #[error("it is not signed, and this desk takes only what is signed by {trusted}")]
    Unsigned { trusted: String },
    #[error("the signature is no {SIGNATURE_FILE} of ours: {message}")]
    Unreadable { message: String },
    #[error("it is signed with the key {key}, which this desk does not trust: it trusts {trusted}")]
    UnknownKey { key: String, trusted: String },
    #[error("the signature was not made with the key of `{name}`, which it names")]
    Forged { name: String },
    #[error("the component is not the one that `{name}` signed: its digest is {found}, signed was {signed}")]
    OtherComponent { name: String, found: Digest, signed: String },
    #[error("the manifest is not the one that `{name}` signed: its digest is {found}, signed was {signed}")]
    OtherManifest { name: String, found: Digest, signed: String },
}

impl Trust {
    /// The policy that asks for a signature by one of these keys.
    pub fn new(keys: Vec<TrustedKey>) -> Self {
        Self { keys, withdrawn: BTreeSet::new() }
    }

    /// The same policy, which refuses these components and manifests under any signature: an older signature stays good for
    /// ever, and a version that was found to be bad has to be named.
    #[must_use]
    pub fn without(self, withdrawn: BTreeSet<Digest>) -> Self {
        Self { withdrawn, ..self }
    }

    /// Whether rules need a signature.
    pub fn required(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The trusted key that signed a rule, given its signature's text; none is needed where no key is named as trusted.
    ///
    /// # Errors
    ///
    /// Says whether the signature is missing, by somebody else, or for other files.
    pub fn verify(
        &self,
        component: Digest,
        manifest: Digest,
        signature: Option<&str>,
    ) -> Result<Option<&str>, Untrusted> {
        for (part, digest) in [("component", component), ("manifest", manifest)] {
            if self.withdrawn.contains(&digest) {
                return Err(Untrusted::Withdrawn { part, digest });
            }
        }
        if !self.required() {
            return Ok(None);
        }
        let text = signature.ok_or_else(|| Untrusted::Unsigned { trusted: self.names() })?;
        let file = parse(text)?;
        let signer = self.keys.iter().find(|trusted| BASE64.encode(trusted.key.as_bytes()) == file.key);
        let Some(signer) = signer else {
            return Err(Untrusted::UnknownKey { key: file.key, trusted: self.names() });
        };
        let name = signer.name.clone();
        let signed = |text: &str| text.parse::<Digest>().map_err(|_| Untrusted::Forged { name: signer.name.clone() });
        let (signed_component, signed_manifest) = (signed(&file.component)?, signed(&file.manifest)?);
        let message = message(signed_component, signed_manifest);
        let good = BASE64.decode(&file.signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
        if good.is_none_or(|signature| signer.key.verify_strict(&message, &signature).is_err()) {
            return Err(Untrusted::Forged { name });
        }
        if signed_component != component {
            return Err(Untrusted::OtherComponent { name, found: component, signed: file.component });
        }
        if signed_manifest != manifest {
            return Err(Untrusted::OtherManifest { name, found: manifest, signed: file.manifest });
        }
        Ok(Some(&signer.name))
    }

    /// Who vouches for a connector, given its signature's text.
    ///
    /// # Errors
    ///
    /// As [`Trust::verify`].
    pub fn verify_connector(&self, component: Digest, signature: Option<&str>) -> Result<Option<&str>, Untrusted> {
        self.verify(component, Digest::of(CONNECTOR), signature)
    }

    fn names(&self) -> String {
        self.keys.iter().map(|trusted| format!("`{}`", trusted.name)).collect::<Vec<_>>().join(", ")
    }
}

fn parse(text: &str) -> Result<SignatureFile, Untrusted> {
    if text.len() > SIGNATURE_BYTES_MAX {
        let message = format!("it is larger than {SIGNATURE_BYTES_MAX} bytes");
        return Err(Untrusted::Unreadable { message });
    }
    toml::from_str(text).map_err(|error| Untrusted::Unreadable { message: error.message().to_owned() })
}

/// What is signed: the domain, then both digests' bytes, each of a fixed length.
fn message(component: Digest, manifest: Digest) -> Vec<u8> {
    [DOMAIN, component.as_bytes(), manifest.as_bytes()].concat()
}

/// The bytes that are signed of evidence.
fn evidence(digest: Digest) -> Vec<u8> {
    [EVIDENCE, digest.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::key::SigningKey;
    use super::*;

    fn trusted(key: &SigningKey) -> Trust {
        Trust::new(vec![TrustedKey::new("ops", &key.public_bytes()).unwrap()])
    }

    #[test]
    fn only_the_signed_pair_by_a_trusted_key_is_trusted() {
        let (ours, other) = (SigningKey::from_bytes(&[7; 32]), SigningKey::from_bytes(&[8; 32]));
        let (wasm, toml, changed) = (Digest::of(b"wasm"), Digest::of(b"toml"), Digest::of(b"changed"));
        let trust = trusted(&ours);
        let good = ours.sign(wasm, toml).to_text();
        assert_eq!(trust.verify(wasm, toml, Some(&good)), Ok(Some("ops")));
        assert_eq!(trust.verify(wasm, toml, None), Err(Untrusted::Unsigned { trusted: "`ops`".to_owned() }));
        let by_other = other.sign(wasm, toml).to_text();
        assert!(matches!(trust.verify(wasm, toml, Some(&by_other)), Err(Untrusted::UnknownKey { .. })));
        assert!(matches!(trust.verify(changed, toml, Some(&good)), Err(Untrusted::OtherComponent { .. })));
        assert!(matches!(trust.verify(wasm, changed, Some(&good)), Err(Untrusted::OtherManifest { .. })));
        assert!(matches!(trust.verify(wasm, toml, Some("key = 1")), Err(Untrusted::Unreadable { .. })));
        assert_eq!(Trust::default().verify(wasm, toml, None), Ok(None), "no policy, no signature");
    }

    #[test]
    fn a_rules_signature_fits_no_connector_and_a_connectors_fits_no_rule() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let (wasm, toml, trust) = (Digest::of(b"wasm"), Digest::of(b"toml"), trusted(&key));
        let connector = key.sign_connector(wasm).to_text();
        assert_eq!(trust.verify_connector(wasm, Some(&connector)), Ok(Some("ops")));
        let of_rule = key.sign(wasm, toml).to_text();
        assert!(matches!(trust.verify_connector(wasm, Some(&of_rule)), Err(Untrusted::OtherManifest { .. })));
        assert!(matches!(trust.verify(wasm, toml, Some(&connector)), Err(Untrusted::OtherManifest { .. })));
        assert!(matches!(trust.verify_connector(wasm, None), Err(Untrusted::Unsigned { .. })));
        assert_eq!(Trust::default().verify_connector(wasm, None), Ok(None), "no policy, no signature");
    }

    #[test]
    fn a_signature_that_states_other_digests_is_forged() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let (wasm, toml, other) = (Digest::of(b"wasm"), Digest::of(b"toml"), Digest::of(b"other"));
        let stated = SignatureFile { component: other.to_string(), ..key.sign(wasm, toml) };
        let forged = Err(Untrusted::Forged { name: "ops".to_owned() });
        assert_eq!(trusted(&key).verify(other, toml, Some(&stated.to_text())), forged);
        let by_other = SigningKey::from_bytes(&[8; 32]).sign(wasm, toml);
        let claimed = SignatureFile { key: key.public(), ..by_other };
        assert_eq!(trusted(&key).verify(wasm, toml, Some(&claimed.to_text())), forged);
    }

    #[test]
    fn what_was_withdrawn_does_not_come_back_however_it_is_signed() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let (wasm, toml) = (Digest::of(b"wasm"), Digest::of(b"toml"));
        let good = key.sign(wasm, toml).to_text();
        for (part, digest) in [("component", wasm), ("manifest", toml)] {
            for trust in [trusted(&key), Trust::default()] {
                let trust = trust.without([digest].into());
                assert_eq!(trust.verify(wasm, toml, Some(&good)), Err(Untrusted::Withdrawn { part, digest }));
            }
        }
        assert_eq!(trusted(&key).without([Digest::of(b"x")].into()).verify(wasm, toml, Some(&good)), Ok(Some("ops")));
    }

    #[test]
    fn a_key_that_fits_everything_is_no_key() {
        // The neutral element: a signature under it can be made by anybody.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(TrustedKey::new("weak", &neutral).is_err());
    }

    proptest! {
        #[test]
        fn no_changed_byte_goes_unnoticed(at in 0_usize..64, bit in 0_u8..8) {
            let key = SigningKey::from_bytes(&[7; 32]);
            let (wasm, toml) = (Digest::of(b"wasm"), Digest::of(b"toml"));
            let mut file = key.sign(wasm, toml);
            let mut bytes = BASE64.decode(&file.signature).unwrap();
            bytes[at] ^= 1 << bit;
            file.signature = BASE64.encode(bytes);
            let forged = Err(Untrusted::Forged { name: "ops".to_owned() });
            let trust = trusted(&key);
            prop_assert_eq!(trust.verify(wasm, toml, Some(&file.to_text())), forged);
        }
    }
}
