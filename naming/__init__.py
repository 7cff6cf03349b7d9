"""Names of RSST runs: build the new ones, read new and old ones back."""

FIELDS = (
    "struct",
    "schedule",
    "criteria",
    "arch",
    "dataset",
    "reg",
    "exponents",
    "rate",
    "fillback_rate",
    "pretrained",
    "struct_target",
)

CONFIG_KEYS = (
    "struct",
    "RST_schedule",
    "criteria",
    "arch",
    "dataset",
    "reg_granularity_prune",
    "exponents",
    "rate",
    "fillback_rate",
    "pretrained",
    "vit_pretrained",
    "vit_pretrained_21k",
    "mamba_pretrained",
    "vit_structured",
    "vit_prune_target",
    "exp_name",
    "batch_size",
    "lr",
    "seed",
)
