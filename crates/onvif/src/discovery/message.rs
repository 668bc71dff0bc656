//! What is said, as bytes.

use placet_core::is_unseen;
use roxmltree::Node;

use crate::soap::{ADDRESSING, DEVICE, DISCOVERY, ENVELOPE, Message, NETWORK, SoapError, header_text};
use crate::xml::{self, Escaped, below, child, text};

/// Where ONVIF's scopes begin.
const SCOPE: &str = "onvif://www.onvif.org/";
/// The longest list of types, scopes or addresses that is read, in bytes.
const MAX_LIST: usize = 8 << 10;
/// The most addresses, types or scopes of one device.
const MAX_ITEMS: usize = 64;
/// The most devices in one answer; there is nearly always one.
const MAX_MATCHES: usize = 16;

/// A device as it announces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Its endpoint reference: a URI that stays the same, most often `urn:uuid:…`.
    pub endpoint: String,
    /// Where it says that it is served, as sent.
    pub addresses: Vec<String>,
    /// The last scope of the kind `name`, decoded; what cannot be seen is replaced.
    pub name: Option<String>,
    /// The last scope of the kind `hardware`.
    pub hardware: Option<String>,
    /// The last scope of the kind `location`.
    pub location: Option<String>,
}

impl Announced {
    /// The devices of an answer to the probe `id`.
    ///
    /// # Errors
    /// If `bytes` are no such answer.
    pub fn read(bytes: &[u8], id: &str) -> Result<Vec<Self>, SoapError> {
        let document = xml::parse(bytes)?;
        let message = Message::of(&document)?;
        // `uuid:` and `urn:uuid:` are mixed by some.
        let same = |other: &str| same_id(other, id);
        header_text(&message, "RelatesTo")
            .filter(|to| same(to))
            .ok_or(SoapError::Lacks { what: "RelatesTo" })?;
        match message.body.tag_name().name() {
            "ProbeMatches" => {
                let matches = message.body.children().filter(|node| node.tag_name().name() == "ProbeMatch");
                Ok(matches.take(MAX_MATCHES).filter_map(Self::of).collect())
            }
            // ipycam 1.3.0 sends one without the list around it.
            "ProbeMatch" => Ok(Self::of(message.body).into_iter().collect()),
            _ => Err(SoapError::Lacks { what: "ProbeMatches" }),
        }
    }

    fn of(node: Node) -> Option<Self> {
        let endpoint = text(below(node, &["EndpointReference", "Address"])?, 256)?;
        let list = |name| words(child(node, name));
        let scopes = scope_list(child(node, "Scopes"));
        let scope = |kind: &str| {
            let mut of_kind = scopes
                .iter()
                .filter_map(|scope| scope.strip_prefix(SCOPE)?.strip_prefix(kind)?.strip_prefix('/'));
            of_kind.next_back().map(decoded).filter(|scope| !scope.is_empty())
        };
        Some(Self {
            endpoint: visible(endpoint),
            addresses: list("XAddrs").into_iter().map(visible).collect(),
            name: scope("name"),
            hardware: scope("hardware"),
            location: scope("location"),
        })
    }
}

fn words<'a>(node: Option<Node<'a, '_>>) -> Vec<&'a str> {
    let text = node.and_then(|node| text(node, MAX_LIST)).unwrap_or_default();
    text.split_ascii_whitespace().take(MAX_ITEMS).collect()
}

/// Scopes, of which each should be a URI. Some cameras write names with spaces: what begins no URI belongs to the one before.
fn scope_list(node: Option<Node>) -> Vec<String> {
    words(node).into_iter().fold(Vec::<String>::new(), |mut scopes, word| {
        match scopes.last_mut() {
            Some(last) if !word.contains("://") => {
                last.push(' ');
                last.push_str(word);
            }
            _ => scopes.push(word.to_owned()),
        }
        scopes
    })
}

fn same_id(one: &str, other: &str) -> bool {
    let bare = |id: &str| id.rsplit(':').next().unwrap_or(id).to_ascii_lowercase();
    bare(one) == bare(other)
}

fn visible(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Percent-decoding (RFC 3986, 2.1). A `%` that begins no escape stands for itself.
fn decoded(text: &str) -> String {
    let hex = |digit: u8| char::from(digit).to_digit(16);
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escape = match tail {
            [high, low, after @ ..] if byte == b'%' => hex(*high).zip(hex(*low)).map(|pair| (pair, after)),
            _ => None,
        };
        let (byte, after) = match escape {
            Some(((high, low), after)) => (u8::try_from(high * 16 + low).unwrap_or(byte), after),
            None => (byte, tail),
        };
        plain.push(byte);
        rest = after;
    }
    visible(&String::from_utf8_lossy(&plain))
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A probe for video transmitters.
pub(super) fn probe(id: &str) -> String {
    envelope(
        "Probe",
        id,
        "",
        "urn:schemas-xmlsoap-org:ws:2005:04:discovery",
        "<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe>",
    )
}

fn envelope(action: &str, id: &str, header: &str, to: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <s:Envelope xmlns:s=\"{ENVELOPE}\" xmlns:a=\"{ADDRESSING}\" xmlns:d=\"{DISCOVERY}\" xmlns:dn=\"{NETWORK}\" \
         xmlns:tds=\"{DEVICE}\"><s:Header><a:MessageID>{id}</a:MessageID>{header}<a:To>{to}</a:To>\
         <a:Action>{DISCOVERY}/{action}</a:Action></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// What somebody on the network asks of all devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Who is of these types and has these scopes?
    Probe {
        /// The message's id, which the answer repeats.
        id: String,
        /// Types by namespace and name; none means any.
        types: Vec<(String, String)>,
        /// Scopes, all of which must match.
        scopes: Vec<String>,
        /// How scopes match; none is by RFC 2396.
        rule: Option<String>,
    },
    /// Where is this device?
    Resolve {
        /// The message's id.
        id: String,
        /// The device's endpoint reference.
        endpoint: String,
    },
}

impl Asked {
    /// The question in a datagram.
    ///
    /// # Errors
    /// If it asks nothing.
    pub fn read(bytes: &[u8]) -> Result<Self, SoapError> {
        let document = xml::parse(bytes)?;
        let message = Message::of(&document)?;
        let id = header_text(&message, "MessageID").ok_or(SoapError::Lacks { what: "MessageID" })?.to_owned();
        let body = message.body;
        if body.tag_name().namespace() != Some(DISCOVERY) {
            return Err(SoapError::Lacks { what: "Probe" });
        }
        match body.tag_name().name() {
            "Probe" => {
                let types = child(body, "Types");
                let named = |word: &str| {
                    let (prefix, name) = word.split_once(':').unwrap_or(("", word));
                    let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
                    // A prefix that nothing declares is a type that nobody has.
                    let space =
                        types.and_then(|types| types.lookup_namespace_uri(prefix)).unwrap_or_default();
                    (space.to_owned(), name.to_owned())
                };
                let scopes = child(body, "Scopes");
                Ok(Self::Probe {
                    id,
                    types: words(types).into_iter().map(named).collect(),
                    scopes: words(scopes).into_iter().map(str::to_owned).collect(),
                    rule: scopes.and_then(|scopes| scopes.attribute("MatchBy")).map(str::to_owned),
                })
            }
            "Resolve" => {
                let endpoint =
                    below(body, &["EndpointReference", "Address"]).and_then(|node| text(node, 256));
                let endpoint = endpoint.ok_or(SoapError::Lacks { what: "EndpointReference" })?.to_owned();
                Ok(Self::Resolve { id, endpoint })
            }
            _ => Err(SoapError::Lacks { what: "Probe" }),
        }
    }
}

/// How we announce ourselves: a video transmitter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    endpoint: String,
    scopes: Vec<String>,
    /// Grows with each start, so that listeners know a new life from an old one.
    instance: u32,
}

impl Announcement {
    /// The device `uuid`, started at `instance`, seconds since 1970.
    pub(crate) fn new(uuid: [u8; 16], scopes: Vec<String>, instance: u32) -> Self {
        Self { endpoint: format!("urn:uuid:{}", crate::soap::uuid(uuid)), scopes, instance }
    }

    /// Its endpoint reference.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The answer to `asked` with the message id `id`, by a device at `address`; none where another is meant. `number` counts
    /// our messages.
    pub fn answer(&self, asked: &Asked, address: &str, id: &str, number: u32) -> Option<String> {
        let (kind, to) = match asked {
            Asked::Probe { id, types, scopes, rule } => {
                let ours = types.iter().all(|(space, name)| {
                    matches!(
                        (space.as_str(), name.as_str()),
                        (NETWORK, "NetworkVideoTransmitter") | (DEVICE, "Device")
                    )
                });
                let rule = rule.as_deref().unwrap_or("rfc2396");
                let rule = rule.rsplit('/').next().unwrap_or(rule);
                let has =
                    |wanted: &String| self.scopes.iter().any(|scope| scope_matches(rule, wanted, scope));
                (ours && scopes.iter().all(has)).then_some(("Probe", id))?
            }
            Asked::Resolve { id, endpoint } => {
                same_id(endpoint, &self.endpoint).then_some(("Resolve", id))?
            }
        };
        let header = format!("<a:RelatesTo>{}</a:RelatesTo>{}", Escaped(to), self.sequence(number));
        let anonymous = format!("{ADDRESSING}/role/anonymous");
        let body = format!(
            "<d:{kind}Matches><d:{kind}Match>{}</d:{kind}Match></d:{kind}Matches>",
            self.body(Some(address))
        );
        Some(envelope(&format!("{kind}Matches"), id, &header, &anonymous, &body))
    }

    /// What is said at the beginning.
    pub(super) fn hello(&self, address: &str, id: &str, number: u32) -> String {
        let body = format!("<d:Hello>{}</d:Hello>", self.body(Some(address)));
        let to = "urn:schemas-xmlsoap-org:ws:2005:04:discovery";
        envelope("Hello", id, &self.sequence(number), to, &body)
    }

    /// What is said at the end.
    pub(super) fn bye(&self, id: &str, number: u32) -> String {
        let body = format!("<d:Bye>{}</d:Bye>", self.body(None));
        let to = "urn:schemas-xmlsoap-org:ws:2005:04:discovery";
        envelope("Bye", id, &self.sequence(number), to, &body)
    }

    fn sequence(&self, number: u32) -> String {
        format!("<d:AppSequence InstanceId=\"{}\" MessageNumber=\"{number}\"/>", self.instance)
    }

    fn body(&self, address: Option<&str>) -> String {
        let endpoint =
            format!("<a:EndpointReference><a:Address>{}</a:Address></a:EndpointReference>", self.endpoint);
        let Some(address) = address else { return endpoint };
        format!(
            "{endpoint}<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types><d:Scopes>{}</d:Scopes>\
             <d:XAddrs>{}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>",
            Escaped(&self.scopes.join(" ")),
            Escaped(address),
        )
    }
}

/// WS-Discovery 5.1: by RFC 2396 a scope matches what begins with its segments; by `strcmp0` only itself.
fn scope_matches(rule: &str, wanted: &str, scope: &str) -> bool {
    match rule {
        "strcmp0" => wanted == scope,
        "rfc2396" => {
            let rest = scope.strip_prefix(wanted.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        _ => false,
    }
}

/// ONVIF's scopes of a streaming device (Core Specification, 7.3.2.2).
pub(crate) fn scopes(name: &str, hardware: &str, location: Option<&str>) -> Vec<String> {
    let mut scopes: Vec<String> =
        ["type/video_encoder", "type/Network_Video_Transmitter", "Profile/Streaming"]
            .iter()
            .map(|scope| format!("{SCOPE}{scope}"))
            .collect();
    for (kind, value) in [("name", Some(name)), ("hardware", Some(hardware)), ("location", location)] {
        scopes.extend(value.map(|value| format!("{SCOPE}{kind}/{}", encoded(value))));
    }
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Announcement {
        Announcement::new([7; 16], scopes("Hall north & 50%", "Placet", None), 3)
    }

    fn probe_of(types: &str, more: &str) -> Asked {
        let text = probe("urn:uuid:1").replace("dn:NetworkVideoTransmitter", types);
        Asked::read(text.replace("</d:Probe>", &format!("{more}</d:Probe>")).as_bytes()).unwrap()
    }

    #[test]
    fn an_answer_is_read_as_it_was_meant() {
        let asked = probe_of("dn:NetworkVideoTransmitter", "");
        let answer = ours().answer(&asked, "http://192.0.2.1/onvif", "urn:uuid:2", 1).unwrap();
        let found = Announced::read(answer.as_bytes(), "uuid:1").unwrap();
        let expected = Announced {
            endpoint: "urn:uuid:07070707-0707-4707-8707-070707070707".to_owned(),
            addresses: vec!["http://192.0.2.1/onvif".to_owned()],
            name: Some("Hall north & 50%".to_owned()),
            hardware: Some("Placet".to_owned()),
            location: None,
        };
        assert_eq!(found, [expected]);
        assert!(Announced::read(answer.as_bytes(), "uuid:3").is_err(), "an answer to another's probe");
    }

    #[test]
    fn only_what_is_meant_for_us_is_answered() {
        let answers = |asked: &Asked| ours().answer(asked, "http://x/", "urn:uuid:2", 1).is_some();
        let scope = |scope: &str| format!("<d:Scopes>{SCOPE}{scope}</d:Scopes>");
        for (types, more, expected) in [
            ("", String::new(), true),
            ("dn:NetworkVideoTransmitter tds:Device", String::new(), true),
            ("dn:NetworkVideoDisplay", String::new(), false),
            ("tds:Device dn:NetworkVideoDisplay", String::new(), false),
            ("NetworkVideoTransmitter", String::new(), false),
            ("other:Device", String::new(), false),
            ("", scope("Profile"), true),
            ("", scope("Prof"), false),
            ("", scope("location/x"), false),
            ("", scope("Profile").replace("<d:Scopes", "<d:Scopes MatchBy='http://x/strcmp0'"), false),
            ("", scope("Profile").replace("<d:Scopes", "<d:Scopes MatchBy='http://x/ldap'"), false),
        ] {
            assert_eq!(answers(&probe_of(types, &more)), expected, "{types} {more}");
        }
        let resolve = |endpoint: &str| Asked::Resolve { id: "1".to_owned(), endpoint: endpoint.to_owned() };
        assert!(answers(&resolve(ours().endpoint())));
        assert!(!answers(&resolve("urn:uuid:07070707-0707-4707-8707-070707070708")));
    }

    #[test]
    fn what_cannot_be_seen_reaches_no_terminal() {
        assert_eq!(decoded("a%1b%5b31m%zz%c3%a9%"), "a\u{fffd}[31m%zz\u{e9}%");
    }
}
