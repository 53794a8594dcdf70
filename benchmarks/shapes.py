"""Contexts and envelopes as the different Segment libraries send them: what surrounds a type's fields."""

import random
import uuid
from dataclasses import dataclass
from typing import Any

from benchmarks.vocabulary import Vocabulary
from receiver.core import clock

Json = dict[str, Any]

WINDOWS = "Windows NT 10.0; Win64; x64"
MAC = "Macintosh; Intel Mac OS X 10_15_7"


@dataclass(frozen=True, slots=True)
class Person:
    """One invented user and the devices they use."""

    user_id: str
    anonymous_id: str
    given: str
    family: str
    email: str
    city: str
    country: str
    timezone: str
    locale: str
    ip: str


def person(rng: random.Random, words: Vocabulary) -> Person:
    """A user who sends one message; ids are random, words come from the vocabulary."""
    given, family = rng.choice(words.given), rng.choice(words.family)
    city, country, timezone = rng.choice(words.cities)
    kind = rng.random()
    user_id = (
        f"usr_{rng.randrange(10**6)}"
        if kind < 0.5
        else str(rng.randrange(10**9))
        if kind < 0.7
        else uuid4(rng)
    )
    return Person(
        user_id=user_id,
        anonymous_id=uuid4(rng),
        given=given,
        family=family,
        email=f"{given}.{family}{rng.randrange(1000)}@{rng.choice(words.domains)}".lower(),
        city=city,
        country=country,
        timezone=timezone,
        locale=rng.choice(words.locales),
        ip=f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
    )


def uuid4(rng: random.Random) -> str:
    """A random UUID from the seeded generator."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def token(rng: random.Random, length: int) -> str:
    """Letters and digits, as ids of Segment's projects and spaces look."""
    return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=length))


def money(rng: random.Random, below: int = 300) -> float:
    """A price with two decimals."""
    return round(rng.uniform(1, below), 2)


def browser(rng: random.Random, words: Vocabulary, who: Person) -> Json:
    """Context of analytics.js."""
    version, host = rng.choice(words.browsers), "www." + words.domains[0]
    path, title = rng.choice(words.pages)
    mac = rng.random() < 0.5
    context: Json = {
        "ip": who.ip,
        "library": {"name": "analytics.js", "version": f"next-1.{rng.randrange(60, 90)}.{rng.randrange(5)}"},
        "locale": who.locale,
        "page": {
            "path": path,
            "referrer": rng.choice(("", "https://www.google.com/", f"https://{host}/")),
            "search": "",
            "title": title,
            "url": f"https://{host}{path}",
        },
        "timezone": who.timezone,
        "userAgent": f"Mozilla/5.0 ({MAC if mac else WINDOWS}) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{version}.0.0.0 Safari/537.36",
    }
    if rng.random() < 0.6:
        names = ("Chromium", "Google Chrome", "Not-A.Brand")[: rng.choice((2, 3))]
        context["userAgentData"] = {
            "brands": [{"brand": name, "version": version} for name in names],
            "mobile": False,
            "platform": "macOS" if mac else "Windows",
        }
    if rng.random() < 0.25:
        name = rng.choice(words.campaigns)
        context["campaign"] = {
            "content": "hero",
            "medium": "email",
            "name": name,
            "source": "newsletter",
            "term": "",
        }
        context["page"]["search"] = f"?utm_source=newsletter&utm_medium=email&utm_campaign={name}"
    if rng.random() < 0.1:
        context["consent"] = {"categoryPreferences": {"Advertising": rng.random() < 0.5, "Analytics": True}}
    return context


def android(rng: random.Random, words: Vocabulary, who: Person) -> Json:
    """Context of analytics-android and the Kotlin library."""
    maker, model = rng.choice(words.phones)
    release = rng.choice(("12", "13", "14", "15"))
    kotlin = rng.random() < 0.5
    return {
        **app(rng, words),
        "device": {
            "adTrackingEnabled": False,
            "id": f"{rng.getrandbits(64):016x}",
            "manufacturer": maker,
            "model": model,
            "name": model.lower(),
            "type": "android",
        },
        "ip": who.ip,
        "library": {
            "name": "analytics-kotlin" if kotlin else "analytics-android",
            "version": f"1.{rng.randrange(20)}.2",
        },
        "locale": who.locale,
        "network": {"bluetooth": False, "carrier": "T-Mobile", "cellular": rng.random() < 0.5, "wifi": True},
        "os": {"name": "Android", "version": release},
        "screen": {"density": 2.625, "height": 2400, "width": 1080},
        "timezone": who.timezone,
        "traits": {"anonymousId": who.anonymous_id, "userId": who.user_id},
        "userAgent": f"Dalvik/2.1.0 (Linux; U; Android {release}; {model} Build/UP1A.231005.007)",
    }


def ios(rng: random.Random, words: Vocabulary, who: Person) -> Json:
    """Context of analytics-swift and React Native on an iPhone."""
    native = rng.random() < 0.3
    return {
        **app(rng, words),
        "device": {
            "id": uuid4(rng).upper(),
            "manufacturer": "Apple",
            "model": f"iPhone{rng.randrange(12, 18)},{rng.randrange(1, 6)}",
            "name": "iPhone",
            "type": "ios",
        },
        "instanceId": uuid4(rng).upper(),
        "ip": who.ip,
        "library": {
            "name": "@segment/analytics-react-native" if native else "analytics-swift",
            "version": "1.9.1",
        },
        "locale": who.locale,
        "network": {"bluetooth": False, "cellular": rng.random() < 0.5, "wifi": True},
        "os": {"name": "iOS", "version": f"{rng.randrange(15, 19)}.{rng.randrange(7)}"},
        "screen": {"height": rng.choice((844, 852, 932)), "width": rng.choice((390, 393, 430))},
        "timezone": who.timezone,
    }


def app(rng: random.Random, words: Vocabulary) -> Json:
    """The part of the context that names the mobile application."""
    name = words.companies[0]
    return {
        "app": {
            "build": str(rng.randrange(50, 5000)),
            "name": name,
            "namespace": "com." + name.split()[0].lower() + ".app",
            "version": f"{rng.randrange(1, 9)}.{rng.randrange(20)}.{rng.randrange(5)}",
        }
    }


SERVER_LIBRARIES = (
    ("@segment/analytics-node", "2.2.1"),
    ("analytics-python", "2.3.3"),
    ("analytics-ruby", "2.4.0"),
    ("analytics-go", "3.0.0"),
    ("analytics-java", "3.5.1"),
    ("analytics-php", "3.8.0"),
    ("unknown", "unknown"),
)


def server(rng: random.Random, _words: Vocabulary, who: Person) -> Json:
    """Context of a server library, or of the HTTP API used without one."""
    name, version = rng.choice(SERVER_LIBRARIES)
    context: Json = {"library": {"name": name, "version": version}}
    if rng.random() < 0.4:
        context["ip"] = who.ip
    if rng.random() < 0.2:
        context["active"] = False
    return context


CONTEXTS = {"browser": browser, "android": android, "ios": ios, "server": server}


def envelope(rng: random.Random, words: Vocabulary, platform: str, who: Person, at_ms: int) -> Json:
    """Everything but the fields of the type; `at_ms` is when the event happened (1970, milliseconds)."""
    sent = at_ms + rng.randrange(5, 400)
    identifier = uuid4(rng)
    message: Json = {
        "anonymousId": who.anonymous_id,
        "channel": {"browser": "client", "android": "mobile", "ios": "client"}.get(platform, "server"),
        "context": CONTEXTS[platform](rng, words, who),
        "integrations": {} if rng.random() < 0.9 else {"All": True, "Mixpanel": False, "Salesforce": False},
        "messageId": identifier,
        "originalTimestamp": clock.iso(at_ms),
        "projectId": rng.choice(words.projects),
        "receivedAt": clock.iso(sent + rng.randrange(20, 300)),
        "sentAt": clock.iso(sent),
        "timestamp": clock.iso(at_ms + rng.randrange(100)),
        "userId": who.user_id,
        "version": 2,
    }
    if platform == "browser":
        message["messageId"] = f"ajs-next-{at_ms}-{identifier}"
        message["_metadata"] = {
            "bundled": ["Segment.io"],
            "bundledIds": [],
            "unbundled": ["Webhooks (Actions)"],
        }
        message["userId"] = who.user_id if rng.random() < 0.6 else None
    elif platform == "server":
        del message["anonymousId"]
        if rng.random() < 0.4:
            message["messageId"] = f"node-next-{at_ms}-{identifier}"
            message["_metadata"] = {"jsRuntime": "node", "nodeVersion": "v20.18.1"}
    return message
