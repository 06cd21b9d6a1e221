//! Orders other than the queue's: by number and by the last change, in which no ticket is lost to who reads on from page to page,
//! and by when tickets are due.

use super::leads::{COMMON_TAG, Lead, Leads, is_common, ranks_of_tag, residual};
use super::walk::{Args, Key, Walks, merged};
use super::{DuePlace, Filter, Reader, UpdatedPlace};
use crate::store::Error;

/// Entries of one walk up to which all that match are gathered and sorted.
const GATHER_MAX: usize = 1_000;
/// Entries that one walk in the list's own order looks at before it gives back what it has found.
const WALK_MAX: usize = 4_000;
/// How often such walks are sent out for one page of the tickets of a tag: those that are too many to be gathered are met often enough
/// to fill it.
const ROUNDS_MAX: usize = 3;

/// The places that were found, in order; and where the search stopped before the end.
type Found = (Vec<UpdatedPlace>, Option<UpdatedPlace>);

/// The order, and the place after which to begin.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    Number(Option<i64>),
    Updated(Option<UpdatedPlace>),
    /// From the last change backwards: its keys are the negatives, so that all orders ascend.
    Newest(Option<UpdatedPlace>),
    Due(Option<DuePlace>),
}

impl Order {
    const fn keys(self) -> [&'static str; 3] {
        match self {
            Order::Number(_) => ["cast(0 as bigint)", "cast(0 as bigint)", "number"],
            Order::Updated(_) => ["cast(0 as bigint)", "updated_at", "number"],
            Order::Newest(_) => ["cast(0 as bigint)", "-updated_at", "-number"],
            Order::Due(_) => ["cast(0 as bigint)", "queue_due", "number"],
        }
    }

    const fn columns(self) -> &'static str {
        match self {
            Order::Number(_) => "number",
            Order::Updated(_) => "updated_at, number",
            Order::Newest(_) => "updated_at desc, number desc",
            Order::Due(_) => "queue_due, number",
        }
    }

    /// What comes after the place, as ranges that an index has in one piece.
    fn ranges(self, args: &mut Args) -> Vec<String> {
        match self {
            Order::Number(after) => vec![format!(" where number > {}", args.place(after.unwrap_or(0)))],
            Order::Updated(None) | Order::Newest(None) => vec![format!(" where updated_at > {}", args.place(i64::MIN))],
            Order::Updated(Some(UpdatedPlace { updated, number })) => {
                let [updated, number] = [args.place(updated), args.place(number)];
                vec![
                    format!(" where updated_at = {updated} and number > {number}"),
                    format!(" where updated_at > {updated}"),
                ]
            }
            Order::Newest(Some(UpdatedPlace { updated, number })) => {
                let [updated, number] = [args.place(updated), args.place(number)];
                vec![
                    format!(" where updated_at = {updated} and number < {number}"),
                    format!(" where updated_at < {updated}"),
                ]
            }
            Order::Due(None) => vec![" where unfinished = 1".to_owned()],
            Order::Due(Some(DuePlace { due, number })) => {
                let [due, number] = [args.place(due), args.place(number)];
                vec![
                    format!(" where unfinished = 1 and queue_due = {due} and number > {number}"),
                    format!(" where unfinished = 1 and queue_due > {due}"),
                ]
            }
        }
    }

    fn is_after(self, place: UpdatedPlace) -> bool {
        match self {
            Order::Number(after) => after.is_none_or(|after| place.number > after),
            Order::Updated(after) => after.is_none_or(|after| place > after),
            Order::Newest(after) => after.is_none_or(|after| place < after),
            Order::Due(after) => after.is_none_or(|after| (place.updated, place.number) > (after.due, after.number)),
        }
    }

    fn place(self, [_, updated, number]: Key) -> UpdatedPlace {
        match self {
            Order::Newest(_) => UpdatedPlace { updated: -updated, number: -number },
            _ => UpdatedPlace { updated, number },
        }
    }

    /// The same order from behind a place on.
    const fn behind(self, place: UpdatedPlace) -> Order {
        match self {
            Order::Number(_) => Order::Number(Some(place.number)),
            Order::Updated(_) => Order::Updated(Some(place)),
            Order::Newest(_) => Order::Newest(Some(place)),
            Order::Due(_) => Order::Due(Some(DuePlace { due: place.updated, number: place.number })),
        }
    }

    /// Which halves of the tickets it has: those with work owed, and the others.
    const fn halves(self) -> &'static [bool] {
        match self {
            Order::Number(_) | Order::Updated(_) | Order::Newest(_) => &[true, false],
            Order::Due(_) => &[true],
        }
    }
}

/// The places of at least `wanted` tickets after a place, if there are so many; and where the search stopped before the
/// end.
pub async fn places(reader: &mut Reader, filter: &Filter, order: Order, wanted: usize) -> Result<Found, Error> {
    let leads = Leads::of(reader, filter).await?;
    let tag = filter.tag.as_deref().filter(|_| leads.lead() == Lead::Tag);
    match (order, tag) {
        (Order::Number(after), Some(tag)) => return of_tag(reader, filter, (tag, after), wanted).await,
        (Order::Due(_), Some(tag)) => {
            if let Some(found) = due_of_tag(reader, filter, (tag, order), wanted).await? {
                return Ok(found);
            }
        }
        _ => {}
    }
    let most = match tag {
        // So many are gathered in less time than those are met among all others that are fewer.
        Some(tag) => (!is_common(reader, tag).await?).then_some(COMMON_TAG),
        None => leads.narrows().then_some(GATHER_MAX),
    };
    if let Some(most) = most
        && let Some(all) = gathered(reader, &leads, order, most).await?
    {
        return Ok((all, None));
    }
    let rounds = if tag.is_some() { ROUNDS_MAX } else { 1 };
    let (mut found, mut from) = (Vec::new(), order);
    for round in 1..=rounds {
        let mut args = Args::default();
        let ranges = from.ranges(&mut args);
        let (more, stopped) = walked(reader, filter, (from, Lead::Queue, WALK_MAX), (ranges, args), wanted).await?;
        found.extend(more);
        match stopped {
            Some(place) if found.len() < wanted && round < rounds => from = from.behind(place),
            stopped => return Ok((found, stopped)),
        }
    }
    Ok((found, None))
}

/// Walks through these ranges of an index. Where not all of its entries are wanted, each looks at so many at most.
async fn walked(
    reader: &mut Reader,
    filter: &Filter,
    (order, lead, most): (Order, Lead, usize),
    (ranges, mut args): (Vec<String>, Args),
    wanted: usize,
) -> Result<Found, Error> {
    let residual = residual(filter, lead, &mut args);
    let walks = Walks {
        keys: order.keys(),
        order: order.columns(),
        source: lead.source(true),
        keys_of: lead.source(false),
        ranges,
        looked_at: (!residual.is_empty()).then_some(most),
        residual,
        wanted,
    };
    let (found, stopped) = merged(&reader.all(&walks.sql(), args.0).await?)?;
    let place = |key| order.place(key);
    Ok((found.into_iter().map(place).collect(), stopped.map(place)))
}

/// The tickets of a tag by number, in which order its entries are, however many it has.
async fn of_tag(
    reader: &mut Reader,
    filter: &Filter,
    (tag, after): (&str, Option<i64>),
    wanted: usize,
) -> Result<Found, Error> {
    let mut args = Args::default();
    let range = format!(" where tag = {} and number > {}", args.place(tag), args.place(after.unwrap_or(0)));
    walked(reader, filter, (Order::Number(after), Lead::Tag, WALK_MAX), (vec![range], args), wanted).await
}

/// The tickets of a tag by when they are due, in which order its entries of each rank are, however many it has. `None` where there are
/// too many ranks.
async fn due_of_tag(
    reader: &mut Reader,
    filter: &Filter,
    (tag, order): (&str, Order),
    wanted: usize,
) -> Result<Option<Found>, Error> {
    // Those without work owed are in no list by when they are due.
    if !filter.states.is_empty() && !filter.states.iter().any(|state| state.is_unfinished()) {
        return Ok(Some((Vec::new(), None)));
    }
    let Some(ranks) = ranks_of_tag(reader, tag).await? else { return Ok(None) };
    let mut args = Args::default();
    let (tag, of_any_rank) = (args.place(tag), order.ranges(&mut args));
    let mut ranges = Vec::with_capacity(ranks.len() * of_any_rank.len());
    for rank in ranks {
        let rank = args.place(rank);
        ranges.extend(of_any_rank.iter().map(|range| format!("{range} and tag = {tag} and rank = {rank}")));
    }
    if ranges.is_empty() {
        return Ok(Some((Vec::new(), None)));
    }
    let most = (WALK_MAX / ranges.len()).max(wanted);
    walked(reader, filter, (order, Lead::Tag, most), (ranges, args), wanted).await.map(Some)
}

/// All that match, in order, where the index that leads to them has at most so many entries in a range; `None` where it has more.
async fn gathered(
    reader: &mut Reader,
    leads: &Leads,
    order: Order,
    most: usize,
) -> Result<Option<Vec<UpdatedPlace>>, Error> {
    let mut all = Vec::new();
    for unfinished in order.halves().iter().copied() {
        let mut args = Args::default();
        let ranges: Vec<String> = leads.ranges(unfinished, &mut args);
        if ranges.is_empty() {
            continue;
        }
        let walks = Walks {
            keys: order.keys(),
            order: "rank, queue_due, number",
            source: leads.lead().source(true),
            keys_of: leads.lead().source(true),
            ranges: ranges.into_iter().map(|range| format!(" where {range}")).collect(),
            residual: leads.residual(unfinished, &mut args),
            wanted: most,
            looked_at: Some(most),
        };
        let (found, stopped) = merged(&reader.all(&walks.sql(), args.0).await?)?;
        if stopped.is_some() {
            return Ok(None);
        }
        all.extend(found.into_iter().map(|key| order.place(key)));
    }
    all.retain(|place| order.is_after(*place));
    all.sort_unstable();
    if matches!(order, Order::Newest(_)) {
        all.reverse();
    }
    Ok(Some(all))
}
