"""Sentences that nearly repeat one another, as wire copy repeats its background paragraphs."""

import regex
from datasketch import MinHash, MinHashLSH

NEAR_DUPLICATE = 0.7
"""Jaccard similarity of two sentences' sets of words from which they count as the same."""
_PERMUTATIONS = 128
_BANDS = (32, 4)
"""Bands of the index and rows in each: of pairs at the threshold, MinHash lets 1 in 6,500 slip."""


class NearDuplicates:
    """Sentences, and which of them nearly repeat an earlier one (MinHash, Broder 1997)."""

    def __init__(self) -> None:
        # The index only proposes, and proposes too much; the exact similarity decides.
        self._index = MinHashLSH(num_perm=_PERMUTATIONS, params=_BANDS)
        self._kept: list[frozenset[str]] = []

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, sentence: str) -> list[int]:
        """Keep `sentence`; the numbers, from 0 and rising, of those kept before it that it nearly repeats."""
        words = frozenset(regex.findall(r"\w+", sentence.lower()))
        sketch = MinHash(num_perm=_PERMUTATIONS)
        sketch.update_batch([word.encode() for word in words])
        proposed = sorted(int(str(key)) for key in self._index.query(sketch))
        self._index.insert(str(len(self._kept)), sketch)
        self._kept.append(words)
        return [number for number in proposed if _similarity(words, self._kept[number]) >= NEAR_DUPLICATE]


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))
