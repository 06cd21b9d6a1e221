//! The question how it went: put by a link in the letter that a ticket is closed, which only this desk can make, or answered by the
//! requester who is signed in.

use crate::app::{Error, Office};
use crate::desk::actor::{Actor, Role};
use crate::desk::id::TicketNumber;
use crate::desk::permission;
use crate::desk::ticket::lifecycle::resolution::survey::{self, SurveyAnswer};
use crate::desk::ticket::{State, Ticket};

/// Hexadecimal digits of the token in a link: 128 bits.
const TOKEN_DIGITS: usize = 32;

/// The question about one closure.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    pub ticket: Ticket,
    pub answer: Option<SurveyAnswer>,
    /// Whether it can be answered, or the answer changed.
    pub open: bool,
}

fn missing() -> Error {
    Error::Missing { what: "question", name: String::new() }
}

impl Office {
    /// The end of the link by which a ticket's requester says how it went; `None` where there is nothing to ask.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub(in crate::app) async fn survey_link(&self, ticket: &Ticket) -> Result<Option<String>, Error> {
        if ticket.state != State::Closed {
            return Ok(None);
        }
        let Some((round, _)) = self.store.survey(ticket.number).await? else { return Ok(None) };
        let token = self.survey_token(ticket, round).await?;
        Ok(Some(format!("{}.{round}.{token}", ticket.number)))
    }

    async fn survey_token(&self, ticket: &Ticket, round: i64) -> Result<String, Error> {
        self.token(&format!("survey {} {round}", ticket.id), TOKEN_DIGITS).await
    }

    /// The question behind a link. To look at it answers nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a link that this desk has not made, or of a closure that is not the last, and where its requester has left.
    pub async fn survey_behind(&self, link: &str) -> Result<Survey, Error> {
        self.question_behind(link).await.map(|(survey, _)| survey)
    }

    /// The question behind a link, and the resolution that it is about.
    async fn question_behind(&self, link: &str) -> Result<(Survey, i64), Error> {
        let mut parts = link.splitn(3, '.');
        let (number, named, token) = (parts.next(), parts.next(), parts.next());
        let number = number.and_then(|number| number.parse::<TicketNumber>().ok()).ok_or_else(missing)?;
        let ticket = self.store.ticket(number).await?.ok_or_else(missing)?;
        let (round, answer) = self.store.survey(number).await?.ok_or_else(missing)?;
        let expected = self.survey_token(&ticket, round).await?;
        if named != Some(&round.to_string()) || !same(&expected, token.unwrap_or_default()) {
            return Err(missing());
        }
        // Old messages stay with people who have left.
        if !self.organisation().is_active(&ticket.submitted.requester) {
            return Err(missing());
        }
        Ok((self.question(ticket, answer), round))
    }

    /// The question about a ticket of the actor's.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] for all but its requester.
    pub async fn own_survey(&self, actor: &Actor, number: TicketNumber) -> Result<Survey, Error> {
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::answer(actor, &ticket)?;
        let answer = self.store.survey(number).await?.and_then(|(_, answer)| answer);
        Ok(self.question(ticket, answer))
    }

    fn question(&self, ticket: Ticket, answer: Option<SurveyAnswer>) -> Survey {
        let open = survey::check_open(&ticket, answer.as_ref(), self.clock.now()).is_ok();
        Survey { ticket, answer, open }
    }

    /// Answers by a link, for the requester to whom it went.
    ///
    /// # Errors
    ///
    /// As [`Office::survey_behind`] and [`Office::answer_survey`].
    pub async fn answer_by_link(&self, link: &str, answer: (i64, &str)) -> Result<Survey, Error> {
        let (Survey { ticket, .. }, round) = self.question_behind(link).await?;
        let requester = Actor::Person { id: ticket.submitted.requester.clone(), roles: [Role::Requester].into() };
        self.answer_about(&requester, (ticket.number, Some(round)), answer).await
    }

    /// Says how a ticket went, or changes what was said.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] for all but its requester, and where there is nothing to answer or it is too late;
    /// [`Error::Rejected`].
    pub async fn answer_survey(
        &self,
        actor: &Actor,
        number: TicketNumber,
        answer: (i64, &str),
    ) -> Result<Survey, Error> {
        self.answer_about(actor, (number, None), answer).await
    }

    /// The same, where a link says which resolution is meant: no other is answered, also where the ticket is closed once more meanwhile.
    async fn answer_about(
        &self,
        actor: &Actor,
        (number, meant): (TicketNumber, Option<i64>),
        answer: (i64, &str),
    ) -> Result<Survey, Error> {
        self.count_change(actor)?;
        // Of the last resolution at that very version: a ticket that is taken up and closed once more is asked about again.
        let before = || self.store.survey(number);
        let answered = self.change_by(
            (actor, number),
            None,
            before,
            |before: &Option<(i64, Option<SurveyAnswer>)>, ticket, _, at| {
                let permit = permission::answer(actor, ticket)?;
                let (round, before) = before.as_ref().map_or((1, None), |(round, before)| (*round, before.as_ref()));
                if meant.is_some_and(|meant| meant != round) {
                    return Err(missing());
                }
                Ok(survey::answer(ticket, (round, before), answer, &permit, at)?)
            },
        );
        answered.await?;
        self.own_survey(actor, number).await
    }
}

/// Whether two texts are the same, in a time that does not tell how far they are.
pub(in crate::app) fn same(expected: &str, given: &str) -> bool {
    let differing = expected.bytes().zip(given.bytes()).fold(0, |all, (one, other)| all | (one ^ other));
    expected.len() == given.len() && differing == 0
}
