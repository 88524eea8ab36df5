//! Quantities for people: times, byte counts, addresses.

/// A time in the unit in which it is a small number: `0.8 µs`, `9 µs`, `1.2 ms`, `3.0 s`.
pub fn time(ns: u64) -> String {
    let (value, unit) = scaled(ns);
    format!("{value} {}", ["µs", "ms", "s"][unit])
}

/// The same, to be read aloud: `9 microseconds`.
pub(super) fn time_in_words(ns: u64) -> String {
    let (value, unit) = scaled(ns);
    let unit = ["microsecond", "millisecond", "second"][unit];
    let plural = if value == "1" { "" } else { "s" };
    format!("{value} {unit}{plural}")
}

/// The number and which unit: 0 µs, 1 ms, 2 s.
fn scaled(ns: u64) -> (String, usize) {
    let tenth = |unit: u64| (ns.saturating_add(unit / 20) / (unit / 10)).to_string();
    let whole = |unit: u64| ns.saturating_add(unit / 2) / unit;
    let decimal = |unit: u64| {
        let mut digits = tenth(unit);
        if digits.len() < 2 {
            digits.insert(0, '0');
        }
        digits.insert(digits.len() - 1, '.');
        digits
    };
    const US: u64 = 1_000;
    const MS: u64 = 1_000_000;
    const S: u64 = 1_000_000_000;
    match ns {
        0..950 => (decimal(US), 0),
        _ if whole(US) < 1000 => (whole(US).to_string(), 0),
        _ if ns < 10 * MS - MS / 20 => (decimal(MS), 1),
        _ if whole(MS) < 1000 => (whole(MS).to_string(), 1),
        _ if ns < 100 * S - S / 20 => (decimal(S), 2),
        _ => (thousands(whole(S)), 2),
    }
}

/// `1 byte`, `5,000 bytes`.
pub(super) fn bytes(n: usize) -> String {
    plural(n, "byte")
}

/// `1 step`, `17 steps`.
pub fn plural(n: usize, of: &str) -> String {
    format!("{} {of}{}", thousands(n as u64), if n == 1 { "" } else { "s" })
}

/// `5,000`
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Address and port apart: `127.0.0.1:7000`, `[::1]:7000`. A port of 0 is none.
pub(super) fn address_and_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((address, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
            (bare, Some(port).filter(|port| *port != "0"))
        }
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_in_which_they_are_small() {
        let shown =
            [0, 840, 999, 9_400, 999_600, 1_240_000, 12_600_000, 3_000_000_000, 134_200_000_000, u64::MAX];
        assert_eq!(
            shown.map(time),
            [
                "0.0 µs",
                "0.8 µs",
                "1 µs",
                "9 µs",
                "1.0 ms",
                "1.2 ms",
                "13 ms",
                "3.0 s",
                "134 s",
                "18,446,744,073 s"
            ]
        );
        assert_eq!(time_in_words(1_000), "1 microsecond");
        assert_eq!(time_in_words(3_000_000_000), "3.0 seconds");
    }

    #[test]
    fn counts_are_grouped_and_agree_in_number() {
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(5_000), "5,000 bytes");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn address_and_port_are_two_things() {
        assert_eq!(address_and_port("127.0.0.1:7000"), ("127.0.0.1", Some("7000")));
        assert_eq!(address_and_port("[::1]:7000"), ("::1", Some("7000")));
        assert_eq!(address_and_port("0.0.0.0:0"), ("0.0.0.0", None));
        assert_eq!(address_and_port("nowhere"), ("nowhere", None));
        assert_eq!(address_and_port("a:"), ("a:", None));
    }
}
