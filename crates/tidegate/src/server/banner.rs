//! What a started server says to the person in front of it. Only lines that are true now.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The first words.
#[derive(Clone, Debug)]
pub struct Banner {
    /// Where it is reached.
    pub url: String,
    /// Its data folder.
    pub data: PathBuf,
    /// How long it took.
    pub ready_in: Duration,
    /// What is special about this one.
    pub remarks: Vec<String>,
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        writeln!(
            f,
            "\n  Tidegate {}  ready in {} ms    data {}",
            env!("CARGO_PKG_VERSION"),
            self.ready_in.as_millis(),
            self.data.display()
        )?;
        for remark in &self.remarks {
            writeln!(f, "  · {remark}")?;
        }
        writeln!(f, "  API      {url}/api/v1")?;
        writeln!(f, "  Docs     {url}/docs")?;
        writeln!(
            f,
            "  Try      tidegate run --title \"Half a minute\" -- sh -c 'for i in $(seq 30); do echo \"$i/30\"; sleep 1; done'"
        )
    }
}
