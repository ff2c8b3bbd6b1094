//! Markdown: its text without its marks.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::text::decode;
use crate::extract::child::{Say, Stop};
use crate::extract::line::Line;
use crate::extract::passages::Passages;

pub(in crate::extract) fn read<S: Say>(bytes: &[u8], out: &mut Passages<'_, S>) -> Result<(), Stop> {
    let text = decode(bytes)?;
    out.say(&Line::Opened { pages: None })?;
    feed(&text, out)
}

/// What the readers of other kinds make of their files is Markdown too.
pub(super) fn feed<S: Say>(text: &str, out: &mut Passages<'_, S>) -> Result<(), Stop> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut block = Block::default();
    for event in Parser::new_ext(text, options) {
        block.take(event, out)?;
    }
    block.end(out)
}

/// The block that is being read.
#[derive(Debug, Default)]
struct Block {
    text: String,
    is_heading: bool,
    is_skipped: bool,
    bullet: Option<String>,
    lists: Vec<Option<u64>>,
}

impl Block {
    fn take<S: Say>(&mut self, event: Event<'_>, out: &mut Passages<'_, S>) -> Result<(), Stop> {
        match event {
            Event::Start(tag) => self.start(&tag, out),
            Event::End(tag) => self.stop(tag, out),
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.push(&text);
                Ok(())
            }
            Event::SoftBreak => {
                self.push(" ");
                Ok(())
            }
            Event::HardBreak => {
                self.push("\n");
                Ok(())
            }
            Event::Rule => self.end(out),
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => Ok(()),
        }
    }

    fn push(&mut self, text: &str) {
        if self.is_skipped {
            return;
        }
        if let Some(bullet) = self.bullet.take() {
            self.text.push_str(&bullet);
        }
        self.text.push_str(text);
    }

    fn start<S: Say>(&mut self, tag: &Tag<'_>, out: &mut Passages<'_, S>) -> Result<(), Stop> {
        match tag {
            Tag::Heading { .. } => {
                self.end(out)?;
                self.is_heading = true;
            }
            Tag::List(first) => {
                self.end(out)?;
                self.lists.push(*first);
            }
            Tag::Item => {
                self.end(out)?;
                self.bullet = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let bullet = format!("{number}. ");
                        *number = number.saturating_add(1);
                        bullet
                    }
                    _ => "- ".to_owned(),
                });
            }
            Tag::MetadataBlock(_) => self.is_skipped = true,
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented)
            | Tag::Paragraph
            | Tag::BlockQuote(_)
            | Tag::Table(_)
            | Tag::TableHead
            | Tag::TableRow
            | Tag::FootnoteDefinition(_)
                // A paragraph within an item goes on after its bullet.
                if self.bullet.is_none() =>
            {
                self.end(out)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn stop<S: Say>(&mut self, tag: TagEnd, out: &mut Passages<'_, S>) -> Result<(), Stop> {
        match tag {
            TagEnd::TableCell => self.push(" | "),
            TagEnd::MetadataBlock(_) => self.is_skipped = false,
            TagEnd::List(_) => {
                self.end(out)?;
                self.lists.pop();
            }
            TagEnd::Heading(_)
            | TagEnd::Paragraph
            | TagEnd::Item
            | TagEnd::CodeBlock
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::FootnoteDefinition => self.end(out)?,
            _ => {}
        }
        Ok(())
    }

    fn end<S: Say>(&mut self, out: &mut Passages<'_, S>) -> Result<(), Stop> {
        let text = std::mem::take(&mut self.text);
        self.bullet = None;
        let text = text.trim_end_matches([' ', '|']);
        if std::mem::take(&mut self.is_heading) { out.heading(text) } else { out.paragraph(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Bounds;
    use crate::extract::child::Collect;
    use tidegate_types::Limits;

    fn read_all(text: &str) -> Vec<(Option<String>, String)> {
        let mut collect = Collect::default();
        let mut passages = Passages::new(&mut collect, Bounds::of(&Limits::default()));
        read(text.as_bytes(), &mut passages).unwrap();
        passages.finish().unwrap();
        collect.passages().into_iter().map(|passage| (passage.heading, passage.text)).collect()
    }

    #[test]
    fn marks_go_and_text_stays_under_its_heading() {
        let text = "---\ntitle: x\n---\n# One\n\nSome *strong* `code` and [a link](http://x).\n\n- first\n- second\n\n## Two\n\n| a | b |\n|---|---|\n| c | d |\n\n<script>alert(1)</script>\n";
        let found = read_all(text);
        let one = Some("One".to_owned());
        let two = Some("Two".to_owned());
        assert_eq!(
            found,
            [
                (one, "One\n\nSome strong code and a link.\n\n- first\n\n- second".to_owned()),
                (two, "Two\n\na | b\n\nc | d".to_owned()),
            ]
        );
    }
}
