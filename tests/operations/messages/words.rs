//! The words of messages: a preview of each, an organisation's own in place of the program's, and mistakes that are found before
//! anything is sent.

use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::Database;

#[test]
fn a_configuration_has_words_of_its_own_and_its_mistakes_are_found_with_their_line() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text);
    let preview = |locale: &str| {
        let output = desk.command(&["messages", "preview", "resolved", "--locale", locale]);
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (_, german, _) = preview("de");
    assert!(german.starts_with("Subject: [IT-1042] VPN is down\n\nGuten Tag Amara Okafor"), "{german}");
    let folder = desk.settings().with_file_name("templates").join("fr");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |text: &str| std::fs::write(folder.join("resolved.txt"), text).unwrap();
    write("Subject: {{ ticket.key }}\nBonjour {{ recipient.name }}");
    assert!(preview("fr").1.contains("Bonjour Amara Okafor"), "{}", preview("fr").1);
    write("Subject: {{ ticket.key }}\n\n{{ ticket.clef }}");
    let (fine, _, said) = preview("fr");
    assert!(!fine && said.contains("templates/fr/resolved.txt:3"), "{said}");
    let reload = desk.as_role("mei").post("/api/v1/config/reload", &serde_json::json!({}));
    assert_eq!(reload.status, 422, "{}", reload.text);
    let output = desk.command(&["messages", "preview", "something"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("approval-wanted"), "the kinds are named");
}

#[test]
fn mistakes_in_the_settings_of_mail_say_what_to_write() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text);
    let text = std::fs::read_to_string(desk.settings()).unwrap();
    let mail = "\n[mail]\nfrom = \"IT <desk@meridian.example>\"\n";
    for (settings, why) in [
        ("\n[mail]\nfrom = \"desk\"\nserver = \"mail.example\"\n".to_owned(), "is not a mail address"),
        (mail.to_owned(), "or `directory` is needed"),
        (format!("{mail}server = \"mail.example:smtp\"\n"), "is not the address of a machine"),
        (format!("{mail}directory = \"x\"\ndigest-at = \"8\"\n"), "write a time of day"),
        (format!("{mail}server = \"mail.example\"\nuser = \"desk\"\n"), "without a password"),
        (format!("{mail}server = \"mail.example\"\nuser = \"desk\"\npassword-file = \"none\"\n"), "password-file"),
    ] {
        std::fs::write(desk.settings(), text.clone() + &settings).unwrap();
        let output = desk.command(&["serve", "--listen", "127.0.0.1:0"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{settings}: {said}");
    }
    std::fs::write(desk.settings(), text).unwrap();
}
