"""What operators change in daily work fails no valid request: tokens that are rotated, roles that are exchanged."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.sandbox.organisation import Role
from connector.sandbox.server import Sandbox
from connector.sandbox.small import CORE
from tests.databases import Server, postgresql
from tests.named import Named
from tests.running import TOKEN, Running

__all__ = ["postgresql"]

OLD, NEW = (f"arn:aws:iam::{CORE}:role/{name}" for name in ("connector-old", "connector-new"))


def sources(role: str) -> str:
    return f'[sources.default]\nrole_arn = "{role}"\nexternal_id = "for-{role[-3:]}"\nsnapshot_max_age = 3600\n'


@dataclass
class Proxy:
    """What a load balancer in front of two replicas does: it sends requests to those that are ready."""

    replicas: list[Running]
    out: set[int] = field(default_factory=set)
    """Ports of those that were taken out."""
    under_way: dict[int, int] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)
    number: int = 0

    @contextmanager
    def chosen(self) -> Iterator[Running]:
        """The next one that is in."""
        with self.turn:
            self.number += 1
            inside = [each for each in self.replicas if each.port not in self.out]
            replica = inside[self.number % len(inside)]
            self.under_way[replica.port] = self.under_way.get(replica.port, 0) + 1
        try:
            yield replica
        finally:
            with self.turn:
                self.under_way[replica.port] -= 1

    def failure(self) -> str:
        """The defects that were logged, for when there should be none."""
        return "\n".join(str(line.get("exception"))[-800:] for each in self.replicas for line in each.events("defect"))

    def restart(self, replica: Running, text: str) -> None:
        """Take it out, tell it to stop at once, start it with other sources, put it in when it is ready."""
        with self.turn:
            self.out.add(replica.port)
        replica.stop()  # what runs is waited for by the service itself
        replica.sources = text
        replica.start()
        with self.turn:
            self.out.discard(replica.port)


@dataclass
class Callers:
    """Threads that ask without a pause, and what they were answered."""

    proxy: Proxy
    user: str
    token: list[str]
    """The token that callers use now."""
    answers: list[tuple[str, int, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self, number: int) -> None:
        """List, read and change, in turn."""
        turn = 0
        while not self.over.is_set():
            turn += 1
            with self.proxy.chosen() as replica:
                base = f"{replica.url}/v1/sources/default/accounts"
                headers = {"Authorization": f"Bearer {self.token[0]}"}
                asked: tuple[str, str, Any] = (
                    ("GET", base, None),
                    ("GET", f"{base}/{self.user}", None),
                    ("PATCH", f"{base}/{self.user}", {"title": f"{number}-{turn}"}),
                )[turn % 3]
                try:
                    answer = requests.request(asked[0], asked[1], json=asked[2], headers=headers, timeout=30)
                    self.answers.append((asked[0], answer.status_code, answer.text))
                except requests.RequestException as error:
                    self.answers.append((asked[0], 0, repr(error)))

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While in it, three of them ask."""
        threads = [threading.Thread(target=self.run, args=(number,)) for number in range(3)]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            self.over.set()
            for each in threads:
                each.join()

    def failed(self) -> list[tuple[str, int, str]]:
        """Answers that nobody with a valid token should have had."""
        return [each for each in self.answers if each[1] != 200]


@pytest.fixture
def world(postgresql: Server, tmp_path: Path) -> Iterator[tuple[Sandbox, Proxy, Callers]]:
    """Two replicas on one store, whose source uses the old role."""
    url = postgresql.create_database()
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        for role in (OLD, NEW):
            sandbox.organisation.roles[role] = Role(role, f"for-{role[-3:]}")
        replicas = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            running = Running(sandbox, tmp_path / name, sources(OLD), {"CONNECTOR_STORE_URL": url})
            replicas.append(stack.enter_context(running))
        named = Named()
        named.sandbox = sandbox
        proxy = Proxy(replicas)
        yield sandbox, proxy, Callers(proxy, named.user("grace"), [TOKEN])
    postgresql.drop_database(url)


def made(service: Running, *words: str) -> tuple[str, str]:
    """A token and its id, as the command line tells them."""
    done = service.command("token", *words)
    assert done.returncode == 0, done.stderr
    return re.findall(r"idc_[\w-]+", done.stdout)[0], re.findall(r"knows it as (\w+)", done.stdout)[0]


def test_a_token_is_rotated_while_callers_call(world: tuple[Sandbox, Proxy, Callers]) -> None:
    """Successor, both, then the successor alone; on both replicas, with reads and changes."""
    _, proxy, callers = world
    one, two = proxy.replicas
    old, old_id = made(one, "new", "--name", "iiq", "--scope", "provision")
    callers.token[0] = old
    with callers.asking():
        time.sleep(1)
        new, _ = made(two, "rotate", old_id)
        time.sleep(1)
        callers.token[0] = new
        time.sleep(1)  # whoever still holds the old one finishes
        assert one.command("token", "revoke", old_id).returncode == 0
        time.sleep(3)
    assert callers.failed() == [], proxy.failure()
    assert len(callers.answers) > 30
    for replica in proxy.replicas:
        answer = requests.get(f"{replica.url}/metrics", headers={"Authorization": f"Bearer {old}"}, timeout=10)
        assert answer.status_code == 401


def test_a_role_is_exchanged_while_callers_call(world: tuple[Sandbox, Proxy, Callers]) -> None:
    """Replicas are restarted in turn, with the new role; then the old one is taken away."""
    sandbox, proxy, callers = world
    with callers.asking():
        time.sleep(0.5)
        for replica in proxy.replicas:
            proxy.restart(replica, sources(NEW))
        del sandbox.organisation.roles[OLD]
        for access_key in [key for key, each in sandbox.organisation.sessions.items() if "connector-old" in each.arn]:
            del sandbox.organisation.sessions[access_key]
        sandbox.control("forget")
        time.sleep(2)
    assert callers.failed() == [], proxy.failure()
    assert len(callers.answers) > 30
    assert {"GET", "PATCH"} == {each[0] for each in callers.answers}
    calls = [each for each in sandbox.control("calls")["calls"] if each["operation"] != "AssumeRole"]
    arns = {each["caller"] for each in calls if "caller" in each}
    assert arns
    assert all("connector-new" in arn for arn in arns), arns
