//! Killed at any moment of a promotion or a roll back (SIGKILL), the desk has the old or the new state, and the audit has
//! exactly what happened.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{offer, one, one_rule, ticket, until_one};
use crate::support::desk::Desk;
use crate::support::place::on_both;
use crate::support::wait::until;

#[test]
fn a_kill_leaves_the_old_or_the_new_state_and_the_audit_agrees() {
    on_both(|database| {
        let mut desk = Desk::with_rules(database, one_rule("priority", "pass").path());
        offer(&desk, "1.1.0", "priority", "give-up", "mode = \"shadow\"");
        until_one(&desk, "the shadow", |one| one["candidate"]["state"] == "shadow");
        ticket(&desk).expect(201);
        for round in 1..=4 {
            let (stop, done) = (AtomicBool::new(false), AtomicUsize::new(0));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let mei = desk.as_role("mei");
                    while !stop.load(Ordering::Relaxed) {
                        for (path, body) in [
                            ("promote", json!({ "to": "active", "why": "forward" })),
                            ("rollback", json!({ "why": "back" })),
                        ] {
                            // The kill cuts one of them off, and one that is not possible from here is refused.
                            let path = format!("/api/v1/rules/one/{path}");
                            if std::panic::catch_unwind(|| mei.post(&path, &body)).is_ok() {
                                done.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    }
                });
                until("some changes", || (done.load(Ordering::Relaxed) > 2 * round).then_some(()));
                let pid = rustix::process::Pid::from_raw(i32::try_from(desk.pid()).unwrap()).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                stop.store(true, Ordering::Relaxed);
            });
            desk = desk.crash_and_restart();
            let now = one(&desk);
            let (active, candidate) = (&now["active"]["version"], &now["candidate"]["version"]);
            let (old, new) = (json!("1.0.0"), json!("1.1.0"));
            let either = (*active == old && *candidate == new) || (*active == new && *candidate == Value::Null);
            assert!(either, "{now}");
            ticket(&desk).expect(201);
            let events = desk.as_role("mei").get("/api/v1/rules/one/events").expect(200);
            let events = events.as_array().unwrap();
            assert_eq!(events[0]["after"]["active"], now["active"]["id"], "the last event made the present state");
            for pair in events.windows(2) {
                assert_eq!(pair[0]["before"], pair[1]["after"], "no event is missing between two");
            }
        }
    });
}
