//! Stream events that own what they refer to, made from those that borrow.

use std::borrow::Cow;

use super::{
    Body, Frame, Head, HeadLine, Layer, LayerFields, Message, StreamEvent, StreamWhat, Stretch, Violation,
};

impl StreamEvent<'_> {
    /// The same, borrowing nothing.
    pub fn to_static(&self) -> StreamEvent<'static> {
        let StreamEvent { stream, packet, time, ref what } = *self;
        StreamEvent { stream, packet, time, what: what.to_static() }
    }
}

impl StreamWhat<'_> {
    /// The same, borrowing nothing.
    fn to_static(&self) -> StreamWhat<'static> {
        match self {
            StreamWhat::Packet(it) => StreamWhat::Packet(*it),
            StreamWhat::Opened(it) => StreamWhat::Opened(*it),
            StreamWhat::Bytes(it) => StreamWhat::Bytes(it.to_static()),
            StreamWhat::Head(it) => StreamWhat::Head(it.to_static()),
            StreamWhat::Body(it) => StreamWhat::Body(Body { shown: it.shown.to_static(), ..*it }),
            StreamWhat::Upgraded(it) => StreamWhat::Upgraded(*it),
            StreamWhat::Frame(it) => StreamWhat::Frame(Frame { payload: it.payload.to_static(), ..*it }),
            StreamWhat::Message(it) => {
                StreamWhat::Message(Message { payload: it.payload.to_static(), ..*it })
            }
            StreamWhat::Layer(it) => StreamWhat::Layer(it.to_static()),
            StreamWhat::Violation(it) => StreamWhat::Violation(Violation {
                words: owned(&it.words),
                section: owned(&it.section),
                ..*it
            }),
            StreamWhat::Data(it) => StreamWhat::Data(it.to_static()),
            StreamWhat::Missing(it) => StreamWhat::Missing(*it),
            StreamWhat::Differs(it) => StreamWhat::Differs(*it),
            StreamWhat::Unfinished(it) => StreamWhat::Unfinished(*it),
            StreamWhat::Ended(it) => StreamWhat::Ended(*it),
        }
    }
}

impl Stretch<'_> {
    fn to_static(&self) -> Stretch<'static> {
        Stretch { bytes: self.bytes.to_static(), ..*self }
    }
}

impl Head<'_> {
    fn to_static(&self) -> Head<'static> {
        let line = match &self.line {
            HeadLine::Request { method, target } => {
                HeadLine::Request { method: owned(method), target: owned(target) }
            }
            HeadLine::Response { status } => HeadLine::Response { status: *status },
            HeadLine::Broken { error } => HeadLine::Broken { error: owned(error) },
        };
        Head { line, bytes: self.bytes.to_static(), ..*self }
    }
}

impl Layer<'_> {
    fn to_static(&self) -> Layer<'static> {
        Layer {
            kind: owned(&self.kind),
            words: owned(&self.words),
            bytes: self.bytes.to_static(),
            fields: LayerFields::Rows(self.fields.rows()),
            ..*self
        }
    }
}

fn owned(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}
