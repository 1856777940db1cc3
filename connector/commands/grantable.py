"""Whether what is asked for can be given: checked before anything is touched, against AWS as it is now.

Only giving is checked. Taking away is never refused: what does not exist any more is simply gone.
"""

from __future__ import annotations

from collections.abc import Iterable

from connector.changing.planning import malformed
from connector.commands.desk import Desk
from connector.errors import AskPermission, ManagedElsewhere, NotGrantable
from connector.model import Pair, Step, Verb
from connector.ports import Directory
from connector.reading import requestable


def check(desk: Desk, directory: Directory, steps: Iterable[Step]) -> None:
    """Raise `NotGrantable` (or `ManagedElsewhere`) for the first of these gifts that cannot be given."""
    for step in steps:
        if why := malformed(step.attribute, step.value):
            raise NotGrantable(why)
        if step.verb is Verb.JOIN:
            _group(desk, directory, step.value)
        elif step.verb is Verb.ASSIGN:
            _pair(desk, directory, step.value)
        else:
            _application(directory, step.value)


def _group(desk: Desk, directory: Directory, id_: str) -> None:
    group = directory.group(id_)
    if group is None:
        raise NotGrantable(f"there is no group {id_}")
    refused = requestable.group(desk.source, group)
    if refused:
        raise ManagedElsewhere(f"group {group.name} ({id_}) cannot be given: {refused}")


def _pair(desk: Desk, directory: Directory, id_: str) -> None:
    pair = Pair.parse(id_)
    assert pair is not None  # not malformed
    if not directory.instance().multi_account:
        raise NotGrantable(f"{id_} cannot be given: this instance has no permission sets")
    if directory.permission_set(pair.permission_set_id) is None:
        raise NotGrantable(f"{id_} cannot be given: there is no permission set {pair.permission_set_id}")
    try:
        account = directory.aws_account(pair.aws_account_id)
    except AskPermission:
        # Organizations denied: State unknown, the grant is tried (issue "commands", part 3).
        return
    if account is None:
        raise NotGrantable(f"{id_} cannot be given: AWS account {pair.aws_account_id} is not in the organisation")
    snapshot = desk.freshness.newest()
    refused = requestable.pair(desk.records, snapshot, pair, account) if snapshot else requestable.aws_account(account)
    if refused:
        raise NotGrantable(f"{id_} cannot be given: {refused}")


def _application(directory: Directory, id_: str) -> None:
    application = directory.application(id_)
    if application is None:
        raise NotGrantable(f"there is no application {id_}")
    refused = requestable.application(application)
    if refused:
        raise NotGrantable(f"application {id_} cannot be given: {refused}")
