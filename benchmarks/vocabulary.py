"""Words the generated messages are made of.

Two disjoint vocabularies: `TRAINING` feeds the compression dictionary, `EVALUATION` feeds every benchmark, so
that a benchmark never meets a word only because the dictionary was made from it. All of it is invented.
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


TRAINING = Vocabulary(
    projects=("4Zk1pXvQ9sT7aWc2mRb8Ye", "uN3hJ6dLq0VfGx5KtB1oSi"),
    given=(
        "Maria",
        "John",
        "Wei",
        "Fatima",
        "Olga",
        "Pierre",
        "Sofia",
        "David",
        "Anna",
        "Carlos",
        "Emma",
        "Paul",
    ),
    family=(
        "Smith",
        "Garcia",
        "Chen",
        "Müller",
        "Rossi",
        "Silva",
        "Johnson",
        "Novak",
        "Dubois",
        "Brown",
        "Kim",
    ),
    domains=("example.com", "example.org", "example.net", "mail.example.com"),
    products=(
        "T-Shirt",
        "Running Shoes",
        "Coffee Mug",
        "Headphones",
        "Backpack",
        "Monopoly",
        "Desk Lamp",
        "Hoodie",
    ),
    brands=("Contoso", "Globex", "Hooli", "Umbrella", "Stark"),
    categories=("Clothing", "Shoes", "Home", "Electronics", "Accessories", "Toys", "Beauty", "Sale"),
    companies=("Contoso", "Globex Corporation", "Hooli", "Example Inc", "Vandelay", "Wonka"),
    industries=("Software", "Retail", "Finance", "Healthcare", "Education"),
    cities=(
        ("London", "GB", "Europe/London"),
        ("New York", "US", "America/New_York"),
        ("San Francisco", "US", "America/Los_Angeles"),
        ("Berlin", "DE", "Europe/Berlin"),
        ("Paris", "FR", "Europe/Paris"),
        ("Tokyo", "JP", "Asia/Tokyo"),
        ("Sao Paulo", "BR", "America/Sao_Paulo"),
    ),
    plans=("free", "basic", "pro", "premium", "business", "enterprise", "trial"),
    pages=(
        ("/", "Home"),
        ("/products", "Products"),
        ("/cart", "Your cart"),
        ("/checkout", "Checkout"),
        ("/login", "Log in"),
        ("/blog/welcome", "Welcome"),
        ("/search", "Search results"),
        ("/pricing", "Pricing"),
    ),
    events=(
        "Account Created",
        "Signed In",
        "Trial Started",
        "Button Clicked",
        "Form Submitted",
        "Video Playback Started",
    ),
    campaigns=("spring_sale", "newsletter", "black-friday", "retargeting"),
    audiences=("high_value_customers", "all_users", "cart_abandoners", "churn_risk"),
    locales=("en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "pt-BR", "ja-JP"),
    currencies=("USD", "EUR", "GBP", "JPY"),
    browsers=("120", "122", "124", "125", "126", "128", "131"),
    phones=(("Samsung", "SM-S921B"), ("Google", "Pixel 7"), ("Xiaomi", "2201116SG"), ("OnePlus", "CPH2449")),
)

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
