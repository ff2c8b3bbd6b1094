//! What the system says of the measured process: scheduled CPU time and resident memory.

use std::time::Duration;

/// CPU time and memory of a process at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// Time that its threads ran, user and kernel.
    pub(super) cpu: Duration,
    /// Resident memory in KiB.
    pub(super) resident_kib: u64,
}

/// The sum over processes; `None` where one can't be read, or none is named.
pub(super) fn usage_of(pids: &[u32]) -> Option<Usage> {
    let each: Option<Vec<Usage>> = pids.iter().map(|pid| usage(*pid)).collect();
    each?.into_iter().reduce(|sum, one| Usage {
        cpu: sum.cpu + one.cpu,
        resident_kib: sum.resident_kib + one.resident_kib,
    })
}

/// Reads `/proc`; `None` where there is none or the process is gone.
pub(super) fn usage(pid: u32) -> Option<Usage> {
    let mut cpu_ns = 0_u64;
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        // `schedstat` counts nanoseconds; `stat` only hundredths of a second.
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        cpu_ns += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let resident_kib = resident.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some(Usage { cpu: Duration::from_nanos(cpu_ns), resident_kib })
}

/// How much memory came between two moments, in KiB.
pub(super) fn grown_kib(before: Option<Usage>, after: Option<Usage>) -> Option<u64> {
    Some(after?.resident_kib.saturating_sub(before?.resident_kib))
}
