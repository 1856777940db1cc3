"""`idc-connector demo`: the sandbox and the service on it, together, until Ctrl-C.

Settings and AWS variables of the shell are set aside: a demo must never reach a real AWS. What it keeps is in a
temporary directory, which goes with it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connector.cli.emulated import Emulated, Running
from connector.cli.tour import tour
from connector.errors import FixConfiguration
from connector.model import Source
from connector.serving import Server, check_free, options_for
from connector.settings import Settings, aws_surroundings
from connector.sources import DEFAULT
from connector.tokens import Token, digest_of, new_token
from connector.web.logs import configure_logs

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"


@click.command("demo")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--users", type=click.IntRange(1), default=None, help="Users of a generated organisation.")
@click.option("--groups", type=click.IntRange(1), default=None, help="Its groups.")
@click.option("--permission-sets", type=click.IntRange(1), default=None, help="Its permission sets.")
@click.option("--aws-accounts", type=click.IntRange(1), default=None, help="Its AWS accounts.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same organisation.")
def demo_command(port: int, seed: int, **size: int | None) -> None:
    """Serve with an emulated AWS behind, and print a token and lines to try.

    The organisation is a small one with everything in it that can go wrong, unless its size is given. Nothing real is
    asked or changed.
    """
    try:
        check_free(HOST, port)
    except FixConfiguration as error:
        raise click.ClickException(f"{error} A demo may be running already.") from error
    starter = os.getpid()
    directory = Path(tempfile.mkdtemp(prefix="idc-connector-demo-"))
    sandbox = Emulated(seed, size)
    try:
        serve(sandbox.running(), directory, port)
    finally:
        sandbox.stop()
        if os.getpid() == starter:  # the server's worker, a fork, comes by here when it ends
            shutil.rmtree(directory, ignore_errors=True)


def serve(sandbox: Running, directory: Path, port: int) -> None:
    """Serve on the sandbox until told to stop."""
    use_only(sandbox.environment)
    secret = new_token()
    settings = settings_for(sandbox, directory, secret)
    configure_logs(settings.log_level)
    address = f"http://{HOST}:{port}"

    def say(_arbiter: object) -> None:
        click.echo(
            f"The demo serves {sandbox.counts} at {address}; AWS is emulated, nothing is real. Ctrl-C ends it.\n"
        )
        click.echo(f"Token (scope provision, until the demo ends):\n\n  {secret}\n")
        steered = f"{sandbox.environment['AWS_ENDPOINT_URL']}/_sandbox"
        click.echo(f"The emulated AWS is steered at {steered} (docs/sandbox.md). For the lines of README.md:\n")
        click.echo(f"  export TOKEN={secret} SANDBOX={steered}\n")
        click.echo(tour(address, secret, sandbox))
        sys.stdout.flush()

    def make() -> WSGIApplication:
        from connector.app import build

        return build(settings)

    options = options_for(settings, HOST, port, behind_proxy=False)
    Server(make, options | {"when_ready": say, "graceful_timeout": 5}).run()


def use_only(environment: dict[str, str]) -> None:
    """Let boto3 find the sandbox and nothing else."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "CONNECTOR_"))]:
        if name != "CONNECTOR_LOG_LEVEL":
            del os.environ[name]
    nothing = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    os.environ.update(nothing | environment)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), HOST)))


def settings_for(sandbox: Running, directory: Path, secret: str) -> Settings:
    """Settings of a service on the sandbox: its SCIM endpoint enables and disables, its store goes with the demo."""
    scim_token = directory / "scim-token"
    scim_token.touch(mode=0o600)
    scim_token.write_text(sandbox.scim_token)
    source = Source(
        DEFAULT,
        region=sandbox.environment["AWS_REGION"],
        disable_by="scim",
        scim_endpoint=sandbox.scim_endpoint,
        scim_token_file=str(scim_token),
    )
    level = os.environ.get("CONNECTOR_LOG_LEVEL", "").upper()
    return Settings(
        tokens=(Token("demo", "provision", digest_of(secret)),),
        sources={DEFAULT: source},
        store_url=f"sqlite:///{directory / 'connector.db'}",
        log_level="INFO" if level == "INFO" else "DEBUG" if level == "DEBUG" else "WARNING",
        aws_surroundings=aws_surroundings(),
    )
