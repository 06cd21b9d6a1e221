//! Other words for a message: looked at, kept as a draft, published with a reason, or given back to the program.

use axum::response::{IntoResponse, Redirect, Response};

use super::{Asked, Shown, as_mail, live, preview, render};
use crate::web::admin::documents::{Act, draft, not_done, seen};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::session::Visit;

/// Does what a form asks for.
async fn act(visit: &Visit, asked: &Asked, form: &Form) -> Result<Act, Failure> {
    let (key, words, why) = (asked.template(), form.text("content"), form.text("why"));
    let (app, actor) = (&visit.app, &visit.actor);
    let (done, way, stale) = match form.text("do").as_str() {
        "publish" => {
            let published =
                app.publish_words(actor, ((key.as_str(), Some(words.as_str())), why.as_str()), &seen(form)).await;
            (published.map(drop), "published", "document.stale")
        }
        "program" => {
            let published = app.publish_words(actor, ((key.as_str(), None), why.as_str()), &seen(form)).await;
            (published.map(drop), "published", "document.stale")
        }
        "keep" => {
            let kept = app.keep_words(actor, (key.as_str(), Some(words.as_str())), &draft::seen(form)).await;
            (kept.map(drop), "draft", "kept.stale")
        }
        "drop" => (app.forget_words(actor, &key, &draft::seen(form)).await, "dropped", "kept.stale"),
        _ => return Ok(Act::Look),
    };
    match done {
        Ok(()) => Ok(Act::Done(way)),
        Err(error) => Ok(Act::Not(not_done(&visit.frame, error, stale)?)),
    }
}

/// `POST /admin/messages`: the message in the words of a draft, as the HTML of the mail where that is asked for; or the draft is
/// kept, forgotten or published.
pub async fn run(visit: Visit, form: Form) -> Result<Response, Failure> {
    let (kind, locale, ticket) = (form.text("kind"), form.text("locale"), form.text("ticket"));
    let asked = Asked { kind, locale, ticket, ..Asked::default() }.or_first(&visit);
    let words = form.text("content");
    if form.text("do") == "html" {
        let (found, _) = preview(&visit, &asked, Some(&words)).await?;
        if let Ok(message) = found.message {
            return Ok(as_mail(&message.html));
        }
    }
    let mut shown = Shown { why: form.text("why"), goes_on: form.has("goes-on"), ..Shown::default() };
    match act(&visit, &asked, &form).await? {
        Act::Done("draft") => {
            return Ok(Redirect::to(&asked.address(&[("draft", "1"), ("done", "draft")])).into_response());
        }
        Act::Done(way) => return Ok(Redirect::to(&asked.address(&[("done", way)])).into_response()),
        Act::Not(notice) => shown.notice = Some(notice),
        Act::Look => {}
    }
    shown.words = (form.text("do") != "drop").then_some(words);
    let live = live(&visit, &asked).await?;
    render(visit, asked, live, shown).await
}
