//! Lists the files of the investor page for `src/web.rs`: those that `scripts/web` built, or, where it did not run, one that says so. So
//! `cargo build` needs no node.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const NOTICE: &str = "\
<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Crowdsale</title>
<h1>The page for investors is not in this program</h1>
<p>It was built without it. Run <code>scripts/web</code>, and build the program again.</p>
<p>The service works all the same: <a href=\"docs\">what can be asked</a>.</p></html>
";

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("web/dist");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    // A folder that is not there would make cargo build anew each time. Where it cannot be made, that is all that happens.
    let _ = fs::create_dir_all(&root);
    println!("cargo::rerun-if-changed={}", root.display());

    let mut files = Vec::new();
    if root.join("index.html").exists() {
        collect(&root, &mut files)?;
    } else {
        let notice = out.join("index.html");
        fs::write(&notice, NOTICE)?;
        files.push(("index.html".to_owned(), notice));
    }
    // The same input gives the same program.
    files.sort();
    let mut table = String::from("static FILES: &[(&str, &[u8])] = &[\n");
    for (name, path) in files {
        writeln!(table, "    ({name:?}, include_bytes!({:?})),", path.display().to_string())?;
    }
    table.push_str("];\n");
    fs::write(out.join("web.rs"), table)?;
    Ok(())
}

/// The files of the page and of its folder of assets: it has no other.
fn collect(root: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<(), Box<dyn Error>> {
    for (folder, prefix) in [(root.to_owned(), ""), (root.join("assets"), "assets/")] {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).ok_or("a file of the page has no UTF-8 name")?;
            if path.is_file() {
                files.push((format!("{prefix}{name}"), path.clone()));
            }
        }
    }
    Ok(())
}
