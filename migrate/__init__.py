"""Audit, preview and batch-rename the Weights & Biases runs of RSST.

For notebooks: `from migrate import plan`, then `plan("ycx/RSST")` is a DataFrame.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own would be loaded before Ctrl-C is seen to, in __main__
if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from typing import Literal

    import pandas

    from migrate.cli.request import Request
    from migrate.mapping.projects import Mapped

__all__ = ["plan"]


def plan(
    paths: str | Sequence[str] = (),
    *,
    filters: Mapping[str, object] | None = None,
    match: str | re.Pattern[str] | None = None,
    include_running: bool = False,
    timezone: str | None = None,
    timestamp_format: str | None = None,
    extra: str | Sequence[str] | None = None,
    cnn_exponents: bool = False,
    assume: Mapping[str, object] | None = None,
    prefer: Literal["name", "config"] | None = None,
    known_arch: Sequence[str] = (),
    known_dataset: Sequence[str] = (),
    config: str | PathLike[str] | None = None,
    against: str | None = None,
    base_url: str | None = None,
) -> pandas.DataFrame:
    """The dry run as a DataFrame: the rows of `rsst-migrate report`.

    Args:
        paths: `entity/project`, several of them, or a folder of offline runs; without one, the
            projects of the configuration file.
        filters: Only runs that pass this W&B filter: `{"state": "finished"}`.
        match: Only runs whose old name matches this regular expression (anywhere, as `search`).
        include_running: Rename runs whose process is alive, too.
        timezone: The zone of the times in names: `Asia/Shanghai`, `+08:00`; UTC by default.
        timestamp_format: Their form, as for `strftime`.
        extra: Extra parts after the dataset, in order: `["bs", "ep=epochs"]`.
        cnn_exponents: Write exponents in CNN names, too.
        assume: Config values for runs that lack them: `{"rate": 0.15}`.
        prefer: Which side is right where name and config disagree.
        known_arch: More known architectures.
        known_dataset: More known datasets.
        config: The configuration file (`none` for none); by default as on the command line.
        against: For offline runs: a project on the server whose names are taken, too.
        base_url: The W&B server; by default wandb's own setting.

    Raises:
        migrate.errors.MigrateError: In words for the user, as on the command line.
    """
    from migrate.cli.request import Request
    from migrate.report.frame import frame

    request = Request(
        paths=_listed("paths", paths),
        base_url=base_url,
        against=against,
        filters=filters,
        match=match,
        include_running=include_running,
        timezone=timezone,
        timestamp_format=timestamp_format,
        extra=None if extra is None else ",".join(_listed("extra", extra)),
        cnn_exponents=cnn_exponents,
        assume=assume,
        prefer=prefer,
        known_arch=_listed("known_arch", known_arch),
        known_dataset=_listed("known_dataset", known_dataset),
        config=None if config is None else str(config),
    )
    mapped = _mapped(request)
    rows = [row for project in mapped for row in project.chosen]
    return frame(rows, mapped[0].made_with)


def _mapped(request: Request) -> list[Mapped]:
    """The projects of a request with Python values; an InputError names the argument."""
    import re
    from collections.abc import Mapping

    from migrate.cli.sources import open_sources
    from migrate.console import no_progress
    from migrate.errors import InputError
    from migrate.mapping.projects import read_projects

    for name, types, takes in (
        ("filters", (Mapping, str), 'a mapping, as {"state": "finished"}'),
        ("match", (str, re.Pattern), "a regular expression"),
        ("assume", Mapping, 'a mapping, as {"rate": 0.15}'),
        ("against", str, "a string"),
        ("base_url", str, "a string"),
    ):
        given = getattr(request, name)
        if given is not None and not isinstance(given, types):
            raise InputError(f"{name} takes {takes}, not {given!r}.")
    try:
        asked = request.asked()
        _, projects = open_sources(
            asked.paths, request, no_progress, asked.options.keys, may_prompt=False
        )
        return read_projects(projects, asked.options, asked.which)
    except InputError as error:  # --known-arch is known_arch here; ./a--b is a folder
        words = re.sub(r"\B--([a-z-]+)", lambda option: option[1].replace("-", "_"), str(error))
        raise InputError(words) from None


def _listed(name: str, given: str | Sequence[str]) -> list[str]:
    from collections.abc import Iterable

    from migrate.errors import InputError

    listed = [*given] if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    if not all(isinstance(text, str) for text in listed):
        raise InputError(f"{name} takes a string, or a list of strings, not {given!r}.")
    return listed
