//! A mail relay that speaks as much of SMTP as a client needs, and behaves as a test wants.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::linux::net::TcpStreamExt as _;
use std::sync::{Arc, Mutex};

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How the relay behaves from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It takes every message.
    Takes,
    /// It answers each recipient with this line.
    ToRecipients(&'static str),
    /// It greets with this line and hangs up.
    Greets(&'static str),
    /// It takes a whole message, and never says so.
    TakesInSilence,
    /// It hangs up in the middle of a message.
    HangsUp,
}

/// A message as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The recipient of the envelope.
    pub to: String,
    /// The whole message, its lines ended by `\n`.
    pub text: String,
}

impl Taken {
    /// The value of a header, with its folded lines joined; empty where there is none.
    pub fn header(&self, name: &str) -> String {
        header(&self.text, name)
    }
}

/// The path of the page by which the recipient of a message decides about access, of the first message that has one.
pub fn decision_page(taken: &[Taken]) -> String {
    let texts = taken.iter().map(|taken| taken.text.replace("=\n", ""));
    let links = texts.filter_map(|text| text.split_once("/decide/").map(|(_, rest)| rest.to_owned()));
    let rest = links.into_iter().next().unwrap_or_else(|| panic!("no message has such a link: {taken:?}"));
    format!("/decide/{}", rest.split_whitespace().next().unwrap())
}

/// The value of a header of a message; empty where there is none.
pub fn header(text: &str, name: &str) -> String {
    let head = text.split("\n\n").next().unwrap().replace("\n ", " ").replace("\n\t", " ");
    let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
    line.unwrap_or_default()
}

/// A relay on a port of its own. It serves until the test's process ends.
#[derive(Clone)]
pub struct Relay {
    pub port: u16,
    taken: Arc<Mutex<Vec<Taken>>>,
    manner: Arc<Mutex<Manner>>,
}

impl Relay {
    pub fn start() -> Relay {
        Relay::serve(|relay, stream| relay.converse(stream))
    }

    /// A relay for `localhost` that speaks TLS from the beginning, and its certificate (PEM).
    pub fn start_with_tls() -> (Relay, String) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let certificates = vec![made.cert.der().clone()];
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
        let config = Arc::new(config);
        let relay = Relay::serve(move |relay, stream| {
            let tls = ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?;
            relay.converse(StreamOwned::new(tls, stream))
        });
        (relay, made.cert.pem())
    }

    fn serve(converse: impl Fn(&Relay, Prompt) -> std::io::Result<()> + Clone + Send + 'static) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let relay = Relay { port, taken: Arc::default(), manner: Arc::new(Mutex::new(Manner::Takes)) };
        let serving = relay.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serving, converse) = (serving.clone(), converse.clone());
                // A client that hangs up ends its conversation, and nothing else.
                std::thread::spawn(move || drop(converse(&serving, Prompt(stream))));
            }
        });
        relay
    }

    /// The keys of a configuration that make it the desk's relay.
    pub fn settings(&self) -> String {
        let port = self.port;
        format!(
            "\n[mail]\nfrom = \"IT Desk <desk@meridian.example>\"\nserver = \"127.0.0.1:{port}\"\nsecurity = \"none\"\n"
        )
    }

    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// All messages that were taken so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    fn manner(&self) -> Manner {
        *self.manner.lock().unwrap()
    }

    fn converse(&self, stream: impl Read + Write) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        macro_rules! say {
            ($line:expr) => {{
                let stream = reader.get_mut();
                stream.write_all(format!("{}\r\n", $line).as_bytes()).and_then(|()| stream.flush())
            }};
        }
        if let Manner::Greets(line) = self.manner() {
            return say!(line);
        }
        say!("220 relay.example ESMTP")?;
        let (mut line, mut to) = (String::new(), String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let verb = line.get(..4).unwrap_or_default().to_uppercase();
            match (verb.as_str(), self.manner()) {
                ("EHLO", _) => say!("250-relay.example\r\n250 8BITMIME")?,
                ("RCPT", Manner::ToRecipients(answer)) => say!(answer)?,
                ("RCPT", _) => {
                    let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                    address.clone_into(&mut to);
                    say!("250 2.1.5 ok")?;
                }
                ("DATA", manner) => {
                    say!("354 go on")?;
                    if manner == Manner::HangsUp {
                        return Ok(());
                    }
                    let text = read_message(&mut reader)?;
                    self.taken.lock().unwrap().push(Taken { to: to.clone(), text });
                    if manner == Manner::TakesInSilence {
                        // Until the client hangs up.
                        return reader.read_line(&mut line).map(drop);
                    }
                    say!("250 2.0.0 taken as 4711")?;
                }
                ("QUIT", _) => return say!("221 bye"),
                _ => say!("250 ok")?,
            }
        }
    }
}

/// A connection on which each piece is confirmed as soon as the next is waited for. A client that sends its message and the dot in two
/// pieces waits for that between them, and a system takes some 40 ms for it where nothing is answered.
struct Prompt(TcpStream);

impl Read for Prompt {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.set_quickack(true)?;
        self.0.read(buffer)
    }
}

impl Write for Prompt {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Reads a message to its last line, a dot. One that is cut off, as by a desk that is killed while it sends, is an error and no message.
fn read_message(reader: &mut impl std::io::BufRead) -> std::io::Result<String> {
    let (mut text, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        if !line.ends_with('\n') {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(text);
        }
        let plain = line.strip_prefix('.').unwrap_or(&line);
        text.push_str(plain.trim_end_matches("\r\n"));
        text.push('\n');
    }
}
