import Glibc

/// `bench-ipam DIRECTORY`: measures the `host-local` in DIRECTORY against the reference plugin of
/// that name, whole processes, in one run, and prints a table. Exit status 1 where something is not
/// reached.
///
/// Leases are written beforehand, as the reference plugin writes them; each plugin has its own.
@main
struct Benchmark {
  static let reference = "/usr/lib/cni/host-local"
  let ours: String
  let place: String
  var rows: [[String]] = []
  var isReached = true

  static func main() {
    guard CommandLine.arguments.count == 2 else { fail("usage: bench-ipam DIRECTORY") }
    let plugin = "\(CommandLine.arguments[1])/host-local"
    for (path, advice) in [(plugin, "make build"), (reference, "make setup")] {
      guard access(path, X_OK) == 0 else { fail("there is no \(path); `\(advice)`") }
    }
    var template = Array(
      "\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/pbXXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fail("cannot make a temporary directory") }
    let length = template.firstIndex(of: 0) ?? template.count
    let place = String(decoding: template[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var benchmark = Benchmark(ours: plugin, place: place)
    benchmark.run()
    benchmark.removePlace()
    benchmark.report()
    exit(benchmark.isReached ? 0 : 1)
  }

  init(ours: String, place: String) {
    self.ours = ours
    self.place = place
  }

  mutating func run() {
    memory()
    size()
    start()
    against(leases: 0, runs: 60, reach: 0.6)
    against(leases: 10_000, runs: 15, reach: 0.02)
    itself()
  }

  // MARK: - What is measured

  /// `VERSION`, which is the start of a plugin and nothing else.
  private mutating func start() {
    let (one, other) = (network("start", ours), network("start-reference", Self.reference))
    let times = alternate(runs: 150, [{ one("VERSION") }, { other("VERSION") }])
    add("start (VERSION)", times[0], "the reference", times[1], 0.6)
  }

  /// ADD and DEL with so many leases that others have.
  private mutating func against(leases: Int, runs: Int, reach: Double) {
    let (one, other) = (network("l\(leases)", ours), network("r\(leases)", Self.reference))
    for name in ["l\(leases)", "r\(leases)"] { lease(1...max(1, leases), of: name, leases > 0) }
    for plugin in [one, other] { _ = plugin("ADD", "warm") }
    let times = alternate(
      runs: runs,
      [{ one("ADD") }, { one("DEL") }, { other("ADD") }, { other("DEL") }])
    let title = "\(leases.grouped) leases"
    add("ADD, \(title)", times[0], "the reference", times[2], reach)
    add("DEL, \(title)", times[1], "the reference", times[3], reach)
  }

  /// 60,000 leases with holes between them, and a range without any, compared with none.
  private mutating func itself() {
    let none = network("none", ours)
    let many = network("many", ours)
    let all = network("all", ours)
    lease((1...65_500).filter { $0 % 12 != 0 }, of: "many", true)
    lease(1...65_534, of: "all", true)
    for plugin in [none, many, all] { _ = plugin("ADD", "warm") }
    let times = alternate(
      runs: 150,
      [{ none("ADD") }, { none("DEL") }, { many("ADD") }, { many("DEL") }, { many("DEL") }])
    add("ADD, 60,000 leases, scattered", times[2], "0 leases", times[0], 1.3)
    add("DEL, 60,000 leases, scattered", times[3], "0 leases", times[1], 1.3)
    add("repeated DEL, 60,000 leases", times[4], "0 leases", times[1], 1.3)
    let exhausted = alternate(
      runs: 100, [{ none("ADD") }, { none("DEL") }, { all("ADD") }], mayFail: [2])
    add("ADD, range exhausted (65,533 leases)", exhausted[2], "0 leases", exhausted[0], 1.3)
  }

  /// The most that any command has in memory, the one that reads all leases included.
  private mutating func memory() {
    let plugin = network("memory", ours)
    lease((1...65_500).filter { $0 % 12 != 0 }, of: "memory", true)
    var most = 0
    for command in ["ADD", "ADD", "DEL", "VERSION"] { most = max(most, plugin(command).octets) }
    addSize("peak memory, 60,000 leases", most, limit: 12 << 20)
  }

  private mutating func size() {
    addSize("size of the executable", network("size", ours).size, limit: 8 << 20)
  }

  // MARK: - How

  /// Runs these one after the other, `runs` times and a few more that do not count.
  private func alternate(runs: Int, _ bodies: [() -> Executable.Run], mayFail: Set<Int> = [])
    -> [Double]
  {
    var times = [[Double]](repeating: [], count: bodies.count)
    for round in -3..<runs {
      for (number, body) in bodies.enumerated() {
        let run = body()
        guard run.isSuccess || mayFail.contains(number) else { fail("a plugin failed") }
        if round >= 0 { times[number].append(run.milliseconds) }
      }
    }
    return times.map(median)
  }

  /// A plugin with a network of this name.
  private func network(_ name: String, _ path: String) -> Executable {
    let configuration = "\(place)/\(name).json"
    write(
      """
      {"cniVersion": "1.0.0", "name": "\(name)", "type": "bench", "ipam": {"type": "host-local",
       "dataDir": "\(place)/leases", "ranges": [[{"subnet": "10.0.0.0/16", "gateway": "10.0.0.1"}]]}}
      """, to: configuration)
    return Executable(path: path, configuration: configuration)
  }

  /// Leases the addresses 10.0.0.0 + n, but for the gateway.
  private func lease(_ numbers: some Sequence<Int>, of name: String, _ isWanted: Bool) {
    mkdir("\(place)/leases", 0o755)
    mkdir("\(place)/leases/\(name)", 0o755)
    guard isWanted else { return }
    for number in numbers where number != 1 {
      write(
        "0123456789abcdef0123456789abcdef0123456789abcdef\(number)\r\neth0",
        to: "\(place)/leases/\(name)/10.0.\(number >> 8).\(number & 255)")
    }
  }

  private func removePlace() {
    var pid: pid_t = 0
    let words = ["rm", "-rf", place]
    var arguments = words.map { strdup($0) } + [nil]
    guard posix_spawn(&pid, "/bin/rm", nil, nil, &arguments, nil) == 0 else { return }
    waitpid(pid, nil, 0)
  }

  // MARK: - The table

  private mutating func add(
    _ title: String, _ time: Double, _ other: String, _ base: Double, _ reach: Double
  ) {
    let ratio = time / base
    let isGood = ratio <= reach
    isReached = isReached && isGood
    rows.append([
      title, "\(time.rounded(to: 2)) ms", "\(base.rounded(to: 2)) ms (\(other))",
      ratio.rounded(to: 3), "≤ \(reach)", isGood ? "yes" : "NO",
    ])
  }

  private mutating func addSize(_ title: String, _ octets: Int, limit: Int) {
    let isGood = octets > 0 && octets <= limit
    isReached = isReached && isGood
    let size = (Double(octets) / 1_048_576).rounded(to: 1)
    rows.append([title, "\(size) MiB", "", "", "≤ \(limit >> 20) MiB", isGood ? "yes" : "NO"])
  }

  private func report() {
    let head = ["host-local", "ours", "compared with", "ratio", "reach", "reached"]
    let table = [head, head.map { _ in "---" }] + rows
    for row in table { print("| " + row.joined(separator: " | ") + " |") }
  }
}

extension Int {
  /// `10,000`
  fileprivate var grouped: String {
    self < 1000 ? "\(self)" : "\(self / 1000)," + String(String(1000 + self % 1000).dropFirst())
  }
}

extension Double {
  /// With so many digits after the point.
  fileprivate func rounded(to digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let number = Int((self * scale).rounded())
    let fraction = String(String(Int(scale) + number % Int(scale)).dropFirst())
    return "\(number / Int(scale)).\(fraction)"
  }
}
