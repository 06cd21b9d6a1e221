//! Mail that a mail system hands over becomes a ticket of its author's, or their words on one.
//!
//! A mail is taken once: its key is written in the transaction of the ticket or of the words that it makes, and kept for ever.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::attachments::{Declared, Incoming};
use super::digest;
use super::draft_content::DraftContent;
use super::drafts::{Room, StoredDraft};
use crate::app::error::{Broken, Busy};
use crate::app::tickets::change::{Key, MAIL};
use crate::app::tickets::work::Words;
use crate::app::{App, Error};
use crate::config::outgoing::mail_in::MailIn;
use crate::desk::actor::{Actor, Role};
use crate::desk::change::message::MessageKind;
use crate::desk::id::{AttachmentId, DraftId, MessageId, TicketId, TicketNumber};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission;
use crate::desk::text::{is_blank, quoted};
use crate::desk::ticket::intake::{ATTACHMENTS_MAX, Submission};
use crate::desk::ticket::timeline::Visibility;
use crate::mail::nature::{Bounce, Nature};
use crate::mail::thread::{Evidence, Named};
use crate::mail::{self, Mail};

/// The way by which submissions and words come in here.
const CHANNEL: &str = "mail";
/// The name and the type of the file that a mail is, as it came.
const ORIGINAL: &str = "mail.eml";
const ORIGINAL_TYPE: &str = "message/rfc822";
/// The bytes of a file that are written at a time.
const PIECE_BYTES: usize = 256 << 10;

/// The outcome of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenMail {
    /// It made a ticket.
    Opened(TicketNumber),
    /// It is its author's words on a ticket.
    Said(TicketNumber),
    /// It had come before, and this is where it went.
    Repeated(TicketNumber),
    /// It says that so many letters of the desk were not delivered, which they say of themselves now.
    CameBack(usize),
    /// It is refused as a ticket and kept as a draft of its author's, who hears of that by a letter.
    Kept(DraftId),
    /// Nothing: no person wrote it, by this sign.
    Ignored { sign: &'static str },
}

/// The ticket that a mail is about.
#[derive(Debug, Clone, Copy)]
struct Target {
    ticket: TicketNumber,
    /// The kind of the letter that it answers, where that is known.
    answers: Option<MessageKind>,
}

/// A mail with the person who wrote it.
struct Arrived<'a> {
    author: &'a Actor,
    mail: &'a Mail,
    raw: &'a [u8],
}

fn wrong(problem: Problem) -> Error {
    Error::Rejected { problems: vec![problem] }
}

impl App {
    /// Refuses all but mail systems, before anything of a mail is read.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub fn may_take_mail(&self, mail_system: &Actor) -> Result<(), Error> {
        permission::take_mail(mail_system)?;
        Ok(())
    }

    /// The largest mail, in bytes: that of a file, since a mail is kept as one.
    pub fn mail_bytes_max(&self) -> usize {
        usize::try_from(self.quotas.attachments().bytes_max).unwrap_or(usize::MAX)
    }

    /// Takes a mail that a mail system hands over.
    ///
    /// Mail that no person wrote is neither a ticket nor an answer. A person's mail that answers a ticket on which they may speak is
    /// their public words there; an agent's answer to a letter by which they were named is a private note, since a private note may
    /// have named them. All other mail is a new ticket: a ticket that its author may not see, or that is over, is not said to be there.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for all but mail systems; [`Error::Missing`] where the desk takes no mail; [`Error::Rejected`] for what
    /// cannot be read, for an author whom the desk does not know, and for what form or rules refuse and the desk cannot keep or cannot
    /// write to its author about; [`Error::TooMuch`]; [`Error::Busy`].
    pub async fn take_mail(self: &Arc<Self>, mail_system: &Actor, raw: Vec<u8>) -> Result<TakenMail, Error> {
        permission::take_mail(mail_system)?;
        let correspondence = self.correspondence.load_full();
        let Some(settings) = &correspondence.incoming else {
            return Err(Error::Missing { what: "section of the configuration", name: "mail-in".to_owned() });
        };
        let raw = Arc::new(raw);
        let to_read = Arc::clone(&raw);
        let read = tokio::task::spawn_blocking(move || mail::read(&to_read)).await.map_err(Broken::Task)?;
        let mail = read.map_err(|why| wrong(Problem::new("mail", "unreadable", why.to_string())))?;
        match mail.nature(&settings.addresses, &settings.lists) {
            Nature::Own => return Ok(ignored("its own mail, come back")),
            Nature::Machine { sign } => return Ok(ignored(sign)),
            Nature::Bounce(bounce) => return self.letters_came_back(bounce).await,
            Nature::Person => {}
        }
        let author = self.author_of(&mail, settings)?;
        let arrived = Arrived { author: &author, mail: &mail, raw: &raw };
        let key = match self.key_of(&arrived).await? {
            Ok(key) => key,
            Err(made) => return Ok(TakenMail::Repeated(made)),
        };
        if let Some(person) = author.person() {
            self.count_mail(person, settings.per_hour)?;
        }
        match Box::pin(self.place(&arrived, settings, key)).await {
            // Another mail with the same id comes in at this moment: by the next time it is known whose it is.
            Err(Error::KeyReused) => Err(Busy::Ticket.into()),
            other => other,
        }
    }

    /// The person who wrote a mail, as the actor that they are by mail: those of a team are agents, all others requesters.
    fn author_of(&self, mail: &Mail, settings: &MailIn) -> Result<Actor, Error> {
        if let Some(system) = &settings.authserv_id
            && !mail.is_vouched_for_by(system)
        {
            return Err(wrong(Problem::of("from", "not-vouched-for", Fault::NotVouchedFor, &[])));
        }
        let organisation = self.organisation();
        let person = mail.from.as_deref().and_then(|from| organisation.person_at(from)).filter(|person| person.active);
        let Some(person) = person else {
            let from = mail.from.as_deref().unwrap_or_default();
            return Err(wrong(Problem::of("from", "unknown", Fault::UnknownAuthor, &[&quoted(from)])));
        };
        let works = organisation.teams.values().flat_map(|team| &team.members).any(|member| member.person == person.id);
        let roles: BTreeSet<Role> = std::iter::once(Role::Requester).chain(works.then_some(Role::Agent)).collect();
        Ok(Actor::Person { id: person.id.clone(), roles })
    }

    /// The key of a mail, or where it went before. The id of a mail is its author's to choose, so that another person's mail with
    /// the same one is another mail; so is one that was written at another time, by a program that has one id for all.
    async fn key_of(&self, arrived: &Arrived<'_>) -> Result<Result<Key, TicketNumber>, Error> {
        let person = arrived.author.person().map(ToString::to_string).unwrap_or_default();
        let Mail { identity, written, .. } = arrived.mail;
        let whose = format!("{MAIL}{}", digest(format!("{person} {identity} {written}").as_bytes()));
        for name in [name_of(identity), whose.clone()] {
            match self.store.made_by_desk(&name).await? {
                None => return Ok(Ok((name, whose))),
                Some((of, ticket)) if of == whose => return Ok(Err(self.made_before(ticket).await?.ticket.number)),
                Some(_) => {}
            }
        }
        Err(Error::KeyReused)
    }

    /// Puts a mail where it belongs.
    async fn place(self: &Arc<Self>, arrived: &Arrived<'_>, settings: &MailIn, key: Key) -> Result<TakenMail, Error> {
        let target = self.target_of(&arrived.mail.evidence).await?;
        let mut files = Vec::new();
        let has_all = self.keep_files(arrived, &mut files).await;
        let Arrived { author, mail, .. } = arrived;
        let submission = Submission {
            request_type: settings.request_type.to_string(),
            channel: CHANNEL.to_owned(),
            subject: mail.subject.clone(),
            body: words_of(mail, &mail.text).to_owned(),
            uploads: files.clone(),
            headers: mail.headers.clone(),
            ..Submission::default()
        };
        let draft = draft_of(&key);
        let done = match has_all {
            Ok(()) => Box::pin(self.say_or_open(arrived, target, &submission, key)).await,
            Err(error) => Err(error),
        };
        let (done, is_kept) = match done {
            Err(Error::Rejected { problems }) => {
                match self.kept_refused(author, (draft, settings.answers), &submission, problems).await {
                    Ok((done, room)) => (done, room == Room::Kept),
                    Err(error) => {
                        // Where the store fails, the draft may be there.
                        let may_be_kept = !matches!(error, Error::TooMuch { .. });
                        (Err(error), may_be_kept)
                    }
                }
            }
            done => (done, false),
        };
        // A mail that comes again and again leaves its files once.
        if !is_kept && !matches!(done, Ok(TakenMail::Opened(_) | TakenMail::Said(_))) {
            self.forget_uploads(&files).await?;
        }
        done
    }

    /// Writes a mail's words on the ticket that it is about, or opens one with them.
    async fn say_or_open(
        self: &Arc<Self>,
        arrived: &Arrived<'_>,
        target: Option<Target>,
        submission: &Submission,
        key: Key,
    ) -> Result<TakenMail, Error> {
        if let Some(target) = target {
            match Box::pin(self.say_by_mail(arrived, target, &submission.uploads, key.clone())).await {
                // Not theirs to speak on, or over: a ticket of their own, which says nothing of that one.
                Err(Error::Missing { .. } | Error::Refused(_)) => {}
                done => return done,
            }
        }
        let made = Box::pin(self.create_ticket(arrived.author, None, submission.clone(), Some(key))).await?;
        let number = made.ticket.number;
        Ok(if made.new { TakenMail::Opened(number) } else { TakenMail::Repeated(number) })
    }

    /// Keeps a mail that is refused as a draft of its author's, who completes it there. They hear of it once, from the desk where it
    /// sends mail, else from the mail system, to which the mail is refused then.
    async fn kept_refused(
        &self,
        author: &Actor,
        (id, answers): (DraftId, bool),
        submission: &Submission,
        mut problems: Vec<Problem>,
    ) -> Result<(Result<TakenMail, Error>, Room), Error> {
        let content = DraftContent::of(submission, None).text();
        let now = self.clock.now();
        let draft = StoredDraft { id, content, problems: problems.clone(), saved_at: now };
        let room = self.keep_refused(author, &draft).await?;
        match author.person().filter(|_| room != Room::Full) {
            Some(person) if answers => {
                self.store.queue_about_draft(id, person, now).await?;
                self.jobs.wake();
                return Ok((Ok(TakenMail::Kept(id)), room));
            }
            Some(_) => {
                let url = self.correspondence.load().public_url.clone().unwrap_or_default();
                problems.push(Problem::of("draft", "kept", Fault::KeptMail, &[&url, &id]));
            }
            None => {}
        }
        Ok((Err(Error::Rejected { problems }), room))
    }

    /// Writes a mail's words on a ticket.
    async fn say_by_mail(
        self: &Arc<Self>,
        &Arrived { author, mail, .. }: &Arrived<'_>,
        Target { ticket, answers }: Target,
        files: &[AttachmentId],
        key: Key,
    ) -> Result<TakenMail, Error> {
        let may_be_private = match answers {
            _ if !permission::works_on_tickets(author) => false,
            Some(letter) => letter == MessageKind::Mentioned,
            None => self.was_named_on(author, ticket).await?,
        };
        let visibility = if may_be_private { Visibility::Internal } else { Visibility::Public };
        // Below an agent's words may be some that only agents may read.
        let says_all = mail.points_below && !permission::works_on_tickets(author);
        // A mail may be its files alone.
        let body = words_of(mail, if says_all { &mail.text } else { &mail.reply });
        let body = if is_blank(body) { ORIGINAL } else { body };
        let words = Words { body, visibility, files, minutes: None, channel: CHANNEL };
        let done = self.comment(author, ticket, words, Some(key)).await?;
        let number = done.ticket.number;
        Ok(if done.repeated { TakenMail::Repeated(number) } else { TakenMail::Said(number) })
    }

    /// Whether there is a letter to the author of a mail about words on a ticket that name them.
    async fn was_named_on(&self, author: &Actor, number: TicketNumber) -> Result<bool, Error> {
        let (Some(ticket), Some(person)) = (self.store.ticket(number).await?, author.person()) else {
            return Ok(false);
        };
        Ok(self.store.has_had_message(ticket.id, person, MessageKind::Mentioned).await?)
    }

    /// Keeps a mail as it came, then its files, for the ticket that will have them. Those before one that is refused are kept.
    async fn keep_files(&self, arrived: &Arrived<'_>, kept: &mut Vec<AttachmentId>) -> Result<(), Error> {
        let &Arrived { author, mail, raw } = arrived;
        let original = self.begin_original(author, declared(ORIGINAL, ORIGINAL_TYPE, raw)).await;
        let original = match original {
            Ok(incoming) => self.keep_whole(author, incoming, raw).await,
            Err(error) => Err(error),
        };
        match original {
            Ok(id) => kept.push(id),
            // Words are taken from those as well who have written so much by mail that no more of it is kept.
            Err(Error::TooMuch { what, .. }) => tracing::info!(what, "a mail is taken and not kept as it came"),
            Err(error) => return Err(error),
        }
        // The mail itself is one of those that a ticket may come with.
        let (count, most) = (mail.files.len(), ATTACHMENTS_MAX - 1);
        if count > most {
            return Err(wrong(Problem::of("attachments", "too-many", Fault::ManyFiles, &[&count, &most])));
        }
        for file in &mail.files {
            let declared = declared(&file.name, &file.media_type, &file.bytes);
            let incoming = self.begin_attachment(author, None, declared).await?;
            kept.push(self.keep_whole(author, incoming, &file.bytes).await?);
        }
        Ok(())
    }

    async fn keep_whole(&self, author: &Actor, mut incoming: Incoming, bytes: &[u8]) -> Result<AttachmentId, Error> {
        for piece in bytes.chunks(PIECE_BYTES) {
            incoming.write(piece).await?;
        }
        Ok(self.keep_attachment(author, incoming).await?.id)
    }

    /// The ticket that a mail is about, by the best of its evidence. Whether its author may speak there is another question.
    async fn target_of(&self, evidence: &Evidence) -> Result<Option<Target>, Error> {
        let mut named: Option<TicketId> = None;
        let mut answers = None;
        for id in &evidence.ids {
            let (ticket, kind) = self.named(id).await?;
            named = named.or(ticket);
            answers = answers.or(kind);
        }
        let mut number = None;
        for (ticket, token) in &evidence.addressed {
            if let Some(found) = self.store.ticket(*ticket).await?
                && self.is_of_thread(found.id, token).await?
            {
                number = Some(found.number);
                break;
            }
        }
        if number.is_none()
            && let Some(id) = named
        {
            number = self.store.ticket_and_case_by_id(id).await?.map(|(ticket, _)| ticket.number);
        }
        Ok(number.or(evidence.subject).map(|ticket| Target { ticket, answers }))
    }

    /// The ticket that a message of a mail's thread is about, and its kind where it is a letter of the desk.
    async fn named(&self, id: &Named) -> Result<(Option<TicketId>, Option<MessageKind>), Error> {
        Ok(match id {
            Named::Thread { ticket, token } if self.is_of_thread(*ticket, token).await? => (Some(*ticket), None),
            Named::Letter { message, token } if self.is_of_letter(*message, token).await? => {
                match self.store.message_about(*message).await? {
                    // Such letters have the id of another thing in the place of a ticket's.
                    None | Some((_, Some(MessageKind::Delegation | MessageKind::MailKept))) => (None, None),
                    Some((ticket, kind)) => (Some(ticket), kind),
                }
            }
            Named::Thread { .. } | Named::Letter { .. } => (None, None),
            Named::Other(id) => {
                let made = self.store.made_by_desk(&name_of(&format!("id {id}"))).await?;
                (made.map(|(_, ticket)| ticket), None)
            }
        })
    }

    /// Writes down of letters that they were not delivered.
    async fn letters_came_back(&self, bounce: &Bounce) -> Result<TakenMail, Error> {
        let mut marked = 0;
        for (message, token) in &bounce.letters {
            let receipt = format!("came back: {}", bounce.said);
            if self.is_of_letter(*message, token).await? && self.is_marked(*message, &receipt).await? {
                marked += 1;
            }
        }
        Ok(if marked > 0 { TakenMail::CameBack(marked) } else { ignored("a report about none of its letters") })
    }

    async fn is_marked(&self, message: MessageId, receipt: &str) -> Result<bool, Error> {
        Ok(self.store.message_came_back(message, receipt).await?)
    }
}

/// These words of a mail; its subject where they are none, since many a mail says all in that.
fn words_of<'a>(mail: &'a Mail, words: &'a str) -> &'a str {
    if is_blank(words) { &mail.subject } else { words }
}

fn declared(name: &str, media_type: &str, bytes: &[u8]) -> Declared {
    Declared { name: name.to_owned(), media_type: media_type.to_owned(), size: u64::try_from(bytes.len()).ok() }
}

/// The name of a mail's key, by which answers to it are found as well.
fn name_of(identity: &str) -> String {
    format!("{MAIL}{}", digest(identity.as_bytes()))
}

/// The draft that a mail is where it is refused: the same for the same mail.
fn draft_of((_, whose): &Key) -> DraftId {
    let digits = whose.trim_start_matches(MAIL).get(..32).unwrap_or_default();
    DraftId(Uuid::from_u128(u128::from_str_radix(digits, 16).unwrap_or_default()))
}

fn ignored(sign: &'static str) -> TakenMail {
    tracing::info!(sign, "a mail that no person wrote was taken and left alone");
    TakenMail::Ignored { sign }
}
