//! Files as spreadsheets and old tools write them.

use std::io::Write as _;

use encoding_rs::{UTF_16LE, WINDOWS_1252};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

fn written(separator: Option<&str>, encoding: Option<&str>) -> Written {
    Written {
        separator: separator.map(|text| text.parse().unwrap()),
        encoding: encoding.map(|name| name.parse().unwrap()),
    }
}

/// Every record as `line cell|cell`, and every line that is none as `line: what is wrong`.
fn all(file: &[u8], written: Written, wanted: &[&str]) -> Vec<String> {
    let mut records = open(file, written, wanted).unwrap();
    let mut all = Vec::new();
    while let Some(record) = records.next_record().unwrap() {
        all.push(match record {
            Ok(record) => {
                let cells: Vec<_> = record.cells.iter().map(String::from_utf8_lossy).collect();
                format!("{} {}", record.line, cells.join("|"))
            }
            Err((line, wrong)) => format!("{line}: {wrong}"),
        });
    }
    all
}

fn read(file: &str) -> Vec<String> {
    all(file.as_bytes(), Written::default(), &[])
}

#[test]
fn a_quote_that_is_never_closed_costs_its_own_line_only() {
    // To the end of the file.
    assert_eq!(
        read("a,b\n1,\"x\n2,y\n3,z\n"),
        ["1 a|b", "2: a quote that opens on line 2 is never closed", "3 2|y", "4 3|z"]
    );
    // Up to the quote that opens another cell.
    assert_eq!(
        read("a,b\n1,\"x\n2,y\n3,\"z, z\"\n4,\"two\nlines\"\n"),
        ["1 a|b", "2: a quote that opens on line 2 is never closed", "3 2|y", "4 3|z, z", "5 4|two\nlines"]
    );
    // Before a text, in the first cell, and behind a cell that has lines of its own.
    assert_eq!(read("\"a\n1,x\n"), ["1: a quote that opens on line 1 is never closed", "2 1|x"]);
    assert_eq!(
        read("a,b\n\"two\nlines\",\"x\n2,y\n"),
        [
            "1 a|b",
            "2: a quote that opens on line 3 is never closed",
            "3: a quote that opens on line 3 is never closed",
            "4 2|y"
        ]
    );
}

#[test]
fn quotes_within_a_cell_are_letters() {
    assert_eq!(
        read("a,b\n19\" screen,\"he said \"\"no\"\"\"\n\"x\" y,z\n"),
        ["1 a|b", "2 19\" screen|he said \"no\"", "3 x y|z"]
    );
}

#[test]
fn the_separator_is_found_out_or_said() {
    assert_eq!(read("a;b\n1,5;2\n"), ["1 a|b", "2 1,5|2"]);
    assert_eq!(read("a\tb\n1,5\t2\n"), ["1 a|b", "2 1,5|2"]);
    assert_eq!(read("sep=;\r\na,b;c\r\n1;2\r\n"), ["2 a,b|c", "3 1|2"]);
    // What is wanted decides, also where there is more of another.
    assert_eq!(all(b"a, b, c;Title\nx;y\n", Written::default(), &["title"]), ["1 a, b, c|Title", "2 x|y"]);
    assert_eq!(all(b"a;b,c\n1;2,3\n", written(Some("|"), None), &[]), ["1 a;b,c", "2 1;2,3"]);
    assert_eq!("\\t".parse::<Separator>().unwrap().to_string(), "tab");
    // What databases write where a text may hold any other character.
    assert_eq!(all(b"a\x01b\n1\x012,3\n", written(Some("\u{1}"), None), &[]), ["1 a|b", "2 1|2,3"]);
    // Blanks above the headings tell no separator.
    assert_eq!(read("   \n\na;b\n1,5;2\n"), ["3 a|b", "4 1,5|2"]);
    for bad in ["", "ab", "\"", "x", "ä", "\n", "\r", "\0"] {
        assert!(bad.parse::<Separator>().is_err(), "{bad}");
    }
}

#[test]
fn the_encoding_is_found_out_or_said() {
    let text = "Überschrift;größe\nStörung;5 €\n";
    let wanted = ["1 Überschrift|größe", "2 Störung|5 €"];
    let (western, ..) = WINDOWS_1252.encode(text);
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let marked = |mark: &[u8], text: &[u8]| [mark, text].concat();
    let files = [
        text.as_bytes().to_vec(),
        marked(b"\xef\xbb\xbf", text.as_bytes()),
        western.to_vec(),
        marked(b"\xff\xfe", &wide(u16::to_le_bytes)),
        marked(b"\xfe\xff", &wide(u16::to_be_bytes)),
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
    ];
    for file in files {
        assert_eq!(all(&file, Written::default(), &[]), wanted, "{file:?}");
    }
    assert_eq!(all(b"\xa3\n", written(None, Some("iso-8859-2")), &[]), ["1 Ł"]);
    assert_eq!("latin1".parse::<Encoding>().unwrap().to_string(), "windows-1252");
    assert_eq!("utf-16le".parse::<Encoding>().unwrap().to_string(), UTF_16LE.name());
    assert!("klingon".parse::<Encoding>().unwrap_err().to_string().contains("klingon"));
    // One damaged letter among good ones makes no other encoding of the file.
    assert_eq!(
        all("ä,ö\nü,".bytes().chain(*b"\xff\n").collect::<Vec<u8>>().as_slice(), Written::default(), &[])[1],
        "2 ü|\u{fffd}"
    );
}

#[test]
fn letters_of_other_systems_are_not_taken_for_western_ones() {
    let written_in = |name: &str, text: &str| {
        let encoding = encoding_rs::Encoding::for_label(name.as_bytes()).unwrap();
        encoding.encode(text).0.into_owned()
    };
    let refused = |file: &[u8]| open(file, Written::default(), &[]).map(|_| ()).unwrap_err().to_string();
    for (name, text) in [
        ("shift_jis", "件名,本文\nシステム,サーバーが落ちています\n"),
        ("shift_jis", "title,body\nシステムエラー,プリンター\n"),
        ("gbk", "标题,正文\n打印机,打印机不工作\n"),
        ("euc-kr", "제목,본문\n프린터,작동하지 않습니다\n"),
        ("windows-1251", "title,body\nПринтер,не печатает документы\n"),
        ("koi8-r", "title,body\nПринтер,не печатает документы\n"),
        ("iso-8859-7", "title,body\nεκτυπωτής,δεν λειτουργεί\n"),
        ("windows-1250", "tytul,tekst\nprośba,wyślij coś prześmieszne\n"),
        ("macintosh", "title,body\nStörung,Drucker stört größtenteils\n"),
        ("macintosh", "titre,texte\nRéseau,l'accès est refusé à la société\n"),
    ] {
        let file = written_in(name, text);
        assert!(refused(&file).contains("cannot be found out"), "{name}");
        assert!(whole(file.as_slice(), None, 1 << 20).is_err(), "{name}");
        assert_eq!(super::text(&file), None, "{name}");
        let named = Written { encoding: Some(name.parse().unwrap()), separator: None };
        assert_eq!(all(&file, named, &[]).len(), 2, "{name}");
    }
    // DOS, which the Encoding Standard does not know: "gestört" and "später".
    assert!(refused(b"a,b\ngest\x94rt,sp\x84ter\n").contains("cannot be found out"));
    // Signs of Western texts, and lines that are drawn with them.
    for text in [
        "„Störung“ – 5 €,don’t\n",
        "Œuvre,cœur brisé à Noël\n",
        "Sœur,les vœux du cœur et un coup d’œil\n",
        "———————,•••\n",
        "ÄÖ,ü\n",
        "Berlin–Hamburg,A–B\n",
    ] {
        assert_eq!(
            all(&written_in("windows-1252", text), Written::default(), &[]),
            [format!("1 {}", text.trim().replace(',', "|"))]
        );
    }
}

#[test]
fn wide_letters_of_any_script_are_known_by_their_line_ends() {
    for text in ["заголовок,текст\nпринтер,не печатает\n", "件名,本文\nプリンター,印刷できません\n"]
    {
        let wanted = read(text);
        let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        assert_eq!(all(&wide(u16::to_le_bytes), Written::default(), &[]), wanted);
        assert_eq!(all(&wide(u16::to_be_bytes), Written::default(), &[]), wanted);
    }
    // A zero character in a plain text makes no wide one of it.
    assert_eq!(read("a,b\nx\0,y\n"), ["1 a|b", "2 x\0|y"]);
    assert_eq!(read("a,b\n\0x,y\n\0z,y\n"), ["1 a|b", "2 \0x|y", "3 \0z|y"]);
}

#[test]
fn quotes_that_reach_to_the_end_again_and_again_are_read_line_by_line_at_last() {
    // Each line ends within a quote that only the next one closes, which opens another.
    let many = 60_000;
    let mut file = "a,b\n".to_owned();
    file.push_str(&"a\",\"\n".repeat(many));
    file.push_str("1,x\n2,\"y, z\"\n");
    let read = read(&file);
    assert_eq!(read.len(), many + 3);
    assert_eq!(read[many], format!("{0}: a quote that opens on line {0} is never closed", many + 1));
    assert_eq!(&read[many + 1..], [format!("{} 1|x", many + 2), format!("{} 2|y, z", many + 3)]);
}

#[test]
fn a_mark_in_front_of_a_later_record_is_no_part_of_it() {
    assert_eq!(
        read("\u{feff}a,b\n1,x\n\u{feff}\"a\nc\",b\n\u{feff}2,\u{feff}y\n"),
        ["1 a|b", "2 1|x", "3 a\nc|b", "5 2|\u{feff}y"]
    );
}

#[test]
fn a_first_line_that_is_too_long_is_said_to_be_so() {
    let long = "x".repeat(extent::RECORD_BYTES_MAX + (1 << 18));
    assert_eq!(read(&format!("{long}\na,b\n1,2\n"))[0], "1: the row has more than 4 MiB");
}

#[test]
fn what_is_no_text_is_said_to_be_what_it_is() {
    for (file, wanted) in [
        (b"PK\x03\x04\0".as_slice(), "a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1".as_slice(), "an old spreadsheet"),
        (b"%PDF-1.7\n".as_slice(), "a PDF"),
        (b"\x28\xb5\x2f\xfd\0".as_slice(), "zstd"),
        (b"\xff\xfe\0\0a\0\0\0".as_slice(), "UTF-32"),
    ] {
        let told = open(file, Written::default(), &[]).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains(wanted) && told.contains("save it as"), "{told}");
        assert!(whole(file, None, 100).is_err());
    }
}

#[test]
fn a_whole_text_is_read_as_rows_are_and_has_a_bound() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all("\u{feff}größe".as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(whole(packed.as_slice(), None, 100).unwrap(), "größe");
    let (western, ..) = WINDOWS_1252.encode("größe");
    assert_eq!(whole(&*western, Some("windows-1252".parse().unwrap()), 100).unwrap(), "größe");
    assert_eq!(whole(&b"four"[..], None, 4).unwrap(), "four");
    assert!(whole(&b"fives"[..], None, 4).unwrap_err().to_string().contains("take it in parts"));
}

#[test]
fn a_packed_file_is_known_by_its_first_bytes() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(b"a;b\n1;2\n").unwrap();
    assert_eq!(all(&packed.finish().unwrap(), Written::default(), &[]), ["1 a|b", "2 1|2"]);
}

#[test]
fn a_row_that_is_too_long_is_left_out_by_itself() {
    let long = "x".repeat(extent::RECORD_BYTES_MAX + 10);
    assert_eq!(read(&format!("a\n{long}\nb\n")), ["1 a", "2: the row has more than 4 MiB", "3 b"]);
    assert_eq!(
        read(&format!("a\n\"{long}\nb\n")).iter().map(|row| row.get(..20).unwrap_or(row)).collect::<Vec<_>>(),
        ["1 a", "2: the row has more ", "3 b"]
    );
}

proptest! {
    /// A file that a writer of CSV makes reads back, in every usual form.
    #[test]
    fn what_was_written_reads_back(
        rows in proptest::collection::vec(proptest::collection::vec("[a-z \",;\n\tä|]{0,12}", 3), 1..20),
        separator in proptest::sample::select(vec![b',', b';', b'\t', b'|']),
        crlf: bool,
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(separator)
            .terminator(terminator)
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let file = writer.into_inner().unwrap();
        let named = Written { separator: Some(char::from(separator).to_string().parse().unwrap()), encoding: None };
        let mut records = open(file.as_slice(), named, &[]).unwrap();
        for row in &rows {
            let record = records.next_record().unwrap().unwrap().unwrap();
            let cells: Vec<String> = record.cells.iter().map(|c| String::from_utf8(c.to_vec()).unwrap()).collect();
            prop_assert_eq!(&cells, row);
        }
        prop_assert!(records.next_record().unwrap().is_none());
    }

    /// Reading ends on any bytes and never goes back above a line.
    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(proptest::sample::select(b"a\",;\n\r\xff\0".to_vec()), 0..300)) {
        let mut records = open(bytes.as_slice(), Written::default(), &[]).unwrap();
        let mut last = 0;
        while let Some(record) = records.next_record().unwrap() {
            let line = match record { Ok(record) => record.line, Err((line, _)) => line };
            prop_assert!(line > last, "{} after {}", line, last);
            last = line;
        }
    }
}
