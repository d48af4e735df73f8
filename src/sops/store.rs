//! What differs from format to format, in one place: reading, and the text of values and metadata.

use zeroize::Zeroizing;

use super::error::Error;
use super::format::Format;
use super::json::{self, Style};
use super::number::is_json_number;
use super::raw::{Held, Kind, Member, Parsed, Part, Raw};
use super::tree::{Leaf, Node};
use super::yaml::{self, Layout, Place};
use super::{cipher, dotenv};
use crate::secret::Secret;

/// The metadata's key.
pub(super) const SOPS: &str = "sops";

/// The key under which a binary file's content is.
pub(super) const DATA: &str = "data";

/// Spaces a level where a YAML document does not tell, as sops has it.
const YAML_STEP: usize = 4;

/// Parses a file, plain or encrypted; `name` is for errors.
pub(super) fn parse(name: &str, bytes: &[u8], format: Format) -> Result<Parsed, Error> {
    match format {
        Format::Json => json_file(name, bytes),
        Format::Dotenv => dotenv::parse(name, bytes),
        Format::Yaml => {
            let yaml::Read { source, roots } = yaml::parse(name, bytes)?;
            let parts = roots.into_iter().map(|(root, end)| yaml_part(root, end)).collect();
            Ok(Parsed { source, parts })
        }
        Format::Binary => match json_file(name, bytes) {
            Ok(parsed) if parsed.parts.iter().any(|part| part.sops.is_some()) => Ok(parsed),
            _ => Ok(binary(bytes)),
        },
        Format::Ini => Err(Error::Format { name: name.to_owned(), format }),
    }
}

/// Parses a plain text that was made of a tree; of a binary file the tree is taken, since no text can hold it.
pub(super) fn parse_document(name: &str, text: &str, node: &Node, format: Format) -> Result<Parsed, Error> {
    match (format, node.get(&[DATA])) {
        (Format::Binary, Some(Node::Leaf(Leaf::Bytes(bytes)))) => Ok(binary(bytes)),
        (Format::Binary, Some(Node::Leaf(Leaf::Text(text)))) => Ok(binary(text.expose().as_bytes())),
        _ => parse(name, text.as_bytes(), format),
    }
}

fn json_file(name: &str, bytes: &[u8]) -> Result<Parsed, Error> {
    let (source, root) = json::parse(name, bytes)?;
    if root.map().is_none() {
        let why = "the document is not an object, which the sops format demands".to_owned();
        return Err(Error::Syntax { name: name.to_owned(), line: 1, column: 1, why });
    }
    let part = json::part(root, source.len());
    Ok(Parsed { source, parts: vec![part] })
}

/// A plain binary file: the JSON that it will be encrypted in, with the content where its value will stand.
fn binary(bytes: &[u8]) -> Parsed {
    let source = Zeroizing::new(format!("{{\n\t\"{DATA}\": \"\"\n}}\n"));
    let key = 3..5 + DATA.len();
    let value = key.end + 2..key.end + 4;
    let kind = match std::str::from_utf8(bytes) {
        Ok(text) => Kind::Text(Secret::new(text)),
        Err(_) => Kind::Bytes(Zeroizing::new(bytes.to_vec())),
    };
    let member = Member { key: DATA.to_owned(), key_span: key, value: Raw::new(value, kind) };
    let end = source.len();
    let root = Raw::new(0..end - 1, Kind::Map(vec![member]));
    Parsed { source, parts: vec![Part { root, sops: None, end }] }
}

fn yaml_part(mut root: Raw, end: usize) -> Part {
    let Some(column) = root.column else {
        return json::part(root, end);
    };
    let Kind::Map(members) = &mut root.kind else {
        return Part { root, sops: None, end };
    };
    let sops = members.iter().position(|member| member.key == SOPS).map(|at| {
        let mut own = members.remove(at);
        let lines = own.value.lines;
        let (body, behind) = lines.map_or((own.key_span.start, own.value.span.end), |lines| (lines.body, lines.end));
        // Its comments are those of whatever follows.
        let mut before = std::mem::take(&mut own.value.before);
        before.retain(|remark| remark.span.start < body);
        match members.get_mut(at) {
            Some(next) => {
                next.value.before.splice(0..0, before);
            }
            None => {
                root.after.splice(0..0, before);
            }
        }
        let next = members.get(at).map(|next| next.key.clone());
        let text = body..behind;
        Held {
            raw: own.value,
            text: vec![text],
            cuts: std::iter::once(body - column..behind).collect(),
            before_key: next,
        }
    });
    Part { root, sops, end }
}

/// How values are written in a document.
pub(super) struct Writer {
    format: Format,
    layout: Layout,
    style: Style,
}

impl Writer {
    /// In the layout of a text; `step` are the spaces a level of a YAML document that does not tell.
    pub(super) fn of(format: Format, parsed: &Parsed, step: Option<usize>) -> Self {
        // In dotenv a return is the value's own.
        let windows = format != Format::Dotenv && parsed.source.contains("\r\n");
        let newline = if windows { "\r\n" } else { "\n" };
        let step = parsed.parts.iter().find_map(step_of).or(step.filter(|step| *step > 0)).unwrap_or(YAML_STEP);
        let style = match parsed.parts.first().map(|part| &part.root) {
            _ if format == Format::Yaml => Style::one_line(),
            Some(root) if root.column.is_none() => Style::of(&parsed.source, root),
            _ => Style::sops(),
        };
        Self { format, layout: Layout { step, newline }, style }
    }

    pub(super) fn newline(&self) -> &'static str {
        self.layout.newline
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// A plain value where `raw` stands; `column` is that of the lines around it.
    pub(super) fn plain(&self, leaf: &Leaf, raw: &Raw, column: Option<usize>) -> String {
        match self.format {
            Format::Yaml => {
                let followed = raw.before.iter().any(|remark| remark.span.start >= raw.span.end);
                let text = yaml::scalar_text(leaf, Place { column, followed }, self.layout);
                spaced(raw, text)
            }
            Format::Dotenv => dotenv::value(leaf),
            Format::Json | Format::Binary | Format::Ini => json::leaf_text(leaf),
        }
    }

    /// An encrypted value where `raw` stands.
    pub(super) fn sealed(&self, text: &str, raw: &Raw, column: Option<usize>) -> String {
        match self.format {
            Format::Yaml if column.is_some() => spaced(raw, text.to_owned()),
            Format::Dotenv => text.to_owned(),
            Format::Yaml => spaced(raw, json::quote(text)),
            Format::Json | Format::Binary | Format::Ini => json::quote(text),
        }
    }

    /// A field of the metadata that is replaced in its place.
    pub(super) fn field(&self, text: &str, in_lines: bool) -> String {
        match self.format {
            Format::Dotenv => text.to_owned(),
            Format::Yaml if in_lines && text.starts_with("ENC[") => text.to_owned(),
            _ => json::quote(text),
        }
    }

    /// The metadata as it stands in this document, to replace what [`Held::text`] names.
    pub(super) fn metadata(&self, node: &Node, part: &Part) -> String {
        match (self.format, part.root.column) {
            (Format::Yaml, Some(column)) => {
                let body = yaml::value_part(node, column, self.layout);
                format!("{SOPS}:{body}{}", self.layout.newline)
            }
            (Format::Dotenv, _) => dotenv::metadata(node),
            (Format::Yaml, None) => yaml::flow(node),
            _ => self.style.render(node, 1),
        }
    }

    /// Where metadata goes into a plain document, and all that is put there. `old` is where it was before.
    pub(super) fn insertion(
        &self,
        parsed: &Parsed,
        part: &Part,
        old: Option<(&str, &Held)>,
        metadata: &str,
    ) -> (usize, String) {
        let Some(column) = part.root.column else {
            return json::insertion(&self.style, &parsed.source, part, old, metadata);
        };
        let next = old.and_then(|(_, held)| held.before_key.as_ref()).and_then(|key| part.root.get(key));
        let indent = " ".repeat(column);
        if let Some(lines) = next.and_then(|next| next.lines) {
            return (lines.body - column, format!("{indent}{metadata}"));
        }
        let before = &parsed.source[..part.end];
        let joint = if before.is_empty() || before.ends_with('\n') { "" } else { self.layout.newline };
        (part.end, format!("{joint}{indent}{metadata}"))
    }

    /// Whether a value can be written at all.
    pub(super) fn check(&self, node: &Node) -> Result<(), &'static str> {
        if self.format == Format::Dotenv { dotenv::check(node) } else { Ok(()) }
    }

    /// Whether a key can be written at all.
    pub(super) fn check_key(&self, key: &str) -> Result<(), &'static str> {
        if self.format == Format::Dotenv { dotenv::check_key(key) } else { Ok(()) }
    }

    /// A new member of a map at a column: its lines, the first one without its indentation, the last one without its end.
    pub(super) fn new_member(&self, key: &str, node: &Node, column: usize) -> String {
        let value = self.new_value(node, column, false, false);
        if self.format == Format::Dotenv { format!("{key}={value}") } else { format!("{}:{value}", yaml::key(key)) }
    }

    /// The same of an item of a list.
    pub(super) fn new_item(&self, node: &Node, column: usize) -> String {
        yaml::item_text(node, column, self.layout)
    }

    /// What stands behind a colon, equals sign or dash; `followed` by a comment if it is in one line.
    pub(super) fn new_value(&self, node: &Node, column: usize, is_item: bool, followed: bool) -> String {
        match node {
            Node::Leaf(leaf) if self.format == Format::Dotenv => dotenv::value(leaf),
            Node::Leaf(leaf) => {
                let place = Place { column: Some(column), followed };
                format!(" {}", yaml::scalar_text(leaf, place, self.layout))
            }
            _ if is_item => yaml::item_text(node, column, self.layout)[1..].to_owned(),
            _ => yaml::value_part(node, column, self.layout),
        }
    }

    /// A new value in brackets, `depth` levels below the outermost.
    pub(super) fn in_brackets(&self, node: &Node, depth: usize) -> String {
        if self.format == Format::Yaml { yaml::flow(node) } else { self.style.render(node, depth) }
    }

    /// A key in brackets, in its quotes.
    pub(super) fn key_in_brackets(&self, key: &str) -> String {
        if self.format == Format::Yaml { yaml::quote(key) } else { json::quote(key) }
    }

    /// How brackets are laid out.
    pub(super) fn style(&self) -> &Style {
        &self.style
    }

    /// A new plain document.
    pub(super) fn document(&self, node: &Node, indent: Option<usize>) -> Result<Zeroizing<String>, (String, String)> {
        match self.format {
            Format::Yaml => {
                let mut text = Zeroizing::new(yaml::render_block(node, 0, self.layout));
                text.push_str(self.layout.newline);
                Ok(text)
            }
            Format::Dotenv => {
                let Node::Map(members) = node else { return Ok(Zeroizing::default()) };
                let mut text = Zeroizing::new(String::new());
                for (key, value) in members {
                    let wrong = |why: &str| (key.clone(), why.to_owned());
                    dotenv::check_key(key).and_then(|()| dotenv::check(value)).map_err(wrong)?;
                    if let Node::Leaf(leaf) = value {
                        for part in [key.as_str(), "=", &dotenv::value(leaf), "\n"] {
                            text.push_str(part);
                        }
                    }
                }
                Ok(text)
            }
            Format::Json | Format::Binary | Format::Ini => {
                let style = indent.map_or_else(Style::sops, |spaces| Style::indented(&" ".repeat(spaces)));
                let mut text = Zeroizing::new(style.render(node, 0));
                text.push('\n');
                Ok(text)
            }
        }
    }

    /// What is read again where a value was written.
    pub(super) fn shown(&self, leaf: &Leaf) -> Leaf {
        shown(self.format, leaf)
    }
}

/// What is read again where a value was written in a format.
pub(super) fn shown(format: Format, leaf: &Leaf) -> Leaf {
    match (format, leaf) {
        (Format::Dotenv, leaf) => dotenv::shown(leaf),
        (_, Leaf::Comment(text)) | (Format::Json, Leaf::Time(text)) => Leaf::Text(text.clone()),
        (_, Leaf::Bytes(bytes)) if format != Format::Binary => Leaf::Text(Secret::new(cipher::base64(bytes))),
        (Format::Json, Leaf::Number(text)) if !is_json_number(text.expose()) => Leaf::Text(text.clone()),
        _ => leaf.clone(),
    }
}

/// A value that stands where nothing stood needs a space before it.
fn spaced(raw: &Raw, text: String) -> String {
    if raw.span.is_empty() && !text.is_empty() { format!(" {text}") } else { text }
}

/// Spaces a level: the column of the first map or list that is in lines below another.
fn step_of(part: &Part) -> Option<usize> {
    let own = part.root.column?;
    let members = part.root.map()?.iter().map(|member| &member.value);
    let held = part.sops.iter().map(|held| &held.raw);
    members.chain(held).filter_map(|value| value.column).find(|column| *column > own).map(|column| column - own)
}
