"""`idc-connector serve`: settings from the environment, then gunicorn until it is told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from connector.cli.complaints import shown
from connector.errors import ConnectorError
from connector.known_callers import check_callers
from connector.serving import Server, check_free, check_tls, options_for
from connector.settings import Settings, read_settings
from connector.web.logs import configure_logs

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option(
    "--behind-proxy",
    is_flag=True,
    help="A reverse proxy does TLS and is the only one that can connect: plain HTTP off loopback is allowed, and the "
    "proxy's X-Forwarded headers are believed (CONNECTOR_PROXY_HOPS of them, 1 unless set).",
)
def serve_command(host: str, port: int, behind_proxy: bool) -> None:
    """Serve the commands to SailPoint.

    Needs at least one caller (see `idc-connector token new`), and AWS credentials where boto3 finds them.
    CONNECTOR_SOURCES names a TOML file of sources; without it there is one, `default`.
    """
    try:
        settings = settings_to_serve()
        options = options_for(settings, host, port, behind_proxy)
        check_tls(settings)
        check_free(host, port)
    except ConnectorError as error:
        raise click.ClickException(shown(error)) from error
    configure_logs(settings.log_level)
    hops = (settings.proxy_hops or 1) if behind_proxy else 0

    def make() -> WSGIApplication:  # in the worker: what it imports must not be shared through a fork
        from connector.app import build

        return build(settings, proxy_hops=hops)

    Server(make, options).run()


def settings_to_serve() -> Settings:
    """Settings with which somebody could call. `ConnectorError` says what is wrong."""
    settings = read_settings()
    check_callers(settings)
    return settings
