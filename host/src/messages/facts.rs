//! The facts that a template may name. What the recipient may not see of a ticket is not among them.

use serde::Serialize;

/// The facts of one message.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    /// The organisation's name.
    pub organisation: String,
    pub recipient: Recipient,
    pub ticket: Ticket,
    /// The public words that were said, if the message is about some.
    pub reply: Option<Reply>,
    /// The step from one state into another, if the message is about one.
    pub moved: Option<Moved>,
    /// The fix, as the ticket's last resolution says it to its requester; in messages that it is over, or soon will be.
    pub solution: Option<String>,
    /// The access that the ticket asks for, if it asks for some.
    pub access: Option<Access>,
    /// The news of that access, if the message is about it.
    pub decided: Option<Decided>,
    /// The other day that the ticket goes by, if the message is about that.
    pub day: Option<NewDay>,
    /// Who decides in whose place, if the message is about that; then it is about no ticket.
    pub delegation: Option<Delegation>,
    /// The address at which the requester says how it went, once it is closed.
    pub survey: Option<String>,
    /// The address at which the recipient decides about access, without signing in; it is good for one decision.
    pub decide: Option<String>,
}

/// The facts of a digest.
#[derive(Debug, Clone, Serialize)]
pub struct Digest {
    pub organisation: String,
    pub recipient: Recipient,
    /// The messages that it stands for, the oldest first.
    pub items: Vec<Facts>,
}

/// The person who gets the message.
#[derive(Debug, Clone, Serialize)]
pub struct Recipient {
    pub name: String,
}

/// The ticket, as the recipient sees it.
#[derive(Debug, Clone, Serialize)]
pub struct Ticket {
    /// The short key, such as `IT-1042`.
    pub key: String,
    pub subject: String,
    /// The name of the request type.
    pub request_type: String,
    /// The name of the person whom it is for.
    pub requester: String,
    /// The name of the priority.
    pub priority: String,
    /// The state in words.
    pub state: String,
    /// The state's stable word, such as `waiting_requester`.
    pub state_code: String,
    /// The name of the team; nothing for those who do not see it.
    pub team: Option<String>,
    /// The name of the person who works on it; nothing for those who do not see it.
    pub assignee: Option<String>,
    /// Its page; nothing where the desk has no public address.
    pub link: Option<String>,
}

/// Public words.
#[derive(Debug, Clone, Serialize)]
pub struct Reply {
    /// The name of the person who said them.
    pub by: String,
    pub body: String,
}

/// A step from one state into another.
#[derive(Debug, Clone, Serialize)]
pub struct Moved {
    /// In words.
    pub from: String,
    /// In words.
    pub to: String,
    /// The stable word, such as `resolved`.
    pub to_code: String,
    /// Empty where none was given. One that the desk gives by itself is in the recipient's language.
    pub reason: String,
    /// The stable word of one that the desk gives by itself, such as `unanswered`; empty for those of people and rules.
    pub reason_code: String,
}

/// The access that is asked for.
#[derive(Debug, Clone, Serialize)]
pub struct Access {
    /// The app's name.
    pub app: String,
    /// The tier's name.
    pub tier: String,
    /// The name of the person who is to have it.
    pub subject: String,
    pub hours: Option<u32>,
    pub justification: String,
    /// By when it has to be decided, in the desk's time zone, as the recipient's language writes it.
    pub due: Option<String>,
}

/// The end that a request for access has come to, or the access itself.
#[derive(Debug, Clone, Serialize)]
pub struct Decided {
    /// In words.
    pub outcome: String,
    /// The stable word, such as `revoked`.
    pub outcome_code: String,
    /// Empty where none was given. One that the desk gives by itself is in the recipient's language.
    pub reason: String,
    /// The stable word of one that the desk gives by itself, such as `ends`; empty for those of people and rules.
    pub reason_code: String,
}

/// Another day that a ticket goes by.
#[derive(Debug, Clone, Serialize)]
pub struct NewDay {
    /// As the recipient's language writes it, such as `18.01.2027` in German.
    pub to: String,
    /// The reason of the person who moved it.
    pub reason: String,
}

/// Leave that one person gave another to decide in their place.
#[derive(Debug, Clone, Serialize)]
pub struct Delegation {
    /// The name of the person in whose place it is.
    pub person: String,
    /// The name of the person who decides.
    pub to: String,
    /// The first day, as the recipient's language writes it.
    pub from: String,
    /// The last day.
    pub until: String,
    /// Whether it was ended before that.
    pub ended: bool,
    /// Whether the recipient is the one in whose place it is.
    pub own: bool,
}

impl Facts {
    /// The facts of a message about no ticket, but about who decides in whose place; `link` is where that is seen.
    pub fn about_delegation(
        organisation: &str,
        recipient: &str,
        delegation: Delegation,
        link: Option<String>,
    ) -> Facts {
        let facts = Facts::about_mail(organisation, recipient, String::new(), link);
        Facts { delegation: Some(delegation), ..facts }
    }

    /// The facts of a message about no ticket, but about a mail with this subject; `link` is where that is kept.
    pub fn about_mail(organisation: &str, recipient: &str, subject: String, link: Option<String>) -> Facts {
        let none = String::new;
        Facts {
            organisation: organisation.to_owned(),
            recipient: Recipient { name: recipient.to_owned() },
            ticket: Ticket {
                key: none(),
                subject,
                request_type: none(),
                requester: none(),
                priority: none(),
                state: none(),
                state_code: none(),
                team: None,
                assignee: None,
                link,
            },
            reply: None,
            moved: None,
            solution: None,
            access: None,
            decided: None,
            day: None,
            delegation: None,
            survey: None,
            decide: None,
        }
    }

    /// Made-up facts that have everything, by which templates are checked and previews are shown.
    pub fn sample() -> Facts {
        let text = str::to_owned;
        Facts {
            organisation: text("Meridian Instruments"),
            recipient: Recipient { name: text("Amara Okafor") },
            ticket: Ticket {
                key: text("IT-1042"),
                subject: text("VPN is down"),
                request_type: text("Incident"),
                requester: text("Amara Okafor"),
                priority: text("High"),
                state: text("resolved"),
                state_code: text("resolved"),
                team: Some(text("Network")),
                assignee: Some(text("Kofi Mensah")),
                link: Some(text("https://desk.meridian.example/tickets/IT-1042")),
            },
            reply: Some(Reply {
                by: text("Kofi Mensah"),
                body: text("The gateway was restarted.\n\nIs it better <now>?"),
            }),
            moved: Some(Moved {
                from: text("in progress"),
                to: text("resolved"),
                to_code: text("resolved"),
                reason: text("The gateway's certificate was renewed."),
                reason_code: String::new(),
            }),
            solution: Some(text("The gateway's certificate was renewed.")),
            access: Some(Access {
                app: text("GitHub"),
                tier: text("Write"),
                subject: text("Amara Okafor"),
                hours: Some(24),
                justification: text("I join the data project on Monday."),
                due: Some(text("2026-12-01 10:00 CET")),
            }),
            decided: Some(Decided {
                outcome: text("given"),
                outcome_code: text("approved"),
                reason: text("Everybody in the project has it."),
                reason_code: String::new(),
            }),
            day: Some(NewDay { to: text("2027-01-18"), reason: text("Her notice is longer.") }),
            delegation: Some(Delegation {
                person: text("Lena Fischer"),
                to: text("Amara Okafor"),
                from: text("2026-12-24"),
                until: text("2027-01-06"),
                ended: false,
                own: false,
            }),
            survey: Some(text("https://desk.meridian.example/survey/IT-1042.1.8f3a")),
            decide: Some(text("https://desk.meridian.example/decide/IT-1042.0.8f3a.lena")),
        }
    }

    /// Made-up facts that have as little as there may be.
    pub fn bare_sample() -> Facts {
        let mut facts = Facts { reply: None, moved: None, access: None, delegation: None, ..Facts::sample() };
        (facts.decided, facts.solution, facts.survey, facts.decide, facts.day) = (None, None, None, None, None);
        (facts.ticket.team, facts.ticket.assignee, facts.ticket.link) = (None, None, None);
        facts
    }
}
