//! Giving the answers of a commit: where that costs the writer's thread least.
//!
//! Owns: that choice. Must not: know an answer; they are given when they are dropped.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Drops `answers`, which gives them: where they are `several` on the runtime, else here. A wake from the writer's
/// thread costs a system call and, on one core, a change of threads, and wakes between a runtime's own tasks don't.
pub fn give_answers<A: Send + 'static>(answers: A, several: bool, runtime: Option<&Handle>) {
    // Only such a runtime runs without being waited for.
    let runs = |runtime: &&Handle| runtime.runtime_flavor() != RuntimeFlavor::CurrentThread;
    match runtime.filter(runs) {
        Some(runtime) if several => drop(runtime.spawn(async move { drop(answers) })),
        _ => drop(answers),
    }
}
