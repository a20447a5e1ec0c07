# The API, and the migrations. No torch in here.
FROM python:3.11-slim AS build
RUN python -m venv /venv
COPY locks/api.txt /locks/api.txt
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /locks/api.txt

FROM python:3.11-slim
RUN useradd --system --uid 10001 --user-group --no-create-home dormouse \
    && install -d -o dormouse -g dormouse /var/lib/dormouse/adapters /var/lib/dormouse/spool
COPY --from=build /venv /venv
WORKDIR /app
COPY shared shared
COPY api api
COPY migrations migrations
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DORMOUSE_ADAPTERS_DIR=/var/lib/dormouse/adapters \
    DORMOUSE_SPOOL_DIR=/var/lib/dormouse/spool
USER 10001:10001
EXPOSE 8400
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8400/livez', timeout=5)"]
CMD ["python", "-m", "api", "--host", "0.0.0.0", "--port", "8400", "--drain-s", "30"]
