"""Our options as gunicorn's configuration, for `gunicorn -c python:connector.gunicorn_options connector.wsgi:app`.

Each reason stands in `serving`. Addresses and TLS are the caller's to give; plain HTTP off loopback is refused before
anything listens.
"""

from __future__ import annotations

import sys
from typing import Any

from connector.errors import FixConfiguration
from connector.serving import OPTIONS, is_loopback
from connector.settings import read_settings
from connector.web.plaintext import SENTENCE

globals().update(OPTIONS)


def on_starting(server: Any) -> None:
    """Called by gunicorn's master."""
    try:
        hops = read_settings().proxy_hops
    except FixConfiguration as error:
        sys.exit(str(error))
    hosts = [address[0] for address in server.cfg.address if isinstance(address, tuple)]
    if not (server.cfg.is_ssl or hops) and not all(is_loopback(host) for host in hosts):
        sys.exit(SENTENCE)
