"""Every mistake in routes.yaml is named with file, line, key and what was probably meant, all in one run."""
# ruff: noqa: E501 - one case a line reads best

import pytest

from receiver.core.errors import ConfigError
from receiver.core.queue import RESERVED_NAMES
from receiver.core.routes_check import RESERVED_QUEUES
from receiver.core.routes_file import parse

GOOD = """
sources:
  shop: {verify: {scheme: segment, secret_env: SECRET}}
connections:
  crm: {write_key_env: KEY}
routes:
  r:
    steps: [{handler: "a:b"}]
"""


ENVIRON = {
    "SECRET": "x",
    "KEY": "x",
    "EMPTY": "",
    "WEBHOOK": "whsec_QUJD",
    "BYTES": "\udcff",
    "SPACED": "a b",
    "ODD": "a\nb",
}


def problems_of(text: str) -> list[str]:
    try:
        parse(text, file="f", environ=ENVIRON)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def source(inner: str) -> str:
    return f"sources:\n  shop:\n    {inner}\nroutes: {{r: {{steps: [{{handler: 'a:b'}}]}}}}\n"


def connection(inner: str) -> str:
    return f"sources: {{s: {{verify: {{scheme: none}}}}}}\nconnections:\n  c:\n    {inner}\n"


def route(inner: str) -> str:
    return GOOD.replace('    steps: [{handler: "a:b"}]\n', f"    {inner}\n    steps: [{{handler: 'a:b'}}]\n")


def step(inner: str) -> str:
    return GOOD.replace('    steps: [{handler: "a:b"}]\n', f"    steps:\n      - {inner}\n")


VERIFY = "verify: {scheme: segment, secret_env: SECRET}"

CASES = [
    (source("verify: {scheme: segment, secret_env: NOPE}"), "f:3: sources.shop.verify.secret_env: the environment variable NOPE is not set"),
    (source("verify: {scheme: segment, secret_env: EMPTY}"), "the environment variable EMPTY is not set"),
    (source("verify: {scheme: segment, secret_env: [SECRET, NOPE]}"), "sources.shop.verify.secret_env[1]: the environment variable NOPE"),
    (source("verify: {scheme: segment, secret_env: []}"), "sources.shop.verify.secret_env: must not be empty"),
    (source("verify: {scheme: segment}"), "f:3: sources.shop.verify.secret_env: is required by scheme segment"),
    (source("verify: {scheme: none, secret_env: SECRET}"), "f:3: sources.shop.verify.secret_env: scheme none has no such key"),
    (source("verify: {scheme: segmnt, secret_env: SECRET}"), "f:3: sources.shop.verify.scheme: must be segment, header, basic, bearer, hmac, standard-webhooks or none, not segmnt; did you mean segment?"),
    (source("verify: {secret_env: SECRET}"), "sources.shop.verify.scheme: is required: segment, header,"),
    (source("verify: {shceme: segment, secret_env: SECRET}"), "sources.shop.verify.scheme: is required: segment, header, basic, bearer, hmac, standard-webhooks or none; did you mean it by shceme?"),
    (source("verify: {scheme: [segment]}"), "sources.shop.verify.scheme: must be segment, header,"),
    (source("verify: {scheme: segment, secret_env: SECRET, batch: all}"), "sources.shop.verify.batch: must be first or whole, not all"),
    (source("verify: {scheme: segment, secret_evn: SECRET}"), "sources.shop.verify.secret_evn: scheme segment has no such key; did you mean secret_env?"),
    (source("verify: segment"), "sources.shop.verify: must be a list or a mapping, not text"),
    (source("verify: []"), "sources.shop.verify: must not be empty"),
    (source("verify: [segment]"), "f:3: sources.shop.verify[0]: must be a mapping, not text"),
    (source("verify: [{scheme: segment}]"), "sources.shop.verify[0].secret_env: is required by scheme segment"),
    (source("verify: [{scheme: header, secret_env: SECRET, nam: X}]"), "sources.shop.verify[0].nam: scheme header has no such key; did you mean name?"),
    (source("verify:\n      - {scheme: segment, secret_env: SECRET}\n      - {scheme: bearer, secret_env: NOPE}"), "f:5: sources.shop.verify[1].secret_env: the environment variable NOPE is not set"),
    (source("verify: [{scheme: segment, secret_env: SECRET}, {scheme: none}]"), "sources.shop.verify[1]: scheme none adds nothing to others; remove it"),
    (source("verify: [{scheme: basic, username_env: SECRET}, {scheme: bearer, secret_env: SECRET}]"), "sources.shop.verify: a request has one Authorization"),
    (source("verify: {scheme: header, name: 'X Token', secret_env: SECRET}"), "the name of a header is made of"),
    (source("verify: {scheme: basic, username_env: SECRET, password_env: NOPE}"), "sources.shop.verify.password_env: the environment variable NOPE is not set"),
    (source("verify: {scheme: basic, secret_env: SECRET, username_env: SECRET}"), "scheme basic has no such key"),
    (source("verify: {scheme: hmac, header: X, secret_env: SECRET, algorithm: md5}"), "sources.shop.verify.algorithm: must be sha1, sha256 or sha512, not md5"),
    (source("verify: {scheme: hmac, header: X, secret_env: SECRET, prefix: 'a b'}"), "what stands in a header is made of ASCII characters"),
    (source("verify: {scheme: hmac, header: X, secret_env: SECRET, signed: '{timestamp}.{body}'}"), "sources.shop.verify.signed: needs timestamp_header"),
    (source("verify: {scheme: hmac, header: X, secret_env: SECRET, tolerance: 5m}"), "sources.shop.verify.tolerance: needs timestamp_header"),
    (source("verify: {scheme: hmac, header: X, secret_env: SECRET, timestamp_header: T, tolerance: 5}"), "sources.shop.verify.tolerance: a duration has a unit; write 5s for seconds"),
    (source("verify: {scheme: standard-webhooks, secret_env: [KEY, WEBHOOK]}"), "sources.shop.verify.secret_env[0]: the value of KEY is no secret of Standard Webhooks"),
    (source("verify: {scheme: segment, secret_env: BYTES}"), "the environment variable BYTES holds bytes that are not UTF-8"),
    (source("verify: {scheme: segment, secret_env: my-secret!}"), "write the name of an environment variable, never the secret itself"),
    (source("enabled: true"), "f:2: sources.shop.verify: is required"),
    (source("paths: {shop: all}"), "f:3: sources.shop.paths: is for webhooks, which need verify beside it"),
    (source("write_key_env: KEY\n    max_age: 5h"), "f:4: sources.shop.max_age: is for webhooks, which need verify beside it"),
    (source("on_delete: purge"), "f:3: sources.shop.on_delete: is for webhooks, which need verify beside it"),
    (source("verify: {scheme: none}\n    on_delete: purge"), "f:4: sources.shop.on_delete: purge needs another scheme than none"),
    (source(f"{VERIFY}\n    on_delete: delete"), "sources.shop.on_delete: must be keep or purge, not delete"),
    (source("max_age: 5h"), "f:3: sources.shop.max_age: is for webhooks, which need verify beside it"),
    (source(f"{VERIFY}\n    max_age: 5"), "sources.shop.max_age: a duration has a unit; write 5s for seconds"),
    (source(f"{VERIFY}\n    max_age: 0s"), "sources.shop.max_age: 0s leaves no time at all"),
    (source(f"{VERIFY}\n    max_age: 31d"), "sources.shop.max_age: 31d is too long; the most is 30d"),
    (source("write_key_env: NOPE"), "f:3: sources.shop.write_key_env: the environment variable NOPE is not set"),
    (source("write_key_env: [KEY, EMPTY]"), "sources.shop.write_key_env[1]: the environment variable EMPTY is not set"),
    (source("write_key_env:"), "sources.shop.write_key_env: has no value; give it one, or remove the key"),
    (source("write_key_env: KEY\n  web: {write_key_env: [KEY]}"), "f:4: sources.web.write_key_env: KEY holds the write key of the source shop already"),
    (source("verfy: {scheme: none}"), "f:3: sources.shop.verfy: unknown key; did you mean verify?"),
    (source(f"{VERIFY}\n    enabled: 'yes'"), "f:4: sources.shop.enabled: must be true or false, not text"),
    (source(f"{VERIFY}\n    paths: {{/shop: all}}"), "a path is made of letters"),
    (source(f"{VERIFY}\n    paths: {{a//b: all}}"), "a path is made of letters"),
    (source(f"{VERIFY}\n    paths: {{shop: al}}"), "sources.shop.paths.shop: must be all, not al; did you mean all?"),
    (source(f"{VERIFY}\n    paths: {{shop: [rr]}}"), "f:4: sources.shop.paths.shop[0]: no route is called rr; did you mean r?"),
    (source(f"{VERIFY}\n    paths: {{}}"), "sources.shop.paths: must not be empty"),
    (source(f"{VERIFY}\n    paths:"), "sources.shop.paths: has no value; give it one, or remove the key"),
    (source(f"{VERIFY}\n  web: {{{VERIFY}, paths: {{shop: all}}}}"), "f:4: sources.web.paths.shop: the path shop belongs to the source shop already"),
    (source(f"{VERIFY}\n  a b: {{{VERIFY}}}"), "sources.a b: a name is made of letters"),
    ("sources: [shop]\n", "f:1: sources: must be a mapping, not a list"),
    ("sources:\n  shop: segment\n", "f:2: sources.shop: must be a mapping, not text"),
    (connection("write_key_env: NOPE"), "f:4: connections.c.write_key_env: the environment variable NOPE is not set"),
    (connection("region: eu"), "f:3: connections.c: has no credential; give it one or more of write_key_env, profile_token_env, public_api_token_env"),
    (connection("{write_key_env: KEY, region: uk}"), "connections.c.region: must be us or eu, not uk"),
    (connection("{write_key_env: KEY, region: {trackin: 'http://h'}}"), "connections.c.region.trackin: unknown key; did you mean tracking?"),
    (connection("{write_key_env: KEY, region: {tracking: h}}"), "write a URL such as"),
    (connection("{write_key_env: KEY, region: {profile: 'http://h'}}"), "f:4: connections.c.region: needs tracking: write_key_env has to be sent somewhere"),
    (connection("{profile_token_env: KEY, space_id: s, region: {tracking: 'http://h'}}"), "connections.c.region: needs profile: profile_token_env has to be sent somewhere"),
    (connection("{public_api_token_env: NOPE}"), "connections.c.public_api_token_env: the environment variable NOPE is not set"),
    (connection("{public_api_token_env: SPACED}"), "connections.c.public_api_token_env: the value of SPACED cannot stand in a header"),
    (connection("{profile_token_env: KEY}"), "f:4: connections.c.profile_token_env: needs space_id beside it"),
    (connection("{write_key_env: KEY, space_id: s}"), "f:4: connections.c.space_id: is for the Profile API, which needs profile_token_env"),
    (connection("{profile_token_env: KEY, space_id: a/b}"), "connections.c.space_id: the id of a space is made of letters"),
    (connection("{write_key_env: KEY, profile_token: KEY}"), "connections.c.profile_token: unknown key; did you mean profile_token_env?"),
    (route("sources: [shp]"), "f:8: routes.r.sources[0]: no source is called shp; did you mean shop?"),
    (route("sources: []"), "routes.r.sources: must not be empty"),
    (route("types: track"), "f:8: routes.r.types: must be a list, not text: write [track]"),
    (route("types: [1]"), "routes.r.types[0]: must be text, not a number (1): quote it"),
    (route("events: ['a[']"), "routes.r.events[0]: the set that begins at character 2"),
    (route("events: [a]\n    types: [page]"), "routes.r.events: only track messages have an event; add track to types"),
    (route("events:"), "routes.r.events: has no value"),
    (route("channels: [servr]"), "routes.r.channels[0]: must be server, browser, mobile, client or unknown, not servr; did you mean server?"),
    (step("{handler: 'a:b', when: 'type = '}"), "f:9: routes.r.steps[0].when: "),
    (step("{handler: 'a:b', when: 'steps.who.x = 1'}"), "f:9: routes.r.steps[0].when: no earlier step of this route is called who"),
    (step("{handler: 'a:b', when: 'steps.handler.x = 1'}"), "step handler has no output yet: it is this step itself, or a later one"),
    (step("{handler: 'a:b', when: 1}"), "routes.r.steps[0].when: must be text, not a number (1): quote it"),
    (step("{handler: 'a:b', retry: [5]}"), "routes.r.steps[0].retry[0]: a duration has a unit; write 5s for seconds"),
    (step("{handler: 'a:b', on_error: ignore}"), "routes.r.steps[0].on_error: must be stop or continue, not ignore"),
    (step("{transform: {drop: true}}"), "routes.r.steps[0].transform: must be a list, not a mapping"),
    (step("{transform: []}"), "routes.r.steps[0].transform: must not be empty"),
    (step("{transform: [{drp: true}]}"), "routes.r.steps[0].transform[0].drp: unknown key; did you mean drop?"),
    (step("{transform: [{if: 'type = \"page\"'}]}"), "f:9: routes.r.steps[0].transform[0]: says nothing to do; it needs one of sample,"),
    (step("{transform: [{drop: true, sample: {percent: 0.1}}]}"), "routes.r.steps[0].transform[0]: make an action of its own for each of sample, drop"),
    (step("{transform: [{drop: false}]}"), "routes.r.steps[0].transform[0].drop: must be true, not false"),
    (step("{transform: [{sample: {percent: 10}}]}"), "routes.r.steps[0].transform[0].sample.percent: must be at most 1"),
    (step("{transform: [{sample: {percent: -1}}]}"), "transform[0].sample.percent: must be at least 0"),
    (step("{transform: [{sample: {percent: '10'}}]}"), "transform[0].sample.percent: must be a number, not text"),
    (step("{transform: [{sample: {path: userId}}]}"), "routes.r.steps[0].transform[0].sample.percent: is required"),
    (step("{transform: [{sample: {percent: 1, fields: {}}}]}"), "transform[0].sample.fields: unknown key; there are percent, path"),
    (step("{transform: [{block: {}}]}"), "routes.r.steps[0].transform[0].block: must not be empty"),
    (step("{transform: [{block: {context: ip}}]}"), "transform[0].block.context: must be a list, not text: write [ip]"),
    (step("{transform: [{rename: {a: b..c}}]}"), "transform[0].rename.a: a path is names with dots between"),
    (step("{transform: [{set: {a: '{{ userId'}}]}"), "routes.r.steps[0].transform[0].set.a: "),
    (step("{http: {url: 'https://h'}, as: look-up}\n      - {http: {url: 'https://h', json: '{{ steps.look-up.x }}'}, when: 'steps.look-up != null'}"), "f:10: routes.r.steps[1].http.json: no earlier step of this route is called look; did you mean look-up? `-` is minus in a template: write steps['look-up']"),
    (step("{transform: [{set: {a: '{{ steps.who.x }}'}}]}"), "no earlier step of this route is called who"),
    (step("{transform: [{drop: true, if: 'type ='}]}"), "f:9: routes.r.steps[0].transform[0].if: "),
    (step("{http: {url: 'https://h', json: 1, form: {a: b}}}"), "f:9: routes.r.steps[0].http: a request has one body; keep one of json, form"),
    (step("{http: {url: 'https://h', form: {a: '{{ x.'}}}"), "routes.r.steps[0].http.form.a: "),
    (step("{http: {url: 'https://h', auth: {basic: {user: u, password_env: NOPE}}}}"), "http.auth.basic.password_env: the environment variable NOPE is not set"),
    (step("{http: {url: 'https://h', auth: {bearer: {token_env: ODD}}}}"), "http.auth.bearer.token_env: the value of ODD cannot stand in a header"),
    (step("{http: {url: 'https://h', auth: {basic: {user: 'a:b', password_env: KEY}}}}"), "http.auth.basic.user: a user name cannot hold `:`"),
    (step("{http: {url: 'https://h', auth: {basic: {user: '{{ userId }}', password_env: KEY}}}}"), "http.auth.basic.user: is no template"),
    (step("{http: {url: 'https://h', auth: {header: {name: Te, value_env: KEY}}}}"), "http.auth.header.name: the client itself sets this header"),
    (step("{http: {url: 'https://h', headers: {Content-Length: '5'}}}"), "http.headers.Content-Length: the client itself sets this header; remove it"),
    (step("{segment: {connection: crm, call: api, path: /v1/x, headers: {Transfer-Encoding: chunked}}}"), "segment.headers.Transfer-Encoding: the client itself sets"),
    (step("{http: {url: 'https://h', auth: {}}}"), "http.auth: needs one of basic, bearer, header"),
    (step("{http: {url: 'https://h', auth: {bearer: {token_env: KEY}, header: {name: X, value_env: KEY}}}}"), "http.auth: keep one of bearer, header"),
    (step("{http: {url: 'https://h', auth: {bearer: {token_env: KEY}}, headers: {authorization: x}}}"), "http.headers.authorization: auth sets this header; remove it"),
    (step("{http: {url: 'https://h', sign: {scheme: standard-webhooks, secret_env: [WEBHOOK, KEY]}}}"), "http.sign.secret_env[1]: the value of KEY is no secret of Standard Webhooks"),
    (step("{http: {url: 'https://h', sign: {scheme: standard-webhooks, secret_env: WEBHOOK}, headers: {Webhook-Id: x}}}"), "http.headers.Webhook-Id: sign sets this header; remove it"),
    (step("{http: {url: 'https://h', sign: {scheme: hmac, secret_env: WEBHOOK}}}"), "http.sign.scheme: must be standard-webhooks, not hmac"),
    (step("{http: {url: 'https://h', expect: [200, 3x]}}"), "http.expect[1]: 3x is no status; write 204, 2xx or 200-299"),
    (step("{http: {url: 'https://h', expect: [299-200]}}"), "299-200 is no status"),
    (step("{http: {url: 'https://h', expect: 200}}"), "http.expect: must be a list"),
    (step("{http: {url: 'https://h', output: xml}}"), "http.output: must be auto, json, text or none, not xml"),
    (step("handler: 'a:b'\n      - {http: {url: 'https://h/{{ steps.last.x }}'}}\n      - {handler: 'a:c', as: last}"), "f:10: routes.r.steps[1].http.url: step last has no output yet"),
    (step("{rq: {queue: q, function: send}}"), "routes.r.steps[0].rq.function: write module.function, such as myapp.jobs.send"),
    (step("{rq: {queue: 'a b', function: a.b}}"), "rq.queue: the name of an RQ queue is made of ASCII characters"),
    (step("{rq: {queue: hookyard-default, function: a.b}}"), "rq.queue: queues that begin with hookyard- are Hookyard's"),
    (step("{rq: {queue: q, function: a.b, redis_url_env: NOPE}}"), "rq.redis_url_env: the environment variable NOPE is not set"),
    (step("{rq: {queue: q, function: a.b, redis_url_env: KEY}}"), "rq.redis_url_env: the value of KEY is no URL of a Redis, such as redis://host:6379/0"),
    (step("{rq: {queue: q, function: a.b, args: ['{{ x. }}']}}"), "routes.r.steps[0].rq.args[0]: "),
    (step("{rq: {queue: q, function: a.b, kwargs: {x: '{{ steps.y.z }}'}}}"), "no earlier step of this route is called y"),
    (step("{rq: {queue: q, function: a.b, result_ttl: 0s}}"), "rq.result_ttl: 0s leaves no time at all"),
    (route("retry: slow"), "routes.r.retry: must be standard or segment, not slow"),
    (route("retry: [5]"), "routes.r.retry[0]: a duration has a unit; write 5s for seconds"),
    (route("retry: [5x]"), "routes.r.retry[0]: '5x' is not a duration"),
    (route("retry: [31d]"), "31d is too long; the most is 30d"),
    (route(f"retry: [{', '.join(['1s'] * 51)}]"), "must not have more than 50 entries"),
    (route("concurrency: 0"), "routes.r.concurrency: must be at least 1"),
    (route("concurrency: 10001"), "routes.r.concurrency: must be at most 10000"),
    (route("concurrency: true"), "routes.r.concurrency: must be a whole number, not true or false"),
    (route("queue: a/b"), "routes.r.queue: a name is made of letters"),
    (route("queue: replay"), "replay is the queue of replays; take another name"),
    (route("queue: quarantine"), "quarantine is the queue of deliveries that crashed a worker"),
    (route("where: 1"), "routes.r.where: must be text, not a number (1): quote it"),
    (route("where: a == 1"), "f:8: routes.r.where: FQL writes = for == (at character 3)"),
    (route("rate_limit: 100"), "routes.r.rate_limit: must be text, not a number"),
    (route("rate_limit: fast"), "'fast' is not a rate; write for example 500/s or 600/m"),
    (route("order_by: userid"), "no message has 'userid'; write userId"),
    (route("order_by: properties..id"), "a path is names with dots between"),
    (GOOD.replace('    steps: [{handler: "a:b"}]\n', "    {}\n").replace("    {}\n", "    queue: q\n"), "routes.r.steps: is required"),
    (GOOD.replace('[{handler: "a:b"}]', "[]"), "routes.r.steps: must not be empty"),
    (GOOD.replace('[{handler: "a:b"}]', "[handler]"), "routes.r.steps[0]: must be a mapping, not text"),
    (step("handler: orders"), "f:9: routes.r.steps[0].handler: write module:function, such as workflows.orders:thank"),
    (step("handlr: a:b"), "routes.r.steps[0].handlr: unknown key; did you mean handler?"),
    (step("timeout: 3s"), "routes.r.steps[0]: says nothing to do; it needs one of handler, http, profile, rq, segment, transform"),
    (step("{handler: 'a:b', http: {url: 'https://h'}}"), "a step does one thing: make a step of its own for each of handler, http"),
    (step("{handler: 'a:b', timeout: 20}"), "routes.r.steps[0].timeout: a duration has a unit; write 20s for seconds"),
    (step("{handler: 'a:b', timeout: 0s}"), "0s leaves no time at all"),
    (step("{handler: 'a:b', timeout: 2h}"), "2h is too long; the most is 1h"),
    (step("{handler: 'a:b', as: a.b}"), "routes.r.steps[0].as: a name is made of letters"),
    (step("handler: 'a:b'\n      - handler: 'a:c'"), "f:10: routes.r.steps[1]: another step of this route is called handler already; give this one a name with `as`"),
    (step("{handler: 'a:b', as: x}\n      - {handler: 'a:c', as: x}"), "routes.r.steps[1].as: another step of this route is called x already"),
    (step("http: {}"), "routes.r.steps[0].http.url: is required"),
    (step("http: {url: 'https://h', timeout: 3s}"), "http.timeout: unknown key; it belongs beside `http`"),
    (step("http: {url: 'https://h', method: HEAD}"), "must be GET, POST, PUT, PATCH or DELETE, not HEAD"),
    (step("http: {url: '{{ userId }}'}"), "f:9: routes.r.steps[0].http.url: a URL begins with http:// or https://"),
    (step("http: {url: 'https://h', headers: {'a b': x}}"), "the name of a header is made of"),
    (step("http: {url: 'https://h', headers: {a: 5}}"), "http.headers.a: must be text, not a number (5): quote it"),
    (step("http: {url: 'https://h', headers: {a: '{{ b'}}"), "http.headers.a: unexpected end of template"),
    (step("http:\n          url: https://h\n          json:\n            a: [x, '{{ b | c }}']"), "f:12: routes.r.steps[0].http.json.a[1]: no filter is called c"),
    (step("http: {url: 'https://h', json: '{{ steps.x.y }}'}"), "no earlier step of this route is called x"),
    (step("{handler: 'a:b', as: who}\n      - http: {url: 'https://h', json: '{{ steps.wo.y }}'}"), "no earlier step of this route is called wo; did you mean who?"),
    (step("http: {url: 'https://h', json: '{{ steps.http.y }}'}"), "step http has no output yet: it is this step itself, or a later one"),
    (step("segment: {connection: reading, call: identify, userId: x}").replace("routes:", "  reading: {profile_token_env: KEY, space_id: s}\nroutes:"), "f:10: routes.r.steps[0].segment.connection: this step needs write_key_env on connection reading"),
    (step("segment: {connection: cm, call: identify, userId: x}"), "segment.connection: no connection is called cm; did you mean crm?"),
    (step("segment: {connection: crm, call: pge, userId: x}"), "segment.call: must be identify, track, page, screen, group, alias, batch or api, not pge; did you mean page?"),
    (step("segment: {connection: crm, userId: x}"), "segment.call: is required: identify, track, page,"),
    (step("segment: {connection: crm, call: track, userId: x}"), "f:9: routes.r.steps[0].segment.event: is required by call track"),
    (step("segment: {connection: crm, call: track, userId: x, event: }"), "segment.event: has no value"),
    (step("segment: {connection: crm, call: track, userId: x, event: ' '}"), "segment.event: expected a name, got ' '"),
    (step("segment: {connection: crm, call: group, userId: x}"), "segment.groupId: is required by call group"),
    (step("segment: {connection: crm, call: alias, userId: x}"), "segment.previousId: is required by call alias"),
    (step("segment: {connection: crm, call: identify, anonymousId: {generate: false}}"), "segment.anonymousId.generate: must be true, not false"),
    (step("segment: {connection: crm, call: identify, anonymousId: [a]}"), "segment.anonymousId: must be text or a mapping, not a list"),
    (step("segment: {connection: crm, call: identify, userId: x, age: old}"), "segment.age: expected a number such as 19.99, got 'old'"),
    (step("segment: {connection: crm, call: identify, userId: x, birthday: '1st of May'}"), "segment.birthday: expected a date in ISO 8601"),
    (step("segment: {connection: crm, call: identify, userId: x, company: {employee_count: many, plan: '{{ x }}'}}"), "f:9: routes.r.steps[0].segment.company.employee_count: expected a number"),
    (step("segment: {connection: crm, call: identify, userId: x, traits: {address: {city: [x]}}}"), "segment.traits.address.city: expected text, got a list"),
    (step("segment: {connection: crm, call: track, userId: x, event: y, revenue: 5, currency: XYZ}"), "segment.currency: expected a currency of ISO 4217 such as EUR, got 'XYZ'"),
    (step("segment: {connection: crm, call: track, userId: x, event: y, timestamp: yesterday}"), "segment.timestamp: expected ISO 8601"),
    (step("segment: {connection: crm, call: track, userId: x, event: y, integrations: {All: 'false'}}"), "segment.integrations: expected an object of booleans and objects"),
    (step("segment: {connection: crm, call: track, userId: x, event: y, custom: {revenue: 5}}"), "segment.custom.revenue: revenue is a reserved name; move it out of custom"),
    (step("segment: {connection: crm, call: identify, userId: x, custom: {first_name: A}}"), "segment.custom.first_name: firstName is a reserved name"),
    (step("segment: {connection: crm, call: page, userId: x, custom: {tier: 1}, properties: {tier: 2}}"), "segment.custom.tier: stands here and inside properties"),
    (step("segment: {connection: crm, call: page, userId: x, custom: {tier: 1}, properties: '{{ properties }}'}"), "segment.custom: may be inside properties too"),
    (step("segment: {connection: crm, call: batch, batch: '{{ x }}', integrations: {All: 5}}"), "segment.integrations: expected an object of booleans"),
    (step("segment: {connection: crm, call: batch}"), "segment.batch: is required by call batch"),
    (step("segment: {connection: crm, call: batch, batch: []}"), "segment.batch: must not be empty"),
    (step("segment: {connection: crm, call: batch, batch: [{userId: x}]}"), "segment.batch[0].type: is required: identify, track, page, screen, group or alias"),
    (step("segment: {connection: crm, call: batch, batch: [{type: track, userId: x}]}"), "segment.batch[0].event: is required by type track"),
    (step("segment: {connection: crm, call: batch, batch: [{type: page, userId: x}, {type: screen}]}"), "segment.batch[1]: needs userId or anonymousId"),
    (step("segment: {connection: crm, call: batch, batch: [{type: page, userId: '{{ a b }}'}]}"), "segment.batch[0].userId: expected token"),
    (step("segment: {connection: crm, call: api}"), "segment.path: is required by call api"),
    (step("segment: {connection: crm, call: api, path: v1/group}"), "f:9: routes.r.steps[0].segment.path: begins with one `/`"),
    (step("segment: {connection: crm, call: api, path: //evil.example/x}"), "segment.path: begins with one `/`"),
    (step("segment: {connection: crm, call: api, path: 'https://api.segment.io/v1/group'}"), "segment.path: begins with one `/`"),
    (step("segment: {connection: crm, call: api, path: '{{ x }}'}"), "segment.path: begins with one `/`"),
    (step("segment: {connection: crm, call: api, path: '/v1/x?a=b'}"), "segment.path: is only the path"),
    (step("segment: {connection: crm, call: api, path: '/v1/{{ a b }}'}"), "segment.path: expected token"),
    (step("segment: {connection: crm, call: api, path: /v1/x, method: PURGE}"), "segment.method: must be GET, POST,"),
    (step("segment: {connection: crm, call: api, path: /v1/x, api: publik}"), "segment.api: must be tracking, profile or public"),
    (step("segment: {connection: crm, call: api, path: /v1/x, api: public}"), "segment.connection: this step needs public_api_token_env on connection crm"),
    (step("segment: {connection: cm, call: api, path: /v1/x, headers: {authorization: x}}"), "segment.connection: no connection is called cm"),
    (step("segment: {connection: crm, call: api, path: /v1/x, headers: {X-A: '{{ a b }}'}}"), "segment.headers.X-A: expected token"),
    (step("segment: {connection: crm, call: api, path: /v1/x, query: {a: ['{{ a b }}']}}"), "segment.query.a[0]: expected token"),
    (step("segment: {connection: crm, call: api, path: /v1/x, json: {}, body: x}"), "segment.body: stands beside json"),
    (step("segment: {connection: crm, call: identify}"), "segment: needs userId or anonymousId"),
    (step("segment: {connection: crm, call: identify, userId: '{{ a b }}'}"), "segment.userId: expected token"),
    (step("segment: {connection: crm, call: identify, userId: x, event: y}"), "segment.event: call identify has no such key"),
    (step("segment: {connection: crm, call: track, userId: x, event: y, email: z}"), "segment.email: call track has no such key; there are connection, userId,"),
    (step("segment: {connection: crm, call: track, userId: x, event: y, revenue: 1, properties: {revenue: 2}}"), "segment.revenue: stands here and inside properties; keep one of them"),
    (step("segment: {connection: crm, call: identify, userId: x, email: a, traits: {email: b}}"), "segment.email: stands here and inside traits"),
    (step("segment: {connection: crm, call: track, userId: x, event: y, value: 1, properties: '{{ properties }}'}"), "segment.value: may be inside properties too"),
    (step("segment: {connection: crm, call: track, userId: x, event: y, properties: [a]}"), "segment.properties: must be a mapping, or one template"),
    (step("segment: {connection: crm, call: track, userId: x, event: y, context: text}"), "segment.context: must be a mapping, or one template"),
    (step("segment: {connection: crm, call: track, userId: {{ userId }}, event: y}"), "segment.userId: a key must be text; if this is a template"),
    (GOOD + "foo: 1\n", "f:9: foo: unknown key; there are sources, connections, routes"),
    (GOOD + "routes: {}\n", "f:9: routes: the key stands twice; the first one is on line 6"),
]  # fmt: skip


def test_the_ground_of_the_cases_is_good() -> None:
    assert problems_of(GOOD) == []
    assert problems_of(route("queue: q")) == []
    assert problems_of(step("handler: 'a:b'")) == []
    assert problems_of(source(VERIFY)) == []
    assert problems_of(connection("write_key_env: KEY")) == []


@pytest.mark.parametrize(("text", "said"), CASES)
def test_a_mistake_is_named(text: str, said: str) -> None:
    problems = problems_of(text)
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize(("text", "said"), CASES)
def test_one_mistake_is_one_problem(text: str, said: str) -> None:
    problems = problems_of(text)
    assert len(problems) == 1, problems


def test_problems_of_every_sort_come_in_one_run_in_the_order_of_the_file() -> None:
    text = (
        "sources:\n"
        "  shop:\n"
        "    verify: {scheme: segment, secret_env: NOPE}\n"
        "    enabeld: true\n"
        "routes:\n"
        "  r:\n"
        "    sources: [shp]\n"
        "    sources: [shop]\n"
        "    events: ['[']\n"
        "    types: [page]\n"
        "    steps:\n"
        "      - http: {url: '{{ x }}', json: '{{ a b }}', timeout: 3s}\n"
        "      - http: {url: {{ x }}}\n"
        "    concurrency: 0\n"
    )
    problems = problems_of(text)
    assert [problem.split(": ")[0] for problem in problems] == [
        *("f:3", "f:4", "f:7", "f:8", "f:9", "f:9", "f:12", "f:12", "f:12", "f:13", "f:13", "f:14")
    ]


def test_no_route_can_take_a_queue_of_our_own() -> None:
    assert set(RESERVED_QUEUES) == set(RESERVED_NAMES)


def test_what_was_pasted_in_place_of_a_name_is_not_repeated() -> None:
    assert "pa$$word" not in "".join(problems_of(source("verify: {scheme: segment, secret_env: pa$$word}")))
