//! Lines as rustfmt leaves them: at most 100 characters, and no more than 60 between the brackets of a call.

use super::expr::{Call, tupled};

/// The longest line.
const WIDTH: usize = 100;
/// The longest arguments on one line.
const ARGUMENTS: usize = 60;
/// The longest fields of a struct on one line.
const FIELDS: usize = 18;

/// `head` and a call and `tail`: on one line, with the call on a line of its own, or with an argument a line.
pub fn call(indent: usize, head: &str, call: &Call, tail: &str) -> String {
    let (pad, deeper) = (" ".repeat(indent), " ".repeat(indent + 4));
    let arguments = call.arguments.join(", ");
    let whole = format!("{}({arguments}){tail}", call.function);
    let short = arguments.len() <= ARGUMENTS;
    if short && indent + head.len() + whole.len() <= WIDTH {
        return format!("{pad}{head}{whole}\n");
    }
    if short && head.ends_with("= ") && indent + 4 + whole.len() <= WIDTH {
        return format!("{pad}{}\n{deeper}{whole}\n", head.trim_end());
    }
    if head.ends_with("= ") && indent + head.len() + call.function.len() + 1 > WIDTH {
        let deepest = " ".repeat(indent + 8);
        let lines: String = call.arguments.iter().map(|argument| format!("{deepest}{argument},\n")).collect();
        return format!("{pad}{}\n{deeper}{}(\n{lines}{deeper}){tail}\n", head.trim_end(), call.function);
    }
    let lines: String = call.arguments.iter().map(|argument| argument_line(indent + 4, argument)).collect();
    format!("{pad}{head}{}(\n{lines}{pad}){tail}\n", call.function)
}

/// The same for the method of a part, `self.attn.forward`, whose links stand one below the other if they are wide.
pub fn method(indent: usize, head: &str, call_: &Call, tail: &str) -> String {
    let chain = format!("{}({}){}", call_.function, call_.arguments.join(", "), tail.trim_end_matches(';'));
    let mut links: Vec<&str> = call_.function.split('.').collect();
    if chain.len() <= ARGUMENTS || links.len() < 3 {
        return call(indent, head, call_, tail);
    }
    let (pad, last) = (" ".repeat(indent), links.pop().unwrap_or_default());
    let own = if head.is_empty() { 2 } else { 1 };
    let first = links[..own].join(".");
    let middle: String = links[own..].iter().map(|link| format!("{pad}    .{link}\n")).collect();
    let end = Call { function: format!(".{last}"), arguments: call_.arguments.clone() };
    format!("{pad}{head}{first}\n{middle}{}", call(indent + 4, "", &end, tail))
}

/// An argument on a line of its own; a list that is too wide for one has an item a line.
fn argument_line(indent: usize, argument: &str) -> String {
    let (pad, deeper) = (" ".repeat(indent), " ".repeat(indent + 4));
    let list = argument
        .strip_prefix("&[")
        .map(|rest| ("&[", rest))
        .or_else(|| Some(("[", argument.strip_prefix('[')?)));
    match list.and_then(|(open, rest)| Some((open, rest.strip_suffix(']')?))) {
        Some((open, items)) if items.len() > ARGUMENTS => {
            let lines: String = items.split(", ").map(|item| format!("{deeper}{item},\n")).collect();
            format!("{pad}{open}\n{lines}{pad}],\n")
        }
        _ => format!("{pad}{argument},\n"),
    }
}

/// The head of a function, up to its brace; it gives one of these types, or a tuple of them.
pub fn function(indent: usize, name: &str, arguments: &[String], results: &[String]) -> String {
    let (pad, deeper) = (" ".repeat(indent), " ".repeat(indent + 4));
    let whole = if let [one] = results { one.clone() } else { tupled(results) };
    let result = format!("Result<{whole}, EmbedError>");
    let line = format!("{pad}pub fn {name}({}) -> {result} {{", arguments.join(", "));
    if line.len() <= WIDTH {
        return line + "\n";
    }
    let lines: String = arguments.iter().map(|argument| format!("{deeper}{argument},\n")).collect();
    let end = format!("{pad}) -> {result} {{");
    if end.len() <= WIDTH {
        return format!("{pad}pub fn {name}(\n{lines}{end}\n");
    }
    let deepest = " ".repeat(indent + 8);
    let types: String = results.iter().map(|ty| format!("{deepest}{ty},\n")).collect();
    let short = results.len() == 1 || whole.len() <= ARGUMENTS;
    let result =
        if short { format!("{deeper}{whole},\n") } else { format!("{deeper}(\n{types}{deeper}),\n") };
    format!("{pad}pub fn {name}(\n{lines}{pad}) -> Result<\n{result}{deeper}EmbedError,\n{pad}> {{\n")
}

/// The call of `parts!` for a struct.
pub fn parts(name: &str, keys: &[String]) -> String {
    let line = keys.join(", ");
    if line.len() <= FIELDS {
        return format!("chiasm::parts!({name} {{ {line} }});\n");
    }
    let lines: String = keys.iter().map(|key| format!("    {key},\n")).collect();
    format!("chiasm::parts!({name} {{\n{lines}}});\n")
}

/// Comment lines of a text.
pub fn comment(indent: usize, mark: &str, text: &str) -> String {
    let pad = " ".repeat(indent);
    let width = WIDTH - indent - mark.len() - 1;
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push_str(&format!("{pad}{mark} {line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines + &format!("{pad}{mark} {line}\n")
}
