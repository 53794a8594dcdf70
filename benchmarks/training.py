"""Vocabularies for the compression dictionary: another invented company for every seed.

What is public and the same everywhere (time zones, locales, currencies, the titles every shop has) comes from
lists; what is a company's own is made of random syllables, so that the dictionary learns how such words are
spelled and where they stand, not the words.
"""

import random

from benchmarks.shapes import token
from benchmarks.vocabulary import Vocabulary


def listed(text: str, by: str = " ") -> tuple[str, ...]:
    """Many short words, readable in one text."""
    return tuple(text.split(by))


PLACES = (
    "London GB Europe/London",
    "Paris FR Europe/Paris",
    "Berlin DE Europe/Berlin",
    "Madrid ES Europe/Madrid",
    "Rome IT Europe/Rome",
    "Amsterdam NL Europe/Amsterdam",
    "Brussels BE Europe/Brussels",
    "Vienna AT Europe/Vienna",
    "Zurich CH Europe/Zurich",
    "Stockholm SE Europe/Stockholm",
    "Copenhagen DK Europe/Copenhagen",
    "Oslo NO Europe/Oslo",
    "Helsinki FI Europe/Helsinki",
    "Warsaw PL Europe/Warsaw",
    "Prague CZ Europe/Prague",
    "Budapest HU Europe/Budapest",
    "Bucharest RO Europe/Bucharest",
    "Athens GR Europe/Athens",
    "Istanbul TR Europe/Istanbul",
    "Kyiv UA Europe/Kyiv",
    "Lisbon PT Europe/Lisbon",
    "Dublin IE Europe/Dublin",
    "Toronto CA America/Toronto",
    "Vancouver CA America/Vancouver",
    "Boston US America/New_York",
    "Chicago US America/Chicago",
    "Denver US America/Denver",
    "Phoenix US America/Phoenix",
    "Seattle US America/Los_Angeles",
    "Mexico MX America/Mexico_City",
    "Bogota CO America/Bogota",
    "Lima PE America/Lima",
    "Santiago CL America/Santiago",
    "Cordoba AR America/Argentina/Buenos_Aires",
    "Campinas BR America/Sao_Paulo",
    "Lagos NG Africa/Lagos",
    "Cairo EG Africa/Cairo",
    "Nairobi KE Africa/Nairobi",
    "Durban ZA Africa/Johannesburg",
    "Haifa IL Asia/Jerusalem",
    "Dubai AE Asia/Dubai",
    "Karachi PK Asia/Karachi",
    "Pune IN Asia/Kolkata",
    "Calcutta IN Asia/Calcutta",
    "Dhaka BD Asia/Dhaka",
    "Bangkok TH Asia/Bangkok",
    "Hanoi VN Asia/Ho_Chi_Minh",
    "Jakarta ID Asia/Jakarta",
    "Singapore SG Asia/Singapore",
    "Manila PH Asia/Manila",
    "Shanghai CN Asia/Shanghai",
    "Taipei TW Asia/Taipei",
    "Seoul KR Asia/Seoul",
    "Osaka JP Asia/Tokyo",
    "Sydney AU Australia/Sydney",
    "Melbourne AU Australia/Melbourne",
    "Auckland NZ Pacific/Auckland",
)
"""City, country, time zone."""

LOCALES = listed(
    "en-US en-GB en-CA en-AU en-IN en-IE de-DE de-AT de-CH fr-FR fr-CA fr-BE es-ES es-MX es-AR es-419 "
    "it-IT pt-BR pt-PT nl-NL nl-BE sv-SE da-DK nb-NO fi-FI pl-PL cs-CZ hu-HU ro-RO tr-TR el-GR uk-UA "
    "ja-JP ko-KR zh-CN zh-TW th-TH vi-VN id-ID he-IL ar-AE hi-IN en de fr es"
)

CURRENCIES = listed(
    "USD EUR GBP CAD AUD NZD JPY CNY INR BRL MXN CHF SEK NOK DKK PLN CZK HUF RON TRY ZAR KRW SGD HKD "
    "THB ILS AED"
)

PHONES = listed(
    "Samsung SM-S921B,Samsung SM-A546B,samsung SM-G991U,samsung SM-A145F,Google Pixel 8,"
    "Google Pixel 7a,Google Pixel 9 Pro,Xiaomi 2201116SG,Xiaomi 23021RAA2Y,OnePlus CPH2449,"
    "OPPO CPH2531,motorola moto g power,vivo V2227,HUAWEI ELS-NX9,Sony XQ-CC54,Nokia G42 5G",
    by=",",
)

PAGES = listed(
    "/ Home,/pricing Pricing,/login Log in,/signup Sign up,/cart Cart,/checkout Checkout,"
    "/search Search results,/account Account,/account/orders Orders,/products Products,"
    "/collections/all All products,/about About us,/contact Contact,/blog Blog,/docs Documentation,"
    "/support Support,/settings Settings,/dashboard Dashboard",
    by=",",
)

PLANS = listed("free basic starter pro premium plus team business enterprise trial gold silver")

EVENTS = listed(
    "Account Created,Signed Up,Signed In,Signed Out,Trial Started,Trial Ended,Subscription Started,"
    "Subscription Cancelled,Button Clicked,Link Clicked,Form Submitted,Invite Sent,"
    "Video Playback Started,Video Playback Completed,Email Opened,Email Link Clicked,"
    "Experiment Viewed,Feature Used,Payment Failed",
    by=",",
)

CAMPAIGNS = listed("spring_sale black-friday newsletter retargeting brand_search welcome summer-launch")
INDUSTRIES = listed("Software Technology Retail Finance Healthcare Education Media Travel")
DOMAINS = listed("com com com net org io co de co.uk fr")

CONSONANTS = listed("b c d f g h k l m n p r s t v w st ch tr")
VOWELS = listed("a e i o u a e i o ee ai ou")


def company(seed: int) -> Vocabulary:
    """The words of one invented company, the same for the same seed."""
    rng = random.Random(seed)
    own = word(rng).lower()
    domain = f"{own}.{rng.choice(DOMAINS)}"
    return Vocabulary(
        projects=(token(rng, 22),),
        given=tuple(word(rng) for _ in range(8)),
        family=tuple(word(rng) for _ in range(8)),
        domains=(domain, "gmail.com", "example.com", f"{word(rng).lower()}.com"),
        products=tuple(f"{word(rng)} {word(rng)}" for _ in range(6)),
        brands=tuple(word(rng) for _ in range(3)),
        categories=tuple(word(rng) for _ in range(4)),
        companies=tuple(f"{word(rng)} {rng.choice(('Inc', 'GmbH', 'Ltd', 'Shop'))}" for _ in range(3)),
        industries=INDUSTRIES,
        cities=tuple(place(text) for text in rng.sample(PLACES, 8)),
        plans=tuple(rng.sample(PLANS, 4)),
        pages=tuple(page(rng, text, own.title()) for text in rng.sample(PAGES, 8)),
        events=(*rng.sample(EVENTS, 6), f"{word(rng)} {word(rng)}"),
        campaigns=(*rng.sample(CAMPAIGNS, 2), f"{word(rng)}-{word(rng)}".lower()),
        audiences=tuple(f"{word(rng)}_{word(rng)}".lower() for _ in range(3)),
        locales=tuple(rng.sample(LOCALES, 8)),
        currencies=tuple(rng.sample(CURRENCIES, 6)),
        browsers=tuple(str(rng.randrange(118, 150)) for _ in range(4)),
        phones=tuple(phone(text) for text in rng.sample(PHONES, 4)),
    )


def word(rng: random.Random) -> str:
    """Something that could be a name."""
    return "".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.randrange(2, 4))).title()


def place(text: str) -> tuple[str, str, str]:
    city, country, timezone = text.split(" ")
    return city, country, timezone


def phone(text: str) -> tuple[str, str]:
    maker, _, model = text.partition(" ")
    return maker, model


def page(rng: random.Random, text: str, name: str) -> tuple[str, str]:
    path, _, title = text.partition(" ")
    if rng.random() < 0.4:
        path, title = (
            f"{path.rstrip('/')}/{word(rng)}-{word(rng)}".lower(),
            f"{word(rng)} {word(rng).lower()}",
        )
    return path, rng.choice((title, f"{title} | {name}", f"{name} - {title}"))
