"""The real service with short silences and few commands at once, so that tests need not wait: `quick.py PORT`."""

from __future__ import annotations

import sys

from connector.app import build
from connector.serving import Server, options_for
from connector.settings import read_settings
from connector.web.logs import configure_logs
from connector.web.service import Limits

LIMITS = Limits(commands=6, silence=0.6, attention=0.05)

if __name__ == "__main__":
    configure_logs("INFO")
    settings = read_settings()
    options = options_for(settings, "127.0.0.1", int(sys.argv[1]), behind_proxy=False)
    Server(lambda: build(settings, limits=LIMITS), options | {"graceful_timeout": 5}).run()
