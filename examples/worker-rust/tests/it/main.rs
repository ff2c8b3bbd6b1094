//! Both example workers, Rust and Python, against the real server.

#[cfg(test)]
mod workers;
