//! Two texts, and where they differ, line by line.

/// The lines of both texts in order: `-` marks a line that was expected and is missing, `+` a line
/// that was found and not expected.
pub(crate) fn between(expected: &str, found: &str) -> String {
    let expected: Vec<_> = expected.lines().collect();
    let found: Vec<_> = found.lines().collect();
    let common = common_lengths(&expected, &found);
    let (mut left, mut right) = (0, 0);
    let mut lines = Vec::new();
    while left < expected.len() || right < found.len() {
        let same = left < expected.len() && right < found.len() && expected[left] == found[right];
        let drops = left < expected.len()
            && (right == found.len() || common[left + 1][right] >= common[left][right + 1]);
        if same {
            lines.push(format!("    {}", expected[left]));
            (left, right) = (left + 1, right + 1);
        } else if drops {
            lines.push(format!("  - {}", expected[left]));
            left += 1;
        } else {
            lines.push(format!("  + {}", found[right]));
            right += 1;
        }
    }
    lines.join("\n")
}

/// How many lines the rests of the two texts have in common, for each pair of places where the
/// rests begin.
fn common_lengths(expected: &[&str], found: &[&str]) -> Vec<Vec<usize>> {
    let mut lengths = vec![vec![0; found.len() + 1]; expected.len() + 1];
    for left in (0..expected.len()).rev() {
        for right in (0..found.len()).rev() {
            lengths[left][right] = if expected[left] == found[right] {
                lengths[left + 1][right + 1] + 1
            } else {
                lengths[left + 1][right].max(lengths[left][right + 1])
            };
        }
    }
    lengths
}

#[test]
fn a_difference_shows_both_sides() {
    assert_eq!(between("a\nb\nc", "a\nx\nc"), "    a\n  - b\n  + x\n    c");
    assert_eq!(between("a", "a\nb"), "    a\n  + b");
}
