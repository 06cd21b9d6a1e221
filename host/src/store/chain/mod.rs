//! Chains of hashes: over the runs of the rules, the ledger of access, the acts of archiving, the audit of rules, tables and
//! tokens, and over all timelines. They show when a record was removed, changed, added or moved later. The state that takes effect
//! is in tables of its own, which are compared with the chains.
//!
//! A record's hash is SHA-256 (FIPS 180-4) over the hash before it, its place, and the digest of its content. The content is
//! a tag, then each field with its length before it, numbers in eight bytes, the least significant first. Which fields those
//! are, the number of the encoding says, with which a hash begins; so another encoding can follow on the same chain.
//!
//! An attacker who can write to the database can compute a whole chain again; comparing it with a head that was kept elsewhere
//! shows that. Records from before there were chains are counted, and the first hash stands on their count.

use sha2::{Digest as _, Sha256};

use super::Error;
use super::db::{Row, Tx};
use super::sql::columns::{corrupt, hex};
use super::sql::places;

pub mod audit;
pub mod check;
mod compare;
pub mod entrance;
pub mod export;
pub mod search;
pub mod timelines;

/// Which fields of a record are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// All fields that the first chains knew.
    One,
    /// For a run, the revision of the deployments as well.
    Two,
}

impl Encoding {
    /// The one that a hash was made with.
    pub fn of(hash: &str) -> Encoding {
        if hash.starts_with("2:") { Encoding::Two } else { Encoding::One }
    }

    const fn number(self) -> &'static str {
        match self {
            Encoding::One => "1",
            Encoding::Two => "2",
        }
    }
}

/// One of the chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// Each run of the rules, with all its decisions.
    Runs,
    /// Each event about access.
    Ledger,
    /// Each segment of runs that was made or deleted.
    Archive,
    /// Acts on rules, tables and tokens, and submissions that were refused.
    Audit,
    /// The entries of all timelines.
    Timelines,
}

impl Chain {
    /// All chains, in the order in which a transaction may lock their heads.
    pub const ALL: [Chain; 5] = [Chain::Runs, Chain::Ledger, Chain::Archive, Chain::Audit, Chain::Timelines];

    /// The chain's name, which is its table's as well.
    pub const fn name(self) -> &'static str {
        match self {
            Chain::Runs => "runs",
            Chain::Ledger => "ledger",
            Chain::Archive => "archive",
            Chain::Audit => "audit",
            Chain::Timelines => "timelines",
        }
    }
}

/// The digest of a record's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentDigest {
    encoding: Encoding,
    digest: [u8; 32],
}

/// Content, as it is hashed: field by field.
pub struct Content(Encoding, Sha256);

impl Content {
    /// Begins the content of a record of some kind.
    pub fn of(kind: Chain, encoding: Encoding) -> Self {
        let mut content = Content(encoding, Sha256::new());
        content.field(b"ruledesk record").field(kind.name().as_bytes()).field(encoding.number().as_bytes());
        content
    }

    /// Adds bytes, their length before them: no two lists of fields give the same bytes.
    pub fn field(&mut self, bytes: &[u8]) -> &mut Self {
        self.1.update((bytes.len() as u64).to_le_bytes());
        self.1.update(bytes);
        self
    }

    /// Adds a number.
    pub fn int(&mut self, number: i64) -> &mut Self {
        self.1.update(number.to_le_bytes());
        self
    }

    /// The digest of all that was added.
    pub fn digest(self) -> ContentDigest {
        ContentDigest { encoding: self.0, digest: self.1.finalize().into() }
    }
}

/// The hash that a chain begins with.
pub(super) fn beginning(chain: Chain, unchained: i64) -> String {
    let mut content = Content::of(chain, Encoding::One);
    content.field(b"beginning").int(unchained);
    let ContentDigest { encoding, digest } = content.digest();
    written(encoding, &digest)
}

/// The hash of the record at a place.
pub(super) fn hash(before: &str, link: i64, content: &ContentDigest) -> String {
    let mut sha = Sha256::new();
    sha.update((before.len() as u64).to_le_bytes());
    sha.update(before.as_bytes());
    sha.update(link.to_le_bytes());
    sha.update(content.digest);
    written(content.encoding, &sha.finalize().into())
}

fn written(encoding: Encoding, digest: &[u8; 32]) -> String {
    format!("{}:{}", encoding.number(), hex(digest))
}

/// The ends of several chains, which a transaction takes in one statement.
pub struct Ends(Vec<End>);

impl Ends {
    /// Takes the ends of some chains, as [`End::take`] does, in the order of [`Chain::ALL`].
    pub async fn take(tx: &mut Tx, chains: &[Chain]) -> Result<Ends, Error> {
        if chains.is_empty() {
            return Ok(Ends(Vec::new()));
        }
        let all = Chain::ALL.iter().enumerate();
        let order: String = all.map(|(place, chain)| format!(" when '{}' then {place}", chain.name())).collect();
        // PostgreSQL locks rows one by one as they come out of the sort, and reads each as it is after the wait for it.
        let (of, lock) = (places(0, chains.len()), tx.for_update());
        let sql = format!(
            "select link, hash, unchained, chain from chain_heads where chain in ({of}) order by case chain{order} end{lock}"
        );
        let args = chains.iter().map(|chain| chain.name().into()).collect();
        let mut ends = Vec::with_capacity(chains.len());
        for head in tx.all(&sql, args).await? {
            let name = head.text(3)?;
            if let Some(chain) = chains.iter().find(|chain| chain.name() == name) {
                ends.push(End::of(*chain, &head)?);
            }
        }
        Ok(Ends(ends))
    }

    /// One of them, which is then its receiver's.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] where the database has no such chain.
    pub fn give(&mut self, chain: Chain) -> Result<End, Error> {
        let Ends(ends) = self;
        let place = ends.iter().position(|end| end.chain == chain);
        Ok(ends.swap_remove(place.ok_or_else(|| corrupt("chain_heads", "chain", "nothing"))?))
    }
}

/// The end of a chain, which a transaction holds and lengthens.
pub struct End {
    chain: Chain,
    link: i64,
    hash: String,
}

impl End {
    /// Takes the end of a chain and keeps it from everybody else until the transaction ends.
    ///
    /// A transaction takes ends last, when all that it may have to wait for is done, and in the order of [`Chain::ALL`]: so
    /// no two of them wait for each other, and none waits long.
    pub async fn take(tx: &mut Tx, chain: Chain) -> Result<End, Error> {
        // An update that changes nothing locks the row on either database.
        let sql = "update chain_heads set link = link where chain = $1 returning link, hash, unchained";
        let head = tx.optional(sql, vec![chain.name().into()]).await?;
        End::of(chain, &head.ok_or_else(|| corrupt("chain_heads", "chain", "nothing"))?)
    }

    fn of(chain: Chain, head: &Row) -> Result<End, Error> {
        let link = head.int(0)?;
        let hash = if link == 0 { beginning(chain, head.int(2)?) } else { head.text(1)? };
        Ok(End { chain, link, hash })
    }

    /// Whether the chain has no record yet.
    fn is_beginning(&self) -> bool {
        self.link == 0
    }

    /// Adds a record; its place and its hash.
    pub fn add(&mut self, content: &ContentDigest) -> (i64, String) {
        self.link += 1;
        self.hash = hash(&self.hash, self.link, content);
        (self.link, self.hash.clone())
    }

    /// Writes down where the chain ends now.
    pub async fn put_back(self, tx: &mut Tx) -> Result<(), Error> {
        let sql = "update chain_heads set link = $1, hash = $2 where chain = $3";
        tx.later(sql, vec![self.link.into(), self.hash.into(), self.chain.name().into()]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ends_are_taken_together_in_the_order_of_all_chains() {
        let folder = tempfile::tempdir().unwrap();
        let target = crate::store::Target::Sqlite(folder.path().join("desk.db"));
        let store = crate::store::Store::open(&target).await.unwrap();
        let mut tx = store.db.begin().await.unwrap();
        let mut ends = Ends::take(&mut tx, &[Chain::Timelines, Chain::Runs]).await.unwrap();
        let taken: Vec<Chain> = ends.0.iter().map(|end| end.chain).collect();
        assert_eq!(taken, [Chain::Runs, Chain::Timelines]);
        let mut runs = ends.give(Chain::Runs).unwrap();
        assert!(runs.is_beginning() && ends.give(Chain::Runs).is_err() && ends.give(Chain::Ledger).is_err());
        let (link, hash) = runs.add(&Content::of(Chain::Runs, Encoding::Two).digest());
        runs.put_back(&mut tx).await.unwrap();
        let again = End::take(&mut tx, Chain::Runs).await.unwrap();
        assert_eq!((again.link, &again.hash), (link, &hash));
        tx.commit().await.unwrap().done().await.unwrap();
        store.close().await;
    }

    #[test]
    fn fields_cannot_be_moved_across_their_borders() {
        let digest = |fields: &[&str]| {
            let mut content = Content::of(Chain::Ledger, Encoding::One);
            for field in fields {
                content.field(field.as_bytes());
            }
            content.digest()
        };
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["ab", ""]), digest(&["ab"]));
        assert_ne!(
            Content::of(Chain::Runs, Encoding::One).digest(),
            Content::of(Chain::Ledger, Encoding::One).digest()
        );
    }

    #[test]
    fn a_hash_depends_on_what_is_before_it_its_place_and_its_content() {
        let content = Content::of(Chain::Runs, Encoding::One).digest();
        let one = hash("a", 1, &content);
        assert_ne!(one, hash("b", 1, &content));
        assert_ne!(one, hash("a", 2, &content));
        assert_ne!(one, hash("a", 1, &Content::of(Chain::Ledger, Encoding::One).digest()));
        assert_ne!(beginning(Chain::Runs, 0), beginning(Chain::Runs, 1));
    }

    /// The encoding is frozen: chains that were written with it must stay right.
    #[test]
    fn the_first_encoding_stays_what_it_is() {
        let mut content = Content::of(Chain::Ledger, Encoding::One);
        content.int(7).field(b"granted");
        assert_eq!(hash(&beginning(Chain::Ledger, 3), 1, &content.digest()), FROZEN);
    }

    #[test]
    fn a_hash_says_how_it_was_made() {
        for encoding in [Encoding::One, Encoding::Two] {
            let content = Content::of(Chain::Runs, encoding).digest();
            assert_eq!(Encoding::of(&hash("a", 1, &content)), encoding);
        }
    }

    /// Computed by another program from the description above.
    const FROZEN: &str = "1:ad79b600b320adb9ffc9fc19405b0d0b738808b44cef2f37e6385b6b0710d494";
}
