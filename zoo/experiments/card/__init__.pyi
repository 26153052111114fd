from .card import Card as Card
from .card import CardOptions as CardOptions
from .card import try_card as try_card
from .card import write_card as write_card
from .source import CardSource as CardSource
