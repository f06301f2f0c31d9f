import Mirrors
import PluginConfigurations
import PluginCore

/// `ovs-mirror-consumer`: an attachment's port gets the copies that mirrors make.
@main enum OVSMirrorConsumer: MirrorPlugin {
  static let name = "ovs-mirror-consumer"
  static let role = MirrorConfiguration.Role.consumer
}
