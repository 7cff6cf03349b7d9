"""Who may import whom: the house's table, held against the sources.

Read off the sources, so that a slip is seen where it is made.
"""

import ast
import inspect
import sys
from pathlib import Path

import pytest
import wandb

ROOT = Path(__file__).parents[2]
SOURCES = {
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): path.read_text("utf-8")
    for package in ("naming", "migrate")
    for path in (ROOT / package).rglob("*.py")
}
BASE = ["naming", "migrate.errors", "migrate.text", "migrate.console"]
MAPPING = [*BASE, "migrate.client.runs", "migrate.mapping"]

# Folder or module → what it may import of ours. The most precise line counts.
MAY_IMPORT = {
    "naming": ["naming"],
    "migrate.errors": BASE,
    "migrate.text": BASE,
    "migrate.console": BASE,
    "migrate.client": [*BASE, "migrate.client"],
    "migrate.mapping": MAPPING,
    "migrate.mapping.projects": [*MAPPING, "migrate.client"],
    "migrate.report": [*MAPPING, "migrate.report"],
    "migrate.rename": [*MAPPING, "migrate.client", "migrate.rename"],
    "migrate.sandbox": ["naming", "migrate.sandbox"],
    "migrate.cli": ["naming", "migrate"],
    "migrate.__init__": ["naming", "migrate"],
    "migrate.__main__": [*BASE, "migrate.cli"],
}
# Nobody but cli, `plan()`, the way in, and these themselves.
NOT_FOR_OTHERS = {
    "migrate.cli": ["migrate.cli", "migrate.__init__", "migrate.__main__"],
    "migrate.sandbox": ["migrate.cli", "migrate.sandbox"],
}
SLOW = ["wandb", "pandas", "pyarrow", "jinja2"]


def imports(source):
    """The modules that a module imports: when it is loaded, and in its functions.

    What stands under `if TYPE_CHECKING` is imported by nobody.
    """
    at_once, later = set(), set()

    def walk(node, names):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Import):
                names.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, "imports are absolute here"
                # `from migrate.report import csv` imports a module, too.
                names.update(
                    whole if whole in SOURCES else child.module
                    for whole in (f"{child.module}.{alias.name}" for alias in child.names)
                )
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            walk(child, later if function else names)

    walk(ast.parse(source), at_once)
    return at_once, later


IMPORTS = {module: imports(source) for module, source in SOURCES.items()}


def is_within(module, places):
    return any(module == place or module.startswith(f"{place}.") for place in places)


def ours(modules):
    return {module for module in modules if module.partition(".")[0] in ("naming", "migrate")}


def importers(package):
    return {
        module
        for module, (at_once, later) in IMPORTS.items()
        if any(name.partition(".")[0] == package for name in at_once | later)
    }


def test_there_is_something_to_look_at():
    assert {"naming.read", "migrate.client.server", "migrate.report.frame"} <= SOURCES.keys()


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_who_may_import_whom(module):
    place = max((place for place in MAY_IMPORT if is_within(module, [place])), key=len)
    at_once, later = IMPORTS[module]
    imported = ours(at_once | later)
    # A package is its docstring, and what stands in it is imported from where it is.
    foreign = {name for name in imported if not is_within(name, MAY_IMPORT[place])}
    assert not foreign
    for theirs, allowed in NOT_FOR_OTHERS.items():
        if not is_within(module, allowed):
            assert not [name for name in imported if is_within(name, [theirs])]


def test_no_import_circle():
    """Among what is imported when a module is loaded."""
    reached = {module: ours(at_once) & SOURCES.keys() for module, (at_once, _) in IMPORTS.items()}
    for _ in SOURCES:
        reached = {
            module: names.union(*(reached[name] for name in names))
            for module, names in reached.items()
        }
    assert [module for module, names in reached.items() if module in names] == []


@pytest.mark.parametrize(
    "package",
    sorted(name for name in SOURCES if name.endswith(".__init__") and name.count(".") == 2),
)
def test_a_package_is_a_docstring(package):
    if package in ("migrate.sandbox.__init__",):
        pytest.skip("the sandbox is used as one module")
    (docstring,) = ast.parse(SOURCES[package]).body
    assert isinstance(docstring, ast.Expr)


def test_the_naming_core_needs_the_standard_library_only():
    naming = [IMPORTS[module] for module in SOURCES if module.startswith("naming")]
    used = {name.partition(".")[0] for at_once, later in naming for name in at_once | later}
    assert used - sys.stdlib_module_names <= {"naming"}


def test_who_talks_to_wandb():
    assert importers("wandb") == {
        "migrate.client.server",
        "migrate.client.sign_in",
    }
    assert {module for module, source in SOURCES.items() if "_service_api" in source} == {
        "migrate.client.server"
    }


def test_who_needs_pandas():
    assert importers("pandas") == {"migrate.report.frame"}


@pytest.mark.parametrize("package", SLOW)
def test_slow_packages_are_imported_where_they_are_used(package):
    loaded = {
        module: {name.partition(".")[0] for name in at_once}
        for module, (at_once, _) in IMPORTS.items()
    }
    assert [module for module, names in loaded.items() if package in names] == []


def test_plan_needs_no_typer():
    """In a notebook, `from migrate import plan` and what it imports."""
    seen, waiting = set(), ["migrate.__init__"]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            at_once, later = IMPORTS[module]
            names = at_once | later if module == "migrate.__init__" else at_once
            assert "typer" not in {name.partition(".")[0] for name in names}, module
            waiting += ours(names) & SOURCES.keys()
    assert "migrate.mapping.projects" in seen


def test_the_one_private_name_is_where_we_call_it(sandbox):
    api = wandb.Api(overrides={"base_url": sandbox.url}, api_key=sandbox.api_key)
    execute = api._service_api.execute_graphql
    inspect.signature(execute).bind("{ viewer { id } }", variables={}, timeout=1.0)
    answer = execute("query V { viewer { username } }", variables={}, timeout=10.0)
    assert answer == {"viewer": {"username": "ycx"}}
