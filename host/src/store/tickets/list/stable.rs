//! Orders other than the queue's: by number and by the last change, in which no ticket is lost to who reads on from page to page,
//! and by when tickets are due.

use super::leads::{Lead, Leads, residual};
use super::walk::{Args, Key, Walks, merged};
use super::{DuePlace, Filter, Reader, UpdatedPlace};
use crate::store::Error;

/// Entries of one walk up to which all that match are gathered and sorted.
const GATHER_MAX: usize = 1_000;
/// Entries that one walk in the list's own order looks at before it gives back what it has found.
const WALK_MAX: usize = 4_000;

/// The order, and the place after which to begin.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    Number(Option<i64>),
    Updated(Option<UpdatedPlace>),
    /// From the last change backwards: its keys are the negatives, so that all orders ascend.
    Newest,
    Due(Option<DuePlace>),
}

impl Order {
    const fn keys(self) -> [&'static str; 3] {
        match self {
            Order::Number(_) => ["cast(0 as bigint)", "cast(0 as bigint)", "number"],
            Order::Updated(_) => ["cast(0 as bigint)", "updated_at", "number"],
            Order::Newest => ["cast(0 as bigint)", "-updated_at", "-number"],
            Order::Due(_) => ["cast(0 as bigint)", "queue_due", "number"],
        }
    }

    const fn columns(self) -> &'static str {
        match self {
            Order::Number(_) => "number",
            Order::Updated(_) => "updated_at, number",
            Order::Newest => "updated_at desc, number desc",
            Order::Due(_) => "queue_due, number",
        }
    }

    /// What comes after the place, as ranges that an index has in one piece.
    fn ranges(self, args: &mut Args) -> Vec<String> {
        match self {
            Order::Number(after) => vec![format!(" where number > {}", args.place(after.unwrap_or(0)))],
            Order::Updated(None) | Order::Newest => vec![format!(" where updated_at > {}", args.place(i64::MIN))],
            Order::Updated(Some(UpdatedPlace { updated, number })) => {
                let [updated, number] = [args.place(updated), args.place(number)];
                vec![
                    format!(" where updated_at = {updated} and number > {number}"),
                    format!(" where updated_at > {updated}"),
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
            Order::Newest => true,
            Order::Due(after) => after.is_none_or(|after| (place.updated, place.number) > (after.due, after.number)),
        }
    }

    fn place(self, [_, updated, number]: Key) -> UpdatedPlace {
        match self {
            Order::Newest => UpdatedPlace { updated: -updated, number: -number },
            _ => UpdatedPlace { updated, number },
        }
    }

    /// Which halves of the tickets it has: those with work owed, and the others.
    const fn halves(self) -> &'static [bool] {
        match self {
            Order::Number(_) | Order::Updated(_) | Order::Newest => &[true, false],
            Order::Due(_) => &[true],
        }
    }
}

/// The places of at least `wanted` tickets after a place, if there are so many; and where the search stopped before the
/// end.
pub async fn places(
    reader: &mut Reader,
    filter: &Filter,
    order: Order,
    wanted: usize,
) -> Result<(Vec<UpdatedPlace>, Option<UpdatedPlace>), Error> {
    let leads = Leads::of(reader, filter).await?;
    let mut args = Args::default();
    let (lead, ranges) = match (order, &filter.tag, leads.lead()) {
        // In this order are the entries of a tag, however many it has.
        (Order::Number(after), Some(tag), Lead::Tag) => {
            let [tag, after] = [args.place(tag.as_str()), args.place(after.unwrap_or(0))];
            (Lead::Tag, vec![format!(" where tag = {tag} and number > {after}")])
        }
        _ => {
            if leads.narrows()
                && let Some(all) = gathered(reader, &leads, order).await?
            {
                return Ok((all, None));
            }
            (Lead::Queue, order.ranges(&mut args))
        }
    };
    let residual = residual(filter, lead, &mut args);
    let walks = Walks {
        keys: order.keys(),
        order: order.columns(),
        source: lead.source(true),
        keys_of: lead.source(false),
        ranges,
        looked_at: (!residual.is_empty()).then_some(WALK_MAX),
        residual,
        wanted,
    };
    let (found, stopped) = merged(&reader.all(&walks.sql(), args.0).await?)?;
    let place = |key| order.place(key);
    Ok((found.into_iter().map(place).collect(), stopped.map(place)))
}

/// All that match, in order, where the index that leads to them has few entries; `None` where it has many.
async fn gathered(reader: &mut Reader, leads: &Leads, order: Order) -> Result<Option<Vec<UpdatedPlace>>, Error> {
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
            wanted: GATHER_MAX,
            looked_at: Some(GATHER_MAX),
        };
        let (found, stopped) = merged(&reader.all(&walks.sql(), args.0).await?)?;
        if stopped.is_some() {
            return Ok(None);
        }
        all.extend(found.into_iter().map(|key| order.place(key)));
    }
    all.retain(|place| order.is_after(*place));
    all.sort_unstable();
    if matches!(order, Order::Newest) {
        all.reverse();
    }
    Ok(Some(all))
}
