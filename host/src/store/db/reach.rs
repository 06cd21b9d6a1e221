//! Whether a PostgreSQL server can be reached: as soon as there is doubt, one task finds out, so that no request has to wait
//! for a server that is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{mpsc, watch};

use crate::store::Error;

/// How long the server may take to answer before it counts as away.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// How often it is tried again while it is away.
const AGAIN: Duration = Duration::from_millis(100);

/// What is known of the server. Clones share the task that finds out, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Reach {
    doubt: mpsc::Sender<()>,
    away: watch::Receiver<Option<Arc<str>>>,
}

impl Reach {
    /// Starts the task.
    pub fn watch(options: PgConnectOptions) -> Reach {
        let (doubt, doubted) = mpsc::channel(1);
        let (tell, away) = watch::channel(None);
        tokio::spawn(find_out(options, doubted, tell));
        Reach { doubt, away }
    }

    /// Says that the server may be out of reach.
    pub fn doubt(&self) {
        // Where there is doubt already, the task looks anyway.
        let _ = self.doubt.try_send(());
    }

    /// Whether there is a server to be asked, as far as is known.
    ///
    /// # Errors
    ///
    /// [`Error::Away`].
    pub fn check(&self) -> Result<(), Error> {
        self.away.borrow().as_ref().map_or(Ok(()), |why| Err(Error::Away(why.to_string().into())))
    }

    /// Waits until the server is known to be away.
    pub async fn away(&self) -> Error {
        let mut away = self.away.clone();
        match away.wait_for(Option::is_some).await {
            Ok(why) => Error::Away(why.as_deref().unwrap_or_default().into()),
            Err(_) => Error::Stopped,
        }
    }
}

/// Tries to connect whenever there is doubt, until it succeeds.
async fn find_out(options: PgConnectOptions, mut doubted: mpsc::Receiver<()>, tell: watch::Sender<Option<Arc<str>>>) {
    while doubted.recv().await.is_some() {
        while let Err(why) = connect(&options).await {
            if tell.borrow().is_none() {
                tracing::error!(%why, "the database is away: requests are refused until it is back");
            }
            tell.send_replace(Some(why.into()));
            pause().await;
            if doubted.is_closed() && doubted.is_empty() {
                return;
            }
        }
        if tell.send_replace(None).is_some() {
            tracing::info!("the database is back");
        }
    }
}

async fn connect(options: &PgConnectOptions) -> Result<(), String> {
    let connected = async {
        let connection = options.connect().await?;
        connection.close().await
    };
    match tokio::time::timeout(ANSWER_MAX, connected).await {
        Ok(connected) => connected.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {ANSWER_MAX:?}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but time")]
async fn pause() {
    tokio::time::sleep(AGAIN).await;
}

/// Waits until the server takes connections, as where it starts together with the desk. The log says so at once: who starts it sees
/// what it waits for.
///
/// # Errors
///
/// What the server says, where that does not pass by itself; what it says last, where it takes too long.
pub async fn first(options: &PgConnectOptions, patience: Duration) -> Result<(), Error> {
    let is_said = AtomicBool::new(false);
    let say = |why: &str| {
        if !is_said.swap(true, Ordering::Relaxed) {
            // The address in parts: its URL has a password.
            let (host, port) = (options.get_host(), options.get_port());
            let socket = options.get_socket().map(|path| path.display().to_string());
            tracing::warn!(
                host,
                port,
                socket,
                why,
                "the database cannot be reached yet: it is waited for, up to {patience:?} from the start"
            );
        }
    };
    let connected = async {
        loop {
            let connection = match options.connect().await {
                Ok(connection) => connection,
                Err(error) => match Error::from(error) {
                    Error::LostConnection(why) => {
                        say(&why.to_string());
                        pause().await;
                        continue;
                    }
                    other => return Err(other),
                },
            };
            return connection.close().await.map_err(Error::from);
        }
    };
    let waited = async {
        let mut connected = std::pin::pin!(connected);
        match tokio::time::timeout(ANSWER_MAX, connected.as_mut()).await {
            Ok(connected) => connected,
            // A network that is cut refuses nothing: there is only silence.
            Err(_) => {
                say(&format!("no answer within {ANSWER_MAX:?}"));
                connected.await
            }
        }
    };
    match tokio::time::timeout(patience, waited).await {
        Ok(connected) => connected,
        Err(_) => Err(Error::Away(format!("no connection within {patience:?}").into())),
    }
}
