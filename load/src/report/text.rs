//! Numbers as people read them.

/// A number to three or four digits, with its thousands apart.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let digits = match size {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 || size == 0.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match rest.trim_end_matches('0') {
        "" => format!("{sign}{grouped}"),
        rest => format!("{sign}{grouped}.{rest}"),
    }
}

/// Bytes in the unit that suits them.
pub fn bytes(value: f64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let mut value = value;
    let mut unit = 0;
    while value.abs() >= 1_024.0 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    format!("{} {}", number(value), UNITS[unit])
}

/// A large number in a few letters, for an axis.
pub fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{} M", number(value / 1e6)),
        size if size >= 1e4 => format!("{} k", number(value / 1e3)),
        _ => number(value),
    }
}

/// Bytes in powers of ten, which read better where an axis has round numbers.
pub fn round_bytes(value: f64) -> String {
    match value.abs() {
        size if size >= 1e9 => format!("{} GB", number(value / 1e9)),
        size if size >= 1e6 => format!("{} MB", number(value / 1e6)),
        size if size >= 1e3 => format!("{} kB", number(value / 1e3)),
        _ => format!("{} B", number(value)),
    }
}

/// Microseconds in the unit that suits them.
pub fn time(us: f64) -> String {
    match us.abs() {
        size if size >= 1e6 => format!("{} s", number(us / 1e6)),
        size if size >= 1e3 => format!("{} ms", number(us / 1e3)),
        _ => format!("{} µs", number(us)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let read = [0.0, 0.5, 0.012, 9.876, 45.67, 1_234.5, -1_234_567.0].map(number);
        assert_eq!(read, ["0", "0.5", "0.012", "9.88", "45.7", "1,234", "-1,234,567"]);
        assert_eq!([512.0, 4_096.0, 7_340_032.0].map(bytes), ["512 B", "4 KiB", "7 MiB"]);
        assert_eq!([12.5, 3_400.0, 2.5e6].map(time), ["12.5 µs", "3.4 ms", "2.5 s"]);
    }
}
