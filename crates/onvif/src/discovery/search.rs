//! The search for cameras.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use reqwest::Url;
use tokio::time::{Instant, timeout_at};

use super::message::{Announced, probe};
use super::{DiscoveryError, GROUP, MAX_DATAGRAM, message_id, socket};

/// The most devices that are kept.
const MAX_DEVICES: usize = 1_024;
/// The most datagrams that are looked at in one search.
const MAX_DATAGRAMS: usize = 8_192;
/// A probe may be lost, so it goes out twice (SOAP-over-UDP, 3.1).
const AGAIN: Duration = Duration::from_millis(250);

/// A device that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its endpoint reference: a URI that stays the same.
    pub endpoint: String,
    /// Who sent the answer. What else it says is its own word.
    pub from: IpAddr,
    /// Where it says that it is served, those that may be asked without doubt first.
    pub addresses: Vec<Address>,
    /// Its name.
    pub name: Option<String>,
    /// Its model.
    pub hardware: Option<String>,
    /// Where it hangs.
    pub location: Option<String>,
}

/// Where a device says that it is served.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The host is another than the one that answered: look twice before credentials go there.
    pub doubtful: bool,
    /// An `http` or `https` URL without user.
    pub url: String,
}

/// Asks the local network for cameras and listens for as long as `wait`. `interface` is the address of the network
/// interface to ask on; the system's choice is the one of the default route.
///
/// Answers come from port 3702 to a port of ours that a firewall may have to let in. Devices stand in the order of their
/// endpoint references, each once.
///
/// # Errors
/// If nothing can be sent. That nobody answers is no error.
pub async fn discover(wait: Duration, interface: Option<Ipv4Addr>) -> Result<Vec<Found>, DiscoveryError> {
    let interface = interface.unwrap_or(Ipv4Addr::UNSPECIFIED);
    let socket = socket(interface, 0, false).map_err(|source| DiscoveryError::Open { interface, source })?;
    let id = message_id()?;
    let probe = probe(&id);
    let start = Instant::now();
    let (mut again, end) = (Some(start + AGAIN), start + wait);
    let send = || async {
        let sent = socket.send_to(probe.as_bytes(), GROUP).await;
        sent.map_err(|source| DiscoveryError::Send { interface, source })
    };
    send().await?;
    let mut found = BTreeMap::new();
    let mut buffer = vec![0; MAX_DATAGRAM];
    let mut looked_at = 0;
    while looked_at < MAX_DATAGRAMS {
        let Ok(received) = timeout_at(again.unwrap_or(end).min(end), socket.recv_from(&mut buffer)).await
        else {
            if again.take().is_none_or(|again| again >= end) {
                break;
            }
            send().await?;
            continue;
        };
        looked_at += 1;
        // An error here tells of a datagram of ours that reached nobody.
        let Ok((length, from)) = received else { continue };
        let Ok(announced) = Announced::read(buffer.get(..length).unwrap_or_default(), &id) else { continue };
        for device in announced {
            if found.len() < MAX_DEVICES || found.contains_key(&device.endpoint) {
                found.entry(device.endpoint.clone()).or_insert_with(|| Found::of(device, from.ip()));
            }
        }
    }
    Ok(found.into_values().collect())
}

impl Found {
    /// What `announced` says, when it came from `from`.
    pub fn of(announced: Announced, from: IpAddr) -> Self {
        let Announced { endpoint, addresses, name, hardware, location } = announced;
        let mut addresses: Vec<_> = addresses.iter().filter_map(|url| Address::of(url, from)).collect();
        addresses.sort();
        addresses.dedup();
        Self { endpoint, from, addresses, name, hardware, location }
    }
}

impl Address {
    fn of(text: &str, from: IpAddr) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !plain {
            return None;
        }
        let host: Option<IpAddr> = url.host_str()?.trim_matches(['[', ']']).parse().ok();
        Some(Self { doubtful: host != Some(from), url: url.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_another_host_is_doubtful_and_one_of_another_kind_is_none() {
        let from = IpAddr::from([192, 0, 2, 7]);
        let of = |url| Address::of(url, from).map(|address| address.doubtful);
        assert_eq!(of("http://192.0.2.7/onvif/device_service"), Some(false));
        assert_eq!(of("https://192.0.2.7:8443/onvif"), Some(false));
        for doubtful in
            ["http://192.0.2.8/", "http://camera.example/", "http://[2001:db8::1]/", "http://127.0.0.1/"]
        {
            assert_eq!(of(doubtful), Some(true), "{doubtful}");
        }
        for none in ["rtsp://192.0.2.7/", "file:///etc/passwd", "http://a:b@192.0.2.7/", "192.0.2.7", ""] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
