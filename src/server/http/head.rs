//! The reading of a head: bytes until the empty line, within limits.

use super::Rejection;
use crate::wire::http::{HeadReader, Progress, TooLarge};

/// Where a head is read from.
pub trait ByteSource {
    /// The error of a read.
    type Error;

    /// Takes all bytes that were received and not used yet.
    fn take(&mut self) -> Vec<u8>;

    /// Puts bytes that were taken too early back in front of all others.
    fn put_back(&mut self, bytes: Vec<u8>);

    /// Receives more bytes, within the time limit of the source. `begun`: the first byte of the head is
    /// there.
    ///
    /// # Errors
    /// If the read fails.
    fn receive(&mut self, begun: bool) -> Result<Received, Self::Error>;
}

/// The outcome of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// There are more bytes.
    Bytes,
    /// The stream has ended.
    End,
    /// Nothing was received in time.
    TimedOut,
}

/// How the reading of a head ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// The whole head with its empty line. Bytes behind it were put back: they belong to the next message or
    /// protocol.
    Complete(Vec<u8>),
    /// It passed a limit.
    TooLarge(TooLarge),
    /// The bytes so far are not HTTP.
    NotHttp {
        /// The bytes.
        bytes: Vec<u8>,
        /// The offset of the byte that can't be.
        at: usize,
    },
    /// The stream ended after this number of bytes.
    CutOff(usize),
    /// The time was over after this number of bytes, which were put back.
    TimedOut(usize),
}

impl Head {
    /// The bytes of a complete head.
    ///
    /// # Errors
    /// The rejection of a request whose head is not complete.
    pub fn complete(self) -> Result<Vec<u8>, Rejection> {
        match self {
            Head::Complete(bytes) => Ok(bytes),
            Head::TooLarge(limit) => Err(Rejection::too_large(limit)),
            Head::NotHttp { bytes, at } => Err(Rejection::not_http(&bytes, at)),
            Head::CutOff(count) => Err(Rejection::cut_off(count)),
            Head::TimedOut(count) => Err(Rejection::timed_out(count)),
        }
    }
}

/// Reads the next head.
///
/// # Errors
/// Those of the source.
pub fn read_head<S: ByteSource>(source: &mut S) -> Result<Head, S::Error> {
    let mut reader = HeadReader::new();
    loop {
        match reader.push(&source.take()) {
            Progress::Complete { .. } => {
                let (head, tail) = reader.into_parts();
                source.put_back(tail);
                return Ok(Head::Complete(head));
            }
            Progress::TooLarge(limit) => return Ok(Head::TooLarge(limit)),
            Progress::NotHttp { at } => return Ok(Head::NotHttp { bytes: reader.into_parts().0, at }),
            Progress::Incomplete => {}
        }
        let count = reader.bytes().len();
        match source.receive(count > 0)? {
            Received::Bytes => {}
            Received::End => return Ok(Head::CutOff(count)),
            Received::TimedOut => {
                source.put_back(reader.into_parts().0);
                return Ok(Head::TimedOut(count));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces that are received one after the other; then the stream ends, or the time is over.
    struct Pieces(Vec<u8>, Vec<&'static [u8]>, Received);

    impl ByteSource for Pieces {
        type Error = ();

        fn take(&mut self) -> Vec<u8> {
            std::mem::take(&mut self.0)
        }

        fn put_back(&mut self, bytes: Vec<u8>) {
            self.0.splice(0..0, bytes);
        }

        fn receive(&mut self, _begun: bool) -> Result<Received, ()> {
            if self.1.is_empty() {
                return Ok(self.2);
            }
            self.0.extend_from_slice(self.1.remove(0));
            Ok(Received::Bytes)
        }
    }

    fn read(pieces: &[&'static [u8]], last: Received) -> (Head, Vec<u8>) {
        let mut source = Pieces(Vec::new(), pieces.to_vec(), last);
        let head = read_head(&mut source).unwrap();
        (head, source.0)
    }

    #[test]
    fn a_head_is_read_to_its_empty_line_and_no_further() {
        let (head, rest) = read(&[b"GET / HTTP/1.1\r\nHost", b": a\r\n\r\nGET /b"], Received::End);
        assert_eq!(head, Head::Complete(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()));
        assert_eq!(rest, b"GET /b");
    }

    #[test]
    fn a_head_that_is_not_complete_is_rejected_with_the_status_that_fits() {
        let status = |head: Head| head.complete().unwrap_err().status;
        let (cut, _) = read(&[b"GET / HTTP/1.1\r\n"], Received::End);
        assert_eq!((cut.clone(), status(cut)), (Head::CutOff(16), 400));
        let (late, rest) = read(&[b"GET / HTTP/1.1\r\n"], Received::TimedOut);
        assert_eq!((late.clone(), status(late)), (Head::TimedOut(16), 408));
        assert_eq!(rest, b"GET / HTTP/1.1\r\n", "a second attempt goes on with what is there");
        let (other, _) = read(&[b"\x16\x03\x01\x00\xa5"], Received::End);
        let rejection = other.complete().unwrap_err();
        assert!(rejection.status == 400 && rejection.found.contains("TLS record"), "{rejection}");
        assert_eq!(status(Head::TooLarge(TooLarge::StartLine)), 414);
        assert_eq!(status(Head::TooLarge(TooLarge::Lines)), 431);
    }
}
