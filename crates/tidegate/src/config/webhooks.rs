//! `[webhooks]`: whether this server calls others.

use super::spec::section;

section! {
    /// Calls of webhooks, which subscriptions ask for.
    WebhooksConfig in "webhooks" {
        /// Whether subscriptions may have webhooks: https, public addresses, ports 443 and 8443.
        enabled: bool = false, Flag;
        /// For tests: whether webhooks of this machine may be called too, over plain http and on any port.
        allow_loopback: bool = false, Flag;
    }
}
