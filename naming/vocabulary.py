"""The open words of names: which architectures and datasets there are, and how a text splits."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import FrozenSet, Iterable, Mapping

from naming import values
from naming.rsst import CNN, DATASETS, MAMBA, VIT

_VARIANT = re.compile("(.+)_[a-z]")


@dataclass(frozen=True)
class Vocabulary:
    """The architectures and datasets that are known.

    People add their own, so a vocabulary is never changed: `extended` makes a larger one.

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
        self,
        architectures: Iterable[str] = (),
        datasets: Iterable[str] = (),
        family: str = "other",
    ) -> Vocabulary:
        """This vocabulary and more; the families of architectures already listed stay."""
        added = dict.fromkeys(architectures, family)
        return replace(
            self,
            architectures={**added, **self.architectures},
            datasets=self.datasets.union(datasets),
        )


VOCABULARY = Vocabulary(
    architectures={
        **dict.fromkeys(CNN, "cnn"),
        **dict.fromkeys(VIT, "vit"),
        **dict.fromkeys(MAMBA, "mamba"),
    },
    datasets=frozenset(DATASETS),
)
"""What the training scripts accept today."""


def split_pair(text: str, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Every plausible way to split `{arch}_{dataset}`, which may both contain `_`.

    Splits into two known words come first and alone. Over the scripts' own values every name has
    exactly one (all 12,600 old names are enumerated in the tests), also where a word is part of
    another: `vit_small_imagenet` is vit_small on imagenet, since a pair needs a dataset.

    Next come those with one known word, the longest there is on either side (a known dataset
    first: people add models more often). With neither known, every split is as good as another,
    and only the run's config can tell which it is.

    A text that is not a pair has no split: one known word alone, two in the wrong order, or a
    known pair with more text after it, as in the name of a copied run.

    >>> split_pair("vit_small_imagenet_imagenet", VOCABULARY)
    [('vit_small_imagenet', 'imagenet')]
    >>> split_pair("mobilenet_v2_cifar10", VOCABULARY)
    [('mobilenet_v2', 'cifar10'), ('mobilenet', 'v2_cifar10')]
    >>> split_pair("res18_cifar10_v2", VOCABULARY)
    []
    """
    if not values.is_word(text):
        return []
    archs, datasets = vocabulary.architectures, vocabulary.datasets
    known = known_pairs(text, vocabulary)
    if known:
        return known
    pairs = _pairs(text)
    # The longest known architecture decides: in vit_small_imagenet_food101, "imagenet" is its own
    # last word, and not a dataset that the shorter vit_small was trained on.
    longest = [pair for pair in pairs if pair[0] in archs][-1:]
    if text in archs or text in datasets:
        return []
    if any(_dataset_start(dataset, vocabulary) for _, dataset in longest):
        return []
    with_dataset = next((pair for pair in pairs if pair[1] in datasets), None)
    if with_dataset or longest:
        return [with_dataset, *longest] if with_dataset else longest
    swapped = any(first in datasets and second in archs for first, second in pairs)
    return [] if swapped else pairs


def known_pairs(text: str, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Every split of text into a known architecture and a known dataset."""
    archs, datasets = vocabulary.architectures, vocabulary.datasets
    return [pair for pair in _pairs(text) if pair[0] in archs and pair[1] in datasets]


def _pairs(text: str) -> list[tuple[str, str]]:
    """Every split of text at a `_`, with text on both sides."""
    pairs = []
    place = text.find("_", 1)
    while 0 < place < len(text) - 1:
        pairs.append((text[:place], text[place + 1 :]))
        place = text.find("_", place + 1)
    return pairs


def known_start(text: str, vocabulary: Vocabulary) -> int:
    """The length of the known architecture and dataset that more text follows; 0 without them.

    >>> known_start("res18_cifar10_v2", VOCABULARY), known_start("res18_cifar10", VOCABULARY)
    (13, 0)
    """
    archs = [arch for arch, _ in _pairs(text) if arch in vocabulary.architectures]
    if not archs:
        return 0
    start = len(archs[-1]) + 1
    end = _dataset_start(text[start:], vocabulary)
    return start + end if end else 0


def _dataset_start(text: str, vocabulary: Vocabulary) -> int:
    """The length of the known dataset that more text follows: `cifar10_v2`, `cifar10-old`.

    `cifar100_c` is a dataset of its own: variants of known ones are named so, by a single letter
    (CIFAR-100-C and ImageNet-C of github.com/hendrycks/robustness, ImageNet-A and -O, -R).
    """
    variant = _VARIANT.fullmatch(text)
    if variant is not None and variant[1] in vocabulary.datasets:
        return 0
    ends = [word.start() for word in re.finditer(r"[^A-Za-z0-9]", text)]
    return max((end for end in ends if text[:end] in vocabulary.datasets), default=0)
