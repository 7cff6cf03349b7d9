"""The records of a transaction log, held against wandb's own protobuf classes."""

import io
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wandb.proto import wandb_internal_pb2

from migrate.client import log_records
from migrate.client.log_records import LogContents, renamed, renamed_records
from migrate.client.transaction_log import BLOCK, framed
from migrate.errors import DamagedLog
from naming import CONFIG_KEYS

pb: Any = wandb_internal_pb2
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.one_of(TEXTS, st.just("长" * 43), st.just("n" * 128))
KEYS = st.one_of(st.sampled_from(["rate", "arch", "exponents", "lr"]), TEXTS)
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(0, 1), TEXTS)


@st.composite
def configs(draw):
    config = pb.ConfigRecord()
    for key, value in draw(st.lists(st.tuples(KEYS, VALUES), max_size=4)):
        item = config.update.add(value_json=json.dumps(value))
        if draw(st.booleans()):
            item.key = key
        else:
            item.nested_key.append(key)
    for key in draw(st.lists(KEYS, max_size=1)):
        config.remove.add(key=key)
    return config


KINDS = ("run", "config", "exit", "history", "metric", "files", "nothing")


@st.composite
def records(draw, kinds=KINDS):
    """Records of every kind, with what may stand beside them."""
    record = pb.Record(num=draw(st.integers(0, 2**40)))
    if draw(st.booleans()):
        record._info.stream_id = draw(NAMES)
    if draw(st.booleans()):
        record.control.mailbox_slot = draw(TEXTS)
    match draw(st.sampled_from(kinds)):
        case "run":
            run = record.run
            run.run_id, run.entity, run.project = draw(st.tuples(TEXTS, TEXTS, TEXTS))
            run.display_name = draw(NAMES)
            run.config.CopyFrom(draw(configs()))
            run.tags.extend(draw(st.lists(TEXTS, max_size=2)))
            run.start_time.seconds = draw(st.integers(0, 2**32))
            run.start_time.nanos = draw(st.integers(0, 999_999_999))
        case "config":
            record.config.CopyFrom(draw(configs()))
        case "exit":
            record.exit.exit_code = draw(st.integers(-1, 255))
        case "history":
            record.history.item.add(key=draw(TEXTS), value_json="1")
        case "metric":
            record.metric.name = draw(TEXTS)
        case "files":
            record.files.files.add(path=draw(TEXTS))
    return record


def log_of(*messages):
    return io.BytesIO(
        b"".join(
            framed(
                message if isinstance(message, bytes) else message.SerializeToString()
                for message in messages
            )
        )
    )


def contents_of(*messages):
    contents = LogContents()
    contents.read(log_of(*messages))
    return contents


def kept(config, change):
    """A config after a ConfigRecord, by wandb's classes."""
    for item in change.update:
        config[item.key or "".join(item.nested_key)] = json.loads(item.value_json)
    for item in change.remove:
        config.pop(item.key, None)
    return config


@given(st.lists(records(), max_size=5))
def test_what_a_log_says_of_its_run(messages):
    contents = contents_of(*messages)
    runs = [message.run for message in messages if message.HasField("run")]
    names = [run.display_name for run in runs if run.display_name]
    assert list(contents.names) == list(dict.fromkeys(names))
    assert contents.name == (names[-1] if names else "")
    for ours, theirs in (("run_id", "run_id"), ("entity", "entity"), ("project", "project")):
        assert getattr(contents, ours) == next(
            (getattr(run, theirs) for run in runs if getattr(run, theirs)), ""
        )
    if runs:
        assert contents.started_at == runs[0].start_time.ToDatetime(UTC)
    assert contents.ended == any(message.HasField("exit") for message in messages)
    config = {}
    for message in messages:
        if message.HasField("run"):
            kept(config, message.run.config)
        elif message.HasField("config"):
            kept(config, message.config)
    assert contents.config == {k: v for k, v in config.items() if k in CONFIG_KEYS}


@given(records())
def test_what_is_passed_over_by_its_beginning(message):
    """However little of the record its first chunk holds."""
    data = message.SerializeToString()
    if message.WhichOneof("record_type") in ("run", "config", "exit"):
        assert not any(log_records._OTHER.match(data[:end]) for end in range(len(data) + 1))
    elif message.WhichOneof("record_type"):
        assert contents_of(data) == LogContents()


@given(records(["run"]), NAMES, st.binary(max_size=9))
def test_another_name_in_a_run_record(message, name, unknown):
    """The name alone changes; what a later wandb may write is kept; and back it is as it was."""
    # A field that this wandb does not know: 1000, bytes.
    unknown = b"\xc2\x3e" + bytes([len(unknown)]) + unknown
    run = pb.RunRecord.FromString(message.run.SerializeToString() + unknown)
    message.run.CopyFrom(run)
    old, data = message.run.display_name, message.SerializeToString()
    if not old:
        assert renamed(data, "another", name) == data
        return
    changed = renamed(data, old, name)
    assert changed.count(unknown) >= 1
    message.run.display_name = name
    assert pb.Record.FromString(changed) == message
    if name:
        assert renamed(changed, name, old) == data
    if name != old:
        assert renamed(data, f"not {old}", name) == data


def test_a_record_with_the_new_name_already():
    """An undo would take it for one that was renamed."""
    run = pb.Record(run=pb.RunRecord(run_id="a", display_name="new"))
    with pytest.raises(DamagedLog, match="could not be put back"):
        renamed(run.SerializeToString(), "old", "new")


# How Run, Config and Exit records begin, with a length that may or may not be right.
STARTS = st.sampled_from(
    [b"", b"\x8a\x01", b"\x8a\x01\x0c", b"\x2a\x08", b"\x92\x01\x02", b"\x08\x01"]
)


def long_number(record):
    """A Run record whose length takes a byte more than it has to."""
    at = record.index(b"\x8a\x01") + 2
    return record[:at] + bytes([record[at] | 0x80, 0]) + record[at + 1 :]


def test_what_could_not_be_put_back():
    run = pb.Record(num=1, run=pb.RunRecord(run_id="a", display_name="old"))
    odd = long_number(run.SerializeToString())
    assert pb.Record.FromString(odd) == run
    with pytest.raises(DamagedLog, match="could not be put back"):
        renamed(odd, "old", "new")


@pytest.mark.parametrize(
    "record",
    [
        b"\x8a\x01\x05\x0a\x01a",  # a Run record that ends too soon
        b"\x8a\x01\x03\x0a\x05a",  # what is in it ends too late
        b"\x8a\x01\x03\x42\x01\xff",  # a name that is not UTF-8
        b"\x8a\x01\x02\x43\x44",  # a group, which protobuf 3 does not write
        b"\x8a\x01\x03\x0a\x01a\x92\x01\x00",  # a Run record and an Exit record at once
        b"\x8a\x01\x03\x0a\x01a" * 2,
        b"\xff" * 20,
    ],
)
def test_a_record_that_is_not_w_and_bs(record):
    with pytest.raises(DamagedLog, match="not a message of W&B's"):
        contents_of(record)


@given(st.lists(st.builds(bytes.__add__, STARTS, st.binary(max_size=30)), max_size=3))
def test_any_bytes_as_records(found):
    """They are passed over, or one error says that they are not W&B's."""
    for read in (contents_of, lambda *some: [*renamed_records(log_of(*some), "a", "b")]):
        with suppress(DamagedLog):
            read(*found)


def test_a_long_record_that_does_not_matter_is_not_even_decoded():
    broken = b"\xff\xff\xff\xff\x0f" + bytes(4 * BLOCK)
    assert contents_of(b"\x12" + broken) == LogContents()
    with pytest.raises(DamagedLog):
        contents_of(b"\x8a\x01" + broken)


def test_config_values_that_names_do_not_need_or_cannot_have():
    config = pb.ConfigRecord()
    config.update.add(key="rate", value_json="0.5")
    config.update.add(key="rate", value_json="not JSON")
    config.update.add(key="lr", value_json="[" * 100_000)
    config.update.add(key="arch", value_json='"a"')
    config.update.add(nested_key=["arch", "deep", "er"], value_json="1")
    config.update.add(value_json="1")
    assert contents_of(pb.Record(config=config)).config == {
        "rate": 0.5,
        "arch": {},
    }


def test_a_time_that_is_none():
    run = pb.RunRecord(run_id="a")
    run.start_time.seconds = 2**60
    assert contents_of(pb.Record(run=run)).started_at is None
    run.start_time.seconds = 1_767_882_600
    assert contents_of(pb.Record(run=run)).started_at == datetime(2026, 1, 8, 14, 30, tzinfo=UTC)
