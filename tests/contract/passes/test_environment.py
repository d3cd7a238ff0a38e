"""What the product takes from the environment of its process: a proxy, and no login."""

from pathlib import Path

import pytest
from aiohttp import web

from orchestrator.errors import LedgerUnavailable
from tests.support.world import World


async def test_a_login_of_netrc_stops_no_tick(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clients have credentials of their own, and fail where a second one is given."""
    logins = tmp_path / "netrc"
    logins.write_text("default login somebody password something\n")
    monkeypatch.setenv("NETRC", str(logins))
    await world.pool()

    assert "failed" not in await world.submit()
    assert "failed" not in await world.collect()


async def test_requests_go_through_the_proxy_that_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for blobs of a service that has no address of its own."""
    asked: set[str] = set()

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.add(str(request.url.host))
        return web.Response(status=403)

    server = web.ServerRunner(web.Server(answer))
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    host, port = server.addresses[0]
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://{host}:{port}")
    connection = world.settings.data_storage_connection_string or ""
    there = world.elsewhere(
        data_storage_connection_string=connection.replace("127.0.0.1", "storage.invalid")
    )

    with pytest.raises(LedgerUnavailable):
        await there.submit()

    await server.cleanup()
    assert asked == {"storage.invalid"}
