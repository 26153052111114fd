from .tuning import Tuning as Tuning
from .tuning import best_recipe as best_recipe
from .tuning import tune as tune
