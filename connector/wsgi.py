"""The target for those who run gunicorn themselves: `gunicorn -c python:connector.gunicorn_options connector.wsgi:app`.

Settings come from the environment, as with `idc-connector serve`, and the same is refused: to serve nobody, and to show
tokens to the network. Here the server is not ours, so the second is seen only when a request comes.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from connector.app import build
from connector.errors import ConnectorError
from connector.known_callers import check_callers
from connector.settings import read_settings
from connector.web.plaintext import Guarded

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

APP_LOAD_ERROR = 4
"""What gunicorn takes as: this will never start."""


def make() -> WSGIApplication:
    """The application. What the operator can mend ends the server with a sentence, not with a traceback."""
    try:
        settings = read_settings()
        check_callers(settings)
        served = build(settings, proxy_hops=settings.proxy_hops or 0)
    except ConnectorError as error:
        logging.getLogger(__name__).error("%s", error)
        sys.exit(APP_LOAD_ERROR)
    return served if settings.proxy_hops else Guarded(served)


app = make()
