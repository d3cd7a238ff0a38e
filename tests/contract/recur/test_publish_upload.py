"""The upload by an Entra token, against storage over https that takes tokens."""

import base64
import datetime as dt
import io
import ipaddress
import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from rich.console import Console

from batch_emulator.secret_file import new_key
from local.azurite import ACCOUNT
from local.child import Child
from recur.publishing.packaging import Package, build
from recur.publishing.uploads import Uploads
from recur.role_waiting import LIMIT, RoleWait
from recur.target import Target

_ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = _ROOT / "local/azurite/node_modules/azurite/dist/src/blob/main.js"
_LISTENS = re.compile(r"successfully listens on https://127\.0\.0\.1:(\d+)")
_CONTAINER = "app-pythonscript-0123456789"
_STORAGE_KEY = new_key()


@dataclass(frozen=True, slots=True)
class Secured:
    """Storage at an https address, and the certificate to trust."""

    url: str
    certificate: Path


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage),
            critical=True,
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("https")
    certificate, key = _certificate(folder)
    node = shutil.which("node")
    assert node, "Azurite needs Node"
    command = [node, str(_PROGRAM), "--blobHost", "127.0.0.1", "--blobPort", "0"]
    command += ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"]
    command += ["--oauth", "basic", "--cert", str(certificate), "--key", str(key)]
    accounts = {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{_STORAGE_KEY}"}
    child = Child("Azurite", command, log=folder / "azurite.log", environment=accounts)
    child.start()
    try:
        port = child.wait_for(_LISTENS, limit_seconds=30, pause=time.sleep)[1]
        url = f"https://127.0.0.1:{port}/{ACCOUNT}"
        with BlobServiceClient(url, _STORAGE_KEY, connection_verify=str(certificate)) as storage:
            storage.create_container(_CONTAINER)
        yield Secured(url, certificate)
    finally:
        child.stop()


class Token:
    """A credential of somebody whom storage knows from some seconds on."""

    def __init__(self, valid_in_seconds: float = 0) -> None:
        now = int(time.time())
        claims = {
            "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
            "aud": "https://storage.azure.com",
            "iat": now - 10,
            "nbf": now + valid_in_seconds,
            "exp": now + 3600,
        }
        parts = ({"alg": "none", "typ": "JWT"}, claims)
        encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts)
        text = b".".join(encoded).decode().replace("=", "")
        self.token = AccessToken(f"{text}.unsigned", now + 3600)
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:  # noqa: ANN401 - the SDK's
        self.scopes += scopes
        return self.token


@pytest.fixture
def package(tmp_path: Path) -> Package:
    (tmp_path / "pythonscript").mkdir()
    (tmp_path / "pythonscript/main.py").write_text("print(1)\n")
    return build(tmp_path / "pythonscript", tmp_path / "packages")


@dataclass(slots=True)
class Sender:
    """Whoever uploads, and what is shown meanwhile."""

    secured: Secured
    token: Token
    shown: io.StringIO = field(default_factory=io.StringIO)

    @property
    def uploads(self) -> Uploads:
        target = Target(source="this test", values={"DATA_STORAGE_URL": self.secured.url})
        verify = str(self.secured.certificate)
        return Uploads(target, credential=self.token, connection_verify=verify)

    def send(self, package: Package, wait: timedelta = timedelta(0)) -> None:
        url = f"{self.secured.url}/{_CONTAINER}/{package.version}"
        console = Console(file=self.shown, width=400)
        self.uploads.upload(url, package.zip_path, RoleWait(console, wait))


def test_a_package_is_uploaded_by_a_token(secured: Secured, package: Package) -> None:
    """To the bare address that an account without storage keys gives; again, over what is there."""
    sender = Sender(secured, Token())

    sender.send(package)
    sender.send(package)

    assert sender.uploads.holds(package)
    assert set(sender.token.scopes) == {"https://storage.azure.com/.default"}
    assert sender.shown.getvalue() == ""
    verify = str(secured.certificate)
    with BlobServiceClient(secured.url, _STORAGE_KEY, connection_verify=verify) as storage:
        blob = storage.get_blob_client(_CONTAINER, package.version)
        assert blob.download_blob().readall() == package.zip_path.read_bytes()


def test_a_token_that_storage_does_not_take_is_not_waited_for(
    secured: Secured, package: Package
) -> None:
    """Its code is about the token, 403 all the same: no role would help."""
    sender = Sender(secured, Token(valid_in_seconds=3000))

    with pytest.raises(HttpResponseError) as refused:
        sender.send(package, wait=LIMIT)

    assert refused.value.status_code == 403
    assert getattr(refused.value, "error_code", None) == "AuthenticationFailed"
    assert sender.shown.getvalue() == ""
