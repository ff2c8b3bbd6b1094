//! `blog`: an article in Markdown over chosen documents, with headings and sources.
//!
//! Options: `{"sections": 4}`, 1 to 8. Result: `{kind, method, title, markdown, sections: [{heading,
//! text, citations}], citations, documents, read}`, citations as in `brief`.

use async_trait::async_trait;
use serde_json::{Value, json};
use tidegate_generations::{Failure, Framework, Job, Origin, Rejected};

use super::article::{check_count, count_of, escape, read as numbers, shelf as shelf_of, sources, title};
use super::cite::{Citation, Citations};
use super::rank::rank;
use super::read::{Reading, read};
use super::report::{COMPOSE, LOAD, RANK, counted, tell};
use super::sections::{Section, sections};
use super::sentence::one_line;
use super::{check, load};
use crate::Documents;

const SECTIONS: usize = 4;
const SECTIONS_BOUNDS: std::ops::RangeInclusive<usize> = 1..=8;

/// Writes articles.
#[derive(Clone, Debug)]
pub struct Blog {
    documents: Documents,
}

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
    pub const fn new(documents: Documents) -> Self {
        Self { documents }
    }
}

#[async_trait]
impl Framework for Blog {
    fn name(&self) -> &str {
        "blog"
    }

    async fn check(&self, wish: &Origin) -> Result<(), Rejected> {
        check_count(wish, "sections", SECTIONS_BOUNDS)?;
        load::check(&self.documents, wish).await
    }

    async fn run(&self, job: Job) -> Result<Value, Failure> {
        let count = count_of(job.options(), "sections", SECTIONS, SECTIONS_BOUNDS).unwrap_or(SECTIONS);
        tell(&job, LOAD, "Looking the documents up", None).await?;
        let shelf = load::load(&self.documents, &job, LOAD).await?;
        let reading = read(&self.documents, &job, &shelf).await?;
        let words = format!("Comparing {}", counted(reading.sentences.len(), "sentence"));
        tell(&job, RANK, words, None).await?;
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
