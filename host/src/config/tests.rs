//! Each mistake has its message, with the line; and a sound directory becomes what it says.

mod documents;
mod mistakes;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::{date, time};

use super::*;
use crate::desk::organisation::{FieldKind, Kind, OpenHours, Strategy};

const DESK: &str = r#"name = "Example"

[calendar]
time-zone = "Europe/Berlin"
monday = ["08:00-12:00", "13:00-18:00"]
sunday = ["22:00-24:00"]
holidays = [2026-12-25, "2027-01-01"]

[scales]
impact = ["low", "high"]
urgency = ["low", "high"]

[[priority]]
id = "high"
name = "High"
first-response = "1h30m"
resolution = "8h"

[defaults]
team = "desk"
priority = "high"
category = "hardware"
access-approvers = ["lena"]
"#;

const PEOPLE: &str = r#"departments = ["Finance"]
groups = ["staff"]

[[person]]
id = "lena"
name = "Lena"
email = "lena@example.org"
attributes = { cost-centre = "4711" }

[[person]]
id = "amara"
name = "Amara"
email = "amara@example.org"
department = "Finance"
manager = "lena"
groups = ["staff"]
"#;

const TEAMS: &str = r#"skills = ["vpn"]

[[team]]
id = "desk"
name = "Desk"
strategy = "least-loaded"
member = [{ person = "lena", skills = ["vpn"] }]
"#;

const TAXONOMY: &str = r#"tags = ["vpn"]

[[category]]
id = "hardware"
name = "Hardware"
team = "desk"

[[category]]
id = "hardware.laptop"
name = "Laptops"
"#;

const REQUEST_TYPES: &str = r#"[[request-type]]
id = "access"
name = "Access"
kind = "request"
category = "hardware"
grants-access = true
field = [
    { name = "app", label = "App", kind = "text", chars-max = 50, required = true },
    { name = "tier", label = "Tier", kind = "choice", options = ["read"] },
    { name = "hours", label = "Hours", kind = "number", min = 1, max = 24.5 },
]
"#;

const APPS: &str = r#"risks = ["low"]

[[app]]
id = "github"
name = "GitHub"
owner = "lena"

[[app.tier]]
id = "read"
name = "Read"
risk = "low"
longest = "720h"
groups = ["staff"]
seats = 10
"#;

const VIPS: &str = "person,reason\nlena,\"head,\nof all\"\n";

fn sound() -> Files {
    let texts = [
        ("desk.toml", DESK),
        ("people.toml", PEOPLE),
        ("teams.toml", TEAMS),
        ("taxonomy.toml", TAXONOMY),
        ("request-types.toml", REQUEST_TYPES),
        ("apps.toml", APPS),
        ("tables/vips.csv", VIPS),
    ];
    Files { dir: PathBuf::from("conf"), texts: texts.map(|(f, t)| (f.to_owned(), t.to_owned())).into() }
}

fn printed(result: Result<Config, Vec<Problem>>) -> Vec<String> {
    result.map_or_else(|problems| problems.iter().map(Problem::to_string).collect(), |_| Vec::new())
}

#[test]
fn a_sound_directory_becomes_what_it_says() {
    let config = check(&sound(), &Outside::default()).unwrap();
    let organisation = &config.organisation;
    assert_eq!(organisation.name, "Example");
    let hours = |start, end| OpenHours { start, end };
    let [monday, .., sunday] = &organisation.calendar.week;
    assert_eq!(*monday, [hours(time(8, 0, 0, 0), time(12, 0, 0, 0)), hours(time(13, 0, 0, 0), time(18, 0, 0, 0))]);
    assert_eq!(*sunday, [hours(time(22, 0, 0, 0), time(0, 0, 0, 0))]);
    assert_eq!(organisation.calendar.zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(organisation.calendar.holidays, [date(2026, 12, 25), date(2027, 1, 1)].into());
    assert_eq!(organisation.priorities[0].first_response_minutes, 90);
    assert_eq!(organisation.defaults.access_due_hours, 72);
    let amara = &organisation.people["amara"];
    assert_eq!(organisation.managers(amara), ["lena".parse().unwrap()]);
    assert!(amara.active && !amara.vip);
    assert_eq!(organisation.people["lena"].attributes["cost-centre"], "4711");
    let desk = &organisation.teams["desk"];
    assert_eq!((desk.strategy, desk.tier, desk.members[0].available), (Strategy::LeastLoaded, 1, true));
    let access = &organisation.request_types["access"];
    assert_eq!((access.kind, access.grants_access), (Kind::Request, true));
    let names: Vec<&str> = access.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["app", "tier", "hours"]);
    assert_eq!(access.fields[0].kind, FieldKind::Text { chars_max: 50 });
    assert_eq!(access.fields[2].kind, FieldKind::Number { min: Some(1.0), max: Some(24.5) });
    let (order, read) = organisation.apps["github"].tier("read").unwrap();
    assert_eq!((order, read.hours_max, read.seats), (0, 720, Some(10)));
    let vip: Vec<(&str, &str)> = config.tables["vips"].row("lena").unwrap().collect();
    assert_eq!(vip, [("person", "lena"), ("reason", "head,\nof all")]);
    assert!(config.tables["vips"].row("amara").is_none());
}

#[test]
fn nothing_is_traced_unless_the_file_says_where_to() {
    let telemetry = check(&sound(), &Outside::default()).unwrap().telemetry;
    assert_eq!((telemetry.otlp_endpoint, telemetry.service_name.as_str()), (None, "ruledesk"));
    assert_eq!((telemetry.sampling_ratio.to_string().as_str(), telemetry.follow_callers), ("1", false));
}

#[test]
fn what_the_server_is_not_told_has_a_default() {
    let server = check(&sound(), &Outside { cores: 4, ..Outside::default() }).unwrap().server;
    assert_eq!(server.listen, SocketAddr::from(([127, 0, 0, 1], 8080)));
    assert_eq!(server.data_dir, Path::new("conf/data"));
    assert_eq!(server.archive, Archive::Directory("conf/data/archive".into()));
    assert_eq!(server.cache_dir, Path::new("conf/data/cache"));
    assert_eq!(server.rules_dir, Path::new("conf/rules"));
    assert_eq!(server.database, Database::Sqlite("conf/data/ruledesk.db".into()));
    assert_eq!((server.worker_threads, server.queue_depth), (8, 256));
    assert_eq!((server.body_bytes_max, server.component_bytes_max), (1 << 20, 32 << 20));
    assert_eq!(server.request_timeout, Duration::from_secs(10));
    assert_eq!((server.reload_poll, server.compile_timeout), (Duration::from_secs(1), Duration::from_secs(60)));
    assert_eq!(server.compile_memory_bytes, 2 << 30);
}

#[test]
fn what_the_server_is_told_counts_and_what_comes_from_outside_stands_above_it() {
    let mut files = sound();
    let text = files.texts.get_mut("desk.toml").unwrap();
    text.push_str(
        "[server]\nlisten = \"[::1]:80\"\ndatabase = \"sqlite://d.db\"\ncache-dir = \"c\"\nrules-dir = \"/r\"\nworker-threads = 3\narchive = \"s3://b/p/q/\"\n",
    );
    let server = check(&files, &Outside::default()).unwrap().server;
    assert_eq!((server.listen.to_string().as_str(), server.worker_threads), ("[::1]:80", 3));
    assert_eq!(server.database, Database::Sqlite("conf/d.db".into()));
    assert_eq!(server.archive, Archive::Bucket { bucket: "b".to_owned(), prefix: "p/q".to_owned() });
    assert_eq!((&*server.cache_dir, &*server.rules_dir), (Path::new("conf/c"), Path::new("/r")));
    let url = "postgres://desk:secret@db/desk";
    let outside = Outside {
        database_url: Some(url.to_owned()),
        listen: Some("0.0.0.0:1".parse().unwrap()),
        data_dir: Some("d".into()),
        cache_dir: Some("c".into()),
        rules_dir: Some("r".into()),
        cores: 0,
        smtp_password: Some("secret".to_owned()),
        may_be_asked: None,
    };
    let server = check(&files, &outside).unwrap().server;
    assert_eq!(server.database, Database::Postgres(url.to_owned()));
    assert!(!format!("{server:?}").contains("secret"));
    assert_eq!(server.listen.port(), 1);
    assert_eq!((server.data_dir, server.cache_dir, server.rules_dir), ("d".into(), "c".into(), "r".into()));
}

#[test]
fn a_bad_database_url_is_named_without_its_password() {
    let outside = Outside { database_url: Some("mysql://u:secret@h/d".to_owned()), ..Outside::default() };
    assert_eq!(
        printed(check(&sound(), &outside)),
        ["DATABASE_URL: is neither `sqlite:FILE` nor `postgres://USER:PASSWORD@HOST/NAME`"]
    );
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_files() {
    let mut files = sound();
    let mut replace = |file: &str, from: &str, to: &str| {
        let text = files.texts.get_mut(file).unwrap();
        *text = text.replacen(from, to, 1);
    };
    replace("people.toml", "manager = \"lena\"", "manager = \"lina\"\nphone = 1");
    replace("people.toml", "groups = [\"staff\"]\n\n", "groups = []\n\n");
    replace("desk.toml", "\"8h\"", "\"1d\"");
    replace("tables/vips.csv", "person", "");
    files.texts.insert("tables/My table.csv".to_owned(), "a\n1\n".to_owned());
    assert_eq!(
        printed(check(&files, &Outside::default())),
        [
            "apps.toml:13:11: app.github.tier.read.groups[0]: there is no group `staff`; none is defined",
            "desk.toml:17:14: priority.high.resolution: is `1d`; write hours and minutes, such as `30m`, `8h` or `1h30m`",
            "people.toml:15:11: person.amara.manager: there is no person `lina`; did you mean `lena`? allowed: amara, lena",
            "people.toml:16:1: person.amara.phone: there is no such key; \
             allowed: id, name, email, department, manager, title, location, groups, vip, active, attributes, delegation, same-as, valid-from, valid-until",
            "people.toml:17:11: person.amara.groups[0]: there is no group `staff`; none is defined",
            "tables/My table.csv: `My table` is not a table's name: use lower-case letters, digits and hyphens before `.csv` or `.toml`",
            "tables/vips.csv:1: column 1 has no name",
        ]
    );
}

#[test]
fn of_very_many_mistakes_a_thousand_are_named_and_none_repeats_all_that_there_is() {
    let mut files = sound();
    let people = files.texts.get_mut("people.toml").unwrap();
    // As where a personnel system names managers by another number than people.
    for n in 0..20_000 {
        let person =
            format!("\n[[person]]\nid = \"p{n}\"\nname = \"P\"\nemail = \"p{n}@example.org\"\nmanager = \"q{n}\"\n");
        people.push_str(&person);
    }
    let problems = check(&files, &Outside::default()).unwrap_err();
    assert_eq!(problems.len(), 1_000);
    let first = problems[0].to_string();
    assert!(first.contains("there is no person `q0`; did you mean `p0`? allowed: amara, lena, p0,"), "{first}");
    assert!(first.ends_with(" and 19972 more"), "{first}");
    assert!(!problems[999].to_string().contains("did you mean"), "no look at all names for each");
}

#[test]
fn a_table_with_very_many_headings_or_rows_is_gone_through_once() {
    let printed =
        |table: Result<Table, Vec<Problem>>| table.unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>();
    let headings = (0..200_000).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    let wide = Table::from_csv("t", &format!("{headings}\n{headings}\nx,y\n"));
    assert_eq!(
        printed(wide),
        ["t:1: has 200000 entries; allowed are at most 64", "t:3: the row has 2 cells, the first line has 200000"]
    );
    let rows: String = (0..3_000).map(|n| format!("[[row]]\nk = \"{n}\"\n")).collect();
    let twice = format!("# Of TOML.\ncolumns = [\"k\"]\n{rows}\n[[row]]\nk = \"7\"\n");
    assert_eq!(printed(Table::from_toml("t", &twice)), ["t:6004: `7` is given twice, first in line 17"]);
}

#[test]
fn days_off_come_from_an_icalendar_file_too() {
    let mut files = sound();
    let desk = files.texts.get_mut("desk.toml").unwrap();
    *desk = desk.replace("[calendar]\n", "[calendar]\nholidays-from = \"here.ics\"\n");
    let problems = check(&files, &Outside::default()).unwrap_err();
    assert!(problems[0].to_string().contains("no file `holidays/here.ics`"), "{problems:?}");
    let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260501\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    files.texts.insert("holidays/here.ics".to_owned(), text.to_owned());
    let config = check(&files, &Outside::default()).unwrap();
    assert_eq!(config.organisation.calendar.holidays.len(), 3);
    files.texts.insert("holidays/here.ics".to_owned(), text.replace("20260501", "soon"));
    let problems = check(&files, &Outside::default()).unwrap_err();
    assert!(problems[0].to_string().contains("line 3 has no day"), "{problems:?}");
}

#[test]
fn files_that_are_missing_or_no_text_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in &sound().texts {
        let path = dir.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    load(dir.path(), &Outside::default()).unwrap();
    // A table that an editor has open, and a byte order mark, are no problem; nor is it that there is no catalog.
    std::fs::write(dir.path().join("tables/.vips.csv"), "").unwrap();
    std::fs::write(dir.path().join("teams.toml"), format!("\u{feff}{TEAMS}")).unwrap();
    std::fs::remove_file(dir.path().join("apps.toml")).unwrap();
    assert!(load(dir.path(), &Outside::default()).unwrap().organisation.apps.is_empty());
    std::fs::remove_file(dir.path().join("people.toml")).unwrap();
    std::fs::write(dir.path().join("teams.toml"), b"name = \"\xff\"").unwrap();
    assert_eq!(
        printed(load(dir.path(), &Outside::default())),
        [
            "people.toml: the file cannot be read: No such file or directory (os error 2)",
            "teams.toml: the file is not UTF-8 text: save it as UTF-8"
        ]
    );
}

/// To open one would wait for a writer, for good.
#[cfg(unix)]
#[test]
fn a_socket_in_the_place_of_a_file_is_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("people.toml")).unwrap();
    let told = printed(load(dir.path(), &Outside::default()));
    assert!(
        told.contains(&"people.toml: the file cannot be read: it is a pipe or a device, and no file".to_owned()),
        "{told:?}"
    );
}

#[test]
fn the_demonstrations_are_sound() {
    for name in ["demo", "demo-import"] {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        assert_eq!(printed(load(&dir, &Outside::default())), Vec::<String>::new(), "{name}");
    }
}
