"""Systems without a model, for tests of reports: perfect, constant and random."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.corpus import LabelledArticle
from whosays.training.evaluation.judged import Answer, Answers


def answers(articles: Sequence[LabelledArticle], choose: Callable[[str, str, Sequence[str]], str]) -> Answers:
    """An answer a sentence: `choose(head, gold, classes)` with 0.9 of the probability."""
    return [[_answer(item, n, choose) for n in range(len(item.article.sentences))] for item in articles]


def _answer(item: LabelledArticle, n: int, choose: Callable[[str, str, Sequence[str]], str]) -> Answer:
    labels, chances = {}, {}
    for head in DEFAULT_SCHEME.heads:
        classes = head.classes(item.conflict.keys)
        labels[head.name] = label = choose(head.name, str(item.labels[head.name][n]), classes)
        rest = 0.1 / (len(classes) - 1)
        chances[head.name] = {name: 0.9 if name == label else rest for name in classes}
    return Answer(labels, dict.fromkeys(labels, 0.9), chances)


def perfect(articles: Sequence[LabelledArticle]) -> Answers:
    """Always right."""
    return answers(articles, lambda head, gold, classes: gold)


def constant(articles: Sequence[LabelledArticle]) -> Answers:
    """Always the first label."""
    return answers(articles, lambda head, gold, classes: classes[0])


def at_random(articles: Sequence[LabelledArticle], seed: int = 0) -> Answers:
    """Any class, all alike."""
    generator = random.Random(seed)
    return answers(articles, lambda head, gold, classes: generator.choice(classes))


def relabelled(
    articles: Sequence[LabelledArticle],
    head: str,
    change: Callable[[int, int, str], str | None],
    of: Answers | None = None,
) -> Answers:
    """The perfect answers, or those in `of`, with each label of `head` put through `change(article, sentence, label)`,
    articles and sentences counted from 0."""
    return [
        [
            replace(answer, labels={**answer.labels, head: change(a, n, str(answer.labels[head]))})
            for n, answer in enumerate(rows)
        ]
        for a, rows in enumerate(of or perfect(articles))
    ]
