//! Asks the identity provider what people who sign in need to know, some at once.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::ways::Ways;
use crate::app::App;
use crate::app::jobs::stop::Stop;
use crate::app::tokens::provider::{NoAnswer, Question, Secrets};
use crate::connectors::oidc::{Asked, At, Failed, Provider, Returned};

/// Questions that are asked of the provider at once.
const AT_ONCE_MAX: usize = 16;

/// Offers the provider, from now on, and asks it until the desk stops; without one there is nothing to do.
pub fn run(app: Arc<App>, ways: &Ways, stop: Stop) -> impl Future<Output = ()> + Send + use<> {
    let provider = ways.provider.clone();
    let offered = provider.and_then(|(offer, provider)| Some((app.offer_provider(offer)?, provider)));
    async move {
        if let Some((questions, provider)) = offered {
            answer(&app, questions, &provider, stop).await;
        }
    }
}

async fn answer(app: &App, mut questions: mpsc::Receiver<Question>, provider: &Provider, mut stop: Stop) {
    let places = Arc::new(Semaphore::new(AT_ONCE_MAX));
    let mut under_way = JoinSet::new();
    loop {
        let question = tokio::select! {
            () = stop.told() => break,
            question = questions.recv() => question,
        };
        let Some(question) = question else { break };
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await.ok();
        let (provider, at) = (provider.clone(), At { now: app.clock.now(), elapsed: app.clock.elapsed() });
        under_way.spawn(async move {
            let _place = place;
            ask(&provider, question, at).await;
        });
        while under_way.try_join_next().is_some() {}
    }
    // Each ends by its own time limit; the browser that waits is answered.
    while under_way.join_next().await.is_some() {}
}

/// Asks one question. Where no one waits for the answer any more, it is dropped.
async fn ask(provider: &Provider, question: Question, at: At) {
    match question {
        Question::Address { secrets, answer } => {
            let Secrets { state, nonce, challenge, .. } = &secrets;
            let _ = answer.send(provider.address(Asked { state, nonce, challenge }, at).await.map_err(no_answer));
        }
        Question::Identify { code, issuer, secrets, answer } => {
            let Secrets { nonce, verifier, .. } = &secrets;
            let returned = Returned { code: &code, issuer: issuer.as_deref(), nonce, verifier };
            let _ = answer.send(provider.identify(returned, at).await.map_err(no_answer));
        }
        Question::Ended { token, answer } => {
            let _ = answer.send(provider.ended(&token, at).await.map_err(no_answer));
        }
        Question::WayOut { back, answer } => {
            let _ = answer.send(provider.way_out(&back, at).await.map_err(no_answer));
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what a failure becomes")]
fn no_answer(failed: Failed) -> NoAnswer {
    NoAnswer { words: failed.to_string(), away: failed.is_away() }
}
