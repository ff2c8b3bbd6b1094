//! PDFs that loop, nest, swell and lie.

use super::archive::zlib;
use super::corpus::{BROKEN, Case, Fate, TYPE, case};

/// Objects by number, from 1, with a right cross-reference table.
pub(super) fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut whole = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(objects) {
        offsets.push(whole.len());
        whole.extend(format!("{number} 0 obj\n").bytes());
        whole.extend(object);
        whole.extend(b"\nendobj\n");
    }
    let start = whole.len();
    whole.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        whole.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    let trailer =
        format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    whole.extend(trailer.bytes());
    whole
}

fn object(text: impl Into<String>) -> Vec<u8> {
    text.into().into_bytes()
}

fn stream(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    let mut object = format!("<< {dictionary} /Length {} >>\nstream\n", bytes.len()).into_bytes();
    object.extend(bytes);
    object.extend(b"\nendstream");
    object
}

const FONT: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";

/// One page for each text.
pub(super) fn pages(texts: &[String]) -> Vec<u8> {
    pdf(&page_objects(texts))
}

/// The same with a picture of so many bytes.
pub(super) fn illustrated(texts: &[String], bytes: usize) -> Vec<u8> {
    let mut objects = page_objects(texts);
    let picture =
        "/Type /XObject /Subtype /Image /Width 1000 /Height 1000 /ColorSpace /DeviceGray /BitsPerComponent 8";
    objects.push(stream(picture, &rubbish(bytes)));
    pdf(&objects)
}

fn page_objects(texts: &[String]) -> Vec<Vec<u8>> {
    let kids: Vec<_> = (0..texts.len()).map(|n| format!("{} 0 R", 4 + n * 2)).collect();
    let mut objects = vec![
        object("<< /Type /Catalog /Pages 2 0 R >>"),
        object(format!("<< /Type /Pages /Count {} /Kids [{}] >>", texts.len(), kids.join(" "))),
        object(FONT),
    ];
    for (n, text) in texts.iter().enumerate() {
        let content = 5 + n * 2;
        objects.push(object(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {content} 0 R \
             /Resources << /Font << /F1 3 0 R >> >> >>"
        )));
        let lines: Vec<_> = text.lines().map(|line| format!("({line}) Tj 0 -14 Td")).collect();
        let drawn = format!("BT /F1 11 Tf 72 720 Td {} ET", lines.join("\n"));
        objects.push(stream("/Filter /FlateDecode", &zlib(drawn.as_bytes())));
    }
    objects
}

fn one_page(content: Vec<u8>, more: &str) -> Vec<Vec<u8>> {
    vec![
        object("<< /Type /Catalog /Pages 2 0 R >>"),
        object("<< /Type /Pages /Count 1 /Kids [3 0 R] >>"),
        object(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R {more} \
             /Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >> >>"
        )),
        content,
        object(FONT),
        stream(
            "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>",
            b"/X Do",
        ),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    let good = pages(&["Hello tide gate, this is a page of text.".to_owned()]);
    let deep = |open: &str, close: &str, n: usize| format!("{}{}", open.repeat(n), close.repeat(n));
    let kids = |kids: &str, count: u32| {
        pdf(&[
            object("<< /Type /Catalog /Pages 2 0 R >>"),
            object(format!("<< /Type /Pages /Parent 2 0 R /Count {count} /Kids [{kids}] >>")),
        ])
    };
    let chain: Vec<_> = std::iter::once(object("<< /Type /Catalog /Pages 2 0 R >>"))
        .chain((2..8_000).map(|n| object(format!("<< /Type /Pages /Count 1 /Kids [{} 0 R] >>", n + 1))))
        .collect();
    let array = format!("[ {} ] TJ", deep("[", "]", 10_000));
    let mut looped = good.clone();
    let own = looped.windows(4).rposition(|bytes| bytes == b"xref").unwrap_or(0) - 5;
    let prev = format!("trailer\n<< /Size 6 /Root 1 0 R /Prev {own} >>\nstartxref\n{own}\n%%EOF\n");
    looped.extend(prev.bytes());
    let swollen = zlib(&b"0 0 m ".repeat(20_000_000 / 6));
    let mut zeros = good.clone();
    zeros.splice(30..30, std::iter::repeat_n(0, 4_096));
    vec![
        case("an honest page", "good.pdf", good.clone(), Fate::Ready),
        case("an array 10,000 deep", "a.pdf", pdf(&one_page(stream("", array.as_bytes()), "")), Fate::Ends),
        case("a dictionary 10,000 deep", "a.pdf", pdf(&one_page(stream("", b"BT ET"), &deep("/A <<", ">>", 10_000))), Fate::Useless),
        case("an array object 100,000 deep", "a.pdf", pdf(&[object("<< /Type /Catalog /Pages 2 0 R >>"), object(deep("[", "]", 100_000))]), Fate::Useless),
        case("a page tree that is its own child", "a.pdf", kids("2 0 R", 1), Fate::Useless),
        case("a page tree that is its own child many times", "a.pdf", kids(&"2 0 R ".repeat(1_000), 1_000_000), Fate::Useless),
        case("a page tree 8,000 deep", "a.pdf", pdf(&chain), Fate::Useless),
        case("a huge count of pages that are not there", "a.pdf", kids("", 2_000_000_000), Fate::Useless),
        case("the same page 200,000 times", "a.pdf", {
            let mut objects = one_page(stream("", b"BT /F1 9 Tf (x) Tj ET"), "");
            objects[1] = object(format!("<< /Type /Pages /Count 200000 /Kids [{}] >>", "3 0 R ".repeat(200_000)));
            pdf(&objects)
        }, Fate::Ends),
        case("a form that draws itself", "a.pdf", pdf(&one_page(stream("", b"/X Do"), "")), Fate::Ends),
        case("a stream that swells to 20 MB", "a.pdf", pdf(&one_page(stream("/Filter /FlateDecode", &swollen), "")), Fate::Ends),
        case("a stream that swells twice", "a.pdf", pdf(&one_page(stream("/Filter [/FlateDecode /FlateDecode]", &zlib(&zlib(&vec![b' '; 40_000_000]))), "")), Fate::Ends),
        case("a cross-reference that leads to itself", "a.pdf", looped, Fate::Ends),
        case("no cross-reference", "a.pdf", good[..good.windows(4).position(|b| b == b"xref").unwrap()].to_vec(), Fate::Ends),
        case("cut off in the middle", "a.pdf", good[..good.len() / 2].to_vec(), Fate::Ends),
        case("only its first line", "a.pdf", b"%PDF-1.7\n".to_vec(), BROKEN),
        case("rubbish after its first line", "a.pdf", [b"%PDF-1.7\n".as_slice(), &rubbish(50_000)].concat(), Fate::Useless),
        case("zeros in the middle", "a.pdf", zeros, Fate::Ends),
        case("a catalogue that is missing", "a.pdf", pdf(&[object("<< /Type /Pages >>")]), Fate::Useless),
        case("a length that leads to itself", "a.pdf", pdf(&one_page(object("<< /Length 4 0 R >>\nstream\nBT ET\nendstream"), "")), Fate::Ends),
        case("a length beyond the end", "a.pdf", pdf(&one_page(object("<< /Length 99999999999 >>\nstream\nBT ET\nendstream"), "")), Fate::Ends),
        case("protected by a password", "a.pdf", String::from_utf8_lossy(&good).replace("/Root 1 0 R", "/Root 1 0 R /Encrypt << /Filter /Standard /V 1 /R 2 /O (xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx) /U (xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx) /P -4 >>").into_bytes(), Fate::Ends),
        case("a page without text", "a.pdf", pages(&[String::new()]), BROKEN),
        case("a name as a stranger wrote it", "a.pdf", pdf(&one_page(stream("", b"BT /F1 9 Tf (<script>alert\\(1\\)</script>) Tj ET"), "")), Fate::Ends),
        case("a page that calls itself HTML", "page.html", good, TYPE),
    ]
}

/// The same bytes each time, without meaning.
pub(super) fn rubbish(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..count).map(|_| next()).collect()
}
