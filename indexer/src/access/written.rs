//! What people write about keys and customers: labels, references and networks.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use unicode_general_category::{GeneralCategory, get_general_category};

/// Whether a text can be shown as a label: 1 to 100 characters, none that cannot be seen or turns others around.
pub fn is_label(text: &str) -> bool {
    (1..=100).contains(&text.trim().chars().count()) && text.chars().all(is_visible)
}

/// Whether a character can be seen: no control character, none without width, none that turns the direction of writing.
pub fn is_visible(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    // Letters that fill a place and show nothing are no format characters; nor are those that choose between two looks.
    let is_blank = matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    !is_blank && !matches!(get_general_category(c), Control | Format | LineSeparator | ParagraphSeparator)
}

/// A network in CIDR notation, or one address. One of IPv4 written as IPv6 is that of IPv4, as which its hosts are known.
pub fn parse_network(text: &str) -> Option<IpNet> {
    let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    let IpNet::V6(six) = network else { return Some(network) };
    match (six.addr().to_ipv4_mapped(), six.prefix_len().checked_sub(96)) {
        (Some(four), Some(length)) => Ipv4Net::new(four, length).ok().map(IpNet::V4),
        _ => Some(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_stands_in_no_label_and_in_no_reference() {
        for c in [
            '\u{0}',
            '\u{7f}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2060}',
            '\u{2069}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fff9}',
            '\u{1d173}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            assert!(!is_visible(c), "{:04x}", u32::from(c));
        }
        for c in ['a', 'é', 'ß', '日', '\u{301}', 'א', '🦀', ' ', '-', '\''] {
            assert!(is_visible(c), "{c}");
        }
    }

    #[test]
    fn a_network_is_that_of_the_addresses_as_they_are_known() {
        let parse = |text: &str| parse_network(text).map(|network| network.to_string());
        assert_eq!(parse("203.0.113.0/24").as_deref(), Some("203.0.113.0/24"));
        assert_eq!(parse("203.0.113.7").as_deref(), Some("203.0.113.7/32"));
        assert_eq!(parse("::ffff:127.0.0.0/104").as_deref(), Some("127.0.0.0/8"));
        assert_eq!(parse("::ffff:203.0.113.7").as_deref(), Some("203.0.113.7/32"));
        assert_eq!(parse("2001:db8::/32").as_deref(), Some("2001:db8::/32"));
        // All of IPv6, and with it nothing that is known as IPv4.
        assert_eq!(parse("::/0").as_deref(), Some("::/0"));
        assert_eq!(parse("203.0.113.0/33"), None);
        assert_eq!(parse("nowhere"), None);
    }
}
