"""boto dicts and our nouns: pure, so every odd shape is cheap to try."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from connector.attributes import ENTERPRISE, SCALARS
from connector.aws import translate

WRITABLE = [each.name for each in SCALARS if each.writable]


def test_dates_in_utc():
    at = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone(timedelta(hours=2)))

    assert translate.user({"UserId": "u", "CreatedAt": at}).attributes["createdAt"] == "2026-01-02T01:04:05Z"


def test_nothing_is_not_an_empty_string():
    raw = {
        "UserId": "u",
        "Title": "",
        "Emails": [],
        "Addresses": [{}],
        "Name": None,
        "Extensions": {ENTERPRISE: {"manager": {}}},
    }

    assert dict(translate.user(raw).attributes) == {"userId": "u"}


def test_external_ids_in_one_order():
    ids = [{"Issuer": "b", "Id": "1"}, {"Issuer": "a", "Id": "2"}]

    for order in (ids, ids[::-1]):
        user = translate.user({"UserId": "u", "ExternalIds": order})
        assert (user.attributes["externalIdIssuer"], user.attributes["externalId"]) == ("a", "2")
        assert user.external


def test_state_before_status():
    assert translate.aws_account({"Id": "1", "State": "CLOSED", "Status": "ACTIVE"}).state == "CLOSED"
    assert translate.aws_account({"Id": "1", "Status": "SUSPENDED"}).state == "SUSPENDED"
    assert translate.aws_account({"Id": "1"}).state == ""


@given(st.dictionaries(st.sampled_from(WRITABLE), st.text(min_size=1, max_size=5)))
def test_what_is_sent_is_what_is_read(attributes):
    raw = {**translate.new_user(attributes), "UserId": "u"}

    assert dict(translate.user(raw).attributes) == {"userId": "u", **attributes}
