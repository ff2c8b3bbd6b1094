//! PDF: the text of each page, with what looks like a heading.

use pdf_inspector::PdfError;

use super::markdown;
use crate::extract::Bounds;
use crate::extract::child::{Say, Stop};
use crate::extract::line::Line;
use crate::extract::passages::Passages;

pub(in crate::extract) fn read<S: Say>(
    bytes: &[u8],
    bounds: &Bounds,
    out: &mut Passages<'_, S>,
) -> Result<(), Stop> {
    let found = pdf_inspector::detect_pdf_mem(bytes).map_err(refused)?;
    let total = u64::from(found.page_count);
    if total > bounds.pages {
        return Err(Stop::too_much(format!("it has more than {} pages", bounds.pages)));
    }
    if total == 0 {
        return Err(Stop::damaged("it has no pages"));
    }
    out.say(&Line::Opened { pages: Some(found.page_count) })?;
    let read = pdf_inspector::extract_pages_markdown_mem(bytes, None).map_err(refused)?;
    if read.pages.iter().all(|page| page.markdown.trim().is_empty()) {
        let reason = "the PDF holds no text; it may be a scan, which is not read";
        return Err(Stop::Unprocessable(reason.to_owned()));
    }
    for (done, page) in (1..).zip(&read.pages) {
        out.page(page.page.saturating_add(1))?;
        markdown::feed(&page.markdown, out)?;
        out.say(&Line::Progress { done, total })?;
    }
    Ok(())
}

fn refused(error: PdfError) -> Stop {
    match error {
        PdfError::Encrypted => Stop::Unprocessable("the PDF is protected by a password".to_owned()),
        error => Stop::damaged(error),
    }
}
