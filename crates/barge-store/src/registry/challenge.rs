//! What a registry wants to see before it answers: `WWW-Authenticate` (RFC 9110 section 11; distribution, "token
//! authentication").

use ureq::http::HeaderMap;

/// How a registry wants to be told who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token from elsewhere.
    Bearer {
        /// Where tokens are.
        realm: String,
        /// The name of the registry there.
        service: Option<String>,
        /// What the registry thinks the token must allow.
        scope: Option<String>,
    },
}

impl Challenge {
    /// Takes the best challenge of an answer: a token before a password.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all("www-authenticate").iter();
        let mut challenges: Vec<_> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(parse)
            .collect();
        challenges.sort_by_key(|challenge| *challenge == Self::Basic);
        challenges.into_iter().next()
    }
}

fn parse(text: &str) -> Vec<Challenge> {
    let mut challenges: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = text;
    while let Some((word, after)) = token(rest) {
        let after = after.trim_start();
        if let Some(after) = after.strip_prefix('=') {
            let (value, after) = value(after.trim_start());
            if let Some((_, parameters)) = challenges.last_mut() {
                parameters.push((word.to_ascii_lowercase(), value));
            }
            rest = after;
        } else {
            challenges.push((word.to_ascii_lowercase(), Vec::new()));
            rest = after;
        }
    }
    let known = challenges
        .into_iter()
        .filter_map(|(scheme, parameters)| known(&scheme, &parameters));
    known.collect()
}

fn known(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let parameter = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    };
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer {
            realm: parameter("realm")?,
            service: parameter("service"),
            scope: parameter("scope"),
        }),
        _ => None,
    }
}

/// The next word and what follows it; commas and spaces before it are passed over.
fn token(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([',', ' ', '\t']);
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)))
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Some(Challenge::Bearer {
            realm: realm.into(),
            service: owned(service),
            scope: owned(scope),
        })
    }

    #[test]
    fn reads_what_registries_send() {
        for (lines, expected) in [
            (
                vec![
                    r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
                ],
                bearer(
                    "https://auth.docker.io/token",
                    Some("registry.docker.io"),
                    Some("repository:a/b:pull,push"),
                ),
            ),
            (vec![r#"Basic realm="Registry""#], Some(Challenge::Basic)),
            (
                vec![r#"Basic realm="a, b", bearer Realm=https://t , error="x\"y""#],
                bearer("https://t", None, None),
            ),
            (
                vec!["Basic realm=x", r#"BEARER realm = "https://t""#],
                bearer("https://t", None, None),
            ),
            (vec!["Negotiate", "NTLM"], None),
            (vec!["Bearer"], None),
            (
                vec![r#"Bearer realm="unclosed"#],
                bearer("unclosed", None, None),
            ),
            (vec!["", ",,,", "=\"\"", "\u{7f}"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in &lines {
                if let Ok(value) = line.parse() {
                    headers.append("www-authenticate", value);
                }
            }
            assert_eq!(Challenge::of(&headers), expected, "{lines:?}");
        }
    }
}
