//! What is answered: the reading half of Profile S, elements in the order of ONVIF's schemas, which strict clients check.

use std::fmt::Write as _;
use std::net::IpAddr;

use placet_core::UtcTime;
use roxmltree::Node;

use super::fault::Fault;
use super::{Camera, DEVICE_PATH, Device, MEDIA_PATH, Reach, Told};
use crate::soap::{DEVICE, ENVELOPE, MEDIA, SCHEMA};
use crate::xml::{Escaped, below, child, text};

/// The longest token, in bytes of which each may be escaped.
const MAX_TOKEN: usize = 256;

/// What is answered to whoever asks: the class `PRE_AUTH` of the Core Specification, 5.9.4.1. It tells the time and where the
/// services are, no names and no cameras.
pub(super) fn before_access(space: &str, action: &str) -> bool {
    match space {
        DEVICE => matches!(
            action,
            "GetSystemDateAndTime"
                | "GetServices"
                | "GetServiceCapabilities"
                | "GetCapabilities"
                | "GetEndpointReference"
        ),
        MEDIA => action == "GetServiceCapabilities",
        _ => false,
    }
}

/// The answer to one action.
pub(super) fn answer(
    device: &Device,
    space: &str,
    action: &str,
    body: Node,
    arrived: Option<IpAddr>,
) -> Result<Told, Fault> {
    let asked = Question { device, body, arrived };
    let (prefix, inner) = match space {
        DEVICE => ("tds", asked.device(action)?),
        MEDIA => ("trt", asked.media(action)?),
        _ => return Err(Fault::no_service()),
    };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<s:Envelope xmlns:s=\"{ENVELOPE}\" xmlns:tds=\"{DEVICE}\" \
         xmlns:trt=\"{MEDIA}\" xmlns:tt=\"{SCHEMA}\"><s:Body><{prefix}:{action}Response>{inner}</{prefix}:{action}Response></s:Body></s:Envelope>"
    );
    Ok(Told { status: 200, body, challenge: None, is_wrong: false })
}

struct Question<'a, 'd> {
    device: &'a Device,
    body: Node<'a, 'd>,
    arrived: Option<IpAddr>,
}

impl Question<'_, '_> {
    fn device(&self, action: &str) -> Result<String, Fault> {
        let config = &self.device.inner.config;
        Ok(match action {
            "GetSystemDateAndTime" => date_and_time((self.device.inner.clock)()),
            "GetDeviceInformation" => format!(
                "<tds:Manufacturer>Placet</tds:Manufacturer><tds:Model>Placet</tds:Model><tds:FirmwareVersion>{}\
                 </tds:FirmwareVersion><tds:SerialNumber>{}</tds:SerialNumber><tds:HardwareId>Placet</tds:HardwareId>",
                Escaped(&config.version),
                crate::soap::uuid(config.uuid),
            ),
            "GetEndpointReference" => {
                format!("<tds:GUID>urn:uuid:{}</tds:GUID>", crate::soap::uuid(config.uuid))
            }
            "GetServices" => self.services()?,
            "GetServiceCapabilities" => DEVICE_CAPABILITIES.to_owned(),
            "GetCapabilities" => self.capabilities()?,
            "GetScopes" => self.device.scopes().iter().fold(String::new(), |mut all, scope| {
                let _ = write!(
                    all,
                    "<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>{}</tt:ScopeItem></tds:Scopes>",
                    Escaped(scope)
                );
                all
            }),
            "GetDiscoveryMode" => "<tds:DiscoveryMode>Discoverable</tds:DiscoveryMode>".to_owned(),
            "GetHostname" => "<tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP></tds:HostnameInformation>".to_owned(),
            "GetNetworkInterfaces" => self.interfaces(),
            _ => return Err(Fault::unsupported()),
        })
    }

    fn media(&self, action: &str) -> Result<String, Fault> {
        let cameras = self.device.inner.cameras.cameras();
        let all = |write: fn(&Camera) -> String| cameras.iter().map(write).collect::<String>();
        Ok(match action {
            "GetServiceCapabilities" => MEDIA_CAPABILITIES.to_owned(),
            "GetProfiles" => all(|camera| profile(camera, "Profiles")),
            "GetProfile" => profile(self.of_profile(&cameras)?, "Profile"),
            "GetVideoSources" => all(video_source),
            "GetVideoSourceConfigurations" => all(|camera| source(camera, "trt:Configurations")),
            "GetVideoSourceConfiguration" => {
                source(self.configured(&cameras, "source-conf")?, "trt:Configuration")
            }
            "GetCompatibleVideoSourceConfigurations" => {
                source(self.of_profile(&cameras)?, "trt:Configurations")
            }
            "GetVideoSourceConfigurationOptions" => source_options(self.chosen(&cameras, "source-conf")?),
            "GetVideoEncoderConfigurations" => all(|camera| encoder(camera, "trt:Configurations")),
            "GetVideoEncoderConfiguration" => {
                encoder(self.configured(&cameras, "encoder-conf")?, "trt:Configuration")
            }
            "GetCompatibleVideoEncoderConfigurations" => {
                encoder(self.of_profile(&cameras)?, "trt:Configurations")
            }
            "GetVideoEncoderConfigurationOptions" => encoder_options(self.chosen(&cameras, "encoder-conf")?),
            "GetGuaranteedNumberOfVideoEncoderInstances" => {
                self.configured(&cameras, "source-conf")?;
                "<trt:TotalNumber>1</trt:TotalNumber><trt:H264>1</trt:H264>".to_owned()
            }
            "GetStreamUri" => self.stream(&cameras)?,
            "GetSnapshotUri" => self.snapshot(&cameras)?,
            _ => return Err(Fault::unsupported()),
        })
    }

    /// The URL without path under which the asker reaches us.
    fn base(&self) -> Result<String, Fault> {
        match (&self.device.inner.config.reach, self.arrived) {
            (reach @ Reach::Named { .. }, _) => Ok(reach.base(IpAddr::from([0; 4]))),
            (reach @ Reach::Arrival { .. }, Some(local)) => Ok(reach.base(local)),
            (Reach::Arrival { .. }, None) => Err(Fault::misplaced()),
        }
    }

    fn services(&self) -> Result<String, Fault> {
        let base = self.base()?;
        let wanted = child(self.body, "IncludeCapability").and_then(|node| text(node, 8));
        let capabilities = matches!(wanted, Some("true" | "1"));
        let services = [(DEVICE, DEVICE_PATH, DEVICE_CAPABILITIES), (MEDIA, MEDIA_PATH, MEDIA_CAPABILITIES)];
        Ok(services.into_iter().fold(String::new(), |mut all, (space, path, inner)| {
            let inner = if capabilities {
                format!("<tds:Capabilities>{inner}</tds:Capabilities>")
            } else {
                String::new()
            };
            let _ = write!(
                all,
                "<tds:Service><tds:Namespace>{space}</tds:Namespace><tds:XAddr>{}</tds:XAddr>{inner}\
                 <tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>",
                Escaped(&format!("{base}{path}"))
            );
            all
        }))
    }

    fn capabilities(&self) -> Result<String, Fault> {
        let base = self.base()?;
        let category = child(self.body, "Category").and_then(|node| text(node, 32)).unwrap_or("All");
        let device = format!(
            "<tt:Device><tt:XAddr>{}</tt:XAddr><tt:Network><tt:IPFilter>false</tt:IPFilter>\
             <tt:ZeroConfiguration>false</tt:ZeroConfiguration><tt:IPVersion6>false</tt:IPVersion6>\
             <tt:DynDNS>false</tt:DynDNS></tt:Network><tt:System><tt:DiscoveryResolve>true</tt:DiscoveryResolve>\
             <tt:DiscoveryBye>true</tt:DiscoveryBye><tt:RemoteDiscovery>false</tt:RemoteDiscovery>\
             <tt:SystemBackup>false</tt:SystemBackup><tt:SystemLogging>false</tt:SystemLogging>\
             <tt:FirmwareUpgrade>false</tt:FirmwareUpgrade><tt:SupportedVersions><tt:Major>2</tt:Major>\
             <tt:Minor>60</tt:Minor></tt:SupportedVersions></tt:System><tt:IO><tt:InputConnectors>0\
             </tt:InputConnectors><tt:RelayOutputs>0</tt:RelayOutputs></tt:IO><tt:Security><tt:TLS1.1>false</tt:TLS1.1>\
             <tt:TLS1.2>false</tt:TLS1.2><tt:OnboardKeyGeneration>false</tt:OnboardKeyGeneration>\
             <tt:AccessPolicyConfig>false</tt:AccessPolicyConfig><tt:X.509Token>false</tt:X.509Token>\
             <tt:SAMLToken>false</tt:SAMLToken><tt:KerberosToken>false</tt:KerberosToken><tt:RELToken>false\
             </tt:RELToken></tt:Security></tt:Device>",
            Escaped(&format!("{base}{DEVICE_PATH}"))
        );
        let media = format!(
            "<tt:Media><tt:XAddr>{}</tt:XAddr><tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast>\
             <tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities>\
             <tt:Extension><tt:ProfileCapabilities><tt:MaximumNumberOfProfiles>1024</tt:MaximumNumberOfProfiles>\
             </tt:ProfileCapabilities></tt:Extension></tt:Media>",
            Escaped(&format!("{base}{MEDIA_PATH}"))
        );
        let parts = match category {
            "All" => device + &media,
            "Device" => device,
            "Media" => media,
            _ => return Err(Fault::no_service()),
        };
        Ok(format!("<tds:Capabilities>{parts}</tds:Capabilities>"))
    }

    fn interfaces(&self) -> String {
        // The network's length is not known: 32 claims no neighbors.
        let address = self.arrived.filter(IpAddr::is_ipv4).map_or_else(String::new, |address| {
            format!("<tt:Manual><tt:Address>{address}</tt:Address><tt:PrefixLength>32</tt:PrefixLength></tt:Manual>")
        });
        format!(
            "<tds:NetworkInterfaces token=\"net\"><tt:Enabled>true</tt:Enabled><tt:IPv4><tt:Enabled>true</tt:Enabled>\
             <tt:Config>{address}<tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces>"
        )
    }

    /// The token in an element of the request.
    fn token(&self, name: &str) -> Option<&str> {
        child(self.body, name).and_then(|node| text(node, MAX_TOKEN))
    }

    fn of_profile<'c>(&self, cameras: &'c [Camera]) -> Result<&'c Camera, Fault> {
        let token = self.token("ProfileToken");
        find(cameras, "profile", token).ok_or_else(|| {
            Fault::argument(&["InvalidArgVal", "NoProfile"], "there is no profile of that token")
        })
    }

    fn configured<'c>(&self, cameras: &'c [Camera], kind: &str) -> Result<&'c Camera, Fault> {
        let token = self.token("ConfigurationToken");
        find(cameras, kind, token).ok_or_else(|| {
            Fault::argument(&["InvalidArgVal", "NoConfig"], "there is no configuration of that token")
        })
    }

    /// The camera whose options are asked for: of a configuration, of a profile, or in general.
    fn chosen<'c>(&self, cameras: &'c [Camera], kind: &str) -> Result<Option<&'c Camera>, Fault> {
        if child(self.body, "ConfigurationToken").is_some() {
            return self.configured(cameras, kind).map(Some);
        }
        if child(self.body, "ProfileToken").is_some() {
            return self.of_profile(cameras).map(Some);
        }
        Ok(cameras.first())
    }

    fn stream(&self, cameras: &[Camera]) -> Result<String, Fault> {
        let camera = self.of_profile(cameras)?;
        let setup = child(self.body, "StreamSetup");
        let said = |path: &[&str]| setup.and_then(|setup| below(setup, path)).and_then(|node| text(node, 32));
        let setup_fault = |reason| Err(Fault::argument(&["InvalidArgVal", "InvalidStreamSetup"], reason));
        if said(&["Stream"]) == Some("RTP-Multicast") {
            return setup_fault("streams are sent to each recorder, not by multicast");
        }
        if said(&["Transport", "Protocol"]) == Some("HTTP") {
            return setup_fault("there is no tunnel through HTTP; ask for RTSP");
        }
        // Recorders ask for UDP from habit: the address is the same, and the RTSP server settles what carries it.
        let host = match (&self.device.inner.config.reach, self.arrived) {
            (Reach::Named { host, .. }, _) => host.clone(),
            (Reach::Arrival { .. }, Some(IpAddr::V6(local))) => format!("[{local}]"),
            (Reach::Arrival { .. }, Some(local)) => local.to_string(),
            (Reach::Arrival { .. }, None) => return Err(Fault::misplaced()),
        };
        let port = self.device.inner.config.rtsp_port;
        Ok(media_uri(&format!("rtsp://{host}:{port}{}", camera.stream_path)))
    }

    fn snapshot(&self, cameras: &[Camera]) -> Result<String, Fault> {
        let path = self.of_profile(cameras)?.snapshot_path.as_ref().ok_or_else(Fault::unsupported)?;
        Ok(media_uri(&format!("{}{path}", self.base()?)))
    }
}

const DEVICE_CAPABILITIES: &str = "<tds:Capabilities><tds:Network IPFilter=\"false\" ZeroConfiguration=\"false\" \
    IPVersion6=\"false\" DynDNS=\"false\" HostnameFromDHCP=\"false\" NTP=\"0\"/><tds:Security TLS1.0=\"false\" \
    TLS1.1=\"false\" TLS1.2=\"false\" OnboardKeyGeneration=\"false\" AccessPolicyConfig=\"false\" \
    UsernameToken=\"true\" HttpDigest=\"true\"/><tds:System DiscoveryResolve=\"true\" DiscoveryBye=\"true\" \
    RemoteDiscovery=\"false\" SystemBackup=\"false\" SystemLogging=\"false\" FirmwareUpgrade=\"false\"/></tds:Capabilities>";

/// The number of profiles is a bound, not a count: whoever asks is told this.
const MEDIA_CAPABILITIES: &str = "<trt:Capabilities SnapshotUri=\"true\" Rotation=\"false\" VideoSourceMode=\"false\" \
    OSD=\"false\"><trt:ProfileCapabilities MaximumNumberOfProfiles=\"1024\"/><trt:StreamingCapabilities \
    RTPMulticast=\"false\" RTP_TCP=\"true\" RTP_RTSP_TCP=\"true\" NonAggregateControl=\"false\"/></trt:Capabilities>";

fn find<'c>(cameras: &'c [Camera], kind: &str, token: Option<&str>) -> Option<&'c Camera> {
    let id = token?.strip_prefix(kind)?.strip_prefix('-')?;
    cameras.iter().find(|camera| camera.id == id)
}

fn date_and_time(now: UtcTime) -> String {
    let text = now.to_string();
    // Without leading zeros: `2026-11-22T12:00:00Z` always has six numbers.
    let mut numbers = text.split(['-', 'T', ':', 'Z']).filter_map(|number| number.parse::<u32>().ok());
    let mut next = || numbers.next().unwrap_or_default();
    let (year, month, day, hour, minute, second) = (next(), next(), next(), next(), next(), next());
    format!(
        "<tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>\
         <tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime><tt:Time><tt:Hour>{hour}</tt:Hour>\
         <tt:Minute>{minute}</tt:Minute><tt:Second>{second}</tt:Second></tt:Time><tt:Date><tt:Year>{year}</tt:Year>\
         <tt:Month>{month}</tt:Month><tt:Day>{day}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>"
    )
}

fn media_uri(uri: &str) -> String {
    format!(
        "<trt:MediaUri><tt:Uri>{}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>\
         <tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>",
        Escaped(uri)
    )
}

fn profile(camera: &Camera, tag: &str) -> String {
    format!(
        "<trt:{tag} token=\"profile-{}\" fixed=\"true\"><tt:Name>{}</tt:Name>{}{}</trt:{tag}>",
        Escaped(&camera.id),
        Escaped(&camera.name),
        source(camera, "tt:VideoSourceConfiguration"),
        encoder(camera, "tt:VideoEncoderConfiguration"),
    )
}

fn source(camera: &Camera, tag: &str) -> String {
    let Camera { id, name, size, .. } = camera;
    let (id, name) = (Escaped(id), Escaped(name));
    format!(
        "<{tag} token=\"source-conf-{id}\"><tt:Name>{name}</tt:Name><tt:UseCount>1</tt:UseCount>\
         <tt:SourceToken>source-{id}</tt:SourceToken><tt:Bounds x=\"0\" y=\"0\" width=\"{}\" height=\"{}\"/></{tag}>",
        size.width, size.height
    )
}

fn encoder(camera: &Camera, tag: &str) -> String {
    let Camera { id, name, size, fps, key_interval, kbits, .. } = camera;
    let (id, name) = (Escaped(id), Escaped(name));
    format!(
        "<{tag} token=\"encoder-conf-{id}\"><tt:Name>{name}</tt:Name><tt:UseCount>1</tt:UseCount>\
         <tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>{}</tt:Width><tt:Height>{}</tt:Height></tt:Resolution>\
         <tt:Quality>1</tt:Quality><tt:RateControl><tt:FrameRateLimit>{fps}</tt:FrameRateLimit>\
         <tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>{kbits}</tt:BitrateLimit></tt:RateControl>\
         <tt:H264><tt:GovLength>{key_interval}</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>\
         <tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>\
         <tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>\
         <tt:SessionTimeout>PT60S</tt:SessionTimeout></{tag}>",
        size.width, size.height
    )
}

fn video_source(camera: &Camera) -> String {
    let Camera { id, size, fps, .. } = camera;
    format!(
        "<trt:VideoSources token=\"source-{}\"><tt:Framerate>{fps}</tt:Framerate><tt:Resolution><tt:Width>{}</tt:Width>\
         <tt:Height>{}</tt:Height></tt:Resolution></trt:VideoSources>",
        Escaped(id),
        size.width,
        size.height
    )
}

/// One value, as a range: nothing can be chosen.
fn range(tag: &str, value: u32) -> String {
    format!("<tt:{tag}><tt:Min>{value}</tt:Min><tt:Max>{value}</tt:Max></tt:{tag}>")
}

fn source_options(camera: Option<&Camera>) -> String {
    let Some(camera) = camera else { return String::new() };
    format!(
        "<trt:Options><tt:BoundsRange>{}{}{}{}</tt:BoundsRange><tt:VideoSourceTokensAvailable>source-{}\
         </tt:VideoSourceTokensAvailable></trt:Options>",
        range("XRange", 0),
        range("YRange", 0),
        range("WidthRange", camera.size.width),
        range("HeightRange", camera.size.height),
        Escaped(&camera.id)
    )
}

fn encoder_options(camera: Option<&Camera>) -> String {
    let h264 = camera.map_or_else(String::new, |camera| {
        format!(
            "<tt:H264><tt:ResolutionsAvailable><tt:Width>{}</tt:Width><tt:Height>{}</tt:Height>\
             </tt:ResolutionsAvailable>{}{}{}<tt:H264ProfilesSupported>Main</tt:H264ProfilesSupported></tt:H264>",
            camera.size.width,
            camera.size.height,
            range("GovLengthRange", camera.key_interval),
            range("FrameRateRange", camera.fps),
            range("EncodingIntervalRange", 1),
        )
    });
    format!("<trt:Options>{}{h264}</trt:Options>", range("QualityRange", 1))
}
