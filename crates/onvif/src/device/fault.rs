//! Faults (Core Specification, 5.8.2), with the HTTP status of SOAP 1.2 part 2, 7.5.2.

use crate::device::{Refusal, Told};
use crate::soap::{ENVELOPE, ERROR};
use crate::xml::Escaped;

/// Who is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Sender,
    Receiver,
}

/// A fault: codes from the specification, words of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    side: Side,
    /// Below `ter:`, each more special than the one before.
    codes: &'static [&'static str],
    reason: String,
}

impl Fault {
    fn new(side: Side, codes: &'static [&'static str], reason: &str) -> Self {
        Self { side, codes, reason: reason.to_owned() }
    }

    pub(super) fn malformed(reason: &str) -> Self {
        Self::new(Side::Sender, &["WellFormed"], reason)
    }

    pub(super) fn refused(refusal: Refusal) -> Self {
        Self::new(Side::Sender, &["NotAuthorized"], refusal.told())
    }

    /// Nothing here does that.
    pub(super) fn unsupported() -> Self {
        Self::new(
            Side::Receiver,
            &["ActionNotSupported"],
            "this device does not do that; nothing in it is set from outside",
        )
    }

    pub(super) fn no_service() -> Self {
        Self::new(Side::Receiver, &["ActionNotSupported", "NoSuchService"], "this device has no such service")
    }

    /// The argument says something that is not there.
    pub(super) fn argument(codes: &'static [&'static str], reason: &str) -> Self {
        Self::new(Side::Sender, codes, reason)
    }

    /// The fault of whoever set us up.
    pub(super) fn misplaced() -> Self {
        let reason = "the server does not say where connections arrive; name a host in its settings";
        Self::new(Side::Receiver, &["Action"], reason)
    }

    pub(super) fn told(&self) -> Told {
        let (status, code) = match self.side {
            Side::Sender => (400, "Sender"),
            Side::Receiver => (500, "Receiver"),
        };
        let inner = self.codes.iter().rev().fold(String::new(), |inner, code| {
            format!("<s:Subcode><s:Value>ter:{code}</s:Value>{inner}</s:Subcode>")
        });
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<s:Envelope xmlns:s=\"{ENVELOPE}\" xmlns:ter=\"{ERROR}\"><s:Body>\
             <s:Fault><s:Code><s:Value>s:{code}</s:Value>{inner}</s:Code><s:Reason><s:Text xml:lang=\"en\">{}</s:Text>\
             </s:Reason></s:Fault></s:Body></s:Envelope>",
            Escaped(&self.reason)
        );
        Told { status, body, challenge: None, is_wrong: false }
    }
}
