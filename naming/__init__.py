"""Names of RSST runs: build the new ones, read new and old ones back.

Standard library only, Python 3.8: the training script imports this package, `rsst-migrate`
stands on it. Nothing here does I/O.

>>> parse_name("rsst_exp_custom_exponents_l1_vit_small_cifar100").fields["arch"]
'vit_small'
"""

from naming.advice import Advice, advise
from naming.arguments import add_arguments
from naming.experiment import Fields, FieldsError, experiment, read_fields
from naming.fields import (
    CONFIG_KEYS,
    FIELD_TYPES,
    FIELDS,
    KEYS,
    PRETRAINED_KEYS,
    Experiment,
)
from naming.read import ParsedName, parse_name
from naming.style import EXTRAS, GUIDE_STYLE, Style, StyleError
from naming.vocabulary import VOCABULARY, Vocabulary
from naming.write import (
    MAX_LENGTH,
    experiment_name,
    is_exp_name,
    legacy_name,
    with_guide_defaults,
    write_name,
    zone,
)

__all__ = [
    "CONFIG_KEYS",
    "EXTRAS",
    "FIELDS",
    "FIELD_TYPES",
    "GUIDE_STYLE",
    "KEYS",
    "MAX_LENGTH",
    "PRETRAINED_KEYS",
    "VOCABULARY",
    "Advice",
    "Experiment",
    "Fields",
    "FieldsError",
    "ParsedName",
    "Style",
    "StyleError",
    "Vocabulary",
    "add_arguments",
    "advise",
    "experiment",
    "experiment_name",
    "is_exp_name",
    "legacy_name",
    "parse_name",
    "read_fields",
    "with_guide_defaults",
    "write_name",
    "zone",
]
