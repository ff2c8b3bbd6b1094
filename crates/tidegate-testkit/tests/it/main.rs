//! Claims about the test server itself.

#[cfg(test)]
mod server;
