"""Tokens of the store: made, listed, rotated and revoked while the service runs; no valid request ever fails."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from connector.errors import RetryLater, Unauthenticated
from connector.sandbox.server import Sandbox
from connector.store import Store, open_store
from connector.tokens import KeptToken, Token, digest_of, new_token
from connector.web.auth import Callers, Credential
from connector.web.kept_tokens import FRESH, NOTED, KeptTokens
from tests.callers.memory import Memory
from tests.databases import postgresql, store_url
from tests.running import Running

__all__ = ["postgresql", "store_url"]


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, on each database."""
    opened = open_store(store_url)
    yield opened
    opened.close()


def kept(name: str, secret: str, **more: object) -> KeptToken:
    return KeptToken(Token(name, "provision", digest_of(secret), **more), time.time())  # type: ignore[arg-type]


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


# ---- the port


def test_a_token_comes_back_as_it_was_kept(store: Store) -> None:
    until = datetime(2030, 1, 1, tzinfo=UTC)
    full = kept("isc", "a", sources=frozenset({"eu", "us"}), expires=until)
    store.tokens.keep(full)
    store.tokens.keep(full)
    assert store.tokens.find(digest_of("a")) == full
    assert store.tokens.find(digest_of("b")) is None
    assert store.tokens.listed() == [full]


def test_revoking_takes_what_was_had_for_it_too(store: Store) -> None:
    store.tokens.keep(kept("isc", "a"))
    store.tokens.keep(KeptToken(Token("isc", "read", digest_of("child")), 1.0, parent=digest_of("a")))
    assert [each.token.digest for each in store.tokens.listed()] == [digest_of("a")]
    assert store.tokens.revoke(digest_of("a"))
    assert store.tokens.find(digest_of("child")) is None
    assert not store.tokens.revoke(digest_of("a"))


def test_an_end_is_only_ever_brought_nearer(store: Store) -> None:
    near, far = datetime(2030, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    store.tokens.keep(kept("isc", "a"))
    for until in (far, near, far):
        store.tokens.shorten(digest_of("a"), until)
    found = store.tokens.find(digest_of("a"))
    assert found is not None
    assert found.token.expires == near


def test_the_last_use_never_goes_back(store: Store) -> None:
    store.tokens.keep(kept("isc", "a"))
    for at in (5.0, 9.0, 7.0):
        store.tokens.used(digest_of("a"), at)
    assert [each.used for each in store.tokens.listed()] == [9.0]


def test_expired_tokens_are_swept(store: Store) -> None:
    past = datetime.now(UTC) - timedelta(days=2)
    store.tokens.keep(kept("isc", "a", expires=past))
    store.tokens.keep(KeptToken(Token("isc", "read", digest_of("child"), None, past), 1.0, parent=digest_of("x")))
    store.sweep(1.0)
    assert store.tokens.find(digest_of("child")) is None
    assert store.tokens.find(digest_of("a")) is not None, "can still be seen in the list"


# ---- as a process sees them


def callers(memory: Memory, clock: Time, *environment: Token) -> Callers:
    return Callers(environment, clock, KeptTokens(memory, clock))


SECRET = new_token()


def test_the_store_is_memory_once_in_a_while_and_revocation_is_seen() -> None:
    clock, memory = Time(), Memory(kept("isc", SECRET))
    who = callers(memory, clock)
    for _ in range(10):
        assert who.identify([Credential(SECRET)])[0].name == "isc"
    assert memory.finds == 1
    memory.known.clear()
    clock.now += FRESH
    with pytest.raises(Unauthenticated):
        who.identify([Credential(SECRET)])
    memory.keep(kept("isc", SECRET))
    assert who.identify([Credential(SECRET)]), "what is new is known at once"


def test_a_use_is_noted_once_a_minute_without_waiting() -> None:
    clock, memory = Time(), Memory(kept("isc", SECRET))
    who = callers(memory, clock)
    for _ in range(3):
        who.identify([Credential(SECRET)])
        clock.now += NOTED / 2
    for _ in range(100):
        if len(memory.uses) == 2:
            break
        time.sleep(0.01)
    assert [at - memory.uses[0][1] for _, at in sorted(memory.uses)] == [0.0, NOTED]


def test_tokens_of_the_environment_need_no_store() -> None:
    clock, memory = Time(), Memory()
    memory.away = True
    who = callers(memory, clock, Token("ops", "read", digest_of(SECRET)))
    assert who.identify([Credential(SECRET)])[0].name == "ops"
    with pytest.raises(RetryLater):
        who.identify([Credential(new_token())])


def test_a_token_had_for_another_reaches_no_further_and_lives_no_longer() -> None:
    clock = Time()
    memory = Memory()
    soon = datetime.fromtimestamp(clock.now + 100, UTC)
    parent = Token("isc", "provision", digest_of(SECRET), frozenset({"eu"}), soon)
    memory.keep(KeptToken(parent, clock.now))
    who = callers(memory, clock)
    secret, seconds = who.issue(parent, "read")
    assert seconds == 100
    (found,) = who.identify([Credential(secret)])
    assert (found.name, found.scope, found.sources) == ("isc", "read", {"eu"})
    with pytest.raises(Unauthenticated, match="client"):
        who.clients([Credential(secret, "isc")])
    memory.known[digest_of(SECRET)] = KeptToken(Token("isc", "read", digest_of(SECRET), frozenset()), clock.now)
    clock.now += FRESH
    assert who.identify([Credential(secret)])[0].sources == frozenset()
    del memory.known[digest_of(SECRET)]
    clock.now += FRESH
    with pytest.raises(Unauthenticated):
        who.identify([Credential(secret)])


def test_it_may_be_had_for_one_of_the_environment() -> None:
    clock, memory = Time(), Memory()
    parent = Token("isc", "provision", digest_of(SECRET))
    secret, seconds = callers(memory, clock, parent).issue(parent, "provision")
    assert seconds == 900
    assert callers(memory, clock, parent).identify([Credential(secret)])[0].scope == "provision"
    with pytest.raises(Unauthenticated):
        callers(memory, clock).identify([Credential(secret)])  # the entry was taken out
    clock.now += 901
    with pytest.raises(Unauthenticated, match="expired"):
        callers(memory, clock, parent).identify([Credential(secret)])


# ---- at the command line, on a running service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service whose tokens are in the store only."""
    directory = tmp_path_factory.mktemp("tokens")
    with Sandbox() as sandbox:
        running = Running(sandbox, directory, environment={"CONNECTOR_API_TOKENS": ""})
        (directory / "sources.toml").write_text(running.sources)
        refused = running.command("serve", "--port", str(running.port))
        assert refused.returncode == 1
        assert (
            f"Nobody could call: there is no valid token in the store sqlite:///{directory / 'connector.db'}"
            in refused.stderr
        )
        (directory / "first").write_text(made(running, "new", "--name", "first", "--scope", "read")[0])
        with running:
            yield running


def made(service: Running, *arguments: str) -> tuple[str, str]:
    """The secret and the id of a new token."""
    answer = service.command("token", *arguments)
    assert answer.returncode == 0, answer.stderr
    secrets = re.findall(r"idc_[\w-]{43}", answer.stdout)
    assert len(secrets) == 1
    return secrets[0], re.findall(r"knows it as (\w{12})", answer.stdout)[0]


def status(service: Running, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    return requests.get(f"{service.url}/metrics", headers=headers, timeout=10).status_code


def eventually(service: Running, secret: str, wanted: int) -> bool:
    for _ in range(120):
        if status(service, secret) == wanted:
            return True
        time.sleep(0.1)
    return False


def test_a_rotation_fails_no_valid_request(service: Running) -> None:
    """Old, then both, then new; a caller that changes over whenever it likes is never refused."""
    old, old_id = made(service, "new", "--name", "sailpoint", "--scope", "read")
    using, seen, over = [old], [], threading.Event()

    def call() -> None:
        while not over.is_set():
            seen.append(status(service, using[0]))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for each in threads:
        each.start()
    new, new_id = made(service, "rotate", old_id)
    assert status(service, old) == status(service, new) == 200
    using[0] = new
    time.sleep(0.5)
    assert service.command("token", "revoke", old_id).returncode == 0
    assert eventually(service, old, 401)
    time.sleep(0.5)
    over.set()
    for each in threads:
        each.join()
    assert set(seen) == {200}
    assert len(seen) > 50
    listed = service.command("token", "list").stdout
    assert new_id in listed
    assert old_id not in listed
    assert new not in listed


def test_an_old_token_can_be_given_an_end(service: Running) -> None:
    old, old_id = made(service, "new", "--name", "ending", "--scope", "read", "--expires", "2035-01-01")
    until = (datetime.now(UTC) + timedelta(seconds=8)).isoformat()
    new, _ = made(service, "rotate", old_id, "--old-until", until)
    assert eventually(service, old, 401)
    assert status(service, new) == 200


def test_a_successor_says_when_it_ends(service: Running) -> None:
    """It lives as long as the old one was to, which may be shorter than who makes it thinks."""
    until = (datetime.now(UTC) + timedelta(minutes=2)).isoformat()
    _, short = made(service, "new", "--name", "short", "--scope", "read", "--expires", until)
    _, endless = made(service, "new", "--name", "endless", "--scope", "read")
    told = service.command("token", "rotate", short).stdout
    ends = datetime.fromisoformat(re.findall(r"It ends (\S+)\.\n", told)[0])
    assert timedelta(minutes=1) < ends - datetime.now(UTC) <= timedelta(minutes=2, seconds=1)
    assert "It ends after 2035-01-01." in service.command("token", "rotate", short, "--expires", "2035-01-01").stdout
    assert "It ends" not in service.command("token", "rotate", endless).stdout


def test_list_says_when_a_token_was_used(service: Running) -> None:
    secret, id_ = made(service, "new", "--name", "used", "--scope", "read", "--source", "default")
    line = next(each for each in service.command("token", "list").stdout.splitlines() if id_ in each)
    assert re.search(r"used +read +default +20\S+ +never +never$", line)
    assert status(service, secret) == 200
    for _ in range(30):
        line = next(each for each in service.command("token", "list").stdout.splitlines() if id_ in each)
        if not line.endswith("never"):
            break
        time.sleep(0.1)
    assert re.search(r"never +20\S+$", line)


def test_a_token_of_the_environment_can_be_succeeded_but_not_revoked(service: Running, tmp_path: Path) -> None:
    held = new_token()
    given = {"CONNECTOR_API_TOKENS": f"env:read@default:{digest_of(held).hex()}"}
    elsewhere = Running(service.sandbox, service.directory, environment=given)
    id_ = digest_of(held).hex()[:12]
    assert "environment" in elsewhere.command("token", "list").stdout
    refused = elsewhere.command("token", "revoke", id_)
    assert refused.returncode == 1
    assert "CONNECTOR_API_TOKENS" in refused.stderr
    refused = elsewhere.command("token", "rotate", id_, "--old-until", "2035-01-01")
    assert refused.returncode == 1
    assert "--old-until cannot end it" in refused.stderr
    assert "idc_" not in refused.stdout
    secret, _ = made(elsewhere, "rotate", id_)
    assert status(service, secret) == 200


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["revoke", "abcdef"], "No token has the id"),
        (["revoke", ""], "No token has the id"),
        (["rotate", "zzzzzz"], "No token has the id"),
        (["rotate", "abcdef", "--expires", "soon"], "ISO date"),
        (["new", "--name", "x", "--scope", "read", "--source", "nowhere"], "no source 'nowhere'"),
    ],
)
def test_mistakes_are_told(service: Running, arguments: list[str], why: str) -> None:
    answer = service.command("token", *arguments)
    assert answer.returncode in (1, 2)
    assert why in answer.stderr
    assert "Traceback" not in answer.stderr
