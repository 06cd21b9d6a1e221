//! Those who follow a ticket, on its page: they come in and go by the word of one who may say so, and go by their own.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};

use super::acts::answer;
use super::{Seen, number};
use crate::app::Error;
use crate::desk::id::PersonId;
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission;
use crate::desk::ticket::lifecycle::watchers;
use crate::desk::ticket::timeline::Visibility;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::portal::request::so_named;
use crate::web::session::Visit;

/// One who follows the ticket.
pub struct Follower {
    pub id: String,
    pub name: String,
    /// Whether the reader may let them follow it no more.
    pub may_end: bool,
}

/// The section on the page.
pub struct Followers {
    pub all: Vec<Follower>,
    /// Whether the reader may let others follow.
    pub may_add: bool,
    /// The reader's id, where they could follow it and do not.
    pub may_follow: Option<String>,
    /// The names to choose from; none where a list would be too long, or people are looked for as one types.
    pub names: Vec<String>,
}

/// Those who follow a ticket, as far as the reader sees them.
pub fn read(visit: &Visit, seen: &Seen) -> Followers {
    let (f, ticket, me) = (&visit.frame, &seen.ticket, visit.person());
    let sees = if f.works() { Visibility::Internal } else { Visibility::Public };
    let may_add = permission::watch(&visit.actor, ticket).is_ok();
    let follower = |id: &PersonId| Follower { id: id.to_string(), name: f.name(id), may_end: may_add || id == me };
    let has_it = ticket.belongs_to(me) || ticket.is_watched_by(me);
    let names = if may_add && !f.works() { f.people_to_choose() } else { Vec::new() };
    Followers {
        all: watchers::shown(ticket, &f.organisation, sees).into_iter().map(follower).collect(),
        may_add,
        may_follow: (may_add && !has_it).then(|| me.to_string()),
        names: names.into_iter().map(|person| person.name.clone()).collect(),
    }
}

/// `POST /tickets/{key}/followers`: lets a person follow the ticket, or no more.
pub async fn run(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let (number, text) = (number(&id)?, form.text("person"));
    let known = so_named(&visit.frame.organisation, text.trim()).map(|person| person.id.clone());
    // One who has left is let go by the id.
    let Some(person) = known.or_else(|| text.trim().parse().ok()) else {
        let problem = Problem::of("person", "unknown", Fault::NotHere, &[&text]);
        return answer(visit, number, ("follow", &form), Err(Error::Rejected { problems: vec![problem] })).await;
    };
    let follows = form.text("do") != "end";
    let done = visit.app.set_watching(&visit.actor, number, (&person, follows)).await.map(drop);
    // One who followed it may see it no more.
    if done.is_ok() && !follows && person == *visit.person() && !visit.frame.works() {
        return Ok(Redirect::to("/mine?followed=1").into_response());
    }
    answer(visit, number, ("follow", &form), done).await
}
