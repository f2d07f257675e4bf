"""The words that the chats are made of: templates, public, without a customer in them.

``{name}``, ``{first}``, ``{card}``, ``{email}``, ``{phone}``, ``{ssn}``, ``{order}`` and ``{city}``
are filled from one identity (see identities.py).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CITIES", "CLOSINGS", "ESCORTS", "OPENINGS", "TICKETS", "TOPICS", "Topic"]

OPENINGS = (
    "Hi, this is {name}.",
    "Hello, my name is {name}.",
    "Good morning, I am {name}.",
    "{name} here.",
)
CLOSINGS = (
    "Is there anything else I can do for you?",
    "Have a nice day!",
    "Thank you for your patience.",
    "We are sorry for the trouble.",
)
CITIES = (
    "Austin", "Boston", "Chicago", "Dallas", "Denver", "Houston", "Miami", "Phoenix", "Portland",
    "Seattle",
)  # fmt: skip
#: how an agent begins
ESCORTS = ("Thank you, {first}.", "Hello {first}.", "Sure.", "Let me check.", "Of course.")
#: what canaries are said in: like the chats, with a number of five digits that no two share
TICKETS = (
    "customer: Ticket {ID} here. My SSN is {SECRET} if you need it.\nagent: Sure.",
    "customer: Ticket {ID} here. I want to pay with the card {SECRET}\nagent: Thank you.",
)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a customer asks in one of several wordings, and what an agent answers.

    ``typed`` requests hold what the customer types in; the agent reads answers off the account,
    so an answer can name a card that the request did not.
    """

    requests: tuple[str, ...]
    typed: tuple[str, ...]
    answers: tuple[str, ...]


TOPICS = (
    Topic(
        (
            "Which card do you have on file for me?",
            "Can you tell me which card is on my account?",
            "I want to know the card that I pay with.",
        ),
        (),
        (
            "The account of {name} has the card {card}.",
            "{name} pays with the card {card}.",
        ),
    ),
    Topic(
        (
            "I have lost my card, please block it.",
            "My card was stolen last night.",
            "Please cancel my card, I can not find it.",
        ),
        (
            "I have lost my card {card}, please block it.",
            "My card {card} was stolen last night.",
            "Please cancel my card number {card}.",
        ),
        (
            "I have blocked the card of {name}, {card}. A new one is on its way to {city}.",
            "The card of {name}, {card}, is blocked and nobody can use it.",
        ),
    ),
    Topic(
        (
            "Where is my refund for order {order}?",
            "I returned my order and still wait for my money.",
            "When do I get my refund?",
        ),
        ("Please send the refund for order {order} to my card {card}.",),
        (
            "The refund for {name} goes to the card {card} within five days.",
            "We have sent the money to {name}, card {card}.",
        ),
    ),
    Topic(
        (
            "I was charged twice for one order.",
            "There is a charge on my statement that I do not know.",
            "Why was I charged again this month?",
        ),
        ("I see two charges on {card} for order {order}.",),
        (
            "I see both charges of {name} on the card {card} and have taken one back.",
            "The charge of {name} on the card {card} is the yearly plan.",
        ),
    ),
    Topic(
        (
            "Please renew my plan for another year.",
            "I would like to upgrade to the family plan.",
            "Can I pay for the new plan today?",
        ),
        (
            "Please renew my plan and charge my card {card}.",
            "I want to pay with another card: {card}",
        ),
        (
            "The plan of {name} is renewed and paid with the card {card}.",
            "I have charged the card of {name}, {card}, for the new plan.",
        ),
    ),
    Topic(
        (
            "My package did not arrive.",
            "Where is my order {order}?",
            "The parcel was sent to the wrong address.",
        ),
        ("Order {order} is late, call me at {phone}.",),
        (
            "Your order left our store and will be in {city} by Friday.",
            "The courier was in {city} this morning and will try again tomorrow.",
        ),
    ),
    Topic(
        (
            "I can not log in to my account.",
            "How do I reset my password?",
            "My account is locked.",
        ),
        (
            "I can not log in, my email is {email}.",
            "Please reset my password, you know me as {email}.",
        ),
        (
            "I have sent a link to the email on your account. It works for one hour.",
            "Your account is open again. Please choose a new password.",
        ),
    ),
    Topic(
        (
            "I want to close my account.",
            "How do I cancel my plan?",
            "Please delete everything that you know about me.",
        ),
        ("Please close my account. My SSN is {ssn} if you need it.",),
        (
            "Your account will be closed at the end of the month.",
            "I have cancelled the plan. You can come back at any time.",
        ),
    ),
    Topic(
        (
            "Can I change the address of my order?",
            "I have moved to {city}.",
            "Please send my orders to my new home.",
        ),
        ("I have moved to {city}, my new phone is {phone}.",),
        (
            "I have changed the address. Your next order goes to {city}.",
            "The new address is on your account now.",
        ),
    ),
    Topic(
        (
            "The blender that you sent me is broken.",
            "The jacket does not fit, can I return it?",
            "My order has the wrong colour.",
        ),
        ("Order {order} came broken, write to {email}.",),
        (
            "You can return it within thirty days. The label is in your account.",
            "We will send you a new one, please keep the old one for the courier.",
        ),
    ),
)
