"""Folders of offline runs, of real clients: read, renamed, and put back byte for byte."""

import os
import shutil
import time
from pathlib import Path

import pytest

from migrate.client import rewrite
from migrate.client.offline import Folder
from migrate.client.paths import parse_path
from migrate.client.rewrite import is_open_for_writing, stamp_of
from migrate.client.source import Rename
from migrate.errors import Refused

LOGS = Path(__file__).parents[2] / "fixtures" / "logs"
OLD = "rsst_exp_custom_exponents_l1_vit_small_cifar100"
NEW = "rsst_vit_small_cifar100_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1_rate_0.15_0108_1430"
AGE = 3600
ARGUMENTS = {
    "struct": "rsst",
    "RST_schedule": "exp_custom_exponents",
    "criteria": "l1",
    "arch": "vit_small",
    "dataset": "cifar100",
    "reg_granularity_prune": 0.5,
    "exponents": 3,
    "rate": 0.15,
    "exp_name": None,
    "seed": None,
}


@pytest.fixture
def folder(tmp_path):
    """All the logs, each of an hour ago, with what else is beside them."""
    copy = tmp_path / "wandb"
    shutil.copytree(LOGS, copy)
    for log in copy.rglob("*.wandb"):
        (log.parent / "files").mkdir()
        (log.parent / "files" / "wandb-summary.json").write_text('{"loss": 1}')
        an_hour_old(log)
    (copy / "latest-run").symlink_to(next(copy.glob("0.31/*plain001")))
    return copy


def an_hour_old(log):
    then = time.time_ns() - AGE * 10**9
    os.utime(log, ns=(then, then))


def log_of(folder, version, run_id):
    return next((folder / version).glob(f"*{run_id}*/*.wandb"))


def opened(folder, project="RSST"):
    read = Folder(folder)
    read.read()
    return read, read.project(parse_path(project))


def listed(folder, project="RSST"):
    """The runs of a project by their ids."""
    (page,) = opened(folder, project)[1].pages()
    return {run.key.run_id: run for run in page.runs}


def everything(folder):
    """All that is in a folder: where, its bytes, its mode, and when it was changed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        data = path.read_bytes() if path.is_file() else None
        found[path.relative_to(folder)] = (
            data,
            status.st_mode,
            status.st_mtime_ns * path.is_file(),
        )
    return found


def test_what_is_read(folder):
    read, _ = opened(folder / "0.31")
    assert [str(project.key) for project in read.projects()] == ["(default)/RSST", "ycx/RSST"]
    runs = listed(folder / "0.31")
    assert {run_id: run.state for run_id, run in runs.items()} == {
        "twice001": "finished",
        "later001": "finished",
        "again001": "finished",
        "large001": "finished",
        "unnamed1": "finished",
        "killed01": "crashed",
    }
    names = {run_id: run.name for run_id, run in runs.items()}
    assert names == {**dict.fromkeys(runs, OLD), "unnamed1": ""}
    configs = {run_id: run.config for run_id, run in runs.items()}
    assert configs == {**dict.fromkeys(runs, ARGUMENTS), "later001": {**ARGUMENTS, "rate": 0.2}}
    assert {run.created_at.date().isoformat() for run in runs.values()} == {"2026-11-25"}
    assert not any(run.read_only for run in runs.values())


@pytest.mark.parametrize("version", ["0.12", "0.30", "0.31"])
def test_every_client_since_rssts_own(folder, version):
    run = listed(folder / version, "ycx/RSST")["plain001"]
    assert (run.name, run.state, run.config) == (OLD, "finished", ARGUMENTS)


def test_a_log_that_ends_within_a_record(folder):
    read, _ = opened(folder / "0.31")
    assert read.unreadable == [
        (log_of(folder, "0.31", "cutoff01"), "cut off at byte 32,768"),
    ]


def rename(folder, run_id, old, new, project="RSST"):
    _, source = opened(folder, project)
    state = source.states([run_id])[run_id]
    return source.rename([Rename(state.storage_id, new, old)])


SAMPLES = [
    *(("0.31", run_id) for run_id in ("twice001", "later001", "again001", "large001", "killed01")),
    *((version, "plain001") for version in ("0.12", "0.30", "0.31")),
    ("0.12", "again001"),
]


@pytest.mark.parametrize("new", [NEW, "n", "长" * 20_000], ids=["longer", "shorter", "two blocks"])
@pytest.mark.parametrize(("version", "run_id"), SAMPLES)
def test_renamed_and_put_back(folder, version, run_id, new):
    before, project = everything(folder), "ycx/RSST" if run_id == "plain001" else "RSST"
    assert rename(folder / version, run_id, OLD, new, project) == {run_id: new}
    after = everything(folder)
    changed = {path for path, found in after.items() if found != before[path]}
    assert changed == {path for path in before if path.name == f"run-{run_id}.wandb"} & {
        log.relative_to(folder) for log in (folder / version).rglob("*.wandb")
    }
    assert all(after[path][1:] == before[path][1:] for path in changed)  # mode and time
    run = listed(folder / version, project)[run_id]
    assert (run.name, run.config["arch"]) == (new, "vit_small")
    assert rename(folder / version, run_id, new, OLD, project) == {run_id: OLD}
    assert everything(folder) == before


def refusal(folder, run_id, old=OLD, new=NEW):
    """The words in which a rename is refused, when nothing is touched."""
    before = everything(folder)
    with pytest.raises(Refused) as refused:
        rename(folder, run_id, old, new)
    assert everything(folder) == before
    (complaint,) = refused.value.complaints
    assert complaint.index == 0
    return complaint.message


def test_another_name_in_an_earlier_record(folder):
    """It stays; and no run may get it, or an undo would take it for one that was renamed."""
    _, source = opened(folder / "0.31")
    assert source.taken == {"first try", OLD}  # the latter of the log that is cut off
    assert source.states(["twice001"])["twice001"].earlier_names == {"first try"}
    assert "could not be put back" in refusal(folder / "0.31", "twice001", new="first try")


def test_a_log_that_is_being_written(folder):
    log = log_of(folder, "0.31", "killed01")
    os.utime(log)
    assert listed(folder / "0.31")["killed01"].state == "being-written"
    assert refusal(folder / "0.31", "killed01") == "its log is being-written"
    an_hour_old(log)
    with log.open("ab") as writer:  # and nothing was written for a minute
        assert listed(folder / "0.31")["killed01"].state == "being-written"
        assert refusal(folder / "0.31", "killed01") == "its log is being-written"
        with log.open("rb") as reader:
            assert is_open_for_writing(reader)
        writer.flush()
    assert listed(folder / "0.31")["killed01"].state == "crashed"
    # Its end may be only half there.
    cut_off = log_of(folder, "0.31", "cutoff01")
    os.utime(cut_off)
    assert listed(folder / "0.31")["cutoff01"].state == "being-written"


def test_a_run_that_was_sent(folder):
    (second,) = (folder / "0.31").glob("*again001-1")
    (second / "run-again001.wandb.synced").touch()
    assert listed(folder / "0.31")["again001"].state == "synced"
    assert refusal(folder / "0.31", "again001") == "its log is synced"
    # An online run is on the server from its beginning.
    killed = log_of(folder, "0.31", "killed01").parent
    killed.rename(killed.with_name(killed.name.removeprefix("offline-")))
    assert listed(folder / "0.31")["killed01"].state == "synced"


def test_a_log_that_was_changed_since_it_was_read(folder):
    _, source = opened(folder / "0.31")
    log = log_of(folder, "0.31", "killed01")
    log.write_bytes(log.read_bytes())
    an_hour_old(log)
    before = everything(folder)
    with pytest.raises(Refused, match="its log was changed since it was read"):
        source.rename([Rename("killed01", NEW, OLD)])
    assert everything(folder) == before
    shutil.rmtree(log.parent)
    with pytest.raises(Refused, match="its log cannot be written: No such file"):
        source.rename([Rename("killed01", NEW, OLD)])
    assert source.states(["killed01", "later001"]).keys() == {"later001"}
    with pytest.raises(Refused, match="its logs are gone"):
        source.rename([Rename("killed01", NEW, OLD)])


def test_some_of_a_document_are_refused(folder):
    _, source = opened(folder / "0.31")
    os.utime(log_of(folder, "0.31", "killed01"))
    source.states([])
    renames = [Rename(run_id, NEW, OLD) for run_id in ("later001", "killed01", "large001")]
    with pytest.raises(Refused) as refused:
        source.rename(renames)
    assert [complaint.index for complaint in refused.value.complaints] == [1]
    names = {
        run_id: state.name for run_id, state in source.states(["later001", "large001"]).items()
    }
    assert set(names.values()) == {NEW}
    assert refusal(folder / "0.31", "later001") == "its logs have another name"


def test_a_run_of_which_one_log_is_damaged(folder):
    first, second = sorted((folder / "0.31").glob("*again001*/*.wandb"))
    data = bytearray(second.read_bytes())
    data[800] ^= 1
    second.write_bytes(data)
    an_hour_old(second)
    read, source = opened(folder / "0.31")
    assert "again001" not in listed(folder / "0.31")
    why = dict(read.unreadable)
    assert why[second].startswith("damaged at byte")
    assert why[first] == f"of the same run as {second}"
    assert OLD in source.taken


@pytest.fixture
def moved(folder):
    """Two of the folders are somewhere else, with links in their places; and links in circles."""
    wandb, store = folder / "0.31", folder / "store"
    store.mkdir()
    for path in [*wandb.glob("*again001-1"), *wandb.glob("*killed01")]:
        path.rename(store / path.name)
        path.symlink_to(store / path.name)
    (wandb / "latest-run").symlink_to(next(store.glob("*killed01")))
    (wandb / "itself").symlink_to(".")
    (wandb / "above").symlink_to("..")  # where the logs of other clients are
    (store / next(store.glob("*killed01")) / "files" / "back").symlink_to(wandb)
    return wandb


def test_links_to_folders(folder, moved):
    before, links = everything(folder), {path for path in folder.rglob("*") if path.is_symlink()}
    assert len(opened(moved)[0].projects()) == 2
    runs = listed(moved)
    assert len(runs) == 6
    assert "killed01" in runs
    assert rename(moved, "again001", OLD, NEW) == {"again001": NEW}
    after = everything(folder)
    changed = [path for path, found in after.items() if found != before[path]]
    assert sorted(path.parts[0] for path in changed) == ["0.31", "store"]
    assert {path for path in folder.rglob("*") if path.is_symlink()} == links
    rename(moved, "again001", NEW, OLD)
    assert everything(folder) == before


@pytest.mark.parametrize("place", ["there", "gone", "linked"])
def test_a_run_of_which_one_folder_cannot_be_entered(folder, place, monkeypatch):
    """Its log may be a later one of a run whose other logs are here."""
    wandb = folder / "0.31"
    (second,) = wandb.glob("*again001-1")
    scandir = os.scandir

    def denied(path):
        if Path(path).name == second.name:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    why = "Permission denied"
    if place == "gone":
        why = "No such file or directory"
        shutil.rmtree(second)
        second.symlink_to(folder / "scratch" / "1")
    else:
        monkeypatch.setattr(os, "scandir", denied)
        if place == "linked":
            (wandb / "latest-run").symlink_to(second.name)
    read, _ = opened(wandb)
    assert "again001" not in listed(wandb)
    assert dict(read.unreadable)[second] == why
    first = second.with_name(second.name.removesuffix("-1")) / "run-again001.wandb"
    assert dict(read.unreadable)[first] == f"of the same run as {second}"
    assert len(read.unreadable) == 3


def test_the_address_of_a_folder(tmp_path, monkeypatch):
    """It has no `..`, which a link or a folder that is gone would lead elsewhere."""
    (tmp_path / "far" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("far/sub")
    monkeypatch.chdir(tmp_path / "far" / "sub")
    far, other = tmp_path / "far", tmp_path / "q"
    assert Folder(Path("../q")).base_url == (far / "q").as_uri()
    assert Folder(tmp_path / "link" / ".." / "q").base_url == (far / "q").as_uri()
    assert Folder(other).base_url == other.as_uri()
    link = tmp_path / "link"
    assert Folder(link).base_url == link.as_uri()  # which may lead elsewhere one day, with the runs


def test_what_cannot_be_read(tmp_path):
    (tmp_path / "run-a.wandb").write_bytes(b"")
    (tmp_path / "run-b.wandb").write_bytes(b":W&B\xe1\xbe\x00")
    (tmp_path / "run-c.wandb").mkdir()
    (tmp_path / "run-d.wandb").symlink_to("nowhere")
    os.mkfifo(tmp_path / "run-e.wandb")
    for log in tmp_path.glob("run-[ab].wandb"):
        an_hour_old(log)
    read, _ = opened(tmp_path)
    assert [(path.name, why) for path, why in read.unreadable] == [
        ("run-a.wandb", "empty"),
        ("run-b.wandb", "no run in it"),
        ("run-d.wandb", "No such file or directory"),
        ("run-e.wandb", "a pipe"),
    ]
    assert read.projects() == []
    read, _ = opened(tmp_path / "gone")
    assert [why for _, why in read.unreadable] == ["No such file or directory"]


def test_a_run_of_which_some_logs_are_renamed(folder, monkeypatch):
    """As where it was killed between two: each direction goes on."""
    before, put = everything(folder), []
    replace = os.replace

    def only_the_first(source, target):
        if put:
            raise OSError(28, "No space left on device", str(target))
        put.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", only_the_first)
    with pytest.raises(Refused, match="No space left on device"):
        rename(folder / "0.31", "again001", OLD, NEW)
    half = everything(folder)
    assert len([path for path, found in half.items() if found != before[path]]) == 1
    _, source = opened(folder / "0.31")
    state = source.states(["again001"])["again001"]
    assert (state.name, state.earlier_names) == (OLD, {NEW})
    monkeypatch.setattr(os, "replace", replace)
    rename(folder / "0.31", "again001", NEW, OLD)
    assert everything(folder) == before
    put.clear()
    monkeypatch.setattr(os, "replace", only_the_first)
    with pytest.raises(Refused):
        rename(folder / "0.31", "again001", OLD, NEW)
    monkeypatch.setattr(os, "replace", replace)
    rename(folder / "0.31", "again001", OLD, NEW)
    assert source.states(["again001"])["again001"].earlier_names == frozenset()
    rename(folder / "0.31", "again001", NEW, OLD)
    assert everything(folder) == before


def test_a_file_that_a_killed_rename_left(folder):
    log = log_of(folder, "0.31", "killed01")
    unfinished = log.with_name(f"{log.name}.abc123.rsst-migrate")
    before = everything(folder)
    unfinished.write_bytes(b"half")
    rename(folder / "0.31", "killed01", OLD, NEW)
    rename(folder / "0.31", "killed01", NEW, OLD)
    assert everything(folder) == before


def test_a_disk_that_gives_back_something_else(folder, monkeypatch):
    copy = rewrite._copy

    def bad_disk(old, new, *names):
        copy(old, new, *names)
        new.seek(-3, os.SEEK_END)
        new.write(b"\0")
        new.flush()

    monkeypatch.setattr(rewrite, "_copy", bad_disk)
    assert "damaged at byte" in refusal(folder / "0.31", "killed01")

    def other_run(old, new, *names):
        with log_of(folder, "0.31", "later001").open("rb") as another:
            copy(another, new, *names)

    monkeypatch.setattr(rewrite, "_copy", other_run)
    assert "could not be put back as it is" in refusal(folder / "0.31", "killed01")


@pytest.mark.parametrize("field", ["owner", "group"])
def test_a_log_whose_owner_or_group_cannot_be_kept(folder, field, monkeypatch):
    def not_allowed(*_):
        raise PermissionError(1, "Operation not permitted")

    def of_somebody_else(path, **options):
        status = stat(path, **options)
        if options or path.name != "run-again001.wandb":
            return status
        values = [*status]
        values[4 if field == "owner" else 5] += 1
        return os.stat_result(values)

    monkeypatch.setattr(os, "chown", not_allowed)
    stat = Path.stat
    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", of_somebody_else)
        words = refusal(folder / "0.31", "again001")
    assert words == "its log would get another owner or group; it was left alone"
    assert rename(folder / "0.31", "again001", OLD, NEW)  # one's own, as any new file


def test_the_group_is_kept(folder):
    log = log_of(folder, "0.31", "killed01")
    group = 5000 if os.geteuid() == 0 else os.getgroups()[-1]
    os.chown(log, -1, group)
    log.chmod(0o660)
    rename(folder / "0.31", "killed01", OLD, NEW)
    status = log.stat()
    assert (status.st_gid, status.st_mode & 0o777) == (group, 0o660)


def test_a_folder_that_is_read_only(folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: "killed01" not in str(path))
    runs = listed(folder / "0.31")
    assert [run_id for run_id, run in runs.items() if run.read_only] == ["killed01"]


def test_a_stamp_tells_files_apart(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"a")
    shutil.copy2(one, other)
    assert stamp_of(one.stat()) != stamp_of(other.stat())


def test_where_the_system_cannot_tell_who_writes(tmp_path, monkeypatch):
    path = tmp_path / "log"
    with path.open("wb"), path.open("rb") as reader:
        assert is_open_for_writing(reader)
        monkeypatch.delattr("fcntl.F_SETLEASE")
        assert not is_open_for_writing(reader)
