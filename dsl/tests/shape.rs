//! How tightly operators bind, and which part of the text each part of a tree covers.
#![allow(clippy::unwrap_used)]

mod common;

use chiasm_dsl::span::{FileId, Sources, Span};
use chiasm_dsl::tree::{Expr, ExprKind, ItemKind};
use common::clean;

/// An expression of a text with brackets round every operator.
fn bracketed(text: &str, value: &Expr) -> String {
    let inner = |value: &Expr| bracketed(text, value);
    let words = |span: Span| text[span.start as usize..span.end as usize].to_string();
    match &value.kind {
        ExprKind::Binary { op_span, left, right, .. } => {
            format!("<{} {} {}>", inner(left), words(*op_span), inner(right))
        }
        ExprKind::Unary { op, value } => format!("<{op:?} {}>", inner(value)),
        ExprKind::Pipe { from, step } => format!("<{} -> {}>", inner(from), words(step.path.span)),
        ExprKind::If { test, yes, no } => format!("<if {} {} {}>", inner(test), inner(yes), inner(no)),
        ExprKind::Transpose(value) => format!("{}'", inner(value)),
        _ => words(value.span),
    }
}

fn value(text: &str) -> Expr {
    let tree = clean("shape.chi", &format!("x = {text}"));
    match &tree.items[0].kind {
        ItemKind::Define(field) => field.value.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn operators_bind_as_the_grammar_says() {
    let cases = [
        ("a + b -> f", "<<a + b> -> f>"),
        ("a - b - c", "<<a - b> - c>"),
        ("a + b * c", "<a + <b * c>>"),
        ("a * b + c", "<<a * b> + c>"),
        ("-x ^ 2", "<Negate <x ^ 2>>"),
        ("2 ^ -n ^ 2", "<2 ^ <Negate <n ^ 2>>>"),
        ("- -x * y", "<<Negate <Negate x>> * y>"),
        ("a @ b' / t", "<<a @ b'> / t>"),
        ("not a == b", "<Not <a == b>>"),
        ("not not a and b", "<<Not <Not a>> and b>"),
        ("a or b and not c < d + 1", "<a or <b and <Not <c < <d + 1>>>>>"),
        ("a and b or c", "<<a and b> or c>"),
        ("a < b and c > d", "<<a < b> and <c > d>>"),
        ("if a then b -> f else c -> g -> h", "<if a <b -> f> <<c -> g> -> h>>"),
    ];
    for (text, expected) in cases {
        assert_eq!(bracketed(&format!("x = {text}"), &value(text)), expected, "{text}");
    }
}

/// The texts under an expression and all its parts, from the outside in.
fn covered(text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    sources.add("shape.chi", &format!("x = {text}"), false);
    let mut found = Vec::new();
    walk(&value(text), &mut |span| found.push(sources.text(span).to_string()));
    assert_eq!(FileId(0), value(text).span.file);
    found
}

fn walk(value: &Expr, see: &mut impl FnMut(chiasm_dsl::span::Span)) {
    see(value.span);
    match &value.kind {
        ExprKind::Pipe { from, step } => {
            walk(from, see);
            see(step.span);
        }
        ExprKind::Binary { left, op_span, right, .. } => {
            walk(left, see);
            see(*op_span);
            walk(right, see);
        }
        ExprKind::Call { callee, args } => {
            walk(callee, see);
            args.iter().for_each(|arg| see(arg.span()));
        }
        _ => {}
    }
}

#[test]
fn spans_cover_the_tokens_and_no_more() {
    assert_eq!(covered("a  ->  f ( 1 ) "), ["a  ->  f ( 1 )", "a", "f ( 1 )"]);
    assert_eq!(covered("a @ (b )  # c"), ["a @ (b )", "a", "@", "(b )"]);
    assert_eq!(
        covered("f(a, k: b + 1, c: 0 .. 1 )"),
        ["f(a, k: b + 1, c: 0 .. 1 )", "f", "a", "k: b + 1", "c: 0 .. 1"]
    );
    assert_eq!(covered("m with { a = b }  "), ["m with { a = b }"]);
}
