"""The cheapest walk that can prove an organisation's accounts, from its true numbers (aws-behaviour 21).

Knows nothing of how the connector walks: pages of 100 (Organizations 20), names included, the cheaper side each time.
"""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import Any


def pages(rows: int, page: int = 100) -> int:
    """An empty list costs a call too."""
    return max(1, ceil(rows / page))


def cheapest(dump: dict[str, Any]) -> dict[str, int]:
    """Calls by family."""
    instance = dump["instances"][0]
    users = {each["id"] for each in instance["users"]}
    groups = [each["id"] for each in instance["groups"]]
    memberships = [(each["group_id"], each["user_id"]) for each in instance["memberships"]]
    of_group, of_user = Counter(group for group, _ in memberships), Counter(user for _, user in memberships)
    by_group = sum(pages(of_group[each]) for each in groups)
    by_user = sum(pages(of_user[each]) for each in users)

    sets = [each["arn"] for each in instance["permission_sets"]]
    pairs = [(each["permission_set_arn"], each["account_id"]) for each in instance["pairs"]]
    of_set, of_account = Counter(arn for arn, _ in pairs), Counter(account for _, account in pairs)
    enumeration = min(
        sum(pages(of_set[each]) for each in sets), sum(pages(of_account[each["id"]]) for each in dump["accounts"])
    )
    assignments = instance["assignments"]
    of_pair = Counter((each["permission_set_arn"], each["account_id"]) for each in assignments)
    by_pair = sum(pages(of_pair[each]) for each in pairs)
    held = Counter(each["principal_id"] for each in assignments)
    effective = Counter({user: held[user] for user in users})
    for group, user in memberships:
        effective[user] += held[group]
    empty = [each for each in groups if not of_group[each]]
    by_principal = sum(pages(effective[each]) for each in users) + sum(pages(held[each]) for each in empty)
    return {
        "identitystore": pages(len(users)) + pages(len(groups)) + min(by_group, by_user),
        "sso-admin": 1 + pages(len(sets)) + len(sets) + enumeration + min(by_pair, by_principal),
        "organizations": pages(len(dump["accounts"]), 20),
    }
