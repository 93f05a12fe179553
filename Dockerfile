# Ebb in a small image, run by a user without rights.
#
#   docker build -t ebb .
#   docker run -p 6379:6379 -e EBB_REQUIREPASS=... ebb --maxmemory 256mb
#
# Options are flags, or the file /etc/ebb/ebb.conf, which has to say where to
# listen.  Mount the folder: CONFIG REWRITE puts a new file beside the old one,
# for which the user 65532 must be let write there.
#
# A container is of use only if it listens on all its addresses, and without a
# password the server turns away all but its own machine.  So EBB_REQUIREPASS is
# empty here, which the server refuses: it says at once what is missing.
# /metrics has no password; it shows numbers, no keys.

FROM debian:12-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
        gcc libc6-dev libevent-dev libjemalloc-dev make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /ebb
COPY . .
RUN make -j"$(nproc)" all \
 && make install DESTDIR=/image PREFIX=/usr CONFDIR=/conf \
 && rm -r /image/conf && mkdir /conf \
 && printf 'bind 0.0.0.0\nmetrics-bind 0.0.0.0\n' >/conf/ebb.conf

FROM debian:12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
        libevent-2.1-7 libevent-pthreads-2.1-7 libjemalloc2 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /image/ /
COPY --from=build --chown=65532:65532 /conf /etc/ebb
USER 65532:65532
ENV EBB_REQUIREPASS=""
EXPOSE 6379 9379

# Alive: on one of the ports that something listens on, whatever flags chose it,
# PING is answered, if only that a password is wanted.
HEALTHCHECK --interval=10s --timeout=5s \
    CMD ["bash", "-c", "while read -r _ at _ state _; do [[ $state == 0A ]] && { exec 3<>/dev/tcp/127.0.0.1/$((16#${at##*:})); } 2>/dev/null && printf 'PING\\r\\n' >&3 && read -r -t 1 line <&3 && [[ $line == +PONG* || $line == -NOAUTH* ]] && exit 0; done </proc/net/tcp; exit 1"]

ENTRYPOINT ["ebb-server", "/etc/ebb/ebb.conf"]
