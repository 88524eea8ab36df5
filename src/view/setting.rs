//! A setting of a host's kernel that was changed: what sysctl(8) would say.

use super::call::{host_meaning, labelled, room};
use super::line::{Line, Meaning};
use super::look::Look;
use super::sentences::{sentence, the_host};
use super::wrap::{Long, wrap};
use crate::event::Setting;

/// What was changed before the first step, on both hosts alike: told in one paragraph.
///
/// A person who steps takes their time, and so the kernels' timers are stretched. What else a lesson asks for
/// is told by itself.
pub(super) fn beforehand(look: &Look, all: &[Setting]) -> Vec<Line> {
    let (others, timers): (Vec<&Setting>, Vec<&Setting>) =
        all.iter().filter(|it| it.failed.is_none()).partition(|it| it.name == PING_SOCKETS);
    let mut lines = if timers.is_empty() { Vec::new() } else { stretched(look, &timers) };
    lines.extend(others.into_iter().flat_map(|it| setting(look, it)));
    lines
}

/// Who may open ping sockets: icmp(7).
const PING_SOCKETS: &str = "net.ipv4.ping_group_range";

fn stretched(look: &Look, timers: &[&Setting]) -> Vec<Line> {
    let mut told: Vec<String> = Vec::new();
    for it in timers {
        let name = it.name.rsplit('.').next().unwrap_or(&it.name);
        let before = it.before.as_deref().unwrap_or("?");
        let text = if look.linear() {
            format!("{name} is {} instead of {before}", it.value)
        } else {
            format!("{name} {before} → {}", it.value)
        };
        if !told.contains(&text) {
            told.push(text);
        }
    }
    let text =
        format!("While you step, the kernels of both hosts wait longer (tcp(7)): {}.", told.join(", "));
    if look.linear() {
        return sentence(look, text, Meaning::Quiet);
    }
    let lines = wrap(&look.line(text, Meaning::Quiet), look.measure(), 0, Long::Break);
    lines.into_iter().map(|line| line.indented(look.indent())).collect()
}

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
