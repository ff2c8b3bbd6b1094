//! `blog`: an article in Markdown over chosen documents, with headings and sources.
//!
//! Options: `{"sections": 4}`, 1 to 8; `{"method": "model"}` or `"extractive"`, by default the model where
//! there is one. Result: `{kind, method, title, markdown, sections: [{heading,
//! text, citations}], citations, documents, read}`, citations as in `brief`.

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tidegate_generations::{Failure, Framework, Invalid, Job, Origin, Rejected};

use super::article::{check_count, count_of, escape, read as numbers, shelf as shelf_of, sources, title};
use super::brief::choose;
use super::cite::{Citation, Citations};
use super::draft::draft;
use super::rank::rank;
use super::read::{Reading, read};
use super::report::{COMPOSE, LOAD, RANK, counted, tell};
use super::sections::{Section, sections};
use super::sentence::one_line;
use super::write::Writer;
use super::{check, load};
use crate::{Document, Documents};

const SECTIONS: usize = 4;
const SECTIONS_BOUNDS: std::ops::RangeInclusive<usize> = 1..=8;

/// Writes articles.
#[derive(Clone, Debug)]
pub struct Blog {
    documents: Documents,
    writer: Option<Writer>,
}

/// Quotes that a model is given.
const QUOTES: usize = 36;

/// A section as it is written.
#[derive(Clone, Debug)]
struct Written {
    heading: Option<String>,
    /// Sentence and citation.
    sentences: Vec<(String, usize)>,
}

impl Blog {
    /// Articles over these documents.
    #[must_use]
    pub const fn new(documents: Documents, writer: Option<Writer>) -> Self {
        Self { documents, writer }
    }

    /// The model, if it is to write.
    fn writer(&self, options: &Map<String, Value>) -> Result<Option<&Writer>, Invalid> {
        let refused = |detail| Err(Invalid::new("/options/method", detail));
        match (options.get("method").and_then(Value::as_str), &self.writer) {
            (None, writer) if options.get("method").is_none_or(Value::is_null) => Ok(writer.as_ref()),
            (Some("extractive"), _) => Ok(None),
            (Some("model"), Some(writer)) => Ok(Some(writer)),
            (Some("model"), None) => refused("needs a model, and this server has none"),
            _ => refused("is `model` or `extractive`"),
        }
    }
}

#[async_trait]
impl Framework for Blog {
    fn name(&self) -> &str {
        "blog"
    }

    async fn check(&self, wish: &Origin) -> Result<(), Rejected> {
        check_count(wish, "sections", SECTIONS_BOUNDS)?;
        self.writer(&wish.options)?;
        load::check(&self.documents, wish).await
    }

    async fn run(&self, job: Job) -> Result<Value, Failure> {
        let count = count_of(job.options(), "sections", SECTIONS, SECTIONS_BOUNDS).unwrap_or(SECTIONS);
        tell(&job, LOAD, "Looking the documents up", None).await?;
        let shelf = load::load(&self.documents, &job, LOAD).await?;
        let reading = read(&self.documents, &job, &shelf).await?;
        let words = format!("Comparing {}", counted(reading.sentences.len(), "sentence"));
        tell(&job, RANK, words, None).await?;
        if let Some(writer) = self.writer(job.options()).unwrap_or_default() {
            return self.by_model(&job, writer, &shelf, reading, count).await;
        }
        let (reading, sections) = arrange(reading, job.prompt().to_owned(), count).await?;
        tell(&job, COMPOSE, format!("Writing {}", counted(sections.len(), "section")), None).await?;
        let mut citations = Citations::new(&shelf);
        let written = write(&reading, &sections, &mut citations);
        check::check(&self.documents, &job, &citations.all).await?;
        let title = title(&job);
        Ok(json!({
            "kind": "blog",
            "method": "extractive",
            "markdown": markdown(&title, &written, &citations.all),
            "title": title,
            "sections": written.iter().map(Written::as_json).collect::<Vec<_>>(),
            "citations": citations.all,
            "documents": shelf_of(&shelf),
            "read": numbers(&reading),
        }))
    }
}

impl Blog {
    async fn by_model(
        &self,
        job: &Job,
        writer: &Writer,
        shelf: &[Document],
        reading: Reading,
        count: usize,
    ) -> Result<Value, Failure> {
        let (reading, chosen) = choose(reading, job.prompt().to_owned(), QUOTES).await?;
        let mut citations = Citations::new(shelf);
        for sentence in chosen.iter().filter_map(|at| reading.sentences.get(*at)) {
            citations.cite(sentence);
        }
        let drafted = draft(writer, job, &citations.all, count).await?;
        let mut cited = citations.all;
        cited.retain(|citation| drafted.iter().any(|section| section.citations.contains(&citation.number)));
        check::check(&self.documents, job, &cited).await?;
        let title = title(job);
        let mut text = format!("# {}\n\n", escape(&title));
        for section in &drafted {
            if let Some(heading) = &section.heading {
                text.push_str(&format!("## {}\n\n", escape(heading)));
            }
            text.push_str(&format!("{}\n\n", section.text));
        }
        text.push_str(&sources(&cited));
        Ok(json!({
            "kind": "blog",
            "method": "model",
            "markdown": text,
            "title": title,
            "sections": drafted.iter().map(|section| {
                json!({ "heading": section.heading, "text": section.text, "citations": section.citations })
            }).collect::<Vec<_>>(),
            "citations": cited,
            "documents": shelf_of(shelf),
            "read": numbers(&reading),
        }))
    }
}

async fn arrange(reading: Reading, wish: String, count: usize) -> Result<(Reading, Vec<Section>), Failure> {
    let work = move || {
        let ranked = rank(&reading.sentences, &wish);
        let made = sections(&reading.sentences, &ranked, count);
        (reading, made)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Failure::new("internal", "The comparison broke off"))
}

fn write(reading: &Reading, sections: &[Section], citations: &mut Citations<'_>) -> Vec<Written> {
    let mut written = Vec::with_capacity(sections.len());
    for section in sections {
        let sentences = section.sentences.iter().filter_map(|at| reading.sentences.get(*at));
        let cited =
            sentences.filter_map(|sentence| Some((one_line(&sentence.text), citations.cite(sentence)?)));
        written.push(Written { heading: section.heading.clone(), sentences: cited.collect() });
    }
    written
}

impl Written {
    fn as_json(&self) -> Value {
        let text: Vec<&str> = self.sentences.iter().map(|(text, _)| text.as_str()).collect();
        let citations: Vec<usize> = self.sentences.iter().map(|(_, citation)| *citation).collect();
        json!({ "heading": self.heading, "text": text.join(" "), "citations": citations })
    }
}

fn markdown(title: &str, written: &[Written], citations: &[Citation]) -> String {
    let mut text = format!("# {}\n\n", escape(title));
    for section in written {
        if let Some(heading) = &section.heading {
            text.push_str(&format!("## {}\n\n", escape(heading)));
        }
        let sentences: Vec<String> = section
            .sentences
            .iter()
            .map(|(text, citation)| format!("{} [{citation}]", escape(text)))
            .collect();
        text.push_str(&sentences.join(" "));
        text.push_str("\n\n");
    }
    text.push_str(&sources(citations));
    text
}
