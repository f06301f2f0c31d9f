import Mirrors
import PluginConfigurations
import PluginCore

/// `ovs-mirror-producer`: the packets of an attachment's port are mirrored.
@main enum OVSMirrorProducer: MirrorPlugin {
  static let name = "ovs-mirror-producer"
  static let role = MirrorConfiguration.Role.producer
}
