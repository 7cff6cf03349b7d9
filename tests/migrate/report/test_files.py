"""Where `-o` writes: regular files whole, links and pipes through."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from migrate.errors import InputError
from migrate.report.files import format_of, is_stdout, save


def test_a_new_file_has_the_usual_mode(tmp_path):
    umask = os.umask(0o027)
    try:
        save(tmp_path / "runs.csv", b"x")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "runs.csv").stat().st_mode) == 0o640


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_bytes(b"old")
    file.chmod(0o604)
    with file.open("rb") as reading:
        save(file, b"new")
        assert reading.read() == b"old", "who reads it meanwhile sees no half of the new one"
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o604
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_a_link(tmp_path, there):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    if there:
        (folder / "real.csv").write_bytes(b"old")
        (folder / "real.csv").chmod(0o600)
    (tmp_path / "second").symlink_to("elsewhere/real.csv")
    (tmp_path / "first").symlink_to("second")
    save(tmp_path / "first", b"new")
    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert (folder / "real.csv").read_bytes() == b"new"
    assert os.listdir(folder) == ["real.csv"]
    if there:
        assert stat.S_IMODE((folder / "real.csv").stat().st_mode) == 0o600


def test_into_a_pipe(tmp_path):
    """By its name, by a link to it, and by its number, as a shell's `>(command)` has it."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    data = b"x" * 200_000  # more than a pipe holds
    got: list[bytes] = []
    for name in ("pipe", "link"):
        reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
        reader.start()
        save(tmp_path / name, data)
        reader.join()
    assert got == [data, data]
    reading, writing = os.pipe()
    save(Path(f"/dev/fd/{writing}"), b"few")
    assert os.read(reading, 10) == b"few"
    os.close(reading)
    os.close(writing)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert (tmp_path / "link").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["home", "link", "pipe", "work"]


def test_what_cannot_be_written(tmp_path):
    (tmp_path / "circle").symlink_to("circle")
    for path in (tmp_path, tmp_path / "circle", tmp_path / "none" / "x", tmp_path / ("x" * 300)):
        with pytest.raises(InputError, match=f"^Cannot write {path}: "):
            save(path, b"x")
    assert (tmp_path / "circle").is_symlink()


def test_what_is_stdout(tmp_path, monkeypatch):
    file = tmp_path / "led.csv"
    with file.open("w") as stream:
        assert not is_stdout(file)
        monkeypatch.setattr(sys, "stdout", stream)
        assert is_stdout(file)
        assert not is_stdout(tmp_path / "new.csv")
        assert is_stdout(Path("-"))
    assert not is_stdout(file)
    assert format_of(Path("-"), None) is None
    assert format_of(Path("-"), "csv") == "csv"
    for path in (Path("runs"), Path("sub/")):
        with pytest.raises(InputError, match=rf"^{path} has no suffix\. Use --format, or a suffix"):
            format_of(path, None)
