//! What has one place in the code: every bound is in `src/limits`, and only `src/clock.rs` reads a
//! clock. And what has no place: files that use each other in a circle, and state that hides in a
//! thread.

use std::collections::BTreeSet;

use syn::visit::Visit;
use syn::{Expr, ItemConst};

use super::{Source, circles, sources};

/// Numbers and lengths of time: the types of which a bound can be.
const MEASURES: [&str; 10] =
    ["u8", "u16", "u32", "u64", "usize", "i64", "Span", "Duration", "NonZeroUsize", "f64"];

/// How the name of a bound ends.
const NAMES_OF_BOUNDS: [&str; 7] =
    ["_MAX", "_MIN", "_MOST", "_AT_ONCE", "_KEPT", "ROOM", "MAILBOX"];

/// How a clock is read.
const READINGS: [&str; 4] = ["Instant::now()", "SystemTime::now()", ".elapsed()", "now_utc()"];

fn within_src(source: &Source) -> String {
    source.path.strip_prefix("src").expect("sources are under src").display().to_string()
}

#[test]
fn files_use_each_other_in_no_circle() {
    let found = circles::circles(&sources("src"));
    assert!(found.is_empty(), "files use each other in a circle: {found:#?}");
}

#[test]
fn no_state_hides_in_a_thread() {
    let hides = |source: &Source| source.text.contains("thread_local");
    let hiding: Vec<_> = sources("src").iter().filter(|it| hides(it)).map(within_src).collect();
    assert!(hiding.is_empty(), "state hides in a thread: {hiding:#?}");
}

#[test]
fn one_file_reads_the_clock() {
    let mut found = BTreeSet::new();
    for source in sources("src").iter().filter(|source| source.part() != "clock") {
        for (_, line) in source.code() {
            for reading in READINGS.iter().filter(|reading| line.contains(**reading)) {
                found.insert(format!("{} {reading}", within_src(source)));
            }
        }
    }
    assert!(found.is_empty(), "somebody else than src/clock.rs reads a clock: {found:#?}");
}

#[test]
fn every_bound_is_where_bounds_are() {
    let mut found = BTreeSet::new();
    for source in sources("src").iter().filter(|source| source.part() != "limits") {
        let mut bounds = Bounds::default();
        bounds.visit_file(&syn::parse_file(&source.text).expect("the compiler takes it"));
        found.extend(bounds.names.iter().map(|name| format!("{} {name}", within_src(source))));
    }
    assert!(found.is_empty(), "a bound stands outside of src/limits: {found:#?}");
}

/// The bounds that a file sets itself.
#[derive(Default)]
struct Bounds {
    names: Vec<String>,
}

impl Visit<'_> for Bounds {
    fn visit_item_const(&mut self, item: &ItemConst) {
        let name = item.ident.to_string();
        let syn::Type::Path(of) = &*item.ty else { return };
        let Some(of) = of.path.segments.last().map(|one| one.ident.to_string()) else { return };
        let is_bound = NAMES_OF_BOUNDS.iter().any(|end| name.ends_with(end));
        if is_bound && MEASURES.contains(&&*of) && !is_taken_from_limits(&item.expr) {
            self.names.push(name);
        }
    }
}

/// Whether a value is a bound of `limits` in another measure: `Duration::from_secs(limits::…)`.
fn is_taken_from_limits(value: &Expr) -> bool {
    struct Found(bool);
    impl Visit<'_> for Found {
        fn visit_path(&mut self, path: &syn::Path) {
            self.0 |= path.segments.first().is_some_and(|first| first.ident == "limits");
            syn::visit::visit_path(self, path);
        }
    }
    let mut found = Found(false);
    found.visit_expr(value);
    found.0
}
