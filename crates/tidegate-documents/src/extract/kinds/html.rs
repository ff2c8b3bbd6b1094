//! HTML: what a reader would see of it, without scripts and styles.

use super::text::decode;
use crate::extract::child::{Say, Stop};
use crate::extract::line::Line;
use crate::extract::passages::Passages;

/// Wide enough that sentences are not cut into lines.
const WIDTH: usize = 4_000;

pub(in crate::extract) fn read<S: Say>(bytes: &[u8], out: &mut Passages<'_, S>) -> Result<(), Stop> {
    let text = decode(bytes)?;
    out.say(&Line::Opened { pages: None })?;
    let config = html2text::config::plain_no_decorate()
        .link_footnotes(false)
        .no_table_borders()
        .raw_mode(true)
        .allow_width_overflow();
    let shown = config.string_from_read(text.as_bytes(), WIDTH).map_err(Stop::damaged)?;
    let mut paragraph = String::new();
    for line in shown.lines() {
        let line = line.trim_end();
        match heading(line) {
            Some(heading) => {
                out.paragraph(&std::mem::take(&mut paragraph))?;
                out.heading(heading)?;
            }
            None if line.is_empty() => out.paragraph(&std::mem::take(&mut paragraph))?,
            None => {
                paragraph.push_str(line);
                paragraph.push('\n');
            }
        }
    }
    out.paragraph(&paragraph)
}

/// Headings come out with as many `#` as their level.
fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    text.strip_prefix(' ').filter(|_| (1..=6).contains(&level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Bounds;
    use crate::extract::child::Collect;
    use tidegate_types::Limits;

    #[test]
    fn scripts_and_styles_are_no_text() {
        let page = "<!doctype html><html><head><title>t</title><style>p{color:red}</style></head><body>\
            <h1>Tides</h1><p>High &amp; low<script>alert(1)</script>.</p><ul><li>one<li>two</ul>\
            <h2>Gates</h2><table><tr><td>a</td><td>b</td></tr></table></body></html>";
        let mut collect = Collect::default();
        let mut passages = Passages::new(&mut collect, Bounds::of(&Limits::default()));
        read(page.as_bytes(), &mut passages).unwrap();
        passages.finish().unwrap();
        let found = collect.passages();
        let headings: Vec<_> = found.iter().map(|passage| passage.heading.as_deref().unwrap()).collect();
        assert_eq!(headings, ["Tides", "Gates"]);
        let text: String = found.iter().map(|passage| passage.text.as_str()).collect();
        assert!(text.contains("High & low") && text.contains("one"), "{text}");
        assert!(!text.contains("alert") && !text.contains("color"), "{text}");
    }
}
