//! Splitting text into `data:` lines.
//!
//! Owns: the one place that decides where a line of an event ends.
//! Must not: let a carriage return or a line feed through: each ends a line for every reader.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Appends `text` as `data` lines; CRLF, LF and a lone CR each end one line.
pub(super) fn push_data(out: &mut Vec<u8>, text: &[u8], prefix: &[u8]) {
    let mut rest = text;
    loop {
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (line, tail) = rest.split_at(end.unwrap_or(rest.len()));
        push_line(out, line, prefix);
        match tail {
            [] => return,
            [b'\r', b'\n', after @ ..] | [_, after @ ..] => rest = after,
        }
    }
}

/// Appends `bytes` as one `data` line of base64.
pub(super) fn push_base64(out: &mut Vec<u8>, bytes: &[u8], prefix: &[u8]) {
    out.extend_from_slice(prefix);
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'\n');
}

fn push_line(out: &mut Vec<u8>, line: &[u8], prefix: &[u8]) {
    out.extend_from_slice(prefix);
    // A reader drops one space after the colon: a line that begins with one needs a second.
    if line.first() == Some(&b' ') && !prefix.ends_with(b" ") {
        out.push(b' ');
    }
    out.extend_from_slice(line);
    out.push(b'\n');
}
