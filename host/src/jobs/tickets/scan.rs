//! Files that people added are scanned for malware, and given out afterwards. Where the scanner is away they stay in quarantine,
//! and it is asked again.

use std::sync::Arc;
use std::time::Duration;

use crate::app::jobs::looks::Looks;
use crate::app::jobs::stop::Stop;
use crate::app::tickets::submit::attachments::ToScan;
use crate::app::{App, Error};
use crate::connectors::clamd::{Clamd, Found, NotScanned};
use crate::jobs::ways::Ways;

/// How often new files are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Bytes of a file that are read at once.
const PIECE_BYTES: u64 = 256 << 10;
/// How many times the longest scan a host may take over the files that it took at once.
const LEASES: u32 = 10;
/// How long a file is left alone after a first scan that failed, and after many.
const WAIT: Duration = Duration::from_secs(5);
const WAIT_MAX: Duration = Duration::from_secs(600);
/// The most that the wait is doubled.
const DOUBLINGS_MAX: u32 = 7;

/// Scans until it is asked to stop; without a scanner there is nothing to do.
pub async fn run(app: Arc<App>, ways: Arc<Ways>, stop: Stop) {
    if ways.scanner.is_none() {
        return;
    }
    let mut looks = Looks::every(LOOK_EVERY, stop);
    while looks.next().await {
        if let Err(error) = scan_due(&app, &ways).await {
            tracing::warn!(%error, "files that wait to be scanned could not be looked for: tried again soon");
        }
    }
}

/// Scans all that is due; how many files.
///
/// # Errors
///
/// Where the store cannot be read or written.
pub async fn scan_due(app: &App, ways: &Ways) -> Result<usize, Error> {
    let Some(scanner) = &ways.scanner else { return Ok(0) };
    let mut scanned = 0;
    loop {
        let due = app.attachments_to_scan(scanner.timeout.saturating_mul(LEASES)).await?;
        if due.is_empty() {
            return Ok(scanned);
        }
        scanned += due.len();
        for content in due {
            scan(app, scanner, &content).await?;
        }
    }
}

/// Scans one file; a failure costs only a wait.
async fn scan(app: &App, scanner: &Clamd, content: &ToScan) -> Result<(), Error> {
    let scanned = tokio::time::timeout(scanner.timeout, exchange(app, scanner, content)).await;
    let why = match scanned {
        Ok(Ok(Found::Nothing)) => return app.attachment_scanned(content, None).await,
        Ok(Ok(Found::Malware(name))) => return app.attachment_scanned(content, Some(&name)).await,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("the scanner took longer than {} s", scanner.timeout.as_secs()),
    };
    let doublings = u32::try_from(content.attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(DOUBLINGS_MAX);
    let wait = WAIT.saturating_mul(1 << doublings).min(WAIT_MAX);
    tracing::warn!(why, attempts = content.attempts, "a file was not scanned and stays in quarantine: tried again");
    app.scan_again(content, wait).await
}

async fn exchange(app: &App, scanner: &Clamd, content: &ToScan) -> Result<Found, Failed> {
    let mut scanning = scanner.begin().await?;
    let mut at = 0;
    while at < content.size {
        let piece = app.part_to_scan(content, at..at.saturating_add(PIECE_BYTES)).await?;
        if piece.is_empty() {
            return Err(Failed::Short);
        }
        if !scanning.send(&piece).await {
            break;
        }
        at += piece.len() as u64;
    }
    Ok(scanning.end().await?)
}

/// Why a file was not scanned.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Scanner(#[from] NotScanned),
    #[error("the file is shorter than it was")]
    Short,
    #[error("the file could not be read: {0}")]
    Unread(#[from] Error),
}
