"""The framing of a transaction log, `run-ID.wandb`: records, read and written as a stream.

A header of seven bytes, then LevelDB's log format (github.com/google/leveldb, doc/log_format.md):
blocks of 32 KiB, of which the header takes the first bytes of the first one, filled with chunks. A
chunk is a checksum, a length, a type and data; a record is one chunk, or several where a block's
end cuts it. Fewer than seven bytes at the end of a block stay zero. W&B's checksum is zlib's
CRC-32 of type and data, without LevelDB's mask (wandb's core/internal/transactionlog and
core/pkg/leveldb; until wandb 0.29 also sdk/internal/datastore.py).

Both of W&B's writers cut a record in one way only: at the end of a block, and only where more of it
follows. The reader takes nothing else, so a log that it reads is what `framed` makes of the same
records, byte for byte. An undo relies on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from struct import Struct
from typing import BinaryIO
from zlib import crc32

from migrate.errors import DamagedLog, LogError, TruncatedLog

HEADER = b":W&B\xe1\xbe\x00"
BLOCK = 32_768
CHUNK_HEADER = 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4

_CHUNK = Struct("<IHB")  # checksum, length, type
_CRC_OF_TYPE = tuple(crc32(bytes([kind])) for kind in range(LAST + 1))


_KINDS = {(True, True): FULL, (True, False): FIRST, (False, False): MIDDLE, (False, True): LAST}
"""The type of a chunk: whether its record begins with it, and whether it ends with it."""

Skip = Callable[[bytes, int, int], object]
"""Whether a record is passed over, by its first chunk: in which bytes, and from where to where."""


def framed(records: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a log with these records, as W&B writes it."""
    yield HEADER
    filled = len(HEADER)  # of the block under way
    for record in records:
        if filled + CHUNK_HEADER > BLOCK:
            yield bytes(BLOCK - filled)
            filled = 0
        start, begins, ends = 0, True, False
        while not ends:
            end = start + BLOCK - filled - CHUNK_HEADER
            data, ends = record[start:end], end >= len(record)
            kind = _KINDS[begins, ends]
            yield _CHUNK.pack(crc32(data, _CRC_OF_TYPE[kind]), len(data), kind)
            yield data
            filled = filled + CHUNK_HEADER + len(data) if ends else 0
            start, begins = end, False


def read_records(file: BinaryIO, skip: Skip | None = None) -> Iterator[bytes]:
    """The records of a log, each checked before it is given out.

    Args:
        file: The log, at its beginning; buffered, so that a short read is the end.
        skip: Which records are checked and not given out.

    Raises:
        TruncatedLog: The file ends within a record. What came before it is whole.
        DamagedLog: There is something else than W&B writes.
    """
    parts: list[bytes] = []
    wanted = False
    for kind, buffer, start, end in _chunks(file, skip):
        if kind == FULL:
            yield buffer[start:end]
            continue
        if kind == FIRST:
            wanted = skip is None or not skip(buffer, start, end)
        if wanted:
            parts.append(buffer[start:end])
            if kind == LAST:
                yield b"".join(parts)
                parts.clear()


def _chunks(file: BinaryIO, skip: Skip | None) -> Iterator[tuple[int, bytes, int, int]]:
    """The chunks of a log: type, the bytes that it is in, where its data starts and ends.

    Those of a single chunk that `skip` passes over are checked only: there may be millions.
    """
    block = file.read(BLOCK)
    if block[: len(HEADER)] != HEADER:
        raise _not_a_log(block)
    offset, at, within = 0, len(HEADER), False
    unpack = _CHUNK.unpack_from
    while block:
        view = memoryview(block)
        while at + CHUNK_HEADER <= len(block):
            checksum, length, kind = unpack(block, at)
            start = at + CHUNK_HEADER
            end = start + length
            if end > len(block):
                raise _damaged(offset + at) if end > BLOCK else _truncated(offset + at)
            # The checksum is also of the type, the byte before the data.
            if crc32(view[start - 1 : end]) != checksum:
                raise _damaged(offset + at)
            if kind != FULL or within:
                if not _fits(kind, within, length, fills=end == BLOCK):
                    raise _damaged(offset + at)
                within = kind != LAST
                yield kind, block, start, end
            elif skip is None or not skip(block, start, end):
                yield kind, block, start, end
            at = end
        _check_rest(view[at:], offset + at)
        offset += len(block)
        # A short read is the end, even if there is more by now.
        block, at = file.read(BLOCK) if len(block) == BLOCK else b"", 0
    if within:
        raise _truncated(offset)


def _check_rest(rest: memoryview, offset: int) -> None:
    """Check what is too short for a chunk's header: the end of a block, or that of the file."""
    if offset % BLOCK + CHUNK_HEADER > BLOCK and any(rest):
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


def _not_a_log(start: bytes) -> LogError:
    if not start:
        return TruncatedLog("empty")
    if HEADER.startswith(start[: len(HEADER)]):
        return _truncated(len(start))
    if start.startswith(HEADER[:-1]):
        return DamagedLog(f"written in version {start[len(HEADER) - 1]} of the format")
    return DamagedLog("not a transaction log")


def _truncated(offset: int) -> TruncatedLog:
    return TruncatedLog(f"cut off at byte {offset:,}")


def _damaged(offset: int) -> DamagedLog:
    return DamagedLog(f"damaged at byte {offset:,}")
