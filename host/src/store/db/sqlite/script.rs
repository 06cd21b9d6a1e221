//! Statements whose outcome is not looked at, gathered within a transaction.
//!
//! SQLite's connection has a thread of its own, and each statement that is awaited is a way there and back, which costs more than
//! a small statement itself. The driver runs all statements of one text in one go
//! ([`sqlite3_prepare_v3`](https://sqlite.org/c3ref/prepare.html), `pzTail`), so small ones wait here for the next that is awaited.

use crate::store::db::arguments::Arg;

/// Arguments of a statement that waits; a larger one is worth its own way, and its text is prepared once for all.
const SMALL_ARGS_MAX: usize = 128;
/// Statements that wait together.
const STATEMENTS_MAX: usize = 32;
/// Statements of a script whose text is kept prepared: the changes of one ticket, which come again and again.
const KEPT_STATEMENTS_MAX: usize = 14;

/// The statements that wait, as one text with its arguments in the order of their places.
#[derive(Debug, Default)]
pub struct Script {
    sql: String,
    args: Vec<Arg>,
    statements: usize,
}

impl Script {
    /// Whether a statement may wait.
    pub fn takes(&self, args: &[Arg]) -> bool {
        args.len() <= SMALL_ARGS_MAX && self.statements < STATEMENTS_MAX
    }

    /// Whether there is a statement that waits.
    pub fn is_waiting(&self) -> bool {
        self.statements > 0
    }

    /// Puts a statement behind those that wait.
    pub fn add(&mut self, sql: &str, args: Vec<Arg>) {
        if self.statements > 0 {
            self.sql.push_str("; ");
        }
        self.statements += 1;
        in_order(sql, args, &mut self.sql, &mut self.args);
    }

    /// All that waits, and whether its text is likely to come again; `None` where nothing does.
    pub fn take(&mut self) -> Option<(String, Vec<Arg>, bool)> {
        let Script { sql, args, statements } = std::mem::take(self);
        (statements > 0).then_some((sql, args, statements <= KEPT_STATEMENTS_MAX))
    }
}

/// Writes a statement with `?` at each place, and its arguments in their order: numbers would count through the whole script.
fn in_order(sql: &str, args: Vec<Arg>, text: &mut String, all: &mut Vec<Arg>) {
    if !sql.contains('$') {
        text.push_str(sql);
        all.extend(args);
        return;
    }
    let mut rest = sql;
    while let Some(at) = rest.find(['$', '\'']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let end = match from.strip_prefix('\'') {
            // A quote within a text is doubled, which reads as two texts.
            Some(quoted) => quoted.find('\'').map_or(from.len(), |end| end + 2),
            None => from.find(|c: char| c != '$' && !c.is_ascii_digit()).unwrap_or(from.len()),
        };
        let (word, after) = from.split_at(end);
        let number = word.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        match number.and_then(|number| args.get(number.checked_sub(1)?)) {
            Some(arg) => {
                text.push('?');
                all.push(arg.clone());
            }
            None => text.push_str(word),
        }
        rest = after;
    }
    text.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_in_the_order_of_their_places() {
        let mut script = Script::default();
        script.add("update t set a = $2, b = '$1 or ?' where c = $1 or d = $2", vec![Arg::Int(1), Arg::Int(2)]);
        script.add("insert into t (a, b) values (?, 'it''s'), (?, 'x')", vec![Arg::Int(3), Arg::Int(4)]);
        let (sql, args, kept) = script.take().unwrap();
        let wanted = "update t set a = ?, b = '$1 or ?' where c = ? or d = ?; insert into t (a, b) values (?, 'it''s'), (?, 'x')";
        assert_eq!(sql, wanted);
        assert_eq!(args, [2, 1, 2, 3, 4].map(Arg::Int));
        assert!(kept && script.take().is_none());
    }

    #[test]
    fn what_is_large_or_too_much_does_not_wait() {
        let mut script = Script::default();
        assert!(!script.takes(&vec![Arg::Int(0); SMALL_ARGS_MAX + 1]));
        for _ in 0..STATEMENTS_MAX {
            assert!(script.takes(&[]));
            script.add("select 1", Vec::new());
        }
        assert!(!script.takes(&[]));
        assert!(!script.take().unwrap().2);
    }
}
