"""Who imports what: one module talks to W&B, the naming core needs nothing, and nothing waits.

Read off the sources, so that a slip is seen where it is made.
"""

import ast
import inspect
import sys
from pathlib import Path

import pytest
import wandb

ROOT = Path(__file__).parents[2]
MODULES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for package in ("naming", "migrate")
    for path in (ROOT / package).rglob("*.py")
}


def imports(source):
    """The top-level packages that a module imports: when it is loaded, and in its functions.

    What stands under `if TYPE_CHECKING` is imported by nobody.
    """
    at_once, later = set(), set()

    def walk(node, names):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, "imports are absolute here"
                names.add(child.module.partition(".")[0])
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            walk(child, later if function else names)

    walk(ast.parse(source), at_once)
    return at_once, later


IMPORTS = {path: imports(source) for path, source in MODULES.items()}


def importers(package):
    return {path for path, (at_once, later) in IMPORTS.items() if package in at_once | later}


def test_there_is_something_to_look_at():
    assert {
        "naming/read.py",
        "migrate/client/server.py",
        "migrate/report/frame.py",
    } <= MODULES.keys()


def test_the_naming_core_needs_the_standard_library_only():
    naming = [IMPORTS[path] for path in MODULES if path.startswith("naming/")]
    used = set().union(*(at_once | later for at_once, later in naming))
    assert used - sys.stdlib_module_names <= {"naming"}


def test_who_talks_to_wandb():
    assert importers("wandb") == {"migrate/client/server.py", "migrate/client/sign_in.py"}
    assert {path for path, source in MODULES.items() if "_service_api" in source} == {
        "migrate/client/server.py"
    }


def test_who_needs_pandas():
    assert importers("pandas") == {"migrate/report/frame.py"}


@pytest.mark.parametrize("package", ["wandb", "pandas", "pyarrow"])
def test_slow_packages_are_imported_where_they_are_used(package):
    assert [path for path, (at_once, _) in IMPORTS.items() if package in at_once] == []


def test_the_one_private_name_is_where_we_call_it(sandbox):
    api = wandb.Api(overrides={"base_url": sandbox.url}, api_key=sandbox.api_key)
    execute = api._service_api.execute_graphql
    inspect.signature(execute).bind("{ viewer { id } }", variables={}, timeout=1.0)
    answer = execute("query V { viewer { username } }", variables={}, timeout=10.0)
    assert answer == {"viewer": {"username": "ycx"}}
