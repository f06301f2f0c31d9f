public import CNI
public import JSON

extension ArgumentKeys {
  /// The keys that our plugins and their delegates read between them: `IP` and `GATEWAY` by
  /// `static`, the rest by ours.
  public static let ours = ArgumentKeys(
    ["IgnoreUnknown", ip, gateway, mac, logicalPort, podNamespace, podName]
      + ["K8S_POD_INFRA_CONTAINER_ID", podUID],
    fromRuntime: "K8S_")

  /// The requested address.
  public static let ip = "IP"
  /// The gateway of the requested address.
  public static let gateway = "GATEWAY"
  /// The requested hardware address.
  public static let mac = "MAC"
  /// The logical port of OVN.
  public static let logicalPort = "OvnPort"
  /// The namespace of the pod of Kubernetes.
  public static let podNamespace = "K8S_POD_NAMESPACE"
  /// The name of the pod, or that of a container of another runtime.
  public static let podName = "K8S_POD_NAME"
  /// The UID of the pod.
  public static let podUID = "K8S_POD_UID"
}

/// Members of `args.cni` besides those that are called as capabilities are.
public enum RequestMember: String, JSONMember {
  /// As the key `OvnPort`.
  case ovnPort
}

/// How people call a pod, or the container of another runtime.
public struct PodName: Hashable, Sendable, CustomStringConvertible {
  /// Nil where the runtime has no namespaces of names.
  public let namespace: String?
  /// The name.
  public let name: String

  /// This name.
  public init(_ name: String, in namespace: String? = nil) {
    self.name = name
    self.namespace = namespace
  }

  /// `NAMESPACE/NAME`, or `NAME` where there is no namespace.
  public var description: String { namespace.map { "\($0)/\(name)" } ?? name }
}

extension Arguments {
  /// The pod's name; nil where the runtime does not say.
  public var podName: PodName? {
    self[ArgumentKeys.podName].map { PodName($0, in: self[ArgumentKeys.podNamespace]) }
  }
}
