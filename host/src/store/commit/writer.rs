//! The one task that writes. It takes the changes that came while it wrote the last batch, and commits them together: so
//! many changes share one wait for the disk, and none waits for others to come. While one batch waits for the disk, the next is
//! written; a change is acknowledged only when it is on disk.

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

/// Writes until all senders are gone.
pub async fn write(db: Db, mut receive: mpsc::Receiver<Work>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut recorder = Recorder::default();
    let mut before: Option<JoinHandle<()>> = None;
    while receive.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let (mut commits, mut done, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for work in batch.drain(..) {
            match work {
                Work::Commit(commit, answer) => {
                    commits.push(*commit);
                    done.push(answer);
                }
                other => others.push(other),
            }
        }
        let (flushing, mut shut) = write_commits(&db, &mut recorder, commits, done).await;
        for work in others {
            match &shut {
                Some(why) => work.refuse(why),
                None => shut = write_one(&db, &mut recorder, work).await,
            }
        }
        if let Some(why) = shut {
            refuse_waiting(&mut receive, &why);
        }
        // A third batch waits until the first is on disk: it costs no time, and the third becomes larger.
        if let Some(before) = std::mem::replace(&mut before, flushing) {
            // It fails only where the program ends.
            let _ = before.await;
        }
    }
}

impl Work {
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

/// Answers those who have come while the database was shut: each would wait as long again, one after the other, beyond the time
/// that a request may take.
fn refuse_waiting(receive: &mut mpsc::Receiver<Work>, why: &Error) {
    for _ in 0..receive.len() {
        if let Ok(work) = receive.try_recv() {
            work.refuse(why);
        }
    }
}

/// Writes one thing in a transaction of its own; gives why nothing else can be written either, where that is so. The client that asked
/// may be gone: the write stands all the same.
async fn write_one(db: &Db, recorder: &mut Recorder, work: Work) -> Option<Error> {
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

async fn write_commits(
    db: &Db,
    recorder: &mut Recorder,
    commits: Vec<Commit>,
    done: Vec<Done<Committed>>,
) -> (Option<JoinHandle<()>>, Option<Error>) {
    if commits.is_empty() {
        return (None, None);
    }
    match commit_all(db, recorder, &commits).await {
        Ok((outcomes, flush)) => (Some(answer(flush, outcomes.into_iter().zip(done).collect())), None),
        // A change that cannot be written must not fail the others, so each is tried alone; a failure of the database concerns all.
        Err(error) => {
            if error.for_all().is_some() {
                tracing::warn!(%error, changes = commits.len(), "a batch was not written");
                done.into_iter().for_each(|done| drop(done.send(Err(error.for_all().unwrap_or(Error::Stopped)))));
                return (None, db.is_shut_by(&error).then_some(error));
            }
            tracing::warn!(%error, changes = commits.len(), "a batch was not written: each is tried by itself");
            let mut shut = None;
            for (commit, done) in commits.into_iter().zip(done) {
                let work = Work::Commit(Box::new(commit), done);
                match &shut {
                    Some(why) => work.refuse(why),
                    None => shut = write_one(db, recorder, work).await,
                }
            }
            (None, shut)
        }
    }
}

/// Answers one; gives why nothing else can be written either, where that is so.
fn answer_one<T: Send + 'static>(db: &Db, done: Done<T>, written: Result<(T, Flush), Error>) -> Option<Error> {
    match written {
        Ok((value, flush)) => {
            drop(answer(flush, vec![(Ok(value), done)]));
            None
        }
        Err(error) => {
            let shut = error.for_all().filter(|error| db.is_shut_by(error));
            let _ = done.send(Err(error));
            shut
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
