//! Whose subscription it is: as a text that is kept with it, and back.
//!
//! A key's subscription ends with the key. A user's goes on without their session, and ends with
//! the account. What was made without a credential belongs to everybody.

use std::sync::Arc;

use tidegate_gate::{Principal, Role, ServicePrincipal, UserPrincipal, Via};
use tidegate_subscriptions::{Owner, Subscription, SubscriptionId};
use tidegate_types::{ErrorCode, KeyId, StreamPath};

use super::refusal::Refusal;
use crate::AppState;
use crate::access;

const ANYONE: &str = "anyone";

/// The text of whoever asks.
pub(super) fn owner_of(principal: &Principal) -> Owner {
    Owner::new(&match principal {
        Principal::Anonymous => ANYONE.to_owned(),
        Principal::User(user) => format!("user:{}", user.user_id),
        Principal::Service(service) => format!("key:{}", service.key_id),
    })
}

/// Who that was, to be asked for again: names, roles and scopes are not kept.
pub(super) fn principal_of(owner: &Owner) -> Option<Principal> {
    if owner.as_str() == ANYONE {
        return Some(Principal::Anonymous);
    }
    let (kind, id) = owner.as_str().split_once(':')?;
    match kind {
        "user" => Some(Principal::User(UserPrincipal {
            user_id: id.parse().ok()?,
            session_id: None,
            role: Role::User,
            email: Arc::from(""),
            expires_at: None,
            via: Via::Token,
        })),
        "key" => Some(Principal::Service(ServicePrincipal {
            key_id: id.parse().ok()?,
            name: Arc::from(""),
            scopes: Arc::from([]),
            owner: None,
        })),
        _ => None,
    }
}

/// The subscription, if whoever asks may manage it; a foreign one is as absent as none.
pub(super) async fn find_own(
    state: &AppState,
    principal: &Principal,
    id: &SubscriptionId,
) -> Result<Subscription, Refusal> {
    let found = state.subscriptions().find_by_id(id).await?;
    match found {
        Some(subscription) if may_manage(state, principal, &subscription).await? => Ok(subscription),
        Some(_) if matches!(principal, Principal::Anonymous) => Err(ErrorCode::Unauthenticated.into()),
        Some(_) | None => Err(ErrorCode::SubscriptionNotFound.into()),
    }
}

async fn may_manage(
    state: &AppState,
    asking: &Principal,
    subscription: &Subscription,
) -> Result<bool, Refusal> {
    let owner = &subscription.owner;
    if owner.as_str() == ANYONE || *owner == owner_of(asking) {
        return Ok(true);
    }
    let key: Option<KeyId> = owner.as_str().strip_prefix("key:").and_then(|id| id.parse().ok());
    match asking {
        Principal::Anonymous => Ok(false),
        Principal::User(user) if user.role == Role::Admin => Ok(true),
        Principal::User(user) => match key {
            Some(key) => {
                let key = state.gate().lookup_key(key).await.map_err(crate::problem::Problem::from)?;
                Ok(key.is_some_and(|key| key.owner == Some(user.user_id)))
            }
            None => Ok(false),
        },
        // The installation's keys stand in for each other, so that one can be replaced by the next.
        Principal::Service(service) if service.owner.is_none() && key.is_some() => {
            let streams = named_streams(state, subscription).await?;
            let pattern = subscription.pattern.as_ref();
            Ok(access::may_subscribe(state, asking, pattern, &streams).await.is_ok())
        }
        Principal::Service(_) => Ok(false),
    }
}

async fn named_streams(state: &AppState, subscription: &Subscription) -> Result<Vec<StreamPath>, Refusal> {
    let view = state.subscriptions().view(subscription.clone()).await?;
    let named = view.streams.into_iter().filter(|stream| stream.kind == "explicit");
    Ok(named.map(|stream| stream.path).collect())
}
