"""Certificates of clients over real TLS: needed beside a token, never in its stead. Servers that others start."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connector.errors import FixConfiguration
from connector.sandbox.server import Sandbox
from connector.serving import check_tls
from connector.settings import Settings
from tests.running import TOKEN, Running

BEARER = {"Authorization": f"Bearer {TOKEN}"}
ACCOUNTS = "/v1/sources/default/accounts"


@dataclass(frozen=True)
class Authority:
    """Somebody who signs certificates, as PEM files in a directory."""

    directory: Path
    name: str

    def __post_init__(self) -> None:
        self.signed(self.name, authority=True)

    def signed(self, name: str, *, authority: bool = False, ended: bool = False) -> tuple[str, str]:
        """A certificate and its key: paths of PEM files."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer = key if authority else serialization.load_pem_private_key(self._file(self.name, "key"), None)
        now = datetime.datetime.now(datetime.UTC)
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=2))
            .not_valid_after(now + datetime.timedelta(days=-1 if ended else 1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(signer, hashes.SHA256())  # type: ignore[arg-type]
        )
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        paths = (self.directory / f"{name}.pem", self.directory / f"{name}.key")
        paths[0].write_bytes(made.public_bytes(pem))
        paths[1].write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
        return str(paths[0]), str(paths[1])

    def _file(self, name: str, kind: str) -> bytes:
        return (self.directory / f"{name}.{kind}").read_bytes()


class Secured(Running):
    """The service over TLS."""

    def ready(self) -> bool:
        """Whether it listens."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module")
def secured(ours: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """It wants certificates of clients."""
    certificate, key = ours.signed("server")
    given = {
        "CONNECTOR_TLS_CERT": certificate,
        "CONNECTOR_TLS_KEY": key,
        "CONNECTOR_TLS_CLIENT_CA": str(ours.directory / "ours.pem"),
    }
    with Sandbox() as sandbox, Secured(sandbox, tmp_path_factory.mktemp("tls"), environment=given) as running:
        yield running


def ask(service: Secured, trusted: Authority, shown: tuple[str, str] | None, headers: dict[str, str] = BEARER) -> int:
    where, verify = service.url + ACCOUNTS, str(trusted.directory / "ours.pem")
    return requests.get(where, headers=headers, cert=shown, verify=verify, timeout=10).status_code


def test_a_certificate_and_a_token_let_in(secured: Secured, ours: Authority) -> None:
    assert ask(secured, ours, ours.signed("iiq")) == 200
    verify = str(ours.directory / "ours.pem")
    answer = requests.get(f"{secured.url}/livez", cert=ours.signed("iiq"), verify=verify, timeout=10)
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_a_certificate_is_no_token(secured: Secured, ours: Authority) -> None:
    assert ask(secured, ours, ours.signed("iiq"), {}) == 401
    assert ask(secured, ours, ours.signed("iiq"), {"Authorization": "Bearer idc_wrong"}) == 401


def test_who_was_there_is_in_the_log(secured: Secured, ours: Authority) -> None:
    body = {"type": "std:account:list", "config": {"source": "default"}}
    verify = str(ours.directory / "ours.pem")
    answer = requests.post(secured.url, json=body, headers=BEARER, cert=ours.signed("named"), verify=verify, timeout=10)
    assert answer.status_code == 200
    assert "commonName=named" in {each.get("certificate") for each in secured.events("command done")}


@pytest.mark.parametrize("kind", ["none", "expired", "of another authority", "signed by itself"])
def test_without_a_certificate_of_ours_nothing_is_answered(
    secured: Secured, ours: Authority, tmp_path: Path, kind: str
) -> None:
    """Not even a token is looked at, and AWS is not asked."""
    shown = {
        "none": lambda: None,
        "expired": lambda: ours.signed("expired", ended=True),
        "of another authority": lambda: Authority(tmp_path, "others").signed("iiq"),
        "signed by itself": lambda: Authority(tmp_path, "itself").signed("itself", authority=True),
    }[kind]()
    before = secured.sandbox.control("state")["calls_total"]
    with pytest.raises(requests.ConnectionError):
        ask(secured, ours, shown)
    assert secured.sandbox.control("state")["calls_total"] == before


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(secured: Secured, version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", secured.port), 5) as plain, pytest.raises(OSError, match=r".*"):
        context.wrap_socket(plain)


def test_plain_http_gets_nothing_from_it(secured: Secured) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{secured.port}/livez", timeout=5)


def test_files_for_tls_that_cannot_be_used_are_told_before_anything_listens(tmp_path: Path) -> None:
    """A key of another certificate, a file that is no PEM: else the service would listen, and answer nobody."""
    ours = Authority(tmp_path, "ours")
    certificate, key = ours.signed("service")
    other_key = ours.signed("other")[1]
    neither = tmp_path / "neither.pem"
    neither.write_text("x")
    check_tls(Settings())
    check_tls(Settings(tls_cert=certificate, tls_key=key, tls_client_ca=str(tmp_path / "ours.pem")))
    for wrong in (other_key, str(neither)):
        with pytest.raises(FixConfiguration, match="CONNECTOR_TLS_CERT and CONNECTOR_TLS_KEY cannot be used together"):
            check_tls(Settings(tls_cert=certificate, tls_key=wrong))
    with pytest.raises(FixConfiguration, match="CONNECTOR_TLS_CLIENT_CA has no certificate"):
        check_tls(Settings(tls_cert=certificate, tls_key=key, tls_client_ca=str(neither)))


# ---- gunicorn, started by somebody else


class ByHand(Running):
    """gunicorn as an operator would start it, on every address."""

    options: tuple[str, ...] = ("-c", "python:connector.gunicorn_options")

    def program(self) -> list[str]:
        return [sys.executable, "-m", "gunicorn", *self.options, "--bind", f"0.0.0.0:{self.port}", "connector.wsgi:app"]


def outer_address() -> str:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        return str(probe.getsockname()[0])


def test_a_server_that_would_show_tokens_does_not_start(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        service = ByHand(sandbox, tmp_path)
        (tmp_path / "sources.toml").write_text(service.sources)
        done = subprocess.run(service.program(), env=service._environment(), capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    assert "Serving plain HTTP off loopback" in done.stderr


@pytest.mark.parametrize("believed", ["127.0.0.1", "*"])
def test_without_our_options_tokens_are_taken_on_loopback_only(tmp_path: Path, believed: str) -> None:
    """Whatever headers say about where a request came from, and whomever gunicorn itself believes."""
    outer = outer_address()
    with Sandbox() as sandbox:
        service = ByHand(sandbox, tmp_path, environment={"FORWARDED_ALLOW_IPS": believed})
        service.options = ("--threads", "4")
        with service:
            claims = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1", "Forwarded": "proto=https"}
            for headers in ({}, claims, {"X-Forwarded-Ssl": "on", "X-Forwarded-Protocol": "ssl"}):
                where = f"http://{outer}:{service.port}{ACCOUNTS}"
                refused = requests.get(where, headers=BEARER | headers, timeout=10)
                assert refused.status_code == 403
                assert "Serving plain HTTP off loopback" in refused.text
            assert requests.get(service.url + ACCOUNTS, headers=BEARER, timeout=10).status_code == 200
