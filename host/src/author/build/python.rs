//! Placeholder.
use super::BuildError;
use std::path::Path;
pub fn build(directory: &Path) -> Result<Vec<u8>, BuildError> {
    Err(BuildError::NoLanguage { directory: directory.to_owned() })
}
