import TestSupport

/// What one plugin of the two did in a step.
struct IPAMOutcome: ComparedOutcome {
  let result: PluginResult
  let files: [String: String]
  var leases: [String: String] { files.filter { !$0.key.hasPrefix("last_reserved_ip.") } }

  /// The result as the release of the reference that is installed can have it.
  var comparable: Document {
    let routes = result.json["routes"].array.map {
      $0.with([
        "mtu": .absent, "advmss": .absent, "priority": .absent, "table": .absent, "scope": .absent,
      ])
    }
    let dns = result.json["dns"]
    return result.json.with([
      "routes": routes.isEmpty ? .absent : .array(routes), "dns": dns == [:] ? .absent : dns,
    ])
  }

  func leftTheSame(as other: IPAMOutcome) -> Bool { files == other.files }

  /// What `plugins/ipam/README.md` has in its table.
  static let differences: [Difference<IPAMOutcome>] = [
    Difference(title: "a wrong type") { command, ours, theirs in
      let isOfType = [
        "json: cannot unmarshal", "error unmarshall network config: json:", "decoding version from",
        "failed to load netconf: json:",
      ].contains { theirs.message.hasPrefix($0) }
      return isOfType && (ours.result.code == 7 || command == "DEL")
        || ours.message == "type: 5 is not a string"
    },
    Difference(title: "DEL with a fault") { command, ours, theirs in
      command == "DEL" && !ours.hasFailed && theirs.hasFailed
    },
    Difference(title: "a repeated ADD") { command, ours, theirs in
      let isOfItsOwn =
        theirs.message.hasSuffix("duplicate allocation is not allowed")
        || theirs.message.contains("is not available in range set")
      return !ours.hasFailed && isOfItsOwn
    },
    Difference(title: "keys of `CNI_ARGS`") { command, ours, theirs in
      theirs.message.hasPrefix("ARGS: unknown args") && !ours.message.hasPrefix("ARGS: ")
    },
    Difference(title: "an empty pair in `CNI_ARGS`") { command, ours, theirs in
      theirs.message == "ARGS: invalid pair \"\""
    },
    Difference(title: "`IP` of `CNI_ARGS` in CHECK") { command, ours, theirs in
      command == "CHECK" && theirs.message.hasPrefix("ARGS: error parsing value of pair \"IP=")
    },
    Difference(title: "a gateway of the other family") { command, ours, theirs in
      ours.result.code == 7 && ours.message.contains("is not of the family of")
    },
    Difference(title: "requests for one range set") { command, ours, theirs in
      let words = [ours, theirs].map { $0.message.split(separator: " ").sorted() }
      return theirs.message.hasPrefix("failed to allocate all requested IPs")
        && (!ours.hasFailed || Set(words[0]).isSubset(of: words[1]))
    },
    Difference(title: "a subnet of two addresses or one") { command, ours, theirs in
      theirs.message.hasSuffix("too small to allocate from")
    },
    Difference(title: "a subnet of all addresses") { command, ours, theirs in
      theirs.message.contains("no IP addresses available in range set: ?")
    },
    Difference(title: "a range that starts at the broadcast address") { command, ours, theirs in
      ours.message.hasSuffix(": RangeStart 10.3.0.3 not in network 10.3.0.0/30")
    },
    Difference(title: "an address that maps IPv4, with less than 96 bits") {
      command, ours, theirs in
      let isTheirs = theirs.result.output.stdout.contains("10.1.0.3/0\"")
      let isOurs = ours.result.output.stdout.contains("::ffff:10.1.0.3/24")
      return [ours, theirs].contains { $0.message.hasSuffix("more than 1 address per family") }
        ? isTheirs || isOurs : isTheirs && isOurs
    },
    Difference(title: "`addresses` that are not used") { command, ours, theirs in
      ours.message.hasPrefix("the 'address' field is expected") && !theirs.hasFailed
        && theirs.message.isEmpty
    },
    Difference(title: "more than 255 addresses") { command, ours, theirs in
      ours.result.code == 7 && ours.message.contains("elements are too many")
    },
    Difference(title: "a route without `dst`") { command, ours, theirs in
      ours.result.code == 7 && ours.message == "ipam.routes[0].dst: missing; a string is required"
    },
    Difference(title: "CHECK of `static`") { command, ours, theirs in
      ours.message.hasPrefix("static: Failed to match addr") && !theirs.hasFailed
    },
    Difference(title: "CHECK of `host-local`") { command, ours, theirs in
      ours.message.contains("are not those leased") && !theirs.hasFailed
    },
    Difference(title: "CHECK without `prevResult`") { command, ours, theirs in
      ours.message == "Required prevResult missing"
    },
    Difference(title: "the cursor after a refusal") { command, ours, theirs in
      ours.hasFailed && theirs.hasFailed && ours.message == theirs.message
        && ours.files != theirs.files && ours.leases == theirs.leases
    },
  ]
}
