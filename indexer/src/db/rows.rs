//! Texts as Postgres can hold them.

/// A text as Postgres can hold it. Token and sale names are anybody's: NUL bytes become U+FFFD, as broken UTF-8 did when it
/// was decoded. The bytes as emitted are kept beside it.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn nul_bytes_do_not_reach_postgres() {
        assert_eq!(super::clean("a\0b"), "a\u{FFFD}b");
    }
}
