"""``python -m bench.bare_http``: a server that answers two requests with given bytes, and does nothing else."""

import argparse
import base64
import json

from aiohttp import web


def _application(answers: dict[str, dict[str, str | int]]) -> web.Application:
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        given = answers[request.method]
        reply = web.Response(
            status=int(given["status"]),
            body=base64.b64decode(str(given["body"])),
            headers=json.loads(str(given["headers"])),
        )
        reply.enable_chunked_encoding()
        return reply

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    application.router.add_post("/{path:.*}", answer)
    return application


def main() -> None:
    """Serve on a free port of 127.0.0.1 and say which, until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m bench.bare_http", description=__doc__)
    parser.add_argument("answers", help="JSON: by method, the status, headers and body in base64")
    given = parser.parse_args()

    application = _application(json.loads(given.answers))
    web.run_app(application, host="127.0.0.1", port=0, access_log=None, shutdown_timeout=1)


if __name__ == "__main__":
    main()
