//! Text that is none, names that are paths, and other kinds of file.

use super::corpus::{BROKEN, Case, Fate, TYPE, case};
use super::pdf::rubbish;

pub(super) fn cases() -> Vec<Case> {
    let utf16 = |text: &str| -> Vec<u8> {
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
    };
    let deep =
        |tag: &str, n: usize| format!("{}x{}", format!("<{tag}>").repeat(n), format!("</{tag}>").repeat(n));
    let mut late = "ordinary text\n".repeat(10_000).into_bytes();
    late.extend(rubbish(5_000));
    let mut all = vec![
        case("nothing", "a.txt", "", BROKEN),
        case("only spaces", "a.txt", " \n\t\r\n ".repeat(1_000), BROKEN),
        case("only a mark of byte order", "a.txt", b"\xef\xbb\xbf".to_vec(), Fate::Useless),
        case("NULs", "a.txt", vec![0; 10_000], TYPE),
        case("NULs between words", "a.txt", b"hello\0world".to_vec(), TYPE),
        case("rubbish", "a.txt", rubbish(100_000), TYPE),
        case("rubbish after text", "a.txt", late, Fate::Useless),
        case("Latin-1", "a.txt", b"caf\xe9 cr\xe8me".to_vec(), TYPE),
        case("UTF-16", "a.txt", utf16("a tide gate\n\nand a dam"), Fate::Ready),
        case("half of a pair", "a.txt", [utf16("text"), vec![0x00, 0xd8]].concat(), Fate::Useless),
        case("one word of 20 MB", "a.txt", vec![b'a'; 20_000_000], Fate::Ends),
        case(
            "20 MB of empty lines",
            "a.txt",
            [vec![b'\n'; 20_000_000], b"end".to_vec()].concat(),
            Fate::Ends,
        ),
        case("directions turned around", "a.txt", "abc \u{202e}fdp.exe\u{2066} def", Fate::Ready),
        case("controls of a terminal", "a.txt", "\u{1b}[31mred\u{1b}[0m \u{8}\u{8} text", Fate::Ends),
        case("marks of a search", "a.txt", "\u{2}x\u{3} \u{0}", TYPE),
        case("HTML as PDF", "invoice.pdf", "<!doctype html><script>alert(1)</script>", TYPE),
        case("HTML 100,000 deep", "a.html", deep("div", 100_000), Fate::Ends),
        case("tables 2,000 deep", "a.html", deep("table><tr><td", 2_000), Fate::Ends),
        case(
            "a table of a million columns",
            "a.html",
            format!("<table><tr><td colspan=1000000>x{}</table>", "<td>y".repeat(20_000)),
            Fate::Ends,
        ),
        case("scripts only", "a.html", "<!doctype html><script>alert(1)</script><style>x{}</style>", BROKEN),
        case("quotes 50,000 deep", "a.md", format!("{}x", "> ".repeat(50_000)), Fate::Ends),
        case("brackets without end", "a.md", "[".repeat(200_000), Fate::Ends),
        case("emphasis without end", "a.md", "*a_".repeat(200_000), Fate::Ends),
        case(
            "lists 5,000 deep",
            "a.md",
            (0..5_000).map(|n| format!("{}- x\n", " ".repeat(n.min(2_000)))).collect::<String>(),
            Fate::Ends,
        ),
        case("a picture", "a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01".to_vec(), TYPE),
        case("a program", "a.txt", b"\x7fELF\x02\x01\x01\0\0\0\0\0".to_vec(), TYPE),
        case("a program for another system", "setup.exe", b"MZ\x90\0\x03\0\0\0\x04\0\0\0".to_vec(), TYPE),
        case("an old word document", "a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".repeat(100), TYPE),
        case("a gzip", "a.txt", b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), TYPE),
    ];
    let names = [
        "../../../../tmp/tidegate-climbed",
        "..\\..\\tidegate-climbed.txt",
        "/etc/passwd",
        "C:\\a.txt",
        "",
        ".",
        "..",
        "con.txt",
        "%2e%2e%2fa.txt",
    ];
    all.extend(names.map(|filename| case("a name that is a path", filename, "harmless text", Fate::Ready)));
    all.push(case("a name that no header may hold", "a\0b.txt", "x", Fate::Refused("invalid-request")));
    all.push(case("a name of 10,000 characters", &"n".repeat(10_000), "harmless text", Fate::Ends));
    all
}
