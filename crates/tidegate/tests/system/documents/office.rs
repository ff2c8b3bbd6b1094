//! docx files that are bombs, lies and labyrinths.

use super::archive::{Member, archive, member};
use super::corpus::{BROKEN, Case, Fate, LARGE, TYPE, case};

const TYPES: &str = "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
    <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
    <Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
const RELATIONS: &str = "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/></Relationships>";

fn document(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\">\
         <w:body>{body}</w:body></w:document>"
    )
}

fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

fn docx_of(xml: impl Into<Vec<u8>>, more: Vec<Member>) -> Vec<u8> {
    let mut members = vec![
        member("[Content_Types].xml", TYPES),
        member("_rels/.rels", RELATIONS),
        member("word/document.xml", xml),
    ];
    members.extend(more);
    archive(&members)
}

/// A docx with these paragraphs.
pub(super) fn docx(paragraphs: &[&str]) -> Vec<u8> {
    docx_of(document(&paragraphs.iter().map(|text| paragraph(text)).collect::<String>()), Vec::new())
}

pub(super) fn cases() -> Vec<Case> {
    let good = docx(&["A tide gate lets water through one way.", "And shuts against the flow back."]);
    let lying = |bytes: Vec<u8>, said: u32| Member { said: Some(said), ..member("word/media/a.bin", bytes) };
    let mut all = vec![
        case("an honest docx", "good.docx", good.clone(), Fate::Ready),
        case(
            "a bomb of 300 MB",
            "a.docx",
            docx_of(document(""), vec![lying(super::pdf::rubbish(3 << 20), 300 << 20)]),
            LARGE,
        ),
        case(
            "a bomb of 1 to 1,000",
            "a.docx",
            docx_of(document(""), vec![lying(super::pdf::rubbish(60_000), 60 << 20)]),
            LARGE,
        ),
        case(
            "a bomb that denies it",
            "a.docx",
            docx_of(document(""), vec![lying(vec![0; 64 << 20], 9)]),
            Fate::Ends,
        ),
        case(
            "a document that denies its size",
            "a.docx",
            archive(&[
                member("[Content_Types].xml", TYPES),
                member("_rels/.rels", RELATIONS),
                Member {
                    said: Some(100),
                    ..member("word/document.xml", document(&paragraph(&"word ".repeat(4_000_000))))
                },
            ]),
            Fate::Ends,
        ),
    ];
    all.extend(labyrinths());
    all.extend(disguises(&good));
    all
}

/// Those that are deep, many, or lead elsewhere.
fn labyrinths() -> Vec<Case> {
    let deep =
        |n: usize| format!("{}x{}", "<w:sdt><w:sdtContent>".repeat(n), "</w:sdtContent></w:sdt>".repeat(n));
    let table =
        |n: usize| format!("{}{}", "<w:tbl><w:tr><w:tc>".repeat(n), "</w:tc></w:tr></w:tbl>".repeat(n));
    let laughs: String =
        (1..12).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let entities = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY l0 \"ha\">{laughs}]>{}",
        document(&paragraph("&l11;")).replace("<?xml version=\"1.0\"?>", "")
    );
    let outside = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{}",
        document(&paragraph("&x;")).replace("<?xml version=\"1.0\"?>", "")
    );
    let many = (0..1_200).map(|n| member(&format!("word/media/{n}"), "x")).collect();
    vec![
        case("1,200 members", "a.docx", docx_of(document(""), many), LARGE),
        case(
            "an archive within",
            "a.docx",
            docx_of(
                document(&paragraph("x")),
                vec![member("word/embeddings/a.zip", archive(&[member("b.zip", vec![0; 1 << 20])]))],
            ),
            Fate::Ends,
        ),
        case(
            "names that climb",
            "a.docx",
            docx_of(
                document(&paragraph("climb")),
                vec![member("../../../../tmp/tidegate-climbed", "x"), member("/tmp/tidegate-climbed", "x")],
            ),
            Fate::Ends,
        ),
        case("entities that multiply", "a.docx", docx_of(entities, Vec::new()), Fate::Ends),
        case("an entity of a file outside", "a.docx", docx_of(outside, Vec::new()), Fate::Ends),
        case("elements 100,000 deep", "a.docx", docx_of(document(&deep(100_000)), Vec::new()), Fate::Ends),
        case("tables 20,000 deep", "a.docx", docx_of(document(&table(20_000)), Vec::new()), Fate::Ends),
        case(
            "XML that is cut off",
            "a.docx",
            docx_of(document(&paragraph("x"))[..120].to_owned(), Vec::new()),
            Fate::Ends,
        ),
        case("XML that is none", "a.docx", docx_of(super::pdf::rubbish(20_000), Vec::new()), Fate::Useless),
    ]
}

/// Those that are empty, locked, cut off, or called what they are not.
fn disguises(good: &[u8]) -> Vec<Case> {
    let locked = vec![Member { flags: 1, ..member("word/secret", "x") }];
    vec![
        case("a document without text", "a.docx", docx(&[]), BROKEN),
        case("a member behind a password", "a.docx", docx_of(document(""), locked), BROKEN),
        case("an archive that is no docx", "a.docx", archive(&[member("a.txt", "hello")]), TYPE),
        case("an archive that is called a PDF", "a.pdf", good.to_vec(), TYPE),
        case("a docx that is called text", "a.txt", good.to_vec(), TYPE),
        case("cut off", "a.docx", good[..good.len() - 40].to_vec(), BROKEN),
        case("only its first bytes", "a.docx", good[..60].to_vec(), Fate::Useless),
    ]
}
