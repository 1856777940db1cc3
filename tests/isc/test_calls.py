"""A service that is down, slow or somebody else's, a wrong token, a wrong configuration: each says what to look at."""

from __future__ import annotations

import datetime
import ipaddress
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from dev_server import DevServer, Tenant
from face import READ_TOKEN, Face
from face import TOKEN as FACE_TOKEN
from running import Running, free_port, key


def sentence(tenant: Tenant, type_: str = "std:test-connection", asked: Any = None) -> str:
    """The error of a command that has to fail before its first frame."""
    answer = tenant.ask(type_, asked)
    assert answer.frames == []
    assert answer.error is not None
    assert answer.kind == "generic"
    return answer.error


@pytest.fixture(scope="module")
def face(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    """The SaaS face with scripted commands; keepAlive frames after 0.2 s."""
    with Face(tmp_path_factory.mktemp("face")) as running:
        yield running


def test_nothing_listens(dev_server: DevServer) -> None:
    port = free_port()

    said = sentence(dev_server.client(f"http://127.0.0.1:{port}"))

    assert said == f"127.0.0.1:{port} refuses connections: nothing listens there. Is the connector service running?"


def test_no_such_name(dev_server: DevServer) -> None:
    said = sentence(dev_server.client("https://connector.invalid"))

    assert said.startswith("connector.invalid cannot be found")


def test_a_wrong_token(dev_server: DevServer, service: Running) -> None:
    said = sentence(dev_server.client(service.url, "idc_wrong"))

    assert said == (
        f"127.0.0.1:{service.port} answered 401: The token is not known here. "
        "Check connectorToken in the source's configuration."
    )


def test_a_token_that_does_not_reach_far_enough(dev_server: DevServer, face: Face) -> None:
    said = sentence(dev_server.client(face.url, READ_TOKEN), "std:account:delete", key("u-1"))

    assert " answered 403: The token of reader has the scope read; this needs provision." in said


def test_an_unknown_source(dev_server: DevServer, service: Running) -> None:
    """The service's own sentence."""
    assert "There is no source 'elsewhere'" in sentence(dev_server.client(service.url, source="elsewhere"))


def test_another_address_of_the_service(dev_server: DevServer, service: Running) -> None:
    """A path in front of /invoke is the service's business; what is no address of it is not."""
    tenant = dev_server.client(f"{service.url}/some/where/")

    assert tenant.ask("std:test-connection").outputs == [{}]


@pytest.mark.parametrize(
    ("config", "key_"),
    [
        ({}, "connectorUrl"),
        ({"connectorUrl": "http://connector.example.com", "connectorToken": "x", "source": "y"}, "connectorUrl"),
        ({"connectorUrl": "https://connector.example.com", "source": "y"}, "connectorToken"),
        ({"connectorUrl": "https://connector.example.com", "connectorToken": "x"}, "source"),
    ],
)
def test_a_wrong_configuration(dev_server: DevServer, config: dict[str, Any], key_: str) -> None:
    """Told by key, before any call: those addresses answer nobody here."""
    began = time.monotonic()

    for type_ in ("std:test-connection", "std:account:list", "std:account:delete"):
        assert key_ in sentence(Tenant(dev_server.port, config), type_)

    assert time.monotonic() - began < 5


def test_the_service_is_slow_and_says_so(dev_server: DevServer, face: Face) -> None:
    """Its keepAlive frames reach Identity Security Cloud."""
    answer = dev_server.client(face.url, FACE_TOKEN).ask("std:account:read", key("slow-1"))

    assert len(answer.of_type("keepAlive")) >= 3
    assert len(answer.outputs) == 1
    assert answer.frames[-1]["type"] == "output"
    assert answer.error is None


def test_the_service_is_slow_and_silent(bundle: Path, tmp_path: Path) -> None:
    """Then the bundle itself says that the command goes on."""
    quick = {"IDC_KEEP_ALIVE_SECONDS": "0.2"}
    with Face(tmp_path, keep_alive=60) as face, DevServer(tmp_path, environment=quick) as dev_server:
        answer = dev_server.client(face.url, FACE_TOKEN).ask("std:account:read", key("slow-1"))

    assert len(answer.of_type("keepAlive")) >= 3
    assert len(answer.outputs) == 1


def test_the_service_falls_silent(bundle: Path, tmp_path: Path) -> None:
    """It is given up, before and within an answer."""
    quick = {"IDC_SILENCE_SECONDS": "0.5"}
    asked = {"state": {"accounts": "1", "silence": "20"}}
    with Face(tmp_path, keep_alive=60) as face, DevServer(tmp_path, environment=quick) as dev_server:
        tenant = dev_server.client(face.url, FACE_TOKEN)
        before = tenant.ask("std:account:read", key("slow-20"))
        within = tenant.ask("std:account:list", asked)

    assert before.error == f"localhost:{face.port} was silent for too long; the command was given up."
    assert within.error == before.error
    assert len(within.outputs) == 1


# ---- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of nobody's authority, and its key."""
    directory = tmp_path_factory.mktemp("certificate")
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    files = directory / "certificate.pem", directory / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def test_tls_is_verified(bundle: Path, certificate: tuple[Path, Path], tmp_path: Path) -> None:
    """Against the authorities that Node knows, the name too, and no variable turns that off."""
    trusting = {"NODE_EXTRA_CA_CERTS": str(certificate[0])}
    careless = {"NODE_TLS_REJECT_UNAUTHORIZED": "0"}
    with Face(tmp_path, certificate=certificate) as face:
        with DevServer(tmp_path, environment=trusting) as dev_server:
            trusted = dev_server.client(face.url, FACE_TOKEN).ask("std:account:list", {"state": {"accounts": "3"}})
            other_name = sentence(dev_server.client(f"https://127.0.0.1:{face.port}", FACE_TOKEN))
        with DevServer(tmp_path, environment=careless) as dev_server:
            unknown = sentence(dev_server.client(face.url, FACE_TOKEN))

    assert len(trusted.outputs) == 3
    assert unknown.startswith(f"The certificate of localhost:{face.port} is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)")
    assert other_name.startswith(
        f"The certificate of 127.0.0.1:{face.port} is not trusted (ERR_TLS_CERT_ALTNAME_INVALID)"
    )
