//! Templates that are right, wrong, greedy or hostile.

use super::*;

fn own(locale: &'static str, name: &'static str, text: &'static str) -> Result<Templates, Vec<Mistake>> {
    Templates::with([File { locale, name, text }].into_iter())
}

#[test]
fn all_shipped_templates_are_right_and_each_language_has_all() {
    let templates = Templates::shipped().unwrap();
    assert_eq!(templates.locales().collect::<Vec<_>>(), ["de", "en"]);
    for locale in ["de", "en"] {
        for name in known_names() {
            assert!(shipped().any(|file| file.locale == locale && file.name == name), "{locale}/{name}");
        }
        for kind in MessageKind::ALL {
            let rendered = templates.message(locale, kind, &Facts::sample()).unwrap();
            // Who decides in whose place, and a mail that is none yet, are about no ticket.
            let about_ticket = !matches!(kind, MessageKind::Delegation | MessageKind::MailKept);
            assert_eq!(rendered.subject.starts_with("[IT-1042] "), about_ticket, "{rendered:?}");
            assert!(!rendered.text.contains("\n\n\n") && !rendered.text.contains("{{"), "{}", rendered.text);
        }
    }
}

#[test]
fn a_reply_reads_as_a_person_would_write_it() {
    let facts = Facts { moved: None, ..Facts::sample() };
    let rendered = Templates::shipped().unwrap().message("en", MessageKind::Reply, &facts).unwrap();
    assert_eq!(
        rendered.text,
        "Hello Amara Okafor,\n\nKofi Mensah wrote:\n\nThe gateway was restarted.\n\nIs it better <now>?\n\n\
         https://desk.meridian.example/tickets/IT-1042\n\n-- \nMeridian Instruments\n"
    );
    assert!(rendered.html.contains("Is it better &lt;now&gt;?"), "{}", rendered.html);
    assert!(!rendered.html.contains("<now>"));
}

#[test]
fn a_language_is_found_by_its_nearest_name() {
    let templates = Templates::shipped().unwrap();
    for (wish, found) in [("de", "de"), ("de-AT", "de"), ("DE_at", "de"), ("fr", "en"), ("", "en")] {
        assert_eq!(templates.locale(wish), found, "{wish}");
    }
    let with_french = own("fr", "reply.txt", "Subject: {{ ticket.key }}\nBonjour").unwrap();
    let said = |kind| with_french.message("fr", kind, &Facts::sample()).unwrap().text;
    assert!(said(MessageKind::Reply).starts_with("Bonjour"));
    assert!(said(MessageKind::Closed).starts_with("Hello"), "what it lacks is in English");
}

#[test]
fn days_and_times_are_written_as_the_reader_s_language_does() {
    let (at, zone) = ("2026-10-25T00:30:00Z".parse().unwrap(), jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    assert_eq!(words::exact("de-AT", at, &zone), "25.10.2026 02:30 CEST");
    for locale in ["en", "fr", "en-x-pseudo"] {
        assert_eq!(words::exact(locale, at, &zone), "2026-10-25 02:30 CEST");
    }
    let day = jiff::civil::date(2026, 10, 2);
    assert_eq!((words::day("de", day), words::short_day("de", day)), ("02.10.2026".to_owned(), "02.10.".to_owned()));
}

#[test]
fn a_mistake_is_found_when_templates_are_read_and_says_where() {
    let mistakes = own("en", "reply.txt", "Subject: x\n\n{{ ticket.kye }}").unwrap_err();
    assert_eq!((mistakes[0].file.as_str(), mistakes[0].line), ("en/reply.txt", 3));
    let syntax = own("en", "reply.txt", "Subject: x\n{% if reply %}").unwrap_err();
    assert_eq!(syntax[0].file, "en/reply.txt");
    assert_eq!(own("en", "reply.txt", "Hello").unwrap_err()[0].why, NotATemplate::NoSubject);
    assert_eq!(own("english", "reply.txt", "Subject: x").unwrap_err()[0].why, NotATemplate::NotALocale);
    assert!(matches!(own("en", "replies.txt", "Subject: x").unwrap_err()[0].why, NotATemplate::Unknown { .. }));
    // Only where there is nothing to tell: that is tried, too.
    let bare = own("en", "reply.txt", "Subject: x\n{{ reply.body }}").unwrap_err();
    assert_eq!(bare[0].line, 2);
}

#[test]
fn a_template_neither_runs_for_ever_nor_writes_without_end_nor_reads_files() {
    for greedy in [
        "Subject: x\n{% for a in range(9999) %}{% for b in range(9999) %}.{% endfor %}{% endfor %}",
        "Subject: x\n{{ 'x' * 100000000000 }}",
        "Subject: x\n{% include '/etc/passwd' %}",
        "Subject: x\n{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ] {
        assert!(own("en", "reply.txt", greedy).is_err(), "{greedy}");
    }
    let templates =
        own("en", "reply.txt", "Subject: x\n{% for a in range(50) %}{{ reply.body if reply }}{% endfor %}").unwrap();
    let mut facts = Facts::sample();
    facts.reply = facts.reply.map(|reply| facts::Reply { body: "x".repeat(100_000), ..reply });
    let error = templates.message("en", MessageKind::Reply, &facts).unwrap_err();
    assert_eq!(error.template, "en/reply.txt");
}

#[test]
fn words_of_people_never_begin_another_header() {
    let mut facts = Facts::sample();
    facts.ticket.subject = "x\r\nBcc: all@example.org\u{0}\u{85}y".to_owned();
    let rendered = Templates::shipped().unwrap().message("en", MessageKind::Acknowledgement, &facts).unwrap();
    assert!(!rendered.subject.chars().any(char::is_control), "{:?}", rendered.subject);
    facts.ticket.subject = "ä".repeat(10_000);
    let rendered = Templates::shipped().unwrap().message("en", MessageKind::Acknowledgement, &facts).unwrap();
    assert_eq!(rendered.subject.chars().count(), SUBJECT_CHARS_MAX);
}
