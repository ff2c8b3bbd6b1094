//! The answerer without a model: the sentences of the documents that answer best, quoted and cited.
//!
//! Owns: what counts as a sentence, how well one fits a question, and the words for "no answer".
//! Must not: say anything that does not stand in a document.

mod choose;
mod score;
mod terms;

use async_trait::async_trait;
use serde_json::{Value, json};

use self::choose::{Quote, choose};
use self::terms::Terms;
use super::{AnswerFailed, AnswerSink, Answerer, Citation, Question};

/// Passages that are looked at for one question.
const PASSAGES: usize = 24;

/// Answers with the best sentences of the documents.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extractive;

#[async_trait]
impl Answerer for Extractive {
    fn name(&self) -> &'static str {
        "extractive"
    }

    async fn answer(&self, question: Question, sink: AnswerSink) -> Result<Value, AnswerFailed> {
        let terms = Terms::of(&question.message, question.history.last());
        let hits = match terms.is_empty() {
            true => Vec::new(),
            false => question.search(&terms.as_query(), PASSAGES).await?,
        };
        let quotes = choose(&terms, &hits);
        let used = json!({ "passages": hits.len(), "sentences": quotes.len() });
        if quotes.is_empty() {
            sink.text(no_answer(&question).await?).await;
            return Ok(used);
        }
        for (place, quote) in quotes.into_iter().enumerate() {
            write(&question, &sink, place + 1, quote).await?;
        }
        Ok(used)
    }
}

/// One sentence in the words of its document, with where it stands, and its citation.
async fn write(
    question: &Question,
    sink: &AnswerSink,
    number: usize,
    quote: Quote,
) -> Result<(), AnswerFailed> {
    let name = question.filename(quote.document_id).await?;
    let place = match (quote.page, &quote.heading) {
        (Some(page), _) => format!("{name}, page {page}"),
        (None, Some(heading)) => format!("{name}, “{heading}”"),
        (None, None) => name,
    };
    let gap = if number > 1 { "\n\n" } else { "" };
    let words = one_line(&quote.text);
    sink.text(format!("{gap}“{words}” [{number}] ({place})")).await;
    sink.citation(Citation {
        document_id: quote.document_id,
        page: quote.page,
        start: quote.start,
        end: quote.start.saturating_add(quote.text.len()),
        quote: quote.text,
        number: Some(number),
    })
    .await;
    Ok(())
}

/// Line breaks of a page layout are not the sentence's own.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn no_answer(question: &Question) -> Result<String, AnswerFailed> {
    let shelf = question.shelf().await?;
    let unread = shelf.unread();
    if !unread.is_empty() {
        let names = unread.join(", ");
        return Ok(format!(
            "What has been read so far holds no answer to this. Still being read: {names}. Ask again in a moment."
        ));
    }
    if !question.documents.is_empty() && shelf.documents.is_empty() {
        return Ok("The documents of this conversation are not there any more.".to_owned());
    }
    Ok("The documents hold no answer to this question.".to_owned())
}
