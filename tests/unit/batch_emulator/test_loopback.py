"""What a web page may have sent is refused by its headers alone."""

import pytest

from batch_emulator.loopback import refusal_reason

PORT = 10100


def judged(
    host: str | None = f"127.0.0.1:{PORT}",
    *,
    target: str = "/jobs",
    origins: tuple[str, ...] = (),
    port: int = PORT,
    method: str = "GET",
) -> str | None:
    hosts = () if host is None else (host,)
    return refusal_reason(method=method, target=target, hosts=hosts, origins=origins, port=port)


@pytest.mark.parametrize("name", ["127.0.0.1", "[::1]", "localhost", "LOCALHOST", "LocalHost"])
def test_names_of_this_machine_pass_with_the_port(name: str) -> None:
    """In any case, and only with the port; on port 80 it may be left out."""
    assert judged(f"{name}:{PORT}") is None
    assert judged(name) is not None
    assert judged(f"{name}:{PORT + 1}") is not None
    assert judged(name, port=80) is None
    assert judged(f"{name}:80", port=80) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":10100",
        "evil.example:10100",
        "127.0.0.1.nip.io:10100",
        "localhost.evil.example:10100",
        "localhost.:10100",
        "localtest.me:10100",
        "127.0.0.2:10100",
        "127.1:10100",
        "2130706433:10100",
        "0x7f000001:10100",
        "0.0.0.0:10100",
        "[::]:10100",
        "::1:10100",
        "[0:0:0:0:0:0:0:1]:10100",
        "[::ffff:127.0.0.1]:10100",
        "127.0.0.1:010100",
        "127.0.0.1:",
        "user@127.0.0.1:10100",
        "127.0.0.1:10100@evil.example",
        "127.0.0.1:10100, evil.example",
        "127.0.0.1:10100\x00",
    ],
)
def test_every_other_host_is_refused(host: str) -> None:
    """Other spellings of the same address are as foreign as other names."""
    reason = judged(host)
    assert reason == "The header Host must be 127.0.0.1:10100, [::1]:10100 or localhost:10100."


def test_one_host_is_needed() -> None:
    """None says nothing, and of two the client and a proxy may each mean another."""
    assert "this one has 0" in (judged(None) or "")
    both = ("127.0.0.1:10100", "127.0.0.1:10100")
    reason = refusal_reason(method="GET", target="/", hosts=both, origins=(), port=PORT)
    assert "this one has 2" in (reason or "")


@pytest.mark.parametrize(
    "origin",
    ["http://127.0.0.1:10100", "http://localhost:10100", "https://evil.example", "null", ""],
)
def test_any_origin_is_refused(origin: str) -> None:
    """Also the emulator's own address: it serves no page."""
    reason = judged(origins=(origin,))
    assert reason == "Web pages cannot use the emulator: leave out the header Origin."


@pytest.mark.parametrize(
    ("target", "passes"),
    [
        ("http://127.0.0.1:10100/jobs", True),
        ("HTTP://LOCALHOST:10100", True),
        ("http://[::1]:10100?a=b", True),
        ("http://evil.example:10100/jobs", False),
        ("http://127.0.0.1:10100@evil.example/jobs", False),
        ("http://127.0.0.1/jobs", False),
        ("https://127.0.0.1:10100/jobs", False),
        ("evil.example:10100", False),
        ("*", False),
        ("", False),
    ],
)
def test_an_absolute_target_counts_more_than_the_host(target: str, passes: bool) -> None:
    """As RFC 9112 (3.2.2) has it; both have to be names of this machine."""
    assert (judged(target=target) is None) is passes
    assert judged("evil.example:10100", target=target) is not None


def test_a_question_about_the_whole_server_passes() -> None:
    """``OPTIONS *`` names no host of its own."""
    assert judged(target="*", method="OPTIONS") is None
