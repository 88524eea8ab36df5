//! How a lesson writes a call: each call has its [`Grammar`] and reads its own arguments, in its own file.

use std::time::Duration;

use crate::event::Host;

/// The notation of a call, without its arguments.
#[derive(Debug, PartialEq, Eq)]
pub struct Grammar {
    /// The name as written; two words for the steps of the WebSocket.
    pub name: &'static str,
    /// What the call is made on: its first argument.
    pub on: On,
    /// What the call returns.
    pub returns: Returns,
    /// Whether the call can wait in the kernel, so that it may run in the background (`&`).
    pub may_block: bool,
    /// Purpose, and the manual page or the section of the RFC.
    pub about: &'static str,
}

/// What a call is made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// No socket: the call makes one, or needs none.
    Nothing,
    /// A socket of the acting host.
    Socket,
    /// A WebSocket, as `ws handoff` returned it.
    WebSocket,
}

/// What a call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Success only.
    Nothing,
    /// A new descriptor.
    Socket,
    /// A WebSocket.
    WebSocket,
    /// A number.
    Number,
    /// Bytes.
    Bytes,
    /// A datagram: bytes, and the address of their sender.
    Datagram,
    /// An address.
    Address,
}

/// Reads the arguments of a call from left to right. Each method fails if the next word is of another kind.
pub trait Arguments {
    /// Why an argument could not be read.
    type Error;

    /// Whether no argument is left.
    fn at_end(&self) -> bool;

    /// Whether the next argument is a word, not bytes in quotes.
    fn at_word(&self) -> bool;

    /// Reads one of the words of `list`, and returns what it stands for. `role` names the list in errors.
    fn one_of<T: Copy>(&mut self, role: &str, list: &[(&'static str, T)]) -> Result<T, Self::Error>;

    /// Reads a number; `role` names it in errors.
    fn number<T: TryFrom<i64>>(&mut self, role: &str) -> Result<T, Self::Error>;

    /// Reads a size in bytes.
    fn size(&mut self) -> Result<usize, Self::Error>;

    /// Reads a time, such as `200ms`.
    fn time(&mut self) -> Result<Duration, Self::Error>;

    /// Reads bytes, such as `"hello"` or `hex"81 05"`.
    fn bytes(&mut self) -> Result<Vec<u8>, Self::Error>;

    /// Reads an address, such as `server:7000` or `m.from`.
    fn target(&mut self) -> Result<Target, Self::Error>;

    /// Reads a path, such as `/chat`.
    fn path(&mut self) -> Result<String, Self::Error>;

    /// Reads the word `name` and the word behind it, if the next word is `name`.
    fn named(&mut self, name: &str) -> Result<Option<String>, Self::Error>;

    /// Reads a masking key: eight hex digits.
    fn masking_key(&mut self) -> Result<[u8; 4], Self::Error>;

    /// Reads words of `list` to the end of the arguments.
    fn all_of(&mut self, role: &str, list: &[&'static str]) -> Result<Vec<&'static str>, Self::Error> {
        let list: Vec<(&'static str, &'static str)> = list.iter().map(|word| (*word, *word)).collect();
        let mut words = Vec::new();
        while !self.at_end() {
            words.push(self.one_of(role, &list)?);
        }
        Ok(words)
    }
}

/// The address that a call is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `server:7000`
    Place(Place),
    /// `m.from`: the sender of the datagram of this name.
    Sender(String),
}

/// An address and port as a lesson names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The address.
    pub at: At,
    /// The port's name: a stage puts a free port in its place. 0 and ports under 1024 are taken as they are.
    pub port: u16,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.at {
            At::Own => write!(f, ":{}", self.port),
            At::Host(host) => write!(f, "{host}:{}", self.port),
            At::Any => write!(f, "any:{}", self.port),
            At::Ip(ip) => std::net::SocketAddr::new(ip, self.port).fmt(f),
        }
    }
}

/// An address as a lesson names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The acting host's own: `:7000`.
    Own,
    /// A host's, by name: `server:7000`.
    Host(Host),
    /// All addresses: `any:7000`, 0.0.0.0 or `::`.
    Any,
    /// As written: `127.0.0.2:7000`, `[::1]:7000`.
    Ip(std::net::IpAddr),
}

/// Makes the enum of all calls from one row for each. A row names a type with `GRAMMAR`, `read`, `describe`
/// and `perform`, and, if it is written with the parameter of the enum, `resolve`.
///
/// The parameter is the type of an address: `$Written` in a lesson, a `SocketAddr` once names are resolved.
macro_rules! calls {
    (
        $(#[$doc:meta])*
        $Call:ident $(<$A:ident = $Written:ty>)?, described for $On:ty, performed at $Site:ty: $rows:tt
    ) => {
        calls!(@enum $(#[$doc])* $Call $(<$A = $Written>)?, $On, $Site, $rows);
        $(calls!(@addresses $Call, $A, $Written, $rows);)?
    };
    (
        @enum $(#[$doc:meta])* $Call:ident $(<$A:ident = $Written:ty>)?, $On:ty, $Site:ty,
        { $($(#[$about:meta])* $name:ident $(<$a:ident>)?,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $Call $(<$A = std::net::SocketAddr>)? {
            $($(#[$about])* $name($name $(<$a>)?),)*
        }

        impl $Call $(<$Written>)? {
            /// The notation of all calls.
            pub const GRAMMARS: &'static [&'static $crate::call::Grammar] = &[$(&<$name>::GRAMMAR),*];

            /// Reads the arguments of the call `name`. Returns `None` if there is no such call.
            pub fn read<R: $crate::call::Arguments>(
                name: &str,
                arguments: &mut R,
            ) -> Option<Result<Self, R::Error>> {
                $(if name == <$name>::GRAMMAR.name {
                    return Some($name::read(arguments).map(Self::$name));
                })*
                None
            }
        }

        impl $(<$A>)? $Call $(<$A>)? {
            /// The notation of this call.
            pub fn grammar(&self) -> &'static $crate::call::Grammar {
                match self { $(Self::$name(_) => &<$name>::GRAMMAR,)* }
            }
        }

        impl $Call {
            /// Describes the call; `on` is its socket, and `result` the name of what it will return.
            pub fn describe(&self, on: &$On, result: Option<&str>) -> $crate::call::CallDescription {
                match self { $(Self::$name(call) => call.describe(on, result),)* }
            }

            /// Makes the call.
            pub fn perform(&self, at: &$Site) -> $crate::call::Completed {
                match self { $(Self::$name(call) => call.perform(at),)* }
            }
        }
    };
    (
        @addresses $Call:ident, $A:ident, $Written:ty,
        { $($(#[$about:meta])* $name:ident $(<$a:ident>)?,)* }
    ) => {
        impl<$A> $Call<$A> {
            /// The address that the call is given, if it takes one.
            pub fn address(&self) -> Option<&$A> {
                match self { $($Call::$name(_call) => calls!(@address _call $(, $a)?),)* }
            }
        }

        impl $Call<$Written> {
            /// Replaces the address that the lesson wrote by the one that `address` returns for it.
            ///
            /// # Errors
            /// If `address` fails.
            pub fn resolve<E>(
                self,
                mut address: impl FnMut($Written) -> Result<std::net::SocketAddr, E>,
            ) -> Result<$Call, E> {
                Ok(match self {
                    $($Call::$name(call) => $Call::$name(calls!(@resolve call, address $(, $a)?)),)*
                })
            }
        }
    };
    (@address $call:ident) => { None };
    (@address $call:ident, $a:ident) => { Some(&$call.address) };
    (@resolve $call:ident, $address:ident) => { $call };
    (@resolve $call:ident, $address:ident, $a:ident) => { $call.resolve(&mut $address)? };
}

pub(crate) use calls;
