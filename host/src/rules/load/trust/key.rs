//! The signer's side: a private key, its file, and the signature that it makes.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::Signer as _;

use super::{CONNECTOR, SignatureFile, evidence, message};
use crate::rules::digest::Digest;

/// What a key's file begins with, so that a wrong file is told from a damaged one.
const HEAD: &str = "ruledesk-private-key-1 ";

/// A private key. It is wiped from memory when it is dropped.
pub struct SigningKey(ed25519_dalek::SigningKey);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("no random numbers for a key: {0}")]
    Random(getrandom::Error),
    #[error("{file} exists: a key that is overwritten can never sign again, so choose another name", file = file.display())]
    Exists { file: PathBuf },
    #[error("{file} cannot be written: {source}", file = file.display())]
    Unwritable { file: PathBuf, source: io::Error },
    #[error("{file} cannot be read: {source}", file = file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{file} can be read by others than its owner (mode {mode:03o}): run `chmod 600` on it, or make another key", file = file.display())]
    Exposed { file: PathBuf, mode: u32 },
    #[error("{file} is no private key: `ruledesk rule keygen` makes one", file = file.display())]
    NotAKey { file: PathBuf },
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    ///
    /// Where the system has no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// The key of a seed.
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Writes the key to a new file that only its owner may read.
    ///
    /// # Errors
    ///
    /// Where the file exists or cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), KeyError> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        let mut out = made.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists { file: file.to_owned() },
            _ => KeyError::Unwritable { file: file.to_owned(), source },
        })?;
        let text = format!("{HEAD}{}\n", BASE64.encode(self.0.as_bytes()));
        let written = out.write_all(text.as_bytes()).and_then(|()| out.sync_all());
        written.map_err(|source| KeyError::Unwritable { file: file.to_owned(), source })
    }

    /// Reads a key.
    ///
    /// # Errors
    ///
    /// Where the file is no key, or others than its owner may read it.
    pub fn read(file: &Path) -> Result<Self, KeyError> {
        let unreadable = |source| KeyError::Unreadable { file: file.to_owned(), source };
        let mode = fs::metadata(file).map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { file: file.to_owned(), mode });
        }
        let text = fs::read_to_string(file).map_err(unreadable)?;
        let bytes = text.strip_prefix(HEAD).and_then(|text| BASE64.decode(text.trim_end()).ok());
        let seed = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        seed.map(|seed| Self::from_bytes(&seed)).ok_or_else(|| KeyError::NotAKey { file: file.to_owned() })
    }

    /// The public key's bytes.
    pub fn public_bytes(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The public key in base64, as a signature names it.
    pub fn public(&self) -> String {
        BASE64.encode(self.public_bytes())
    }

    /// Vouches for evidence of a digest, in base64.
    pub fn sign_evidence(&self, digest: Digest) -> String {
        BASE64.encode(self.0.sign(&evidence(digest)).to_bytes())
    }

    /// Vouches for a connector that is a component.
    pub fn sign_connector(&self, component: Digest) -> SignatureFile {
        self.sign(component, Digest::of(CONNECTOR))
    }

    /// Vouches for a component with its manifest.
    pub fn sign(&self, component: Digest, manifest: Digest) -> SignatureFile {
        let signature = self.0.sign(&message(component, manifest));
        SignatureFile {
            key: self.public(),
            component: component.to_string(),
            manifest: manifest.to_string(),
            signature: BASE64.encode(signature.to_bytes()),
        }
    }
}

impl SignatureFile {
    /// The file's text.
    pub fn to_text(&self) -> String {
        let Self { key, component, manifest, signature } = self;
        // Base64 and hexadecimal have nothing that TOML would escape.
        format!(
            "# Who vouches for the files that this belongs to, as they are; made by `ruledesk rule sign` or `ruledesk connector sign`.\n\
             key = \"{key}\"\ncomponent = \"{component}\"\nmanifest = \"{manifest}\"\nsignature = \"{signature}\"\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("release.key");
        let key = SigningKey::generate().unwrap();
        key.write(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(SigningKey::read(&file).unwrap().public(), key.public());
        assert!(matches!(SigningKey::generate().unwrap().write(&file), Err(KeyError::Exists { .. })));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(SigningKey::read(&file), Err(KeyError::Exposed { mode: 0o640, .. })));
    }
}
