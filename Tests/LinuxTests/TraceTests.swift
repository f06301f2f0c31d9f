import Testing

@testable import Linux

@Test("CNI_TRACE is a list with commas")
func trace() {
  for variable in ["ovsdb", "netlink,ovsdb,json"] { #expect(Process.names(variable, "ovsdb")) }
  for variable in ["", "netlink", "ovsdbx"] { #expect(!Process.names(variable, "ovsdb")) }
  #expect(!Process.names(nil, "ovsdb"))
}
