//! The client's side of an HTTP connection: sends a request and reads its response, whole or piece by piece.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::HTTP;
use crate::{
    transport::{
        connection::{Connection, Fault, ReadHalf, ReadOutcome},
        events::{Happened, Way},
    },
    wire::{
        http::{
            ContentReader, HeadReader, Progress, ResponseHead, encode_request, parse_response,
            response_framing,
        },
        text,
    },
};

/// A connection that sends requests, one at a time.
#[derive(Debug)]
pub struct Asking {
    connection: Arc<Connection>,
    incoming: ReadHalf,
    authority: String,
    /// Largest content of a response that is read as a whole, in bytes. A larger one fails.
    most: u64,
    state: State,
}

/// The state of the exchange.
#[derive(Debug)]
enum State {
    /// No request is under way.
    Free,
    /// The request with this method was sent; the reader holds the received part of the response's head.
    Asked(String, HeadReader),
    /// The head was received; the buffer holds the content that was kept so far.
    Content(ResponseHead, ContentReader, Vec<u8>),
    /// The response was the last on this connection.
    Closed,
}

/// A piece of a response that is read as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Content.
    Bytes(Vec<u8>),
    /// The content is complete.
    End,
    /// Nothing arrived in time.
    Late,
}

impl Asking {
    /// Wraps a connection. `authority` is the host and port of the `Host` header field.
    pub fn new(connection: Arc<Connection>, authority: &str, most: u64) -> Asking {
        let incoming = connection.read_half();
        Asking { connection, incoming, authority: authority.to_owned(), most, state: State::Free }
    }

    /// Returns the connection.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Returns whether another request may be sent.
    pub fn is_free(&self) -> bool {
        matches!(self.state, State::Free)
    }

    /// Returns the reading half, for a protocol that follows HTTP.
    pub fn into_read_half(self) -> ReadHalf {
        self.incoming
    }

    /// Sends a request. `content` is the content with its type, if the request has any.
    ///
    /// # Errors
    /// Fails if the request can't be sent, or if another is under way.
    pub fn ask(
        &mut self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        content: Option<(&str, &[u8])>,
    ) -> Result<(), Fault> {
        if !self.is_free() {
            return Err(Fault::Asked("a request is under way on this connection, or it is over".to_owned()));
        }
        let length = content.map_or(0, |(_, bytes)| bytes.len()).to_string();
        let mut all = vec![("Host", self.authority.as_str())];
        all.extend_from_slice(fields);
        if let Some((kind, _)) = content {
            all.extend([("Content-Type", kind), ("Content-Length", &length)]);
        }
        let mut bytes = encode_request(method, target, &all);
        bytes.extend_from_slice(content.map_or(&[], |(_, bytes)| bytes));
        self.connection.send(&bytes)?;
        let what = format!("request {method} {}", text::shown(target.as_bytes(), 100));
        self.connection.tell(HTTP, Happened::unit(Way::Sent, what, &bytes));
        self.state = State::Asked(method.to_owned(), HeadReader::new());
        Ok(())
    }

    /// Waits up to `until` for the head of the response. Returns `None` if it has not arrived by then; it may
    /// arrive later.
    ///
    /// # Errors
    /// Fails if the received bytes are no response, or if the stream ends first.
    pub fn head(&mut self, until: Instant) -> Result<Option<&ResponseHead>, Fault> {
        while matches!(self.state, State::Asked(..)) {
            if !self.look_for_head()? {
                match self.incoming.read_more(Some(until))? {
                    ReadOutcome::Bytes => {}
                    ReadOutcome::TimedOut => return Ok(None),
                    ReadOutcome::End => {
                        self.state = State::Closed;
                        return Err(Fault::CutOff("before the response was whole".to_owned()));
                    }
                }
            }
        }
        match &self.state {
            State::Content(head, ..) => Ok(Some(head)),
            _ => Err(Fault::Asked("nothing was asked for on this connection".to_owned())),
        }
    }

    /// Returns whether a final head is complete. False: more bytes are needed.
    fn look_for_head(&mut self) -> Result<bool, Fault> {
        let bytes = self.incoming.take_all();
        let State::Asked(method, reader) = &mut self.state else { return Ok(true) };
        match reader.push(&bytes) {
            Progress::Incomplete => return Ok(false),
            Progress::Complete { .. } => {}
            Progress::TooLarge(_) => {
                self.state = State::Closed;
                return Err(Fault::Limit("the head of the response is too large".to_owned()));
            }
            Progress::NotHttp { at } => {
                let had = reader.bytes().to_vec();
                self.state = State::Closed;
                return Err(Fault::broken(format!("response, byte {at}"), "HTTP", &had, "RFC 9112 §4"));
            }
        }
        let (method, reader) = (method.clone(), std::mem::take(reader));
        let (head_bytes, tail) = reader.into_parts();
        self.incoming.put_back(tail);
        let head = parse_response(&head_bytes);
        let head = head.map_err(|error| {
            self.state = State::Closed;
            Fault::from(error)
        })?;
        let what = format!("response {} {}", head.status, text::shown(&head.reason, 60));
        self.connection.tell(HTTP, Happened::unit(Way::Received, what, &head_bytes));
        // Interim responses (1xx) are skipped (RFC 9110 §15.2). 101 is a final answer, and the last one on
        // this connection.
        if (100..200).contains(&head.status) && head.status != 101 {
            self.state = State::Asked(method, HeadReader::new());
            return self.look_for_head();
        }
        let framing = response_framing(&head, &method).map_err(|error| {
            self.state = State::Closed;
            Fault::from(error)
        })?;
        self.state = State::Content(head, ContentReader::new(framing), Vec::new());
        Ok(true)
    }

    /// Waits up to `until` for the next piece of the content, for a streamed response. After [`Piece::End`]
    /// the connection is free for the next request.
    ///
    /// # Errors
    /// Fails if the stream ends before the content does.
    pub fn piece(&mut self, until: Instant) -> Result<Piece, Fault> {
        if self.head(until)?.is_none() {
            return Ok(Piece::Late);
        }
        loop {
            let State::Content(_, reader, _) = &mut self.state else { return Ok(Piece::End) };
            let mut rest = self.incoming.unread();
            let all = rest.len();
            let mut bytes = Vec::new();
            let outcome = loop {
                match reader.next(&mut rest) {
                    Ok(Some(piece)) => bytes.extend_from_slice(piece),
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
            let (taken, whole) = (all - rest.len(), reader.is_whole());
            let may_end = reader.may_end_here();
            self.incoming.take(taken);
            if let Err(error) = outcome {
                self.state = State::Closed;
                return Err(error.into());
            }
            if !bytes.is_empty() {
                return Ok(Piece::Bytes(bytes));
            }
            if whole {
                self.finish();
                return Ok(Piece::End);
            }
            match self.incoming.read_more(Some(until))? {
                ReadOutcome::Bytes => {}
                ReadOutcome::TimedOut => return Ok(Piece::Late),
                ReadOutcome::End => {
                    self.state = State::Closed;
                    if may_end {
                        return Ok(Piece::End);
                    }
                    return Err(Fault::CutOff("in the content of a response".to_owned()));
                }
            }
        }
    }

    /// Waits up to `until` for the whole response. Returns `None` if it has not arrived by then; it may
    /// arrive later.
    ///
    /// # Errors
    /// Fails as [`Asking::piece`] does, or if the content is larger than the limit.
    pub fn whole(&mut self, until: Instant) -> Result<Option<(ResponseHead, Vec<u8>)>, Fault> {
        loop {
            let Some(head) = self.head(until)?.cloned() else { return Ok(None) };
            // The content so far is moved out, because the next piece may end this state.
            let kept = match &mut self.state {
                State::Content(_, _, kept) => std::mem::take(kept),
                _ => Vec::new(),
            };
            let (mut content, piece) = (kept, self.piece(until)?);
            match piece {
                Piece::End => return Ok(Some((head, content))),
                Piece::Bytes(bytes) => content.extend_from_slice(&bytes),
                Piece::Late => {
                    self.keep(content);
                    return Ok(None);
                }
            }
            if content.len() as u64 > self.most {
                self.state = State::Closed;
                return Err(Fault::Limit(format!(
                    "a response with more than {} bytes of content",
                    self.most
                )));
            }
            self.keep(content);
        }
    }

    /// Waits up to `time` for the whole response.
    ///
    /// # Errors
    /// Fails as [`Asking::whole`] does, or with [`Fault::Late`] when the time is over.
    pub fn whole_within(&mut self, time: Duration) -> Result<(ResponseHead, Vec<u8>), Fault> {
        let whole = self.whole(Instant::now() + time)?;
        whole.ok_or_else(|| Fault::Late(format!("no whole response came within {} ms", time.as_millis())))
    }

    fn keep(&mut self, content: Vec<u8>) {
        if let State::Content(_, _, kept) = &mut self.state {
            *kept = content;
        }
    }

    /// Ends the exchange. The connection can be used again, unless a header field forbids it.
    fn finish(&mut self) {
        let State::Content(head, ..) = &self.state else { return };
        let old = (head.version.major, head.version.minor) < (1, 1);
        let closes = head.headers.has_token("Connection", "close")
            || (old && !head.headers.has_token("Connection", "keep-alive"));
        self.state = if closes || head.status == 101 { State::Closed } else { State::Free };
    }

    /// Waits until `until`, with no request under way. Returns false if the server closes the connection
    /// meanwhile, as it may (RFC 9112 §9.3).
    pub fn rest(&mut self, until: Instant) -> bool {
        while self.is_free() {
            match self.incoming.read_more(Some(until)) {
                Ok(ReadOutcome::TimedOut) => return true,
                // Bytes without a request answer nothing.
                Ok(ReadOutcome::Bytes | ReadOutcome::End) | Err(_) => self.state = State::Closed,
            }
        }
        false
    }

    /// Returns whether no more requests can be sent on this connection.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Closed)
    }
}
