"""What is said of the files of a package, and of which nothing is said."""

import pytest

from recur.publishing.content_warnings import content_warnings

KEY = b"a1B2" * 21 + b"ab=="


def warnings(path: str, content: bytes, *, is_executable: bool = False) -> list[str]:
    return list(content_warnings(path, content, is_executable=is_executable))


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("run.sh", b"set -eu\r\ntrue\r\n", "Windows line ends"),
        ("bin/run", b"#!/bin/bash\ntrue\r\n", "Windows line ends"),
        ("tool.py", b"#!/usr/bin/env python3\r\nprint(1)\r\n", "Windows line ends"),
    ],
)
def test_a_script_with_windows_line_ends_is_told(path: str, content: bytes, said: str) -> None:
    """By its name, or by its first line."""
    (told,) = warnings(path, content, is_executable=True)

    assert said in told


def test_a_script_that_cannot_be_executed_is_told() -> None:
    """Once it has the bit, nothing is said."""
    (told,) = warnings("bin/run", b"#!/bin/sh\ntrue\n")

    assert "not executable: `chmod +x` it" in told
    assert warnings("bin/run", b"#!/bin/sh\ntrue\n", is_executable=True) == []


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("key.txt", b"-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("key.txt", b"-----BEGIN PRIVATE KEY-----", "a private key"),
        ("key.asc", b"-----BEGIN PGP PRIVATE KEY BLOCK-----", "a private key"),
        ("a.py", b"C = 'AccountName=a;AccountKey=" + KEY + b";'", "a connection string"),
        ("a.json", b"SharedAccessKey=" + KEY, "a connection string"),
        ("a.sh", b"https://a.blob.core.windows.net/c?sv=1&sig=" + b"a1B2" * 11, "a SAS signature"),
        ("a.cfg", b"key = AKIAIOSFODNN7EXAMPLE", "an AWS access key"),
        ("a.cfg", b"ghp_" + b"a1B2" * 9, "a token of GitHub"),
        ("ssh/id_rsa", b"", "its name suggests"),
        ("id_ed25519", b"\0", "its name suggests"),
        ("server.pem", b"MIIE", "its name suggests"),
        ("server.PFX", b"\0\1", "its name suggests"),
        (".netrc", b"machine a", "its name suggests"),
    ],
)
def test_what_looks_like_a_secret_is_told_by_its_kind(path: str, content: bytes, kind: str) -> None:
    """And is not repeated: what is told stands in logs of pipelines."""
    (told,) = warnings(path, content)

    assert kind in told
    assert ".recurignore" in told
    assert len(content) < 8 or content.decode() not in told


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("main.py", b"print(1)\r\n"),
        ("data.csv", b"a,b\r\n1,2\r\n"),
        ("run.cmd", b"@echo off\r\n"),
        ("id_rsa.pub", b"ssh-rsa AAAA"),
        ("cacert.pem", b"-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----"),
        ("a.py", b"AccountKey = os.environ['KEY']"),
        ("a.py", b"password = input()"),
        ("a.whl", b"PK\0\0AKIAIOSFODNN7EXAMPLE"),
        ("a.md", b"-----BEGIN PUBLIC KEY-----"),
    ],
)
def test_nothing_is_said_of_ordinary_files(path: str, content: bytes) -> None:
    """Or nobody would read what is said."""
    assert warnings(path, content) == []
