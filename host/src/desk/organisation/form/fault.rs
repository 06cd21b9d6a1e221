//! The faults that the desk itself finds in what it is sent, each with its sentence. Programs get the sentence in English; pages have
//! it in the reader's language, by the fault's key.

macro_rules! faults {
    ($($name:ident $code:literal $text:literal;)*) => {
        /// A fault in what was sent, whose sentence has places `{0}`, `{1}` and so on for values.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fault {
            $($name,)*
        }

        impl Fault {
            /// Every fault there is.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];

            /// The key of its sentence in catalogues of words.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Fault::$name => concat!("fault.", $code),)*
                }
            }

            /// Its sentence in English, which the catalogue of English has from here.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Fault::$name => $text,)*
                }
            }
        }
    };
}

faults! {
    NotAsked "not-asked" "Leave out {0}: it is asked only where {1}.";
    FillIn "fill-in" "Fill in {0}.";
    NoFields "no-fields" "The form `{0}` has no fields.";
    NoSuchField "no-such-field" "The form `{0}` has the fields {1}.";
    GivenTwice "given-twice" "Give this field once.";
    TakesText "takes-text" "{0} takes text.";
    TakesPerson "takes-person" "{0} takes the id of a person.";
    TakesApp "takes-app" "{0} takes the id of an app.";
    TakesFile "takes-file" "{0} takes the id of a file that was sent before.";
    TakesNumber "takes-number" "{0} takes a number.";
    TakesFlag "takes-flag" "{0} takes true or false.";
    TakesDay "takes-day" "{0} takes a day as YYYY-MM-DD.";
    TakesOption "takes-option" "{0} takes one of its options, as text.";
    TakesOptions "takes-options" "{0} takes a list of its options.";
    TakesOptionTexts "takes-option-texts" "{0} takes a list of its options, each as text.";
    TooManyCharacters "too-many-characters" "{0} takes at most {1} characters; this has {2}.";
    NotExact "not-exact" "{0} has to lie between -{1} and {1}, to be exact.";
    TooSmall "too-small" "{0} has to be at least {1}; this is {2}.";
    TooBig "too-big" "{0} has to be at most {1}; this is {2}.";
    NoDay "no-day" "{0} takes a day that exists, as YYYY-MM-DD.";
    NotAnOption "not-an-option" "{0} is one of: {1}.";
    NoSubject "no-subject" "Say in one line what it is about.";
    LongSubject "long-subject" "A subject has at most {0} characters; this has {1}.";
    LongBody "long-body" "A body has at most {0} characters; this has {1}.";
    ZeroCharacter "zero-character" "Leave out the zero characters (U+0000).";
    OneLine "one-line" "Write it in one line.";
    ControlCharacter "control-character" "Leave out the control characters ({0}).";
    Empty "empty" "write something";
    Long "long" "has more than {0} characters";
    NoApp "no-app" "Name an app of the catalog: {0}.";
    NoTier "no-tier" "{0} has the tiers {1}.";
    Nobody "nobody" "`{0}` is nobody in the directory.";
    NoEmergency "no-emergency" "{0} of {1} is not given in an emergency: ask for it without.";
    EmergencyLater "emergency-later" "What cannot wait begins at once: ask for it without a beginning, or not in an emergency.";
    NotForThem "not-for-them" "{0} is only for those of certain groups, and {1} is in none of them.";
    NoInstant "no-instant" "Give a day such as 2026-03-01, or an instant such as 2026-03-01T08:00:00Z.";
    NoHours "no-hours" "Give a number of hours between 1 and 87600.";
    NotReviewed "not-reviewed" "The last emergency is not looked at yet: ask for it without, and people decide.";
    AskedAlready "asked-already" "{0} asks for the same access and waits for approval: it is enough.";
    AsksAsPerson "asks-as-person" "A person asks for access, and this is none.";
    ManyRequests "many-requests" "{0} requests would come of it: ask for 1 to {1} at once.";
    NoAccessForm "no-access-form" "No form of this desk asks for access.";
    AskedTwice "asked-twice" "{0}/{1} is asked for twice for {2}.";
    NotThere "not-there" "{0} does not exist: there are {1}";
    TeamGone "team-gone" "its team `{0}` is no more: name one of {1}";
    NoReason "no-reason" "say why, for whoever reads it later";
    TooMany "too-many" "has {0}: at most {1}";
    NoTag "no-tag" "{0} is not a tag of the taxonomy";
    NotInTeam "not-in-team" "{0} is not in the team {1}: choose one of {2}, or change the team as well";
    NotInLargeTeam "not-in-large-team" "{0} is not in the team {1}: choose one of {2}, {3} more, or change the team as well";
    NotInEmptyTeam "not-in-empty-team" "{0} is not in the team {1}: it has no members, or change the team as well";
    NoRequestType "no-request-type" "is not a request type: use one of {0}";
    ChannelNotYours "channel-not-yours" "is `{0}` for what you send this way: leave it out";
    NoChannel "no-channel" "names a channel, or is left out";
    LongText "long-text" "has {0} characters: at most {1}";
    LargeFile "large-file" "`{0}` has {1} bytes: at most {2}";
    NamelessFile "nameless-file" "each has a name";
    NoSuchPerson "no-such-person" "{0} takes the id of a person of the directory; `{1}` is none.";
    NoSuchApp "no-such-app" "{0} takes the id of an app of the catalog; `{1}` is none.";
    NoSuchKey "no-such-key" "{0} takes a key of the table {1}; `{2}` is none.";
    Left "left" "has left the organisation";
    NoRequester "no-requester" "`{0}` is nobody in the directory";
    TagNotYours "tag-not-yours" "`{0}` is for those who work on tickets: leave it out";
    FullTicket "full-ticket" "are {0} already: a ticket has no more";
    EmptyFile "empty-file" "has an empty file: nothing of it arrived";
    FileType "file-type" "has a file of the type `{0}`, which this desk does not take";
    OtherFileType "other-file-type" "has a file of the type `{0}`: this desk takes {1}";
    NoFile "no-file" "names `{0}`, which is no file that you have uploaded";
    FileTaken "file-taken" "names a file that a ticket has already: upload it once more";
    LikeNothing "like-nothing" "say which submissions are like it: all would be";
    NoCategory "no-category" "`{0}` is no category of the taxonomy";
    NoForm "no-form" "`{0}` is no request type";
    WordLength "word-length" "each has 1 to {0} characters";
    SaidLength "said-length" "its name and its value have 1 to {0} characters";
    NoAnnouncement "no-announcement" "say what those who are hit by it read";
    ManyOutages "many-outages" "is too much: {0} outages are declared already, end one of them";
    NoSuchDay "no-such-day" "the ticket goes by no day {0}: there is {1}";
    NoDays "no-days" "the ticket goes by no day {0}: there is none";
    FarDay "far-day" "is more than {0} days from today: name one that is nearer";
    NotHere "not-here" "`{0}` is no person who is here";
    ManyWatchers "many-watchers" "at most {0} people follow a ticket";
    NoTask "no-task" "say what is to be done";
    ManyTasks "many-tasks" "a ticket has at most {0} tasks";
    Score "score" "is 1 to {0}, which is the best";
    NoRecordPart "no-record-part" "say it, for the next who meets the same";
    Minutes "minutes" "takes 1 to {0}";
    MinutesOff "minutes-off" "only {0} minutes can be taken off";
    Language "language" "is a language tag, such as `en` or `de-CH`, or empty";
    NoneOf "none-of" "is none: there are {0}";
    ReviewDay "review-day" "is no day of the years {0} to {1}";
    ManyInFront "many-in-front" "at most {0} lists stand in front: take one from there first";
    ManyViews "many-views" "a person keeps at most {0} of them";
    NameLength "name-length" "has 1 to {0} characters";
    NoAudience "no-audience" "is empty, `staff`, or `team:` and a team that there is";
    ChooseOne "choose-one" "choose one of {0}";
    NoLanguage "no-language" "the desk speaks {0}";
    NoKind "no-kind" "the kinds are {0}";
    Ragged "ragged" "the row has {0} cells, the first line has {1}";
    UnnamedColumn "unnamed-column" "column {0} has no name";
    NoColumns "no-columns" "the table has no columns; its first line names them";
    NotText "not-text" "is `{0}`; this column takes text";
    NotWhole "not-whole" "is `{0}`; this column takes a whole number, such as `12`";
    NotANumber "not-a-number" "is `{0}`; this column takes a number, such as `2.5`";
    NotAFlag "not-a-flag" "is `{0}`; this column takes `true` or `false`";
    NotADay "not-a-day" "is `{0}`; this column takes a day, such as `2026-03-01`";
    LongCell "long-cell" "is longer than {0} bytes";
    ZeroInText "zero-in-text" "has a zero character, which no text may have";
    Blank "blank" "is empty";
    ManyEntries "many-entries" "has {0} entries; allowed are at most {1}";
    Repeated "repeated" "`{0}` is given twice, first in line {1}";
    NoSuchColumn "no-such-column" "is no column of this table; `columns` names them";
    ManyBytes "many-bytes" "has more than {0} bytes";
    UnreadableDraft "unreadable-draft" "the draft of the words of messages cannot be read: publish it or throw it away first";
    SpoilsAgreed "spoils-agreed" "The files to which two people have agreed last do not fit this document ({0}): have those of the directory read again first.";
    OrphanPerson "orphan-person" "{0} open tickets have the person `{1}`: leave the person in and say `active = false`";
    OrphanRequestType "orphan-request-type" "{0} open tickets have the request type `{1}`: resolve them first";
    OrphanTeam "orphan-team" "{0} open tickets have the team `{1}`: give them another first";
    OrphanCategory "orphan-category" "{0} open tickets have the category `{1}`: give them another first";
    OrphanPriority "orphan-priority" "{0} open tickets have the priority `{1}`: give them another first";
    OrphanOf "orphan-of" "{0} open tickets have the {2} `{1}`: give them another first";
    Period "period" "is not before `to`, or more than {0} days before it";
    ManyGroups "many-groups" "has {0} groups on each of {1} days: name fewer days";
    LargeTable "large-table" "The table is larger than {0} bytes.";
    TableName "table-name" "Name a table by 1 to 64 lower-case letters, digits and hyphens.";
    WrongPassword "wrong-password" "is not your present password";
    PasswordLength "password-length" "has {0} characters: use {1} to {2}, such as some words in a row";
    FormGone "form-gone" "The form was taken away a moment ago: choose another.";
    NotVouchedFor "not-vouched-for" "is not shown to be who wrote it: send it by the mail system of your organisation";
    UnknownAuthor "unknown-author" "{0} is the address of no one person of this desk: use the one it knows";
    ManyFiles "many-files" "has {0} files: at most {1}";
    KeptMail "kept-mail" "Your mail is kept as a draft: complete it at {0}/drafts/{1} and send it from there.";
    WaitsUntilNoDay "waits-until-no-day" "Only a ticket that waits for its requester or for a vendor waits until a day: leave the day out.";
    WaitDay "wait-day" "The day until which it waits has to be after today, and at most {0} days from it.";
    SecretsInFile "secrets-in-file" "Its secrets are in the file that `secret-file` names, and are changed there.";
    NoInsight "no-insight" "There is no insight `{0}`: name {1}.";
    LargeDepartment "large-department" "has more than {0} people: list the tickets of one of them";
    NoManifestName "no-manifest-name" "the manifest has no `name`";
    UnknownName "unknown-name" "Nobody here is called {0}. Give an id, a mail address, or a whole name that only one person has.";
    GoneFile "gone-file" "A file of this draft is not kept any more, because files wait for a day. Choose it again.";
    ManyDrafts "many-drafts" "It cannot be saved: up to {0} drafts are kept, each with up to 512 KiB. Send or throw away another one first.";
    GoneDraft "gone-draft" "This draft was sent or thrown away meanwhile: look at your tickets. Send it again only if it is to be a new one.";
    UnreadDay "unread-day" "The day cannot be read: write it as 2027-01-18.";
    UnreadTicket "unread-ticket" "A ticket is named by its key, such as IT-42.";
}

impl Fault {
    /// The fault of which this is the sentence in English, with the values in its places; of several, the one of which most is the same
    /// each time. Where problems are kept, they are kept as these sentences, which programs of every release read.
    pub fn read(sentence: &str) -> Option<(Fault, Vec<String>)> {
        let known = Self::ALL.iter().filter_map(|fault| Some((*fault, values(fault.text(), sentence)?)));
        known.max_by_key(|(fault, _)| filled(fault.text(), &[]).len())
    }
}

/// The values with which a text is this sentence; `None` where it is another one.
fn values(text: &str, sentence: &str) -> Option<Vec<String>> {
    let (first, mut places) = text.split_once('{').unwrap_or((text, ""));
    let mut left = sentence.strip_prefix(first)?;
    let mut values: Vec<String> = Vec::new();
    while !places.is_empty() {
        let (place, rest) = places.split_once('}')?;
        let (until, others) = rest.split_once('{').unwrap_or((rest, ""));
        // Behind the last place the sentence ends; the value in another one ends where the sentence goes on.
        let (value, after) = if others.is_empty() { (left.strip_suffix(until)?, "") } else { left.split_once(until)? };
        let place: usize = place.parse().ok()?;
        values.resize(values.len().max(place + 1), String::new());
        value.clone_into(values.get_mut(place)?);
        (left, places) = (after, others);
    }
    (left.is_empty() && filled(text, &values) == sentence).then_some(values)
}

/// A sentence with its places filled in. Places within the values are left as they are; one for which there is no value is empty.
pub fn filled(text: &str, values: &[String]) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        let value = place.parse().ok().and_then(|place: usize| values.get(place));
        said.push_str(before);
        said.push_str(value.map_or("", String::as_str));
        rest = after;
    }
    said.push_str(rest);
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_a_key_of_its_own() {
        let keys: std::collections::BTreeSet<&str> = Fault::ALL.iter().map(|fault| fault.key()).collect();
        assert_eq!(keys.len(), Fault::ALL.len());
    }

    /// A sentence that is kept is known again, with its values, also where another one is much like it.
    #[test]
    fn each_sentence_is_read_as_its_fault() {
        let values = ["Größe", "a, b", "c", "d"].map(str::to_owned);
        for fault in Fault::ALL {
            let (found, read) = Fault::read(&filled(fault.text(), &values)).unwrap();
            assert_eq!(found, *fault);
            assert_eq!(read.as_slice(), values.get(..read.len()).unwrap(), "{fault:?}");
        }
        assert_eq!(Fault::read("Please ask your manager first."), None);
        assert_eq!(Fault::read(""), None);
    }

    #[test]
    fn values_stand_in_their_places_and_are_not_filled_in_again() {
        let values = ["{1}".to_owned(), "b".to_owned()];
        assert_eq!(filled("{1} before {0}, {1}{2}", &values), "b before {1}, b");
        assert_eq!(filled("none", &values), "none");
    }
}
