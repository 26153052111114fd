import pytest

from zoo.registry.registry import Entry, Registry, UnknownName


@pytest.fixture
def registry() -> Registry:
    registry: Registry = Registry("model")
    registry.add(Entry("graph_former", "collections:OrderedDict", "an example"))
    return registry


@pytest.mark.parametrize("name", ["graph_former", "Graph-Former", " GRAPH FORMER "])
def test_lookup_folds_case_hyphens_and_spaces(registry: Registry, name: str) -> None:
    assert registry[name].name == "graph_former"
    assert name in registry


def test_unknown_name_gives_the_closest_match_and_all_names(registry: Registry) -> None:
    with pytest.raises(UnknownName, match=r"'grphformer'.*Did you mean 'graph_former'.*Known: graph_former"):
        registry["grphformer"]


def test_duplicate_registration_is_an_error(registry: Registry) -> None:
    with pytest.raises(ValueError, match="registered already"):
        registry.add(Entry("graph_former", dict, "again"))


@pytest.mark.parametrize("name", ["Graph", "2d", "a-b", ""])
def test_entry_names_are_plain(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        Entry(name, dict, "")


def test_entries_are_immutable_and_resolve_their_target(registry: Registry) -> None:
    from collections import OrderedDict

    entry = registry["graph_former"]
    assert entry.resolve() is OrderedDict
    with pytest.raises(AttributeError):
        entry.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        entry.defaults["x"] = 1  # type: ignore[index]
