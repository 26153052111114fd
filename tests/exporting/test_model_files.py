"""Files that somebody may send: damaged, changed, or made to harm; each is refused in one line."""

import io
import json
import re
import struct
import zipfile

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import molzoo_runner
from molzoo_runner import ModelFileError
from molzoo_runner.archive import MANIFEST, read_archive
from molzoo_runner.graph_check import check_model
from molzoo_runner.manifest import checksum


def refusal(path):
    with pytest.raises(ModelFileError) as caught:
        molzoo_runner.load(path, threads=1)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 600 + len(str(path))
    assert str(path) in text
    return text


def members_of(exported):
    with zipfile.ZipFile(exported) as file:
        return {name: file.read(name) for name in file.namelist()}


def rewrite(place, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(place, "w", compression) as file:
        for name, each in content.items():
            file.writestr(name, each)
    return place


def changed(exported, place, change, graph=None):
    """A zip whose manifest was changed by a function, and whose graph may be another, with the checksum it needs."""
    content = members_of(exported)
    manifest = json.loads(content[MANIFEST])
    if graph is not None:
        content["model.onnx"] = graph
        manifest["members"][0] |= {"sha256": checksum(graph), "size": len(graph)}
    change(manifest)
    content[MANIFEST] = json.dumps(manifest).encode()
    return rewrite(place, content)


def test_a_file_that_is_something_else(tmp_path):
    for number, content in enumerate(
        (b"", b"PK", b"PK\x03\x04" + b"\0" * 40, b"smiles\nCCO\n", b"\x80\x04pickle", b"\xff" * 99)
    ):
        place = tmp_path / f"{number}.zip"
        place.write_bytes(content)
        refusal(place)


def test_any_cut_and_any_flipped_byte_is_noticed_or_harmless(exported, exported_onnx, tmp_path):
    expected = molzoo_runner.load(exported, threads=1).predict(["CCO"])
    random = np.random.default_rng(0)
    for source in (exported, exported_onnx):
        content = source.read_bytes()
        for cut in random.integers(0, len(content), 10):
            (tmp_path / "cut").write_bytes(content[:cut])
            refusal(tmp_path / "cut")
        for at in random.integers(0, len(content), 40):
            flipped = bytearray(content)
            flipped[at] ^= 1 << int(random.integers(8))
            (tmp_path / "flipped").write_bytes(flipped)
            try:
                found = molzoo_runner.load(tmp_path / "flipped", threads=1).predict(["CCO"])
            except ModelFileError:
                continue
            np.testing.assert_array_equal(found, expected)  # a date in the zip, a version in the manifest


def test_a_changed_graph_or_card_has_another_checksum(exported, exported_onnx, tmp_path):
    content = members_of(exported)
    weights = bytearray(content["model.onnx"])
    weights[len(weights) // 2] ^= 1
    place = rewrite(tmp_path / "model.zip", {**content, "model.onnx": bytes(weights)})
    assert "model.onnx has another checksum" in refusal(place)
    graph = bytearray(exported_onnx.read_bytes())
    graph[len(content["model.onnx"]) // 2] ^= 1
    (tmp_path / "model.onnx").write_bytes(graph)
    assert "another checksum" in refusal(tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["../evil.onnx", "/etc/passwd", "model-0.onnx/../../x", "C:\\x.onnx", "data.pkl"])
def test_names_of_other_files_are_refused(exported, tmp_path, name):
    place = rewrite(tmp_path / "model.zip", {**members_of(exported), name: b"x"})
    assert "which molzoo never writes" in refusal(place)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["model.zip"]


def test_compressed_files_and_declared_sizes_are_refused(exported, tmp_path):
    content = members_of(exported)
    bomb = {**content, "model.onnx": b"\0" * 50_000_000}
    assert "compressed" in refusal(rewrite(tmp_path / "bomb.zip", bomb, zipfile.ZIP_DEFLATED))
    raw = bytearray(exported.read_bytes())
    at = raw.rindex(b"PK\x01\x02")  # the entry of the graph in the directory
    raw[at + 20 : at + 28] = struct.pack("<II", 0xFFFFFFF0, 0xFFFFFFF0)
    (tmp_path / "large.zip").write_bytes(raw)
    assert "declares more bytes than it has" in refusal(tmp_path / "large.zip")
    raw[at + 20 : at + 28] = struct.pack("<II", 100, 0xFFFFFFF0)
    (tmp_path / "two.zip").write_bytes(raw)
    assert "two different sizes" in refusal(tmp_path / "two.zip")


def test_files_that_are_missing_or_too_many(exported, tmp_path):
    content = members_of(exported)
    assert "no manifest.json" in refusal(rewrite(tmp_path / "1.zip", {"model.onnx": content["model.onnx"]}))
    assert "other files than its manifest" in refusal(rewrite(tmp_path / "2.zip", {MANIFEST: content[MANIFEST]}))
    more = {**content, "card.md": b"# A card"}
    assert "other files than its manifest" in refusal(rewrite(tmp_path / "3.zip", more))
    many = {**content, **{f"model-{n}.onnx": b"" for n in range(99)}}
    assert "too many files" in refusal(rewrite(tmp_path / "4.zip", many))


def set_in(path, value):
    """A change of a manifest: the value at a path of keys."""

    def change(manifest):
        *before, last = path
        place = manifest
        for key in before:
            place = place[key]
        if value is KeyError:
            del place[last]
        else:
            place[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], 99),
        (["format"], None),
        (["members"], "model.onnx"),
        (["members"], []),
        (["members", 0], 7),
        (["members", 0, "weight"], "much"),
        (["members", 0, "weight"], 0.5),
        (["members", 0, "weight"], float("nan")),
        (["members", 0, "weight"], 10**400),
        (["members", 0, "file"], "../../model.onnx"),
        (["members", 0, "file"], 3),
        (["members", 0, "size"], -1),
        (["members", 0, "inputs"], ["atoms.feat", "nothing"]),
        (["members", 0, "inputs"], 5),
        (["members", 0, "featurizer"], "os.system"),
        (["members", 0, "featurizer"], "read_molecule"),
        (["members", 0, "featurizer"], "Featurizer"),
        (["members", 0, "featurizer_options"], {"nonsense": 1}),
        (["members", 0, "featurizer_options"], {"max_atoms": 10**12}),
        (["members", 0, "featurizer_options"], {"hydrogens": "atoms"}),
        (["members", 0, "featurizer_options"], []),
        (["members", 0, "fingerprint"], "0" * 64),
        (["members", 0, "surprise"], 1),
        (["members", 0, "model"], KeyError),
        (["tasks"], {}),
        (["tasks", 0, "name"], ["a"]),
        (["tasks", 0, "labels"], "tea leaves"),
        (["tasks", 0, "width"], 10**9),
        (["tasks", 0, "width"], True),
        (["tasks", 0, "words"], [1, 2]),
        (["outputs"], ["values", "secrets"]),
        (["outputs"], []),
        (["by_class"], "no"),
        (["columns"], ["one"]),
        (["columns"], ["a" * 10_000, "b"]),
        (["cards"], {"card.md": 5}),
        (["cards"], {"card.md": "0" * 64}),
        (["versions"], []),
        (["calibration"], 3),
        (["calibration"], {"probabilities": "magic"}),
        (["calibration", "scores"], [["a"], []]),
        (["calibration", "scores"], [[0.1]]),
        (["calibration", "states"], [{}, {}]),
        (["calibration", "states"], [{"temperature": 0}, None]),
        (["surprise"], 1),
    ],
    ids=str,
)
def test_a_manifest_with_something_else_in_it(exported, tmp_path, path, value):
    refusal(changed(exported, tmp_path / "model.zip", set_in(path, value)))


def test_a_manifest_that_is_no_json(exported, tmp_path):
    content = members_of(exported)
    for number, text in enumerate((b"{", b"[1]", b"\xff", b"[" * 100_000)):
        assert "manifest" in refusal(rewrite(tmp_path / f"{number}.zip", {**content, MANIFEST: text}))


def graph_with(exported, change):
    model = onnx.load_from_string(members_of(exported)["model.onnx"])
    change(model)
    return model.SerializeToString()


def with_nan(model):
    weight = next(each for each in model.graph.initializer if each.data_type == TensorProto.FLOAT)
    values = numpy_helper.to_array(weight).copy()
    values.flat[0] = np.nan
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))


def with_external_weights(model):
    weight = next(each for each in model.graph.initializer if each.data_type == TensorProto.FLOAT)
    onnx.external_data_helper.set_external_data(weight, location="../../etc/passwd")
    weight.ClearField("raw_data")


def with_loop(model):
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["", ""], [], body=body))


def with_own_operation(model):
    model.graph.node.append(helper.make_node("Evil", [], ["x"], domain="com.evil"))


def with_hidden_graph(model):
    model.graph.node[0].attribute.append(helper.make_attribute("g", helper.make_graph([], "g", [], [])))


def with_function(model):
    model.functions.append(helper.make_function("own", "F", [], ["y"], [], [helper.make_opsetid("", 20)]))


def with_sparse_weights(model):
    model.graph.sparse_initializer.add()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (with_nan, r"not numbers \(NaN\)"),
        (with_external_weights, "lie in another file"),
        (with_loop, "operation 'Loop'"),
        (with_own_operation, "com.evil.Evil"),
        (with_hidden_graph, "another graph inside"),
        (with_function, "functions of its own"),
        (with_sparse_weights, "sparse"),
        (lambda model: model.graph.output.pop(), "other inputs or outputs|cannot read"),
        (lambda model: model.graph.node.pop(), "cannot read"),
        (lambda model: model.ClearField("graph"), "no ONNX graph"),
    ],
)
def test_graphs_that_are_not_run(exported, tmp_path, change, reason):
    graph = graph_with(exported, change)
    assert re.search(reason, refusal(changed(exported, tmp_path / "model.zip", lambda manifest: None, graph)))


def test_a_graph_of_another_shape_is_noticed(exported, tmp_path):
    def one_task(manifest):
        manifest["tasks"], manifest["columns"], manifest["calibration"] = manifest["tasks"][:1], ["toxic"], {}

    assert "another shape" in refusal(changed(exported, tmp_path / "model.zip", one_task))


def test_what_molzoo_writes_is_accepted_and_cards_are_kept(exported, tmp_path):
    archive = read_archive(exported)
    check_model(archive.graphs["model.onnx"])
    card = b"# Card"
    place = changed(
        exported, tmp_path / "x.zip", lambda manifest: manifest["cards"].update({"card.md": checksum(card)})
    )
    rewrite(place, {**members_of(place), "card.md": card})
    assert molzoo_runner.load(place).cards == {"card.md": "# Card"}


def test_random_bytes_never_escape_as_another_error():
    random = np.random.default_rng(1)
    for _ in range(300):
        with pytest.raises(ModelFileError):
            check_model(io.BytesIO(random.bytes(int(random.integers(1, 60)))).getvalue() + b"\x07")
