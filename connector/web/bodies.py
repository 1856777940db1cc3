"""Bodies of requests, on both faces: is it JSON, is it as small as it must be. Bytes come out; nobody parses here."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from connector.wire.rest_bodies import JSON


def json_body(longest: int) -> bytes:
    """The body of this request. 415 when it is no JSON, 413 when it has more than `longest` bytes.

    An application that asks allows itself one byte more: a chunked body is otherwise cut at the limit without a word.
    """
    if request.mimetype != JSON or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise UnsupportedMediaType("Send JSON in UTF-8 with Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without a Content-Encoding.")
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        body = None  # the framework would say so without the number
    if body is None or len(body) > longest:
        raise RequestEntityTooLarge(f"The body is larger than {longest:,} bytes.")
    return body
