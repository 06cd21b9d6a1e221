//! Single mistakes in times, forms, the server's bounds and tables, each with the one message that it gives.

use super::mistakes::{Case, each_gives_its_message};

const TIMES: &[Case] = &[
    (
        "desk.toml",
        "Europe/Berlin",
        "Europe/Berlim",
        "desk.toml:4:13: calendar.time-zone: there is no time zone `Europe/Berlim`; write a name of the IANA database, such as `Europe/Berlin`",
    ),
    (
        "desk.toml",
        "13:00-18:00",
        "11:00-18:00",
        "desk.toml:5:26: calendar.monday[1]: `11:00-18:00` starts before `08:00-12:00` ends; sort the hours and let none overlap",
    ),
    (
        "desk.toml",
        "08:00-12:00",
        "08:00-24:00",
        "desk.toml:5:26: calendar.monday[1]: `13:00-18:00` starts before `08:00-24:00` ends; sort the hours and let none overlap",
    ),
    (
        "desk.toml",
        "22:00-24:00",
        "22:00-06:00",
        "desk.toml:6:11: calendar.sunday[0]: `22:00-06:00` ends before it starts; a night goes to `24:00` and on from `00:00` of the next day",
    ),
    (
        "desk.toml",
        "22:00-24:00",
        "22-24",
        "desk.toml:6:11: calendar.sunday[0]: `22-24` is not a span of hours; write `08:00-18:00`, or `00:00-24:00` for the whole day",
    ),
    (
        "desk.toml",
        "22:00-24:00",
        "22:00-25:00",
        "desk.toml:6:11: calendar.sunday[0]: `22:00-25:00` is not a span of hours; write `08:00-18:00`, or `00:00-24:00` for the whole day",
    ),
    (
        "desk.toml",
        "monday = [\"08:00-12:00\", \"13:00-18:00\"]\nsunday = [\"22:00-24:00\"]\n",
        "",
        "desk.toml:3:1: calendar.monday: no day has open hours, so no deadline would ever come",
    ),
    (
        "desk.toml",
        "2027-01-01",
        "2027-02-29",
        "desk.toml:7:25: calendar.holidays[1]: `2027-02-29` is not a day; write `YYYY-MM-DD`",
    ),
    (
        "desk.toml",
        "2026-12-25",
        "2026-12-25T10:00:00Z",
        "desk.toml:7:13: calendar.holidays[0]: `2026-12-25T10:00:00Z` is not a day; write `YYYY-MM-DD`",
    ),
    (
        "desk.toml",
        "1h30m",
        "2d",
        "desk.toml:16:18: priority.high.first-response: is `2d`; write hours and minutes, such as `30m`, `8h` or `1h30m`",
    ),
    (
        "desk.toml",
        "1h30m",
        "0m",
        "desk.toml:16:18: priority.high.first-response: is 0 minutes; allowed is 1 to 5270400",
    ),
    (
        "desk.toml",
        "1h30m",
        "9h",
        "desk.toml:16:18: priority.high.first-response: is 540 minutes, longer than the 480 minutes for the resolution",
    ),
    (
        "desk.toml",
        "[defaults]",
        "[[promises.clock]]\nid = \"resolution\"\nname = \"R\"\nstarts = [\"submitted\"]\nmet = [\"resolved\"]\n\
         target = [{ priority = \"high\", within = \"2h\" }]\n\n[defaults]",
        "desk.toml:20:6: promises.clock[0].id: `resolution` is not a clock's name: use 1 to 24 lower-case letters, digits and hyphens, but none of the desk's own clocks",
    ),
    (
        "desk.toml",
        "[defaults]",
        "[[promises.clock]]\nid = \"diagnosis\"\nname = \"D\"\nstarts = [\"opened\"]\nmet = [\"resolved\"]\n\
         target = [{ priority = \"high\", within = \"2h\" }]\n\n[defaults]",
        "desk.toml:22:11: promises.clock[0].starts[0]: is `opened`; allowed: submitted, answered, tag:NAME, new, open, in_progress, waiting_requester, waiting_approval, waiting_vendor, resolved, reopened, closed, cancelled, merged",
    ),
    (
        "desk.toml",
        "[defaults]",
        "[[promises.clock]]\nid = \"diagnosis\"\nname = \"D\"\nstarts = [\"in_progress\", \"resolved\"]\nmet = [\"in_progress\", \"tag:vpn\"]\n\
         target = [{ priority = \"high\", within = \"2h\" }]\n\n[defaults]",
        "desk.toml:19:1: promises.clock[0].met: is so whenever the clock would start, which therefore never runs: leave out of it what is in `starts`",
    ),
    (
        "desk.toml",
        "[defaults]",
        "[[promises.clock]]\nid = \"diagnosis\"\nname = \"D\"\nstarts = [\"resolved\"]\nmet = [\"tag:vpn\"]\n\
         target = [{ priority = \"high\", within = \"2h\" }]\n\n[defaults]",
        "desk.toml:19:1: promises.clock[0].starts: comes when no work is owed any more, when no clock starts; name a state in which it is",
    ),
    (
        "desk.toml",
        "[defaults]",
        "[[promises.clock]]\nid = \"diagnosis\"\nname = \"D\"\nstarts = [\"submitted\"]\nmet = [\"resolved\"]\n\
         pauses = [\"new\", \"open\", \"in_progress\", \"waiting_requester\", \"waiting_approval\", \"waiting_vendor\", \"reopened\"]\n\
         target = [{ priority = \"high\", within = \"2h\" }]\n\n[defaults]",
        "desk.toml:19:1: promises.clock[0].pauses: names every state in which work is owed, so that the clock never runs",
    ),
    (
        "desk.toml",
        "[defaults]",
        "[promises]\nescalate = [{ clock = \"diagnose\", at = 100 }]\n\n[defaults]",
        "desk.toml:20:23: promises.escalate[0].clock: there is no clock `diagnose`; allowed: first-response, resolution, next-update, team-resolution",
    ),
    (
        "desk.toml",
        "[defaults]",
        "[promises]\nescalate-on = [{ on = \"vip\" }]\n\n[defaults]",
        "desk.toml:20:23: promises.escalate-on[0].on: is `vip`; allowed: tag:NAME, priority:ID",
    ),
    (
        "desk.toml",
        "[defaults]",
        "[routing]\nask-again = [\"tags\"]\n\n[defaults]",
        "desk.toml:20:14: routing.ask-again[0]: is `tags`; allowed: category, team",
    ),
    (
        "desk.toml",
        "access-approvers",
        "access-due = \"90m\"\naccess-approvers",
        "desk.toml:23:14: defaults.access-due: is `90m`; write whole hours, such as `72h`",
    ),
    (
        "people.toml",
        "manager = \"lena\"",
        "manager = \"lena\"\nvalid-from = 2026-03-02\nvalid-until = \"2026-03-01\"",
        "people.toml:17:15: person.amara.valid-until: is before the first day, which is 2026-03-02",
    ),
    ("desk.toml", "[\"low\", \"high\"]", "[]", "desk.toml:10:10: scales.impact: is empty"),
    (
        "desk.toml",
        "[\"low\", \"high\"]",
        "[\"low\", \"low\"]",
        "desk.toml:10:18: scales.impact[1]: `low` is given twice, first in line 10",
    ),
    (
        "apps.toml",
        "720h",
        "90m",
        "apps.toml:12:11: app.github.tier.read.longest: is `90m`; write whole hours, such as `72h`",
    ),
    (
        "apps.toml",
        "\"720h\"",
        "\"720h\"\ndurations = [\"721h\"]",
        "apps.toml:13:14: app.github.tier.read.durations[0]: is 721 hours; allowed is 1 to 720",
    ),
];

#[test]
fn every_mistake_in_a_time_gives_its_message() {
    each_gives_its_message(TIMES);
}

const FORMS: &[Case] = &[
    (
        "request-types.toml",
        "\"hours\"",
        "\"body\"",
        "request-types.toml:10:14: request-type.access.field[2].name: `body` is not a field's name: \
             use 1 to 60 lower-case letters, digits and hyphens, but none of subject, body, request-type",
    ),
    (
        "request-types.toml",
        "\"hours\"",
        "\"Some hours\"",
        "request-types.toml:10:14: request-type.access.field[2].name: `Some hours` is not a field's name: \
             use 1 to 60 lower-case letters, digits and hyphens, but none of subject, body, request-type",
    ),
    (
        "request-types.toml",
        "\"hours\"",
        "\"tier\"",
        "request-types.toml:10:14: request-type.access.field[2].name: `tier` is given twice, first in line 9",
    ),
    (
        "request-types.toml",
        "category = \"hardware\"\n",
        "",
        "request-types.toml:5:17: request-type.access.grants-access: is true, but the type has no `category` of its own: name one that is no catch-all",
    ),
    (
        "taxonomy.toml",
        "name = \"Hardware\"",
        "name = \"Hardware\"\ncatch-all = true",
        "request-types.toml:5:12: request-type.access.category: `hardware` is a catch-all, in which nothing is resolved: requests for access need another",
    ),
    (
        "request-types.toml",
        "\"app\"",
        "\"the-app\"",
        "request-types.toml:6:17: request-type.access.grants-access: is true, but the form has no field `app` of kind text or choice",
    ),
    (
        "request-types.toml",
        "[\"read\"]",
        "[]",
        "request-types.toml:9:5: request-type.access.field[1].options: needs at least one option",
    ),
    (
        "request-types.toml",
        "kind = \"number\", min = 1",
        "kind = \"flag\"",
        "request-types.toml:10:61: request-type.access.field[2].max: is only for fields of kind number",
    ),
    (
        "request-types.toml",
        "min = 1",
        "min = 25",
        "request-types.toml:10:63: request-type.access.field[2].min: is 25, more than `max`, which is 24.5",
    ),
    (
        "request-types.toml",
        "min = 1",
        "min = inf",
        "request-types.toml:10:63: request-type.access.field[2].min: is not a finite number",
    ),
    (
        "request-types.toml",
        "chars-max = 50",
        "chars-max = 0",
        "request-types.toml:8:63: request-type.access.field[0].chars-max: is 0; allowed is 1 to 100000",
    ),
    (
        "request-types.toml",
        "kind = \"request\"",
        "kind = \"requests\"",
        "request-types.toml:4:8: request-type.access.kind: is `requests`; allowed: incident, request, problem, change",
    ),
];

#[test]
fn every_mistake_in_a_form_gives_its_message() {
    each_gives_its_message(FORMS);
}

#[test]
fn every_mistake_about_traces_gives_its_message() {
    let cases: Vec<Case> = [
        ("otlp-endpoint = \"grpc://collector:4317\"", "25:17: telemetry.otlp-endpoint: is `grpc://collector:4317`; write the address of a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`"),
        ("otlp-endpoint = \"http://\"", "25:17: telemetry.otlp-endpoint: is `http://`; write the address of a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`"),
        ("sampling-ratio = 1.5", "25:18: telemetry.sampling-ratio: is 1.5; allowed is 0 to 1"),
        ("service-name = \" \"", "25:16: telemetry.service-name: is empty"),
    ]
    .map(|(line, message)| {
        let to = format!("[\"lena\"]\n[telemetry]\n{line}");
        ("desk.toml", "[\"lena\"]", &*to.leak(), &*format!("desk.toml:{message}").leak())
    })
    .into();
    each_gives_its_message(&cases);
}

#[test]
fn every_mistake_about_the_server_gives_its_message() {
    let cases: Vec<Case> = [
        ("listen = \"localhost\"", "25:10: server.listen: is `localhost`; write an address and a port, such as `127.0.0.1:8080`"),
        ("database = \"mysql:x\"", "25:12: server.database: is neither `sqlite:FILE` nor `postgres://USER:PASSWORD@HOST/NAME`"),
        ("database = \"sqlite://\"", "25:12: server.database: is neither `sqlite:FILE` nor `postgres://USER:PASSWORD@HOST/NAME`"),
        ("archive = \"gs://b/c\"", "25:11: server.archive: is neither a directory nor `s3://BUCKET/PREFIX`"),
        ("archive = \"s3://\"", "25:11: server.archive: is neither a directory nor `s3://BUCKET/PREFIX`"),
        ("worker-threads = 0", "25:18: server.worker-threads: is 0; allowed is 1 to 1024"),
        ("database-connections = 5", "25:24: server.database-connections: is 5; allowed is 6 to 500"),
        ("queue-depth = 2000000", "25:15: server.queue-depth: is 2000000; allowed is 1 to 1048576"),
        ("data-dir = \"\"", "25:12: server.data-dir: is empty"),
        ("compile-timeout-ms = 1", "25:1: server.compile-timeout-ms: there is no such key; did you mean `compile-timeout-s`? allowed: listen, database, data-dir, archive, cache-dir, rules-dir, worker-threads, queue-depth, body-kib-max, request-timeout-ms, component-mib-max, reload-poll-ms, rules-patience-s, compile-timeout-s, compile-memory-mib, two-person-access, database-connections, metrics"),
        ("metrics = \"all\"", "25:11: server.metrics: is `all`; allowed: public, staff, an address and a port such as 127.0.0.1:9090"),
    ]
    .map(|(line, message)| {
        let to = format!("[\"lena\"]\n[server]\n{line}");
        ("desk.toml", "[\"lena\"]", &*to.leak(), &*format!("desk.toml:{message}").leak())
    })
    .into();
    each_gives_its_message(&cases);
}

const TABLES: &[Case] = &[
    (
        "tables/vips.csv",
        super::VIPS,
        "a,b\r\n1,2\r\n\r\n3\r\n",
        "tables/vips.csv:4: the row has 1 cells, the first line has 2",
    ),
    (
        "tables/vips.csv",
        "person,reason",
        "person,person",
        "tables/vips.csv:1: `person` is given twice, first in line 1",
    ),
    ("tables/vips.csv", "all\"\n", "all\"\namara\n", "tables/vips.csv:4: the row has 1 cells, the first line has 2"),
    ("tables/vips.csv", "all\"\n", "all\"\nlena,x\n", "tables/vips.csv:4: `lena` is given twice, first in line 2"),
    ("tables/vips.csv", "all\"\n", "all\"\n ,x\n", "tables/vips.csv:4: is empty"),
    ("tables/vips.csv", super::VIPS, "", "tables/vips.csv: the table has no columns; its first line names them"),
];

#[test]
fn every_mistake_in_a_table_gives_its_message() {
    each_gives_its_message(TABLES);
}
