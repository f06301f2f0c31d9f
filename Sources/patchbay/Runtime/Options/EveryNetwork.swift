import ArgumentParser
import CNIRuntime

/// The networks of a directory, for commands that are given none by name.
struct EveryNetwork {
  /// The first of each name, in the order in which runtimes search.
  private(set) var lists: [NetworkList] = []
  /// Why files of the directory are no networks.
  private(set) var failures: [RuntimeError] = []

  init(_ directory: ConfigurationDirectory) throws {
    do throws(RuntimeError) {
      for (_, result) in try directory.contents() {
        switch result {
        case .success(let list): add(list)
        case .failure(let error): failures.append(error)
        }
      }
    } catch { throw Failure(error) }
  }

  /// Adds a list unless there is one of its name.
  mutating func add(_ list: NetworkList) {
    if !lists.contains(where: { $0.name == list.name }) { lists.append(list) }
  }

  /// Does `body` for each. What fails is said, and the others go on; the exit status is 1 then.
  func forEach(_ body: (NetworkList) throws -> Void) throws {
    if lists.isEmpty, failures.isEmpty {
      say("there is no network: patchbay network new makes one", .warning)
    }
    for failure in failures { say("\(failure)", .error) }
    var hasFailed = !failures.isEmpty
    for list in lists {
      do { try body(list) } catch let failure as Failure {
        say("network \"\(list.name)\": \(failure)", .error)
        hasFailed = true
      } catch is ExitCode { hasFailed = true }
    }
    if hasFailed { throw ExitCode(1) }
  }
}
