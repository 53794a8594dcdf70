"""Words the generated messages are made of: one invented company for every benchmark.

The compression dictionary is trained on other companies (`benchmarks.training`), so that a benchmark never
meets a product, name or page only because the dictionary was made from it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What one invented company's traffic talks about."""

    projects: tuple[str, ...]
    """Segment's ids of the company's sources: few, as in a real workspace."""
    given: tuple[str, ...]
    family: tuple[str, ...]
    domains: tuple[str, ...]
    products: tuple[str, ...]
    brands: tuple[str, ...]
    categories: tuple[str, ...]
    companies: tuple[str, ...]
    industries: tuple[str, ...]
    cities: tuple[tuple[str, str, str], ...]
    """City, country, time zone."""
    plans: tuple[str, ...]
    pages: tuple[tuple[str, str], ...]
    """Path and title."""
    events: tuple[str, ...]
    """Track events of the company's own, beside those of the Spec."""
    campaigns: tuple[str, ...]
    audiences: tuple[str, ...]
    locales: tuple[str, ...]
    currencies: tuple[str, ...]
    browsers: tuple[str, ...]
    """Version numbers of Chrome."""
    phones: tuple[tuple[str, str], ...]
    """Manufacturer and model."""


EVALUATION = Vocabulary(
    projects=("w8RkT2mYc6QpZ4vLs0XjHn", "dF7gB1nUe9AaKo3WiVx5Mq", "Py2ErJt8Cz6lDh0SbGu4If"),
    given=(
        "Ingrid",
        "Tomasz",
        "Aisha",
        "Noah",
        "Yuki",
        "Priya",
        "Mateo",
        "Freya",
        "Omar",
        "Zoe",
        "Lukas",
        "Nia",
    ),
    family=(
        "Larsen",
        "Kowalski",
        "Okafor",
        "Tanaka",
        "Sharma",
        "Haddad",
        "Moreau",
        "Weiss",
        "Lindqvist",
        "Ortiz",
    ),
    domains=("northwind.test", "post.northwind.test", "inbox.test", "letters.test"),
    products=(
        "Trail Tent",
        "Enamel Kettle",
        "Wool Blanket",
        "Folding Stool",
        "Rain Cape",
        "Camp Stove",
        "Hammock",
    ),
    brands=("Fjellvik", "Northwind", "Kestrel", "Burrow"),
    categories=("Camping", "Kitchenware", "Textiles", "Furniture", "Rainwear", "Outlet"),
    companies=("Northwind Traders", "Tailspin Toys", "Fabrikam", "Lamna Healthcare", "Proseware"),
    industries=("Logistics", "Hospitality", "Agriculture", "Publishing"),
    cities=(
        ("Oslo", "NO", "Europe/Oslo"),
        ("Krakow", "PL", "Europe/Warsaw"),
        ("Denver", "US", "America/Denver"),
        ("Nairobi", "KE", "Africa/Nairobi"),
        ("Melbourne", "AU", "Australia/Melbourne"),
    ),
    plans=("seedling", "sapling", "grove", "forest"),
    pages=(
        ("/start", "Northwind | Outdoors, delivered"),
        ("/gear/tents", "Tents for two | Northwind"),
        ("/guides/first-hike", "Your first hike | Northwind"),
        ("/basket", "Basket | Northwind"),
        ("/account/orders", "Your orders | Northwind"),
        ("/club", "The Northwind club"),
    ),
    events=("Guide Finished", "Club Joined", "Rental Booked", "Size Chart Opened", "Repair Requested"),
    campaigns=("autumn-trails", "club_launch", "first-snow"),
    audiences=("weekend_hikers", "lapsed_renters", "club_candidates"),
    locales=("nb-NO", "pl-PL", "en-AU", "sw-KE", "en-US"),
    currencies=("NOK", "PLN", "AUD", "USD"),
    browsers=("127", "129", "130", "132"),
    phones=(("Motorola", "moto g84 5G"), ("Fairphone", "FP5"), ("Sony", "XQ-DC54")),
)
