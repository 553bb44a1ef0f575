"""What systems said, kept in files and joined."""

from dataclasses import replace

from systems import at_random, constant, perfect
from whosays.model.labels import DEFAULT_SCHEME, Head, Scheme
from whosays.training.evaluation.baselines import baseline_answers
from whosays.training.evaluation.evaluate import System, report_on
from whosays.training.evaluation.transcript import Transcript, join, read_transcript, write_transcript


def test_a_transcript_comes_back_as_it_went_and_its_parts_join(articles, tmp_path):
    def said(part):
        return Transcript(
            at_random(part), {"majority": constant(part), "rules": perfect(part)}, {"wrong_sides": at_random(part, 1)}
        )

    parts = [articles[:3], articles[3:]]
    for n, part in enumerate(parts):
        write_transcript(said(part), tmp_path / str(n), part, DEFAULT_SCHEME)
    read = [read_transcript(tmp_path / str(n), part, DEFAULT_SCHEME) for n, part in enumerate(parts)]
    assert read == [said(part) for part in parts]
    joined = join(read)
    assert joined.baselines == {"majority": constant(articles), "rules": perfect(articles)}
    assert joined.answers == said(parts[0]).answers + said(parts[1]).answers
    assert list(joined.probes) == ["wrong_sides"]


def test_a_head_that_a_baseline_does_not_answer_in_every_part_is_left_out_of_it(articles):
    parts = articles[:4], articles[4:]
    of_side = [[answer.only({"side"}) for answer in rows] for rows in perfect(parts[1])]
    joined = join(
        [
            Transcript(perfect(parts[0]), dict.fromkeys(("majority", "tfidf", "rules"), perfect(parts[0])), {}),
            Transcript(perfect(parts[1]), {"tfidf": of_side, "rules": perfect(parts[1])}, {}),
        ]
    )
    report = report_on(System("folds", DEFAULT_SCHEME), articles, joined, [])
    assert {name: list(heads) for name, heads in report.baselines.items()} == {
        "tfidf": ["side"], "rules": ["side", "stance"],
    }  # fmt: skip
    assert report.baselines["tfidf"]["side"]["accuracy"]["value"] == 1
    assert report.notes == ["majority and TF-IDF are left out for stance, for want of labels to learn from"]


def test_baselines_of_another_scheme_come_back_too(articles, tmp_path):
    scheme = Scheme((DEFAULT_SCHEME["side"], Head("stance", ("for", "against"))))
    items = [replace(item, labels=item.labels | {"stance": ("for", "against") * 2 + (None,)}) for item in articles]
    baselines = baseline_answers(items[:4], items, scheme)
    write_transcript(Transcript(baselines["majority"], baselines, {}), tmp_path, items, scheme)
    assert read_transcript(tmp_path, items, scheme).baselines["rules"] == baselines["rules"]
