//! The parameters of a read.

use serde::Deserialize;
use tidegate_types::{ErrorCode, ReadFrom};

use crate::extract::Pair;
use crate::problem::Problem;
use crate::tail::refusal;

/// `?offset=&live=&cursor=`; other parameters are left alone, as the protocol wants.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReadQuery {
    /// `-1`, `now` or an offset; the default is the beginning.
    offset: Option<String>,
    /// How to wait for what is not there yet.
    live: Option<String>,
    /// The last `Stream-Cursor` that was seen.
    cursor: Option<String>,
    /// The same as `offset`, by its name elsewhere in this API.
    after: Option<String>,
    /// A bare offset, for readers of events that can send no header.
    #[expect(dead_code, reason = "read where all stream routes read it; here for the documentation")]
    last_event_id: Option<String>,
}

/// How to wait for what is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Live {
    LongPoll,
    Sse,
    Events,
}

impl ReadQuery {
    /// The same from parameters that were decoded already.
    pub(super) fn of(pairs: Vec<Pair<'_>>) -> Self {
        let mut query = Self::default();
        for (name, value) in pairs {
            let field = match &*name {
                "offset" => &mut query.offset,
                "live" => &mut query.live,
                "cursor" => &mut query.cursor,
                "after" => &mut query.after,
                _ => continue,
            };
            *field = Some(value.into_owned());
        }
        query
    }

    /// The position, if one was named.
    pub(super) fn from(&self) -> Result<Option<ReadFrom>, Problem> {
        let named = self.offset.as_deref().or(self.after.as_deref());
        named.map(str::parse).transpose().map_err(refusal)
    }

    pub(super) fn live(&self) -> Result<Option<Live>, Problem> {
        match self.live.as_deref() {
            None => Ok(None),
            Some("long-poll") => Ok(Some(Live::LongPoll)),
            Some("sse") => Ok(Some(Live::Sse)),
            Some("events") => Ok(Some(Live::Events)),
            Some(_) => {
                Err(Problem::new(ErrorCode::InvalidRequest).detail("`live` is long-poll, sse or events"))
            }
        }
    }

    /// The protocol's live modes want the position said.
    pub(super) fn live_from(&self) -> Result<ReadFrom, Problem> {
        let missing = || Problem::new(ErrorCode::InvalidRequest).detail("a live read needs `offset`");
        self.from()?.ok_or_else(missing)
    }

    /// The echoed cursor; one that is no number is as good as none.
    pub(super) fn cursor(&self) -> Option<u64> {
        self.cursor.as_deref().and_then(|text| text.parse().ok())
    }
}
