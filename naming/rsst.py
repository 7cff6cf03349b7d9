"""RSST's run names: the one place that declares the format.

Fields are in the order of a report's columns, templates in the notation of the users' guide.
To add a field, declare it here and put it into the templates; to move a part of new names, move
it in the templates. Reading, writing, the columns, the config keys and the near misses follow.

Sources: the naming guide (January 2026) for the new format and its defaults, the argument parser
of RSST's `main_imp_fillback.py` for keys and values, and the names on the server for what the
scripts really wrote.
"""

from __future__ import annotations

from naming.scheme import INTEGER, NUMBER, OPEN, SWITCH, Field, Scheme, When, closed

STRUCTS = ("rsst", "refill")
SCHEDULES = ("x", "x^2", "x^3", "exp", "exp_custom", "exp_custom_exponents")
CRITERIA = ("remain", "magnitude", "l1", "l2", "saliency")
STRUCT_TARGETS = ("head", "mlp", "both")

CNN = (
    "res18 res18_2 res18_3 res18_4 res18_5 res18_6 res50 res50_2 res50_3 res50_4 res50_5 res50_6 "
    "res20s res56s vgg16_bn mobilenet mobilenet1 mobilenet2 mobilenet3 mobilenet4 mobilenet5 "
    "resnet12 wrn32 sparseresnet20"
).split()
VIT = "vit_tiny vit_small vit_base vit_small_imagenet vit_base_imagenet vit_large_imagenet".split()
MAMBA = "mamba_tiny mamba_small mamba_base mamba_small_imagenet mamba_base_imagenet".split()
DATASETS = "cifar10 cifar100 cifar10_trigger cifar100_trigger tiny-imagenet imagenet".split()

_EXPONENTS_SCHEDULE = "exp_custom_exponents"

RSST = Scheme(
    fields=(
        Field("struct", closed(*STRUCTS), ("struct",)),
        Field("schedule", closed(*SCHEDULES), ("RST_schedule",)),
        Field("criteria", closed(*CRITERIA), ("criteria",)),
        Field("arch", OPEN, ("arch",)),
        Field("dataset", OPEN, ("dataset",)),
        # The ranges: a rate is a share of the weights; no script of the guide has a negative
        # granularity, or an exponent below 2.
        Field("reg", NUMBER, ("reg_granularity_prune",), least=0),
        Field(
            "exponents",
            INTEGER,
            ("exponents",),
            # Only this schedule has exponents, and the guide leaves them out for CNNs ("CNN模型").
            # An architecture that nobody has listed counts as not a CNN: it keeps its exponents.
            written=When("schedule", _EXPONENTS_SCHEDULE, unless=("cnn",)),
            # Read from a name, an architecture that nobody has listed may well be a CNN.
            must=When("schedule", _EXPONENTS_SCHEDULE, unless=("cnn", "other")),
            # The January script wrote them for CNNs, too. Such names are in this format, and
            # `--cnn-exponents` writes them.
            may=When("schedule", _EXPONENTS_SCHEDULE),
            option="cnn_exponents",
            least=1,
        ),
        Field("rate", NUMBER, ("rate",), least=0, most=1),
        Field("fillback_rate", NUMBER, ("fillback_rate",), least=0, most=1),
        Field(
            "pretrained",
            SWITCH,
            ("pretrained", "vit_pretrained", "vit_pretrained_21k", "mamba_pretrained"),
        ),
        Field(
            "struct_target",
            closed(*STRUCT_TARGETS),
            ("vit_prune_target",),
            switch="vit_structured",
            default="head",
        ),
    ),
    chosen_by="struct",
    templates=(
        "rsst_{arch}_{dataset}{extras}_sched_{schedule}_reg_{reg}[_exp{exponents}]_crit_{criteria}"
        "_rate_{rate}[_{pretrained}][_struct_{struct_target}]_{time}",
        "refill_{arch}_{dataset}{extras}_fill_{fillback_rate}_crit_{criteria}"
        "_rate_{rate}[_{pretrained}][_struct_{struct_target}]_{time}",
    ),
    old_template="{struct}_{schedule}_{criteria}_{arch}_{dataset}",
    extras={
        "bs": ("batch_size", INTEGER),
        "lr": ("lr", NUMBER),
        "seed": ("seed", INTEGER),
    },
    name_key="exp_name",
    name_time_key="exp_timestamp",
    guide={
        "struct": "rsst",
        "schedule": _EXPONENTS_SCHEDULE,
        "criteria": "l1",
        "arch": "res20s",
        "dataset": "cifar100",
        "reg": 0.5,
        "exponents": 3,
        "rate": 0.15,
        "fillback_rate": 0.0,
    },
    guide_by_family={"cnn": {"reg": 1.0, "exponents": 4, "rate": 0.2}},
)
