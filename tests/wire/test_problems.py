"""The table of errors knows every error there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector import errors
from connector.errors import AccountNotFound, AskPermission, ConnectorError
from connector.wire.problems import PROBLEMS, problem_of, saas_text


def tree(root: type[ConnectorError]) -> Iterator[type[ConnectorError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


def test_every_error_has_its_row_and_every_row_its_error() -> None:
    assert set(PROBLEMS) == set(tree(ConnectorError))


def test_only_a_missing_account_is_an_order_to_create_one() -> None:
    assert [each for each, row in PROBLEMS.items() if row.saas_type == "notFound"] == [AccountNotFound]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("malformed", 400),
        ("unauthenticated", 401),
        ("forbidden", 403),
        ("account-not-found", 404),
        ("entitlement-not-found", 404),
        ("source-not-found", 404),
        ("conflict", 409),
        ("disable-not-configured", 409),
        ("managed-elsewhere", 409),
        ("cursor-expired", 410),
        ("too-large", 413),
        ("invalid-attribute", 422),
        ("not-grantable", 422),
        ("busy", 429),
        ("aws-failed", 502),
        ("aws-permission-missing", 502),
        ("source-misconfigured", 502),
        ("grant-failed", 502),
        ("aws-throttled", 503),
        ("still-running", 504),
    ],
)
def test_statuses_are_those_of_the_contract(kind: str, status: int) -> None:
    assert {row.status for each, row in PROBLEMS.items() if each.kind == kind} == {status}


def test_a_class_without_a_row_takes_that_of_the_nearest_above() -> None:
    class Narrower(AccountNotFound):
        pass

    assert problem_of(Narrower("x")) is PROBLEMS[AccountNotFound]


def test_texts_are_one_sentence_without_a_trace() -> None:
    denied = AskPermission("Allow it.\nNow.", action="sso:X", request_id="r-1")
    assert saas_text(denied) == "generic error: \n + ConnectorError: Allow it.\\nNow. (AWS request id r-1)"
    assert saas_text(AccountNotFound("No u-1.")) == "notFound error: \n + ConnectorError: No u-1."
