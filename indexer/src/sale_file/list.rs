//! The list of a phase: the file that `crowdsale allowlist build` made, of which the sale needs the root alone.

use std::{fs, path::Path};

use alloy::primitives::B256;
use serde::Deserialize;

use super::section::{At, Reader};

#[derive(Deserialize)]
struct Tree {
    root: B256,
}

/// The root in the file that `at` names, relative to `folder`. Without one no file is looked for: whoever sent the text has it,
/// and not the computer that reads it.
pub fn read_root(reader: &Reader<'_>, at: &At<String>, folder: Option<&Path>) -> Option<At<B256>> {
    let Some(folder) = folder else {
        let message = "names a file, of which only the sale file itself was sent";
        reader.error_at(at, message, "write list_root with the root in that file in place of it");
        return None;
    };
    let mend = "name the file that `crowdsale allowlist build` made, relative to the sale file";
    let path = folder.join(&at.value);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            reader.error_at(at, format!("cannot be read: {}: {error}", path.display()), mend);
            return None;
        }
    };
    match serde_json::from_str::<Tree>(&text) {
        Ok(tree) if !tree.root.is_zero() => Some(at.with(tree.root)),
        _ => {
            reader.error_at(at, format!("{} holds no list: it has no root", path.display()), mend);
            None
        }
    }
}
