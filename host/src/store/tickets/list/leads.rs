//! Which index leads to the tickets of a list, and what of its filter is left to be looked at on the way.

use super::walk::{Args, Residual};
use super::{Filter, NO_ONE, Reader};
use crate::desk::ticket::State;
use crate::store::Error;
use crate::store::db::Arg;

/// Values of one column that are walked by themselves; with more of them the whole queue is walked.
const LEADS_MAX: usize = 64;
/// Tickets from which on a tag is common: then what else is asked for narrows more.
pub const COMMON_TAG: usize = 5_000;
/// Words for states that are none of ours, of which tickets are shown.
const STRANGE_MAX: usize = 8;

/// The first column of an index that is in the order of the queue behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// None: the queue itself.
    Queue,
    Team,
    Assignee,
    Requester,
    /// Of those that somebody else requested.
    SubmittedBy,
    Category,
    /// Of those that no person has.
    NoOne,
    RequestType,
    /// Of a table of its own, which has a row for each tag of a ticket.
    Tag,
}

/// The tickets of a tag, with what lists look at. They are read from the tag on, as the sum in it makes sure: by it no order of the
/// tickets is one of the tags' as well, so that no database walks all tickets to find those few.
const TAGGED: &str = "(select tagged.tag, tagged.unfinished, tagged.rank, tagged.queue_due, tagged.number, tickets.updated_at, \
    tickets.requester, tickets.submitted_by, tickets.assignee, tickets.team, tickets.priority, tickets.request_type, \
    tickets.category, tickets.state from tagged cross join tickets where tickets.number = tagged.number + 0) as entries";

/// By what an index is divided between its first column and the order of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// For what is often narrowed to some states: each has a walk of its own.
    State,
    /// For what has few tickets, or many values at once: one walk over all unfinished ones.
    Unfinished,
}

impl Lead {
    pub const fn split(self) -> Split {
        match self {
            Lead::Queue | Lead::Team | Lead::NoOne | Lead::RequestType => Split::State,
            Lead::Assignee | Lead::Requester | Lead::SubmittedBy | Lead::Category | Lead::Tag => Split::Unfinished,
        }
    }

    /// From what its entries are read: where only their places in the queue are wanted, or more of their tickets.
    pub const fn source(self, more: bool) -> &'static str {
        match (self, more) {
            (Lead::Tag, true) => TAGGED,
            (Lead::Tag, false) => "tagged",
            _ => "tickets",
        }
    }

    /// The beginning of a condition that the entries of its index with this value have in common.
    fn first(self, value: &str, args: &mut Args) -> String {
        let (column, confined) = match self {
            Lead::Queue => return String::new(),
            Lead::NoOne => return "assignee is null and ".to_owned(),
            Lead::Team => ("team", ""),
            Lead::Assignee => ("assignee", ""),
            Lead::Requester => ("requester", ""),
            Lead::SubmittedBy => ("submitted_by", " and submitted_by <> requester"),
            Lead::Category => ("category", ""),
            Lead::RequestType => ("request_type", ""),
            Lead::Tag => ("tag", ""),
        };
        format!("{column} = {}{confined} and ", args.place(value))
    }
}

/// How the tickets of a filter are found.
#[derive(Debug)]
pub struct Leads {
    /// Each a part of the tickets, and no ticket in two of them; none where nothing can match.
    pub by: Vec<(Lead, String)>,
    /// The ranks that the wanted priority has or had; `None` where any will do.
    pub ranks: Option<Vec<i64>>,
    /// The words of states that nothing of ours wrote, whose tickets are shown as damaged; none almost always.
    strange: Vec<String>,
    filter: Filter,
}

impl Leads {
    /// Picks the index that narrows most: a person's tickets are fewer than those of a tag that is not common, those fewer than a team's, a
    /// team's fewer than a category's with all below it; what no person has is fewer than what came by one form.
    pub async fn of(reader: &mut Reader, filter: &Filter) -> Result<Leads, Error> {
        let ranks = match &filter.priority {
            Some(priority) => Some(ranks(reader, priority).await?),
            None => None,
        };
        let tag = leading_tag(reader, filter).await?;
        let by = if let Some(person) = &filter.only {
            vec![(Lead::Requester, person.to_string()), (Lead::SubmittedBy, person.to_string())]
        } else if let Some(requester) = &filter.requester {
            vec![(Lead::Requester, requester.clone())]
        } else if (1..=LEADS_MAX).contains(&filter.requesters.len()) {
            filter.requesters.iter().map(|person| (Lead::Requester, person.clone())).collect()
        } else if let Some(assignee) = filter.assignee.as_ref().filter(|assignee| *assignee != NO_ONE) {
            vec![(Lead::Assignee, assignee.clone())]
        } else if let Some(tag) = tag {
            vec![(Lead::Tag, tag)]
        } else if let Some(team) = &filter.team {
            vec![(Lead::Team, team.clone())]
        } else if let Some(category) = &filter.category {
            match categories(reader, category).await? {
                Some(all) => all.into_iter().map(|category| (Lead::Category, category)).collect(),
                None => vec![filter.tag.clone().map_or((Lead::Queue, String::new()), |tag| (Lead::Tag, tag))],
            }
        } else if filter.assignee.is_some() {
            vec![(Lead::NoOne, String::new())]
        } else if let Some(request_type) = &filter.request_type {
            vec![(Lead::RequestType, request_type.clone())]
        } else {
            vec![(Lead::Queue, String::new())]
        };
        let ranks = ranks.filter(|ranks| by.len() * ranks.len() <= LEADS_MAX);
        let mut leads = Leads { by, ranks, strange: Vec::new(), filter: filter.clone() };
        if leads.split() == Split::State && filter.states.is_empty() {
            leads.strange = strange_states(reader).await?;
        }
        Ok(leads)
    }

    /// The states of one half of the queue that are wanted; `None` where that is each of them.
    fn states(&self, unfinished: bool) -> Option<Vec<State>> {
        let wanted: Vec<State> = half(unfinished).filter(|state| self.filter.states.contains(state)).collect();
        (!self.filter.states.is_empty() && wanted.len() < half(unfinished).count()).then_some(wanted)
    }

    /// The conditions under which an index has all tickets of one half of the queue, each in one piece.
    pub fn ranges(&self, unfinished: bool, args: &mut Args) -> Vec<String> {
        let splits = self.splits(unfinished, args);
        let mut ranges = Vec::new();
        for (lead, value) in &self.by {
            let first = lead.first(value, args);
            ranges.extend(splits.iter().map(|split| format!("{first}{split}")));
        }
        ranges
    }

    fn split(&self) -> Split {
        self.by.first().map_or(Split::State, |(lead, _)| lead.split())
    }

    fn splits(&self, unfinished: bool, args: &mut Args) -> Vec<String> {
        let states = self.states(unfinished);
        match (self.split(), states) {
            // None of this half is wanted.
            (_, Some(states)) if states.is_empty() => Vec::new(),
            (Split::Unfinished, _) => vec![format!("unfinished = {}", i64::from(unfinished))],
            (Split::State, states) => {
                let states = states.unwrap_or_else(|| half(unfinished).collect());
                let codes = states.iter().map(|state| state.code());
                // They are where they are seen first: among those on which work is owed.
                let strange = self.strange.iter().filter(|_| unfinished).map(String::as_str);
                codes.chain(strange).map(|code| format!("state = {}", args.place(code))).collect()
            }
        }
    }

    /// What of the filter the walks through one half of the queue have to look at.
    pub fn residual(&self, unfinished: bool, args: &mut Args) -> Residual {
        let states = self.states(unfinished).filter(|_| self.split() == Split::Unfinished).unwrap_or_default();
        residual(&Filter { states, ..self.filter.clone() }, self.lead(), args)
    }

    /// The index that leads to them, the same for each part.
    pub fn lead(&self) -> Lead {
        self.by.first().map_or(Lead::Queue, |(lead, _)| *lead)
    }

    /// Whether an index leads to fewer tickets than there are.
    pub fn narrows(&self) -> bool {
        !self.filter.states.is_empty() || self.by.iter().all(|(lead, _)| *lead != Lead::Queue)
    }
}

fn half(unfinished: bool) -> impl Iterator<Item = State> {
    State::ALL.into_iter().filter(move |state| state.is_unfinished() == unfinished)
}

/// What of a filter the index behind `lead` does not hold; states are never of it.
pub fn residual(filter: &Filter, lead: Lead, args: &mut Args) -> Residual {
    let mut residual = Residual::default();
    let Filter { states, team, assignee, requester, requesters, priority, category, request_type, tag, only } = filter;
    if let Some(person) = only.as_ref().filter(|_| lead != Lead::Requester) {
        let person = args.place(person.as_str());
        let condition = format!("(requester = {person} or submitted_by = {person})");
        residual.add(&["requester", "submitted_by"], condition);
    }
    let unassigned = assignee.as_deref() == Some(NO_ONE);
    if unassigned && lead != Lead::NoOne {
        residual.add(&["assignee"], "assignee is null".to_owned());
    }
    let equals = [
        // Where a list is confined to one person, that person's tickets are walked, whoever requested them.
        ("requester", requester.as_ref().filter(|_| lead != Lead::Requester || only.is_some())),
        ("assignee", assignee.as_ref().filter(|_| lead != Lead::Assignee && !unassigned)),
        ("team", team.as_ref().filter(|_| lead != Lead::Team)),
        ("priority", priority.as_ref()),
        ("request_type", request_type.as_ref().filter(|_| lead != Lead::RequestType)),
    ];
    for (column, value) in equals {
        if let Some(value) = value {
            residual.add(&[column], format!("{column} = {}", args.place(value.as_str())));
        }
    }
    if let Some(tag) = tag.as_ref().filter(|_| lead != Lead::Tag) {
        // As the row has it among its others.
        let place = args.place(serde_json::json!(tag).to_string());
        residual.add(&["tags"], format!("tags <> replace(tags, {place}, '')"));
    }
    let walks_them = lead == Lead::Requester && only.is_none() && requester.is_none();
    if !requesters.is_empty() && !walks_them {
        let places: Vec<String> = requesters.iter().map(|person| args.place(person.as_str())).collect();
        residual.add(&["requester"], format!("requester in ({})", places.join(", ")));
    }
    if let Some(category) = category.as_ref().filter(|_| lead != Lead::Category) {
        let (from, to) = below(category);
        let [itself, from, to] = [args.place(category.as_str()), args.place(from), args.place(to)];
        let condition = format!("(category = {itself} or (category >= {from} and category < {to}))");
        residual.add(&["category"], condition);
    }
    if !states.is_empty() {
        let places: Vec<String> = states.iter().map(|state| args.place(state.code())).collect();
        residual.add(&["state"], format!("state in ({})", places.join(", ")));
    }
    residual
}

/// From where to where the categories below one are, byte by byte: its id, a dot, and anything behind it. The character
/// after a dot is a slash.
fn below(category: &str) -> (String, String) {
    (format!("{category}."), format!("{category}/"))
}

/// A category and all below it that any ticket has; `None` where those are too many. They are padded, so that few
/// statements are prepared: no category is empty.
async fn categories(reader: &mut Reader, category: &str) -> Result<Option<Vec<String>>, Error> {
    let sql = format!(
        "with recursive below (category) as (\
         select category from (select category from tickets where category >= $1 and category < $2 \
             order by category limit 1) as lowest \
         union all \
         select (select category from tickets where category > below.category and category < $2 \
             order by category limit 1) from below where below.category is not null) \
         select category from below where category is not null limit {LEADS_MAX}"
    );
    let (from, to) = below(category);
    let mut found = vec![category.to_owned()];
    for row in reader.all(&sql, vec![from.into(), to.into()]).await? {
        found.push(row.text(0)?);
    }
    if found.len() > LEADS_MAX {
        return Ok(None);
    }
    found.resize(found.len().next_power_of_two(), String::new());
    Ok(Some(found))
}

/// The tag by which tickets are found, unless it is common and something else narrows the list as well.
async fn leading_tag(reader: &mut Reader, filter: &Filter) -> Result<Option<String>, Error> {
    let others = [&filter.team, &filter.category, &filter.assignee, &filter.request_type];
    let Some(tag) = filter.tag.clone() else { return Ok(None) };
    let is_narrowed = others.into_iter().any(Option::is_some);
    Ok(if is_narrowed && is_common(reader, &tag).await? { None } else { Some(tag) })
}

/// Whether at least [`COMMON_TAG`] tickets have a tag.
pub async fn is_common(reader: &mut Reader, tag: &str) -> Result<bool, Error> {
    let sql = format!("select number from tagged where tag = $1 order by number limit 1 offset {}", COMMON_TAG - 1);
    Ok(!reader.all(&sql, vec![Arg::from(tag)]).await?.is_empty())
}

/// The ranks that unfinished tickets of a tag have; `None` where those are too many.
pub async fn ranks_of_tag(reader: &mut Reader, tag: &str) -> Result<Option<Vec<i64>>, Error> {
    let sql = format!(
        "with recursive ranks (value) as (\
         select value from (select rank as value from tagged where tag = $1 and unfinished = 1 order by rank limit 1) as lowest \
         union all \
         select (select rank from tagged where tag = $1 and unfinished = 1 and rank > ranks.value order by rank limit 1) \
             from ranks where ranks.value is not null) \
         select value from ranks where value is not null limit {LEADS_MAX}"
    );
    let rows = reader.all(&sql, vec![Arg::from(tag)]).await?;
    let ranks: Vec<i64> = rows.iter().map(|row| row.int(0)).collect::<Result<_, _>>()?;
    Ok((ranks.len() < LEADS_MAX).then_some(ranks))
}

/// The ranks that tickets of a priority have: one, unless the organisation has changed the order of its priorities.
async fn ranks(reader: &mut Reader, priority: &str) -> Result<Vec<i64>, Error> {
    let sql = format!(
        "with recursive ranks (value) as (\
         select value from (select rank as value from tickets where priority = $1 order by rank limit 1) as lowest \
         union all \
         select (select rank from tickets where priority = $1 and rank > ranks.value order by rank limit 1) \
             from ranks where ranks.value is not null) \
         select value from ranks where value is not null limit {LEADS_MAX}"
    );
    let rows = reader.all(&sql, vec![Arg::from(priority)]).await?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// The words that stand for a state in some ticket and are none of ours.
async fn strange_states(reader: &mut Reader) -> Result<Vec<String>, Error> {
    let sql = format!(
        "with recursive words (value) as (\
         select value from (select state as value from tickets where state >= $1 order by state limit 1) as lowest \
         union all \
         select (select state from tickets where state > words.value order by state limit 1) \
             from words where words.value is not null) \
         select value from words where value is not null limit {LEADS_MAX}"
    );
    let rows = reader.all(&sql, vec![Arg::from("")]).await?;
    let words: Vec<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
    Ok(words.into_iter().filter(|word| State::from_code(word).is_none()).take(STRANGE_MAX).collect())
}
