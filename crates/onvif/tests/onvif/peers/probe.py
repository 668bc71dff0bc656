"""Finds devices by the PyPI package WSDiscovery. Prints [[endpoint, addresses, scopes]]."""

import json
import sys

from wsdiscovery import QName, Scope
from wsdiscovery.discovery import ThreadedWSDiscovery

asked = json.load(sys.stdin)
search = ThreadedWSDiscovery()
search.start()
types = [QName("http://www.onvif.org/ver10/network/wsdl", name) for name in asked["types"]]
scopes = [Scope(scope) for scope in asked["scopes"]]
found = search.searchServices(types=types or None, scopes=scopes or None, timeout=asked["seconds"])
rows = [[s.getEPR(), s.getXAddrs(), [scope.getValue() for scope in s.getScopes()]] for s in found]
search.stop()
json.dump(rows, sys.stdout)
