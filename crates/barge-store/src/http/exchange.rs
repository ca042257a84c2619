//! One question until it is answered, of hosts that want neither logins nor redirects followed.

use std::time::{Duration, Instant};

use ureq::http::Method;

use super::answer::Answer;
use super::error::Error;
use super::options::{HttpOptions, Retry};
use super::retry::{Backoff, until_answered};
use super::transport::{Pace, Payload, Transport, failure};
use super::url::Url;

/// A question.
pub(crate) struct Question<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) payload: Payload<'a>,
    pub(crate) pace: Pace,
    /// The statuses that are answers; all others are errors.
    pub(crate) accept: &'a [u16],
    /// In words, for messages.
    pub(crate) what: &'a str,
}

impl<'a> Question<'a> {
    pub(crate) fn get(url: &'a Url, what: &'a str) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: Vec::new(),
            payload: Payload::None,
            pace: Pace::Answer,
            accept: &[200],
            what,
        }
    }
}

/// Asks, and asks again.
#[derive(Debug)]
pub(crate) struct Exchange {
    transport: Transport,
    backoff: Backoff,
}

impl Exchange {
    pub(crate) fn new(options: HttpOptions, retry: Retry) -> Result<Self, Error> {
        Ok(Self {
            backoff: Backoff::new(retry),
            transport: Transport::new(options)?,
        })
    }

    /// How long a document may take.
    pub(crate) fn patience(&self) -> Duration {
        self.transport.options().timeouts.document
    }

    /// How much silence is in order.
    pub(crate) fn stall(&self) -> Duration {
        self.transport.options().timeouts.stall
    }

    /// Asks until the answer could also be taken in.
    pub(crate) fn run<T>(
        &self,
        question: &Question<'_>,
        take: impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.run_while(Error::is_passing, question, take)
    }

    /// The same, with another opinion on which errors pass.
    pub(crate) fn run_while<T>(
        &self,
        is_passing: impl Fn(&Error) -> bool,
        question: &Question<'_>,
        take: impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        until_answered(
            || self.once(question).and_then(&take),
            |failed, error| is_passing(error) && self.sleep(failed, error),
        )
    }

    /// Asks once.
    pub(crate) fn once(&self, question: &Question<'_>) -> Result<Answer, Error> {
        let Question {
            method,
            url,
            headers,
            payload,
            pace,
            accept,
            what,
        } = question;
        let started = Instant::now();
        let response = self
            .transport
            .send(method, url, headers, *payload, *pace)
            .map_err(|error| failure(&url.authority, what, error))?;
        let answer = Answer::new(url, started, response);
        if accept.contains(&answer.status) {
            return Ok(answer);
        }
        Err(answer.refusal(what, self.patience()).of(what))
    }

    /// Sleeps before the next attempt; false when there is none.
    pub(crate) fn pause(&self, failed: u32, error: &Error) -> bool {
        error.is_passing() && self.sleep(failed, error)
    }

    fn sleep(&self, failed: u32, error: &Error) -> bool {
        self.backoff.sleep(failed, error, error.wait())
    }
}
