//! A server between barge and moto: it misbehaves as a test wants, or speaks Google's words.

use ureq::Agent;
use ureq::http::{Request, Response};

use super::server::{Asked, Reply, Server};
use super::servers::s3;

/// A key as S3's clients show it, for a server that looks at no signature.
const KEY: &str = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=none";

/// Hands each request to moto, but those that get another answer.
pub(crate) fn faulty(fault: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Server {
    let agent = agent();
    Server::start(move |asked, _| {
        let fault = fault(asked);
        fault.unwrap_or_else(|| answer(asked, &forward(&agent, asked)))
    })
}

/// Google's XML API is S3's but for who asks, the header that makes an object only if it is not there, and the one that says
/// which version was made. No server that can be had speaks it.
pub(crate) fn google() -> Server {
    let agent = agent();
    Server::start(move |asked, _| {
        let mut translated = asked.clone();
        let headers = &mut translated.headers;
        let own = headers.insert("authorization".into(), KEY.into());
        assert!(
            own.is_none_or(|own| own.starts_with("Bearer")),
            "that is S3's way"
        );
        assert!(!headers.contains_key("if-none-match"), "that is S3's word");
        if let Some(generation) = headers.remove("x-goog-if-generation-match") {
            assert_eq!(generation, "0");
            headers.insert("if-none-match".into(), "*".into());
        }
        answer(asked, &forward(&agent, &translated)).header("x-goog-generation", 1)
    })
}

fn agent() -> Agent {
    Agent::new_with_config(Agent::config_builder().http_status_as_error(false).build())
}

fn forward(agent: &Agent, asked: &Asked) -> Response<Vec<u8>> {
    let mut request = Request::builder()
        .method(asked.method.as_str())
        .uri(format!("{}{}", s3(), asked.path));
    let own = ["host", "content-length", "connection"];
    for (name, value) in &asked.headers {
        if !own.contains(&name.as_str()) {
            request = request.header(name, value);
        }
    }
    let request = request.body(asked.body.clone()).unwrap();
    let config = agent
        .configure_request(request)
        .allow_non_standard_methods(true);
    let (head, mut body) = agent.run(config.build()).unwrap().into_parts();
    Response::from_parts(
        head,
        body.with_config().limit(u64::MAX).read_to_vec().unwrap(),
    )
}

fn answer(asked: &Asked, answered: &Response<Vec<u8>>) -> Reply {
    let mut reply = Reply::status(answered.status().as_u16());
    let mut length = 0;
    for (name, value) in answered.headers() {
        match (name.as_str(), value.to_str().unwrap()) {
            ("content-length", text) => length = text.parse().unwrap(),
            ("connection" | "transfer-encoding", _) => {}
            (name, text) => reply = reply.header(name, text),
        }
    }
    if asked.method == "HEAD" {
        // The length is that of what a GET would bring.
        return reply.cut(&[], length);
    }
    reply.whole(answered.body().as_slice())
}
