//! The client of an event stream, as a browser's EventSource, but by hand; and POSTs for what it says.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use super::EVENT_STREAM;
use crate::{
    transport::{
        api::{Client, ClientConfig, CloseMode, Heard},
        connection::{Connection, Fault},
        events::{Happened, Way},
        http::{Asking, Piece, Posting, good, with_query},
        message::Message,
        poll::{NEWS, client_name},
    },
    wire::{
        event_stream::{CONTENT_TYPE, Item, MESSAGE, Reader},
        text,
    },
};

struct Events {
    calling: ClientConfig,
    path: String,
    say_path: String,
    posting: Posting,
    asking: Asking,
    reader: Reader,
    came: VecDeque<Heard>,
    /// How long the server wants to be waited for after a cut.
    retry: Option<Duration>,
}

/// Connects, and asks for the stream.
pub(super) fn connect(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    let client = client_name(&calling)?;
    let path = with_query(&calling.path, "client", &client);
    let say_path = with_query(calling.option("post", NEWS), "client", &client);
    let reader = Reader::new(limit(&calling));
    let asking = ask(&calling, &path, "")?;
    let posting = Posting::new(&calling);
    Ok(Box::new(Events {
        calling,
        path,
        say_path,
        posting,
        asking,
        reader,
        came: VecDeque::new(),
        retry: None,
    }))
}

fn limit(calling: &ClientConfig) -> usize {
    usize::try_from(calling.message).unwrap_or(usize::MAX)
}

/// Asks for the stream, and waits for the head of the response (§9.2.3).
fn ask(calling: &ClientConfig, path: &str, last: &str) -> Result<Asking, Fault> {
    let mut asking = Asking::new(calling.connect()?, &calling.authority, calling.message);
    let mut fields = vec![("Accept", CONTENT_TYPE), ("Cache-Control", "no-store")];
    if !last.is_empty() {
        fields.push(("Last-Event-ID", last));
    }
    asking.ask("GET", path, &fields, None)?;
    let until = Instant::now() + calling.within;
    let Some(head) = asking.head(until)?.cloned() else {
        return Err(Fault::Late("the stream did not begin in time".to_owned()));
    };
    if head.status == 204 {
        return Err(Fault::Refused("204 No Content: the server wants no more calls (§9.2.3)".to_owned()));
    }
    good(&head, b"")?;
    let kind = head.headers.all("Content-Type").next().map(|line| line.value.clone()).unwrap_or_default();
    let named = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if head.status != 200 || !named.eq_ignore_ascii_case(CONTENT_TYPE.as_bytes()) {
        return Err(Fault::broken("Content-Type", CONTENT_TYPE, &kind, "WHATWG HTML §9.2.3"));
    }
    asking.connection().tell(EVENT_STREAM, Happened::Opened("the response is a stream of events".to_owned()));
    Ok(asking)
}

impl Events {
    fn connection(&self) -> &Arc<Connection> {
        self.asking.connection()
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Event(event) => {
                let kind = text::shown(event.kind.as_bytes(), 40);
                let id = text::shown(event.id.as_bytes(), 40);
                let what = if event.kind == MESSAGE { "event".to_owned() } else { format!("event {kind}") };
                let what = if id.is_empty() { what } else { format!("{what}, id {id}") };
                self.connection()
                    .tell(EVENT_STREAM, Happened::unit(Way::Received, what, event.data.as_bytes()));
                self.came.push_back(Heard::Message(Message::Text(event.data)));
            }
            Item::Comment(words) => {
                let words = format!("comment \"{}\"", text::shown(words.as_bytes(), 60));
                self.connection().tell(EVENT_STREAM, Happened::beat(Way::Received, words));
                self.came.push_back(Heard::Other);
            }
            Item::Retry(ms) => {
                self.retry = Some(Duration::from_millis(ms));
                let words = format!("retry: after a cut it wants to be called again in {ms} ms");
                self.connection().tell(EVENT_STREAM, Happened::Note(words));
            }
            Item::Nothing => {}
        }
    }
}

impl Client for Events {
    fn say(&mut self, message: &Message, ack: bool) -> Result<(), Fault> {
        let (head, _) = self.posting.post(&self.say_path, message)?;
        if ack {
            self.came.push_back(Heard::Acknowledged(format!("the response {} to its POST", head.status)));
        }
        Ok(())
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        loop {
            if let Some(came) = self.came.pop_front() {
                return Ok(came);
            }
            match self.asking.piece(until)? {
                Piece::Bytes(bytes) => {
                    let items = self.reader.push(&bytes);
                    let items = items.map_err(|error| Fault::Limit(error.to_string()))?;
                    items.into_iter().for_each(|item| self.take(item));
                }
                Piece::Late => return Ok(Heard::Nothing),
                // A browser calls again also when the response came to its end (§9.2.3).
                Piece::End => {
                    return Ok(Heard::Closed {
                        orderly: false,
                        why: "the response came to its end".to_owned(),
                    });
                }
            }
        }
    }

    fn end(&mut self, how: CloseMode) -> Result<(), Fault> {
        self.posting.end(how);
        match how {
            CloseMode::Abrupt => self.connection().will_be_reset(),
            // A response can't be stopped otherwise than by the end of the connection.
            CloseMode::Orderly => self.connection().cut(),
        }
        Ok(())
    }

    fn again(&mut self) -> Result<(), Fault> {
        let last = self.reader.last_event_id().to_owned();
        // The old connection is of no use, whatever is left of it.
        self.connection().cut();
        self.asking = ask(&self.calling, &self.path, &last)?;
        self.reader = Reader::resuming(limit(&self.calling), &last);
        self.posting = Posting::new(&self.calling);
        Ok(())
    }

    fn pause(&self, attempt: u32) -> Duration {
        let usual = Duration::from_millis(200).saturating_mul(1 << attempt.saturating_sub(1).min(6));
        self.retry.unwrap_or(usual).min(Duration::from_secs(60))
    }
}
