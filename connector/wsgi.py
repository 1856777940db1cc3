"""The target for those who run gunicorn themselves: `gunicorn -c python:connector.gunicorn_options connector.wsgi:app`.

Settings come from the environment, as with `idc-connector serve`.
"""

from connector.app import build
from connector.settings import read_settings

settings = read_settings()
app = build(settings, proxy_hops=settings.proxy_hops or 0)
