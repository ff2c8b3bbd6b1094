//! Failures of documents as answers.

use tidegate_documents::{DeleteError, DocumentsError, SearchError, UploadError};

use crate::problem::Problem;
use crate::wire::told;

macro_rules! problems {
    ($($error:ident)*) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                told(&error, error.code())
            }
        }
    )*};
}

problems! { DocumentsError DeleteError SearchError UploadError }
