//! What `tail` shows: a progress bar on a terminal, a line per record elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::as_json;
use super::follow::{Heard, Opening};
use crate::cli::output::Output;

/// The terminal, or what stands for it.
pub(crate) struct Screen {
    output: Output,
    bar: Option<ProgressBar>,
}

const STEPS: u64 = 1_000;

impl Screen {
    pub(crate) fn new(output: Output) -> Self {
        let bar = output.is_terminal().then(|| {
            let bar = ProgressBar::new(STEPS);
            if let Ok(style) = ProgressStyle::with_template("{bar:30.cyan} {percent:>3}%  {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { output, bar }
    }

    pub(crate) fn show(&mut self, heard: &Heard) {
        match heard {
            Heard::Opened(Opening::Resumed | Opening::Anew) => self.remark("reconnected, nothing was missed"),
            Heard::Opened(Opening::First) | Heard::Ended { .. } => {}
            Heard::Gap(data) => self.remark(&format!("a part can't be replayed: {data}")),
            Heard::Lost { why, wait } if *wait < Duration::from_millis(1) => self.remark(why),
            Heard::Lost { why, wait } => {
                self.remark(&format!("{why}; reconnecting in {:.1} s", wait.as_secs_f64()));
            }
            Heard::Record { offset, event, data } => self.record(offset, event.as_deref(), data),
        }
    }

    pub(crate) fn ended(&mut self, reason: &str, status: Option<&str>) {
        self.finish();
        let words = match (reason, status) {
            ("eof", Some(status)) => format!("the stream ended: {status}"),
            ("eof", None) => "the stream ended".to_owned(),
            ("revoked", _) => "access was revoked".to_owned(),
            ("deleted", _) => "the stream was deleted".to_owned(),
            ("replaced", _) => "another reader took over".to_owned(),
            (other, _) => format!("the stream ended: {other}"),
        };
        self.remark(&words);
    }

    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.abandon();
        }
    }

    fn remark(&self, words: &str) {
        let text = format!("· {words}");
        match &self.bar {
            Some(bar) => bar.suspend(|| self.output.note(&text)),
            None => self.output.note(&text),
        }
    }

    fn record(&mut self, offset: &str, event: Option<&str>, data: &str) {
        if self.output.json {
            self.output.line(as_json(offset, event, data));
            return;
        }
        let value: Value = serde_json::from_str(data).unwrap_or_default();
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let words = match (text("message"), text("stage")) {
            ("", "") => printable(data),
            ("", stage) => stage.to_owned(),
            (message, _) => printable(message),
        };
        let progress = value.get("progress").and_then(Value::as_f64);
        if let Some(bar) = &self.bar {
            if let Some(progress) = progress {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "clamped to 0..=1000"
                )]
                bar.set_position((progress.clamp(0.0, 1.0) * 1_000.0).round() as u64);
            }
            if event.is_some() || progress.is_none() {
                bar.suspend(|| self.output.line(format_line(offset, event, progress, &words)));
            }
            bar.set_message(words);
            return;
        }
        self.output.line(format_line(offset, event, progress, &words));
    }
}

fn format_line(offset: &str, event: Option<&str>, progress: Option<f64>, words: &str) -> String {
    let short = offset.trim_start_matches('0');
    let short = if short.is_empty() { "0" } else { short };
    let percent = progress.map_or_else(|| "    ".to_owned(), |p| format!("{:>3.0}%", p * 100.0));
    match event {
        Some(event) => format!("#{short:<5} {percent}  {event}  {words}"),
        None => format!("#{short:<5} {percent}  {words}"),
    }
}

/// Text from elsewhere must not steer the terminal, and a line stays a line.
fn printable(text: &str) -> String {
    let mut cut: String = text.chars().filter(|c| !c.is_control()).take(500).collect();
    if text.chars().count() > 500 {
        cut.push('…');
    }
    cut
}
