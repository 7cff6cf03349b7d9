"""The framing of a transaction log, `run-ID.wandb`: records, read and written as a stream.

A header of seven bytes, then LevelDB's log format (github.com/google/leveldb, doc/log_format.md):
blocks of 32 KiB, of which the header takes the first bytes of the first one, filled with chunks. A
chunk is a checksum, a length, a type and data; a record is one chunk, or several where a block's
end cuts it. Fewer than seven bytes at the end of a block stay zero. W&B's checksum is zlib's
CRC-32 of type and data, without LevelDB's mask (wandb's core/internal/transactionlog and
core/pkg/leveldb; until wandb 0.29 also sdk/internal/datastore.py).

Both of W&B's writers cut a record in one way only: at the end of a block, and only where more of it
follows. The reader takes nothing else, so a log that it reads is what `write_records` makes of the
same records, byte for byte. An undo relies on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct
from typing import BinaryIO, Protocol
from zlib import crc32

from migrate.errors import DamagedLog, LogError, TruncatedLog

HEADER = b":W&B\xe1\xbe\x00"
BLOCK = 32_768
CHUNK_HEADER = 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4

_CHUNK = Struct("<IHB")  # checksum, length, type
_READ = 16 * BLOCK
_CRC_OF_TYPE = tuple(crc32(bytes([kind])) for kind in range(LAST + 1))


Chunk = tuple[int, memoryview]
"""A chunk's type and its data, which is valid until the next chunk is asked for."""


Skip = Callable[[bytes, int, int], object]
"""Whether a record is passed over: the bytes that it is in, where it begins and where it ends."""


def read_chunks(file: BinaryIO, skip: Skip | None = None) -> Iterator[Chunk]:
    """The chunks of a log, each checked before it is given out.

    Args:
        file: The log, at its beginning; buffered, so that a short read is the end.
        skip: Which records of a single chunk are checked and not given out.

    Raises:
        TruncatedLog: The file ends within a record. What came before it is whole.
        DamagedLog: There is something else than W&B writes.
    """
    buffer = file.read(_READ)
    if buffer[: len(HEADER)] != HEADER:
        raise _not_a_log(buffer)
    base, at, within = 0, len(HEADER), False
    unpack = _CHUNK.unpack_from
    while buffer:
        view = memoryview(buffer)
        for block in range(0, len(buffer), BLOCK):
            full, end = block + BLOCK, min(block + BLOCK, len(buffer))
            last_header = end - CHUNK_HEADER
            while at <= last_header:
                checksum, length, kind = unpack(buffer, at)
                start = at + CHUNK_HEADER
                data_end = start + length
                if data_end > end:
                    raise _damaged(base + at) if data_end > full else _truncated(base + at)
                # The checksum is also of the type, the byte before the data.
                if crc32(view[start - 1 : data_end]) != checksum:
                    raise _damaged(base + at)
                if kind != FULL or within:
                    if not _fits(kind, within, length, fills=data_end == full):
                        raise _damaged(base + at)
                    within = kind != LAST
                    yield kind, view[start:data_end]
                elif skip is None or not skip(buffer, start, data_end):
                    yield kind, view[start:data_end]
                at = data_end
            _check_rest(view[at:end], base + at, padding=at > full - CHUNK_HEADER)
            at = full
        if len(buffer) < _READ:
            break
        base += _READ
        at -= _READ
        buffer = file.read(_READ)
    if within:
        raise _truncated(base + len(buffer))


def _check_rest(rest: memoryview, offset: int, *, padding: bool) -> None:
    """Check what is too short for a chunk's header: the end of a block, or that of the file."""
    if padding and any(rest):
        raise _damaged(offset)
    if rest and (offset + len(rest)) % BLOCK:
        raise _truncated(offset)


def _fits(kind: int, within: bool, length: int, *, fills: bool) -> bool:
    """Whether W&B's writers would put such a chunk there.

    Args:
        kind: Its type.
        within: Whether the chunk before it leaves its record open.
        length: How much data it holds.
        fills: Whether it ends where its block ends.
    """
    if kind in (FULL, FIRST):
        return not within and (kind == FULL or fills)
    return within and ((kind == MIDDLE and fills) or (kind == LAST and length > 0))


class Sink(Protocol):
    """Where a log is written to."""

    def write(self, data: bytearray, /) -> object:
        """Take the next bytes."""


class LogWriter:
    """Writes a log as W&B does. It is complete once `flush` has returned."""

    def __init__(self, file: Sink) -> None:
        self._file = file
        self._block = bytearray(HEADER)  # what the block under way holds, for the next write
        self._filled = len(HEADER)  # how much of it there is, with what was written already
        self._chunk = -1  # where in `_block` the open chunk begins; -1 for none
        self._first = True

    def write(self, data: bytes | bytearray | memoryview, *, begins: bool, ends: bool) -> None:
        """Write a part of a record, or the whole."""
        if begins:
            if self._filled + CHUNK_HEADER > BLOCK:
                self._block += bytes(BLOCK - self._filled)
                self._end_block()
            self._first = True
            self._open_chunk()
        start = 0
        while start < len(data):
            if self._filled == BLOCK:
                self._close_chunk(FIRST if self._first else MIDDLE)
                self._end_block()
                self._first = False
                self._open_chunk()
            part = data[start : start + BLOCK - self._filled]
            self._block += part
            self._filled += len(part)
            start += len(part)
        if ends:
            self._close_chunk(FULL if self._first else LAST)

    def flush(self) -> None:
        """Hand the rest to the file."""
        self._file.write(self._block)
        self._block.clear()

    def _open_chunk(self) -> None:
        self._chunk = len(self._block)
        self._block += bytes(CHUNK_HEADER)
        self._filled += CHUNK_HEADER

    def _close_chunk(self, kind: int) -> None:
        with memoryview(self._block) as block, block[self._chunk + CHUNK_HEADER :] as data:
            checksum = crc32(data, _CRC_OF_TYPE[kind])
            _CHUNK.pack_into(block, self._chunk, checksum, len(data), kind)
        self._chunk = -1

    def _end_block(self) -> None:
        self._file.write(self._block)
        self._block.clear()
        self._filled = 0


def _not_a_log(start: bytes) -> LogError:
    if HEADER.startswith(start[: len(HEADER)]):
        return _truncated(len(start))
    if start.startswith(HEADER[:-1]):
        return DamagedLog(f"written in version {start[len(HEADER) - 1]} of the format")
    return DamagedLog("not a transaction log")


def _truncated(offset: int) -> TruncatedLog:
    return TruncatedLog(f"cut off at byte {offset:,}")


def _damaged(offset: int) -> DamagedLog:
    return DamagedLog(f"damaged at byte {offset:,}")
