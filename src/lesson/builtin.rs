//! The built-in lessons.

/// A built-in lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// The name of the command that runs it.
    pub name: &'static str,
    /// The path of its file in the repository.
    pub file: &'static str,
    /// The text of its file.
    pub text: &'static str,
    /// Whether `tour` runs the lesson. The others run only by their name and in `check`.
    pub in_tour: bool,
}

impl Builtin {
    /// Returns the title in the front matter. Only the beginning of the text is read.
    pub fn title(&self) -> &'static str {
        let title = self.text.lines().find_map(|line| line.strip_prefix("title:")).unwrap_or_default().trim();
        title.strip_prefix('"').and_then(|title| title.strip_suffix('"')).unwrap_or(title)
    }
}

macro_rules! lessons {
    ($($tour:literal $name:literal $file:literal;)*) => {
        &[$(Builtin {
            name: $name,
            file: concat!("lessons/en/", $file),
            text: include_str!(concat!("../../lessons/en/", $file)),
            in_tour: $tour,
        }),*]
    };
}

/// Returns the built-in lessons, in the order of the course.
pub fn builtin() -> &'static [Builtin] {
    const ALL: &[Builtin] = lessons! {
        true "socket" "01-socket.md";
        true "bind" "02-bind.md";
        true "listen" "03-listen.md";
        true "accept" "04-accept.md";
        true "connect" "05-connect.md";
        true "send" "06-send.md";
        true "recv" "07-recv.md";
        true "close" "08-close.md";
        true "websocket" "09-websocket.md";
        false "refusals" "10-refusals.md";
        false "arp" "11-arp.md";
        false "handshake" "12-handshake.md";
        false "lost-syn" "13-lost-syn.md";
        false "full-queue" "14-full-queue.md";
        false "refusal" "15-refusal.md";
        false "four-way" "16-four-way.md";
        false "reset" "17-reset.md";
        false "time-wait" "18-time-wait.md";
        false "cut-cable" "19-cut-cable.md";
        false "flow-control" "20-flow-control.md";
        false "segments" "21-segments.md";
        false "disorder" "22-disorder.md";
        false "both-call" "23-both-call.md";
        false "eleven-states" "24-eleven-states.md";
        false "masking" "25-masking.md";
        false "fragments" "26-fragments.md";
        false "goodbye" "27-goodbye.md";
        false "lengths" "28-lengths.md";
        false "text-or-binary" "29-text-or-binary.md";
        false "dumb-eye" "30-dumb-eye.md";
        false "strangers" "31-strangers.md";
        false "proxy" "32-proxy.md";
        false "udp" "33-udp.md";
        false "raw-ip" "34-raw-ip.md";
        false "news" "35-news.md";
        false "socketio" "36-socketio.md";
        false "sockjs" "37-sockjs.md";
        false "stomp" "38-stomp.md";
        false "chat" "39-chat.md";
        false "ticker" "40-ticker.md";
        false "game" "41-game.md";
        false "audio" "42-audio.md";
    };
    ALL
}

/// Returns the lesson of this name.
pub fn find(name: &str) -> Option<&'static Builtin> {
    builtin().iter().find(|lesson| lesson.name == name)
}

#[cfg(test)]
mod tests {
    use super::{super::parse, *};

    #[test]
    fn every_lesson_parses_under_the_name_that_runs_it() {
        for lesson in builtin() {
            let parsed = parse(lesson.file, lesson.text.as_bytes())
                .unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
            assert_eq!(parsed.front.lesson, lesson.name);
            assert_eq!(parsed.front.title, lesson.title());
        }
    }
}
