"""``python -m bench.bare_file FILE``: a server that sends one file by aiohttp's own handler of files."""

import argparse
from pathlib import Path

from aiohttp import web


def main() -> None:
    """Serve on a free port of 127.0.0.1 and say which, until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m bench.bare_file", description=__doc__)
    parser.add_argument("file", type=Path)
    given = parser.parse_args()

    async def answer(_: web.Request) -> web.FileResponse:
        return web.FileResponse(given.file)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    web.run_app(application, host="127.0.0.1", port=0, access_log=None, shutdown_timeout=1)


if __name__ == "__main__":
    main()
