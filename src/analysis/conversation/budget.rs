//! How much memory do all connections hold together? Counted, so that it can be refused.

/// What is held, and how much may be.
#[derive(Debug)]
pub(crate) struct Budget {
    used: usize,
    limit: usize,
}

/// What a piece costs besides its bytes.
const PIECE: usize = 64;

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Budget { used: 0, limit }
    }

    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Counts `now` bytes where `before` were counted. False if there is no room: then they count all the
    /// same, and are to go soon.
    pub(crate) fn reserve(&mut self, before: &mut usize, now: usize) -> bool {
        self.used = self.used + now - *before;
        *before = now;
        self.used <= self.limit
    }

    /// True while three quarters are free: for what is only good to have.
    pub(crate) fn is_roomy(&self) -> bool {
        self.used < self.limit / 4
    }
}

/// Bytes that count.
#[derive(Debug, Default)]
pub(crate) struct Held {
    bytes: Vec<u8>,
    counted: usize,
}

impl Held {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Adds bytes, all or none. False if there is no room.
    pub(crate) fn add(&mut self, bytes: &[u8], budget: &mut Budget) -> bool {
        let wanted = self.bytes.len() + bytes.len() + PIECE;
        let more = wanted.saturating_sub(self.counted);
        if budget.used + more > budget.limit {
            return false;
        }
        self.bytes.extend_from_slice(bytes);
        self.count(budget);
        true
    }

    /// Lets `change` have the bytes; afterwards they are counted anew.
    pub(crate) fn change<T>(&mut self, budget: &mut Budget, change: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let outcome = change(&mut self.bytes);
        self.count(budget);
        outcome
    }

    /// Gives all of it back.
    pub(crate) fn clear(&mut self, budget: &mut Budget) {
        self.bytes = Vec::new();
        self.count(budget);
    }

    /// Takes the bytes out; they count no more.
    pub(crate) fn take(&mut self, budget: &mut Budget) -> Vec<u8> {
        let bytes = std::mem::take(&mut self.bytes);
        self.count(budget);
        bytes
    }

    fn count(&mut self, budget: &mut Budget) {
        let now = if self.bytes.capacity() == 0 { 0 } else { self.bytes.len() + PIECE };
        budget.used = budget.used + now - self.counted;
        self.counted = now;
    }
}
