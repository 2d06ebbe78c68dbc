//! Types of events, and who hears which.

/// Sent when its owner asks for it.
pub const TEST: &str = "webhook.test";
/// Sent where the events of a chain cannot be told on from where they were: read it anew.
pub const RESET: &str = "webhook.reset";

/// What is told of every event that has become final, or was reorged away.
const LATER: [&str; 2] = ["finalized", "reorged"];

/// Subjects, and what is told of them first.
const SUBJECTS: [(&str, &[&str]); 8] = [
    ("sale", &["created", "opened", "closed", "cancelled", "tap_stopped"]),
    ("contribution", &["observed"]),
    ("withdrawal", &["observed"]),
    ("rejection", &["observed"]),
    ("claim", &["observed"]),
    ("refund", &["observed"]),
    ("release", &["observed"]),
    ("objection", &["observed"]),
];

/// Whether there is such a type, or with `*` for what happened such a subject.
pub fn is_known(pattern: &str) -> bool {
    let Some((subject, what)) = pattern.split_once('.') else { return false };
    SUBJECTS.iter().any(|(s, first)| *s == subject && (what == "*" || first.contains(&what) || LATER.contains(&what)))
}

/// Whether who has asked for these hears of this type; of everything, who has asked for nothing.
pub fn hears(patterns: &[String], kind: &str) -> bool {
    patterns.is_empty()
        || patterns.iter().any(|p| p == kind || p.strip_suffix('*').is_some_and(|subject| kind.starts_with(subject)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_and_heard() {
        for known in [
            "sale.created",
            "sale.opened",
            "sale.*",
            "sale.reorged",
            "contribution.observed",
            "refund.*",
            "claim.finalized",
        ] {
            assert!(is_known(known), "{known}");
        }
        for wrong in [
            "",
            "*",
            "sale",
            "sale.",
            ".*",
            "sale.observed",
            "contribution.created",
            "webhook.test",
            "sale.*.x",
            "Sale.*",
        ] {
            assert!(!is_known(wrong), "{wrong}");
        }
        let patterns = ["contribution.*", "sale.closed"].map(str::to_owned);
        assert!(hears(&[], "sale.created"));
        assert!(hears(&patterns, "contribution.reorged") && hears(&patterns, "sale.closed"));
        assert!(!hears(&patterns, "sale.created") && !hears(&patterns, "contributions.x"));
    }
}
