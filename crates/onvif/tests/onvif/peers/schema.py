"""Judges SOAP bodies by ONVIF's own schemas, with libxml2. In: {"wsdl": folder, "bodies": [xml]}; out: [[error]]."""

import json
import os
import sys

from lxml import etree

asked = json.load(sys.stdin)
WSDL = asked["wsdl"]
XS = "{http://www.w3.org/2001/XMLSchema}"
ENVELOPE = "{http://www.w3.org/2003/05/soap-envelope}"


def schema(name):
    """The schema inside a WSDL, its imports taken from the same folder."""
    path = os.path.join(WSDL, name)
    root = etree.parse(path).find(f".//{XS}schema")
    return etree.XMLSchema(etree.fromstring(etree.tostring(root), base_url=path))


schemas = {
    "http://www.onvif.org/ver10/device/wsdl": schema("devicemgmt.wsdl"),
    "http://www.onvif.org/ver10/media/wsdl": schema("media.wsdl"),
}
verdicts = []
for text in asked["bodies"]:
    body = etree.fromstring(text.encode()).find(f"{ENVELOPE}Body")[0]
    judge = schemas[etree.QName(body).namespace]
    judge.validate(etree.fromstring(etree.tostring(body)))
    verdicts.append([str(error) for error in judge.error_log])
json.dump(verdicts, sys.stdout)
