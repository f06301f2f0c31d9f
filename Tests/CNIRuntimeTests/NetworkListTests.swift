import CNIRuntime
import Testing

private func list(_ text: String) throws(ListError) -> NetworkList {
  try NetworkList(parsing: Array(text.utf8))
}

@Suite("a network configuration list") struct NetworkListTests {
  @Test("has a name, a version and plugins in their order")
  func members() throws {
    let list = try list(
      """
      {"cniVersion": "1.0.0", "name": "net", "plugins": [
        {"type": "a", "name": "first", "capabilities": {"mac": true, "ips": false}},
        {"TYPE": "b", "Capabilities": {"portMappings": true}}]}
      """)
    #expect(list.name == "net")
    #expect(list.version == "1.0.0")
    #expect(list.plugins.map(\.type) == ["a", "b"])
    #expect(list.plugins.map(\.name) == ["first", nil])
    #expect(list.plugins.map(\.capabilities) == [["mac"], ["portMappings"]])
    #expect(!list.isCheckDisabled && !list.isGCDisabled && !list.hasOnlyInlinedPlugins)
  }

  @Test(
    "takes flags as true, false, or as text of either",
    arguments: [("true", true), ("false", false), ("\"true\"", true), ("\"False\"", false)])
  func flags(text: String, value: Bool) throws {
    let list = try list(
      """
      {"name": "n", "disableCheck": \(text), "disableGC": \(text),
       "loadOnlyInlinedPlugins": \(text), "plugins": [{"type": "a"}]}
      """)
    #expect(list.isCheckDisabled == value)
    #expect(list.isGCDisabled == value)
    #expect(list.hasOnlyInlinedPlugins == value)
  }

  @Test(
    "uses the highest of its versions that is not beyond 1.1.0",
    arguments: [
      (#""cniVersion": "0.4.0""#, "0.4.0"),
      (#""cniVersion": "9.9.9""#, "9.9.9"),
      (#""cniVersions": ["0.3.1", "1.0.0", "0.4.0"]"#, "1.0.0"),
      (#""cniVersions": ["0.3.1", "1.1.0", "1.2.0"]"#, "1.1.0"),
      (#""cniVersion": "1.0.0", "cniVersions": ["0.3.1", "0.4.0"]"#, "1.0.0"),
      (#""cniVersion": "0.4.0", "cniVersions": ["2.0.0"]"#, "0.4.0"),
      (#""cniVersions": []"#, ""),
      (#""cniVersions": ["1"]"#, "1"),
      (#""cniVersions": ["0.10.0", "0.4.0"]"#, "0.10.0"),
    ])
  func versions(members: String, expected: String) throws {
    #expect(
      try list(#"{"name": "n", \#(members), "plugins": [{"type": "a"}]}"#).version == expected)
  }

  @Test("may have no plugins, for they can come from files")
  func noPlugins() throws { #expect(try list(#"{"name": "n"}"#).plugins.isEmpty) }

  @Test(
    "that cannot be used says why",
    arguments: [
      (#"{"cniVersion": "1.0.0"}"#, "error parsing configuration list: no name"),
      // The members of the list itself are not read in whatever case.
      (#"{"Name": "n"}"#, "error parsing configuration list: no name"),
      (#"{"name": 5}"#, "error parsing configuration list: name: 5 is not a string"),
      (
        #"{"name": "n", "cniVersion": 1}"#,
        "error parsing configuration list: cniVersion: 1 is not a string"
      ),
      (
        #"{"name": "n", "cniVersions": ["x"]}"#,
        "error parsing configuration list: cniVersions[0]: \"x\" is not a version; "
          + "write it as 1.1.0"
      ),
      (
        #"{"name": "n", "disableCheck": "yes"}"#,
        "error parsing configuration list: disableCheck: \"yes\" is not true, false, \"true\" or "
          + "\"false\""
      ),
      (
        #"{"name": "n", "loadOnlyInlinedPlugins": true}"#,
        "error parsing configuration list: `loadOnlyInlinedPlugins` is true, and no 'plugins' key"
      ),
      (
        #"{"name": "n", "plugins": {}}"#,
        "error parsing configuration list: plugins: an object is not an array"
      ),
      (#"{"name": "n", "plugins": []}"#, "error parsing configuration list: no plugins in list"),
      (
        #"{"name": "n", "plugins": [{}]}"#,
        "error parsing configuration list: plugins[0]: missing 'type'"
      ),
      (
        #"{"name": "n", "plugins": [{"type": "a", "capabilities": {"mac": 1}}]}"#,
        "error parsing configuration list: plugins[0].capabilities.mac: 1 is not true or false"
      ),
      ("[]", "error parsing configuration list: an array is not an object"),
      (
        "{",
        "error parsing configuration list: line 1, column 1: string or '}' expected near end of file"
      ),
    ])
  func refusals(text: String, message: String) {
    let error = #expect(throws: ListError.self) { try list(text) }
    #expect(error?.description == message)
  }

  @Test("is made of the configuration of one plugin, with a text as Go writes it")
  func single() throws {
    let text = #"{"type": "a", "name": "n", "cniVersion": "0.3.1", "x": "<&>", "b": 1.50}"#
    let list = try NetworkList(parsingSingle: Array(text.utf8))
    #expect(list.name == "n")
    #expect(list.version == "0.3.1")
    #expect(list.plugins.map(\.type) == ["a"])
    #expect(
      String(decoding: list.text, as: UTF8.self)
        == #"{"cniVersion":"0.3.1","name":"n","plugins":[{"b":1.5,"cniVersion":"0.3.1","name":"n","#
        + #""type":"a","x":"\u003c\u0026\u003e"}]}"#)
  }

  @Test("is not made of the configuration of a plugin without type")
  func singleWithoutType() {
    let error = #expect(throws: ListError.self) {
      try NetworkList(parsingSingle: Array(#"{"name": "n"}"#.utf8))
    }
    #expect(error?.description == "error parsing configuration: missing 'type'")
  }
}
