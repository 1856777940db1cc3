"""Whether what is asked for can be given: checked before anything is touched, against AWS as it is now.

Only giving is checked. Taking away is never refused: what does not exist any more is simply gone.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from connector.changing.planning import malformed
from connector.commands.desk import Desk
from connector.errors import AskPermission, ConnectorError, ManagedElsewhere, NotGrantable
from connector.model import Pair, Step, Verb
from connector.ports import Directory
from connector.reading import requestable

log = structlog.get_logger(__name__)


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


def gone(directory: Directory, step: Step) -> str:
    """What AWS says no longer exists of what the step would give; empty when all of it does, or AWS does not say."""
    try:
        return _gone(directory, step)
    except ConnectorError as failure:
        log.warning("whether something still exists could not be read", entitlement=step.value, reason=str(failure))
        return ""


def _gone(directory: Directory, step: Step) -> str:
    if step.verb is Verb.JOIN:
        return "" if directory.group(step.value) is not None else f"group {step.value}"
    if step.verb is Verb.ADMIT:
        return "" if directory.application(step.value) is not None else f"application {step.value}"
    pair = Pair.parse(step.value)
    if pair is None or directory.permission_set(pair.permission_set_id) is None:
        return f"permission set {step.value.partition(':')[2]}"
    return "" if directory.aws_account(pair.aws_account_id) is not None else f"AWS account {pair.aws_account_id}"


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
