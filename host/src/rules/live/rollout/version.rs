//! Which version of a rule is meant, in full and in short.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::rules::digest::{Digest, NotADigest};

/// The fewest hexadecimal digits that stand for a digest.
const DIGITS_MIN: usize = 4;
/// Digits of a digest that are shown: enough to be meant alone.
const DIGITS_SHOWN: usize = 12;

/// A version of a rule: a component and a manifest, by their digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId {
    pub component: Digest,
    pub manifest: Digest,
}

impl VersionId {
    /// As it is shown where there is little room: the beginnings of both digests, with a hyphen between them.
    pub fn short(&self) -> String {
        let cut = |digest: Digest| digest.to_string().chars().take(DIGITS_SHOWN).collect::<String>();
        format!("{}-{}", cut(self.component), cut(self.manifest))
    }

    /// Whether a text means this version: the beginning of its component's digest, of its manifest's, or of both with a hyphen
    /// or a slash between them. Others may be meant by it, too.
    pub fn is_meant_by(&self, text: &str) -> bool {
        let begins = |digest: Digest, part: &str| part.len() >= DIGITS_MIN && digest.to_string().starts_with(part);
        match text.split_once(['-', '/']) {
            Some((component, manifest)) => begins(self.component, component) && begins(self.manifest, manifest),
            None => begins(self.component, text) || begins(self.manifest, text),
        }
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.component, self.manifest)
    }
}

impl FromStr for VersionId {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let (component, manifest) = text.split_once('/').ok_or(NotADigest)?;
        Ok(Self { component: component.parse()?, manifest: manifest.parse()? })
    }
}

impl Serialize for VersionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
