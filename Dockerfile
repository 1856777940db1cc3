# syntax=docker/dockerfile:1
# The connector as an image: small, not root, fine with a read-only root file system. docs/operations.md says how to run it.

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/build && python -m venv /opt/idc-connector
COPY requirements.lock requirements-build.lock ./
RUN /opt/idc-connector/bin/pip install --require-hashes --no-deps -r requirements.lock \
    && /opt/build/bin/pip install --require-hashes --no-deps -r requirements-build.lock
COPY pyproject.toml README.md ./
COPY connector ./connector
# The project itself, built without the network and with nothing that the lock files do not name.
RUN /opt/build/bin/hatchling build -t wheel -d /wheel \
    && /opt/idc-connector/bin/pip install --no-deps --no-index /wheel/*.whl \
    && /opt/idc-connector/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="idc-connector" \
      org.opencontainers.image.description="SailPoint's standard connector commands on AWS IAM Identity Center" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Proprietary"
ENV PATH=/opt/idc-connector/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/idc-connector \
    CONNECTOR_STORE_URL=sqlite:////var/lib/idc-connector/connector.db
RUN groupadd --gid 10001 connector \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/idc-connector --shell /usr/sbin/nologin connector \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/idc-connector
COPY --from=build /opt/idc-connector /opt/idc-connector
USER 10001:10001
WORKDIR /var/lib/idc-connector
VOLUME ["/var/lib/idc-connector"]
EXPOSE 8080
STOPSIGNAL SIGTERM
# No curl in the image. The process alone is asked: neither AWS nor the store can make a healthy process look dead.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, ssl, sys, http.client as h; tls = os.environ.get('CONNECTOR_TLS_CERT') or os.environ.get('CONNECTOR_TLS_CERT_FILE'); c = h.HTTPSConnection('127.0.0.1', 8080, timeout=4, context=ssl._create_unverified_context()) if tls else h.HTTPConnection('127.0.0.1', 8080, timeout=4); c.request('GET', '/livez'); sys.exit(c.getresponse().status != 200)"]
# gunicorn runs inside this process, so it is PID 1. Off loopback `serve` wants CONNECTOR_TLS_CERT and CONNECTOR_TLS_KEY,
# or, behind a reverse proxy that does TLS, the argument --behind-proxy; it says so and stops otherwise.
ENTRYPOINT ["idc-connector"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
