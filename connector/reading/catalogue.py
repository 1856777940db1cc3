"""Names for ids: permission sets, AWS accounts, groups, applications.

Filled from a snapshot; what a live read meets beyond it is asked from AWS once and remembered by the catalogue, which
lives as long as one command.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from connector.errors import AskPermission
from connector.model import AwsAccount, Fact, Group, Pair, Snapshot
from connector.ports import Directory, Records
from connector.reading import facts
from connector.reading.work import every


class Catalogue:
    """Names of one source, for one command."""

    def __init__(self, records: Records, snapshot: Snapshot | None, directory: Directory | None = None) -> None:
        self._records = records
        self._snapshot = snapshot
        self._directory = directory
        self._permission_sets: dict[str, str] = {}
        self._aws_accounts: dict[str, AwsAccount] = {}
        self._groups: dict[str, Group | None] = {}
        self._applications: dict[str, str] = {}
        self._asked: set[str] = set()
        """Kinds of which AWS was asked for all names."""

    def load(self) -> None:
        """Take everything the snapshot knows, for commands that will need most of it."""
        if self._snapshot is None:
            return
        snapshot, records = self._snapshot, self._records
        for each in every(records, snapshot, facts.PERMISSION_SET):
            self._permission_sets[each.id] = str(each.body["name"])
        for each in every(records, snapshot, facts.AWS_ACCOUNT):
            self._aws_accounts[each.id] = facts.aws_account(each)
        for each in every(records, snapshot, facts.GROUP):
            self._groups[each.id] = facts.group(each)
        for each in every(records, snapshot, facts.APPLICATION):
            self._applications[each.id] = str(each.body["name"])

    def pair(self, pair_id: str) -> str:
        """`AdministratorAccess on Data (123456789012)`; ids where AWS would not tell a name."""
        pair = Pair.parse(pair_id)
        if pair is None:
            return pair_id
        name = self.aws_account(pair.aws_account_id).name
        place = f"{name} ({pair.aws_account_id})" if name else pair.aws_account_id
        return f"{self.permission_set(pair.permission_set_id)} on {place}"

    def permission_set(self, id_: str) -> str:
        """Its name, or its id when it is gone."""
        if id_ not in self._permission_sets:
            self._permission_sets[id_] = self._permission_set_name(id_)
        return self._permission_sets[id_]

    def aws_account(self, id_: str) -> AwsAccount:
        """Its name and State, both empty when nobody would tell."""
        found = self._aws_accounts.get(id_) or self._kept_aws_account(id_)
        if found is None:
            self._ask_once(
                facts.AWS_ACCOUNT,
                lambda aws: self._aws_accounts.update((each.id, each) for each in aws.aws_accounts()),
            )
            found = self._aws_accounts.get(id_)
        return self._aws_accounts.setdefault(id_, found or AwsAccount(id_))

    def group(self, id_: str) -> str:
        """Its name, or its id when it is gone."""
        if id_ not in self._groups:
            self._groups[id_] = self._find_group(id_)
        found = self._groups[id_]
        return found.name if found is not None else id_

    def application(self, id_: str) -> str:
        """Its name, or its id when it is gone or nobody would tell."""
        found = self._applications.get(id_) or self._kept_application(id_)
        if found is None:
            self._ask_once(facts.APPLICATION, lambda aws: self._applications.update(aws.application_names()))
            found = self._applications.get(id_)
        return self._applications.setdefault(id_, id_ if found is None else found)

    def _permission_set_name(self, id_: str) -> str:
        kept = self._kept(facts.PERMISSION_SET, id_)
        if kept is not None:
            return str(kept.body["name"])
        found = self._directory.permission_set(id_) if self._directory is not None else None
        return found.name if found is not None else id_

    def _kept_aws_account(self, id_: str) -> AwsAccount | None:
        kept = self._kept(facts.AWS_ACCOUNT, id_)
        return facts.aws_account(kept) if kept is not None else None

    def _kept_application(self, id_: str) -> str | None:
        kept = self._kept(facts.APPLICATION, id_)
        return str(kept.body["name"]) if kept is not None else None

    def _kept(self, kind: str, id_: str) -> Fact | None:
        """What the snapshot has of it."""
        return self._records.one(self._snapshot, kind, id_) if self._snapshot else None

    def _ask_once(self, kind: str, ask: Callable[[Directory], None]) -> None:
        """Have all names of a kind asked for, by whoever needs the first that is not known."""
        if self._directory is None or kind in self._asked:
            return
        self._asked.add(kind)
        # Where it is denied, test-connection and the census say so; here the id stands for the name.
        with suppress(AskPermission):
            ask(self._directory)

    def _find_group(self, id_: str) -> Group | None:
        kept = self._kept(facts.GROUP, id_)
        if kept is not None:
            return facts.group(kept)
        return self._directory.group(id_) if self._directory is not None else None
