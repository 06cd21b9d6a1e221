//! Lists that people keep: those under a name, and the tickets that a person follows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Filter;
use crate::desk::id::{PersonId, TeamId, TicketNumber, ViewId};
use crate::desk::ticket::State;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{Lenient, at, corrupt, from_json, ms, parsed};
use crate::store::sql::places;
use crate::store::tickets::summary::{self, TicketSummary};
use crate::store::{Error, Store};

/// The most lists that one person has, shared ones of others included.
pub const VIEWS_MAX: usize = 200;

const T: &str = "views";
const COLUMNS: &str = "id, owner, name, audience, filter, version, changed_at";

/// Who else has a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    None,
    /// All who work on tickets.
    Staff,
    Team(TeamId),
}

impl Audience {
    /// The audience as text: empty, `staff`, or `team:` and the team.
    pub fn code(&self) -> String {
        match self {
            Audience::None => String::new(),
            Audience::Staff => "staff".to_owned(),
            Audience::Team(team) => format!("team:{team}"),
        }
    }

    /// The audience with this text.
    pub fn from_code(code: &str) -> Option<Audience> {
        match code {
            "" => Some(Audience::None),
            "staff" => Some(Audience::Staff),
            _ => code.strip_prefix("team:")?.parse().ok().map(Audience::Team),
        }
    }
}

/// A list under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredView {
    pub id: ViewId,
    pub owner: PersonId,
    pub name: String,
    pub audience: Audience,
    /// As it is kept: it may name the reader as `@me`.
    pub filter: Filter,
    /// Counts up from 1.
    pub version: i64,
    pub changed_at: Timestamp,
    /// The columns that hold what nothing of ours wrote, and have stand-ins here; none for almost all.
    pub damaged: Vec<&'static str>,
}

/// A list that a person has, and whether they have put it in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnView {
    pub view: StoredView,
    pub starred: bool,
}

/// A filter as it is kept. What is left out does not narrow the list.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    states: Vec<String>,
    team: Option<String>,
    assignee: Option<String>,
    requester: Option<String>,
    priority: Option<String>,
    category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

fn kept(filter: &Filter) -> String {
    let Filter { states, team, assignee, requester, requesters: _, priority, category, request_type, tag, only: _ } =
        filter.clone();
    let states = states.into_iter().map(|state| state.code().to_owned()).collect();
    // Texts only: there is nothing that JSON cannot say.
    let kept = Kept { states, team, assignee, requester, priority, category, request_type, tag };
    serde_json::to_string(&kept).unwrap_or_default()
}

fn view(row: &Row) -> Result<StoredView, Error> {
    let kept: Kept = from_json(T, "filter", &row.text(4)?)?;
    let Kept { states, team, assignee, requester, priority, category, request_type, tag } = kept;
    let state = |code: String| State::from_code(&code).ok_or_else(|| corrupt(T, "filter", code));
    let states = states.into_iter().map(state).collect::<Result<_, _>>()?;
    let audience = row.text(3)?;
    Ok(StoredView {
        id: ViewId(row.uuid(0)?),
        owner: parsed(T, "owner", &row.text(1)?)?,
        name: row.text(2)?,
        audience: Audience::from_code(&audience).ok_or_else(|| corrupt(T, "audience", audience))?,
        filter: Filter {
            states,
            team,
            assignee,
            requester,
            requesters: Vec::new(),
            priority,
            category,
            request_type,
            tag,
            only: None,
        },
        version: row.int(5)?,
        changed_at: at(T, "changed_at", row.int(6)?)?,
        damaged: Vec::new(),
    })
}

/// The same in a list, as far as it can be read.
fn listed(row: &Row) -> Result<StoredView, Error> {
    if let Ok(view) = view(row) {
        return Ok(view);
    }
    let mut read = Lenient::default();
    let audience = row.text(3);
    let audience = audience.and_then(|code| Audience::from_code(&code).ok_or_else(|| corrupt(T, "audience", code)));
    Ok(StoredView {
        id: ViewId(row.uuid(0)?),
        owner: read.id("owner", row.text(1))?,
        name: read.or("name", row.text(2), String::new()),
        audience: read.or("audience", audience, Audience::None),
        filter: Filter::default(),
        version: read.or("version", row.int(5), 0),
        changed_at: read.at("changed_at", row.int(6)),
        // All the rest was read.
        damaged: Some(read.damaged()).filter(|columns| !columns.is_empty()).unwrap_or_else(|| vec!["filter"]),
    })
}

/// The statement for the lists of a person and those for these audiences, with whether the person has put each in front. Where there are
/// too many, one's own stay, and those in front: what others share takes no place from them.
fn views_statement(owner: &PersonId, audiences: &[Audience]) -> (String, Vec<Arg>) {
    let places = places(1, audiences.len());
    let shared = match audiences {
        [] => String::new(),
        _ => {
            format!(" union select {COLUMNS} from views where audience <> '' and audience in ({places})")
        }
    };
    let starred = "(select count(*) from starred_views s where s.person = $1 and s.list = v.id) as starred";
    let sql = format!(
        "select * from (select {COLUMNS}, {starred} from (select {COLUMNS} from views where owner = $1{shared}) v \
         order by case when owner = $1 then 0 else 1 end, starred desc, name, id limit {VIEWS_MAX}) kept order by name, id"
    );
    let mut args: Vec<Arg> = vec![owner.as_str().into()];
    args.extend(audiences.iter().map(|audience| Arg::from(audience.code())));
    (sql, args)
}

impl Store {
    /// The lists of a person and those for these audiences, by name, at most [`VIEWS_MAX`].
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn views(&self, owner: &PersonId, audiences: &[Audience]) -> Result<Vec<StoredView>, Error> {
        let (sql, args) = views_statement(owner, audiences);
        Ok(self.readable(T, &self.db.quick(&sql, args).await?, listed))
    }

    /// The same, each with whether the person has put it in front.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn own_views(&self, owner: &PersonId, audiences: &[Audience]) -> Result<Vec<OwnView>, Error> {
        let (sql, args) = views_statement(owner, audiences);
        let own = |row: &Row| Ok(OwnView { view: listed(row)?, starred: row.int(7)? > 0 });
        Ok(self.readable(T, &self.db.quick(&sql, args).await?, own))
    }

    /// Puts a list in front for a person, unless it is one of more than `most`; or takes it from there. Whether it is so now.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn star_view(&self, person: &PersonId, list: ViewId, on: bool, most: i64) -> Result<bool, Error> {
        let mut args: Vec<Arg> = vec![person.as_str().into(), list.0.into()];
        if !on {
            self.write("delete from starred_views where person = $1 and list = $2", args).await?;
            return Ok(true);
        }
        args.push(most.into());
        let sql = "insert into starred_views (person, list) select $1, id from views where id = $2 \
                   and (select count(*) from starred_views where person = $1) < $3 on conflict do nothing";
        self.write(sql, args).await?;
        let sql = "select 1 from starred_views where person = $1 and list = $2";
        Ok(self.db.optional(sql, vec![person.as_str().into(), list.0.into()]).await?.is_some())
    }

    /// One list.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn view(&self, id: ViewId) -> Result<Option<StoredView>, Error> {
        let sql = format!("select {COLUMNS} from views where id = $1");
        self.db.quick(&sql, vec![id.0.into()]).await?.first().map(view).transpose()
    }

    /// Keeps a list, new as version 1 or in place of the version before its own. Whether it was so still.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn keep_view(&self, view: &StoredView) -> Result<bool, Error> {
        let StoredView { id, owner, name, audience, filter, version, changed_at, damaged: _ } = view;
        let tail = vec![
            name.as_str().into(),
            audience.code().into(),
            kept(filter).into(),
            Arg::from(*version),
            ms(*changed_at).into(),
        ];
        let (sql, first): (&str, Vec<Arg>) = match version {
            1 => (
                "insert into views (id, owner, name, audience, filter, version, changed_at) \
                 values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
                vec![id.0.into(), owner.as_str().into()],
            ),
            _ => (
                "update views set name = $3, audience = $4, filter = $5, version = $6, changed_at = $7 \
                 where id = $1 and owner = $2 and version = $6 - 1",
                vec![id.0.into(), owner.as_str().into()],
            ),
        };
        let args: Vec<Arg> = first.into_iter().chain(tail).collect();
        Ok(self.write(sql, args).await? == 1)
    }

    /// Takes a list away, at this version. Whether it was so still.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn remove_view(&self, id: ViewId, version: i64) -> Result<bool, Error> {
        let sql = "delete from views where id = $1 and version = $2";
        let removed = self.write(sql, vec![id.0.into(), version.into()]).await? == 1;
        if removed {
            self.write("delete from starred_views where list = $1", vec![id.0.into()]).await?;
        }
        Ok(removed)
    }

    /// The tickets that a person follows, the newest first, those before a number.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn watched_by(
        &self,
        person: &PersonId,
        before: Option<TicketNumber>,
        limit: usize,
    ) -> Result<Vec<TicketSummary>, Error> {
        let before = before.map_or(i64::MAX, |number| number.0);
        let sql = "select ticket from watchers where person = $1 and ticket < $2 order by ticket desc limit $3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.db.quick(sql, vec![person.as_str().into(), before.into(), limit.into()]).await?;
        let numbers = rows.iter().map(|row| Ok(row.int(0)?.into())).collect::<Result<Vec<Arg>, Error>>()?;
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let (sql, args) = summary::statement("number", numbers, super::PAGE_MAX);
        let mut found = self.db.all(&sql, args).await?.iter().map(summary::summary).collect::<Result<Vec<_>, _>>()?;
        found.sort_by_key(|ticket| std::cmp::Reverse(ticket.number));
        Ok(found)
    }
}
