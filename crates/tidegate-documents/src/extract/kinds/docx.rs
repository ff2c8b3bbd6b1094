//! Office Open XML text.

use undoc::Error;
use undoc::model::{Block, Paragraph, Table};

use crate::extract::child::{Say, Stop};
use crate::extract::line::Line;
use crate::extract::passages::Passages;

/// Tables within tables deeper than this are no text of interest.
const TABLES_DEEP: usize = 4;

pub(in crate::extract) fn read<S: Say>(bytes: &[u8], out: &mut Passages<'_, S>) -> Result<(), Stop> {
    let document = undoc::parse_bytes(bytes).map_err(|error| match error {
        Error::Encrypted => Stop::Unprocessable("the document is protected by a password".to_owned()),
        error => Stop::damaged(error),
    })?;
    out.say(&Line::Opened { pages: None })?;
    let total = document.sections.iter().map(|section| section.content.len() as u64).sum();
    let mut done = 0_u64;
    for block in document.sections.iter().flat_map(|section| &section.content) {
        take(block, out)?;
        done += 1;
        if done.is_multiple_of(500) {
            out.say(&Line::Progress { done, total })?;
        }
    }
    Ok(())
}

fn take<S: Say>(block: &Block, out: &mut Passages<'_, S>) -> Result<(), Stop> {
    match block {
        Block::Paragraph(paragraph) => take_paragraph(paragraph, out),
        Block::Table(table) => take_table(table, 0, out),
        Block::Note { label, content } => {
            let text: Vec<_> = content.iter().map(Paragraph::plain_text).collect();
            out.paragraph(&format!("[{label}] {}", text.join(" ")))
        }
        Block::Image { alt_text, .. } => out.paragraph(alt_text.as_deref().unwrap_or_default()),
        Block::PageBreak | Block::SectionBreak => Ok(()),
    }
}

fn take_paragraph<S: Say>(paragraph: &Paragraph, out: &mut Passages<'_, S>) -> Result<(), Stop> {
    let text = paragraph.plain_text();
    if paragraph.is_heading() { out.heading(&text) } else { out.paragraph(&text) }
}

fn take_table<S: Say>(table: &Table, depth: usize, out: &mut Passages<'_, S>) -> Result<(), Stop> {
    if depth >= TABLES_DEEP {
        return Ok(());
    }
    for row in &table.rows {
        let cells = row
            .cells
            .iter()
            .map(|cell| cell.content.iter().map(Paragraph::plain_text).collect::<Vec<_>>().join(" "));
        out.paragraph(&cells.collect::<Vec<_>>().join(" | "))?;
        for nested in row.cells.iter().flat_map(|cell| &cell.nested_tables) {
            take_table(nested, depth + 1, out)?;
        }
    }
    Ok(())
}
