from .attribution import Attribution as Attribution
from .explain import explain as explain
from .explanation import Explanation as Explanation
from .explanation import Explanations as Explanations
from .games import Game as Game
from .games import make_game as make_game
