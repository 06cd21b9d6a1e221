//! Builders of inputs: what a test leaves out is empty, so that it names only what it is about.

use super::moment::usual;
use crate::types::{Field, Person, SoFar, Ticket, Value};
use crate::{access, categorization, closing, intake, priority, routing};

/// Builds a ticket.
#[derive(Debug, Clone)]
pub struct TicketBuilder(Ticket);

/// A ticket of a request type.
pub fn ticket(request_type: &str) -> TicketBuilder {
    TicketBuilder(Ticket {
        request_type: request_type.to_owned(),
        channel: "api".to_owned(),
        subject: String::new(),
        body: String::new(),
        fields: Vec::new(),
        tags: Vec::new(),
        signals: Vec::new(),
        attachments: Vec::new(),
        created_at: usual().at,
        attributes: Vec::new(),
    })
}

impl TicketBuilder {
    /// Sets the subject.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.0.subject);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.0.body);
        self
    }

    /// Fills in a form field: a `&str` is text, an `f64` a number, a `bool` a yes or no.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.fields.push(Field { name: name.to_owned(), value: value.into() });
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.0.tags.push(tag.to_owned());
        self
    }

    /// Adds a signal of intake.
    #[must_use]
    pub fn signal(mut self, signal: &str) -> Self {
        self.0.signals.push(signal.to_owned());
        self
    }

    /// The ticket.
    pub fn build(self) -> Ticket {
        self.0
    }
}

impl From<TicketBuilder> for Ticket {
    fn from(builder: TicketBuilder) -> Self {
        builder.0
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// Builds a person.
#[derive(Debug, Clone)]
pub struct PersonBuilder(Person);

/// A person with an id, and a name and address made from it.
pub fn person(id: &str) -> PersonBuilder {
    PersonBuilder(Person {
        id: id.to_owned(),
        name: id.to_owned(),
        email: format!("{id}@example.org"),
        department: String::new(),
        title: String::new(),
        location: String::new(),
        groups: Vec::new(),
        managers: Vec::new(),
        vip: false,
        attributes: Vec::new(),
    })
}

impl PersonBuilder {
    /// Marks the person for special care.
    #[must_use]
    pub fn vip(mut self) -> Self {
        self.0.vip = true;
        self
    }

    /// Sets the department.
    #[must_use]
    pub fn department(mut self, department: &str) -> Self {
        department.clone_into(&mut self.0.department);
        self
    }

    /// Sets the job title.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.0.title);
        self
    }

    /// Sets the site or city.
    #[must_use]
    pub fn location(mut self, location: &str) -> Self {
        location.clone_into(&mut self.0.location);
        self
    }

    /// Makes the person a member of a group.
    #[must_use]
    pub fn group(mut self, group: &str) -> Self {
        self.0.groups.push(group.to_owned());
        self
    }

    /// Adds a manager above those before.
    #[must_use]
    pub fn manager(mut self, id: &str) -> Self {
        self.0.managers.push(id.to_owned());
        self
    }

    /// The person.
    pub fn build(self) -> Person {
        self.0
    }
}

impl From<PersonBuilder> for Person {
    fn from(builder: PersonBuilder) -> Self {
        builder.0
    }
}

/// Nothing decided yet but the category; an empty one is none.
pub fn so_far(category: &str) -> SoFar {
    SoFar {
        category: (!category.is_empty()).then(|| category.to_owned()),
        tags: Vec::new(),
        kind: "request".to_owned(),
        impact: None,
        urgency: None,
        priority: None,
        team: None,
        assignee: None,
        attributes: Vec::new(),
    }
}

/// What intake sees: submitted by the requester, without earlier tickets.
pub fn intake_input(ticket: impl Into<Ticket>, requester: impl Into<Person>) -> intake::Input {
    let requester = requester.into();
    intake::Input {
        now: usual(),
        ticket: ticket.into(),
        submitted_by: requester.id.clone(),
        requester,
        headers: Vec::new(),
        recent: Vec::new(),
    }
}

/// What categorization sees, with nothing decided yet.
pub fn categorization_input(ticket: impl Into<Ticket>, requester: impl Into<Person>) -> categorization::Input {
    let (now, so_far) = (usual(), so_far(""));
    categorization::Input { now, ticket: ticket.into(), requester: requester.into(), so_far }
}

/// What priority sees, without a category.
pub fn priority_input(ticket: impl Into<Ticket>, requester: impl Into<Person>) -> priority::Input {
    let (now, so_far) = (usual(), so_far(""));
    priority::Input { now, ticket: ticket.into(), requester: requester.into(), so_far }
}

/// What routing sees.
pub fn routing_input(ticket: impl Into<Ticket>, requester: impl Into<Person>, so_far: SoFar) -> routing::Input {
    routing::Input { now: usual(), ticket: ticket.into(), requester: requester.into(), so_far }
}

/// What access sees when `subject` asks for a tier of an app for themselves: low risk, 720 hours at most, no owner, no
/// history.
pub fn access_input(subject: impl Into<Person>, app: &str, tier: &str) -> access::Input {
    let subject = subject.into();
    access::Input {
        now: usual(),
        ticket: ticket("access").build(),
        requester: subject.clone(),
        so_far: so_far("access.grant"),
        request: request(app, tier),
        item: catalog_item(app, tier),
        subject,
        grants: Vec::new(),
        history: access::History { requested: 0, approved: 0, denied: 0, revoked: 0 },
        peers: access::Peers { department_size: 0, department_holders: 0 },
    }
}

/// The input of closing where the requester writes on a ticket that was resolved so many days ago, once, by the desk.
pub fn closing_input(
    ticket: impl Into<Ticket>,
    requester: impl Into<Person>,
    text: &str,
    days_since: u32,
) -> closing::Input {
    let now = usual();
    let words =
        closing::Words { text: text.to_owned(), channel: "api".to_owned(), at: now.at, attachments: Vec::new() };
    let resolution = closing::Resolution {
        at: now.at.saturating_sub(u64::from(days_since) * 86_400_000),
        days_since,
        resolved_by: None,
        symptom: String::new(),
        cause: String::new(),
        fix: String::new(),
        next_time: String::new(),
    };
    closing::Input {
        now,
        ticket: ticket.into(),
        requester: requester.into(),
        so_far: so_far(""),
        words,
        state: "resolved".to_owned(),
        resolution,
        reopened: 0,
    }
}

fn request(app: &str, tier: &str) -> access::Request {
    access::Request {
        kind: "new".to_owned(),
        app: app.to_owned(),
        tier: tier.to_owned(),
        role: None,
        groups: Vec::new(),
        duration_hours: None,
        justification: String::new(),
    }
}

fn catalog_item(app: &str, tier: &str) -> access::CatalogItem {
    access::CatalogItem {
        app: app.to_owned(),
        name: app.to_owned(),
        tier: tier.to_owned(),
        risk: "low".to_owned(),
        max_duration_hours: 720,
        owner: None,
        groups: Vec::new(),
        seats_left: None,
        attributes: Vec::new(),
    }
}
