//! What goes wrong around the desk: bad rules in every stage, a process that is killed, rules that change under load.

mod archive;
mod budget;
mod compile_bomb;
mod connections;
mod crash;
mod hostile_rules;
mod largest;
mod reload_under_load;
