//! The code for an answer that the framework made without one.

use http::StatusCode;
use tidegate_types::ErrorCode;

/// The nearest code for a bare status, so that no refusal leaves without a problem body.
pub(crate) fn code_for_status(status: StatusCode) -> ErrorCode {
    match status.as_u16() {
        401 => ErrorCode::Unauthenticated,
        403 => ErrorCode::Forbidden,
        404 => ErrorCode::NotFound,
        405 => ErrorCode::MethodNotAllowed,
        406 => ErrorCode::NotAcceptable,
        408 => ErrorCode::RequestTimeout,
        409 => ErrorCode::Conflict,
        410 => ErrorCode::Gone,
        413 => ErrorCode::BodyTooLarge,
        415 => ErrorCode::UnsupportedMediaType,
        421 => ErrorCode::HostNotAllowed,
        422 => ErrorCode::ValidationFailed,
        429 => ErrorCode::RateLimited,
        400..=499 => ErrorCode::InvalidRequest,
        501 => ErrorCode::NotImplemented,
        503 => ErrorCode::Overloaded,
        507 => ErrorCode::StorageFull,
        _ => ErrorCode::Internal,
    }
}
