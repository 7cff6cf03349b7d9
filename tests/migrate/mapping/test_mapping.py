"""Mapping runs to rows: each status, conflicts, assumptions, ordinals, and the invariants."""

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.client.runs import ALIVE, Run, RunKey
from migrate.mapping.mapping import Options
from migrate.mapping.rows import Reason, RuleSource
from migrate.mapping.rules import Rule, Where
from migrate.report.words import reason_text
from naming import FIELDS, VOCABULARY, Style, legacy_name, parse_name
from tests.migrate.mapped import map_runs

AT = datetime(2026, 1, 8, 14, 30, tzinfo=UTC)
CONFIG = {
    "struct": "rsst",
    "RST_schedule": "exp_custom_exponents",
    "criteria": "l1",
    "arch": "vit_small",
    "dataset": "cifar100",
    "reg_granularity_prune": 0.5,
    "exponents": 3,
    "rate": 0.15,
    "pretrained": True,
}
OLD = "rsst_exp_custom_exponents_l1_vit_small_cifar100"
NEW = (
    "rsst_vit_small_cifar100_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1_rate_0.15"
    "_pretrained_0108_1430"
)


def a_run(name=OLD, run_id="a", **changes):
    config = changes.pop("config", CONFIG)
    base = Run(RunKey("ycx", "RSST", run_id), name, "finished", AT, False, config)
    return replace(base, **changes)


def why(row):
    return reason_text(row.reasons)


def without(*keys):
    return {key: value for key, value in CONFIG.items() if key not in keys}


def only(run, options=None):
    (row,) = map_runs([run], options)
    return row


def with_rule(**supplies):
    return Options(rules=(Rule(Where(), RuleSource(option="--option"), **supplies),))


STATUSES = [
    (a_run(), "rename", ""),
    (a_run(NEW), "current", ""),
    (a_run("test1"), "custom", "not-ours: not an RSST name"),
    (
        a_run("RSST_x_l1_res18_cifar10"),
        "custom",
        "near-miss: wrong case: our names are in lower case",
    ),
    (a_run(config={**CONFIG, "exp_name": OLD}), "custom", "exp-name"),
    (
        a_run("mine_0108_1430", config={**CONFIG, "exp_name": "mine"}),
        "custom",
        "exp-name",
    ),
    (a_run(config=without("rate", "exponents")), "review", "missing: exponents, rate"),
    (
        a_run(config={**CONFIG, "dataset": "cifar10"}),
        "review",
        "conflict: dataset is cifar100 in the name, cifar10 in the config",
    ),
    (a_run(config={**CONFIG, "rate": "abc"}), "review", "invalid: rate is 'abc'"),
    (
        a_run(config={**without("exponents"), "rate": []}),
        "review",
        "missing: exponents; invalid: rate is []",
    ),
    (
        a_run(config={**CONFIG, "arch": "res18", "dataset": "cifar10"}),
        "review",
        "conflict: arch is vit_small in the name, res18 in the config and dataset is cifar100 in",
    ),
    (a_run(config={**CONFIG, "arch": ["vit_small"]}), "review", "conflict: arch is vit_small in"),
    (
        a_run("rsst_x_l1_my_net_my_data", config={"rate": 0.1}),
        "review",
        "ambiguous: my on net_my_data or my_net on my_data or my_net_my on data; missing: reg",
    ),
    (
        a_run("rsst_x_l1_a_b_c_d_e", config={}),
        "review",
        "ambiguous: a on b_c_d_e or a_b on c_d_e or a_b_c on d_e or 1 more; missing: reg",
    ),
    (
        a_run("rsst_x_l1_mine_yours", config={}),
        "review",
        "ambiguous: neither side of mine on yours is known (name one with --known-arch or "
        "--known-dataset)",
    ),
    (
        a_run("rsst_x_l1_mobilenet_v2_cifar10", config={}),
        "review",
        "ambiguous: mobilenet_v2 on cifar10 or mobilenet on v2_cifar10; missing: reg",
    ),
    (a_run("rsst_x_l1_res18_yours", config={}), "review", "missing: reg"),
    (a_run("rsst_x_l1_mine_cifar10", config={}), "review", "missing: reg"),
    (a_run("rsst_x_l1_mine_yours", config={"arch": "other"}), "review", "conflict: arch is mine"),
    (a_run("rsst_x_l1_mine_yours", config={"dataset": "other"}), "review", "conflict: dataset is"),
    (
        a_run(config=None, created_at=None),
        "review",
        "invalid: the config is not a JSON object; invalid: createdAt is not a time",
    ),
    (a_run(config=None), "review", "invalid: the config is not a JSON object"),
    (a_run(created_at=None), "review", "invalid: createdAt is not a time"),
    (
        a_run(created_at=None, config={**CONFIG, "dataset": "cifar10"}),
        "review",
        "conflict: dataset is cifar100 in the name, cifar10 in the config; invalid: createdAt is",
    ),
    (
        a_run(created_at=datetime.max.replace(tzinfo=UTC)),
        "rename",
        "",
    ),
    *((a_run(state=state), "hold", "running") for state in sorted(ALIVE)),
    *((a_run(state=state), "rename", "") for state in ("finished", "crashed", "failed", "killed")),
    (a_run(read_only=True), "hold", "read-only"),
    (a_run(state="running", config=without("rate")), "review", "missing: rate"),
    (
        a_run("rsst_linear_l1_vit_small_cifar100", config={**CONFIG, "RST_schedule": "linear"}),
        "review",
        "invalid: RST_schedule is 'linear'",
    ),
    (
        a_run(
            f"rsst_exp_custom_exponents_l1_{'x' * 60}_cifar100",
            config={**CONFIG, "arch": "x" * 60},
        ),
        "review",
        "too-long: 153 characters",
    ),
]


@pytest.mark.parametrize(("run", "status", "reason"), STATUSES)
def test_each_status_and_its_reason(run, status, reason):
    row = only(run)
    assert (row.status, why(row)[: len(reason)]) == (status, reason)
    if reason in ("", "running", "read-only") or reason.startswith("invalid: the config"):
        assert why(row) == reason
    assert (row.new_name is not None) == (status == "rename")
    assert (row.key, row.old_name, row.state, row.created_at) == (
        run.key,
        run.name,
        run.state,
        run.created_at,
    )
    assert set(row.fields) <= set(FIELDS)


def test_what_is_known_of_a_run_that_is_not_renamed():
    """The name's word counts where it reads; of several readings, what they agree on."""
    assert only(a_run("test1")).fields["arch"] == "vit_small"
    assert only(a_run(NEW, config={**CONFIG, "rate": 0.3})).fields["rate"] == 0.15
    two = "rsst_a_b_c_sched_x_reg_0.5_crit_l1_rate_0.15_0108_1430"
    assert only(a_run(two, config={"rate": 0.3})).fields == {"rate": 0.3}
    assert only(a_run("rsst_x_l1_a_b_c", config={})).fields == {
        "struct": "rsst",
        "schedule": "x",
        "criteria": "l1",
    }


def test_a_run_without_switches_is_known_to_have_used_no_pretrained_weights_once_it_is_named():
    assert only(a_run(config=without("pretrained"))).fields["pretrained"] is False
    assert only(a_run()).fields["pretrained"] is True


def test_the_guides_migration_example():
    assert only(a_run()).new_name == NEW


def test_values_as_the_backend_gives_them_back():
    config = {**CONFIG, "arch": "res20s", "reg_granularity_prune": 1, "rate": "0.20"}
    row = only(a_run(legacy_name(config), config=config))
    assert "_reg_1.0_crit_l1_rate_0.2_" in row.new_name
    assert (row.fields["reg"], row.fields["rate"]) == (1.0, 0.2)


def test_what_the_rebuild_says_goes_whatever_the_vocabulary_says():
    config = {**CONFIG, "arch": "my_net", "dataset": "my_data"}
    row = only(a_run(legacy_name(config), config=config))
    assert row.new_name.startswith("rsst_my_net_my_data_sched_")
    config = {**CONFIG, "arch": "res18", "dataset": "cifar10_v2"}
    row = only(a_run(legacy_name(config), config=config))
    assert row.new_name.startswith("rsst_res18_cifar10_v2_sched_")


@pytest.mark.parametrize("letter", ["\u3164", "\u115f", "\uffa0", "\u2800", "\ufe01"])
def test_letters_that_cannot_be_seen_keep_their_own_run_from_a_new_name(letter):
    config = {**CONFIG, "arch": f"my{letter}net"}
    row = only(a_run(legacy_name(config), config=config))
    assert (row.status, why(row)[:28]) == ("review", "invalid: the new name would ")
    assert only(a_run()).status == "rename"


def test_a_dataset_that_looks_like_an_extra_part():
    config = {**CONFIG, "dataset": "svhn_bs_64"}
    name = legacy_name(config)
    bare = without("dataset")
    assert only(a_run(name, config=config)).new_name.startswith("rsst_vit_small_svhn_bs_64_sched_")
    row = only(a_run(name, config=bare))  # would be read as svhn, with a batch size
    assert (row.status, why(row)[:24]) == ("review", "invalid: arch or dataset")
    assert row.fields["dataset"] == "svhn_bs_64"
    known = Options(vocabulary=VOCABULARY.extended(datasets=["svhn_bs_64"]))
    assert only(a_run(name, config=bare), known).status == "rename"


@pytest.mark.parametrize("keys", [("arch", "dataset"), ("arch",), ("dataset",)])
def test_architectures_and_datasets_of_other_runs_configs_read_a_name_without_one(keys):
    whole = {**CONFIG, "arch": "my_net", "dataset": "my_data"}
    name = legacy_name(whole)
    told = without("arch", "dataset") | {key: whole[key] for key in keys}
    bare = {key: CONFIG[key] for key in ("reg_granularity_prune", "exponents", "rate")}
    assert only(a_run(name, config=bare)).status == "review"
    rows = map_runs([a_run(name, "a", config=bare), a_run(name, "b", config=told)])
    assert [row.status for row in rows] == ["rename", "rename"]
    assert rows[0].fields["arch"] == "my_net"


@pytest.mark.parametrize(("prefer", "dataset"), [("name", "cifar100"), ("config", "cifar10")])
def test_a_conflict_is_settled_only_by_prefer(prefer, dataset):
    run = a_run(config={**CONFIG, "dataset": "cifar10"})
    assert only(run).status == "review"
    row = only(run, with_rule(prefer=prefer))
    assert (row.status, row.fields["dataset"]) == ("rename", dataset)


def test_where_the_config_is_preferred_it_does_not_matter_how_the_name_splits():
    config = {**CONFIG, "RST_schedule": "x", "arch": "res18"}
    run = a_run("rsst_x_l1_mobilenet_v2_cifar10", config=config)
    for rules in (None, with_rule(prefer="name")):
        assert why(only(run, rules)).startswith("ambiguous: mobilenet_v2 on cifar10 or mobilenet")
    assert only(run, with_rule(prefer="config")).new_name.startswith("rsst_res18_cifar100_sched_x_")
    unclear = replace(run, config={**config, "dataset": None})
    assert only(unclear, with_rule(prefer="config")).status == "review"


def test_a_long_value_is_cut_in_the_reason_of_a_conflict():
    reason = why(only(a_run(config={**CONFIG, "dataset": "x" * 10_000})))
    assert reason == f"conflict: dataset is cifar100 in the name, {'x' * 59}… in the config"


def test_assume_fills_what_is_missing_and_nothing_else():
    rules = with_rule(assume={"rate": 0.3, "dataset": "imagenet", "arch": "res18"})
    assert "_rate_0.3_" in only(a_run(config=without("rate")), rules).new_name
    assert only(a_run(), rules).new_name == NEW
    assert only(a_run(config=without("arch", "dataset")), rules).new_name == NEW


@pytest.mark.parametrize("key", ["arch", "dataset"])
@pytest.mark.parametrize("pair", [("mine", "yours"), ("my_net", "data"), ("my_net", "my_data")])
def test_assume_settles_which_of_the_readings_is_meant(pair, key):
    config = without("arch", "dataset", "RST_schedule") | {"RST_schedule": "x"}
    name = "rsst_x_l1_" + "_".join(pair)
    assert only(a_run(name, config=config)).status == "review"
    assumed = dict(zip(("arch", "dataset"), pair, strict=True))[key]
    row = only(a_run(name, config=config), with_rule(assume={key: assumed}))
    assert row.new_name.startswith(f"rsst_{'_'.join(pair)}_sched_")
    assert (row.fields["arch"], row.fields["dataset"]) == pair


def test_the_users_own_style_and_vocabulary():
    style = Style("%Y", extras=("bs",), cnn_exponents=True)
    config = {**CONFIG, "arch": "res18", "batch_size": 128}
    run = a_run(legacy_name(config), config=config)
    new = only(run, Options(style=style)).new_name
    assert new.startswith("rsst_res18_cifar100_bs_128_sched_exp_custom_exponents_reg_0.5_exp3_")
    assert new.endswith("_2026")
    # Names in this style count as such, with no word of their own about it.
    assert only(replace(run, name=new), Options(style=style)).status == "current"
    named = a_run("mine_2026", config={**CONFIG, "exp_name": "mine"})
    assert only(named, Options(style=style)).codes == ("exp-name",)
    cnn = Options(vocabulary=replace(VOCABULARY, architectures={"vit_small": "cnn"}))
    assert "_exp3_" not in only(a_run(), cnn).new_name


def test_a_time_that_the_zone_pushes_out_of_the_calendar():
    rules = Options(timezone=ZoneInfo("Asia/Shanghai"))
    row = only(a_run(created_at=datetime.max.replace(tzinfo=UTC)), rules)
    assert (row.status, why(row)[:30]) == ("review", "invalid: createdAt is 9999-12-")


def test_a_name_of_just_the_length_that_wandb_keeps_and_its_twin():
    config = {**CONFIG, "arch": "x" * (128 - len(NEW) + len("vit_small"))}
    runs = [a_run(legacy_name(config), run_id, config=config) for run_id in "ab"]
    first, second = map_runs(runs)
    assert (first.status, len(first.new_name)) == ("rename", 128)
    assert (second.status, second.reasons) == ("review", (Reason("too-long", (130,)),))
    assert second.new_name is None
    assert second.key.run_id == "b"
    # With a shorter time there is room for the ordinal, and for no more than it.
    rules = Options(style=Style("%m%d_%H"))
    assert len(map_runs(runs, rules)[1].new_name) == 128


def test_the_style_and_the_zone_of_new_names():
    rules = Options(style=Style("%Y%m%d_%H%M%S"), timezone=ZoneInfo("Asia/Shanghai"))
    assert only(a_run(), rules).new_name.endswith("_20260108_223000")


@pytest.mark.parametrize("state", sorted(ALIVE))
def test_running_runs_where_asked_for(state):
    assert only(a_run(state=state), Options(include_running=True)).status == "rename"


def test_twins_get_ordinals_in_order_of_creation_then_run_id():
    later = AT + timedelta(seconds=20)
    runs = [a_run(run_id="a", created_at=later), a_run(run_id="c"), a_run(run_id="b")]
    names = {row.key.run_id: row.new_name for row in map_runs(runs)}
    assert names == {"b": NEW, "c": NEW + "_2", "a": NEW + "_3"}
    timeless = a_run(run_id="0", created_at=None)
    assert [row.key.run_id for row in map_runs([timeless, *runs])] == ["b", "c", "a", "0"]


def test_a_name_that_a_run_bears_and_keeps_is_taken():
    runs = [a_run(), a_run(NEW, "z"), a_run(NEW + "_3", "y"), a_run(run_id="b")]
    rows = {row.key.run_id: row.new_name for row in map_runs(runs)}
    assert (rows["a"], rows["b"]) == (NEW + "_2", NEW + "_4")


def test_many_twins_cost_no_more_each():
    rows = map_runs([a_run(run_id=f"{i:05}") for i in range(5000)])
    assert rows[-1].new_name == NEW + "_5000"


def test_many_architectures_cost_no_more_each():
    start = time.process_time()
    map_runs([a_run(f"mine {i}", f"{i}", config={"arch": f"net_{i}"}) for i in range(20_000)])
    assert time.process_time() - start < 10


_values = st.sampled_from([0.1, 0.2, 1, "0.15", None, "abc"])
_configs = st.fixed_dictionaries(
    {
        "struct": st.sampled_from(["rsst", "refill"]),
        "RST_schedule": st.sampled_from(["x", "exp_custom_exponents"]),
        "criteria": st.sampled_from(["l1", "l2"]),
        "arch": st.sampled_from(["vit_small", "res18", "res18_2", "my_net"]),
        "dataset": st.sampled_from(["cifar10", "cifar10_trigger", "my_data"]),
        "reg_granularity_prune": _values,
        "exponents": st.sampled_from([3, "4", None]),
        "rate": _values,
        "fillback_rate": _values,
        "pretrained": st.booleans(),
    }
)


@st.composite
def _projects(draw):
    runs = []
    for number in range(draw(st.integers(0, 12))):
        config = draw(_configs)
        name = draw(st.sampled_from([legacy_name(config), legacy_name(config), OLD, NEW, "test1"]))
        kept = draw(st.sampled_from([config, config, {**CONFIG}, {"rate": 0.2}]))
        minute = AT + timedelta(minutes=draw(st.integers(0, 2)))
        state = draw(st.sampled_from(["finished", "finished", "running"]))
        runs.append(a_run(name, f"r{number}", config=kept, created_at=minute, state=state))
    return runs


def renamed(runs, rows):
    """The runs after the rows' renames were made."""
    names = {row.key.run_id: row.new_name for row in rows if row.new_name}
    return [replace(run, name=names.get(run.key.run_id, run.name)) for run in runs]


@given(_projects(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_invariants_of_a_plan(runs, rng):
    rows = map_runs(runs)
    assert sorted(row.key.run_id for row in rows) == sorted(run.key.run_id for run in runs)
    promised = {row.key.run_id: row.new_name for row in rows if row.new_name}
    kept = [row.old_name for row in rows if not row.new_name]

    # Unique, among themselves and against the names that stay.
    assert len(set(promised.values())) == len(promised)
    assert not set(promised.values()) & set(kept)

    # New names are read as such, and say what the row says.
    vocabulary = VOCABULARY.extended(["my_net"], ["my_data"])
    for row in rows:
        if row.new_name:
            fields = parse_name(row.new_name, vocabulary=vocabulary).fields
            assert fields["arch"] == row.fields["arch"]

    # The order of arrival does not matter.
    shuffled = list(runs)
    rng.shuffle(shuffled)
    assert map_runs(shuffled) == rows

    # After a partial rename the others get the names they were promised.
    some = [row for row in rows if row.new_name and rng.random() < 0.5]
    again = {row.key.run_id: row.new_name for row in map_runs(renamed(runs, some)) if row.new_name}
    assert again == {
        run_id: name
        for run_id, name in promised.items()
        if run_id not in {row.key.run_id for row in some}
    }

    # Mapping the renamed project maps nothing.
    assert not any(row.new_name for row in map_runs(renamed(runs, rows)))


def test_the_whole_old_vocabulary_is_mapped_to_names_that_read_back():
    archs, datasets = list(VOCABULARY.architectures), list(VOCABULARY.datasets)
    choice = random.Random(1).choice
    runs = []
    for number in range(400):
        config = {**CONFIG, "arch": choice(archs), "dataset": choice(datasets)}
        runs.append(a_run(legacy_name(config), f"{number}", config=config))
    for row, run in zip(map_runs(runs), sorted(runs, key=lambda run: run.key.run_id), strict=True):
        fields = parse_name(row.new_name).fields
        assert (fields["arch"], fields["dataset"]) == (run.config["arch"], run.config["dataset"])
