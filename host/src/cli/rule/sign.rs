//! `ruledesk rule keygen` and `ruledesk rule sign`.

use std::path::PathBuf;

use clap::Args;

use super::Failure;
use crate::author::sign::sign;
use crate::rules::load::trust::key::SigningKey;

/// Makes a key to sign rules with, and prints what a desk that trusts it is configured with.
#[derive(Debug, Args)]
pub struct Keygen {
    /// The new file of the private key, which only its owner may read. Keep it where no desk runs.
    #[arg(long, value_name = "KEY")]
    out: PathBuf,
    /// The name that desks know the key by; the file's name, if left out.
    #[arg(long)]
    name: Option<String>,
}

/// Vouches for rules as they are now, in a `rule.sig` beside each manifest and component.
#[derive(Debug, Args)]
pub struct Sign {
    /// Folders of built rules.
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// The private key's file.
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
}

/// Makes a key.
pub fn keygen(args: &Keygen) -> Result<(), Failure> {
    let key = SigningKey::generate()?;
    key.write(&args.out)?;
    let stem = || args.out.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    println!("{}:{}", args.name.clone().unwrap_or_else(stem), key.public());
    Ok(())
}

/// Signs.
pub fn run(args: &Sign) -> Result<(), Failure> {
    let key = SigningKey::read(&args.key)?;
    for directory in &args.directories {
        let signed = sign(directory, &key)?;
        println!(
            "{} {}: signed with {} -> {}",
            signed.name,
            signed.version,
            signed.signature.key,
            signed.file.display()
        );
    }
    Ok(())
}
