//! The options that servers share: each has one name, one default and one meaning, whichever command it belongs to.
//!
//! All of them ask for the argument `at`, the address: without one, some of these commands are lessons.

use std::time::Duration;

use clap::Args;

use crate::{
    cli::values::{allowed_origin, size, some_time},
    server::origin::OriginPolicy,
};

/// The limit of connections.
#[derive(Debug, Clone, Args)]
pub struct Connections {
    /// Accept no more than N connections at once; further ones wait in the accept queue
    #[arg(long, value_name = "N", requires = "at", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..), allow_hyphen_values = true)]
    pub connections: u32,
}

impl Connections {
    /// The limit.
    pub fn limit(&self) -> usize {
        usize::try_from(self.connections).unwrap_or(usize::MAX)
    }
}

/// The limits of each connection.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// How many connections.
    #[command(flatten)]
    pub connections: Connections,
    /// End a connection on which nothing has moved for this time
    #[arg(long, value_name = "TIME", requires = "at", default_value = "5m", value_parser = some_time, allow_hyphen_values = true)]
    pub idle: Duration,
    /// End a connection that has sent more than this
    #[arg(long, value_name = "SIZE", requires = "at", default_value = "64m", value_parser = size, allow_hyphen_values = true)]
    pub bytes: u64,
}

/// What a server of messages accepts, and from which pages.
#[derive(Debug, Clone, Args)]
pub struct Messages {
    /// Refuse a message larger than this
    #[arg(long, value_name = "SIZE", requires = "at", default_value = "1m", value_parser = size, allow_hyphen_values = true)]
    pub message: u64,
    /// Let in pages of this origin too, such as http://example.com
    #[arg(long = "origin", value_name = "ORIGIN", value_parser = allowed_origin, requires = "at")]
    pub origins: Vec<String>,
    /// Let in pages of any origin: what a server does that does not check
    #[arg(long, requires = "at", conflicts_with = "origins")]
    pub any_origin: bool,
}

impl Messages {
    /// The pages that may use the server.
    pub fn origin_policy(&self) -> OriginPolicy {
        OriginPolicy { allowed: self.origins.clone(), any: self.any_origin }
    }
}
