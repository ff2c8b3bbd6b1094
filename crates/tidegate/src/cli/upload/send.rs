//! One file as a multipart body, piece by piece from the disk (RFC 7578).

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Body, Method};
use serde_json::Value;
use tidegate_types::OsEntropy;
use tokio::io::AsyncReadExt as _;

use crate::cli::client::{CallError, Client, answer};
use crate::cli::exit::CliError;
use crate::cli::output::Output;

const PIECE_BYTES: usize = 65_536;
const PATH: &str = "/api/v1/documents/upload";
/// Long enough for 25 MiB at the least rate that servers take.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Sends it and answers its record.
pub(super) async fn send(client: &Client, path: &Path, output: Output) -> Result<Value, CliError> {
    let unreadable = |error: std::io::Error| CliError::io(path.display(), error);
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let about = file.metadata().await.map_err(unreadable)?;
    if !about.is_file() {
        return Err(CliError::io(path.display(), "is not a file"));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let entropy: &dyn tidegate_types::Entropy = &OsEntropy;
    let boundary = format!("tidegate-{:032x}", u128::from_le_bytes(entropy.array()));
    let head = Bytes::from(head(&boundary, &name));
    let tail = Bytes::from(format!("\r\n--{boundary}--\r\n"));
    let length = about.len() + head.len() as u64 + tail.len() as u64;
    let bar = bar(output, about.len(), &name);
    let counted = bar.clone();
    // No more than was promised, should the file grow meanwhile.
    let pieces = pieces(file.take(about.len()))
        .inspect_ok(move |piece| counted.iter().for_each(|bar| bar.inc(piece.len() as u64)));
    let whole = stream::iter([Ok(head)]).chain(pieces).chain(stream::iter([Ok(tail)]));
    let request = client
        .request(Method::POST, PATH)
        .header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
        .header(CONTENT_LENGTH, length)
        .timeout(PATIENCE)
        .body(Body::wrap_stream(whole));
    let sent = request.send().await.map_err(|error| CallError::unreachable(&error));
    bar.iter().for_each(ProgressBar::finish_and_clear);
    Ok(answer(sent?).await?.body)
}

fn head(boundary: &str, name: &str) -> String {
    // As browsers write names (HTML, "multipart/form-data encoding algorithm").
    let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
}

fn pieces(
    file: tokio::io::Take<tokio::fs::File>,
) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE_BYTES];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(piece), file)))
    })
}

fn bar(output: Output, bytes: u64, name: &str) -> Option<ProgressBar> {
    if !output.is_terminal() || output.quiet {
        return None;
    }
    let bar = ProgressBar::new(bytes).with_message(name.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{bar:30.cyan} {bytes}/{total_bytes}  {wide_msg}") {
        bar.set_style(style);
    }
    Some(bar)
}

#[cfg(test)]
mod tests {
    use super::head;

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        let head = head("b", "a\"; x=\"\r\nEvil: 1.txt");
        assert!(head.contains("filename=\"a%22; x=%22%0D%0AEvil: 1.txt\"\r\n"));
    }
}
