//! The broker: a message goes to all subscriptions of a topic, or to one subscription of a queue. A queue
//! keeps its messages until a subscription takes them.
//!
//! All state is bounded: a client that does not acknowledge or does not read gets no more messages, and a
//! full queue refuses messages.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use crate::sync::lock;
use crate::{
    transport::outbox::Outbox,
    wire::stomp::{Frame, Version},
};

/// Most queues that may hold waiting messages. Beyond that a message is refused.
const QUEUES: usize = 256;

/// Most bytes in all queues together. Beyond that a message is refused.
const BYTES: usize = 8 << 20;

/// The acknowledgement mode of a subscription (SUBSCRIBE ack Header).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acknowledge {
    /// No acknowledgements.
    Auto,
    /// An ACK covers all messages before it.
    Client,
    /// Each message has its own ACK.
    Individual,
}

/// A message that was sent to a destination.
#[derive(Debug)]
pub(super) struct Sent {
    pub destination: String,
    /// The headers that are passed on to subscribers.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A requested subscription.
#[derive(Debug)]
pub(super) struct Wanted {
    pub session: u64,
    pub id: String,
    pub destination: String,
    pub acknowledge: Acknowledge,
    pub version: Version,
    pub outbox: Arc<Outbox<Vec<u8>>>,
}

/// All destinations.
#[derive(Debug)]
pub(super) struct Broker {
    inside: Mutex<Inside>,
    /// Most messages in a queue, and most unacknowledged messages of a subscription.
    most: usize,
}

#[derive(Debug, Default)]
struct Inside {
    sessions: u64,
    messages: u64,
    subscriptions: Vec<Subscription>,
    queues: BTreeMap<String, VecDeque<Arc<Sent>>>,
    bytes: usize,
}

#[derive(Debug)]
struct Subscription {
    wanted: Wanted,
    /// The unacknowledged messages, oldest first, each with its number.
    pending: VecDeque<(u64, Arc<Sent>)>,
    /// The turn at which it last got a message of a queue: the subscription that has waited longest is next.
    turn: u64,
}

/// Why a message is refused, or an acknowledgement matches nothing.
pub(super) type Refused = &'static str;

impl Broker {
    pub(super) fn new(most: usize) -> Broker {
        Broker { inside: Mutex::default(), most }
    }

    /// Returns a number for a new session.
    pub(super) fn enter(&self) -> u64 {
        let mut inside = self.lock();
        inside.sessions += 1;
        inside.sessions
    }

    pub(super) fn subscribe(&self, wanted: Wanted) -> Result<(), Refused> {
        let mut inside = self.lock();
        let own = inside.subscriptions.iter().filter(|other| other.wanted.session == wanted.session);
        let (mut count, mut same) = (0, false);
        for other in own {
            count += 1;
            same |= other.wanted.id == wanted.id;
        }
        if same {
            return Err("the id is in use on this connection");
        }
        if count >= self.most {
            return Err("too many subscriptions on this connection");
        }
        let destination = wanted.destination.clone();
        inside.subscriptions.push(Subscription { wanted, pending: VecDeque::new(), turn: 0 });
        inside.hand_out(&destination, self.most);
        Ok(())
    }

    pub(super) fn unsubscribe(&self, session: u64, id: &str) -> Result<(), Refused> {
        let left = self.lock().remove(|wanted| wanted.session == session && wanted.id == id, self.most);
        if left == 0 { Err("no subscription of this connection has this id") } else { Ok(()) }
    }

    /// Ends a session: its unacknowledged messages return to their queues.
    pub(super) fn leave(&self, session: u64) {
        self.lock().remove(|wanted| wanted.session == session, self.most);
    }

    /// Delivers a message to its subscriptions or its queue.
    pub(super) fn publish(&self, sent: Sent) -> Result<(), Refused> {
        let mut inside = self.lock();
        let sent = Arc::new(sent);
        if sent.destination.starts_with("/topic/") {
            for index in 0..inside.subscriptions.len() {
                if inside.subscriptions[index].wanted.destination == sent.destination {
                    if inside.subscriptions[index].pending.len() >= self.most {
                        // A subscription that requested acknowledgements and sends none is treated as too
                        // slow.
                        inside.subscriptions[index].wanted.outbox.close(crate::transport::outbox::Last::Full);
                        continue;
                    }
                    inside.deliver(index, &sent);
                }
            }
            return Ok(());
        }
        let queue = inside.queues.get(&sent.destination);
        if queue.is_none() && inside.queues.len() >= QUEUES {
            return Err("too many queues hold messages already");
        }
        if queue.is_some_and(|queue| queue.len() >= self.most) || inside.bytes + sent.body.len() > BYTES {
            return Err("the queue is full: nobody takes its messages");
        }
        inside.bytes += sent.body.len();
        let destination = sent.destination.clone();
        inside.queues.entry(destination.clone()).or_default().push_back(sent);
        inside.hand_out(&destination, self.most);
        Ok(())
    }

    /// Settles a message that the client has consumed, or has rejected, which drops the message. `meant`
    /// identifies the message.
    pub(super) fn settle(&self, session: u64, meant: &Meant) -> Result<(), Refused> {
        let mut inside = self.lock();
        let found = inside.subscriptions.iter_mut().find_map(|subscription| {
            if subscription.wanted.session != session || !meant.may_be_of(&subscription.wanted.id) {
                return None;
            }
            let at = subscription.pending.iter().position(|(number, _)| *number == meant.number)?;
            Some((subscription, at))
        });
        let Some((subscription, at)) = found else {
            return Err("no message of this connection waits for that");
        };
        match subscription.wanted.acknowledge {
            Acknowledge::Client => drop(subscription.pending.drain(..=at)),
            _ => drop(subscription.pending.remove(at)),
        }
        let destination = subscription.wanted.destination.clone();
        inside.hand_out(&destination, self.most);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        lock(&self.inside)
    }
}

/// The message that an ACK identifies. Version 1.2 repeats the header `ack`; earlier versions use
/// `message-id` and `subscription`. This broker uses one number for both.
#[derive(Debug)]
pub(super) struct Meant {
    pub number: u64,
    pub subscription: Option<String>,
}

impl Meant {
    fn may_be_of(&self, id: &str) -> bool {
        self.subscription.as_ref().is_none_or(|subscription| subscription == id)
    }
}

impl Inside {
    /// Delivers the waiting messages of a queue to the next subscriptions, as long as one can take them.
    fn hand_out(&mut self, destination: &str, most: usize) {
        while self.queues.get(destination).is_some_and(|queue| !queue.is_empty()) {
            let ready = |subscription: &Subscription| {
                subscription.wanted.destination == destination
                    && subscription.pending.len() < most
                    && subscription.wanted.outbox.over().is_none()
            };
            let all = self.subscriptions.iter().enumerate().filter(|(_, subscription)| ready(subscription));
            let Some((index, _)) = all.min_by_key(|(_, subscription)| subscription.turn) else { return };
            let Some(queue) = self.queues.get_mut(destination) else { return };
            let Some(sent) = queue.pop_front() else { return };
            if queue.is_empty() {
                self.queues.remove(destination);
            }
            self.bytes -= sent.body.len();
            self.deliver(index, &sent);
            self.subscriptions[index].turn = self.messages;
        }
    }

    fn deliver(&mut self, index: usize, sent: &Arc<Sent>) {
        self.messages += 1;
        let number = self.messages;
        let subscription = &mut self.subscriptions[index];
        let wanted = &subscription.wanted;
        let mut frame = Frame::new("MESSAGE")
            .with("subscription", &wanted.id)
            .with("message-id", &number.to_string())
            .with("destination", &sent.destination);
        if wanted.acknowledge != Acknowledge::Auto {
            if wanted.version >= Version::V12 {
                frame = frame.with("ack", &number.to_string());
            }
            subscription.pending.push_back((number, Arc::clone(sent)));
        }
        frame.headers.extend(sent.headers.iter().cloned());
        let octets = frame.with_body(sent.body.clone()).encode(wanted.version);
        wanted.outbox.put(octets);
    }

    /// Removes subscriptions and returns their number. Their unacknowledged messages of queues are delivered
    /// again, in order.
    fn remove(&mut self, gone: impl Fn(&Wanted) -> bool, most: usize) -> usize {
        let (gone, left): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.subscriptions).into_iter().partition(|one| gone(&one.wanted));
        self.subscriptions = left;
        for subscription in &gone {
            let destination = &subscription.wanted.destination;
            if destination.starts_with("/topic/") || subscription.pending.is_empty() {
                continue;
            }
            let queue = self.queues.entry(destination.clone()).or_default();
            for (_, sent) in subscription.pending.iter().rev() {
                self.bytes += sent.body.len();
                queue.push_front(Arc::clone(sent));
            }
            self.hand_out(destination, most);
        }
        gone.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::{
        transport::outbox::Next,
        wire::stomp::{FrameReader, Item},
    };

    fn sent(destination: &str, body: &str) -> Sent {
        let headers = vec![("n".to_owned(), "v".to_owned())];
        Sent { destination: destination.to_owned(), headers, body: body.into() }
    }

    /// A subscription with id 0 in a session of its own, and what comes for it.
    fn wants(broker: &Broker, destination: &str, acknowledge: Acknowledge) -> (u64, Arc<Outbox<Vec<u8>>>) {
        let (session, outbox) = (broker.enter(), Arc::new(Outbox::new(10)));
        let (id, destination) = ("0".to_owned(), destination.to_owned());
        let version = Version::V12;
        let outbox_of_it = Arc::clone(&outbox);
        broker
            .subscribe(Wanted { session, id, destination, acknowledge, version, outbox: outbox_of_it })
            .unwrap();
        (session, outbox)
    }

    fn bodies(outbox: &Outbox<Vec<u8>>) -> Vec<String> {
        let mut reader = FrameReader::default();
        let mut bodies = Vec::new();
        while let Next::Own(octets) = outbox.next(Instant::now()) {
            reader.push(&octets);
            let Ok(Some(Item::Frame { frame, .. })) = reader.take() else { panic!("no frame") };
            assert_eq!((frame.header("subscription"), frame.header("n")), (Some("0"), Some("v")));
            bodies.push(String::from_utf8(frame.body).unwrap());
        }
        bodies
    }

    fn meant(number: u64) -> Meant {
        Meant { number, subscription: None }
    }

    #[test]
    fn a_topic_is_for_all_who_are_here() {
        let broker = Broker::new(3);
        broker.publish(sent("/topic/a", "early")).unwrap();
        let (_, one) = wants(&broker, "/topic/a", Acknowledge::Auto);
        let (session, two) = wants(&broker, "/topic/a", Acknowledge::Auto);
        let (_, other) = wants(&broker, "/topic/b", Acknowledge::Auto);
        broker.publish(sent("/topic/a", "x")).unwrap();
        broker.unsubscribe(session, "0").unwrap();
        assert!(broker.unsubscribe(session, "0").is_err());
        broker.publish(sent("/topic/a", "y")).unwrap();
        assert_eq!((bodies(&one), bodies(&two)), (vec!["x".into(), "y".into()], vec!["x".to_owned()]));
        assert_eq!(bodies(&other), Vec::<String>::new());
    }

    #[test]
    fn a_queue_keeps_messages_and_gives_each_to_one() {
        let broker = Broker::new(3);
        broker.publish(sent("/queue/a", "0")).unwrap();
        let (_, one) = wants(&broker, "/queue/a", Acknowledge::Auto);
        let (_, two) = wants(&broker, "/queue/a", Acknowledge::Auto);
        for body in ["1", "2", "3"] {
            broker.publish(sent("/queue/a", body)).unwrap();
        }
        assert_eq!(
            (bodies(&one), bodies(&two)),
            (vec!["0".into(), "2".into()], vec!["1".into(), "3".to_owned()])
        );
    }

    #[test]
    fn what_is_not_acknowledged_goes_to_the_next_in_its_order() {
        let broker = Broker::new(3);
        let (one, first) = wants(&broker, "/queue/a", Acknowledge::Individual);
        for body in ["1", "2", "3", "4"] {
            broker.publish(sent("/queue/a", body)).unwrap();
        }
        assert_eq!(bodies(&first), ["1", "2", "3"], "no more than three without an ACK");
        broker.settle(one, &meant(2)).unwrap();
        assert!(broker.settle(one, &meant(2)).is_err() && broker.settle(one + 1, &meant(1)).is_err());
        assert_eq!(bodies(&first), ["4"]);
        broker.leave(one);
        let (two, second) = wants(&broker, "/queue/a", Acknowledge::Client);
        assert_eq!(bodies(&second), ["1", "3", "4"]);
        broker.settle(two, &meant(6)).unwrap();
        broker.leave(two);
        let (_, third) = wants(&broker, "/queue/a", Acknowledge::Auto);
        assert_eq!(bodies(&third), ["4"], "an ACK in mode client stands for those before it");
    }

    #[test]
    fn a_queue_that_nobody_empties_refuses() {
        let broker = Broker::new(3);
        (0..3).for_each(|_| broker.publish(sent("/queue/a", "x")).unwrap());
        assert!(broker.publish(sent("/queue/a", "x")).is_err());
        assert!(broker.publish(sent("/queue/b", "x")).is_ok());
    }
}
