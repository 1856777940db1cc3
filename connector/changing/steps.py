"""Doing the steps of a plan, each to its own outcome: one that fails stops no other.

Conflict on giving and absence on taking are `already`. Faults become outcomes with their sentence; only a user that
was changed meanwhile is raised, because then the plan itself is out of date.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import structlog

from connector.changing.assignments import AssignmentWriter, Job
from connector.errors import (
    AskPermission,
    AwsConflict,
    ConnectorError,
    GrantFailed,
    NotFoundInAws,
)
from connector.model import Assignment, Outcome, Pair, Principal, Result, Step, Ticket, User, Verb
from connector.ports import Directory

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Hands:
    """What steps are done with."""

    directory: Directory
    writer: AssignmentWriter
    application_arn: Callable[[str], str | None]
    """An application's ARN by its id; None when there is no such application."""
    given_lately: Callable[[], Collection[str]]
    """Ids of the pairs that the user was given a moment ago: that no list shows one does not prove that it is gone."""


def perform(steps: Sequence[Step], user: User, hands: Hands) -> list[Outcome]:
    """Outcomes in the order of the steps. Raises `AwsConflict` CONCURRENT_MODIFICATION from SET_ATTRIBUTES only."""
    paired = [each for each in steps if each.verb in (Verb.ASSIGN, Verb.UNASSIGN)]
    others = [each for each in steps if each not in paired]
    with ThreadPoolExecutor(1, thread_name_prefix="steps") as pool:
        # Assignments wait for AWS for seconds; memberships need not wait for them.
        waiting = pool.submit(_assignments, paired, user, hands)
        outcomes = {id(each): _one(each, user, hands) for each in others}
        outcomes |= {id(step): outcome for step, outcome in zip(paired, waiting.result(), strict=True)}
    return [outcomes[id(each)] for each in steps]


def set_attributes(step: Step, user: User, hands: Hands) -> Outcome:
    """The attributes of a user; raises `AwsConflict` where another plan, or another request, is needed."""
    try:
        hands.directory.update_user(user, step.attributes)
    except AwsConflict as conflict:
        if conflict.reason is not None:
            raise
        return _failed(step, conflict)
    except ConnectorError as failure:
        return _failed(step, failure)
    return _told(Outcome(step, Result.DONE), user.id)


def _one(step: Step, user: User, hands: Hands) -> Outcome:
    try:
        done = _call(step, user, hands)
    except ConnectorError as failure:
        return _failed(step, failure)
    return _told(Outcome(step, Result.DONE if done else Result.ALREADY), user.id)


def _call(step: Step, user: User, hands: Hands) -> bool:
    directory = hands.directory
    me = Principal("USER", user.id)
    if step.verb is Verb.JOIN:
        return directory.join(step.value, user.id)
    if step.verb is Verb.LEAVE:
        return directory.leave(step.value, user.id)
    arn = hands.application_arn(step.value)
    if arn is None:
        if step.verb is Verb.EXPEL:
            return False  # AWS lists no such application: nobody has it
        raise NotFoundInAws(f"there is no application {step.value}")
    if step.verb is Verb.ADMIT:
        directory.admit(arn, me)
        return True
    return directory.expel(arn, me)


def _assignments(steps: Sequence[Step], user: User, hands: Hands) -> list[Outcome]:
    outcomes: dict[int, Outcome] = {}
    jobs: list[tuple[Step, Job]] = []
    for step in steps:
        pair = Pair.parse(step.value)
        deleting = step.verb is Verb.UNASSIGN
        if pair is None:
            outcomes[id(step)] = Outcome(step, Result.ALREADY if deleting else Result.FAILED, "there is no such pair")
        else:
            jobs.append((step, Job(Assignment(pair, Principal("USER", user.id)), deleting)))
    answers = hands.writer.run([job for _, job in jobs], hands.directory)
    for (step, _), answer in zip(jobs, answers, strict=True):
        outcomes[id(step)] = _told(_of_answer(step, answer, hands), user.id)
    return [outcomes[id(each)] for each in steps]


def _of_answer(step: Step, answer: Ticket | ConnectorError, hands: Hands) -> Outcome:
    if isinstance(answer, Ticket):
        if answer.absent and not (answer.status == "FAILED" and step.value in hands.given_lately()):
            return Outcome(step, Result.ALREADY)
        if answer.status == "SUCCEEDED":
            return Outcome(step, Result.DONE)
        return _of_failed(step, answer, hands.directory)
    # Refused, or not seen to end: whatever the State of the AWS account, AWS may still be able to do it.
    return _of_failure(step, answer)


def _of_failed(step: Step, ticket: Ticket, directory: Directory) -> Outcome:
    """AWS took the change up, and ended it as FAILED."""
    failed = _of_failure(step, GrantFailed(ticket.reason or "AWS gave no reason", request_id=ticket.request_id or None))
    left = _why_left(step.value, directory) if step.verb is Verb.UNASSIGN else ""
    if left:
        failed = replace(failed, reason=f"{failed.reason.removesuffix('.')}. {left}", left_by_aws=True)
    return failed


def _why_left(pair_id: str, directory: Directory) -> str:
    """That AWS cannot take the assignment away because its AWS account is not ACTIVE, and what helps; else empty."""
    aws_account_id = pair_id.partition(":")[0]
    try:
        account = directory.aws_account(aws_account_id)
    except AskPermission:
        return ""
    except ConnectorError as failure:
        log.warning("the State of an AWS account could not be read", reason=str(failure))
        return ""
    if account is None or account.state in ("", "ACTIVE"):
        return ""
    return (
        f"AWS account {account.name} ({aws_account_id}) is {account.state}, and AWS takes nothing away there until it "
        "is ACTIVE again: reactivate it, then send the same again"
    )


def _failed(step: Step, failure: ConnectorError) -> Outcome:
    log.warning("step failed", step=step.verb.value, attribute=step.attribute, reason=str(failure))
    return _of_failure(step, failure)


def _of_failure(step: Step, failure: ConnectorError) -> Outcome:
    return Outcome(
        step,
        Result.FAILED,
        str(failure),
        failure.retryable,
        failure.kind,
        request_id=failure.request_id or "",
        action=failure.action or "" if isinstance(failure, AskPermission) else "",
        unknown=failure.unknown,
    )


def _told(outcome: Outcome, account: str) -> Outcome:
    log.info(
        "step",
        step=outcome.step.verb.value,
        attribute=outcome.step.attribute,
        entitlement=outcome.step.value,
        account=account,
        result=outcome.result.value,
    )
    return outcome
