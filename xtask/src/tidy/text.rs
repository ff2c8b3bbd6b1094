//! Rules for every text: no left-over marks, no path of somebody's machine, no build output,
//! no registry's address in a lock file.

use super::{Finding, Tree};

const LINE_MARKS: [&str; 5] = ["todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX"];
const HOME_FOLDERS: [&str; 4] = ["/work/", "/root/", "/home/", "/Users/"];
const BUILD_OUTPUT: [&str; 4] = ["target/", "node_modules/", "dist/", ".tidegate/"];
const FILE_BYTES_MAX: usize = 1_048_576;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, text) in tree.files() {
        if BUILD_OUTPUT.iter().any(|folder| name.starts_with(folder) || name.contains(&format!("/{folder}")))
        {
            findings.push(Finding::new(name, "build output does not belong into the project"));
        }
        if text.len() > FILE_BYTES_MAX {
            findings.push(Finding::new(name, "larger than 1 MiB"));
        }
        if name.starts_with("xtask/") {
            continue; // these files spell out the words that they look for
        }
        let is_lock = name.ends_with("lock") || name.ends_with("lock.json") || name.ends_with("lock.yaml");
        if is_lock && text.contains("\"resolved\": \"http") {
            findings.push(Finding::new(name, "names a registry's address"));
        }
        if !is_lock {
            findings.extend(lines(name, text));
        }
    }
    findings
}

fn lines<'a>(name: &'a str, text: &'a str) -> impl Iterator<Item = Finding> + 'a {
    text.lines().enumerate().filter_map(move |(index, line)| {
        let place = format!("{name}:{}", index + 1);
        if let Some(mark) = LINE_MARKS.iter().find(|mark| line.contains(**mark)) {
            return Some(Finding::new(place, format!("left over: `{mark}`")));
        }
        let home = HOME_FOLDERS.iter().find(|folder| names_folder(line, folder))?;
        Some(Finding::new(place, format!("names a machine's own folder: `{home}`")))
    })
}

/// Whether the folder stands at the start of a path, not inside of one (`/api/v1/work/claim`).
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '*' | '~' | ')')))
    })
}

#[cfg(test)]
mod tests {
    use super::names_folder;

    #[test]
    fn a_route_is_no_folder_of_a_machine() {
        assert!(names_folder("see /work/x", "/work/"));
        assert!(!names_folder("POST /api/v1/work/claim", "/work/"));
    }
}
