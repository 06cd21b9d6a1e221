//! A backtest that is read while its reader waits: who leaves calls it off, and there are no more at once than a desk that serves can do.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use jiff::Timestamp;
use ruledesk::app::replay::{Bounded, Effort, Filter};
use ruledesk::rules::run::manifest::MANIFEST_BYTES_MAX;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::runtime::Runtime;

use super::import;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};
use crate::support::wait::until;
use ruledesk::store::Target;

/// The cookie of an admin who has signed in.
fn cookie(desk: &House) -> String {
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
    let request = agent.post(format!("{}/sign-in", desk.url)).header("sec-fetch-site", "same-origin");
    let answer = request.send_form([("token", "demo-mei")]).unwrap();
    answer.headers().get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// Sends the form of the page; the answer is yet to come.
fn tries(desk: &House, cookie: &str) -> TcpStream {
    asks(desk, cookie, "version=nothing&days=30&manifest=")
}

fn asks(desk: &House, cookie: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(desk.url.strip_prefix("http://").unwrap()).unwrap();
    let head = format!(
        "POST /admin/rules/team-routing/backtest HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\
         Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    stream
}

fn has_answered(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let answered = stream.peek(&mut [0]).is_ok();
    stream.set_nonblocking(false).unwrap();
    answered
}

fn answer(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

/// How many statements wait for what another has locked.
fn waiting(runtime: &Runtime, connection: &mut PgConnection) -> i64 {
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let (count,): (i64,) = runtime.block_on(sqlx::query_as(sql).fetch_one(connection)).unwrap();
    count
}

#[test]
fn a_backtest_of_the_page_is_called_off_by_a_reader_who_leaves_and_a_third_is_refused() {
    // A read waits for a lock for a third of a request's time, and all of this happens meanwhile.
    let desk = House::with_settings(Database::Postgres, example_rules(), |text| {
        text.replace("[server]\n", "[server]\nrequest-timeout-ms = 60000\n")
    });
    import(&desk, 12);
    let cookie = cookie(&desk);
    let Target::Postgres(url) = desk.target() else { panic!("it is PostgreSQL") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut holder, mut looker) = runtime
        .block_on(async { (PgConnection::connect(&url).await.unwrap(), PgConnection::connect(&url).await.unwrap()) });
    // No record can be read until this is over.
    runtime.block_on(holder.execute("begin; lock table runs in access exclusive mode")).unwrap();
    let mut readers: Vec<TcpStream> = (0..3).map(|_| tries(&desk, &cookie)).collect();
    let (third, _) = until("a refusal", || readers.iter().position(has_answered));
    let third = answer(readers.remove(third));
    assert!(third.starts_with("HTTP/1.1 503") && third.contains("other backtests are under way"), "{third}");
    assert!(third.to_ascii_lowercase().contains("retry-after: 30\r\n"), "{third}");
    assert!(!readers.iter().any(has_answered), "the others are still at it");

    // Both readers leave: their places are free while what they had asked for cannot even be read.
    drop(readers);
    let (fourth, _) = until("a place that a reader has left", || {
        let before = waiting(&runtime, &mut looker);
        let stream = tries(&desk, &cookie);
        let (reads, _) = until("a refusal, or another that reads", || {
            if has_answered(&stream) {
                return Some(false);
            }
            (waiting(&runtime, &mut looker) > before).then_some(true)
        });
        reads.then_some(stream)
    });
    runtime.block_on(holder.execute("rollback")).unwrap();
    let report = answer(fourth);
    assert!(report.starts_with("HTTP/1.1 200") && report.contains("id=\"report\""), "{report}");
    runtime.block_on(async {
        holder.close().await.unwrap();
        looker.close().await.unwrap();
    });
}

/// Work that a reader waits for has an end: by a number of decisions, of which the newest are taken, and by a time, after which the
/// report says that it is not whole. The page bounds the days and the rows of a rule that it takes.
#[test]
fn a_backtest_of_the_page_is_bounded_in_decisions_time_days_and_size() {
    on_both(|database| {
        // A body may be larger than a rule's rows may be.
        let larger = |text: String| text.replacen("[server]\n", "[server]\nbody-kib-max = 2048\n", 1);
        let desk = House::with_settings(database, example_rules(), larger);
        import(&desk, 12);
        let rule = "team-routing";
        let of = |limit: Option<u64>, within: Option<Duration>| {
            let effort = Effort { within, gently: true };
            desk.without(rule, Filter { rule: Some(rule.to_owned()), limit, effort, ..Filter::default() })
        };
        let all = of(None, Some(Duration::from_secs(3600)));
        assert!(all.decisions > 3 && all.bounded == Bounded::default(), "{all:?}");
        let few = of(Some(3), None);
        assert_eq!((few.decisions, few.bounded), (3, Bounded { by_limit: true, ..Bounded::default() }));
        let last = |period: Option<(Timestamp, Timestamp)>| period.map(|(_, last)| last);
        assert_eq!(last(few.period), last(all.period), "the newest");
        let none = of(None, Some(Duration::ZERO));
        assert_eq!((none.decisions, none.bounded.by_time), (0, true));

        let cookie = cookie(&desk);
        for (typed, used) in [("9999", 366), ("0", 1), ("-5", 30), ("some", 30)] {
            let page = answer(asks(&desk, &cookie, &format!("version=nothing&manifest=&days={typed}")));
            assert!(page.starts_with("HTTP/1.1 200") && page.contains("id=\"report\""), "{page}");
            assert!(page.contains(&format!("max=\"366\" value=\"{used}\"")), "{typed}: {page}");
        }
        let large = format!("version=manifest&days=30&manifest={}", "x".repeat(MANIFEST_BYTES_MAX + 1));
        let refused = answer(asks(&desk, &cookie, &large));
        assert!(refused.starts_with("HTTP/1.1 422") && refused.contains("it is larger than"), "{}", refused.len());
        assert!(!refused.contains("id=\"report\""));
    });
}
