"""A recorder that adds every camera of a device. Asks by JSON on standard input, answers by JSON on standard output."""

import asyncio
import json
import os
import sys

asked = json.load(sys.stdin)
HOST, PORT, USER, PASSWORD = asked["host"], asked["port"], asked["user"], asked["password"]
WSDL = asked["wsdl"]


def setup(token):
    return {
        "StreamSetup": {"Stream": "RTP-Unicast", "Transport": {"Protocol": asked.get("protocol", "RTSP")}},
        "ProfileToken": token,
    }


def row(profile, stream, snapshot):
    encoder = profile.VideoEncoderConfiguration
    return {
        "token": profile.token,
        "name": profile.Name,
        "encoding": str(encoder.Encoding),
        "width": encoder.Resolution.Width,
        "height": encoder.Resolution.Height,
        "fps": encoder.RateControl.FrameRateLimit,
        "source": profile.VideoSourceConfiguration.SourceToken,
        "stream": stream.Uri,
        "snapshot": snapshot and snapshot.Uri,
    }


def add(media):
    """As a recorder does: profiles, then for each its stream, and its picture where there is one."""
    from zeep.exceptions import Fault

    rows = []
    for profile in media.GetProfiles():
        try:
            snapshot = media.GetSnapshotUri({"ProfileToken": profile.token})
        except Exception as error:
            if "does not do that" not in str(error):
                raise
            snapshot = None
        rows.append(row(profile, media.GetStreamUri(setup(profile.token)), snapshot))
    return rows


def with_zeep():
    from onvif import ONVIFCamera

    camera = ONVIFCamera(
        HOST, PORT, USER, PASSWORD, WSDL, encrypt=asked.get("encrypt", True), adjust_time=asked.get("adjust", True)
    )
    device, media = camera.devicemgmt, camera.create_media_service()
    about = device.GetDeviceInformation()
    calls = []
    for service, action, arguments in [
        (device, "GetServices", {"IncludeCapability": True}),
        (device, "GetScopes", None),
        (device, "GetHostname", None),
        (device, "GetNetworkInterfaces", None),
        (device, "GetServiceCapabilities", None),
        (media, "GetServiceCapabilities", None),
        (media, "GetVideoSources", None),
        (media, "GetVideoSourceConfigurations", None),
        (media, "GetVideoEncoderConfigurations", None),
        (media, "GetVideoEncoderConfigurationOptions", None),
    ]:
        getattr(service, action)(arguments) if arguments else getattr(service, action)()
        calls.append(action)
    refused = []
    for service, action, arguments in [
        (device, "SetHostname", {"Name": "mine"}),
        (device, "SystemReboot", None),
        (device, "CreateUsers", {"User": [{"Username": "eve", "Password": "evil", "UserLevel": "Administrator"}]}),
        (media, "CreateProfile", {"Name": "mine"}),
        (media, "DeleteProfile", {"ProfileToken": media.GetProfiles()[0].token}),
    ]:
        try:
            getattr(service, action)(arguments) if arguments else getattr(service, action)()
        except Exception as error:
            refused.append([action, str(error)])
    return {
        "manufacturer": about.Manufacturer,
        "serial": about.SerialNumber,
        "cameras": add(media),
        "calls": calls,
        "refused": refused,
    }


def with_http_digest():
    """No token in the envelope: `requests` answers the challenge."""
    import requests
    from requests.auth import HTTPDigestAuth
    from zeep import Client, Transport

    session = requests.Session()
    session.auth = HTTPDigestAuth(USER, PASSWORD)
    client = Client(os.path.join(WSDL, "media.wsdl"), transport=Transport(session=session))
    binding = "{http://www.onvif.org/ver10/media/wsdl}MediaBinding"
    media = client.create_service(binding, f"http://{HOST}:{PORT}/onvif/media_service")
    rows = []
    for profile in media.GetProfiles():
        stream = media.GetStreamUri(**setup(profile.token))
        rows.append(row(profile, stream, None))
    return {"cameras": rows}


async def with_async():
    from onvif import ONVIFCamera

    camera = ONVIFCamera(HOST, PORT, USER, PASSWORD, WSDL, adjust_time=True)
    try:
        await camera.update_xaddrs()
        media = await camera.create_media_service()
        rows = []
        for profile in await media.GetProfiles():
            stream = await media.GetStreamUri(setup(profile.token))
            try:
                snapshot = await media.GetSnapshotUri({"ProfileToken": profile.token})
            except Exception as error:
                if "does not do that" not in str(error):
                    raise
                snapshot = None
            rows.append(row(profile, stream, snapshot))
        picture = await camera.get_snapshot(rows[0]["token"]) if rows[0]["snapshot"] else None
        return {"cameras": rows, "picture": picture and picture.decode("latin-1")}
    finally:
        await camera.close()


KINDS = {"zeep": with_zeep, "http-digest": with_http_digest, "async": lambda: asyncio.run(with_async())}
try:
    answer = KINDS[asked["kind"]]()
except Exception as error:
    answer = {"error": f"{type(error).__module__}.{type(error).__name__}: {error}"}
json.dump(answer, sys.stdout)
