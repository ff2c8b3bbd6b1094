//! The principal of a request, for every route that is not a stream.
//!
//! Owns: authentication by header or session cookie.
//! Must not: take a ticket; those open streams only.

use axum::extract::FromRequestParts;
use http::Method;
use http::request::Parts;
use tidegate_gate::{AuthError, Principal, Role, Scope, ServicePrincipal, UserPrincipal};
use tidegate_types::ErrorCode;

use super::present::Presented;
use super::{Facts, same_origin};
use crate::AppState;
use crate::edge::RequestInfo;
use crate::problem::Problem;

/// Who asks; nobody is an answer too.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Principal);

/// A user or a service, but not nobody: refused before anything else is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Someone(pub(crate) Principal);

/// A signed-in user.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn(pub(crate) UserPrincipal);

/// A signed-in user with the role `admin`.
#[derive(Clone, Debug)]
pub(crate) struct Admin(pub(crate) UserPrincipal);

impl Caller {
    /// Whoever sent this request.
    pub(crate) async fn of(
        state: &AppState,
        parts: &Parts,
        info: Option<&RequestInfo>,
    ) -> Result<Self, Problem> {
        let presented = Presented::of(state.config(), parts)?;
        let is_unsafe = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        Ok(Self(authenticate(state, parts, info, presented, is_unsafe).await?))
    }

    /// The user, else the right refusal.
    pub(crate) fn require_user(self) -> Result<UserPrincipal, Problem> {
        match self.0 {
            Principal::User(user) => Ok(user),
            Principal::Anonymous => Err(ErrorCode::Unauthenticated.into()),
            Principal::Service(_) => {
                Err(Problem::new(ErrorCode::Forbidden).detail("this call is for users, not for keys"))
            }
        }
    }

    /// Anyone but nobody.
    pub(crate) fn require_someone(self) -> Result<Principal, Problem> {
        match self.0 {
            Principal::Anonymous => Err(ErrorCode::Unauthenticated.into()),
            someone @ (Principal::User(_) | Principal::Service(_)) => Ok(someone),
        }
    }

    /// The service, if its key has the scope.
    pub(crate) fn require_scope(&self, scope: &Scope) -> Result<&ServicePrincipal, Problem> {
        let lacking = || Problem::new(ErrorCode::InsufficientScope).scope(scope.to_string());
        match &self.0 {
            Principal::Service(service) if service.scopes.contains(scope) => Ok(service),
            Principal::Service(_) | Principal::User(_) => Err(lacking()),
            Principal::Anonymous => Err(ErrorCode::Unauthenticated.into()),
        }
    }
}

/// Asks the gate about what was presented. `must_be_own` holds cookies to the same-origin rule.
pub(super) async fn authenticate(
    state: &AppState,
    parts: &Parts,
    info: Option<&RequestInfo>,
    presented: Presented<'_>,
    must_be_own: bool,
) -> Result<Principal, Problem> {
    let facts = || Facts::of(info, &parts.headers).0;
    match presented {
        Presented::Nothing => Ok(Principal::Anonymous),
        Presented::Ticket(_) => {
            Err(Problem::new(ErrorCode::InvalidToken).detail("a ticket opens a stream and nothing else"))
        }
        Presented::Bearer(token) => Ok(state.gate().authenticate_bearer_with(token, facts).await?),
        Presented::SessionCookie(value) => {
            if must_be_own {
                same_origin::check(state.config(), parts, info)?;
            }
            Ok(state.gate().authenticate_cookie(value, &facts()).await?)
        }
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Self::of(state, parts, parts.extensions.get()).await
    }
}

impl FromRequestParts<AppState> for Someone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(Caller::from_request_parts(parts, state).await?.require_someone()?))
    }
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(Caller::from_request_parts(parts, state).await?.require_user()?))
    }
}

impl FromRequestParts<AppState> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let SignedIn(user) = SignedIn::from_request_parts(parts, state).await?;
        match user.role {
            Role::Admin => Ok(Self(user)),
            Role::User => Err(Problem::new(ErrorCode::Forbidden).detail("this call is for admins")),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        Self::of_domain(&error, error.code())
    }
}
