//! The file of a multipart body, from the socket to the disk piece by piece.
//!
//! Owns: which parts a form may have. Must not: hold more than one piece in memory.

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest as _, Multipart, Request};
use tidegate_documents::{NewUpload, Upload};
use tidegate_types::{ErrorCode, UserId};

use crate::AppState;
use crate::edge::BodyError;
use crate::problem::Problem;

const FILE: &str = "file";
/// Parts beside the file that are read over.
const OTHER_PARTS_MAX: usize = 16;
const OTHER_BYTES_MAX: usize = 65_536;

/// Receives the one file of the body.
///
/// # Errors
/// No multipart body, no part `file`, more than one, too large, or broken off.
pub(super) async fn receive(state: &AppState, owner: UserId, request: Request) -> Result<Upload, Problem> {
    let mut parts = Multipart::from_request(request, state).await.map_err(|_| {
        Problem::new(ErrorCode::UnsupportedMediaType).detail("the body must be multipart/form-data")
    })?;
    let (mut upload, mut others) = (None, 0);
    while let Some(mut part) = parts.next_field().await.map_err(broken)? {
        let is_file = part.name() == Some(FILE) || (part.name().is_none() && part.file_name().is_some());
        if is_file && upload.is_some() {
            return Err(invalid("one file at a time"));
        }
        if is_file {
            upload = Some(store(state, owner, &mut part).await?);
        } else {
            others += 1;
            if others > OTHER_PARTS_MAX {
                return Err(invalid("the form has too many parts"));
            }
            skip(&mut part).await?;
        }
    }
    upload.ok_or_else(|| invalid("the form has no part `file`"))
}

async fn store(state: &AppState, owner: UserId, part: &mut Field<'_>) -> Result<Upload, Problem> {
    let new = NewUpload {
        owner,
        filename: part.file_name().unwrap_or_default().to_owned(),
        media_type: part.content_type().map(str::to_owned),
    };
    let mut upload = state.documents().begin_upload(new).await?;
    while let Some(bytes) = part.chunk().await.map_err(broken)? {
        upload.write(&bytes).await?;
    }
    Ok(upload)
}

async fn skip(part: &mut Field<'_>) -> Result<(), Problem> {
    let mut bytes = 0;
    while let Some(piece) = part.chunk().await.map_err(broken)? {
        bytes += piece.len();
        if bytes > OTHER_BYTES_MAX {
            return Err(invalid("only the part `file` may be large"));
        }
    }
    Ok(())
}

fn invalid(detail: &'static str) -> Problem {
    Problem::new(ErrorCode::ValidationFailed).detail(detail).field("/file", "invalid", detail)
}

fn broken(error: MultipartError) -> Problem {
    match BodyError::find(&error) {
        Some(body) => body.code().into(),
        None => Problem::new(ErrorCode::InvalidRequest).detail("the multipart body is malformed"),
    }
}
