package import CNI

extension Request {
  /// Refuses a version whose result cannot say what this attachment has: before anything is made,
  /// since the runtime never deletes what it does not know.
  package func requireExpressibleResult() throws(CNIError) {
    let hasIPAM = network.ipamType?.isEmpty == false
    guard network.version < .v0_3_0, !hasIPAM else { return }
    throw CNIError(
      .unsupportedField,
      "cniVersion: \"\(network.version.rawValue)\" is not supported without ipam",
      details: "its result cannot express an attachment without address; 0.3.0 and later can")
  }
}
