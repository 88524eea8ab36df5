//! A tap as JSON Lines: an object for each thing that happened, as docs/tap.md describes them.

use std::{
    io::{self, BufWriter, Write},
    net::SocketAddr,
    time::Duration,
};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{Cut, News, Sum, tape::Entry};

/// The file.
pub(super) struct Record {
    out: BufWriter<Box<dyn Write>>,
    failed: Option<io::Error>,
}

impl Record {
    /// Begins with a line about the tap itself; `started` is when it began, since 1970.
    pub fn new(out: Box<dyn Write>, at: SocketAddr, target: &str, started: Duration) -> Record {
        let mut record = Record { out: BufWriter::with_capacity(256 << 10, out), failed: None };
        record.write(&json!({
            "at": 0, "event": "tap", "format": 1, "sockwalk": env!("CARGO_PKG_VERSION"),
            "listen": at.to_string(), "target": target,
            "started": u64::try_from(started.as_nanos()).unwrap_or(u64::MAX),
        }));
        record.flush();
        record
    }

    /// Writes what happened.
    pub fn take(&mut self, (number, at, news): &Entry) {
        let mut line = match news {
            News::Accepted { client, local, .. } => {
                json!({"event": "accepted", "client": client.to_string(), "local": local.map(|it| it.to_string())})
            }
            News::Connected { target, local, time } => json!({
                "event": "connected", "target": target.to_string(), "local": local.map(|it| it.to_string()),
                "took": micros(*time),
            }),
            News::NotConnected { target, errno, words, time } => json!({
                "event": "not_connected", "target": target.to_string(), "errno": errno, "words": words, "took": micros(*time),
            }),
            News::Read { from, number, offset, length, bytes } => json!({
                "event": "read", "from": from.name(), "read": number + 1, "offset": offset, "length": length,
                "bytes": HEXLOWER.encode(bytes),
            }),
            News::Waited { from, time } => {
                json!({"event": "waited", "from": from.name(), "took": micros(*time)})
            }
            News::Ended { from } => json!({"event": "ended", "from": from.name()}),
            News::Gone { cut, sums: [client, server] } => {
                let (how, by, errno) = match cut {
                    None => ("closed", None, None),
                    Some(Cut::Reset(end, errno)) => ("reset", Some(end.name()), Some(errno)),
                    Some(Cut::Stopped) => ("stopped", None, None),
                };
                json!({"event": "gone", "how": how, "by": by, "errno": errno, "client": sum(client), "server": sum(server)})
            }
        };
        line["at"] = micros(*at);
        line["connection"] = json!(format!("t{number}"));
        self.write(&line);
    }

    /// The last line: how many connections were not written at all.
    pub fn finish(&mut self, untold: u64) {
        self.write(&json!({"event": "end", "untold": untold}));
        self.flush();
    }

    /// What is written is in the file.
    pub fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.flush().err();
        }
    }

    /// What has gone wrong with the file.
    pub fn failed(&self) -> Option<io::Error> {
        self.failed.as_ref().map(|error| io::Error::new(error.kind(), error.to_string()))
    }

    fn write(&mut self, line: &Value) {
        if self.failed.is_none() {
            self.failed = writeln!(self.out, "{line}").err();
        }
    }
}

fn sum(it: &Sum) -> Value {
    json!({"reads": it.reads, "bytes": it.bytes})
}

/// Microseconds.
fn micros(it: Duration) -> Value {
    json!(u64::try_from(it.as_micros()).unwrap_or(u64::MAX))
}
