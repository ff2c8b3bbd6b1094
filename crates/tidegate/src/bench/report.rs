//! What a load found, as a line for people or for programs.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// KiB as MiB.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(super) fn mebibytes(kib: u64) -> f64 {
    kib as f64 / 1_024.0
}

/// KiB for each of so many.
pub(super) fn each_kib(kib: u64, count: u32) -> f64 {
    mebibytes(kib) * 1_024.0 / f64::from(count.max(1))
}

/// The figures of one load. Latencies are microseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Report {
    name: String,
    setup: String,
    /// Operations (appends, deliveries, connects: `unit`) done.
    operations: u64,
    unit: &'static str,
    seconds: f64,
    per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    p50_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p999_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_us_per_operation: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_kib_per_connection: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_mib: Option<f64>,
    /// The same with no reader stalled (`slow`).
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_without_us: Option<u64>,
    /// Memory that the server holds for each stalled reader (`slow`).
    #[serde(skip_serializing_if = "Option::is_none")]
    held_kib_per_stalled: Option<f64>,
    #[serde(skip)]
    each: Option<&'static str>,
    lost: u64,
    repeated: u64,
}

impl Report {
    pub(super) fn new(name: &str, setup: impl Into<String>, unit: &'static str) -> Self {
        Self { name: name.to_owned(), setup: setup.into(), unit, ..Self::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn is_clean(&self) -> bool {
        self.lost == 0 && self.repeated == 0
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(super) fn rate(mut self, operations: u64, took: Duration) -> Self {
        self.operations = operations;
        self.seconds = took.as_secs_f64();
        self.per_second = operations as f64 / took.as_secs_f64().max(1e-9);
        self
    }

    pub(super) fn latency(mut self, histogram: &Histogram<u64>) -> Self {
        if !histogram.is_empty() {
            self.p50_us = Some(histogram.value_at_quantile(0.5) / 1_000);
            self.p99_us = Some(histogram.value_at_quantile(0.99) / 1_000);
            self.p999_us = Some(histogram.value_at_quantile(0.999) / 1_000);
        }
        self
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(super) fn cpu(mut self, spent: Option<Duration>) -> Self {
        self.cpu_us_per_operation = spent.map(|cpu| cpu.as_secs_f64() * 1e6 / self.operations.max(1) as f64);
        self
    }

    pub(super) fn memory(mut self, kib_per_connection: Option<f64>, resident_mib: Option<f64>) -> Self {
        self.resident_kib_per_connection = kib_per_connection;
        self.resident_mib = resident_mib;
        self
    }

    /// What stalled readers cost the others, and the server.
    pub(super) fn stalled(mut self, without: &Histogram<u64>, held_kib: Option<u64>, readers: u32) -> Self {
        self.p99_without_us = Some(without.value_at_quantile(0.99) / 1_000);
        self.held_kib_per_stalled = held_kib.map(|kib| each_kib(kib, readers));
        self
    }

    /// What the memory is of, when it is not a connection.
    pub(super) const fn each(mut self, what: &'static str) -> Self {
        self.each = Some(what);
        self
    }

    pub(super) const fn checked(mut self, lost: u64, repeated: u64) -> Self {
        self.lost = lost;
        self.repeated = repeated;
        self
    }

    #[expect(clippy::print_stdout, reason = "the report is this verb's answer")]
    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        println!("{:<8} {}", self.name, self.setup);
        println!(
            "         {} {} in {:.2} s = {:.0}/s",
            self.operations, self.unit, self.seconds, self.per_second
        );
        if let (Some(p50), Some(p99), Some(p999)) = (self.p50_us, self.p99_us, self.p999_us) {
            println!("         latency p50 {p50} µs, p99 {p99} µs, p99.9 {p999} µs");
        }
        if let (Some(without), Some(held)) = (self.p99_without_us, self.held_kib_per_stalled) {
            println!("         with none stalled p99 {without} µs; {held:.1} KiB held for each stalled");
        }
        if let Some(cpu) = self.cpu_us_per_operation {
            println!("         server CPU {cpu:.2} µs each = {cpu:.2} s per million");
        }
        if let Some(kib) = self.resident_kib_per_connection {
            println!("         memory {kib:.2} KiB per {}", self.each.unwrap_or("connection"));
        }
        if let Some(mib) = self.resident_mib {
            println!("         resident {mib:.1} MiB");
        }
        println!("         lost {}, repeated {}", self.lost, self.repeated);
        Ok(())
    }
}
