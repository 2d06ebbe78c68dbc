//! The direction of the design: which module may use which. A forbidden path fails here, in a `use` or written out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What each top module may use of this crate. `cli` and `main` may use everything.
fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("types", &[][..]),
        ("contracts", &[]),
        ("explain", &["types", "contracts"]),
        ("sale_file", &["types", "contracts"]),
        ("deployment", &["contracts"]),
        ("telemetry", &[]),
        ("gates", &["types"]),
        ("seal", &[]),
        ("config", &["types", "seal", "telemetry"]),
        ("decode", &["types", "contracts"]),
        ("chain", &["types", "contracts", "telemetry"]),
        ("db", &["types"]),
        ("apply", &["types", "contracts", "decode", "chain", "db", "telemetry"]),
        ("sync", &["types", "contracts", "decode", "chain", "db", "apply", "telemetry"]),
        ("reconcile", &["types", "contracts", "decode", "chain", "db", "telemetry"]),
        ("plan", &["types", "contracts", "chain", "sale_file"]),
        ("meter", &[]),
        ("shares", &[]),
        ("access", &["db", "seal", "types"]),
        ("webhooks", &["access", "db", "seal", "types", "telemetry"]),
        ("orders", &["types", "access", "chain", "contracts", "db", "explain", "telemetry"]),
        (
            "api",
            &[
                "access",
                "chain",
                "db",
                "explain",
                "gates",
                "meter",
                "shares",
                "orders",
                "plan",
                "sale_file",
                "seal",
                "types",
                "telemetry",
                "webhooks",
            ],
        ),
        ("web", &["types", "telemetry"]),
        ("serve", &["api", "meter", "shares", "orders", "web", "telemetry", "config", "webhooks"]),
    ])
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// A source without its comments: a path in a comment is a link, and no dependency.
fn code(source: &str) -> String {
    let mut code = String::new();
    for line in source.lines() {
        let line = line.split("//").next().unwrap_or_default();
        code.push_str(line);
        code.push('\n');
    }
    code
}

/// The top modules that a source reaches through `crate::x` or `crate::{x, y::z}`, in a `use` or written out.
fn used(source: &str) -> Vec<String> {
    let code = code(source);
    let mut modules = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => modules.push(word(rest)),
            Some(group) => {
                // Names at depth one of the braces.
                let mut depth = 1;
                let mut begins = true;
                for (index, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 1 => break,
                        '}' => depth -= 1,
                        ',' if depth == 1 => begins = true,
                        c if begins && (c.is_alphanumeric() || c == '_') => {
                            modules.push(word(&group[index..]));
                            begins = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    modules
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 10);
    let allowed = allowed();
    let mut forbidden = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        let top = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if matches!(top, "lib" | "main" | "cli") {
            continue;
        }
        let Some(allowed) = allowed.get(top) else {
            panic!("{top} is new: say in this test what it may use");
        };
        for module in used(&fs::read_to_string(&file).unwrap()) {
            if module != top && !allowed.contains(&module.as_str()) {
                forbidden.push(format!("{} uses {module}", inside.display()));
            }
        }
    }
    assert!(forbidden.is_empty(), "{forbidden:#?}");
}

#[test]
fn no_module_reaches_the_root_by_climbing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        if inside.iter().count() == 1 && (inside.ends_with("lib.rs") || inside.ends_with("main.rs")) {
            continue;
        }
        // So many steps lead from the file's module to the root, and one more from its tests.
        let depth = inside.iter().count() - usize::from(inside.ends_with("mod.rs"));
        let source = code(&fs::read_to_string(&file).unwrap());
        let (module, tests) = source.split_once("#[cfg(test)]").unwrap_or((&source, ""));
        assert!(!module.contains(&"super::".repeat(depth)), "{} climbs to the root", inside.display());
        assert!(!tests.contains(&"super::".repeat(depth + 1)), "the tests of {} climb to the root", inside.display());
    }
}

#[test]
fn the_scan_sees_every_form() {
    let source = "
        use crate::db;
        use crate::{api::{self, x}, types::Amount, decode};
        // crate::comment
        fn f() -> crate::serve::X { super::super::y(); $crate::macro_path!() }
    ";
    assert_eq!(used(source), ["db", "api", "types", "decode", "serve"]);
}
