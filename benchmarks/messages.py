"""Generated Segment messages of real shape and size, the same for the same seed: what every benchmark sends.

The mix (see `KINDS`) gives about 1,086 bytes a message on average, the size the targets were set for. Shapes
follow the Spec: the six calls, `delete`, e-commerce and mobile life-cycle events, and what Engage sends.
"""

import random
from collections.abc import Callable, Iterator

import orjson

from benchmarks.shapes import Json, Person, envelope, money, person, token, uuid4
from benchmarks.vocabulary import EVALUATION, Vocabulary
from receiver.core import clock

START_MS = 1_760_000_000_000
"""When the first generated event happens; each next one is a little later."""

SORTED = orjson.OPT_SORT_KEYS


def generate(seed: int, words: Vocabulary = EVALUATION) -> Iterator[bytes]:
    """Messages without end, each with ids of its own; equal for equal arguments."""
    rng = random.Random(seed)
    kinds, weights = zip(*((build, weight) for build, weight in KINDS), strict=True)
    at_ms = START_MS + seed % 1000 * 86_400_000
    while True:
        at_ms += rng.randrange(1, 2000)
        message = rng.choices(kinds, weights)[0](rng, words, at_ms)
        yield orjson.dumps(message, option=SORTED if rng.random() < 0.85 else None)


def many(count: int, seed: int = 1) -> list[bytes]:
    """The first `count` messages of a seed."""
    source = generate(seed)
    return [next(source) for _ in range(count)]


def identify(rng: random.Random, words: Vocabulary, at_ms: int) -> Json:
    platform = rng.choices(("browser", "server", "android", "ios"), (5, 4, 1, 1))[0]
    who = person(rng, words)
    traits: Json = {"email": who.email, "name": f"{who.given} {who.family}", "plan": rng.choice(words.plans)}
    if rng.random() < 0.5:
        traits |= {"createdAt": clock.iso(at_ms - rng.randrange(10**11)), "logins": rng.randrange(200)}
    if rng.random() < 0.4:
        traits |= {
            "firstName": who.given,
            "lastName": who.family,
            "phone": f"+1555{rng.randrange(10**7):07d}",
            "address": address(rng, who),
        }
    if rng.random() < 0.2:
        traits |= {
            "company": company(rng, words),
            "title": "Manager",
            "age": rng.randrange(18, 80),
            "gender": "female",
        }
    return {**envelope(rng, words, platform, who, at_ms), "type": "identify", "traits": traits}


def page(rng: random.Random, words: Vocabulary, at_ms: int) -> Json:
    message = envelope(rng, words, "browser", person(rng, words), at_ms)
    shown = message["context"]["page"]
    name = shown["title"].split(" | ")[0]
    return {
        **message,
        "type": "page",
        "name": name if rng.random() < 0.7 else None,
        "category": rng.choice((None, "Docs", "Marketing")),
        "properties": {**shown, "name": name},
    }


def screen(rng: random.Random, words: Vocabulary, at_ms: int) -> Json:
    message = envelope(rng, words, rng.choice(("android", "ios")), person(rng, words), at_ms)
    return {
        **message,
        "type": "screen",
        "name": rng.choice(("Home", "Cart", "Search", "Profile")),
        "properties": {},
    }


def group(rng: random.Random, words: Vocabulary, at_ms: int) -> Json:
    message = envelope(rng, words, rng.choice(("browser", "server")), person(rng, words), at_ms)
    return {
        **message,
        "type": "group",
        "groupId": f"org_{rng.randrange(10**5)}",
        "traits": company(rng, words),
    }


def alias(rng: random.Random, words: Vocabulary, at_ms: int) -> Json:
    who = person(rng, words)
    message = envelope(rng, words, rng.choice(("browser", "server")), who, at_ms)
    return {**message, "type": "alias", "userId": who.user_id, "previousId": who.anonymous_id}


def delete(rng: random.Random, words: Vocabulary, at_ms: int) -> Json:
    return {
        "type": "delete",
        "channel": "server",
        "messageId": f"delete-{uuid4(rng)}",
        "projectId": rng.choice(words.projects),
        "userId": person(rng, words).user_id,
        "context": None,
        "integrations": None,
        "receivedAt": clock.iso(at_ms),
        "sentAt": clock.iso(at_ms),
        "originalTimestamp": clock.iso(at_ms),
        "timestamp": clock.iso(at_ms),
    }


def order(rng: random.Random, words: Vocabulary, at_ms: int) -> Json:
    """The order events of the e-commerce Spec, with their list of products."""
    platform = rng.choices(("browser", "server", "ios"), (2, 5, 1))[0]
    lines = [product(rng, words, position) for position in range(1, rng.choice((2, 2, 3, 4)))]
    properties: Json = {
        "affiliation": words.companies[0],
        "checkout_id": token(rng, 12),
        "currency": rng.choice(words.currencies),
        "discount": money(rng, 20),
        "order_id": f"ord_{rng.randrange(10**7)}",
        "products": lines,
        "revenue": money(rng),
        "shipping": money(rng, 15),
        "tax": money(rng, 40),
        "total": money(rng, 400),
    }
    if rng.random() < 0.5:
        properties |= {"coupon": token(rng, 8).upper(), "subtotal": money(rng), "value": money(rng)}
    name = rng.choice(
        ("Order Completed", "Order Completed", "Order Updated", "Checkout Started", "Cart Viewed")
    )
    return track(rng, words, at_ms, platform, name, properties)


def product_event(rng: random.Random, words: Vocabulary, at_ms: int) -> Json:
    """The browsing events of the e-commerce Spec, about one product."""
    properties = {
        **product(rng, words, 1),
        "currency": rng.choice(words.currencies),
        "cart_id": token(rng, 10),
    }
    name = rng.choice(
        ("Product Viewed", "Product Added", "Product Clicked", "Product Removed", "Wishlist Product Added")
    )
    return track(rng, words, at_ms, rng.choice(("browser", "browser", "ios", "android")), name, properties)


def own_event(rng: random.Random, words: Vocabulary, at_ms: int) -> Json:
    """An event of the company's own tracking plan."""
    properties: Json = {"plan": rng.choice(words.plans), "value": rng.randrange(1000)}
    if rng.random() < 0.5:
        properties |= {"label": rng.choice(words.categories), "position": rng.randrange(20), "variant": "B"}
    if rng.random() < 0.3:
        properties |= {
            "title": rng.choice(words.pages)[1],
            "duration_ms": rng.randrange(10**5),
            "success": True,
        }
    platform = rng.choices(("browser", "server", "android", "ios"), (5, 5, 1, 1))[0]
    return track(rng, words, at_ms, platform, rng.choice(words.events), properties)


def life_cycle(rng: random.Random, words: Vocabulary, at_ms: int) -> Json:
    """The automatic events of a mobile application."""
    name = rng.choice(
        ("Application Opened", "Application Installed", "Application Updated", "Application Backgrounded")
    )
    properties: Json = {
        "build": str(rng.randrange(5000)),
        "version": f"{rng.randrange(9)}.{rng.randrange(20)}.0",
    }
    if name == "Application Opened":
        properties |= {
            "from_background": rng.random() < 0.5,
            "referring_application": "com.example.mail",
            "url": "",
        }
    if name == "Application Updated":
        properties |= {"previous_build": "87", "previous_version": "1.9.9"}
    return track(rng, words, at_ms, rng.choice(("android", "ios")), name, properties)


def engage(rng: random.Random, words: Vocabulary, at_ms: int) -> Json:
    """What an Engage audience sends: entered, left, or a computed trait, by track or identify."""
    who = person(rng, words)
    key = rng.choice(words.audiences)
    message = envelope(rng, words, "server", who, at_ms)
    space = "spa_" + token(rng, 20)
    message["context"] = {
        "personas": {
            "computation_class": "audience",
            "computation_id": "aud_" + token(rng, 22),
            "computation_key": key,
            "namespace": space,
            "space_id": space,
        }
    }
    if rng.random() < 0.5:
        return {**message, "type": "identify", "traits": {key: rng.random() < 0.5}}
    name = rng.choice(("Audience Entered", "Audience Exited"))
    return {**message, "type": "track", "event": name, "properties": {"audience_key": key, key: True}}


def track(
    rng: random.Random, words: Vocabulary, at_ms: int, platform: str, event: str, properties: Json
) -> Json:
    message = envelope(rng, words, platform, person(rng, words), at_ms)
    return {**message, "type": "track", "event": event, "properties": properties}


def product(rng: random.Random, words: Vocabulary, position: int) -> Json:
    name, number = rng.choice(words.products), rng.randrange(10**5)
    result: Json = {
        "category": rng.choice(words.categories),
        "name": name,
        "position": position,
        "price": money(rng),
        "product_id": f"prd_{number}",
        "quantity": rng.randrange(1, 5),
        "sku": f"{name[:2].upper()}-{number}",
    }
    if rng.random() < 0.5:
        slug = name.lower().replace(" ", "-")
        result |= {
            "brand": rng.choice(words.brands),
            "image_url": f"https://img.{words.domains[0]}/{slug}.jpg",
            "url": f"https://www.{words.domains[0]}/p/{slug}",
            "variant": rng.choice(("black", "blue", "M", "L")),
        }
    return result


def address(rng: random.Random, who: Person) -> Json:
    return {
        "city": who.city,
        "country": who.country,
        "postalCode": f"{rng.randrange(10**5):05d}",
        "state": who.country,
        "street": f"{rng.randrange(1, 200)} {who.family} Street",
    }


def company(rng: random.Random, words: Vocabulary) -> Json:
    return {
        "employees": rng.randrange(1, 5000),
        "id": f"org_{rng.randrange(10**5)}",
        "industry": rng.choice(words.industries),
        "name": rng.choice(words.companies),
        "plan": rng.choice(words.plans),
        "website": f"https://{rng.choice(words.domains)}",
    }


Build = Callable[[random.Random, Vocabulary, int], Json]

KINDS: tuple[tuple[Build, int], ...] = (
    (own_event, 27),
    (page, 15),
    (identify, 14),
    (product_event, 13),
    (order, 10),
    (life_cycle, 6),
    (screen, 5),
    (group, 3),
    (engage, 3),
    (alias, 2),
    (delete, 2),
)
"""Builders and how often each is drawn, of a hundred."""
