//! What a child says: one JSON value a line.

use serde::{Deserialize, Serialize};

use crate::{Extracted, NewPassage};

/// Bytes of one line at most; a passage batch stays far below.
pub(crate) const LINE_BYTES_MAX: usize = 4 * 1_048_576;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    Opened { pages: Option<u32> },
    Passages(Vec<NewPassage>),
    Progress { done: u64, total: u64 },
    Failed(String),
    Done,
}

/// What a line means.
pub(crate) enum Said {
    Piece(Extracted),
    Failed(String),
    Done,
}

impl From<Line> for Said {
    fn from(line: Line) -> Self {
        match line {
            Line::Opened { pages } => Self::Piece(Extracted::Opened { pages }),
            Line::Passages(passages) => Self::Piece(Extracted::Passages(passages)),
            Line::Progress { done, total } => Self::Piece(Extracted::Progress { done, total }),
            Line::Failed(message) => Self::Failed(message),
            Line::Done => Self::Done,
        }
    }
}
