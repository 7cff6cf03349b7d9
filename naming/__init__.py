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
