//! Checking: every quote is looked up in the text of its document, byte for byte.

use std::collections::HashMap;

use tidegate_generations::{Failure, Job};
use tidegate_types::DocumentId;

use super::cite::Citation;
use super::load::unread;
use super::report::{CHECK, counted, share, tell};
use crate::Documents;

/// Checks all citations against the documents as they are now.
///
/// # Errors
/// One does not hold: a document was deleted meanwhile, or the fault is ours. A text with a wrong
/// quote is worse than none.
pub(super) async fn check(documents: &Documents, job: &Job, citations: &[Citation]) -> Result<(), Failure> {
    let mut by_document: HashMap<DocumentId, Vec<&Citation>> = HashMap::new();
    for citation in citations {
        by_document.entry(citation.document_id).or_default().push(citation);
    }
    let mut checked = 0;
    // In the order of the citations, so that the same job tells the same story.
    for citation in citations {
        let Some(cited) = by_document.remove(&citation.document_id) else { continue };
        let words = format!("Checking quotes against {}", citation.filename);
        tell(job, CHECK.at(share(checked, citations.len())), words, Some(&citation.filename)).await?;
        let text = documents.text(&citation.document_id).await.map_err(|error| unread(&error))?;
        for citation in &cited {
            let found = text.as_deref().and_then(|text| text.get(citation.start..citation.end));
            if found != Some(citation.quote.as_str()) {
                let words = format!("A quote from {} does not stand there any more", citation.filename);
                return Err(Failure::for_now("citation-broken", words).with("citation", citation.number));
            }
        }
        checked += cited.len();
    }
    tell(job, CHECK.at(1.0), format!("{} checked, all stand", counted(checked, "quote")), None).await
}
