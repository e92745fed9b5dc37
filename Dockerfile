# Two images: `covenant` runs every command; `opa` is the policy engine with the policies of the same tree in it, so that
# the revision it answers with is the one the worker asks for.

FROM openpolicyagent/opa:1.22.2-static AS opa-program

# Everything the lock file names is fetched and checked by hash here; only what the program needs leaves this stage.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc g++ libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements.lock ./
RUN python -m pip wheel --quiet --no-cache-dir --require-hashes --wheel-dir /wheels --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY engine engine
COPY streams streams
COPY policies policies
COPY examples examples
RUN python -m pip install --quiet --no-cache-dir --no-index --find-links /wheels hatchling editables \
    && python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels . \
    && python -m venv /opt/covenant \
    && /opt/covenant/bin/pip install --quiet --no-cache-dir --no-index --find-links /wheels covenant

FROM python:3.11-slim-bookworm AS covenant
COPY --from=opa-program /opa /usr/local/bin/opa
COPY --from=build /opt/covenant /opt/covenant
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin covenant \
    && install --directory --owner covenant --group covenant --mode 0700 /var/lib/covenant
ENV PATH=/opt/covenant/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 COVENANT_HOME=/var/lib/covenant
WORKDIR /var/lib/covenant
USER 10001:10001
ENTRYPOINT ["covenant"]
CMD ["--help"]

FROM covenant AS bundle
RUN covenant --quiet policy build --output /var/lib/covenant/bundle

FROM opa-program AS opa
COPY --from=bundle /var/lib/covenant/bundle /bundle
USER 10001:10001
ENTRYPOINT ["/opa"]
CMD ["run", "--server", "--addr", "0.0.0.0:8181", "--log-level", "error", "--skip-version-check", "/bundle"]
