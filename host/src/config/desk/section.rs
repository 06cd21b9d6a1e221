//! A document whose tables stand in `desk.toml`, cut out of it as the file that it would be.

use toml::Table;

use super::by_api::Document;
use super::templates;
use crate::config::files::{DESK, Files};

/// The text of a document in a directory: its own file, or what `desk.toml` or the folder `templates` says instead.
pub fn text_of(files: &Files, document: Document) -> String {
    if let Some(own) = files.texts.get(document.file()) {
        return own.clone();
    }
    match document {
        Document::Templates => templates::as_document(files),
        _ => cut_out(files.texts.get(DESK).map_or("", String::as_str), document.keys()),
    }
}

/// The tables with these keys, with the comments before them; without comments where the text is written in another way than tables
/// under headings.
fn cut_out(text: &str, keys: &[&str]) -> String {
    let Ok(whole) = text.parse::<Table>() else { return String::new() };
    let wanted: Table = whole.into_iter().filter(|(key, _)| keys.contains(&key.as_str())).collect();
    let cut = lines_of(text, keys);
    match cut.parse::<Table>() {
        Ok(found) if found == wanted => cut,
        _ => toml::to_string_pretty(&wanted).unwrap_or_default(),
    }
}

/// The lines below the headings of these keys, each with the comment right before its heading.
fn lines_of(text: &str, keys: &[&str]) -> String {
    let mut cut = String::new();
    let (mut inside, mut comment) = (false, String::new());
    for line in text.lines() {
        if line.starts_with('#') {
            comment.push_str(line);
            comment.push('\n');
            continue;
        }
        if line.starts_with('[') {
            let name = line.trim_start_matches('[').split(['.', ']']).next().unwrap_or_default();
            inside = keys.contains(&name.trim());
        }
        if inside {
            cut.push_str(&comment);
            cut.push_str(line);
            cut.push('\n');
        }
        comment.clear();
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_cut_out_with_their_comments_and_in_any_way_of_writing_them() {
        let text = "name = \"x\"\n# When it is open.\n[calendar]\nmonday = [\"09:00-17:00\"]\n\n# All.\n[scales]\n\
                    impact = [\"low\"]\n[[other-calendar]]\nid = \"night\"\n";
        let cut = cut_out(text, Document::Calendars.keys());
        assert_eq!(
            cut,
            "# When it is open.\n[calendar]\nmonday = [\"09:00-17:00\"]\n\n[[other-calendar]]\nid = \"night\"\n"
        );
        let inline = "scales = { impact = [\"low\"], urgency = [\"low\"] }\nname = \"x\"\n";
        let cut = cut_out(inline, Document::Priorities.keys());
        assert!(cut.parse::<Table>().unwrap().contains_key("scales") && !cut.contains("name"), "{cut}");
        let inside_a_text = "[[macro]]\nid = \"a\"\nreply = \"\"\"\n[calendar]\nsaid she\"\"\"\n";
        let cut = cut_out(inside_a_text, Document::Macros.keys());
        assert!(cut.contains("said she"), "{cut}");
        assert_eq!(cut_out(inside_a_text, Document::Calendars.keys()).trim(), "");
    }
}
