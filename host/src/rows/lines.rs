//! Line ends as one byte, so that lines can be counted: files come with `\n`, `\r\n` and, from old tools, `\r`.

use std::io::{BufRead, Read, Result};

/// A text with every line end as `\n`, and one more of them at its end.
///
/// The last row then ends like any other.
pub struct PlainLines<R> {
    text: R,
    after_return: bool,
    ended: bool,
}

impl<R: BufRead> PlainLines<R> {
    /// Starts at the beginning of a text.
    pub fn new(text: R) -> Self {
        PlainLines { text, after_return: false, ended: false }
    }
}

impl<R: BufRead> Read for PlainLines<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if into.is_empty() || self.ended {
            return Ok(0);
        }
        // A part may hold nothing but the second half of a line end; to return no bytes would mean the end.
        loop {
            let from = self.text.fill_buf()?;
            let taken = from.len().min(into.len());
            let mut places = into.iter_mut();
            for &byte in from.iter().take(taken) {
                let second_half = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if !second_half && let Some(place) = places.next() {
                    *place = if byte == b'\r' { b'\n' } else { byte };
                }
            }
            if taken == 0 {
                self.ended = true;
                places.next().into_iter().for_each(|place| *place = b'\n');
            }
            let left = places.len();
            self.text.consume(taken);
            if left < into.len() {
                return Ok(into.len() - left);
            }
        }
    }
}
