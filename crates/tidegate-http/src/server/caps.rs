//! How many sockets there may be, in all and from one address.
//!
//! Owns: the counts; a slot gives itself back when it is dropped.
//! Must not: grow with the number of addresses ever seen.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_gate::network_of;
use tidegate_types::Limits;

use crate::ops::{Metrics, Refusal};

/// The counts of one listener.
#[derive(Clone, Debug)]
pub(super) struct SocketCaps(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    per_node: u64,
    per_address: u64,
    counts: Mutex<Counts>,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct Counts {
    all: u64,
    by_address: HashMap<IpAddr, u64>,
}

/// One socket's place.
#[derive(Debug)]
pub(crate) struct Slot {
    caps: SocketCaps,
    key: Option<IpAddr>,
}

impl SocketCaps {
    pub(super) fn new(limits: &Limits, metrics: Metrics) -> Self {
        Self(Arc::new(Inner {
            per_node: limits.connections_per_node,
            per_address: limits.connections_per_address,
            counts: Mutex::default(),
            metrics,
        }))
    }

    /// A slot, or why there is none. A trusted proxy speaks for many clients, so it is not counted by address.
    pub(super) fn admit(&self, address: IpAddr, is_proxy: bool) -> Result<Slot, Refusal> {
        let key = (!is_proxy).then(|| network_of(address));
        let taken = self.take(key);
        match taken {
            Ok(()) => self.0.metrics.socket_opened(),
            Err(refusal) => self.0.metrics.socket_refused(refusal),
        }
        taken.map(|()| Slot { caps: self.clone(), key })
    }

    fn take(&self, key: Option<IpAddr>) -> Result<(), Refusal> {
        let mut counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= self.0.per_node {
            return Err(Refusal::Node);
        }
        if let Some(key) = key {
            let count = counts.by_address.entry(key).or_insert(0);
            if *count >= self.0.per_address {
                return Err(Refusal::Address);
            }
            *count += 1;
        }
        counts.all += 1;
        Ok(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.caps.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Some(key) = self.key
            && let Entry::Occupied(mut entry) = counts.by_address.entry(key)
        {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
        drop(counts);
        self.caps.0.metrics.socket_closed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_hold_per_address_and_per_node_and_slots_come_back() {
        let limits = Limits { connections_per_node: 3, connections_per_address: 2, ..Limits::default() };
        let caps = SocketCaps::new(&limits, Metrics::new());
        let (one, two) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let first = caps.admit(one, false).unwrap();
        let _second = caps.admit(one, false).unwrap();
        assert_eq!(caps.admit(one, false).unwrap_err(), Refusal::Address);
        let _third = caps.admit(one, true).unwrap();
        assert_eq!(caps.admit(two, false).unwrap_err(), Refusal::Node);
        drop(first);
        let again = caps.admit(one, false).unwrap();
        drop(again);
        assert!(caps.0.counts.lock().unwrap().by_address.len() <= 1);
    }
}
