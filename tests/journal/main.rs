//! What every journal promises. Both journals are tried: the one on `SQLite` and the one in memory.

mod append;
mod audit;
mod bursts;
mod contract;
mod disk;
mod golden;
mod memory;
mod pressure;
mod rows;
mod shared_row;
mod support;

/// Nothing leaves before it is written, so only a journal may say that something is written.
#[test]
fn only_a_journal_issues_receipts() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut dirs = vec![root.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let inside = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                if inside != "journal" {
                    dirs.push(path);
                }
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains("Receipt::issue"), "{inside} issues a receipt");
            }
        }
    }
}
