//! Why this machine cannot have a cable, and what would change that.

use std::io;

/// This machine cannot have a cable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// The reason: a sentence without its full stop.
    pub reason: Reason,
    /// The remedy: a sentence or two, with the command to type.
    pub remedy: String,
}

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Only Linux has network namespaces.
    #[error("the cable needs Linux: only there a process can have network stacks of its own")]
    NotLinux,
    /// The process has more than one thread: a bug of this program.
    #[error("the cable has to be laid while the process has one thread, and it has {0}")]
    Threads(usize),
    /// `user.max_user_namespaces` is 0.
    #[error("this machine allows no user namespaces: user.max_user_namespaces is 0")]
    UserNamespacesOff,
    /// `kernel.unprivileged_userns_clone` is 0, a setting of Debian's kernel.
    #[error("this machine keeps user namespaces for root: kernel.unprivileged_userns_clone is 0")]
    UserNamespacesForRoot,
    /// `kernel.apparmor_restrict_unprivileged_userns` is 1: user namespaces can be made, and give no
    /// capabilities.
    #[error(
        "AppArmor takes the rights away that a user namespace gives: kernel.apparmor_restrict_unprivileged_userns is 1"
    )]
    AppArmor,
    /// A seccomp filter, as containers have.
    #[error("a seccomp filter forbids new namespaces here, as in a container")]
    Seccomp,
    /// The kernel was built without namespaces.
    #[error("this kernel has no user or network namespaces")]
    NoNamespaces,
    /// The kernel has no veth(4).
    #[error("this kernel has no virtual Ethernet pairs (veth)")]
    NoVeth,
    /// The kernel has no packet(7) sockets, or the process may not open one.
    #[error("this kernel gives no packet socket (AF_PACKET)")]
    NoPacketSocket,
    /// `/proc` is hidden or read-only, so a user cannot be mapped into a user namespace.
    #[error("/proc is hidden or read-only here")]
    NoProc,
    /// The limit of `user` or `net` namespaces is reached.
    #[error("there are too many {kind} namespaces already: user.max_{kind}_namespaces is {limit}")]
    TooMany {
        /// `user` or `net`, as in the name of the limit.
        kind: &'static str,
        /// The limit, or `?` where it can't be read.
        limit: String,
    },
    /// Another error.
    #[error("{step}: {error}")]
    Other {
        /// The step that failed.
        step: &'static str,
        /// The system's error.
        error: String,
    },
}

/// The remedy for AppArmor: the profile that is in the repository.
const PROFILE: &str = "Install the profile that comes with sockwalk: \
    sudo install -m 644 apparmor/sockwalk /etc/apparmor.d/sockwalk && sudo apparmor_parser -r /etc/apparmor.d/sockwalk \
    (its first lines say which paths it is for). \
    Or, for the whole machine: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";

impl From<Reason> for Unavailable {
    fn from(reason: Reason) -> Unavailable {
        let remedy = match &reason {
            Reason::NotLinux => "Use Linux, or a virtual machine with it; loopback works everywhere.".to_owned(),
            Reason::Threads(_) => "This is a mistake in sockwalk: please report it.".to_owned(),
            Reason::UserNamespacesOff => {
                "Allow them: sudo sysctl -w user.max_user_namespaces=15000. Or run sockwalk as root.".to_owned()
            }
            Reason::UserNamespacesForRoot => {
                "Allow them for all: sudo sysctl -w kernel.unprivileged_userns_clone=1. Or run sockwalk as root."
                    .to_owned()
            }
            Reason::AppArmor => PROFILE.to_owned(),
            Reason::Seccomp => {
                "Start the container with docker run --security-opt seccomp=unconfined (podman has the same option), or with \
                 --cap-add SYS_ADMIN --cap-add NET_ADMIN."
                    .to_owned()
            }
            Reason::NoNamespaces => "Use a kernel with CONFIG_USER_NS and CONFIG_NET_NS.".to_owned(),
            Reason::NoVeth => {
                "Load the module: sudo modprobe veth. If there is none, install the kernel's extra modules.".to_owned()
            }
            Reason::NoPacketSocket => {
                "Load the module: sudo modprobe af_packet. In a container, add --cap-add NET_RAW.".to_owned()
            }
            Reason::NoProc => {
                "Mount it: mount -t proc proc /proc. In a container, use docker run --security-opt systempaths=unconfined."
                    .to_owned()
            }
            Reason::TooMany { kind, .. } => format!(
                "End programs that have namespaces (lsns lists them), or raise the limit: \
                 sudo sysctl -w user.max_{kind}_namespaces=15000"
            ),
            Reason::Other { .. } => "Run sockwalk as root, or outside of the container or sandbox.".to_owned(),
        };
        Unavailable { reason, remedy }
    }
}

impl Unavailable {
    /// An error without a variant of its own.
    pub(in super::super) fn other(step: &'static str, error: &io::Error) -> Unavailable {
        Reason::Other { step, error: crate::call::errno_text(error) }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_remedy_and_neither_is_more_than_a_paragraph() {
        let reasons = [
            Reason::NotLinux,
            Reason::Threads(3),
            Reason::UserNamespacesOff,
            Reason::UserNamespacesForRoot,
            Reason::AppArmor,
            Reason::Seccomp,
            Reason::NoNamespaces,
            Reason::NoVeth,
            Reason::NoPacketSocket,
            Reason::NoProc,
            Reason::TooMany { kind: "net", limit: "4".to_owned() },
            Reason::Other { step: "making a veth pair", error: "Invalid argument".to_owned() },
        ];
        for reason in reasons {
            let unavailable = Unavailable::from(reason);
            let said = unavailable.to_string();
            assert!(!said.is_empty() && !said.ends_with('.') && !said.contains("  "), "{said}");
            assert!(!unavailable.remedy.is_empty() && !unavailable.remedy.contains("  "), "{unavailable:?}");
        }
    }
}
