//! Which file uses which, read from the code itself, and which files use each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Item, ItemMod, ItemUse, Macro, Path, UseTree};

use super::Source;

/// The name of a file as a module: `engine`, `queue` for `src/engine/queue.rs`.
type Module = Vec<String>;

/// The circles of files that can reach each other. The files of a circle are in the order of their
/// names.
pub fn circles(sources: &[Source]) -> Vec<Vec<String>> {
    let modules: BTreeSet<Module> = sources.iter().map(module_of).collect();
    let uses: BTreeMap<Module, BTreeSet<Module>> =
        sources.iter().map(|source| (module_of(source), uses_of(source, &modules))).collect();
    let reaches: BTreeMap<&Module, BTreeSet<&Module>> =
        uses.keys().map(|from| (from, reached_from(from, &uses))).collect();
    let mut found = BTreeSet::new();
    for (from, reached) in &reaches {
        if !reached.contains(from) {
            continue;
        }
        let returns = |to: &&&Module| reaches[**to].contains(from);
        found.insert(reached.iter().filter(returns).map(|to| to.join("/")).collect());
    }
    found.into_iter().collect()
}

fn reached_from<'a>(
    from: &Module,
    uses: &'a BTreeMap<Module, BTreeSet<Module>>,
) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Module> = uses[from].iter().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(uses.get(module).into_iter().flatten());
        }
    }
    reached
}

fn module_of(source: &Source) -> Module {
    let inner = source.path.strip_prefix("src").expect("sources are under src").with_extension("");
    let names = inner.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name != "lib").collect()
}

fn uses_of(source: &Source, modules: &BTreeSet<Module>) -> BTreeSet<Module> {
    let file = syn::parse_file(&source.text).expect("the compiler takes it");
    let children = file.items.iter().filter_map(|item| match item {
        Item::Mod(ItemMod { ident, content: None, .. }) => Some(ident.to_string()),
        _ => None,
    });
    let mut found = Uses {
        own: module_of(source),
        children: children.collect(),
        modules,
        used: BTreeSet::new(),
    };
    found.visit_file(&file);
    found.used
}

/// The uses that are found in one file.
struct Uses<'a> {
    own: Module,
    children: BTreeSet<String>,
    modules: &'a BTreeSet<Module>,
    used: BTreeSet<Module>,
}

impl Uses<'_> {
    /// Notes the file to which this path leads, if the file belongs to the crate.
    fn note(&mut self, path: &[String]) {
        let Some(first) = path.first() else { return };
        let (mut module, rest) = match first.as_str() {
            "crate" => (Module::new(), &path[1..]),
            "self" => (self.own.clone(), &path[1..]),
            "super" => {
                let up = path.iter().take_while(|name| *name == "super").count();
                (self.own[..self.own.len().saturating_sub(up)].to_vec(), &path[up..])
            }
            // By itself, such a name is a variable with the name of the child.
            child if path.len() > 1 && self.children.contains(child) => (self.own.clone(), path),
            _ => return,
        };
        for name in rest {
            module.push(name.clone());
            if !self.modules.contains(&module) {
                module.pop();
                break;
            }
        }
        if module != self.own {
            self.used.insert(module);
        }
    }

    fn note_tree(&mut self, before: &mut Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.note_tree(before, &path.tree);
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(before, tree);
                }
            }
            UseTree::Name(name) => self.note_leaf(before, name.ident.to_string()),
            UseTree::Rename(name) => self.note_leaf(before, name.ident.to_string()),
            UseTree::Glob(_) => self.note(before),
        }
    }

    fn note_leaf(&mut self, before: &mut Vec<String>, name: String) {
        before.push(name);
        self.note(before);
        before.pop();
    }

    /// The parser sees no paths in the words of a macro, so they are put together here.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut is_open = false;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if is_open || path.is_empty() => {
                    path.push(ident.to_string());
                    is_open = false;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    is_open = true;
                }
                other => {
                    self.note(&std::mem::take(&mut path));
                    is_open = false;
                    match other {
                        TokenTree::Ident(ident) => path.push(ident.to_string()),
                        TokenTree::Group(group) => self.note_tokens(group.stream()),
                        TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                    }
                }
            }
        }
        self.note(&path);
    }
}

impl Visit<'_> for Uses<'_> {
    fn visit_item_use(&mut self, item: &ItemUse) {
        self.note_tree(&mut Vec::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &Path) {
        let names: Vec<String> = path.segments.iter().map(|one| one.ident.to_string()).collect();
        self.note(&names);
        syn::visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &syn::Visibility) {
        // `pub(in crate::engine)` uses nothing of the engine.
    }

    fn visit_macro(&mut self, made: &Macro) {
        self.note_tokens(made.tokens.clone());
    }
}
