"""One request as the handlers see it, and the replies they give."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from aiohttp import web

from batch_emulator.dataplane.properties import PROPERTIES
from batch_emulator.dataplane.query import Key, page, selection, selects_statistics
from batch_emulator.errors import ServiceError
from batch_emulator.runtime.account import Account
from batch_emulator.wire import (
    Json,
    now,
    parse_http_date,
    print_etag,
    print_http_date,
    print_time,
    read_json,
)

JSON_TYPE: Final = "application/json;odata=minimalmetadata"
REQUEST_ID: Final = web.RequestKey("request-id", str)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
CONDITIONS: Final = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")


@dataclass(frozen=True, slots=True)
class BatchCall:
    """A request that has passed the pipeline."""

    account: Account
    request: web.Request

    @property
    def base(self) -> str:
        """The account's address, without a slash at its end."""
        return self.account.url

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters."""
        return self.request.query

    def part(self, name: str) -> str:
        """Return a decoded part of the path."""
        return self.request.match_info[name]

    async def body(self, most_bytes: int | None = None) -> object:
        """
        Return the request's body, or an empty object if there is none.

        Raises:
            ServiceError: It is not JSON, or has more than ``most_bytes``.
        """
        try:
            content = await self.request.read()
            if most_bytes is not None and len(content) > most_bytes:
                raise ServiceError("RequestBodyTooLarge")
            body = read_json(content or b"{}")
        except (ValueError, web.RequestPayloadError) as error:  # the latter of broken gzip
            raise ServiceError("InvalidRequestBody", values=(("Reason", str(error)),)) from error
        if isinstance(body, dict):
            # What a client has read and sends back holds the annotation of the reply.
            body.pop("odata.metadata", None)
        return body

    def check_conditions(self, modified: datetime, *, etag: bool = True) -> None:
        """
        Check the conditional headers against a resource.

        Raises:
            ServiceError: ConditionNotMet, or a header that cannot be read.
        """
        headers = self.request.headers
        tag = print_etag(modified)
        if etag and (wanted := headers.get("If-Match")) and not _matches(wanted, tag):
            raise ServiceError("ConditionNotMet")
        since = _date(headers, "If-Unmodified-Since")
        if since and modified.replace(microsecond=0) > since:
            raise ServiceError("ConditionNotMet")
        read_status = 304 if self.request.method in {"GET", "HEAD"} else 412
        unwanted = headers.get("If-None-Match")
        if etag and unwanted and _matches(unwanted, tag):
            raise ServiceError("ConditionNotMet", status=read_status)
        since = _date(headers, "If-Modified-Since")
        if since and modified.replace(microsecond=0) <= since:
            raise ServiceError("ConditionNotMet", status=read_status)

    def one(
        self,
        kind: str,
        resource: Json,
        *,
        modified: datetime | None = None,
        statistics: Callable[[], Json] | None = None,
    ) -> web.Response:
        """
        Reply with one resource, reduced by ``$select``; to HEAD with headers only.

        ``statistics`` makes its ``stats``, if the request asks for them.

        Raises:
            ServiceError: ``$select`` or ``$expand`` names a property that the resource lacks.
        """
        headers = _change_headers(modified) if modified else {}
        if self.request.method == "HEAD":
            return _chunked(web.Response(headers=headers))
        metadata = {"odata.metadata": f"{self.base}/$metadata#{kind}/@Element"}
        if selects_statistics(self.query) and statistics is not None:
            resource = {**resource, "stats": statistics()}
        return _json(metadata | self._selection(kind)(resource), headers)

    def several(self, kind: str, items: list[Json]) -> web.Response:
        """Reply with a result for each of several things."""
        return _json({"odata.metadata": f"{self.base}/$metadata#{kind}", "value": items}, {})

    def many[T](
        self,
        kind: str,
        things: Iterable[T],
        show: Callable[[T], Json],
        key: Key[T],
        statistics: Callable[[T], Json] | None = None,
    ) -> web.Response:
        """
        Reply with one page of a list, each thing reduced by ``$select``.

        ``statistics`` makes the ``stats`` of a thing, if the request asks for them.

        Raises:
            ServiceError: A query parameter is wrong.
        """
        part = page(things, self.query, key)
        keep = self._selection(kind)
        if selects_statistics(self.query) and statistics is not None:
            items = [keep({**show(thing), "stats": statistics(thing)}) for thing in part.items]
        else:
            items = [keep(show(thing)) for thing in part.items]
        body: Json = {"odata.metadata": f"{self.base}/$metadata#{kind}", "value": items}
        if part.next_query is not None:
            path = self.request.raw_path.partition("?")[0]
            body["odata.nextLink"] = f"{self.base}{path}?{part.next_query}"
        return _json(body, {})

    def _selection(self, kind: str) -> Callable[[Json], Json]:
        return selection(self.query, PROPERTIES.get(kind, {}))

    def created(self, url: str, modified: datetime | None = None) -> web.Response:
        """Reply that a resource has been created; users of nodes have no time of modification."""
        headers = _change_headers(modified) if modified else {}
        headers |= {"DataServiceId": url, "Location": url}
        return _chunked(web.Response(status=201, headers=headers))

    def changing(self, modified: datetime) -> web.Response:
        """Reply that a change of the resource has begun."""
        return self.changed(modified, status=202)

    def changed(
        self, modified: datetime | None = None, *, status: int = 200, named: bool = True
    ) -> web.Response:
        """Reply that a change has been made or has begun; nodes have no time of modification."""
        path = self.request.raw_path.partition("?")[0]
        headers = _change_headers(modified) if modified else {}
        name = {"DataServiceId": f"{self.base}{path}"} if named else {}
        response = web.Response(status=status, headers={**headers, **name})
        return response if status == HTTPStatus.NO_CONTENT else _chunked(response)

    def deleted(self) -> web.Response:
        """Reply that the resource is gone."""
        return _chunked(web.Response(status=200))

    def result(self, kind: str, value: Json, *, named: bool = True) -> web.Response:
        """Reply with the result of an operation; ``named`` adds the request's own address."""
        path = self.request.raw_path.partition("?")[0]
        metadata = {"odata.metadata": f"{self.base}/$metadata#{kind}"}
        return _json(metadata | value, {"DataServiceId": f"{self.base}{path}"} if named else {})

    def deleting(self) -> web.Response:
        """Reply that the removal of the resource has begun."""
        return _chunked(web.Response(status=202))


def error_body(request: web.Request, error: ServiceError) -> Json:
    """Return a refusal as the service words it, without the line about its metadata."""
    text = f"{error.text}\nRequestId:{request[REQUEST_ID]}\nTime:{print_time(now())}"
    body: Json = {"code": error.code, "message": {"lang": "en-US", "value": text}}
    if error.values:
        body["values"] = [{"key": key, "value": value} for key, value in error.values]
    return body


def _change_headers(modified: datetime) -> dict[str, str]:
    return {"ETag": print_etag(modified), "Last-Modified": print_http_date(modified)}


def _chunked(response: web.Response) -> web.Response:
    # The service sends everything but errors in chunks, bodies of no length as well.
    response.enable_chunked_encoding()
    return response


def _json(body: Json, headers: Mapping[str, str]) -> web.Response:
    text = _ENCODER.encode(body)
    return _chunked(
        web.Response(body=text.encode(), headers={**headers, "Content-Type": JSON_TYPE})
    )


def _matches(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in {part.strip().strip('"') for part in header.split(",")}


def _date(headers: Mapping[str, str], name: str) -> datetime | None:
    if not (text := headers.get(name)):
        return None
    try:
        return parse_http_date(text)
    except (ValueError, OverflowError):
        values = (("HeaderName", name), ("HeaderValue", text))
        raise ServiceError("InvalidHeaderValue", values=values) from None
