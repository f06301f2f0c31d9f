import JSON
import Linux

/// What the plugins take of disk and memory.
enum Weight {
  static func measure(_ ports: Ports, into table: inout Table) throws {
    for name in try Starts.plugins() {
      table.add(Row("executable of `\(name)`", try size(name), " MiB", atMost: 3))
    }
    // The rest need a database of their own.
    for name in try Starts.plugins() where !SharedState.plugins.contains(name) {
      let series = try peaks(name, ports)
      // What is told of a program includes those that it waited for.
      let (what, limit) = name == "portmap" ? (", or of its nft(8)", nil) : ("", 4.0)
      table.add(
        Row(
          "peak memory of `\(name)` ADD\(what)", series.median, " MiB", atMost: limit,
          raw: series.json))
    }
  }

  /// Of the executable, in MiB.
  static func size(_ name: String, _ directory: String = Place.ours) throws -> Double {
    Double(try FileStatus(path: "\(directory)/\(name)").size) / 1_048_576
  }

  /// The peaks of some ADDs of a plugin, in MiB.
  static func peaks(_ name: String, _ ports: Ports, _ directory: String = Place.ours) throws
    -> Series
  {
    let attachment = ports.run("ADD", "weighed", directory: directory)
    var series = Series()
    for _ in 0..<5 {
      var program = attachment
      if name != "ovs-bridge" {
        let plugin = Plugin(
          name: name, directory: directory, configuration: try configuration(name, attachment))
        program = plugin.program("ADD", "weighed", sandbox: "ours", output: "weighed-too")
      }
      series.add(try Memory.peak(of: program))
      program.environment = program.environment.map {
        $0.hasPrefix("CNI_COMMAND=") ? "CNI_COMMAND=DEL" : $0
      }
      try program.checked()
      try ports.run("DEL", "weighed", directory: directory).checked()
    }
    return series
  }

  /// What the plugin `name` is told; a chained one has its link from `attachment`, which is run.
  private static func configuration(_ name: String, _ attachment: Program) throws -> String {
    var members: [(String, JSONValue?)] = [
      ("cniVersion", "1.1.0"), ("name", "bench"), ("type", .string(name)),
    ]
    switch name {
    case "host-local": members.append(("ipam", Ports.ipam))
    case "static":
      members.append(("ipam", ["type": "static", "addresses": [["address": "10.251.0.2/24"]]]))
    case "portmap":
      // A container need not be there, but a way to it.
      for line in [
        "link add weighed0 type veth peer name weighed1", "link set weighed0 up",
        "address add 10.249.0.1/24 dev weighed0",
      ] {
        var program = Program.tool("ip")
        program.arguments += line.split(separator: " ").map(String.init)
        // They stay for the next time.
        program.errors = "/dev/null"
        _ = try program.run()
      }
      members += [
        (
          "runtimeConfig",
          ["portMappings": [["hostPort": 8080, "containerPort": 80, "protocol": "tcp"]]]
        ),
        ("prevResult", ["cniVersion": "1.1.0", "ips": [["address": "10.249.0.2/24"]]]),
      ]
    case "ovs-mirror-producer", "ovs-mirror-consumer":
      try attachment.checked()
      let selection: [(String, JSONValue?)] =
        name == "ovs-mirror-producer" ? [("ingress", true)] : []
      members += [
        ("bridge", .string(Place.bridge)),
        ("mirrors", [.object([("name", "bench")] + selection)]),
        ("prevResult", try JSONValue(parsing: Array(text(attachment.output).utf8))),
      ]
    default: break
    }
    return try Place.write("weighed", .object(members))
  }
}

/// The most memory that a program had; see time(1), `%M`.
///
/// time(1) is small: what the kernel tells of a program includes what the one that started it had
/// at that moment (getrusage(2), `ru_maxrss`).
enum Memory {
  /// In MiB.
  static func peak(of program: Program) throws -> Double {
    let report = "\(Place.directory)/peak"
    var timed = program
    timed.arguments = ["--format=%M", "--output=\(report)", program.path] + program.arguments
    timed = Program(
      path: "/usr/bin/time", arguments: timed.arguments, environment: program.environment,
      input: program.input, output: program.output)
    try timed.checked()
    guard let kibibytes = Double(text(report).filter { $0 != "\n" }) else {
      throw BenchError("no peak of \(program.path): \(text(report))")
    }
    return kibibytes / 1024
  }
}
