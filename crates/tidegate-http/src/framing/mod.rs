//! Server-sent events on the wire: frames, ids, pings and the end.
//!
//! Owns: the bytes of a frame in each framing.
//! Must not: read a stream, or know the HTTP server.
