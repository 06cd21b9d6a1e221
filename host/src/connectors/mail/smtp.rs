//! Mail by SMTP to a relay, which is the organisation's own: it may be inside, and without TLS where the configuration says so.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use tokio::sync::Semaphore;

use super::{Failure, NotReady};

/// The longest that the relay may take for one step.
const STEP_MAX: Duration = Duration::from_secs(20);
/// Connections to the relay at once. Each is for one letter: relays end what waits, and a letter is seldom.
const CONNECTIONS_MAX: usize = 4;
/// The longest words of the relay that are kept, in bytes.
const WORDS_BYTES_MAX: usize = 500;

/// Refusals for good that are about the recipient or the letter, by the subject of their enhanced status (RFC 3463: address,
/// mailbox, content). All others are about the relay or this desk, such as a wrong password: that is repaired, and the
/// letter is worth another try.
const ABOUT_LETTERS: [char; 3] = ['1', '2', '6'];
/// The same where a relay gives no enhanced status (RFC 5321, 4.2.2).
const CODES_ABOUT_LETTERS: std::ops::RangeInclusive<u16> = 550..=553;

/// A relay.
#[derive(Clone)]
pub struct Relay {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// A name and a password.
    pub credentials: Option<(String, String)>,
    /// The name with which the desk greets the relay.
    pub hello: String,
    /// A file with certificates of authorities that are trusted besides the system's.
    pub certificates: Option<PathBuf>,
}

// The password must not reach a log.
impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relay({}:{}, {:?})", self.host, self.port, self.security)
    }
}

/// How the way to a relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS after `STARTTLS` (RFC 3207); a relay that offers none is not used.
    StartTls,
    /// TLS from the beginning (RFC 8314).
    Tls,
    None,
}

/// A relay that is ready.
#[derive(Debug, Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    places: Arc<Semaphore>,
}

impl Smtp {
    /// Makes a relay ready; nothing is asked of it yet.
    ///
    /// # Errors
    ///
    /// [`NotReady`].
    pub fn new(relay: &Relay) -> Result<Smtp, NotReady> {
        // A second call finds the first one's provider, which is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = match relay.security {
            Security::None => Tls::None,
            Security::StartTls => Tls::Required(parameters(relay)?),
            Security::Tls => Tls::Wrapper(parameters(relay)?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&relay.host)
            .port(relay.port)
            .tls(tls)
            .timeout(Some(STEP_MAX))
            .hello_name(ClientId::Domain(relay.hello.clone()));
        if let Some((name, password)) = &relay.credentials {
            builder = builder.credentials(Credentials::new(name.clone(), password.clone()));
        }
        Ok(Smtp { transport: builder.build(), places: Arc::new(Semaphore::new(CONNECTIONS_MAX)) })
    }

    /// Sends a message; the relay's words.
    ///
    /// # Errors
    ///
    /// [`Failure::Never`] where the relay refuses the message or its recipient for good (RFC 5321, 4.2.1: 5yz);
    /// [`Failure::Later`] otherwise.
    pub async fn send(&self, message: Message) -> Result<String, Failure> {
        // The semaphore is never closed.
        let _place = self.places.acquire().await.ok();
        let taken = self.transport.send(message).await.map_err(|error| failure(&error))?;
        let words = taken.message().collect::<Vec<_>>().join(" ");
        Ok(cut(&format!("{} {words}", taken.code())))
    }
}

fn parameters(relay: &Relay) -> Result<TlsParameters, NotReady> {
    let unusable = |source| NotReady::Relay { relay: relay.host.clone(), source };
    let mut builder = TlsParameters::builder(relay.host.clone());
    if let Some(file) = &relay.certificates {
        let cannot = |words: String| NotReady::Certificates { file: file.clone(), words };
        let pem = std::fs::read(file).map_err(|error| cannot(error.to_string()))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| cannot(error.to_string()))?);
    }
    builder.build_rustls().map_err(unusable)
}

fn failure(error: &lettre::transport::smtp::Error) -> Failure {
    let words = cut(&error.to_string());
    let code = error.status().map(u16::from).unwrap_or_default();
    match error.is_permanent() && is_about_the_letter(code, &words) {
        true => Failure::Never { words },
        false => Failure::Later { words },
    }
}

fn is_about_the_letter(code: u16, words: &str) -> bool {
    let enhanced = words.split_whitespace().find_map(|word| {
        let subject = word.strip_prefix("5.")?.split_once('.')?.0;
        subject.chars().next().filter(|_| subject.len() == 1)
    });
    match enhanced {
        Some(subject) => ABOUT_LETTERS.contains(&subject),
        None => CODES_ABOUT_LETTERS.contains(&code),
    }
}

/// The relay's words without what a terminal would take for more than text, and no longer than is kept.
fn cut(words: &str) -> String {
    let plain: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.get(..plain.floor_char_boundary(WORDS_BYTES_MAX)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_the_letter_is_for_good() {
        for (code, words) in [(550, "5.1.1 no such mailbox"), (552, "5.2.2 full"), (554, "5.6.0 bad"), (550, "no")] {
            assert!(is_about_the_letter(code, &format!("permanent error ({code}): {words}")), "{code} {words}");
        }
        for (code, words) in [(554, "5.3.2 no service"), (535, "5.7.8 who are you"), (554, "no"), (500, "what")] {
            assert!(!is_about_the_letter(code, &format!("permanent error ({code}): {words}")), "{code} {words}");
        }
    }
}
