"""Names of RSST runs: build the new ones, read new and old ones back.

Standard library only, Python 3.8: the training script imports this package, `rsst-migrate`
stands on it. Nothing here does I/O.

>>> parse_name("rsst_exp_custom_exponents_l1_vit_small_cifar100").fields["arch"]
'vit_small'
"""

from naming.advice import advise
from naming.arguments import add_arguments
from naming.fields import (
    Fields,
    FieldsError,
    cut,
    parts_of,
    read_fields,
    with_guide_defaults,
)
from naming.near_miss import Reason
from naming.read import ParsedName, parse_name
from naming.rsst import CRITERIA, RSST, SCHEDULES
from naming.style import GUIDE_STYLE, Style, StyleError, zone
from naming.vocabulary import VOCABULARY, Vocabulary
from naming.write import MAX_LENGTH, experiment_name, is_exp_name, legacy_name, write_name

FIELDS = tuple(RSST.by_name)
"""The fields of a run, in the order of a report's columns."""

FIELD_TYPES = {field.name: field.kind.type for field in RSST.fields}
"""Field to the type of its canonical values: str, float, int or bool."""

IN_OLD_NAMES = RSST.old.fields
"""The fields that an old name joins, in order."""

KEYS = RSST.keys
"""Field to the argument, and so the config key, that it comes from, where there is just one."""

SWITCH_KEYS = RSST.switch_keys
"""The arguments that are on or off."""

CONFIG_KEYS = RSST.config_keys
"""Every config key that names are made of."""

__all__ = [
    "CONFIG_KEYS",
    "CRITERIA",
    "FIELDS",
    "FIELD_TYPES",
    "GUIDE_STYLE",
    "IN_OLD_NAMES",
    "KEYS",
    "MAX_LENGTH",
    "RSST",
    "SCHEDULES",
    "SWITCH_KEYS",
    "VOCABULARY",
    "Fields",
    "FieldsError",
    "ParsedName",
    "Reason",
    "Style",
    "StyleError",
    "Vocabulary",
    "add_arguments",
    "advise",
    "cut",
    "experiment_name",
    "is_exp_name",
    "legacy_name",
    "parse_name",
    "parts_of",
    "read_fields",
    "with_guide_defaults",
    "write_name",
    "zone",
]
