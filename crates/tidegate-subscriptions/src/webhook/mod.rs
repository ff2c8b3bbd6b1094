//! Which URLs may be called.
//!
//! Owns: the shape of a URL that is accepted, and which addresses are public.
//! Must not: look a name up or open a socket; whoever implements [`crate::Deliver`] does, and asks here.

mod address;
mod url;

pub use self::url::{UrlRefused, WebhookPolicy, WebhookUrl};
pub use address::is_public;
