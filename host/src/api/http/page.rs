//! Pages of lists: how many items, after which place, and where the next page is. A place is opaque to clients.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::problem::{Kind, Problem};

/// Items on one page at most.
pub const LIMIT_MAX: usize = 200;

/// The version of how places are written. A place of another version is refused, never misread.
const VERSION: char = '1';

/// A list in one order: which letter its places bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    TicketsInQueue,
    TicketsByNumber,
    TicketsByUpdate,
    TicketsByDue,
    Timeline,
    Messages,
    AccessRequests,
    Grants,
    TableHistory,
    RuleVersions,
    RuleEvents,
    Orders,
    Held,
    Unused,
    Reviews,
    /// A timeline as those see it who are not shown what is internal.
    PublicTimeline,
    Deliveries,
    Decisions,
    Drafts,
    Resolutions,
    TimeSpent,
}

impl List {
    const fn letter(self) -> char {
        match self {
            List::TicketsInQueue => 'q',
            List::TicketsByNumber => 'n',
            List::TicketsByUpdate => 'u',
            List::TicketsByDue => 'b',
            List::Timeline => 't',
            List::Messages => 'm',
            List::AccessRequests => 'a',
            List::Grants => 'g',
            List::TableHistory => 'h',
            List::RuleVersions => 'v',
            List::RuleEvents => 'e',
            List::PublicTimeline => 'p',
            List::Deliveries => 'd',
            List::Orders => 'o',
            List::Held => 'w',
            List::Unused => 'x',
            List::Reviews => 'r',
            List::Decisions => 'i',
            List::Drafts => 's',
            List::Resolutions => 'y',
            List::TimeSpent => 'z',
        }
    }

    /// A place in this list, as text.
    pub fn write<const N: usize>(self, parts: [u128; N]) -> String {
        let parts: Vec<String> = parts.iter().map(|part| format!("{part:x}")).collect();
        format!("{VERSION}{}{}", self.letter(), parts.join("-"))
    }

    /// A place in this list from its text.
    ///
    /// # Errors
    ///
    /// A problem where it is no place, or one in another list or order.
    pub fn read<const N: usize>(self, text: &str) -> Result<[u128; N], Problem> {
        let mut characters = text.chars();
        let begins = [characters.next(), characters.next()] == [Some(VERSION), Some(self.letter())];
        let parts: Option<Vec<u128>> = characters.as_str().split('-').map(part).collect();
        let parts = parts.filter(|_| begins).and_then(|parts| parts.try_into().ok());
        parts.ok_or_else(|| {
            let detail = "`after` takes the `next` of the page before, with the same `sort`; begin again without it";
            Problem::new(Kind::BAD_QUERY, detail)
        })
    }

    /// The same for a list whose places are whole numbers that a database has.
    ///
    /// # Errors
    ///
    /// As [`List::read`].
    pub fn read_whole<const N: usize>(self, text: &str) -> Result<[i64; N], Problem> {
        let whole = self.read::<N>(text)?.map(|part| i64::try_from(part).ok());
        // Nothing of ours writes a larger one.
        if whole.contains(&None) {
            return self.read("").map(|_: [u128; N]| [0; N]);
        }
        Ok(whole.map(Option::unwrap_or_default))
    }

    /// The place after which a page begins, nothing where none is named.
    ///
    /// # Errors
    ///
    /// As [`List::read`].
    pub fn after<const N: usize>(self, text: Option<&str>) -> Result<[i64; N], Problem> {
        text.map_or(Ok([0; N]), |text| self.read_whole(text))
    }
}

/// A part of a place; signs and spaces are none of it.
fn part(text: &str) -> Option<u128> {
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(text, 16).ok().filter(|_| digits)
}

/// A number that is not negative, as part of a place.
pub fn whole(number: i64) -> u128 {
    u128::try_from(number).unwrap_or_default()
}

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `after` of the link to the next page, which comes in the header `Link`.
    pub after: Option<String>,
    /// 1 to 200; 200 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
}

impl PageQuery {
    /// How many items.
    ///
    /// # Errors
    ///
    /// As [`limit`].
    pub fn limit(&self) -> Result<usize, Problem> {
        limit(self.limit, LIMIT_MAX)
    }
}

/// How many items a client wants.
///
/// # Errors
///
/// A problem where they are none or too many.
pub fn limit(given: Option<i64>, default: usize) -> Result<usize, Problem> {
    within(given, default, LIMIT_MAX)
}

/// The same for a list of which another number of items may be asked for.
///
/// # Errors
///
/// As [`limit`].
pub fn within(given: Option<i64>, default: usize, most: usize) -> Result<usize, Problem> {
    let Some(given) = given else { return Ok(default) };
    let limit = usize::try_from(given).ok().filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| Problem::new(Kind::BAD_QUERY, format!("`limit` is 1 to {most}; this asks for {given}")))
}

/// A page as a JSON array. The next one is linked in the header `Link` (RFC 8288), if there may be one.
pub struct Paged<T> {
    pub items: Vec<T>,
    /// The place after which the next page begins.
    pub next: Option<String>,
    /// How many items the client wanted.
    pub limit: usize,
}

impl<T: Serialize> IntoResponse for Paged<T> {
    fn into_response(self) -> Response {
        let mut response = axum::Json(self.items).into_response();
        // Relative to the request's own address, whose path stays.
        let link = self.next.map(|next| format!("<?after={next}&limit={}>; rel=\"next\"", self.limit));
        if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_as_written_in_its_own_list_only() {
        let place = [1, 3, whole(i64::MAX), 1042];
        let text = List::TicketsInQueue.write(place);
        assert_eq!(text, "1q1-3-7fffffffffffffff-412");
        assert_eq!(List::TicketsInQueue.read(&text).ok(), Some(place));
        assert_eq!(List::TicketsInQueue.read_whole(&text).ok(), Some([1, 3, i64::MAX, 1042]));
        let id = [u128::MAX];
        assert_eq!(List::AccessRequests.read(&List::AccessRequests.write(id)).ok(), Some(id));
        assert!(List::TicketsByNumber.read_whole::<4>(&text).is_err());
        for bad in ["", "1q", "1-2-3-4", "1q1-2-3", "1q1-2-3-4-5", "1qx-1-2-3", "2q1-3-5-7", "1q1-+3-5-7", "1q1--3-5"] {
            assert!(List::TicketsInQueue.read_whole::<4>(bad).is_err(), "{bad}");
        }
        assert!(List::TicketsByNumber.read_whole::<1>("1nffffffffffffffff").is_err(), "no number of a ticket");
    }

    #[test]
    fn a_limit_is_taken_as_it_is_or_refused() {
        assert_eq!(limit(None, 50).ok(), Some(50));
        assert_eq!((limit(Some(1), 50).ok(), limit(Some(200), 50).ok()), (Some(1), Some(200)));
        for bad in [0, -1, 201, i64::MAX, i64::MIN] {
            assert!(limit(Some(bad), 50).is_err(), "{bad}");
        }
    }
}
