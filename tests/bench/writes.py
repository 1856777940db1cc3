"""Changes: a grant beside a census, and a burst of grants and revokes against the bound of ten in flight."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from tests import databases
from tests.bench.world import SHAPES, Emulated, Service, listing
from tests.running import Client, change, key

SECONDS = 4.0
"""How long AWS works on one assignment here; in the field it takes longer (aws-behaviour 27: 20 a minute)."""


def _free(dump: dict[str, Any], count: int) -> list[tuple[str, str]]:
    """(UserId, pair) that are not assigned, spread over AWS accounts."""
    instance = dump["instances"][0]
    held = {
        (each["principal_id"], each["account_id"], each["permission_set_arn"].rpartition("/")[2])
        for each in instance["assignments"]
    }
    active = [each["id"] for each in dump["accounts"] if each["state"] == "ACTIVE"]
    sets = [each["arn"].rpartition("/")[2] for each in instance["permission_sets"]]
    users = [each["id"] for each in instance["users"] if each.get("status") != "DISABLED"]
    found = []
    for index in range(len(users) * 4):
        user, account = users[index % len(users)], active[index % len(active)]
        set_ = sets[(index // len(active)) % len(sets)]
        if (user, account, set_) not in held and len(found) < count:
            held.add((user, account, set_))
            found.append((user, f"{account}:{set_}"))
    return found


def _verify(dump: dict[str, Any], jobs: list[tuple[str, str, str]]) -> None:
    """Every change is in AWS, whatever we were told."""
    held = {
        (each["principal_id"], f"{each['account_id']}:{each['permission_set_arn'].rpartition('/')[2]}")
        for each in dump["instances"][0]["assignments"]
    }
    wrong = [job for job in jobs if (job[:2] in held) is not (job[2] == "Add")]
    assert not wrong, f"{len(wrong)} of {len(jobs)} changes are not in AWS"


def _give(client: Client, user: str, pair: str, op: str = "Add") -> None:
    changes = [change(op, "permissionSetAssignments", pair)]
    account = client.one("std:account:update", key(user, changes=changes))
    assert "results" not in account, account["results"]
    assert (pair in account["attributes"]["permissionSetAssignments"]) is (op == "Add")


def beside_a_census(replicas: int = 1, tps: float = 20) -> dict[str, str]:
    """How long a grant takes alone, and while the source is read: by the same process, or by another replica."""
    options = {"--assignment-seconds": str(SECONDS)}
    with ExitStack() as running:
        emulated = running.enter_context(Emulated(SHAPES["S"], tps, options=options))
        store = {}
        if replicas > 1:
            store = {"CONNECTOR_STORE_URL": running.enter_context(databases.running()).create_database()}
        services = [running.enter_context(Service(emulated, tps * 0.9, store)) for _ in range(replicas)]
        reader, writer = services[0].running.client(), services[-1].running.client()
        (one, first), (two, second) = _free(emulated.get("organisation"), 2)
        began = time.monotonic()
        _give(writer, one, first)
        alone = time.monotonic() - began
        reading = threading.Thread(target=listing, args=(reader,))
        reading.start()
        time.sleep(3)
        began = time.monotonic()
        _give(writer, two, second)
        beside = time.monotonic() - began
        assert reading.is_alive(), "the census ended before the grant"
        reading.join()
        return {
            "census": "of the same process" if replicas == 1 else "of another replica, PostgreSQL",
            "grant alone": f"{alone:.1f} s",
            "during a census": f"{beside:.1f} s",
            "ratio": f"{beside / alone:.2f}",
        }


def burst(count: int = 200, tps: float = 20) -> dict[str, str]:
    """`count` grants and revokes at once, over all AWS accounts: half of each."""
    options = {"--assignment-seconds": str(SECONDS)}
    with Emulated(SHAPES["S"], tps, options=options) as emulated, Service(emulated, tps * 0.9) as service:
        client = service.running.client(timeout=600)
        listing(client)
        dump = emulated.get("organisation")
        active = {each["id"] for each in dump["accounts"] if each["state"] == "ACTIVE"}
        users = {each["id"] for each in dump["instances"][0]["users"]}
        taken = [
            (each["principal_id"], f"{each['account_id']}:{each['permission_set_arn'].rpartition('/')[2]}")
            for each in dump["instances"][0]["assignments"]
            if each["principal_id"] in users and each["account_id"] in active
        ][: count // 2]
        chosen = _free(dump, count - len(taken))
        jobs = [(*each, "Add") for each in chosen] + [(*each, "Remove") for each in taken]
        emulated.post("forget")
        began = time.monotonic()
        with ThreadPoolExecutor(36) as pool:
            list(pool.map(lambda job: _give(client, *job), jobs))
        seconds = time.monotonic() - began
        state = emulated.get("state")
        _verify(emulated.get("organisation"), jobs)
        per_account = Counter(pair.partition(":")[0] for _, pair, _ in jobs)
        bound = max(len(jobs) / 10, max(per_account.values())) * SECONDS
        return {
            "changes": f"{len(chosen)} grants, {len(taken)} revokes, {len(per_account)} AWS accounts",
            "bound": f"{bound:.0f} s",
            "wall": f"{seconds:.1f} s",
            "wall ÷ bound": f"{seconds / bound:.2f}",
            "verified in AWS": f"{len(jobs)}",
            "peak in flight": str(state["in_flight_peak"]),
            "sso-admin calls": str(state["families"]["sso-admin"]),
            "calls ÷ pace": f"{state['families']['sso-admin'] / (tps * 0.9):.0f} s",
        }
