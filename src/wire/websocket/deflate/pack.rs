//! Compresses messages for permessage-deflate (RFC 7692 §7.2.1).

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};

/// The compression level: zlib's default.
const LEVEL: i32 = 6;
/// DEFLATE without the head and the tail of zlib, with a window of 2^15 bytes.
const RAW: i32 = -15;
/// No strategy but the usual one.
const USUAL: i32 = 0;
/// The end of a sync flush, which the sender removes and the receiver appends.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Compresses the messages of one direction. Each may refer to those before it.
pub(crate) struct Deflater(Box<CompressorOxide>);

impl Default for Deflater {
    fn default() -> Self {
        Deflater(Box::new(CompressorOxide::new(create_comp_flags_from_zip_params(LEVEL, RAW, USUAL))))
    }
}

impl Deflater {
    /// Returns the payload of a message. An empty message is the byte 0 (§7.2.3.6).
    pub fn deflate(&mut self, message: &[u8]) -> Vec<u8> {
        let mut out = vec![0; message.len() + message.len() / 100 + 64];
        let (mut at, mut written) = (0, 0);
        loop {
            let (status, taken, made) =
                compress(&mut self.0, &message[at..], &mut out[written..], TDEFLFlush::Sync);
            at += taken;
            written += made;
            match status {
                TDEFLStatus::Okay if at == message.len() && written < out.len() => break,
                TDEFLStatus::Okay => out.resize(2 * out.len(), 0),
                // Other results cannot occur: the parameters are valid, and the stream is never finished.
                _ => break,
            }
        }
        out.truncate(written);
        if out.ends_with(&TAIL) {
            out.truncate(written - TAIL.len());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Direction, Inflater};
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_come_out() {
        let mut deflater = Deflater::default();
        // RFC 7692 §7.2.3.1 and §7.2.3.2.
        assert_eq!(deflater.deflate(b"Hello"), [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
        assert_eq!(deflater.deflate(b"Hello"), [0xf2, 0x00, 0x11, 0x00, 0x00]);
        assert_eq!(Deflater::default().deflate(b""), [0x00]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_compressed_can_be_inflated(messages in proptest::collection::vec(proptest::collection::vec(0..4_u8, 0..3000), 1..4)) {
            let (mut deflater, mut inflater, mut history) = (Deflater::default(), Inflater::new(), Vec::new());
            for message in messages {
                let payload = deflater.deflate(&message);
                let inflated = inflater.inflate(&payload, &mut history, Direction::default(), 1 << 20).unwrap();
                prop_assert_eq!(inflated.bytes, &message[..]);
            }
        }
    }
}
