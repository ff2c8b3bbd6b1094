//! What can be checked on this machine: configuration, secret, disk.

use std::path::Path;

use super::{Finding, Report};
use crate::cli::Context;
use crate::config::{self, DEV_FOLDER, Mode};

const FREE_BYTES_MIN: u64 = 512 << 20;

pub(super) fn check(context: &Context, report: &mut Report<'_>) {
    let named = context.globals.data.clone();
    let beside = context.folder.as_ref().map(|folder| folder.join(DEV_FOLDER)).filter(|path| path.is_dir());
    let Some(data) = named.or(beside) else { return };
    let overrides = config::Overrides { data: Some(data.clone()), ..context.overrides() };
    let is_dev = matches!(config::lookup_dev_secret(&data), Ok(Some(_)));
    let mode = if is_dev { Mode::Dev } else { Mode::Serve };
    match config::load(&overrides, &context.env, mode) {
        Err(refusal) => report.add(&Finding::bad(
            "configuration",
            format!("{} {}", refusal.setting, refusal.why),
            refusal.cure,
        )),
        Ok(loaded) => {
            let refusals = loaded.config.refusals(mode, &loaded.data);
            for refusal in &refusals {
                let words = format!("{} {}", refusal.setting, refusal.why);
                report.add(&Finding::bad("configuration", words, refusal.cure.clone()));
            }
            if refusals.is_empty() {
                let whose = if is_dev { "development secret" } else { "secret" };
                report.add(&Finding::good("configuration", format!("complete, {whose} strong enough")));
            }
        }
    }
    disk(&data, report);
}

fn disk(data: &Path, report: &mut Report<'_>) {
    match rustix::fs::statvfs(data) {
        Err(error) => report.add(&Finding::bad(
            "disk",
            format!("{} can't be looked at: {error}", data.display()),
            "name the data folder with --data",
        )),
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let words = format!("{} MiB free in {}", free >> 20, data.display());
            if free < FREE_BYTES_MIN {
                report.add(&Finding::bad(
                    "disk",
                    words,
                    "free some space: a full disk stops all writes (507)",
                ));
            } else {
                report.add(&Finding::good("disk", words));
            }
        }
    }
}
