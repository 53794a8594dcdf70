"""The profile step in routes.yaml: what becomes of its keys, and what is said of those that cannot work."""

import pytest

from receiver.core.errors import ConfigError
from receiver.core.routes import Config
from receiver.core.routes_file import parse
from receiver.core.steps.profile import ProfileSpec

FILE = """
connections:
  crm: {{profile_token_env: TOKEN, space_id: s}}
  web: {{write_key_env: TOKEN}}
routes:
  r:
    steps:
      - profile: {{{step}}}
"""
GOOD = "connection: crm, get: traits, id: 'user_id:{{ userId }}'"


def parsed(step: str) -> Config:
    return parse(FILE.format(step=step), file="f", environ={"TOKEN": "x"})


def problems_of(step: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parsed(step)
    return [str(problem) for problem in caught.value.problems]


def test_all_keys() -> None:
    step = (
        "connection: crm, get: events, id: 'group_id:{{ groupId }}', collection: accounts, "
        "include: [A, '{{ event }}'], exclude: 'B,C', sort: asc, start: '{{ timestamp }}', end: 2026-05-02, "
        "limit: 5, max_items: 50, next: '{{ properties.next }}', missing: fail, cache: 1m"
    )
    (config,) = parsed(step).routes["r"].steps
    assert config.name == "profile"
    assert config.spec == ProfileSpec(
        connection="crm",
        get="events",
        id="group_id:{{ groupId }}",
        collection="accounts",
        values={
            "include": ["A", "{{ event }}"],
            "exclude": "B,C",
            "sort": "asc",
            "start": "{{ timestamp }}",
            "end": "2026-05-02",
            "limit": 5,
            "max_items": 50,
            "next": "{{ properties.next }}",
        },
        missing="fail",
        cache_s=60.0,
    )


def test_what_is_left_out() -> None:
    (config,) = parsed(GOOD).routes["r"].steps
    assert config.spec == ProfileSpec(connection="crm", get="traits", id="user_id:{{ userId }}", values={})


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (GOOD.replace("crm", "cm"), "f:8: routes.r.steps[0].profile.connection: no connection is called cm"),
        (
            GOOD.replace("crm", "web"),
            "profile.connection: this step needs profile_token_env on connection web",
        ),
        ("connection: crm, get: traits", "profile.id: is required"),
        (GOOD.replace("traits", "trait"), "profile.get: must be traits, properties,"),
        ("connection: crm, get: traits, id: 42", "profile.id: must be text, not a number (42)"),
        ("connection: crm, get: traits, id: '42'", "profile.id: write <type>:<value>, such as user_id:42"),
        (GOOD + ", collection: groups", "profile.collection: must be users or accounts"),
        (GOOD + ", class: traits", "profile.class: must be audience or computed_trait"),
        (GOOD + ", verbose: 'yes'", "profile.verbose: must be true or false"),
        (GOOD + ", missing: ignore", "profile.missing: must be empty or fail"),
        (GOOD + ", limit: 201", "profile.limit: must be a whole number from 1 to 200"),
        (GOOD + ", limit: '{{ n }}'", "profile.limit: must be a whole number, not text"),
        (GOOD + ", max_items: 10001", "profile.max_items: must be a whole number from 1 to 10,000"),
        (GOOD + ", include: []", "profile.include: must not be empty"),
        (GOOD + ", include: ['a,b']", "profile.include: holds a name with a comma"),
        (
            GOOD + ", sort: asc",
            "profile.sort: is no parameter of traits; known: include, class, ",
        ),
        (GOOD + ", start: '{{ now }}'", "profile.start: is no parameter of traits"),
        (GOOD.replace("traits", "events") + ", start: lately", "profile.start: must be ISO 8601"),
        (GOOD.replace("traits", "events") + ", end: '{{ a b }}'", "profile.end: expected token"),
        (GOOD + ", cache: 30", "profile.cache: a duration has a unit; write 30s for seconds"),
        (GOOD + ", cached: 30s", "profile.cached: unknown key; did you mean cache?"),
    ],
)
def test_a_mistake_is_named_once(step: str, problem: str) -> None:
    (found,) = problems_of(step)
    assert problem in found


def test_an_id_that_may_be_of_any_type_is_warned_about() -> None:
    warning = parsed("connection: crm, get: traits, id: '{{ userId }}'").warnings[0]
    assert "has no type before the template, such as user_id:{{ userId }}" in str(warning)
