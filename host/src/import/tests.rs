//! Small files with the oddities of real ones, and sums that were done by hand.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::rows::Written;

fn mapping(columns: &[&str], values: &[&str]) -> Mapping {
    Mapping::parse(columns, values).unwrap()
}

fn plan(columns: &[&str], values: &[&str]) -> Plan {
    Plan {
        written: Written::default(),
        mapping: mapping(columns, values),
        people: People::default(),
        key: None,
        requester: "importer".parse().unwrap(),
        held_back: None,
        first_by: None,
        missing: None,
        time_format: None,
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        limit: None,
    }
}

/// Every row: a ticket's `line subject|body|requester`, or the problem.
fn rows(file: &[u8], plan: Plan) -> Vec<String> {
    let mut tickets = Tickets::open(file, plan).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = tickets.next_row().unwrap() {
        rows.push(match row {
            Row::Ticket(t) => format!("{} {}|{}|{}", t.line, t.subject, t.body, t.requester),
            Row::Problem(problem) => problem.to_string(),
        });
    }
    rows
}

fn ticket(file: &str, plan: Plan) -> ImportedTicket {
    match Tickets::open(file.as_bytes(), plan).unwrap().next_row().unwrap() {
        Some(Row::Ticket(ticket)) => *ticket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bad_row_is_its_own_problem_and_no_other_row_s() {
    let file = b"\xef\xbb\xbftitle,text,who\r\nVPN,\"down,\r\n\"\"again\"\"\",Amara O\r\nonly one\r\nbad,\xff,lena\r\n , ,\r\nlast,,\r\n,x,a/b\r\n\xef\xbb\xbftitle,text,who\r\n";
    assert_eq!(
        rows(file, plan(&["subject=title", "body=text", "requester=who"], &[])),
        [
            "2 VPN|down,\n\"again\"|amara-o",
            "line 4: the row has 1 cells, the first line has 3",
            "line 5: the cell of `text` is not UTF-8 text: where the file has another encoding, name it",
            "line 6: subject and body are both empty",
            "7 last||importer",
            "line 8: the requester `a/b` is not an id: use 1 to 100 letters, digits, `-`, `_`, `.` or `@`",
            "line 9: it has the headings again, as where files were put behind each other: it is no ticket",
        ]
    );
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    for end in ["\n", "\r\n", "\r"] {
        let file = ["t", "", "one", "", "", "\"two", "lines\"", "three"].join(end);
        let wanted = ["3 |one|importer", "6 |two\nlines|importer", "8 |three|importer"];
        assert_eq!(rows(file.as_bytes(), plan(&["body=t"], &[])), wanted, "{end:?}");
    }
}

#[test]
fn a_quote_that_is_never_closed_is_named_and_takes_no_other_row() {
    assert_eq!(
        rows(b"t,u\na,b\nc,\"d\ne,f\n", plan(&["body=t"], &[])),
        ["2 |a|importer", "line 3: a quote that opens on line 3 is never closed", "4 |e|importer"]
    );
    // It closes at a later row's end, which then has cells of neither.
    assert_eq!(
        rows(b"t,u,v\na,\"b,c\nd,e,19\"\nf,g,h\n", plan(&["body=t"], &[])),
        [
            "line 2: the row has 2 cells on 2 lines, the first line has 3: a quote that was not closed?",
            "3 |d|importer",
            "4 |f|importer"
        ]
    );
}

#[test]
fn people_are_found_as_they_are_written_then_without_regard_to_case() {
    let ids: Vec<crate::desk::id::PersonId> =
        ["JSmith", "amara", "Amara", "kofi"].map(|id| id.parse().unwrap()).to_vec();
    let addresses = ["j.smith@example.org", "", "", "Kofi@Example.org"];
    let mut plan = plan(&["body=t", "requester=Who"], &[]);
    plan.people = People::new(ids.iter().zip(addresses));
    let file = "T,who\na,JSmith\nb,jsmith\nc,J.Smith@example.org\nd,Amara\ne,amara\nf, Kofi A <kofi@example.org> \ng,KOFI\nh,New One\n";
    let who: Vec<String> =
        rows(file.as_bytes(), plan).iter().map(|row| row.rsplit('|').next().unwrap().to_owned()).collect();
    assert_eq!(who, ["JSmith", "JSmith", "JSmith", "Amara", "amara", "kofi", "kofi", "new-one"]);
}

#[test]
fn a_row_says_its_key_and_how_it_fared() {
    let columns = ["body=t", "created-at=o", "resolved-at=r", "closed-at=c", "state=s", "assignee=a"];
    let mut plan = plan(&columns, &["state:Done=closed", "state:Typo=open"]);
    plan.key = Some("n".to_owned());
    let file = "n,t,o,r,c,s,a\n7,x,2019-03-01T08:00:00Z,2019-03-02T08:00:00Z,,In Progress,kofi\n,x,,,,,\n\
                8,x,2019-03-03T08:00:00Z,2019-03-02T08:00:00Z,,done,\n9,x,,,,nonsense,\n";
    let mut tickets = Tickets::open(file.as_bytes(), plan).unwrap();
    let mut next = || tickets.next_row().unwrap().unwrap();
    let Row::Ticket(ticket) = next() else { panic!("the first row is a ticket") };
    assert_eq!((ticket.key.as_deref(), ticket.past.state.unwrap().code()), (Some("7"), "in_progress"));
    assert_eq!(ticket.past.assignee.unwrap().as_str(), "kofi");
    let wrong = |row| match row {
        Row::Problem(problem) => problem.to_string(),
        Row::Ticket(ticket) => panic!("{ticket:?}"),
    };
    assert_eq!(wrong(next()), "line 3: the cell of `n`, which tells the rows apart, is empty");
    assert!(wrong(next()).starts_with("line 4: it ends before it begins"));
    assert!(wrong(next()).starts_with("line 5: `nonsense` is no state: map it to one of new, open"));
    assert_eq!(tickets.unmet_values(), ["state:Typo"]);
}

#[test]
fn bytes_that_are_not_utf8_matter_only_where_they_are_read() {
    assert_eq!(rows(b"a,b\n1,\xff\n", plan(&["body=a"], &[])), ["2 |1|importer"]);
}

#[test]
fn a_gzipped_file_is_known_by_its_first_bytes_and_its_loss_by_its_end() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(b"t\none\ntwo\n").unwrap();
    let mut packed = packed.finish().unwrap();
    assert_eq!(rows(&packed, plan(&["body=t"], &[])), ["2 |one|importer", "3 |two|importer"]);
    packed.truncate(packed.len() - 10);
    let mut tickets = Tickets::open(&*packed, plan(&["body=t"], &[]));
    let broken = match &mut tickets {
        Err(error) => error.to_string(),
        Ok(tickets) => loop {
            match tickets.next_row() {
                Ok(row) => assert!(row.is_some(), "the file looked whole"),
                Err(error) => break error.to_string(),
            }
        },
    };
    assert!(broken.starts_with("reading stopped near line"), "{broken}");
}

#[test]
fn columns_become_fields_labels_and_times() {
    let mut plan = plan(
        &[
            "body=text",
            "created-at=opened",
            "field.impact=impact",
            "field.place=place",
            "label.category=topic",
            "label.team=group",
            "label.priority=prio",
        ],
        &["label.category:HR Support=hr", "field.impact:2 - Medium=medium", "label.priority:a=b=low"],
    );
    plan.missing = Some("?".to_owned());
    plan.time_format = Some("%d/%m/%Y %H:%M".to_owned());
    let file = "text,opened,impact,place,topic,group,prio\nx,1/7/2016 9:05,2 - Medium,?,HR Support,Group  7,a=b\n";
    let ticket = ticket(file, plan);
    // Berlin is two hours ahead of UTC in July.
    assert_eq!(ticket.past.created_at.unwrap().to_string(), "2016-07-01T07:05:00Z");
    assert_eq!(ticket.fields, [("impact".to_owned(), "medium".to_owned())]);
    let labels = LabelKind::ALL.map(|kind| ticket.labels.get(kind).unwrap().to_owned());
    assert_eq!(labels, ["hr", "low", "group-7"]);
}

#[test]
fn a_time_without_a_format_names_its_zone() {
    let columns = ["body=text", "created-at=at"];
    let good = ticket("text,at\nx,2016-07-01T09:05:00+02:00\n", plan(&columns, &[]));
    assert_eq!(good.past.created_at.unwrap().to_string(), "2016-07-01T07:05:00Z");
    assert_eq!(
        rows(b"text,at\nx,1/7/2016\n", plan(&columns, &[])),
        [
            "line 2: `1/7/2016` is not a time of the form 2026-01-31T09:30:00Z; name the form that it has by `--time-format`"
        ]
    );
}

#[test]
fn rows_are_left_out_by_key_share_and_limit() {
    let file = b"n,t\n1,a\n1,b\n2,c\n3,d\n2,e\n";
    let mut by_key = plan(&["body=t"], &[]);
    by_key.first_by = Some("n".to_owned());
    assert_eq!(rows(file, by_key.clone()), ["2 |a|importer", "4 |c|importer", "5 |d|importer"]);
    by_key.limit = Some(2);
    let mut tickets = Tickets::open(&file[..], by_key).unwrap();
    while tickets.next_row().unwrap().is_some() {}
    assert_eq!(tickets.skipped(), Skipped { repeated: 1, not_held_back: 0 });
    // SHA-256 of `a` starts with ca, of `b` with 3e, of `c` with 2e, of `d` with 18, of `e` with 3f.
    let mut share = plan(&["body=t"], &[]);
    share.held_back = Some("sha256:62".parse().unwrap());
    assert_eq!(rows(file, share.clone()), ["4 |c|importer", "5 |d|importer"]);
    share.held_back = Some("sha256:63:t".parse().unwrap());
    assert_eq!(rows(file, share), ["3 |b|importer", "4 |c|importer", "5 |d|importer"]);
    // Rows that say nothing in the column are no updates of each other.
    let mut by_key = plan(&["body=t"], &[]);
    by_key.first_by = Some("n".to_owned());
    assert_eq!(rows(b"n,t\n,a\n ,b\n1,c\n1,d\n", by_key), ["2 |a|importer", "3 |b|importer", "4 |c|importer"]);
}

#[test]
fn headings_keys_and_what_stands_for_nothing_are_read_as_they_look() {
    // Of spreadsheets and pages: blanks that do not break, headings on two lines, marks in front of a part that was put behind another.
    let mut plan = plan(&["subject=Short description", "field.site=Site name"], &[]);
    plan.key = Some("Number".to_owned());
    plan.missing = Some("n/a".to_owned());
    let file =
        "Number,Short\u{a0}description,\"Site\n name\"\nINC\u{a0}1,VPN, n/a \n\u{feff}INC 1\u{200b},VPN,\u{200b}\n";
    let mut tickets = Tickets::open(file.as_bytes(), plan).unwrap();
    for _ in 0..2 {
        let Some(Row::Ticket(ticket)) = tickets.next_row().unwrap() else { panic!("each row is a ticket") };
        assert_eq!((ticket.key.as_deref(), ticket.subject.as_str(), ticket.fields.len()), (Some("INC 1"), "VPN", 0));
        assert!(ticket.earlier_key.is_some_and(|key| key.contains(['\u{a0}', '\u{200b}'])), "as it was read before");
    }
    assert_eq!(tickets.next_row().unwrap(), None);
}

#[test]
fn a_plan_that_does_not_fit_the_file_is_refused() {
    let error = |file: &[u8], columns: &[&str]| Tickets::open(file, plan(columns, &[])).err().map(|e| e.to_string());
    assert_eq!(error(b"", &["body=t"]).unwrap(), "the file is empty: its first line has to name the columns");
    assert_eq!(error(b"a,b\n", &["body=t"]).unwrap(), "there is no column `t`; there are a, b");
    assert_eq!(error(b"t,t\n", &["body=t"]).unwrap(), "the column `t` is there twice; rename one");
    let mut named = plan(&["body=t"], &[]);
    named.written.encoding = Some("utf-8".parse().unwrap());
    let error_of = Tickets::open(&b"t,\xff\n"[..], named).err().unwrap().to_string();
    assert_eq!(error_of, "the first line, which names the columns, is not UTF-8 text");
    assert_eq!(error(b" t ,x,x\n", &["body=t"]), None);
}

#[test]
fn a_mapping_says_what_is_wrong_with_it() {
    let error = |columns: &[&str], values: &[&str]| Mapping::parse(columns, values).unwrap_err().to_string();
    let targets = "use subject, body, requester, created-at, resolved-at, closed-at, state, assignee, comments, public-comments, field.NAME, \
                   label.category, label.priority or label.team";
    assert_eq!(error(&["title"], &[]), "`title` is not a mapping: write TARGET=COLUMN, such as `subject=title`");
    assert_eq!(error(&["subjekt=x"], &[]), format!("`subjekt` is no target: {targets}"));
    assert_eq!(error(&["field.=x"], &[]), format!("`field.` is no target: {targets}"));
    assert_eq!(error(&["label.topic=x"], &[]), format!("`label.topic` is no target: {targets}"));
    assert_eq!(error(&["body=x", "body=y"], &[]), "`body` is mapped twice, to `x` and to `y`: map it once");
    assert_eq!(
        error(&["label.team=x"], &[]),
        "neither `subject` nor `body` is mapped: a ticket needs at least one, such as `--map body=text`"
    );
    assert_eq!(
        error(&["body=x"], &["label.team:a=b"]),
        "values of `label.team` are mapped, but no column is: add `--map label.team=COLUMN`"
    );
    assert_eq!(
        error(&["body=x"], &["hr"]),
        "`hr` is not a value mapping: write TARGET:FROM=TO, such as `label.category:HR Support=hr`"
    );
    for bad in ["51", "sha256:0", "sha256:257", "sha256:51:", "md5:51"] {
        assert_eq!(bad.parse::<HeldBack>(), Err(MapError::NotHeldBack { text: bad.to_owned() }));
    }
}

#[test]
fn a_slug_is_an_id() {
    assert_eq!(slug(" HR  Support\n"), "hr-support");
    assert_eq!(slug("Group 70"), "group-70");
    assert_eq!(slug(""), "");
}

/// Six tickets: what the file says, what was decided.
const PAIRS: [(&str, &str); 6] = [
    ("hardware", "hardware.laptop"),
    ("hardware", "hardware"),
    ("hardware", "access.admin"),
    ("access", "access.password"),
    ("access.admin", "access.admin"),
    ("access.admin", "network"),
];

#[test]
fn agreement_is_counted_at_the_nearest_label_above() {
    let mut agreement = Agreement::default();
    assert_eq!((agreement.accuracy(), agreement.macro_f1()), (None, None));
    for (label, decided) in PAIRS {
        agreement.add(label, decided);
    }
    assert_eq!((agreement.labelled(), agreement.agreed()), (6, 4));
    let score = |label: &str| agreement.scores().into_iter().find(|s| s.label == label).unwrap();
    let hardware = score("hardware");
    assert_eq!((hardware.precision, hardware.recall), (Some(1.0), Some(2.0 / 3.0)));
    assert_eq!(hardware.f1, 0.8);
    let admin = score("access.admin");
    assert_eq!((admin.precision, admin.recall, admin.f1), (Some(0.5), Some(0.5), 0.5));
    let network = score("network");
    assert_eq!((network.labelled, network.decided, network.recall, network.f1), (0, 1, None, 0.0));
    // Of hardware 0.8, access 1 and access.admin 0.5; network is nobody's label.
    let macro_f1 = agreement.macro_f1().unwrap();
    assert!((macro_f1 - 2.3 / 3.0).abs() < 1e-12, "{macro_f1}");
}

fn summary() -> Summary {
    let mut summary = Summary::default();
    summary.elapsed = Duration::from_secs(2);
    for (label, decided) in PAIRS {
        let labels = Labels { category: Some(label.to_owned()), ..Labels::default() };
        summary.accept(&Outcome { category: decided, priority: "low", team: "desk", decisions: 5 }, &labels);
    }
    summary.reject(9, "subject: required", "subject: say what it is about".to_owned());
    summary.reject(4, "subject: required", "subject: say what it is about".to_owned());
    summary.found_before();
    summary.skipped.repeated = 3;
    summary
}

#[test]
fn a_summary_reads_well() {
    let text = summary().text(str::to_owned);
    let wanted = "\
import
accepted                 6
rejected                 2
  subject: required      2
made before              1
repeated, left out       3
decisions               30
seconds                2.0
tickets per second     3.0
decisions per second  15.0

refused
line 4: subject: say what it is about
line 9: subject: say what it is about

category         tickets   share
access.admin           2  33.3 %
access.password        1  16.7 %
hardware               1  16.7 %
hardware.laptop        1  16.7 %
network                1  16.7 %

priority  tickets    share
low             6  100.0 %

team  tickets    share
desk        6  100.0 %

category agrees with 4 of 6 labels: accuracy 0.667, macro-F1 0.767
label         labelled  decided  agreed  precision  recall     F1
hardware             3        2       2      1.000   0.667  0.800
access.admin         2        2       1      0.500   0.500  0.500
access               1        1       1      1.000   1.000  1.000
network              0        1       0      0.000       -  0.000
";
    assert_eq!(text, wanted);
}

#[test]
fn a_summary_has_the_same_figures_as_json() {
    let json = summary().json();
    assert_eq!(json["accepted"], 6);
    assert_eq!(json["rejected"]["reasons"]["subject: required"], 2);
    assert_eq!(json["rejected"]["rows"][0], json!({ "line": 4, "wrong": "subject: say what it is about" }));
    assert_eq!((&json["accepted"], &json["made_before"]), (&json!(6), &json!(1)));
    assert_eq!(json["skipped"]["repeated"], 3);
    assert_eq!(json["decisions_per_second"], 15.0);
    assert_eq!(json["counts"]["category"]["network"], 1);
    assert_eq!(json["agreement"]["category"]["agreed"], 4);
    assert_eq!(json["agreement"]["category"]["labels"][3]["recall"], serde_json::Value::Null);
    assert_eq!(json["agreement"].as_object().unwrap().len(), 1);
}

#[test]
fn of_refused_rows_so_many_are_named_and_all_are_counted() {
    let mut summary = Summary::default();
    for line in 1..=1_003 {
        summary.reject(line, "bad time", format!("`{line}` is not a time"));
    }
    assert_eq!(summary.json()["rejected"]["rows"].as_array().unwrap().len(), 1_000);
    assert!(
        summary.text(str::to_owned).ends_with("line 1000: `1000` is not a time\nand 3 more\n"),
        "{}",
        summary.text(str::to_owned)
    );
}

#[test]
fn an_import_of_nothing_has_no_rates() {
    let json = Summary::default().json();
    assert_eq!(json["tickets_per_second"], serde_json::Value::Null);
    assert!(Summary::default().text(str::to_owned).contains("tickets per second      -"));
}

proptest! {
    #[test]
    fn any_bytes_end_and_every_line_counts_at_most_once(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let file = [b"t,u\n".as_slice(), &bytes].concat();
        let mut plan = plan(&["body=t"], &[]);
        plan.written.encoding = Some("utf-8".parse().unwrap());
        let mut tickets = Tickets::open(&*file, plan).unwrap();
        let mut last = 1;
        while let Some(row) = tickets.next_row().unwrap() {
            let line = match row {
                Row::Ticket(ticket) => ticket.line,
                Row::Problem(problem) => problem.line,
            };
            prop_assert!(line > last, "{line} after {last}");
            last = line;
        }
    }
}

/// The comments of a row: `time author +|- text`, with `+` for what the requester may read.
fn comments(file: &str, plan: Plan) -> Vec<String> {
    let written = |c: &Comment| {
        let author = c.author.as_ref().map_or("-", |author| author.as_str());
        format!("{} {author} {}{}", c.at, if c.is_public { '+' } else { '-' }, c.body)
    };
    ticket(file, plan).past.comments.iter().map(written).collect()
}

/// A file with one row, whose last cell is JSON.
fn with_cell(json: &serde_json::Value) -> String {
    format!("title,text,words\nVPN,It is down.,\"{}\"\n", json.to_string().replace('"', "\"\""))
}

#[test]
fn threads_are_read_as_other_desks_write_them_and_what_is_not_public_is_private() {
    let read = |json: serde_json::Value| {
        comments(&with_cell(&json), plan(&["subject=title", "body=text", "comments=words"], &[]))
    };
    let zendesk = json!({ "comments": [
        { "author": { "email": "amara" }, "plain_body": "It is down.", "public": true, "created_at": "2026-01-05T09:12:00Z" },
        { "author_id": 77, "body": "Which office?", "public": true, "created_at": "2026-01-05T10:00:00Z" },
        { "author_id": 77, "body": "Gateway 3 again.", "public": false, "created_at": "2026-01-05T09:30:00Z" }] });
    // The first is the ticket's own text, and they stand by their times.
    assert_eq!(read(zendesk), ["2026-01-05T09:30:00Z 77 -Gateway 3 again.", "2026-01-05T10:00:00Z 77 +Which office?"]);
    let zammad = json!([
        { "from": "Amara Okafor <amara@x.example>", "body": "Berlin.", "internal": false, "created_at": "2026-01-05T11:00:00.000Z" },
        { "created_by": "kofi", "body": "A note.", "internal": "true", "created_at": "2026-01-05T12:00:00.000Z" },
        { "created_by": "kofi", "body": " ", "internal": true }]);
    assert_eq!(read(zammad), ["2026-01-05T11:00:00Z amara@x.example +Berlin.", "2026-01-05T12:00:00Z kofi -A note."]);
    let text = |words: &str| json!({ "type": "paragraph", "content": [{ "type": "text", "text": words }] });
    let document = json!({ "type": "doc", "version": 1, "content": [text("One."), text("Two.")] });
    let jira = json!([
        { "author": { "displayName": "Kofi" }, "body": document, "jsdPublic": true, "created": "2026-01-05T13:00:00.000+0100" },
        { "author": { "name": "kofi" }, "body": "Hidden.", "jsdPublic": true, "visibility": { "type": "role", "value": "Agents" },
          "created": { "iso8601": "2026-01-05T13:00:00+0100" } },
        { "author": { "name": "kofi" }, "body": "It says nothing.", "created": "2026-01-05T14:00:00Z" }]);
    let said = read(jira);
    assert_eq!(said[0], "2026-01-05T12:00:00Z kofi +One.\nTwo.");
    assert_eq!(said[1..], ["2026-01-05T12:00:00Z kofi -Hidden.", "2026-01-05T14:00:00Z kofi -It says nothing."]);
}

#[test]
fn a_thread_of_several_columns_is_one_and_what_cannot_be_read_is_named() {
    let of_jira = |target: &str| Plan {
        time_format: Some("%d/%b/%y %I:%M %p".to_owned()),
        ..plan(&["subject=Summary", target], &[])
    };
    let file =
        "Summary,Comment,Comment\nVPN,05/Jan/26 9:12 PM;kofi;second; with a semicolon,05/Jan/26 9:12 AM;;first\n";
    let said = |mark: char| {
        [
            format!("2026-01-05T08:12:00Z - {mark}first"),
            format!("2026-01-05T20:12:00Z kofi {mark}second; with a semicolon"),
        ]
    };
    assert_eq!(comments(file, of_jira("comments=Comment")), said('-'));
    assert_eq!(comments(file, of_jira("public-comments=Comment")), said('+'));
    let wrong = |cell: &str| {
        let file = format!("title,words\nVPN,\"{}\"\n", cell.replace('"', "\"\""));
        rows(file.as_bytes(), plan(&["subject=title", "comments=words"], &[])).remove(0)
    };
    assert_eq!(
        wrong("just words"),
        "line 2: a cell of comments is neither a JSON list of objects nor `TIME;AUTHOR;TEXT`"
    );
    assert_eq!(wrong("[1, 2"), wrong("just words"));
    assert!(wrong(r#"[{"body": "x"}]"#).contains("comment 1 of its cell does not say when"));
    assert!(wrong("2026-01-05T08:12:00Z;O'Neil;x").contains("the author of comment 1"));
    let many = json!(vec![json!({ "body": "x", "created": "2026-01-05T08:12:00Z" }); 2_001]).to_string();
    assert!(wrong(&many).contains("more than 2000 comments"));
    let of_log = Mapping::parse(&["subject=title", "comments=words"], &[]).unwrap().of_log();
    assert!(of_log.unwrap_err().to_string().contains("each row of a log is an event"));
}
