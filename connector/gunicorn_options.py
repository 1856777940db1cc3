"""Our options as gunicorn's configuration, for `gunicorn -c python:connector.gunicorn_options connector.wsgi:app`.

Each reason stands in `serving`. Addresses and TLS are the caller's to give.
"""

from connector.serving import OPTIONS

globals().update(OPTIONS)
