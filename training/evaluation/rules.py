"""The cue-word baseline: who says it and with what stance, by fixed lists of verbs and phrases.

It learns nothing. What it gets right needs no network; what a model adds begins above it.
"""

from collections.abc import Iterator, Sequence

import regex

from ...model.labels import BOTH, DEFAULT_SCHEME, NONE, OTHER, Head, Scheme
from ...model.sides import Mention
from ..corpus import LabelledArticle
from .judged import Answer, Answers


def _cues(listed: str) -> "regex.Pattern[str]":
    """Any of the words and phrases in a list, whole, in either case; white space in them matches any."""
    phrases = (r"\s+".join(map(regex.escape, phrase.split())) for phrase in listed.split(","))
    return regex.compile(rf"(?i)\b(?:{'|'.join(phrases)})\b")


SPEECH = _cues(
    """say, says, said, saying, tell, tells, told, according to, announce, announces, announced, state,
    states, stated, stating, add, adds, added, claim, claims, claimed, claiming, report, reports, reported,
    reportedly, deny, denies, denied, denying, reject, rejects, rejected, rejecting, accuse, accuses, accused,
    accusing, condemn, condemns, condemned, condemning, blame, blames, blamed, blaming, warn, warns, warned,
    warning, call for, calls for, called for, calling for, called on, calls on, urge, urges, urged, urging,
    demand, demands, demanded, demanding, insist, insists, insisted, argue, argues, argued, believe, believes,
    believed, describe, describes, described, confirm, confirms, confirmed, declare, declares, declared,
    expressed, noted, quoted, spokesman, spokeswoman, spokesperson, statement"""
)
JOINT = _cues("both sides, both parties, both countries, each other, the two sides, the two parties, the two countries")
CONTINUING = _cues(
    """he said, she said, they said, it said, he says, she says, they say, he added, she added, they added, it
    added, he also said, she also said, he told, she told, the ministry said, the ministry added, the
    statement said, the statement added, the official said"""
)
STANCES = {
    "deny": _cues(
        """deny, denies, denied, denying, reject, rejects, rejected, rejecting, refute, refutes, refuted,
        dismiss, dismisses, dismissed, no truth"""
    ),
    "accuse": _cues(
        """accuse, accuses, accused, accusing, blame, blames, blamed, blaming, condemn, condemns, condemned,
        condemning, denounce, denounces, denounced, violate, violated, violating, violation, violations, holds
        responsible, massacre, massacres, aggression"""
    ),
    "hedge": _cues(
        """alleged, allegedly, reportedly, apparently, unclear, may have, might have, could not be verified,
        could not be confirmed, could not be independently verified, suspected, possibly, unconfirmed"""
    ),
    "neutral": _cues(
        """call for, calls for, called for, calling for, called on, calls on, calling on, urge, urges, urged,
        urging, demand, demands, demanded, demanding, hope, hopes, hoped, will, should, promise, promises,
        promised, offer, offers, offered"""
    ),
}
"""Stance → its cues, asked in this order; a sentence with none of them affirms."""


def rule_answers(articles: Sequence[LabelledArticle], scheme: Scheme) -> Answers:
    """Labels, without scores, for those heads of `scheme` that are as in the default one; the rules know no others."""
    heads = [head.name for head in scheme.heads if any(_alike(head, own) for own in DEFAULT_SCHEME.heads)]
    return [[Answer({name: row[name] for name in heads}, {}, {}) for row in _labels(item)] for item in articles]


def _alike(head: Head, other: Head) -> bool:
    return (head.name, set(head.labels), head.points) == (other.name, set(other.labels), other.points)


def _labels(item: LabelledArticle) -> Iterator[dict[str, str]]:
    for sentence, voice in zip(item.article.sentences, _voices(item), strict=True):
        yield {"side": voice, "stance": _stance(sentence.text)}


def _voices(item: LabelledArticle) -> Iterator[str]:
    """A speech cue gives the sentence to the side named last before it, or else to the first one after it.

    With no side named it is `other`'s. "He said" and the like keep the voice of the sentence before; words
    for the two sides together mean `both`.
    """
    last = NONE
    for sentence in item.article.sentences:
        cue = SPEECH.search(sentence.text)
        mentions = item.conflict.find_mentions(sentence.text)
        if cue is None:
            last = NONE
        elif JOINT.search(sentence.text):
            last = BOTH
        elif mentions:
            last = _nearest(mentions, cue.start())
        elif last == NONE or not CONTINUING.search(sentence.text):
            last = OTHER
        yield last


def _nearest(mentions: tuple[Mention, ...], at: int) -> str:
    before = [mention for mention in mentions if mention.end <= at]
    return (before[-1] if before else mentions[0]).side


def _stance(text: str) -> str:
    if text.rstrip().endswith("?"):
        return "neutral"
    return next((stance for stance, cues in STANCES.items() if cues.search(text)), "affirm")
