//! The word to end, for loops that would go on for ever: given once, and heard by all.

use tokio::sync::watch;

/// Tells loops to end, by being dropped.
#[derive(Debug)]
pub struct Stopper(#[expect(dead_code, reason = "it is held until it is dropped")] watch::Sender<()>);

/// The place where a loop hears that it is to end. Clones hear of the same end.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<()>);

/// Something to tell loops to end with, and the place where they hear it.
pub fn stop() -> (Stopper, Stop) {
    let (tell, told) = watch::channel(());
    (Stopper(tell), Stop(told))
}

impl Stop {
    /// Waits until it is given. A loop waits for this only between two pieces of work, so that none is cut off.
    pub async fn told(&mut self) {
        // Nothing is ever sent: it ends with its sender.
        while self.0.changed().await.is_ok() {}
    }

    /// Whether it was given.
    pub fn is_told(&self) -> bool {
        self.0.has_changed().is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_hear_it_also_those_who_begin_to_listen_later() {
        let (stopper, mut stop) = stop();
        let mut other = stop.clone();
        assert!(!stop.is_told());
        drop(stopper);
        assert!(stop.is_told() && other.is_told());
        stop.told().await;
        other.told().await;
        stop.clone().told().await;
    }
}
