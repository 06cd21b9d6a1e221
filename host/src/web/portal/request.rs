//! The form of a request type: its fields, the problems at them, and what was filled in.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::{drafts, files};
use crate::app::Error;
use crate::app::tickets::submit::digest;
use crate::desk::id::PersonId;
use crate::desk::organisation::form::{Fault, Problem, Raw, asked};
use crate::desk::organisation::{FieldKind, FieldSpec, Organisation, Person, RequestType};
use crate::desk::ticket::intake::Submission;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::{Form, KEY};
use crate::web::frame::said::Found;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// The way by which submissions come in here, and those that are offered to one who takes a request for another.
const CHANNEL: &str = "portal";
const CHANNELS: [&str; 4] = ["phone", "in-person", "chat", "mail"];
/// Text fields that take more than this have room for several lines.
const LINE_CHARS: usize = 300;
/// The beginning of the names of a form's own fields.
pub(super) const FIELD: &str = "field.";
/// The name under which files come that are of no field.
pub(super) const FILES: &str = "files";

/// A problem in words, and whether they are those of a rule, which may be of any language.
type Said = (String, bool);

/// A field as the page shows it.
struct Field {
    /// The name under which it is sent, and its id on the page.
    name: String,
    label: String,
    help: String,
    /// `text`, `lines`, `number`, `flag`, `date`, `choice`, `choices` or `file`; `person` or `named` for a text with a list to choose from.
    kind: &'static str,
    required: bool,
    value: String,
    options: Vec<Choice>,
    min: Option<f64>,
    max: Option<f64>,
    problem: Option<Said>,
    /// Whether a change of it changes what other fields offer.
    shapes: bool,
    /// The files that it has, with their ids.
    files: Vec<(String, String)>,
}

struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "portal/request.html")]
struct RequestPage {
    f: Frame,
    id: String,
    name: String,
    fields: Vec<Field>,
    subject: Field,
    body: Field,
    /// For those who take a request for another: for whom, and how it came.
    requester: Option<Field>,
    channel: Option<Field>,
    problems: Vec<Found>,
    /// Files that come along with it.
    files: Field,
    /// The draft that it goes on with, if it is one.
    draft: Option<String>,
    key: String,
}

/// A form as it would be, for those who write it: with what was filled in to try it.
#[derive(Template)]
#[template(path = "portal/preview.html")]
pub struct Preview {
    f: Frame,
    /// All forms, with whether it is this one.
    forms: Vec<(String, String, bool)>,
    fields: Vec<Field>,
}

/// The form that is chosen, or else `first`, or else any; none where there are no forms.
pub fn preview(f: &Frame, organisation: Arc<Organisation>, first: Option<&str>, form: &Form) -> Option<Preview> {
    let chosen = form.given("preview");
    let named = [chosen.as_deref(), first].into_iter().flatten().find_map(|id| organisation.request_types.get(id));
    let spec = named.or_else(|| organisation.request_types.values().next())?.clone();
    let forms =
        organisation.request_types.values().map(|one| (one.id.to_string(), one.name.clone(), one.id == spec.id));
    let forms = forms.collect();
    let f = Frame { organisation, ..f.clone() };
    let fields = fields(&f, &spec, form, &|_| None);
    Some(Preview { f, forms, fields })
}

/// `GET /new/{request_type}`; what stands in the query is filled in.
pub async fn form(
    visit: Visit,
    Path(id): Path<String>,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    show(visit, &id, &Form(given), &[], StatusCode::OK)
}

/// `POST /new/{request_type}`: sends it, or only brings the form up to date.
pub async fn send(visit: Visit, Path(id): Path<String>, request: Request) -> Result<Response, Failure> {
    let form = files::read(&visit, request).await?;
    if form.has("update") {
        return show(visit, &id, &form, &[], StatusCode::OK);
    }
    let spec = visit.frame.organisation.request_types.get(id.as_str()).ok_or(Failure::NoPage)?;
    let submission = submission(spec, &form)?;
    let made = match requester(&visit, &form) {
        Ok(requester) => make(&visit, &form, (requester, submission)).await,
        Err(problem) => Err(Error::Rejected { problems: vec![problem] }),
    };
    let problems = match made {
        Ok(next) => return Ok(Redirect::to(&next).into_response()),
        Err(Error::Rejected { problems }) => problems,
        Err(other) => return Err(other.into()),
    };
    show(visit, &id, &form, &problems, StatusCode::UNPROCESSABLE_ENTITY)
}

/// The other person for whom one who works on tickets asks: by id, by mail address, or by a name that no other has.
fn requester(visit: &Visit, form: &Form) -> Result<Option<PersonId>, Problem> {
    let Some(named) = form.given("requester").filter(|_| visit.frame.works()) else { return Ok(None) };
    let named = named.trim();
    match so_named(&visit.frame.organisation, named) {
        Some(person) => Ok(Some(person.id.clone()).filter(|id| id != visit.person())),
        None => Err(Problem::of("requester", "unknown", Fault::UnknownName, &[&named])),
    }
}

/// The person whom a text names: by id, by mail address, or by a name that no other has.
pub fn so_named<'a>(organisation: &'a Organisation, named: &str) -> Option<&'a Person> {
    let wanted = named.to_lowercase();
    let is_so_named = |person: &&Person| person.active && person.name.to_lowercase() == wanted;
    let mut so_named = organisation.people.values().filter(is_so_named);
    let by_name = so_named.next().filter(|_| so_named.next().is_none());
    organisation.person_named(named).or(by_name)
}

/// Makes a ticket of what was filled in, or keeps it for later; the page that comes next.
async fn make(
    visit: &Visit,
    form: &Form,
    (requester, submission): (Option<PersonId>, Submission),
) -> Result<String, Error> {
    if form.has("keep") {
        return drafts::keep(visit, form, (requester, submission)).await;
    }
    let made = match drafts::named(form, &[]) {
        Some(draft) => drafts::send(visit, draft, (requester, submission)).await?,
        None => {
            let sent = || digest(format!("page new {}", files::content(form)).as_bytes());
            let key = form.given(KEY).map(|key| (key, sent()));
            visit.app.create_ticket(&visit.actor, requester, submission, key).await?
        }
    };
    Ok(format!("/tickets/{}?sent=1", made.ticket.number))
}

/// The answers, field by field.
fn filled(spec: &RequestType, form: &Form) -> Vec<(String, Raw)> {
    let raw = |field: &FieldSpec| {
        let name = format!("{FIELD}{}", field.name);
        let value = match &field.kind {
            FieldKind::Choices { .. } => Raw::List(form.all(&name).into_iter().map(Raw::Text).collect()),
            FieldKind::Flag if form.has(&name) => Raw::Flag(true),
            FieldKind::Flag => Raw::Null,
            FieldKind::File => files::ids(form, &name).into_iter().next().map_or(Raw::Null, Raw::Text),
            _ => form.given(&name).map_or(Raw::Null, Raw::Text),
        };
        (field.name.clone(), value)
    };
    spec.fields.iter().map(raw).filter(|(_, value)| *value != Raw::Null).collect()
}

fn submission(spec: &RequestType, form: &Form) -> Result<Submission, Failure> {
    let mut fields = filled(spec, form);
    // Without scripts a field that is not asked any more may still stand on the page.
    let is_asked: Vec<&str> = asked(spec, &fields).into_iter().map(|(field, _)| field.name.as_str()).collect();
    fields.retain(|(name, _)| is_asked.contains(&name.as_str()));
    let uploads = files::ids(form, FILES).iter().map(|id| id.parse()).collect::<Result<_, _>>();
    Ok(Submission {
        request_type: spec.id.to_string(),
        channel: CHANNEL.to_owned(),
        channel_named: form.given("channel").filter(|channel| channel != CHANNEL),
        subject: form.text("subject"),
        body: form.text("body"),
        fields,
        uploads: uploads.map_err(|_| Failure::BadForm)?,
        ..Submission::default()
    })
}

/// The fields that are asked, each with its problem.
fn fields(f: &Frame, spec: &RequestType, form: &Form, problem: &dyn Fn(&str) -> Option<Said>) -> Vec<Field> {
    let shapes = |name: &str| {
        let named = [name.to_owned()];
        spec.fields.iter().any(|other| other.show_when.asks_of(&named) || other.require_when.asks_of(&named))
    };
    let field = |(spec_of, required): (&FieldSpec, bool)| {
        let mut field = Field::of(f, spec_of, form);
        field.problem = problem(&spec_of.name);
        field.required = required;
        field.shapes = shapes(&spec_of.name);
        if spec.grants_access {
            field.offer_access(f, form);
        }
        field
    };
    asked(spec, &filled(spec, form)).into_iter().map(field).collect()
}

/// The page of a form, with what was filled in and what is wrong with it.
///
/// # Errors
///
/// [`Failure::NoPage`] where there is no such form.
pub fn show(
    visit: Visit,
    id: &str,
    form: &Form,
    problems: &[Problem],
    status: StatusCode,
) -> Result<Response, Failure> {
    let f = visit.frame;
    let spec = f.organisation.request_types.get(id).ok_or(Failure::NoPage)?;
    let problem = |name: &str| {
        let found: Vec<&Problem> = problems.iter().filter(|problem| problem.field == name).collect();
        let of_rules = found.iter().any(|problem| problem.fault.is_none());
        (!found.is_empty()).then(|| (f.problems(found.iter().copied()), of_rules))
    };
    let own = |name: &'static str, kind: &'static str| Field {
        problem: problem(name),
        value: form.text(name),
        ..Field::plain(name, f.words.t(&format!("request.{name}")), kind)
    };
    let fields = fields(&f, spec, form, &problem);
    let works = f.works();
    let found = problems.iter().map(|problem| {
        let of_form = fields.iter().find(|field| field.name == format!("{FIELD}{}", problem.field));
        let at = match (of_form, problem.field.as_str()) {
            (Some(field), _) => field.name.clone(),
            (None, "attachments" | "uploads") => FILES.to_owned(),
            (None, own @ ("subject" | "body")) => own.to_owned(),
            (None, own @ ("requester" | "channel")) if works => own.to_owned(),
            (None, _) => String::new(),
        };
        let label = match of_form {
            Some(field) => field.label.clone(),
            None if at.is_empty() => String::new(),
            None => f.words.t(&format!("request.{at}")),
        };
        f.found((&at, &label), problem)
    });
    let problems_found = found.collect();
    let page_ = RequestPage {
        id: id.to_owned(),
        name: spec.name.clone(),
        problems: problems_found,
        subject: own("subject", "text"),
        body: own("body", "lines"),
        requester: works.then(|| Field { options: people(&f), ..own("requester", "person") }),
        channel: works.then(|| Field { options: channels(&f), ..own("channel", "named") }),
        draft: drafts::named(form, problems).map(|id| id.to_string()),
        key: form.given(KEY).filter(|_| problems.is_empty()).unwrap_or_else(|| visit.app.clock.new_id().to_string()),
        files: Field {
            problem: problem("attachments").or_else(|| problem("uploads")),
            files: files::names(form, FILES),
            ..Field::plain(FILES, f.words.t("request.files"), "file")
        },
        fields,
        f,
    };
    page(status, &page_)
}

/// The people for whom one may ask; none where there are too many to list: then they are looked for as one types.
fn people(f: &Frame) -> Vec<Choice> {
    let one = |person: &Person| Choice { value: person.id.to_string(), text: person.name.clone(), chosen: false };
    f.people_to_choose().into_iter().map(one).collect()
}

fn channels(f: &Frame) -> Vec<Choice> {
    let one =
        |name: &str| Choice { value: name.to_owned(), text: f.words.t(&format!("channel.{name}")), chosen: false };
    CHANNELS.into_iter().map(one).collect()
}

impl Field {
    fn plain(name: &str, label: String, kind: &'static str) -> Field {
        Field {
            name: name.to_owned(),
            label,
            help: String::new(),
            kind,
            required: false,
            value: String::new(),
            options: Vec::new(),
            min: None,
            max: None,
            problem: None,
            shapes: false,
            files: Vec::new(),
        }
    }

    fn of(f: &Frame, spec: &FieldSpec, form: &Form) -> Field {
        let name = format!("{FIELD}{}", spec.name);
        let (kind, options) = match &spec.kind {
            FieldKind::Text { chars_max } if *chars_max > LINE_CHARS && spec.name == "justification" => {
                ("lines", &[][..])
            }
            FieldKind::LongText { .. } => ("lines", &[][..]),
            FieldKind::Text { .. } | FieldKind::Person | FieldKind::App | FieldKind::Asset { .. } => ("text", &[][..]),
            FieldKind::File => ("file", &[][..]),
            FieldKind::Number { .. } => ("number", &[][..]),
            FieldKind::Flag => ("flag", &[][..]),
            FieldKind::Date => ("date", &[][..]),
            FieldKind::Choice { options } => ("choice", options.as_slice()),
            FieldKind::Choices { options } => ("choices", options.as_slice()),
        };
        let chosen = form.all(&name);
        let option =
            |value: &String| Choice { chosen: chosen.contains(value), text: f.option(value), value: value.clone() };
        let (min, max) = match &spec.kind {
            FieldKind::Number { min, max } => (*min, *max),
            _ => (None, None),
        };
        Field {
            help: spec.help.clone(),
            required: spec.required,
            value: form.text(&name),
            options: options.iter().map(option).collect(),
            files: if kind == "file" { files::names(form, &name) } else { Vec::new() },
            min,
            max,
            ..Field::plain(&name, spec.label.clone(), kind)
        }
    }

    /// Offers what the catalog has, where the form asks for an app and a tier of it.
    fn offer_access(&mut self, f: &Frame, form: &Form) {
        let apps = &f.organisation.apps;
        let chosen = form.given("field.app").and_then(|id| apps.get(id.trim()));
        let options: Vec<(String, String)> = match self.name.strip_prefix(FIELD) {
            Some("app") => apps.values().map(|app| (app.id.to_string(), app.name.clone())).collect(),
            Some("tier") => {
                let shown = apps.values().filter(|app| chosen.is_none_or(|chosen| chosen.id == app.id));
                let tiers = shown.flat_map(|app| app.tiers.iter());
                let mut tiers: Vec<_> = tiers.map(|tier| (tier.id.to_string(), tier.name.clone())).collect();
                if chosen.is_none() {
                    tiers.sort();
                    tiers.dedup_by(|one, other| one.0 == other.0);
                }
                tiers
            }
            _ => return,
        };
        self.shapes |= self.name == "field.app";
        self.kind = "choice";
        let value = self.value.trim().to_owned();
        self.options = options.into_iter().map(|(id, text)| Choice { chosen: id == value, value: id, text }).collect();
    }

    /// Whether it is a text that may be chosen from a list as well.
    fn is_listed(&self) -> bool {
        matches!(self.kind, "person" | "named")
    }

    /// The ids of what describes it, for `aria-describedby`.
    fn described(&self) -> String {
        let help = (!self.help.is_empty()).then(|| format!("{}-help", self.name));
        let problem = self.problem.as_ref().map(|_| format!("{}-problem", self.name));
        help.into_iter().chain(problem).collect::<Vec<_>>().join(" ")
    }
}
