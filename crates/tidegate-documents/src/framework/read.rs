//! Reading: all passages of the documents, as sentences that may be quoted.
//!
//! Rule: memory is bounded. Of very long documents each passage keeps its fair part of the sentences,
//! evenly spread, so that the end is heard as well as the beginning.

use tidegate_generations::{Failure, Job};

use super::load::unread;
use super::report::{READ, Stage, counted, share, tell};
use super::sentence::{Sentence, of_passage};
use crate::{Document, Documents};

const PAGE: u32 = 200;
/// Sentences of one job at most.
const SENTENCES_MAX: usize = 6_000;

/// What was read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) sentences: Vec<Sentence>,
    /// Sentences that were read, those that were not kept included.
    pub(super) read: usize,
    pub(super) passages: usize,
}

/// Reads all of the documents.
///
/// # Errors
/// The database can't be read, or the job should stop.
pub(super) async fn read(documents: &Documents, job: &Job, shelf: &[Document]) -> Result<Reading, Failure> {
    let passages = shelf.iter().map(|document| as_count(document.passages)).sum::<usize>();
    let each = (SENTENCES_MAX / passages.max(1)).max(1);
    // With more passages than sentences that may be kept, every so many-th passage is heard.
    let every = passages.div_ceil(SENTENCES_MAX).max(1);
    let mut reading = Reading { sentences: Vec::new(), read: 0, passages };
    for (index, document) in shelf.iter().enumerate() {
        let stage = READ.part(index, shelf.len());
        read_one(documents, job, stage, (index, document), (each, every), &mut reading).await?;
    }
    if reading.sentences.is_empty() {
        return Err(Failure::new("nothing-to-quote", "The documents hold no sentence that could be quoted"));
    }
    Ok(reading)
}

async fn read_one(
    documents: &Documents,
    job: &Job,
    stage: Stage,
    (index, document): (usize, &Document),
    (each, every): (usize, usize),
    into: &mut Reading,
) -> Result<(), Failure> {
    let mut from = 0;
    while from < document.passages {
        let to = from.saturating_add(PAGE).min(document.passages);
        let words = format!("Reading {}: passage {} of {}", document.filename, from + 1, document.passages);
        let done = share(as_count(from), as_count(document.passages));
        tell(job, stage.at(done), words, Some(&document.filename)).await?;
        let page = documents.passages(&document.id, from..to).await.map_err(|error| unread(&error))?;
        for passage in &page {
            let depth = share(as_count(passage.ordinal), as_count(document.passages));
            let found = of_passage(passage, index, depth);
            into.read += found.len();
            if as_count(passage.ordinal).is_multiple_of(every) {
                into.sentences.extend(spread(found, each));
            }
        }
        from = to;
    }
    let words = format!("Read {}: {}", document.filename, counted(as_count(document.passages), "passage"));
    tell(job, stage.at(1.0), words, Some(&document.filename)).await
}

/// At most so many, evenly spread.
fn spread(found: Vec<Sentence>, most: usize) -> impl Iterator<Item = Sentence> {
    let every = found.len().div_ceil(most).max(1);
    found.into_iter().step_by(every)
}

fn as_count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
