import ArgumentParser

@main
struct Patchbay: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "patchbay",
    abstract: "Plug network namespaces into Open vSwitch, by hand, with CNI plugins.",
    subcommands: [])
}
