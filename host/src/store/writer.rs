//! The one task that writes. It takes what has gathered while it wrote the last batch, and commits it all at once: so
//! many tickets share one wait for the disk, and none waits for company.

use tokio::sync::{mpsc, oneshot};

use super::Error;
use super::access::AccessChange;
use super::change;
use super::create::{Create, Created, create_all};
use super::db::{Arg, Db};
use super::deployments::{self, DeploymentChange};
use super::revoke::{self, Revocation};
use crate::desk::ticket::TicketChange;

/// Tickets that are created in one transaction.
const BATCH_MAX: usize = 256;

type Done<T> = oneshot::Sender<Result<T, Error>>;

/// Something to write.
pub enum Work {
    Create(Box<Create>, Done<Created>),
    Change(Box<TicketChange>, Option<Box<AccessChange>>, Done<()>),
    Revoke(Box<Revocation>, Done<()>),
    Deployment(Box<DeploymentChange>, Done<i64>),
    Statement(&'static str, Vec<Arg>, Done<u64>),
}

/// Writes until nobody can ask any more.
pub async fn write(db: Db, mut receive: mpsc::Receiver<Work>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while receive.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let mut creates = Vec::new();
        let mut others = Vec::new();
        for work in batch.drain(..) {
            match work {
                Work::Create(create, done) => creates.push((create, done)),
                other => others.push(other),
            }
        }
        write_creates(&db, creates).await;
        for work in others {
            write_one(&db, work).await;
        }
    }
}

async fn write_one(db: &Db, work: Work) {
    // Whoever asked may be gone: the write stands all the same.
    match work {
        Work::Create(create, done) => {
            let created = create_all(db, std::slice::from_ref(&*create)).await;
            let _ = done.send(created.and_then(|mut all| all.pop().ok_or(Error::Stopped)?));
        }
        Work::Change(change, access, done) => {
            let _ = done.send(change::apply(db, *change, access.map(|access| *access)).await);
        }
        Work::Revoke(revocation, done) => {
            let _ = done.send(revoke::revoke(db, *revocation).await);
        }
        Work::Deployment(change, done) => {
            let _ = done.send(deployments::change(db, *change).await);
        }
        Work::Statement(sql, args, done) => {
            let _ = done.send(run(db, sql, args).await);
        }
    }
}

async fn run(db: &Db, sql: &'static str, args: Vec<Arg>) -> Result<u64, Error> {
    let mut tx = db.begin().await?;
    let changed = tx.execute(sql, args).await?;
    tx.commit().await?;
    Ok(changed)
}

async fn write_creates(db: &Db, creates: Vec<(Box<Create>, Done<Created>)>) {
    if creates.is_empty() {
        return;
    }
    let (creates, done): (Vec<Create>, Vec<Done<Created>>) =
        creates.into_iter().map(|(create, done)| (*create, done)).unzip();
    match create_all(db, &creates).await {
        Ok(created) => {
            for (created, done) in created.into_iter().zip(done) {
                let _ = done.send(created);
            }
        }
        // One that cannot be written must not take the others with it.
        Err(error) => {
            tracing::warn!(%error, tickets = creates.len(), "a batch was not written: each is tried by itself");
            for (create, done) in creates.into_iter().zip(done) {
                write_one(db, Work::Create(Box::new(create), done)).await;
            }
        }
    }
}
