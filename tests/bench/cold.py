"""A cold account aggregation: AWS calls against the cheapest walk, and wall time against what the pace allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3

from connector.pace.buckets import rate_of
from tests.bench.oracle import cheapest
from tests.bench.world import SHAPES, Emulated, Service, listing


def cold(name: str, tps: float, latency: float = 60, *, beside: bool = False) -> dict[str, str]:
    """One shape at one quota, and a latency in ms; `beside` another client, which takes half of the sso-admin quota."""
    shape = SHAPES[name]
    with Emulated(shape, tps, latency) as emulated, Service(emulated, tps * 0.9) as service:
        with rival(emulated.environment(), tps / 2 if beside else 0.0) as rivalled:
            found = listing(service.running.client())
        state = emulated.get("state")
        families = state["families"]
        least = cheapest(emulated.get("organisation"))
        ours = {name: families[name] - (rivalled[0] if name == "sso-admin" else 0) for name in least}
        assert found.frames == shape.users, f"{found.frames} accounts of {shape.users}"
        again = listing(service.running.client())
        assert emulated.get("state")["calls_total"] == state["calls_total"], "a second list asked AWS"
        # The bucket is full when the census begins: that many calls need not wait.
        bound = (ours["sso-admin"] - rate_of(tps * 0.9).burst) / (tps * 0.9)
        throttled = sum(state["throttles"].values()) if isinstance(state["throttles"], dict) else state["throttles"]
        return {
            "run": f"{name} at {tps:.0f} TPS, {latency:.0f} ms" + (", half taken by another client" if beside else ""),
            "calls": " + ".join(f"{ours[each]} {each}" for each in ours),
            "cheapest": str(sum(least.values())),
            "calls ÷ cheapest": f"{sum(ours.values()) / sum(least.values()):.3f}",
            "wall": f"{found.total:.1f} s",
            "(calls − burst) ÷ pace": f"{bound:.1f} s",
            "wall ÷ bound": f"{found.total / bound:.2f}",
            "throttled": f"{throttled}",
            "first frame": f"{found.first:.1f} s",
            "longest silence": f"{found.silence:.1f} s",
            "second list": f"{again.total:.2f} s, no call",
        }


@contextmanager
def rival(environment: Mapping[str, str], tps: float) -> Iterator[list[int]]:
    """Somebody else who calls sso-admin `tps` times a second; counts the calls."""
    made = [0]
    stop = threading.Event()

    def call() -> None:
        client = boto3.client(
            "sso-admin",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name=environment["AWS_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            config=boto3.session.Config(retries={"total_max_attempts": 1}),
        )
        while not stop.wait(1 / tps):
            made[0] += 1
            try:
                client.list_instances()
            except client.exceptions.ThrottlingException:
                continue

    thread = threading.Thread(target=call, daemon=True) if tps else None
    if thread is not None:
        thread.start()
    try:
        yield made
    finally:
        stop.set()
        if thread is not None:
            thread.join()
            time.sleep(0.1)
