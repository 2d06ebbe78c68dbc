//! Addresses as people write them: a wrong checksum is a mistyped address, never a detail.

use alloy::primitives::Address;

/// Why a text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not `0x` and 40 hexadecimal digits.
    #[error("{0:?} is not an address, which is 0x and 40 hexadecimal digits")]
    Form(String),
    /// Capital and small letters that are not those of EIP-55.
    #[error("{found} has a wrong checksum (EIP-55): a letter is mistyped")]
    Checksum {
        /// What was written.
        found: String,
        /// The same digits with their right checksum.
        right: Address,
    },
}

impl AddressError {
    /// What to do about it.
    pub fn mend(&self) -> String {
        match self {
            Self::Form(_) => "copy the whole address from the wallet".to_owned(),
            Self::Checksum { right, .. } => {
                format!(
                    "copy the address again from where it is right; if only the letters' case is wrong, it is {right}"
                )
            }
        }
    }
}

/// Reads an address. With both capital and small letters it must have the checksum of EIP-55; all in one case it has none.
///
/// # Errors
/// [`AddressError`].
pub fn parse_address(text: &str) -> Result<Address, AddressError> {
    let digits = text.strip_prefix("0x").filter(|d| d.len() == 40);
    let address = digits.and_then(|d| d.parse::<Address>().ok()).ok_or_else(|| AddressError::Form(text.to_owned()))?;
    if lacks_checksum(text) || address.to_checksum(None) == text {
        Ok(address)
    } else {
        Err(AddressError::Checksum { found: text.to_owned(), right: address })
    }
}

/// Whether an address is written in one case, so that a mistyped letter cannot be seen. One of digits alone needs no checksum.
pub fn lacks_checksum(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let (small, capital) =
        (digits.contains(|c: char| c.is_ascii_lowercase()), digits.contains(|c: char| c.is_ascii_uppercase()));
    small != capital
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

    #[test]
    fn checksums_are_checked_where_there_is_one() {
        let address = parse_address(RIGHT).unwrap();
        assert!(!lacks_checksum(RIGHT));
        assert_eq!(parse_address(&RIGHT.to_lowercase()).unwrap(), address);
        assert!(lacks_checksum(&RIGHT.to_lowercase()));
        let wrong = RIGHT.replace("39Fd", "39fd");
        assert!(matches!(parse_address(&wrong), Err(AddressError::Checksum { right, .. }) if right == address));
    }

    #[test]
    fn forms_are_refused() {
        for text in [
            "",
            "0x",
            "0x12",
            &RIGHT[2..],
            &format!("{RIGHT}00"),
            "0xzz9Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            "alice.eth",
        ] {
            assert!(matches!(parse_address(text), Err(AddressError::Form(_))), "{text}");
        }
        assert!(parse_address(&format!("0x{}", "1".repeat(40))).is_ok());
    }
}
