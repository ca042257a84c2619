//! Ports of `EXPOSE`: `80`, `80/udp`, `8000-8010/tcp`.

/// Gives every port of a text as the image config writes it.
pub(super) fn parse(text: &str) -> Result<Vec<String>, String> {
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let bad = || {
        format!("`{text}` is not a port: expected `PORT`, `PORT/PROTOCOL` or `FIRST-LAST/PROTOCOL`")
    };
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(bad());
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let number = |text: &str| text.parse::<u16>().ok();
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first..=last)
            .map(|port| format!("{port}/{protocol}"))
            .collect()),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ports_and_ranges() {
        assert_eq!(parse("80").unwrap(), ["80/tcp"]);
        assert_eq!(parse("53/UDP").unwrap(), ["53/udp"]);
        assert_eq!(parse("8-10/tcp").unwrap(), ["8/tcp", "9/tcp", "10/tcp"]);
        for text in ["", "x", "80/", "80/icmp", "10-8", "70000", "1-2-3", "-1"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
