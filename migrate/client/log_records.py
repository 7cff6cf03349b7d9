"""What stands in the records of a transaction log: a run's name, its config, its end.

A record is a protobuf message, `wandb.proto.wandb_internal_pb2.Record`. It is read field by field
as it stands in the file, and not with wandb's own class: a log may hold millions of records, of
which three kinds matter; importing wandb takes a second; and a name has to be put into a record
without moving a byte of what else is in it, which a message that is parsed and written again does
not promise. The tests hold this against wandb's class.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final, NamedTuple

from migrate.client.transaction_log import read_records
from migrate.errors import DamagedLog
from naming import CONFIG_KEYS

# Fields of Record: what it holds, one in place of the others …
CONFIG: Final = 5
RUN: Final = 17
EXIT: Final = 18
# … and what stands beside it: num, control, uuid, _info.
_BESIDE = frozenset({1, 16, 19, 200})
# Fields of RunRecord, of its start_time, of ConfigRecord, and of its items.
_RUN_ID, _ENTITY, _PROJECT, _RUN_CONFIG, _NAME, _START_TIME = 1, 2, 3, 4, 8, 17
_SECONDS, _NANOS = 1, 2
_UPDATE, _REMOVE = 1, 2
_KEY, _NESTED_KEY, _VALUE_JSON = 1, 2, 16

_FIXED_LENGTHS = {1: 8, 5: 4}  # by wire type
_NO_MESSAGE = "one of its records is not a message of W&B's"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# How nearly all records begin, with C's speed: `num`, `_info` with a short stream id, and then
# what the record holds: one of the fields below 16, of which only `config` (0x2a) matters to us.
_INFO = b"|".join(re.escape(bytes([length])) + b".{%d}" % length for length in range(64))
_OTHER = re.compile(
    rb"(?:\x08[\x80-\xff]{0,9}[\x00-\x7f])?(?:\xc2\x0c(?:" + _INFO + rb"))?"
    rb"[\x12\x1a\x22\x32\x3a\x42\x4a\x52\x5a\x62\x6a]",
    re.DOTALL,
)


class _Field(NamedTuple):
    """A field of a message: its value, and where it stands with its tag and length."""

    number: int
    value: bytes
    start: int
    end: int


def _fields(message: bytes) -> Iterator[_Field]:
    """The fields of a message, in their order; DamagedLog where it is not a message."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _number(message, at)
        wire_type = tag & 7
        if wire_type == 0:
            length = _number(message, at)[1] - at
        elif wire_type == 2:
            length, at = _number(message, at)
        elif wire_type in _FIXED_LENGTHS:
            length = _FIXED_LENGTHS[wire_type]
        else:
            raise DamagedLog(_NO_MESSAGE)
        end = at + length
        if end > len(message):
            raise DamagedLog(_NO_MESSAGE)
        yield _Field(tag >> 3, message[at:end], start, end)
        at = end


def _number(message: bytes, at: int = 0) -> tuple[int, int]:
    """A number that takes one to ten bytes, and where it ends."""
    value = 0
    for count, byte in enumerate(message[at : at + 10]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, at + count + 1
    raise DamagedLog(_NO_MESSAGE)


def _held(record: bytes) -> _Field | None:
    """The field that says what a record holds; DamagedLog where there are two."""
    held = [part for part in _fields(record) if part.number not in _BESIDE]
    if len(held) > 1:
        raise DamagedLog(_NO_MESSAGE)
    return held[0] if held else None


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:  # which no string of a message is
        raise DamagedLog(_NO_MESSAGE) from None


@dataclass(slots=True)
class LogContents:
    """What the records of a log say of its run, so far; a text is empty where they do not.

    Attributes:
        keys: The keys of the config that are kept.
        names: The names in the Run records, each once.
        name: The one that W&B's server will have in the end: the last.
        started_at: In UTC.
        ended: Whether the run's process came to its end.
    """

    keys: Container[str] = CONFIG_KEYS
    run_id: str = ""
    entity: str = ""
    project: str = ""
    names: dict[str, None] = field(default_factory=dict)
    name: str = ""
    started_at: datetime | None = None
    config: dict[str, object] = field(default_factory=dict)
    ended: bool = False

    def read(self, file: BinaryIO) -> None:
        """Read a log; where it raises LogError, what came before is taken in.

        As wandb-core does (core/internal/runbranch and runconfig): what a later record leaves
        empty stays as it was.
        """
        for record in read_records(file, _OTHER.match):
            held = _held(record)
            if held is None:
                continue
            if held.number == RUN:
                self._take_run(held.value)
            elif held.number == CONFIG:
                self._take_config(held.value)
            elif held.number == EXIT:
                self.ended = True

    def _take_run(self, run: bytes) -> None:
        texts = {_RUN_ID: "", _ENTITY: "", _PROJECT: "", _NAME: ""}
        for number, value, _, _ in _fields(run):
            if number in texts:
                texts[number] = _text(value)
            elif number == _RUN_CONFIG:
                self._take_config(value)
            elif number == _START_TIME:
                self.started_at = self.started_at or _time(value)
        self.run_id = self.run_id or texts[_RUN_ID]
        self.entity = self.entity or texts[_ENTITY]
        self.project = self.project or texts[_PROJECT]
        if name := texts[_NAME]:
            self.name = name
            self.names[name] = None

    def _take_config(self, config: bytes) -> None:
        for change in _fields(config):
            if change.number not in (_UPDATE, _REMOVE):
                continue
            path, value_json = [], ""
            for number, value, _, _ in _fields(change.value):
                if number in (_KEY, _NESTED_KEY):
                    path.append(_text(value))
                elif number == _VALUE_JSON:
                    value_json = _text(value)
            if not path or path[0] not in self.keys:
                continue
            if len(path) > 1:  # of a value in a value it is enough to know that it is there
                self.config[path[0]] = {}
            elif change.number == _REMOVE:
                self.config.pop(path[0], None)
            else:
                with suppress(ValueError, RecursionError):  # not JSON: W&B passes it over, too
                    self.config[path[0]] = json.loads(value_json)


def _time(timestamp: bytes) -> datetime | None:
    """A Timestamp; None where it is beyond what Python knows."""
    parts = {part.number: _number(part.value)[0] for part in _fields(timestamp)}
    try:
        return _EPOCH + timedelta(
            seconds=parts.get(_SECONDS, 0), microseconds=parts.get(_NANOS, 0) // 1000
        )
    except OverflowError:
        return None


def renamed_records(file: BinaryIO, old_name: str, new_name: str) -> Iterator[bytes]:
    """A log's records; the Run records that have the old name get the new one.

    Raises:
        LogError: It is not as W&B writes it, from there on, or could not be put back.
    """
    for record in read_records(file):
        yield record if _OTHER.match(record) else renamed(record, old_name, new_name)


def renamed(record: bytes, old_name: str, new_name: str) -> bytes:
    """A Run record that has the old name, with the new one; any other record as it is.

    Every other byte stays the same, but for the lengths.

    Raises:
        DamagedLog: It could not be brought back to what it is: it has the new name already, or is
            not written as W&B does.
    """
    new = _with_name(record, old_name, new_name)
    if _with_name(new, new_name, old_name) != record:
        raise DamagedLog("the name in one of its records could not be put back later")
    return new


def _with_name(record: bytes, old_name: str, new_name: str) -> bytes:
    run = _held(record)
    if run is None or run.number != RUN:
        return record
    names = [part for part in _fields(run.value) if part.number == _NAME]
    if not names or _text(names[-1].value) != old_name:
        return record
    return _put(record, run, _put(run.value, names[-1], new_name.encode()))


def _put(message: bytes, where: _Field, value: bytes) -> bytes:
    """A message with another value, of bytes, in one of its fields."""
    tag, length = _written(where.number << 3 | 2), _written(len(value))
    return message[: where.start] + tag + length + value + message[where.end :]


def _written(number: int) -> bytes:
    """A number as `_number` reads it."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
