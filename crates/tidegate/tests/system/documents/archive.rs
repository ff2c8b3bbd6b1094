//! Archives, made by hand so that they can lie (APPNOTE.TXT).

use std::io::Write as _;

/// One member.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// What its headers say of its unpacked size, if not the truth.
    pub(super) said: Option<u32>,
    pub(super) flags: u16,
}

pub(super) fn member(name: &str, bytes: impl Into<Vec<u8>>) -> Member {
    Member { name: name.to_owned(), bytes: bytes.into(), said: None, flags: 0 }
}

/// An archive with these members, each deflated.
pub(super) fn archive(members: &[Member]) -> Vec<u8> {
    let (mut whole, mut list) = (Vec::new(), Vec::new());
    for member in members {
        let packed = deflated(&member.bytes);
        let offset = u32::try_from(whole.len()).unwrap();
        let mut head = Vec::new();
        head.extend(20_u16.to_le_bytes());
        head.extend(member.flags.to_le_bytes());
        head.extend(8_u16.to_le_bytes());
        head.extend([0, 0, 0x21, 0x5b]);
        head.extend(crc32fast::hash(&member.bytes).to_le_bytes());
        head.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        let size = member.said.unwrap_or_else(|| u32::try_from(member.bytes.len()).unwrap());
        head.extend(size.to_le_bytes());
        head.extend(u16::try_from(member.name.len()).unwrap().to_le_bytes());
        head.extend([0, 0]);
        whole.extend(b"PK\x03\x04");
        whole.extend(&head);
        whole.extend(member.name.as_bytes());
        whole.extend(&packed);
        list.extend(b"PK\x01\x02\x14\x00");
        list.extend(&head);
        list.extend([0; 10]);
        list.extend(offset.to_le_bytes());
        list.extend(member.name.as_bytes());
    }
    let start = u32::try_from(whole.len()).unwrap();
    whole.extend(&list);
    whole.extend(b"PK\x05\x06\0\0\0\0");
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    whole.extend(count);
    whole.extend(count);
    whole.extend(u32::try_from(list.len()).unwrap().to_le_bytes());
    whole.extend(start.to_le_bytes());
    whole.extend([0, 0]);
    whole
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Bytes as a PDF's `FlateDecode` wants them.
pub(super) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
