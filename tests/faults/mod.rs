//! What goes wrong around the desk: bad rules in every stage, a process that is killed, rules that change under load.

mod access_fallback;
mod approvers;
mod archive;
mod compile_bomb;
mod connections;
mod crash;
mod hostile_rules;
mod largest;
mod proof;
mod reload_under_load;
mod two_person;
