//! The outbox: messages are written with the change that they are about, and leave after it.

use crate::desk::change::message::Message;
use crate::store::Error;
use crate::store::db::{Arg, Tx};
use crate::store::jobs::messages::payload;
use crate::store::sql::columns::ms;

/// Puts messages into the outbox.
pub async fn write(tx: &mut Tx, messages: &[&Message]) -> Result<(), Error> {
    let rows = messages.iter().map(|message| {
        vec![
            message.id.0.into(),
            message.ticket.0.into(),
            message.kind.code().into(),
            message.to.as_str().into(),
            ms(message.at).into(),
            ms(message.at).into(),
            Arg::from(payload(&message.about)),
        ]
    });
    let head = "insert into outbox (id, ticket, kind, recipient, queued_at, not_before, payload)";
    tx.insert_later(head, 7, "", rows.collect()).await
}
