//! What goes wrong around the desk: bad rules in every stage, a process that is killed, rules that change under load, clients
//! that ask for too much, say too much, or say it twice.

pub mod access;
mod archive;
mod attacks;
mod budget;
mod compile_bomb;
mod crash;
mod doors;
mod hostile_rules;
pub mod largest;
mod proof;
mod reload_under_load;
