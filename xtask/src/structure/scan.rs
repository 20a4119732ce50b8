//! Paths that a source file names, without its tests, comments and strings. A plain scanner of words: it resolves no
//! names, so what comes through a glob import or a macro is not seen.

/// What one file names.
#[derive(Debug, Default)]
pub struct Scanned {
    /// In the order of the file.
    pub paths: Vec<NamedPath>,
    /// Modules in other files that are declared here for tests alone.
    pub test_modules: Vec<String>,
}

/// One path of at least two segments.
#[derive(Debug, PartialEq)]
pub struct NamedPath {
    /// Begins with `crate` where the file says `crate`, `self` or `super`; otherwise as written.
    pub segments: Vec<String>,
    /// Counted from 1.
    pub line: usize,
}

/// Scans a file that is the module `module` of its crate; the root has no segments.
pub fn scan(text: &str, module: &[String]) -> Scanned {
    let (tokens, test_modules) = without_tests(&tokens(text));
    let mut reader = Reader { tokens: &tokens, next: 0, paths: Vec::new() };
    reader.module(module);
    Scanned { paths: reader.paths, test_modules }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Token<'a> {
    /// A word, `::`, or one sign.
    text: &'a str,
    line: usize,
}

impl Token<'_> {
    fn is_word(&self) -> bool {
        self.text.bytes().next().is_some_and(is_word_byte)
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let rest = &text[at..];
        let (len, is_token) = match not_code(rest) {
            Some(len) => (len, false),
            None if rest.as_bytes()[0].is_ascii_whitespace() => (1, false),
            None => (token_len(rest), true),
        };
        if is_token {
            tokens.push(Token { text: &rest[..len], line });
        }
        line += rest[..len].matches('\n').count();
        at += len;
    }
    tokens
}

fn token_len(rest: &str) -> usize {
    let word = rest.bytes().take_while(|byte| is_word_byte(*byte)).count();
    if word > 0 {
        word
    } else if rest.starts_with("::") {
        2
    } else {
        1
    }
}

/// Length of the comment, string, character or lifetime that `rest` begins with.
fn not_code(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_len(rest));
    }
    if bytes[0] == b'\'' {
        return Some(quote_len(rest));
    }
    let prefix = ["br", "cr", "r", "b", "c"].into_iter().find(|prefix| rest.starts_with(prefix)).unwrap_or_default();
    let behind = &rest[prefix.len()..];
    let n_hashes = if prefix.ends_with('r') { behind.bytes().take_while(|byte| *byte == b'#').count() } else { 0 };
    if !behind[n_hashes..].starts_with('"') {
        return None;
    }
    let start = prefix.len() + n_hashes + 1;
    if prefix.ends_with('r') {
        let end = format!("\"{}", "#".repeat(n_hashes));
        return Some(rest[start..].find(&end).map_or(rest.len(), |found| start + found + end.len()));
    }
    Some(start + escaped_len(&rest[start..], b'"'))
}

fn block_comment_len(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        let step = match rest.as_bytes().get(at..at + 2) {
            None => return rest.len(),
            Some(b"/*") => {
                depth += 1;
                2
            }
            Some(b"*/") => {
                depth -= 1;
                2
            }
            Some(_) => 1,
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
}

/// Of a character with its quotes, or of a lifetime.
fn quote_len(rest: &str) -> usize {
    let mut chars = rest[1..].chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => 1 + escaped_len(&rest[1..], b'\''),
        (Some(char), Some('\'')) => 2 + char.len_utf8(),
        _ => 1 + token_len(&rest[1..]),
    }
}

/// Up to and with the first `end` that no backslash escapes.
fn escaped_len(rest: &str, end: u8) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != end {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Leaves out attributes and the items for tests alone; tells which of these are modules in files of their own.
fn without_tests<'a>(tokens: &[Token<'a>]) -> (Vec<Token<'a>>, Vec<String>) {
    let (mut kept, mut test_modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let Some(attribute) = attribute_at(tokens, at) else {
            kept.push(tokens[at]);
            at += 1;
            continue;
        };
        at += attribute.len();
        if is_for_tests(attribute) {
            let item = item_at(tokens, at);
            if let [.., Token { text: "mod", .. }, name, Token { text: ";", .. }] = item {
                test_modules.push(name.text.to_owned());
            }
            at += item.len();
        }
    }
    (kept, test_modules)
}

/// `#[…]` or `#![…]`.
fn attribute_at<'t, 'a>(tokens: &'t [Token<'a>], at: usize) -> Option<&'t [Token<'a>]> {
    let text = |at: usize| tokens.get(at).map(|token| token.text);
    let bracket = if text(at + 1) == Some("!") { at + 2 } else { at + 1 };
    if text(at) != Some("#") || text(bracket) != Some("[") {
        return None;
    }
    let mut depth = 0;
    let len = tokens[bracket..].iter().position(|token| {
        depth += depth_step(token);
        depth == 0
    });
    Some(&tokens[at..bracket + len? + 1])
}

/// `cfg(test)` and `cfg(all(test, …))`.
fn is_for_tests(attribute: &[Token<'_>]) -> bool {
    let texts: Vec<&str> = attribute.iter().map(|token| token.text).filter(|text| *text != "!").collect();
    let asks = |at: usize, words: &[&str]| texts.get(at..at + words.len()) == Some(words);
    let is_alone = asks(2, &["cfg", "(", "test", ")"]);
    let is_among = asks(2, &["cfg", "(", "all", "("])
        && (5..texts.len()).any(|at| texts[at] == "test" && !asks(at - 2, &["not", "("]));
    is_alone || is_among
}

/// The item, field or statement that begins at `at`.
fn item_at<'t, 'a>(tokens: &'t [Token<'a>], at: usize) -> &'t [Token<'a>] {
    let mut depth = 0;
    let mut len = 0;
    let mut is_import = false;
    for token in &tokens[at..] {
        is_import |= ["use", "static", "const", "type"].contains(&token.text) && depth == 0;
        depth += depth_step(token);
        if depth < 0 {
            break;
        }
        len += 1;
        if depth == 0 && (token.text == ";" || token.text == "}" && !is_import) {
            break;
        }
    }
    &tokens[at..at + len]
}

fn depth_step(token: &Token<'_>) -> i32 {
    match token.text {
        "(" | "[" | "{" => 1,
        ")" | "]" | "}" => -1,
        _ => 0,
    }
}

/// Goes through the tokens once.
struct Reader<'t, 'a> {
    tokens: &'t [Token<'a>],
    next: usize,
    paths: Vec<NamedPath>,
}

impl<'a> Reader<'_, 'a> {
    fn peek(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.next + ahead).map_or("", |token| token.text)
    }

    /// Up to the brace that closes the module, or to the end of the file.
    fn module(&mut self, module: &[String]) {
        let mut depth = 0;
        while let Some(&token) = self.tokens.get(self.next) {
            if token.text == "mod" && self.peek(2) == "{" {
                let inner = [module, &[self.peek(1).to_owned()]].concat();
                self.next += 3;
                self.module(&inner);
                continue;
            }
            if token.text == "use" {
                self.next += 1;
                self.import(module, &[]);
                continue;
            }
            if token.is_word() || token.text == "::" {
                let segments = self.segments();
                self.note(module, segments, token.line);
                continue;
            }
            self.next += 1;
            depth += depth_step(&token);
            if depth < 0 {
                return;
            }
        }
    }

    /// Words with `::` between them.
    fn segments(&mut self) -> Vec<String> {
        let mut segments = Vec::new();
        loop {
            if self.peek(0) == "::" {
                self.next += 1;
            }
            let Some(word) = self.tokens.get(self.next).filter(|token| token.is_word()) else { return segments };
            segments.push(word.text.to_owned());
            self.next += 1;
            if self.peek(0) != "::" {
                return segments;
            }
        }
    }

    /// A tree of imports behind `prefix`, up to what ends it.
    fn import(&mut self, module: &[String], prefix: &[String]) {
        let line = self.tokens.get(self.next).map_or(0, |token| token.line);
        let mut path = [prefix, &self.segments()].concat();
        if self.peek(0) == "{" {
            self.next += 1;
            while !["}", ";", ""].contains(&self.peek(0)) {
                self.import(module, &path);
                if self.peek(0) == "," {
                    self.next += 1;
                }
            }
            self.next += 1;
            return;
        }
        if self.peek(0) == "*" {
            path.push("*".to_owned());
        }
        // Behind `as` stands a name for this file alone.
        while !["}", ",", ";", ""].contains(&self.peek(0)) {
            self.next += 1;
        }
        self.note(module, path, line);
    }

    fn note(&mut self, module: &[String], written: Vec<String>, line: usize) {
        let n_supers = written.iter().take_while(|word| *word == "super").count();
        let is_relative = n_supers > 0 || written.first().is_some_and(|word| word == "self");
        let segments = if is_relative {
            let kept = module.len().saturating_sub(n_supers);
            [&["crate".to_owned()], &module[..kept], &written[n_supers.max(1)..]].concat()
        } else {
            written.clone()
        };
        // One word alone is a name of this file, or says how visible something is.
        if written.len() > 1 {
            self.paths.push(NamedPath { segments, line });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str, module: &[&str]) -> Vec<(String, usize)> {
        let module: Vec<String> = module.iter().map(|word| word.to_string()).collect();
        scan(text, &module).paths.iter().map(|path| (path.segments.join("::"), path.line)).collect()
    }

    fn expect(text: &str, module: &[&str], expected: &[(&str, usize)]) {
        let expected: Vec<_> = expected.iter().map(|(path, line)| (path.to_string(), *line)).collect();
        assert_eq!(paths(text, module), expected);
    }

    #[test]
    fn imports_and_paths_are_found_with_their_lines() {
        let text =
            "use crate::a::{self, b::C,\n    d::*};\npub(crate) fn f(x: &crate::e::E) -> u8 { x.g::<u8>(h::i()) }";
        let expected = [("crate::a::self", 1), ("crate::a::b::C", 1), ("crate::a::d::*", 2)];
        expect(text, &[], &[&expected[..], &[("crate::e::E", 3), ("h::i", 3)]].concat());
    }

    #[test]
    fn super_leaves_the_module_it_stands_in() {
        let text = "use super::a::A;\nuse super::super::b::B;\nmod inner {\n    use super::C;\n}\nuse self::d::D;";
        let expected = [("crate::x::a::A", 1), ("crate::b::B", 2), ("crate::x::y::C", 4), ("crate::x::y::d::D", 6)];
        expect(text, &["x", "y"], &expected);
    }

    #[test]
    fn comments_strings_and_tests_do_not_count() {
        let text = r##"
            //! crate::a::A
            /* crate::b::B /* crate::c::C */ crate::d::D */
            const X: &[&str] = &["crate::e::E \"", r#"crate::f::F " "#, 'x', '"', '\''];
            fn f<'a>(x: &'a str) -> crate::g::G {}
            #[cfg(test)]
            use crate::h::{H, I};
            #[cfg(all(feature = "y", test))]
            mod one;
            #[cfg(not(test))]
            use crate::j::J;
            #[cfg(test)]
            mod tests { fn f() { crate::k::K } }
            use crate::l::L;
        "##;
        expect(text, &[], &[("crate::g::G", 5), ("crate::j::J", 11), ("crate::l::L", 14)]);
        assert_eq!(scan(text, &[]).test_modules, ["one"]);
    }
}
