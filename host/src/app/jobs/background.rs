//! Work that goes on behind requests: none waits for it while the desk runs, and the desk does not end before it has.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::task::JoinSet;

use crate::app::App;

/// The work that is under way.
#[derive(Debug, Default)]
pub(in crate::app) struct Background {
    running: Mutex<JoinSet<()>>,
    closing: AtomicBool,
}

impl Background {
    /// Whether the desk is about to end, so that nothing is begun that can wait.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // Work that has ended is forgotten, so that no more is kept than is under way.
        while running.try_join_next().is_some() {}
        running.spawn(work);
    }

    /// Waits for all that is under way, and for what it begins meanwhile.
    async fn end(&self) {
        self.closing.store(true, Ordering::Release);
        loop {
            let mut running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
            if running.is_empty() {
                return;
            }
            while let Some(ended) = running.join_next().await {
                if let Err(error) = ended {
                    tracing::error!(%error, "work in the background did not come to its end");
                }
            }
        }
    }
}

impl App {
    /// Does work that no request waits for. [`App::close`] waits for it; a process that is killed before that cuts it off, so it
    /// has to leave things as they were or as they should be at every moment.
    pub(in crate::app) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.background.begin(work);
    }

    /// Ends the desk: what it has begun is done, and the store is closed.
    pub async fn close(&self) {
        self.background.end().await;
        self.office.close().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Poll;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn the_end_waits_for_what_was_begun_and_for_what_that_began() {
        let background = Arc::new(Background::default());
        let done = Arc::new(AtomicBool::new(false));
        let (go, wait) = oneshot::channel::<()>();
        let (inner, set) = (Arc::clone(&background), Arc::clone(&done));
        background.begin(async move {
            let _ = wait.await;
            inner.begin(async move { set.store(true, Ordering::Release) });
        });
        assert!(!background.is_closing());
        let mut end = std::pin::pin!(background.end());
        let waits = std::future::poll_fn(|context| Poll::Ready(end.as_mut().poll(context).is_pending())).await;
        assert!(waits, "the work has not been let go on");
        assert!(background.is_closing() && !done.load(Ordering::Acquire));
        go.send(()).unwrap();
        end.await;
        assert!(done.load(Ordering::Acquire));
    }
}
