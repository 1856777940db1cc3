"""The command line of the sandbox: options in, a running server out.

`connector.cli` mounts `sandbox_command`. It prints what a shell needs to use the sandbox and runs until SIGINT
or SIGTERM. No logic of the emulation is here.
"""

import signal
import threading
from types import FrameType

import click

from connector.sandbox.control import check_denied
from connector.sandbox.options import Options
from connector.sandbox.organisation import Organisation
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from connector.sandbox.small import small


@click.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=4566,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--organisation",
    type=click.Choice(["small", "generated"]),
    default=None,
    help="The named organisation; `small` unless a size is given.",
)
@click.option("--users", type=click.IntRange(0), default=None, help="Users of a generated organisation.")
@click.option("--groups", type=click.IntRange(0), default=None, help="Groups of a generated organisation.")
@click.option("--permission-sets", type=click.IntRange(0), default=None, help="Permission sets, likewise.")
@click.option("--aws-accounts", type=click.IntRange(1), default=None, help="AWS accounts, likewise.")
@click.option("--applications", type=click.IntRange(0), default=None, help="Applications, likewise.")
@click.option("--pairs", type=click.IntRange(0), default=None, help="Provisioned pairs, likewise.")
@click.option("--external-idp", is_flag=True, help="Users and groups come from an identity provider.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same organisation.")
@click.option("--region", default="eu-west-1", show_default=True, help="The instance's primary Region.")
@click.option(
    "--tps",
    type=click.FloatRange(0),
    default=20.0,
    show_default=True,
    help="Requests a second for sso-admin, and again for identitystore; 0: no limit.",
)
@click.option(
    "--organizations-tps", type=click.FloatRange(0), default=5.0, show_default=True, help="The same for organizations."
)
@click.option("--latency-ms", type=click.FloatRange(0), default=0.0, show_default=True, help="Added to every answer.")
@click.option(
    "--fault-rate", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="The share of calls that fail."
)
@click.option("--deny", multiple=True, metavar="OPERATION", help="An operation to deny; may be repeated.")
@click.option(
    "--assignment-seconds",
    type=click.FloatRange(0),
    default=0.5,
    show_default=True,
    help="How long an assignment is IN_PROGRESS.",
)
@click.option(
    "--caller",
    type=click.Choice(["management", "delegated", "member"]),
    default="management",
    show_default=True,
    help="Who a caller with any access key is.",
)
def sandbox_command(
    host: str,
    port: int,
    organisation: str | None,
    users: int | None,
    groups: int | None,
    permission_sets: int | None,
    aws_accounts: int | None,
    applications: int | None,
    pairs: int | None,
    external_idp: bool,
    seed: int,
    region: str,
    tps: float,
    organizations_tps: float,
    latency_ms: float,
    fault_rate: float,
    deny: tuple[str, ...],
    assignment_seconds: float,
    caller: str,
) -> None:
    """Serve an emulated AWS with IAM Identity Center in it, for any AWS SDK."""
    try:
        check_denied(list(deny))
    except ValueError as error:
        raise click.BadParameter(f"{error}", param_hint="--deny") from None
    size = {
        "users": users,
        "groups": groups,
        "permission_sets": permission_sets,
        "aws_accounts": aws_accounts,
        "applications": applications,
        "pairs": pairs,
    }
    options = Options(
        tps=tps or None,
        organizations_tps=organizations_tps or None,
        latency_ms=latency_ms,
        fault_rate=fault_rate,
        deny=list(deny),
        assignment_seconds=assignment_seconds,
        caller=caller,
    )
    made = organisation_for(organisation, size, seed, region, external_idp)
    try:
        sandbox = Sandbox(made, options, host=host, port=port).start()
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        raise click.ClickException(
            f"Cannot listen on {host}:{port}: {reason}. Choose another --port or --host."
        ) from None
    run(sandbox)


def organisation_for(
    name: str | None, size: dict[str, int | None], seed: int, region: str, external_idp: bool
) -> Organisation:
    """The organisation that the options ask for."""
    given = {key: value for key, value in size.items() if value is not None}
    if name is None:
        name = "generated" if given or external_idp else "small"
    if name == "generated":
        return generated(Size(**given), seed, region, external_idp)
    if given or external_idp:
        raise click.UsageError("the small organisation has a size of its own; leave out the options that set one")
    return small(seed, region)


def run(sandbox: Sandbox) -> None:
    """Serve until told to stop; it listens already."""
    told = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        click.echo(banner(sandbox))
        while not told.wait(0.5):
            pass
    finally:
        sandbox.stop()
    click.echo("The sandbox has stopped.")


def banner(sandbox: Sandbox) -> str:
    """One line for people, then lines for a shell."""
    organisation = sandbox.organisation
    lines = [
        f"The sandbox serves {len(organisation.store.users)} users, {len(organisation.store.groups)} groups and "
        f"{len(organisation.accounts)} AWS accounts at {sandbox.url} (control: {sandbox.url}/_sandbox/state)."
    ]
    lines.extend(f"export {name}={value}" for name, value in sandbox.environment().items())
    lines.append(f"export SANDBOX_SCIM_ENDPOINT={sandbox.scim_url}")
    lines.append(f"export SANDBOX_SCIM_TOKEN={sandbox.scim_token}")
    return "\n".join(lines)
