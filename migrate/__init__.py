"""Audit, preview and batch-rename the Weights & Biases runs of RSST.

For notebooks: `from migrate import plan`, then `plan("ycx/RSST")` is a DataFrame.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own would be loaded before Ctrl-C is seen to, in __main__
if TYPE_CHECKING:
    from typing import Any

    import pandas

__all__ = ["plan"]


def plan(path: str, **options: Any) -> pandas.DataFrame:
    """The dry run of a project as a DataFrame: the rows of `rsst-migrate report`.

    Args:
        path: `entity/project`, `project` alone for the default entity, or a folder of offline
            runs.
        **options: The command line's shared options under their Python names:
            `plan("ycx/RSST", assume=["rate=0.15"], timezone="Asia/Shanghai")`.

    Raises:
        migrate.errors.MigrateError: In words for the user, as on the command line.
        TypeError: There is no such option.
    """
    from migrate.cli.request import Request
    from migrate.cli.sources import open_sources
    from migrate.console import no_progress
    from migrate.mapping.projects import read_projects
    from migrate.report.frame import frame

    request = Request(**options)
    mapping, which = request.options(), request.which()
    found = open_sources([path], request.base_url, request.against, no_progress, may_prompt=False)
    mapped = read_projects(found.projects, mapping, which)
    return frame([row for project in mapped for row in project.chosen])
