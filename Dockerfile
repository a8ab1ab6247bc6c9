# The service in a container: Python, the locked packages and vaultsigner; no root, and nothing that needs a shell.
#
# Debian, not Alpine: custody relies on glibc's allocator settings, which musl does not have.
# Images are named by digest, which cannot move; the tag beside it is for people and for tools that renew both (docs/deployment.md,
# "Images"). Renew them often: the base's security updates come this way alone.
ARG PYTHON_IMAGE=python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
ARG NODE_IMAGE=node:24.18.0-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d

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
# Compiled here, once: the root file system is read-only later.
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist . \
 && /opt/vaultsigner/bin/pip install --no-deps --no-index /dist/*.whl \
 && /opt/vaultsigner/bin/pip uninstall --yes pip setuptools \
 && /opt/vaultsigner/bin/python -m compileall -q /opt/vaultsigner/lib

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
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["vaultsigner", "healthcheck"]
# The launcher starts server and custody, restarts custody, hands signals on and ends both in order. As number 1 it has nobody
# else to bury; --init puts the engine's own init in front of it, as compose.yaml does.
STOPSIGNAL SIGTERM
ENTRYPOINT ["vaultsigner"]
CMD ["serve"]

# docker run --init --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#   -v ./config:/srv/vaultsigner/config:ro -v /run/vault:/run/vault:ro \
#   -v vs-state:/srv/vaultsigner/state -v vs-audit:/srv/vaultsigner/audit -p 127.0.0.1:8000:8000 vaultsigner
