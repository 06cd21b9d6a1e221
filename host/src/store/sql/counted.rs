//! The statements that a piece of work runs, counted in builds for development, so that a test can hold a page to a number.

#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(debug_assertions)]
tokio::task_local! {
    static STATEMENTS: AtomicUsize;
}

/// Notes a statement, where the work that runs it is counted.
pub fn note() {
    #[cfg(debug_assertions)]
    let _ = STATEMENTS.try_with(|count| count.fetch_add(1, Ordering::Relaxed));
}

/// The outcome of work, and how many statements it has run in its own task.
#[cfg(debug_assertions)]
pub async fn counted<T>(work: impl Future<Output = T>) -> (T, usize) {
    let all = async {
        let value = work.await;
        let count = STATEMENTS.try_with(|count| count.load(Ordering::Relaxed));
        (value, count.unwrap_or_default())
    };
    STATEMENTS.scope(AtomicUsize::new(0), all).await
}
