//! The date that heads an answer.
//!
//! Owns: that it is made once a second, for all connections.
//! Must not: be asked for every answer; a connection keeps the last one it got.

use std::sync::{Mutex, PoisonError};

use http::HeaderValue;
use tidegate_types::Timestamp;

const EPOCH: &str = "Thu, 01 Jan 1970 00:00:00 GMT";

/// The date of this second.
#[derive(Debug, Default)]
pub(super) struct DateHeader(Mutex<Option<(i64, HeaderValue)>>);

impl DateHeader {
    pub(super) fn at(&self, now: Timestamp) -> HeaderValue {
        let second = now.as_secs();
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some((of, date)) if *of == second => date.clone(),
            _ => {
                let made = HeaderValue::from_str(&now.to_http_date());
                let made = made.unwrap_or_else(|_| HeaderValue::from_static(EPOCH));
                held.insert((second, made)).1.clone()
            }
        }
    }
}
