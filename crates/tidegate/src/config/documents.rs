//! `[documents]`: where uploaded files are kept. Their bounds stand in `[limits]`.

use std::path::PathBuf;

use super::spec::section;

section! {
    /// Uploaded documents.
    DocumentsConfig in "documents" {
        /// The folder of uploaded files; default: `documents` in the data folder.
        folder: Option<PathBuf> = None, Path;
    }
}
