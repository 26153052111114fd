# syntax=docker/dockerfile:1
# molzoo for the CPU: docker build -t molzoo . && docker run --rm -v "$PWD:/data" molzoo train --data mine.csv
ARG PYTHON=3.11

FROM python:${PYTHON}-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# The CPU build of torch takes a tenth of the space of the one that PyPI has.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /source
COPY constraints.txt ./
RUN python -m venv /opt/molzoo \
    && /opt/molzoo/bin/pip install -c constraints.txt torch --index-url "${TORCH_INDEX}"
COPY pyproject.toml README.md LICENSE MANIFEST.in ./
COPY featurizers ./featurizers
COPY molzoo_runner ./molzoo_runner
COPY optim ./optim
COPY zoo ./zoo
RUN /opt/molzoo/bin/pip install -c constraints.txt ".[parquet,excel]" \
    && /opt/molzoo/bin/molzoo --version

FROM python:${PYTHON}-slim-bookworm
# libgomp is torch's and DGL's, the others draw molecules.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 libxrender1 libxext6 libexpat1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 molzoo \
    && install --directory --owner molzoo /data
COPY --from=build /opt/molzoo /opt/molzoo
ENV PATH=/opt/molzoo/bin:$PATH PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib
USER 1000
WORKDIR /data
ENTRYPOINT ["molzoo"]
CMD ["--help"]
