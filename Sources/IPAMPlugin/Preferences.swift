internal import Addresses
public import CNI
public import IPAM
internal import JSON
public import PluginConfigurations

extension AddressPreferences {
  /// What a request says: the runtime's requests first, then those of `args`, of `CNI_ARGS`, and
  /// the configuration's own.
  public init(_ request: Request, _ configuration: HostLocalConfiguration) throws(CNIError) {
    let arguments = request.arguments
    let subject = Subject(
      containerID: request.invocation.containerID,
      interfaceName: request.invocation.interfaceName,
      pod: arguments.podName,
      mac: configuration.mac ?? arguments[ArgumentKeys.mac].flatMap { MACAddress($0) }
        ?? request.network.json[OVSBridgeConfiguration.PortMember.mac].value?.text.flatMap {
          MACAddress($0)
        })
    var requests = configuration.requests
    if let text = arguments[ArgumentKeys.ip] {
      guard let address = AddressRequest.parse(text) else {
        throw CNIError(
          .invalidEnvironment,
          "ARGS: error parsing value of pair \"IP=\(text)\": invalid IP address \(text)",
          details: "write it as IP=ADDRESS or IP=ADDRESS/LENGTH")
      }
      requests.append(AddressRequest(address, source: "CNI_ARGS IP"))
    }
    do throws(AllocationFailure) {
      try self.init(subject, requests: requests, configuration)
    } catch { throw CNIError(error) }
  }
}

extension CNIError {
  /// An attachment that gets no addresses.
  public init(_ failure: AllocationFailure) {
    self.init(.internalFailure, failure.message, details: failure.details)
  }
}
