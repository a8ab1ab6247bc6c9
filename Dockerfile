# syntax=docker/dockerfile:1
# The service in a container: nothing but Python, the locked packages and vaultsigner; no shell needed, no root.
#
# Debian, not Alpine: custody relies on glibc's allocator settings, which musl does not have.
# A tag can move. Name the image by digest in your own builds: --build-arg PYTHON_IMAGE=python@sha256:..., and
# NODE_IMAGE in the same way.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG NODE_IMAGE=node:24-bookworm-slim

# What the console draws its plot with, checked against the hash in its lock file; nothing else of this stage goes further.
FROM ${NODE_IMAGE} AS parts
WORKDIR /parts
COPY vaultsigner/server/console/parts/package.json vaultsigner/server/console/parts/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python -m venv /opt/vaultsigner && python -m venv /opt/build
WORKDIR /src
COPY requirements.lock requirements-demo.lock ./
RUN /opt/vaultsigner/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
# The build tool comes from the lock as well, with its hashes, and stays in this stage.
RUN sed -n '/^setuptools==/,/[^\\]$/p' requirements-demo.lock > build.lock \
 && /opt/build/bin/pip install --require-hashes -r build.lock
COPY pyproject.toml README.md LICENSE ./
COPY vaultsigner vaultsigner
COPY --from=parts /parts/node_modules/uplot/dist/uPlot.esm.js vaultsigner/server/console/vendor/uplot.js
COPY --from=parts /parts/node_modules/uplot/dist/uPlot.min.css vaultsigner/server/console/vendor/uplot.css
COPY --from=parts /parts/node_modules/uplot/LICENSE vaultsigner/server/console/vendor/uplot-license.txt
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist . \
 && /opt/vaultsigner/bin/pip install --no-deps --no-index /dist/*.whl \
 && /opt/vaultsigner/bin/pip uninstall --yes pip

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 vaultsigner \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /srv/vaultsigner --shell /usr/sbin/nologin vaultsigner \
 && install -d -o 10001 -g 10001 -m 0700 /srv/vaultsigner /srv/vaultsigner/state /srv/vaultsigner/audit
COPY --from=build /opt/vaultsigner /opt/vaultsigner
COPY policies /srv/vaultsigner/policies
# Inside a container loopback is nobody; publish the port to your TLS proxy alone. The ops port stays on loopback.
ENV PATH=/opt/vaultsigner/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    VAULTSIGNER_SERVER__LISTEN=0.0.0.0:8000
WORKDIR /srv/vaultsigner
USER 10001:10001
VOLUME ["/srv/vaultsigner/state", "/srv/vaultsigner/audit"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9100/healthz', timeout=2)"]
ENTRYPOINT ["vaultsigner"]
CMD ["serve"]

# docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#   -v ./config:/srv/vaultsigner/config:ro -v /run/vault:/run/vault:ro \
#   -v vs-state:/srv/vaultsigner/state -v vs-audit:/srv/vaultsigner/audit -p 127.0.0.1:8000:8000 vaultsigner
