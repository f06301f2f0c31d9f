import ArgumentParser
import OVSDB

/// Where Open vSwitch is, for commands that look at all of it.
struct DatabaseOptions: ParsableArguments {
  @Option(
    name: .customLong("db"),
    help: ArgumentHelp(
      "Where ovsdb-server listens: unix:PATH or tcp:IP:PORT.", valueName: "endpoint"))
  var endpoint = Endpoint.standard.description
}
