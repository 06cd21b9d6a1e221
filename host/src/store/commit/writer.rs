//! The one task that writes. It takes the changes that came while it wrote the last batch, and commits them together: so
//! many changes share one wait for the disk, and none waits for others to come. While one batch waits for the disk, the next is
//! written; a change is acknowledged only when it is on disk.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{Commit, Committed, commit_all, commit_together};
use crate::store::Error;
use crate::store::db::{Arg, Db};
use crate::store::flush::Flush;
use crate::store::rules::deployments::{self, DeploymentChange};
use crate::store::rules::recorder::Recorder;

/// Changes that are written in one transaction.
const BATCH_MAX: usize = 256;

type Done<T> = oneshot::Sender<Result<T, Error>>;

/// Something to write. Deployments and single statements are about other things than tickets, and have transactions of
/// their own.
pub enum Work {
    Commit(Box<Commit>, Done<Committed>),
    /// All of them or none.
    Together(Vec<Commit>, Done<Vec<Committed>>),
    Deployment(Box<DeploymentChange>, Done<i64>),
    Statement(&'static str, Vec<Arg>, Done<u64>),
}

/// Work that waits for its turn, and since when.
pub struct Waiting {
    work: Work,
    since: Instant,
}

/// Something that was not done in time, and how long those behind it may have waited and be begun still: a later one would have no answer
/// within the time that its request may take.
struct Slow {
    why: Error,
    patience: Duration,
}

impl Slow {
    fn of(db: &Db, error: &Error) -> Option<Slow> {
        Some(Slow { patience: db.patience_after(error)?, why: error.for_all()? })
    }
}

impl Waiting {
    /// It begins to wait.
    #[expect(clippy::disallowed_methods, reason = "it is measured how long it waits")]
    pub fn begin(work: Work) -> Waiting {
        Waiting { work, since: Instant::now() }
    }

    /// The same, where it may still be begun; where it has waited too long behind what was slow, it is answered that it was not written.
    /// One that was called off is not written: its client has hung up, or heard that the time was over.
    fn in_time(self, slow: Option<&Slow>) -> Option<Waiting> {
        if self.work.is_called_off() {
            return None;
        }
        match slow.filter(|slow| self.since.elapsed() >= slow.patience) {
            None => Some(self),
            Some(slow) => {
                self.work.refuse(&slow.why);
                None
            }
        }
    }
}

/// Writes until all senders are gone.
pub async fn write(db: Db, mut receive: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut recorder = Recorder::default();
    let mut before: Option<JoinHandle<()>> = None;
    let mut slow: Option<Slow> = None;
    while receive.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let earlier = slow.take();
        let (mut commits, mut others) = (Vec::new(), Vec::new());
        for Waiting { work, since } in batch.drain(..).filter_map(|waiting| waiting.in_time(earlier.as_ref())) {
            match work {
                Work::Commit(commit, done) => commits.push((*commit, (done, since))),
                work => others.push(Waiting { work, since }),
            }
        }
        let (flushing, of_commits) = write_commits(&db, &mut recorder, commits).await;
        slow = of_commits;
        for waiting in others {
            if let Some(waiting) = waiting.in_time(slow.as_ref().or(earlier.as_ref())) {
                slow = write_one(&db, &mut recorder, waiting.work).await.or(slow);
            }
        }
        // Where the whole database is locked, all who have come meanwhile would wait as long again, one after the other.
        if let Some(slow) = slow.take_if(|slow| slow.patience.is_zero()) {
            refuse_waiting(&mut receive, &slow);
        }
        // A third batch waits until the first is on disk: it costs no time, and the third becomes larger.
        if let Some(flushing) = flushing
            && let Some(before) = before.replace(flushing)
        {
            // It fails only where the program ends.
            let _ = before.await;
        }
    }
}

impl Work {
    /// Whether the one who asked waits no longer.
    fn is_called_off(&self) -> bool {
        match self {
            Work::Commit(_, done) => done.is_closed(),
            Work::Together(_, done) => done.is_closed(),
            Work::Deployment(_, done) => done.is_closed(),
            Work::Statement(_, _, done) => done.is_closed(),
        }
    }

    /// Answers that it was not written.
    fn refuse(self, why: &Error) {
        let why = why.for_all().unwrap_or(Error::Stopped);
        // The client that asked may be gone.
        match self {
            Work::Commit(_, done) => drop(done.send(Err(why))),
            Work::Together(_, done) => drop(done.send(Err(why))),
            Work::Deployment(_, done) => drop(done.send(Err(why))),
            Work::Statement(_, _, done) => drop(done.send(Err(why))),
        }
    }
}

/// Answers those who wait in line that nothing of theirs was written.
fn refuse_waiting(receive: &mut mpsc::Receiver<Waiting>, slow: &Slow) {
    for _ in 0..receive.len() {
        if let Ok(waiting) = receive.try_recv() {
            waiting.work.refuse(&slow.why);
        }
    }
}

/// Writes one thing in a transaction of its own; gives what that means for those behind it, where it was not done in time. The client
/// that asked may go meanwhile: the write stands all the same.
async fn write_one(db: &Db, recorder: &mut Recorder, work: Work) -> Option<Slow> {
    match work {
        Work::Commit(commit, done) => match commit_all(db, recorder, std::slice::from_ref(&*commit)).await {
            Ok((outcomes, flush)) => {
                drop(answer(flush, outcomes.into_iter().zip([done]).collect()));
                None
            }
            Err(error) => answer_one::<Committed>(db, done, Err(error)),
        },
        Work::Together(commits, done) => answer_one(db, done, commit_together(db, recorder, &commits).await),
        Work::Deployment(change, done) => answer_one(db, done, deployments::change(db, *change).await),
        Work::Statement(sql, args, done) => answer_one(db, done, run(db, sql, args).await),
    }
}

async fn run(db: &Db, sql: &'static str, args: Vec<Arg>) -> Result<(u64, Flush), Error> {
    db.transaction(|mut tx| {
        let args = args.clone();
        async move { Ok((tx.execute(sql, args).await?, tx)) }
    })
    .await
}

/// Writes all of these in one transaction; gives what that means for those behind them, where it was not done in time.
async fn write_commits(
    db: &Db,
    recorder: &mut Recorder,
    commits: Vec<(Commit, (Done<Committed>, Instant))>,
) -> (Option<JoinHandle<()>>, Option<Slow>) {
    if commits.is_empty() {
        return (None, None);
    }
    let (commits, places): (Vec<Commit>, Vec<_>) = commits.into_iter().unzip();
    match commit_all(db, recorder, &commits).await {
        Ok((outcomes, flush)) => {
            let answers = outcomes.into_iter().zip(places.into_iter().map(|(done, _)| done)).collect();
            (Some(answer(flush, answers)), None)
        }
        // A change that cannot be written must not fail the others, so each is tried alone; a failure of the database concerns all.
        Err(error) => {
            if error.for_all().is_some() {
                tracing::warn!(%error, changes = commits.len(), "a batch was not written");
                let why = || error.for_all().unwrap_or(Error::Stopped);
                places.into_iter().for_each(|(done, _)| drop(done.send(Err(why()))));
                return (None, Slow::of(db, &error));
            }
            tracing::warn!(%error, changes = commits.len(), "a batch was not written: each is tried by itself");
            let mut slow = None;
            for (commit, (done, since)) in commits.into_iter().zip(places) {
                let waiting = Waiting { work: Work::Commit(Box::new(commit), done), since };
                if let Some(waiting) = waiting.in_time(slow.as_ref()) {
                    slow = write_one(db, recorder, waiting.work).await.or(slow);
                }
            }
            (None, slow)
        }
    }
}

/// Answers one; gives what that means for those behind it, where it was not done in time.
fn answer_one<T: Send + 'static>(db: &Db, done: Done<T>, written: Result<(T, Flush), Error>) -> Option<Slow> {
    match written {
        Ok((value, flush)) => {
            drop(answer(flush, vec![(Ok(value), done)]));
            None
        }
        Err(error) => {
            let slow = Slow::of(db, &error);
            let _ = done.send(Err(error));
            slow
        }
    }
}

/// Answers each, once the disk has what was written for them.
fn answer<T: Send + 'static>(flush: Flush, answers: Vec<(Result<T, Error>, Done<T>)>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let flushed = flush.done().await;
        for (outcome, done) in answers {
            let _ = done.send(match &flushed {
                Ok(()) => outcome,
                Err(Error::Lost(why)) => Err(Error::Lost(why.clone())),
                Err(_) => Err(Error::Stopped),
            });
        }
    })
}
