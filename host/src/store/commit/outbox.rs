//! The outbox: messages are written with the change that they are about, and leave after it.

use crate::desk::change::message::Message;
use crate::store::Error;
use crate::store::db::{Arg, Tx};
use crate::store::sql::columns::ms;

/// Puts messages into the outbox.
pub async fn write(tx: &mut Tx, messages: impl Iterator<Item = &Message>) -> Result<(), Error> {
    let rows = messages.map(|message| {
        vec![
            message.id.0.into(),
            message.ticket.0.into(),
            message.kind.code().into(),
            message.to.as_str().into(),
            Arg::from(ms(message.at)),
        ]
    });
    let head = "insert into outbox (id, ticket, kind, recipient, queued_at)";
    tx.insert(head, 5, "", rows.collect()).await.map(drop)
}
