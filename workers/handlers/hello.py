"""The smallest handler there is: copy it to begin with."""

from workers.api import Context, Message


def greet(message: Message, context: Context) -> dict[str, str]:
    """Greet whoever the message is about. A plain function: it runs in a thread, so it may block."""
    name = message.traits.get("name") or message.user_id or "stranger"
    context.log.info("hello, %s", name)
    return {"greeting": f"Hello, {name}!"}
