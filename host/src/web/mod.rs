//! Pages for people: every page and every layer on this screen. A page translates between a browser and a use case of `app`, as
//! the interface does for programs, so that no page can do more than it.
//!
//! Pages live next to the interface, whose paths all begin with `/api`: `/` is the start, `/tickets/IT-1042` a ticket, for the
//! one who asked as for the one who works on it. Every page works without scripts; what changes something is a form that is
//! sent by POST and answered with a redirect.

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::app::App;

mod admin;
mod approvals;
mod frame;
mod holders;
mod knowledge;
mod live;
mod portal;
mod queue;
mod reports;
mod session;
mod ticket;

/// All pages, for the one who serves them.
pub struct Pages {
    pub routes: Router,
    /// Those whose requests are larger and take longer.
    pub uploads: Router,
    /// The page for a browser that asks for what is not there.
    pub missing: Router,
}

/// All pages of a desk.
pub fn pages(app: &Arc<App>) -> Pages {
    let routes = Router::new()
        .route("/", get(portal::start))
        .route("/sign-in", get(session::sign_in).post(session::enter))
        .route("/sign-in/provider", get(session::provider::begin))
        .route("/sign-in/provider/back", get(session::provider::back))
        .route("/sign-out", post(session::leave))
        .route("/language", post(session::language))
        .route("/static/{digest}/{name}", get(frame::assets::serve))
        .route("/live", get(live::watch))
        .route("/find", get(portal::find))
        .route("/find/people", get(portal::people))
        .route("/mine", get(portal::mine))
        .route("/drafts", get(portal::drafts::list))
        .route("/drafts/{id}", get(portal::drafts::show).post(portal::drafts::discard))
        .route("/survey/{link}", get(portal::survey::show).post(portal::survey::answer))
        .route("/access", get(portal::access::show))
        .route("/access/who", get(holders::list))
        .route("/access/roles", get(holders::roles::show))
        .route("/access/{grant}", get(holders::story))
        .route("/access/{grant}/extend", get(portal::access::extend_form).post(portal::access::extend))
        .route("/access/{grant}/give-back", post(portal::access::give_back))
        .route("/files/{id}", get(ticket::files::take))
        .route("/approvals", get(approvals::list))
        .route("/approvals/{key}", get(approvals::show).post(approvals::decide))
        .route("/reports", get(reports::first))
        .route("/reports/wall", get(reports::wall::show))
        .route("/reports/{name}", get(reports::show))
        .merge(ticket_routes())
        .merge(help_routes())
        .merge(account_routes())
        .merge(access_routes())
        .merge(agent_routes())
        .merge(queue_routes())
        .merge(admin_routes());
    let uploads = Router::new()
        .route("/new/{request_type}", get(portal::request::form).post(portal::request::send))
        .route("/tickets/{key}/files", post(ticket::files::add))
        .route("/tickets/{key}/try", get(ticket::trial::form).post(ticket::trial::run))
        .route("/admin/documents/{document}", get(admin::documents::show).post(admin::documents::run))
        .route("/admin/messages", get(admin::messages::show).post(admin::messages::run))
        .route("/admin/records", get(admin::records::show).post(admin::records::check))
        .route("/admin/rules/{name}/backtest", get(admin::rules::backtest::form).post(admin::rules::backtest::run))
        .route("/admin/upload", get(admin::upload::form).post(admin::upload::send))
        .route("/admin/decision-table/{name}", get(admin::editor::show).post(admin::editor::run));
    let dressed = |routes: Router<Arc<App>>| {
        routes
            .route_layer(middleware::from_fn_with_state(Arc::clone(app), frame::guard::guard))
            .with_state(Arc::clone(app))
    };
    let missing = Router::new()
        .fallback(async || frame::failure::Failure::NoPage)
        .layer(middleware::from_fn_with_state(Arc::clone(app), frame::guard::guard));
    // Another system asks here, and no browser.
    let outside = Router::new().route("/sign-in/provider/ended", post(session::provider::ended));
    Pages { routes: dressed(routes).merge(outside.with_state(Arc::clone(app))), uploads: dressed(uploads), missing }
}

/// A ticket, and what is done with it.
fn ticket_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/tickets/{key}", get(ticket::show))
        .route("/tickets/{key}/version", get(ticket::version))
        .route("/tickets/{key}/presence", post(ticket::presence))
        .route("/tickets/{key}/reply", post(ticket::acts::reply))
        .route("/tickets/{key}/state", post(ticket::acts::state))
        .route("/tickets/{key}/escalate", post(ticket::acts::escalate))
        .route("/tickets/{key}/day", post(ticket::days::set))
        .route("/tickets/{key}/edit", post(ticket::acts::edit))
        .route("/tickets/{key}/tags", post(ticket::acts::tags))
        .route("/tickets/{key}/take", post(ticket::acts::take))
        .route("/tickets/{key}/macro", post(ticket::tools::run))
        .route("/tickets/{key}/tasks", post(ticket::tools::task))
        .route("/tickets/{key}/link", post(ticket::tools::link))
        .route("/tickets/{key}/followers", post(ticket::followers::run))
        .route("/tickets/{key}/article", post(knowledge::write::from_ticket))
        .route("/tickets/{key}/record", get(ticket::record::show))
}

/// Articles.
fn help_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/help", get(knowledge::list))
        .route("/help/suggest", get(knowledge::suggest))
        .route("/help/new", get(knowledge::write::form).post(knowledge::write::add))
        .route("/help/{key}", get(knowledge::show))
        .route("/help/{key}/edit", get(knowledge::write::edit).post(knowledge::write::save))
        .route("/help/{key}/vote", post(knowledge::vote))
        .route("/help/{key}/solved", post(knowledge::solved))
}

/// A person's own pages: how they look, which messages come, and where they are signed in.
fn account_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/account", get(session::account::show))
        .route("/account/sessions", post(session::account::end_sessions))
        .route("/account/password", post(session::account::password))
        .route("/account/zone", post(session::account::zone))
        .route("/account/keys", post(session::account::keys))
        .route("/account/messages", post(session::account::prefer))
}

/// Requests for several apps at once, questions that approvers ask back, and the links of their messages.
fn access_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/access/several", get(portal::several::form).post(portal::several::send))
        .route("/access/submissions/{id}", get(portal::several::show))
        .route("/approvals/delegations", get(approvals::list).post(approvals::delegations::add))
        .route("/approvals/delegations/{id}/end", post(approvals::delegations::end))
        .route("/approvals/{key}/ask", post(approvals::ask))
        .route("/approvals/{key}/answer", post(approvals::answer))
        .route("/decide/{link}", get(approvals::links::show).post(approvals::links::decide))
}

/// The rarer acts of those who work on tickets.
fn agent_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/tickets/{key}/outage", post(ticket::outage::run))
        .route("/tickets/{key}/hand-over", post(ticket::acts::hand_over))
}

/// The lists of those who work on tickets.
fn queue_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/queue", get(queue::list))
        .route("/queue/counts", get(queue::views::counts))
        .route("/queue/views", post(queue::views::keep))
        .route("/queue/views/{id}", post(queue::views::change))
        .route("/queue/next", post(ticket::next::take))
        .route("/queue/bulk", post(queue::bulk::run))
}

/// The pages for those who look after the desk.
fn admin_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/admin", get(|| async { Redirect::to("/admin/rules") }))
        .route("/admin/rules", get(admin::rules::list))
        .route("/admin/rules/{name}", get(admin::rules::show))
        .route("/admin/rules/{name}/step", post(admin::rules::step))
        .route("/admin/tables", get(admin::tables::list))
        .route("/admin/tables/{name}", get(admin::tables::show).post(admin::tables::put))
        .route("/admin/audit", get(admin::audit::search))
        .route("/admin/jobs", get(admin::jobs::list).post(admin::jobs::retry))
        .route("/admin/schedules", get(admin::jobs::schedules::list).post(admin::jobs::schedules::step))
        .route("/admin/webhooks", get(admin::webhooks::list))
        .route("/admin/webhooks/{name}", get(admin::webhooks::show).post(admin::webhooks::act))
        .route("/admin/tokens", get(session::tokens::list).post(session::tokens::end))
        .route("/admin/sessions", get(session::everyone::list).post(session::everyone::end))
        .route("/admin/documents", get(admin::documents::first))
        .route("/admin/configuration", get(admin::configuration::first))
        .route(
            "/admin/configuration/waiting",
            get(admin::configuration::waiting::show).post(admin::configuration::waiting::agree),
        )
        .route("/admin/configuration/{part}", get(admin::configuration::show))
}
