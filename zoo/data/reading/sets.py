"""Data sets that molzoo knows by name: their places and contents."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from zoo.data.errors import DataNotFoundError

EMBEDDED = Path(__file__).parent / "embedded"
CLASSES, NUMBERS = "classification", "regression"
TOX21_TASKS = (
    *("NR-AR", "NR-AR-LBD", "NR-AhR", "NR-Aromatase", "NR-ER", "NR-ER-LBD", "NR-PPAR-gamma"),
    *("SR-ARE", "SR-ATAD5", "SR-HSE", "SR-MMP", "SR-p53"),
)
QM8_TASKS = tuple(f"{quantity}-{method}" for method in ("CC2", "PBE0", "CAM") for quantity in ("E1", "E2", "f1", "f2"))
QM9_TASKS = ("mu", "alpha", "homo", "lumo", "gap", "r2", "zpve", "cv", "u0", "u298", "h298", "g298")


@dataclass(frozen=True)
class KnownSet:
    """One data set.

    Args:
        name: What users call it.
        file: The table; for embedded sets, in the package.
        task: Kind of target.
        metric: The one that MoleculeNet reports.
        tasks: Label columns; `None` takes all columns but the SMILES and `ignored`.
        summary: One line.
        smiles_column: Of the table.
        ignored: Columns that are neither molecule nor label.
        gzipped: Whether the host of MoleculeNet keeps it as `<file>.gz`.
        embedded: Whether it is in the package.
    """

    name: str
    file: str
    task: str
    metric: str
    tasks: tuple[str, ...] | None
    summary: str
    smiles_column: str = "smiles"
    ignored: tuple[str, ...] = ()
    gzipped: bool = False
    embedded: bool = False


SHA256 = {
    "BBBP.csv": "d07a38487aeac5cee5508413e468043ef3097451d2a112701c2d60be9ec6b662",
    "bace.csv": "847be1e38d3798c60df03e1aaf2ccd0f09f9ed89407de78e80463aa637088532",
    "clintox.csv": "9999816e760dd838358b5d88e81cea2fc062be4458ffa412ceecdba4f88a67b6",
    "sider.csv": "71efc6ac4ca82d6545bc512509863281be0f17234afd7adaf71a71899988302e",
    "tox21.csv": "7d7e7facd853a63e79ddce4e9c3fcb7a0d83a1c300b603031c0f2c64fbe77761",
    "delaney-processed.csv": "8c06a76f0c6487d29ab0f903e6a7a7139f189ab3c1178f159c8be8964602f189",
    "SAMPL.csv": "ab5895d914ee87cb563bd7b9611e869527bba45bec6b014d34dc495a0f9dcb72",
    "Lipophilicity.csv": "aed41590cb30609d51d8e08ad3ff06495a76e80e211358801f596b10da69bacd",
    "qm7.csv": "eb793e3172c4a74cfb74ef805e6cdea79d1db16fd1f40a42f459297ad6457548",
    "qm8.csv": "964558dcd6982d82871fd11f3cb24adb8de052bfe59d0a30ad6a7645d7e7665d",
}
ENTRIES = (
    KnownSet(
        "b3db",
        "b3db.csv.gz",
        CLASSES,
        "roc_auc",
        ("bbb",),
        "crosses the blood-brain barrier (Meng et al. 2021)",
        embedded=True,
    ),
    KnownSet(
        "bbbp", "BBBP.csv", CLASSES, "roc_auc", ("p_np",), "crosses the blood-brain barrier (Martins et al. 2012)"
    ),
    KnownSet(
        "bace",
        "bace.csv",
        CLASSES,
        "roc_auc",
        ("Class",),
        "inhibits beta-secretase 1 (Subramanian et al. 2016)",
        smiles_column="mol",
    ),
    KnownSet(
        "clintox",
        "clintox.csv",
        CLASSES,
        "roc_auc",
        ("FDA_APPROVED", "CT_TOX"),
        "approved, or failed in trials for toxicity",
        gzipped=True,
    ),
    KnownSet("sider", "sider.csv", CLASSES, "roc_auc", None, "side effects by organ class, 27 (SIDER 4)", gzipped=True),
    KnownSet(
        "tox21",
        "tox21.csv",
        CLASSES,
        "roc_auc",
        TOX21_TASKS,
        "nuclear receptor and stress response assays, 12",
        ignored=("mol_id",),
        gzipped=True,
    ),
    KnownSet("toxcast", "toxcast_data.csv", CLASSES, "roc_auc", None, "in vitro toxicology assays, 617", gzipped=True),
    KnownSet(
        "hiv", "HIV.csv", CLASSES, "roc_auc", ("HIV_active",), "inhibits HIV replication (NCI)", ignored=("activity",)
    ),
    KnownSet(
        "muv", "muv.csv", CLASSES, "prc_auc", None, "virtual screening, 17 assays", ignored=("mol_id",), gzipped=True
    ),
    KnownSet("pcba", "pcba.csv", CLASSES, "prc_auc", None, "PubChem bioassays, 128", ignored=("mol_id",), gzipped=True),
    KnownSet(
        "esol",
        "delaney-processed.csv",
        NUMBERS,
        "rmse",
        ("measured log solubility in mols per litre",),
        "log10 of solubility in mol/L (Delaney 2004)",
    ),
    KnownSet(
        "freesolv", "SAMPL.csv", NUMBERS, "rmse", ("expt",), "hydration free energy in kcal/mol (Mobley & Guthrie 2014)"
    ),
    KnownSet("lipophilicity", "Lipophilicity.csv", NUMBERS, "rmse", ("exp",), "log D at pH 7.4 (ChEMBL)"),
    KnownSet("qm7", "qm7.csv", NUMBERS, "mae", ("u0_atom",), "atomization energy in kcal/mol (Rupp et al. 2012)"),
    KnownSet("qm8", "qm8.csv", NUMBERS, "mae", QM8_TASKS, "excited states by three methods (Ramakrishnan et al. 2015)"),
    KnownSet("qm9", "qm9.csv", NUMBERS, "mae", QM9_TASKS, "ground-state properties (Ramakrishnan et al. 2014)"),
)
KNOWN_SETS = {entry.name: entry for entry in ENTRIES}


def list_datasets() -> list[str]:
    """Names that `load` knows.

    Example:
        >>> list_datasets()[0]
        'b3db'
    """
    return list(KNOWN_SETS)


def find_in_folder(entry: KnownSet, folder: str | os.PathLike[str]) -> Path:
    """The file of a set in the user's folder, plain or gzipped, however its name is capitalised.

    Raises:
        DataNotFoundError: The folder or the file is not there.
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise DataNotFoundError(f"data folder {place} does not exist: correct data_dir= or MOLZOO_DATA")
    wanted = (entry.file.lower(), entry.file.lower() + ".gz")
    found = [path for path in sorted(place.iterdir()) if path.name.lower() in wanted]
    if not found:
        raise DataNotFoundError(
            f"data set {entry.name!r}: no {entry.file} or {entry.file}.gz in {place}: put it there, or leave out "
            "data_dir= and MOLZOO_DATA to download it"
        )
    return found[0]
