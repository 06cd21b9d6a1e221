//! The threads that guests run on. A guest that spins keeps one of them busy until its fuel or its time is up, and never
//! a thread that serves requests.
//!
//! Before them, jobs wait in lanes, one for each person that has some, and the lanes take turns: one with many jobs waits for
//! others' no longer than one with a single job does.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

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

/// A bounded pool of threads with bounded lanes before it.
pub struct Workers {
    shared: Arc<Shared>,
    threads: usize,
    waiting_max: usize,
    busy: Arc<AtomicUsize>,
}

struct Shared {
    lanes: Mutex<Lanes>,
    /// A job has come, or no more will.
    come: Condvar,
}

/// The jobs that wait.
#[derive(Default)]
struct Lanes {
    by_name: HashMap<String, VecDeque<Job>>,
    /// The lanes that have jobs, in the order of their turns.
    turns: VecDeque<String>,
    waiting: usize,
    closed: bool,
}

impl Lanes {
    fn push(&mut self, name: &str, job: Job) {
        let lane = self.by_name.entry(name.to_owned()).or_default();
        if lane.is_empty() {
            self.turns.push_back(name.to_owned());
        }
        lane.push_back(job);
        self.waiting += 1;
    }

    /// The job whose turn it is.
    fn pop(&mut self) -> Option<Job> {
        let name = self.turns.pop_front()?;
        let lane = self.by_name.get_mut(&name)?;
        let job = lane.pop_front()?;
        self.waiting -= 1;
        if lane.is_empty() {
            // A person without jobs takes no room.
            self.by_name.remove(&name);
        } else {
            self.turns.push_back(name);
        }
        Some(job)
    }

    fn len_of(&self, name: &str) -> usize {
        self.by_name.get(name).map_or(0, VecDeque::len)
    }
}

impl Shared {
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a job; `None` where no more will come.
    fn next(&self) -> Option<Job> {
        let mut lanes = self.lanes();
        loop {
            if let Some(job) = lanes.pop() {
                return Some(job);
            }
            if lanes.closed {
                return None;
            }
            lanes = self.come.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Workers {
    /// Starts the threads. They end when this is dropped and no job waits.
    pub fn start(threads: usize, waiting_max: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { lanes: Mutex::default(), come: Condvar::new() });
        let busy = Arc::new(AtomicUsize::new(0));
        for number in 0..threads.max(1) {
            let shared = Arc::clone(&shared);
            let busy = Arc::clone(&busy);
            thread::Builder::new().name(format!("rules-{number}")).spawn(move || {
                // The first call on a thread would pay some hundred microseconds for this.
                Engine::tls_eager_initialize();
                while let Some(job) = shared.next() {
                    busy.fetch_add(1, Ordering::Relaxed);
                    // The job's owner learns of a panic from its dropped channel; the thread lives on.
                    let _ = catch_unwind(AssertUnwindSafe(job));
                    busy.fetch_sub(1, Ordering::Relaxed);
                }
            })?;
        }
        Ok(Self { shared, threads: threads.max(1), waiting_max, busy })
    }

    /// Does a job on one of the threads, after those that wait in the same lane, and in turn with those of other lanes.
    ///
    /// # Errors
    ///
    /// [`NotDone::Full`] at once where too many jobs wait, or half of them in this lane: that much is kept for others.
    pub async fn run<T: Send + 'static>(
        &self,
        lane: &str,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let (done, wait) = oneshot::channel();
        self.push(
            lane,
            Box::new(move || {
                // Where this fails, the result is not waited for any more.
                let _ = done.send(job());
            }),
        )?;
        wait.await.map_err(|_| NotDone::Panicked)
    }

    fn push(&self, lane: &str, job: Job) -> Result<(), NotDone> {
        let mut lanes = self.shared.lanes();
        let of_lane_max = self.waiting_max.div_ceil(2);
        if lanes.waiting >= self.waiting_max || lanes.len_of(lane) >= of_lane_max {
            return Err(NotDone::Full(lanes.waiting));
        }
        lanes.push(lane, job);
        drop(lanes);
        self.shared.come.notify_one();
        Ok(())
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Jobs that wait for a thread.
    pub fn waiting(&self) -> usize {
        self.shared.lanes().waiting
    }

    /// Threads that are at work.
    pub fn busy(&self) -> usize {
        self.busy.load(Ordering::Relaxed)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.lanes().closed = true;
        self.shared.come.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_take_turns_and_none_fills_the_queue() {
        let mut lanes = Lanes::default();
        let order: Arc<Mutex<Vec<&str>>> = Arc::default();
        for name in ["amara", "amara", "amara", "kofi", "lena", "lena"] {
            let order = Arc::clone(&order);
            lanes.push(name, Box::new(move || order.lock().unwrap().push(name)));
        }
        while let Some(job) = lanes.pop() {
            job();
        }
        assert_eq!(*order.lock().unwrap(), ["amara", "kofi", "lena", "amara", "lena", "amara"]);
        assert!(lanes.waiting == 0 && lanes.by_name.is_empty() && lanes.turns.is_empty());
    }

    #[test]
    fn one_lane_leaves_room_for_others() {
        let workers = Workers::start(1, 4).unwrap();
        let (begun, wait) = std::sync::mpsc::sync_channel(1);
        let (go, hold) = std::sync::mpsc::sync_channel::<()>(0);
        let busy = move || {
            begun.send(()).unwrap();
            let _ = hold.recv();
        };
        workers.push("amara", Box::new(busy)).unwrap();
        wait.recv().unwrap();
        let push = |lane| workers.push(lane, Box::new(|| {}));
        assert_eq!((push("amara"), push("amara")), (Ok(()), Ok(())));
        assert_eq!(push("amara"), Err(NotDone::Full(2)));
        assert_eq!((push("kofi"), push("lena")), (Ok(()), Ok(())));
        assert_eq!(push("mei"), Err(NotDone::Full(4)));
        drop(go);
    }
}
