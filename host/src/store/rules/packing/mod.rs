//! A run's texts as one row holds them: joined, and compressed by Zstandard (RFC 8878) with a dictionary.
//!
//! The texts are cause, engine and shared input, then stage, input, verdict and rules of each stage, with a zero character
//! between any two: JSON has none, and neither have the others. A frame begins with Zstandard's magic number, which tells a
//! later form from this one; it has the length of the texts and a check sum of them.

use std::cell::RefCell;
use std::sync::Arc;

use zstd::zstd_safe::{CCtx, CParameter, DCtx, compress_bound, get_error_name, get_frame_content_size};

pub mod dictionary;

pub use dictionary::Dictionary;

/// How hard the compressor tries. 6 would save a fifth more and take six times as long (measured on the example rules' records).
const LEVEL: i32 = 3;
/// The most bytes that a run's texts may have together. No run of the desk comes near it; a damaged row may claim anything.
pub const TEXT_BYTES_MAX: usize = 256 << 20;
/// The mark that divides the texts.
const BETWEEN: u8 = 0;

/// Why texts cannot be packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPacked {
    #[error("a text of the record has a zero character, which no JSON has")]
    ZeroCharacter,
    #[error("the record has {0} bytes; at most {TEXT_BYTES_MAX} can be kept")]
    TooLarge(usize),
    #[error("the compressor refused the record: {0}")]
    Compressor(&'static str),
}

/// Why bytes cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotUnpacked {
    #[error("it is no compressed record")]
    NoFrame,
    #[error("it claims more bytes than any record has")]
    TooLarge,
    #[error("it cannot be decompressed: {0}")]
    Damaged(&'static str),
    #[error("what was compressed is no text")]
    NoText,
}

thread_local! {
    /// A compressor that has read the dictionary which this thread packed with last: reading one takes far longer than packing.
    static PACKING: RefCell<Option<(Arc<Dictionary>, CCtx<'static>)>> = const { RefCell::new(None) };
    static UNPACKING: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// Packs texts.
///
/// # Errors
///
/// [`NotPacked`].
pub fn pack<'a>(texts: impl Iterator<Item = &'a str>, dictionary: &Arc<Dictionary>) -> Result<Vec<u8>, NotPacked> {
    let mut joined = Vec::with_capacity(8 << 10);
    for (place, text) in texts.enumerate() {
        if text.as_bytes().contains(&BETWEEN) {
            return Err(NotPacked::ZeroCharacter);
        }
        if place > 0 {
            joined.push(BETWEEN);
        }
        joined.extend_from_slice(text.as_bytes());
    }
    if joined.len() > TEXT_BYTES_MAX {
        return Err(NotPacked::TooLarge(joined.len()));
    }
    let refused = |code| NotPacked::Compressor(get_error_name(code));
    PACKING.with_borrow_mut(|kept| {
        let same = kept.as_ref().is_some_and(|(of, _)| Arc::ptr_eq(of, dictionary));
        if !same {
            *kept = Some((Arc::clone(dictionary), compressor(dictionary).map_err(refused)?));
        }
        let Some((_, compressor)) = kept else { return Err(NotPacked::Compressor("it is gone")) };
        let mut packed = Vec::with_capacity(compress_bound(joined.len()));
        compressor.compress2(&mut packed, &joined).map_err(refused)?;
        packed.shrink_to_fit();
        Ok(packed)
    })
}

fn compressor(dictionary: &Dictionary) -> Result<CCtx<'static>, usize> {
    let mut compressor = CCtx::create();
    compressor.set_parameter(CParameter::CompressionLevel(LEVEL))?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    // The row names the dictionary.
    compressor.set_parameter(CParameter::DictIdFlag(false))?;
    compressor.load_dictionary(dictionary.bytes())?;
    Ok(compressor)
}

/// Unpacks what [`pack`] packed.
///
/// # Errors
///
/// [`NotUnpacked`].
pub fn unpack(packed: &[u8], dictionary: &Dictionary) -> Result<Vec<String>, NotUnpacked> {
    let size = get_frame_content_size(packed).ok().flatten().ok_or(NotUnpacked::NoFrame)?;
    let size = usize::try_from(size).ok().filter(|size| *size <= TEXT_BYTES_MAX).ok_or(NotUnpacked::TooLarge)?;
    let mut joined = Vec::with_capacity(size);
    UNPACKING
        .with_borrow_mut(|unpacking| unpacking.decompress_using_ddict(&mut joined, packed, dictionary.unpacking()))
        .map_err(|code| NotUnpacked::Damaged(get_error_name(code)))?;
    let text = String::from_utf8(joined).map_err(|_| NotUnpacked::NoText)?;
    Ok(text.split('\0').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_dictionary_makes_a_record_small() {
        let plain = Dictionary::shipped();
        // A digest, of which nothing repeats.
        let head = format!("{{\"rule\":\"a\",\"component\":\"{}\"", plain.digest());
        let texts = ["created", "{}", &head];
        let packed = |dictionary: &Arc<Dictionary>| pack(texts.into_iter(), dictionary).unwrap().len();
        assert!(packed(&plain.extended(head.as_bytes())) + 32 < packed(&plain));
    }

    #[test]
    fn whatever_is_damaged_is_refused_and_nothing_panics() {
        let dictionary = Dictionary::shipped();
        let packed = pack(["created", "an engine", "{\"a\":1}"].into_iter(), &dictionary).unwrap();
        for place in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[place] ^= 0x55;
            assert!(unpack(&damaged, &dictionary).is_err(), "byte {place}");
            assert!(unpack(&packed[..place], &dictionary).is_err(), "cut at {place}");
        }
        assert_eq!(pack(["a\0b"].into_iter(), &dictionary), Err(NotPacked::ZeroCharacter));
        let other = dictionary.extended(b"something else");
        let by_another = unpack(&packed, &other);
        assert!(by_another.is_err() || by_another == unpack(&packed, &dictionary));
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(texts in prop::collection::vec("[^\0]{0,80}", 1..20)) {
            let dictionary = Dictionary::shipped().extended(b"{\"rule\":\"x\"");
            let packed = pack(texts.iter().map(String::as_str), &dictionary).unwrap();
            prop_assert_eq!(unpack(&packed, &dictionary).unwrap(), texts);
        }
    }
}
