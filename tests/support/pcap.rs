//! Captures in the oldest format (pcap), as far as these tests need it.

/// The frames of a little-endian capture of Ethernet.
pub fn read(bytes: &[u8]) -> Vec<Vec<u8>> {
    assert_eq!(bytes[..4], [0xd4, 0xc3, 0xb2, 0xa1], "a little-endian pcap file");
    assert_eq!(bytes[20..24], [1, 0, 0, 0], "of Ethernet frames");
    let mut frames = Vec::new();
    let mut rest = &bytes[24..];
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        frames.push(rest[16..16 + length].to_vec());
        rest = &rest[16 + length..];
    }
    frames
}

/// A capture of these frames, a second apart.
pub fn write(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for (second, frame) in (0u32..).zip(frames) {
        let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
        bytes.extend([second.to_le_bytes(), [0; 4], length, length].concat());
        bytes.extend(frame);
    }
    bytes
}
