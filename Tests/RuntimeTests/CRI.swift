import TestSupport

/// What Kubernetes says to containerd (Container Runtime Interface, `runtime.v1`), said by curl:
/// gRPC is HTTP/2, and the messages here are short texts.
struct CRI {
  let host: RuntimeHost

  /// A pod's sandbox, as containerd has made it.
  struct Sandbox {
    let cri: CRI
    let id: String

    /// Runs a shell's script in it.
    func sh(_ script: String) throws -> String {
      try cri.host.run(command + [script]).checked().stdout
    }
    /// How a shell is run in it.
    var command: [String] {
      ["ctr", "-n", "k8s.io", "task", "exec", "--exec-id", "x", id, "sh", "-ec"]
    }

    /// Stops and removes it.
    func remove() throws {
      try cri.call("StopPodSandbox", CRI.field(1, id))
      try cri.call("RemovePodSandbox", CRI.field(1, id))
    }
  }

  /// Starts the sandbox of a pod in the namespace `default`.
  func sandbox(_ pod: String) throws -> Sandbox {
    let metadata = Self.field(1, pod) + Self.field(2, "uid-\(pod)") + Self.field(3, "default")
    let configuration = Self.field(1, metadata)
    let answer = try call("RunPodSandbox", Self.field(1, configuration))
    // Its ID is all that is in the answer.
    return Sandbox(cri: self, id: String(answer.suffix(64)))
  }

  /// The answer to a message; throws what containerd says is wrong.
  @discardableResult
  func call(_ method: String, _ message: String) throws -> String {
    let frame = "\0\0\0\0" + Self.octet(message.utf8.count) + message
    try host.run(
      [
        "curl", "--silent", "--show-error", "--http2-prior-knowledge", "--unix-socket",
        "/run/containerd/containerd.sock", "--header", "content-type: application/grpc",
        "--header", "te: trailers", "--data-binary", "@-", "--dump-header", "/run/cri-head",
        "--output", "/run/cri-answer", "http://localhost/runtime.v1.RuntimeService/\(method)",
      ], input: frame
    ).checked()
    let head = try host.call("cat", "/run/cri-head")
    guard head.contains("grpc-status: 0") else { throw HostError(description: head) }
    return try host.call("cat", "/run/cri-answer")
  }

  /// A member of a message that is a text or a message, at most 127 octets long (Protocol Buffers,
  /// "Encoding").
  static func field(_ number: Int, _ content: String) -> String {
    octet(number << 3 | 2) + octet(content.utf8.count) + content
  }

  private static func octet(_ value: Int) -> String {
    precondition((0..<128).contains(value))
    return String(UnicodeScalar(UInt8(value)))
  }
}
