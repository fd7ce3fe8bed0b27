# Crust's builder, self-contained: QEMU and the rest, Crust, and what Crust would otherwise build from Debian's packages, so that
# it needs no network. `make docker-build` makes it; docs/container.md says how it is used and what its parts weigh.
ARG DEBIAN=debian:12.11-slim

# What a build calls.
FROM ${DEBIAN} AS tools
RUN apt-get update -q=2 \
 && DEBIAN_FRONTEND=noninteractive apt-get install -q=2 -y --no-install-recommends \
        ca-certificates e2fsprogs gnupg gpgv libdeflate0 libzstd1 openssh-client ovmf qemu-system-x86 qemu-utils skopeo squashfs-tools swtpm xorriso xz-utils bzip2 zstd \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*

# What is made once: the appliance and the reference installer. /prebuilt keeps them between two builds of the container.
FROM tools AS parts
RUN apt-get update -q=2 \
 && DEBIAN_FRONTEND=noninteractive apt-get install -q=2 -y --no-install-recommends cpio dosfstools kmod mmdebstrap mtools uidmap
COPY bin/ /usr/lib/crust/
RUN --mount=type=cache,target=/prebuilt \
    CRUST_CACHE=/prebuilt /usr/lib/crust/crust installer --output /tmp/iso --parts /parts \
 && chmod -R a+rX /parts && rm -r /tmp/iso

FROM tools
# What is embedded (EMBED=true): the ISO, which changes seldom, before all else, and last the spec with its files.
COPY .build/embed/iso/ /iso/
COPY --from=parts /parts/ /usr/share/crust/parts/
COPY bin/ /usr/lib/crust/
COPY builder/container/entrypoint /usr/bin/crust-builder
# Whoever it runs as, also a user that nobody has heard of (OpenShift's are in group 0), can write there and nowhere else.
RUN ln -s ../lib/crust/crust /usr/bin/crust && install -d -m 0775 /work /cache /images
COPY .build/embed/work/ /work/
ENV CRUST_PARTS=/usr/share/crust/parts CRUST_CACHE=/cache HOME=/work
WORKDIR /work
# Writable also where the rest is read-only; name it (-v crust-cache:/cache) to keep it.
VOLUME /cache
USER 1000:0
ENTRYPOINT ["crust-builder"]
CMD ["--help"]
