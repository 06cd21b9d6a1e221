//! A scanner for malware that speaks clamd's protocol: `INSTREAM` over TCP or a Unix socket (the manual page clamd(8)).
//!
//! A file goes in chunks, each with its length before it as four bytes, the highest first; a length of zero ends it. The answer is
//! `stream: OK`, `stream: NAME FOUND`, or words that end with `ERROR`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 4096;
/// The longest name of malware that is kept, in characters.
const NAME_CHARS_MAX: usize = 200;

/// Where a scanner listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host and a port.
    Tcp(String),
    Unix(PathBuf),
}

/// A scanner.
#[derive(Debug, Clone)]
pub struct Clamd {
    pub address: Address,
    /// The longest that one file may take.
    pub timeout: Duration,
}

/// The answer of a scanner about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// Malware of this name.
    Malware(String),
}

/// Why a file was not scanned to its end.
#[derive(Debug, thiserror::Error)]
pub enum NotScanned {
    #[error("the scanner cannot be reached: {0}")]
    Away(io::Error),
    #[error("the scanner answered `{answer}`")]
    Answered { answer: String },
}

impl From<io::Error> for NotScanned {
    fn from(error: io::Error) -> Self {
        NotScanned::Away(error)
    }
}

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Clamd {
    /// Begins to scan one file.
    ///
    /// # Errors
    ///
    /// [`NotScanned::Away`].
    pub async fn begin(&self) -> Result<Scanning, NotScanned> {
        let mut stream: Box<dyn Stream> = match &self.address {
            Address::Tcp(address) => Box::new(TcpStream::connect(address).await?),
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        stream.write_all(b"zINSTREAM\0").await?;
        Ok(Scanning { stream })
    }
}

/// A file that is being scanned.
pub struct Scanning {
    stream: Box<dyn Stream>,
}

impl Scanning {
    /// Sends the next piece of the file; whether the scanner takes more. One that has enough answers and reads no further.
    pub async fn send(&mut self, piece: &[u8]) -> bool {
        let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
        self.chunk(length, piece).await.is_ok()
    }

    async fn chunk(&mut self, length: u32, piece: &[u8]) -> io::Result<()> {
        self.stream.write_all(&length.to_be_bytes()).await?;
        self.stream.write_all(piece).await
    }

    /// Ends the file, and reads the answer.
    ///
    /// # Errors
    ///
    /// [`NotScanned`]; then nothing is known about the file.
    pub async fn end(mut self) -> Result<Found, NotScanned> {
        // One that has answered already has hung up.
        let _ = self.chunk(0, &[]).await;
        let mut answer = Vec::new();
        self.stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
        understood(&String::from_utf8_lossy(&answer))
    }
}

/// The meaning of an answer.
fn understood(answer: &str) -> Result<Found, NotScanned> {
    let answer = answer.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    let words = answer.strip_prefix("stream:").map(str::trim);
    match words {
        Some("OK") => Ok(Found::Nothing),
        Some(words) if words.ends_with(" FOUND") => {
            let name = words.trim_end_matches(" FOUND").chars().filter(|c| !c.is_control());
            Ok(Found::Malware(name.take(NAME_CHARS_MAX).collect()))
        }
        _ => Err(NotScanned::Answered { answer: answer.chars().take(NAME_CHARS_MAX).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_yes_frees_a_file() {
        assert_eq!(understood("stream: OK\0").unwrap(), Found::Nothing);
        let eicar = Found::Malware("Eicar-Test-Signature".to_owned());
        assert_eq!(understood("stream: Eicar-Test-Signature FOUND\n").unwrap(), eicar);
        for other in ["", "stream: ", "INSTREAM size limit exceeded. ERROR", "OK", "stream: OK then", "HTTP/1.1 200 OK"]
        {
            assert!(understood(other).is_err(), "{other:?}");
        }
    }
}
