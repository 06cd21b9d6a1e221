//! The threads that guests run on. A guest that spins keeps one of them busy until its fuel or its time is up, and never
//! a thread that serves requests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crossbeam_channel::{Sender, TrySendError, bounded};
use tokio::sync::oneshot;
use wasmtime::Engine;

type Job = Box<dyn FnOnce() + Send>;

/// Why a job was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    #[error("all workers are busy and {0} jobs wait already: try again soon")]
    Full(usize),
    #[error("the job panicked; this is a bug in the host")]
    Panicked,
}

/// A bounded pool of threads with a bounded queue before it.
pub struct Workers {
    send: Sender<Job>,
    threads: usize,
    waiting_max: usize,
    busy: Arc<AtomicUsize>,
}

impl Workers {
    /// Starts the threads. They end when this is dropped and the queue is empty.
    pub fn start(threads: usize, waiting_max: usize) -> std::io::Result<Self> {
        let (send, receive) = bounded::<Job>(waiting_max);
        let busy = Arc::new(AtomicUsize::new(0));
        for number in 0..threads.max(1) {
            let receive = receive.clone();
            let busy = Arc::clone(&busy);
            thread::Builder::new().name(format!("rules-{number}")).spawn(move || {
                // The first call on a thread would pay some hundred microseconds for this.
                Engine::tls_eager_initialize();
                for job in receive {
                    busy.fetch_add(1, Ordering::Relaxed);
                    // The job's owner learns of a panic from its dropped channel; the thread lives on.
                    let _ = catch_unwind(AssertUnwindSafe(job));
                    busy.fetch_sub(1, Ordering::Relaxed);
                }
            })?;
        }
        Ok(Self { send, threads: threads.max(1), waiting_max, busy })
    }

    /// Does a job on one of the threads.
    ///
    /// # Errors
    ///
    /// [`NotDone::Full`] at once where the queue is full.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, NotDone> {
        let (done, wait) = oneshot::channel();
        let job = Box::new(move || {
            // Nobody waits for the result any more where this fails.
            let _ = done.send(job());
        });
        match self.send.try_send(job) {
            Ok(()) => wait.await.map_err(|_| NotDone::Panicked),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(NotDone::Full(self.waiting_max)),
        }
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Jobs that wait for a thread.
    pub fn waiting(&self) -> usize {
        self.send.len()
    }

    /// Threads that are at work.
    pub fn busy(&self) -> usize {
        self.busy.load(Ordering::Relaxed)
    }
}
