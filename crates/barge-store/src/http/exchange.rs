//! One question until it is answered, wherever the host sends it on, of hosts that want no logins.

use std::time::{Duration, Instant};

use ureq::http::Method;

use super::answer::Answer;
use super::error::Error;
use super::options::{HttpOptions, Retry};
use super::redirect::{is_redirect, next};
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
        let Question { method, what, .. } = question;
        let mut url = question.url.clone();
        let mut redirects = 0;
        loop {
            let answer = self.send(question, &url)?;
            if question.accept.contains(&answer.status) {
                return Ok(answer);
            }
            if !is_redirect(method, answer.status) {
                return Err(answer.refusal(what, self.patience()).of(what));
            }
            redirects += 1;
            url = next(&answer, what, redirects)?;
        }
    }

    fn send(&self, question: &Question<'_>, url: &Url) -> Result<Answer, Error> {
        let mut headers = question.headers.clone();
        if !url.is_same_origin(question.url) {
            // A secret for one host is for no other, wherever it leads.
            headers.retain(|(name, _)| *name != "authorization");
        }
        let (method, payload, pace) = (&question.method, question.payload, question.pace);
        let started = Instant::now();
        let response = self.transport.send(method, url, &headers, payload, pace);
        let response = response.map_err(|error| failure(&url.authority, question.what, error))?;
        Ok(Answer::new(url, started, response))
    }

    /// The pause before the next attempt, or the one that was asked for; `None` when there is none.
    pub(crate) fn pause_after(&self, failed: u32, asked: Option<Duration>) -> Option<Duration> {
        self.backoff.pause(failed, asked)
    }

    /// Sleeps before the next attempt; false when there is none.
    pub(crate) fn pause(&self, failed: u32, error: &Error) -> bool {
        error.is_passing() && self.sleep(failed, error)
    }

    fn sleep(&self, failed: u32, error: &Error) -> bool {
        self.backoff.sleep(failed, error, error.wait())
    }
}
