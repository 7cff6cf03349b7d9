"""Saved views, reports and automations: how they are served, and those of the sample project.

`sample_views.json` is made by `tests/fixtures/make_views.py`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from migrate.sandbox.paging import connection
from migrate.sandbox.store import StoredProject, StoredView

FEATURES = [
    {"name": name, "isEnabled": True}
    for name in ("QUERY_AUTOMATIONS_ON_ENTITY", "AUTOMATION_SCOPE_ENTITY")
]
"""Asks wandb to read the automations of an entity from it, and not from each of its projects."""

_CREATED = "2026-01-08T14:30:00"


def of_project(project: StoredProject) -> dict[str, Any]:
    """A project's fields that are about views."""

    def all_views(
        viewType: str | None = None,  # noqa: N803 - the schema's name
        viewName: str | None = None,  # noqa: N803
        first: int | None = None,
        after: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        views = [
            view
            for view in project.views
            if view.type == (viewType or "runs") and viewName in (None, view.name)
        ]
        shown = [_view(project, view) for view in views if not view.hidden]
        return {**connection(shown, first, after), "totalCount": len(views)}

    return {
        "__typename": "Project",
        "allViews": all_views,
    }


def of_entity(projects: Sequence[StoredProject]) -> dict[str, Any]:
    """An entity's fields that are about automations."""

    def triggers(first: int | None = None, after: str | None = None, **_: Any) -> dict[str, Any]:
        found = [_trigger(project, view) for project in projects for view in _automations(project)]
        return connection(found, first, after)

    return {"__typename": "Entity", "entityType": "team", "triggers": triggers}


def sample_views() -> list[StoredView]:
    """The views and automations of the sample project `ycx/RSST`."""
    text = files("migrate.sandbox").joinpath("sample_views.json").read_text("utf-8")
    return [
        StoredView(**{**view, "id": view_id(number), "spec": json.dumps(view["spec"])})
        for number, view in enumerate(json.loads(text), 1)
    ]


def view_id(number: int) -> str:
    """A view's id, as W&B makes them: `View:5721966` in base64."""
    return base64.b64encode(f"View:{5721900 + number}".encode()).decode()


def _automations(project: StoredProject) -> list[StoredView]:
    return [view for view in project.views if view.type == "trigger"]


def _view(project: StoredProject, view: StoredView) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        "displayName": view.displayName,
        "type": view.type,
        "description": "",
        "spec": view.spec,
        "user": None,
        "createdAt": _CREATED,
        "updatedAt": _CREATED,
        "entityName": project.entity,
        "projectName": project.name,
        "locked": False,
    }


def _trigger(project: StoredProject, view: StoredView) -> dict[str, Any]:
    scope = {"__typename": "Project", "id": f"{project.entity}/{project.name}"}
    if view.of_entity:
        scope = {"__typename": "Entity", "id": project.entity, "entityType": "team"}
    return {
        "id": view.id,
        "createdAt": _CREATED,
        "updatedAt": None,
        "name": view.displayName,
        "description": None,
        "enabled": True,
        "scope": {**scope, "name": project.entity if view.of_entity else project.name},
        "triggeringCondition": {
            "__typename": "FilterEventTriggeringCondition",
            "eventType": "RUN_STATE",
            "filter": view.spec,
        },
        "triggeredAction": {"__typename": "NoOpTriggeredAction", "noOp": True},
    }
