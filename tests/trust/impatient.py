"""The real service with little patience at its end, so that a stop cuts off what runs: `impatient.py PORT`."""

from __future__ import annotations

import sys

from connector.app import build
from connector.serving import Server, options_for
from connector.settings import read_settings
from connector.web.logs import configure_logs

if __name__ == "__main__":
    configure_logs("INFO")
    settings = read_settings()
    options = options_for(settings, "127.0.0.1", int(sys.argv[1]), behind_proxy=False)
    Server(lambda: build(settings), options | {"graceful_timeout": 1}).run()
