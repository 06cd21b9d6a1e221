//! `[rules]` of `desk.toml`: which rules may go live. It is read at the start.
//!
//! - `trusted-keys`: whose signature a rule needs before it goes live. Each is `NAME:KEY`, as `ruledesk rule keygen` prints it: the
//!   desk's own name for the key, and its 32 bytes in base64. With one or more of them, a rule that none of them has signed is
//!   refused, from the directory as from the API; without the key, rules need no signature.
//! - `withdrawn`: SHA-256 digests of components and manifests that never go live again, signed or not, as `rules versions` shows
//!   them; default none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::read::{Keys, distinct};
use super::wrong::Wrong;

/// A public key as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    pub name: String,
    /// An Ed25519 public key (RFC 8032), not checked further.
    pub bytes: [u8; 32],
}

/// Reads the list. One that is there and empty is a mistake: it could be meant to trust nobody.
pub fn read(keys: &mut Keys<'_>) -> Vec<TrustedKey> {
    let Some(node) = keys.optional("trusted-keys") else { return Vec::new() };
    let items = node.list();
    if items.is_empty() {
        node.report(Wrong::Blank);
    }
    distinct(items, |node| node.parsed(parse))
}

/// Reads the digests of what was withdrawn.
pub fn withdrawn(keys: &mut Keys<'_>) -> Vec<String> {
    let digest = |text: &str| {
        let is_hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if is_hex { Ok(text.to_owned()) } else { Err(Wrong::NotADigest { text: text.to_owned() }) }
    };
    distinct(keys.list("withdrawn"), |node| node.parsed(digest))
}

fn parse(text: &str) -> Result<TrustedKey, Wrong> {
    let wrong = || Wrong::NotATrustedKey { text: text.to_owned() };
    let (name, key) = text.split_once(':').ok_or_else(wrong)?;
    let bytes = BASE64.decode(key).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or_else(wrong)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 60 || !name.chars().all(plain) {
        return Err(wrong());
    }
    Ok(TrustedKey { name: name.to_owned(), bytes })
}
