//! Pages of lists: how many items, after which place, and where the next page is. A place is opaque to clients.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::problem::Problem;

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
    ArticleVersions,
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
            List::ArticleVersions => 'k',
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
        parts.filter(|_| begins).and_then(|parts| parts.try_into().ok()).ok_or_else(no_place)
    }

    /// The place that a query names; `None` where it names none.
    ///
    /// # Errors
    ///
    /// As [`List::read`].
    pub fn place<const N: usize>(self, text: Option<&str>) -> Result<Option<[u128; N]>, Problem> {
        text.map(|text| self.read(text)).transpose()
    }

    /// The same as [`List::read`] for a list whose places are whole numbers that a database has.
    ///
    /// # Errors
    ///
    /// As [`List::read`].
    pub fn read_whole<const N: usize>(self, text: &str) -> Result<[i64; N], Problem> {
        known(self.read::<N>(text)?.map(|part| i64::try_from(part).ok()))
    }

    /// The same for numbers that may be negative, as [`signed`] writes them.
    ///
    /// # Errors
    ///
    /// As [`List::read`].
    pub fn read_signed<const N: usize>(self, text: &str) -> Result<[i64; N], Problem> {
        known(self.read::<N>(text)?.map(|part| u64::try_from(part).ok().map(u64::cast_signed)))
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

fn no_place() -> Problem {
    let detail = "`after` takes the `next` of the page before, with the same `sort`; begin again without it";
    Problem::bad_query(detail)
}

/// The parts of a place, each of which is a number that a database has: nothing of ours writes another.
fn known<const N: usize>(parts: [Option<i64>; N]) -> Result<[i64; N], Problem> {
    if parts.contains(&None) { Err(no_place()) } else { Ok(parts.map(Option::unwrap_or_default)) }
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

/// A number that may be negative, as part of a place: a time before 1970 is, such as an imported ticket has.
pub fn signed(number: i64) -> u128 {
    u128::from(number.cast_unsigned())
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
    limit.ok_or_else(|| Problem::bad_query(format!("`limit` is 1 to {most}; this asks for {given}")))
}

/// A page as a JSON array. The next one is linked in the header `Link` (RFC 8288), if there may be one: [`link_next`] does that.
pub struct Paged<T> {
    pub items: Vec<T>,
    /// The place after which the next page begins.
    pub next: Option<String>,
    /// How many items the client wanted.
    pub limit: usize,
}

/// Where the next page begins, and how many items it is to have.
#[derive(Debug, Clone)]
struct NextPage {
    after: String,
    limit: usize,
}

impl<T: Serialize> IntoResponse for Paged<T> {
    fn into_response(self) -> Response {
        let mut response = axum::Json(self.items).into_response();
        if let Some(after) = self.next {
            response.extensions_mut().insert(NextPage { after, limit: self.limit });
        }
        response
    }
}

/// Links the page that follows a [`Paged`] one. All else that was asked for stays, so that the pages are of one list.
pub async fn link_next(request: Request, next: Next) -> Response {
    let query = request.uri().query().map(str::to_owned);
    let mut response = next.run(request).await;
    if let Some(page) = response.extensions_mut().remove::<NextPage>() {
        let link = format!("<{}>; rel=\"next\"", page.query(query.as_deref().unwrap_or_default()));
        // A query is of characters that a header may have.
        if let Ok(link) = HeaderValue::from_bytes(link.as_bytes()) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    response
}

impl NextPage {
    /// Its query, relative to the address of the request, whose path stays.
    fn query(&self, asked: &str) -> String {
        let is_place = |pair: &&str| {
            let name = url::form_urlencoded::parse(pair.as_bytes()).next();
            name.is_some_and(|(name, _)| name == "after" || name == "limit")
        };
        let narrowed = asked.split('&').filter(|pair| !pair.is_empty() && !is_place(pair));
        let NextPage { after, limit } = self;
        let place = [format!("after={after}"), format!("limit={limit}")];
        let pairs: Vec<&str> = narrowed.chain(place.iter().map(String::as_str)).collect();
        format!("?{}", pairs.join("&"))
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
        for number in [0, 1, i64::MAX, -1, i64::MIN] {
            let place = List::TicketsByDue.write([signed(number)]);
            assert_eq!(List::TicketsByDue.read_signed(&place).ok(), Some([number]), "{place}");
        }
        assert!(List::TicketsByDue.read_signed::<1>("1b10000000000000000").is_err(), "no number of a database");
    }

    #[test]
    fn the_next_page_is_of_the_same_list() {
        let page = NextPage { after: "1w7".to_owned(), limit: 2 };
        assert_eq!(page.query(""), "?after=1w7&limit=2");
        let asked = "app=jira&limit=5&after=1w3&since=2026-01-01T00:00:00%2B01:00";
        assert_eq!(page.query(asked), "?app=jira&since=2026-01-01T00:00:00%2B01:00&after=1w7&limit=2");
        assert_eq!(page.query("%61fter=1w3&person=a+b"), "?person=a+b&after=1w7&limit=2", "a name may be escaped");
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
