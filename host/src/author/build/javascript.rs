//! Placeholder.
use super::BuildError;
use crate::author::language::Language;
use std::path::Path;
pub fn build(directory: &Path, _language: Language) -> Result<Vec<u8>, BuildError> {
    Err(BuildError::NoLanguage { directory: directory.to_owned() })
}
