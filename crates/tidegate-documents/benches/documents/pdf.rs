//! A PDF of 200 pages until it can be searched.

use std::time::Instant;

use super::library::{Library, Prose};
use super::line;

const PAGES: usize = 200;
const BOOKS: usize = 5;

/// A PDF as word processors make them: two fonts, a head and a foot on each page, numbered headings,
/// 42 lines of about 90 characters whose letters are moved a little (kerning).
fn pdf(pages: usize) -> Vec<u8> {
    let mut prose = Prose::new();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Count {pages} /Kids [{}] >>",
            (0..pages).map(|n| format!("{} 0 R ", 5 + n * 2)).collect::<String>()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding /WinAnsiEncoding >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for page in 0..pages {
        let drawn = page_content(page, &mut prose);
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R \
             /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>",
            6 + page * 2
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{drawn}\nendstream", drawn.len()));
    }
    with_table(&objects)
}

fn page_content(page: usize, prose: &mut Prose) -> String {
    let mut drawn = format!("BT /F2 8 Tf 60 760 Td (On gates and tides) Tj 430 0 Td ({}) Tj ET\n", page + 1);
    drawn.push_str(&format!(
        "BT /F2 14 Tf 60 725 Td ({}. Part {page}) Tj ET\nBT /F1 10 Tf 60 700 Td 15 TL\n",
        page + 1
    ));
    for _ in 0..42 {
        let line = prose.sentences(14);
        let (first, rest) = line.split_at(line.len() / 2);
        drawn.push_str(&format!("[({first}) -12 ({rest})] TJ T*\n"));
    }
    drawn.push_str("ET\n");
    drawn
}

fn with_table(objects: &[String]) -> Vec<u8> {
    let (mut whole, mut offsets) = ("%PDF-1.7\n".to_owned(), Vec::new());
    for (number, object) in (1..).zip(objects) {
        offsets.push(whole.len());
        whole.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let (start, size) = (whole.len(), objects.len() + 1);
    whole.push_str(&format!("xref\n0 {size}\n0000000000 65535 f \n"));
    offsets.iter().for_each(|offset| whole.push_str(&format!("{offset:010} 00000 n \n")));
    whole.push_str(&format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"));
    whole.into_bytes()
}

/// Uploads the same book some times, each until it can be searched.
pub(crate) async fn process(library: &Library) {
    let book = pdf(PAGES);
    let mut took = Vec::new();
    for _ in 0..BOOKS {
        let began = Instant::now();
        let document = library.ready("book.pdf", &book).await;
        took.push(began.elapsed());
        assert_eq!(document.pages, Some(200));
        assert!(document.text_bytes > 200 * 42 * 60, "{document:?}");
        library.documents.delete(&document.id).await.unwrap();
    }
    line("a PDF of 200 pages until it is searched (target 10 s)", &took);
}
