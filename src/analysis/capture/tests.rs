//! Captures made by hand, in both formats and both byte orders.

use proptest::prelude::*;

use super::*;

/// A capture in the oldest format.
pub(crate) fn pcap(little: bool, nanoseconds: bool, link: u32, packets: &[(u32, &[u8], usize)]) -> Vec<u8> {
    let number = |n: u32| if little { n.to_le_bytes() } else { n.to_be_bytes() };
    let magic = if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
    let mut bytes = number(magic).to_vec();
    bytes.extend(if little { [2, 0, 4, 0] } else { [0, 2, 0, 4] });
    bytes.extend([number(0), number(0), number(65535), number(link)].concat());
    for (fraction, packet, original) in packets {
        let lengths = [packet.len(), *original].map(|n| number(u32::try_from(n).unwrap()));
        bytes.extend([number(7), number(*fraction), lengths[0], lengths[1]].concat());
        bytes.extend_from_slice(packet);
    }
    bytes
}

/// A block of pcapng.
pub(crate) fn block(little: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let number = |n: u32| if little { n.to_le_bytes() } else { n.to_be_bytes() };
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let total = number(u32::try_from(body.len() + 12).unwrap());
    [&number(kind), &total, body.as_slice(), &total].concat()
}

fn section(little: bool) -> Vec<u8> {
    let number = |n: u32| if little { n.to_le_bytes() } else { n.to_be_bytes() };
    let versions = if little { [1, 0, 0, 0] } else { [0, 1, 0, 0] };
    block(little, 0x0a0d_0d0a, &[&number(0x1a2b_3c4d)[..], &versions, &[0xff; 8]].concat())
}

fn interface(little: bool, link: u16, options: &[u8]) -> Vec<u8> {
    let link = if little { link.to_le_bytes() } else { link.to_be_bytes() };
    block(little, 1, &[&link[..], &[0; 6], options].concat())
}

fn enhanced(little: bool, interface: u32, time: u64, packet: &[u8]) -> Vec<u8> {
    let number = |n: u32| if little { n.to_le_bytes() } else { n.to_be_bytes() };
    let length = u32::try_from(packet.len()).unwrap();
    let [high, low] = [(time >> 32) as u32, (time & 0xffff_ffff) as u32];
    let fields = [interface, high, low, length, length + 3].map(number).concat();
    let mut body = [fields.as_slice(), packet].concat();
    body.resize(body.len().next_multiple_of(4), 0);
    block(little, 6, &[body.as_slice(), &[0; 4]].concat())
}

/// Number, time, link, original length and bytes of every packet, and how it ended.
type Told = (Vec<(u64, Option<u64>, u32, u64, Vec<u8>)>, Option<String>);

pub(crate) fn read(bytes: &[u8]) -> Told {
    let mut all = Vec::new();
    let mut capture = match Capture::open(bytes) {
        Ok(capture) => capture,
        Err(error) => return (all, Some(error.to_string())),
    };
    loop {
        match capture.next_packet() {
            Ok(Some(p)) => all.push((p.number, p.time, p.link.0, p.original, p.bytes.to_vec())),
            Ok(None) => return (all, None),
            Err(error) => return (all, Some(error.to_string())),
        }
    }
}

#[test]
fn pcap_is_read_in_both_orders_and_units() {
    for little in [true, false] {
        for (nanoseconds, time) in [(false, 7_000_005_000), (true, 7_000_000_005)] {
            let file = pcap(little, nanoseconds, 113, &[(5, b"abc", 9), (5, b"", 0)]);
            let (packets, end) = read(&file);
            assert_eq!(end, None);
            assert_eq!(packets[0], (1, Some(time), 113, 9, b"abc".to_vec()));
            assert_eq!(packets[1], (2, Some(time), 113, 0, Vec::new()));
        }
    }
}

#[test]
fn pcapng_is_read_with_its_sections_and_interfaces() {
    let mut file = Vec::new();
    for little in [true, false] {
        file.extend(section(little));
        file.extend(block(little, 0xbad, b"not known"));
        let code = if little { [9, 0, 1, 0] } else { [0, 9, 0, 1] };
        file.extend(interface(little, 1, &[]));
        file.extend(interface(little, 101, &[&code[..], &[9, 0, 0, 0], &[0; 4]].concat()));
        file.extend(enhanced(little, 0, 1_000_001, b"abcde"));
        file.extend(enhanced(little, 1, 1_000_001, b"f"));
        file.extend(enhanced(little, 2, 0, b"nobody's"));
        let length = if little { [2, 0, 0, 0] } else { [0, 0, 0, 2] };
        file.extend(block(little, 3, &[&length[..], b"gh"].concat()));
        let old = if little { [1, 0, 0, 0] } else { [0, 1, 0, 0] };
        file.extend(block(little, 2, &[&old[..], &[0; 8], &length, &length, b"ij"].concat()));
    }
    let (packets, end) = read(&file);
    assert_eq!(end, None);
    assert_eq!(packets.len(), 8);
    for (index, first) in [(0, 1), (4, 5)] {
        assert_eq!(packets[index], (first, Some(1_000_001_000), 1, 8, b"abcde".to_vec()));
        assert_eq!(packets[index + 1], (first + 1, Some(1_000_001), 101, 4, b"f".to_vec()));
        assert_eq!(packets[index + 2], (first + 2, None, 1, 2, b"gh".to_vec()));
        assert_eq!(packets[index + 3], (first + 3, Some(0), 101, 2, b"ij".to_vec()));
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    assert_eq!(
        read(b"").1.unwrap(),
        "no capture: needed the magic number of pcap or pcapng at byte 0, had an empty file"
    );
    assert!(read(b"hello").1.unwrap().ends_with("had 68 65 6c 6c"));
    let mut file = pcap(true, false, 1, &[(0, b"abc", 3)]);
    assert_eq!(read(&file[..file.len() - 1]).1.unwrap(), "byte 40: the file ends inside a packet");
    assert_eq!(read(&file[..30]).1.unwrap(), "byte 24: the file ends inside the header of a packet");
    file[35] = 0xff;
    assert!(read(&file).1.unwrap().starts_with("byte 32: captured length of a packet: needed at most"));
    let mut file = section(true);
    let end = file.len() - 4;
    file[end] ^= 4;
    assert!(read(&file).1.unwrap().starts_with("byte 24: total length at the end of a block"));
}

/// So many bytes, all the same, that nobody has in memory.
struct MadeUp(u64, u8);

impl Read for MadeUp {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = usize::try_from(self.0).unwrap_or(usize::MAX).min(buffer.len());
        buffer[..count].fill(self.1);
        self.0 -= count as u64;
        Ok(count)
    }
}

#[test]
fn four_gibibytes_of_garbage_are_refused_or_skimmed() {
    assert!(matches!(Capture::open(MadeUp(4 << 30, 0xa5)), Err(CaptureError::NotACapture(_))));
    let header = pcap(true, false, 1, &[]);
    let mut capture = Capture::open(header.chain(MadeUp(4 << 30, 0xff))).unwrap();
    assert!(matches!(capture.next_packet(), Err(CaptureError::Impossible { .. })));
    let blocks = [section(true), [0xad, 0x0b, 0, 0, 0xfc, 0xff, 0xff, 0xff].to_vec()].concat();
    let mut capture =
        Capture::open(blocks.chain(MadeUp(u64::from(u32::MAX) - 15, 0)).chain(&[0xfc, 0xff, 0xff, 0xff][..]))
            .unwrap();
    assert!(matches!(capture.next_packet(), Ok(None)), "a block of nearly 4 GiB is passed");
    assert!(capture.source.last(0).is_empty());
}

#[test]
fn ip_is_found_behind_every_link() {
    let ip = [0x45; 20];
    let cooked = [&[0; 14][..], &[0x08, 0x00], &ip].concat();
    let cooked_2 = [&[0x08, 0x00][..], &[0; 18], &ip].concat();
    let ethernet = [&[0; 12][..], &[0x81, 0, 0, 1, 0x08, 0x00], &ip].concat();
    let null = [&[2, 0, 0, 0][..], &ip].concat();
    for (link, packet, at) in [
        (Link::COOKED, &cooked, 16),
        (Link::COOKED_2, &cooked_2, 20),
        (Link::ETHERNET, &ethernet, 18),
        (Link::NULL, &null, 4),
        (Link::LOOP, &null, 4),
        (Link::RAW, &ip.to_vec(), 0),
        (Link(12), &ip.to_vec(), 0),
        (Link::IPV4, &ip.to_vec(), 0),
    ] {
        assert_eq!(link.network(packet), Ok(Network { ether_type: 0x0800, at }), "{link}");
        for length in 0..packet.len() {
            assert!(link.network(&packet[..length]).is_ok_and(|network| network.at <= length));
        }
    }
    let error = Link(105).network(&ip).unwrap_err().to_string();
    assert!(error.starts_with("IEEE 802.11 (link type 105) is not taken apart here"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_somehow(bytes: Vec<u8>, which in 0usize..3) {
        let start = [pcap(true, false, 1, &[]), section(true), section(false)][which].clone();
        let _ = read(&[start, bytes].concat());
    }
}
