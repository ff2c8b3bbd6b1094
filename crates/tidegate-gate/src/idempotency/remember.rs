//! Remembering requests and their answers.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::{IdempotencyToken, Idempotent, StoredAnswer};
use crate::audit::Actor;
use crate::store::{BeginRequest, Begun};
use crate::{Gate, GateError, Principal};

/// A request that was begun and neither finished nor abandoned for this long died with its node.
const STUCK_AFTER: Duration = Duration::from_secs(60);

impl Gate {
    /// Asks whether a request was made before: by the same principal, on the same route, with
    /// the same idempotency key.
    ///
    /// # Errors
    /// The store failed.
    pub async fn begin_idempotent(
        &self,
        principal: &Principal,
        route: &str,
        key: &str,
        body: &[u8],
    ) -> Result<Idempotent, GateError> {
        // Nobody's requests are not told apart, so one stranger could be shown another's answer.
        if *principal == Principal::Anonymous {
            return Ok(Idempotent::Fresh(IdempotencyToken(None)));
        }
        let now = self.now();
        let token: [u8; 16] = self.entropy().array();
        let begin = BeginRequest {
            digest: digest_of(principal, route, key),
            body: Sha256::digest(body).into(),
            token,
            now,
            expires_at: now.plus(Duration::from_secs(self.limits().idempotency_seconds)),
            stuck_before: now.minus(STUCK_AFTER),
        };
        Ok(match self.store().begin_request(begin).await? {
            Begun::Fresh => Idempotent::Fresh(IdempotencyToken(Some(token))),
            Begun::Answered(answer) => Idempotent::Replay(answer),
            Begun::Conflict => Idempotent::Conflict,
            Begun::InProgress => Idempotent::InProgress,
        })
    }

    /// Remembers the answer.
    ///
    /// # Errors
    /// The store failed.
    pub async fn finish_idempotent(
        &self,
        token: IdempotencyToken,
        answer: StoredAnswer,
    ) -> Result<(), GateError> {
        if let Some(token) = token.0 {
            self.store().finish_request(token, answer).await?;
        }
        Ok(())
    }

    /// Forgets the request: it did not happen, or its failure need not be repeated.
    ///
    /// # Errors
    /// The store failed.
    pub async fn abandon_idempotent(&self, token: IdempotencyToken) -> Result<(), GateError> {
        if let Some(token) = token.0 {
            self.store().abandon_request(token).await?;
        }
        Ok(())
    }
}

/// Every part is length-prefixed, so that no two requests share their bytes.
fn digest_of(principal: &Principal, route: &str, key: &str) -> [u8; 32] {
    let who = Actor::from(principal).to_string();
    let mut hash = Sha256::new();
    for part in [who.as_str(), route, key] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}
