"""Journals of other people and other versions: refused with a sentence, or read as they are."""

from __future__ import annotations

import pytest

from migrate.errors import InputError
from migrate.journal import Journal, JournalError, read


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
    ("is of version 2", [HEADER.replace(b'"version": 1', b'"version": 2')]),
    ("is not a journal", [HEADER.replace(b'["e/p"]', b'"e/p"'), PLAN, PLANNED]),
    ("is not a journal", [HEADER.replace(b'["e/p"]', b"[7]"), PLAN, PLANNED]),
    ("damaged in line 2", [HEADER, b"{\n", PLANNED]),
    ("damaged in line 3", [HEADER, PLAN, b'{"record": "planned", "runs": 7}\n']),
    ("damaged in line 4", [HEADER, PLAN, PLANNED, b'{"record": "intent"}\n']),
    ("damaged in line 4", [HEADER, PLAN, PLANNED, b"\xff\xfe\n"]),
    ("damaged in line 3", [HEADER, PLAN, b"7\n"]),
    ("damaged in line 2", [HEADER, PLAN.replace(b'"a"', b"7"), PLANNED]),
]


@pytest.mark.parametrize(("words", "lines"), DAMAGED)
def test_a_damaged_journal_is_refused(tmp_path, words, lines):
    with pytest.raises(InputError, match=words):
        read(_journal(tmp_path, lines))


@pytest.mark.parametrize("cut", [1, 20, len(PLANNED) - 1])
def test_a_truncated_last_line_is_what_a_crash_leaves(tmp_path, cut):
    recorded = read(_journal(tmp_path, [HEADER, PLAN, PLANNED[:cut]]))
    assert not recorded.complete


def test_a_journal_that_breaks_takes_nothing_more(tmp_path):
    recorded_path = _journal(tmp_path, [HEADER, PLAN, PLANNED])
    journal, _ = Journal.reopen(recorded_path)
    journal.close()
    for _ in range(2):
        with pytest.raises(JournalError):
            journal.begin("undo")
