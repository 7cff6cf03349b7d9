"""Listing a project and choosing from it, with what a terminal shows meanwhile."""

from contextlib import nullcontext

from migrate.console import Bar
from migrate.mapping.mapping import Options
from migrate.mapping.projects import Which, read_projects


def test_listing_and_filtering_each_show_a_bar(project):
    shown = []

    def progress(title):
        class Shown(Bar):
            def advance(self, done, total):
                shown.append((title, done, total))

        return nullcontext(Shown())

    project._page_size.sizes = (8,)
    which = Which({"display_name": {"$regex": "vit"}})
    (mapped,) = read_projects([project], Options(), which, progress)
    assert len(mapped.chosen) == 10
    titles = list(dict.fromkeys(title for title, _, _ in shown))
    assert titles == ["Listing ycx/RSST", "Filtering ycx/RSST"]
    filtered = [done for title, done, _ in shown if title == "Filtering ycx/RSST"]
    assert filtered == [8, 10]
