//! Rate limits: how often something may happen per key, in this node.
//!
//! Owns: which limits there are, their keys, and the bound on how many keys are remembered.
//! Must not: know a route. Exact to one request, without a background task: the generic cell
//! rate algorithm of `governor`.

mod capped;
mod clock;

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::{Quota, RateLimiter};
use tidegate_types::{Clock, ErrorCode, Limits};

use capped::CappedKeys;
use clock::SteadyClock;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Sign-ins, registrations and refreshes from one address.
    AuthAddress,
    /// Sign-in attempts for one account; the key is the normalised email.
    LoginAccount,
    /// Tickets of one user.
    TicketsUser,
    /// Calls without a credential from one address.
    AnonymousAddress,
}

/// Too often: try again after so many seconds (never 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests; try again in {0} s")]
pub struct RetryAfter(pub u32);

impl RetryAfter {
    /// What the client is told.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        ErrorCode::RateLimited
    }
}

type Limiter = RateLimiter<u64, CappedKeys, SteadyClock, NoOpMiddleware<Nanos>>;

/// All limiters of this node.
pub(crate) struct Rates {
    auth_address: Limiter,
    login_account: Limiter,
    tickets_user: Limiter,
    anonymous_address: Limiter,
    hasher: std::hash::RandomState,
}

impl std::fmt::Debug for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rates").finish_non_exhaustive()
    }
}

impl Rates {
    pub(crate) fn new(limits: &Limits, clock: &Arc<dyn Clock>) -> Self {
        let keys = usize::try_from(limits.rate_limit_keys).unwrap_or(usize::MAX);
        let limiter = |per_minute: u64| {
            let per_minute =
                u32::try_from(per_minute).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX);
            let steady = SteadyClock::new(Arc::clone(clock));
            RateLimiter::new(Quota::per_minute(per_minute), CappedKeys::new(keys, steady.clone()), steady)
        };
        Self {
            auth_address: limiter(limits.auth_per_minute_per_address),
            login_account: limiter(limits.logins_per_minute_per_account),
            tickets_user: limiter(limits.tickets_per_minute_per_user),
            anonymous_address: limiter(limits.anonymous_per_minute_per_address),
            hasher: std::hash::RandomState::new(),
        }
    }

    /// Takes one from the key's allowance.
    pub(crate) fn take(&self, rate: Rate, key: &str) -> Result<(), RetryAfter> {
        use std::hash::BuildHasher as _;
        let (limiter, by_address) = match rate {
            Rate::AuthAddress => (&self.auth_address, true),
            Rate::LoginAccount => (&self.login_account, false),
            Rate::TicketsUser => (&self.tickets_user, false),
            Rate::AnonymousAddress => (&self.anonymous_address, true),
        };
        // Only a keyed hash of the key is remembered: bounded size whatever the key's length,
        // and no outsider can make two keys share an allowance.
        let key = match key.parse::<IpAddr>() {
            Ok(address) if by_address => self.hasher.hash_one(network_of(address)),
            _ => self.hasher.hash_one(key),
        };
        limiter.check_key(&key).map_err(|not_until| {
            let wait = not_until.wait_time_from(limiter.clock().now());
            RetryAfter(seconds_up(wait))
        })
    }
}

impl crate::Gate {
    /// Takes one from the key's allowance.
    ///
    /// # Errors
    /// The allowance is used up; says when to try again.
    pub fn take_rate(&self, rate: Rate, key: &str) -> Result<(), RetryAfter> {
        self.inner.rates.take(rate, key)
    }
}

/// The unit that address limits count by: an IPv4 address, or an IPv6 /64 (what one customer
/// can move within at will).
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

fn seconds_up(wait: Duration) -> u32 {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(whole.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("203.0.113.9", "203.0.113.9")]
    #[case("::ffff:203.0.113.9", "203.0.113.9")]
    #[case("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    fn addresses_count_by_their_network(#[case] address: &str, #[case] network: &str) {
        assert_eq!(network_of(address.parse().unwrap()), network.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn waits_are_rounded_up_to_whole_seconds() {
        assert_eq!(seconds_up(Duration::from_millis(1)), 1);
        assert_eq!(seconds_up(Duration::from_millis(5_001)), 6);
    }
}
