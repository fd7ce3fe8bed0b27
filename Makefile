# Crust's two commands: `make vmdk` builds an image, `make test` proves Crust. Both install what is missing.
#
#   make vmdk                          installs the reference system, leaves images/crust-reference.vmdk
#   ISO_URL=path-or-URL make vmdk      the same with a vendor's installer
#   make img | qcow2 | … | all         other formats, from the same install

SHELL := /bin/bash
.DEFAULT_GOAL := help
export DOTNET_NOLOGO := 1
.PHONY: help vmdk img img.zst qcow2 kubevirt ova vhd vhdx gce iso rootfs rootfs.zst netboot all docker-build qcow2-image vmdk-image installer build tools publish-tools test-tools bench-tools bench sdk test test-long format clean distclean

# What a build needs, and what builds for arm64, the tests and the benchmarks need beyond that.
PACKAGES      := qemu-system-x86 qemu-utils ovmf swtpm xorriso mmdebstrap uidmap squashfs-tools mtools dosfstools zstd xz-utils bzip2 cpio kmod util-linux libdeflate0
ARM64_PACKAGES := qemu-system-arm qemu-efi-aarch64 qemu-user-static binfmt-support arch-test
TEST_PACKAGES := $(ARM64_PACKAGES) chromium python3-jsonschema python3-yaml systemd bmap-tools btrfs-progs xfsprogs e2fsprogs lvm2 openssh-client openssh-server libnss-wrapper openssl cloud-init binutils libvmdk-utils libqcow-utils libvhdi-utils libxml2-utils p7zip-full gdisk skopeo docker-registry faketime iproute2 gnupg gpgv rpm podman runc strace erofs-utils cryptsetup-bin attr acl libcap2-bin libarchive-tools dnsmasq-base nfs-ganesha nfs-ganesha-vfs rpcbind gcc libc6-dev patchelf musl-tools zbar-tools \
                  $(if $(shell command -v kubectl),,kubernetes-client) $(if $(shell command -v npm),,nodejs npm)
PUBLISH_PACKAGES := skopeo
BENCH_PACKAGES := hyperfine jq gnuplot-nox gdisk e2fsprogs skopeo docker-registry

SUDO    := $(if $(filter 0,$(shell id -u)),,sudo)
RID     := $(if $(filter aarch64,$(shell uname -m)),linux-arm64,linux-x64)
SOURCES := $(shell find src builder -path builder/container -prune -o -type f -print) $(wildcard Directory.*.props global.json)

# Where it is built: on this host, or in the builder container.
RUNNER  ?= $(shell builder/container/choose)
ifeq ($(RUNNER),native)
NEEDS         := tools bin/crust
PUBLISH_NEEDS := publish-tools
CRUST         := bin/crust
else ifeq ($(RUNNER),container)
CRUST         := builder/container/run
OUTPUT        := --output /images
else
$(error RUNNER is native or container, not '$(RUNNER)')
endif

help: ## say what there is
	@sed -n 's/^\([a-z0-9. -]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28

vmdk img img.zst qcow2 kubevirt ova vhd vhdx gce iso rootfs rootfs.zst netboot all: $(NEEDS) ## build images/<name>.<format>, all of them from one install
	$(CRUST) build --format $@ $(OUTPUT) $(ARGS)

qcow2-image: FORMAT := kubevirt
vmdk-image: FORMAT := vmdk
qcow2-image vmdk-image: $(NEEDS) $(PUBLISH_NEEDS) ## build the containerDisk (a qcow2) or the vmdk, and push it to QCOW2_IMG, VMDK_IMG or REPO
	@$(CRUST) publish --dry-run --quiet --format $(FORMAT) $(OUTPUT) $(ARGS) >/dev/null
	$(CRUST) build --format $(FORMAT) $(OUTPUT) $(ARGS)
	$(CRUST) publish --format $(FORMAT) $(OUTPUT) $(ARGS)

docker-build: bin/crust ## build the builder container REPO:TAG; with EMBED=true it holds ISO_URL's ISO and the spec
	@builder/container/build

installer: tools bin/crust ## build an installer ISO into iso/: the reference installer, or with ARGS=SPEC one from a base
	bin/crust installer $(ARGS)

build: bin/crust ## build the program: bin/crust, which can be copied with its folder

bin/crust: $(SOURCES) | sdk
	@rm -rf bin
	dotnet publish src/Crust.Cli -c Release -r $(RID) --self-contained -p:PublishReadyToRun=true -p:DebugType=none -o bin -v quiet --nologo
	@mv bin/Crust.Cli bin/crust && rm -f bin/*.xml && touch bin/crust

# Without dpkg there is nothing to install with: crust names each missing program itself.
define install_missing
	@command -v dpkg-query >/dev/null || exit 0; \
	missing=$$(comm -23 <(printf '%s\n' $(1) | sort) <(dpkg-query -W -f='$${Package} $${db:Status-Status}\n' $(1) 2>/dev/null | sed -n 's/ installed$$//p' | sort)); \
	if [ -n "$$missing" ]; then \
		echo "Installing" $$missing; \
		$(SUDO) apt-get update -q=2 && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -q=2 -y --no-install-recommends $$missing >.apt.log 2>&1 || { cat .apt.log; exit 3; }; \
		rm -f .apt.log; \
	fi
endef

# Where no init system has done so, the kernel still has to be told that QEMU runs programs for arm64.
run_arm64_programs = @! command -v update-binfmts >/dev/null || arch-test arm64 >/dev/null || $(SUDO) update-binfmts --enable qemu-aarch64

tools:
	$(call install_missing,$(PACKAGES) $(if $(findstring arm64,$(ARGS)),$(ARM64_PACKAGES)))
	$(if $(findstring arm64,$(ARGS)),$(run_arm64_programs))

publish-tools:
	$(call install_missing,$(PUBLISH_PACKAGES))

test-tools:
	$(call install_missing,$(PACKAGES) $(TEST_PACKAGES))
	$(run_arm64_programs)

bench-tools:
	$(call install_missing,$(PACKAGES) $(BENCH_PACKAGES))

sdk:
	@command -v dotnet >/dev/null && dotnet --list-sdks | grep -q '^10\.' || { \
		echo "make: building Crust needs the .NET SDK 10.0, and this machine has none"; \
		echo "  where: dotnet in PATH"; \
		echo "  to do: install the .NET SDK 10.0 (package dotnet-sdk-10.0 of your distribution or of Microsoft's feed),"; \
		echo "         or copy a bin/ folder that 'make build' made elsewhere: it runs without the SDK"; \
		exit 3; } >&2

test: test-tools bin/crust ## run the tests that prove all that Crust does; the last line is N passed, N failed, N skipped
	@CRUST_TEST_PROGRAM=$(CURDIR)/bin/crust tests/run

test-long: test-tools bin/crust ## run all tests, also those that repeat others or complete a matrix
	@CRUST_TEST_PROGRAM=$(CURDIR)/bin/crust tests/run --long

bench: bench-tools bin/crust ## measure Crust against qemu-img, and what a fleet asks for, and write docs/benchmarks.md and docs/scale.md; 40 minutes
	bench/run
	bench/scale
	bench/fleet

format: sdk ## check the code's format, as CI does
	dotnet format --verify-no-changes

clean: ## remove the images
	find images -mindepth 1 ! -name .gitkeep -delete

distclean: clean ## remove the caches, the ISOs and all that was built, too
	[ ! -x bin/crust ] || bin/crust clean
	find iso -mindepth 1 ! -name .gitkeep -delete
	rm -rf bin .build
