//! Looking at keys.

use axum::Json;
use axum::extract::State;
use tidegate_types::KeyId;

use super::body::KeyBody;
use super::{find, seen_by};
use crate::AppState;
use crate::credential::SignedIn;
use crate::extract::{Page, PageArgs, Path};
use crate::problem::{Problem, ProblemBody};

/// The caller's keys, newest first, revoked ones too; for admins those of all.
#[utoipa::path(
    get, path = "/api/v1/keys", tag = "keys",
    params(
        ("limit" = Option<u64>, Query, description = "1 to 200"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, body = Page<KeyBody>),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_keys(
    State(state): State<AppState>,
    SignedIn(user): SignedIn,
    args: PageArgs,
) -> Result<Page<KeyBody>, Problem> {
    let keys = state.gate().list_keys(seen_by(&user)).await?;
    Ok(args.cut(keys, |key| key.id.as_uuid())?.map(KeyBody::from))
}

/// One key, without its secret.
#[utoipa::path(
    get, path = "/api/v1/keys/{id}", tag = "keys", params(("id" = String, Path, description = "the key")),
    responses(
        (status = 200, body = KeyBody),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show_key(
    State(state): State<AppState>,
    SignedIn(user): SignedIn,
    Path(id): Path<KeyId>,
) -> Result<Json<KeyBody>, Problem> {
    Ok(Json(find(&state, &user, id).await?.into()))
}
