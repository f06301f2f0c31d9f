// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let isEmbedded = Context.environment["PATCHBAY_EMBEDDED"] != nil

/// The libraries and plugins by Embedded Swift, which needs no runtime: `.ci/build` does. For size:
/// a plugin runs nearly all of its code once, and what it waits for is its pages. No tables for
/// unwinding: one inline function of C would ask for those of its whole module.
///
/// Without the pass `object-outliner`. Symptom: an array literal holds the elements of another.
/// Cause: the pass makes the literals of a function data, and numbers them in each module that has
/// a copy of it; equal numbers are taken for the same data. Known:
/// https://github.com/swiftlang/swift/pull/88178 (after 6.3).
let embedded: [SwiftSetting] =
  isEmbedded
  ? [
    .enableExperimentalFeature("Embedded"),
    .unsafeFlags([
      "-Osize", "-wmo", "-Xfrontend", "-function-sections",
      "-Xllvm", "-sil-disable-pass=object-outliner", "-Xcc", "-fno-asynchronous-unwind-tables",
    ]),
  ] : []

/// The libraries and plugins are held to what Embedded Swift has too; see `embedded`.
///
/// Without the implicit import of regular expressions. Symptom: a plugin is a megabyte larger.
/// Cause: every file imports `_StringProcessing`, and a static executable takes in the whole of it.
/// Known: the import is as SE-0350 has it. The tool may have them.
let lean: [SwiftSetting] =
  settings + embedded + [
    .treatWarning("EmbeddedRestrictions", as: .error),
    .unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"]),
  ]

/// An executable is one static file in release builds: a copy of it is an installation. Embedded
/// Swift copies generic code, of which equal functions become one, and unwinds no stack by tables.
let merging = isEmbedded ? ["-Xclang-linker", "-Wl,--icf=all,--no-eh-frame-hdr"] : []
let isStatic: LinkerSetting = .unsafeFlags(
  ["-static-executable", "-Xlinker", "--gc-sections"] + merging, .when(configuration: .release))

/// Plugins with a copy of the standard library in which the linker may leave functions out. Symptom
/// without it: a megabyte more. Cause: the static library's `Swift.o` marks every function as one
/// to be kept (`SHF_GNU_RETAIN`). `.ci/build` makes the copy and says how; GNU ld goes by the mark.
let isLean: [LinkerSetting] =
  Context.environment["PATCHBAY_CORE"].map {
    [.unsafeFlags(["-use-ld=bfd", $0], .when(configuration: .release))]
  } ?? []

/// Embedded Swift compiles what an executable uses of a library with it. So libraries have no code,
/// but for `Linux`, of which it calls `arc4random_buf` and `posix_memalign` by name.
let noCode = isEmbedded ? ["-Xfrontend", "-emit-empty-object-file"] : []
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  let code = [SwiftSetting.unsafeFlags(name == "Linux" ? [] : noCode)]
  return .target(name: name, dependencies: dependencies, swiftSettings: lean + code)
}

func plugin(_ kind: String, _ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "plugins/\(kind)/\(name)",
    exclude: ["README.md"], swiftSettings: lean, linkerSettings: [isStatic] + isLean)
}

/// Tests, which may use TestSupport in any case. `excluded`: what is no source, as the directory
/// Golden with files that the tests compare with.
func tests(_ name: String, _ dependencies: [Target.Dependency], excluded: [String] = []) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], exclude: excluded,
    swiftSettings: [.swiftLanguageMode(.v6)])
}

/// Symptom without these: undefined symbols when the tool is linked. Cause: swift-argument-parser
/// uses FoundationEssentials, whose static library does not name those that it needs. Known:
/// https://github.com/swiftlang/swift-foundation/pull/689.
let staticFoundation: [LinkerSetting] = [
  "_FoundationCShims", "_FoundationCollections", "swiftSynchronization",
].map { .linkedLibrary($0, .when(configuration: .release)) }

let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]
/// What tests of the kernel, of Open vSwitch and of the executables share.
let support: Target = .target(
  name: "TestSupport", dependencies: ["CLinux", "JSON"], path: "Tests/TestSupport",
  swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])

/// The program of libFuzzer, whose `main` it is: it can be linked with `--sanitize=fuzzer` only.
let fuzz: [Target] =
  Context.environment["PATCHBAY_FUZZ"] == nil
  ? []
  : [
    .executableTarget(
      name: "fuzz", dependencies: ["Fuzzing"], path: "Tests/Fuzz",
      swiftSettings: [.swiftLanguageMode(.v6), .unsafeFlags(["-parse-as-library"])])
  ]

/// The tool, the tests, and what they run: Embedded Swift has not what these use.
let others: [Target] = [
  .executableTarget(
    name: "patchbay",
    dependencies: [
      "Attachments", "CNIRuntime", "PluginConfigurations", "PluginExecution", "PluginCore",
      "LeaseFiles", "LeaseDatabase", "SandboxRemains", "Netlink", "OVSDB", "OpenVSwitch",
      "OVNNorthbound", "OVNSouthbound", "PortGuard", "Unixctl", "CNI", "JSON", "Linux",
      "Addresses", "Digests", "Nftables", "PublishedPorts",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    exclude: ["patchbay.8"], swiftSettings: settings,
    linkerSettings: [isStatic] + staticFoundation),
  support,
  // Runs a program, and kills it or fails it at one of its system calls.
  .executableTarget(name: "steps", path: "Tests/Steps", cSettings: strictC),
  // Answers TCP, UDP and SCTP, and asks.
  .executableTarget(name: "echo", path: "Tests/Echo", cSettings: strictC),
  // What reads bytes from outside, to be fed with any.
  .target(
    name: "Fuzzing",
    dependencies: [
      "Addresses", "CLinux", "CNI", "CNIRuntime", "JSON", "LeaseFiles", "Linux", "Netlink",
      "OVSDB", "OpenVSwitch", "PluginConfigurations", "Unixctl",
    ], path: "Tests/Fuzzing", swiftSettings: [.swiftLanguageMode(.v6)]),
  .executableTarget(
    name: "mutator", dependencies: ["CLinux", "Fuzzing", "TestSupport"], path: "Tests/Mutator",
    swiftSettings: [.swiftLanguageMode(.v6)]),
  tests(
    "FaultTests",
    [
      "ovs-bridge", "host-local", "static", "loopback", "ovs-mirror-producer",
      "ovs-mirror-consumer", "portmap", "patchbay", "steps", "Fuzzing", "CLinux",
      "CNI", "JSON", "Linux", "Netlink", "OVSDB", "OpenVSwitch", "Addresses",
    ], excluded: ["README.md"]),
  // Not a test: what `make bench` runs.
  .executableTarget(
    name: "bench", dependencies: ["Addresses", "JSON", "Linux", "Netlink", "PortGuard"],
    path: "Tests/Bench", exclude: ["README.md"],
    swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
  tests("LinuxTests", ["Linux"]),
  tests("JSONTests", ["JSON"]),
  tests("AddressesTests", ["Addresses"]),
  tests("LeaseFilesTests", ["LeaseFiles", "Addresses", "Linux"]),
  tests(
    "HostLocalTests",
    [
      "host-local", "static", "steps", "PluginConfigurations", "PluginCore", "LeaseFiles", "CNI",
      "JSON", "Addresses", "Linux",
    ]),
  tests("CNITests", ["CNI", "JSON", "Addresses"], excluded: ["Golden"]),
  tests("CNIRuntimeTests", ["CNIRuntime", "CNI", "JSON", "Linux"], excluded: ["Golden"]),
  tests("PluginExecutionTests", ["PluginExecution", "CNI", "JSON", "Linux"]),
  tests("DigestsTests", ["Digests"]),
  tests("OVSDBTests", ["Addresses", "CLinux", "JSON", "Linux", "OVSDB", "OpenVSwitch"]),
  tests("OpenVSwitchTests", ["JSON", "Linux", "OVSDB", "OpenVSwitch"]),
  tests("UnixctlTests", ["Unixctl", "Linux"]),
  tests("TestSupportTests", []),
  // The sources as text, held against the map.
  tests("SourceTests", []),
  tests("NetlinkTests", ["Netlink", "Addresses", "Linux"], excluded: ["Golden"]),
  tests(
    "PluginTests",
    [
      "ovs-bridge", "ovn", "ovs-mirror-producer", "ovs-mirror-consumer", "portmap", "host-local",
      "cluster", "static", "loopback", "Attachments", "PluginConfigurations", "JSON",
    ]),
  tests("MirrorTests", ["CNI", "JSON", "Mirrors", "PluginConfigurations"]),
  tests(
    "PortmapTests",
    [
      "ovs-bridge", "host-local", "portmap", "echo", "PluginConfigurations", "PublishedPorts",
      "Nftables", "Netlink", "CNI", "JSON", "Linux", "Addresses",
    ]),
  tests("ToolTests", ["patchbay", "CNI", "PluginCore"]),
  tests(
    "NetavarkTests",
    [
      "netavark-driver", "ovs-bridge", "host-local", "static", "portmap", "patchbay", "echo",
    ]),
  tests("LoopbackTests", ["loopback"]),
  tests("ClusterTests", ["cluster", "host-local", "ovs-bridge", "patchbay"]),
  tests("OVNTests", ["ovn", "cluster", "host-local", "static", "patchbay", "echo", "steps"]),
  tests("RuntimeTests", ["patchbay", "ovs-bridge", "host-local", "loopback", "portmap"]),
  tests("NftablesTests", ["Nftables", "Addresses", "JSON", "Linux"]),
  tests(
    "PortGuardTests",
    [
      "ovs-bridge", "static", "patchbay", "PortGuard", "BPF", "Netlink", "PluginConfigurations",
      "CLinux", "JSON", "Linux", "Addresses",
    ]),
  tests("KernelTests", ["Netlink", "Addresses", "Linux"]),
]

let package = Package(
  name: "patchbay",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
  ],
  targets: [
    .systemLibrary(
      name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
    .systemLibrary(name: "CLinux"),
    library("Addresses"),
    library("Digests"),
    library("Linux", ["CLinux"]),
    library("JSON", ["CJansson"]),
    library("Netlink", ["CLinux", "Linux", "Addresses"]),
    library("BPF"),
    library("PortGuard", ["PluginConfigurations", "Netlink", "BPF", "Linux", "Addresses"]),
    library("OVSDB", ["Addresses", "JSON", "Linux"]),
    library("OpenVSwitch", ["OVSDB", "Linux"]),
    library("OVNNorthbound", ["OVSDB"]),
    library("OVNSouthbound", ["OVSDB"]),
    library("Unixctl", ["JSON", "Linux"]),
    library("Nftables", ["Addresses", "Digests", "JSON", "Linux"]),
    library("CNI", ["JSON", "Addresses"]),
    library("PluginExecution", ["CNI", "Digests", "JSON", "Linux"]),
    library("PluginCore", ["PluginExecution", "PluginConfigurations", "CNI", "JSON", "Linux"]),
    library("CNIRuntime", ["PluginExecution", "CNI", "JSON", "Linux"]),
    library("Netavark", ["CNI", "JSON", "Addresses"]),
    library("LeaseFiles", ["Addresses", "Linux"]),
    library("PluginConfigurations", ["CNI", "JSON", "Addresses", "OVSDB"]),
    library("IPAM", ["PluginConfigurations", "Addresses"]),
    library(
      "PublishedPorts",
      ["PluginConfigurations", "CNI", "JSON", "Linux", "Netlink", "Nftables", "Addresses"]),
    library(
      "IPAMPlugin", ["IPAM", "PluginConfigurations", "CNI", "JSON", "Linux", "Addresses"]),
    library(
      "LeaseDatabase",
      ["IPAM", "PluginConfigurations", "OVSDB", "JSON", "Digests", "Linux", "Addresses"]),
    library(
      "Mirrors",
      ["AttachmentPlugin", "Attachments", "PluginCore", "PluginConfigurations", "CNI", "JSON"]),
    library(
      "Attachments",
      [
        "PluginCore", "PluginExecution", "PluginConfigurations", "CNI", "JSON", "Linux", "Netlink",
        "OVSDB", "OpenVSwitch", "OVNNorthbound", "Nftables", "PortGuard", "Addresses", "Digests",
      ]),
    library(
      "AttachmentPlugin",
      ["Attachments", "PluginCore", "PluginConfigurations", "CNI", "JSON", "Addresses"]),
    library(
      "SandboxRemains",
      [
        "CNIRuntime", "PluginConfigurations", "PluginCore", "PluginExecution", "CNI", "JSON",
        "Linux", "Netlink", "OVSDB", "OpenVSwitch",
      ]),
    plugin(
      "main", "ovs-bridge",
      [
        "AttachmentPlugin", "Attachments", "PluginCore", "PluginConfigurations", "CNI", "JSON",
        "Linux",
      ]),
    plugin(
      "main", "ovn",
      [
        "AttachmentPlugin", "Attachments", "PluginCore", "PluginConfigurations", "CNI", "JSON",
        "Linux",
      ]),
    plugin(
      "main", "loopback", ["PluginCore", "CNI", "JSON", "Netlink", "Linux", "Addresses"]),
    plugin(
      "ipam", "host-local",
      [
        "PluginCore", "PluginConfigurations", "IPAM", "IPAMPlugin", "LeaseFiles", "CNI", "JSON",
        "Linux", "Addresses",
      ]),
    plugin(
      "ipam", "cluster",
      [
        "PluginCore", "PluginConfigurations", "IPAM", "IPAMPlugin", "LeaseDatabase", "OVSDB", "CNI",
        "JSON", "Linux", "Addresses",
      ]),
    plugin(
      "ipam", "static", ["PluginCore", "PluginConfigurations", "CNI", "JSON", "Addresses"]),
    plugin(
      "meta", "portmap",
      [
        "PublishedPorts", "PluginConfigurations", "PluginCore", "CNI", "JSON", "Linux", "Addresses",
      ]),
    plugin(
      "netavark", "netavark-driver",
      [
        "Netavark", "SandboxRemains", "CNIRuntime", "PluginConfigurations", "PluginCore", "CNI",
        "JSON", "Linux", "Addresses",
      ]),
    plugin("meta", "ovs-mirror-producer", ["Mirrors", "PluginConfigurations", "PluginCore"]),
    plugin("meta", "ovs-mirror-consumer", ["Mirrors", "PluginConfigurations", "PluginCore"]),
  ] + (isEmbedded ? [] : others) + fuzz
)
