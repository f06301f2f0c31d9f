package import Attachments
package import CNI

extension CNIError {
  /// The error result for what the engine could not do.
  package init(_ error: AttachmentError) {
    let code: Code =
      switch error.kind {
      case .exists: .alreadyExists
      case .invalid: .invalidConfiguration
      case .busy: .tryAgainLater
      case .unavailable: .notAvailable
      case .impaired: .limitedConnectivity
      case .failed: .internalFailure
      case .other(let number): Code(rawValue: number)
      }
    self.init(code, error.message, details: error.details)
  }
}

extension AttachmentError {
  /// What the IPAM plugin, or what excludes commands from each other, has refused.
  package init(_ error: CNIError) {
    self.init(.other(error.code.rawValue), error.message, details: error.details)
  }
}
