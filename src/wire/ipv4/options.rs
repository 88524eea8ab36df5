//! The options of an IPv4 header, one by one (RFC 791 §3.1, RFC 2113).

use crate::wire::reading::Reading;

const OPTIONS: &str = "RFC 791 §3.1";

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIMESTAMP: u8 = 68;
const LOOSE_ROUTE: u8 = 131;
const STRICT_ROUTE: u8 = 137;
const ROUTER_ALERT: u8 = 148;

fn known(kind: u8) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        END => ("End of Option List", "no option follows; what is left fills up 4 bytes"),
        NO_OPERATION => ("No Operation", "fills up, so that the next option begins where it should"),
        RECORD_ROUTE => ("Record Route", "each router writes its address here"),
        TIMESTAMP => ("Internet Timestamp", "each router writes the time here"),
        130 => ("Security", "a level of secrecy (RFC 1108)"),
        LOOSE_ROUTE => ("Loose Source Route", "routers to pass, others between them; today it is dropped"),
        STRICT_ROUTE => ("Strict Source Route", "the routers to pass and no other; today it is dropped"),
        136 => ("Stream ID", "of a network that is gone"),
        ROUTER_ALERT => ("Router Alert", "each router looks into this packet (RFC 2113)"),
        _ => return None,
    })
}

/// Decodes options up to the limit.
pub(super) fn fields(r: &mut Reading) {
    while r.left() > 0 {
        // After `None` all remaining bytes have been consumed.
        if option(r).is_none() {
            break;
        }
    }
}

fn option(r: &mut Reading) -> Option<()> {
    let kind = r.rest()[0];
    let (symbol, meaning) = known(kind).unzip();
    r.flag("copied flag", "goes into each fragment", "goes into the first fragment only", OPTIONS)?;
    let class = r.small(2, "option class", "", OPTIONS)?;
    r.symbol(
        ["control", "reserved", "debugging and measurement", "reserved"].get(usize::from(class)).copied(),
    );
    r.small(5, "option number", meaning.unwrap_or("not known to this decoder"), OPTIONS)?;
    r.symbol(symbol);
    match kind {
        END => {
            r.all("padding", "fills the header up to a multiple of 4 bytes", OPTIONS);
            return Some(());
        }
        NO_OPERATION => return Some(()),
        _ => {}
    }
    let length = usize::from(r.u8("option length", "type, length and data, in bytes", OPTIONS)?);
    let Some(data) = length.checked_sub(2) else {
        r.meaning("wrong: type and length alone are 2 bytes; what follows can't be told apart");
        r.all("options", "not told apart", OPTIONS);
        return None;
    };
    if data > r.left() {
        r.note(&format!("wrong: claims {} bytes more than the header has", data - r.left()));
    }
    r.within(data, "option length", |r| body(r, kind));
    Some(())
}

fn body(r: &mut Reading, kind: u8) -> Option<()> {
    match kind {
        RECORD_ROUTE | LOOSE_ROUTE | STRICT_ROUTE => {
            pointer(r, 4)?;
            while r.left() >= 4 {
                r.ipv4("route data", "the address of a router, or room for one", OPTIONS)?;
            }
        }
        TIMESTAMP => {
            pointer(r, 5)?;
            r.small(4, "overflow", "routers that found no room", OPTIONS)?;
            let form = r.small(4, "flag", "", OPTIONS)?;
            r.meaning(match form {
                0 => "timestamps alone",
                1 => "each with the address of its router",
                3 => "only the routers named here write",
                _ => "not defined",
            });
            while r.left() >= 4 {
                if form != 0 {
                    r.ipv4("internet address", "the router of the next timestamp", OPTIONS)?;
                }
                r.u32("timestamp", "milliseconds since midnight, universal time", OPTIONS)?;
            }
        }
        ROUTER_ALERT => {
            let value = r.u16("Value", "0: every router shall look into the packet", "RFC 2113 §2.1")?;
            if value != 0 {
                r.meaning("reserved");
            }
        }
        _ => {}
    }
    r.all("option data", "not known to this decoder", OPTIONS);
    Some(())
}

fn pointer(r: &mut Reading, first: u8) -> Option<()> {
    let pointer =
        r.u8("pointer", "where the next router writes: a byte of this option, the first is 1", OPTIONS)?;
    if pointer < first {
        r.note(&format!("wrong: the smallest is {first}"));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::field;

    fn shown(bytes: &[u8]) -> Vec<(&'static str, String)> {
        let mut r = Reading::new(bytes);
        fields(&mut r);
        let (_, out) = r.into_parts();
        assert_eq!(field::check(bytes.len() * 8, &out), Ok(()));
        out.into_iter().map(|field| (field.name, field.value)).collect()
    }

    #[test]
    fn each_option_has_its_fields() {
        let all = shown(&[1, 7, 7, 4, 10, 0, 0, 1, 0x94, 4, 0, 0, 0x44, 8, 5, 0x10, 0, 0, 0, 9, 0, 0]);
        let names: Vec<_> =
            all.iter().map(|(name, _)| *name).filter(|name| !name.contains("class")).collect();
        assert_eq!(
            names,
            [
                "copied flag",
                "option number", // NOP
                "copied flag",
                "option number",
                "option length",
                "pointer",
                "route data",
                "copied flag",
                "option number",
                "option length",
                "Value",
                "copied flag",
                "option number",
                "option length",
                "pointer",
                "overflow",
                "flag",
                "timestamp",
                "copied flag",
                "option number",
                "padding",
            ]
        );
        assert!(all.contains(&("timestamp", "9".into())) && all.contains(&("route data", "10.0.0.1".into())));
    }

    #[test]
    fn impossible_lengths_are_told() {
        for length in [0, 1, 200] {
            shown(&[7, length, 4, 10]);
        }
        for end in 0..8 {
            shown(&[0x44, 8, 5, 0x10, 0, 0, 0, 9][..end]);
        }
    }
}
