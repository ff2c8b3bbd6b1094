//! Rules for Rust source: sizes, module docs, no tests that never run.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use super::{Finding, Tree};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, text) in tree.with_extension("rs") {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            findings.push(Finding::new(name, format!("{lines} lines; {FILE_LINES_MAX} at most")));
        }
        if !text.starts_with("//!") {
            findings.push(Finding::new(name, "opens without a `//!` module doc"));
        }
        match syn::parse_file(text) {
            Ok(file) => {
                let mut sizes = Functions { name, findings: &mut findings };
                sizes.visit_file(&file);
            }
            Err(error) => findings.push(Finding::new(name, format!("does not parse: {error}"))),
        }
    }
    findings
}

struct Functions<'a> {
    name: &'a str,
    findings: &'a mut Vec<Finding>,
}

impl Functions<'_> {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block, attributes: &[syn::Attribute]) {
        let lines = block.span().end().line.saturating_sub(signature.span().start().line) + 1;
        let place = format!("{}:{}", self.name, signature.span().start().line);
        if lines > FUNCTION_LINES_MAX {
            let rule = format!("`{}` has {lines} lines; {FUNCTION_LINES_MAX} at most", signature.ident);
            self.findings.push(Finding::new(&place, rule));
        }
        for attribute in attributes {
            if attribute.path().is_ident("ignore") {
                self.findings.push(Finding::new(&place, format!("`{}` never runs", signature.ident)));
            }
        }
        let is_test = attributes.iter().any(|a| a.path().segments.last().is_some_and(|s| s.ident == "test"));
        if is_test && signature.ident.to_string().starts_with("test_") {
            self.findings.push(Finding::new(&place, "a test's name is a claim, without `test_`"));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(&function.sig, &function.block, &function.attrs);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig, &function.block, &function.attrs);
        visit::visit_impl_item_fn(self, function);
    }
}
