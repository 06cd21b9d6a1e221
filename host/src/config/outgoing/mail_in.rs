//! `[mail-in]` of `desk.toml`: mail that a mail system hands over becomes tickets and replies. Without it none is taken.

use crate::config::names::Names;
use crate::config::outgoing::mail::{Mail, address_of};
use crate::config::read::{Keys, distinct};
use crate::desk::id::RequestTypeId;

/// Mails of one sender in an hour.
const PER_HOUR: u64 = 60;
const PER_HOUR_MAX: u64 = 100_000;

/// How mail comes in: the keys of `[mail-in]`, in kebab-case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailIn {
    /// `request-type`: what a new mail is a request of. Fields that it needs are in no mail, so that one without such fields is meant.
    pub request_type: RequestTypeId,
    /// `addresses`: the desk's own: what comes from them is its own mail, come back, and is not taken. Default that of `[mail] from`,
    /// which belongs to them in any case.
    pub addresses: Vec<String>,
    /// `lists`: the names of the desk's own mailing lists and groups, as their `List-Id` has them in its brackets: mail that comes by
    /// one is its author's. Mail that comes by others is sent to many, and not taken. Default none.
    pub lists: Vec<String>,
    /// `authserv-id`: the name under which the mail system says whom a mail is really from (`Authentication-Results`, RFC 8601). With
    /// it, only mail is taken of which that name says `dmarc=pass`. Default none: the mail system itself refuses what is forged.
    pub authserv_id: Option<String>,
    /// `mails-per-hour`: of one sender; what is more has to wait at the mail system. Default 60.
    pub per_hour: u64,
    /// Whether the desk sends mail, so that it can itself say what became of one.
    pub answers: bool,
}

/// Reads `[mail-in]`, where it is there.
pub fn read(keys: &mut Keys<'_>, names: &Names, mail: Option<&Mail>) -> Option<MailIn> {
    let request_type = keys.required("request-type").and_then(|node| node.known(&names.request_types));
    let mut addresses = distinct(keys.list("addresses"), |node| node.filled());
    addresses.extend(mail.map(|mail| address_of(&mail.from).to_owned()));
    let lists = distinct(keys.list("lists"), |node| node.filled());
    let authserv_id = keys.optional("authserv-id").and_then(|node| node.filled());
    let per_hour = keys.optional("mails-per-hour").and_then(|node| node.whole(1, PER_HOUR_MAX)).unwrap_or(PER_HOUR);
    let request_type = request_type?;
    Some(MailIn { request_type, addresses, lists, authserv_id, per_hour, answers: mail.is_some() })
}
