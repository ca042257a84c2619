//! Signals of `STOPSIGNAL`, by number or name, as Linux knows them.

const NAMES: [&str; 33] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP",
    "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU",
];

/// Whether docker accepts a text as a signal.
pub(super) fn is_known(text: &str) -> bool {
    if let Ok(number) = text.parse::<u8>() {
        return (1..=64).contains(&number);
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    NAMES.contains(&name) || name == "XFSZ" || is_real_time(name)
}

fn is_real_time(name: &str) -> bool {
    let offset = |rest: &str, sign: char| {
        rest.strip_prefix(sign)
            .is_some_and(|rest| rest.parse::<u8>().is_ok_and(|n| n < 16))
    };
    match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => rest.is_empty() || offset(rest, '+'),
        (_, Some(rest)) => rest.is_empty() || offset(rest, '-'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_names_and_numbers() {
        for text in ["SIGTERM", "term", "9", "SIGRTMIN+3", "RTMAX-1", "SIGXFSZ"] {
            assert!(is_known(text), "{text}");
        }
        for text in ["", "0", "65", "SIGNOPE", "RTMIN-3", "-9"] {
            assert!(!is_known(text), "{text}");
        }
    }
}
