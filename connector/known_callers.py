"""Whether anybody could call, asked before the service starts: a server that must refuse everybody was set up wrongly.

The settings, and when they name nobody the store, are asked; nothing is changed.
"""

from __future__ import annotations

import time
from contextlib import closing

from connector.errors import FixConfiguration
from connector.settings import Settings
from connector.store import open_store, shown


def check_callers(settings: Settings) -> None:
    """`FixConfiguration` when neither the environment nor the store knows a caller."""
    if settings.tokens or settings.oidc_clients:
        return
    with closing(open_store(settings.store_url, make_folder=settings.store_in_default_place)) as store:
        if any(not kept.token.expired(time.time()) for kept in store.tokens.listed()):
            return
    raise FixConfiguration(
        f"Nobody could call: there is no valid token in the store {shown(settings.store_url)} (CONNECTOR_STORE_URL),"
        " and CONNECTOR_API_TOKENS is not set. If that is the store you mean, run `idc-connector token new"
        " --name sailpoint --scope provision` with this environment, and start again."
    )
