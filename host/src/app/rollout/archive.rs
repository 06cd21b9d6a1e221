//! The archive of rules: every version that ever decided, to be read, compared and fetched.

use std::path::Path;

use jiff::Timestamp;

use crate::app::error::{Broken, Damaged};
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::rules::live::rollout::VersionId;
use crate::rules::load::difference::{self, Change};
use crate::rules::run::manifest;
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Stage;
use crate::store::rules::versions::{ListedVersion, RuleVersion};
pub use crate::store::sql::page::Page;

/// A version of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub rule: String,
    pub version: String,
    pub component_digest: String,
    pub manifest_digest: String,
    pub stages: Vec<Stage>,
    pub component_bytes: i64,
    pub first_seen: Timestamp,
    /// Set where the manifest in the archive is not what was archived: then nothing uses it.
    pub damage: Option<String>,
}

impl Version {
    /// Its identity.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where the archive has it under something that is no digest.
    pub fn id(&self) -> Result<VersionId, Error> {
        let Self { rule, component_digest, manifest_digest, .. } = self;
        let id = format!("{component_digest}/{manifest_digest}");
        id.parse().map_err(|why| Damaged::VersionId { rule: rule.clone(), id, why }.into())
    }
}

/// How two versions differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub from: Version,
    pub to: Version,
    /// The manifest's keys that differ, settings among them.
    pub changes: Vec<Change>,
    /// The manifests' lines that differ, as a unified diff.
    pub lines: String,
}

fn version(rule: &str, listed: ListedVersion) -> Version {
    let whole = listed.manifest_is_whole();
    // A version in the archive has been live, so its manifest was read before.
    let manifest = whole.then(|| manifest::parse(Path::new(rule), &listed.manifest).ok()).flatten();
    Version {
        rule: rule.to_owned(),
        stages: manifest.map(|manifest| manifest.stages).unwrap_or_default(),
        damage: (!whole).then(|| format!("its manifest is not what was archived as {}", listed.manifest_digest)),
        version: listed.version,
        component_digest: listed.component_digest,
        manifest_digest: listed.manifest_digest,
        component_bytes: listed.component_bytes,
        first_seen: listed.first_seen,
    }
}

fn never(rule: &str) -> Error {
    Error::Missing { what: "rule in the archive called", name: rule.to_owned() }
}

impl Office {
    /// Some of the versions of a rule in the archive, the newest first, after so many.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] where none of them ever decided.
    pub async fn rule_versions(
        &self,
        actor: &Actor,
        rule: &str,
        after: i64,
        limit: usize,
    ) -> Result<Page<Version, i64>, Error> {
        permission::read_rules(actor)?;
        let listed = self.store.rule_versions_after(rule, after, limit).await?;
        if listed.items.is_empty() && !self.store.has_rule(rule).await? {
            return Err(never(rule));
        }
        let next = listed.next.map(|()| after.saturating_add(i64::try_from(limit).unwrap_or(i64::MAX)));
        let name = rule.to_owned();
        // Manifests may be long, and each is read.
        let items = self.apart(move || listed.items.into_iter().map(|listed| version(&name, listed)).collect()).await?;
        Ok(Page { items, next })
    }

    /// One version with its manifest and its component, both of which are what was archived: by the beginning of its
    /// component's or its manifest's digest, or of both with a hyphen between them.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; [`Error::Ambiguous`] where several versions are meant; [`Error::Damaged`] where
    /// either is not what was archived.
    pub async fn rule_version(&self, actor: &Actor, rule: &str, digest: &str) -> Result<(Version, RuleVersion), Error> {
        permission::read_rules(actor)?;
        self.whole_version(rule, digest).await
    }

    /// The text of a version's `rule.sig`, where it is signed: who vouches for what was read.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn rule_signature(&self, actor: &Actor, version: &Version) -> Result<Option<String>, Error> {
        permission::read_rules(actor)?;
        Ok(self.store.signature(&version.component_digest, &version.manifest_digest).await?)
    }

    /// How two versions of a rule differ.
    ///
    /// # Errors
    ///
    /// Those of [`Office::rule_version`].
    pub async fn rule_difference(&self, actor: &Actor, rule: &str, from: &str, to: &str) -> Result<Difference, Error> {
        permission::read_rules(actor)?;
        let ((from, old), (to, new)) = (self.whole_version(rule, from).await?, self.whole_version(rule, to).await?);
        // Manifests may be long, and no request waits for a comparison of others.
        let (old, new) = (old.manifest, new.manifest);
        let compared = tokio::task::spawn_blocking(move || {
            difference::changes(&old, &new).map(|changes| (changes, difference::lines(&old, &new)))
        });
        let (changes, lines) = compared.await.map_err(Broken::Task)?.map_err(Broken::Manifest)?;
        Ok(Difference { from, to, changes, lines })
    }

    async fn versions(&self, rule: &str) -> Result<Vec<Version>, Error> {
        let listed = self.store.rule_versions(rule).await?;
        if listed.is_empty() {
            return Err(never(rule));
        }
        Ok(listed.into_iter().map(|listed| version(rule, listed)).collect())
    }

    /// The one version that a text means: the beginning of its digests, or the version that its manifest names.
    pub(super) async fn find_version(&self, rule: &str, digest: &str) -> Result<Version, Error> {
        let mut meant = self.versions(rule).await?;
        let is_named = meant.iter().any(|version| version.version == digest);
        meant.retain(|version| {
            if is_named { version.version == digest } else { version.id().is_ok_and(|id| id.is_meant_by(digest)) }
        });
        let name = digest.to_owned();
        match (meant.pop(), meant.is_empty()) {
            (None, _) => Err(Error::Missing { what: "version of it in the archive with the name or digest", name }),
            (Some(version), true) => Ok(version),
            (Some(last), false) => {
                let all = meant.iter().chain([&last]);
                let meant = all.map(|v| format!("{}-{}", v.component_digest, v.manifest_digest)).collect();
                Err(Error::Ambiguous { what: "digest", name, meant })
            }
        }
    }

    async fn whole_version(&self, rule: &str, digest: &str) -> Result<(Version, RuleVersion), Error> {
        let version = self.find_version(rule, digest).await?;
        let kept = self.store.rule_version(&version.component_digest, &version.manifest_digest).await?;
        let missing = || Error::Missing { what: "version of it in the archive", name: digest.to_owned() };
        Ok((version, kept.ok_or_else(missing)?))
    }

    /// Puts a rule into the archive, where it is not there yet. A version is archived before it becomes active: what cannot be
    /// kept must not decide.
    ///
    /// # Errors
    ///
    /// Where it cannot be written; [`Error::Damaged`] where the archive has something else under its digests.
    pub async fn keep(&self, rule: &Rule) -> Result<(), Error> {
        let (component_digest, manifest_digest) = (rule.digest.to_string(), rule.manifest_digest.to_string());
        if self.store.rule_version(&component_digest, &manifest_digest).await?.is_some() {
            return Ok(());
        }
        let source = rule.component.clone();
        let component = tokio::task::spawn_blocking(move || source.read()).await;
        let component =
            component?.map_err(|source| Broken::Component { rule: rule.manifest.name.to_string(), source })?;
        let version = RuleVersion {
            component_digest,
            manifest_digest,
            name: rule.manifest.name.as_str().to_owned(),
            version: rule.manifest.version.clone(),
            manifest: rule.manifest_text.to_string(),
            component,
        };
        Ok(self.store.keep_rule_version(version, self.clock.now()).await?)
    }
}
