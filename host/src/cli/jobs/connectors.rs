//! `ruledesk jobs connectors`: whether the apps that the desk writes to can be asked, and have what orders will name.

use crate::cli::desk::{self, outgoing};
use crate::cli::which::counted;
use crate::cli::{Failure, Found, Place};
use crate::connectors::apps::Apps;
use crate::desk::access::provisioning::Entitlement;
use crate::rules::text::shown;

/// Asks each app, and prints what it says. Nothing is changed anywhere.
pub async fn run(place: &Place) -> Result<(), Failure> {
    let (config, _) = desk::configuration(place, None)?;
    let apps = Apps::new(outgoing::settings(&config.outgoing.requests)).running(outgoing::programs(&config.server)?);
    let mut bad = 0;
    if config.organisation.connectors.is_empty() {
        eprintln!("apps.toml has no `[[connector]]`: the desk keeps who may have what, and writes to no app");
    }
    for connector in config.organisation.connectors.values() {
        let apps_of = config.organisation.apps.values().filter(|app| app.connector.as_ref() == Some(&connector.id));
        let wanted = Entitlement::of_apps(apps_of);
        let many = counted(wanted.len(), "entitlement", "entitlements");
        println!("{} ({}), {many}", connector.id, connector.kind.code());
        match apps.open(connector, now()) {
            Ok(None) => println!("  a person does it by hand"),
            Err(why) => {
                bad += 1;
                println!("  {}", shown(&why.to_string()));
            }
            Ok(Some(app)) => {
                for (fine, said) in app.probe(&wanted).await {
                    bad += usize::from(!fine);
                    println!("  {} {}", if fine { "ok" } else { "NOT OK" }, shown(&said));
                }
            }
        }
    }
    if bad > 0 {
        return Err(Found(format!("{bad} things stand in the way of orders to apps")).into());
    }
    Ok(())
}

fn now() -> jiff::Timestamp {
    crate::app::Clock::System.now()
}
