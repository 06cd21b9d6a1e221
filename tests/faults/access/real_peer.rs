//! The same against a SCIM server that others have written (`scim2-server`), which reads the standard strictly.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::components::{example_rules, scratch};
use crate::support::house::House;
use crate::support::peers::port;
use crate::support::place::Database;
use crate::support::wait::until;

const SERVER: &str = "scim2-server==0.8.3";
const TOKEN: &str = "a-token-for-the-server";

/// The server, installed once.
fn environment() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let folder = scratch().join("toolchains/scim");
        let mark = folder.join("installed.txt");
        if std::fs::read_to_string(&mark).ok().as_deref() != Some(SERVER) {
            let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
            run(Command::new(folder.join("bin/python")).args(["-m", "pip", "install", "--quiet", SERVER]));
            std::fs::write(mark, SERVER).unwrap();
        }
        folder
    })
}

struct Server {
    process: Child,
    client: Client,
    url: String,
}

impl Server {
    fn start(desk: &House) -> Server {
        let port = port::own();
        let mut command = Command::new(environment().join("bin/scim2-server"));
        command.args(["--port", &port.to_string(), "--bearer-token", TOKEN]);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let url = format!("http://127.0.0.1:{port}/v2");
        until("the server", || std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(drop));
        Server { process, client: desk.stranger().at(&url).bearing(TOKEN), url }
    }

    fn group(&self, name: &str) {
        let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name });
        let made = self.client.send_text("/Groups", &group.to_string(), "application/scim+json");
        assert_eq!(made.status, 201, "{}", made.text);
    }

    fn users(&self) -> Vec<Value> {
        self.client.get("/Users").json()["Resources"].as_array().unwrap().clone()
    }

    fn members(&self, name: &str) -> usize {
        let groups = self.client.get("/Groups").json();
        let group = groups["Resources"].as_array().unwrap().iter().find(|group| group["displayName"] == name).unwrap();
        group["members"].as_array().map_or(0, Vec::len)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_strict_server_of_others_gets_it_all_and_loses_it_again() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text);
    let server = Server::start(&desk);
    server.group("user");
    std::fs::write(desk.settings().with_file_name("app.token"), TOKEN).unwrap();
    let file = desk.settings().with_file_name("apps.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replacen("id = \"jira\"\n", "id = \"jira\"\nconnector = \"peer\"\n", 1);
    let connector = format!(
        "[[connector]]\nid = \"peer\"\nkind = \"scim\"\nurl = \"{}\"\ninternal = true\ntoken-file = \"app.token\"\n",
        server.url
    );
    std::fs::write(&file, format!("{text}\n{connector}")).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);

    let probed = desk.command(&["jobs", "connectors"]);
    let said = String::from_utf8(probed.stdout).unwrap();
    assert!(said.contains("ok tier:user: the group") && said.contains("NOT OK tier:admin"), "{said}");
    assert_eq!(probed.status.code(), Some(3), "{said}");

    let amara = desk.as_role("amara");
    let fields =
        json!({ "app": "jira", "tier": "user", "duration-hours": 4, "justification": "I join the data project" });
    let body = json!({ "request_type": "access", "subject": "jira please", "fields": fields });
    amara.post("/api/v1/tickets", &body).expect(201);
    desk.advance(SignedDuration::ZERO);
    let grant = || desk.as_role("kofi").get("/api/v1/people/amara/grants").expect(200)[0].clone();
    assert_eq!(grant()["state"], "active", "{}", desk.as_role("kofi").get("/api/v1/access/orders").text);
    let users = server.users();
    assert_eq!((users.len(), &users[0]["externalId"], &users[0]["active"]), (1, &json!("amara"), &json!(true)));
    assert_eq!(server.members("user"), 1);

    desk.advance(SignedDuration::from_hours(4));
    assert_eq!(grant()["state"], "ended", "{}", desk.as_role("kofi").get("/api/v1/access/orders").text);
    assert_eq!((server.members("user"), &server.users()[0]["active"]), (0, &json!(false)));

    // Asked for again, it is the same user.
    amara.post("/api/v1/tickets", &body).expect(201);
    desk.advance(SignedDuration::ZERO);
    assert_eq!((server.users().len(), server.members("user")), (1, 1));
    assert!(desk.command(&["decisions", "chain"]).status.success());
}
