//! An archive's list of members, looked at before anything is unpacked.
//!
//! Owns: the refusal of bombs that admit what they are. Those that lie meet the child's limits.
//! Must not: unpack a single byte. (APPNOTE.TXT sections 4.3.12 and 4.3.16.)

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::UploadError;

const END_BYTES: usize = 22;
const MEMBER_BYTES: usize = 46;
const COMMENT_BYTES_MAX: u64 = 65_535;
const LIST_BYTES_MAX: u64 = 1_048_576;
const MEMBERS_MAX: usize = 1_000;
const RATIO_MAX: u64 = 100;
/// Below this, how well a member packs says nothing.
const RATIO_BYTES: u64 = 10 * 1_048_576;
const WANTED: [&[u8]; 2] = [b"[Content_Types].xml", b"word/document.xml"];

/// Refuses an archive that is no docx, is damaged, or would unpack to too much.
///
/// # Errors
/// See [`UploadError`].
pub(super) fn check(path: &Path, unpacked_max: u64) -> Result<(), UploadError> {
    let list = read_list(path)?;
    let members = members(&list)?;
    if members.len() > MEMBERS_MAX {
        return Err(too_much(format!("the archive has more than {MEMBERS_MAX} members")));
    }
    let unpacked = members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.unpacked));
    let packed = members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.packed));
    if unpacked > unpacked_max {
        return Err(too_much(format!(
            "the archive would unpack to {unpacked} bytes; {unpacked_max} at most"
        )));
    }
    if unpacked > RATIO_BYTES && unpacked / packed.max(1) > RATIO_MAX {
        return Err(too_much(format!("the archive would unpack to more than {RATIO_MAX} times its size")));
    }
    if members.iter().any(|member| member.encrypted) {
        return Err(UploadError::Unprocessable("the document is protected by a password".to_owned()));
    }
    if WANTED.iter().all(|wanted| members.iter().any(|member| member.name == *wanted)) {
        return Ok(());
    }
    Err(UploadError::NotAccepted("the archive is no text document (docx)".to_owned()))
}

fn too_much(reason: String) -> UploadError {
    UploadError::UnpacksToTooMuch(reason)
}

fn damaged() -> UploadError {
    UploadError::Unprocessable("the document is damaged or incomplete".to_owned())
}

#[derive(Debug)]
struct Member<'a> {
    name: &'a [u8],
    packed: u64,
    unpacked: u64,
    encrypted: bool,
}

/// The central directory's bytes.
fn read_list(path: &Path) -> Result<Vec<u8>, UploadError> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let tail_bytes = size.min(COMMENT_BYTES_MAX + END_BYTES as u64);
    let tail = read_at(&mut file, size - tail_bytes, tail_bytes)?;
    let at = tail.windows(4).rposition(|bytes| bytes == b"PK\x05\x06").ok_or_else(damaged)?;
    let end = tail.get(at..at.saturating_add(END_BYTES)).ok_or_else(damaged)?;
    let (bytes, start) = (u64::from(u32_at(end, 12)?), u64::from(u32_at(end, 16)?));
    if bytes > LIST_BYTES_MAX {
        return Err(too_much("the archive's list of members is too long".to_owned()));
    }
    if start.saturating_add(bytes) > size {
        return Err(damaged());
    }
    read_at(&mut file, start, bytes)
}

fn read_at(file: &mut File, start: u64, bytes: u64) -> Result<Vec<u8>, UploadError> {
    file.seek(SeekFrom::Start(start))?;
    let mut read = vec![0; usize::try_from(bytes).map_err(|_| damaged())?];
    file.read_exact(&mut read)?;
    Ok(read)
}

fn members(list: &[u8]) -> Result<Vec<Member<'_>>, UploadError> {
    let (mut found, mut rest) = (Vec::new(), list);
    while !rest.is_empty() && found.len() <= MEMBERS_MAX {
        if !rest.starts_with(b"PK\x01\x02") {
            return Err(damaged());
        }
        let name_bytes = usize::from(u16_at(rest, 28)?);
        let more = usize::from(u16_at(rest, 30)?) + usize::from(u16_at(rest, 32)?);
        found.push(Member {
            name: rest.get(MEMBER_BYTES..MEMBER_BYTES + name_bytes).ok_or_else(damaged)?,
            packed: u64::from(u32_at(rest, 20)?),
            unpacked: u64::from(u32_at(rest, 24)?),
            encrypted: u16_at(rest, 8)? & 1 == 1,
        });
        rest = rest.get(MEMBER_BYTES + name_bytes + more..).ok_or_else(damaged)?;
    }
    Ok(found)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, UploadError> {
    let two = bytes.get(at..at + 2).and_then(|two| two.try_into().ok());
    two.map(u16::from_le_bytes).ok_or_else(damaged)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, UploadError> {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map(u32::from_le_bytes).ok_or_else(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tidegate_types::ErrorCode;

    /// An archive with only a list of members: name, packed, unpacked.
    fn archive(members: &[(&str, u32, u32)]) -> Vec<u8> {
        let mut list = Vec::new();
        for (name, packed, unpacked) in members {
            list.extend(b"PK\x01\x02");
            list.extend([0; 16]);
            list.extend(packed.to_le_bytes());
            list.extend(unpacked.to_le_bytes());
            list.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
            list.extend([0; 16]);
            list.extend(name.as_bytes());
        }
        let mut whole = list.clone();
        whole.extend(b"PK\x05\x06\0\0\0\0\0\0\0\0");
        whole.extend(u32::try_from(list.len()).unwrap().to_le_bytes());
        whole.extend(0_u32.to_le_bytes());
        whole.extend([0, 0]);
        whole
    }

    fn checked(bytes: &[u8]) -> Option<ErrorCode> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        check(file.path(), 250 << 20).err().map(|error| error.code())
    }

    const DOCX: [(&str, u32, u32); 2] =
        [("[Content_Types].xml", 300, 1_000), ("word/document.xml", 900, 9_000)];

    #[test]
    fn an_ordinary_docx_passes() {
        assert_eq!(checked(&archive(&DOCX)), None);
    }

    #[test]
    fn bombs_that_admit_it_are_too_large() {
        let bomb = |packed, unpacked| archive(&[DOCX[0], DOCX[1], ("word/media/a", packed, unpacked)]);
        assert_eq!(checked(&bomb(1_000_000, 1_500_000_000)), Some(ErrorCode::BodyTooLarge));
        assert_eq!(checked(&bomb(20_000, 200_000_000)), Some(ErrorCode::BodyTooLarge));
        let many: Vec<_> = (0..1_001).map(|_| ("x", 1, 1)).collect();
        assert_eq!(checked(&archive(&many)), Some(ErrorCode::BodyTooLarge));
    }

    #[test]
    fn other_archives_and_damaged_ones_are_refused() {
        assert_eq!(checked(&archive(&[("a.txt", 1, 1)])), Some(ErrorCode::UnsupportedMediaType));
        let whole = archive(&DOCX);
        assert_eq!(checked(&whole[..whole.len() / 2]), Some(ErrorCode::DocumentUnprocessable));
        assert_eq!(checked(b"PK\x03\x04"), Some(ErrorCode::DocumentUnprocessable));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall_over(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut framed = bytes.clone();
            framed.extend(b"PK\x05\x06");
            framed.extend(&bytes);
            let _ = (checked(&bytes), checked(&framed));
        }
    }
}
