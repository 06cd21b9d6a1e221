//! `ruledesk config reference`: every key of the configuration, from the comments of the code that reads it, so that the two say
//! the same.

/// The code that reads each part, in the order in which the reference has them.
const SOURCES: [&str; 25] = [
    include_str!("../../config/desk/mod.rs"),
    include_str!("../../config/server.rs"),
    include_str!("../../config/desk/attachments.rs"),
    include_str!("../../config/desk/by_api.rs"),
    include_str!("../../config/desk/calendar.rs"),
    include_str!("../../config/desk/holidays.rs"),
    include_str!("../../config/desk/closing.rs"),
    include_str!("../../config/desk/promises.rs"),
    include_str!("../../config/desk/macros.rs"),
    include_str!("../../config/desk/schedules.rs"),
    include_str!("../../config/desk/templates.rs"),
    include_str!("../../config/trust.rs"),
    include_str!("../../config/outgoing/mod.rs"),
    include_str!("../../config/outgoing/mail.rs"),
    include_str!("../../config/outgoing/mail_in.rs"),
    include_str!("../../config/outgoing/sign_in.rs"),
    include_str!("../../config/outgoing/webhooks.rs"),
    include_str!("../../config/outgoing/telemetry.rs"),
    include_str!("../../config/people.rs"),
    include_str!("../../config/teams.rs"),
    include_str!("../../config/taxonomy.rs"),
    include_str!("../../config/request_types.rs"),
    include_str!("../../config/desk/parts.rs"),
    include_str!("../../config/apps/mod.rs"),
    include_str!("../../config/apps/connectors.rs"),
];

/// The files of a configuration. Their names stand without backticks, which mark keys.
const INTRODUCTION: &str = "# The configuration

A directory with desk.toml, people.toml, teams.toml, taxonomy.toml and request-types.toml; where there are any also apps.toml, \
webhooks.toml, tables/ (reference tables), holidays/ (days off, as iCalendar files), templates/ (words of messages) and rules/. A \
relative path is relative to the directory. To begin one: ruledesk init DIR; to check one: ruledesk check --config DIR.
";

/// The reference as Markdown.
pub fn text() -> String {
    let mut text = String::from(INTRODUCTION);
    for source in SOURCES {
        section(&mut text, source);
    }
    text
}

/// The comments of one file that explain keys.
fn section(text: &mut String, source: &str) {
    for (place, block) in blocks(source).into_iter().enumerate() {
        let is_key = |line: &&str| line.starts_with("- `") || line.starts_with('`');
        let [first, rest @ ..] = block.as_slice() else { continue };
        if place == 0 {
            text.push_str(&format!("\n## {}\n", first.trim_end_matches(['.', ':'])));
            rest.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        } else if first.starts_with('`') {
            text.push_str(&format!("- {}\n", block.join("\n  ")));
        } else if block.iter().any(|line| is_key(&line.as_str())) {
            text.push_str(&format!("\n{}\n", block.join("\n")));
        }
    }
}

/// The documentation comments of a file, a list of lines each, without what marks them and what links them.
fn blocks(source: &str) -> Vec<Vec<String>> {
    let mut blocks: Vec<Vec<String>> = vec![Vec::new()];
    for line in source.lines().map(str::trim_start) {
        let comment = line.strip_prefix("//!").or_else(|| line.strip_prefix("///"));
        match (comment, blocks.last_mut()) {
            (Some(comment), Some(block)) => {
                let comment = comment.strip_prefix(' ').unwrap_or(comment);
                block.push(comment.replace("[`", "`").replace("`]", "`"));
            }
            (None, Some(block)) if !block.is_empty() => blocks.push(Vec::new()),
            _ => {}
        }
    }
    blocks
}
