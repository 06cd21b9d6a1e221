//! Killed at any moment (SIGKILL), the desk has every ticket that it acknowledged, whole, and none twice.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::desk::Desk;
use crate::support::place::on_both;
use crate::support::wait::until;

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    on_both(|database| {
        let mut desk = Desk::demo(database);
        let table = |desk: &Desk, team: &str| {
            let text = format!("asset,team\nerp,{team}\n");
            desk.as_role("mei").put_text("/api/v1/tables/assets?why=again", &text, "text/csv").expect(200);
        };
        let mut acknowledged: Vec<String> = Vec::new();
        for round in 0..3 {
            let (seen, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
            table(&desk, &format!("team-{round}"));
            std::thread::scope(|scope| {
                for client in 0..4 {
                    let (desk, seen, stop) = (&desk, &seen, &stop);
                    scope.spawn(move || {
                        for n in 0.. {
                            if stop.load(Ordering::Relaxed) {
                                return;
                            }
                            let subject = format!("round {round} client {client} number {n}");
                            let body = json!({ "request_type": "question", "subject": subject, "body": "Please tell me.", "fields": { "topic": "other" } });
                            let amara = desk.as_role("amara");
                            // The kill cuts some requests off: those may or may not have been written.
                            let sent = std::panic::catch_unwind(|| amara.post("/api/v1/tickets", &body));
                            if let Ok(answer) = sent {
                                let ticket = answer.expect(201);
                                seen.lock().unwrap().push(ticket["key"].as_str().unwrap().to_owned());
                            }
                        }
                    });
                }
                until("some tickets", || (seen.lock().unwrap().len() > 15 * (round + 1)).then_some(()));
                let pid = rustix::process::Pid::from_raw(i32::try_from(desk.pid()).unwrap()).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                stop.store(true, Ordering::Relaxed);
            });
            acknowledged.extend(seen.into_inner().unwrap());
            desk = desk.crash_and_restart();
        }
        let kofi = desk.as_role("kofi");
        assert_eq!(kofi.get("/api/v1/tables/assets").expect(200)["rows"][0]["team"], "team-2");
        for key in &acknowledged {
            let ticket = kofi.get(&format!("/api/v1/tickets/{key}")).expect(200);
            let timeline = kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
            assert_eq!(timeline.as_array().unwrap().len(), 6, "{key} is whole: {timeline}");
            let runs = kofi.get(&format!("/api/v1/tickets/{key}/decisions")).expect(200);
            assert_eq!(runs[0]["stages"].as_array().unwrap().len(), 4, "{key} has its decisions");
            assert_eq!(ticket["key"], key.as_str());
        }
        let mut unique = acknowledged.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), acknowledged.len(), "no number was given twice");
    });
}
