# No logic here: each line calls swift, or a script that can be called without make.
.PHONY: setup build build-normal demo test test-kernel test-podman5 test-fresh test-upgrade lint bench soak fuzz sanitize install deb tarball uninstall clean

setup: ## the packages that are missing
	.ci/setup build demo test bench
build: ## the static executables, in dist/
	.ci/setup build
	.ci/build
build-normal: ## the plugins without Embedded Swift, in dist/normal/
	.ci/setup build
	.ci/build normal
demo: ## the main job, shown
	.ci/setup build demo
	.ci/build
	.ci/demo
test: ## all tests, and a short fuzzing (20 seconds each); what .ci/run calls
	.ci/setup build demo test
	.ci/build
	PATCHBAY_BIN=$(CURDIR)/dist .ci/test
	@echo "And some on the executables without Embedded Swift:"
	.ci/test --filter 'PluginTests.AttachTests|HostLocalTests.AddressTests|LoopbackTests|ClusterCommandTests'
	FUZZ_JOBS=8 .ci/fuzz 20
test-kernel: ## the tests of Open vSwitch on the kernel's datapath, in an emulated machine
	.ci/setup build
	.ci/build
	PATCHBAY_BIN=$(CURDIR)/dist .ci/machines/test-kernel
test-podman5: ## podman 5 with the drivers of netavark, in a root file system of Debian 13
	.ci/setup build podman5
	.ci/build
	PATCHBAY_BIN=$(CURDIR)/dist .ci/machines/test-podman5
test-fresh: ## README.md from top to bottom, and the package, in a fresh root of Debian 12
	.ci/setup build test podman5
	.ci/build
	.ci/machines/test-fresh
test-upgrade: ## what executables of before the last release attached, under those of today
	.ci/setup build test
	.ci/build
	PATCHBAY_BIN=$(CURDIR)/dist .ci/machines/test-upgrade
lint: ## format of the Swift sources, mistakes in the scripts
	.ci/setup lint
	.ci/lint
bench: ## the table of measurements
	.ci/setup build demo bench
	.ci/build
	.ci/build normal
	.ci/bench
soak: ## load, kills and failures for a long time: .ci/soak SECONDS says how long
	.ci/setup build demo test
	.ci/build
	PATCHBAY_BIN=$(CURDIR)/dist .ci/soak
fuzz: ## any bytes to what reads bytes from outside, ten minutes each: .ci/fuzz SECONDS SUBJECT…
	.ci/setup build
	.ci/fuzz
sanitize: ## the tests without privileges, under AddressSanitizer and ThreadSanitizer
	.ci/setup build demo test
	.ci/sanitize
install: ## into CNI_BIN and PREFIX, below DESTDIR
	.ci/install
deb: ## a package of Debian, in dist/packages/
	.ci/setup build
	.ci/build
	.ci/package deb
tarball: ## an archive of the executables and examples with checksums, in dist/packages/
	.ci/setup build
	.ci/build
	.ci/package tarball
uninstall: ## takes away what install put there
	.ci/install --remove
clean: ## what was built
	swift package clean
	rm -rf dist .build-embedded
