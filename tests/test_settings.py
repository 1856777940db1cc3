"""Settings: read once, all mistakes told at once, each by the name of what to change."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.errors import FixConfiguration
from connector.model import Source
from connector.settings import Settings, read_settings
from connector.sources import parse_sources, seconds
from connector.tokens import Token, digest_of, new_token, parse_expiry, parse_tokens, written

DIGEST = digest_of("t").hex()


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("CONNECTOR_", "AWS_")):
            monkeypatch.delenv(name)


def mistakes() -> list[str]:
    with pytest.raises(FixConfiguration) as raised:
        read_settings()
    return str(raised.value).splitlines()


# ---- the environment


def test_without_anything_there_is_one_source_and_nobody_may_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    settings = read_settings()
    assert settings.sources == {"default": Source("default")}
    assert settings.tokens == ()
    assert settings.store_url == "sqlite:////state/idc-connector/connector.db"
    assert settings.store_in_default_place
    assert (settings.aws_tps, settings.identitystore_tps, settings.organizations_tps) == (18, 18, 4)
    assert (settings.log_level, settings.public_url, settings.proxy_hops) == ("INFO", None, None)


def test_everything_can_be_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pem = tmp_path / "x.pem"
    pem.write_text("")
    for name, value in {
        "API_TOKENS": f"isc:provision:{DIGEST},iiq:read@default:{DIGEST}:2027-06-30T12:00:00+02:00",
        "STORE_URL": "postgresql://user:pw@db/connector",
        "AUDIT_LOG": "/var/log/idc-connector/audit.jsonl",
        "AUDIT_KEY": "k" * 32,
        "AWS_TPS": "10",
        "ORGANIZATIONS_TPS": "2.5",
        "LOG_LEVEL": "debug",
        "PUBLIC_URL": "https://connector.example.com/",
        "PROXY_HOPS": "2",
        "TLS_CERT": str(pem),
        "TLS_KEY": str(pem),
    }.items():
        monkeypatch.setenv(f"CONNECTOR_{name}", value)
    settings = read_settings()
    assert [token.name for token in settings.tokens] == ["isc", "iiq"]
    assert (settings.aws_tps, settings.identitystore_tps, settings.organizations_tps) == (10, 10, 2.5)
    assert (settings.log_level, settings.proxy_hops) == ("DEBUG", 2)
    assert settings.public_url == "https://connector.example.com"
    assert (settings.audit_log, settings.audit_key) == ("/var/log/idc-connector/audit.jsonl", b"k" * 32)
    assert not settings.store_in_default_place
    shown = repr(settings)
    assert "pw@db" not in shown
    assert "kkk" not in shown
    assert str(digest_of("t")) not in shown


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_secrets_may_stand_in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ending: str) -> None:
    secret = tmp_path / "tokens"
    secret.write_bytes(f"isc:read:{DIGEST}{ending}".encode())
    monkeypatch.setenv("CONNECTOR_API_TOKENS_FILE", str(secret))
    assert read_settings().tokens == (Token("isc", "read", digest_of("t")),)


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text('[sources.default]\nregoin = "x"\n')
    for name, value in {
        "API_TOKENS": "isc:write:abc",
        "SOURCES": str(tmp_path / "sources.toml"),
        "STORE_URL_FILE": str(tmp_path / "missing"),
        "AWS_TPS": "fast",
        "IDENTITYSTORE_TPS": "0",
        "LOG_LEVEL": "loud",
        "PUBLIC_URL": "connector.example.com",
        "PROXY_HOPS": "-1",
        "TLS_CERT": str(tmp_path / "missing"),
    }.items():
        monkeypatch.setenv(f"CONNECTOR_{name}", value)
    told = mistakes()
    for name in ("API_TOKENS", "SOURCES", "STORE_URL_FILE", "AWS_TPS", "IDENTITYSTORE_TPS", "LOG_LEVEL"):
        assert any(line.startswith(f"CONNECTOR_{name}") for line in told), (name, told)
    for name in ("PUBLIC_URL", "PROXY_HOPS", "TLS_CERT"):
        assert any(line.startswith(f"CONNECTOR_{name}") for line in told), (name, told)
    assert all(line.endswith(".") for line in told)
    assert any(f"{tmp_path / 'missing'}: No such file or directory" in line for line in told)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("CONNECTOR_SOURCE", "did you mean CONNECTOR_SOURCES?"),
        ("CONNECTOR_LOGLEVEL", "did you mean CONNECTOR_LOG_LEVEL?"),
        ("CONNECTOR_API_TOKEN_FILE", "did you mean CONNECTOR_API_TOKENS_FILE?"),
        ("CONNECTOR_COLOUR", "known are CONNECTOR_API_TOKENS, "),
    ],
)
def test_a_variable_that_is_not_known_is_a_mistake(monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    monkeypatch.setenv(name, "x")
    (told,) = mistakes()
    assert told.startswith(f"{name} is not known; {said}")


def test_variables_that_kubernetes_makes_of_a_service_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Service named `connector`, or `connector-sources`, must not keep its pods from starting; nor what is empty."""
    for name in (
        "SERVICE_HOST",
        "SERVICE_PORT",
        "SERVICE_PORT_HTTPS",
        "PORT",
        "PORT_8080_TCP",
        "PORT_8080_TCP_ADDR",
        "SOURCES_SERVICE_HOST",
        "SOURCES_PORT_443_TCP_PROTO",
    ):
        monkeypatch.setenv(f"CONNECTOR_{name}", "tcp://10.0.0.1:8080")
    monkeypatch.setenv("CONNECTOR_SOURCE", " ")
    read_settings()


def test_what_cannot_be_read_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "bad.toml").write_text("[sources.")
    monkeypatch.setenv("CONNECTOR_API_TOKENS_FILE", str(tmp_path))
    monkeypatch.setenv("CONNECTOR_AUDIT_KEY_FILE", str(tmp_path / "bytes"))
    monkeypatch.setenv("CONNECTOR_TLS_CERT", "missing.pem")
    monkeypatch.setenv("CONNECTOR_TLS_KEY", "a0" * 32)  # the key itself, where its path belongs
    monkeypatch.setenv("CONNECTOR_SOURCES", str(tmp_path / "bad.toml"))
    told = "\n".join(mistakes())
    assert f"API_TOKENS_FILE names a file that cannot be read ({tmp_path}: Is a directory)" in told
    assert f"AUDIT_KEY_FILE names a file that cannot be read ({tmp_path / 'bytes'}: it is no text)" in told
    assert "CONNECTOR_TLS_CERT: the file cannot be read (missing.pem: No such file or directory)" in told
    assert "CONNECTOR_TLS_KEY: the file cannot be read (No such file or directory)" in told
    assert f"CONNECTOR_SOURCES ({tmp_path / 'bad.toml'}): is not TOML" in told


def test_a_wrong_value_hides_no_other_mistake_and_makes_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A certificate that cannot be read still lacks its key; sources that cannot be read refute no token's."""
    monkeypatch.setenv("CONNECTOR_TLS_CERT", str(tmp_path / "missing"))
    monkeypatch.setenv("CONNECTOR_API_TOKENS", f"isc:read@second:{DIGEST}")
    monkeypatch.setenv("CONNECTOR_SOURCES", str(tmp_path / "missing"))
    told = mistakes()
    assert len(told) == 3
    assert told[-1] == "CONNECTOR_TLS_CERT and CONNECTOR_TLS_KEY are set together, or neither of them."

    (tmp_path / "sources.toml").write_text(
        '[sources.Default]\nregoin = "x"\ninherited = "no"\ndisable_by = "scim"\nscim_endpoint = "x"\n'
    )
    monkeypatch.setenv("CONNECTOR_SOURCES", str(tmp_path / "sources.toml"))
    wrong = [line.partition("sources.Default")[2] for line in mistakes()]
    assert [line.split()[0] for line in wrong if line] == [
        ":",
        ".regoin",
        ".inherited",
        ".scim_endpoint",
        ".disable_by",
    ]


def test_a_certificate_needs_its_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    monkeypatch.setenv("CONNECTOR_TLS_CERT", str(tmp_path / "x"))
    assert mistakes() == ["CONNECTOR_TLS_CERT and CONNECTOR_TLS_KEY are set together, or neither of them."]


def test_tokens_are_limited_to_sources_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_API_TOKENS", f"isc:read@defualt:{DIGEST}")
    assert mistakes() == ["CONNECTOR_API_TOKENS: isc is limited to defualt, which is no source here."]


def test_the_region_of_the_environment_is_that_of_sources_without_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "s.toml").write_text('[sources.a]\n[sources.b]\nregion = "us-gov-west-1"\n')
    monkeypatch.setenv("CONNECTOR_SOURCES", str(tmp_path / "s.toml"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert {name: each.region for name, each in read_settings().sources.items()} == {
        "a": "eu-west-1",
        "b": "us-gov-west-1",
    }
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert read_settings().sources["a"].region == "eu-central-1"
    assert read_settings().default_source.name == "a"


def test_another_endpoint_is_another_surrounding(monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_settings().aws_surroundings
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert read_settings().aws_surroundings == (*before, ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"))


# ---- sources


def test_a_source_with_every_option() -> None:
    sources, problems = parse_sources(
        """
        [sources.prod]
        region = "eu-west-1"
        role_arn = "arn:aws:iam::123456789012:role/team/connector"
        external_id = "c0ffee-1"
        instance_arn = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
        entitlement_types = ["permissionSetAssignment", "group", "applicationAssignment"]
        entitlement_scope = "all"
        inherited = "none"
        managed_by = "external"
        external_groups = "changeable"
        disable_by = "scim"
        scim_endpoint = "https://scim.eu-west-1.amazonaws.com/x/scim/v2/"
        scim_token_file = "/run/secrets/scim"
        on_existing = "adopt"
        snapshot_max_age = "10 min"
        read_deadline = 90
        change_deadline = "45s"
        """
    )
    assert problems == []
    prod = sources["prod"]
    assert prod.entitlement_types == ("group", "permissionSetAssignment", "applicationAssignment")
    assert (prod.snapshot_max_age, prod.read_deadline, prod.change_deadline) == (600, 90, 45)
    assert "c0ffee" not in repr(prod)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('regoin = "eu-west-1"', "sources.x.regoin is not known; known are "),
        ('name = "y"', "sources.x.name is not known"),
        ("region = 5", "sources.x.region is an AWS Region"),
        ('region = "Europe"', "sources.x.region is an AWS Region"),
        ('role_arn = "connector"', "sources.x.role_arn is the ARN of an IAM role"),
        ('external_id = "e"', "sources.x.external_id is 2 to 1224"),
        ('external_id = "ee"', "sources.x.external_id is given to the role in role_arn"),
        ('instance_arn = "ssoins-1"', "sources.x.instance_arn is the ARN of an instance"),
        ('entitlement_types = "group"', "sources.x.entitlement_types is a list of group"),
        ("entitlement_types = []", "sources.x.entitlement_types is a list of group"),
        ('entitlement_types = ["role"]', "sources.x.entitlement_types names 'role'; known are"),
        ('entitlement_types = ["group", "roleGrant"]', "names roleGrant, which is not supported by this version"),
        ('inherited = "some"', "sources.x.inherited is one of full, none"),
        ("inherited = true", "sources.x.inherited is one of full, none"),
        ('disable_by = "scim"', 'disable_by = "scim" needs scim_endpoint as well'),
        ('disable_by = "scim"', 'disable_by = "scim" needs scim_token_file as well'),
        ('snapshot_max_age = "soon"', "sources.x.snapshot_max_age is a duration"),
        ("read_deadline = 0", "sources.x.read_deadline is more than nothing"),
        ("read_deadline = -1", "sources.x.read_deadline is a duration"),
        ("read_deadline = true", "sources.x.read_deadline is a duration"),
    ],
)
def test_a_mistake_in_an_option_is_told_by_its_name(line: str, sentence: str) -> None:
    _, problems = parse_sources(f"[sources.x]\n{line}")
    assert any(sentence in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names no source"),
        ("sources = 5", "names no source"),
        ("[sources]\nx = 5", "sources.x is not a table"),
        ("[source.x]", "'source' is not known here"),
        ("[sources.Prod]", "sources.Prod: a name has small letters"),
        ("[sources.", "is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_told(text: str, sentence: str) -> None:
    _, problems = parse_sources(text)
    assert any(sentence in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (0.5, 0.5),
        ("45s", 45),
        ("45", 45),
        ("10 min", 600),
        ("10m", 600),
        ("2 hours", 7200),
        ("1.5 minutes", 90),
    ],
)
def test_durations_are_seconds_or_words(value: object, expected: float) -> None:
    assert seconds(value) == expected


# ---- tokens


def test_a_token_is_written_as_it_is_read() -> None:
    until = datetime(2027, 6, 30, 12, tzinfo=UTC)
    for token in (
        Token("isc", "provision", digest_of("a")),
        Token("iiq.eu-1", "read", digest_of("b"), frozenset({"eu", "us"}), until),
    ):
        assert parse_tokens(written(token)) == (token,)
    assert "digest" not in repr(Token("isc", "read", digest_of("a")))


def test_new_tokens_are_long_random_and_recognisable() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(token.startswith("idc_") and len(token) >= 4 + 43 for token in tokens)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-06-30", datetime(2027, 7, 1, tzinfo=UTC)),
        ("2027-06-30T12:30:00Z", datetime(2027, 6, 30, 12, 30, tzinfo=UTC)),
        ("2027-06-30T12:30:00", datetime(2027, 6, 30, 12, 30, tzinfo=UTC)),
        ("2027-06-30T14:30:00+02:00", datetime(2027, 6, 30, 12, 30, tzinfo=UTC)),
    ],
)
def test_an_expiry_is_a_day_or_a_moment(text: str, expected: datetime) -> None:
    assert parse_expiry(text) == expected
    (token,) = parse_tokens(f"isc:read:{DIGEST}:{text}")
    assert not token.expired(expected.timestamp() - 1)
    assert token.expired(expected.timestamp())


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("isc", "entry 1 has not the form"),
        ("isc:read", "entry 1 has not the form"),
        (f"i s c:read:{DIGEST}", "entry 1: a name has letters"),
        (f"isc:write:{DIGEST}", r"entry 1 \(isc\): the scope is one of read, provision, admin"),
        (f"isc:read@:{DIGEST}", "names of sources, joined by"),
        (f"isc:read@A+b:{DIGEST}", "names of sources, joined by"),
        ("isc:read:idc_plain-token", "the SHA-256 of the token"),
        (f"isc:read:{DIGEST}:soon", "an expiry is an ISO date"),
        (f"a:read:{DIGEST}, b:rad:{DIGEST}", r"entry 2 \(b\)"),
    ],
)
def test_a_mistake_in_a_token_is_told_without_showing_it(entry: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as raised:
        parse_tokens(entry)
    assert DIGEST not in str(raised.value)
    assert "idc_plain" not in str(raised.value)


def test_a_sources_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_SOURCES", "/nowhere/sources.toml")
    assert mistakes() == [
        "CONNECTOR_SOURCES names a file that cannot be read (/nowhere/sources.toml: No such file or directory); "
        "give the path of a TOML file."
    ]


def test_settings_have_a_default_for_everything() -> None:
    assert Settings().default_source == Source("default")
