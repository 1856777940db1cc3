"""The real connector in this process, on one store: a core of its own for each configuration, as after a restart."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connector.app import Core
from connector.commands import COMMANDS
from connector.commands.desk import Desk
from connector.model import (
    Account,
    Change,
    ChangeAccount,
    Done,
    ListAccounts,
    NoInput,
    OneAccount,
    Op,
    Snapshot,
    Source,
)
from connector.sandbox.server import Sandbox
from connector.settings import Settings, aws_surroundings
from tests.acceptance.oracle import Truth, dump


@dataclass
class Restarting:
    """A connector that is started with one configuration after another, on one store."""

    folder: Path
    patch: pytest.MonkeyPatch
    cores: list[Core] = field(default_factory=list)

    def on(self, sandbox: Sandbox, **options: Any) -> Configured:
        """Started anew."""
        for name, value in sandbox.environment().items():
            self.patch.setenv(name, value)
        source = Source("default", region=sandbox.region, **{"snapshot_max_age": 3600.0, **options})
        paces = dict.fromkeys(("aws_tps", "identitystore_tps", "organizations_tps"), 1000)
        url = f"sqlite:///{self.folder / 'store.db'}"
        core = Core(
            Settings(sources={"default": source}, store_url=url, aws_surroundings=aws_surroundings(), **paces)  # type: ignore[arg-type]
        )
        self.cores.append(core)
        return Configured(core, sandbox)

    def stop(self) -> None:
        for core in self.cores:
            core.directories.close()
            core.store.close()


@dataclass
class Configured:
    """The connector with one configuration."""

    core: Core
    sandbox: Sandbox

    def desk(self) -> Desk:
        return self.core.desk(self.core.settings.sources["default"], threading.Event())

    def run(self, command: str, asked: Any) -> list[Any]:
        return list(COMMANDS[command].run(self.desk(), asked))

    def newest(self) -> Snapshot:
        """The newest snapshot."""
        found = self.desk().freshness.newest()
        assert found is not None
        return found

    def accounts(self) -> dict[str, dict[str, Any]]:
        """A list, in the form that can be compared with the truth."""
        found = [each for each in self.run("std:account:list", ListAccounts()) if isinstance(each, Account)]
        return {each.id: {"attributes": _plain(each)} for each in found}

    def account(self, id_: str) -> dict[str, Any]:
        """A live read."""
        (found,) = self.run("std:account:read", OneAccount(id_))
        return _plain(found)

    def change(self, id_: str, op: Op, attribute: str, *values: str) -> None:
        self.run("std:account:update", ChangeAccount(id_, (Change(op, attribute, values),)))

    def warnings(self) -> list[str]:
        """What test-connection warns of."""
        (found,) = self.run("std:test-connection", NoInput())
        assert isinstance(found, Done)
        return [str(each) for each in found.details["warnings"]]  # type: ignore[attr-defined]

    def outsider(self) -> tuple[str, str]:
        """A user, and a group he is not in."""
        truth = self.truth
        user = min(truth.users)
        return user, min(set(truth.groups) - truth.member_of[user])

    @property
    def truth(self) -> Truth:
        return Truth(dump(self.sandbox))


def _plain(account: Account) -> dict[str, Any]:
    return {name: list(each) if isinstance(each, tuple) else each for name, each in account.attributes.items()}
