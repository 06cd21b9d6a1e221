//! Each field of a ticket and how it got its value.

use super::recorded::{Decision, Recorded};
use super::{ByHand, Known, Proposal, SetBy, Story, THE_DESK, plain_text};
use crate::desk::access::{AccessState, HumanDecision};
use crate::desk::actor::Author;
use crate::desk::organisation::parts;
use crate::desk::sla::{Clock, MINUTE_MS};
use crate::desk::ticket::Ticket;
use crate::desk::ticket::timeline::{AccessOutcome, Event};
use crate::rules::run::stage::Stage;
use crate::store::tickets::list::Ahead;
use crate::store::tickets::timeline::StoredEntry;

const MERGED: &str = "every rule is asked, and any rejection rejects";
const LAST: &str = "of several changes to one thing the last rule's stands";
const FIRST: &str = "the first rule that says something about it wins";
const UNITED: &str = "tags are united";
const HIGHEST: &str = "the highest level wins, unless a rule overrides";
const RATED: &str = "it is the winning rule's, or else the first that a rule gave";
const ROUTED: &str = "the first rule that names a team, or somebody to be found in one, wins";
const WORDS: &str = "the first rule that does not pass wins, or else the policy of the request type stands; no rule does what \
                     the ticket's state does not allow";
const ACCESS: &str = "a denial overrides; otherwise required approvals unite, the narrowest scope is granted, and every \
                      doubt goes to a person";

const QUEUED: &str = "unfinished tickets come first, then the priority counts, then what is due first, then the number";

/// The place of a ticket in the queue, which is no field of it: it is counted for those who ask for it by this name.
pub const QUEUE: &str = "queue";

/// Why a ticket stands where it does in the queue.
pub fn queue(ticket: &Ticket, ahead: Ahead) -> Story {
    let Ahead { by_priority, by_due, by_number } = ahead;
    let due = ticket.clocks.resolution.due_at;
    let due = due.map_or_else(|| "nothing of it is due".to_owned(), |due| format!("it is due {due}"));
    let (value, reason) = match ticket.state.is_unfinished() {
        false => (None, "it is finished, and comes after all that are not".to_owned()),
        true => (
            Some(format!("{} tickets come before it", by_priority + by_due + by_number)),
            format!(
                "its priority is {} and {due}; before it come, with a higher priority: {by_priority}; of the same priority and due \
                 earlier: {by_due}; due at the same time with a lower number: {by_number}",
                ticket.priority
            ),
        ),
    };
    let set_by = desk("the order of the queue", reason);
    Story { field: QUEUE.to_owned(), value, set_by, law: Some(QUEUED), proposals: Vec::new(), changes: Vec::new() }
}

/// All fields, in the order in which a ticket gets them.
pub fn all(known: &Known<'_>) -> Vec<Story> {
    let stage = |stage: Stage| Recorded::last(known.runs, stage);
    let (intake, classified) = (stage(Stage::Intake), stage(Stage::Categorization));
    let (rated, routed) = (stage(Stage::Priority), stage(Stage::Routing));
    let mut stories = submitted(known, &intake);
    stories.extend(categorised(known, &intake, &classified));
    stories.extend(prioritised(known, &rated));
    stories.extend(sent(known, &routed));
    stories.extend(access(known, &stage(Stage::Access)));
    stories.extend(closing(known, &stage(Stage::Closing)));
    stories.extend(promises(known));
    stories
}

/// A story in which the proposal at `stands` won; without one, `otherwise` set the field.
fn story(
    known: &Known<'_>,
    field: &str,
    value: Option<String>,
    law: &'static str,
    (mut proposals, stands): (Vec<Proposal>, Option<usize>),
    otherwise: SetBy,
) -> Story {
    let mut set_by = otherwise;
    if let Some(proposal) = stands.and_then(|at| proposals.get_mut(at)) {
        proposal.stood = true;
        set_by = proposal.author();
    }
    Story { field: field.to_owned(), value, set_by, law: Some(law), proposals, changes: by_hand(known, field) }
}

fn first(proposals: &[Proposal]) -> Option<usize> {
    proposals.iter().position(Proposal::counts)
}

fn last(proposals: &[Proposal]) -> Option<usize> {
    proposals.iter().rposition(Proposal::counts)
}

/// The rule that the record names as the one that decided.
fn named(stage: &Recorded<'_>, proposals: &[Proposal]) -> Option<usize> {
    let by = stage.decided_by()?;
    proposals.iter().position(|p| p.effect && p.fault.is_none() && format!("{} {}", p.rule, p.version) == by)
}

fn desk(name: impl Into<String>, reason: impl Into<String>) -> SetBy {
    SetBy { kind: "desk", name: name.into(), component: None, reason: reason.into() }
}

fn requester(reason: &str) -> SetBy {
    SetBy { kind: "requester", name: "the submission".to_owned(), component: None, reason: reason.to_owned() }
}

/// Where no rule decided, the record says what did, such as the desk's default; and the rules said why they did not.
fn fallback(stage: &Recorded<'_>, proposals: &[Proposal]) -> SetBy {
    let silent = proposals.iter().filter(|proposal| {
        proposal.effect && proposal.fault.is_none() && proposal.value.is_none() && !proposal.reason.is_empty()
    });
    let reasons: Vec<String> = silent.map(|proposal| format!("{}: {}", proposal.rule, proposal.reason)).collect();
    let why = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
    desk(stage.decided_by().unwrap_or("the desk"), format!("no rule decided{why}"))
}

fn submitted(known: &Known<'_>, intake: &Recorded<'_>) -> Vec<Story> {
    let ticket = known.ticket;
    let word = |decision: &Decision<'_>| Some(decision.word.to_owned());
    let accepted = (intake.proposals(&word), None);
    let by = desk("all rules at intake", "no rule rejected it");
    let mut stories = vec![story(known, "intake", Some("accepted".to_owned()), MERGED, accepted, by)];
    for (field, value) in [("subject", &ticket.submitted.subject), ("body", &ticket.submitted.body)] {
        let proposals = intake.proposals(&|decision| decision.text(field));
        let stands = last(&proposals);
        let by = requester("as submitted");
        stories.push(story(known, field, Some(value.clone()), LAST, (proposals, stands), by));
    }
    for (name, value) in &ticket.submitted.fields {
        let of_it = |decision: &Decision<'_>| {
            decision.fields().into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
        };
        let proposals = intake.proposals(&of_it);
        let stands = last(&proposals);
        let by = requester("as filled in");
        stories.push(story(known, &format!("fields.{name}"), Some(parts::text(value)), LAST, (proposals, stands), by));
    }
    stories
}

fn categorised(known: &Known<'_>, intake: &Recorded<'_>, classified: &Recorded<'_>) -> Vec<Story> {
    let ticket = known.ticket;
    let proposals = classified.proposals(&|decision| decision.text("category"));
    let stands = named(classified, &proposals);
    let by = fallback(classified, &proposals);
    let category = story(known, "category", Some(ticket.category.to_string()), FIRST, (proposals, stands), by);
    let proposals = classified.proposals(&|decision| decision.text("kind"));
    let stands = first(&proposals);
    let by = desk("the request type", "no rule decided");
    let kind = story(known, "kind", Some(ticket.kind.code().to_owned()), FIRST, (proposals, stands), by);
    let mut stories = vec![category, kind];
    stories.extend(tags(known, intake, classified));
    stories
}

/// Each tag that the ticket has, or that a rule gave it.
fn tags(known: &Known<'_>, intake: &Recorded<'_>, classified: &Recorded<'_>) -> Vec<Story> {
    let mut names: Vec<String> = known.ticket.tags.iter().map(ToString::to_string).collect();
    for stage in [intake, classified] {
        let all = stage.proposals(&|decision| Some(decision.list("tags").join("\n")));
        for name in all.iter().filter(|p| p.counts()).flat_map(|p| p.value.iter().flat_map(|tags| tags.lines())) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    let told = |name: String| {
        let of_it = |decision: &Decision<'_>| decision.list("tags").contains(&name.as_str()).then(|| name.clone());
        let mut proposals = intake.proposals(&of_it);
        proposals.extend(classified.proposals(&of_it));
        let stands = first(&proposals);
        let value = known.ticket.tags.iter().any(|tag| tag.as_str() == name).then(|| name.clone());
        let mut told =
            story(known, &format!("tags.{name}"), value, UNITED, (proposals, stands), requester("as submitted"));
        told.changes = changes(known, "tags").into_iter().filter(|change| touches(change, &name)).collect();
        told
    };
    names.into_iter().map(told).collect()
}

/// Whether a change of the tags gave or took this one.
fn touches(change: &ByHand, tag: &str) -> bool {
    let has = |list: &Option<String>| list.iter().flat_map(|list| list.split(", ")).any(|name| name == tag);
    has(&change.from) != has(&change.to)
}

fn prioritised(known: &Known<'_>, rated: &Recorded<'_>) -> Vec<Story> {
    let ticket = known.ticket;
    let winner = |proposals: &[Proposal]| named(rated, proposals);
    let scale = |field: &'static str, value: Option<String>| {
        let proposals = rated.proposals(&|decision| decision.text(field));
        let gave = |at: &usize| proposals.get(*at).is_some_and(Proposal::counts);
        let stands = winner(&proposals).filter(gave).or_else(|| first(&proposals));
        story(known, field, value, RATED, (proposals, stands), desk("the desk", "no rule gave it"))
    };
    let impact = scale("impact", ticket.impact.as_ref().map(ToString::to_string));
    let urgency = scale("urgency", ticket.urgency.as_ref().map(ToString::to_string));
    let proposals = rated.proposals(&|decision| decision.text("level"));
    let stands = winner(&proposals);
    let by = fallback(rated, &proposals);
    vec![impact, urgency, story(known, "priority", Some(ticket.priority.to_string()), HIGHEST, (proposals, stands), by)]
}

fn sent(known: &Known<'_>, routed: &Recorded<'_>) -> Vec<Story> {
    let ticket = known.ticket;
    let winner = |proposals: &[Proposal]| named(routed, proposals);
    let part = |field: &'static str, value: Option<String>, by: SetBy| {
        let proposals = routed.proposals(&|decision| decision.text(field));
        let gave = |at: &usize| proposals.get(*at).is_some_and(Proposal::counts);
        let stands = winner(&proposals).filter(gave);
        story(known, field, value, ROUTED, (proposals, stands), by)
    };
    let proposals = routed.proposals(&|decision| {
        let skills = decision.list("skills").join(", ");
        let able = (!skills.is_empty()).then(|| format!("a team with {skills}"));
        let person = decision.text("assignee").map(|person| format!("the team of {person}"));
        decision.text("team").or(person).or(able)
    });
    let stands = winner(&proposals);
    let by = fallback(routed, &proposals);
    let team = story(known, "team", Some(ticket.team.to_string()), ROUTED, (proposals, stands), by);
    let assignee = part("assignee", ticket.assignee.as_ref().map(ToString::to_string), turn(known));
    let tier =
        part("tier", Some(ticket.tier.to_string()), desk("the team", "no rule named a tier; the team's own stands"));
    vec![team, assignee, tier]
}

/// Whose turn it was when the ticket opened; by name where another person has it now.
fn turn(known: &Known<'_>) -> SetBy {
    let assigned = known.entries.iter().find_map(|StoredEntry { entry, .. }| match (&entry.author, &entry.event) {
        (Author::System, Event::Assigned { assignee, reason, .. }) => Some((assignee.as_deref(), reason.as_str())),
        _ => None,
    });
    match assigned.unwrap_or_default() {
        (Some(person), reason) if known.ticket.assignee.as_ref().is_some_and(|now| now.as_str() == person) => {
            desk("whose turn it was", reason)
        }
        (Some(person), reason) => desk("whose turn it was", format!("{person}: {reason}")),
        (None, reason) => desk("the team's queue", reason),
    }
}

fn access(known: &Known<'_>, stage: &Recorded<'_>) -> Option<Story> {
    let case = known.case?;
    let proposals = stage.proposals(&|decision| {
        let scope = decision.with.get("scope").unwrap_or(decision.with);
        let hours = plain_text(scope, "duration-hours").map(|hours| format!(" for {hours} hours"));
        let tier = plain_text(scope, "tier").map(|tier| format!(": {tier}"));
        Some(format!("{}{}{}", decision.word, tier.unwrap_or_default(), hours.unwrap_or_default()))
    });
    let scope = case.scope.as_ref().map(|scope| format!(": {} for {} hours", scope.tier, scope.duration_hours));
    let value = format!("{} {}", case.state.code(), case.request.app) + &scope.unwrap_or_default();
    let by = desk("all rules at access", case.reason.clone());
    let mut told = story(known, "access", Some(value), ACCESS, (proposals, None), by);
    told.changes = case
        .decisions
        .iter()
        .map(|word| ByHand {
            at: word.at.to_string(),
            by: said_by(word),
            from: None,
            to: Some(if word.approve { "approved" } else { "denied" }.to_owned()),
            reason: word.reason.clone(),
        })
        .chain(afterwards(known))
        .collect();
    Some(told)
}

/// The effect of the requester's last words after a resolution, where rules were asked about them.
fn closing(known: &Known<'_>, stage: &Recorded<'_>) -> Option<Story> {
    let effect = stage.choice()?.to_owned();
    let says = |decision: &Decision<'_>| (decision.word != "pass").then(|| decision.word.to_owned());
    let proposals = stage.proposals(&says);
    let stands = named(stage, &proposals);
    let mut by = fallback(stage, &proposals);
    if !stage.unanswered().is_empty() {
        by.reason = format!("no rule decided; without an answer: {}", stage.unanswered().join(", "));
    }
    Some(story(known, "closing", Some(effect), WORDS, (proposals, stands), by))
}

/// The outcomes that are no approver's decision: the desk's own denial, and that the grant was taken back.
fn afterwards<'a>(known: &Known<'a>) -> impl Iterator<Item = ByHand> + 'a {
    known.entries.iter().filter_map(|StoredEntry { entry, .. }| {
        let Event::AccessDecided { outcome, detail } = &entry.event else { return None };
        let by_the_desk = entry.author == Author::System && *outcome == AccessOutcome::Is(AccessState::Denied);
        let counts = by_the_desk || *outcome == AccessOutcome::Revoked;
        counts.then(|| ByHand {
            at: entry.at.to_string(),
            by: name_of(&entry.author).unwrap_or("the desk").to_owned(),
            from: None,
            to: Some(outcome.code().to_owned()),
            reason: detail.clone(),
        })
    })
}

/// Who said it, and in whose place.
fn said_by(word: &HumanDecision) -> String {
    let places: Vec<&str> = word.in_place_of.iter().map(|person| person.as_str()).collect();
    if places.is_empty() {
        return word.approver.to_string();
    }
    format!("{} in the place of {}", word.approver, places.join(" and "))
}

/// The person or rule that an author is; none where it is the desk itself.
fn name_of(author: &Author) -> Option<&str> {
    match author {
        Author::System => None,
        Author::Person(person) => Some(person.as_str()),
        Author::Rule(rule) => Some(&rule.name),
    }
}

/// The promises follow the priority, which has a story of its own; further ones by what the configuration declares.
fn promises(known: &Known<'_>) -> Vec<Story> {
    let clocks = &known.ticket.clocks;
    let further = clocks.further.iter().map(|(name, clock)| {
        let by = format!("the clock {} of the configuration, for priority {}", name.as_str(), known.ticket.priority);
        let why = "it begins, stands still and is met as the configuration says";
        Story { set_by: desk(by, why), ..promise(known, name.as_str(), clock) }
    });
    let own = [("first-response", &clocks.first_response), ("resolution", &clocks.resolution)];
    own.into_iter().map(|(field, clock)| promise(known, field, clock)).chain(further).collect()
}

fn promise(known: &Known<'_>, field: &str, clock: &Clock) -> Story {
    let due = clock.due_at.map_or_else(String::new, |due| format!(", due {due}"));
    let met = clock.met_at.map_or_else(String::new, |met| format!(", kept {met}"));
    let stands = clock.met_at.is_none() && clock.running_since.is_none();
    let used = if stands { format!(", standing still after {}", clock.used_ms / MINUTE_MS) } else { String::new() };
    let value = format!("{} minutes of open time{due}{met}{used}", clock.target_ms / MINUTE_MS);
    let (category, priority) = (&known.ticket.category, &known.ticket.priority);
    let own = known.organisation.of_category(category, |of| of.promises.contains_key(priority).then(|| of.id.clone()));
    let of_category = own.map_or_else(String::new, |category| format!(" for category {category}"));
    let name = format!("the policy of priority {priority}{of_category}");
    let set_by = desk(name, "it follows the priority until it is kept, and pauses while the requester is awaited");
    let (law, proposals, changes) = (None, Vec::new(), changes(known, "priority"));
    Story { field: field.to_owned(), value: Some(value), set_by, law, proposals, changes }
}

/// The changes of a field since it was first set, but for those of rules: an assignee is changed by an entry of its own.
fn by_hand(known: &Known<'_>, field: &str) -> Vec<ByHand> {
    if field != "assignee" {
        return changes(known, field);
    }
    let assigned = known.entries.iter().filter_map(|StoredEntry { entry, .. }| match &entry.event {
        Event::Assigned { assignee, reason, .. } => Some(ByHand {
            at: entry.at.to_string(),
            by: name_of(&entry.author).unwrap_or("whose turn it was").to_owned(),
            from: None,
            to: assignee.clone(),
            reason: reason.clone(),
        }),
        _ => None,
    });
    // The first is from when the ticket opened.
    assigned.skip(1).collect()
}

fn changes(known: &Known<'_>, field: &str) -> Vec<ByHand> {
    let set = known.entries.iter().filter_map(|StoredEntry { entry, .. }| {
        let Event::Set { field: set, from, to, reason } = &entry.event else { return None };
        let by = match &entry.author {
            Author::Person(by) => by.as_str(),
            // The first value is no change; an escalation, or the end of an outage, is one.
            Author::System if from.is_some() => THE_DESK,
            Author::System | Author::Rule(_) => return None,
        };
        (set.code() == field).then(|| ByHand {
            at: entry.at.to_string(),
            by: by.to_owned(),
            from: from.clone(),
            to: Some(to.clone()),
            reason: reason.clone(),
        })
    });
    set.collect()
}
