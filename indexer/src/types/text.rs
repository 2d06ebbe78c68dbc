//! Texts that others wrote.

/// A text that anybody may have written, without the characters that turn the direction of writing: in a sentence they would turn round
/// what stands behind it, amounts and chains too.
pub fn upright(text: &str) -> String {
    text.chars()
        .filter(
            |c| !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'),
        )
        .collect()
}
