//! `brief`: a cited summary of chosen documents.
//!
//! Options: `{"points": 7}`, 3 to 20. Result: `{kind, method, title, markdown, points: [{text,
//! citations}], citations: [{number, document_id, filename, page, heading, quote, start, end}],
//! documents, read}`.

use async_trait::async_trait;
use serde_json::{Value, json};
use tidegate_generations::{Failure, Framework, Invalid, Job, Origin, Rejected};

use super::article::{check_count, count_of, escape, read as numbers, shelf as shelf_of, sources, title};
use super::cite::{Citation, Citations};
use super::pick::pick;
use super::rank::rank;
use super::read::{Reading, read};
use super::report::{COMPOSE, LOAD, RANK, counted, tell};
use super::sentence::one_line;
use super::{check, load};
use crate::{Document, Documents};

const POINTS: usize = 7;
const POINTS_BOUNDS: std::ops::RangeInclusive<usize> = 3..=20;

/// Writes briefs.
#[derive(Clone, Debug)]
pub struct Brief {
    documents: Documents,
}

/// One statement of a brief.
#[derive(Clone, Debug)]
struct Point {
    text: String,
    citation: usize,
    document: usize,
}

impl Brief {
    /// Briefs over these documents.
    #[must_use]
    pub const fn new(documents: Documents) -> Self {
        Self { documents }
    }
}

#[async_trait]
impl Framework for Brief {
    fn name(&self) -> &str {
        "brief"
    }

    async fn check(&self, wish: &Origin) -> Result<(), Rejected> {
        check_count(wish, "points", POINTS_BOUNDS)?;
        if wish.document_ids.is_empty() {
            return Err(Invalid::new("/document_ids", "name no document to write from").into());
        }
        load::check(&self.documents, wish).await
    }

    async fn run(&self, job: Job) -> Result<Value, Failure> {
        let count = count_of(job.options(), "points", POINTS, POINTS_BOUNDS).unwrap_or(POINTS);
        tell(&job, LOAD, "Looking the documents up", None).await?;
        let shelf = load::load(&self.documents, &job, LOAD).await?;
        let reading = read(&self.documents, &job, &shelf).await?;
        let words = format!("Comparing {}", counted(reading.sentences.len(), "sentence"));
        tell(&job, RANK, words, None).await?;
        let (reading, chosen) = choose(reading, job.prompt().to_owned(), count).await?;
        tell(&job, COMPOSE, format!("Putting {} in order", counted(chosen.len(), "point")), None).await?;
        let mut citations = Citations::new(&shelf);
        let points = points(&reading, &chosen, &mut citations);
        check::check(&self.documents, &job, &citations.all).await?;
        let title = title(&job);
        Ok(json!({
            "kind": "brief",
            "method": "extractive",
            "markdown": markdown(&title, &points, &shelf, &citations.all),
            "title": title,
            "points": points.iter().map(|point| {
                json!({ "text": point.text, "citations": [point.citation] })
            }).collect::<Vec<_>>(),
            "citations": citations.all,
            "documents": shelf_of(&shelf),
            "read": numbers(&reading),
        }))
    }
}

/// The sentences of a brief, in the order of the documents. Counting is work for a thread of its own.
pub(super) async fn choose(
    reading: Reading,
    wish: String,
    count: usize,
) -> Result<(Reading, Vec<usize>), Failure> {
    let work = move || {
        let candidates = rank(&reading.sentences, &wish);
        let picked = pick(&candidates, count, &[]);
        let mut chosen: Vec<usize> =
            picked.into_iter().filter_map(|at| candidates.get(at)).map(|chosen| chosen.sentence).collect();
        chosen.sort_unstable();
        (reading, chosen)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Failure::new("internal", "The comparison broke off"))
}

fn points(reading: &Reading, chosen: &[usize], citations: &mut Citations<'_>) -> Vec<Point> {
    let sentences = chosen.iter().filter_map(|at| reading.sentences.get(*at));
    sentences
        .filter_map(|sentence| {
            let citation = citations.cite(sentence)?;
            Some(Point { text: one_line(&sentence.text), citation, document: sentence.document })
        })
        .collect()
}

fn markdown(title: &str, points: &[Point], shelf: &[Document], citations: &[Citation]) -> String {
    let mut text = format!("# {}\n\n", escape(title));
    let mut last = None;
    for point in points {
        if shelf.len() > 1 && last != Some(point.document) {
            let name =
                shelf.get(point.document).map(|document| document.filename.as_str()).unwrap_or_default();
            let gap = if last.is_some() { "\n" } else { "" };
            text.push_str(&format!("{gap}## {}\n\n", escape(name)));
            last = Some(point.document);
        }
        text.push_str(&format!("- {} [{}]\n", escape(&point.text), point.citation));
    }
    text.push('\n');
    text.push_str(&sources(citations));
    text
}
