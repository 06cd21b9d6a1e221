//! Messages as mail programs write them, and as those do who mean harm.

use super::nature::Nature;
use super::thread::Named;
use super::{Mail, NotRead, read};
use crate::desk::id::TicketNumber;

fn mail(text: &str) -> Mail {
    read(text.replace('\n', "\r\n").as_bytes()).unwrap()
}

fn own() -> Vec<String> {
    vec!["desk@meridian.example".to_owned()]
}

const GMAIL: &str = "\
Delivered-To: desk+IT-12.0a1b2c3d4e5f6071@meridian.example
From: =?UTF-8?Q?Amara_Okaf=C3=B3r?= <Amara@Meridian.example>
To: IT <desk@meridian.example>
Subject: Re: [IT-12] =?UTF-8?B?RHJ1Y2tlcg==?= broken
Message-ID: <CAF-1@mail.gmail.com>
In-Reply-To: <m.01900000-0000-7000-8000-000000000001.aa11@meridian.example>
References: <t.01900000-0000-7000-8000-000000000002.bb22@meridian.example>
 <m.01900000-0000-7000-8000-000000000001.aa11@meridian.example>
Content-Type: multipart/alternative; boundary=\"b1\"

--b1
Content-Type: text/plain; charset=\"UTF-8\"
Content-Transfer-Encoding: quoted-printable

It works again, th=
anks =E2=9C=93

On Mon, Nov 30, 2026 at 9:00 AM IT <desk@meridian.example>
wrote:

> Does it work?
> Kofi

--b1
Content-Type: text/html; charset=\"UTF-8\"

<div>It works again</div>
--b1--
";

#[test]
fn an_answer_by_gmail_has_its_author_its_words_and_its_thread() {
    let mail = mail(GMAIL);
    assert_eq!(mail.from.as_deref(), Some("amara@meridian.example"));
    assert_eq!(mail.subject, "Re: [IT-12] Drucker broken");
    assert_eq!(mail.reply, "It works again, thanks \u{2713}");
    assert!(mail.text.contains("> Does it work?"), "{}", mail.text);
    assert_eq!(mail.identity, "id CAF-1@mail.gmail.com");
    assert!(mail.files.is_empty(), "{:?}", mail.files);
    assert_eq!(mail.evidence.addressed, [(TicketNumber(12), "0a1b2c3d4e5f6071".to_owned())]);
    assert_eq!(mail.evidence.subject, Some(TicketNumber(12)));
    let [Named::Letter { token, .. }, Named::Thread { token: thread, .. }] = mail.evidence.ids.as_slice() else {
        panic!("{:?}", mail.evidence.ids)
    };
    assert_eq!((token.as_str(), thread.as_str()), ("aa11", "bb22"));
    assert_eq!(mail.nature(&own(), &[]), Nature::Person);
}

#[test]
fn what_programs_quote_is_left_out_where_that_is_certain() {
    let outlook = "Ja, erledigt.\n\nVon: IT Service Desk <desk@meridian.example>\nGesendet: Montag, 30. November 2026 09:00\n\
                   An: Amara\nBetreff: [IT-12] Drucker\n\nGuten Tag";
    let english = "Done.\n\n________________________________\nFrom: IT <desk@meridian.example>\nSent: Monday, November 30, 2026\n\
                   To: Amara\nSubject: x\n\nHello";
    let apple = "Danke!\n\n> Am 30.11.2026 um 09:00 schrieb IT <desk@meridian.example>:\n> \n> Guten Tag\n";
    let german = "Danke!\n\nAm Mo., 30. Nov. 2026 um 09:00 Uhr schrieb IT <\ndesk@meridian.example>:\n\n> Guten Tag\n";
    let divided = "Done.\n\n-----Original Message-----\nFrom: x\n";
    for (text, wanted) in [
        (outlook, "Ja, erledigt."),
        (english, "Done."),
        (apple, "Danke!"),
        (german, "Danke!"),
        (divided, "Done."),
        ("Done.\n> quoted\n> more", "Done."),
    ] {
        assert_eq!(super::quoted::without(text), wanted, "{text}");
    }
    for whole in [
        "On Monday I wrote:\nplease come",
        "On Mon, Nov 30, 2026 at 9:00 AM IT <a@b.example> wrote:\n> which one?\nthe left\n> since when?\nsince noon",
        "Von: Berlin nach Hamburg\nmit dem Zug",
        "Here it is for\n>50 of us",
        "Am 30.11.2026 um 9:00 schrieb mir der Drucker:\nkein Papier\nseitdem steht er",
        "On 30 Nov 2026 at 9:00 the log wrote:\n\nERROR 42",
        "- one\n- two",
        "",
    ] {
        assert_eq!(super::quoted::without(whole), whole);
    }
    let only = mail("From: a@b.example\n\n> all of it is quoted\n");
    assert_eq!(only.reply, "> all of it is quoted", "words are never lost");
}

#[test]
fn a_file_above_a_quote_is_an_answer_without_words() {
    let answer = |subject: &str| {
        mail(&format!(
            "From: a@b.example\nSubject: {subject}\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n\nFrom: IT <desk@meridian.example>\n\
             Sent: Monday, November 30, 2026\nTo: Amara\nSubject: x\n\nHello\n--x\nContent-Type: application/pdf; name=a.pdf\n\n%PDF\n--x--\n"
        ))
    };
    assert_eq!(answer("Re: x").reply, "");
    assert!(answer("Fwd: x").reply.ends_with("Hello"), "what is sent on is meant");
}

#[test]
fn plain_words_that_only_ask_for_html_do_not_stand_for_the_page() {
    let both = |plain: &str| {
        mail(&format!(
            "From: a@b.example\nContent-Type: multipart/alternative; boundary=x\n\n--x\n\n{plain}\n--x\n\
             Content-Type: text/html\n\n<p>The HTML page of the printer is empty</p>\n--x--\n"
        ))
        .text
    };
    assert_eq!(both("This mail needs a program that shows HTML."), "The HTML page of the printer is empty");
    assert_eq!(both("The HTML page\nof the printer"), "The HTML page\nof the printer", "the same words stay");
}

#[test]
fn html_alone_is_shown_as_text_in_lines_and_files_keep_their_names() {
    let mail = mail(
        "From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/html; charset=iso-8859-1\n\
         Content-Transfer-Encoding: quoted-printable\n\n<html><head><style>p{}</style></head><body><div>Gr=FC=DFe &amp; Dank</div>\
         <div>zwei<br/>drei</div><script>evil()</script></body></html>\n--x\n\
         Content-Type: application/pdf; name=\"=?UTF-8?Q?=C3=9Cbersicht.pdf?=\"\nContent-Disposition: attachment\n\
         Content-Transfer-Encoding: base64\n\nJVBE\nRi0x\n--x\nContent-Type: text/plain\n\
         Content-Disposition: attachment; filename*=UTF-8''Z%C3%BCrich.txt\n\nnotes\n--x--\nignored\n",
    );
    assert_eq!(mail.text, "Gr\u{fc}\u{df}e & Dank\nzwei\ndrei");
    let names: Vec<&str> = mail.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["\u{dc}bersicht.pdf", "Z\u{fc}rich.txt"]);
    assert_eq!(mail.files[0].bytes, b"%PDF-1");
    assert_eq!(mail.files[0].media_type, "application/pdf");
    assert_eq!(mail.files[1].bytes, b"notes");
}

#[test]
fn words_in_the_encodings_of_old_programs_are_read() {
    let raw = |charset: &str, body: &[u8]| {
        let head = format!("From: a@b.example\r\nContent-Type: text/plain{charset}\r\n\r\n");
        read(&[head.as_bytes(), body].concat()).unwrap().text
    };
    assert_eq!(raw("", b"Gr\xfc\xdfe \x84so\x93"), "Gr\u{fc}\u{df}e \u{201e}so\u{201c}", "as Windows wrote it");
    assert_eq!(raw("; charset=utf-8", b"Gr\xfc\xdfe"), "Gr\u{fc}\u{df}e", "which it says wrongly");
    assert_eq!(raw("; charset=no-such", "Gr\u{fc}\u{df}e".as_bytes()), "Gr\u{fc}\u{df}e");
    assert_eq!(raw("; charset=iso-2022-jp", b"\x1b$B$\"\x1b(B"), "\u{3042}");
    // A character that was cut through, as at the end of a text that was, makes no other language of the rest.
    let cut = ["Gr\u{fc}\u{df}e ".as_bytes(), b"\xe2\x80"].concat();
    assert_eq!(raw("; charset=utf-8", &cut), "Gr\u{fc}\u{df}e \u{fffd}");
    assert_eq!(raw("", &cut), "Gr\u{fc}\u{df}e \u{fffd}");
    assert_eq!(raw("; charset=iso-2022-jp", b"\x1b$B$\"$\"\x1b(B\x80"), "\u{3042}\u{3042}\u{fffd}");
    assert_eq!(raw("; charset=gb2312", b"\xd6\xd0\xce\xc4\xff"), "\u{4e2d}\u{6587}\u{fffd}");
    assert_eq!(raw("; charset=us-ascii", "Gr\u{fc}\u{df}e".as_bytes()), "Gr\u{fc}\u{df}e", "as scripts write it");
    assert_eq!(raw("; charset=utf-16", b"\xfe\xff\0H\0i"), "Hi", "the mark of its order counts");
    assert_eq!(raw("; charset=UTF-7", b"Gr+APw-+AN8-e +AOQ"), "Gr\u{fc}\u{df}e \u{e4}");
    assert_eq!(raw("", b"a\0b\x1b[31mc\r\nd\x0ce"), "ab[31mc\nde", "no text of a ticket has such characters");
}

#[test]
fn heads_are_read_in_the_encodings_of_all_the_world() {
    for (subject, wanted) in
        [("=?ISO-2022-JP?B?GyRCJCIbKEI=?=", "\u{3042}"), ("=?gb18030?b?1tDOxA==?=", "\u{4e2d}\u{6587}")]
    {
        assert_eq!(mail(&format!("From: a@b.example\nSubject: {subject}\n\nx")).subject, wanted);
    }
    let file = mail(
        "From: a@b.example\nContent-Type: text/csv\nContent-Disposition: attachment;\n \
         filename=\"=?gb18030?B?1tDOxC50eHQ=?=\"\n\nx",
    );
    assert_eq!(file.files[0].name, "\u{4e2d}\u{6587}.txt");
}

#[test]
fn base64_ends_with_its_padding_and_words_that_a_list_adds_below_are_none_of_it() {
    let of = |body: &str| {
        mail(&format!("From: a@b.example\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{body}")).text
    };
    assert_eq!(of("SGVsbG8gdGhlcmU=\n-- \nlist@b.example, leave it there\n"), "Hello there");
    assert_eq!(of("SGVsbG8g\ndGhlcmU=\nLCBBbWFyYQ==\n"), "Hello there, Amara", "piece by piece");
    assert_eq!(of("SGVsbG8gdGhlcmU"), "Hello there");
}

#[test]
fn quoted_printable_that_was_cut_or_padded_on_its_way_is_read() {
    let of =
        |body: &str| mail(&format!("From: a@b.example\nContent-Transfer-Encoding: quoted-printable\n\n{body}")).text;
    assert_eq!(of("It is a long= \t\n line, 1 =3D 1"), "It is a long line, 1 = 1");
    assert_eq!(of("1 = 1, =zz and =C3=BC, =C3="), "1 = 1, =zz and \u{fc}, \u{fffd}=");
    assert_eq!(of("cut ="), "cut =");
}

#[test]
fn answers_between_the_lines_of_a_page_are_kept_and_its_quote_is_left_out() {
    let of = |page: &str| mail(&format!("From: a@b.example\nContent-Type: text/html\n\n{page}"));
    let sentence = "<div>On Mon, Nov 30, 2026 at 9:00 AM IT wrote:<br></div>";
    let below = of(&format!("<div>Done.</div>{sentence}<blockquote>which one?</blockquote>"));
    assert_eq!(below.reply, "Done.");
    assert!(below.text.ends_with("> which one?"), "{}", below.text);
    let between = of(&format!(
        "<div>see inline</div>{sentence}<blockquote>which one?</blockquote><div>the left</div><blockquote>since?</blockquote>"
    ));
    assert!(between.reply.contains("\nthe left\n"), "{}", between.reply);
    let hidden = of("<span style=\"display:none\">approve this</span><p>Hello</p><style type=\"text/css\">p{}</style>");
    assert_eq!(hidden.text, "Hello");
}

#[test]
fn words_are_read_where_a_boundary_was_lost_and_a_mail_that_is_sent_on_is_no_quote() {
    let lost = mail("From: a@b.example\nContent-Type: multipart/mixed; boundary=lost\n\nwords\n--other\nmore");
    assert_eq!(lost.text, "words\n--other\nmore");
    for (subject, words, points_below) in [
        ("WG: x", "y", true),
        ("Fwd: [IT-1] x", "y", true),
        ("Re: x", "My answers are Inline.", true),
        ("Re: x", "Siehe unten", true),
        ("Re: Fwd: x", "y", false),
        ("x", "y", false),
    ] {
        let mail = mail(&format!("From: a@b.example\nSubject: {subject}\n\n{words}"));
        assert_eq!(mail.points_below, points_below, "{subject}: {words}");
    }
}

#[test]
fn a_message_without_an_id_is_known_by_its_content() {
    let text = "From: a@b.example\nDate: Mon, 30 Nov 2026 09:00:00 +0000\nSubject: x\n\nwords\n";
    assert_eq!(mail(text).identity, mail(&format!("Received: from elsewhere\n{text}")).identity);
    assert_ne!(mail(text).identity, mail(&text.replace("words", "other words")).identity);
    assert_ne!(mail(text).identity, mail(&text.replace("a@b", "c@b")).identity);
}

#[test]
fn a_text_that_is_longer_than_a_ticket_s_is_cut_and_says_so() {
    let long = mail(&format!("From: a@b.example\n\n{}", "\u{fc} ".repeat(80_000)));
    for text in [&long.text, &long.reply] {
        assert_eq!(text.chars().count(), 100_000);
        assert!(text.ends_with("\n[\u{2026}]"));
    }
    let other = mail(&format!("From: a@b.example\n\n{}x", "\u{fc} ".repeat(80_000)));
    assert_ne!(long.identity, other.identity, "what is cut off makes it another mail");
    let quotes = format!("From: a@b.example\n\nDone.\n\n> on\n{}", "> and on\n".repeat(80_000));
    assert_eq!(mail(&quotes).reply, "Done.", "the new words are all there");
}

#[test]
fn two_authors_are_none() {
    for from in
        ["From: a@b.example, c@d.example\n", "From: a@b.example\nFrom: c@d.example\n", "From: a\n", "To: a@b.example\n"]
    {
        assert_eq!(mail(&format!("{from}\nx")).from, None, "{from}");
    }
    for from in ["Fr om: a@b.example", ":From: a@b.example", " From: a@b.example", "none\n From: a@b.example"] {
        assert_eq!(mail(&format!("{from}\nTo: c@d.example\n\nx")).from, None, "{from}");
    }
    assert_eq!(mail("FROM : a@b.example\n\nx").from.as_deref(), Some("a@b.example"), "an old form of the same field");
    // A mail system may see no address in these, and so no domain that refuses them.
    for from in [
        "=?utf-8?q?a=40b.example?= (x)",
        "=?utf-8?q?a=40b.example?=",
        "=?utf-8?q?a?=@b.example",
        "a@b.example <c@d.example>",
        "<c@d.example> a@b.example",
        "<a@b.example> <c@d.example>",
        "All: a@b.example;",
        "a(x)@b.example",
        "a\"x\"@b.example",
        "(a@b.example",
        "\"a@b.example",
        "a@b.example@d.example",
        "\u{212a}ofi@b.example",
    ] {
        let found = mail(&format!("From: {from}\n\nx")).from;
        assert!(
            !found.as_deref().is_some_and(|found| ["a@b.example", "kofi@b.example"].contains(&found)),
            "{from}: {found:?}"
        );
    }
    for from in [
        "\"c@d.example\" <a@b.example>",
        "A@B.Example (at work)",
        "a@b.example <a@b.example>",
        "Okafor, Amara <a@b.example>",
        "\"Okafor: \\\"A\\\"\"\n <a@b.example>",
    ] {
        let named = mail(&format!("From: {from}\n\nx"));
        assert_eq!(named.from.as_deref(), Some("a@b.example"), "{from}");
    }
}

#[test]
fn machines_and_the_desk_itself_are_told_by_their_signs() {
    let nature =
        |head: &str| format!("{:?}", mail(&format!("{head}\n\nx")).nature(&own(), &["it.b.example".to_owned()]));
    for (head, wanted) in [
        ("From: a@b.example", "Person"),
        ("From: a@b.example\nAuto-Submitted: no", "Person"),
        ("From: a@b.example\nX-Auto-Response-Suppress: All", "Person"),
        ("From: a@b.example\nAuto-Submitted: auto-replied; owner-email=x", "Auto-Submitted"),
        ("Return-Path: <>\nFrom: a@b.example", "Return-Path"),
        ("From: a@b.example\nPrecedence: Bulk", "Precedence"),
        ("From: a@b.example\nList-Id: <all.b.example>", "List-Id"),
        ("From: a@b.example\nList-Id: IT <IT.b.example>\nList-Unsubscribe: <x>\nPrecedence: list", "Person"),
        ("From: a@b.example\nList-Id: <it.b.example>\nAuto-Submitted: auto-replied", "Auto-Submitted"),
        ("From: a@b.example\nList-Id: <it.b.example>\nFeedback-ID: 1:x", "Feedback-ID"),
        ("From: MAILER-DAEMON@b.example", "From"),
        ("From: desk@Meridian.example", "Own"),
        ("From: a@b.example\nX-RuleDesk-Loop: desk@meridian.example", "Own"),
    ] {
        assert!(nature(head).contains(wanted), "{head}: {}", nature(head));
    }
}

#[test]
fn a_report_of_a_mail_system_names_the_letter_that_came_back() {
    let report = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nAuto-Submitted: auto-replied\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=r\n\n--r\n\nI am sorry.\n--r\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; x@y.example\n\
         Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such mailbox\n--r\nContent-Type: message/rfc822\n\n\
         From: desk@meridian.example\nMessage-ID: <m.01900000-0000-7000-8000-000000000001.aa11@meridian.example>\n\nhello\n--r--\n";
    let late = mail(&report.replace("Action: failed", "Action: delayed"));
    assert_eq!(late.nature(&own(), &[]), Nature::Machine { sign: "Auto-Submitted" }, "it may still arrive");
    let mail = mail(report);
    let Nature::Bounce(bounce) = mail.nature(&own(), &[]) else { panic!("{:?}", mail.nature(&own(), &[])) };
    assert_eq!(bounce.letters.len(), 1);
    assert_eq!(bounce.letters[0].1, "aa11");
    assert_eq!(bounce.said, "Action: failed, Status: 5.1.1, Diagnostic-Code: smtp; 550 no such mailbox");
}

#[test]
fn only_the_named_mail_system_vouches_and_only_for_the_author_s_domain() {
    let vouched =
        |results: &str| mail(&format!("{results}From: a@b.example\n\nx")).is_vouched_for_by("mx.meridian.example");
    let of =
        |id: &str, result: &str| format!("Authentication-Results: {id}; spf=pass smtp.mailfrom=b.example; {result}\n");
    let pass = "dmarc=pass (p=reject) header.from=b.example";
    assert!(vouched(&of("mx.meridian.example", pass)));
    assert!(vouched(&of("MX.meridian.example", "DMARC=Pass (a (b; c)) header.from=B.example")));
    assert!(!vouched(&of("mx.meridian.example", "dmarc=pass")), "it does not say for whom");
    assert!(!vouched(""));
    assert!(!vouched(&of("mx.evil.example", pass)));
    assert!(!vouched(&of("mx.meridian.example", "dmarc=fail header.from=b.example")));
    assert!(!vouched(&of("mx.meridian.example", "dmarc=pass header.from=evil.example")));
    // Senders choose the account of their envelope, and words that land in comments.
    for forged in [
        "spf=pass smtp.mailfrom=\"x; dmarc=pass header.from=b.example y\"@evil.example",
        "dmarc=fail header.from=b.example; spf=pass smtp.mailfrom=x; dmarc=pass header.from=b.example",
        "dmarc=fail (x; dmarc=pass header.from=b.example) header.from=b.example",
        "spf=pass smtp.mailfrom=x; dmarc=pass header.from=b.example; y=\"@evil.example; dmarc=fail header.from=b.example",
        "dmarc=pass header.from=evil.example header.from=b.example",
        "dmarc=pass) header.from=b.example",
    ] {
        assert!(!vouched(&of("mx.meridian.example", forged)), "{forged}");
    }
    let first = of("mx.meridian.example", "dmarc=fail");
    assert!(!vouched(&format!("{first}{}", of("mx.meridian.example", pass))), "the uppermost is the system's own");
}

#[test]
fn parts_in_parts_and_many_of_them_are_refused_and_messages_in_messages_are_files() {
    let deep: String =
        (0..5_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect();
    assert_eq!(read(format!("From: a@b.example\n{deep}").as_bytes()), Err(NotRead::Deep));
    let many =
        format!("From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(10_000));
    assert_eq!(read(many.as_bytes()), Err(NotRead::ManyParts));
    let long = format!("From: a@b.example\nX: {}\n\nx", "y".repeat(300 << 10));
    assert_eq!(read(long.as_bytes()), Err(NotRead::LongHead));
    // Each beginning of an encoded word is looked for its end.
    let bomb = format!("From: a@b.example\nSubject: {}\n{}\n\nx", "=?ab?q? ".repeat(3_000), " =?ab?q?".repeat(3_000));
    assert_eq!(read(bomb.as_bytes()), Err(NotRead::LongHead));
    let pieces: String = (0..2_000).map(|n| format!("a*{n}=b;")).collect();
    let part = format!(
        "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; {pieces}\n\nx\n--b--\n"
    );
    assert_eq!(read(part.as_bytes()), Err(NotRead::LongHead));
    assert_eq!(read(b""), Err(NotRead::NoHead));
    let nested = "Content-Type: message/rfc822\n\n".repeat(200_000);
    for (encoding, body) in
        [("7bit", nested.clone()), ("base64", "Q29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMgoK".repeat(10_000))]
    {
        let bomb =
            format!("From: a@b.example\nContent-Type: message/rfc822\nContent-Transfer-Encoding: {encoding}\n\n{body}");
        let mail = read(bomb.as_bytes()).unwrap();
        assert_eq!((mail.text.as_str(), mail.files.len()), ("", 1));
        assert!(mail.files[0].name.ends_with(".eml"), "{}", mail.files[0].name);
    }
}
