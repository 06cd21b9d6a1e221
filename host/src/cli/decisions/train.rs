//! `ruledesk decisions train`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::desk::{self, Shell};
use crate::cli::{Failure, Place};
use crate::desk::id::PersonId;

/// Makes a compression dictionary of the desk's latest 2,000 records. It is kept in the database, and new records are packed
/// with it from the next start of the desk on: worth it where texts, names or reasons are unlike the demo's.
#[derive(Debug, Args)]
pub struct Train {
    #[command(flatten)]
    place: Place,
    /// The person in whose name you act; the audit names you as well.
    #[arg(long = "as")]
    person: Option<PersonId>,
    /// Writes it to a file and leaves the desk as it is: the dictionary that ships with the program is made so.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Makes the dictionary.
pub async fn run(args: Train) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&args.place, args.person.as_ref()).await?;
    let made = office.train(&actor).await.map_err(desk::told)?;
    let dictionary = made.ok_or("there are too few records to make a dictionary of: some hundreds are enough")?;
    match &args.out {
        Some(file) => {
            std::fs::write(file, dictionary.bytes())
                .map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
            println!("{} bytes are in {}", dictionary.bytes().len(), file.display());
        }
        None => {
            let id = office.keep_dictionary(&actor, &dictionary).await.map_err(desk::told)?;
            println!(
                "the dictionary {id} has {} bytes; the desk uses it when it is next started",
                dictionary.bytes().len()
            );
        }
    }
    office.close().await;
    Ok(())
}
