"""The words that names are made of.

struct, schedule, criteria and struct target are closed sets: the training scripts accept these
values and no others. Architectures and datasets are open, people add their own: a `Vocabulary`
says which ones a reader may count on, and makes a larger one instead of changing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import FrozenSet, Iterable, Mapping

STRUCTS = ("rsst", "refill")
SCHEDULES = ("x", "x^2", "x^3", "exp", "exp_custom", "exp_custom_exponents")
CRITERIA = ("remain", "magnitude", "l1", "l2", "saliency")
STRUCT_TARGETS = ("head", "mlp", "both")

EXPONENTS_SCHEDULE = "exp_custom_exponents"
"""The one schedule that has exponents."""

_CNN = (
    "res18 res18_2 res18_3 res18_4 res18_5 res18_6 res50 res50_2 res50_3 res50_4 res50_5 res50_6 "
    "res20s res56s vgg16_bn mobilenet mobilenet1 mobilenet2 mobilenet3 mobilenet4 mobilenet5 "
    "resnet12 wrn32 sparseresnet20"
).split()
_VIT = "vit_tiny vit_small vit_base vit_small_imagenet vit_base_imagenet vit_large_imagenet".split()
_MAMBA = "mamba_tiny mamba_small mamba_base mamba_small_imagenet mamba_base_imagenet".split()
_DATASETS = "cifar10 cifar100 cifar10_trigger cifar100_trigger tiny-imagenet imagenet".split()


@dataclass(frozen=True)
class Vocabulary:
    """The architectures and datasets that are known.

    Attributes:
        architectures: Architecture to family: `cnn`, `vit`, `mamba` or `other`.
        datasets: The datasets.

    >>> VOCABULARY.family("res18_2"), VOCABULARY.family("convnext_tiny")
    ('cnn', 'other')
    >>> more = VOCABULARY.extended(architectures=["convnext_tiny"], datasets=["svhn"])
    >>> "convnext_tiny" in more.architectures, "convnext_tiny" in VOCABULARY.architectures
    (True, False)
    """

    architectures: Mapping[str, str]
    datasets: FrozenSet[str]

    def family(self, arch: str) -> str:
        """The family of an architecture; `other` for one that nobody has listed."""
        return self.architectures.get(arch, "other")

    def extended(
        self, architectures: Iterable[str] = (), datasets: Iterable[str] = ()
    ) -> Vocabulary:
        """This vocabulary and more; the families of architectures already listed stay."""
        added = dict.fromkeys(architectures, "other")
        return replace(
            self,
            architectures={**added, **self.architectures},
            datasets=self.datasets.union(datasets),
        )


VOCABULARY = Vocabulary(
    architectures={
        **dict.fromkeys(_CNN, "cnn"),
        **dict.fromkeys(_VIT, "vit"),
        **dict.fromkeys(_MAMBA, "mamba"),
    },
    datasets=frozenset(_DATASETS),
)
"""What the training scripts accept today."""
