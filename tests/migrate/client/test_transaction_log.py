"""The framing of a transaction log: what is read is what was written, or it is an error."""

import io
from struct import pack
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrate.client.transaction_log import (
    BLOCK,
    HEADER,
    framed,
    read_records,
)
from migrate.errors import DamagedLog, LogError, TruncatedLog

ROOM = BLOCK - len(HEADER) - 7  # for the data of the first block's first chunk

# How long records are: small, or such that they end around a block's end, or much longer.
LENGTHS = st.one_of(
    st.integers(0, 60),
    st.builds(
        lambda blocks, more: blocks * (BLOCK - 7) + more, st.integers(1, 2), st.integers(-25, 25)
    ),
    st.integers(0, 2 * BLOCK),
)
LOGS = st.lists(LENGTHS, max_size=4)


def content(lengths):
    """Records of these lengths, each of its own."""
    return [bytes([65 + number]) * length for number, length in enumerate(lengths)]


def written(records):
    return b"".join(framed(records))


def read(data):
    """The records of a log, and the error that reading it ended with."""
    records = []
    try:
        records.extend(read_records(io.BytesIO(data)))
    except LogError as error:
        return records, error
    return records, None


@given(LOGS)
@example([ROOM]).via("ends with its block")
@example([ROOM - 1, 5]).via("a byte of padding")
@example([ROOM - 6, 5]).via("six bytes of padding")
@example([ROOM - 7, 0]).via("an empty record fills the block")
@example([ROOM - 7, 5]).via("a first chunk without data")
@example([ROOM - 8, 5]).via("a first chunk with a byte")
@example([4 * BLOCK, 40 * BLOCK]).via("many blocks, and more than is read at once")
def test_what_is_read_is_what_was_written(lengths):
    records = content(lengths)
    data = written(records)
    assert data.startswith(HEADER)
    assert read(data) == (records, None)


def test_a_log_that_grows_while_it_is_read():
    """What it held when its end was reached is whole; what came then is not looked at."""
    before, after = written([b"before"]), chunk(1, b"after")

    class Growing(io.BytesIO):
        def read(self, size=-1):
            return next(parts, b"")

    parts = iter([before, after])
    assert list(read_records(Growing())) == [b"before"]


@given(LOGS, st.data())
def test_a_log_that_is_cut_off(lengths, drawn):
    """The records before the cut, and then an error: unless the cut is between two records."""
    records = content(lengths)
    data = written(records)
    cut = drawn.draw(st.integers(0, len(data) - 1))
    found, error = read(data[:cut])
    assert found == records[: len(found)]
    if error is None:
        assert data[:cut] in (written(found), written(found) + bytes(-cut % BLOCK))
    else:
        assert isinstance(error, TruncatedLog)


@given(LOGS, st.data(), st.integers(1, 255))
def test_a_byte_that_is_another(lengths, drawn, change):
    """Never another record: those before it, and an error."""
    records = content(lengths)
    data = bytearray(written(records))
    data[drawn.draw(st.integers(0, len(data) - 1))] ^= change
    found, error = read(bytes(data))
    assert isinstance(error, LogError)
    assert found == records[: len(found)]


def chunk(kind, data):
    """A chunk with the right checksum, whatever it is."""
    return pack("<IHB", crc32(bytes([kind]) + data), len(data), kind) + data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b":W&B", "cut off at byte 4"),
        (b":W&B\xe1\xbe\x01" + bytes(50), "written in version 1 of the format"),
        (b"SQLite format 3\x00", "not a transaction log"),
        (HEADER + bytes(3), "cut off at byte 7"),
        (HEADER + bytes(40), "damaged at byte 7"),  # as a file system leaves it after a crash
        (HEADER + chunk(1, b"a") + chunk(3, b"b"), "damaged at byte 15"),
        (HEADER + chunk(1, b"a") + chunk(4, b"b"), "damaged at byte 15"),
        (HEADER + chunk(5, b"a"), "damaged at byte 7"),
        (HEADER + chunk(2, b"a") + chunk(4, b"b"), "damaged at byte 7"),  # cut within a block
        (HEADER + chunk(2, bytes(ROOM)) + chunk(2, bytes(BLOCK - 7)), "damaged at byte 32,768"),
        (HEADER + chunk(2, bytes(ROOM)) + chunk(1, b"a"), "damaged at byte 32,768"),
        (HEADER + chunk(2, bytes(ROOM)) + chunk(4, b""), "damaged at byte 32,768"),
        (HEADER + chunk(2, bytes(ROOM)) + chunk(3, b"a"), "damaged at byte 32,768"),
        (HEADER + chunk(2, bytes(ROOM)), "cut off at byte 32,768"),
        (HEADER + chunk(1, bytes(ROOM - 2)) + b"\0x" + chunk(1, b"a"), "damaged at byte 32,766"),
        (HEADER + chunk(1, bytes(ROOM - 2)) + b"\0", "cut off at byte 32,766"),
        (HEADER + chunk(1, bytes(ROOM + 1)), "damaged at byte 7"),
    ],
)
def test_what_w_and_b_does_not_write(data, words):
    _, error = read(data)
    assert str(error) == words
    assert isinstance(error, TruncatedLog if words == "empty" or "cut off" in words else DamagedLog)
