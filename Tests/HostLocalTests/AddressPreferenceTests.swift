import Foundation
import TestSupport
import Testing

extension AddressTests {
  @Test("never gives what is excluded, and says when nothing else is left")
  func excluded() throws {
    let network = try Network([
      "subnet": "10.1.0.0/24",
      "exclude": ["10.1.0.0/30", "10.1.0.6", "10.1.0.8-10.1.0.254"],
    ])
    #expect(
      try (0..<3).map { try network.add("c\($0)")[0] } == ["10.1.0.4", "10.1.0.5", "10.1.0.7"])
    let result = try network.call("ADD", "more")
    try Messages.expect(
      result, code: 999, of: "host-local", on: "ADD, all that is not excluded is leased")
    let status = try network.call("STATUS", "more")
    try Messages.expect(
      status, code: 50, of: "host-local", on: "STATUS, all that is not excluded is leased")
  }

  @Test(
    "gives a reserved address to the one it is for, by name, MAC or container ID, and to no other")
  func reserved() throws {
    let network = try Network([
      "subnet": "10.1.0.0/24", "rangeStart": "10.1.0.2", "rangeEnd": "10.1.0.6",
      "reservations": [
        ["name": "default/web-0", "ip": "10.1.0.3"],
        ["mac": "02:00:00:00:00:07", "ip": "10.1.0.4"],
        ["containerID": "special", "ip": "10.1.0.200"], ["name": "db", "ip": "10.1.0.5"],
      ],
    ])
    #expect(try network.add("a") == ["10.1.0.2"])
    #expect(try network.add("b") == ["10.1.0.6"])
    #expect(try network.call("ADD", "c").code == 999)
    let pod = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0"
    #expect(try network.add("d", args: pod) == ["10.1.0.3"])
    #expect(
      try network.add("e", with: ["runtimeConfig": ["mac": "02:00:00:00:00:07"]])
        == ["10.1.0.4"])
    #expect(try network.add("special") == ["10.1.0.200"])
    #expect(
      try network.call(
        "CHECK", "special",
        with: [
          "prevResult": [
            "cniVersion": "1.0.0", "ips": [["address": "10.1.0.200/24"]],
          ]
        ]
      ).status == 0)
    #expect(
      try network.add("f", args: "K8S_POD_NAMESPACE=other;K8S_POD_NAME=db") == ["10.1.0.5"])
    let second = try network.call("ADD", "g", args: pod)
    try Messages.expect(
      second, code: 999, of: "host-local", on: "ADD, the reserved address is leased")
  }

  @Test("gives one of several addresses that are reserved for the same name")
  func reservedTwice() throws {
    let network = try Network([
      "subnet": "10.1.0.0/24",
      "reservations": [["name": "dns", "ip": "10.1.0.53"], ["name": "dns", "ip": "10.1.0.54"]],
    ])
    func add(_ namespace: String) throws -> PluginResult {
      let args = "K8S_POD_NAMESPACE=\(namespace);K8S_POD_NAME=dns"
      return try network.call("ADD", namespace, args: args)
    }
    #expect(try add("a").json["ips"][0]["address"] == "10.1.0.53/24")
    #expect(try add("b").json["ips"][0]["address"] == "10.1.0.54/24")
    try Messages.expect(
      add("c"), code: 999, of: "host-local", on: "ADD, both reserved addresses are leased")
    try network.del("b")
    #expect(try add("c").json["ips"][0]["address"] == "10.1.0.54/24")
  }

  @Test("gives a name the address again that it had, which others get only when they must")
  func stickyName() throws {
    let network = try Network([
      "subnet": "10.1.0.0/24", "rangeStart": "10.1.0.2", "rangeEnd": "10.1.0.5",
      "sticky": "name",
    ])
    func pod(_ name: String) -> String { "K8S_POD_NAMESPACE=default;K8S_POD_NAME=\(name)" }
    #expect(try network.add("a", args: pod("web-0")) == ["10.1.0.2"])
    #expect(try network.add("b", args: pod("web-1")) == ["10.1.0.3"])
    try network.del("a")
    try network.del("b")
    #expect(try network.add("c") == ["10.1.0.4"])
    #expect(try network.add("d", args: pod("web-1")) == ["10.1.0.3"])
    #expect(try network.add("e") == ["10.1.0.5"])
    // Another needs it now, and web-0 is forgotten.
    #expect(try network.add("f") == ["10.1.0.2"])
    try network.del("e")
    #expect(try network.add("g", args: pod("web-0")) == ["10.1.0.5"])
    try network.del("d")
    try network.del("g")
    try FileManager.default.removeItem(atPath: network.temporary.path + "/.patchbay/net/index")
    #expect(try network.add("h", args: pod("web-0")) == ["10.1.0.5"])
    #expect(try network.add("i", args: pod("web-1")) == ["10.1.0.3"])
  }

  @Test("gives a MAC the address again that it had")
  func stickyMAC() throws {
    let network = try Network(["subnet": "10.1.0.0/24", "sticky": "mac"])
    #expect(try network.add("a", args: "MAC=02:00:00:00:00:01") == ["10.1.0.2"])
    try network.del("a")
    #expect(try network.add("b", args: "MAC=02:00:00:00:00:02") == ["10.1.0.3"])
    #expect(
      try network.add("c", with: ["runtimeConfig": ["mac": "02:00:00:00:00:01"]])
        == ["10.1.0.2"])
  }
}
