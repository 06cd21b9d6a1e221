//! Single mistakes in keys, ids and references, each with the one message that it gives.

use super::{check, printed, sound};
use crate::config::Outside;

/// File, what is replaced, by what, the message.
pub type Case = (&'static str, &'static str, &'static str, &'static str);

#[track_caller]
pub fn each_gives_its_message(cases: &[Case]) {
    let mut wrong = Vec::new();
    for (file, from, to, message) in cases {
        let mut files = sound();
        let text = files.texts.get_mut(*file).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        *text = text.replacen(from, to, 1);
        let printed = printed(check(&files, &Outside::default()));
        if printed != [*message] {
            wrong.push(format!("{file}: {from} -> {to}\n  wanted {message}\n  found  {}", printed.join("\n         ")));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const KEYS_AND_TYPES: &[Case] = &[
    (
        "people.toml",
        "manager =",
        "manger =",
        "people.toml:15:1: person.amara.manger: there is no such key; did you mean `manager`? \
             allowed: id, name, email, department, manager, title, location, groups, vip, active, attributes, delegation, same-as, valid-from, valid-until",
    ),
    ("people.toml", "name = \"Amara\"", "", "people.toml:10:1: person.amara.name: is missing"),
    ("people.toml", "\"Amara\"", "7", "people.toml:12:8: person.amara.name: takes text, not a number"),
    ("people.toml", "\"Amara\"", "\" \"", "people.toml:12:8: person.amara.name: is empty"),
    (
        "people.toml",
        "\"Amara\"",
        "\"A\\u001b[2J\"",
        "people.toml:12:8: person.amara.name: has a control character (U+001B): leave it out",
    ),
    (
        "people.toml",
        "\"Amara\"",
        "\"A\\nBcc: all@example.org\"",
        "people.toml:12:8: person.amara.name: has a line end: write it on one line",
    ),
    ("people.toml", "\"4711\"", "1", "people.toml:8:30: person.lena.attributes.cost-centre: takes text, not a number"),
    (
        "people.toml",
        "{ cost-centre = \"4711\" }",
        "[]",
        "people.toml:8:14: person.lena.attributes: takes a table of texts, not a list",
    ),
    (
        "taxonomy.toml",
        "tags",
        "# Ümlaute sind Zeichen\n\"täg\" = 1\ntags",
        "taxonomy.toml:2:1: täg: there is no such key; did you mean `tags`? allowed: tags, requester-tags, category",
    ),
    (
        "teams.toml",
        "member = [{",
        "member = [1, {",
        "teams.toml:7:11: team.desk.member[0]: takes a table, not a number",
    ),
    ("teams.toml", "strategy", "tier = 0\nstrategy", "teams.toml:6:8: team.desk.tier: is 0; allowed is 1 to 9"),
    ("teams.toml", "strategy", "tier = -1\nstrategy", "teams.toml:6:8: team.desk.tier: is -1; allowed is 1 to 9"),
    (
        "teams.toml",
        "strategy",
        "tier = 1.5\nstrategy",
        "teams.toml:6:8: team.desk.tier: takes a whole number, not a number",
    ),
    (
        "teams.toml",
        "least-loaded",
        "random",
        "teams.toml:6:12: team.desk.strategy: is `random`; allowed: round-robin, least-loaded",
    ),
    (
        "desk.toml",
        "[calendar]",
        "[rules]\ntrusted-keys = [\"ops:short\"]\n[calendar]",
        "desk.toml:4:17: rules.trusted-keys[0]: `ops:short` is no key; write a name, a colon and the 44 characters that `ruledesk rule keygen` printed",
    ),
    (
        "desk.toml",
        "[calendar]",
        "[rules]\ntrusted-keys = []\n[calendar]",
        "desk.toml:4:16: rules.trusted-keys: is empty",
    ),
    ("desk.toml", "name = \"Example\"", "name = \"Example", "desk.toml:1:16: invalid basic string, expected `\"`"),
    ("desk.toml", "name = \"Example\"", "name = \"A\"\nname = \"B\"", "desk.toml:2:1: duplicate key"),
];

#[test]
fn every_wrong_key_or_type_gives_its_message() {
    each_gives_its_message(KEYS_AND_TYPES);
}

const IDS_AND_REFERENCES: &[Case] = &[
    (
        "people.toml",
        "\"amara\"",
        "\"amara o\"",
        "people.toml:11:6: person[1].id: `amara o` is not an id: use 1 to 100 letters, digits, `-`, `_`, `.` or `@`",
    ),
    (
        "teams.toml",
        "[[team]]",
        "[[team]]\nid = \"desk\"\nname = \"D\"\n\n[[team]]",
        "teams.toml:8:6: team[1].id: `desk` is given twice, first in line 4",
    ),
    ("people.toml", "id = \"amara\"\n", "", "people.toml:10:1: person[1].id: is missing"),
    (
        "people.toml",
        "amara@",
        "amara at ",
        "people.toml:13:9: person.amara.email: `amara at example.org` is not a mail address; write one such as `amara@example.org`",
    ),
    (
        "people.toml",
        "amara@example.org",
        "Lena@Example.org",
        "people.toml:13:9: person.amara.email: is the address of `lena`, too: give each their own, say `same-as` where they are one human, or `active = false` of one who has left",
    ),
    (
        "people.toml",
        "\"lena\"\ngroups",
        "\"boss\"\ngroups",
        "people.toml:15:11: person.amara.manager: there is no person `boss`; allowed: amara, lena",
    ),
    (
        "people.toml",
        "department = \"Finance\"",
        "department = \"Finanz\"",
        "people.toml:14:14: person.amara.department: there is no department `Finanz`; did you mean `Finance`? allowed: Finance",
    ),
    (
        "people.toml",
        "manager = \"lena\"",
        "manager = \"amara\"",
        "people.toml:15:11: person.amara.manager: the managers go in a circle: amara -> amara",
    ),
    (
        "people.toml",
        "name = \"Lena\"",
        "name = \"Lena\"\nmanager = \"amara\"",
        "people.toml:16:11: person.amara.manager: the managers go in a circle: amara -> lena -> amara",
    ),
    (
        "people.toml",
        "name = \"Lena\"",
        "name = \"Lena\"\nactive = false",
        "desk.toml:23:21: defaults.access-approvers[0]: `lena` has left (active = false); name somebody who is there",
    ),
    ("desk.toml", "[\"lena\"]", "[]", "desk.toml:23:20: defaults.access-approvers: is empty"),
    (
        "desk.toml",
        "team = \"desk\"",
        "team = \"dsk\"",
        "desk.toml:20:8: defaults.team: there is no team `dsk`; did you mean `desk`? allowed: desk",
    ),
    (
        "desk.toml",
        "priority = \"high\"",
        "priority = \"low\"",
        "desk.toml:21:12: defaults.priority: there is no priority `low`; allowed: high",
    ),
    (
        "desk.toml",
        "category = \"hardware\"",
        "category = \"x\"",
        "desk.toml:22:12: defaults.category: there is no category `x`; allowed: hardware, hardware.laptop",
    ),
    (
        "teams.toml",
        "person = \"lena\"",
        "person = \"len\"",
        "teams.toml:7:22: team.desk.member[0].person: there is no person `len`; did you mean `lena`? allowed: amara, lena",
    ),
    (
        "teams.toml",
        "member = [{",
        "member = [{ person = \"lena\" }, {",
        "teams.toml:7:43: team.desk.member[1].person: `lena` is given twice, first in line 7",
    ),
    (
        "teams.toml",
        "skills = [\"vpn\"] }",
        "skills = [\"vpm\"] }",
        "teams.toml:7:40: team.desk.member[0].skills[0]: there is no skill `vpm`; did you mean `vpn`? allowed: vpn",
    ),
    (
        "taxonomy.toml",
        "hardware.laptop",
        "hardwear.laptop",
        "taxonomy.toml:8:1: category.hardwear.laptop.id: lies below `hardwear`, which is no category; add it",
    ),
    (
        "taxonomy.toml",
        "team = \"desk\"",
        "team = \"desktop\"",
        "taxonomy.toml:6:8: category.hardware.team: there is no team `desktop`; allowed: desk",
    ),
    (
        "taxonomy.toml",
        "[\"vpn\"]",
        "[\"vpn\", \"vpn\"]",
        "taxonomy.toml:1:16: tags[1]: `vpn` is given twice, first in line 1",
    ),
    (
        "request-types.toml",
        "category = \"hardware\"",
        "category = \"software\"",
        "request-types.toml:5:12: request-type.access.category: there is no category `software`; allowed: hardware, hardware.laptop",
    ),
    (
        "apps.toml",
        "owner = \"lena\"",
        "owner = \"leda\"",
        "apps.toml:6:9: app.github.owner: there is no person `leda`; did you mean `lena`? allowed: amara, lena",
    ),
    (
        "apps.toml",
        "risk = \"low\"",
        "risk = \"high\"",
        "apps.toml:11:8: app.github.tier.read.risk: there is no risk class `high`; allowed: low",
    ),
    (
        "apps.toml",
        "[\"staff\"]",
        "[\"stuff\"]",
        "apps.toml:13:11: app.github.tier.read.groups[0]: there is no group `stuff`; did you mean `staff`? allowed: staff",
    ),
];

#[test]
fn every_wrong_id_or_reference_gives_its_message() {
    each_gives_its_message(IDS_AND_REFERENCES);
}
