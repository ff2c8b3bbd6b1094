//! The tail loop: one socket, one cursor.
//!
//! Owns: how a live stream becomes the body of an answer.
//! Must not: know the HTTP server below it (a later engine may detach the socket).
