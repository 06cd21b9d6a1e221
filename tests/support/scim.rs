//! An app that speaks SCIM, in the test's own process: users and groups in memory, faults by order, and a log of every effect. It
//! can be strict, or have the habits of servers that read the standard loosely.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is done.
    Before,
    /// All is done, and the client does not hear of it.
    After,
}

/// The form of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed without an answer.
    Drop,
    /// An answer with this status, and `Retry-After` in seconds where there is one.
    Status(u16, Option<u64>),
    /// A page with this status, as of something that stands before the app.
    Page(u16),
}

/// A fault that is to come.
#[derive(Debug, Clone)]
struct Planned {
    method: &'static str,
    path: String,
    times: usize,
    phase: Phase,
    fault: Fault,
}

#[derive(Debug, Default)]
struct State {
    users: BTreeMap<String, Value>,
    groups: BTreeMap<String, Value>,
    /// An interface of its own, besides SCIM: who has something, by the path.
    plain: BTreeMap<String, String>,
    faults: Vec<Planned>,
    /// Each effect, in order, as `METHOD PATH`.
    effects: Vec<String>,
    /// Each request, in order.
    requests: Vec<String>,
    /// Whether a PATCH whose path has a filter is refused.
    no_filter_paths: bool,
    /// Whether a group is shown without its members, and a user with the groups that they are in.
    hides_members: bool,
    /// Whether a group is shown with its first member only, and a user with the groups that they are in.
    shows_one_member: bool,
    /// Whether it passes over filters of users, and has all of them for everyone.
    ignores_filters: bool,
    /// How often it still shows a group without those who are in it.
    forgets: usize,
    /// Whether its own interface answers with JSON of something else.
    says_something_else: bool,
    next: u64,
}

/// The app.
#[derive(Debug, Clone)]
pub struct ScimApp {
    pub url: String,
    state: Arc<Mutex<State>>,
}

/// The token that it takes.
pub const TOKEN: &str = "a-token-for-the-app";

/// The calls by which a connector of kind `rest` keeps entitlements of this kind at a path of the app.
pub fn rest_calls(kind: &str, path: &str) -> String {
    let call = |name: &str, method: &str| format!("{name} = {{ method = \"{method}\", path = \"{path}\" }}\n");
    let (create, remove, read) = (call("create", "PUT"), call("remove", "DELETE"), call("read", "GET"));
    format!("[connector.calls.{kind}]\n{create}{remove}{read}there = \"/has\"\nequals = \"{{user}}\"\n")
}

impl ScimApp {
    /// An app with these groups, which are empty.
    pub fn start(groups: &[&str]) -> ScimApp {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/scim/v2", listener.local_addr().unwrap());
        let app = ScimApp { url, state: Arc::default() };
        for group in groups {
            app.group(group);
        }
        let served = app.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let app = served.clone();
                std::thread::spawn(move || app.serve(stream));
            }
        });
        app
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn group(&self, name: &str) {
        let mut state = self.state();
        state.next += 1;
        let id = format!("g{}", state.next);
        let group = json!({ "id": id, "displayName": name, "members": [], "meta": { "version": "W/\"1\"" } });
        state.groups.insert(id, group);
    }

    /// Has the next requests of this kind fail.
    pub fn fail(&self, method: &'static str, path: &str, times: usize, phase: Phase, fault: Fault) {
        self.state().faults.push(Planned { method, path: path.to_owned(), times, phase, fault });
    }

    /// Has no more requests fail.
    pub fn works_again(&self) {
        self.state().faults.clear();
    }

    /// Takes no path with a filter from now on.
    pub fn without_filter_paths(&self) {
        self.state().no_filter_paths = true;
    }

    /// Shows no group's members from now on, as some servers do with large groups.
    pub fn hides_members(&self) {
        self.state().hides_members = true;
    }

    /// Shows the first member of a group and no other from now on.
    pub fn shows_one_member(&self) {
        self.state().shows_one_member = true;
    }

    /// Passes over what it is asked to filter users by.
    pub fn ignores_filters(&self) {
        self.state().ignores_filters = true;
    }

    /// Has no user by an id of the desk's any more.
    pub fn forgets_ids(&self) {
        for user in self.state().users.values_mut() {
            user.as_object_mut().unwrap().remove("externalId");
        }
    }

    /// Shows groups without their members for the next so many times.
    pub fn forgets_members(&self, times: usize) {
        self.state().forgets = times;
    }

    /// Gives a group another name.
    pub fn rename(&self, group: &str, to: &str) {
        let mut state = self.state();
        let group = state.groups.values_mut().find(|one| one["displayName"] == group).unwrap();
        group["displayName"] = json!(to);
    }

    /// Takes a group away and leaves it where it is a member of others.
    pub fn lose(&self, group: &str) {
        self.state().groups.retain(|_, one| one["displayName"] != group);
    }

    /// Answers at a path of its own interface with JSON that is no answer of the app, or as before.
    pub fn says_something_else(&self, does: bool) {
        self.state().says_something_else = does;
    }

    /// Who is a member of a group, by the names of users, sorted.
    pub fn members(&self, group: &str) -> Vec<String> {
        let state = self.state();
        let group = state.groups.values().find(|one| one["displayName"] == group).unwrap();
        let member = |member: &Value| {
            let user = state.users.get(member["value"].as_str().unwrap());
            user.map_or("-", |user| user["externalId"].as_str().unwrap_or("?")).to_owned()
        };
        let mut members: Vec<String> = group["members"].as_array().unwrap().iter().map(member).collect();
        members.sort();
        members
    }

    /// Whether a person's user may sign in; `None` where there is none.
    pub fn active(&self, person: &str) -> Option<bool> {
        let state = self.state();
        let user = state.users.values().find(|user| user["externalId"] == person);
        user.map(|user| user["active"] == true)
    }

    /// The app's own id for a person.
    pub fn id_of(&self, person: &str) -> String {
        let state = self.state();
        let (id, _) = state.users.iter().find(|(_, user)| user["externalId"] == person).unwrap();
        id.clone()
    }

    /// Adds a user who is a member of a group, as a person did long ago.
    pub fn has_already(&self, person: &str, user_name: &str, group: &str) {
        let mut state = self.state();
        state.next += 1;
        let id = format!("u{}", state.next);
        let user = json!({ "id": id, "externalId": person, "userName": user_name, "active": true });
        state.users.insert(id.clone(), user);
        let group = state.groups.values_mut().find(|one| one["displayName"] == group).unwrap();
        group["members"].as_array_mut().unwrap().push(json!({ "value": id }));
    }

    /// Makes a user a member of a group behind the desk's back.
    pub fn put_in(&self, person: &str, group: &str) {
        let mut state = self.state();
        let id = state.users.values().find(|user| user["externalId"] == person).unwrap()["id"].clone();
        let group = state.groups.values_mut().find(|one| one["displayName"] == group).unwrap();
        group["members"].as_array_mut().unwrap().push(json!({ "value": id }));
    }

    /// Makes a group a member of another, as some servers allow.
    pub fn put_group_in(&self, inner: &str, outer: &str) {
        let mut state = self.state();
        let id = state.groups.values().find(|group| group["displayName"] == inner).unwrap()["id"].clone();
        let outer = state.groups.values_mut().find(|one| one["displayName"] == outer).unwrap();
        outer["members"].as_array_mut().unwrap().push(json!({ "value": id, "type": "Group" }));
    }

    /// Has a person sign in at a time, as the app says it in an extension of its own.
    pub fn signed_in(&self, person: &str, at: &str) {
        let mut state = self.state();
        let user = state.users.values_mut().find(|user| user["externalId"] == person).unwrap();
        user["urn:example:sign-ins"] = json!({ "last": at });
    }

    /// Takes a person out of a group behind the desk's back.
    pub fn take_out(&self, group: &str) {
        let mut state = self.state();
        let group = state.groups.values_mut().find(|one| one["displayName"] == group).unwrap();
        group["members"] = json!([]);
    }

    /// Every effect so far.
    pub fn effects(&self) -> Vec<String> {
        self.state().effects.clone()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        while let Some((method, target, authorization, body)) = read(&mut reader) {
            let Some((status, retry_after, body)) = self.answer(&method, &target, &authorization, &body) else {
                return;
            };
            let text = match body {
                Value::Null => String::new(),
                Value::String(page) => page,
                body => body.to_string(),
            };
            let after = retry_after.map(|seconds| format!("Retry-After: {seconds}\r\n")).unwrap_or_default();
            let head = format!(
                "HTTP/1.1 {status} x\r\nContent-Type: application/scim+json\r\n{after}Content-Length: {}\r\n\r\n",
                text.len()
            );
            if stream.write_all((head + &text).as_bytes()).is_err() {
                return;
            }
        }
    }

    /// The answer to a request; `None` where the connection is to be closed without one.
    fn answer(&self, method: &str, target: &str, authorization: &str, body: &str) -> Option<(u16, Option<u64>, Value)> {
        let mut state = self.state();
        let target = percent_decoded(target);
        let target = target.strip_prefix("/scim/v2").unwrap_or(&target);
        state.requests.push(format!("{method} {target}"));
        if authorization != format!("Bearer {TOKEN}") {
            return Some((401, None, json!({ "detail": "no" })));
        }
        let path = target.split('?').next().unwrap();
        let of = |fault: &Planned| fault.times > 0 && fault.method == method && path.starts_with(&fault.path);
        let fault = state.faults.iter_mut().find(|fault| of(fault));
        let fault = fault.map(|fault| {
            fault.times -= 1;
            (fault.phase, fault.fault.clone())
        });
        let done = match fault {
            Some((Phase::Before, _)) => None,
            _ => Some(state.act(method, target, body)),
        };
        match fault {
            Some((_, Fault::Drop)) => None,
            Some((_, Fault::Status(status, after))) => Some((status, after, json!({ "detail": "a fault" }))),
            Some((_, Fault::Page(status))) => Some((status, None, json!("<h1>there is nothing at this address</h1>"))),
            None => done.map(|(status, body)| (status, None, body)),
        }
    }
}

impl State {
    fn users_with_groups(&self) -> BTreeMap<String, Value> {
        let with_groups = |(id, user): (&String, &Value)| {
            let has =
                |group: &&Value| group["members"].as_array().unwrap().iter().any(|one| one["value"] == id.as_str());
            let groups: Vec<Value> =
                self.groups.values().filter(has).map(|group| json!({ "value": group["id"] })).collect();
            let mut user = user.clone();
            user["groups"] = groups.into();
            (id.clone(), user)
        };
        self.users.iter().map(with_groups).collect()
    }

    fn act(&mut self, method: &str, target: &str, body: &str) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            // It knows no such filter.
            ("GET", ["Users"]) if query.contains("groups.value") => (400, json!({ "scimType": "invalidFilter" })),
            ("GET", ["Users"]) if self.ignores_filters => {
                let all: Vec<&Value> = self.users.values().collect();
                (200, json!({ "totalResults": all.len(), "Resources": all }))
            }
            ("GET", ["Users"]) if self.hides_members || self.shows_one_member => {
                (200, listed(&self.users_with_groups(), query))
            }
            ("GET", ["Users"]) => (200, listed(&self.users, query)),
            ("GET", ["Groups"]) => (200, listed(&self.groups, query)),
            ("GET", ["Users", id]) => self.users.get(*id).map_or((404, Value::Null), |user| (200, user.clone())),
            ("GET", ["Groups", id]) if self.forgets > 0 => {
                self.forgets -= 1;
                let mut group = self.groups.get(*id).cloned().unwrap_or_default();
                group["members"] = json!([]);
                (200, group)
            }
            ("GET", ["Groups", id]) if self.hides_members => {
                let mut group = self.groups.get(*id).cloned().unwrap_or_default();
                group.as_object_mut().unwrap().remove("members");
                (200, group)
            }
            ("GET", ["Groups", id]) if self.shows_one_member => {
                let mut group = self.groups.get(*id).cloned().unwrap_or_default();
                group["members"].as_array_mut().unwrap().truncate(1);
                (200, group)
            }
            ("GET", ["Groups", id]) => self.groups.get(*id).map_or((404, Value::Null), |group| (200, group.clone())),
            ("POST", ["Users"]) => self.create(body),
            ("PATCH", ["Users", id]) => self.patch_user(id, &body),
            ("PATCH", ["Groups", id]) => self.patch_group(id, &body),
            ("PUT", ["Groups", id]) if self.groups.contains_key(*id) => {
                self.effects.push(format!("PUT {path}"));
                self.groups.insert((*id).to_owned(), body.clone());
                (200, body)
            }
            ("PUT", ["plain", what, user]) => {
                self.effects.push(format!("PUT {what} {user}"));
                self.plain.insert(path.to_owned(), (*user).to_owned());
                (204, Value::Null)
            }
            ("DELETE", ["plain", what, user]) => {
                let known = self.plain.remove(path).is_some();
                self.effects.push(format!("DELETE {what} {user}"));
                (if known { 204 } else { 404 }, Value::Null)
            }
            ("GET", ["plain", ..]) if self.says_something_else => (200, json!({ "error": "try again" })),
            ("GET", ["plain", ..]) => {
                self.plain.get(path).map_or((404, Value::Null), |user| (200, json!({ "has": [user] })))
            }
            _ => (404, json!({ "detail": "no such place" })),
        }
    }

    fn create(&mut self, mut user: Value) -> (u16, Value) {
        let same = |other: &Value| {
            other["userName"].as_str().map(str::to_lowercase) == user["userName"].as_str().map(str::to_lowercase)
        };
        if self.users.values().any(same) {
            return (409, json!({ "scimType": "uniqueness" }));
        }
        self.next += 1;
        let id = format!("u{}", self.next);
        user["id"] = json!(id);
        self.effects.push(format!("POST Users {}", user["externalId"].as_str().unwrap_or_default()));
        self.users.insert(id, user.clone());
        (201, user)
    }

    fn patch_user(&mut self, id: &str, body: &Value) -> (u16, Value) {
        let Some(user) = self.users.get_mut(id) else { return (404, Value::Null) };
        for operation in body["Operations"].as_array().unwrap() {
            assert_eq!((operation["op"].as_str(), operation["path"].as_str()), (Some("replace"), Some("active")));
            user["active"] = operation["value"].clone();
            let active = operation["value"].as_bool().unwrap();
            self.effects
                .push(format!("PATCH Users {} active={active}", user["externalId"].as_str().unwrap_or_default()));
        }
        (204, Value::Null)
    }

    fn patch_group(&mut self, id: &str, body: &Value) -> (u16, Value) {
        let no_filter_paths = self.no_filter_paths;
        let Some(group) = self.groups.get_mut(id) else { return (404, Value::Null) };
        let name = group["displayName"].as_str().unwrap().to_owned();
        let members = group["members"].as_array_mut().unwrap();
        for operation in body["Operations"].as_array().unwrap() {
            let path = operation["path"].as_str().unwrap();
            match operation["op"].as_str().unwrap() {
                "add" => {
                    for value in operation["value"].as_array().unwrap() {
                        if !members.iter().any(|member| member["value"] == value["value"]) {
                            members.push(value.clone());
                            self.effects.push(format!("add to {name}"));
                        }
                    }
                }
                "remove" if no_filter_paths => return (400, json!({ "scimType": "invalidPath" })),
                "remove" => {
                    let value =
                        path.strip_prefix("members[value eq \"").and_then(|rest| rest.strip_suffix("\"]")).unwrap();
                    let before = members.len();
                    members.retain(|member| member["value"] != value);
                    if members.len() < before {
                        self.effects.push(format!("remove from {name}"));
                    }
                }
                other => panic!("{other}"),
            }
        }
        (204, Value::Null)
    }
}

/// The resources for which a filter `ATTRIBUTE eq "VALUE"` holds.
fn listed(resources: &BTreeMap<String, Value>, query: &str) -> Value {
    let filter = query.split('&').find_map(|pair| pair.strip_prefix("filter=")).unwrap_or_default();
    let (attribute, value) = filter.split_once(" eq ").unwrap_or_default();
    let value: String = serde_json::from_str(value).unwrap_or_default();
    let found: Vec<&Value> = resources
        .values()
        .filter(|one| one[attribute].as_str().is_some_and(|text| text.eq_ignore_ascii_case(&value)))
        .collect();
    json!({ "totalResults": found.len(), "startIndex": 1, "itemsPerPage": found.len(), "Resources": found })
}

fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &after[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The next request: method, target, the header `Authorization`, and the body. One that is cut off, as by a desk that is killed while
/// it sends, is none.
fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, String, String, String)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|_| line.ends_with('\n'))?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|_| header.ends_with('\n'))?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => value.trim().clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, target, authorization, String::from_utf8(body).ok()?))
}
