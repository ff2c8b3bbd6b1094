//! Documents: a PDF until it can be searched, searches, the first words of an answer.
//!
//! `cargo bench -p tidegate-documents --bench documents` prints the figures. Files in a temporary
//! folder, `synchronous=FULL`, extraction in a thread of this process (a child costs a few milliseconds
//! more).
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a program that prints figures, for developers, and stops at the first thing that is wrong"
)]

mod library;
mod pdf;
mod search;

use std::time::Duration;

#[tokio::main]
async fn main() {
    let (library, prose) = search::fill().await;
    search::searches(&library, &prose).await;
    search::first_words(&library, &prose).await;
    pdf::process(&library).await;
}

fn line(name: &str, took: &[Duration]) {
    let mut took = took.to_vec();
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    println!("{name:54} p50 {:>9.2?}  p99 {:>9.2?}  worst {:>9.2?}", at(50), at(99), took[took.len() - 1]);
}
