"""What the benchmarks send is reproducible, distinct and of the size the targets were set for."""

import json
from statistics import mean

from benchmarks.messages import many
from benchmarks.training import company
from benchmarks.vocabulary import EVALUATION


def test_a_seed_always_gives_the_same_messages() -> None:
    assert many(50, seed=5) == many(50, seed=5)


def test_ids_are_distinct_also_between_seeds() -> None:
    ids = {json.loads(body)["messageId"] for seed in (1, 2) for body in many(500, seed)}
    assert len(ids) == 1000


def test_all_types_occur_at_about_1086_bytes() -> None:
    bodies = many(3000)
    assert 1060 < mean(map(len, bodies)) < 1120
    types = {json.loads(body)["type"] for body in bodies}
    assert types == {"identify", "track", "page", "screen", "group", "alias", "delete"}


def test_the_dictionary_never_saw_the_words_it_is_measured_on() -> None:
    for seed in range(1000, 1300):
        trained = company(seed)
        for name in ("projects", "domains", "products", "brands", "companies", "pages", "audiences"):
            assert not set(getattr(trained, name)) & set(getattr(EVALUATION, name)), name
