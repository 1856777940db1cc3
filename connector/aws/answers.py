"""Bodies of AWS's JSON answers become dicts: as botocore makes them, for a fraction of the CPU time, or not at all.

botocore walks the model of every value of every row anew, and makes dates by way of the local time zone; that was the
greater part of what a census cost. Here the model of an operation is walked once. A body that is not whole is refused:
botocore takes a list cut short for an empty one. Answers that are errors, and STS's, are left to botocore.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.model import ListShape, StructureShape
from botocore.parsers import JSONParser, ResponseParserFactory
from botocore.utils import parse_timestamp

from connector.aws.faults import BrokenAnswer

if TYPE_CHECKING:
    from botocore.model import Shape

Read = Callable[[Any], Any]
"""What callers get for a JSON value that is not null."""

_AS_THEY_ARE: Final = frozenset({"string", "integer", "long", "float", "double", "boolean"})


class Parsers(ResponseParserFactory):
    """Makes the parsers of one session."""

    def __init__(self) -> None:
        super().__init__()
        self.set_parser_defaults(timestamp_parser=moment)
        self._readers: dict[Shape | None, Read] = {}

    def create_parser(self, protocol_name: str) -> Any:
        """Asked for one with each answer."""
        return _Json(self._readers) if protocol_name == "json" else super().create_parser(protocol_name)


class _Json(JSONParser):
    def __init__(self, readers: dict[Shape | None, Read]) -> None:
        super().__init__(timestamp_parser=moment)
        self._readers = readers

    def _do_parse(self, response: Mapping[str, Any], shape: Shape | None) -> Any:
        """Of an answer that is no error. botocore keeps the shape with the operation, so that it is met again."""
        read = self._readers.get(shape)
        if read is None:
            read = self._readers[shape] = dict if shape is None else self._reader(shape) or dict
        parsed = read(_whole(response["body"], shape))
        self._botocores._inject_response_metadata(parsed, response["headers"])
        return parsed

    @property
    def _botocores(self) -> Any:
        """This, with what the stubs leave out."""
        return self

    def _reader(self, shape: Shape) -> Read | None:
        """How to read values of the shape; None when they stay as they are."""
        if shape.type_name in _AS_THEY_ARE:
            return None
        if shape.type_name == "timestamp":
            return moment
        if isinstance(shape, ListShape):
            return _list(self._reader(shape.member))
        if isinstance(shape, StructureShape) and not shape.is_document_type and shape.event_stream_name is None:
            read = self._structure(shape)
            return self._union(shape, read) if shape.is_tagged_union else read
        return lambda value: self._botocores._parse_shape(shape, value)

    def _structure(self, shape: StructureShape) -> Read:
        modelled = shape.members.items()
        members: list[tuple[str, str, Read | None]] | None = None

        def made(value: Mapping[str, Any]) -> dict[str, Any]:
            nonlocal members
            if members is None:
                # With the first value, as structures may hold themselves; in one step, as threads share it.
                members = [(each.serialization.get("name", name), name, self._reader(each)) for name, each in modelled]
            found = {}
            for key, name, read in members:
                present = value.get(key)
                if present is not None:
                    found[name] = present if read is None else read(present)
            return found

        return made

    def _union(self, shape: StructureShape, read: Read) -> Read:
        def made(value: Mapping[str, Any]) -> Any:
            found = read(value) if len(value) == 1 else {}
            # Not just one member that is known: botocore says what that is.
            return found or self._botocores._parse_shape(shape, value)

        return made


def _whole(body: bytes, shape: Shape | None) -> dict[str, Any]:
    if not body:
        if isinstance(shape, StructureShape) and shape.members:
            raise BrokenAnswer("empty")
        return {}
    try:
        value = json.loads(body)
    except ValueError as caught:
        raise BrokenAnswer("not JSON") from caught
    if not isinstance(value, dict):
        raise BrokenAnswer("not a JSON object")
    return value


def _list(read: Read | None) -> Read:
    if read is None:
        return list
    return lambda values: [None if each is None else read(each) for each in values]


def moment(value: Any) -> datetime:
    """A date of an answer: seconds since 1970, or a text."""
    if isinstance(value, int | float):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, OSError, ValueError):
            pass  # beyond what datetime keeps: botocore says what that is
    return parse_timestamp(value)
