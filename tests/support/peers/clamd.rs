//! A scanner for malware that speaks clamd's protocol and knows one piece of malware: the test file of EICAR.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The test file, in two parts, so that no scanner takes this source for it.
pub fn eicar() -> String {
    ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*"].concat()
}

/// A scanner on a port of its own. It serves until the test's process ends.
#[derive(Clone)]
pub struct Scanner {
    pub port: u16,
    /// Whether it hangs up on all who come.
    dead: Arc<AtomicBool>,
    scanned: Arc<AtomicUsize>,
}

impl Scanner {
    pub fn start() -> Scanner {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let scanner = Scanner { port, dead: Arc::default(), scanned: Arc::default() };
        let serving = scanner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // One that hangs up ends its conversation, and nothing else.
                drop(serving.answer(stream));
            }
        });
        scanner
    }

    pub fn die(&self, dead: bool) {
        self.dead.store(dead, Ordering::Release);
    }

    /// How many files it has scanned to their end.
    pub fn scanned(&self) -> usize {
        self.scanned.load(Ordering::Acquire)
    }

    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        if self.dead.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut command = [0; 10];
        stream.read_exact(&mut command)?;
        assert_eq!(&command, b"zINSTREAM\0");
        let mut file = Vec::new();
        loop {
            let mut length = [0; 4];
            stream.read_exact(&mut length)?;
            let mut chunk = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut chunk)?;
            if chunk.is_empty() {
                break;
            }
            file.extend(chunk);
        }
        self.scanned.fetch_add(1, Ordering::AcqRel);
        let infected = String::from_utf8_lossy(&file).contains(&eicar());
        stream.write_all(if infected { b"stream: Eicar-Test-Signature FOUND\0" } else { b"stream: OK\0" })
    }
}
