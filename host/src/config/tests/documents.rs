//! Parts of the desk that have a file of their own, or are published.

use super::*;

#[test]
fn a_part_of_the_desk_stands_in_its_own_file_or_in_the_desks_and_never_in_both() {
    let mut files = sound();
    let whole = check(&files, &Outside::default()).unwrap().organisation;
    let cut = text_of(&files, Document::Calendars);
    assert!(cut.starts_with("[calendar]\ntime-zone") && !cut.contains("[scales]"), "{cut}");
    files.texts.insert("calendars.toml".to_owned(), cut.replace("Berlin", "Paris"));
    let both = check(&files, &Outside::default()).unwrap_err();
    assert_eq!(
        both.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["desk.toml:3:1: calendar: stands in `calendars.toml` as well: keep one of the two"]
    );
    // Where it is published, what the desk's file says means nothing any more.
    let desk = files.texts.get_mut("desk.toml").unwrap();
    desk.push_str("[configuration]\nby-api = [\"calendars\"]\n");
    let published = check(&files, &Outside::default()).unwrap();
    assert_eq!(published.organisation.calendar.zone.iana_name(), Some("Europe/Paris"));
    assert_eq!((published.organisation.calendar.week, published.organisation.name), (whole.calendar.week, whole.name));
    // And a directory may have the file alone.
    let desk = files.texts.get_mut("desk.toml").unwrap();
    *desk = desk.replace(&cut, "").replace("by-api = [\"calendars\"]", "");
    let alone = check(&files, &Outside::default()).unwrap();
    assert_eq!(alone.organisation.calendar.zone.iana_name(), Some("Europe/Paris"));
}

#[test]
fn words_of_messages_stand_in_one_file_or_in_a_folder_and_their_mistakes_are_named() {
    let mut files = sound();
    files
        .texts
        .insert("templates/de/closed.txt".to_owned(), "Subject: {{ ticket.key }} ist zu\n\nFertig.\n".to_owned());
    let document = text_of(&files, Document::Templates);
    let folder = own_templates(&files);
    files.texts.insert("templates.toml".to_owned(), document);
    let both = check(&files, &Outside::default()).unwrap_err();
    assert_eq!(both[0].to_string(), "templates: stands in `templates.toml` as well: keep one of the two");
    files.texts.remove("templates/de/closed.txt");
    assert_eq!(own_templates(&files), folder, "the document says the same as the folder");
    check(&files, &Outside::default()).unwrap();
    let wrong = files.texts["templates.toml"].replace("ticket.key", "ticket.kye");
    files.texts.insert("templates.toml".to_owned(), wrong);
    let said = check(&files, &Outside::default()).unwrap_err()[0].to_string();
    assert!(said.starts_with("templates.toml") && said.contains("de/closed.txt, line 1"), "{said}");
}

fn only_https(internal_hosts: &[String], url: &str) -> Result<(), String> {
    let may_be = internal_hosts.is_empty() && url.starts_with("https://");
    if may_be { Ok(()) } else { Err("it is inside".to_owned()) }
}

#[test]
fn endpoints_stand_in_one_file_and_the_addresses_of_the_directory_are_looked_at() {
    let mut files = sound();
    let webhook = |url: &str| format!("[[webhook]]\nid = \"cmdb\"\nurl = \"{url}\"\nevents = [\"ticket.*\"]\n");
    let outside = Outside { may_be_asked: Some(only_https), ..Outside::default() };
    files.texts.insert("webhooks.toml".to_owned(), webhook("https://cmdb.example.com/hook"));
    let read = check(&files, &outside).unwrap().outgoing.webhooks;
    assert_eq!((read[0].id.as_str(), read[0].host().as_str()), ("cmdb", "https://cmdb.example.com"));
    assert_eq!((&read[0].secret_file, read[0].internal), (&None, false));
    files.texts.insert("webhooks.toml".to_owned(), webhook("http://cmdb.example.com/hook"));
    let refused = check(&files, &outside).unwrap_err()[0].to_string();
    assert_eq!(refused, "webhooks.toml:3:7: webhook.cmdb.url: is an address that is not asked: it is inside");
    // Published, it was looked at then, and what `desk.toml` has means nothing any more.
    let desk = files.texts.get_mut("desk.toml").unwrap();
    desk.push_str(&format!("[configuration]\nby-api = [\"webhooks\"]\n{}", webhook("http://old.example/")));
    let published = check(&files, &outside).unwrap().outgoing.webhooks;
    assert_eq!(published.iter().map(|one| one.url.as_str()).collect::<Vec<_>>(), ["http://cmdb.example.com/hook"]);
    let desk = files.texts.get_mut("desk.toml").unwrap();
    *desk = desk.replace("by-api = [\"webhooks\"]", "");
    let both = check(&files, &outside).unwrap_err();
    assert!(both.iter().any(|one| one.to_string().contains("stands in `webhooks.toml` as well")), "{both:?}");
}
