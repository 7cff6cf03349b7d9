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

from migrate.client.transaction_log import FIRST, FULL, LAST, read_chunks
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

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MOST_BYTES = 64 * 2**20
"""A Run, Config or Exit record that is longer is not W&B's: its configs have 15 MB at the most."""

# How nearly all records begin, with C's speed: `num`, `_info` with a short stream id, and then
# what the record holds: one of the fields below 16, of which only `config` (0x2a) matters to us.
_INFO = b"|".join(re.escape(bytes([length])) + b".{%d}" % length for length in range(64))
_OTHER = re.compile(
    rb"(?:\x08[\x80-\xff]{0,9}[\x00-\x7f])?(?:\xc2\x0c(?:" + _INFO + rb"))?"
    rb"[\x12\x1a\x22\x32\x3a\x42\x4a\x52\x5a\x62\x6a]",
    re.DOTALL,
)


Data = bytes | bytearray | memoryview


class _Field(NamedTuple):
    """Where a field of a message is.

    Attributes:
        number: Its number.
        begin: Where the value begins; of bytes, the length that stands before them.
        start: Where the value itself begins.
        end: Where it ends.
    """

    number: int
    begin: int
    start: int
    end: int


class _CutOff(Exception):
    """A message ends within a field."""


class Piece(NamedTuple):
    """A part of a record, or the whole.

    Attributes:
        kind: CONFIG, RUN or EXIT, where that was asked for: then it is the whole; else None.
        data: The bytes; valid until the next piece is asked for.
        begins: Whether the record begins with it.
        ends: Whether the record ends with it.
    """

    kind: int | None
    data: Data
    begins: bool
    ends: bool


def read_pieces(file: BinaryIO, whole: Container[int], *, others: bool) -> Iterator[Piece]:
    """The records of a log, in pieces.

    Args:
        file: The log, at its beginning.
        whole: The kinds of records that are given out as a whole.
        others: Whether the others are given out, too.

    Raises:
        LogError: It is not as W&B writes it, from there on.
    """
    is_other = _OTHER.match
    record, wanted = bytearray(), False
    for chunk, data in read_chunks(file, None if others else is_other):
        begins, ends = chunk in (FULL, FIRST), chunk in (FULL, LAST)
        if begins:
            record = bytearray()
            wanted = not is_other(data)
        if not wanted:
            if others:
                yield Piece(None, data, begins, ends)
            continue
        record += data
        kind = kind_of(record)
        if len(record) > MOST_BYTES:
            raise DamagedLog(f"one of its records has more than {MOST_BYTES >> 20} MiB")
        if ends and kind in whole:
            yield Piece(kind, record, True, True)
        elif ends or not (kind is None or kind in whole):
            wanted = False
            if others:
                yield Piece(None, record, True, ends)


def kind_of(record: Data) -> int | None:
    """What a record holds, as the number of a field: CONFIG, RUN, EXIT or another.

    Args:
        record: The record, or its first bytes.

    Returns:
        None where nothing is held by what is there of it.
    """
    at = 0
    with suppress(_CutOff):
        while at < len(record):
            tag, at = _number(record, at)
            if tag >> 3 not in _BESIDE:
                return tag >> 3
            at = _extent(record, at, tag & 7)[1]
    return None


def _number(message: Data, at: int) -> tuple[int, int]:
    """A number that takes one to ten bytes, and where it ends."""
    value = 0
    for count, byte in enumerate(message[at : at + 10]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, at + count + 1
    if at + 10 > len(message):
        raise _CutOff
    raise DamagedLog(_NO_MESSAGE)


def _extent(message: Data, at: int, wire_type: int) -> tuple[int, int]:
    """Where a field's value itself begins, and where it ends."""
    if wire_type == 0:
        return at, _number(message, at)[1]
    if wire_type == 2:
        length, at = _number(message, at)
        return at, at + length
    if wire_type in (1, 5):
        return at, at + (8 if wire_type == 1 else 4)
    raise DamagedLog(_NO_MESSAGE)


def _fields(message: Data, where: _Field | None = None) -> Iterator[_Field]:
    """The fields of a message, in the order in which they stand there.

    Args:
        message: The message, or the one that it is in.
        where: The field that it is.

    Raises:
        DamagedLog: It is not a message.
    """
    at, end = (where.start, where.end) if where else (0, len(message))
    try:
        while at < end:
            tag, begin = _number(message, at)
            start, at = _extent(message, begin, tag & 7)
            if at > end:
                raise DamagedLog(_NO_MESSAGE)
            yield _Field(tag >> 3, begin, start, at)
    except _CutOff:
        raise DamagedLog(_NO_MESSAGE) from None


def _text(message: Data, where: _Field) -> str:
    try:
        return bytes(message[where.start : where.end]).decode()
    except UnicodeDecodeError:  # which no string of a message is
        raise DamagedLog(_NO_MESSAGE) from None


@dataclass(slots=True)
class LogContents:
    """What the records of a log say of its run, so far.

    Attributes:
        keys: The keys of the config that are kept.
        run_id: Empty where there is no Run record.
        entity: Empty where the client did not know it.
        project: Likewise.
        names: The names in the Run records, each once.
        name: The one that W&B's server will have in the end: the last.
        started_at: In UTC; None where it is not known.
        config: The values of these keys.
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
        """Read a log; where it raises LogError, what came before is taken in."""
        for kind, record, _, _ in read_pieces(file, (CONFIG, RUN, EXIT), others=False):
            if kind is not None:
                self.take(kind, record)

    def take(self, kind: int, record: Data) -> None:
        """Take in a Run, Config or Exit record.

        As wandb-core does (core/internal/runbranch and runconfig): what a later record leaves
        empty stays as it was.
        """
        held = _held(record, kind)
        if kind == RUN:
            self._take_run(record, held)
        elif kind == CONFIG:
            self._take_config(record, held)
        else:
            self.ended = True

    def _take_run(self, record: Data, run: _Field) -> None:
        texts = {_RUN_ID: "", _ENTITY: "", _PROJECT: "", _NAME: ""}
        for part in _fields(record, run):
            if part.number in texts:
                texts[part.number] = _text(record, part)
            elif part.number == _RUN_CONFIG:
                self._take_config(record, part)
            elif part.number == _START_TIME:
                self.started_at = self.started_at or _time(record, part)
        self.run_id = self.run_id or texts[_RUN_ID]
        self.entity = self.entity or texts[_ENTITY]
        self.project = self.project or texts[_PROJECT]
        if name := texts[_NAME]:
            self.name = name
            self.names[name] = None

    def _take_config(self, record: Data, config: _Field) -> None:
        for item in _fields(record, config):
            if item.number in (_UPDATE, _REMOVE):
                path, value_json = _item(record, item)
                if path and path[0] in self.keys:
                    _change(self.config, path, value_json if item.number == _UPDATE else None)


def _held(record: Data, kind: int) -> _Field:
    """The field that says what a record holds; DamagedLog where there are two."""
    held = [part for part in _fields(record) if part.number not in _BESIDE]
    if len(held) != 1 or held[0].number != kind:
        raise DamagedLog(_NO_MESSAGE)
    return held[0]


def _item(record: Data, item: _Field) -> tuple[list[str], str]:
    """A config item: the path to its key, and its value as JSON."""
    path, value_json = [], ""
    for part in _fields(record, item):
        if part.number in (_KEY, _NESTED_KEY):
            path.append(_text(record, part))
        elif part.number == _VALUE_JSON:
            value_json = _text(record, part)
    return path, value_json


def _change(config: dict[str, object], path: list[str], value_json: str | None) -> None:
    """Set a value of a config, or remove it (None). What is not JSON is passed over, as by W&B.

    Of a value in a value it is enough to know that it is there: no name is made of one.
    """
    if len(path) > 1:
        config[path[0]] = {}
    elif value_json is None:
        config.pop(path[0], None)
    else:
        with suppress(ValueError, RecursionError):
            config[path[0]] = json.loads(value_json)


def _time(record: Data, where: _Field) -> datetime | None:
    """A Timestamp; None where it is beyond what Python knows."""
    parts = {part.number: _number(record, part.begin)[0] for part in _fields(record, where)}
    try:
        return _EPOCH + timedelta(
            seconds=parts.get(_SECONDS, 0), microseconds=parts.get(_NANOS, 0) // 1000
        )
    except OverflowError:
        return None


def renamed_pieces(file: BinaryIO, old_name: str, new_name: str) -> Iterator[Piece]:
    """A log's records with another name in them.

    Args:
        file: The log, at its beginning.
        old_name: The name that Run records are to have now; those with another one stay.
        new_name: The name that they get.

    Raises:
        LogError: It is not as W&B writes it, from there on, or could not be put back.
    """
    for piece in read_pieces(file, (RUN,), others=True):
        if piece.kind == RUN:
            yield piece._replace(data=renamed(bytes(piece.data), old_name, new_name))
        else:
            yield piece


def renamed(record: bytes, old_name: str, new_name: str) -> bytes:
    """A Run record with another name: every other byte is the same, but for the lengths.

    Args:
        record: The record.
        old_name: The name that it is to have now; a record with another one stays as it is.
        new_name: The name that it is to get.

    Raises:
        DamagedLog: It could not be brought back to what it is: it has the new name already, or is
            not written as W&B does.
    """
    new = _with_name(record, old_name, new_name)
    if _with_name(new, new_name, old_name) != record:
        raise DamagedLog("the name in one of its records could not be put back later")
    return new


def _with_name(record: bytes, old_name: str, new_name: str) -> bytes:
    run = _held(record, RUN)
    names = [part for part in _fields(record, run) if part.number == _NAME]
    if not names or _text(record, names[-1]) != old_name:
        return record
    name, text = names[-1], new_name.encode()
    new_run = (
        record[run.start : name.begin]
        + _written_number(len(text))
        + text
        + record[name.end : run.end]
    )
    return record[: run.begin] + _written_number(len(new_run)) + new_run + record[run.end :]


def _written_number(value: int) -> bytes:
    """A number as `_number` reads it."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


_NO_MESSAGE = "one of its records is not a message of W&B's"
