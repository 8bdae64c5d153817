# Two stages: everything to build with stays in the first.
FROM debian:bookworm AS build
WORKDIR /src
COPY scripts scripts
RUN scripts/install.sh build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DTASKBARGE_TESTS=OFF \
 && cmake --build build/release --target taskbarge \
 && DESTDIR=/out cmake --install build/release --prefix /usr/local --strip

FROM debian:bookworm-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates tzdata \
      libboost-url1.81.0 libdate-tz3 libfmt9 libprometheus-cpp-core1.0 libsimdjson14 libspdlog1.10 \
      libgumbo1 libidn2-0 libsqlite3-0 libssl3 libsystemd0 libtomlplusplus3 libunistring2 libzstd1 zlib1g \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --home-dir /var/lib/taskbarge taskbarge \
 && install -d -o taskbarge -g taskbarge -m 0700 /var/lib/taskbarge
COPY --from=build /out/usr/local/ /usr/local/

# The ledger's default place, $XDG_STATE_HOME/taskbarge/ledger.db, becomes /var/lib/taskbarge/ledger.db; a settings file may
# still name another.
ENV XDG_STATE_HOME=/var/lib
VOLUME /var/lib/taskbarge
# Files to import, and taskbarge.toml, are mounted here.
WORKDIR /data
# Where `serve --listen 0.0.0.0:8642` is reached. docs/service.md has the whole command, and a health check for it.
EXPOSE 8642
USER taskbarge
ENTRYPOINT ["taskbarge"]
CMD ["--help"]
