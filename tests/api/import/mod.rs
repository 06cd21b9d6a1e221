//! A file of tickets, taken through the whole pipeline by the command line.

mod files;
mod levels;
mod log;
mod presets;
mod threads;

use ruledesk::rules::digest::Digest;
use serde_json::{Value, json};

use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

/// What the import says of itself, and how its process ended.
fn import(desk: &House, file: &str, more: &[&str]) -> (Value, Option<i32>) {
    let map =
        ["--map", "subject=title", "--map", "body=text", "--map", "label.category=topic", "--map", "requester=who"];
    let basics = ["import", file, "--request-type", "question", "--requester", "amara", "--json"];
    let output = desk.command(&[basics.as_slice(), map.as_slice(), more].concat());
    let told = serde_json::from_slice(&output.stdout);
    (told.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), output.status.code())
}

const ROWS: &str = "title,text,topic,who\nHow do I print?,The printer has no toner.,hardware.printer,\n\
                    \"How do I print?\",The printer has no toner.,hardware.printer,\n\
                    VPN,\"How do I use\nthe VPN?\",network,kofi\n";

fn tickets(desk: &House) -> usize {
    let tickets = desk.as_role("kofi").get("/api/v1/tickets").expect(200);
    tickets["tickets"].as_array().unwrap().len()
}

#[test]
fn an_import_that_is_run_again_doubles_nothing_and_says_so() {
    on_both(|database| {
        let desk = House::demo(database);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tickets.csv");
        std::fs::write(&file, ROWS).unwrap();
        let file = file.to_str().unwrap();
        let counts = |told: &Value| ["accepted", "made_before", "decisions"].map(|name| told[name].as_u64().unwrap());
        let (first, ended) = import(&desk, file, &[]);
        assert_eq!((counts(&first)[..2].to_vec(), ended), (vec![3, 0], Some(0)), "{first}");
        let (again, ended) = import(&desk, file, &[]);
        assert_eq!((counts(&again), ended), ([0, 3, 0], Some(0)), "{again}");
        assert_eq!(tickets(&desk), 3, "alike rows are tickets of their own");

        // The same rows by other arguments are other requests.
        let (other, ended) = import(&desk, file, &["--channel", "another"]);
        assert_eq!((&other["rejected"]["total"], ended, tickets(&desk)), (&Value::from(3), Some(3), 3), "{other}");
    });
}

/// The numbers of tickets follow the rows where that is asked for.
#[test]
fn an_import_in_order_numbers_its_tickets_as_the_rows_stand() {
    let desk = House::demo(Database::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tickets.csv");
    let rows: String = (1..=40).map(|n| format!("number {n},How do I use the network?,network,\n")).collect();
    std::fs::write(&file, format!("title,text,topic,who\n{rows}")).unwrap();
    let (told, ended) = import(&desk, file.to_str().unwrap(), &["--in-order"]);
    assert_eq!((&told["accepted"], ended), (&Value::from(40), Some(0)), "{told}");
    let list = desk.as_role("kofi").get("/api/v1/tickets?sort=number&limit=40").expect(200);
    let subjects: Vec<&str> =
        list["tickets"].as_array().unwrap().iter().map(|t| t["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects, (1..=40).map(|n| format!("number {n}")).collect::<Vec<_>>());
}

/// A requester may use any key, also one that an import would choose.
#[test]
fn a_requesters_own_key_does_not_keep_a_row_out() {
    on_both(|database| {
        let desk = House::demo(database);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tickets.csv");
        std::fs::write(&file, ROWS).unwrap();
        let amara = desk.as_role("amara").with("idempotency-key", &format!("import-{}-2", Digest::of(ROWS.as_bytes())));
        let own = json!({ "request_type": "question", "subject": "Mine", "body": "Not the row's." });
        amara.post("/api/v1/tickets", &own).expect(201);
        let (told, ended) = import(&desk, file.to_str().unwrap(), &[]);
        assert_eq!((&told["accepted"], ended, tickets(&desk)), (&Value::from(3), Some(0), 4), "{told}");
    });
}

#[test]
fn refused_rows_are_named_and_the_others_are_imported() {
    on_both(|database| {
        let desk = House::demo(database);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tickets.csv");
        let zero = "a\0zero,text,network,\n";
        std::fs::write(
            &file,
            format!("{ROWS},,network,\nWho?,Nobody.,network,nobody-at-all\n{zero}Last,How do I print on both sides?,network,\n"),
        )
        .unwrap();
        let (told, ended) = import(&desk, file.to_str().unwrap(), &[]);
        assert_eq!((&told["accepted"], &told["rejected"]["total"], ended), (&json!(4), &json!(3), Some(3)), "{told}");
        let lines: Vec<_> = told["rejected"]["rows"].as_array().unwrap().iter().map(|row| &row["line"]).collect();
        assert_eq!(lines, [6, 7, 8], "{told}");
        assert!(told["rejected"]["rows"][1]["wrong"].as_str().unwrap().contains("nobody-at-all"), "{told}");
        assert_eq!(tickets(&desk), 4);
    });
}

/// A file in a folder of its own.
struct File(tempfile::TempDir);

impl File {
    fn of(bytes: impl AsRef<[u8]>) -> File {
        let file = File(tempfile::tempdir().unwrap());
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    fn path(&self) -> String {
        self.0.path().join("tickets.csv").to_str().unwrap().to_owned()
    }
}

#[test]
fn a_file_of_a_spreadsheet_is_read_as_it_is_written() {
    on_both(|database| {
        let desk = House::demo(database);
        let text = "Title;Text;Topic;Who\r\nDrücker kaputt;Geht nicht, gar nicht;hardware.printer;Amara\r\n";
        let (western, ..) = encoding_rs::WINDOWS_1252.encode(text);
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        for bytes in [western.to_vec(), wide] {
            let file = File::of(bytes);
            let (told, ended) = import(&desk, &file.path(), &[]);
            assert_eq!((&told["accepted"], ended), (&json!(1), Some(0)), "{told}");
        }
        let list = desk.as_role("kofi").get("/api/v1/tickets?limit=1").expect(200);
        assert_eq!(list["tickets"][0]["subject"], "Drücker kaputt");
        assert_eq!(list["tickets"][0]["requester"], "amara", "an id is found without regard to case");
    });
}

#[test]
fn a_file_that_is_saved_again_is_the_same_file() {
    let desk = House::demo(crate::support::place::Database::Sqlite);
    let file = File::of(ROWS);
    assert_eq!(import(&desk, &file.path(), &[]).0["accepted"], 3);
    for again in [ROWS.replace('\n', "\r\n"), format!("{ROWS}\n\n"), ROWS.trim_end().to_owned()] {
        let (told, ended) = import(&desk, &File::of(again).path(), &[]);
        assert_eq!((&told["accepted"], &told["made_before"], ended), (&json!(0), &json!(3), Some(0)), "{told}");
    }
}

#[test]
fn a_key_tells_rows_apart_whatever_else_changes() {
    on_both(|database| {
        let desk = House::demo(database);
        let rows = |second: &str| {
            format!(
                "n,title,text,topic,who\n7,Where is A?,Nobody knows where A is.,network,\n8,Where is B?,{second},network,\n"
            )
        };
        let by_key = ["--key", "N"];
        assert_eq!(import(&desk, &File::of(rows("Nobody knows where B is.")).path(), &by_key).0["accepted"], 2);
        let more = format!("{}9,Where is C?,Nobody knows where C is.,network,\n", rows("It is not where it was."));
        let (told, ended) = import(&desk, &File::of(more).path(), &by_key);
        let counts = ["accepted", "made_before", "changed_since"].map(|count| told[count].as_u64().unwrap());
        assert_eq!((counts, ended, tickets(&desk)), ([1, 1, 1], Some(0), 3), "{told}");
    });
}

/// Earlier versions made several keys of what looks the same: a row that was imported under one of those is found under it.
#[test]
fn a_row_that_was_imported_under_its_key_as_it_was_read_before_makes_no_second_ticket() {
    let desk = House::demo(Database::Postgres);
    let rows = "n,title,text,topic,who\nINC  1,Where is A?,Nobody knows where A is.,network,\n\
                INC 2,Where is B?,Nobody knows where B is.,network,\n";
    let (file, by_key) = (File::of(rows), ["--key", "n"]);
    assert_eq!(import(&desk, &file.path(), &by_key).0["accepted"], 2);
    desk.sql(
        "update idempotency set key = 'import-key-' || encode(sha256('INC  1'::bytea), 'hex') \
         where key = 'import-key-' || encode(sha256('INC 1'::bytea), 'hex')",
    );
    let (told, ended) = import(&desk, &file.path(), &by_key);
    let counts = ["accepted", "made_before"].map(|count| told[count].as_u64().unwrap());
    assert_eq!((counts, ended, tickets(&desk)), ([0, 2], Some(0), 2), "{told}");
}

#[test]
fn a_quote_that_is_never_closed_is_named_and_the_rows_behind_it_are_imported() {
    let desk = House::demo(crate::support::place::Database::Sqlite);
    let rows: String = (1..=200)
        .map(|n| {
            if n == 4 {
                "Where is 4?,\"never closed,,\n".into()
            } else {
                format!("Where is {n}?,Nobody knows where it is.,,\n")
            }
        })
        .collect();
    let (told, ended) = import(&desk, &File::of(format!("title,text,topic,who\n{rows}")).path(), &[]);
    assert_eq!((&told["accepted"], &told["rejected"]["total"], ended), (&json!(199), &json!(1), Some(3)), "{told}");
    assert_eq!(told["rejected"]["rows"][0]["line"], 5, "{told}");
}

const PAST: &str = "no,title,text,opened,solved,shut,status,owner,topic,prio,group,who\n\
    1,Old printer,No toner,2019-03-01T08:00:00Z,2019-03-02T08:00:00Z,2019-03-05T08:00:00Z,Closed,emma,hardware.printer,high,desktop,left-long-ago\n\
    2,Old VPN,Down,2019-03-01T09:00:00Z,,,In Progress,lucia,network,low,network,amara\n\
    3,GitHub,Admin please,2019-03-01T10:00:00Z,2019-03-01T11:00:00Z,,Resolved,,network,low,network,amara\n\
    4,Odd,Team of nobody,2019-03-01T10:00:00Z,,,Open,,network,low,no-such-team,amara\n";

#[test]
fn history_comes_in_as_history() {
    on_both(|database| {
        let desk = House::demo(database);
        let file = File::of(PAST);
        let import = |request_type: &str| {
            let maps = [
                "subject=title",
                "body=text",
                "created-at=opened",
                "resolved-at=solved",
                "closed-at=shut",
                "state=status",
                "assignee=owner",
                "label.category=topic",
                "label.priority=prio",
                "label.team=group",
                "requester=who",
            ];
            let maps: Vec<&str> = maps.iter().flat_map(|map| ["--map", *map]).collect();
            let basics =
                ["import", &file.path(), "--request-type", request_type, "--requester", "amara", "--history", "--json"]
                    .map(str::to_owned);
            let arguments: Vec<&str> = basics.iter().map(String::as_str).chain(maps).chain(["--key", "no"]).collect();
            let output = desk.command(&arguments);
            let told: Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
            (told, output.status.code())
        };
        // Also where the form asks for more than the file has, and where a new ticket of it would ask for access.
        let (told, ended) = import("access");
        assert_eq!((&told["accepted"], ended), (&json!(3), Some(3)), "{told}");
        assert!(told["rejected"]["rows"][0]["wrong"].as_str().unwrap().contains("no-such-team"), "{told}");
        assert_eq!(told["decisions"], 0);
        let (again, _) = import("access");
        assert_eq!((&again["accepted"], &again["made_before"]), (&json!(0), &json!(3)), "{again}");

        let kofi = desk.as_role("kofi");
        let all = kofi.get("/api/v1/tickets").expect(200)["tickets"].clone();
        let find = |subject: &str| {
            let found = all.as_array().unwrap().iter().find(|ticket| ticket["subject"] == subject).unwrap();
            kofi.get(&format!("/api/v1/tickets/{}", found["key"].as_str().unwrap())).expect(200)
        };
        let printer = find("Old printer");
        for (name, value) in [
            ("created_at", "2019-03-01T08:00:00Z"),
            ("resolved_at", "2019-03-02T08:00:00Z"),
            ("updated_at", "2019-03-05T08:00:00Z"),
            ("state", "closed"),
            ("assignee", "emma"),
            ("priority", "high"),
            ("category", "hardware.printer"),
            ("team", "desktop"),
            ("requester", "left-long-ago"),
        ] {
            assert_eq!(printer[name], value, "{printer}");
        }
        assert_eq!(find("Old VPN")["state"], "in_progress");
        let key = find("GitHub")["key"].as_str().unwrap().to_owned();
        assert_eq!(kofi.get(&format!("/api/v1/tickets/{key}/messages")).expect(200), json!([]));
        assert_eq!(kofi.get("/api/v1/people/amara/grants").expect(200), json!([]));
        assert_eq!(
            desk.as_role("lena").get("/api/v1/access-requests").expect(200)["access_requests"]
                .as_array()
                .map_or(0, Vec::len),
            0
        );
        let timeline = kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
        assert!(timeline.to_string().contains("2019-03-01T11:00:00Z"), "{timeline}");
    });
}

/// One whose end is not known, one that was cancelled, and one that is not over.
const ENDS: &str = "no,title,text,opened,solved,shut,status\n\
    2,Some time,Over,2019-03-01T09:00:00Z,,,Closed\n\
    3,Never mind,Not needed,2019-03-01T10:00:00Z,,2019-03-03T11:00:00Z,Cancelled\n\
    4,Still here,Down,2019-03-02T10:00:00Z,,,In Progress\n";

/// Takes rows over as history.
fn take_over(desk: &House, rows: &str) {
    let file = File::of(rows);
    let maps =
        ["subject=title", "body=text", "created-at=opened", "resolved-at=solved", "closed-at=shut", "state=status"];
    let basics = ["import", &file.path(), "--request-type", "question", "--requester", "amara", "--history", "--json"]
        .map(str::to_owned);
    let maps = maps.iter().flat_map(|map| ["--map", *map]);
    let arguments: Vec<&str> = basics.iter().map(String::as_str).chain(maps).chain(["--key", "no"]).collect();
    let output = desk.command(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
}

#[test]
fn reports_over_history_are_right_also_where_an_end_is_unknown_or_no_resolution() {
    on_both(|database| {
        let desk = House::demo(database);
        take_over(&desk, ENDS);
        let kofi = desk.as_role("kofi");
        let of_days = |name: &str, from: &str, column: &str| {
            let rows = kofi.get(&format!("/api/v1/reports/{name}?from={from}&to=2019-03-04")).expect(200);
            rows.as_array().unwrap().iter().map(|row| row[column].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(of_days("backlog-over-time", "2019-02-28", "unfinished"), [0, 1, 2, 1, 1]);
        assert_eq!(of_days("backlog-over-time", "2019-03-02", "unfinished"), [2, 1, 1], "and none of them for good");
        let sums: [i64; 3] =
            ["created", "resolved", "closed"].map(|column| of_days("volume", "2019-02-28", column).iter().sum());
        assert_eq!(sums, [3, 0, 1], "what is cancelled is not resolved");
        let taken = || kofi.get("/api/v1/reports/time-taken?from=2019-02-28&to=2019-03-04").expect(200);
        assert_eq!(taken(), json!([]), "how long it took is not known of any");
        take_over(
            &desk,
            "no,title,text,opened,solved,shut,status\n\
             6,Toner,Empty,2019-03-04T09:00:00Z,2019-03-04T11:00:00Z,,Resolved\n",
        );
        let rows = taken();
        let row = ["clock", "met", "mean-minutes", "under-4-hours"].map(|column| rows[0][column].clone());
        assert_eq!(row, [json!("resolution"), json!(1), json!(120), json!(1)], "{rows}");
        assert_eq!(rows.as_array().unwrap().len(), 1, "when it was first answered is not known: {rows}");
    });
}

/// The places between the pages are numbers, and those of such times are negative.
#[test]
fn what_was_changed_before_1970_is_on_the_pages_of_an_export_as_all_else_is() {
    on_both(|database| {
        let desk = House::demo(database);
        take_over(
            &desk,
            "no,title,text,opened,solved,shut,status\n\
             1,Punch cards,Wet,1967-05-01T10:00:00Z,,,In Progress\n\
             2,Reels,Torn,1968-05-01T10:00:00Z,,,In Progress\n\
             3,Lamps,Dark,1969-05-01T10:00:00Z,,,In Progress\n\
             4,Toner,Empty,2019-05-01T10:00:00Z,,,In Progress\n",
        );
        let (kofi, mut subjects, mut after) = (desk.as_role("kofi"), Vec::new(), String::new());
        loop {
            let page = kofi.get(&format!("/api/v1/tickets?sort=updated&limit=1{after}")).expect(200);
            let tickets = page["tickets"].as_array().unwrap();
            subjects.extend(tickets.iter().map(|ticket| ticket["subject"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(subjects, ["Punch cards", "Reels", "Lamps", "Toner"]);
    });
}

/// Samoa went from the 29th of December 2011 to the 31st: of a day that never was there is no row.
#[test]
fn a_day_that_a_zone_left_out_is_in_no_report() {
    let there = |text: String| text.replacen("time-zone = \"Europe/Berlin\"", "time-zone = \"Pacific/Apia\"", 1);
    let desk = House::with_settings(Database::Sqlite, example_rules(), there);
    take_over(&desk, "no,title,text,opened,solved,shut,status\n1,Old,Down,2011-12-29T20:00:00Z,,,In Progress\n");
    let path = "/api/v1/reports/backlog-over-time?from=2011-12-28&to=2012-01-01";
    let rows = desk.as_role("kofi").get(path).expect(200);
    let rows: Vec<_> =
        rows.as_array().unwrap().iter().map(|row| (row["day"].clone(), row["unfinished"].clone())).collect();
    let expected = [("2011-12-28", 0), ("2011-12-29", 1), ("2011-12-31", 1), ("2012-01-01", 1)];
    assert_eq!(rows, expected.map(|(day, count)| (json!(day), json!(count))));
}

/// The ticket itself says no more when it was resolved.
#[test]
fn a_resolution_of_another_desk_that_did_not_hold_counts_on_its_day() {
    on_both(|database| {
        let desk = House::demo(database);
        take_over(
            &desk,
            "no,title,text,opened,solved,shut,status\n\
             5,Came back,Down,2019-03-01T10:00:00Z,2019-03-02T11:00:00Z,,Resolved\n",
        );
        let kofi = desk.as_role("kofi");
        let report =
            |name: &str| kofi.get(&format!("/api/v1/reports/{name}?from=2019-02-28&to=2019-03-04")).expect(200);
        let counts = |name: &str, column: &str| {
            let rows = report(name);
            rows.as_array().unwrap().iter().map(|row| row[column].as_i64().unwrap()).collect::<Vec<_>>()
        };
        let holds = || {
            assert_eq!(counts("volume", "resolved"), [0, 1]);
            assert_eq!(counts("backlog-over-time", "unfinished"), [0, 1, 0, 0, 0]);
            for name in ["resolutions", "first-contact"] {
                assert_eq!(report(name), json!([]), "{name} counts those of this desk");
            }
        };
        holds();
        let list = kofi.get("/api/v1/tickets").expect(200);
        let path = format!("/api/v1/tickets/{}", list["tickets"][0]["key"].as_str().unwrap());
        let back = json!({ "to": "reopened", "reason": "It came back." });
        kofi.with("if-match", "*").post(&format!("{path}/transitions"), &back).expect(200);
        assert!(kofi.get(&path).expect(200)["resolved_at"].is_null());
        holds();
        let resolutions = kofi.get(&format!("{path}/resolutions")).expect(200);
        assert_eq!((&resolutions[0]["ended"], resolutions.as_array().map(Vec::len)), (&json!("taken-up"), Some(1)));
    });
}

#[test]
fn what_would_do_nothing_is_refused_or_named() {
    let desk = House::demo(crate::support::place::Database::Sqlite);
    let file = File::of(ROWS);
    let basics = ["import", &file.path(), "--request-type", "question", "--requester", "amara", "--map", "body=text"]
        .map(str::to_owned);
    let run = |more: &[&str]| {
        let arguments: Vec<&str> = basics.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let output = desk.command(&arguments);
        let told = [output.stdout, output.stderr].concat();
        (String::from_utf8(told).unwrap(), output.status.code())
    };
    let (told, ended) = run(&["--map", "created-at=topic"]);
    assert!(told.contains("say `--history`") && ended == Some(1), "{told}");
    let (told, ended) = run(&["--history"]);
    assert!(told.contains("--map created-at=COLUMN") && ended == Some(1), "{told}");
    let (told, ended) = run(&["--map", "label.category=topic", "--map-value", "label.category:Netwrok=network"]);
    assert!(told.contains("no row has these mapped values: label.category:Netwrok") && ended == Some(0), "{told}");
}
