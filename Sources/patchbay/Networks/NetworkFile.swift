import CNIRuntime
import JSON
import Linux

/// The file of a network in the configuration directory.
enum NetworkFile {
  /// The file of the directory that has the network `name`, and the list in it.
  static func find(_ name: String, _ options: RuntimeOptions) throws -> (
    path: String, list: NetworkList
  ) {
    do throws(RuntimeError) {
      // One that is broken does not keep the others from being shown or changed.
      for (file, result) in try options.directory.contents() {
        if case .success(let list) = result, list.name == name { return (file, list) }
      }
      // The search ends with an error that names what there is.
      _ = try options.directory.network(name)
    } catch { throw Failure(error) }
    throw Failure("there is no network \"\(name)\" in \(options.directory.path)")
  }

  /// Refuses `json` if it has errors, and says what it is warned of.
  static func validate(_ json: JSONValue, as file: String) throws {
    let faults = Validator(isList: file.hasSuffix(".conflist")).faults(of: json)
    let errors = faults.filter { $0.severity == .error }
    guard errors.isEmpty else {
      throw Failure(errors.map(\.text.controlCharactersEscaped).joined(separator: "\n"))
    }
    for fault in faults { say(fault.text.controlCharactersEscaped, .warning) }
  }
}
