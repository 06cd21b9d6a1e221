//! Apps that take orders as signed messages (Standard Webhooks 1.0.0). An app does what an order says and answers `done`, or answers
//! that it has `accepted` it and says later, by a signed call of its own, what came of it. An order keeps its id over all
//! attempts, so that an app which has had it does it once.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::call::{Caller, Reply, Trouble};
use super::rest::parts;
use super::{App, Asked, Effect, NotOpened, Probed};
use crate::desk::access::provisioning::progress::Came;
use crate::desk::access::provisioning::{Entitlement, OpState};
use crate::desk::organisation::connector::Webhook;
use crate::signing::{Secret, secrets};

/// An app that takes signed messages.
pub(super) struct WebhookApp {
    caller: Caller,
    secrets: Vec<Secret>,
    answer_minutes: u32,
    reads: bool,
}

impl WebhookApp {
    /// The app, with the secrets that the file has now.
    ///
    /// # Errors
    ///
    /// [`NotOpened`] where they cannot be read, or are none.
    pub fn new(caller: Caller, hook: &Webhook) -> Result<WebhookApp, NotOpened> {
        let file = || hook.secret_file.clone();
        let text = std::fs::read_to_string(&hook.secret_file);
        let text = text.map_err(|source| NotOpened::SecretsUnread { file: file(), source })?;
        let secrets = secrets(&text).map_err(|source| NotOpened::NoSecrets { file: file(), source })?;
        Ok(WebhookApp { caller, secrets, answer_minutes: hook.answer_minutes, reads: hook.reads })
    }
}

impl App for WebhookApp {
    fn look<'a>(&'a self, effect: Effect<'a>) -> Asked<'a> {
        Box::pin(async move { self.look_at(effect).await.unwrap_or_else(Trouble::came) })
    }

    fn apply<'a>(&'a self, effect: Effect<'a>) -> Asked<'a> {
        Box::pin(async move { self.order(effect).await.unwrap_or_else(Trouble::came) })
    }

    fn probe<'a>(&'a self, _entitlements: &'a [Entitlement]) -> Probed<'a> {
        Box::pin(async move {
            let pinged = self.post("access.ping", &self.id("ping"), &json!({})).await;
            let mut found = vec![pinged.map_or_else(|trouble| (false, trouble.said()), |reply| (true, reply.said))];
            if !self.reads {
                found.push((true, "nothing is read back: its signed word is all that is known".to_owned()));
            }
            found
        })
    }
}

/// The order as the app is shown it.
fn shown(effect: Effect<'_>, answer_by: Timestamp) -> Value {
    let op = effect.op;
    let (kind, value) = parts(&op.entitlement);
    json!({
        "order": op.id.to_string(),
        "attempt": op.attempt,
        "app": op.app.as_str(),
        "direction": op.direction.code(),
        "entitlement": op.entitlement.to_string(),
        "kind": kind,
        "value": value,
        "replaces": op.replaces.as_ref().map(|tier| tier.as_str()),
        "user": { "id": effect.account.id.as_str(), "name": effect.account.name, "email": effect.account.email },
        "answer_by": answer_by.to_string(),
        "answer_to": format!("/api/v1/provisioning/{}/answer", op.id),
    })
}

/// The app's own reason, where it gives one.
fn evidence(reply: &Reply) -> String {
    let text = reply.body.get("evidence").and_then(Value::as_str).unwrap_or_default();
    if text.is_empty() { reply.said.clone() } else { format!("{}, {text}", reply.said) }
}

impl WebhookApp {
    /// An id for a message that asks and orders nothing.
    fn id(&self, of: &str) -> String {
        format!("{of}-{}", self.caller.now().as_millisecond())
    }

    async fn post(&self, kind: &str, id: &str, about: &Value) -> Result<Reply, Trouble> {
        let body = json!({ "type": kind, "timestamp": self.caller.now().to_string(), "data": about });
        self.caller.post_signed(id, kind, body.to_string(), &self.secrets).await
    }

    fn answer_by(&self) -> Timestamp {
        let wait = SignedDuration::from_mins(i64::from(self.answer_minutes));
        self.caller.now().checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    async fn look_at(&self, effect: Effect<'_>) -> Result<(Came, String), Trouble> {
        if !self.reads {
            // Its word stands; where it has not come in time, the same order goes out again.
            let is_done = effect.op.state == OpState::Verified;
            let said = "the app cannot be asked what is there".to_owned();
            return Ok((if is_done { Came::Verified } else { Came::NotThere }, said));
        }
        let id = self.id(&format!("look-{}-{}", effect.op.id, effect.op.attempt));
        let reply = self.post("access.look", &id, &shown(effect, self.answer_by())).await?;
        let Some(there) = reply.body.get("there").and_then(Value::as_bool) else {
            // As of a page that something before the app sends: the app has refused nothing.
            let said = format!("{}: the answer has no `there` that is true or false", reply.said);
            return Err(Trouble::Unknown(said));
        };
        let came = if there == effect.is_wanted() { Came::Verified } else { Came::NotThere };
        Ok((came, format!("read back, {}: {}", if there { "there" } else { "not there" }, evidence(&reply))))
    }

    async fn order(&self, effect: Effect<'_>) -> Result<(Came, String), Trouble> {
        let answer_by = self.answer_by();
        let reply = self.post("access.order", &effect.op.id.to_string(), &shown(effect, answer_by)).await?;
        let said = evidence(&reply);
        let state = match reply.body.get("state").and_then(Value::as_str) {
            Some(state) => state,
            None if reply.status == 202 => "accepted",
            None if self.reads => "done",
            // Something before the app may have answered so, and nothing is read back (I9).
            None => return Ok((Came::Unknown, format!("{said}: the answer has no `state`, and nothing is read back"))),
        };
        Ok(match state {
            "done" if self.reads => (Came::Applied, said),
            "done" => (Came::Verified, said),
            "accepted" => (Came::Promised(answer_by), format!("{said}; it answers by {answer_by}")),
            "refused" => (Came::Rejected, said),
            other => (Came::Unknown, format!("{said}: `{other}` is none of done, accepted and refused")),
        })
    }
}
