//! `GET /api/v1/generations`: the caller's own, newest first.

use axum::extract::State;
use serde::Deserialize;
use tidegate_generations::{Filter, Status};
use tidegate_types::ErrorCode;
use utoipa::IntoParams;

use super::access::acts_for;
use super::view::GenerationView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::{Page, PageArgs, Query};
use crate::problem::Problem;
use crate::wire::{Mistaken, PageParams, Refused};

/// Which generations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only those in this state.
    status: Option<String>,
    /// Only those of this framework.
    framework: Option<String>,
}

/// Lists the caller's generations, newest first.
#[utoipa::path(
    get, path = "/api/v1/generations", tag = "generations", operation_id = "listGenerations",
    params(ListQuery, PageParams),
    responses((status = 200, description = "A page", body = Page<GenerationView>), Refused, Mistaken)
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Query(query): Query<ListQuery>,
    page: PageArgs,
) -> Result<Page<GenerationView>, Problem> {
    let owner = acts_for(&caller)?;
    let filter =
        Filter { status: query.status.as_deref().map(status).transpose()?, framework: query.framework };
    let found = state.generations().list(owner, &filter, page.cursor.as_deref(), page.limit).await?;
    let items = found.items.into_iter().map(GenerationView::from).collect();
    Ok(Page { items, next_cursor: found.next_cursor })
}

fn status(text: &str) -> Result<Status, Problem> {
    text.parse::<Status>().map_err(|error| {
        let detail = error.to_string();
        Problem::new(ErrorCode::ValidationFailed).detail(detail.clone()).field("/status", "invalid", detail)
    })
}
