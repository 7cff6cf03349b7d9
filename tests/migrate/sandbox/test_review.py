"""The sample with many runs for review, as the mapping sees it."""

from collections import Counter

from migrate.client.paths import parse_path
from migrate.client.server import connect
from migrate.sandbox.review import KINDS, review_store
from naming import VOCABULARY
from tests.migrate.mapped import map_runs


def kind(row):
    """What one answer settles: the reason, with all that decides it."""
    fields = row.fields.get
    reasons = tuple(
        (reason.code, None if reason.code == "too-long" else reason.data) for reason in row.reasons
    )
    return reasons, VOCABULARY.family(str(fields("arch"))), fields("schedule"), fields("struct")


def test_three_hundred_runs_for_review_of_twenty_kinds(serve):
    sandbox = serve(review_store())
    project = connect(sandbox.url).project(parse_path("ycx/RSST"))
    runs = [run for page in project.pages() for run in page.runs]
    rows = map_runs(runs)
    counts = {"review": 300, "rename": 98, "current": 12, "custom": 8, "hold": 2}
    assert Counter(row.status for row in rows) == counts
    assert {row.state for row in rows if row.status == "hold"} == {"running"}
    review = [row for row in rows if row.status == "review"]
    assert {code for row in review for code in row.codes} == {
        *("missing", "invalid", "conflict", "ambiguous", "too-long"),
    }
    kinds = Counter(map(kind, review))
    pairs = [found for found in kinds if len(found[0][0][1] or ()) == 2 and "svhn" in str(found)]
    assert len(kinds) - len(pairs) + 1 == len(KINDS) == 20
    assert kinds[(("missing", ("rate",)),), "cnn", "exp_custom_exponents", "rsst"] == 73

    def rates(family):
        """What the family's runs with this schedule have for a rate."""
        return Counter(
            run.config.get("rate")
            for run in runs
            if run.config
            and VOCABULARY.family(str(run.config.get("arch"))) == family
            and run.config["RST_schedule"] == "exp_custom_exponents"
        )

    assert rates("vit") == {0.15: 181, 0.2: 2, "0,15": 7, None: 45}
    assert set(rates("cnn")) == {0.2, None}
    days = sorted(row.created_at for row in rows)
    assert (days[-1] - days[0]).days > 360
    assert review_store().state() == sandbox.store.state()
