//! Keys that nobody knows.

use super::{Reader, shortened};

/// Notes a key that nobody knows, with the known one that is nearest.
pub fn unknown_key(reader: &Reader<'_>, path: &str, name: &str, line: usize, known: &[&'static str]) {
    let nearest = known.iter().map(|k| (distance(name, k), *k)).min().filter(|(d, k)| *d <= 2.max(k.len() / 3));
    let mend = match nearest {
        Some((_, key)) => format!("did you mean `{key}`?"),
        None => format!("remove it; the keys here are {}", known.join(", ")),
    };
    let name = shortened(name);
    let full = if path.is_empty() { name.into_owned() } else { format!("{path}.{name}") };
    reader.error(line, &full, "is not a key that a sale file has", mend);
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != *y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("soft_cap", "soft_cap"), 0);
        assert_eq!(distance("softcap", "soft_cap"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
