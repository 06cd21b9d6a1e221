//! The evidence for what a message answers: the address that it was sent to, the messages that it names, the key in its subject.

use uuid::Uuid;

use super::head::Head;
use crate::desk::id::{MessageId, TicketId, TicketNumber};

/// The fields that say to whom a message was sent.
const RECIPIENTS: [&str; 5] = ["delivered-to", "x-original-to", "envelope-to", "to", "cc"];
/// The addresses that are looked at.
const ADDRESSES_MAX: usize = 100;

/// The evidence, the best first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// A ticket with its token, from addresses such as `desk+IT-12.0a1b2c3d4e5f6071@example.com`.
    pub addressed: Vec<(TicketNumber, String)>,
    /// The messages that it names, the nearest first.
    pub ids: Vec<Named>,
    /// The ticket whose key is in the subject, as letters of the desk have it.
    pub subject: Option<TicketNumber>,
}

/// A message that another names. Those of the desk have a token that only the desk can make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// The thread of a ticket.
    Thread {
        ticket: TicketId,
        token: String,
    },
    /// A letter of the desk.
    Letter {
        message: MessageId,
        token: String,
    },
    Other(String),
}

impl Named {
    /// A message by its id, without the brackets.
    pub fn read(id: &str) -> Named {
        let own = || {
            let (kind, rest) = id.split_once('@')?.0.split_once('.')?;
            let (of, token) = rest.split_once('.')?;
            let (of, token) = (of.parse::<Uuid>().ok()?, token.to_owned());
            match kind {
                "t" => Some(Named::Thread { ticket: TicketId(of), token }),
                "m" => Some(Named::Letter { message: MessageId(of), token }),
                _ => None,
            }
        };
        own().unwrap_or_else(|| Named::Other(id.to_owned()))
    }
}

impl Evidence {
    pub(super) fn of(head: &Head, subject: &str) -> Evidence {
        let fields = RECIPIENTS.iter().flat_map(|name| head.all(name));
        let addresses =
            fields.flat_map(|value| value.split([',', '<', '>', ' ', ';', '"'])).filter(|word| word.contains('@'));
        Evidence {
            addressed: addresses.take(ADDRESSES_MAX).filter_map(addressed).collect(),
            ids: head.answers.iter().map(|id| Named::read(id)).collect(),
            subject: key_in(subject),
        }
    }
}

/// The ticket and the token of an address that has them. Mail systems may have changed the case.
fn addressed(address: &str) -> Option<(TicketNumber, String)> {
    let (_, detail) = address.rsplit_once('@')?.0.split_once('+')?;
    let (key, token) = detail.split_once('.')?;
    Some((key.to_ascii_uppercase().parse().ok()?, token.to_ascii_lowercase()))
}

/// The first key in brackets.
fn key_in(subject: &str) -> Option<TicketNumber> {
    subject.split('[').skip(1).find_map(|rest| rest.split_once(']')?.0.trim().parse().ok())
}
