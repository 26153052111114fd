"""Papers that several entries name."""

GROVER = "Rong et al. 2020, arXiv 2007.02835"
COMPT = "Chen et al. 2021, arXiv 2107.08773"
GRAPHORMER = "Ying et al. 2021, arXiv 2106.05234"
EGT = "Hussain et al. 2022, arXiv 2108.03348"
GPS = "Rampášek et al. 2022, arXiv 2205.12454"
MAT = "Maziarka et al. 2020, arXiv 2002.08264"
