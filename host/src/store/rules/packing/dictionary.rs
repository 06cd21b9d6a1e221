//! The dictionaries that records are packed with: kept in the database, each under its digest, so that a record can always be
//! unpacked with the one that it was packed with.
//!
//! A record by itself is too short for a compressor to find much that repeats. A dictionary is text that every record can point
//! into. The first one ships with the program: Zstandard's trainer made it of a thousand records of the example rules at the demo
//! desk, and `ruledesk decisions train --out FILE` makes one like it. Each generation of rules extends it by what its rules' parts
//! begin with, so that digests, names and versions of rules take a few bytes in a record and not two hundred.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use sha2::{Digest as _, Sha256};
use zstd::zstd_safe::DDict;

use crate::store::db::{Arg, Db, Row, Tx};
use crate::store::sql::columns::hex;
use crate::store::{Error, Store};

/// The dictionary that ships with the program.
const SHIPPED: &[u8] = include_bytes!("records.dict");
/// The most bytes that a dictionary is extended by; what is beyond them is left out.
const EXTENSION_BYTES_MAX: usize = 32 << 10;
/// How large a dictionary is that is made of records. With more than this a compressor as fast as ours finds less in it.
const TRAINED_BYTES: usize = 32 << 10;
/// Orders of the samples that are tried.
const ORDERS: u8 = 12;
/// Of so many samples one is packed, to see what a dictionary is worth.
const TRIED_EACH: usize = 4;
/// Dictionaries that are kept ready to unpack with; each takes some 60 kB.
const READY_MAX: usize = 64;
/// Extended dictionaries that are kept: those of the rules that decide now, and of a few that were tried beside them.
const EXTENDED_MAX: usize = 4;

/// A Zstandard dictionary (RFC 8878, section 5).
pub struct Dictionary {
    /// SHA-256 of all bytes, in hexadecimal.
    digest: String,
    bytes: Vec<u8>,
    /// The dictionary that it begins with.
    base: Option<Arc<Dictionary>>,
    unpacking: DDict<'static>,
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dictionary").field("digest", &self.digest).field("bytes", &self.bytes.len()).finish()
    }
}

impl Dictionary {
    /// The dictionary of these bytes; `None` where they are none.
    pub fn of(bytes: Vec<u8>) -> Option<Arc<Dictionary>> {
        Self::with_base(bytes, None)
    }

    fn with_base(bytes: Vec<u8>, base: Option<Arc<Dictionary>>) -> Option<Arc<Dictionary>> {
        let unpacking = DDict::try_create(&bytes)?;
        Some(Arc::new(Dictionary { digest: hex(&Sha256::digest(&bytes).into()), bytes, base, unpacking }))
    }

    /// The dictionary that ships with the program.
    pub fn shipped() -> Arc<Dictionary> {
        static READY: OnceLock<Arc<Dictionary>> = OnceLock::new();
        let empty =
            || Dictionary { digest: String::new(), bytes: Vec::new(), base: None, unpacking: DDict::create(&[]) };
        // A test holds that it is a dictionary; were it none, records would be larger and nothing else.
        READY.get_or_init(|| Self::of(SHIPPED.to_vec()).unwrap_or_else(|| Arc::new(empty()))).clone()
    }

    /// This dictionary with text that records will point into at its end, where pointing is cheapest.
    pub fn extended(self: &Arc<Self>, extension: &[u8]) -> Arc<Dictionary> {
        let extension = extension.get(..EXTENSION_BYTES_MAX).unwrap_or(extension);
        if extension.is_empty() {
            return Arc::clone(self);
        }
        // A dictionary's text follows its tables and has no end mark (RFC 8878, section 5), so more may follow.
        let bytes = [self.bytes.as_slice(), extension].concat();
        Self::with_base(bytes, Some(Arc::clone(self))).unwrap_or_else(|| Arc::clone(self))
    }

    /// SHA-256 of its bytes, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// All bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text that it adds to its base.
    fn extension(&self) -> &[u8] {
        let own = self.base.as_ref().map_or(0, |base| base.bytes.len());
        self.bytes.get(own..).unwrap_or_default()
    }

    pub(super) fn unpacking(&self) -> &DDict<'static> {
        &self.unpacking
    }
}

/// Writes a dictionary, where it is not there yet; gives its id.
pub async fn register(tx: &mut Tx, dictionary: &Dictionary) -> Result<i64, Error> {
    let base = match &dictionary.base {
        Some(base) => Some(keep(tx, base.digest(), None, base.bytes()).await?),
        None => None,
    };
    keep(tx, dictionary.digest(), base, dictionary.extension()).await
}

async fn keep(tx: &mut Tx, digest: &str, base: Option<i64>, content: &[u8]) -> Result<i64, Error> {
    let find = "select id from record_dictionaries where digest = $1";
    if let Some(row) = tx.optional(find, vec![digest.into()]).await? {
        return row.int(0);
    }
    let sql = "insert into record_dictionaries (digest, base, trained, content) values ($1, $2, 0, $3) \
               on conflict (digest) do nothing";
    tx.execute(sql, vec![digest.into(), base.into(), Arg::from(content.to_vec())]).await?;
    // Another host may have written it in between.
    let row = tx.optional(find, vec![digest.into()]).await?;
    row.map_or(Err(Error::Conflict), |row| row.int(0))
}

/// The dictionaries of one database, as far as they were needed.
#[derive(Debug)]
pub struct Dictionaries {
    /// The one that new records' dictionaries begin with.
    base: Arc<Dictionary>,
    extended: Mutex<VecDeque<Arc<Dictionary>>>,
    ready: RwLock<HashMap<i64, Arc<Dictionary>>>,
}

impl Dictionaries {
    /// Finds the latest dictionary that was trained on the database's own records; the shipped one where there is none.
    pub async fn open(db: &Db) -> Result<Dictionaries, Error> {
        let sql = "select id, digest, content from record_dictionaries where trained = 1 order by id desc limit 1";
        let base = match db.optional(sql, Vec::new()).await? {
            Some(row) => whole(&row.text(1)?, row.bytes(2)?, None).ok(),
            None => None,
        };
        let base = base.unwrap_or_else(Dictionary::shipped);
        Ok(Dictionaries { base, extended: Mutex::default(), ready: RwLock::default() })
    }

    /// The dictionary that new records are packed with, extended by this text.
    pub fn extended(&self, extension: &[u8]) -> Arc<Dictionary> {
        let mut kept = self.extended.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.iter().find(|kept| kept.extension() == extension) {
            return Arc::clone(found);
        }
        let made = self.base.extended(extension);
        kept.truncate(EXTENDED_MAX - 1);
        kept.push_front(Arc::clone(&made));
        made
    }

    fn ready(&self, id: i64) -> Option<Arc<Dictionary>> {
        self.ready.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn keep_ready(&self, id: i64, dictionary: &Arc<Dictionary>) {
        let mut ready = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= READY_MAX {
            ready.clear();
        }
        ready.insert(id, Arc::clone(dictionary));
    }
}

/// Makes a dictionary of samples of what will be packed; `None` where there are too few, or nothing in them repeats.
///
/// What a trainer keeps depends on the order of the samples, by a fifth of what a record takes: so several orders are tried, and
/// the one stands with which samples become smallest.
pub fn train(samples: &[String]) -> Option<Arc<Dictionary>> {
    let tried = (0..ORDERS).filter_map(|order| trained(samples, order));
    tried.min_by_key(|(packed_bytes, _)| *packed_bytes).map(|(_, dictionary)| dictionary)
}

/// The dictionary of samples in one order, and how large it makes some of them.
fn trained(samples: &[String], order: u8) -> Option<(usize, Arc<Dictionary>)> {
    let place = |sample: &&String| Sha256::new().chain_update([order]).chain_update(sample.as_bytes()).finalize();
    let mut ordered: Vec<&String> = samples.iter().collect();
    ordered.sort_by_cached_key(place);
    let sizes: Vec<usize> = ordered.iter().map(|sample| sample.len()).collect();
    let text: String = ordered.into_iter().map(String::as_str).collect();
    let mut bytes: Vec<u8> = Vec::with_capacity(TRAINED_BYTES);
    zstd::zstd_safe::train_from_buffer(&mut bytes, text.as_bytes(), &sizes).ok()?;
    let dictionary = Dictionary::of(bytes)?;
    let packed =
        samples.iter().step_by(TRIED_EACH).filter_map(|sample| super::pack(sample.split('\0'), &dictionary).ok());
    Some((packed.map(|packed| packed.len()).sum(), dictionary))
}

/// A dictionary as it was kept, or why it is not that.
fn whole(digest: &str, content: Vec<u8>, base: Option<Arc<Dictionary>>) -> Result<Arc<Dictionary>, &'static str> {
    let bytes = match &base {
        Some(base) => [base.bytes(), &content].concat(),
        None => content,
    };
    let found = Dictionary::with_base(bytes, base).ok_or("is no dictionary")?;
    if found.digest() == digest { Ok(found) } else { Err("is not what was kept under its digest") }
}

impl Store {
    /// The dictionary that new records are packed with, extended by text that they will have.
    pub fn dictionary(&self, extension: &[u8]) -> Arc<Dictionary> {
        self.dictionaries.extended(extension)
    }

    /// Makes a dictionary the one that records are packed with when the desk is next started.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written to.
    pub async fn keep_dictionary(&self, dictionary: &Dictionary) -> Result<i64, Error> {
        let keep = async |mut tx| {
            let id = register(&mut tx, dictionary).await?;
            tx.execute("update record_dictionaries set trained = 1 where id = $1", vec![id.into()]).await?;
            Ok((id, tx))
        };
        self.db.durably(keep).await
    }

    /// The dictionary with this id, or why it cannot be had.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub(crate) async fn dictionary_of(&self, id: i64) -> Result<Result<Arc<Dictionary>, &'static str>, Error> {
        if let Some(ready) = self.dictionaries.ready(id) {
            return Ok(Ok(ready));
        }
        let sql = "select d.digest, d.content, d.base, b.digest, b.content \
                   from record_dictionaries d left join record_dictionaries b on b.id = d.base where d.id = $1";
        let Some(row) = self.db.optional(sql, vec![id.into()]).await? else { return Ok(Err("is gone")) };
        let found = read(&row)?;
        if let Ok(dictionary) = &found {
            self.dictionaries.keep_ready(id, dictionary);
        }
        Ok(found)
    }
}

fn read(row: &Row) -> Result<Result<Arc<Dictionary>, &'static str>, Error> {
    let base = match (row.opt_int(2)?, row.opt_text(3)?, row.opt_bytes(4)?) {
        (None, _, _) => None,
        (Some(_), Some(digest), Some(content)) => match whole(&digest, content, None) {
            Ok(base) => Some(base),
            Err(_) => return Ok(Err("begins with one that is not what was kept")),
        },
        (Some(_), _, _) => return Ok(Err("begins with one that is gone")),
    };
    Ok(whole(&row.text(0)?, row.bytes(1)?, base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_dictionary_is_one_and_small() {
        assert!(Dictionary::of(SHIPPED.to_vec()).is_some());
        assert!(SHIPPED.len() > 4 << 10 && SHIPPED.len() <= 64 << 10, "{}", SHIPPED.len());
    }

    #[test]
    fn an_extension_is_bounded_and_changes_the_digest() {
        let base = Dictionary::shipped();
        let extended = base.extended(&vec![b'x'; EXTENSION_BYTES_MAX + 1]);
        assert_eq!(extended.extension().len(), EXTENSION_BYTES_MAX);
        assert_ne!(extended.digest(), base.digest());
        assert!(Arc::ptr_eq(&base.extended(b""), &base));
    }
}
