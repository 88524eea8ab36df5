//! What a WebSocket adds, against the size of the message: as a chart in the terminal, as CSV, and as SVG.

use std::fmt::Write;

use crate::view::line::{Line, Meaning};
use crate::view::look::Look;
use crate::view::sentences::sentence;
use crate::view::units::thousands;

/// One size of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Bytes of the message.
    pub size: usize,
    /// Bytes given to send over TCP, and over the WebSocket.
    pub sent: (usize, usize),
    /// Bytes of the Ethernet frames, both ways, over each; none where they are not seen.
    pub on_the_wire: Option<(usize, usize)>,
}

impl Point {
    /// Bytes that the WebSocket adds to the message.
    pub fn overhead(&self) -> usize {
        self.sent.1.saturating_sub(self.sent.0)
    }

    /// The same in thousandths of the message; none if that is empty.
    pub fn share(&self) -> Option<usize> {
        (self.size > 0).then(|| self.overhead() * 1000 / self.size)
    }
}

/// Columns of the numbers left of a bar.
const LEFT: usize = 36;

/// The chart: a bar for each size, as long as the bytes that are added.
pub fn sweep(look: &Look, points: &[Point]) -> Vec<Line> {
    if look.linear() {
        let say = |point: &Point| {
            let share = point.share().map(|share| format!(", {}", percent(share))).unwrap_or_default();
            let text = format!(
                "A message of {} bytes: {} more{share}.",
                thousands(point.size as u64),
                point.overhead()
            );
            sentence(look, text, Meaning::Prose)
        };
        return points.iter().flat_map(say).collect();
    }
    let most = points.iter().map(Point::overhead).max().unwrap_or(1).max(1);
    let room = look.content().saturating_sub(LEFT).min(3 * most);
    let mut lines =
        vec![look.line(format!("{:>15}{:>8}", "message", "adds"), Meaning::Label).indented(look.indent())];
    for point in points {
        let share = point.share().map_or_else(String::new, percent);
        let mut line = look.line(
            format!("{:>9} bytes{:>8}{share:>10}", thousands(point.size as u64), point.overhead()),
            Meaning::State,
        );
        line.pad(LEFT - 1);
        line.push(look.span("█".repeat((point.overhead() * room / most).max(1)), Meaning::Holds));
        lines.push(line.indented(look.indent()));
    }
    lines
}

/// `120 %`, `0.1 %`; what is less is said so.
fn percent(thousandths: usize) -> String {
    match thousandths {
        0 => "< 0.1 %".to_owned(),
        1..100 => format!("{}.{} %", thousandths / 10, thousandths % 10),
        more => format!("{} %", thousands((more / 10) as u64)),
    }
}

/// A line for each size: RFC 4180, with a header.
pub fn csv(points: &[Point]) -> String {
    let mut text = String::from(
        "message_bytes,tcp_sent,websocket_sent,overhead,tcp_on_the_wire,websocket_on_the_wire\r\n",
    );
    for point in points {
        let (tcp, websocket) = point
            .on_the_wire
            .map_or_else(Default::default, |(tcp, websocket)| (tcp.to_string(), websocket.to_string()));
        let _ = write!(
            text,
            "{},{},{},{},{tcp},{websocket}\r\n",
            point.size,
            point.sent.0,
            point.sent.1,
            point.overhead()
        );
    }
    text
}

/// A picture of its own: bars, with their numbers.
pub fn svg(points: &[Point]) -> String {
    let (bar, gap, left, top) = (22, 12, 150, 56);
    let most = points.iter().map(Point::overhead).max().unwrap_or(1).max(1);
    let height = top + points.len() * (bar + gap) + 20;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 {height}\" font-family=\"sans-serif\" font-size=\"14\">\n\
         <title>Bytes that a WebSocket adds to a message</title>\n\
         <rect width=\"640\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"16\" y=\"30\" font-size=\"18\">Bytes that a WebSocket adds to a message</text>\n"
    );
    for (index, point) in points.iter().enumerate() {
        let y = top + index * (bar + gap);
        let width = (point.overhead() * 400 / most).max(2);
        let _ = write!(
            text,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} bytes</text>\n\
             <rect x=\"{left}\" y=\"{y}\" width=\"{width}\" height=\"{bar}\" fill=\"#2a7ab0\"/>\n\
             <text x=\"{}\" y=\"{}\">{}</text>\n",
            left - 10,
            y + 16,
            thousands(point.size as u64),
            left + width + 8,
            y + 16,
            point.overhead()
        );
    }
    text + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: [Point; 2] = [
        Point { size: 0, sent: (0, 6), on_the_wire: None },
        Point { size: 126, sent: (126, 134), on_the_wire: Some((192, 200)) },
    ];

    #[test]
    fn numbers_are_the_same_in_every_form() {
        assert_eq!((POINTS[1].overhead(), POINTS[1].share(), POINTS[0].share()), (8, Some(63), None));
        assert_eq!(csv(&POINTS).lines().nth(2), Some("126,126,134,8,192,200"));
        assert_eq!(svg(&POINTS).matches("<rect").count(), 3);
        assert_eq!(
            (percent(0), percent(63), percent(6000)),
            ("< 0.1 %".into(), "6.3 %".into(), "600 %".into())
        );
    }
}
