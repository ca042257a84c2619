//! The frame of a page that needs nothing but itself: it opens from a folder, an artifact or a mail, with no network.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

/// Colours by meaning, light and dark by the reader's setting, and what every page looks like.
const STYLE: &str = include_str!("page.css");

/// A page.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// Its title, plain text.
    pub title: &'a str,
    /// Rules beside those that every page has.
    pub style: &'a str,
    /// A script that makes the page handier; without it nothing may be missing. Empty for none.
    pub script: &'a str,
    /// What it shows.
    pub body: Markup,
}

impl Page<'_> {
    /// The page as HTML. Its policy lets nothing run but its own script, and nothing be fetched.
    #[must_use]
    pub fn render(&self) -> String {
        let script = if self.script.is_empty() {
            "'none'".to_owned()
        } else {
            format!("'sha256-{}'", STANDARD.encode(Sha256::digest(self.script)))
        };
        let policy = format!(
            "default-src 'none'; style-src 'unsafe-inline'; script-src {script}; base-uri 'none'; form-action 'none'"
        );
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="referrer" content="no-referrer";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) (PreEscaped(self.style)) }
                }
                body {
                    (self.body)
                    @if !self.script.is_empty() { script { (PreEscaped(self.script)) } }
                }
            }
        };
        page.into_string()
    }
}

/// A link to the web in a tab of its own; other schemes than http are shown as text.
#[must_use]
pub fn link(text: &str, url: &str) -> Markup {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    html! {
        @if is_web { a href=(url) rel="noopener noreferrer" target="_blank" { (text) } } @else { (text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_is_inert() {
        let page = Page {
            title: "</title><script>alert(1)</script>",
            style: "",
            script: "",
            body: html! { (link("<b>", "javascript:alert(1)")) (link("\"x", "https://e.org/\"onclick=\"a")) },
        };
        let text = page.render();
        assert!(!text.contains("<script"), "{text}");
        assert!(!text.contains("javascript:"), "{text}");
        assert!(
            text.contains("href=\"https://e.org/&quot;onclick=&quot;a\""),
            "{text}"
        );
        assert!(text.contains("script-src 'none'"), "{text}");
    }

    #[test]
    fn only_the_pages_own_script_runs() {
        let page = Page {
            title: "x",
            style: "",
            script: "1",
            body: html! {},
        };
        // printf 1 | openssl dgst -sha256 -binary | base64
        let hash = "'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='";
        assert!(
            page.render().contains(&hash.replace('\'', "&#39;")) || page.render().contains(hash)
        );
    }
}
