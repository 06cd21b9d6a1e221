//! `[closing]` of `desk.toml`, and of a request type: how tickets end.

use crate::config::duration;
use crate::config::read::{Keys, Node, distinct};
use crate::desk::organisation::service::{Closing, RecordPart, Reply};

/// The largest share of a time before its end, in percent.
const SHARE_MAX: u64 = 99;
/// The most days for which a ticket can be reopened.
const DAYS_MAX: u64 = 3_660;

/// Those of the keys that a table has; the others are as elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Given {
    record: Option<Vec<RecordPart>>,
    confirm_minutes: Option<u32>,
    /// `Some(None)` for no end.
    answer_minutes: Option<Option<u32>>,
    remind_percent: Option<u16>,
    reply: Option<Reply>,
    reopen_days: Option<u32>,
    ignores_thanks: Option<bool>,
}

/// Reads the table.
///
/// - `record`: the parts of the record without which no agent resolves a ticket, of `symptom`, `cause`, `fix` and `next-time`;
///   default all four. An empty list asks for none.
/// - `confirm-within`: how long the requester may confirm or dispute a resolution, in open time such as `24h`, which is the
///   default; then the desk closes the ticket.
/// - `answer-within`: how long a requester who is asked something (`waiting_requester`) may take to answer, in open time such as `80h`,
///   counted from the last public answer; then the desk cancels the ticket. Default `never`.
/// - `remind-at`: the share of either time after which the requester is reminded, in percent, 0 for never; default 50.
/// - `reply`: the effect of a requester's words on a resolved ticket: `reopen` (default), or `note`, which tells the assignee.
/// - `reopen-days`: for how many days after the resolution words reopen the ticket, and rules for closing are asked about words on one
///   that was closed since; default as long as it is resolved.
/// - `ignore-thanks`: whether words that only thank change nothing; default true.
pub fn read(keys: &mut Keys<'_>) -> Given {
    let parts = RecordPart::ALL.map(|part| (part.code(), part));
    let replies = Reply::ALL.map(|reply| (reply.code(), reply));
    let record = keys.optional("record").map(|node| distinct(node.list(), |part: &Node<'_>| part.one_of(&parts)));
    Given {
        record,
        confirm_minutes: keys.optional("confirm-within").and_then(|node| duration::minutes(&node)),
        answer_minutes: keys.optional("answer-within").and_then(|node| match node.text()? {
            "never" => Some(None),
            _ => duration::minutes(&node).map(Some),
        }),
        remind_percent: keys.optional("remind-at").and_then(|node| whole(&node, 0, SHARE_MAX)),
        reply: keys.optional("reply").and_then(|node| node.one_of(&replies)),
        reopen_days: keys.optional("reopen-days").and_then(|node| whole(&node, 0, DAYS_MAX)),
        ignores_thanks: keys.optional("ignore-thanks").and_then(|node| node.flag()),
    }
}

/// A whole number of a smaller type.
pub fn whole<T: TryFrom<u64>>(node: &Node<'_>, min: u64, max: u64) -> Option<T> {
    node.whole(min, max).and_then(|number| T::try_from(number).ok())
}

impl Given {
    /// The policy where everything else is as in `base`.
    pub fn over(self, base: &Closing) -> Closing {
        Closing {
            record: self.record.unwrap_or_else(|| base.record.clone()),
            confirm_minutes: self.confirm_minutes.unwrap_or(base.confirm_minutes),
            answer_minutes: self.answer_minutes.unwrap_or(base.answer_minutes),
            remind_percent: match self.remind_percent {
                Some(0) => None,
                Some(percent) => Some(percent),
                None => base.remind_percent,
            },
            reply: self.reply.unwrap_or(base.reply),
            reopen_days: self.reopen_days.or(base.reopen_days),
            ignores_thanks: self.ignores_thanks.unwrap_or(base.ignores_thanks),
        }
    }
}
