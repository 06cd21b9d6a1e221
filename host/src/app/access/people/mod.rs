//! The people whose access the desk looks after: those who leave, those who come, the company's directory, which says so, and access that is theirs
//! by no grant.

pub mod brake;
pub mod directory;
pub mod findings;
mod follow;
mod known;
pub mod links;
pub mod moves;
pub mod offboard;
pub mod roles;
pub mod standing_in;
pub mod submission;
