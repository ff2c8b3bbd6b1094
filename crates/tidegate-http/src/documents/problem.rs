//! Failures of documents as answers.

use tidegate_documents::{DeleteError, DocumentsError, SearchError, UploadError};

use crate::wire::told_as_they_are;

told_as_they_are! { DocumentsError DeleteError SearchError UploadError }
