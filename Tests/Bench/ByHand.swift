/// An attachment with the same end state, as a person makes it, in one sh; see ip(8), `-batch`.
struct ByHand {
  private let name: String

  /// - Parameters:
  ///   - name: That of the sandbox, and of the host end after `v-`.
  ///   - address: What the container end gets, in 10.250.0.0/16.
  init(_ name: String, address: String) throws {
    self.name = name
    try fill(
      "\(Place.directory)/\(name).outside",
      with: """
        link add v-\(name) type veth peer name eth0 netns \(name)
        link set v-\(name) up

        """)
    try fill(
      "\(Place.directory)/\(name).inside",
      with: """
        link set eth0 up
        address add \(address)/16 dev eth0
        route add default via 10.250.0.1

        """)
  }

  /// The invocation for ADD or DEL.
  func program(_ command: String) -> Program {
    let batch = "\(Place.directory)/\(name)"
    let add = """
      ip -batch \(batch).outside && ip -n \(name) -batch \(batch).inside && \
      ovs-vsctl add-port \(Place.bridge) v-\(name)
      """
    let del = "ovs-vsctl del-port \(Place.bridge) v-\(name) && ip link del v-\(name)"
    return Program(
      path: "sh", arguments: ["-c", command == "ADD" ? add : del],
      output: "\(batch).hand.out")
  }
}
