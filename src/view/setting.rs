//! A setting of a host's kernel that was changed: what sysctl(8) would say.

use super::aloud::{sentence, the_host};
use super::call::{host_meaning, labelled, room};
use super::line::{Line, Meaning};
use super::look::Look;
use super::wrap::{Long, wrap};
use crate::trace::Setting;

/// `net.ipv4.tcp_syn_retries = 6 → 2`
pub(super) fn setting(look: &Look, it: &Setting) -> Vec<Line> {
    if look.linear() {
        let text = match &it.failed {
            Some(why) => format!("{}'s kernel: {} could not be set: {why}.", the_host(it.host), it.name),
            None => format!("{}'s kernel: {} is now {}.", the_host(it.host), it.name, it.value),
        };
        return sentence(look, text, if it.failed.is_some() { Meaning::Fails } else { Meaning::Quiet });
    }
    let before = it.before.as_ref().map(|before| format!("{before} → ")).unwrap_or_default();
    let text = look.line(format!("{} = {before}{}", it.name, it.value), Meaning::Quiet);
    let mut lines = wrap(&text, room(look), 2, Long::Break);
    if let Some(why) = &it.failed {
        lines.extend(wrap(&look.line(why, Meaning::Fails), room(look), 2, Long::Break));
    }
    labelled(look, look.span(it.host.name(), host_meaning(it.host)), lines)
}
