//! Pages for those who look after the desk: rules and their versions, decision tables, reference tables, records.

pub mod editor;
mod grid;
pub mod records;
pub mod rules;
pub mod tables;
pub mod upload;
