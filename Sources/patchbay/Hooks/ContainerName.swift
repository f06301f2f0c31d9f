import CNI
import Digests

/// What a runtime calls a container, and the container ID that it has for plugins.
struct ContainerName: Hashable {
  /// As the runtime has it: any text.
  let name: String
  /// The name itself where it is a legal container ID; else what is legal of it, and a digest, so
  /// that every hook of the container has the same and no other container has it.
  let containerID: String

  init(_ name: String) throws {
    guard !name.isEmpty else { throw Failure("the container has no name") }
    self.name = name
    let isLegal: Bool
    do {
      try Names.checkContainerID(name)
      isLegal = true
    } catch { isLegal = false }
    guard !isLegal else {
      containerID = name
      return
    }
    let digest = SHA2.hexadecimal(name, bytes: 6)
    let legal = name.unicodeScalars.prefix(48).map { scalar in
      let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9") ~= scalar)
      return isPlain || scalar == "." || scalar == "-" ? String(scalar) : "_"
    }
    // A container ID begins with a letter or a digit.
    let isFirstPlain = legal.first.map { !["_", ".", "-"].contains($0) } ?? false
    containerID = (isFirstPlain ? "" : "c") + legal.joined() + "-" + digest
  }
}
