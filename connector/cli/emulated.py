"""The sandbox in a process of its own, for a demo: started here, and ended whenever its starter ends.

The two processes share a pipe, the lifeline: the starter holds its writing end and never writes. When the starter
ends, even by SIGKILL, the pipe closes and the sandbox ends itself. Its first and only line of output is a `Running`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from connector.sandbox.organisation import Organisation

SHOWN = 50
"""Users, groups and pairs told to the starter, at most."""


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that listens, as it tells about itself."""

    environment: dict[str, str]
    """What makes an AWS SDK call it."""
    scim_endpoint: str
    scim_token: str = field(repr=False)
    counts: str
    users: dict[str, str]
    """UserId by userName."""
    groups: dict[str, str]
    """GroupId by name."""
    pairs: dict[str, str]
    """Id of a permission set in an ACTIVE AWS account, by its display name."""


class Emulated:
    """The sandbox's process."""

    def __init__(self, seed: int, size: Mapping[str, int | None]) -> None:
        self._starter = os.getpid()
        asked = json.dumps({"seed": seed, "size": dict(size)})
        self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [sys.executable, "-m", __name__, asked],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the starter
        )

    def running(self) -> Running:
        """Wait until it listens."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException("The sandbox did not start; its complaint is above.")
        return Running(**json.loads(line))

    def stop(self) -> None:
        """End it. Only its starter does: a forked server process comes by here, too, and must leave it alone."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        if os.getpid() != self._starter:
            self._process.returncode = 0  # another process's child, which this one must not wait for
            return
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main(asked: str) -> None:
    """The sandbox's side: serve, tell how to be reached, and wait for the end of the lifeline."""
    from connector.sandbox.main import organisation_for
    from connector.sandbox.options import Options
    from connector.sandbox.server import Sandbox

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    given = json.loads(asked)
    organisation = organisation_for(None, given["size"], given["seed"], "eu-west-1", False)
    with Sandbox(organisation, Options(tps=20, organizations_tps=5)) as sandbox:
        running = Running(
            environment=sandbox.environment(),
            scim_endpoint=sandbox.scim_url,
            scim_token=sandbox.scim_token,
            **described(organisation),
        )
        print(json.dumps(asdict(running)), flush=True)  # noqa: T201 -- the one line of output
        sys.stdin.buffer.read()


def described(organisation: Organisation) -> dict[str, Any]:
    """What a demo shows of an organisation."""
    store, accounts, instance = organisation.store, organisation.accounts, organisation.instance
    names = {arn: each.name for arn, each in instance.permission_sets_by_arn.items()}
    active = {each.id: each.name for each in accounts if each.state == "ACTIVE"}
    pairs = {
        f"{names[arn]} on {active[account]}": f"{account}:{arn.rsplit('/', 1)[1]}"
        for arn, account in sorted(instance.pairs)
        if account in active and arn in names
    }
    return {
        "counts": f"{len(store.users)} users, {len(store.groups)} groups and {len(accounts)} AWS accounts",
        "users": _some({each.name: each.id for each in store.users}),
        "groups": _some({each.name: each.id for each in store.groups}),
        "pairs": _some(pairs),
    }


def _some(names: dict[str, str]) -> dict[str, str]:
    return dict(sorted(names.items())[:SHOWN])


if __name__ == "__main__":
    main(sys.argv[1])
