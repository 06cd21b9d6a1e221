//! The facts about a ticket, why each is so, and what may be changed about it.

use super::Seen;
use crate::app::explain::{ByHand, Proposal, Story, THE_DESK};
use crate::app::tickets::work::{Filter, Start};
use crate::desk::access::AccessState;
use crate::desk::id::PersonId;
use crate::desk::organisation::FieldKind;
use crate::desk::organisation::form::Value;
use crate::desk::sla::{Clock, ClockKind};
use crate::desk::ticket::lifecycle::links::LinkKind;
use crate::desk::ticket::sight::Part;
use crate::desk::ticket::timeline::Field;
use crate::desk::ticket::{State, Ticket};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::{Form, encode};
use crate::web::frame::shown::{Priority, Row, StateWord};
use crate::web::frame::times::When;
use crate::web::frame::{Frame, PEOPLE_MAX};
use crate::web::session::Visit;

/// A promise: kept, running, paused or broken.
pub struct Promise {
    pub name: String,
    pub text: String,
    pub when: Option<When>,
    /// `good`, `run`, `pause` or `bad`.
    pub tone: &'static str,
    /// How much of its time is over, 0 to 4.
    pub risk: u8,
}

/// The state of an access request.
pub struct Access {
    pub what: String,
    pub state: String,
    pub awaiting: bool,
    /// Whether it waits for the reader.
    pub for_reader: bool,
    pub due: Option<When>,
    pub approvers: Vec<String>,
    pub reason: String,
}

/// The facts of a ticket.
pub struct Facts {
    pub key: String,
    pub version: String,
    pub subject: String,
    pub state: StateWord,
    pub plain_state: StateWord,
    /// The next thing that happens, for the one who asked.
    pub expect: String,
    pub resolved: bool,
    pub unfinished: bool,
    /// Whether it is the reader's only to read: of a department whose tickets they read.
    pub only_to_read: bool,
    /// Where the reader can ask for the same once more, which is over.
    pub again: Option<String>,
    pub priority: Priority,
    pub category: String,
    pub team: String,
    pub assignee: Option<String>,
    /// Whether it is the reader's own work.
    pub mine: bool,
    pub tags: Vec<String>,
    pub request_type: String,
    pub channel: String,
    pub requester: String,
    pub submitted_by: Option<String>,
    pub created: When,
    pub updated: When,
    pub duplicate_of: Option<String>,
    pub promises: Vec<Promise>,
    pub access: Option<Access>,
}

impl Facts {
    /// The facts that the reader may see of a ticket.
    pub fn of(f: &Frame, seen: &Seen) -> Facts {
        let Seen { ticket, sight, .. } = seen;
        let submitted = &ticket.submitted;
        let form = f.organisation.request_types.get(&submitted.request_type);
        let shown = |part: Part| sight.shows(part);
        let viewer = f.viewer.as_ref().map(|viewer| &viewer.id);
        let assignee = ticket.assignee.as_ref().filter(|_| shown(Part::Assignee));
        let by = (submitted.submitted_by != submitted.requester).then(|| f.name(&submitted.submitted_by));
        Facts {
            key: ticket.number.to_string(),
            version: sight.tag(ticket),
            subject: submitted.subject.clone(),
            state: f.state(ticket.state),
            plain_state: f.plain_state(ticket.state),
            expect: expect(f, seen),
            resolved: ticket.state == State::Resolved,
            unfinished: ticket.state.is_unfinished(),
            only_to_read: viewer.is_some_and(|viewer| {
                let approves = seen.case.as_ref().is_some_and(|case| case.names_approver(viewer));
                !(f.works() || approves || ticket.belongs_to(viewer) || ticket.is_watched_by(viewer))
            }),
            again: again(f, ticket),
            priority: f.priority(&ticket.priority),
            category: f.category(ticket.category.as_str()),
            team: f.team(ticket.team.as_str()),
            mine: assignee.is_some() && assignee == viewer,
            assignee: assignee.map(|id| f.name(id)),
            tags: sight
                .of(Part::Set(Field::Tags), &ticket.tags)
                .into_iter()
                .flatten()
                .map(ToString::to_string)
                .collect(),
            request_type: form.map_or_else(|| submitted.request_type.to_string(), |form| form.name.clone()),
            channel: submitted.channel.clone(),
            requester: f.name(&submitted.requester),
            submitted_by: by,
            created: f.times.ago(submitted.at),
            updated: f.times.ago(sight.updated_at(ticket.updated_at)),
            duplicate_of: sight.of(Part::DuplicateOf, ticket.duplicate_of).flatten().map(|number| number.to_string()),
            promises: promises(f, seen),
            access: access(f, seen),
        }
    }
}

/// The longest address of a form that brings with it all that was said, in bytes.
const AGAIN_BYTES_MAX: usize = 4 << 10;

/// The form for the same once more, with the words of the first time: for the requester of a ticket that is over.
fn again(f: &Frame, ticket: &Ticket) -> Option<String> {
    let submitted = &ticket.submitted;
    let over = matches!(ticket.state, State::Closed | State::Cancelled);
    let own = f.viewer.as_ref().is_some_and(|viewer| viewer.id == submitted.requester);
    let form = f.organisation.request_types.get(&submitted.request_type).filter(|_| over && own)?;
    let is_file = |name: &str| form.fields.iter().any(|spec| spec.name == name && spec.kind == FieldKind::File);
    let fields = submitted.fields.iter().filter_map(|(name, value)| match value {
        Value::Text(text) | Value::Choice(text) if !is_file(name) => Some((format!("field.{name}"), text.as_str())),
        _ => None,
    });
    let fields: Vec<(String, &str)> = fields.collect();
    let said = [("subject", submitted.subject.as_str()), ("body", submitted.body.as_str())];
    let pairs: Vec<(&str, &str)> =
        said.into_iter().chain(fields.iter().map(|(name, text)| (name.as_str(), *text))).collect();
    let at = |pairs: &[(&str, &str)]| format!("/new/{}?{}", form.id, encode(pairs));
    // A long text does not fit into an address.
    Some(at(&pairs)).filter(|whole| whole.len() <= AGAIN_BYTES_MAX).or_else(|| Some(at(&said[..1])))
}

/// The next thing that happens, for the one who asked; where an answer of theirs is awaited, until when, and where the ticket waits until
/// a day, which.
fn expect(f: &Frame, Seen { ticket, until, .. }: &Seen) -> String {
    let next = f.words.t(&format!("expect.{}", ticket.state.code()));
    let by = ticket.clocks.answer.as_ref().and_then(|clock| clock.due_at);
    let by = by.map(|by| f.words.t1("expect.answer-by", f.times.exact(by)));
    let until = until.map(|day| f.words.t1("expect.until", day));
    [Some(next), by, until].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn promises(f: &Frame, seen: &Seen) -> Vec<Promise> {
    let clocks = &seen.ticket.clocks;
    let begun = seen.ticket.submitted.at;
    let inside = f.works();
    let mut shown = vec![
        ClockKind::FirstResponse,
        ClockKind::Update,
        ClockKind::Team,
        ClockKind::Confirmation,
        ClockKind::Answer,
        ClockKind::Resolution,
    ];
    shown.extend(clocks.further.keys().copied().map(ClockKind::Further));
    let seen = shown.into_iter().filter(|kind| inside || !kind.is_internal());
    seen.filter_map(|kind| Some(promise(f, f.clock(kind.code()), clocks.get(kind)?, begun))).collect()
}

fn promise(f: &Frame, name: String, clock: &Clock, begun: jiff::Timestamp) -> Promise {
    let base =
        |text: String, when: Option<When>, tone: &'static str, risk: u8| Promise { name, text, when, tone, risk };
    match (clock.met_at, clock.due_at) {
        (Some(met), _) if clock.used_ms <= clock.target_ms => {
            base(f.words.t("promise.met"), Some(f.times.ago(met)), "good", 0)
        }
        (Some(met), _) => base(f.words.t("promise.late"), Some(f.times.ago(met)), "bad", 4),
        (None, Some(due)) if due < f.times.now => base(String::new(), Some(f.times.due(due)), "bad", 4),
        (None, Some(due)) => base(String::new(), Some(f.times.due(due)), "run", f.times.risk(begun, due)),
        (None, None) => base(f.words.t("promise.paused"), None, "pause", 0),
    }
}

fn access(f: &Frame, seen: &Seen) -> Option<Access> {
    let case = seen.case.as_ref()?;
    let (app, tier) = (case.request.app.as_str(), case.request.tier.as_str());
    let hours = case.scope.as_ref().map(|scope| scope.duration_hours).or(case.request.duration_hours);
    let what = [
        f.app(app),
        f.tier(app, tier),
        case.request.role.clone().unwrap_or_default(),
        hours.map(|hours| f.times.span(i64::from(hours) * 60)).unwrap_or_default(),
    ];
    Some(Access {
        what: what.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · "),
        state: f.words.t(&format!("access.{}", case.state.code())),
        awaiting: case.state == AccessState::Awaiting,
        for_reader: f.viewer.as_ref().is_some_and(|viewer| case.awaited().contains(&&viewer.id)),
        due: case.due_at().map(|due| f.times.due(due)),
        approvers: case.awaited().into_iter().map(|id| f.name(id)).collect(),
        reason: f.case_reason(case),
    })
}

/// Why a field has its value.
pub struct Why {
    pub name: String,
    pub field: String,
    pub value: Option<String>,
    pub by: String,
    pub digest: Option<String>,
    pub reason: String,
    pub law: Option<&'static str>,
    pub proposals: Vec<Proposal>,
    pub changes: Vec<ByHand>,
    /// Whether it stands among the first.
    pub main: bool,
}

/// Fields whose story is shown first.
const MAIN: [&str; 5] = ["priority", "category", "team", "assignee", "access"];

/// The stories of all fields, the main ones first. A field of the form about which no one but the requester has said anything
/// stands in the submission, and has no story.
pub fn whys(f: &Frame, stories: Vec<Story>) -> Vec<Why> {
    let said = |proposal: &Proposal| proposal.value.is_some() || proposal.fault.is_some();
    let has_story = |story: &Story| {
        !story.field.starts_with("fields.")
            || story.set_by.kind != "requester"
            || !story.changes.is_empty()
            || story.proposals.iter().any(said)
    };
    let mut whys: Vec<Why> = stories.into_iter().filter(has_story).map(|story| why(f, story)).collect();
    let place = |why: &Why| MAIN.iter().position(|main| *main == why.field).unwrap_or(MAIN.len());
    whys.sort_by_key(place);
    whys
}

fn why(f: &Frame, story: Story) -> Why {
    let key = format!("field.{}", story.field);
    let name = match story.field.split_once('.') {
        Some(("tags", tag)) => f.words.t1("field.tag", tag),
        Some(("fields", name)) => f.words.t1("field.of-form", name),
        _ if f.words.has(&key) => f.words.t(&key),
        _ => story.field.clone(),
    };
    let by = match story.set_by.kind {
        "rule" => f.words.t1("why.rule", &story.set_by.name),
        "requester" => f.words.t("why.requester"),
        _ => f.words.t1("why.desk", &story.set_by.name),
    };
    let who = |by: &str| if by == THE_DESK { f.words.t("who.desk") } else { f.name_of(by) };
    let reason = if story.set_by.kind == "desk" { f.own_reason(&story.set_by.reason) } else { story.set_by.reason };
    let why =
        |change: &ByHand| if change.by == THE_DESK { f.own_reason(&change.reason) } else { change.reason.clone() };
    let by_hand = |change: ByHand| ByHand { by: who(&change.by), reason: why(&change), ..change };
    let changes: Vec<ByHand> = story.changes.into_iter().map(by_hand).collect();
    Why {
        main: MAIN.contains(&story.field.as_str()),
        name,
        field: story.field,
        value: story.value,
        by,
        digest: story.set_by.component,
        reason,
        law: story.law,
        proposals: story.proposals,
        changes,
    }
}

/// The one who asked, for those who help them.
pub struct Card {
    pub name: String,
    pub title: String,
    pub department: String,
    pub location: String,
    pub email: String,
    pub manager: Option<String>,
    pub vip: bool,
    pub active: bool,
    pub others: Vec<Row>,
    /// The access that they hold now, through this desk.
    pub holds: Vec<crate::web::portal::access::Held>,
    pub devices: Vec<Device>,
}

/// A device of the one who asked, with what is known of it.
pub struct Device {
    pub name: String,
    pub facts: Vec<(String, String)>,
}

/// Devices on a requester's card.
const DEVICES: usize = 20;

/// A person's devices, where a table says whose a device is; for those who work on tickets.
fn devices(visit: &Visit, person: &PersonId) -> Vec<Device> {
    let Some(known) = visit.frame.organisation.devices.as_ref().filter(|_| visit.frame.works()) else {
        return Vec::new();
    };
    let tables = visit.app.rules.tables();
    let rows = tables.get(&known.table).map(|table| table.having(&known.owner, person.as_str(), DEVICES));
    let rows = rows.unwrap_or_default().into_iter();
    rows.map(|(name, row)| {
        let is_shown = |column: &str| known.show.is_empty() || known.show.iter().any(|shown| shown == column);
        let cells = row.into_iter().filter(|cell| is_shown(&cell.name) && cell.name != known.owner);
        let facts = cells.filter(|cell| !cell.value.is_empty() && cell.value != name);
        Device { facts: facts.map(|cell| (cell.name, cell.value)).collect(), name }
    })
    .collect()
}

/// Tickets on a requester's card.
const OTHERS: usize = 5;

/// The card of a ticket's requester.
///
/// # Errors
///
/// Where their tickets cannot be read.
pub async fn card(visit: &Visit, seen: &Seen) -> Result<Card, Failure> {
    let (f, requester) = (&visit.frame, &seen.ticket.submitted.requester);
    let filter = Filter { requester: Some(requester.to_string()), ..Filter::default() };
    let (found, sights) = visit.app.tickets(&visit.actor, filter, Start::Queue(None), OTHERS + 1).await?;
    let others = found.items.iter().filter(|ticket| ticket.number != seen.ticket.number).take(OTHERS);
    let others = others.map(|ticket| f.row(ticket, &sights, Frame::state));
    let person = f.organisation.people.get(requester);
    let text = |of: fn(&crate::desk::organisation::Person) -> &String| person.map(of).cloned().unwrap_or_default();
    Ok(Card {
        name: f.name(requester),
        title: text(|person| &person.title),
        department: text(|person| &person.department),
        location: text(|person| &person.location),
        email: text(|person| &person.email),
        manager: person.and_then(|person| person.manager.as_ref()).map(|manager| f.name(manager)),
        vip: person.is_some_and(|person| person.vip),
        active: person.is_none_or(|person| person.active),
        others: others.collect(),
        holds: crate::web::portal::access::held_by(visit, requester).await?,
        devices: devices(visit, requester),
    })
}

/// Another ticket that this one has to do with.
pub struct Linked {
    pub key: String,
    /// Its kind, where it is this ticket's own and may be taken away by hand.
    pub own: Option<&'static str>,
    pub subject: String,
    pub state: StateWord,
    pub word: String,
}

/// The tickets that this one is linked with.
///
/// # Errors
///
/// Where they cannot be read.
pub async fn links(visit: &Visit, seen: &Seen) -> Result<Vec<Linked>, Failure> {
    let f = &visit.frame;
    let links = visit.app.links(&visit.actor, seen.ticket.number).await?;
    let linked = links.into_iter().map(|link| Linked {
        key: link.other.to_string(),
        own: (!link.reverse && LinkKind::BY_HAND.contains(&link.kind)).then(|| link.kind.code()),
        state: f.state(link.state),
        word: f.words.t(&format!("link.{}", if link.reverse { link.kind.reverse() } else { link.kind.code() })),
        subject: link.subject,
    });
    Ok(linked.collect())
}

/// An option of a choice.
pub struct Choice {
    pub id: String,
    pub name: String,
    pub chosen: bool,
}

/// All that may be changed by hand, with what is chosen now.
pub struct Edit {
    pub categories: Vec<Choice>,
    pub priorities: Vec<Choice>,
    pub impacts: Vec<Choice>,
    pub urgencies: Vec<Choice>,
    pub teams: Vec<Choice>,
    /// Empty where the team has more than [`PEOPLE_MAX`].
    pub assignees: Vec<Choice>,
    /// The id of the present assignee, where there are too many to list: then people are looked for as one types.
    pub too_many: Option<String>,
    pub tags: Vec<Choice>,
}

impl Edit {
    /// The choices, with what was chosen before in the place of what is.
    pub fn of(f: &Frame, seen: &Seen, form: &Form) -> Edit {
        let (ticket, organisation) = (&seen.ticket, &f.organisation);
        let wanted = |name: &str, now: String| form.given(name).unwrap_or(now);
        let choices = |chosen: String, all: Vec<(String, String)>| {
            all.into_iter().map(|(id, name)| Choice { chosen: id == chosen, id, name }).collect()
        };
        let scale = |id: String| {
            let name = f.option(&id);
            (id, name)
        };
        let team = organisation.teams.get(&ticket.team);
        let members = team.iter().flat_map(|team| &team.members);
        let members = members.filter(|member| organisation.is_active(&member.person));
        let now = |id: Option<String>| id.unwrap_or_default();
        let members: Vec<(String, String)> =
            members.map(|member| (member.person.to_string(), f.name(&member.person))).collect();
        let assignee = wanted("assignee", now(ticket.assignee.as_ref().map(ToString::to_string)));
        let too_many = (members.len() > PEOPLE_MAX).then(|| assignee.clone());
        let tagged = form.has("tagged").then(|| form.all("tag"));
        let is_tagged = |tag: &crate::desk::id::Tag| match &tagged {
            Some(chosen) => chosen.iter().any(|name| name == tag.as_str()),
            None => ticket.tags.contains(tag),
        };
        let tags = organisation.tags.iter().map(|tag| Choice {
            chosen: is_tagged(tag),
            id: tag.to_string(),
            name: tag.to_string(),
        });
        Edit {
            tags: tags.collect(),
            categories: choices(
                wanted("category", ticket.category.to_string()),
                organisation.categories.values().map(|c| (c.id.to_string(), c.name.clone())).collect(),
            ),
            priorities: choices(
                wanted("priority", ticket.priority.to_string()),
                organisation.priorities.iter().map(|p| (p.id.to_string(), p.name.clone())).collect(),
            ),
            impacts: choices(
                wanted("impact", now(ticket.impact.as_ref().map(ToString::to_string))),
                organisation.impacts.iter().map(|id| scale(id.to_string())).collect(),
            ),
            urgencies: choices(
                wanted("urgency", now(ticket.urgency.as_ref().map(ToString::to_string))),
                organisation.urgencies.iter().map(|id| scale(id.to_string())).collect(),
            ),
            teams: choices(
                wanted("team", ticket.team.to_string()),
                organisation.teams.values().map(|t| (t.id.to_string(), t.name.clone())).collect(),
            ),
            assignees: choices(assignee, if too_many.is_some() { Vec::new() } else { members }),
            too_many,
        }
    }
}
