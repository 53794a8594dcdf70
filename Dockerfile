# One image, two commands: `hookyard receiver` and `hookyard workers`.
FROM python:3.12-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/hookyard
ENV PATH=/opt/hookyard/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# The dependencies are a layer of their own: it is built again only when they change.
COPY pyproject.toml .
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
 && pip install --requirement requirements.txt
COPY README.md LICENSE ./
COPY receiver receiver
COPY workers workers
RUN pip install --no-deps . && python -m compileall -q /opt/hookyard/lib

FROM python:3.12-slim-bookworm
RUN groupadd --gid 10001 hookyard \
 && useradd --uid 10001 --gid hookyard --home-dir /app --no-create-home --shell /usr/sbin/nologin hookyard
COPY --from=build /opt/hookyard /opt/hookyard
ENV PATH=/opt/hookyard/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOOKYARD_HOST=0.0.0.0

# Mount your own routes.yaml over this one, and your handler modules beside it.
WORKDIR /app
COPY routes.yaml .
USER hookyard
EXPOSE 8000

# For the receiver; whoever starts `hookyard workers` from this image sets another one (see compose.yaml).
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('HOOKYARD_PORT') or 8000}/livez\", timeout=2)"]
CMD ["hookyard", "receiver"]
