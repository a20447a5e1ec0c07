# vLLM on CPU (x86_64), for machines without a GPU. With one: the official image, vllm/vllm-openai.
FROM python:3.11-slim AS build
# An extra package index that offers the CPU build of torch; empty takes what the default one has.
ARG TORCH_INDEX=
RUN python -m venv /venv
COPY locks/engine-cpu.txt locks/engine-vllm.txt /locks/
# In this order and without dependencies: see locks/engine-cpu.txt.
RUN pip="/venv/bin/pip install --no-cache-dir --disable-pip-version-check" \
    && $pip ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch==2.13.0 \
    && $pip --no-deps -r /locks/engine-cpu.txt \
    && $pip --no-deps --require-hashes -r /locks/engine-vllm.txt
COPY engine /engine
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation /engine

FROM python:3.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libnuma1 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --user-group --create-home dormouse
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HF_HUB_OFFLINE=1 \
    VLLM_NO_USAGE_STATS=1
USER 10001:10001
WORKDIR /home/dormouse
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=180s --retries=3 CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=5)"]
# `vllm serve` fails with this wheel, whose distribution is not named `vllm`.
ENTRYPOINT ["python", "-m", "vllm.entrypoints.openai.api_server"]
