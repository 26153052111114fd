"""`molzoo card RUN`."""

from __future__ import annotations

from zoo.commands.parser import CommandParser

DESCRIPTION = """Write the card of a run: how good it is next to a random forest, whether it knows how sure it is, where
it is wrong, what it was trained on, and its limits. `molzoo train` does so at its end.

examples:
  molzoo card runs/b3db-grover-graphsam-seed0
  molzoo card runs/my-gcn-adam-seed0 --data moved/my.csv --no-forest"""


def main(arguments: list[str]) -> None:
    """Write the cards and print their headlines."""
    parser = CommandParser(prog="molzoo card", description=DESCRIPTION)
    parser.add_argument("run", help="folder of a run or an ensemble")
    parser.add_option("--no_forest", action="store_true", help="train no random forest for comparison")
    parser.add_option("--data", type=str | None, metavar="FILE", help="new place of the run's data")
    parser.add_option("--device", default="auto", help="auto, cpu, cuda, cuda:1, ...")
    parser.add_trust()
    options = parser.parse_command(arguments)

    from zoo.experiments.card import CardOptions
    from zoo.experiments.card_of_run import write_cards

    for card in write_cards(
        options.run, CardOptions(forest=not options.no_forest), data=options.data, device=options.device,
        trust=options.trust,
    ):  # fmt: skip
        print(f"{card.source.place.card('.html')}: {card.headline}")
