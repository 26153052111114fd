"""Reasons against taking an unnamed column for a label: its name, or the content of its cells."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd


class Doubt(NamedTuple):
    """Reason to doubt that a column is a label.

    Args:
        reason: What it looks like, such as "an identifier by its name".
        sure: Whether it is not taken even where there is no other candidate.
        computed: Whether it can be computed from the molecules, which some people do learn.
    """

    reason: str
    sure: bool = False
    computed: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Of the last word of a name: "PlateID", "batch number".
IDENTIFIERS = _words(
    "id ids idx index num nr no number row name names cas casrn casno inchi inchikey key split splits fold set "
    "subset source date year ref reference iupac formula comment comments remark remarks cid sid pmid doi barcode "
    "uid uuid"
)
# Of all words of a name.
PLACES = _words(
    "batch lot plate well rack vial tray run cluster group series replicate replicates rep order rank position "
    "entry page operator sample site block month day week timestamp experiment registration"
)
ALONG = _words("row rows col cols column columns line lines")
CONDITIONS = _words(
    "t temp temperature ph pressure time duration dose conc concentration dilution humidity wavelength purity "
    "price cost amount quantity volume"
)
SETTINGS = _words("assay exp experimental incubation reaction measurement test sample solvent buffer room final stock")
UNITS = _words(
    "k c f degc degf celsius kelvin deg h hr hrs hour hours min mins minutes s sec seconds d days bar atm pa kpa "
    "mpa mm um nm m mg g kg ug ml l mol mmol umol percent pct"
)
DESCRIPTORS = _words(
    "mw mwt molwt molweight molecularweight molarmass molecularmass molmass exactmass exactmw monoisotopicmass "
    "mass amw fw averagemass logp clogp alogp xlogp xlogp3 slogp mlogp wlogp mollogp crippenlogp crippenclogp "
    "kowwin tpsa psa polarsurfacearea hba hbd hbacceptors hbdonors numhacceptors numhdonors numberofhbonddonors "
    "numberofhbondacceptors hydrogenbonddonors hydrogenbondacceptors hbonddonors hbondacceptors rotatablebonds "
    "rotb rotbonds rb nrotb numrotatablebonds numberofrotatablebonds numrotbonds heavyatoms heavyatomcount "
    "numheavyatoms numatoms natoms atomcount numberofatoms numbonds rings ringcount nrings numrings numberofrings "
    "aromaticrings numaromaticrings fsp3 fractioncsp3 qed sascore syntheticaccessibility mr molarrefractivity "
    "molmr minimumdegree charge formalcharge netcharge numstereocenters chiralcentercount stereocenters "
    "lipinskiviolations ro5violations numlipinskiviolations"
)
FAMILIES = re.compile(
    r"^((AATSC?|ATSC?|GATS|MATS)\d+\w*|X(c|ch|p|pc)-\d+dv?|(PEOE|SMR|SlogP|EState)_?VSA_?\d+|VSA_?EState_?\d+|BCUT\w+"
    r"|Chi\d[nv]?|Kappa\d|fr_\w+|[SCB]?IC[0-5]|ZMIC[0-5]|n(Atom|HBAcc|HBDon|Rot|Ring|Bonds|Acid|Base|Hetero|Heavy)\w*"
    r"|(ECFP|FCFP|MACCS|morgan|fp|fingerprint|bits?|feat|features?|desc|descriptors?|pca?|emb|embedding|umap|tsne)"
    r"\d*[_\s-]?\d+)$",
    re.IGNORECASE,
)
SPREADS = _words("std stdev stddev sd sem stderr uncertainty error err rsd")
COUNTS = _words("n count counts")
PREDICTED = _words("predicted prediction predictions pred preds")
COMPUTED = _words("calc calculated calcd computed estimated estimate simulated")
WEIGHTS = _words("weight weights w")
CAS = re.compile(r"^\d{2,7}-\d{2}-\d$")
DATE = re.compile(r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T].*)?$|^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}$")
WELL = re.compile(r"^[A-P]\d{1,2}$")
YEARS = (1900, 2100)
DAYS = (19000101, 21001231)


def words_of(name: str) -> list[str]:
    """The words of a name in small letters, cut at capitals, digits and marks.

    Example:
        >>> words_of("PlateID_2 (mg/L)")
        ['plate', 'id', 'mg', 'l']
    """
    cut = re.sub(r"([a-z])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3 \2\4", name.replace("pH", "ph"))
    return [word for word in re.split(r"[\W\d_]+", cut.lower()) if word]


def doubt_name(name: str) -> Doubt | None:
    """Return the doubt that the name of a column raises."""
    words = words_of(name)
    bare = [word for word in words if word not in UNITS] or words
    joined = re.sub(r"\W|_", "", re.sub(r"[(\[].*?[)\]]", "", name).lower())
    if not words:
        return None
    if PREDICTED & set(words):
        return Doubt("a prediction by its name", sure=True)
    if words[-1] in IDENTIFIERS or (PLACES & set(bare) and set(bare) <= PLACES | ALONG | COUNTS):
        return Doubt("an identifier or a place by its name", sure=True)
    if joined in DESCRIPTORS or "".join(bare) in DESCRIPTORS or FAMILIES.match(name) or joined in _rdkit_names():
        return Doubt("a descriptor by its name", computed=True)
    if CONDITIONS & set(bare) and set(bare) <= CONDITIONS | SETTINGS:
        return Doubt("a condition of the measurement by its name")
    for known, what in (
        (SPREADS, "the error of a value"),
        (COMPUTED, "a computed value"),
        (WEIGHTS, "a weight"),
    ):
        if known & set(words):
            return Doubt(f"{what} by its name")
    return Doubt("a count by its name") if set(bare) <= COUNTS else None


def doubt_cells(cells: pd.Series, smallest: int = 10) -> Doubt | None:
    """Return the doubt that the cells of a column raise.

    Args:
        cells: The column.
        smallest: Rows below which whole numbers say nothing but that they count.
    """
    texts = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip()]
    for pattern, what in ((CAS, "CAS numbers"), (DATE, "dates"), (WELL, "wells of a plate")):
        if texts and sum(bool(pattern.match(text)) for text in texts) > 0.9 * len(texts):
            return Doubt(f"holds {what}", sure=True)
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    known = numbers[~np.isnan(numbers)]
    if len(known) < 2:
        return None
    if len(known) > 2 and known.min() == known.max():
        return Doubt(f"holds {known[0]:g} everywhere")
    if len(known) > 2 and len(known) == len(numbers) and (np.abs(np.diff(known)) == 1).all() and _one_way(known):
        return Doubt("numbers the rows")
    if len(known) < smallest or (known % 1 != 0).any():
        return None
    for (first, last), what in ((YEARS, "years"), (DAYS, "dates")):
        if first <= known.min() and known.max() <= last and len(np.unique(known)) > 2:
            return Doubt(f"holds {what}")
    if len(np.unique(known)) == len(known) and (_one_way(known) or known.max() >= 10_000):
        return Doubt("has another whole number in every row, as identifiers do")
    return None


def _one_way(numbers: np.ndarray) -> bool:
    steps = np.diff(numbers)
    return bool((steps > 0).all() or (steps < 0).all())


def _rdkit_names() -> frozenset[str]:
    """Names of RDKit's descriptors in small letters."""
    from rdkit.Chem import Descriptors  # takes a moment, and only guesses need it

    return frozenset(name.lower().replace("_", "") for name, _ in Descriptors.descList)
