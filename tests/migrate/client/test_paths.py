"""PATH, and which addresses are one server."""

from pathlib import Path

import pytest

from migrate.client.paths import ProjectPath, parse_folder, parse_path, same_server
from migrate.errors import InputError


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("RSST", (None, "RSST", None)),
        (" ycx/RSST\n", ("ycx", "RSST", None)),
        ("ycx/my project @home", ("ycx", "my project @home", None)),
        ("my project", (None, "my project", None)),
        ("ycx/模型 (2)", ("ycx", "模型 (2)", None)),
        ("https://wandb.ai/ycx/RSST", ("ycx", "RSST", "wandb.ai")),
        ("https://WANDB.ai/ycx/RSST?nw=1#top", ("ycx", "RSST", "wandb.ai")),
        (
            "https://wandb.ai/ycx/my%20project%20%40home/runs",
            ("ycx", "my project @home", "wandb.ai"),
        ),
        ("https://wandb.ai/wandb/openui/runs/x", ("wandb", "openui", "wandb.ai")),
        ("https://forge.coreweave.com/wandb/ycx/RSST", ("ycx", "RSST", "forge.coreweave.com")),
        ("http://me:pw@localhost:8080/ycx/RSST/", ("ycx", "RSST", "localhost:8080")),
    ],
)
def test_paths(text, path):
    assert parse_path(text) == ProjectPath(*path)


@pytest.mark.parametrize(
    ("text", "is_folder"),
    [
        ("./runs", True),
        ("wandb", True),
        ("wandb/", True),
        ("old/wandb", True),
        ("wandb/offline-run-1", True),
        ("old/wandb/offline-run-2", True),
        ("wandb/empty", False),
        ("runs/offline-run-1", True),
        ("runs", False),
        ("wandb/offline-run-3", False),
    ],
)
def test_folders(text, is_folder):
    for log in ("wandb/offline-run-1", "old/wandb/offline-run-2", "runs/offline-run-1"):
        Path(log).mkdir(parents=True)
        (Path(log) / "run-a.wandb").touch()
    Path("wandb/empty").mkdir()
    assert parse_folder(text) == (Path(text) if is_folder else None)


def test_what_cannot_be_a_folder():
    assert parse_folder("long" * 100) is None
    for text in ("./" + "long" * 100, "~nobody-of-this-name/wandb"):
        with pytest.raises(InputError, match="There is no folder"):
            parse_folder(text)


ONE_SERVER = [
    "https://api.wandb.ai",
    "https://api.wandb.ai/",
    "https://API.WANDB.AI:443",
    "http://me:pw@api.wandb.ai",
    "https://wandb.ai/ycx/RSST",
    "https://app.wandb.ai",
    "https://api.forge.coreweave.com",
    "https://forge.coreweave.com/wandb/ycx/RSST",
    "https://forge.coreweave.com/api/wandb",
    "wandb.ai",
    "forge.coreweave.com",
]
OTHER_SERVERS = [
    "https://api.qa.wandb.ai",
    "https://wandb.ai.example.com",
    "https://api.wandb.ai:8080",
    "https://api.wandb.ai@example.com/api.wandb.ai",
    "http://localhost",
    "http://localhost:8080",
    "http://localhost:8081",
    "http://[::1]:8080",
    "http://[::1",
    "",
]


@pytest.mark.parametrize("address", ONE_SERVER)
def test_one_server_has_many_addresses(address):
    assert all(same_server(address, other) for other in ONE_SERVER)
    assert not same_server(address, *OTHER_SERVERS)


def test_other_servers_are_others():
    for address in OTHER_SERVERS:
        assert [other for other in OTHER_SERVERS if same_server(address, other)] == [address]


def test_a_server_of_ones_own_has_two_names():
    assert same_server("https://app.example.com/ycx/RSST", "https://api.example.com")
    assert same_server("https://qa.forge.coreweave.com", "https://api.qa.wandb.ai")


def test_a_project_with_a_space_and_an_at_sign(cli, serve):
    from migrate.sandbox.sample import arguments, wire_config
    from migrate.sandbox.store import Store, StoredRun
    from naming import legacy_name

    store, values = Store(), arguments("vit_small", "cifar100", rate=0.2)
    run = StoredRun(name="a", displayName=legacy_name(values), config=wire_config(values))
    store.add("ycx", "my project @home", run)
    sandbox = serve(store)
    url = f"{sandbox.url}/ycx/my%20project%20%40home"
    done = cli("report", url, "-o", "plan.csv")
    assert (done.returncode, done.stdout) == (0, "")
    done = cli("rename", "--plan", "plan.csv", "--yes", "--journal", "j")
    assert done.returncode == 0, done.stderr
    new_name = run.displayName
    assert new_name.startswith("rsst_vit_small_cifar100_sched_")
    done = cli("undo", "j", "--yes")
    assert (done.returncode, run.displayName) == (0, legacy_name(values)), done.stderr
    done = cli("rename", "ycx/my project @home", "--yes")
    assert (done.returncode, run.displayName) == (0, new_name), done.stderr
    assert "rename-ycx-my_project__home-" in done.stderr
