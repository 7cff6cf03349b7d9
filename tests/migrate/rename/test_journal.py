"""Journals of other people and other versions: refused with a sentence, or read as they are."""

from __future__ import annotations

import fcntl
import json
import os
import re
import resource
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migrate.client.runs import RunKey
from migrate.errors import InputError, JournalError
from migrate.rename.journal import Header, Journal, now, read
from migrate.rename.plan import DONE, Outcome, PlannedRename


def _journal(tmp_path, lines):
    path = tmp_path / "odd.jsonl"
    path.write_bytes(b"".join(lines))
    return path


HEADER = (
    b'{"record": "header", "format": "rsst-migrate journal", "version": 1, '
    b'"server": "http://h", "projects": ["e/p"], "time": "2026-01-08T14:30:00Z", '
    b'"include_running": false}\n'
)
PLAN = (
    b'{"record": "plan", "entity": "e", "project": "p", "run_id": "r", '
    b'"old_name": "a", "new_name": "b"}\n'
)
PLANNED = b'{"record": "planned", "runs": 1}\n'
DAMAGED = [
    ("is not a journal", [b""]),
    ("is not a journal", [b"old_name,new_name\n"]),
    ("is not a journal", [b'{"record": "header"}\n']),
    ("is not a journal", [b"[" * 100000 + b"\n"]),
    ("is of version 3", [HEADER.replace(b'"version": 1', b'"version": 3')]),
    ("is of version 3", [b'{"record":"header","format":"rsst-migrate journal","version":3}\n']),
    ("is not a journal", [HEADER.replace(b'["e/p"]', b'"e/p"'), PLAN, PLANNED]),
    ("is not a journal", [HEADER.replace(b'["e/p"]', b"[7]"), PLAN, PLANNED]),
    ("damaged in line 2", [HEADER, b"{\n", PLANNED]),
    ("damaged in line 3", [HEADER, PLAN, b'{"record": "planned", "runs": 7}\n']),
    ("damaged in line 4", [HEADER, PLAN, PLANNED, b'{"record": "intent"}\n']),
    ("damaged in line 4", [HEADER, PLAN, PLANNED, b"\xff\xfe\n"]),
    ("damaged in line 3", [HEADER, PLAN, b"7\n"]),
    ("damaged in line 2", [HEADER, PLAN.replace(b'"a"', b"7"), PLANNED]),
    ("damaged in line 4", [HEADER, PLAN, PLANNED, PLAN]),
    ("damaged in line 4", [HEADER, PLAN, PLANNED, PLANNED]),
    *(
        (words, [HEADER.replace(good, bad), PLAN, PLANNED])
        for words, good, bad in [
            ("is not a journal", b'"header"', b'"heading"'),
            ("is not a journal", b"rsst-migrate journal", b"another journal"),
            ("is not a journal", b'"version": 1', b'"version": "1"'),
            ("is not a journal", b'"version": 1', b'"version": true'),
            ("is not a journal", b"false", b"0"),
            ("is not a journal", b'"http://h"', b"7"),
            ("is not a journal", b'"2026-01-08T14:30:00Z"', b"null"),
        ]
    ),
    *(
        ("damaged in line 3", [HEADER, PLAN, record])
        for record in (
            b'{"record": "begin", "direction": "undo"}\n',
            b'{"record": "intent", "direction": "rename", "runs": []}\n',
            b'{"record": "outcome", "runs": []}\n',
        )
    ),
    *(
        ("damaged in line 4", [HEADER, PLAN, PLANNED, record])
        for record in (
            b'{"record": "begin", "direction": "sideways"}\n',
            b'{"record": "intent", "direction": "rename", "runs": [["e", "p"]]}\n',
            b'{"record": "intent", "direction": "rename", "runs": [[7, "p", "r"]]}\n',
            b'{"record": "intent", "direction": "rename", "runs": [["e", 7, "r"]]}\n',
            b'{"record": "intent", "direction": "rename", "runs": [["e", "p", 7]]}\n',
            b'{"record": "outcome", "runs": [["e", "p", "r", 7]]}\n',
            b'{"record": "outcome", "runs": [["e", "p", "r", "done", ""]]}\n',
            b'{"record": "outcome", "direction": "x", "runs": []}\n',
            b'{"record": "outcome", "direction": null, "runs": []}\n',
            b'{"record": "outcome", "direction": "undo", "runs": [["e", "p", "r", "done"]]}\n',
            b'{"record": "outcome", "direction": "undo", "runs": [["e", "p", "r", "won", ""]]}\n',
            b'{"record": "outcome", "direction": "undo", "runs": [["e", "p", "r", [], ""]]}\n',
            b'{"record": "outcome", "direction": "undo", "runs": [["e", "p", 7, "done", ""]]}\n',
            b'{"record": "outcome", "direction": "undo", "runs": [["e", "p", "r", "done", 7]]}\n',
            b'{"record": "end"}\n',
        )
    ),
]


@pytest.mark.parametrize(("words", "lines"), DAMAGED)
def test_a_damaged_journal_is_refused(tmp_path, words, lines):
    path = _journal(tmp_path, lines)
    with pytest.raises(InputError, match=words) as caught:
        read(path)
    assert str(path) in str(caught.value)
    if "damaged" in words:
        assert str(caught.value).endswith("touched. Put back an undamaged copy of it.")


@pytest.mark.parametrize("cut", [1, 20, len(PLANNED) - 1])
def test_a_truncated_last_line_is_what_a_crash_leaves(tmp_path, cut):
    recorded = read(_journal(tmp_path, [HEADER, PLAN, PLANNED[:cut]]))
    assert not recorded.complete
    assert recorded.size == len(HEADER + PLAN)


def test_a_closed_journal_takes_nothing(tmp_path):
    path, other = tmp_path / "j.jsonl", tmp_path / "other"
    journal = Journal.create(path, ABOUT, [])
    journal.close()
    journal.close()
    assert os.fstat(1), "closing it again closes nothing else"
    # The file takes the journal's file descriptor.
    with other.open("w"):
        for _ in range(2):
            with pytest.raises(JournalError, match=f"{path} is closed"):
                journal.begin("undo")
    assert other.read_text() == ""
    assert json.loads(path.read_text().splitlines()[-1])["record"] == "planned"


ABOUT = Header("http://h", ["e/p"], "2026-01-08T14:30:00Z", False)
KEY = RunKey("e", "p", "a")
A = PlannedRename(KEY, "old a", "new a")
B = PlannedRename(RunKey("e", "p", "b"), "old b", "new b")


def _written(path, steps):
    """A journal of a rename of A and B whose commands did these steps."""
    with Journal.create(path, ABOUT, [A, B]) as journal:
        for step, *what in steps:
            getattr(journal, step)(*what)
    return path


def test_the_lines_of_a_journal(tmp_path):
    """A later version reads them, too: they stay as they are."""
    outcomes = {KEY: DONE, B.key: Outcome("altered", "cut")}
    steps = [("begin", "undo"), ("intend", "undo", [A, B]), ("conclude", "undo", outcomes)]
    path = _written(tmp_path / "j.jsonl", steps)
    text = re.sub(r'"time": "[^"]*"}', '"time": "T"}', path.read_text())
    assert text == (
        '{"record": "header", "format": "rsst-migrate journal", "version": 2, '
        '"server": "http://h", "projects": ["e/p"], "time": "2026-01-08T14:30:00Z", '
        '"include_running": false}\n'
        '{"record": "plan", "entity": "e", "project": "p", "run_id": "a", '
        '"old_name": "old a", "new_name": "new a"}\n'
        '{"record": "plan", "entity": "e", "project": "p", "run_id": "b", '
        '"old_name": "old b", "new_name": "new b"}\n'
        '{"record": "planned", "runs": 2}\n'
        '{"record": "begin", "direction": "undo", "time": "T"}\n'
        '{"record": "intent", "direction": "undo", "runs": [["e", "p", "a"], ["e", "p", "b"]]}\n'
        '{"record": "outcome", "direction": "undo", "runs": '
        '[["e", "p", "a", "done", ""], ["e", "p", "b", "altered", "cut"]]}\n'
    )
    assert path.stat().st_mode & 0o777 == 0o600
    recorded = read(path)
    assert (recorded.header, recorded.plan, recorded.complete) == (ABOUT, [A, B], True)
    assert recorded.size == path.stat().st_size


def test_a_journal_says_what_its_plan_was_made_with(tmp_path):
    about = replace(ABOUT, made_with={"options": {"timezone": "UTC"}, "rules": [{"number": 1}]})
    plan = [replace(A, settled="assumed rate=0.2"), B]
    Journal.create(tmp_path / "j.jsonl", about, plan).close()
    recorded = read(tmp_path / "j.jsonl")
    assert (recorded.header, recorded.plan) == (about, plan)
    lines = (tmp_path / "j.jsonl").read_text().splitlines()
    assert ["settled" in line for line in lines] == [False, True, False, False]


def test_the_times_in_a_journal_are_in_utc():
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", now())
    assert abs(datetime.fromisoformat(now()) - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_header_says_what_the_journal_is_about():
    header = Header.of("http://me:secret@h", [A, replace(A, key=KEY._replace(project="q")), B])
    assert (header.server, header.projects) == ("http://…@h", ["e/p", "e/q"])
    assert not header.include_running
    assert Header.of("http://h", [A], include_running=True).include_running
    assert abs(datetime.fromisoformat(header.time) - datetime.now(UTC)) < timedelta(minutes=1)


SENT = [("begin", "rename"), ("intend", "rename", [A])]
UNDOING = [("begin", "undo"), ("intend", "undo", [A])]


def ended(direction, code, text=""):
    """The step in which a command says what became of A."""
    return ("conclude", direction, {KEY: Outcome(code, text)})


RENAMED, UNDONE = ended("rename", "done"), ended("undo", "done")
REFUSED = "refused", "permission denied"


@pytest.mark.parametrize(
    ("steps", "sent", "renamed", "last"),
    [
        ([], set(), set(), "rename"),
        (SENT, {KEY}, set(), "rename"),
        ([*SENT, RENAMED], {KEY}, {KEY}, "rename"),
        ([*SENT, ended("rename", "drifted", "mine")], {KEY}, set(), "rename"),
        ([*SENT, ended("rename", "unanswered", "no words")], {KEY}, set(), "rename"),
        ([*SENT, ended("rename", *REFUSED)], set(), set(), "rename"),
        ([*SENT, *UNDOING], {KEY}, set(), "undo"),
        ([*SENT, RENAMED, *UNDOING], {KEY}, {KEY}, "undo"),
        ([*SENT, RENAMED, *UNDOING, ended("undo", "unanswered", "")], {KEY}, {KEY}, "undo"),
        ([*SENT, RENAMED, *UNDOING, UNDONE], set(), set(), "undo"),
        ([*SENT, *UNDOING, UNDONE], set(), set(), "undo"),
        ([*SENT, *UNDOING, ended("undo", *REFUSED)], {KEY}, set(), "undo"),
        ([*UNDOING, UNDONE], set(), set(), "undo"),
        ([*SENT, *UNDOING, UNDONE, *SENT], {KEY}, set(), "rename"),
        # The record's own direction counts, not the command that was begun last.
        ([*SENT, ("begin", "undo"), RENAMED], {KEY}, {KEY}, "undo"),
    ],
)
def test_whose_names_may_be_this_renames(tmp_path, steps, sent, renamed, last):
    recorded = read(_written(tmp_path / "j.jsonl", steps))
    assert (recorded.sent, recorded.renamed, recorded.last) == (sent, renamed, last)


CUT, HASH = ended("rename", "altered", "cut"), ended("rename", "altered", "new a-1")
PUT_BACK_ALTERED = ended("undo", "altered", "old a-1")


@pytest.mark.parametrize(
    ("steps", "undone"),
    [
        ([], []),
        (SENT, [A.back()]),
        ([*SENT, CUT], [replace(A, new_name="cut").back()]),
        ([*SENT, HASH], [replace(A, new_name="new a-1").back()]),
        ([*SENT, CUT, HASH], [replace(A, new_name="new a-1").back()]),
        ([*SENT, CUT, *SENT, RENAMED], [A.back()]),
        ([*SENT, CUT, *SENT, ended("rename", "drifted", "x")], [replace(A, new_name="cut").back()]),
        ([*SENT, CUT, *UNDOING, UNDONE], []),
        # The server altered the old name when it was put back, and would do so again.
        ([*SENT, RENAMED, *UNDOING, PUT_BACK_ALTERED], []),
    ],
)
def test_what_resume_and_undo_are_about(tmp_path, steps, undone):
    """Undo takes back the name that the server made of ours, whatever it is."""
    recorded = read(_written(tmp_path / "j.jsonl", steps))
    assert recorded.concerned("rename") == [A, B]
    assert recorded.concerned("undo") == undone


V1_KEY = RunKey("e", "p", "r")
V1_RENAME = (
    b'{"record": "begin", "direction": "rename", "time": "T"}\n'
    b'{"record": "intent", "direction": "rename", "runs": [["e", "p", "r"]]}\n'
)


@pytest.mark.parametrize(
    ("sentence", "sent", "renamed", "undone"),
    [
        ("done", True, True, "b"),
        ("refused: permission denied", False, False, None),
        ("refused", False, False, None),
        ("altered: the server made it cut: x", True, True, "cut: x"),
        ("drifted: is now mine", True, False, "b"),
        ("unanswered: no usable answer: x", True, False, "b"),
        ("words of a version that we do not know", True, False, "b"),
    ],
)
def test_a_journal_of_version_1_can_be_undone(tmp_path, sentence, sent, renamed, undone):
    """Its outcomes are sentences, and their direction is the command's."""
    outcome = json.dumps({"record": "outcome", "runs": [["e", "p", "r", sentence]]}) + "\n"
    path = _journal(tmp_path, [HEADER, PLAN, PLANNED, V1_RENAME, outcome.encode()])
    recorded = read(path)
    assert recorded.sent == ({V1_KEY} if sent else set())
    assert recorded.renamed == ({V1_KEY} if renamed else set())
    names = [(rename.old_name, rename.new_name) for rename in recorded.concerned("undo")]
    assert names == ([(undone, "a")] if sent else [])
    # This version goes on with it, in records of its own.
    journal, _ = Journal.reopen(path)
    with journal:
        journal.begin("undo")
        journal.conclude("undo", {V1_KEY: DONE})
    assert not read(path).concerned("undo")


def test_going_on_behind_a_truncated_line(tmp_path):
    path = _journal(tmp_path, [HEADER, PLAN, PLANNED, b'{"record": "beg'])
    journal, recorded = Journal.reopen(path)
    with journal:
        journal.begin("undo")
    assert journal.path == path
    assert recorded.complete
    assert json.loads(path.read_bytes().splitlines()[3])["direction"] == "undo"
    assert read(path).last == "undo"


def test_one_command_at_a_time(tmp_path):
    path = tmp_path / "j.jsonl"
    free = os.open("/", os.O_RDONLY)
    os.close(free)
    with (
        Journal.create(path, ABOUT, [A]),
        pytest.raises(InputError, match=f"Another rsst-migrate is working with the .* {path}"),
    ):
        Journal.reopen(path)
    with (
        Journal.reopen(path)[0],
        pytest.raises(InputError, match="Another rsst-migrate"),
    ):
        Journal.reopen(path)
    Journal.reopen(path)[0].close()
    # What was opened is closed again, refused or not.
    again = os.open("/", os.O_RDONLY)
    os.close(again)
    assert again == free


def test_a_journal_is_never_overwritten(tmp_path):
    path = _journal(tmp_path, [b"mine"])
    with pytest.raises(InputError, match=f"{path} exists, .*--journal.* resume {path}"):
        Journal.create(path, ABOUT, [A])
    assert path.read_bytes() == b"mine"


def test_a_journal_that_cannot_be_opened(tmp_path):
    path = tmp_path / "none" / "j.jsonl"
    with pytest.raises(
        InputError,
        match=rf"{path} cannot be written \(No .* renamed\. Name another with --journal\.$",
    ):
        Journal.create(path, ABOUT, [A])
    with pytest.raises(InputError, match=f"Cannot open the journal {path}: No such file"):
        Journal.reopen(path)
    with pytest.raises(InputError, match=f"Cannot read the journal {path}: No such file"):
        read(path)


def test_a_disk_without_room_for_the_plan(tmp_path):
    path = tmp_path / "j.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(InputError, match=f"{path} cannot be written: .* Nothing was renamed"):
            Journal.create(path, ABOUT, [A])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not path.exists()


def test_a_journal_that_may_not_be_changed():
    """Its half-written line cannot be cut off."""
    memory = os.memfd_create("journal", os.MFD_ALLOW_SEALING)
    os.write(memory, HEADER + PLAN + PLANNED + b"{")
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    path = Path(f"/proc/self/fd/{memory}")
    with pytest.raises(InputError, match=f"Cannot write to the journal {path}: .*not permitted"):
        Journal.reopen(path)
    os.close(memory)


def test_a_disk_without_room_for_more():
    full = Path("/dev/full")
    journal = Journal(full, os.open(full, os.O_WRONLY))
    with journal:
        for _ in range(2):
            with pytest.raises(JournalError, match="The journal /dev/full cannot be written: No "):
                journal.conclude("rename", {KEY: DONE})
    with pytest.raises(JournalError, match="/dev/full cannot be written"):
        journal.begin("rename")
