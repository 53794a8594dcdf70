"""Every Redis key, once, with one line of meaning. docs/redis.md shows the same table; a test compares them.

All keys of a shard share a hash tag, so that every script stays in one slot of a cluster. The scripts get the
names from here too: `lua_prelude` writes them as Lua locals.
"""

from dataclasses import dataclass

LAYOUT = 1
"""Version of the data layout; part of every key, so that another layout can never be misread."""

BLOCK = 32
"""Messages that share one hash of deliveries: keeps Redis' compact listpack form."""

USER_SLOTS = 2
"""Hashes for users beside each one for ids, as a message has up to two: about as many entries in each."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, or a family of keys when its name ends with a colon."""

    name: str
    type: str
    holds: str


KEYS = {
    "META": Key(
        "meta", "hash", "id of the store, last number, last ms, kept bytes, trim cursor, recent index buckets"
    ),
    "LOG": Key(
        "log",
        "stream",
        "each accepted message once under <number>-<ms>: compressed bytes, source, path, routes",
    ),
    "BUCKETS": Key("buckets", "zset", "index buckets (<id>:<slots>) by the first number they cover"),
    "IDS": Key(
        "ids:", "hash", "<bucket>:<slot> → digest of the deduplication key → content digest and number"
    ),
    "USERS": Key("users:", "hash", "<bucket>:<slot> → digest of userId or anonymousId, and number"),
    "PATHS": Key("paths", "set", "every source and path ever configured, for look-up by messageId"),
    "REPEATS": Key("repeats:", "hash", "<number / 32> → number → how often it arrived again"),
    "ROUTES": Key("routes", "hash", "name of a route → its small number"),
    "ROUTE": Key(
        "route:",
        "hash",
        "<route> → name, queue, concurrency, rate, pause, until when it rests, limit by its breaker",
    ),
    "ROUTESEQ": Key("routeseq", "string", "last route number given"),
    "BACKLOG": Key("backlog:", "list", "<route> → references of live deliveries ready to run"),
    "REPLAYING": Key(
        "replaying:", "list", "<route> → references of replays ready to run; live ones go first"
    ),
    "READY": Key("ready:", "zset", "<queue> → routes with work, by when they were last served"),
    "RESTING": Key(
        "resting:", "zset", "<queue> → routes that may not be claimed yet (rate, breaker), by when they may"
    ),
    "LATER": Key("later", "zset", "references waiting for a retry, by due time in ms"),
    "ORDER": Key("order:", "hash", "<route> → ordering key → reference whose turn it is"),
    "TURNS": Key("turns:", "hash", "<route> → reference in play, or dead letter → its ordering key"),
    "PARKED": Key(
        "parked:", "zset", "<route> → key:replay:number of deliveries that wait for others of their key"
    ),
    "BREAKER": Key("breaker:", "hash", "<route> → state, reason, counts; gone while all is well"),
    "RUNNING": Key("running:", "set", "<route> → references in flight: its size is the concurrency"),
    "LEASE": Key("lease:", "hash", "<drain> → reference in flight → attempt number"),
    "DRAINS": Key("drains", "zset", "drains alive, by the deadline their heartbeat renews"),
    "DRAIN": Key("drain:", "hash", "<drain> → queue, worker, host, pid, state, version of routes.yaml"),
    "PROCESSES": Key("processes", "zset", "receivers and supervisors alive, by the deadline they renew"),
    "PROCESS": Key(
        "process:", "hash", "<process> → kind, host, pid, version of routes.yaml, why another is refused"
    ),
    "VERSIONS": Key(
        "versions", "zset", "the last versions of routes.yaml that workers served, by the order they came in"
    ),
    "DRAINSEQ": Key("drainseq", "string", "last drain number given: RQ job ids are never reused"),
    "DUTY": Key("duty:", "zset", "<queue> → drains on duty or reserved, by deadline"),
    "WAKE": Key("wake:", "list", "<queue> → at most one token that wakes an idle drain"),
    "SUSPECTS": Key(
        "suspects", "list", "groups of references whose drain crashed: worked in quarantine, in halves"
    ),
    "CRASHES": Key(
        "crashes", "hash", "reference → crashes while it ran alone; the third makes a dead letter"
    ),
    "DELIVERIES": Key("deliveries:", "hash", "<number / 32> → reference → status, attempts, result"),
    "ATTEMPTS": Key(
        "attempts:", "hash", "<number / 32> → reference → last attempts, outputs of the steps done"
    ),
    "DEAD": Key("dead:", "zset", "<route> → references of dead letters by time in ms"),
    "OWED": Key("owed", "hash", "number → open deliveries; a dead letter keeps its one; gone at 0"),
    "PURGES": Key("purges", "zset", "orders to purge a user that are not done, by number of a message"),
    "PURGED": Key("purged", "hash", "order to purge a user → messages purged on it"),
    "ORDERED": Key("ordered", "hash", "order by hand that is not done → first number spared, userId"),
    "REPLAY": Key("replay:", "hash", "<id> → selection, routes, rate, cursor, state, counts"),
    "REPLAYS": Key("replays", "zset", "replays by creation time in ms"),
    "REPLAYSEQ": Key("replayseq", "string", "last replay id given"),
    "RATE": Key("rate:", "string", "<what>:<name> → from when on the next may go, in µs; gone when unused"),
    "REFUSALS": Key("refusals", "list", "the last 200 refusals: time, source, code, size, sample"),
    "STATS": Key("stats:", "hash", "<minute> → counts by <route>:<outcome>; kept for two hours"),
    "TOTALS": Key("totals", "hash", "the same counts since the store began, for /metrics"),
}


def prefix(shard: int = 0) -> str:
    """The beginning of every key of a shard, with its hash tag."""
    return f"hookyard{LAYOUT}:{{{shard}}}:"


def key(name: str, *parts: str | int, shard: int = 0) -> str:
    """`key("BACKLOG", 3)` → `hookyard1:{0}:backlog:3`."""
    return prefix(shard) + KEYS[name].name + ":".join(str(part) for part in parts)


def lua_prelude() -> str:
    """The same names for the scripts. KEYS[1] is always the shard's META key: it carries the prefix."""
    lines = ["local P = string.sub(KEYS[1], 1, -5)"]
    lines += [f"local {name} = P .. '{item.name}'" for name, item in KEYS.items()]
    lines += [f"local BLOCK = {BLOCK}", f"local USER_SLOTS = {USER_SLOTS}"]
    return "\n".join(lines)
